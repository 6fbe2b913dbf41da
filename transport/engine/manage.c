/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/manage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/remote.h"

#define ANNOUNCE_FIRST_S 15  /* reticulum-transport.md 1.3 */
#define ANNOUNCE_S 7200
#define REQUEST_MAX 512 /* ours: bytes of an argument */
/* ours: answers on their way, each up to some megabytes */
#define REPLIES_MAX 8
#define REPLIES_OF_LINK 2
#define COMPRESS_MAX (1u << 20)
#define TAG_MANAGE (UINT64_C(1) << 62) /* others count from 1 */

/* An answer that became a resource: librns reads its bytes until SENT. */
struct reply {
	TAILQ_ENTRY(reply) entry;
	struct hash16 link;
	uint64_t tag;
	uint8_t *data;
};
TAILQ_HEAD(replies, reply);

typedef uint8_t *answer_fn(struct engine *, const uint8_t *, size_t n,
    size_t *len);

/* A destination, and what may be asked of it. */
struct place {
	struct hash16 dest;
	bool there, announces;
};

enum {
	PLACE_REMOTE,
	PLACE_HOLES,
	PLACE_PROBE,
	PLACE_INSTANCE, /* of the network identity, these two */
	PLACE_NETWORK,
	PLACE_COUNT
};

struct manage {
	struct engine *e;
	struct place places[PLACE_COUNT];
	struct replies replies;
	unsigned nreplies;
	uint64_t next_tag;
	struct mono announce_at;
	struct manage_counts counts;
};

/* ---- requests ---- */

static uint8_t *
answer_list(struct engine *e, const uint8_t *p, size_t n, size_t *len)
{
	(void)p; /* the reference sends nil, and looks at nothing */
	(void)n;
	return holes_pack(e->holes, len);
}

static const struct path {
	unsigned place;
	const char *text;
	answer_fn *answer;
} paths[] = {
	{PLACE_REMOTE, "/status", remote_status},
	{PLACE_REMOTE, "/path", remote_path},
	{PLACE_HOLES, "/list", answer_list},
};

/* NULL: the link leads to none of ours. */
static const struct place *
place_of_link(const struct manage *m, const struct hash16 *link)
{
	struct rns_link_info info;

	if (!rns_link_get(m->e->rns, link, &info) || info.initiator)
		return NULL;
	for (size_t i = 0; i < PLACE_COUNT; i++)
		if (m->places[i].there &&
		    hash16_eq(&m->places[i].dest, &info.dest))
			return &m->places[i];
	return NULL;
}

static answer_fn *
find_answer(const struct place *places, const struct place *at,
    const struct hash16 *path_hash)
{
	struct hash16 hash;

	for (size_t i = 0; i < NELEM(paths); i++) {
		rns_path_hash(&hash, paths[i].text);
		if (&places[paths[i].place] == at &&
		    hash16_eq(&hash, path_hash))
			return paths[i].answer;
	}
	return NULL;
}

static unsigned
replies_of(const struct manage *m, const struct hash16 *link)
{
	const struct reply *p;
	unsigned n = 0;

	TAILQ_FOREACH(p, &m->replies, entry)
		n += hash16_eq(&p->link, link);
	return n;
}

static void
reply_free(struct manage *m, struct reply *p)
{
	TAILQ_REMOVE(&m->replies, p, entry);
	m->nreplies--;
	free(p->data);
	free(p);
}

/* Takes data. */
static bool
respond(struct manage *m, const struct rns_event *ev, uint8_t *data, size_t len)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESPOND};
	struct reply *p = calloc(1, sizeof(*p));
	bool as_resource = false;
	int err;

	if (p == NULL) {
		free(data);
		return false;
	}
	p->link = ev->request.link;
	p->tag = TAG_MANAGE | ++m->next_tag;
	p->data = data;
	TAILQ_INSERT_TAIL(&m->replies, p, entry);
	m->nreplies++;
	cmd.respond.link = ev->request.link;
	cmd.respond.request_id = ev->request.request_id;
	cmd.respond.data = data;
	cmd.respond.len = len;
	cmd.respond.tag = p->tag;
	cmd.respond.as_resource = &as_resource;
	err = engine_submit(m->e, &cmd);
	if (err != RNS_OK || !as_resource)
		reply_free(m, p);
	return err == RNS_OK;
}

/* Who may ask was the core's to say: the handlers have their lists. */
static void
on_request(struct manage *m, const struct place *at, const struct rns_event *ev)
{
	answer_fn *answer = find_answer(m->places, at, &ev->request.path_hash);
	uint8_t *data;
	size_t len;

	if (answer == remote_status) /* the next one is told what comes */
		(void)measure_ask(&m->e->measure);
	if (answer == NULL || m->nreplies >= REPLIES_MAX ||
	    replies_of(m, &ev->request.link) >= REPLIES_OF_LINK ||
	    (data = answer(m->e, ev->request.data, ev->request.len, &len)) ==
	    NULL || !respond(m, ev, data, len))
		m->counts.lost++;
	else
		m->counts.requests++;
}

static bool
on_sent(struct manage *m, const struct rns_event *ev)
{
	struct reply *p;

	TAILQ_FOREACH(p, &m->replies, entry) {
		if (p->tag != ev->sent.tag)
			continue;
		reply_free(m, p);
		return true;
	}
	return false;
}

static void
on_closed(struct manage *m, const struct hash16 *link)
{
	struct reply *p, *next;

	TAILQ_FOREACH_SAFE(p, &m->replies, entry, next)
		if (hash16_eq(&p->link, link))
			reply_free(m, p);
}

