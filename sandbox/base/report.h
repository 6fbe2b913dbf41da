/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_REPORT_H
#define WARREN_SANDBOX_BASE_REPORT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/left.h"
#include "common/runner.h"

/*
 * What a child of a slot writes on its report pipe, one record a write:
 * kind u8, then the fields. A step's comes from warren-hand, which is believed
 * as little as a job: jail reads fixed fields and escapes the text.
 */
enum report_kind {
	REPORT_READY = 'R', /* layers u32: the command runs */
	REPORT_FAIL = 'F',  /* code str, why str: it does not */
	REPORT_EXIT = 'E',  /* how u8, code i32 */
	REPORT_HAND = 'H',  /* ok bool, why str, members u32, left: count
			    * u32, bytes u16 */
	REPORT_SNAP = 'S',  /* ready: the job may be stopped */
	REPORT_TOOL = 'T',  /* layers u32, version 3 × u16: of another runner */
};
#define REPORT_MAX 2048

struct report {
	enum report_kind kind;
	uint32_t layers;
	char code[33];
	char why[257];
	uint8_t how;
	int32_t exit_code;
	bool ok;
	uint32_t members; /* that it has written */
	struct left left;
	uint16_t version[RUNNER_PARTS];
};

/* Best effort: a reader that is gone ends the job anyway. */
void report_send(int fd, const struct report *);
/* Takes the first record of buf; how many bytes it had, 0: malformed. */
size_t report_parse(const uint8_t *buf, size_t n, struct report *);
/* As pid 1 of a job's namespace: reap until this child ends, and how. */
void report_wait(pid_t child, siginfo_t *);
/*
 * The same of the command; then say how it ended, and end.
 * module: SIGXCPU is the runner's word for one that is out of fuel or time.
 */
void report_reap(pid_t command, int report, bool module);

#endif
