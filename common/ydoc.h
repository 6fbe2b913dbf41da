/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_YDOC_H
#define WARREN_COMMON_YDOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mistake.h"

/*
 * The YAML that people write (node.yaml, profiles, JOB.yaml, submit.yaml) as a
 * small bounded tree, each node with its line and column. One document; no
 * anchors, aliases, tags, duplicate keys, or keys that are not plain words or
 * strings. Pure: text in, tree out.
 */
#define YDOC_BYTES_MAX (256u * 1024)
#define YDOC_DEPTH_MAX 16u
#define YDOC_NODES_MAX 20000u
#define YDOC_KEYS_MAX 1024u /* of one mapping */

enum ynode_kind { YNODE_SCALAR, YNODE_LIST, YNODE_MAP };

struct ynode {
	enum ynode_kind kind;
	unsigned line, column;
	/* scalar: text with a NUL behind it, and none inside */
	const char *text;
	size_t len;
	bool quoted; /* then never null, true, a number */
	/* list and map: the members in their order, count of them */
	struct ynode *first, *last;
	unsigned count;
	/* a member */
	struct ynode *next;
	const char *key; /* in a map; else NULL */
	unsigned key_line, key_column;
};

struct ydoc;
/* 0 and *out, or -1 and one mistake. An empty document has root NULL. */
int ydoc_parse(struct ydoc **out, const char *text, size_t len,
    struct mistakes *);
void ydoc_free(struct ydoc *); /* NULL is fine */
const struct ynode *ydoc_root(const struct ydoc *);

/* By key; NULL: not there, or not a map. */
const struct ynode *ynode_get(const struct ynode *map, const char *key);
bool ynode_null(const struct ynode *); /* NULL, empty, ~ or null */

/*
 * Readers: true and a value, or false and a mistake at the node's place. what
 * names the value for the person ("limits.memory").
 */
bool ynode_is_map(const struct ynode *, const char *what, struct mistakes *);
bool ynode_is_list(const struct ynode *, const char *what, struct mistakes *);
/* Every key is one of known; each other one is a mistake (false). */
bool ynode_known(const struct ynode *map, const char *const *known, size_t n,
    struct mistakes *);
/* The two halves of it, for one member of a map. */
bool ynode_key_in(const struct ynode *member, const char *const *known,
    size_t n);
void ynode_unknown(const struct ynode *member, const char *const *known,
    size_t n, struct mistakes *);
bool ynode_text(const struct ynode *, const char *what, size_t min, size_t max,
    const char **, struct mistakes *);
bool ynode_bool(const struct ynode *, const char *what, bool *,
    struct mistakes *);
bool ynode_int(const struct ynode *, const char *what, int64_t min,
    int64_t max, int64_t *, struct mistakes *);
/* A word of a list: its index. */
bool ynode_word(const struct ynode *, const char *what,
    const char *const *words, size_t n, unsigned *, struct mistakes *);
/* units.h; bounds as given, said in the mistake. */
bool ynode_size(const struct ynode *, const char *what, uint64_t min,
    uint64_t max, uint64_t *, struct mistakes *);
bool ynode_time_ms(const struct ynode *, const char *what, uint64_t min,
    uint64_t max, uint64_t *, struct mistakes *);
bool ynode_cpu_milli(const struct ynode *, const char *what, uint32_t *,
    struct mistakes *);

#endif
