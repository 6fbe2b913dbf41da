/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"

/* reticulum-transport.md 7.4 */
#define FIRST_S 20
#define PATH_WAIT_S 15
#define AGAIN_S 300 /* ours: after one that did not answer */
#define WHOLE_S 300 /* ours: for link, request and answer together */
#define LIST_MAX (16u << 20) /* ours: bytes of a published list */
#define TAG_FETCH (UINT64_C(1) << 61)

struct source {
	struct hash16 identity, dest;
	struct mono next;
};

enum step { IDLE, WANT_PATH, WANT_LINK, WANT_ANSWER };

struct fetch {
	struct engine *e;
	struct source *sources;
	unsigned n;
	enum step step;
	struct source *at; /* whose turn it is, unless IDLE */
	struct mono until;
	uint64_t tag; /* of this try */
	struct hash16 link;
	bool linked; /* link is one of ours that is not closed */
};

struct fetch *
fetch_new(struct engine *e)
{
	struct fetch *f = calloc(1, sizeof(*f));
	struct source *s;

	if (f == NULL)
		return NULL;
	f->e = e;
	f->tag = TAG_FETCH;
	f->sources = calloc(e->conf->nblackhole_sources + 1u,
	    sizeof(*f->sources));
	if (f->sources == NULL) {
		free(f);
		return NULL;
	}
	for (unsigned i = 0; i < e->conf->nblackhole_sources; i++) {
		s = &f->sources[f->n];
		s->identity = e->conf->blackhole_sources[i];
		s->next = mono_add(clock_mono(), FIRST_S * MONO_SECOND);
		if (hash16_eq(&s->identity, &e->identity_hash) ||
		    rns_dest_hash(&s->dest, "rnstransport.info.blackhole",
		    &s->identity) != RNS_OK)
			continue; /* our own list is here */
		f->n++;
	}
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	free(f->sources);
	free(f);
}

/* ---- one try ---- */

static void
done(struct fetch *f, bool well, const char *why)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE, .hash = f->link};
	char name[2 * RNS_HASH + 1];
	int64_t wait = f->e->conf->blackhole_update_s;

	hex_encode(name, HASH_BYTES(f->at->identity));
	if (!well) {
		wait = MIN_OF(wait, AGAIN_S);
		log_info(name, "no blackhole list of this source: %s", why);
	}
	if (f->linked)
		(void)engine_submit(f->e, &cmd);
	f->linked = false;
	f->at->next = mono_add(f->e->now, wait * MONO_SECOND);
	f->step = IDLE;
}

static void
begin(struct fetch *f, struct source *s)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST, .hash = s->dest};
	struct rns_path p;

	f->at = s;
	f->tag++;
	f->step = WANT_PATH;
	f->until = mono_add(f->e->now, PATH_WAIT_S * MONO_SECOND);
	if (!rns_path_get(f->e->rns, &s->dest, &p))
		(void)engine_submit(f->e, &cmd);
}

static void
open_link(struct fetch *f)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_OPEN};
	struct rns_known k;
	struct rns_path p;

	if (!rns_path_get(f->e->rns, &f->at->dest, &p) ||
	    !rns_known_get(f->e->rns, &f->at->dest, &k))
		return;
	cmd.link_open.dest = f->at->dest;
	cmd.link_open.tag = f->tag;
	cmd.link_open.resources = RNS_ACCEPT_NONE;
	f->step = WANT_LINK;
	f->until = mono_add(f->e->now, WHOLE_S * MONO_SECOND);
	if (engine_submit(f->e, &cmd) != RNS_OK)
		done(f, false, "no link to it");
}

void
fetch_tick(struct fetch *f)
{
	if (f->step == WANT_PATH)
		open_link(f);
	if (f->step != IDLE) {
		if (mono_reached(f->e->now, f->until))
			done(f, false, f->step == WANT_PATH ?
			    "no path to it" : "no answer in time");
		return;
	}
	for (unsigned i = 0; i < f->n; i++) {
		if (!mono_reached(f->e->now, f->sources[i].next))
			continue;
		begin(f, &f->sources[i]);
		return;
	}
}

/* ---- events ---- */

static void
ask(struct fetch *f)
{
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST};

	cmd.request.link = f->link;
	cmd.request.path = "/list";
	cmd.request.max_response = LIST_MAX;
	cmd.request.tag = f->tag;
	f->step = WANT_ANSWER;
	if (engine_submit(f->e, &cmd) != RNS_OK)
		done(f, false, "it cannot be asked");
}

static void
answered(struct fetch *f, const struct rns_event *ev)
{
	char name[2 * RNS_HASH + 1];
	int n;

	n = holes_merge(f->e->holes, &f->at->identity, ev->response.data,
	    ev->response.len);
	if (n < 0) {
		done(f, false, "what it publishes is no list");
		return;
	}
	hex_encode(name, HASH_BYTES(f->at->identity));
	if (n > 0)
		log_notice(name, "this source has blackholed %d more "
		    "identities", n);
	done(f, true, NULL);
}

static bool
ours(const struct fetch *f, const struct hash16 *link)
{
	return f->linked && hash16_eq(&f->link, link);
}

bool
fetch_event(struct fetch *f, const struct rns_event *ev)
{
	switch (ev->type) {
	case RNS_EV_LINK_PENDING:
		if (f->step != WANT_LINK || ev->link.tag != f->tag)
			return false;
		f->link = ev->link.id;
		f->linked = true;
		return true;
	case RNS_EV_LINK_UP:
		if (!ours(f, &ev->link.id) || f->step != WANT_LINK)
			return false;
		ask(f);
		return true;
	case RNS_EV_RESPONSE:
	case RNS_EV_REQUEST_FAILED:
		if (ev->response.tag != f->tag || f->step != WANT_ANSWER)
			return false;
		if (ev->type == RNS_EV_RESPONSE)
			answered(f, ev);
		else
			done(f, false, ev->response.too_large ?
			    "it is too long" : "it does not answer");
		return true;
	case RNS_EV_LINK_CLOSED:
		if (!ours(f, &ev->link.id))
			return false;
		f->linked = false;
		if (f->step != IDLE)
			done(f, false, "the link to it was closed");
		return true;
	default:
		return false;
	}
}
