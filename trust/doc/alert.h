/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ALERT_H
#define WARREN_TRUST_DOC_ALERT_H

#include <stddef.h>
#include <stdint.h>

#include "trust/doc/envelope.h"

/*
 * An alarm that fits one frame of a slow radio (klp.md 7): which line of the
 * trail it is about, and enough of it to get somebody out of bed. On a link
 * whose other end is known it goes as it is, as a packet of its own with one
 * signature. Pure.
 */
#define ALERT_FRAME 42
#define ALERT_SIGNED 111
#define ALERT_SEVERITY 4 /* the least */
#define TYPE_ALERT "application/vnd.klp.alert"

struct alert {
	uint8_t severity; /* 4 or 5 */
	uint16_t class_uid;
	uint8_t activity, disposition; /* OCSF's; 0: none */
	uint32_t time, seq; /* of that line; seq's low 32 bits */
	uint16_t count; /* lines of that severity since the last alert */
	uint8_t subject[16]; /* a job's or a peer's id, its beginning; zeros */
	uint8_t chain[8];    /* of the line's digest */
};

void alert_put(uint8_t out[ALERT_FRAME], const struct alert *);
/* With this key's signature; false: it cannot sign. aux: fresh random bytes. */
bool alert_sign(uint8_t out[ALERT_SIGNED], const struct alert *,
    const struct klp_secret *, const uint8_t aux[32]);
/*
 * The frame and, as an envelope over it, its signature if it has one (nsigs 0:
 * it has none), which borrows buf and is the caller's to verify. NULL, or a
 * literal: what is wrong.
 */
const char *alert_parse(struct alert *, struct env *, const void *buf,
    size_t len);

#endif
