/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_BAITS_H
#define WARREN_TESTS_ESCAPE_BAITS_H

#include <stdbool.h>

#include <rns/hash.h>

#include "sandbox/probe/baits.h"
#include "tests/escape/bare.h"
#include "tests/escape/drive.h"

/* Its programs in the image at root, and what they are to find outside. */
bool baits_set(const struct drive *, const char *root, const char *folder);
void baits_remove(void);
/* Are the SysV objects of who started the jail there still? */
bool baits_sysv(void);
void baits_bare(struct bare *);

/* One attack as a job. */
void baits_job(struct drive_job *, const struct id32 *image, const char *name);
void baits_job_done(struct drive_job *);

#define BAIT_ROWS 512
/* How many; 0: it did not run. */
unsigned baits_list(struct drive *, const struct id32 *image,
    struct probe_row[BAIT_ROWS]);

#endif
