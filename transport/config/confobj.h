/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_CONFOBJ_H
#define WARREN_TRANSPORT_CONFIG_CONFOBJ_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mistake.h"
#include "common/util.h"

/*
 * The grammar of Reticulum's `config` (ConfigObj; reticulum-transport.md 11.2):
 * text in, a tree of sections and entries out. No files, no globals. The tree
 * and every string handed out live as long as the struct confobj.
 */
#define CONF_TEXT_MAX (1u << 20) /* ours: bytes of a file */
#define CONF_DEPTH_MAX 8         /* ours: nesting; Reticulum uses 3 */
#define CONF_VALUE_MAX 65536u    /* ours: bytes of one interpolated value */

struct conf_entry {
	TAILQ_ENTRY(conf_entry) link;
	const char *key;
	unsigned line;
	unsigned column;     /* of the key; characters, from 1 */
	unsigned value_at;   /* the column of the value */
	bool list;           /* had an unquoted comma */
	unsigned n;          /* values; 1 unless list */
	const char **values; /* before interpolation */
	bool used;           /* the reader's mark */
};

struct conf_section {
	TAILQ_ENTRY(conf_section) link;
	TAILQ_HEAD(conf_sections, conf_section) sections;
	TAILQ_HEAD(conf_entries, conf_entry) entries;
	struct conf_section *parent; /* NULL: the root */
	const char *name;
	unsigned line;
	unsigned column;
	unsigned depth; /* 0: the root */
	/*
	 * Its line is none of a section, or the name is there already: it has
	 * no keys, and conf_section() passes over it.
	 */
	bool broken;
};

struct confobj;

/*
 * 0 and *out, or -1 and every mistake: a line that is no comment, section or
 * entry; a name twice in one section; wrong nesting; not UTF-8; too long; no
 * memory. *out is then what could be read, for the mistakes in that, or NULL. A
 * mistake that is one of the file as a whole has no line, or confobj_cut().
 */
int confobj_parse(struct confobj **out, const char *text, size_t len,
    struct mistakes *);
void confobj_free(struct confobj *); /* NULL is fine */
struct conf_section *confobj_root(struct confobj *);
/* A mistake has ended the reading: what lies behind it is not known. */
bool confobj_cut(const struct confobj *);

/* By exact name; NULL: not there. */
struct conf_section *conf_section(const struct conf_section *, const char *);
struct conf_entry *conf_entry(const struct conf_section *, const char *);
/* The section that a line lies in, below `in` or `in` itself. */
const struct conf_section *conf_around(const struct conf_section *in,
    unsigned line);
/* The column of what stands in a line: the value, or key, or section; or 1. */
unsigned conf_column(const struct conf_section *root, unsigned line,
    bool value);
/*
 * The i-th value of an entry of sec, `%(key)s` replaced. NULL and a mistake:
 * the key is not there, replaces itself, is a list, or the result is too long.
 */
const char *conf_value(struct confobj *, const struct conf_section *sec,
    const struct conf_entry *, unsigned i, struct mistakes *);
/* A copy that lives as long as the tree, of NULL: zeros. NULL: no memory. */
char *conf_keep(struct confobj *, const char *, size_t n);

#endif