bool
manage_event(struct manage *m, const struct rns_event *ev)
{
	const struct place *at;

	switch (ev->type) {
	case RNS_EV_REQUEST:
		if ((at = place_of_link(m, &ev->request.link)) == NULL)
			return false;
		on_request(m, at, ev);
		return true;
	case RNS_EV_SENT:
		return on_sent(m, ev);
	case RNS_EV_LINK_CLOSED:
		on_closed(m, &ev->link.id);
		return false;
	default:
		return false;
	}
}

/* ---- destinations ---- */

static int
add_handler(struct manage *m, const struct path *path)
{
	struct rns_cmd cmd = {.type = RNS_CMD_HANDLER_ADD};
	const struct rnsconf *c = m->e->conf;

	cmd.handler.dest = m->places[path->place].dest;
	cmd.handler.path = path->text;
	cmd.handler.compress_max = COMPRESS_MAX;
	cmd.handler.allow = RNS_ALLOW_ALL;
	if (path->place == PLACE_REMOTE) {
		cmd.handler.allow = c->nmanagers > 0 ? RNS_ALLOW_LIST :
		    RNS_ALLOW_NONE;
		cmd.handler.list = (const uint8_t *)c->managers;
		cmd.handler.list_len = c->nmanagers;
	}
	return engine_submit(m->e, &cmd) == RNS_OK ? 0 : -1;
}

static int
add_place(struct manage *m, unsigned which, const char *name, bool links)
{
	bool network = which == PLACE_INSTANCE || which == PLACE_NETWORK;
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	struct place *at = &m->places[which];
	int err;

	if (rns_dest_hash(&at->dest, name, network ? &m->e->network_hash :
	    &m->e->identity_hash) != RNS_OK)
		return -1;
	cmd.dest.type = RNS_SINGLE;
	cmd.dest.name = name;
	memcpy(cmd.dest.identity, network ? m->e->network : m->e->identity,
	    RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.prove = which == PLACE_PROBE ? RNS_PROVE_ALL : RNS_PROVE_NONE;
	cmd.dest.accept_links = links;
	cmd.dest.resources = RNS_ACCEPT_NONE;
	cmd.dest.max_request = REQUEST_MAX;
	err = engine_submit(m->e, &cmd);
	explicit_bzero(&cmd, sizeof(cmd));
	if (err != RNS_OK)
		return -1;
	at->there = at->announces = true;
	for (size_t i = 0; i < NELEM(paths); i++)
		if (paths[i].place == which && add_handler(m, &paths[i]) < 0)
			return -1;
	return 0;
}

/* reticulum-transport.md 7.5: nothing can be asked there; they are heard of */
static int
add_network(struct manage *m)
{
	static const char prefix[] = "rnstransport.network.instance.";
	char name[sizeof(prefix) + 2 * RNS_HASH];
	char hex[2 * RNS_HASH + 1];

	if (!m->e->has_network)
		return 0;
	hex_encode(hex, HASH_BYTES(m->e->network_hash));
	(void)snprintf(name, sizeof(name), "%s%s", prefix, hex);
	return add_place(m, PLACE_INSTANCE, name, false) < 0 ||
	    add_place(m, PLACE_NETWORK, "rnstransport.network", false) < 0 ?
	    -1 : 0;
}

static int
add_all(struct manage *m)
{
	const struct rnsconf *c = m->e->conf;

	if (c->enable_remote_management && c->nmanagers == 0)
		log_warnx("config", "enable_remote_management is on and "
		    "remote_management_allowed names nobody: nobody can use "
		    "it");
	if (c->enable_remote_management && add_place(m, PLACE_REMOTE,
	    "rnstransport.remote.management", true) < 0)
		return -1;
	if (c->publish_blackhole && add_place(m, PLACE_HOLES,
	    "rnstransport.info.blackhole", true) < 0)
		return -1;
	if (c->respond_to_probes && c->enable_transport) {
		if (add_place(m, PLACE_PROBE, "rnstransport.probe", false) < 0)
			return -1;
		m->e->probe = &m->places[PLACE_PROBE].dest;
	}
	return add_network(m);
}

struct manage *
manage_new(struct engine *e)
{
	struct manage *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->e = e;
	TAILQ_INIT(&m->replies);
	m->announce_at = mono_add(clock_mono(),
	    ANNOUNCE_FIRST_S * MONO_SECOND);
	if (add_all(m) < 0) {
		manage_free(m);
		return NULL;
	}
	return m;
}

void
manage_free(struct manage *m)
{
	struct reply *p;

	if (m == NULL)
		return;
	m->e->probe = NULL;
	while ((p = TAILQ_FIRST(&m->replies)) != NULL)
		reply_free(m, p);
	free(m);
}

/* One that nobody took is said again soon: no interface may have been up. */
void
manage_tick(struct manage *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	int64_t next = ANNOUNCE_S;

	if (!mono_reached(m->e->now, m->announce_at))
		return;
	for (size_t i = 0; i < PLACE_COUNT; i++) {
		if (!m->places[i].announces)
			continue;
		cmd.announce.dest = m->places[i].dest;
		if (engine_submit(m->e, &cmd) != RNS_OK)
			next = ANNOUNCE_FIRST_S;
	}
	m->announce_at = mono_add(m->e->now, next * MONO_SECOND);
}

void
manage_counts(const struct manage *m, struct manage_counts *out)
{
	*out = m->counts;
}
