/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/errand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/sys/queue.h>

#include "common/clock.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

/* compute.md 3: asked again without a sign after max(2 s, 8 RTT) */
#define AGAIN_LEAST (2 * MONO_SECOND)
#define AGAIN_RTTS 8
#define PATH_AGAIN (5 * MONO_SECOND) /* ours: an interface may come up */
#define PATH_OLD (5 * MONO_SECOND) /* ours: a newer one is waited for */
#define RESPONSE_HEAD 24 /* reticulum-endpoint.md 7.4, rounded up */
#define TRIES 4	 /* ours, and 8 in the low bits of a tag */
#define PACKET_AGAIN (30 * MONO_SECOND) /* ours: it was not proved */
#define PACKET_TRIES 2
#define LINKS_LOST 2 /* ours: in a row, then it is no use */
#define TAG_ERRAND (UINT64_C(1) << 60)
#define TAG_TRIES 8

struct peer;

struct errand {
	TAILQ_ENTRY(errand) entry;
	struct peer *peer;
	enum program who;
	uint32_t seq;
	char path[IPC_MESH_PATH + 1];
	uint8_t *body; /* NULL: nil */
	size_t len;
	uint32_t max;
	bool identify, slow, packet;
	struct mono until, again;
	uint64_t tag;	/* of the first try */
	unsigned tries; /* on this link; 0: not sent */
	unsigned out;	/* of them without an end */
	bool sign;	/* of an answer */
};

enum step { WANT_PATH, WANT_LINK, LINKED, NO_LINK };

struct peer {
	TAILQ_ENTRY(peer) entry;
	struct hash16 identity, dest, link;
	enum step step;
	bool begun;
	struct mono until; /* WANT_PATH; LINKED and idle: it is closed then */
	struct mono ask; /* WANT_PATH: once more */
	struct mono old; /* WANT_PATH: the path that failed may do from then */
	uint64_t tag;	   /* of the link */
	bool pending;	   /* link is its id */
	unsigned lost;	   /* links, since the last answer */
	int64_t rtt_us;
	uint64_t bitrate;
	TAILQ_HEAD(errand_list, errand) todo;
};

struct errands {
	struct engine *e;
	TAILQ_HEAD(, peer) peers;
	uint64_t next_tag;
	struct errand_counts counts;
};

struct errands *
errands_new(struct engine *e)
{
	struct errands *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->e = e;
	x->next_tag = TAG_ERRAND;
	TAILQ_INIT(&x->peers);
	return x;
}

static void
errand_free(struct errands *x, struct errand *t)
{
	TAILQ_REMOVE(&t->peer->todo, t, entry);
	x->counts.waiting--;
	free(t->body);
	free(t);
}

static void
peer_free(struct errands *x, struct peer *p)
{
	struct errand *t;

	while ((t = TAILQ_FIRST(&p->todo)) != NULL)
		errand_free(x, t);
	TAILQ_REMOVE(&x->peers, p, entry);
	x->counts.links--;
	free(p);
}

void
errands_free(struct errands *x)
{
	struct peer *p;

	while (x != NULL && (p = TAILQ_FIRST(&x->peers)) != NULL)
		peer_free(x, p);
	free(x);
}

void
errands_counts(const struct errands *x, struct errand_counts *out)
{
	*out = x->counts;
}

/* ---- answers ---- */

static void
tell(struct errands *x, enum program who, const struct msg_M_ANSWER *m, int fd)
{
	struct ipc *c = engine_ipc(x->e, who);

	x->counts.ended[m->end]++;
	if (c != NULL && ipc_send_M_ANSWER(c, m, &fd, fd >= 0) < 0)
		engine_send_failed(who);
}

static void
refuse(struct errands *x, enum program who, uint32_t seq, enum mesh_end end,
    const char *why)
{
	struct msg_M_ANSWER m = {.seq = seq, .end = (uint8_t)end};

	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	tell(x, who, &m, -1);
}

