/* SPDX-License-Identifier: BSD-2-Clause */
/* What a board does: keys, documents, the folder of an authority, revocation. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/util.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/verb.h"
#include "tests/unit/cli_capture.h"
#include "trust/doc/authority.h"
#include "trust/doc/graph.h"
#include "trust/doc/head.h"
#include "trust/doc/revlist.h"
#include "trust/doc/root.h"

/* A graph of the greatest size can be published in the JSON form. */
_Static_assert(AUTH_GRAPH_BYTES >= GRAPH_BYTES_MAX / 3 * 4 + 8192 &&
	KLPDOC_ENVELOPE_MAX >= AUTH_GRAPH_BYTES, "too small in base64");

#define WORDS 24
#define EVE "urn:klp:kindai:human:" \
	"3434343434343434343434343434343434343434343434343434343434343434"

static char dir[256];		       /* where everything lies */
static const struct captured *heard; /* of the last verb */

/* Words are parted by spaces; @ is the folder. */
static int
run(cli_verb_fn *verb, const char *line)
{
	static char text[4096];
	struct cli me = {.verb = "test", .identity = dir};
	char *argv[WORDS + 2] = {text}, *save = NULL;
	size_t n = 0;
	int argc = 1, rc;

	for (const char *p = line; *p != '\0' && n + 300 < sizeof(text); p++)
		if (*p == '@')
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    "%s/", dir);
		else
			text[n++] = *p;
	text[n] = '\0';
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	capture_begin();
	rc = verb(&me, argc, argv);
	heard = capture_end();
	return rc;
}

static void
ok(cli_verb_fn *verb, const char *line)
{
	int rc = run(verb, line);

	if (rc != CLI_OK)
		fail_msg("%s: %d: %s", line, rc, heard->err);
}

/* It ends so, and says so on either stream. */
static void
ends(cli_verb_fn *verb, const char *line, int rc, const char *says)
{
	int got = run(verb, line);

	if (got != rc || (strstr(heard->err, says) == NULL &&
			     strstr(heard->out, says) == NULL))
		fail_msg("%s: %d: %s%s", line, got, heard->out, heard->err);
}

/* The whole file in an own allocation that lives on. */
static char *
slurp(const char *name, size_t *len)
{
	char path[512];
	char *text;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	text = file_load(AT_FDCWD, path, 1 << 20, len);
	if (text == NULL)
		fail_msg("%s", path);
	return text;
}

struct who {
	struct klp_key key;
	char fp[2 * FP_LEN + 1], text[KEY_TEXT_MAX], scheme[16];
};
static struct who ann, ben;

static void
make_key(struct who *w, const char *file, const char *scheme)
{
	char line[512];
	struct klp_secret s;
	struct cli me = {.verb = "test"};
	struct fp fp;

	(void)snprintf(line, sizeof(line), "@%s --scheme %s", file, scheme);
	ok(verb_klp_keygen, line);
	(void)snprintf(line, sizeof(line), "%s/%s", dir, file);
	assert_int_equal(klpfile_key_read(&me, line, &s), CLI_OK);
	assert_true(secret_public(&w->key, &s));
	key_fp(&fp, &w->key);
	hex_encode(w->fp, HASH_BYTES(fp));
	key_text(w->text, &w->key);
	(void)snprintf(w->scheme, sizeof(w->scheme), "%s", scheme);
	/* what is printed is it */
	assert_non_null(strstr(heard->out, w->fp));
	assert_non_null(strstr(heard->out, w->text));
}

