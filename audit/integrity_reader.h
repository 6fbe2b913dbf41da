/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_INTEGRITY_READER_H
#define WARREN_AUDIT_INTEGRITY_READER_H

#include "common/program.h"

/*
 * Who reads what lies on the disk: processes of warren-audit, so that neither
 * the trail nor a flag waits for a disk. Each has a channel to audit and reads
 * beneath warren/images and warren/trail, and nothing else: no folder to
 * write, no file by another path. What they do is R_* of ipc_fields.h, one
 * thing at a time. When one ends, so does audit.
 */
enum reader {
	READER_PROMPT, /* jobs and people wait for it */
	READER_IDLE,   /* the pass: idle class of processor and disk */
	READERS
};
/* Bytes of a second that the pass reads at most; ours: 1 GiB in 16 s. */
#define READER_IDLE_RATE (64u << 20)
/* Entries of images of which stats are remembered; 8 bytes each. */
#define READER_SEEN_MAX (4u << 20)
#define READER_SEEN_IMAGES 64
#define READER_FOUND_MAX 16 /* of an image; then it is left at that */

/*
 * After program_connect(), before program_confine(). Audit's end of its
 * channel; the process confines itself, serves, and never returns. -1.
 */
int reader_start(struct process *, enum reader);

#endif
