/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_SIGNER_H
#define WARREN_TRUST_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "trust/doc/binding.h"
#include "trust/doc/keytext.h"

/*
 * What warren-keys decides (THREATS.md 1, last paragraph). Pure: messages and
 * the time in, signatures out. It never signs bytes that it is given: each
 * thing that it signs is built here, from fields, and checked here.
 */
#define SIGNER_LINKS 4096    /* challenged links that are remembered */
#define SIGNER_EARLY 60	     /* s that a new binding is valid before now */
/* s between two looks at the binding: soon after the clock was set */
#define SIGNER_RETRY_MAX 60

/* The two keys; the owner keeps them in one locked page. */
struct signer_secret {
	uint8_t mesh[32];  /* secp256k1 scalar */
	uint8_t audit[32]; /* Ed25519 seed */
};

struct signer {
	const struct signer_secret *secret;
	struct klp_key mesh;	  /* public, with its scheme */
	struct fp fp;
	uint8_t audit[32];	  /* public */
	uint8_t rns[RNS_PUBLIC_LEN]; /* what the parent said */
	bool have_binding;
	struct binding binding;
	bool asked; /* draft waits for transport's half */
	struct binding draft;
	/* the last checkpoint; size 0: none is known */
	struct msg_CHECKPOINT checkpoint;
	size_t nlinks;	     /* ring of challenged links */
	struct hash16 links[SIGNER_LINKS];
};

/*
 * NULL, or a literal that says what is wrong with the material: then the
 * program must not serve. A stored binding that does not fit is dropped. The
 * secrets of the message are not looked at: the page has them.
 */
const char *signer_init(struct signer *, const struct signer_secret *,
    const struct msg_KEY_MATERIAL *, uint32_t now);

/* A binding is needed now: none, two thirds old, or not valid at this time. */
bool signer_binding_due(const struct signer *, uint32_t now);
/* Seconds until it is worth asking again; at least 1. */
uint32_t signer_binding_wait(const struct signer *, uint32_t now);
/* Fields for transport; a draft that is younger than a minute is repeated. */
void signer_binding_ask(struct signer *, struct msg_B_SIGN *, uint32_t now);
/*
 * Transport's half: NULL when the new binding stands in s->binding; else why
 * it was not taken.
 */
const char *signer_binding_answer(struct signer *, const struct msg_B_SIGNED *,
    const uint8_t aux[32]);

/*
 * Each: NULL and *out is complete, ok true; or why not, ok false and nothing
 * signed. aux, m: fresh random bytes.
 */
const char *signer_receipt(struct signer *, struct msg_K_SIGNED *,
    const struct msg_K_RECEIPT *, const uint8_t aux[32]);
const char *signer_challenge(struct signer *, struct msg_K_CHALLENGED *,
    const struct msg_K_CHALLENGE *, const uint8_t m[32], const uint8_t aux[32]);
/* Issued now; m->expires at most 30 d ahead. */
const char *signer_approval(struct signer *, struct msg_K_APPROVED *,
    const struct msg_K_APPROVE *, uint32_t now, const uint8_t aux[32]);
/* Made now. */
const char *signer_bundle(struct signer *, struct msg_K_BUNDLED *,
    const struct msg_K_BUNDLE *, uint32_t now, const uint8_t aux[32]);
/* An alarm of severity 4 or 5, of one line at least. */
const char *signer_alert(struct signer *, struct msg_K_ALERTED *,
    const struct msg_K_ALERT *, const uint8_t aux[32]);
const char *signer_checkpoint(struct signer *, struct msg_C_SIGNED *,
    const struct msg_C_SIGN *);

#endif
