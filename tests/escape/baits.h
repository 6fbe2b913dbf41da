/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_BAITS_H
#define WARREN_TESTS_ESCAPE_BAITS_H

#include <stdbool.h>

#include <rns/hash.h>

#include "tests/escape/bare.h"
#include "tests/escape/drive.h"

/*
 * What warren-probe is to find when a sandbox leaks: files, sockets, memory
 * and processes of the host, named by the environment of its job.
 */
bool baits_set(const struct drive *, const char *root, const char *folder);
void baits_remove(void);
void baits_bare(struct bare *);

/* One attack as a job. */
void baits_job(struct drive_job *, const struct id32 *image, const char *name);
void baits_job_done(struct drive_job *);

/* A line of `warren-probe list`. */
struct bait_row {
	char name[48], kind[8], layers[80], unproved[80];
};
#define BAIT_ROWS 512
/* How many; 0: it did not run. */
unsigned baits_list(struct drive *, const struct id32 *image,
    struct bait_row[BAIT_ROWS]);
/* Is that layer one of those that stop it? */
bool baits_stops(const struct bait_row *, const char *layer);

#endif
