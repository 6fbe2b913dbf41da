/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/note_read.c audit/trail_line.c */
/* Lines and notes of the trail: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/note.h"
#include "trust/doc/note_read.h"
#include "audit/trail_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char out[TRAIL_LINE_MAX + 8];
	const char *text = (const char *)p;
	struct trail_walk w;
	struct trail_line l;
	struct note note;
	struct heard heard;
	enum program who;
	size_t k;

	if (trail_line_parse(&l, text, n)) {
		fuzz_taken++;
		k = l.is_tomb
		    ? trail_line_tomb(out, sizeof(out), &l.prev, &l.tomb)
		    : trail_line_event(out, sizeof(out), l.seq, &l.prev, l.body,
			  l.body_len);
		if (k != n + 1 || memcmp(out, p, n) != 0)
			abort();
		(void)trail_line_severity(l.body, l.body_len);
		if (trail_line_sender(l.body, l.body_len, &who, &heard) &&
		    who >= PROGRAM_COUNT)
			abort();
	}
	trail_walk_init(&w);
	(void)trail_walk_line(&w, text, n);
	(void)trail_walk_line(&w, text, n);
	if (note_parse(&note, text, n) &&
	    (note_put(out, &note) != n || memcmp(out, p, n) != 0))
		abort();
	return 0;
}
