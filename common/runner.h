/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_RUNNER_H
#define WARREN_COMMON_RUNNER_H

#include <stddef.h>
#include <stdint.h>

/*
 * What contains a job: Warren's own jail, or another program that is given the
 * same plan (sandbox/runner/). The numbers are those of receipts (compute.md
 * 7) and are never reused.
 */
enum runner {
	RUNNER_NATIVE = 0,
	RUNNER_DOCKER = 1,
	RUNNER_PODMAN = 2,
	RUNNER_NSJAIL = 3,
	RUNNER_BUBBLEWRAP = 4,
	RUNNER_CRUN = 5,
	RUNNER_RUNC = 6,
};
#define RUNNER_COUNT 7u
#define RUNNER_PARTS 3u /* of a version */
#define RUNNER_TEXT 40u /* a name and a version */

/* "native", "bubblewrap", ...; NULL: no such number. */
const char *runner_name(unsigned);
/* The number of a name, or -1. */
int runner_number(const char *name);
/*
 * The usual name of its program, of docker of its daemon's socket; NULL: native.
 */
const char *runner_program(unsigned);
/* "bubblewrap 0.8.0"; no version where all of it is 0: it says none. */
void runner_text(char *out, size_t cap, unsigned runner,
    const uint16_t version[RUNNER_PARTS]);

#endif
