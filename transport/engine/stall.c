/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/stall.h"

bool
stall_second(struct stall *s, size_t waiting, uint64_t sent)
{
	uint64_t rate = sent - s->sent;

	s->sent = sent;
	if (waiting == 0) {
		s->stalled = false;
		s->nothing = 0;
		return false;
	}
	if (rate == 0) {
		s->nothing++;
		if (s->nothing >= STALL_NOTHING_S && waiting > STALL_LEAST)
			s->stalled = true;
		return s->nothing >= STALL_DEAD_S;
	}
	s->nothing = 0;
	if (waiting <= STALL_LEAST || waiting < rate * STALL_FAST_S)
		s->stalled = false;
	else if (waiting > rate * STALL_SLOW_S)
		s->stalled = true;
	return false;
}
