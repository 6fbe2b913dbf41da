/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/nodediff.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

static const char *const sections[] = {"trust", "limits", "quotas", "klp",
    "integrity"};

/* NULL: not there. */
static bool
same(const struct ynode *a, const struct ynode *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == YNODE_SCALAR)
		return a->len == b->len && memcmp(a->text, b->text, a->len) ==
		    0 && a->quoted == b->quoted;
	if (a->kind == YNODE_MAP) {
		for (const struct ynode *c = a->first; c != NULL; c = c->next)
			if (!same(c, ynode_get(b, c->key)))
				return false;
		return true;
	}
	for (a = a->first, b = b->first; a != NULL; a = a->next, b = b->next)
		if (!same(a, b))
			return false;
	return true;
}

static void
diff(const struct ynode *was, const struct ynode *now, const char *in,
    node_diff_fn *fn, void *ctx);

static void
diff_key(const struct ynode *was, const struct ynode *now, const char *in,
    const char *key, node_diff_fn *fn, void *ctx)
{
	const struct ynode *a = ynode_get(was, key), *b = ynode_get(now, key);
	char name[160];

	if (same(a, b))
		return;
	for (size_t i = 0; in == NULL && i < NELEM(sections); i++) {
		if (strcmp(key, sections[i]) == 0) {
			diff(a, b, key, fn, ctx);
			return;
		}
	}
	(void)snprintf(name, sizeof(name), "%.60s%s%.80s", in == NULL ? "" :
		in, in == NULL ? "" : ".", key);
	fn(ctx, name);
}

static void
diff(const struct ynode *was, const struct ynode *now, const char *in,
    node_diff_fn *fn, void *ctx)
{
	const struct ynode *c;

	for (c = now == NULL || now->kind != YNODE_MAP ? NULL : now->first;
	    c != NULL; c = c->next)
		diff_key(was, now, in, c->key, fn, ctx);
	/* what was taken out */
	for (c = was == NULL || was->kind != YNODE_MAP ? NULL : was->first;
	    c != NULL; c = c->next)
		if (ynode_get(now, c->key) == NULL)
			diff_key(was, now, in, c->key, fn, ctx);
}

void
node_config_diff(const struct node_config *was, const struct node_config *now,
    node_diff_fn *fn, void *ctx)
{
	diff(ydoc_root(was->doc), ydoc_root(now->doc), NULL, fn, ctx);
}
