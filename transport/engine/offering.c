/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/offering.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "common/clock.h"
#include "common/log.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"
#include "transport/discovery/describe.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_i2p.h"
#include "transport/engine/nif.h"

#define FIRST_S 15.  /* ours: by then the interfaces are up */
#define EVERY_S 60.
#define ANSWER_US 20000000 /* ours: above what the parent gives programs */
#define SLICE_US 500 /* ours: a packet waits no longer for a search */
#define SLICE_TRIES 16
#define B32_LEN 52 /* of an I2P address, before ".b32.i2p" */

/*
 * One interface, by the name of its section: a reload may bring another
 * configuration, and what is said is looked up each time.
 */
struct item {
	TAILQ_ENTRY(item) link;
	char name[OFFER_TEXT + 1];
	bool seen; /* in this turn */
	struct mono last; /* announced; before the first time: never */
	bool announced;
	char refused[400]; /* why it is not; said once */
	/* of programs: those that are asked (bits), which answer is awaited */
	unsigned asked;
	uint32_t seq;
	struct mono asked_at;
	bool told; /* all have answered, for the next announce */
	char host[256];
	bool placed[3];
	double place[3];
	uint8_t packed[OFFER_APP_MAX];
	size_t len; /* with its stamp, 0: none is made yet */
};

struct offering {
	struct engine *e;
	bool has_network;
	struct identity network;
	struct hash16 dest;
	bool there; /* the destination, in the core */
	TAILQ_HEAD(, item) items;
	uint32_t seq; /* of what programs are asked */
	ev_timer timer;
	/* the search */
	ev_idle idle;
	struct item *searching; /* NULL: none */
	bool encrypt;           /* what is found */
	struct stamp_search search;
	uint8_t packed[OFFER_APP_MAX];
	size_t len;
	struct mono began;
};

/* ---- what is said ---- */

/* The address of an I2PInterface, without its end; NULL: none yet. */
static const char *
b32_of(const struct offering *f, const struct rnsconf_if *c, char out[B32_LEN +
    1])
{
	const struct nif *n;

	TAILQ_FOREACH(n, &f->e->ifs, link)
		if (n->kind == &i2p_kind && n->conf == c &&
		    strlen(i2p_address(n)) > B32_LEN) {
			(void)snprintf(out, B32_LEN + 1, "%s", i2p_address(n));
			return out;
		}
	return NULL;
}

/* Why it is not said, or NULL. */
static const char *
describe(const struct offering *f, const struct rnsconf_if *c,
    const struct item *i, struct offer *o)
{
	char b32[B32_LEN + 1];
	struct describe_node node = {.version = PACKAGE_VERSION};

	node.transport = f->e->conf->enable_transport;
	node.transport_id = f->e->identity_hash;
	node.host = i->host;
	node.placed = i->placed;
	node.place = i->place;
	node.b32 = b32_of(f, c, b32);
	if (!describe_offer(o, c, &node))
		return "it needs a port, and reachable_on with an address or "
		       "a host name";
	/* the reference announces it, and who hears that drops it */
	if (o->type == OFFER_I2P && o->host[0] == '\0')
		return "it needs connectable = yes";
	return NULL;
}

/* ---- the announce ---- */

static size_t
sealed(const struct offering *f, uint8_t *out, size_t cap,
    const struct item *i)
{
	uint8_t eph[32], iv[16];
	size_t len = 0;

	randombytes_buf(eph, sizeof(eph));
	randombytes_buf(iv, sizeof(iv));
	if (identity_encrypt(out + 1, &len, cap - 1,
	    f->network.pub, &f->network.hash, NULL, eph, iv, i->packed,
	    i->len) != RNS_OK)
		return 0;
	out[0] = OFFER_FLAG_SEALED;
	return len + 1;
}

/* The same reason again is no news. */
static void
refuse(struct item *i, const char *why)
{
	if (strcmp(i->refused, why) == 0)
		return;
	(void)snprintf(i->refused, sizeof(i->refused), "%s", why);
	log_warnx(i->name, "not announced to others: %s", why);
}

static const char too_long[] = "it does not fit an announce; a shorter "
    "discovery_name or reachable_on helps";

static int
dest_add(struct offering *f)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	const struct hash16 *id = &f->e->identity_hash;

	if (f->there)
		return 0;
	cmd.dest.name = OFFER_NAME;
	cmd.dest.type = RNS_SINGLE;
	cmd.dest.has_identity = true;
	memcpy(cmd.dest.identity, f->e->identity, RNS_KEY);
	if (f->has_network) {
		memcpy(cmd.dest.identity, f->network.x_priv, 32);
		memcpy(cmd.dest.identity + 32, f->network.ed_sk, 32);
		id = &f->network.hash;
	}
	f->there = rns_dest_hash(&f->dest, OFFER_NAME, id) == RNS_OK &&
	    engine_submit(f->e, &cmd) == RNS_OK;
	explicit_bzero(&cmd, sizeof(cmd));
	return f->there ? 0 : -1;
}

