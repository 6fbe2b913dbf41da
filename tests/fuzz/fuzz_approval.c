/* SPDX-License-Identifier: BSD-2-Clause */
/* Approvals: what is read is written again as it was. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/approval.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct env_signed sigs[ENV_SIGS_MAX];
	uint8_t frame[APPROVAL_FRAME], out[APPROVAL_MAX];
	struct approval a;
	const char *why;
	struct env e;

	if (approval_parse(&a, &e, p, n, &why) != 0)
		return 0;
	fuzz_taken++;
	for (unsigned i = 0; i < e.nsigs; i++) {
		sigs[i].fp = e.sigs[i].hint;
		memcpy(sigs[i].sig, e.sigs[i].sig, SIG_LEN);
	}
	approval_frame(frame, &a);
	if (frame_put(out, sizeof(out), frame, sizeof(frame), sigs,
		e.nsigs) != n || memcmp(out, p, n) != 0)
		abort();
	(void)approval_times(&a, a.issued);
	return 0;
}