static void
fail(struct errands *x, struct errand *t, enum mesh_end end, const char *why)
{
	enum program who = t->who;
	uint32_t seq = t->seq;

	errand_free(x, t);
	refuse(x, who, seq, end, why);
}

/*
 * All but the packets that were sent, which may still be proved: until then, or
 * their time, the peer stays, and what is asked next begins anew.
 */
static void
fail_all(struct errands *x, struct peer *p, enum mesh_end end,
    const char *why)
{
	struct errand *t, *next;

	TAILQ_FOREACH_SAFE(t, &p->todo, entry, next)
		if (!t->packet || t->tries == 0)
			fail(x, t, end, why);
	p->lost = 0;
	p->step = NO_LINK;
}

static void
answer(struct errands *x, struct errand *t, const uint8_t *data, size_t len)
{
	struct msg_M_ANSWER m = {.seq = t->seq, .len = (uint32_t)len,
	    .bitrate = t->peer->bitrate};
	enum program who = t->who;
	int fd = -1;

	if (len > t->max) {
		fail(x, t, MESH_TOO_LARGE, "its answer is too large");
		return;
	}
	if (len > 0 && (fd = memfd_sealed("answer", data, len)) < 0) {
		fail(x, t, MESH_OWN, "no memory for its answer");
		return;
	}
	errand_free(x, t);
	tell(x, who, &m, fd);
	if (fd >= 0)
		(void)close(fd);
}

/* ---- a link ---- */

static void
close_link(struct errands *x, struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE, .hash = p->link};

	if (p->pending)
		(void)engine_submit(x->e, &cmd);
	p->pending = false;
}

static void
want_path(struct errands *x, struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST, .hash = p->dest};

	p->step = WANT_PATH;
	p->until = mono_add(x->e->now, ERRAND_PATH);
	p->ask = mono_add(x->e->now, PATH_AGAIN);
	p->old = p->lost == 0 ? x->e->now :
	    mono_add(x->e->now, PATH_OLD);
	(void)engine_submit(x->e, &cmd);
}

/* The next hop's interface is all that is known of a way's speed. */
static bool
is_slow(const struct peer *p)
{
	return p->bitrate > 0 && p->bitrate < IPC_MESH_FAST;
}

static void
fail_slow(struct errands *x, struct peer *p)
{
	struct errand *t, *next;

	TAILQ_FOREACH_SAFE(t, &p->todo, entry, next)
		if (is_slow(p) && !t->slow)
			fail(x, t, MESH_SLOW, "the way there is slow, and "
			    "this is not fetched over such a way");
}

/* To the destination itself, which proves it when it has taken it. */
static void
send_packet(struct errands *x, struct errand *t)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PACKET};

	cmd.packet.dest = t->peer->dest;
	cmd.packet.type = RNS_SINGLE;
	cmd.packet.data = t->body;
	cmd.packet.len = t->len;
	cmd.packet.receipt = true;
	cmd.packet.tag = t->tag + t->tries;
	t->out = engine_submit(x->e, &cmd) == RNS_OK;
	t->tries++;
	t->again = mono_add(x->e->now, PACKET_AGAIN);
	if (t->out == 0)
		fail(x, t, MESH_NO_LINK, "it cannot be sent");
}

/* true: something is left that wants a link. */
static bool
send_packets(struct errands *x, struct peer *p)
{
	struct errand *t, *next;
	bool more = false;

	TAILQ_FOREACH_SAFE(t, &p->todo, entry, next) {
		if (t->packet && t->tries == 0)
			send_packet(x, t);
		else if (!t->packet)
			more = true;
	}
	return more;
}