static void
write_root(const char *name, unsigned version)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "{\"_type\":\"klp.root\", "
	    "\"authority\":\"board.example\",\"version\":%u,\"issued\":0,"
	    "\"expires\":0,\"keys\":{\"%s\":{\"key\":\"%s\",\"scheme\":\"%s\"},"
	    "\"%s\":{\"key\":\"%s\",\"scheme\":\"%s\"}},\"roles\":{"
	    "\"root\":{\"keys\":[\"%s\",\"%s\"],\"threshold\":2},"
	    "\"head\":{\"keys\":[\"%s\"],\"threshold\":1},"
	    "\"graph\":{\"keys\":[\"%s\",\"%s\"],\"threshold\":1},"
	    "\"list\":{\"keys\":[\"%s\"],\"threshold\":1}},\"documents\":{"
	    "\"a/graph.json\":{\"role\":\"graph\",\"type\":\"klp.trust-graph\","
	    "\"max\":100000},\"revoked.json\":{\"role\":\"list\",\"type\":"
	    "\"klp.revocation-list\",\"max\":100000}}}", version, ann.fp,
	    ann.text, ann.scheme, ben.fp, ben.text, ben.scheme, ann.fp, ben.fp,
	    ann.fp, ann.fp, ben.fp, ben.fp);
	write_text(dir, name, text);
}

static void
write_graph(const char *name, unsigned version)
{
	unsigned now = (unsigned)time(NULL);
	char text[4096];

	(void)snprintf(text, sizeof(text), "{\"_type\":\"klp.trust-graph\","
	    "\"uri\":\"klp://board.example/a/graph.json\",\"version\":%u,"
	    "\"issued\":0,\"expires\":0,\"namespace\":\"kindai\",\"nodes\":["
	    "{\"id\":\"urn:klp:kindai:human:%s\",\"key\":\"%s\",\"scheme\":"
	    "\"%s\"}],\"edges\":[{\"source\":\"urn:klp:kindai:human:%s\","
	    "\"target\":\"urn:klp:kindai:human:%064d\",\"trust_level\":2,"
	    "\"tags\":[\"submitter\"],\"issued\":%u,\"expires\":%u}]}",
	    version, ann.fp, ann.text, ann.scheme, ann.fp, 7, now - 60,
	    now + 86400);
	write_text(dir, name, text);
}

static int
set_up(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s", temp_dir());
	make_key(&ann, "ann.key", "ed25519");
	make_key(&ben, "ben.key", "ecdsa");
	write_root("root.json", 1);
	write_graph("graph.json", 1);
	ok(verb_klp_sign, "@root.json --expires 365d -k @ann.key -o @one");
	ok(verb_klp_sign, "@one -k @ben.key -o @1.root.json");
	ok(verb_klp_sign, "@graph.json --expires 30d -k @ann.key -o @graph");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	temp_remove(dir);
	return 0;
}

/* ---- keys ---- */

static void
test_keygen(void **state)
{
	char path[512];
	struct stat st;
	struct who bip;
	size_t len;
	char *line;

	(void)state;
	make_key(&bip, "bip.key", "bip340");
	assert_true(bip.key.bip340);
	(void)snprintf(path, sizeof(path), "%s/bip.key", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	line = slurp("bip.key", &len);
	assert_int_equal(strncmp(line, "secret:bip340:", 14), 0);
	ends(verb_klp_keygen, "@bip.key", CLI_FAILED, "File exists");
	free(line);
	line = slurp("bip.key", &len); /* still the same */
	ok(verb_klp_keygen, "@bip.key --show");
	assert_non_null(strstr(heard->out, bip.fp));
	ends(verb_klp_keygen, "@other --scheme rsa", CLI_USAGE, "none of");
	ends(verb_klp_keygen, "@none/key", CLI_FAILED, "No such file");
	assert_int_equal(chmod(path, 0640), 0);
	ends(verb_klp_keygen, "@bip.key --show", CLI_REFUSED, "others can");
	free(line);
}

static void
test_bad_keys(void **state)
{
	static const char *const bad[] = {
	    "", "x", "secret:", "secret:ed25519", "secret:ed25519:",
	    "secret:ed25519:00", "secret:rsa:"
	    "1111111111111111111111111111111111111111111111111111111111111111",
	    "secret:ecdsa:"
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "secret:ecdsa:"
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    "secret:ed25519:"
	    "11111111111111111111111111111111111111111111111111111111111111111",
	};
	char path[512], line[128];

	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		(void)snprintf(line, sizeof(line), "bad%zu", i);
		write_text(dir, line, bad[i]);
		(void)snprintf(path, sizeof(path), "%s/bad%zu", dir, i);
		assert_int_equal(chmod(path, 0600), 0);
		(void)snprintf(line, sizeof(line), "@bad%zu --show", i);
		ends(verb_klp_keygen, line, CLI_FAILED, "no secret key");
	}
}