static void
announce(struct offering *f, struct item *i, bool encrypt)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	uint8_t app[OFFER_APP_MAX - 1]; /* a byte is kept for access codes */
	size_t n = 1 + i->len;

	i->last = f->e->now;
	i->announced = true;
	if (encrypt) {
		n = sealed(f, app, sizeof(app), i);
	} else if (n <= sizeof(app)) {
		app[0] = 0;
		memcpy(app + 1, i->packed, i->len);
	}
	if (n == 0 || n > sizeof(app)) {
		refuse(i, too_long);
		return;
	}
	if (dest_add(f) < 0) {
		refuse(i, "the core has no place for one more destination");
		return;
	}
	cmd.announce.dest = f->dest;
	cmd.announce.app_data = app;
	cmd.announce.app_data_len = n;
	/* nobody is there to hear it: again in a minute */
	i->announced = rns_submit(f->e->rns, &cmd, f->e->now) == RNS_OK;
	if (i->announced)
		log_info(i->name, "announced to others");
	explicit_bzero(app, sizeof(app));
	i->refused[0] = '\0';
}

/* ---- its stamp ---- */

static void
found(struct offering *f)
{
	struct item *i = f->searching;

	memcpy(i->packed, f->packed, f->len);
	memcpy(i->packed + f->len, f->search.stamp, STAMP_LEN);
	i->len = f->len + STAMP_LEN;
	f->searching = NULL;
	ev_idle_stop(f->e->loop, &f->idle);
	log_info(i->name, "its stamp took %llu tries, %lld ms",
	    (unsigned long long)f->search.tries,
	    (long long)(mono_sub(clock_mono(), f->began) / 1000));
	announce(f, i, f->encrypt);
}

static void
on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	struct offering *f = w->data;
	struct mono began = clock_mono();

	(void)loop;
	(void)revents;
	do {
		if (stamp_search_go(&f->search, SLICE_TRIES)) {
			found(f);
			return;
		}
	} while (mono_sub(clock_mono(), began) < SLICE_US);
}

static void
search(struct offering *f, struct item *i, const struct rnsconf_offer *c)
{
	uint8_t start[STAMP_LEN];
	struct stamp_work work;
	struct id32 info;

	crypt_sha256(&info, f->packed, f->len);
	stamp_work(&work, info.b, sizeof(info.b), OFFER_ROUNDS);
	randombytes_buf(start, sizeof(start));
	stamp_search_begin(&f->search, &work, c->cost * STAMP_BIT, start);
	f->searching = i;
	f->encrypt = c->encrypt;
	f->began = clock_mono();
	ev_idle_start(f->e->loop, &f->idle);
}

/* ---- when ---- */

static struct item *
item_of(struct offering *f, const struct rnsconf_if *c)
{
	char name[OFFER_TEXT + 1];
	struct item *i;

	(void)snprintf(name, sizeof(name), "%s", c->name);
	TAILQ_FOREACH(i, &f->items, link)
		if (strcmp(i->name, name) == 0)
			return i;
	if ((i = calloc(1, sizeof(*i))) == NULL)
		return NULL;
	memcpy(i->name, name, sizeof(name));
	TAILQ_INSERT_TAIL(&f->items, i, link);
	return i;
}

static void
item_free(struct offering *f, struct item *i)
{
	TAILQ_REMOVE(&f->items, i, link);
	explicit_bzero(i, sizeof(*i));
	free(i);
}

/* How long it is overdue; negative: not due. */
static int64_t
overdue(const struct offering *f, const struct item *i,
    const struct rnsconf_if *c)
{
	if (i->asked != 0 && mono_sub(f->e->now, i->asked_at) < ANSWER_US)
		return -1; /* what it says is awaited */
	if (!i->announced || i->told)
		return INT64_MAX;
	return mono_sub(f->e->now, i->last) -
	    (int64_t)c->offer.interval_min * 60 * MONO_SECOND;
}

/* The most overdue of those that are up; items of sections that went go. */
static const struct rnsconf_if *
most_due(struct offering *f, struct item **due)
{
	const struct rnsconf_if *best = NULL;
	struct item *i, *next;
	char b32[B32_LEN + 1];
	const struct nif *n;

	TAILQ_FOREACH(i, &f->items, link)
		i->seen = i == f->searching;
	TAILQ_FOREACH(n, &f->e->ifs, link) {
		if (!nif_lasting(n) || !n->conf->offer.on ||
		    (i = item_of(f, n->conf)) == NULL)
			continue;
		i->seen = true;
		/* a peer's tunnel stands, and our own session does not yet */
		if (n->conf->type == RNSCONF_I2P && n->conf->connectable &&
		    b32_of(f, n->conf, b32) == NULL)
			continue;
		if (n->online && overdue(f, i, n->conf) >= 0 &&
		    (best == NULL || overdue(f, i, n->conf) >
		    overdue(f, *due, best))) {
			best = n->conf;
			*due = i;
		}
	}
	for (i = TAILQ_FIRST(&f->items); i != NULL; i = next) {
		next = TAILQ_NEXT(i, link);
		if (!i->seen)
			item_free(f, i);
	}
	return best;
}