/* false: there is no path yet. */
static bool
open_link(struct errands *x, struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	struct rns_known k;
	struct rns_path path;
	struct nif *n;

	if (!rns_path_get(x->e->rns, &p->dest, &path) ||
	    !rns_known_get(x->e->rns, &p->dest, &k))
		return false;
	n = nif_find(x->e, path.ifid);
	p->bitrate = n == NULL ? 0 : n->cfg.bitrate;
	fail_slow(x, p);
	if (!send_packets(x, p)) {
		p->step = NO_LINK;
		return true;
	}
	p->tag = x->next_tag += TAG_TRIES;
	p->step = WANT_LINK;
	p->pending = false;
	cmd.link_open.dest = p->dest;
	cmd.link_open.tag = p->tag;
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	if (engine_submit(x->e, &cmd) != RNS_OK) {
		fail_all(x, p, MESH_NO_LINK, "no link to it can be opened");
	}
	return true;
}

static void
begin(struct errands *x, struct peer *p)
{
	p->begun = true;
	if (!open_link(x, p))
		want_path(x, p);
}

/* ---- a request on it ---- */

static void
send_request(struct errands *x, struct errand *t)
{
	struct peer *p = t->peer;
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_IDENTIFY};
	int err;

	/* one packet, which may be lost: with each try anew */
	if (t->identify) {
		cmd.identify.link = p->link;
		memcpy(cmd.identify.identity, x->e->identity, RNS_KEY);
		(void)engine_submit(x->e, &cmd);
		explicit_bzero(&cmd, sizeof(cmd));
	}
	cmd.type = RNS_CMD_REQUEST;
	cmd.request.link = p->link;
	cmd.request.path = t->path;
	cmd.request.data = t->body;
	cmd.request.len = t->len;
	cmd.request.timeout_us = MAX_OF(mono_sub(t->until, x->e->now),
	    MONO_SECOND);
	cmd.request.max_response = t->max + RESPONSE_HEAD;
	cmd.request.tag = t->tag + t->tries;
	err = engine_submit(x->e, &cmd);
	t->tries++;
	t->out += err == RNS_OK;
	t->again = mono_add(x->e->now, MAX_OF(AGAIN_LEAST,
	    AGAIN_RTTS * p->rtt_us));
	if (t->out == 0)
		fail(x, t, MESH_NO_LINK, "it cannot be asked");
}

static void
send_all(struct errands *x, struct peer *p)
{
	struct errand *t, *next;

	fail_slow(x, p);
	TAILQ_FOREACH_SAFE(t, &p->todo, entry, next)
		if (t->tries == 0 && t->packet)
			send_packet(x, t);
		else if (t->tries == 0)
			send_request(x, t);
}

/* ---- questions ---- */

/* 0, or what is wrong with it, text in *why. */
static enum mesh_end
body_take(struct errand *t, const struct msg_M_ASK *m, struct ipc_in *in,
    const char **why)
{
	const uint8_t *map = NULL;
	size_t len = m->len;
	int fd = ipc_in_take(in, 0);

	*why = "a question out of its bounds";
	if (fd >= 0) {
		map = len == 0 || len > IPC_MESH_BODY ? NULL :
		    memfd_map(fd, &len, IPC_MESH_BODY);
		(void)close(fd);
	}
	if (m->len > 0 && map == NULL && m->len != m->data_len)
		return MESH_OWN;
	if (m->len > 0 && (t->body = malloc(m->len)) != NULL)
		memcpy(t->body, map != NULL ? map : m->data, m->len);
	if (map != NULL)
		memfd_unmap(map, len);
	t->len = m->len;
	*why = "no memory";
	return m->len > 0 && t->body == NULL ? MESH_OWN : MESH_OK;
}

static struct peer *
peer_find(struct errands *x, const struct hash16 *identity)
{
	struct peer *p;

	TAILQ_FOREACH(p, &x->peers, entry)
		if (hash16_eq(&p->identity, identity))
			return p;
	return NULL;
}

/* Room for another one, if need be that of a link that nobody uses. */
static bool
make_room(struct errands *x)
{
	struct peer *p;

	if (x->counts.links < ERRAND_PEERS_MAX)
		return true;
	TAILQ_FOREACH(p, &x->peers, entry) {
		if (!TAILQ_EMPTY(&p->todo))
			continue;
		close_link(x, p);
		peer_free(x, p);
		return true;
	}
	return false;
}

