/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/rules.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "common/ydoc.h"

#define LISTS_MAX 32
#define LIST_WORDS 64

static const char *const actions[RULE_ACTIONS] = {[RULE_LOG] = "log",
    [RULE_KILL] = "kill", [RULE_FREEZE] = "freeze"};

/* Falco's, and which severity of klp.md 7 they are. */
static const char *const priorities[] = {"EMERGENCY", "ALERT", "CRITICAL",
    "ERROR", "WARNING", "NOTICE", "INFORMATIONAL", "DEBUG"};
static const uint8_t severities[] = {5, 5, 4, 4, 3, 2, 1, 1};

static const char *const rule_keys[] = {"rule", "desc", "condition", "action",
    "priority", "enabled"};
static const char *const list_keys[] = {"list", "items"};

struct lists {
	struct cond_list v[LISTS_MAX];
	const char *words[LISTS_MAX][LIST_WORDS];
	unsigned n;
};

struct job {
	struct rules *r;
	struct lists lists;
	struct mistakes *m;
	unsigned own; /* rules of the house, before the file */
};

const char *
rule_action_name(enum rule_action a)
{
	return a < RULE_ACTIONS ? actions[a] : "log";
}

static bool
name_ok(const char *s)
{
	if (!islower((unsigned char)*s))
		return false;
	for (; *s != '\0'; s++) {
		if (!islower((unsigned char)*s) &&
		    !isdigit((unsigned char)*s) && *s != '_')
			return false;
	}
	return true;
}

static bool
take_name(const struct ynode *n, const char *what, const char **out,
    struct mistakes *m)
{
	if (!ynode_text(n, what, 1, RULE_NAME, out, m))
		return false;
	if (name_ok(*out))
		return true;
	mistake_add(m, n->line, n->column, "such as write_boot",
	    "%s: a name is of a-z, 0-9 and _, and begins with a letter", what);
	return false;
}

/* ---- lists ---- */

static void
read_list(struct job *j, const struct ynode *map)
{
	const struct ynode *items = ynode_get(map, "items"), *w;
	struct lists *ls = &j->lists;
	const char *name;
	unsigned n = 0, k;

	if (!ynode_known(map, list_keys, NELEM(list_keys), j->m) ||
	    !take_name(ynode_get(map, "list"), "list", &name, j->m))
		return;
	if (items == NULL) {
		mistake_add(j->m, map->line, map->column, "items: [a, b]",
		    "a list without items");
		return;
	}
	if (!ynode_is_list(items, "items", j->m))
		return;
	for (k = 0; k < ls->n && strcmp(ls->v[k].name, name) != 0; k++)
		;
	if (k >= LISTS_MAX || items->count > LIST_WORDS) {
		mistake_add(j->m, map->line, map->column, NULL,
		    "more than %u lists, or more than %u items", LISTS_MAX,
		    LIST_WORDS);
		return;
	}
	for (w = items->first; w != NULL; w = w->next) {
		if (!ynode_text(w, "items", 1, 255, &ls->words[k][n], j->m))
			return;
		n++;
	}
	ls->v[k] = (struct cond_list){name, ls->words[k], n};
	if (k == ls->n)
		ls->n++;
	else
		j->r->relisted = true;
}

/* ---- rules ---- */

/* The place in the file of an offset into a text of one line. */
static void
bad_condition(struct job *j, const struct ynode *n, const char *text,
    size_t at, const char *why)
{
	mistake_add(j->m, n->line, n->column + (unsigned)at +
	    (n->quoted ? 1 : 0), "man warren-rules lists fields and words",
	    "condition: %s%s%.20s", why, text[at] != '\0' ? ", at " :
	    ", at its end", text + at);
}

static bool
condition(struct job *j, const struct ynode *n, struct cond *out)
{
	char why[COND_WHY];
	const char *text;
	size_t at = 0;

	if (!ynode_text(n, "condition", 1, COND_TEXT, &text, j->m))
		return false;
	if (cond_parse(out, text, j->lists.v, j->lists.n, &at, why) == 0)
		return true;
	bad_condition(j, n, text, at, why);
	return false;
}

