/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/again.h"

#include "common/util.h"

#define BUSY_MAX_S 60
/* ours: one packet each, which nothing confirms; a link that loses half of all
 * loses this many once in a thousand calls */
#define IDENTIFY_MAX 10

enum again
again_after(struct again_call *c, const struct proto_ans *a, bool identify,
    bool introduce, uint64_t *wait_s)
{
	if (a->status == ST_BUSY && c->spare_stream &&
	    pstr_is(a->meta.code, "stream"))
		return AGAIN_NOT;
	if (a->status == ST_BUSY) {
		*wait_s = MAX_OF(UINT64_C(1),
		    MIN_OF(a->meta.s, (uint64_t)BUSY_MAX_S));
		return AGAIN_LATER;
	}
	if (identify && a->status == ST_REFUSED &&
	    pstr_is(a->meta.code, "not_identified") &&
	    c->identified < IDENTIFY_MAX) {
		c->identified++;
		return AGAIN_IDENTIFY;
	}
	/* with n it is a live proof that is asked for */
	if (introduce && a->status == ST_REFUSED &&
	    pstr_is(a->meta.code, "binding") && a->meta.n == NULL &&
	    !c->introduced) {
		c->introduced = true;
		return AGAIN_INTRODUCE;
	}
	return AGAIN_NOT;
}
