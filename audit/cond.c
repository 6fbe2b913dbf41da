/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/cond.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/mistake.h"
#include "common/util.h"

#define NAMES_LOOKED_AT 32

enum op {
	OP_OR,
	OP_AND,
	OP_NOT,
	OP_IS, /* a field of truth, by itself */
	OP_EXISTS,
	OP_EQ,
	OP_NE,
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_CONTAINS,
	OP_STARTS,
	OP_ENDS,
	OP_IN,
	OP_WORD,
};

/* ---- fields ---- */

enum kind { TRUTH, NUMBER, TEXT };

struct value {
	bool there;
	int64_t number; /* and of a truth: 0 or 1 */
	const char *text;
	char room[EVENT_PATH];
};

#define FIELD_CALL 0 /* evt.type, the first of them */
/* F(name, kind, there, value) */
#define MAPS(e) ((e)->type == REC_MEMORY)
#define NAMED(e) ((e)->path[0] != '\0')
#define IS_DEVICE(e) (S_ISCHR((e)->mode) || S_ISBLK((e)->mode))
#define OVER(e) ((e)->type == REC_EXIT)
#define FIELDS(F)                                                              \
	F("evt.type", TEXT, true, e->call)                                     \
	F("evt.res", TEXT, true, event_result(e))                              \
	F("evt.failed", TRUTH, true, e->ret < 0 && e->ret >= -4095)            \
	F("evt.is_open_write", TRUTH, true, e->write && opens(e))              \
	F("evt.is_write", TRUTH, true, e->write)                               \
	F("fd.name", TEXT, NAMED(e), e->path)                                  \
	F("fd.filename", TEXT, NAMED(e), event_leaf(e))                        \
	F("fd.directory", TEXT, NAMED(e), folder(v, e))                        \
	F("fd.fs", TEXT, e->magic != 0, event_fs(e))                           \
	F("fd.dev", TEXT, IS_DEVICE(e), device(v, e))                          \
	F("fd.cut", TRUTH, true, e->cut)                                       \
	F("proc.name", TEXT, true, e->comm)                                    \
	F("proc.pid", NUMBER, true, e->pid)                                    \
	F("proc.exepath", TEXT, e->type == REC_EXEC, e->path)                  \
	F("proc.is_exe_from_memfd", TRUTH, true, e->type == REC_EXEC &&        \
	    e->memfd)                                                          \
	F("proc.is_exe_deleted", TRUTH, true, e->type == REC_EXEC &&           \
	    e->deleted)                                                        \
	F("proc.signal", NUMBER, OVER(e) && WIFSIGNALED((int)e->code),         \
	    WTERMSIG((int)e->code))                                            \
	F("proc.exitcode", NUMBER, OVER(e) && WIFEXITED((int)e->code),         \
	    WEXITSTATUS((int)e->code))                                         \
	F("proc.oom", TRUTH, true, e->oom)                                     \
	F("mem.anon", TRUTH, true, MAPS(e) && (e->what & MEM_ANON) != 0)       \
	F("mem.writable", TRUTH, true, MAPS(e) && (e->what & MEM_WRITE) != 0)  \
	F("mem.written", TRUTH, true, MAPS(e) && (e->what & MEM_WRITTEN) != 0) \
	F("mem.unknown", TRUTH, true, MAPS(e) && (e->what & MEM_UNKNOWN) != 0) \
	F("mem.deleted", TRUTH, true, MAPS(e) && e->deleted)                   \
	F("cred.changed", TRUTH, true, e->changed)                             \
	F("cred.asked", TRUTH, true, e->asked)                                 \
	F("cpu.burst", NUMBER, j->burst_s > 0, j->burst_s)

static const struct {
	const char *name;
	enum kind kind;
} fields[] = {
#define F(name, kind, there, value) {name, kind},
    FIELDS(F)
#undef F
};

static bool
opens(const struct watch_event *e)
{
	return strncmp(e->call, "open", 4) == 0 ||
	    strcmp(e->call, "creat") == 0;
}

static const char *
folder(struct value *v, const struct watch_event *e)
{
	size_t n = (size_t)(event_leaf(e) - e->path);

	/* "/" is its own folder's name, others lose their slash */
	if (n > 1)
		n--;
	memcpy(v->room, e->path, n);
	v->room[n] = '\0';
	return v->room;
}

static const char *
device(struct value *v, const struct watch_event *e)
{
	(void)snprintf(v->room, sizeof(v->room), "%u:%u", e->major, e->minor);
	return v->room;
}

