/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_TIMER_H
#define WARREN_TRANSPORT_CORE_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/util.h"

struct rns;

/*
 * Deadlines in one tree, ordered by time and then by order of setting, so that
 * equal runs fire equally. A timer lives inside its object; fire() may set it
 * again or free the object.
 */
struct timer {
	RB_ENTRY(timer) node;
	struct mono at;
	uint64_t seq;
	bool armed;
	void (*fire)(struct rns *, void *arg);
	void *arg;
};

RB_HEAD(timer_tree, timer);

struct timers {
	struct timer_tree tree;
	uint64_t seq;
};

/*
 * ours: what need not leave at once leaves at one of these moments with all
 * else that waits for it, so that many packets cost one turn of the loop and
 * one write.
 */
#define TICK_US 50000

static inline struct mono
tick_after(struct mono at)
{
	return (struct mono){at.us - at.us % TICK_US + TICK_US};
}

void timers_init(struct timers *);
/* Disarmed; before the first timer_set(). */
void timer_init(struct timer *, void (*fire)(struct rns *, void *), void *arg);
/* Moves it when it is armed already; MONO_NEVER disarms. */
void timer_set(struct rns *, struct timer *, struct mono at);
/* Before its object is freed. One that is not armed stays so. */
void timer_clear(struct rns *, struct timer *);
/* MONO_NEVER: none is armed. */
struct mono timers_next(const struct timers *);
/* Fires everything that is due at r->now. */
void timers_run(struct rns *);

#endif
