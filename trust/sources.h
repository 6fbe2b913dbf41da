/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_SOURCES_H
#define WARREN_TRUST_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "trust/doc/authority.h"
#include "trust/lawset.h"

/*
 * Where an authority's files are fetched from (klp.md 1.5, 1.7): which source is
 * asked when, and what one has given so far of an update. The update algorithm
 * itself says what it needs next: it is begun, asks for a file that is not here,
 * ends, and is begun again when the file has come; so nothing is fetched before
 * what names it was verified. One source after the other is asked, each round
 * all of them, and one question is out at a time.
 */
#define SOURCES_MAX 18
#define SOURCE_URL 400
#define SOURCE_RNS "rns:" /* and 32 hex digits: the klp.node of an identity */
#define SOURCE_DELTAS 32 /* klp.md 4.3: of one round */
#define SOURCE_FILES (AUTH_ROOT_STEPS + 2 + AUTH_WANT_MAX + SOURCE_DELTAS + 3)
#define SOURCE_WHY (URI_MAX + AUTH_WHY + 64)

struct source {
	char url[SOURCE_URL + 1]; /* https://..., no slash at the end; rns:... */
	uint32_t good; /* unix seconds: when its files were last good; 0: never */
	unsigned failures; /* since then */
	struct mono next, asked; /* again; the last time */
	uint32_t log_at; /* unix seconds: what it has of a log was asked for */
	uint8_t kind;	      /* of the last failure, for who says it once */
	char why[SOURCE_WHY]; /* ...; "": there is none */
};

struct sources {
	struct source s[SOURCES_MAX];
	unsigned n;
	int at;	    /* who is asked; -1: nobody */
	bool ready; /* begin the update, again */
	unsigned deltas; /* the update is over: so many deltas were asked for */
	unsigned log; /* the same: so many places of logs were */
	enum { SET_NONE, SET_PAGES, SET_PROOF } set; /* the same of a set */
	uint32_t seq; /* of the question that is out; 0: none */
	char need[URI_MAX + 1]; /* what the update has asked for; "" */
	size_t need_max;
	struct {
		char name[URI_MAX + 1];
		int fd; /* sealed; -1: empty, or not there */
		size_t len;
		bool absent;
	} file[SOURCE_FILES];
	unsigned nfiles;
	/* of the file that comes over the mesh, piece by piece (lawmesh.c) */
	struct {
		uint8_t *p;
		size_t len, cap, total;
		struct id32 sha; /* as the node says; all pieces the same */
		bool slow;	 /* the way is: what is short alone */
		bool waits;	 /* it was busy: again then */
		struct mono again;
		char behind[SOURCE_WHY]; /* why no list comes this way */
		uint8_t *deltas; /* more than the one that was asked for */
		size_t deltas_len;
		bool gap; /* it has no deltas from ours on */
		bool too_long; /* the list is, for a way that is slow */
		unsigned restarts; /* of the set, in this round */
	} mesh;
	struct lawset part; /* of a set; outlives a round */
};

struct sources *sources_new(void); /* NULL: no memory */
void sources_free(struct sources *); /* NULL is fine */
/*
 * These from now on, in this order, each once; what is known of one that stays
 * is kept. What is under way is given up when they are others.
 */
void sources_set(struct sources *, const char *const *urls, unsigned n);
/* All at once, their logs as well: a person asks. */
void sources_now(struct sources *);
/* When somebody is to be asked; false: nobody, or somebody is. */
bool sources_next(const struct sources *, struct mono *);
/* Whose turn has come is asked: ready. */
void sources_begin(struct sources *, struct mono now);

/* For struct auth_io: NULL with EINPROGRESS when it is asked for first. */
uint8_t *sources_read(struct sources *, const char *name, size_t max,
    size_t *len);
/* The last that has come is not needed any more. */
void sources_drop(struct sources *);
/* The question that follows from that; false: there is none. */
bool sources_question(struct sources *, const char *authority, uint32_t seq,
    struct msg_FETCH *);
/*
 * The answer to it, whose descriptor (or -1) is taken. true: the update goes
 * on; false: this source has failed, why is in *out.
 */
bool sources_answer(struct sources *, const struct msg_FETCHED *, int fd,
    char out[SOURCE_WHY]);
/*
 * Who is asked has given all, or failed. refresh in milliseconds; chance: any
 * number, for the jitter.
 */
void sources_good(struct sources *, uint32_t wall, struct mono now,
    uint64_t refresh_ms, uint32_t chance);
void sources_bad(struct sources *, unsigned kind, const char *why,
    struct mono now, uint32_t chance);
/*
 * Somebody says that this one has news: it is asked now, unless it was within a
 * minute. false: it is none of them.
 */
bool sources_hurry(struct sources *, const char *url, struct mono now);
/* Is one of the mesh asked? */
bool sources_mesh(const struct sources *);
/* The pieces that have come are given up. */
void sources_part_drop(struct sources *);
/* Nobody's fault: again after so many seconds. */
void sources_later(struct sources *, struct mono now, uint32_t seconds);
#define SOURCES_AGAIN_S 5 /* ours: when egress is not there */

#endif
