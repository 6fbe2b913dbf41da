/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_UPPER_H
#define WARREN_SANDBOX_BASE_UPPER_H

#include <stdint.h>

/*
 * What a job with a writable root writes: the upper layer of an overlay over
 * its image, in a file system of memory with bounds of its own at UPPER_PLACE
 * of the base. A slot makes it for each such job and drops it behind it; what
 * is in it then is the difference to the image, and nothing of it stays.
 * All return 0, or -1 with errno.
 */
#define UPPER_PLACE "/up"
#define UPPER_FILES "d"	  /* what differs */
/* A file that was made behind the folders of the image: numbers of inodes grow. */
#define UPPER_MARK "mark"
#define UPPER_OPTIONS                                                          \
	",upperdir=" UPPER_PLACE "/" UPPER_FILES ",workdir=" UPPER_PLACE "/work"

/* label: the context of SELinux it is made with, as root_label(); NULL: none. */
int upper_make(uint64_t bytes, uint32_t inodes, const char *label);
int upper_drop(void);

/*
 * As the job's user: its folders. The store keeps no write bit, so that each
 * folder of the image, as far as it can be read, is there beforehand with the
 * same mode and time and the right of its owner to write in it; UPPER_FOLDERS
 * at most, those beyond stay as the image has them. image: its folder; NULL:
 * there is none.
 */
#define UPPER_FOLDERS 16384u
#define UPPER_DEPTH 64u
int upper_fill(const char *image);

#endif
