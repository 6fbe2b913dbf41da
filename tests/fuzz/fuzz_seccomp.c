/* SPDX-License-Identifier: BSD-2-Clause */
/* words: sandbox/plan/seccomp_gen.c */
/* Seccomp profiles in Docker's format. */
#include <stdlib.h>

#include "sandbox/plan/seccomp_gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct seccomp_host host = {"amd64", 6, 1};
	struct seccomp_program prog;
	char err[128];

	if (seccomp_gen(&prog, (const char *)p, n, &host, err, sizeof(err)) ==
	    0) {
		fuzz_taken++;
		free(prog.insns);
	}
	return 0;
}
