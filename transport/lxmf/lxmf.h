/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_LXMF_LXMF_H
#define WARREN_TRANSPORT_LXMF_LXMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/rns.h>

#include "transport/core/base/stamp.h"

/*
 * The bytes of LXMF messages (docs/spec/lxmf.md 1 to 3). Pure; what is parsed
 * borrows from its bytes. Functions return 0 or an enum rns_err.
 */
#define LXMF_DELIVERY "lxmf.delivery"
#define LXMF_HEAD 96 /* destination, source, signature */
#define LXMF_FIELD_TYPE 0xfb
#define LXMF_FIELD_DATA 0xfc
#define LXMF_ROUNDS 3000 /* of the stamp of a message */
/* of a delivery's bytes over another way than a link: see lxmf.md 3 */
#define LXMF_PACKET_MAX 383 /* bytes without the destination */
/* array, float64, two bins of up to 4 GB, map, type, data, stamp */
#define LXMF_OVERHEAD (LXMF_HEAD + 1 + 9 + 5 + 5 + 1 + 2 + 5 + 2 + 5 + 34)
#define LXMF_SEALED(n) ((n) + 96) /* at most, of a message of n bytes */

struct lxmf_text {
	const uint8_t *p; /* may be NULL: empty */
	size_t n;
};

struct lxmf {
	struct hash16 dest, source; /* hashes of two lxmf.delivery */
	double time;		    /* unix seconds of who sent it */
	struct lxmf_text title, content;
	/* fields 0xfb and 0xfc, each a str or bin; has_*: it is there */
	bool has_type, has_data;
	struct lxmf_text type, data;
	/* set by lxmf_parse() */
	uint8_t sig[RNS_SIG];
	struct id32 id;
	bool has_stamp;
	struct lxmf_text stamp;	  /* of any length: see lxmf_stamp_ok() */
	struct lxmf_text payload; /* without stamp, but for its first byte */
};

/*
 * The message id of m, which is signed, and for which a stamp is searched:
 * stamp_work(id, LXMF_ROUNDS). RNS_EBIG: over cap, the bytes of scratch.
 */
int lxmf_id(struct id32 *out, const struct lxmf *m, uint8_t *scratch,
    size_t cap);
/*
 * Write m, signed with the private identity of its source. stamp: STAMP_LEN
 * bytes, or NULL. *id may be NULL. RNS_EBIG: over cap.
 */
int lxmf_pack(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const struct lxmf *m, const uint8_t *stamp, const uint8_t priv[RNS_KEY]);
/* RNS_EPARSE. The signature is not looked at: that needs a key. */
int lxmf_parse(struct lxmf *, const uint8_t *, size_t);
/*
 * Whether pub is the identity of m->source and has signed m: only then is
 * anything in it somebody's word.
 */
bool lxmf_signed_by(const struct lxmf *m, const uint8_t pub[RNS_KEY]);
/* False: none, or worth less than cost whole bits. cost 0: always true. */
bool lxmf_stamp_ok(const struct lxmf *m, unsigned cost);

/* The lxmf.delivery of an identity. */
void lxmf_address(struct hash16 *out, const uint8_t pub[RNS_KEY]);

/*
 * A message as it is stored for others: its destination, then the rest as a
 * token for that destination (reticulum-endpoint.md 4.5). ratchet: the newest
 * that was heard, or NULL. random: 48 bytes. *id: the transient id.
 */
#define LXMF_SEAL_RANDOM 48
int lxmf_seal(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const uint8_t *packed, size_t n, const uint8_t pub[RNS_KEY],
    const uint8_t *ratchet, const uint8_t random[LXMF_SEAL_RANDOM]);
/*
 * The inverse; ratchets: n private ones, newest first. RNS_EPARSE: too short,
 * RNS_ENOENT: for another, RNS_EAUTH: cannot be opened, RNS_EBIG: over cap.
 */
int lxmf_unseal(uint8_t *out, size_t *len, size_t cap, struct id32 *id,
    const uint8_t *sealed, size_t n, const uint8_t priv[RNS_KEY],
    const uint8_t (*ratchets)[RNS_RATCHET], size_t nratchets);

/*
 * App data of an announce of lxmf.delivery: name (UTF-8, may be NULL) and the
 * cost of the stamp that is asked of strangers; 0: none.
 */
int lxmf_delivery_pack(uint8_t *out, size_t *len, size_t cap, const char *name,
    unsigned cost);
/* The cost that it asks; 0: none, or app data of another form. */
unsigned lxmf_delivery_cost(const uint8_t *app_data, size_t n);

#endif
