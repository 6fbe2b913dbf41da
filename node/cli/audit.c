/* SPDX-License-Identifier: BSD-2-Clause */
/* warren audit tail, warren audit verify: the files of the trail alone. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "audit/trail_verify.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/where.h"

#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/jobdir_read.h"
#include "node/cli/logcheck.h"
#include "node/cli/options.h"
#include "node/cli/person.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/config/keyset.h"
#include "trust/doc/keytext.h"
#include "trust/doc/note_read.h"
#include "trust/doc/receipt.h"

#define TAIL_LINES 20
#define TAIL_MAX 100000

static const char *const severity_name[TRAIL_SEVERITIES] = {"-", "info", "low",
    "medium", "high", "critical", "fatal"};

/* The folder of the trail; -1: said. */
static int
open_trail(struct cli *c, int *conf)
{
	char dir[CLI_PATH], path[CLI_PATH];
	int fd;

	*conf = -1;
	if (!cli_config_dir(c, dir) || !cli_path(path, dir, "warren/trail"))
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		bool none = errno == ENOENT;

		cli_error(c, "%s: %s", path, strerror(errno));
		if (!none)
			cli_hint(c, "The trail is for the owner of the "
				    "folder.");
		else if (!ask_hint_service(c, WHERE_SERVICE))
			cli_hint(c, "No trail was ever written there: compute "
				    "is off, or this is another machine's "
				    "folder.");
		return -1;
	}
	*conf = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

/* ---- tail ---- */

static bool
set_lines(struct cli *c, void *ctx, int option, const char *value)
{
	char *end;
	long n = strtol(value, &end, 10);

	(void)option; /* there is one */
	if (*value == '\0' || *end != '\0' || n < 1 || n > TAIL_MAX) {
		cli_error(c, "-n: %s is no number of lines (1 to %d)", value,
		    TAIL_MAX);
		return false;
	}
	*(size_t *)ctx = (size_t)n;
	return true;
}

static void
print_event(uint64_t seq, const char *body, size_t len)
{
	json_t *e = json_loadb(body, len, 0, NULL);
	const json_t *klp = json_object_get(json_object_get(e, "unmapped"),
	    "klp");
	json_int_t ms = json_integer_value(json_object_get(e, "time"));
	unsigned sev = trail_line_severity(body, len);
	char when[24], text[2048], safe[4096];
	const char *job = ask_text(klp, "job"), *peer = ask_text(klp, "peer");

	(void)snprintf(text, sizeof(text), "%s%s%.16s%s%.16s%s%s%s%s",
	    ask_text(klp, "kind"), job[0] != '\0' ? " job=" : "", job,
	    peer[0] != '\0' ? " peer=" : "", peer,
	    ask_text(klp, "code")[0] != '\0' ? " " : "", ask_text(klp, "code"),
	    ask_text(e, "message")[0] != '\0' ? ": " : "",
	    ask_text(e, "message"));
	if (e == NULL || text[0] == '\0')
		(void)snprintf(text, sizeof(text), "%.*s",
		    (int)MIN_OF(len, sizeof(text) - 1), body);
	text_printable(safe, sizeof(safe), text, strlen(text));
	printf("%-8" PRIu64 " %s  %-8s %s\n", seq, cli_time(when, ms / 1000),
	    severity_name[MIN_OF(sev, NELEM(severity_name) - 1)], safe);
	json_decref(e);
}

static void
print_line(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	const struct cli *c = arg;

	if (c->json)
		printf("%.*s\n", (int)len, text);
	else if (l->is_tomb)
		printf("%-8" PRIu64 " %" PRIu64 " lines, %" PRIu64 " to %" PRIu64
		       ", were dropped when the spool was full\n",
		    l->seq, l->tomb.count, l->tomb.from, l->tomb.to);
	else
		print_event(l->seq, l->body, l->body_len);
}

