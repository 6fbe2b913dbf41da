/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/repeat.h"

#include <string.h>

#include "common/util.h"

#define REPEAT_MOST_S 60 /* ours, as busy has it */

bool
repeat_shut(struct submitter *s, const struct proto_ans *a)
{
	if (s->asked != PATH_SUBMIT || (s->state[0] == '\0' && !s->unsure) ||
	    a->status != ST_REFUSED ||
	    !(pstr_is(a->meta.code, "not_accepting") ||
		pstr_is(a->meta.code, "posture")))
		return false;
	s->shut_s = REPEAT_MOST_S; /* it does not say how long */
	if (a->meta.has_s)
		s->shut_s = (uint32_t)MAX_OF(UINT64_C(1),
		    MIN_OF(a->meta.s, (uint64_t)REPEAT_MOST_S));
	return true;
}

bool
repeat_unknown(struct submitter *s, const struct proto_ans *a)
{
	if (s->shut_s == 0 || s->asked != PATH_STATUS ||
	    a->status != ST_NOT_FOUND)
		return false;
	s->shut_s = 0;
	return true;
}

bool
repeat_never_had(const struct submitter *s)
{
	return s->end == SUB_REFUSED && s->asked == PATH_STATUS &&
	    s->shut_s == 0;
}

static bool
lacks(const struct submitter *s)
{
	return strcmp(s->state, "queued") == 0 &&
	    strcmp(s->reason, "inputs") == 0;
}

bool
repeat_waits(struct submitter *s, uint32_t *wait_s)
{
	*wait_s = s->shut_s;
	s->shut_s = 0;
	return lacks(s);
}

bool
repeat_lacks(struct submitter *s, uint64_t seq)
{
	if (s->resume || seq < s->lacks_from || !lacks(s))
		return false;
	s->lacks_from = seq + 1;
	return true;
}