/* ---- signing and verifying ---- */

static void
test_sign(void **state)
{
	size_t len;
	char *text;

	(void)state;
	ok(verb_klp_verify, "@1.root.json --root @1.root.json");
	assert_non_null(strstr(heard->out, "by 2 of 2"));
	ok(verb_klp_verify, "@graph --root @1.root.json");
	assert_non_null(strstr(heard->out, "edges      1 of 1 can count"));
	ends(verb_klp_verify, "@one --root @1.root.json", CLI_FAILED,
	    "too few good signatures");
	ends(verb_klp_verify, "@1.root.json --root @one", CLI_FAILED,
	    "not signed by as many");
	/* the same key again is one signature */
	ok(verb_klp_sign, "@1.root.json -k @ann.key -o @again");
	assert_non_null(strstr(heard->err, "2 signatures"));
	ok(verb_klp_verify, "@again --root @1.root.json");
	/* it goes to standard output, canonical and whole */
	ok(verb_klp_sign, "@graph -k @ben.key");
	assert_int_equal(strncmp(heard->out, "{\"payload\":", 11), 0);
	/* --key in place of a root */
	ok(verb_klp_verify, "@graph -k @ann.key");
	ends(verb_klp_verify, "@graph -k @ben.key", CLI_FAILED, "too few");
	ends(verb_klp_verify, "@graph -k @ann.key -k @ben.key", CLI_FAILED,
	    "by 1 of 2");
	ok(verb_klp_verify, "@graph -k @ann.key -k @ben.key --threshold 1");
	ends(verb_klp_verify, "@graph", CLI_USAGE, "--root");
	ends(verb_klp_verify, "@graph --root @1.root.json --role head",
	    CLI_OK, "by 1 of 1");
	ends(verb_klp_verify, "@graph --root @1.root.json --role list",
	    CLI_FAILED, "not asked for");
	ends(verb_klp_verify, "@graph --root @1.root.json --role none",
	    CLI_FAILED, "no role none");
	/* a bit of the payload, and one of a signature */
	text = slurp("graph", &len);
	*strstr(text, "eyJfdHlwZSI6") = 'f';
	write_text(dir, "broken", text);
	ends(verb_klp_verify, "@broken -k @ann.key", CLI_FAILED, "NOT valid");
	free(text);
	text = slurp("graph", &len);
	text[len - 10] = text[len - 10] == 'A' ? 'B' : 'A';
	write_text(dir, "broken", text);
	ends(verb_klp_verify, "@broken -k @ann.key", CLI_FAILED, "BAD");
	free(text);
}

static void
test_not_signed(void **state)
{
	(void)state;
	write_text(dir, "x", "{\"_type\":\"klp.root\"}");
	ends(verb_klp_sign, "@x -k @ann.key", CLI_FAILED, "authority");
	write_text(dir, "x", "{\"a\":1}");
	ends(verb_klp_sign, "@x -k @ann.key", CLI_FAILED, "_type");
	write_text(dir, "x", "{\"_type\":\"klp.receipt\"}");
	ends(verb_klp_sign, "@x -k @ann.key", CLI_FAILED, "no type");
	write_text(dir, "x", "{\"_type\":\"klp.root\",\"_type\":1}");
	ends(verb_klp_sign, "@x -k @ann.key", CLI_FAILED, "twice");
	write_text(dir, "x", "[1]");
	ends(verb_klp_sign, "@x -k @ann.key", CLI_FAILED, "_type");
	ends(verb_klp_sign, "@none -k @ann.key", CLI_FAILED, "No such file");
	ends(verb_klp_sign, "@graph.json -k @none", CLI_FAILED, "No such");
	ends(verb_klp_sign, "@graph --expires 1d -k @ann.key", CLI_USAGE,
	    "signed already");
	ends(verb_klp_sign, "@graph.json --json -k @ann.key", CLI_USAGE,
	    "--out");
	ends(verb_klp_sign, "@graph.json --expires never", CLI_USAGE,
	    "no time");
	/* issued and expires are 0: it is signed, and said */
	ends(verb_klp_sign, "@graph.json -k @ann.key -o @old", CLI_OK,
	    "expired already");
	ends(verb_klp_verify, "@old -k @ann.key", CLI_FAILED, "has expired");
}

