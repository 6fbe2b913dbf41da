/* SPDX-License-Identifier: BSD-2-Clause */
/* warren trust why ID; warren trust show */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/trust.h"
#include "node/cli/verb.h"
#include "trust/doc/keytext.h"

#define POLL_MS 20
#define POLLS 250 /* 5 s */

struct why {
	const char *scope;
	char id[2 * FP_LEN + 1];
	json_t *last;
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	(void)c;
	(void)option; /* there is one */
	((struct why *)ctx)->scope = value;
	return true;
}

static bool
keep(void *arg, const json_t *o)
{
	struct why *w = arg;

	json_decref(w->last);
	w->last = json_deep_copy(o);
	return true;
}

/* A key in any of its forms, a fingerprint, or a Reticulum identity hash. */
static bool
parse_id(struct cli *c, struct why *w, const char *text)
{
	uint8_t raw[FP_LEN];
	size_t n = strlen(text);
	struct fp fp;

	if (ident_parse(&fp, text, n)) {
		hex_encode(w->id, HASH_BYTES(fp));
		return true;
	}
	if ((n == 2 * FP_LEN && hex_decode(raw, FP_LEN, text, n)) ||
	    (n == 2 * RNS_HASH_LEN && hex_decode(raw, RNS_HASH_LEN, text, n))) {
		hex_encode(w->id, raw, n / 2);
		return true;
	}
	cli_error(c, "%s: no URN, no key, no fingerprint and no Reticulum "
		     "identity", text);
	return false;
}

/* From an anchor, edge by edge, to the one that was asked about. */
static void
print_path(size_t i, const json_t *path)
{
	char until[24];

	printf("path %-6zu %.16s\n", i + 1,
	    ask_text(json_array_get(path, 0), "source"));
	for (size_t h = 0; h < json_array_size(path); h++) {
		const json_t *e = json_array_get(path, h);

		printf("  %+lld -> %.16s  confidence %lld.%03lld, by now "
		       "%lld.%03lld, until %s\n",
		    ask_int(e, "level"), ask_text(e, "target"),
		    ask_int(e, "confidence") / 1000,
		    ask_int(e, "confidence") % 1000, ask_int(e, "left") / 1000,
		    ask_int(e, "left") % 1000,
		    cli_time(until, ask_int(e, "expires")));
	}
}

static void
print_why(struct cli *c, const struct why *w)
{
	const json_t *o = w->last, *paths = json_object_get(o, "paths");
	char until[24];

	if (c->json) {
		cli_json(json_deep_copy(o));
		return;
	}
	if (ask_text(o, "fp")[0] != '\0')
		printf("key         %s\n", ask_text(o, "fp"));
	if (ask_text(o, "rns")[0] != '\0')
		printf("reticulum   %s\n", ask_text(o, "rns"));
	printf("level       %s%lld\n", ask_int(o, "level") > 0 ? "+" : "",
	    ask_int(o, "level"));
	printf("because     %s\n", ask_text(o, "why"));
	if (ask_text(o, "jobs")[0] != '\0')
		printf("no jobs     %s\n", ask_text(o, "jobs"));
	printf("holds until %s\n", cli_time(until, ask_int(o, "valid_until")));
	for (size_t i = 0; i < json_array_size(paths); i++)
		print_path(i, json_array_get(paths, i));
}

/* Until the answer is there; CLI_OK with it in w->last, or said. */
static int
ask_why(struct cli *c, struct why *w)
{
	const struct timespec pause = {0, POLL_MS * 1000000L};
	int rc = CLI_OK;

	for (int i = 0; i < POLLS && rc == CLI_OK; i++) {
		rc = ask(c, ASK_NODE, json_pack("{s:s,s:s,s:s}", "verb", "why",
			"id", w->id, "scope", w->scope), keep, w);
		if (rc == CLI_OK &&
		    !json_is_true(json_object_get(w->last, "pending")))
			return CLI_OK;
		(void)nanosleep(&pause, NULL);
	}
	if (rc != CLI_OK)
		return rc;
	cli_error(c, "warren-trust does not answer");
	cli_hint(c, "`warren status` tells how it is.");
	return CLI_FAILED;
}

