/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_TABLE_KNOWN_H
#define WARREN_TRANSPORT_CORE_TABLE_KNOWN_H

#include <rns/hash.h>

#include "transport/core/base/announce.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/htab.h"
#include "transport/core/table/heard.h"

/*
 * Known destinations (reticulum-endpoint.md 4.6) and received ratchets
 * (reticulum-endpoint.md 4.7), bounded. At the ceiling a new one takes the
 * place of the one that was never used and was heard of longest ago, one
 * without a path first; what was used or is retained stays.
 */
struct ratchet_heard {
	uint8_t key[RNS_RATCHET];
	int64_t us;
};

struct known {
	union {
		struct hitem item;
		struct hash16 dest; /* its key */
	};
	/* where they are in `heard`; app data goes on to its end, 0: nil */
	uint16_t key_at, app_data_at;
	TAILQ_ENTRY(known) idle; /* of those never used, by last heard */
	struct heard *heard;
	struct ratchet_heard *ratchet; /* NULL: none; most have none */
	int64_t heard_us, used_us;
};

/* 64 bytes, for as long as it stays and nothing newer is learned. */
static inline const uint8_t *
known_key(const struct known *k)
{
	return k->heard->raw + k->key_at;
}

int known_table_new(struct rns *);
void known_table_free(struct rns *);
/*
 * Whether somebody else keeps a destination: path.c, while a path leads there.
 * Asked before one is forgotten; at the ceiling one that is kept goes last.
 * The second function sets the first, which is never called when it is NULL.
 */
typedef bool known_kept_fn(const struct rns *, const struct hash16 *dest);
void known_kept_by(struct rns *, known_kept_fn *);
/* No path needs it any more: the next to make room, unless it was used. */
void known_first_out(struct rns *, const struct hash16 *dest);
/* NULL: unknown. Lives until the next one is learned, or a timer runs. */
struct known *known_find(const struct rns *, const struct hash16 *dest);
/* It will be looked for soon. */
void known_soon(const struct rns *, const struct hash16 *dest);
struct hash16 known_identity(const struct known *);
/*
 * The announce that is known of a destination, when it is that one: another
 * reference, or NULL. And the other way round: what is known was read from a
 * file, and its announce is this one.
 */
struct heard *known_share(const struct rns *, const struct hash16 *dest,
    const uint8_t *raw, size_t len);
void known_adopt(struct rns *, const struct hash16 *dest,
    const struct packet *, struct heard *);
/*
 * KNOWN_ADD and RATCHET_ADD; core.c passes them on. One that is known is
 * brought up to date unless it is newer; its use mark is always taken.
 * RNS_EEXIST: known with another key; RNS_ENOENT: ratchet of an unknown one;
 * RNS_EINVAL: ratchet over 30 days old.
 */
int known_submit(struct rns *, const struct rns_cmd *);
/*
 * Steps 5 to 7 of reticulum-endpoint.md 5.5 for an announce that passed steps 1
 * to 4. RNS_EAUTH: known with another key; RNS_ENOMEM, RNS_ELIMIT: nothing was
 * stored, or all but the ratchet.
 */
int known_learn(struct rns *, const struct announce *, const struct packet *);
/* The ratchet to encrypt with, or NULL (none, or older than 30 days). */
const uint8_t *known_ratchet(const struct rns *, const struct known *);
/* Now; one that is kept for good stays so. */
void known_mark_used(struct rns *, struct known *);
/*
 * Encrypt a packet's data for it (reticulum-endpoint.md 4.5), with its ratchet
 * when there is one. Takes 48 random bytes of the context; marks it used.
 * RNS_EBIG; RNS_EAUTH: its key is no point of the curve.
 */
int known_encrypt(struct rns *, struct known *, uint8_t *out, size_t *out_len,
    size_t cap, const uint8_t *in, size_t in_len);

#endif
