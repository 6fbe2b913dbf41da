/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_EGRESS_REGGET_H
#define WARREN_TRUST_EGRESS_REGGET_H

#include <ev.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"
#include "trust/egress/regdoc.h"
#include "trust/egress/registry.h"
#include "trust/egress/transfer.h"

/*
 * One thing of a registry, until it is here whole or it is known why not: who
 * asks is shown, redirects are followed one by one, each looked at before
 * anything is sent there; a cut file is gone on with, what is too busy is asked
 * again. What follows from an answer is registry.h's to say.
 */

struct regget;

/* What all of one pull share. */
struct regset {
	struct ev_loop *loop;
	struct transfers *ts;
	struct process *prog; /* its parent looks names up */
	uint32_t *asked;      /* number of the last look-up */
	const char *named;    /* hosts, registry.h */
	bool insecure, hub;
	char pin[IPC_PULL_PIN + 1];
	struct regurl registry; /* https://HOST:PORT/ */
	char repo[256];
	char *basic; /* a header, or NULL: nobody in particular */
	/* how to ask now; gen: which of them, 0 is none */
	char bearer[REGDOC_TOKEN + 32];
	bool use_basic;
	unsigned gen;
	struct regget *token; /* is being fetched, or NULL */
	uint64_t fetched;     /* bytes of blobs that came over the network */
	/* one has ended: end and why of it say how */
	void (*done)(void *ctx, struct regget *);
	/* a token is here, or not (end and why of that get) */
	void (*shown)(void *ctx, bool ok, const struct regget *);
	void *ctx;
};

enum regget_state {
	REGGET_FREE,
	REGGET_HASHING, /* what was here before */
	REGGET_LOOK_UP,
	REGGET_ASKING,
	REGGET_WAITING, /* for a while */
	REGGET_AUTH,	/* for a token */
	REGGET_ENDED,
};

struct regget {
	struct regset *of;
	enum regget_state state;
	bool is_token;
	/* a document, in memory ... */
	uint8_t *doc;
	size_t doc_max;
	/* ... or a blob, in a file */
	int fd;
	struct id32 digest;
	uint64_t size;
	struct sha256_ctx sum;
	uint64_t len; /* so far, of either */
	bool resumed; /* some of it was not fetched in one go */
	bool again;   /* it has begun afresh once */

	struct regurl origin, at;
	unsigned hops, tries, shows;
	unsigned gen;	   /* of regset, as it was asked with */
	uint64_t from, mark; /* of this question; as far as it had got on */
	bool seen;	   /* the head was judged */
	enum reg_next next;
	const char *reason;
	size_t other;	   /* bytes of a body that is nothing */
	uint32_t look_up;
	struct reg_head head;
	char range[64];
	const char *headers[5];
	struct transfer_reader reader;
	struct transfer t;
	ev_timer timer;
	ev_idle idle;

	enum fetch_end end;
	char why[400];
};

/*
 * g is all zero, or was cleared. path: behind /v2/REPO/. done may be called
 * before these return.
 */
void regget_doc(struct regget *, struct regset *, const char *path, size_t max);
/* fd, to read and write, is taken; what it holds counts when it is right. */
void regget_blob(struct regget *, struct regset *, const struct id32 *digest,
    uint64_t size, int fd);
/* An answer to a look-up; false: not of this one. */
bool regget_looked_up(struct regget *, const struct msg_LOOKED_UP *);
/* After shown: ask again. Of one that does not wait for it nothing. */
void regget_shown(struct regget *, bool ok, const struct regget *token);
/* Frees all that it holds; one that is under way ends without a word. */
void regget_clear(struct regget *);

#endif
