/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/table/signals.h"

#include <stdlib.h>

struct signals {
	uint32_t count;
	uint32_t next; /* where the next one goes: over the oldest when full */
	struct {
		struct id32 packet;
		struct rns_signal signal;
	} ring[RNS_SIGNALS];
};

void
signals_add(struct rns *r, const struct id32 *packet,
    const struct rns_signal *signal)
{
	struct signals *s = r->signals;

	if (s == NULL && (s = r->signals = calloc(1, sizeof(*s))) == NULL) {
		(void)core_drop(r, RNS_DROP_MEMORY);
		return;
	}
	s->ring[s->next].packet = *packet;
	s->ring[s->next].signal = *signal;
	s->next = (s->next + 1) % RNS_SIGNALS;
	if (s->count < RNS_SIGNALS)
		s->count++;
	r->counts.signals = s->count;
}

void
signals_free(struct rns *r)
{
	free(r->signals);
	r->signals = NULL;
}

/*
 * From the oldest on: what is asked for is the copy that was taken, and those
 * that came later, from another neighbour or another interface, were not.
 */
bool
rns_signal_get(const struct rns *r, const struct id32 *packet,
    struct rns_signal *out)
{
	const struct signals *s = r->signals;
	uint32_t oldest, at;

	if (s == NULL)
		return false;
	oldest = s->count == RNS_SIGNALS ? s->next : 0;
	for (uint32_t i = 0; i < s->count; i++) {
		at = (oldest + i) % RNS_SIGNALS;
		if (id32_eq(&s->ring[at].packet, packet)) {
			*out = s->ring[at].signal;
			return true;
		}
	}
	return false;
}
