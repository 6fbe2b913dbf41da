/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ENVCHECK_H
#define WARREN_TRUST_DOC_ENVCHECK_H

#include "trust/doc/envelope.h"

/*
 * Whether a threshold of keys has signed an envelope, in turns: a payload of
 * 26 MB is hashed once for all ecdsa and bip340 keys, in pieces, and once for
 * each pair of Ed25519 key and signature that is tried, in one: a turn of its
 * own when that is more than the budget. Those that the signatures name come
 * first; if they are enough, no other is tried (klp.md 2).
 */
#define ENV_CHECK_VERIFY (32u << 10) /* bytes that cost as much as a curve */

struct env_check {
	const struct env *e;
	const struct klp_key *keys;
	size_t nkeys;
	unsigned threshold, count;
	uint64_t who;	   /* a bit for each key that has signed */
	uint32_t settled;  /* a bit for each signature that is somebody's */
	bool hints;	   /* ... those that are named are tried now */
	unsigned sig, key; /* who is next */
	bool summing;
	size_t at;	/* of the payload, by now */
	bool has[2];	/* whole sums of ecdsa and bip340 */
	struct pae_sum sum[2];
	struct fp fps[ENV_KEYS_MAX];
};

/*
 * Envelope and keys are borrowed to the end. Another type, or more keys than
 * ENV_KEYS_MAX: nobody has signed.
 */
void env_check_begin(struct env_check *, const struct env *, const char *type,
    const struct klp_key *keys, size_t nkeys, unsigned threshold);
/* About budget bytes of work, or one Ed25519 check; true: there is more. */
bool env_check_step(struct env_check *, size_t budget);
/* Afterwards. */
static inline bool
env_check_good(const struct env_check *c)
{
	return c->count >= c->threshold;
}

#endif