static struct rule *
rule_named(struct job *j, const struct ynode *at, const char *name,
    bool *is_new)
{
	struct rules *r = j->r;

	*is_new = false;
	for (unsigned i = 0; i < r->n; i++) {
		if (strcmp(r->rule[i].name, name) == 0)
			return &r->rule[i];
	}
	if (r->n >= RULES_MAX) {
		mistake_add(j->m, at->line, at->column, NULL,
		    "more than %u rules", RULES_MAX);
		return NULL;
	}
	*is_new = true;
	memset(&r->rule[r->n], 0, sizeof(r->rule[0]));
	r->rule[r->n].enabled = true;
	r->rule[r->n].severity = 3;
	(void)snprintf(r->rule[r->n].name, sizeof(r->rule[0].name), "%s", name);
	return &r->rule[r->n];
}

/* What the file does not say stays as the rule of that name has it. */
static bool
fill(struct job *j, const struct ynode *map, struct rule *out)
{
	const struct ynode *n;
	const char *text;
	unsigned word;

	if ((n = ynode_get(map, "desc")) != NULL) {
		if (!ynode_text(n, "desc", 0, sizeof(out->desc) - 1, &text,
			j->m))
			return false;
		(void)snprintf(out->desc, sizeof(out->desc), "%s", text);
	}
	if ((n = ynode_get(map, "action")) != NULL) {
		if (!ynode_word(n, "action", actions, NELEM(actions), &word,
			j->m))
			return false;
		out->action = (enum rule_action)word;
	}
	if ((n = ynode_get(map, "priority")) != NULL) {
		if (!ynode_word(n, "priority", priorities, NELEM(priorities),
			&word, j->m))
			return false;
		out->severity = severities[word];
	}
	if ((n = ynode_get(map, "enabled")) != NULL &&
	    !ynode_bool(n, "enabled", &out->enabled, j->m))
		return false;
	n = ynode_get(map, "condition");
	if (n != NULL && j->own != RULES_MAX) {
		out->changed = true;
		out->line = n->line;
		out->column = n->column;
	}
	return n == NULL || condition(j, n, &out->cond);
}

static void
no_condition(struct job *j, const struct ynode *map, const char *name)
{
	const char *names[RULES_MAX], *near;
	char hint[160] = "only a rule of the house can be named without one";
	unsigned n = j->own < RULES_MAX ? j->own : 0;

	for (unsigned i = 0; i < n; i++)
		names[i] = j->r->rule[i].name;
	if ((near = nearest_word(name, names, n)) != NULL)
		(void)snprintf(hint, sizeof(hint), "did you mean \"%s\"? only "
		    "a rule of the house can be named without one", near);
	mistake_add(j->m, map->line, map->column, hint,
	    "rule %s has no condition", name);
}

static void
read_rule(struct job *j, const struct ynode *map)
{
	const char *name;
	struct rule *at, *copy;
	bool is_new, twice;

	if (!ynode_known(map, rule_keys, NELEM(rule_keys), j->m) ||
	    !take_name(ynode_get(map, "rule"), "rule", &name, j->m) ||
	    (at = rule_named(j, map, name, &is_new)) == NULL)
		return;
	twice = !is_new && (unsigned)(at - j->r->rule) >= j->own;
	if (twice) {
		mistake_add(j->m, map->line, map->column, NULL,
		    "rule %s is there already", name);
		return;
	}
	if (is_new && ynode_get(map, "condition") == NULL) {
		no_condition(j, map, name);
		return;
	}
	if ((copy = malloc(sizeof(*copy))) == NULL) {
		mistake_add(j->m, 0, 0, NULL, "no memory");
		return;
	}
	memcpy(copy, at, sizeof(*copy));
	if (fill(j, map, copy)) {
		memcpy(at, copy, sizeof(*at));
		j->r->n += is_new;
	}
	free(copy);
}

