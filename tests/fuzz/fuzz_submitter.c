/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A submitter whose node answers what it likes, but cannot sign for another:
 * whatever it says, the end is one that the machine knows, and where it is
 * good all of the job is here as the receipt says.
 *
 * Four bytes of what the node is like; then changes of its answers: which one,
 * how, where (two bytes), how many bytes (one), these bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "common/util.h"
#include "tests/unit/cli_node.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define STEPS 400

static const uint8_t *edits;
static size_t edits_len;
static uint8_t count;

static void
edit(struct world *w, uint8_t how, size_t at, const uint8_t *p, size_t n)
{
	size_t room = sizeof(w->answer);

	at = MIN_OF(at, w->answer_len);
	switch (how % 5) {
	case 0: /* other bytes */
		n = MIN_OF(n, w->answer_len - at);
		for (size_t i = 0; i < n; i++)
			w->answer[at + i] ^= p[i];
		break;
	case 1: /* these, and then no more */
		n = MIN_OF(n, room - at);
		memcpy(w->answer + at, p, n);
		w->answer_len = at + n;
		break;
	case 2: /* more of them */
		n = MIN_OF(n, room - w->answer_len);
		memmove(w->answer + at + n, w->answer + at,
		    w->answer_len - at);
		memcpy(w->answer + at, p, n);
		w->answer_len += n;
		break;
	case 3: /* fewer */
		n = MIN_OF((size_t)how * 4, w->answer_len - at);
		memmove(w->answer + at, w->answer + at + n,
		    w->answer_len - at - n);
		w->answer_len -= n;
		break;
	default: /* a status of the protocol */
		if (w->answer_len > 1)
			w->answer[1] = n > 0 ? p[0] % 10 : 0;
	}
}

/* What is no answer at all never comes to the machine: the session sees to it. */
static void
change(struct world *w)
{
	static uint8_t was[sizeof(w->answer)];
	const uint8_t *p = edits;
	size_t left = edits_len, n, len = w->answer_len;
	struct proto_ans a;

	memcpy(was, w->answer, len);
	for (; left >= 5; p += 5 + n, left -= 5 + n) {
		n = MIN_OF((size_t)p[4], left - 5);
		if (p[0] == count)
			edit(w, p[1], (size_t)p[2] << 8 | p[3], p + 5, n);
	}
	count++;
	if (!proto_ans_get(&a, w->answer, w->answer_len)) {
		memcpy(w->answer, was, len);
		w->answer_len = len;
	}
}

static void
inputs(struct world *w)
{
	w->input[0].n = 700;
	w->m.volume[0].blob.size = 700;
	rns_sha256(&w->m.volume[0].blob.sha256, w->input[0].b, 700);
	w->node_out.n = 900;
}

static void
like(struct world *w, const uint8_t *p)
{
	static const char *const ends[] = {"done", "lost", "cancelled",
	    "refused"};

	w->lie = (enum cn_lie)(p[0] % (LIE_HAVE + 1));
	w->whole_at_submit = (p[1] & 1) != 0;
	w->whole_at_status = (p[1] & 2) != 0;
	w->late_stream = (p[1] & 4) != 0;
	w->early_stream = (p[1] & 8) != 0;
	w->no_follow = (p[1] & 16) != 0;
	w->no_stream = (p[1] & 32) != 0;
	w->no_outputs = (p[1] & 64) != 0;
	w->s.detach = (p[1] & 128) != 0;
	w->outcome = p[2] % 5;
	w->end_state = ends[p[2] >> 6];
	w->proofs_wanted = p[2] >> 5 & 1;
	w->forgets = w->s.shown = (p[2] & 16) != 0;
	w->running_polls = p[3] & 3;
	w->not_yet = p[3] >> 2 & 1;
	w->break_at = p[3] >> 3 & 7;
	w->unwanted = p[3] >> 6 & 1;
	w->s.slice_max = (p[3] & 128) != 0 ? 300 : 0;
	w->s.hold_s = 5;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct world *w;

	if (n < 4)
		return 0;
	w = world_new();
	inputs(w);
	like(w, p);
	w->s.max_log = w->s.max_output = CN_BLOB;
	edits = p + 4;
	edits_len = n - 4;
	count = 0;
	w->on_answer = change;
	world_run(w, STEPS);
	if (w->s.phase == SUB_END && w->s.end == SUB_DONE && !w->no_outputs)
		assert_whole(w);
	fuzz_taken += w->s.phase == SUB_END && w->s.end == SUB_DONE;
	if (w->s.phase == SUB_END && w->s.end > SUB_DETACHED &&
	    w->s.why[0] == '\0' && w->s.code[0] == '\0' &&
	    w->s.end != SUB_NO_RECEIPT && w->s.end != SUB_REFUSED)
		abort();
	world_free(w);
	return 0;
}