/* What strangers write does not reach the terminal as it is. */
static void
test_escapes(void **state)
{
	size_t len;
	char *text = slurp("graph.json", &len), *at, *out;

	(void)state;
	at = strstr(text, "klp://board");
	out = malloc(len + 16);
	assert_non_null(out);
	(void)snprintf(out, len + 16, "%.*s\\u001b[2J%s", (int)(at - text),
	    text, at);
	write_text(dir, "evil.json", out);
	free(out);
	free(text);
	ends(verb_klp_sign, "@evil.json --expires 1d -k @ann.key -o @evil",
	    CLI_FAILED, "klp://");
	assert_null(strchr(heard->err, 0x1b));
	/* a type whose uri nobody compares with a place */
	write_text(dir, "evil.json", "{\"_type\":\"klp.fingerprint\","
	    "\"expires\":0,\"issued\":0,\"uri\":\"\\u001b[2Jklp://board\","
	    "\"version\":1}");
	ok(verb_klp_sign, "@evil.json --expires 1d -k @ann.key -o @evil");
	assert_null(strchr(heard->err, 0x1b));
	ok(verb_klp_verify, "@evil -k @ann.key");
	assert_non_null(strstr(heard->out, "name       \\x1b[2Jklp://"));
	assert_null(strchr(heard->out, 0x1b));
}

/* A source signs its edges; the board, another key, the whole. */
static void
test_edges(void **state)
{
	(void)state;
	ok(verb_klp_sign, "@graph.json --expires 1d -k @ben.key -o @g0");
	ends(verb_klp_verify, "@g0 -k @ben.key", CLI_OK, "0 of 1 can count");
	ok(verb_klp_sign, "@graph.json --edges -k @ann.key -o @said.json");
	assert_non_null(strstr(heard->err, "1 edge signed"));
	ok(verb_klp_sign, "@said.json --expires 1d -k @ben.key -o @g1");
	ends(verb_klp_verify, "@g1 -k @ben.key", CLI_OK, "1 of 1 can count");
	ends(verb_klp_sign, "@said.json --edges -k @ann.key", CLI_FAILED,
	    "no edge of this key");
	ends(verb_klp_sign, "@said.json --edges -k @ben.key", CLI_FAILED,
	    "no edge of this key");
	ends(verb_klp_sign, "@g1 --edges -k @ann.key", CLI_FAILED,
	    "signed already");
	ends(verb_klp_sign, "@root.json --edges -k @ann.key", CLI_FAILED,
	    "no list");
}

/* ---- the folder of an authority ---- */

static uint32_t
head_version(const char *name, unsigned *docs)
{
	struct head h;
	struct env e;
	size_t len;
	char *text = slurp(name, &len);

	assert_null(head_parse(&h, &e, text, len));
	free(text);
	*docs = h.n;
	return h.version;
}