/* Lists first: the file may change one that a rule of the house names. */
static void
read_lists(struct job *j, const struct ynode *root)
{
	if (ynode_null(root) || !ynode_is_list(root, "rules.yaml", j->m))
		return;
	for (const struct ynode *n = root->first; n != NULL; n = n->next) {
		if (!ynode_is_map(n, "a rule", j->m))
			continue;
		if (ynode_get(n, "list") != NULL)
			read_list(j, n);
		else if (ynode_get(n, "rule") == NULL)
			mistake_add(j->m, n->line, n->column,
			    "- rule: NAME, or - list: NAME",
			    "neither a rule nor a list");
	}
}

static void
read_rules(struct job *j, const struct ynode *root)
{
	if (root == NULL || root->kind != YNODE_LIST)
		return;
	for (const struct ynode *n = root->first; n != NULL; n = n->next) {
		if (n->kind == YNODE_MAP && ynode_get(n, "list") == NULL &&
		    ynode_get(n, "rule") != NULL)
			read_rule(j, n);
	}
}

/* The house's, and the file's when there is one. */
static int
read_both(struct job *j, const char *text, size_t len)
{
	unsigned before = mistakes_count(j->m);
	struct ydoc *own = NULL, *file = NULL;

	j->r->n = 0;
	j->r->relisted = false;
	j->own = RULES_MAX;
	memset(&j->lists, 0, sizeof(j->lists));
	if (ydoc_parse(&own, rules_builtin, strlen(rules_builtin), j->m) == 0 &&
	    (text == NULL || ydoc_parse(&file, text, len, j->m) == 0)) {
		read_lists(j, ydoc_root(own));
		if (file != NULL)
			read_lists(j, ydoc_root(file));
		read_rules(j, ydoc_root(own));
		j->own = j->r->n;
		if (file != NULL)
			read_rules(j, ydoc_root(file));
	}
	ydoc_free(own);
	ydoc_free(file);
	return mistakes_count(j->m) == before ? 0 : -1;
}

int
rules_read(struct rules *r, const char *text, size_t len, struct mistakes *m)
{
	struct job *j = calloc(1, sizeof(*j));
	int rv = -1;

	r->n = 0;
	if (j == NULL || len > RULES_BYTES_MAX) {
		mistake_add(m, 0, 0, NULL, j == NULL ? "no memory" :
		    "larger than 64 KiB");
		text = NULL;
	}
	if (j == NULL)
		return -1;
	j->r = r;
	j->m = m;
	if (len <= RULES_BYTES_MAX)
		rv = read_both(j, text, len);
	if (rv < 0)
		(void)read_both(j, NULL, 0);
	free(j);
	return rv;
}

int
rules_match(const struct rules *r, unsigned from, const struct watch_event *e,
    const struct cond_job *j)
{
	for (unsigned i = from; i < r->n; i++) {
		if (r->rule[i].enabled && cond_holds(&r->rule[i].cond, e, j))
			return (int)i;
	}
	return -1;
}

uint32_t
rules_denied(const struct rules *r)
{
	static const struct {
		const char *name;
		uint32_t what;
		bool lists; /* it has some */
	} known[] = {{"write_proc", DENY_PROC, true},
	    {"write_dev", DENY_DEV, true}, {"write_boot", DENY_BOOT, false},
	    {"anonymous_exec", DENY_ANON, false},
	    {"write_then_exec", DENY_WX, false},
	    {"map_deleted", DENY_DELETED, false},
	    {"run_memory", DENY_RUN, false},
	    {"credentials_changed", DENY_CRED, false}};
	uint32_t what = 0;

	for (unsigned i = 0; i < r->n; i++) {
		const struct rule *at = &r->rule[i];

		if (!at->enabled || at->changed || at->action != RULE_KILL)
			continue;
		for (size_t k = 0; k < NELEM(known); k++) {
			if (strcmp(at->name, known[k].name) == 0 &&
			    (!known[k].lists || !r->relisted))
				what |= known[k].what;
		}
	}
	return what;
}