#define SET_TEXT(x) v->text = (const char *)(uintptr_t)(x)
#define SET_NUMBER(x) v->number = (int64_t)(intptr_t)(x)
#define SET_TRUTH(x) v->number = (x) ? 1 : 0

static void
get(struct value *v, unsigned field, const struct watch_event *e,
    const struct cond_job *j)
{
	unsigned i = 0;

	v->there = false;
#define F(name, kind, is_there, value)                                         \
	if (field == i++) {                                                    \
		v->there = (is_there);                                         \
		if (v->there) {                                                \
			SET_##kind(value);                                     \
		}                                                              \
		return;                                                        \
	}
	FIELDS(F)
#undef F
}

const char *
cond_unknown(const struct cond *c)
{
	const char *near;

	for (int16_t i = 0; i < c->n; i++) {
		const struct cond_node *n = &c->node[i];
		int16_t w = n->op == OP_IN ? n->left : i;
		int16_t end = n->op == OP_IN ? n->right : (int16_t)(i + 1);

		if (n->field != FIELD_CALL ||
		    (n->op != OP_EQ && n->op != OP_NE && n->op != OP_IN))
			continue;
		for (; w < end; w++)
			if (!event_call_known(c->text + c->node[w].word, &near))
				return c->text + c->node[w].word;
	}
	return NULL;
}

const char *
cond_field(unsigned i)
{
	return i < NELEM(fields) ? fields[i].name : NULL;
}

/* ---- reading ---- */

struct reading {
	struct cond *c;
	const char *text, *at;
	const struct cond_list *lists;
	size_t nlists;
	unsigned depth;
	char *why;
	const char *bad; /* where */
};

static int16_t disjunction(struct reading *);

static int16_t
fail(struct reading *r, const char *at, const char *fmt, const char *arg)
{
	if (r->bad == NULL) {
		r->bad = at;
		(void)snprintf(r->why, COND_WHY, fmt, arg);
	}
	return -1;
}