static void
test_publish(void **state)
{
	unsigned docs;
	struct who eve;
	size_t len;
	char *was, *is;

	(void)state;
	ends(verb_klp_publish, "@pub @1.root.json", CLI_USAGE, "--key");
	ends(verb_klp_publish, "@pub @graph -k @ann.key", CLI_REFUSED,
	    "begins with it");
	ends(verb_klp_publish, "@pub @one -k @ann.key", CLI_REFUSED,
	    "1.root.json");
	ends(verb_klp_publish, "@pub @1.root.json -k @ben.key", CLI_REFUSED,
	    "role head");
	ok(verb_klp_publish, "@pub @1.root.json -k @ann.key");
	assert_int_equal(head_version("pub/head", &docs), 1);
	assert_int_equal(docs, 0);
	ok(verb_klp_publish, "@pub @graph -k @ann.key --expires 2d");
	assert_int_equal(head_version("pub/head", &docs), 2);
	assert_int_equal(docs, 1);
	ok(verb_klp_verify, "@pub/head --root @pub/1.root.json");
	ok(verb_klp_verify, "@pub/a/graph.json --root @pub/1.root.json");
	/* signed again as it is: one version, the same bytes */
	ok(verb_klp_publish, "@pub @graph -k @ann.key");
	/* the same version with other bytes */
	ok(verb_klp_sign, "@graph.json --expires 29d -k @ann.key -o @other");
	was = slurp("pub/a/graph.json", &len);
	ends(verb_klp_publish, "@pub @other -k @ann.key", CLI_REFUSED,
	    "raise it");
	is = slurp("pub/a/graph.json", &len);
	assert_string_equal(was, is);
	free(is);
	assert_int_equal(head_version("pub/head", &docs), 3);
	write_graph("graph5.json", 5);
	ok(verb_klp_sign, "@graph5.json --expires 30d -k @ben.key -o @graph5");
	ok(verb_klp_publish, "@pub @graph5 -k @ann.key");
	ends(verb_klp_publish, "@pub @graph -k @ann.key", CLI_REFUSED,
	    "rollback");
	is = slurp("pub/a/graph.json", &len);
	assert_string_not_equal(was, is);
	free(is);
	free(was);
	/* signed by somebody without that role */
	make_key(&eve, "eve.key", "ed25519");
	write_graph("graph6.json", 6);
	ok(verb_klp_sign, "@graph6.json --expires 30d -k @eve.key -o @graph6");
	ends(verb_klp_publish, "@pub @graph6 -k @ann.key", CLI_REFUSED,
	    "not signed by as many");
	/* a document that is in the folder and was touched */
	write_text(dir, "pub/a/graph.json", "{}");
	ends(verb_klp_publish, "@pub -k @ann.key", CLI_REFUSED, "graph.json");
}

static void
test_publish_roots(void **state)
{
	size_t len;
	struct root r, next;
	struct id32 id;
	char *text;

	(void)state;
	ok(verb_klp_publish, "@roots @1.root.json -k @ann.key");
	write_root("root2.json", 2);
	write_root("root3.json", 3);
	ok(verb_klp_sign,
	    "@root2.json --expires 365d -k @ann.key -k @ben.key -o @two");
	ok(verb_klp_sign,
	    "@root3.json --expires 365d -k @ann.key -k @ben.key -o @three");
	ends(verb_klp_publish, "@roots @three -k @ann.key", CLI_REFUSED,
	    "between is missing");
	ok(verb_klp_publish, "@roots @three @two -k @ann.key");
	assert_non_null(strstr(heard->out, "root       version 3"));
	text = slurp("roots/1.root.json", &len);
	assert_null(root_first(&r, &id, text, len));
	free(text);
	text = slurp("roots/2.root.json", &len);
	assert_null(root_next(&next, &r, text, len));
	free(text);
	/* a root that is published is never another */
	ok(verb_klp_sign,
	    "@root2.json --expires 300d -k @ann.key -k @ben.key -o @two");
	ends(verb_klp_publish, "@roots @two -k @ann.key", CLI_REFUSED,
	    "published already");
	/* one signature of two */
	write_root("root4.json", 4);
	ok(verb_klp_sign, "@root4.json --expires 365d -k @ann.key -o @four");
	ends(verb_klp_publish, "@roots @four -k @ann.key", CLI_REFUSED,
	    "root keys");
}

/* ---- a node takes what was published ---- */