static struct peer *
peer_new(struct errands *x, const struct hash16 *identity)
{
	struct peer *p;

	if (!make_room(x) || (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->identity = *identity;
	if (rns_dest_hash(&p->dest, "klp.node", identity) != RNS_OK) {
		free(p);
		return NULL;
	}
	TAILQ_INIT(&p->todo);
	TAILQ_INSERT_TAIL(&x->peers, p, entry);
	x->counts.links++;
	return p;
}

static unsigned
waiting_of(const struct errands *x, enum program who)
{
	const struct errand *t;
	const struct peer *p;
	unsigned n = 0;

	TAILQ_FOREACH(p, &x->peers, entry)
		TAILQ_FOREACH(t, &p->todo, entry)
			n += t->who == who;
	return n;
}

/* One that was taken over asks of others what it is for, and nothing else. */
static bool
its_own(enum program who, const char *path)
{
	static const char *const of_trust[] = {"/klp/v1/root", "/klp/v1/head",
	    "/klp/v1/get", "/klp/v1/delta", "/klp/v1/set", "/klp/v1/log"};
	static const char *const of_audit[] = {"/klp/v1/events",
	    "/klp/v1/alert"};
	const char *const *p = who == PROGRAM_AUDIT ? of_audit : of_trust;
	size_t n = who == PROGRAM_AUDIT ? NELEM(of_audit) : NELEM(of_trust);

	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i], path) == 0)
			return true;
	return false;
}

/* 0, or why it is not asked. */
static enum mesh_end
sound(const struct errands *x, enum program who, const struct msg_M_ASK *m,
    const char **why)
{
	static const struct hash16 nobody;

	*why = "a question out of its bounds";
	if (!its_own(who, m->path) || m->max == 0 || m->max > IPC_MESH_BYTES ||
	    m->deadline_ms == 0 || m->deadline_ms > IPC_MESH_MS ||
	    (m->packet && (m->len != IPC_ALERT || m->data_len != m->len)))
		return MESH_OWN;
	*why = "it is not the hub of this node";
	if (who == PROGRAM_AUDIT && (!hash16_eq(&m->identity, &x->e->hub) ||
		hash16_eq(&m->identity, &nobody)))
		return MESH_OWN;
	*why = "it is this node itself";
	if (hash16_eq(&m->identity, &x->e->identity_hash))
		return MESH_NO_PATH;
	*why = "too much is asked at once";
	return waiting_of(x, who) < ERRANDS_MAX ? MESH_OK : MESH_LATER;
}

void
errands_ask(struct errands *x, enum program who, const struct msg_M_ASK *m,
    struct ipc_in *in)
{
	struct errand *t = NULL;
	struct peer *p;
	const char *why;
	enum mesh_end end;

	x->counts.asked++;
	if ((end = sound(x, who, m, &why)) == MESH_OK) {
		why = "no memory";
		end = (t = calloc(1, sizeof(*t))) == NULL ? MESH_OWN :
		    body_take(t, m, in, &why);
	}
	if (end == MESH_OK && (p = peer_find(x, &m->identity)) == NULL &&
	    (p = peer_new(x, &m->identity)) == NULL) {
		end = MESH_LATER;
		why = "too many are asked at once";
	}
	if (end != MESH_OK) {
		if (t != NULL)
			free(t->body);
		free(t);
		refuse(x, who, m->seq, end, why);
		return;
	}
	t->peer = p;
	t->who = who;
	t->seq = m->seq;
	memcpy(t->path, m->path, sizeof(t->path));
	t->max = m->max;
	t->identify = m->identify;
	t->slow = m->slow;
	t->packet = m->packet;
	t->until = mono_add(x->e->now, (int64_t)m->deadline_ms * 1000);
	t->tag = x->next_tag += TAG_TRIES;
	TAILQ_INSERT_TAIL(&p->todo, t, entry);
	x->counts.waiting++;
	if (p->step == LINKED)
		send_all(x, p);
	else if (!p->begun || p->step == NO_LINK)
		begin(x, p);
	else if (p->step == WANT_LINK) {
		/* there is a path, and a packet needs no more */
		fail_slow(x, p);
		(void)send_packets(x, p);
	}
}