/* false: no program says anything of it, or it has. */
static bool
ask_programs(struct offering *f, struct item *i, const struct rnsconf_if *c)
{
	const char *const named[] = {[SAY_REACHABLE_ON] =
	    c->offer.reachable_cmd, [SAY_LOCATION] = c->offer.location_cmd};
	struct msg_SAY m = {.index = c->index,
	    .generation = f->e->generation};

	if (i->told || (named[1] == NULL && named[2] == NULL))
		return false;
	if (++f->seq == 0)
		f->seq++;
	i->seq = m.seq = f->seq;
	i->asked = 0;
	i->asked_at = f->e->now;
	for (unsigned w = SAY_REACHABLE_ON; w <= SAY_LOCATION; w++) {
		m.what = (uint8_t)w;
		if (named[w] == NULL)
			continue;
		if (program_send_SAY(&f->e->program, &m, NULL, 0) < 0)
			engine_send_failed(PROGRAM_PARENT);
		else
			i->asked |= 1u << w;
	}
	return true;
}

static void
next(struct offering *f)
{
	const struct rnsconf_if *c;
	struct item *due = NULL;
	const char *why;
	struct offer o;
	struct wr p;

	if (f->searching != NULL) /* an expensive one: go on with it */
		return;
	if ((c = most_due(f, &due)) == NULL)
		return;
	/* whatever becomes of it, the others have their turn */
	due->last = f->e->now;
	due->announced = true;
	if (ask_programs(f, due, c))
		return;
	due->told = false;
	if (c->offer.encrypt && !f->has_network) {
		refuse(due, "discovery_encrypt needs a network_identity");
		return;
	}
	if ((why = describe(f, c, due, &o)) != NULL) {
		refuse(due, why);
		return;
	}
	p = wr_make(f->packed, sizeof(f->packed) - STAMP_LEN);
	offer_pack(&p, &o);
	explicit_bzero(&o, sizeof(o));
	f->len = p.len;
	if (!wr_ok(&p))
		refuse(due, too_long);
	else if (due->len == p.len + STAMP_LEN &&
	    memcmp(due->packed, f->packed, p.len) == 0)
		announce(f, due, c->offer.encrypt);
	else
		search(f, due, &c->offer);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	next(w->data);
}

/* ---- what programs say ---- */

void
offering_said(struct offering *f, const struct msg_SAID *m)
{
	const char *what = m->what == SAY_LOCATION ? "location_cmd" :
	    "reachable_on";
	char why[sizeof(((struct item *)0)->refused)], safe[300];
	struct item *i;

	TAILQ_FOREACH(i, &f->items, link)
		if (i->seq == m->seq && m->what <= SAY_LOCATION &&
		    (i->asked & 1u << m->what) != 0)
			break;
	if (i == NULL)
		return; /* too late, or of a section that went */
	(void)text_escape(safe, sizeof(safe), m->text, strlen(m->text));
	why[0] = '\0';
	if (!m->ok)
		(void)snprintf(why, sizeof(why), "the program of %s: %s; run "
		    "it by hand", what, safe);
	else if (m->what == SAY_REACHABLE_ON ? !offer_host_ok(m->text,
	    strlen(m->text)) : !offer_place_read(i->placed, i->place, m->text))
		(void)snprintf(why, sizeof(why), "the program of %s says "
		    "\"%.200s\", which is no %s", what, safe,
		    m->what == SAY_LOCATION ? "latitude, longitude, height" :
		    "address or name of a host");
	if (why[0] != '\0') { /* as in the reference: again when it is due */
		i->asked = 0;
		refuse(i, why);
		return;
	}
	if (m->what == SAY_REACHABLE_ON)
		(void)snprintf(i->host, sizeof(i->host), "%s", m->text);
	i->asked &= ~(1u << m->what);
	i->told = i->asked == 0;
	if (i->told)
		next(f);
}

/* ---- */

struct offering *
offering_new(struct engine *e, const uint8_t *network)
{
	struct offering *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->e = e;
	f->has_network = network != NULL &&
	    identity_load(&f->network, network) == RNS_OK;
	TAILQ_INIT(&f->items);
	ev_idle_init(&f->idle, on_idle);
	ev_set_priority(&f->idle, EV_MINPRI);
	ev_timer_init(&f->timer, on_timer, FIRST_S, EVERY_S);
	f->idle.data = f->timer.data = f;
	ev_timer_start(e->loop, &f->timer);
	return f;
}

void
offering_free(struct offering *f)
{
	struct item *i;

	if (f == NULL)
		return;
	ev_idle_stop(f->e->loop, &f->idle);
	ev_timer_stop(f->e->loop, &f->timer);
	while ((i = TAILQ_FIRST(&f->items)) != NULL)
		item_free(f, i);
	identity_clear(&f->network);
	explicit_bzero(f, sizeof(*f));
	free(f);
}