static void
skip(struct reading *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

static bool
in_word(char c)
{
	return c != '\0' && !isspace((unsigned char)c) &&
	    strchr("()=!<>,\"'", c) == NULL;
}

/* A word that is next, and only as a whole. */
static bool
take(struct reading *r, const char *word)
{
	size_t n = strlen(word);

	skip(r);
	if (strncmp(r->at, word, n) != 0 ||
	    (in_word(word[n - 1]) && in_word(r->at[n])))
		return false;
	r->at += n;
	return true;
}

static int16_t
node(struct reading *r, enum op op)
{
	struct cond *c = r->c;

	if (c->n >= COND_NODES)
		return fail(r, r->at, "%s", "the condition is too long");
	c->node[c->n] = (struct cond_node){.op = (uint8_t)op, .left = -1,
	    .right = -1};
	return c->n++;
}

static bool
set_word(struct reading *r, int16_t i, const char *p, size_t n)
{
	struct cond *c = r->c;
	char *end, *to = c->text + c->ntext;

	if (n + 1 > COND_TEXT - c->ntext) {
		(void)fail(r, r->at, "%s", "the condition is too long");
		return false;
	}
	memcpy(to, p, n);
	to[n] = '\0';
	c->ntext += n + 1;
	c->node[i].word = (uint16_t)(to - c->text);
	c->node[i].number = strtoll(to, &end, 10);
	c->node[i].is_number = n > 0 && n < 19 && *end == '\0';
	return true;
}

/* A word or a quoted text. */
static bool
word(struct reading *r, int16_t i)
{
	const char *start, *end;

	skip(r);
	start = r->at;
	if (*start == '"' || *start == '\'') {
		end = strchr(start + 1, *start);
		if (end == NULL) {
			(void)fail(r, start, "%s", "a quote without its end");
			return false;
		}
		r->at = end + 1;
		return set_word(r, i, start + 1, (size_t)(end - start - 1));
	}
	while (in_word(*r->at))
		r->at++;
	if (r->at == start) {
		(void)fail(r, start, "%s", "a value is missing here");
		return false;
	}
	return set_word(r, i, start, (size_t)(r->at - start));
}

static bool
put_list(struct reading *r, const char *name, size_t n)
{
	for (size_t k = 0; k < r->nlists; k++) {
		const struct cond_list *l = &r->lists[k];

		if (strlen(l->name) != n || memcmp(l->name, name, n) != 0)
			continue;
		for (unsigned w = 0; w < l->n; w++) {
			int16_t i = node(r, OP_WORD);

			if (i < 0 || !set_word(r, i, l->words[w],
				strlen(l->words[w])))
				return false;
		}
		return true;
	}
	return false;
}

/* A word that is all but the name of a list, without quotes. */
static bool
misnamed(struct reading *r, const char *name, size_t n)
{
	const char *names[NAMES_LOOKED_AT], *near;
	char said[64];
	size_t k;

	if (n >= sizeof(said) || memchr(name, '_', n) == NULL)
		return false;
	(void)snprintf(said, sizeof(said), "%.*s", (int)n, name);
	for (k = 0; k < r->nlists && k < NELEM(names); k++)
		names[k] = r->lists[k].name;
	if (event_call_known(said, &near) ||
	    (near = nearest_word(said, names, k)) == NULL)
		return false;
	(void)fail(r, name, "no such list; did you mean %s? (a text has "
	    "quotes)", near);
	return true;
}

/* ( word, list, ... ): nodes one behind the other */
static bool
words(struct reading *r, int16_t in)
{
	struct cond *c = r->c;
	int16_t i;

	if (!take(r, "(")) {
		(void)fail(r, r->at, "%s", "in wants a list: in (a, b)");
		return false;
	}
	c->node[in].left = c->n;
	do {
		const char *start;
		size_t n = 0;

		skip(r);
		start = r->at;
		while (in_word(start[n]))
			n++;
		if (n > 0 && put_list(r, start, n)) {
			r->at = start + n;
			continue;
		}
		if (r->bad != NULL || (n > 0 && misnamed(r, start, n)) ||
		    (i = node(r, OP_WORD)) < 0 || !word(r, i))
			return false;
	} while (take(r, ","));
	c->node[in].right = c->n;
	if (take(r, ")"))
		return true;
	(void)fail(r, r->at, "%s", "a comma or ) is missing here");
	return false;
}

static const struct {
	const char *word;
	enum op op;
	unsigned kinds; /* that it compares: bits */
} ops[] = {{"!=", OP_NE, 6}, {"<=", OP_LE, 2}, {">=", OP_GE, 2},
    {"=", OP_EQ, 7}, {"<", OP_LT, 2}, {">", OP_GT, 2},
    {"contains", OP_CONTAINS, 4}, {"startswith", OP_STARTS, 4},
    {"endswith", OP_ENDS, 4}, {"in", OP_IN, 6}, {"exists", OP_EXISTS, 6}};

static bool
field_of(struct reading *r, uint8_t *out)
{
	const char *names[NELEM(fields)], *near;
	char said[64];
	size_t n = 0;

	skip(r);
	while (in_word(r->at[n]))
		n++;
	for (size_t i = 0; i < NELEM(fields); i++) {
		names[i] = fields[i].name;
		if (strlen(names[i]) == n && memcmp(names[i], r->at, n) == 0) {
			*out = (uint8_t)i;
			r->at += n;
			return true;
		}
	}
	if (n == 0) {
		(void)fail(r, r->at, "%s", "a field is missing here");
		return false;
	}
	(void)snprintf(said, sizeof(said), "%.*s", (int)MIN_OF(n, 60u), r->at);
	near = nearest_word(said, names, NELEM(names));
	if (near != NULL)
		(void)fail(r, r->at, "no such field; did you mean %s?", near);
	else
		(void)fail(r, r->at, "no such field: %s", said);
	return false;
}

static int16_t
comparison(struct reading *r)
{
	const char *start;
	uint8_t field = 0;
	int16_t i;

	skip(r);
	start = r->at;
	if (!field_of(r, &field) || (i = node(r, OP_IS)) < 0)
		return -1;
	r->c->node[i].field = field;
	for (size_t k = 0; k < NELEM(ops); k++) {
		struct cond_node *n = &r->c->node[i];

		if (!take(r, ops[k].word))
			continue;
		if ((ops[k].kinds >> fields[field].kind & 1) == 0)
			return fail(r, start, "%s cannot be compared so",
			    fields[field].name);
		n->op = (uint8_t)ops[k].op;
		if (ops[k].op == OP_EXISTS)
			return i;
		if (ops[k].op == OP_IN)
			return words(r, i) ? i : -1;
		skip(r);
		start = r->at;
		if (!word(r, i))
			return -1;
		if (fields[field].kind == NUMBER && !n->is_number)
			return fail(r, start, "%s is a number",
			    fields[field].name);
		if (fields[field].kind == TRUTH) {
			const char *said = r->c->text + n->word;

			n->is_number = true;
			n->number = strcmp(said, "true") == 0;
			if (n->number == 0 && strcmp(said, "false") != 0)
				return fail(r, start, "%s is true or false",
				    fields[field].name);
		}
		return i;
	}
	if (fields[field].kind != TRUTH)
		return fail(r, r->at, "%s wants a comparison: =, in, "
		    "startswith, ...", fields[field].name);
	return i;
}

static int16_t
factor(struct reading *r)
{
	int16_t i, inner;

	if (r->depth >= COND_DEPTH)
		return fail(r, r->at, "%s", "too many brackets");
	r->depth++;
	if (take(r, "not")) {
		if ((i = node(r, OP_NOT)) < 0 || (inner = factor(r)) < 0)
			return -1;
		r->c->node[i].left = inner;
	} else if (take(r, "(")) {
		if ((i = disjunction(r)) < 0)
			return -1;
		if (!take(r, ")"))
			return fail(r, r->at, "%s", "and, or, or ) is missing "
			    "here");
	} else if ((i = comparison(r)) < 0) {
		return -1;
	}
	r->depth--;
	return i;
}

static int16_t
joined(struct reading *r, enum op op, const char *by,
    int16_t (*inner)(struct reading *))
{
	int16_t left = inner(r), right, i;

	while (left >= 0 && take(r, by)) {
		if ((i = node(r, op)) < 0 || (right = inner(r)) < 0)
			return -1;
		r->c->node[i].left = left;
		r->c->node[i].right = right;
		left = i;
	}
	return left;
}

static int16_t
conjunction(struct reading *r)
{
	return joined(r, OP_AND, "and", factor);
}

static int16_t
disjunction(struct reading *r)
{
	return joined(r, OP_OR, "or", conjunction);
}

int
cond_parse(struct cond *c, const char *text, const struct cond_list *lists,
    size_t nlists, size_t *at, char why[COND_WHY])
{
	struct reading r = {.c = c, .text = text, .at = text, .lists = lists,
	    .nlists = nlists, .why = why};

	memset(c, 0, sizeof(*c));
	c->root = disjunction(&r);
	skip(&r);
	if (c->root >= 0 && *r.at != '\0')
		(void)fail(&r, r.at, "%s", "and or or is missing here");
	if (r.bad == NULL)
		return 0;
	*at = (size_t)(r.bad - text);
	return -1;
}

/* ---- holding ---- */

static bool
text_has(const char *text, enum op op, const char *part)
{
	size_t len = strlen(text), want = strlen(part);

	if (op == OP_CONTAINS)
		return strstr(text, part) != NULL;
	if (want > len)
		return false;
	return memcmp(op == OP_STARTS ? text : text + len - want, part,
	    want) == 0;
}

static bool
one_of(const struct cond *c, const struct cond_node *n, const struct value *v)
{
	bool text = fields[n->field].kind == TEXT;

	for (int16_t i = n->left; i < n->right; i++) {
		const struct cond_node *w = &c->node[i];

		if (text && strcmp(v->text, c->text + w->word) == 0)
			return true;
		if (!text && w->is_number && w->number == v->number)
			return true;
	}
	return false;
}

static bool
compare(const struct cond *c, const struct cond_node *n,
    const struct watch_event *e, const struct cond_job *j)
{
	bool text = fields[n->field].kind == TEXT, same;
	const char *word = c->text + n->word;
	struct value v;

	get(&v, n->field, e, j);
	if (n->op == OP_EXISTS || !v.there)
		return v.there && n->op == OP_EXISTS;
	switch ((enum op)n->op) {
	case OP_IS:
		return v.number != 0;
	case OP_EQ:
	case OP_NE:
		same = text ? strcmp(v.text, word) == 0 :
		    v.number == n->number;
		return same == (n->op == OP_EQ);
	case OP_LT:
		return v.number < n->number;
	case OP_LE:
		return v.number <= n->number;
	case OP_GT:
		return v.number > n->number;
	case OP_GE:
		return v.number >= n->number;
	case OP_IN:
		return one_of(c, n, &v);
	default:
		return text_has(v.text, (enum op)n->op, word);
	}
}

/* As deep as it was read: joined() nests to the left, one node each. */
static bool
holds(const struct cond *c, int16_t i, const struct watch_event *e,
    const struct cond_job *j)
{
	const struct cond_node *n = &c->node[i];

	switch ((enum op)n->op) {
	case OP_OR:
		return holds(c, n->left, e, j) || holds(c, n->right, e, j);
	case OP_AND:
		return holds(c, n->left, e, j) && holds(c, n->right, e, j);
	case OP_NOT:
		return !holds(c, n->left, e, j);
	default:
		return compare(c, n, e, j);
	}
}

bool
cond_holds(const struct cond *c, const struct watch_event *e,
    const struct cond_job *j)
{
	return c->root >= 0 && holds(c, c->root, e, j);
}
