/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/measure.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/engine.h"

#define LIMIT_S 0.5    /* ours: then what is known is told */
#define OLD_US 10000000 /* ours: no news */
#define FRESH_US 50000 /* ours: numbers of so long ago are those of now */

static void
ended(struct measure *m)
{
	if (m->memory_waits || m->numbers_wait)
		return;
	ev_timer_stop(m->e->loop, &m->limit);
	m->told(m->e);
}

static void
on_limit(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct measure *m = t->data;

	(void)loop;
	(void)revents;
	log_debug("numbers", "do not come");
	/* what was known of who does not answer is not so now */
	if (m->memory_waits) {
		memset(m->rss, 0, sizeof(m->rss));
		memset(m->pss, 0, sizeof(m->pss));
	}
	if (m->numbers_wait)
		m->nsamples = 0;
	m->memory_waits = m->numbers_wait = false;
	ended(m);
}

void
measure_init(struct measure *m, struct engine *e,
    void (*told)(struct engine *))
{
	m->e = e;
	m->told = told;
	ev_timer_init(&m->limit, on_limit, LIMIT_S, 0.);
	m->limit.data = m;
}

void
measure_clear(struct measure *m)
{
	ev_timer_stop(m->e->loop, &m->limit);
	free(m->samples);
	free(m->coming);
	m->samples = m->coming = NULL;
}

bool
measure_ask(struct measure *m)
{
	struct mono now = clock_mono();
	struct ipc *node = engine_ipc(m->e, PROGRAM_NODE);
	struct ipc *parent = engine_ipc(m->e, PROGRAM_PARENT);
	struct msg_NUMBERS ask;

	if (m->memory_waits || m->numbers_wait)
		return true;
	if (m->seq != 0 && mono_sub(now, m->at) < FRESH_US)
		return false;
	m->at = now;
	ask.seq = ++m->seq;
	memset(m->new_rss, 0, sizeof(m->new_rss));
	memset(m->new_pss, 0, sizeof(m->new_pss));
	m->ncoming = 0;
	m->memory_waits = parent != NULL &&
	    ipc_send_NUMBERS(parent, &ask, NULL, 0) == 0;
	if (m->coming == NULL)
		m->coming = calloc(MEASURE_SAMPLES, sizeof(*m->coming));
	m->numbers_wait = node != NULL && m->coming != NULL &&
	    ipc_send_NUMBERS(node, &ask, NULL, 0) == 0;
	if (!m->numbers_wait)
		m->nsamples = 0;
	if (!m->memory_waits && !m->numbers_wait)
		return false;
	ev_timer_set(&m->limit, LIMIT_S, 0.);
	ev_timer_start(m->e->loop, &m->limit);
	return true;
}

uint64_t
measure_memory_sum(const struct measure *m, struct mono now)
{
	uint64_t sum = 0;

	if (m->seq == 0 || mono_sub(now, m->at) > OLD_US)
		return 0;
	for (unsigned i = 0; i < PROGRAM_COUNT; i++)
		sum += m->pss[i] != 0 ? m->pss[i] : m->rss[i];
	return sum;
}

void
measure_memory(struct measure *m, const struct msg_MEMORY *said)
{
	if (!m->memory_waits || said->seq != m->seq)
		return;
	if (said->program < PROGRAM_COUNT) {
		m->new_rss[said->program] = said->rss;
		m->new_pss[said->program] = said->pss;
		return;
	}
	memcpy(m->rss, m->new_rss, sizeof(m->rss));
	memcpy(m->pss, m->new_pss, sizeof(m->pss));
	m->memory_waits = false;
	ended(m);
}

void
measure_number(struct measure *m, const struct msg_N_NUMBER *said)
{
	struct metrics_sample *swap = m->samples, *s;

	if (!m->numbers_wait || said->seq != m->seq)
		return;
	if (said->family == NUMBER_END) {
		m->samples = m->coming;
		m->nsamples = m->ncoming;
		m->coming = swap;
		m->numbers_wait = false;
		ended(m);
	} else if (m->ncoming < MEASURE_SAMPLES) {
		s = &m->coming[m->ncoming++];
		s->family = said->family;
		s->value = said->value;
		memcpy(s->label, said->label, sizeof(s->label));
	}
}

void
measure_node_gone(struct measure *m)
{
	if (!m->numbers_wait)
		return;
	m->nsamples = 0;
	m->numbers_wait = false;
	ended(m);
}
