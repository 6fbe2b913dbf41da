/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_BACKOFF_H
#define WARREN_TRUST_EGRESS_BACKOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/weburl.h"

/*
 * How long a server that has failed is left alone: the first failure costs
 * nothing, after that 1, 2, 4 ... 60 s. When to ask again is whoever's fetches;
 * this keeps one of them that does not know from hammering a server. Pure.
 */
#define BACKOFF_SERVERS 32 /* ours; the longest unused one makes room */
#define BACKOFF_MOST_S 60

struct backoff {
	struct {
		char host[WEBURL_HOST_MAX + 1];
		uint16_t port; /* 0: free */
		unsigned failures; /* without a success in between */
		struct mono last;
	} at[BACKOFF_SERVERS];
};

/* Seconds, rounded up, that are left; 0: now. */
uint32_t backoff_wait(const struct backoff *, const struct weburl *,
    struct mono now);
void backoff_note(struct backoff *, const struct weburl *, bool good,
    struct mono now);

#endif
