/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/mail.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <sodium.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "node/proto/letter.h"
#include "transport/engine/engine.h"
#include "transport/engine/store.h"
#include "transport/engine/store_file.h"
#include "transport/lxmf/lxmfset.h"

#define TAG_MAIL (UINT64_C(3) << 60) /* of errands: 1 */
#define SLICE_TRIES 200 /* some 60 us */
#define SLICE_US 500
#define FIRST_S 5 /* until the first announce and look */
#define AGAIN_S 10 /* ours: what node had no room for */
#define HANDED_BYTES (4u << 20) /* ours: of what node has not taken yet */
#define LOST_LOOK_S 120 /* ours: after a look that reached nobody, at most */

/*
 * Handed to node, until that has it: what came on a link is proved already, so
 * it is handed over again to the next node, or when this one has room.
 */
struct handed {
	TAILQ_ENTRY(handed) entry;
	uint64_t handle;
	bool by_link, due;
	struct hash16 source;
	size_t len;
	uint8_t packed[];
};
TAILQ_HEAD(handed_list, handed);

struct mailroom {
	struct engine *e;
	struct handed_list handed;
	size_t handed_bytes;
	struct mono again; /* those that are due are handed over again then */
	struct post *post;
	struct lxmfset set;
	ev_idle idle;
	ev_timer timer;
	struct mono look_at, announce_at, looked;
	enum post_look look;
	bool looking;
	uint64_t lost, looks;
};

/* ---- what the machine asks for ---- */

static int
submit(void *arg, const struct rns_cmd *cmd)
{
	return engine_submit(((struct mailroom *)arg)->e, cmd);
}

static bool
known(void *arg, const struct hash16 *dest, struct rns_known *k)
{
	return rns_known_get(((struct mailroom *)arg)->e->rns, dest, k);
}

static bool
path(void *arg, const struct hash16 *dest)
{
	struct rns_path p;

	return rns_path_get(((struct mailroom *)arg)->e->rns, dest, &p);
}

