/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_ABOUT_H
#define WARREN_SANDBOX_PLAN_ABOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/wire.h"

/*
 * What people ask of an image and no job needs: where its layers come from, and
 * what its configuration says of itself. Written by warren-hand, stored as
 * images/meta/DIGEST.about, read by the CLI. All of it is a stranger's word
 * but the digests, which hand has checked. Pure.
 */
#define ABOUT_LAYERS_MAX 256
#define ABOUT_LABELS_MAX 256
#define ABOUT_TEXT_BYTES 65536 /* of all texts together */
#define IMAGE_ABOUT_MAX (ABOUT_TEXT_BYTES + 64 * 1024)

struct about_layer {
	struct id32 digest; /* as it came */
	struct id32 diff;   /* of its tar, without compression */
	uint64_t size;      /* as it came */
	uint64_t bytes;	    /* of that tar */
};

struct image_about {
	struct id32 digest; /* of its manifest */
	struct id32 config; /* of its configuration */
	const char *created, *author, *os, *arch, *variant, *user;
	uint32_t nlayers;
	struct about_layer layers[ABOUT_LAYERS_MAX];
	uint32_t nlabels, lost; /* lost: labels that had no room */
	const char *labels[ABOUT_LABELS_MAX][2]; /* name, value */
};

/* A text that is NULL is written as "". wr_ok() says whether it fitted. */
void image_about_encode(struct wr *, const struct image_about *);
/* Texts point into buf. false: malformed. */
bool image_about_parse(const uint8_t *buf, size_t len, struct image_about *);

#endif