void
errands_gone(struct errands *x, enum program who)
{
	struct errand *t, *next;
	struct peer *p;

	TAILQ_FOREACH(p, &x->peers, entry)
		TAILQ_FOREACH_SAFE(t, &p->todo, entry, next)
			if (t->who == who)
				errand_free(x, t);
}

/* ---- time ---- */

static void
errand_tick(struct errands *x, struct errand *t)
{
	struct mono now = x->e->now;

	if (mono_reached(now, t->until)) {
		bool lost = t->peer->step == WANT_PATH && t->tries == 0;

		fail(x, t, lost ? MESH_NO_PATH : MESH_TIMEOUT, lost ?
		    "no path to it" : "no answer in time");
		return;
	}
	if (t->packet) {
		if (t->tries > 0 && t->tries < PACKET_TRIES &&
		    mono_reached(now, t->again))
			send_packet(x, t);
		return;
	}
	/* a large one is a resource, which repeats its parts itself */
	if (t->peer->step == LINKED && t->tries > 0 && t->tries < TRIES &&
	    !t->sign && (t->len <= RNS_MTU || t->out == 0) &&
	    mono_reached(now, t->again))
		send_request(x, t);
}

/* A path that has led to nobody is forgotten by the core. */
static void
no_path(struct errands *x, struct peer *p)
{
	if (p->lost > 0)
		fail_all(x, p, MESH_NO_LINK, "it does not answer");
	else
		fail_all(x, p, MESH_NO_PATH, "no path to it");
}

static void
ask_path_again(struct errands *x, struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST, .hash = p->dest};

	if (p->step != WANT_PATH || TAILQ_EMPTY(&p->todo) ||
	    !mono_reached(x->e->now, p->ask))
		return;
	p->ask = mono_add(x->e->now, PATH_AGAIN);
	(void)engine_submit(x->e, &cmd);
}

static void
peer_tick(struct errands *x, struct peer *p)
{
	struct errand *t, *next;

	TAILQ_FOREACH_SAFE(t, &p->todo, entry, next)
		errand_tick(x, t);
	if (p->step == WANT_PATH && !TAILQ_EMPTY(&p->todo) &&
	    (!mono_reached(x->e->now, p->old) || !open_link(x, p)) &&
	    mono_reached(x->e->now, p->until))
		no_path(x, p);
	ask_path_again(x, p);
	if (!TAILQ_EMPTY(&p->todo)) {
		if (p->step == LINKED)
			p->until = mono_add(x->e->now, ERRAND_IDLE);
		return;
	}
	if (p->step == LINKED && !mono_reached(x->e->now, p->until))
		return;
	close_link(x, p);
	peer_free(x, p);
}

void
errands_tick(struct errands *x)
{
	struct peer *p, *next;

	TAILQ_FOREACH_SAFE(p, &x->peers, entry, next)
		peer_tick(x, p);
}

/* ---- events ---- */

static struct peer *
by_link(struct errands *x, const struct hash16 *link)
{
	struct peer *p;

	TAILQ_FOREACH(p, &x->peers, entry)
		if (p->pending && hash16_eq(&p->link, link))
			return p;
	return NULL;
}

static struct errand *
by_tag(struct errands *x, uint64_t tag)
{
	struct errand *t;
	struct peer *p;

	TAILQ_FOREACH(p, &x->peers, entry)
		TAILQ_FOREACH(t, &p->todo, entry)
			if (tag >= t->tag && tag < t->tag + TRIES)
				return t;
	return NULL;
}

