/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_SIGNERS_H
#define WARREN_TRUST_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "trust/doc/envelope.h"
#include "trust/verdict.h"

/*
 * Who may have signed a document that names its signers by the beginning of a
 * fingerprint: keys of the bindings that were shown here, the Reticulum key of
 * who brings it when that is pinned, keys of boards. Pure.
 */
struct signer_id {
	struct fp fp;
	struct hash16 rns; /* with has_rns */
	bool has_rns;
};

struct signers {
	struct klp_key key[ENV_KEYS_MAX]; /* for env_signers() */
	struct signer_id who[ENV_KEYS_MAX];
	size_t n;
};

void signers_gather(struct signers *, const struct verdicts *,
    const struct env *, const uint8_t brought[RNS_PUBLIC_LEN], uint32_t now);
/* The level of one in a scope; the identity is looked up when not said. */
int signer_level(const struct verdicts *, const struct signer_id *,
    const char *scope, uint32_t now);

#endif
