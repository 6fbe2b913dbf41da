/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_LAW_H
#define WARREN_TRUST_LAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/anchored.h"
#include "common/attested.h"
#include "common/ipc_msg.h"
#include "common/listed.h"
#include "common/vouched.h"
#include "node/config/nodeconf.h"
#include "trust/bindstore.h"
#include "trust/doc/authority.h"
#include "trust/doc/frame.h"
#include "trust/doc/logbook.h"
#include "trust/doc/rootsdoc.h"
#include "trust/doc/spread.h"
#include "trust/klpdir.h"
#include "trust/sources.h"
#include "trust/standing.h"

/*
 * What the authorities that node.yaml names say here: their roots and documents
 * in klp/, the revocation list, the trust graph, self-revocations. An update
 * counts as a whole; a large graph is read in slices, and the old one holds
 * until then.
 */
#define LAW_AUTHORITIES \
	(2 + 2 * NODE_ANCHORS_FROM_MAX + NODE_MIRROR_OF_MAX + ATTEST_ROOTS_MAX)
#define LAW_POLICY_MAX (ATTEST_ROOTS_MAX + ATTEST_RULES_MAX)
#define LAW_HEARD 2 /* ours: of an authority, beside those that are named */
#define LAWLOG_PLACES (1 + LOGBOOK_LOGS) /* where its logs lie */
#define LAWLOG_PLACE sizeof("log/00112233445566778899aabbccddeeff")
#define LAW_SELF_MAX 4096 /* self-revocations */
#define LAW_SELF_FRAME FRAME_LEN(SELFREV_FRAME, 1)

struct law_ops {
	void *ctx;
	void (*event)(void *ctx, enum event_kind, unsigned severity,
	    const char *code, const char *text);
	/* To warren-egress; -1: it is not there. NULL: there is none. */
	int (*fetch)(void *ctx, const struct msg_FETCH *);
	/* ... to warren-transport: the same */
	int (*ask)(void *ctx, const struct msg_M_ASK *);
	/* ... to the parent, with the signature; NULL: nobody verifies */
	int (*verify)(void *ctx, const struct msg_V_VERIFY *, const void *text,
	    size_t);
};

struct law_authority {
	struct authority a;
	bool pinned;
	struct id32 root_file; /* digest of what was pinned */
	char said[AUTH_WHY + URI_MAX + 8]; /* the last complaint */
	struct sources *src; /* nodes and web servers; NULL: there are none */
	struct hash16 heard[LAW_HEARD]; /* whose announces had news; zeros */
	unsigned next_heard;
	/* when what is here was found current last, and where; 0: never yet */
	uint32_t checked;
	char from[200];
	/* of its logs (lawlog.c); NULL: it names none */
	struct logbook *log;
	struct id32 log_seen[LAWLOG_PLACES]; /* of its folders: looked at last */
	struct lawtile *tiles; /* lawtile.c; NULL: none were needed */
	char log_said[200]; /* the last complaint */
};

struct law_self {
	struct fp fp;
	uint8_t frame[LAW_SELF_FRAME];
	bool good; /* by the key itself, which was seen since */
};

/* A document of roots that image_policy names (lawroots.c). */
struct law_roots {
	struct klp_uri uri;
	struct rootsdoc doc, next; /* next: of this update; text NULL: none */
	unsigned entries; /* authorities and logs in it */
};

struct law {
	struct klpdir dir;
	struct bindstore *store;
	struct law_ops ops;
	struct klp_clock clock;
	uint32_t now; /* of this call */

	struct law_authority auth[LAW_AUTHORITIES];
	unsigned nauth;
	const struct node_config *conf; /* node.yaml's; borrowed */
	struct klp_uri graph_uri, list_uri;
	bool has_graph, has_list;
	struct level_anchor anchors[LEVEL_ANCHORS_MAX];

	struct revlist list;
	struct graph *graph;
	struct law_roots roots[ATTEST_ROOTS_MAX];
	unsigned nroots;
	struct standing standing;
	struct law_self *self;
	unsigned nself;

	/* an update that is under way */
	unsigned at; /* authority, nauth: none */
	struct auth_step *step;
	struct auth_io io;
	struct revlist new_list;
	bool took_list, took_graph;
	uint8_t *graph_own; /* of the graph that is read */
	struct graph_load *load;
	struct id32 graph_sha;	/* of its file */
	struct sigset *kept_sigs; /* of the same file, found good by another life */
	struct file_in in;   /* the document that is read */
	struct file_out out; /* the one that is kept */
	uint8_t *sigs;	     /* signatures to be kept, of the graph that counts */
	size_t nsigs;
	struct file_out sigs_out;
	bool again; /* asked for meanwhile */
	bool reread; /* by a person: a root that is gone was taken away */
	bool recall; /* what was kept is read: nothing is held back of it */
	bool web;    /* what a web server gave is read */
	uint32_t seq; /* of the last question to egress */
	char held[AUTH_WHY]; /* a list that waits for a person; "" */
	bool held_web;	     /* ... it came from a web server */
	bool replay;	     /* a list was read: its deltas are owed */
	uint8_t *chain;	     /* deltas on top of the list that was read */
	size_t chain_len;
	char delta_said[AUTH_WHY]; /* the last complaint about one in klp/ */
	/* what is heard of it and said over the mesh (lawheard.c, lawspread.c) */
	struct hash16 own; /* this node's Reticulum identity */
	struct spread spread;
	bool spread_changed; /* node has to know of other heads */
	uint32_t heard_on, pass_not; /* transport's interfaces; 0: none */
	int64_t checks_at;   /* second */
	unsigned checks;     /* ... of signatures that were heard */
	/* deltas that brought the list here, for others (lawhist.c) */
	uint8_t *history;
	size_t history_len;
	bool has_history; /* what was kept of it is read */
	/* a document of klp/documents that somebody reads on */
	uint8_t *given;
	size_t given_len;
	struct id32 given_sha;
	/* images that a log vouches for: sorted, each once (lawlog.c) */
	struct anchored *anchored;
	size_t nanchored;
	struct id32 proofs_sha; /* of klp/anchors, and what judges it */
	bool logs_changed; /* ... and something was seen of a log since */
	struct lawattest *attest; /* signatures of images; NULL: no policy */
	/* what that stands on, as it was said last (lawpolicy.c) */
	struct msg_V_POLICY policy[LAW_POLICY_MAX];
	unsigned npolicy;
	uint32_t verify_seq; /* of the last question to the parent about one */
	bool changed;
};

