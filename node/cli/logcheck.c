/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/logcheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/cli/format.h"
#include "node/cli/klpfile.h"
#include "node/cli/logdir.h"
#include "node/cli/logseen.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "trust/doc/fingerprint.h"
#include "trust/doc/keytext.h"
#include "trust/doc/merkle.h"

#define AHEAD 300 /* s: klp.md 1.7 */

/* ---- options ---- */

static bool
key_of(struct cli *c, struct vkey *k, const char *value, uint8_t type,
    const char *what)
{
	if (vkey_parse(k, value, strlen(value)) && k->type == type)
		return true;
	cli_error(c, "%s: %s is no verifier key%s", what, value,
	    type == SNOTE_COSIGNATURE ? " of a witness" : " of a log");
	cli_hint(c, "NAME+8 hex digits+base64, as `warren audit anchor` and "
		    "`warren audit witness` print it.");
	return false;
}

bool
logcheck_set(struct cli *c, struct logcheck *k, int option, const char *value)
{
	char *end;
	long n;

	switch (option) {
	case OPT_LOG:
		k->path = value;
		return true;
	case OPT_RECORD:
		k->record = value;
		return true;
	case OPT_LOG_KEY:
		k->has_key = key_of(c, &k->key, value, SNOTE_ED25519,
		    "--log-key");
		return k->has_key;
	case OPT_WITNESS:
		if (k->nwitnesses == LOGCHECK_WITNESSES) {
			cli_error(c, "--witness: at most %d",
			    LOGCHECK_WITNESSES);
			return false;
		}
		return key_of(c, &k->witness[k->nwitnesses++], value,
		    SNOTE_COSIGNATURE, "--witness");
	default:
		n = strtol(value, &end, 10);
		if (*value == '\0' || *end != '\0' || n < 1 ||
		    n > LOGCHECK_WITNESSES) {
			cli_error(c, "--witnesses: %s is no number from 1 to "
			    "%d", value, LOGCHECK_WITNESSES);
			return false;
		}
		k->want = (unsigned)n;
		return true;
	}
}

/* ---- who has signed ---- */

/* The same key under two names is one witness. */
static bool
counted(const struct logcheck *k, unsigned i)
{
	for (unsigned o = 0; o < i; o++)
		if (memcmp(k->witness[o].key, k->witness[i].key, 32) == 0)
			return true;
	return false;
}

static int
witnesses(struct cli *c, const struct logcheck *k, const struct snote *n,
    struct logfound *f)
{
	unsigned want = k->want > 0 ? k->want : k->nwitnesses;
	uint64_t now = (uint64_t)time(NULL), when;

	for (unsigned i = 0; i < k->nwitnesses; i++) {
		enum snote_sig s = snote_signed(n, &k->witness[i], &when);

		if (s == SNOTE_BAD || (s == SNOTE_GOOD && when > now + AHEAD)) {
			cli_error(c, "%s has %s", k->witness[i].name,
			    s == SNOTE_BAD ? "not made the signature under its "
			    "name" : "signed in the future");
			return CLI_REFUSED;
		}
		if (s != SNOTE_GOOD || counted(k, i))
			continue;
		f->witnesses++;
		if (f->oldest == 0 || when < f->oldest)
			f->oldest = when;
	}
	if (f->witnesses >= want)
		return CLI_OK;
	cli_error(c, "%u of %u witnesses have signed this state of the log",
	    f->witnesses, want);
	return CLI_REFUSED;
}

static int
believe(struct cli *c, const struct logcheck *k, const char *note, size_t len,
    struct logfound *f)
{
	struct snote n;

	if (!snote_parse(&n, note, len) ||
	    !tlog_head_parse(&f->head, n.text, n.text_len)) {
		cli_error(c, "%s: no checkpoint of a log", k->path);
		return CLI_FAILED;
	}
	if (!k->has_key) {
		cli_error(c, "nobody vouches for the log: its key was not "
			     "given");
		cli_hint(c, "--log-key NAME+ID+KEY, from who runs it.");
		return CLI_UNPROVEN;
	}
	if (strcmp(k->key.name, f->head.origin) != 0) {
		cli_error(c, "%s is the log %s, the key is of %s", k->path,
		    f->head.origin, k->key.name);
		return CLI_REFUSED;
	}
	switch (snote_signed(&n, &k->key, NULL)) {
	case SNOTE_NOT:
		cli_error(c, "%s: the checkpoint is not signed by this key",
		    k->path);
		return CLI_REFUSED;
	case SNOTE_BAD:
		cli_error(c, "%s: the checkpoint was changed: its signature "
		    "does not hold", k->path);
		return CLI_REFUSED;
	default:
		return witnesses(c, k, &n, f);
	}
}

/* ---- what is in it ---- */

struct looking {
	const struct fp *node;
	const char *record;
	size_t record_len;
	struct logfound *f;
};

