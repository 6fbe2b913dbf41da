/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "common/asksock.h"
#include "common/clock.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/metrics_text.h"
#include "transport/engine/nif.h"

#define CLIENTS 8            /* ours: at a time */
#define REQUEST_MAX 4096     /* ours: bytes of a request, all its lines */
#define IDLE_S 2.            /* ours: without a byte either way */
#define WHOLE_S 10.          /* ours: from connect to close */
#define ANSWER_MAX (2u << 20) /* far above what METRICS_IFS can make */

struct talk {
	size_t had; /* bytes of the request so far */
	enum metrics_asked asked; /* 0: its first line has not come */
	bool waits; /* for the numbers of other programs */
};

static void
fill_if(const struct nif *n, struct metrics_if *m, struct airq_view *air)
{
	const struct nif *child;
	struct rns_if_stats c;
	struct fsock s;

	nif_counts(n, &s);
	nif_stats(n, &c);
	*m = (struct metrics_if){.name = n->name, .type = n->kind->name,
	    .online = n->online, .rx_bytes = s.rx_bytes,
	    .tx_bytes = s.tx_bytes, .rx_packets = s.rx_frames,
	    .tx_packets = s.tx_frames, .rx_drops = s.rx_drops,
	    .tx_drops = s.tx_drops, .tx_drop_bytes = s.tx_drop_bytes,
	    .announces_rx = c.announces_rx.packets,
	    .announces_tx = c.announces_tx.packets,
	    .path_requests_rx = c.path_requests_rx.packets,
	    .path_requests_tx = c.path_requests_tx.packets,
	    .announce_queue = c.announce_queue, .held = c.held_announces,
	    .bursts = c.bursts, .waiting = nif_waiting(n),
	    .clients = n->clients, .accepted = n->accepted,
	    .refused = n->refused, .put_out = n->door.put_out};
	memcpy(m->rx_kinds, c.rx_kinds, sizeof(m->rx_kinds));
	memcpy(m->tx_kinds, c.tx_kinds, sizeof(m->tx_kinds));
	if (n->medium != NULL) {
		airq_view(n->medium->q, air, clock_mono());
		m->air = air;
	}
	if (n->id == 0)
		TAILQ_FOREACH(child, &n->e->ifs, link)
			if (child->parent == n)
				m->waiting += nif_waiting(child);
}

/* Those with a parent are in its numbers. */
static size_t
fill_ifs(const struct engine *e, struct metrics_if *list,
    struct airq_view *air, size_t *left_out)
{
	const struct nif *n;
	size_t count = 0;

	*left_out = 0;
	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->parent != NULL)
			continue;
		if (count < METRICS_IFS) {
			fill_if(n, &list[count], &air[count]);
			count++;
		} else {
			(*left_out)++;
		}
	}
	return count;
}

static char *
text_now(const struct engine *e, size_t *len)
{
	struct metrics_program programs[PROGRAM_COUNT];
	struct metrics_if *ifs = calloc(METRICS_IFS, sizeof(*ifs));
	struct airq_view *air = calloc(METRICS_IFS, sizeof(*air));
	struct metrics m = {.ifs = ifs, .programs = programs,
	    .uptime_s = (uint64_t)(mono_sub(clock_mono(), e->started) /
	    MONO_SECOND), .hashes = rns_hashes(e->rns, NULL, 0),
	    .holes = holes_count(e->holes)};
	char *text;

	if (ifs == NULL || air == NULL) {
		free(ifs);
		free(air);
		return NULL;
	}
	rns_counts(e->rns, &m.counts);
	for (int i = 0; i < RNS_DROP_COUNT; i++)
		m.drops[i] = rns_drops(e->rns, (enum rns_drop)i);
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		if (i == PROGRAM_PARENT || e->programs[i].known)
			programs[m.nprograms++] = (struct metrics_program){
			    program_name((enum program)i),
			    i == PROGRAM_PARENT || e->programs[i].running,
			    e->programs[i].restarts,
			    e->measure.rss[i], e->measure.pss[i]};
	m.samples = e->measure.samples;
	m.nsamples = e->measure.nsamples;
	m.nifs = fill_ifs(e, ifs, air, &m.left_out);
	text = metrics_text(&m, len);
	free(ifs);
	free(air);
	return text;
}

/* The request is whole. false: too much, or no memory. */
static bool
answer(const struct engine *e, struct asker *k, enum metrics_asked asked)
{
	const char *head = metrics_head(asked);
	size_t len = 0, at = strlen(head);
	char *text = NULL, *all;
	bool ok;

	if (asked == METRICS_OK && (text = text_now(e, &len)) == NULL)
		return false;
	/* the newline at its end is the socket's */
	len = len > 0 ? len - 1 : 0;
	if ((all = malloc(at + len)) == NULL) {
		free(text);
		return false;
	}
	memcpy(all, head, at);
	if (len > 0)
		memcpy(all + at, text, len);
	ok = asker_put(k, all, at + len);
	free(all);
	free(text);
	if (ok)
		asker_end(k);
	return ok;
}

/* A line of the request; the first counts, and a blank one ends it. */
static bool
question(void *ctx, struct asker *k, const uint8_t *line, size_t len)
{
	struct talk *t = asker_state(k);

	t->had += len + 1;
	if (t->had > REQUEST_MAX)
		return false;
	if (t->asked == 0)
		t->asked = metrics_asked(line, len);
	else if (t->waits)
		return true; /* nothing behind the request counts */
	else if (len == 0 || (len == 1 && line[0] == '\r')) {
		t->waits = t->asked == METRICS_OK &&
		    measure_ask(&((struct engine *)ctx)->measure);
		return t->waits || answer(ctx, k, t->asked);
	}
	/* who speaks no HTTP does not know when it ends */
	return t->asked != METRICS_BAD || answer(ctx, k, t->asked);
}

/* The numbers of the others are there, or do not come. */
static void
measured(void *ctx, struct asker *k)
{
	struct talk *t = asker_state(k);

	if (!t->waits)
		return;
	t->waits = false;
	if (!answer(ctx, k, t->asked))
		asker_end(k);
	asker_go(k);
}

void
metrics_measured(struct engine *e)
{
	if (e->metrics != NULL)
		asksock_each(e->metrics, measured, e);
}

static const struct asksock_rules rules = {
	.name = "metrics",
	.framing = ASKSOCK_LINES,
	.question_max = REQUEST_MAX,
	.waiting_max = ANSWER_MAX,
	.clients_max = CLIENTS,
	.idle_s = IDLE_S,
	.whole_s = WHOLE_S,
	.state_size = sizeof(struct talk),
	.question = question,
};

struct asksock *
metrics_new(struct engine *e, int fd)
{
	return asksock_new(e->loop, fd, &rules, e);
}
