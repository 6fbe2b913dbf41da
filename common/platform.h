/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_PLATFORM_H
#define WARREN_COMMON_PLATFORM_H

#include <stdbool.h>

#include <rns/hash.h>

/*
 * Which images run on a machine, by the words of OCI's image index: operating
 * system, architecture and its variant. Pure but for platform_here().
 */
struct platform {
	const char *os, *arch; /* linux; as Go calls it; "" what nobody knows */
	unsigned variant;      /* the best that runs: v8 is 8; 0: no such thing */
};

/* This machine. */
struct platform platform_here(void);
/*
 * How well an image of these words runs there: -1 not at all, else the greater
 * the better. NULL and "": it was not said, and is taken to run.
 */
int platform_rank(const struct platform *, const char *os, const char *arch,
    const char *variant);

/*
 * A digest as OCI's documents have it (its image-spec, Descriptors, "Registered
 * algorithms"): "sha256:" and 64 digits in lower case, nothing behind; NULL is
 * none. Another spelling would be another name for the same file.
 */
bool image_digest(struct id32 *, const char *text);

#endif