static bool
look(void *ctx, uint64_t index, const uint8_t *p, size_t n)
{
	struct looking *l = ctx;
	struct logfound *f = l->f;
	struct fingerprint print;
	const char *why;
	struct fp fp;

	if (l->record != NULL && n == l->record_len &&
	    memcmp(p, l->record, n) == 0) {
		f->has_index = true;
		f->index = index;
	}
	if (l->node == NULL || !fingerprint_parse(&print, p, n, &why) ||
	    (print.of != FINGERPRINT_TRAIL && print.of != FINGERPRINT_NODE) ||
	    !urn_parse(&fp, print.urn, strlen(print.urn)) ||
	    !fp_eq(&fp, l->node))
		return true;
	if (print.of == FINGERPRINT_TRAIL) {
		/* the last is not the largest when somebody has cut the trail */
		if (f->has_trail && print.size < f->trail.size)
			return true;
		f->has_trail = true;
		f->trail = (struct note){.fp = fp, .size = print.size,
		    .root = print.root};
	} else {
		f->has_node = true;
		f->binding = print.binding;
	}
	return true;
}

static int
in_folder(struct cli *c, const struct logcheck *k, struct looking *w)
{
	struct logdir *l = calloc(1, sizeof(*l));
	int rc = CLI_FAILED, believed = CLI_OK;

	if (l == NULL)
		return CLI_FAILED;
	l->fd = -1;
	rc = logdir_open(l, c, k->path, NULL);
	if (rc == CLI_OK)
		rc = believed = believe(c, k, l->note, l->note_len, w->f);
	if (rc == CLI_OK || rc == CLI_UNPROVEN)
		rc = logdir_check(l);
	if (rc == CLI_OK && k->has_key) {
		struct tlog_tree tree = logdir_tree(l);
		struct seen_log s = {&l->head, l->note, l->note_len, &k->key,
		    &tree};

		rc = logseen_check(c, &s, false);
	}
	if (rc == CLI_OK)
		rc = logdir_each(l, look, w);
	logdir_close(l);
	free(l);
	return rc != CLI_OK ? rc : believed;
}

static int
in_proof(struct cli *c, const struct logcheck *k, struct looking *w)
{
	size_t len = 0;
	char *text = klpfile_load(c, k->path, TLOG_PROOF_TEXT, &len);
	struct tlog_proof p;
	struct id32 leaf;
	int rc;

	if (text == NULL)
		return CLI_FAILED;
	if (w->record == NULL) {
		cli_error(c, "--log %s is one proof: --record FILE says of "
		    "what", k->path);
		rc = CLI_USAGE;
	} else if (!tlog_proof_parse(&p, text, len)) {
		cli_error(c, "%s: no proof (c2sp.org/tlog-proof@v1)", k->path);
		rc = CLI_FAILED;
	} else {
		rc = believe(c, k, p.note, p.note_len, w->f);
		merkle_leaf(&leaf, w->record, w->record_len);
		w->f->index = p.index;
		w->f->has_index = (rc == CLI_OK || rc == CLI_UNPROVEN) &&
		    tlog_includes(&w->f->head, p.index, &leaf, p.hash, p.n);
		if (rc == CLI_OK) {
			struct seen_log s = {&w->f->head, p.note, p.note_len,
			    &k->key, NULL};

			rc = logseen_check(c, &s, false);
		}
	}
	free(text);
	return rc;
}

int
logcheck_run(struct cli *c, const struct logcheck *k, const struct fp *node,
    struct logfound *f)
{
	struct looking w = {.node = node, .f = f};
	char *record = NULL;
	int rc;

	*f = (struct logfound){.witnesses = 0};
	if (k->record != NULL) {
		record = klpfile_load(c, k->record, TLOG_ENTRY_MAX,
		    &w.record_len);
		if (record == NULL)
			return CLI_FAILED;
		w.record = record;
	}
	rc = logdir_is(k->path) ? in_folder(c, k, &w) : in_proof(c, k, &w);
	free(record);
	if ((rc == CLI_OK || rc == CLI_UNPROVEN) && k->record != NULL &&
	    !f->has_index) {
		cli_error(c, "%s is not in the log", k->record);
		return CLI_REFUSED;
	}
	return rc;
}

void
logcheck_print(struct cli *c, const struct logcheck *k,
    const struct logfound *f)
{
	char when[24];

	if (c->json)
		return;
	printf("log        %s, %" PRIu64 " entries%s\n", f->head.origin,
	    f->head.size, k->has_key ? "" : " (nobody vouches for its key)");
	if (f->witnesses > 0)
		printf("witnesses  %u, the first at %s\n", f->witnesses,
		    cli_time(when, (int64_t)f->oldest));
	if (f->has_index)
		printf("record     entry %" PRIu64 "\n", f->index);
}
