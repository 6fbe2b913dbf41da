/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_MAILBAG_H
#define WARREN_NODE_WORK_MAILBAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/util.h"
#include "node/proto/proto.h"
#include "node/work/peers.h"

/*
 * Letters (docs/spec/lxmf.md 5): what came, what is owed for it, and which
 * came once. Each is a row of the ledger, written before transport hears that
 * it is taken, so that none is lost and none counts twice, whoever falls when.
 *
 *   asks -> waits -> asks -> due -> over
 *     \------------------------/
 */
enum mail_state {
	MAIL_ASKS = 1, /* its request is to be asked of ourselves */
	MAIL_WAITS,    /* its job is here and has not ended */
	MAIL_DUE,      /* an answer is to be handed over */
	MAIL_OVER,     /* remembered by its id */
	MAIL_STATES
};

#define MAIL_OPEN 128	     /* ours: that are not over */
#define MAIL_OPEN_OF 16	     /* ours: ... of one sender */
#define MAIL_BYTES (16u << 20) /* ours: ... in all */
#define MAIL_SEEN 4096	     /* ours: that are over */
#define MAIL_GIVEN (2 + PROTO_OUTPUTS_MAX) /* logs, outputs */
#define MAIL_RECORD 160	     /* bytes around the data, at most */

/* What asking ourselves needs; none of it is in the ledger. */
struct mail_talk {
	uint8_t step;	  /* mail.c */
	bool on;	  /* its link is there */
	struct hash16 link;
	struct slip slip;
	struct mono again; /* not before: busy */
	unsigned rounds, blob, put;
	uint8_t *first; /* an answer that is kept while others are asked for */
	size_t first_len;
	uint8_t *blobs; /* contents for the answer, behind one another */
	size_t blobs_len;
	unsigned nblobs;
	uint32_t blob_len[MAIL_GIVEN];
};

struct mail {
	TAILQ_ENTRY(mail) link; /* by order of their coming, or of their end */
	RB_ENTRY(mail) by_id;
	struct id32 id; /* of the message */
	enum mail_state state;
	struct hash16 source; /* its sender's lxmf.delivery */
	uint8_t pub[64];
	uint32_t came;	/* unix seconds */
	uint32_t wrote; /* the answer; unix seconds */
	uint32_t give;	/* bytes of blobs that may come back */
	enum proto_path path;
	bool has_job; /* that it is about */
	struct id32 job;
	bool last; /* DUE: nothing follows this answer */
	uint8_t *data; /* ASKS: the letter; DUE: the answer's */
	size_t len;

	/* ---- not in the ledger ---- */
	struct mail_talk talk;
	uint64_t tag; /* with which it is at transport; 0: it is not */
	unsigned tries;
	char why[121];	   /* the last one failed; "": none has */
	struct mono again; /* DUE: not before */
	struct mono since; /* DUE: that it is */
};
TAILQ_HEAD(mail_list, mail);
RB_HEAD(mail_ids, mail);

struct mailbag {
	struct mail_list open, over;
	struct mail_ids ids;
	unsigned nopen, nover;
	size_t bytes; /* data of open ones */
};

void mailbag_init(struct mailbag *);
void mailbag_clear(struct mailbag *);
struct mail *mailbag_find(struct mailbag *, const struct id32 *id);
/* Is there room for so many bytes more of this sender? */
bool mailbag_room(const struct mailbag *, const struct hash16 *source,
    size_t len);
/* A new one in ASKS, with a copy of the letter. NULL: out of memory. */
struct mail *mailbag_add(struct mailbag *, const struct id32 *id,
    const void *letter, size_t len);
/* Other data, which is the bag's now; NULL: none. */
void mailbag_data(struct mailbag *, struct mail *, uint8_t *, size_t);
/* Nothing more is done for it. */
void mailbag_over(struct mailbag *, struct mail *);
/* The one that has been over for longest, when there are too many; NULL. */
struct mail *mailbag_old(struct mailbag *);
void mailbag_remove(struct mailbag *, struct mail *);
/* What its talk holds is freed; it begins anew. */
void mail_hush(struct mail *);

/* The record of the ledger; its length, 0: does not fit. */
size_t mail_encode(uint8_t *out, size_t cap, const struct mail *);
/* Into the bag. false: malformed, there already, or out of memory. */
bool mail_decode(struct mailbag *, const struct id32 *id, const void *,
    size_t);

#endif