static bool
on_pending(struct errands *x, const struct rns_event *ev)
{
	struct peer *p;

	TAILQ_FOREACH(p, &x->peers, entry) {
		if (p->step != WANT_LINK || p->tag != ev->link.tag)
			continue;
		p->link = ev->link.id;
		p->pending = true;
		return true;
	}
	return false;
}

static void
on_up(struct errands *x, struct peer *p, const struct rns_event *ev)
{
	p->step = LINKED;
	p->rtt_us = ev->link.rtt_us;
	p->until = mono_add(x->e->now, ERRAND_IDLE);
	send_all(x, p);
}

static void
on_closed(struct errands *x, struct peer *p)
{
	bool there = p->step == LINKED; /* and so was its path */
	bool more = false;
	struct errand *t;

	p->pending = false;
	if (++p->lost >= LINKS_LOST)
		fail_all(x, p, MESH_NO_LINK, there ?
		    "it closes the link" : "it does not answer");
	if (TAILQ_EMPTY(&p->todo)) {
		peer_free(x, p);
		return;
	}
	TAILQ_FOREACH(t, &p->todo, entry) {
		if (t->packet)
			continue;
		t->tries = t->out = 0;
		t->sign = false;
		t->tag = x->next_tag += TAG_TRIES;
		more = true;
	}
	if (!more) { /* but packets, which need no link */
		p->lost = 0;
		p->step = NO_LINK;
	} else if (!there || !open_link(x, p)) {
		want_path(x, p);
	}
}

static bool
on_response(struct errands *x, const struct rns_event *ev)
{
	struct errand *t = by_tag(x, ev->response.tag);

	if (t == NULL)
		return (ev->response.tag & TAG_ERRAND) != 0;
	t->out -= t->out > 0;
	if (ev->type == RNS_EV_RESPONSE) {
		t->peer->lost = 0;
		answer(x, t, ev->response.data, ev->response.len);
	} else if (ev->response.too_large) {
		fail(x, t, MESH_TOO_LARGE, "its answer is too large");
	} else if (t->out == 0 && t->tries == TRIES) {
		fail(x, t, MESH_TIMEOUT, "no answer in time");
	} else {
		t->sign = false; /* asked again, or its link is gone */
	}
	return true;
}

/* A packet of its own: who has taken it has proved that. */
static bool
on_receipt(struct errands *x, const struct rns_event *ev)
{
	struct errand *t = by_tag(x, ev->receipt.tag);

	if (t != NULL && t->packet &&
	    ev->receipt.status == RNS_RECEIPT_DELIVERED) {
		t->peer->lost = 0;
		answer(x, t, NULL, 0);
	}
	return t != NULL;
}

bool
errands_event(struct errands *x, const struct rns_event *ev)
{
	struct errand *t;
	struct peer *p;

	switch (ev->type) {
	case RNS_EV_ANNOUNCE: /* of others as well */
		TAILQ_FOREACH(p, &x->peers, entry)
			if (p->step == WANT_PATH &&
			    hash16_eq(&p->dest, &ev->announce.dest))
				(void)open_link(x, p);
		return false;
	case RNS_EV_LINK_PENDING:
		return on_pending(x, ev);
	case RNS_EV_LINK_UP:
		if ((p = by_link(x, &ev->link.id)) == NULL)
			return false;
		on_up(x, p, ev);
		return true;
	case RNS_EV_LINK_CLOSED:
		if ((p = by_link(x, &ev->link.id)) == NULL)
			return false;
		on_closed(x, p);
		return true;
	case RNS_EV_PROGRESS:
		if ((t = by_tag(x, ev->progress.tag)) != NULL)
			t->sign = true;
		return t != NULL;
	case RNS_EV_RECEIPT:
		return on_receipt(x, ev);
	case RNS_EV_RESPONSE:
	case RNS_EV_REQUEST_FAILED:
		return on_response(x, ev);
	default:
		return false;
	}
}