static uint8_t *
node_read(void *ctx, const char *name, size_t max, size_t *len)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, (const char *)ctx,
	    name);
	return (uint8_t *)file_load(AT_FDCWD, path, max, len);
}

static uint8_t *
node_blob(void *ctx, const struct id32 *sha, size_t max, size_t *len)
{
	(void)ctx;
	(void)sha;
	(void)max;
	(void)len;
	errno = ENOENT; /* it has taken nothing before */
	return NULL;
}

static int
node_keep(void *ctx, const struct id32 *sha, const void *p, size_t len)
{
	(void)ctx;
	(void)sha;
	(void)p;
	(void)len;
	return 0;
}

static int
node_commit(void *ctx, const void *p, size_t len)
{
	(void)ctx;
	(void)p;
	(void)len;
	return 0;
}

static enum auth_take
node_take(void *ctx, const struct root_doc *doc, struct env *e,
    struct auth_claim *claim, char why[AUTH_WHY])
{
	char bad[KLPDOC_WHY];
	struct klpdoc d;

	(void)ctx;
	if (!klpdoc_check(&d, e->payload, e->payload_len, bad)) {
		(void)snprintf(why, AUTH_WHY, "%.100s", bad);
		return TAKE_BAD;
	}
	assert_string_equal(d.what, doc->type);
	(void)snprintf(claim->uri, sizeof(claim->uri), "%s", d.name);
	claim->version = d.version;
	claim->issued = d.issued;
	claim->expires = d.expires;
	return TAKE_GOOD;
}

static void
node_settle(void *ctx, bool yes)
{
	(void)ctx;
	(void)yes;
}

static void
test_node_takes(void **state)
{
	static char folder[] = "node";
	const struct auth_io io = {.ctx = folder, .read = node_read,
	    .blob = node_blob, .keep = node_keep, .commit = node_commit,
	    .take = node_take, .settle = node_settle};
	static struct authority a;
	struct auth_report rep;
	size_t len;
	char *root;

	(void)state;
	write_graph("graph9.json", 9);
	ok(verb_klp_sign, "@graph9.json --expires 30d -k @ben.key -o @graph9");
	ok(verb_revoke, EVE " --list @node.list -k @ben.key --uri "
	    "klp://board.example/revoked.json");
	ok(verb_klp_publish,
	    "@node @1.root.json @graph9 @node.list -k @ann.key");
	(void)snprintf(a.name, sizeof(a.name), "board.example");
	root = slurp("node/1.root.json", &len);
	assert_null(authority_pin(&a, root, len));
	free(root);
	assert_true(authority_want(&a, "a/graph.json"));
	assert_true(authority_want(&a, "revoked.json"));
	authority_update(&a, &io, (uint32_t)time(NULL), &rep);
	if (rep.end != AUTH_NEW)
		fail_msg("%d: %s: %s", (int)rep.end, rep.file, rep.why);
	assert_int_equal(authority_doc(&a, "a/graph.json")->version, 9);
	assert_int_equal(authority_doc(&a, "revoked.json")->version, 1);
	/* a new head alone is new as well; an older one is a rollback */
	ok(verb_klp_publish, "@node -k @ann.key");
	authority_update(&a, &io, (uint32_t)time(NULL), &rep);
	assert_int_equal(rep.end, AUTH_NEW);
	assert_int_equal(a.head.version, 2);
	authority_update(&a, &io, (uint32_t)time(NULL), &rep);
	assert_int_equal(rep.end, AUTH_SAME);
}

/* ---- revocation ---- */

static void
check_list(const char *name, uint32_t version, size_t n)
{
	struct revlist r;
	struct env e;
	const char *why;
	size_t len;
	char *text = slurp(name, &len);

	assert_int_equal(env_parse(&e, text, len, 1 << 20, 1 << 20, &why), 0);
	why = revlist_parse(&r, e.payload, e.payload_len);
	if (why != NULL)
		fail_msg("%s", why);
	assert_int_equal(r.version, version);
	assert_int_equal(r.n, n);
	revlist_clear(&r);
	env_clear(&e);
	free(text);
}