json_t *
trust_why(struct cli *c, const char *id)
{
	struct why w = {.scope = "job.submit"};

	(void)snprintf(w.id, sizeof(w.id), "%s", id);
	if (ask_why(c, &w) == CLI_OK)
		return w.last;
	json_decref(w.last);
	return NULL;
}

int
verb_trust_why(struct cli *c, int argc, char **argv)
{
	struct why w = {.scope = "job.submit"};
	int rc = cli_options(c, VERB_TRUST_WHY, argc, argv, set, &w);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (!parse_id(c, &w, argv[c->arg]))
		return CLI_USAGE;
	if ((rc = ask_why(c, &w)) == CLI_OK)
		print_why(c, &w);
	json_decref(w.last);
	return rc;
}

/* ---- what the authorities say ---- */

struct show {
	json_t *documents;
};

static bool
keep_documents(void *arg, const json_t *o)
{
	struct show *s = arg;

	s->documents = json_deep_copy(json_object_get(o, "documents"));
	return true;
}

static void
add_row(struct cli_table *t, const json_t *d)
{
	char version[24], root[24], entries[24], until[24], checked[24] = "";
	/* of one that never came nothing has expired */
	const char *is = ask_int(d, "version") > 0 ? ask_text(d, "fresh") :
	    "missing";
	const char *row[] = {ask_text(d, "authority"), ask_text(d, "path"), version,
	    is, until, entries, root, ask_text(d, "held"),
	    checked, ask_text(d, "from"), ask_text(d, "failed")};

	(void)snprintf(version, sizeof(version), "%lld", ask_int(d, "version"));
	(void)snprintf(root, sizeof(root), "%lld", ask_int(d, "root"));
	(void)snprintf(entries, sizeof(entries), "%lld", ask_int(d, "entries"));
	(void)cli_time(until, ask_int(d, "expires"));
	if (ask_int(d, "checked") > 0)
		(void)cli_time(checked, ask_int(d, "checked"));
	cli_table_row(t, row);
	cli_table_colour(t, 3, strcmp(ask_text(d, "fresh"), "fresh") == 0
	    ? COLOUR_GOOD : COLOUR_BAD);
}

int
verb_trust_show(struct cli *c, int argc, char **argv)
{
	static const struct cli_column columns[] = {{"AUTHORITY", COL_CUT},
	    {"DOCUMENT", COL_CUT}, {"VERSION", COL_RIGHT}, {"IS", 0},
	    {"UNTIL", COL_DROP}, {"ENTRIES", COL_RIGHT}, {"ROOT", COL_WIDE},
	    {"WAITS", COL_SPARSE | COL_CUT}, {"LOOKED AT", COL_DROP},
	    {"IN", COL_DROP | COL_CUT}, {"FAILS", COL_SPARSE | COL_CUT}};
	struct show s = {.documents = NULL};
	struct cli_table *t;
	int rc = cli_options(c, VERB_TRUST_SHOW, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = ask(c, ASK_NODE, json_pack("{s:s}", "verb", "trust"),
	    keep_documents, &s);
	if (rc == CLI_OK && c->json) {
		cli_json(json_pack("{s:O}", "documents", s.documents));
	} else if (rc == CLI_OK && json_array_size(s.documents) == 0) {
		cli_note(c, "no authority counts here: node.yaml names none, "
			    "or none is pinned in klp/authorities/");
	} else if (rc == CLI_OK &&
	    (t = cli_table_new(c, columns)) != NULL) {
		for (size_t i = 0; i < json_array_size(s.documents); i++)
			add_row(t, json_array_get(s.documents, i));
		cli_table_print(t);
	}
	json_decref(s.documents);
	return rc;
}
