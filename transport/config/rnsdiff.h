/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_RNSDIFF_H
#define WARREN_TRANSPORT_CONFIG_RNSDIFF_H

#include "transport/config/rnsconf.h"

/*
 * What an operator changed in Reticulum's `config`. Pure; parent and transport
 * both ask it, and so agree.
 */
enum rnsdiff {
	RNSDIFF_SAME,    /* each key has the value that it had */
	RNSDIFF_ADDED,   /* was not there, or off */
	RNSDIFF_REMOVED, /* is not there, or off */
	RNSDIFF_CHANGED, /* another type, or another value */
};

/*
 * fn is called for each interface that is enabled in one of the two, told apart
 * by name: those of `was` in its order, then what was added. was, or now, is
 * NULL where it is not enabled. Only its own section counts, and there no more
 * than keys and values: not their order, nor comments.
 */
typedef void rnsdiff_fn(void *ctx, enum rnsdiff, struct rnsconf_if *was,
    struct rnsconf_if *now);
void rnsconf_diff(const struct rnsconf *was, const struct rnsconf *now,
    rnsdiff_fn *, void *ctx);

/* The keys of [reticulum] of which that cannot be said. */
typedef void rnsdiff_key_fn(void *ctx, const char *key);
void rnsconf_diff_keys(const struct rnsconf *was, const struct rnsconf *now,
    rnsdiff_key_fn *, void *ctx);

#endif
