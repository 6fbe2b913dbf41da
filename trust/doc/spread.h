/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SPREAD_H
#define WARREN_TRUST_DOC_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

/*
 * When a node says over the mesh what it holds of authorities (klp.md 4.3).
 * Pure. Head versions are advertised by one Trickle timer (RFC 6206): the more
 * of the neighbours say the same, the less it is said, and news starts it
 * anew. An authority's own mirror says an urgent delta three times besides;
 * whoever takes one passes it on over his slow interfaces, once: what is relayed
 * there waits behind the share that announces have of the bitrate.
 */
#define SPREAD_IMIN_S 60
#define SPREAD_DOUBLINGS 10
#define SPREAD_K 1
#define SPREAD_FRAME 277 /* bytes: an announce's app data, but for its TLV */
#define SPREAD_TIMES 3	 /* 0, 5, 30 min */
#define SPREAD_PASS_S 60 /* ours: one is passed on no sooner after another */
/* of a slow interface's bitrate, for what is not urgent: klp.md 4.3 */
#define SPREAD_SHARE 50 /* one part of so many */
#define SPREAD_SLOW 20000 /* bit/s */

struct spread {
	int64_t interval;	/* us; 0: not begun */
	struct mono speak, end; /* of this interval */
	bool spoken;
	bool owed; /* heads, whatever others say */
	unsigned heard; /* the same as ours, in it */
	/* an urgent frame; times of them were said since it came */
	uint8_t frame[SPREAD_FRAME];
	size_t frame_len; /* 0: none */
	unsigned times;
	struct mono came;
	bool is_delta; /* else a head */
	unsigned most; /* times that it is said */
	bool passed; /* it is another's, and said on slow interfaces alone */
	struct mono again; /* the next that is passed on may be then */
};

enum spread_say {
	SPREAD_NOTHING, SPREAD_HEADS, SPREAD_DELTA, SPREAD_HEAD,
	SPREAD_PASS, /* a delta, over slow interfaces */
};

/* chance: any number, other each time. */
void spread_begin(struct spread *, struct mono now, uint32_t chance);
/* Somebody holds the same; or something older or newer, or we took news. */
void spread_same(struct spread *);
void spread_news(struct spread *, struct mono now, uint32_t chance);
/* A mirror of the authority: this is said now and twice later; a head once. */
void spread_urgent(struct spread *, struct mono now, const uint8_t *frame,
    size_t len, bool is_delta);
/*
 * A delta was taken here. When it has been passed on heads are said everywhere,
 * so that no path to us leads over a slow interface because that heard last.
 */
void spread_pass(struct spread *, struct mono now, const uint8_t *frame,
    size_t len);
/* What is to be said now, once; then, when to ask again. */
enum spread_say spread_due(struct spread *, struct mono now, uint32_t chance);
struct mono spread_next(const struct spread *);

/*
 * May so many bytes that are not urgent leave now over an interface of this
 * bitrate? Then *next is when more may.
 */
bool spread_afford(struct mono *next, struct mono now, uint64_t bitrate,
    size_t bytes);

#endif