static void
test_revoke(void **state)
{
	(void)state;
	ends(verb_revoke, EVE " --list @list -k @ben.key", CLI_FAILED, "--uri");
	ok(verb_revoke, EVE " --list @list --uri "
	    "klp://board.example/revoked.json --reason key_compromise "
	    "--since 2d -k @ben.key");
	check_list("list", 1, 1);
	ok(verb_klp_verify, "@list --root @1.root.json");
	ok(verb_revoke, "sha256:1212121212121212121212121212121212121212121212"
	    "121212121212121212 --list @list --suspend -k @ben.key");
	check_list("list", 2, 2);
	ok(verb_revoke, "03d36e559e64a4100917c8500ba58423 --list @list "
			"--reason other -k @ben.key");
	check_list("list", 3, 3);
	ok(verb_klp_publish, "@rev @1.root.json @list -k @ann.key");
	ends(verb_revoke, EVE " --list @list --lift -k @ben.key", CLI_REFUSED,
	    "for ever");
	ends(verb_revoke, EVE " --list @list -k @ben.key", CLI_REFUSED,
	    "already");
	ok(verb_revoke, "sha256:1212121212121212121212121212121212121212121212"
	    "121212121212121212 --list @list --lift -k @ben.key");
	check_list("list", 4, 2);
	ends(verb_revoke, "sha256:12121212121212121212121212121212121212121212"
	    "12121212121212121212 --list @list --lift -k @ben.key",
	    CLI_REFUSED, "not in the list");
	ok(verb_klp_publish, "@rev @list -k @ann.key");
	/* without a key it is a payload, which klp sign takes */
	ok(verb_revoke, "pubkey:ed25519:bf0740b5e31ead15c4105c3c002e2205931"
	    "1ff7d7ffb2e0bfc2f38890976992b --list @list -o @list.json");
	ok(verb_klp_sign, "@list.json -k @ben.key -o @list5");
	check_list("list5", 5, 3);
	check_list("list", 4, 2);
	ends(verb_revoke, "1212121212121212121212121212121212121212121212121212"
	    "121212121212 --list @list", CLI_USAGE, "--kind");
	ends(verb_revoke, "1212121212121212121212121212121212121212121212121212"
	    "121212121212 --list @list", CLI_USAGE, "--kind artifact");
	ends(verb_revoke, "zz --list @list --kind rns", CLI_USAGE, "32 hex");
	ends(verb_revoke, "zz --list @list --kind key", CLI_USAGE, "64 hex");
	ends(verb_revoke, "abcd --list @list", CLI_USAGE, "sha256:");
	ends(verb_revoke, "", CLI_USAGE, "--self KEYFILE --out");
	ends(verb_revoke, EVE " --list @nolist --uri foo -k @ben.key",
	    CLI_FAILED, "klp://");
	ends(verb_revoke, EVE, CLI_USAGE, "--list");
	ends(verb_revoke, EVE " --list @list --delta @", CLI_USAGE, "--root");
	ends(verb_revoke, EVE " --list @list --delta @ --root @list",
	    CLI_USAGE, "--key");
	ends(verb_revoke, EVE " --list @list --reason boredom", CLI_USAGE,
	    "none");
	ends(verb_revoke, EVE " --list @graph.json", CLI_FAILED, "no revocation");
}

