/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_AUTHORITY_H
#define WARREN_TRUST_DOC_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/head.h"
#include "trust/doc/root.h"

/*
 * An authority as this node knows it, and the update algorithm of klp.md 1.4.
 * Pure: files come and go through struct auth_io. What is here changes as a
 * whole or not at all, and only after its state was kept.
 */
#define AUTH_STATE_BYTES (64u << 10)
#define AUTH_ROOT_STEPS 64
#define AUTH_WANT_MAX 10 /* documents of one authority that are read here */
#define AUTH_WHY 160
#define AUTH_GRAPH_BYTES (44u << 20) /* 32 MiB in base64, and signatures */

struct auth_doc {
	char path[URI_MAX + 1];
	uint32_t version, length;
	struct id32 sha256; /* of the envelope */
	uint32_t issued, expires; /* its own; not in the state's file */
};

struct auth_state {
	struct id32 id; /* SHA-256 of the pinned root's payload */
	uint32_t floor; /* klp.md 1.7 */
	uint32_t root_version;
	struct id32 root_sha; /* of its envelope */
	bool has_head;
	uint32_t head_version, head_issued;
	struct id32 head_digest; /* of the frame: two signers, one head */
	struct id32 head_sha;	 /* of the file */
	unsigned ndocs;
	struct auth_doc docs[AUTH_WANT_MAX];
};

enum auth_take { TAKE_GOOD, TAKE_BAD, TAKE_HELD, TAKE_MORE };

struct auth_claim {
	char uri[URI_MAX + 1];
	uint32_t version, issued, expires;
	/* given, not claimed: of the file; who of its role has signed it */
	struct id32 sha256;
	const struct klp_key *signers;
	unsigned nsigners;
};

struct auth_io {
	void *ctx;
	/*
	 * A file of the authority's folder, at most max bytes, in an allocation
	 * that is freed; NULL with errno: ENOENT is nothing new. EAGAIN: it is
	 * a document, large, and wants the same call again in another turn.
	 */
	uint8_t *(*read)(void *ctx, const char *name, size_t max, size_t *len);
	/* What keep() has kept; EAGAIN as well. */
	uint8_t *(*blob)(void *ctx, const struct id32 *sha, size_t max,
	    size_t *len);
	/*
	 * Write and sync, 1: again, in another turn; then, with all of them
	 * kept, the state by a rename.
	 */
	int (*keep)(void *ctx, const struct id32 *sha, const void *, size_t);
	int (*commit)(void *ctx, const void *state, size_t len);
	/* The second of two heads of one version, for a person to see. */
	void (*evidence)(void *ctx, const struct id32 *sha, const void *,
	    size_t);
	/*
	 * A document whose signatures hold. Reads it, and says what it claims
	 * of itself (_type is its own to check) or why it is not good. It may
	 * take env.own, and may go on reading what does not fit into a turn
	 * until settle(true), from which on it counts; settle(false) forgets
	 * it. TAKE_MORE: what it claims is not known yet, the same call again.
	 */
	enum auth_take (*take)(void *ctx, const struct root_doc *,
	    struct env *, struct auth_claim *, char why[AUTH_WHY]);
	void (*settle)(void *ctx, bool yes);
};

/* How it ended; what is not AUTH_NEW has changed nothing. */
enum auth_end {
	AUTH_NEW,    /* what the folder has is newer, and is taken */
	AUTH_SAME,   /* what it has is known */
	AUTH_NONE,   /* it has nothing */
	AUTH_BAD,    /* something in it does not hold */
	AUTH_ROLLBACK,
	AUTH_EQUIVOCATION,
	AUTH_HELD,   /* its content may not count without a person's word */
	AUTH_FAILED, /* our own: a file, or memory */
};

struct auth_report {
	enum auth_end end;
	char file[URI_MAX + 1]; /* which; "": none in particular */
	char why[AUTH_WHY]; /* of AUTH_NEW: "", or what is worth a line */
};

struct authority {
	char name[URI_NAME_MAX + 1];
	struct root root;
	struct head head; /* when state.has_head */
	struct auth_state state;
	/*
	 * What was known when its files were lost: they come again, but
	 * nothing older than this. root_version 0: none were.
	 */
	struct auth_state least;
	char want[AUTH_WANT_MAX][URI_MAX + 1]; /* paths */
	unsigned nwant;
};

/* A wanted path, once; false: no more room. */
bool authority_want(struct authority *, const char *path);
/* The pinned root. NULL, or what is wrong: the authority is not known then. */
const char *authority_pin(struct authority *, const void *root, size_t len);

/*
 * An update, or what was kept at the start, in turns of bounded work:
 *
 *   s = authority_begin(...);            or authority_recall(); NULL: no memory
 *   while (authority_step(s) > 0) ...;   0: everything is read and checked; what
 *                                        takes the documents may read on now
 *   while (authority_keep(s) > 0) ...;   0: it is on disk
 *   authority_end(a, s, NULL, &rep);     it counts, or not, as rep says
 *
 * A negative answer means that it has ended otherwise: then the end comes at
 * once. The authority is borrowed and must not change before its end.
 */
struct auth_step;
struct auth_step *authority_begin(const struct authority *,
    const struct auth_io *, uint32_t now);
/* What was kept: state is a file of authstate.h. */
struct auth_step *authority_recall(const struct authority *, const void *state,
    size_t len, const struct auth_io *);
int authority_step(struct auth_step *);
int authority_keep(struct auth_step *);
/*
 * Takes the step, and does what is left of it. why: a document is not good
 * after all; NULL: all are.
 */
void authority_end(struct authority *, struct auth_step *, const char *why,
    struct auth_report *);
/* All of it at once: klp.md 1.4, and the start. */
void authority_update(struct authority *, const struct auth_io *, uint32_t now,
    struct auth_report *);
void authority_load(struct authority *, const void *state, size_t len,
    const struct auth_io *, struct auth_report *);
/* The state of a wanted document; NULL: there is none yet. */
const struct auth_doc *authority_doc(const struct authority *,
    const char *path);
/* One of its kept files: in the i-th place, false behind the last. */
bool authority_keeps(const struct authority *, unsigned i, struct id32 *sha);

#endif