static void
bytes(void *arg, uint8_t *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

/* Node says by N_MAIL_TAKEN what came of it. */
static void
hand(struct mailroom *r, struct handed *h)
{
	struct ipc *node = engine_ipc(r->e, PROGRAM_NODE);
	struct msg_T_MAIL m = {.handle = h->handle, .len = (uint32_t)h->len};
	struct rns_known k;
	int fd;

	h->due = true;
	if (node == NULL || ipc_full(node) ||
	    (fd = memfd_sealed("mail", h->packed, h->len)) < 0) {
		r->again = mono_add(r->e->now, AGAIN_S * MONO_SECOND);
		return;
	}
	if (known(r, &h->source, &k)) {
		m.known = true;
		memcpy(m.pub, k.public_key, sizeof(m.pub));
	}
	if (ipc_send_T_MAIL(node, &m, &fd, 1) < 0)
		engine_send_failed(PROGRAM_NODE);
	else
		h->due = false;
	(void)close(fd);
}

static void
handed_free(struct mailroom *r, struct handed *h)
{
	TAILQ_REMOVE(&r->handed, h, entry);
	r->handed_bytes -= h->len;
	free(h);
}

static void
message(void *arg, const struct post_message *p)
{
	struct mailroom *r = arg;
	struct handed *h = NULL;

	if (r->handed_bytes + p->len <= HANDED_BYTES)
		h = malloc(sizeof(*h) + p->len);
	if (h == NULL) {
		r->lost++;
		return;
	}
	*h = (struct handed){.handle = p->handle, .source = p->m.source,
	    .by_link = p->by == POST_BY_LINK, .len = p->len};
	memcpy(h->packed, p->packed, p->len);
	TAILQ_INSERT_TAIL(&r->handed, h, entry);
	r->handed_bytes += h->len;
	hand(r, h);
}

static void
hand_again(struct mailroom *r, bool all)
{
	struct handed *h;

	r->again = MONO_NEVER;
	TAILQ_FOREACH(h, &r->handed, entry)
		if (all || h->due)
			hand(r, h);
}

static void
tell_end(struct engine *e, uint64_t tag, enum mail_end end, const char *why)
{
	struct ipc *node = engine_ipc(e, PROGRAM_NODE);
	struct msg_T_MAIL_END m = {.tag = tag, .end = (uint8_t)end};

	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	if (node != NULL && ipc_send_T_MAIL_END(node, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_NODE);
}

static void
ended(void *arg, uint64_t tag, enum post_end end, const char *why)
{
	struct mailroom *r = arg;

	tell_end(r->e, tag, end == POST_DELIVERED ? MAIL_DELIVERED :
		end == POST_STORED ? MAIL_STORED : MAIL_FAILED,
	    why == NULL ? "" : why);
}

static void
looked(void *arg, enum post_look how, unsigned n)
{
	static const char *const text[] = {"", "cannot be reached",
	    "does not let this node fetch", "answers what does not read"};
	struct mailroom *r = arg;

	r->looking = false;
	r->looks++;
	if (how != POST_LOOK_DONE && r->look != how)
		log_warnx("lxmf", "the propagation node %s", text[how]);
	else if (n > 0)
		log_info("lxmf", "%u messages came from the propagation node",
		    n);
	r->look = how;
	r->looked = r->e->now;
	if (how != POST_LOOK_DONE && r->set.look_s > LOST_LOOK_S)
		r->look_at = mono_add(r->e->now, LOST_LOOK_S * MONO_SECOND);
}

/*
 * storage/lxmf_ratchets: the private ratchets of lxmf.delivery, newest first,
 * behind the SHA-256 of them. Who loses them cannot read what was sealed for
 * them and still lies at a propagation node.
 */
#define RATCHETS "lxmf_ratchets"
#define RATCHETS_MAX (32 + POST_RATCHETS * RNS_RATCHET)

static void
keep_ratchets(void *arg, const uint8_t *keys, size_t n)
{
	struct mailroom *r = arg;
	uint8_t *out = malloc(RATCHETS_MAX);
	struct id32 sum;

	n = n < POST_RATCHETS ? n * RNS_RATCHET : RATCHETS_MAX - sizeof(sum);
	if (out == NULL || r->e->store == NULL) {
		free(out);
		return;
	}
	rns_sha256(&sum, keys, n);
	memcpy(out, sum.b, sizeof(sum));
	memcpy(out + sizeof(sum), keys, n);
	if (file_replace(store_dir(r->e->store), RATCHETS, out, sizeof(sum) + n,
	    0600) < 0)
		log_warn("lxmf", "storage/" RATCHETS);
	explicit_bzero(out, RATCHETS_MAX);
	free(out);
}

/* Others are made, and take its name. */
static void
ratchets_aside(struct engine *e)
{
	store_file_aside(store_files(e->store), store_dir(e->store), RATCHETS,
	    "other ratchets are made, and messages that were sealed for these "
	    "cannot be read");
}

/* What is kept, of *len bytes: wipe and free() it. NULL: nothing. */
static uint8_t *
load_ratchets(struct engine *e, struct post_conf *c, size_t *len)
{
	struct id32 sum;
	uint8_t *in;

	if (e->store == NULL)
		return NULL;
	in = (uint8_t *)store_file_load(store_files(e->store),
	    store_dir(e->store), RATCHETS, RATCHETS_MAX, len);
	if (in == NULL) {
		if (faccessat(store_dir(e->store), RATCHETS, F_OK,
		    AT_SYMLINK_NOFOLLOW) == 0)
			ratchets_aside(e);
		return NULL;
	}
	if (*len > sizeof(sum) && (*len - sizeof(sum)) % RNS_RATCHET == 0) {
		c->keys = in + sizeof(sum);
		c->nkeys = (*len - sizeof(sum)) / RNS_RATCHET;
		rns_sha256(&sum, c->keys, *len - sizeof(sum));
	}
	if (c->nkeys == 0 || memcmp(sum.b, in, sizeof(sum)) != 0) {
		ratchets_aside(e);
		c->nkeys = 0;
	}
	return in;
}

/* ---- time ---- */

static void
on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	struct mailroom *r = w->data;
	struct mono began = clock_mono();

	(void)revents;
	while (post_busy(r->post)) {
		post_work(r->post, SLICE_TRIES, r->e->now);
		if (mono_sub(clock_mono(), began) >= SLICE_US)
			return;
	}
	ev_idle_stop(loop, w);
}

static void
tick(struct mailroom *r)
{
	struct mono now = r->e->now;

	if (mono_reached(now, r->announce_at)) {
		r->announce_at = mono_add(now,
		    r->set.announce_s * MONO_SECOND);
		(void)post_announce(r->post, r->set.name[0] == '\0' ? NULL :
			r->set.name, r->set.cost);
	}
	if (mono_reached(now, r->look_at) && !r->looking &&
	    r->set.nnodes > 0 && engine_ipc(r->e, PROGRAM_NODE) != NULL) {
		r->look_at = r->set.look_s == 0 ? MONO_NEVER :
		    mono_add(now, r->set.look_s * MONO_SECOND);
		r->looking = post_look(r->post, now) == RNS_OK;
	}
	if (mono_reached(now, r->again))
		hand_again(r, false);
	post_tick(r->post, now);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	tick(w->data);
}

void
mailroom_turn(struct mailroom *r)
{
	struct mono at = mono_min(mono_min(post_deadline(r->post), r->again),
	    r->announce_at);
	double s;

	if (!r->looking && r->set.nnodes > 0)
		at = mono_min(at, r->look_at);
	if (post_busy(r->post) && !ev_is_active(&r->idle))
		ev_idle_start(r->e->loop, &r->idle);
	ev_timer_stop(r->e->loop, &r->timer);
	if (at.us == INT64_MAX)
		return;
	s = (double)mono_sub(at, clock_mono()) / 1e6;
	/* node may be away for a while: its mail waits */
	ev_timer_set(&r->timer, s > 0.01 ? s : engine_ipc(r->e,
		PROGRAM_NODE) == NULL ? 1. : 0.01, 0.);
	ev_timer_start(r->e->loop, &r->timer);
}

/* ---- messages ---- */

bool
mailroom_event(struct mailroom *r, const struct rns_event *ev)
{
	return post_event(r->post, ev, r->e->now);
}

void
mailroom_node(struct mailroom *r)
{
	r->look_at = mono_min(r->look_at, mono_add(r->e->now,
	    FIRST_S * MONO_SECOND));
	hand_again(r, true);
}

void
mailroom_taken(struct engine *e, const struct msg_N_MAIL_TAKEN *m)
{
	struct mailroom *r = e->mailroom;
	struct handed *h;

	if (r == NULL)
		return;
	TAILQ_FOREACH(h, &r->handed, entry)
		if (h->handle == m->handle)
			break;
	if (h == NULL)
		return;
	if (!m->kept && h->by_link) { /* nobody else has it any more */
		h->due = true;
		r->again = mono_min(r->again, mono_add(e->now,
		    AGAIN_S * MONO_SECOND));
		return;
	}
	handed_free(r, h);
	post_taken(r->post, m->handle, m->kept, e->now);
}

static int
send_letter(struct mailroom *r, const struct msg_N_MAIL *q, const uint8_t *letter,
    size_t len)
{
	size_t cap = len + LXMF_OVERHEAD + sizeof(LETTER_TYPE);
	struct post_letter l = {.tag = q->tag, .pub = q->pub, .way = POST_ANY,
	    .until = mono_add(r->e->now, q->within_s * MONO_SECOND)};
	uint8_t *buf = malloc(cap);
	struct lxmf m = {.dest = q->dest, .source = *post_address(r->post),
	    .time = (double)q->wrote, .has_type = true, .has_data = true,
	    .type = {(const uint8_t *)LETTER_TYPE, strlen(LETTER_TYPE)},
	    .data = {letter, len}};
	int err = buf == NULL ? RNS_ENOMEM : lxmf_pack(buf, &l.len, cap, NULL,
	    &m, NULL, r->e->identity);

	l.packed = buf;
	if (err == RNS_OK)
		err = post_send(r->post, &l, r->e->now);
	free(buf);
	return err;
}

void
mailroom_send(struct engine *e, const struct msg_N_MAIL *m, struct ipc_in *in)
{
	size_t len = m->len;
	int fd = ipc_in_take(in, 0), err = RNS_EINVAL;
	const uint8_t *map = len == 0 ? NULL : memfd_map(fd, &len,
	    MAIL_MESSAGE_MAX);

	(void)close(fd);
	if (e->mailroom == NULL)
		tell_end(e, m->tag, MAIL_FAILED, "lxmf of node.yaml is off");
	else if (map == NULL || (err = send_letter(e->mailroom, m, map,
	    len)) != RNS_OK)
		tell_end(e, m->tag, MAIL_FAILED, rns_strerror(err));
	if (map != NULL)
		memfd_unmap(map, len);
}

/* ---- life ---- */

struct mailroom *
mailroom_new(struct engine *e, const char *text, size_t len)
{
	struct post_conf conf = {.tags = TAG_MAIL};
	struct mailroom *r = calloc(1, sizeof(*r));
	const struct post_io io = {r, submit, known, path, bytes, message,
	    ended, looked, keep_ratchets};
	uint8_t *kept;
	size_t len_kept = 0;

	if (r == NULL || !lxmfset_get(&r->set, text, len)) {
		free(r);
		return NULL;
	}
	r->e = e;
	TAILQ_INIT(&r->handed);
	r->again = MONO_NEVER;
	memcpy(conf.identity, e->identity, sizeof(conf.identity));
	_Static_assert(sizeof(conf.nodes) == sizeof(r->set.nodes), "one number");
	memcpy(conf.nodes, r->set.nodes, sizeof(conf.nodes));
	conf.nnodes = r->set.nnodes;
	conf.message_max = r->set.message_max;
	conf.ratchets = true;
	kept = load_ratchets(e, &conf, &len_kept);
	r->post = post_new(&conf, &io, e->now);
	if (kept != NULL)
		explicit_bzero(kept, len_kept);
	free(kept);
	explicit_bzero(&conf, sizeof(conf));
	if (r->post == NULL) {
		free(r);
		return NULL;
	}
	r->announce_at = r->look_at = mono_add(clock_mono(),
	    FIRST_S * MONO_SECOND);
	ev_idle_init(&r->idle, on_idle);
	ev_set_priority(&r->idle, EV_MINPRI);
	ev_init(&r->timer, on_timer);
	r->idle.data = r->timer.data = r;
	return r;
}

void
mailroom_free(struct mailroom *r)
{
	struct handed *h;

	if (r == NULL)
		return;
	ev_idle_stop(r->e->loop, &r->idle);
	ev_timer_stop(r->e->loop, &r->timer);
	while ((h = TAILQ_FIRST(&r->handed)) != NULL)
		handed_free(r, h);
	post_free(r->post);
	free(r);
}

void
mailroom_set(struct engine *e, const char *text, size_t len)
{
	struct lxmfset set;

	if (e->mailroom != NULL && lxmfset_get(&set, text, len) && len > 0 &&
	    memcmp(&set, &e->mailroom->set, sizeof(set)) == 0)
		return;
	mailroom_free(e->mailroom);
	e->mailroom = NULL;
	tell_end(e, 0, MAIL_FAILED, "lxmf of node.yaml has changed");
	if (len == 0)
		return;
	if ((e->mailroom = mailroom_new(e, text, len)) == NULL)
		log_errx("lxmf", "cannot be served: out of memory");
}

void
mailroom_counts(const struct mailroom *r, struct mailroom_counts *out)
{
	post_counts(r->post, &out->post);
	out->address = *post_address(r->post);
	out->nnodes = r->set.nnodes;
	memcpy(out->nodes, r->set.nodes, sizeof(out->nodes));
	out->looked_s = r->looked.us == 0 ? -1 :
	    mono_sub(r->e->now, r->looked) / MONO_SECOND;
	out->looks = r->looks;
	out->look = r->look;
	out->lost = r->lost;
}