/* NULL: no memory. dir: warren/trust. */
struct law *law_new(int klp, int dir, struct bindstore *,
    const struct law_ops *);
void law_free(struct law *); /* takes klp; not the store, nor dir */
/*
 * At the start and when node.yaml was read again; it is borrowed until the next
 * one. Then law_look().
 */
void law_configure(struct law *, const struct node_config *);
/*
 * Looks at klp/ for what is new. whole: to its end (at the start); else
 * law_work() goes on with what takes long. true: what law_standing() says may
 * have changed.
 */
bool law_look(struct law *, uint32_t now, bool whole);
/*
 * The keys of a role that an authority's root names, at most ENV_KEYS_MAX, and
 * how many of them must sign; 0: there is no such role, or no such root here.
 */
size_t law_role(const struct law *, const char *authority, const char *role,
    struct klp_key *keys, unsigned *threshold);
/*
 * The time to be kept as certain to have passed (klp.md 1.7): a clock that is
 * years ahead for a while must not count after it was set, so it is at most
 * LAW_OVER past what an authority has signed last, if one has. All that was
 * signed by then is over then: heads with any grace, and what strangers signed.
 */
#define LAW_OVER MAX_OF(BINDING_LIFE_MAX, GRAPH_EDGE_LIFE_MAX) /* s */
uint32_t law_time_to_keep(const struct law *, uint32_t now);
/* The latest time that an authority has signed, of what counts; 0: none has. */
uint32_t law_signed_at(const struct law *);
/* Is something left to do? */
bool law_busy(const struct law *);
/*
 * One slice of it: bounded work, some ms, but for the disk. true: as
 * law_look().
 */
bool law_work(struct law *, uint32_t now);
/*
 * Web servers: who is to be asked now begins, which law_work() goes on with,
 * and so many seconds until the next one. Then, all of them: a person asks.
 */
double law_fetch(struct law *);
void law_fetch_now(struct law *);
/* Egress answers; fd (or -1) is taken. true: as law_look(). */
bool law_fetched(struct law *, const struct msg_FETCHED *, int fd);
/* What a verifier has said; the same. */
bool law_verified(struct law *, const struct msg_V_VERIFIED *, int fd);
/* It has gone, and answers nothing; mesh: transport. */
void law_unfetched(struct law *, bool mesh);
/* A node of the mesh answers; the same. */
bool law_answered(struct law *, const struct msg_M_ANSWER *, int fd);
/* A key has shown itself: has it revoked itself? true: as law_look(). */
bool law_seen(struct law *, const struct klp_key *);
/*
 * What time it is, before each call that is not told: an announce counts by the
 * clock as it stands, and not as it stood at the last look.
 */
void law_time(struct law *, uint32_t now);
/* An announce of somebody; true: as law_look(). */
bool law_heard(struct law *, const struct msg_M_HEARD *);
/*
 * What is to be announced: false, nothing now; then in so many seconds. law_heads:
 * the same for a node that knows nothing yet.
 */
bool law_spread(struct law *, struct msg_V_SPREAD *);
double law_spread_in(const struct law *);
void law_heads(struct law *, struct msg_V_SPREAD *);
/*
 * What somebody asks this node for (lawserve.c): 0, or bytes in *body, an
 * allocation, as *out says.
 */
size_t law_give(struct law *, const struct msg_V_GIVE *, struct msg_V_GIVEN *,
    uint8_t **body);
/* All that node has to know: an allocation, *n entries; NULL: no memory. */
struct listed *law_listed(const struct law *, size_t *n);
/* The images that a log vouches for, *n of them; borrowed. */
const struct anchored *law_anchored(const struct law *, size_t *n);
/*
 * Images that rules of image_policy hold for, *n of them, borrowed; *serial: of
 * the policy that the rules are of, 0: nobody has looked yet.
 */
const struct attested *law_attested(const struct law *, size_t *n,
    uint64_t *serial);
/* Whom that is owed to, *n of them; borrowed. */
const struct vouched *law_vouched(const struct law *, size_t *n);
/* The i-th line for status; false behind the last. */
bool law_line(const struct law *, unsigned i, struct msg_V_AUTHORITY *);
/* The same of what image_policy stands on. */
bool law_policy(const struct law *, unsigned i, struct msg_V_POLICY *);
/*
 * When something of it becomes stale, over, or near its end next: unix s;
 * UINT32_MAX: nothing does.
 */
uint32_t law_policy_next(const struct law *);

#endif
