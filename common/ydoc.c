/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/ydoc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/util.h"

struct ydoc {
	struct ynode *root;
};

struct build {
	yaml_parser_t parser;
	struct mistakes *m;
	unsigned nodes;
	struct ynode *stack[YDOC_DEPTH_MAX];
	unsigned depth;
	struct ynode *root;
	/* the key that waits for its value, in the map on top of the stack */
	char *key[YDOC_DEPTH_MAX + 1];
	unsigned key_line[YDOC_DEPTH_MAX + 1], key_column[YDOC_DEPTH_MAX + 1];
	bool done;
};

static void
free_tree(struct ynode *n)
{
	while (n != NULL) {
		struct ynode *next = n->next;

		free_tree(n->first); /* at most YDOC_DEPTH_MAX deep */
		free((void *)(uintptr_t)n->key);
		free((void *)(uintptr_t)n->text);
		free(n);
		n = next;
	}
}

void
ydoc_free(struct ydoc *d)
{
	if (d == NULL)
		return;
	free_tree(d->root);
	free(d);
}

const struct ynode *
ydoc_root(const struct ydoc *d)
{
	return d->root;
}

static char *
copy(const void *p, size_t n)
{
	char *s = malloc(n + 1);

	if (s == NULL)
		return NULL;
	memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

#define AT(mark) (unsigned)(mark).line + 1, (unsigned)(mark).column + 1

static bool
out_of_memory(struct build *b, yaml_mark_t at)
{
	mistake_add(b->m, AT(at), NULL, "out of memory");
	return false;
}

/* The scalar is the key of a member of the map on top. */
static bool
take_key(struct build *b, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct ynode *map = b->stack[b->depth - 1];
	yaml_mark_t at = ev->start_mark;
	const struct ynode *twin;

	if (len == 0 || len > 256 || memchr(text, '\0', len) != NULL) {
		mistake_add(b->m, AT(at), NULL,
		    "a key must have 1 to 256 characters");
		return false;
	}
	twin = ynode_get(map, text);
	if (twin != NULL) {
		mistake_add(b->m, AT(at), "keep one of the two",
		    "\"%s\" is here twice, first in line %u", text,
		    twin->key_line);
		return false;
	}
	b->key[b->depth] = copy(text, len);
	if (b->key[b->depth] == NULL)
		return out_of_memory(b, at);
	b->key_line[b->depth] = (unsigned)at.line + 1;
	b->key_column[b->depth] = (unsigned)at.column + 1;
	return true;
}

/* Hangs n, which becomes the tree's, into what is on top of the stack. */
static bool
hang(struct build *b, struct ynode *n, yaml_mark_t at)
{
	struct ynode *top;

	if (b->depth == 0) {
		b->root = n;
		return true;
	}
	top = b->stack[b->depth - 1];
	if (top->kind == YNODE_MAP) {
		n->key = b->key[b->depth];
		n->key_line = b->key_line[b->depth];
		n->key_column = b->key_column[b->depth];
		b->key[b->depth] = NULL;
	}
	if (top->last != NULL)
		top->last->next = n;
	else
		top->first = n;
	top->last = n;
	if (++top->count > YDOC_KEYS_MAX && top->kind == YNODE_MAP) {
		mistake_add(b->m, AT(at), NULL, "more than %u keys",
		    YDOC_KEYS_MAX);
		return false;
	}
	return true;
}

static struct ynode *
new_node(struct build *b, enum ynode_kind kind, yaml_mark_t at)
{
	struct ynode *n;

	if (++b->nodes > YDOC_NODES_MAX) {
		mistake_add(b->m, AT(at), NULL, "more than %u values",
		    YDOC_NODES_MAX);
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (n == NULL) {
		(void)out_of_memory(b, at);
		return NULL;
	}
	n->kind = kind;
	n->line = (unsigned)at.line + 1;
	n->column = (unsigned)at.column + 1;
	if (!hang(b, n, at)) /* it hangs, so the tree frees it */
		return NULL;
	return n;
}

static bool
wants_key(const struct build *b)
{
	return b->depth > 0 && b->stack[b->depth - 1]->kind == YNODE_MAP &&
	    b->key[b->depth] == NULL;
}

static bool
on_scalar(struct build *b, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct ynode *n;

	if (ev->data.scalar.anchor != NULL || ev->data.scalar.tag != NULL) {
		mistake_add(b->m, AT(ev->start_mark), "write the value out",
		    "anchors (&) and tags (!) are not allowed");
		return false;
	}
	if (wants_key(b))
		return take_key(b, ev);
	if (memchr(text, '\0', len) != NULL) {
		mistake_add(b->m, AT(ev->start_mark), NULL,
		    "a value holds a NUL");
		return false;
	}
	n = new_node(b, YNODE_SCALAR, ev->start_mark);
	if (n == NULL)
		return false;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = copy(text, len);
	n->len = len;
	return n->text != NULL || out_of_memory(b, ev->start_mark);
}

static bool
on_open(struct build *b, const yaml_event_t *ev, enum ynode_kind kind,
    const void *anchor, const void *tag)
{
	struct ynode *n;

	if (anchor != NULL || tag != NULL) {
		mistake_add(b->m, AT(ev->start_mark), "write the value out",
		    "anchors (&) and tags (!) are not allowed");
		return false;
	}
	if (wants_key(b)) {
		mistake_add(b->m, AT(ev->start_mark), NULL,
		    "a key must be a word");
		return false;
	}
	if (b->depth == YDOC_DEPTH_MAX) {
		mistake_add(b->m, AT(ev->start_mark), NULL,
		    "nested more than %u deep", YDOC_DEPTH_MAX);
		return false;
	}
	n = new_node(b, kind, ev->start_mark);
	if (n == NULL)
		return false;
	b->stack[b->depth++] = n;
	return true;
}

static bool
on_event(struct build *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(b, ev, YNODE_LIST,
		    ev->data.sequence_start.anchor,
		    ev->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, ev, YNODE_MAP, ev->data.mapping_start.anchor,
		    ev->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		mistake_add(b->m, AT(ev->start_mark), "write the value out",
		    "aliases (*) are not allowed");
		return false;
	case YAML_DOCUMENT_START_EVENT:
		if (b->root == NULL)
			return true;
		mistake_add(b->m, AT(ev->start_mark), "remove the ---",
		    "a second document");
		return false;
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return true;
	default:
		return true;
	}
}

/* What people wrote when the parser says so. */
static const char *
parser_hint(const yaml_parser_t *p, const char *text, size_t len)
{
	static const struct {
		const char *problem, *hint;
	} known[] = {
	    {"mapping values are not allowed",
		"keys of one map are indented alike, with a space behind each "
		"colon; a value that holds \": \" belongs into quotes"},
	    {"did not find expected <document start>",
		"keys of one map are indented alike"},
	    {"could not find expected ':'", "\": \" belongs behind a key"},
	    {"did not find expected key",
		"keys of one map are indented alike; a value that begins or "
		"ends with a quote has both"},
	    {"did not find expected '-'",
		"the items of one list are indented alike"},
	    {"did not find expected ',' or",
		"a list in one line is [a, b], a map {a: 1, b: 2}"},
	    {"found unexpected end of stream", "a quote does not end"},
	    {"unknown escape", "in single quotes a \\ is a \\"},
	};

	if (p->problem == NULL)
		return NULL;
	if (p->problem_mark.index < len && text[p->problem_mark.index] == '\t')
		return "a tab: indent with spaces";
	for (size_t i = 0; i < NELEM(known); i++)
		if (strncmp(p->problem, known[i].problem,
			strlen(known[i].problem)) == 0)
			return known[i].hint;
	return strncmp(p->problem, "found character that cannot start",
		   33) == 0 ? "put the value into quotes" : NULL;
}

static void
parser_mistake(struct build *b, const char *text, size_t len)
{
	const yaml_parser_t *p = &b->parser;
	yaml_mark_t at = p->problem_mark;

	if (p->error == YAML_READER_ERROR) { /* it has an offset, no mark */
		unsigned line = 1;

		for (size_t i = 0; i < MIN_OF(p->problem_offset, len); i++)
			line += text[i] == '\n';
		mistake_add(b->m, line, 1, NULL, "%s", p->problem);
		return;
	}
	/* a quote that does not end is where it begins, not at the end */
	if (p->problem != NULL && p->context != NULL &&
	    strncmp(p->problem, "found unexpected end", 20) == 0)
		at = p->context_mark;
	mistake_add(b->m, AT(at), parser_hint(p, text, len),
	    "%s%s%s", p->problem != NULL ? p->problem : "not YAML",
	    p->context != NULL ? ", " : "",
	    p->context != NULL ? p->context : "");
}

static bool
run(struct build *b, const char *text, size_t len)
{
	while (!b->done) {
		yaml_event_t ev;
		bool ok;

		if (!yaml_parser_parse(&b->parser, &ev)) {
			parser_mistake(b, text, len);
			return false;
		}
		ok = on_event(b, &ev);
		yaml_event_delete(&ev);
		if (!ok)
			return false;
	}
	return true;
}

int
ydoc_parse(struct ydoc **out, const char *text, size_t len, struct mistakes *m)
{
	struct build b = {.m = m};
	struct ydoc *d;
	unsigned line;
	bool ok;

	/* some editors put it there; libyaml takes it for text */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len > YDOC_BYTES_MAX) {
		mistake_add(m, 0, 0, NULL, "larger than 256 kB");
		return -1;
	}
	if ((line = mistake_utf8(text, len)) != 0) {
		mistake_add(m, line, 1, "save it as UTF-8", "not UTF-8");
		return -1;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL || !yaml_parser_initialize(&b.parser)) {
		free(d);
		mistake_add(m, 0, 0, NULL, "out of memory");
		return -1;
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &b.parser, (const unsigned char *)text, len);
	ok = run(&b, text, len);
	yaml_parser_delete(&b.parser);
	for (size_t i = 0; i < NELEM(b.key); i++)
		free(b.key[i]);
	d->root = b.root;
	if (!ok) {
		ydoc_free(d);
		return -1;
	}
	*out = d;
	return 0;
}
