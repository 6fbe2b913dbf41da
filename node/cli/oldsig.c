/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/oldsig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/format.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/say.h"
#include "node/cli/verbs.h"
#include "trust/doc/envelope.h"
#include "trust/doc/revlist.h"
#include "trust/doc/root.h"

bool
oldsig_option(struct oldsig *o, int option, const char *value)
{
	if (option == OPT_LIST)
		o->list = value;
	else if (option == OPT_ROOT)
		o->root = value;
	else
		return false;
	return true;
}

/* The list of an authority: NULL, or why it is not its list. */
static const char *
take_list(struct revset *set, const struct root *r, const char *text,
    size_t len)
{
	static struct revlist l;
	const char *why = NULL;
	struct klpdoc d = {.dated = false};
	const struct root_role *role = NULL;
	struct env e;

	if (env_parse(&e, text, len, 2 * REVLIST_BYTES, REVLIST_BYTES, &why) <
	    0)
		return why;
	/* any list of its: which one a reader has asked for is not ours */
	for (unsigned i = 0; i < r->ndocs && role == NULL; i++)
		if (strcmp(r->docs[i].type, REVLIST_TYPE) == 0 &&
		    root_signed(r, &r->roles[r->docs[i].role], &e,
			TYPE_REVLIST))
			role = &r->roles[r->docs[i].role];
	if (role == NULL)
		why = "not signed as the root asks for of a revocation list";
	else if ((why = revlist_parse(&l, e.payload, e.payload_len)) == NULL) {
		(void)snprintf(d.name, sizeof(d.name), "%s", l.uri);
		why = "a list of another authority, or of another path";
		for (unsigned i = 0; i < r->ndocs; i++)
			if (&r->roles[r->docs[i].role] == role &&
			    klpdoc_at(&d, r->authority, r->docs[i].path))
				why = NULL;
		if (why == NULL && revset_add(set, l.e, l.n) < 0)
			why = "memory";
		revlist_clear(&l);
	}
	env_clear(&e);
	return why;
}

static const char *
take_self(struct revset *set, const struct klp_key *key, const char *text,
    size_t len)
{
	struct rev_entry e = {.kind = REV_KEY};
	struct selfrev s;
	const char *why = selfrev_parse(&s, text, len);
	struct fp fp;

	if (why != NULL)
		return why;
	key_fp(&fp, key);
	if (!fp_eq(&fp, &s.fp))
		return NULL; /* of somebody else */
	if (!selfrev_by(text, len, key))
		return "not signed by the key that it names";
	memcpy(e.id, HASH_BYTES(fp));
	e.reason = s.reason;
	e.revoked_at = s.issued;
	e.invalid_since = s.invalid_since;
	return revset_add(set, &e, 1) < 0 ? "memory" : NULL;
}

static int
load(struct cli *c, const struct oldsig *o, const struct klp_key *key,
    struct revset *set)
{
	static struct root r;
	const char *why;
	size_t len;
	char *text = klpfile_load(c, o->list, 2 * REVLIST_BYTES, &len);
	int rc = CLI_OK;

	if (text == NULL)
		return CLI_FAILED;
	if (len > 2 && memcmp(text, "KX", 2) == 0) {
		why = take_self(set, key, text, len);
	} else if (o->root == NULL) {
		cli_error(c, "--list: whose list is it? Say it with --root");
		rc = CLI_USAGE;
		why = NULL;
	} else if ((rc = klpfile_root(c, o->root, &r)) == CLI_OK) {
		why = take_list(set, &r, text, len);
	} else {
		why = NULL;
	}
	free(text);
	if (why == NULL)
		return rc;
	klpfile_bad(c, o->list, why);
	return CLI_FAILED;
}

int
oldsig_counts(struct cli *c, struct oldsig *o, const struct klp_key *key,
    uint32_t made, bool *counts)
{
	struct revset set = {0};
	const struct rev_entry *e;
	struct fp fp;
	char when[24];
	int rc;

	*counts = true;
	if (o->list == NULL)
		return CLI_OK;
	rc = load(c, o, key, &set);
	revset_sort(&set);
	key_fp(&fp, key);
	e = rc == CLI_OK ? revset_find(&set, REV_KEY, fp.b) : NULL;
	if (e != NULL) {
		*counts = revset_signature(&set, &fp, made);
		(void)snprintf(o->why, sizeof(o->why), "its key is %s (%s) "
		    "since %s", e->suspended ? "suspended" : "revoked",
		    rev_reason_name(e->reason), cli_time(when, e->revoked_at));
	}
	revset_clear(&set);
	return rc;
}
