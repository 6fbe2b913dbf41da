/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_LEVEL_H
#define WARREN_TRUST_DOC_LEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/keytext.h"

/*
 * Step 0 of KTE-1 (klp.md 3.4): what this node's operator has said about a
 * peer. Pure. What it leaves open is the trust graph's to say; where there is
 * no graph, the level is 0.
 */
#define LEVEL_MIN (-3)
#define LEVEL_MAX 3
#define LEVEL_PINS_MAX 1024
#define LEVEL_ANCHORS_MAX 64

/* Bits of klp.md 3.1. */
enum scope {
	SCOPE_MESH_RELAY = 0,
	SCOPE_MESH_MIRROR = 1,
	SCOPE_JOB_SUBMIT = 2,
	SCOPE_JOB_RESULT = 3,
	SCOPE_JOB_REVIEW = 4,
	SCOPE_IMAGE_SIGN = 5,
	SCOPE_CONTRACT_SIGN = 6,
	SCOPE_LOG_WITNESS = 7,
	SCOPE_EVENT_HUB = 8,
	SCOPE_WATCHDOG = 9,
	SCOPE_ALL = 31, /* "*" */
};
int scope_parse(const char *, size_t len); /* -1 */

enum revocation { REV_NONE, REV_SUSPENDED, REV_REVOKED };

struct level_pin {
	struct fp id; /* fingerprint, or Reticulum identity hash */
	bool is_rns;	    /* id: 16 bytes of an identity hash */
	int8_t level;
	bool ignore_revocation;
};

struct level_anchor {
	struct fp fp;
	int8_t max_level;
	uint32_t scopes; /* 1 << enum scope */
};

struct level_conf {
	const struct level_pin *pins;
	size_t npins;
	const struct level_anchor *anchors;
	size_t nanchors;
};

struct level_query {
	const struct fp *fp;  /* NULL: no key is known */
	const uint8_t *rns; /* identity hash; NULL */
	enum scope scope;
	enum revocation revoked;
};

/*
 * true: *level is decided. *why: a literal, in both cases. When the key and
 * its Reticulum identity are pinned both, the lower pin counts.
 */
bool level_local(int *level, const char **why, const struct level_conf *,
    const struct level_query *);
/* A pin is there for it, and whether that decides before revocation does. */
bool level_pinned(const struct level_conf *, const struct level_query *);
bool level_ignores(const struct level_conf *, const struct level_query *);
/* The pin of a Reticulum identity hash; NULL. */
const struct level_pin *level_pin_rns(const struct level_conf *,
    const struct hash16 *rns);

#endif