static void
test_revoke_self(void **state)
{
	struct selfrev s;
	char hex[2 * FP_LEN + 1];
	size_t len;
	char *text;

	(void)state;
	ok(verb_revoke, "--self @ben.key --reason retired --since 1d -o @kx");
	text = slurp("kx", &len);
	assert_int_equal(len, 113);
	assert_null(selfrev_parse(&s, text, len));
	hex_encode(hex, HASH_BYTES(s.fp));
	assert_string_equal(hex, ben.fp);
	assert_int_equal(s.reason, REASON_RETIRED);
	assert_int_equal(s.issued - s.invalid_since, 86400);
	assert_true(selfrev_by(text, len, &ben.key));
	assert_false(selfrev_by(text, len, &ann.key));
	free(text);
	ends(verb_revoke, "--self @ben.key", CLI_USAGE, "--out");
	ends(verb_revoke, EVE " --self @ben.key -o @kx", CLI_USAGE, "--self");
	ends(verb_revoke, "--self @ben.key --suspend -o @kx", CLI_USAGE,
	    "for ever");
	ends(verb_revoke, "--self @ben.key --kind key -o @kx", CLI_USAGE,
	    "--kind");
	ends(verb_revoke, "--self @ben.key --uri klp://a/b -o @kx", CLI_USAGE,
	    "--uri");
	ends(verb_revoke, "--self @nokey -o @kx", CLI_FAILED, "klp keygen");
	ends(verb_revoke, "--self pubkey:ed25519:00 -o @kx", CLI_FAILED,
	    "klp keygen");
}

/* A graph that no node takes, or not all of it: both verbs say so. */
static void
test_graph_faults(void **state)
{
	static const char *const uris[] = {"https://board.example/graph.json",
	    "klp://board.example", "klp://board.example/g?v=1", "graph.json",
	    "klp://board.example/g#/edges"};
	char *text, *at, *out;
	size_t len;

	(void)state;
	ok(verb_klp_sign, "@graph.json --expires 1d -k @ann.key -o @whole");
	assert_null(strstr(heard->err, "can count"));
	/* an edge of ann's that ben signs */
	ok(verb_klp_sign, "@graph.json --expires 1d -k @ben.key -o @of-ben");
	assert_non_null(strstr(heard->err, "0 of 1 can count"));
	ends(verb_klp_verify, "@of-ben -k @ben.key", CLI_OK, "0 of 1 can count");
	text = slurp("graph.json", &len);
	at = strstr(text, "\"submitter\"");
	assert_non_null(at);
	memcpy(at, "\"submutter\"", 11);
	write_text(dir, "typo.json", text);
	ok(verb_klp_sign, "@typo.json --expires 1d -k @ann.key -o @typo");
	assert_non_null(strstr(heard->err, "1 with an unknown tag"));
	free(text);
	for (size_t i = 0; i < NELEM(uris); i++) {
		text = slurp("graph.json", &len);
		at = strstr(text, "klp://board.example/a/graph.json");
		out = malloc(len + 100);
		assert_non_null(at);
		assert_non_null(out);
		(void)snprintf(out, len + 100, "%.*s%s%s", (int)(at - text),
		    text, uris[i], at + strlen("klp://board.example/a/"
			"graph.json"));
		write_text(dir, "off.json", out);
		ends(verb_klp_sign, "@off.json --expires 1d -k @ann.key "
		    "-o @off", CLI_FAILED, "klp://");
		free(text);
		free(out);
	}
}

static void
test_unsigned(void **state)
{
	(void)state;
	ends(verb_klp_verify, "@graph.json -k @ann.key", CLI_FAILED,
	    "not signed yet");
	ends(verb_klp_verify, "@graph.json", CLI_FAILED, "klp sign");
	ends(verb_klp_verify, "@1.root.json --root @root.json", CLI_FAILED,
	    "not signed yet");
	ends(verb_klp_publish, "@pubu @root.json -k @ann.key", CLI_REFUSED,
	    "not signed yet");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keygen),
	    cmocka_unit_test(test_bad_keys),
	    cmocka_unit_test(test_sign),
	    cmocka_unit_test(test_not_signed),
	    cmocka_unit_test(test_escapes),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_publish),
	    cmocka_unit_test(test_publish_roots),
	    cmocka_unit_test(test_node_takes),
	    cmocka_unit_test(test_revoke),
	    cmocka_unit_test(test_revoke_self),
	    cmocka_unit_test(test_graph_faults),
	    cmocka_unit_test(test_unsigned),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