int
verb_audit_tail(struct cli *c, int argc, char **argv)
{
	_cleanup_fd_ int dir = -1, conf = -1;
	size_t n = TAIL_LINES;
	int rc = cli_options(c, VERB_AUDIT_TAIL, argc, argv, set_lines, &n);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	dir = open_trail(c, &conf);
	if (dir < 0)
		return CLI_FAILED;
	if (trail_tail(dir, n, print_line, c) != 0) {
		cli_error(c, "the trail cannot be read: %s", strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}

/* ---- verify ---- */

struct verify_args {
	uint8_t key[32]; /* audit's public one */
	bool has_key, given;
	struct note kept;
	bool has_kept;
	const char *receipt; /* a job's folder; NULL */
	struct id32 digest;
	bool has_digest;
	struct logcheck log;
	struct logfound found;
	bool unproven; /* nobody vouches for the log */
};

static bool
set_verify(struct cli *c, void *ctx, int option, const char *value)
{
	struct verify_args *a = ctx;
	struct klp_key key;

	if (option == OPT_RECEIPT) {
		a->receipt = value;
		return true;
	}
	if (option != OPT_KEY)
		return logcheck_set(c, &a->log, option, value);
	if (!key_parse(&key, value, strlen(value)) ||
	    key.kind != KEY_ED25519) {
		cli_error(c, "--key: %s is no Ed25519 key "
		    "(pubkey:ed25519: and 64 hex digits)", value);
		return false;
	}
	memcpy(a->key, key.raw, sizeof(a->key));
	a->has_key = a->given = true;
	return true;
}

/*
 * What stands beside the node's keys, where we may read that: audit's public
 * key, from its seed, and the checkpoint that was signed last. Who could write
 * the trail only cannot have changed them.
 */
static void
beside_keys(int conf, struct verify_args *a)
{
	uint8_t seed[32], secret[64];
	char why[KEYSET_WHY], text[NOTE_MAX];
	ssize_t n;

	if (conf < 0)
		return;
	if (!a->has_key &&
	    keyset_read(conf, KEYSET_AUDIT, seed, sizeof(seed), 0, NULL, why) ==
		0) {
		(void)crypto_sign_seed_keypair(a->key, secret, seed);
		a->has_key = true;
		explicit_bzero(seed, sizeof(seed));
		explicit_bzero(secret, sizeof(secret));
	}
	n = file_read(conf, "warren/keys/" KEYSET_CHECKPOINT, text,
	    sizeof(text));
	a->has_kept = n > 0 && note_parse(&a->kept, text, (size_t)n);
}

/* The line that a job's receipt names. */
static int
receipt_line(struct cli *c, struct verify_args *a)
{
	static const struct id32 none;
	struct jobdir_proof p;
	struct job_receipt r;
	int rc;

	if (a->receipt == NULL)
		return CLI_OK;
	if ((rc = jobdir_read(c, a->receipt, &p)) != CLI_OK)
		return rc;
	if (!job_receipt_parse(&r, p.receipt, p.receipt_len)) {
		cli_error(c, "%s: the receipt is malformed", a->receipt);
		return CLI_FAILED;
	}
	if (id32_eq(&r.trail, &none)) {
		cli_error(c, "%s: the receipt names no line of a trail",
		    a->receipt);
		return CLI_FAILED;
	}
	a->digest = r.trail;
	a->has_digest = true;
	return CLI_OK;
}

static const char *
key_from(const struct verify_args *a)
{
	return a->given ? "option" : a->has_key ? "seed" : "trail";
}

/* The key's text; "" when none is known. */
static void
key_of(char text[KEY_TEXT_MAX], const struct trail_verdict *v,
    const struct verify_args *a)
{
	struct klp_key key;

	text[0] = '\0';
	if ((a->has_key || v->has_checkpoint) &&
	    key_set(&key, KEY_ED25519, a->has_key ? a->key : v->key, 32))
		key_text(text, &key);
}

static void
print_json(const struct trail_verdict *v, const struct verify_args *a)
{
	char key[KEY_TEXT_MAX];

	key_of(key, v, a);
	cli_json(json_pack("{s:b,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
			   "s:s?,s:s,s:I,s:I,s:o}",
	    "ok", v->ok ? 1 : 0, "why", v->ok ? NULL : v->why, "segment",
	    (json_int_t)v->segment, "line", (json_int_t)v->line, "bad",
	    (json_int_t)v->bad, "segments", (json_int_t)v->segments, "lines",
	    (json_int_t)v->lines, "dropped", (json_int_t)v->dropped, "last",
	    (json_int_t)v->last, "unconfirmed", (json_int_t)v->unconfirmed,
	    "torn", (json_int_t)v->torn, "signed", (json_int_t)v->checkpoint,
	    "key", key[0] != '\0' ? key : NULL, "key_from", key_from(a),
	    "signed_by_keys", (json_int_t)v->kept, "anchored",
	    (json_int_t)v->anchored, "receipt",
	    a->has_digest ? json_boolean(v->met) : json_null()));
}

static void
print_verdict(struct cli *c, const struct trail_verdict *v,
    const struct verify_args *a)
{
	char key[KEY_TEXT_MAX];

	if (c->json) {
		print_json(v, a);
		return;
	}
	key_of(key, v, a);
	printf("lines      %" PRIu64 " in %" PRIu64
	       " segments, last seq %" PRIu64 "\n",
	    v->lines, v->segments, v->last);
	if (v->dropped > 0)
		printf("dropped    %" PRIu64 " by %" PRIu64 " tombstones\n",
		    v->dropped, v->tombstones);
	if (v->unconfirmed > 0 || v->torn > 0)
		printf("unconfirmed %" PRIu64 " lines and %" PRIu64
		       " bytes behind the head: written just now, or in a "
		       "crash\n",
		    v->unconfirmed, v->torn);
	if (v->has_checkpoint)
		printf("signed     the first %" PRIu64 " lines\n",
		    v->checkpoint);
	else
		printf("signed     nothing yet\n");
	if (key[0] != '\0')
		printf("key        %s%s\n", key,
		    a->has_key ? "" : " (as it stands beside the trail)");
	if (v->kept > 0)
		printf("keys       have signed %" PRIu64 " lines\n", v->kept);
	if (v->anchored > 0)
		printf("anchored   the first %" PRIu64 " lines\n", v->anchored);
	else if (a->log.path != NULL)
		printf("anchored   nothing of this trail\n");
	if (v->met)
		printf("receipt    its line is in this trail\n");
	if (v->ok)
		printf("ok         the chain is whole\n");
}

/* Whole: is there anything that could not be proved? */
static int
proven(struct cli *c, const struct trail_verdict *v,
    const struct verify_args *a)
{
	int rc = CLI_OK;

	if (a->has_digest && !v->met) {
		cli_error(c, "the receipt's line is not in this trail%s",
		    v->dropped > 0 ? ", or among those that were dropped" : "");
		if (v->dropped == 0)
			return CLI_FAILED;
		rc = CLI_UNPROVEN;
	}
	if (a->unproven)
		rc = CLI_UNPROVEN;
	if (!a->has_key) {
		cli_error(c, "nobody vouches for the key: only the one beside "
			     "the trail could be read");
		cli_hint(c, "Run it as the owner of the folder, or give "
			    "--key, as the owner's `warren audit verify` "
			    "prints it.");
		rc = CLI_UNPROVEN;
	}
	return rc;
}

/* One record of anybody: no trail is needed. */
static int
log_alone(struct cli *c, const struct verify_args *a)
{
	struct logfound found;
	int rc;

	if (a->log.path == NULL || a->receipt != NULL || a->given) {
		cli_error(c, "--record is looked for in a log: --log PATH, "
			     "without --key and --receipt");
		return CLI_USAGE;
	}
	rc = logcheck_run(c, &a->log, NULL, &found);
	if (rc != CLI_OK && rc != CLI_UNPROVEN)
		return rc;
	logcheck_print(c, &a->log, &found);
	if (c->json)
		cli_json(json_pack("{s:b,s:s,s:I,s:I,s:I}", "ok", 1, "log",
		    found.head.origin, "size", (json_int_t)found.head.size,
		    "index", (json_int_t)found.index, "witnesses",
		    (json_int_t)found.witnesses));
	return rc;
}

/* What the log has of this node, for the trail to be held against. */
static int
log_says(struct cli *c, int conf, struct verify_args *a)
{
	struct fp node;
	bool known;
	int rc;

	if (a->log.path == NULL)
		return CLI_OK;
	known = conf >= 0 && person_of_node(conf, &node, NULL);
	rc = logcheck_run(c, &a->log, known ? &node : NULL, &a->found);
	a->unproven = rc == CLI_UNPROVEN;
	if (rc != CLI_OK && !a->unproven)
		return rc;
	logcheck_print(c, &a->log, &a->found);
	if (!known)
		cli_note(c, "which node this is cannot be read here, so its "
			    "records are not looked for");
	return CLI_OK;
}

int
verb_audit_verify(struct cli *c, int argc, char **argv)
{
	_cleanup_fd_ int dir = -1, conf = -1;
	struct verify_args a = {.has_key = false};
	struct trail_expect want;
	struct trail_verdict v;
	int rc = cli_options(c, VERB_AUDIT_VERIFY, argc, argv, set_verify, &a);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (a.log.record != NULL)
		return log_alone(c, &a);
	if ((rc = receipt_line(c, &a)) != CLI_OK)
		return rc;
	dir = open_trail(c, &conf);
	if (dir < 0)
		return CLI_FAILED;
	beside_keys(conf, &a);
	if ((rc = log_says(c, conf, &a)) != CLI_OK)
		return rc;
	want = (struct trail_expect){
	    .key = a.has_key ? a.key : NULL,
	    .kept = a.has_kept ? &a.kept : NULL,
	    .anchored = a.found.has_trail ? &a.found.trail : NULL,
	    .digest = a.has_digest ? &a.digest : NULL,
	};
	if (trail_verify(dir, &want, &v, NULL, NULL) < 0) {
		cli_error(c, "the trail cannot be read: %s", strerror(errno));
		return CLI_FAILED;
	}
	print_verdict(c, &v, &a);
	if (v.ok)
		return proven(c, &v, &a);
	if (!c->json && v.segment != 0)
		cli_error(c,
		    "NOT whole: %08" PRIu32 ".jsonl line %" PRIu64 ": %s",
		    v.segment, v.line, v.why);
	else if (!c->json)
		cli_error(c, "NOT whole: %s", v.why);
	return CLI_FAILED;
}
