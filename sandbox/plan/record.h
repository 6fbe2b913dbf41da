/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_RECORD_H
#define WARREN_SANDBOX_PLAN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"

/*
 * What is kept of an image beside its files: digest of its manifest, and the
 * command, environment and working folder of its configuration. Written by
 * warren-hand, stored as images/meta/DIGEST, read by node and the CLI. Pure.
 */
#define IMAGE_ARGS_MAX 256
#define IMAGE_ENV_MAX 256
#define IMAGE_TEXT_BYTES 65536 /* of all texts together */
#define IMAGE_RECORD_MAX (IMAGE_TEXT_BYTES + 8192)
#define IMAGE_NOTE_MAX 512

struct image_record {
	struct id32 digest;
	uint64_t bytes;   /* of regular files */
	uint32_t members, layers;
	uint32_t dropped; /* devices, fifos, sockets */
	uint32_t argc, envc;
	const char *argv[IMAGE_ARGS_MAX + 1]; /* entry point and command */
	const char *env[IMAGE_ENV_MAX + 1];   /* NAME=value */
	const char *cwd;                      /* absolute */
	const char *note; /* what was ignored, for people */
};

/* As it is decoded; wr_ok() says whether it fitted. */
void image_record_encode(struct wr *, const struct image_record *);
/* Texts point into buf. false: malformed. */
bool image_record_parse(const uint8_t *buf, size_t len,
    struct image_record *);

/*
 * A text of a record with its NUL behind it; NULL is an empty one. get: out of
 * the budget of all of them; false: malformed, or there is no more of it.
 */
void image_text_put(struct wr *, const char *);
bool image_text_get(struct rd *, const char **, size_t *left);

#endif
