/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_NODES_H
#define WARREN_NODE_CLI_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "node/cli/cli.h"
#include "node/cli/person.h"
#include "node/cli/session.h"

/* Compute nodes (ARCHITECTURE.md 12.25). */
struct node_info {
	struct hash16 dest;
	bool has_key; /* a valid binding was announced */
	struct fp fp;
	bool has_caps;
	bool accepting;
	uint32_t cpu_milli, memory_mib;
	unsigned queue;
	char name[33]; /* as announced, not escaped; "" none */
	int hops;      /* -1: no path */
	int64_t heard_us; /* Unix time; 0: only noted */
	bool noted;	  /* dealt with */
	bool own;	  /* this machine's: accepting is known */
};

/*
 * ours: a node announces itself twice an hour, so one that was not heard for
 * this long is gone. It stays known, and is named where nobody newer is meant.
 */
#define NODE_AGE_S (24 * 3600)
bool node_aged(const struct node_info *, int64_t now_s);

#define NODES_MAX 1024
struct node_list {
	struct node_info *v;
	size_t n;
};

/*
 * What the core knows (storage folder, and what was heard), what the person
 * noted, and, where the daemon of this machine answers us, what that has heard
 * and its own node. 0 or -1 (memory).
 * Free v.
 */
int nodes_collect(struct cli *, struct session *, const struct person *,
    struct node_list *);

/* How a NODE of the command line was named: decides what is asked of trust. */
enum node_by { NODE_BY_HASH, NODE_BY_URN, NODE_BY_NAME };
/* ours: so many digits of a hash nobody makes again by trying */
#define NODE_DIGITS_SAFE 16
#define NODE_DIGITS_MIN 4

/*
 * 32 hex digits or their beginning, a URN, or a name that exactly one node has.
 * A beginning is the person's own word, as the whole is, when it is of a node
 * that was dealt with or has NODE_DIGITS_SAFE digits; else it counts as a name; listens for up to
 * wait_us when it is not known yet. CLI_OK, CLI_USAGE, CLI_UNREACHABLE (said).
 */
int nodes_resolve(struct cli *, struct session *, const struct person *,
    const char *text, int64_t wait_us, struct hash16 *dest, enum node_by *);
/*
 * The decision alone: 1 found, 0 none, -1 more than one. Who was heard within
 * the day is meant first.
 */
int nodes_match(const struct node_list *, const char *text, int64_t now_s,
    enum node_by *, struct hash16 *dest);
/* Who is gone leaves the list, unless he was dealt with; how many that were. */
size_t nodes_drop_aged(struct node_list *, int64_t now_s);
/* What a node's answer to describe gives us, in words. */
struct proto_describe;
void nodes_say_limits(const struct proto_describe *);
/* Note a node that was dealt with. */
void nodes_note(const struct person *, const struct hash16 *dest,
    const struct fp *fp, const char *name);

#endif
