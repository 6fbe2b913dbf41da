/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_ROOM_H
#define WARREN_TESTS_ESCAPE_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/escape/drive.h"

/* test_jail.c's: one jail for all tests, its image, and why one failed. */
extern struct drive d;
extern char image_path[512], work[], note[512];
extern const uint8_t empty_tar[1024];
void new_job(struct drive_job *, const char *const *argv);
bool run_sh(struct drive_job *, const char *script);
/* It is not started, with that code. */
bool refused(struct drive_job *, const char *code);

#define CHECK(x)                                                               \
	do {                                                                   \
		if (!(x)) {                                                    \
			(void)snprintf(note, sizeof(note), "line %d: %s",      \
			    __LINE__, #x);                                     \
			return false;                                          \
		}                                                              \
	} while (0)

/* Where a job's mounts and what comes behind it have their room: room.c. */
bool odd_image(void);
bool t_targets(void);
bool t_least(void);
bool t_killed_group(void);
bool t_fill_over_memory(void);
/* What it leaves behind: outputs.c. */
bool t_many_files(void);
bool t_full_output(void);
bool t_sparse(void);
bool t_odd_names(void);
bool t_links(void);
bool t_stubborn(void);

#endif
