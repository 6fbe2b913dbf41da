/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_INTEGRITY_H
#define WARREN_AUDIT_INTEGRITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * What is known of what lies on the disk, and what follows from what was seen
 * of it. Pure; integrity_run.c sees and says.
 *
 * An image is known by the digest of the list of its files, which it had when
 * it was seen first or was imported again: who changes files and their list
 * alike is found by that. One that was found changed stays so, whatever it
 * looks like later, until a person verifies it or imports it again.
 */
#define INTEGRITY_IMAGES 256 /* known; ours. A good one makes room */
#define INTEGRITY_FOUND 64   /* open findings that are not images' */
#define INTEGRITY_WHY 401
#define INTEGRITY_NAME 201
#define INTEGRITY_STATE_MAX (INTEGRITY_IMAGES * 600)

struct integrity_image {
	struct id32 image, list;
	bool listed, bad;
	uint32_t at; /* unix seconds of what is held against it */
	char why[INTEGRITY_WHY]; /* printable; "" when it is good */
};

struct integrity_found {
	uint8_t kind; /* of enum found_kind */
	uint32_t at;
	char name[INTEGRITY_NAME], why[INTEGRITY_WHY];
};

struct integrity {
	struct integrity_image image[INTEGRITY_IMAGES];
	unsigned nimages;
	struct integrity_found found[INTEGRITY_FOUND];
	unsigned nfound;
	uint32_t total; /* findings since the start */
};

/* What was seen of an image. */
struct integrity_saw {
	struct id32 image, list, given; /* given: with CHECK_IMPORTED */
	uint8_t how; /* of enum check_how; 0: the pass */
	uint8_t end; /* of enum read_end */
	char why[INTEGRITY_WHY];
};
enum integrity_say {
	SAY_NOTHING,
	SAY_KNOWN,    /* seen for the first time: its list is the measure now */
	SAY_BAD,      /* it was found changed, or otherwise than before */
	SAY_LIFTED,   /* what was held against it is so no more */
	SAY_UNLISTED, /* it cannot be looked at: no list; said once */
};
/*
 * How it stands now, of enum read_end; s->why says what is held against it.
 * *say: what is new.
 */
enum read_end integrity_image(struct integrity *, struct integrity_saw *s,
    uint32_t now, enum integrity_say *say);
/* Is anything held against it? Its text, or NULL. */
const char *integrity_held(const struct integrity *, const struct id32 *);

/* Of anything else: why "": it is good. true: that is new. */
bool integrity_other(struct integrity *, uint8_t kind, const char *name,
    const char *why, uint32_t now);

/*
 * What is known of images as text, a line each: image, list or -, "good" or
 * "bad", time, why. Its length. Read again: what is no line is passed over.
 */
size_t integrity_write(const struct integrity *, char *out, size_t cap);
void integrity_read(struct integrity *, const char *text, size_t len);

#endif
