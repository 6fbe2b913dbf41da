/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_HUBSET_H
#define WARREN_COMMON_HUBSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/weburl.h"

/*
 * Where events go: what the parent has read of node.yaml's `hub` and the files
 * that it names, as one text for warren-egress. Pure.
 */
#define HUBSET_CA (2u << 20) /* bytes, at most */
#define HUBSET_FILE 65536u   /* ... of token, certificate, key */
#define HUBSET_PIN 64	     /* "sha256//" and 44 characters of base64 */
#define HUBSET_NODE 128
#define HUBSET_BYTES (HUBSET_CA + 3 * HUBSET_FILE + 4096)

struct hubset_file {
	const uint8_t *p; /* NULL: none */
	size_t len;
};

struct hubset {
	char url[WEBURL_MAX + 1]; /* "": there is no hub */
	char pin[HUBSET_PIN + 1]; /* "": none */
	char node[HUBSET_NODE + 1]; /* who sends: this node's URN */
	/* borrowed; PEM but for the token; ca: NULL: those of web servers */
	struct hubset_file ca, token, cert, key;
};

/* Bytes of it; 0: does not fit. */
size_t hubset_put(uint8_t *out, size_t cap, const struct hubset *);
/* false: no such text. The files stay in it. */
bool hubset_get(struct hubset *, const uint8_t *, size_t len);

#endif
