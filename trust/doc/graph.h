/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_GRAPH_H
#define WARREN_TRUST_DOC_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fp.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"
#include "trust/doc/sigset.h"

/*
 * A trust graph (klp.md 3.1, 3.2): klp.trust-graph read into flat arrays with
 * an index per source and per target. What depends on the time, on a scope or
 * on revocation is kte1.h's.
 *
 * Reading is strict and goes in steps, since 50,000 signatures take seconds:
 *
 *   load = graph_load_new(payload, ...);        the payload is borrowed
 *   while ((rc = graph_load_step(load, GRAPH_BUDGET)) > 0)
 *           ...                                  something else for a while
 *   if (rc == 0) graph = graph_load_take(load);
 *   graph_load_free(load);
 *
 * A document with a mistake in its form is refused whole. An edge that has its
 * form but cannot count ever (klp.md 3.2) is left out and counted.
 */
#define GRAPH_NODES_MAX 20000
#define GRAPH_EDGES_MAX 50000
#define GRAPH_BYTES_MAX (32u << 20)	     /* of a payload */
#define GRAPH_EDGE_LIFE_MAX (400u * 86400u) /* s */
#define GRAPH_URI_MAX 512
#define GRAPH_BUDGET 64 /* checks a step, about 5 ms */
#define EDGE_LEN 90	/* "KTE1" and so on */

#define TYPE_GRAPH "application/vnd.klp.trust-graph+json"
#define TYPE_EDGE "application/vnd.klp.edge"

/* Tag bits of klp.md 3.1. */
enum tag {
	TAG_PEER = 0,
	TAG_VALIDATOR = 1,
	TAG_AUTHORITY = 2,
	TAG_REVIEWER = 3,
	TAG_CODE_SIGNER = 4,
	TAG_DATA_VALIDATOR = 5,
	TAG_AI_GUARDIAN = 6,
	TAG_SUBMITTER = 7,
	TAG_WITNESS = 8,
	TAG_HUB = 9,
};
int tag_parse(const char *, size_t len); /* -1 */

/* ---- edges ---- */

/* What an edge's source says; scopes and tags as written, a bit each. */
struct edge {
	struct fp source, target;
	uint32_t tags, scopes;
	uint32_t issued, expires; /* unix s */
	uint16_t conf;		  /* permille */
	uint16_t half_life;	  /* days; 0: none */
	int8_t level;
	uint8_t depth;
};

/* The statement that its source signs under TYPE_EDGE; get: its form only. */
void edge_put(uint8_t out[EDGE_LEN], const struct edge *);
bool edge_get(struct edge *, const uint8_t *buf, size_t len);
/*
 * The scopes that it covers: those written, or without any those of its tags
 * (klp.md 3.1).
 */
uint32_t edge_covers(const struct edge *);
/* Why it can count at no time: a literal; NULL. Not its signature. */
const char *edge_bad(const struct edge *);

/* ---- the graph ---- */

struct graph_head {
	char uri[GRAPH_URI_MAX + 1];
	uint32_t version, issued, expires;
};

/* One that may count, in the order (source, target, newest, lowest level). */
struct graph_edge {
	uint32_t source, target;  /* of graph_fp() */
	uint32_t scopes;	  /* edge_covers() */
	uint32_t issued, expires; /* unix s */
	uint16_t conf, half_life;
	int8_t level;
	uint8_t depth;
	bool authority; /* may introduce */
};

struct graph;

void graph_free(struct graph *);
const struct graph_head *graph_head(const struct graph *);
/*
 * Everybody who is named by an edge; a number is the place in the order of
 * fingerprints, so numbers compare as fingerprints do.
 */
uint32_t graph_count(const struct graph *);
const struct fp *graph_fp(const struct graph *, uint32_t n);
bool graph_find(const struct graph *, const struct fp *, uint32_t *n);
/* The edges: 0 to graph_edges() - 1. */
uint32_t graph_edges(const struct graph *);
const struct graph_edge *graph_edge(const struct graph *, uint32_t e);
/* How many edges n has said; their numbers are *first and on. */
uint32_t graph_out(const struct graph *, uint32_t n, uint32_t *first);
/* Numbers of the edges to n, by source; *count of them. */
const uint32_t *graph_in(const struct graph *, uint32_t n, uint32_t *count);
/* Numbers of the edges from n by (issued, target), as many as graph_out(). */
const uint32_t *graph_by_time(const struct graph *, uint32_t n);

/*
 * From edges whose signatures are known to hold, in the order of their
 * document; those with edge_bad() are left out. NULL: no memory.
 */
struct graph *graph_make(const struct graph_head *, const struct edge *,
    size_t nedges);
/* Takes the signatures that its reading found good; NULL: none. */
void graph_set_known(struct graph *, struct sigset *);
const struct sigset *graph_known(const struct graph *);

/* ---- reading a document ---- */

enum edge_fault {
	EDGE_UNSIGNED, /* no signature, or no key of its source here */
	EDGE_BAD_SIG,
	EDGE_UNKNOWN, /* a tag or scope that has no bit here */
	EDGE_NEVER,   /* edge_bad() */
	EDGE_FAULTS
};

struct graph_stats {
	uint32_t edges, accepted;
	uint32_t fault[EDGE_FAULTS];
	uint32_t checked; /* signatures; the others were known */
};

struct graph_load;

/*
 * The payload of a verified envelope; it is borrowed and must not change until
 * graph_load_take() or graph_load_free(). signers: the role keys that signed
 * it; their edges need no signature of their own. before: signatures that need
 * no second check, those of the graph that this one follows; NULL; borrowed
 * likewise. NULL: why.
 *
 * begin: nothing is looked at yet; new: its head is, which for 32 MiB of
 * payload means that all of it was looked through.
 */
struct graph_load *graph_load_begin(const void *payload, size_t len,
    const struct klp_key *signers, size_t nsigners,
    const struct sigset *before, const char **why);
struct graph_load *graph_load_new(const void *payload, size_t len,
    const struct klp_key *signers, size_t nsigners, const struct sigset *before,
    const char **why);
/*
 * Goes on for about as long as budget signature checks take. 1: more to do;
 * 0: whole; -1: refused, *why a literal (only then).
 */
int graph_load_step(struct graph_load *, unsigned budget, const char **why);
/* After 0; once. The caller's. */
struct graph *graph_load_take(struct graph_load *);
const struct graph_stats *graph_load_stats(const struct graph_load *);
/* NULL: not read yet; never after graph_load_new(). */
const struct graph_head *graph_load_head(const struct graph_load *);
/* What the statistics say, for a log: "edges=3 accepted=2" and so on. */
#define GRAPH_SAYS_MAX 160
void graph_load_says(char out[GRAPH_SAYS_MAX], const struct graph_load *);
void graph_load_free(struct graph_load *);

/*
 * The head alone, for who decides whether to read on: form, _type, crit and
 * canonical order of all but nodes and edges. false: *why.
 */
bool graph_peek(struct graph_head *, const void *payload, size_t len,
    const char **why);
/*
 * Its whole form, for who writes it: what graph_load_step() would refuse, but
 * no signature is looked at. false: *why.
 */
bool graph_form(const void *payload, size_t len, const char **why);

#endif
