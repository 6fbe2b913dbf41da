/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_ENVELOPE_H
#define WARREN_TRUST_DOC_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fp.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/*
 * Signed envelopes (klp.md 2): the DSSE JSON form and the binary form; the
 * first byte tells them apart. The order is: env_parse() (sizes and the
 * envelope only), env_verify() (expected type, keys, threshold), and only then
 * may anybody look into the payload.
 */
#define ENV_UNSIGNED "not signed yet: no envelope" /* how a reason begins */
#define ENV_SIGS_MAX 16
#define ENV_TYPE_MAX 96
#define ENV_KEYS_MAX 64
#define ENV_MANIFEST_MAX (96u * 1024)	  /* compute.md 3: m of job/submit */
#define ENV_MANIFEST_PAYLOAD (64u * 1024) /* ... and its payload */

#define TYPE_MANIFEST "application/vnd.klp.manifest+json"
#define TYPE_BINDING "application/vnd.klp.binding"
#define TYPE_RECEIPT "application/vnd.klp.receipt"
/* ours: the trail's checkpoints (klp.md 7 names no type) */

struct env_sig {
	struct fp hint; /* fp, or its beginning */
	uint8_t hint_len;     /* 32, 4, or 0: none that can be used */
	uint8_t sig[SIG_LEN];
};

struct env {
	char type[ENV_TYPE_MAX + 1];
	const uint8_t *payload; /* in own, or a frame's in its input */
	size_t payload_len;
	size_t head; /* bytes before it that M has; 0: they are not there */
	unsigned nsigs;
	struct env_sig sigs[ENV_SIGS_MAX];
	uint8_t *own; /* room for the head of M, the payload */
};

/*
 * A large envelope in turns: env_open() with what env_parse() is given, then
 * env_open_step() while it gives 1; 0: it is read; -1: *why, a literal. A turn
 * looks at about budget bytes. buf is borrowed to the end.
 */
#define ENV_WHOLE (128u << 10) /* is read at once; ours: around a payload */
struct env_opening {
	const char *text;
	size_t len, max_payload;
	const uint8_t *bin; /* the payload itself, NULL: text in base64 */
	size_t from, at; /* the payload's text, what is not decoded of it */
	size_t cap;	 /* of payload; 0: nothing is left for turns */
};
int env_open(struct env_opening *, struct env *, const void *buf, size_t len,
    size_t max, size_t max_payload, const char **why);
int env_open_step(struct env_opening *, struct env *, size_t budget,
    const char **why);
/*
 * All of it at once: 0, or -1 with a literal in *why. max: most bytes of the
 * envelope; max_payload: of the payload. env_clear() also after a failure is
 * fine.
 */
int env_parse(struct env *, const void *buf, size_t len, size_t max,
    size_t max_payload, const char **why);
/* Frees what parsing has filled; also after a failure. */
void env_clear(struct env *);

/*
 * How many *distinct* keys of these have signed it under this type; 0 also for
 * another type. failed (may be NULL): signatures whose hint names a key of
 * these and that do not hold, which the caller logs. nkeys at most
 * ENV_KEYS_MAX.
 */
unsigned env_verify(const struct env *, const char *type,
    const struct klp_key *keys, size_t nkeys, unsigned *failed);

/* Is this signature of this key's? It must be of the expected type already. */
bool env_holds(const struct env *, const struct env_sig *,
    const struct klp_key *);

/* The same; *who: a bit for each of the keys that has signed. */
unsigned env_signers(const struct env *, const char *type,
    const struct klp_key *keys, size_t nkeys, uint64_t *who, unsigned *failed);

/*
 * Envelopes from a payload and signatures made with pae_sign(); out's size is
 * returned, 0 when it does not fit or a bound is broken. fps: whole
 * fingerprints, one a signature.
 */
struct env_signed {
	struct fp fp;
	uint8_t sig[SIG_LEN];
};
size_t env_build_binary(uint8_t *out, size_t cap, const char *type,
    const void *payload, size_t len, const struct env_signed *, size_t nsigs);
/* Canonical JSON. */
size_t env_build_json(uint8_t *out, size_t cap, const char *type,
    const void *payload, size_t len, const struct env_signed *, size_t nsigs);

#endif
