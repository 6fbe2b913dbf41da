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

#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/config/keyset.h"

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
		cli_error(c, "%s: %s", path, strerror(errno));
		cli_hint(c, errno == ENOENT ?
			"No trail was ever written there: compute is off, or "
			"this is another machine's folder." :
			"The trail is for the owner of the folder.");
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

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
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
	const char *job = member(klp, "job"), *peer = member(klp, "peer");

	(void)snprintf(text, sizeof(text), "%s%s%.16s%s%.16s%s%s%s%s",
	    member(klp, "kind"), job[0] != '\0' ? " job=" : "", job,
	    peer[0] != '\0' ? " peer=" : "", peer,
	    member(klp, "code")[0] != '\0' ? " " : "", member(klp, "code"),
	    member(e, "message")[0] != '\0' ? ": " : "", member(e, "message"));
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

/*
 * Audit's public key, from its seed where we may read that: who could write
 * the trail only cannot have changed it.
 */
static bool
audit_key(int conf, uint8_t key[32])
{
	uint8_t seed[32], secret[64];
	char why[KEYSET_WHY];

	if (conf < 0 ||
	    keyset_read(conf, KEYSET_AUDIT, seed, sizeof(seed), 0, NULL, why) !=
		0)
		return false;
	(void)crypto_sign_seed_keypair(key, secret, seed);
	explicit_bzero(seed, sizeof(seed));
	explicit_bzero(secret, sizeof(secret));
	return true;
}

static void
print_verdict(struct cli *c, const struct trail_verdict *v, bool own_key)
{
	char key[65];

	hex_encode(key, v->key, 32);
	if (c->json) {
		cli_json(json_pack(
		    "{s:b,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s?,"
		    "s:b}",
		    "ok", v->ok ? 1 : 0, "why", v->ok ? NULL : v->why,
		    "segment", (json_int_t)v->segment, "line",
		    (json_int_t)v->line, "bad", (json_int_t)v->bad, "segments",
		    (json_int_t)v->segments, "lines", (json_int_t)v->lines,
		    "dropped", (json_int_t)v->dropped, "last",
		    (json_int_t)v->last, "unconfirmed",
		    (json_int_t)v->unconfirmed, "torn", (json_int_t)v->torn,
		    "signed", (json_int_t)v->checkpoint, "key",
		    v->has_checkpoint ? key : NULL, "key_from_seed",
		    own_key ? 1 : 0));
		return;
	}
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
		printf("signed     the first %" PRIu64 " lines, by %s%s\n",
		    v->checkpoint, key,
		    own_key ? "" : " (the key beside the trail)");
	else
		printf("signed     nothing yet\n");
	if (v->ok)
		printf("ok         the chain is whole\n");
}

int
verb_audit_verify(struct cli *c, int argc, char **argv)
{
	_cleanup_fd_ int dir = -1, conf = -1;
	struct trail_verdict v;
	uint8_t key[32];
	bool own_key;
	int rc = cli_options(c, VERB_AUDIT_VERIFY, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	dir = open_trail(c, &conf);
	if (dir < 0)
		return CLI_FAILED;
	own_key = audit_key(conf, key);
	if (trail_verify(dir, own_key ? key : NULL, &v, NULL, NULL) != 0) {
		cli_error(c, "the trail cannot be read: %s", strerror(errno));
		return CLI_FAILED;
	}
	print_verdict(c, &v, own_key);
	if (v.ok)
		return CLI_OK;
	if (!c->json && v.segment != 0)
		cli_error(c,
		    "NOT whole: %08" PRIu32 ".jsonl line %" PRIu64 ": %s",
		    v.segment, v.line, v.why);
	else if (!c->json)
		cli_error(c, "NOT whole: %s", v.why);
	return CLI_FAILED;
}
