/* SPDX-License-Identifier: BSD-2-Clause */
/* The folder that a job leaves: made, fetched again, replaced, verified. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include <rns/rns.h>

#include "tests/unit/cli_capture.h"
#include "tests/unit/cli_node.h"
#include "common/util.h"

#include "node/cli/verb.h"
#include "node/cli/jobdir.h"
#include "node/cli/leftout.h"
#include "node/cli/pack.h"
#include "trust/doc/revlist.h"
#include "trust/doc/binding.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"

#define NOW 1800000000u

static struct cli c = {.verb = "test"};

struct made {
	struct world *w;
	struct jobdir dir;
	const char *base; /* of the test */
	char path[400];	  /* the job's folder */
	uint8_t envelope[2 * 4096];
	size_t envelope_len;
	uint8_t binding[BINDING_LEN];
	char local[MANIFEST_VOLUMES][CLI_PATH];
	int base_fd;
	char urn[URN_MAX];
	struct hash16 dest;
	bool other_node; /* the manifest names another */
};

static void
node_binding(struct world *w, uint8_t out[BINDING_LEN], struct hash16 *dest)
{
	struct binding b = {.serial = NOW,
	    .not_before = NOW - 100,
	    .not_after = NOW + 1000};
	uint8_t priv[64];
	struct hash16 hash;

	memset(priv, 9, sizeof(priv));
	memcpy(b.secp, w->s.node_key.raw, 33);
	assert_int_equal(rns_identity_derive(b.rns, &hash, priv), RNS_OK);
	assert_true(binding_sign_secp(&b, &w->secret, priv));
	assert_true(binding_sign_rns(&b, priv + 32));
	binding_put(out, &b);
	assert_int_equal(rns_dest_hash(dest, "klp.node", &hash), RNS_OK);
}

/* The output that the node will give: a tar of one file. */
static void
node_output(struct world *w, const char *base)
{
	char path[600];
	struct pack p;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/theirs", base);
	assert_int_equal(mkdir(path, 0755), 0);
	write_text(path, "sorted", "a\nb\n");
	assert_true(pack_folder(&c, AT_FDCWD, path, TREE_STRICT, &p));
	n = pread(p.fd, w->node_out.b, CN_BLOB, 0);
	assert_true(n > 0);
	w->node_out.n = (size_t)n;
	(void)close(p.fd);
}

static void
sign(struct made *k)
{
	struct manifest *m = &k->w->m;
	struct env_signed sig;
	char why[MANIFEST_WHY], *payload;
	size_t len;

	(void)snprintf(m->image, sizeof(m->image), "x");
	key_fp(&m->submitter, &k->w->s.node_key);
	assert_true(urn_make(m->submitter_urn, "kindai", "human",
	    &m->submitter));
	m->node = m->submitter;
	m->node.b[5] ^= k->other_node;
	assert_true(urn_make(m->node_urn, "kindai", "device", &m->node));
	assert_true(urn_make(k->urn, "kindai", "device", &m->submitter));
	m->has |= HAS_NODE;
	m->not_after = NOW + 60;
	m->deadline = NOW + 120;
	m->has |= HAS_VOLUMES;
	payload = manifest_build(m, &len, why);
	if (payload == NULL)
		fail_msg("%s", why);
	sig.fp = m->submitter;
	assert_true(pae_sign(sig.sig, &k->w->secret, TYPE_MANIFEST, payload,
	    len, NULL));
	k->envelope_len = env_build_json(k->envelope, sizeof(k->envelope),
	    TYPE_MANIFEST, payload, len, &sig, 1);
	assert_true(k->envelope_len > 0);
	free(payload);
}

static struct made *
make(void)
{
	struct made *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	k->w = world_new();
	k->base = temp_dir();
	k->base_fd = open(k->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(k->path, sizeof(k->path), "%s/job", k->base);
	node_output(k->w, k->base);
	node_binding(k->w, k->binding, &k->dest);
	sign(k);
	return k;
}

static void
drop(struct made *k)
{
	jobdir_close(&k->dir);
	(void)close(k->base_fd);
	temp_remove(k->base);
	world_free(k->w);
	free(k);
}

static int
open_dir(struct made *k)
{
	int rc;

	capture_begin();
	rc = jobdir_open(&k->dir, &c, k->path, &k->w->m, k->envelope,
	    k->envelope_len);
	(void)capture_end();
	return rc;
}

static void
run(struct made *k, bool in_place)
{
	struct jobdir_end e = {.s = &k->w->s,
	    .binding = k->binding,
	    .node_urn = k->urn,
	    .submitter = &k->w->s.node_key,
	    .in_place = in_place,
	    .base = k->base_fd,
	    .local = (const char(*)[CLI_PATH])k->local};

	e.dest = k->dest;
	jobdir_store(&k->dir, &k->w->s.store);
	world_run(k->w, 5000);
	assert_int_equal(k->w->s.phase, SUB_END);
	assert_int_equal(k->w->s.end, SUB_DONE);
	assert_int_equal(jobdir_finish(&k->dir, &e), CLI_OK);
}

static int
verify(const char *path, const struct captured **said)
{
	char verb[] = "verify", arg[400];
	char *argv[] = {verb, arg, NULL};
	struct cli me = {.verb = "receipt verify"};
	int rc;

	(void)snprintf(arg, sizeof(arg), "%s", path);
	capture_begin();
	rc = verb_receipt_verify(&me, 2, argv);
	*said = capture_end();
	return rc;
}

static size_t
slurp(const char *dir, const char *name, char *out, size_t cap)
{
	char path[600];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(out, 1, cap, f);
	(void)fclose(f);
	return n;
}

static void
spill(const char *dir, const char *name, const char *p, size_t n)
{
	char path[600];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
test_folder(void **state)
{
	struct made *k = make();
	const struct captured *said;
	char text[64];

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	assert_int_equal(slurp(k->path, "stdout", text, sizeof(text)), 23);
	assert_int_equal(slurp(k->path, "volumes/agent/tmp/sorted", text,
			     sizeof(text)), 4);
	assert_memory_equal(text, "a\nb\n", 4);
	assert_int_equal(verify(k->path, &said), CLI_OK);
	assert_non_null(strstr(said->out, "valid"));
	drop(k);
}

/* The node's key has revoked itself, and what it signed before is shown. */
static void
test_listed(void **state)
{
	struct made *k = make();
	char frame[SELFREV_FRAME + 1 + 68] = "KX\001", list[600], text[600];
	char verb[] = "verify", opt[] = "--list";
	char *argv[] = {verb, k->path, opt, list, NULL};
	const struct captured *said;
	struct cli me;
	struct fp fp;
	uint8_t *f = (uint8_t *)frame;
	uint32_t end;
	int rc;

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	key_fp(&fp, &k->w->s.node_key);
	memcpy(f + 4, HASH_BYTES(fp));
	f[SELFREV_FRAME] = 1;
	memcpy(f + SELFREV_FRAME + 1, fp.b, 4);
	(void)snprintf(list, sizeof(list), "%s/../kx", k->path);
	end = NOW + 3600; /* the job is over then */
	for (unsigned turn = 0; turn < 3; turn++) {
		f[3] = turn == 2 ? 1 : REASON_RETIRED;
		put_u32(f + 36, turn == 1 ? 1 : end);
		put_u32(f + 40, turn == 1 ? 1 : end);
		assert_true(pae_sign(f + SELFREV_FRAME + 5, &k->w->secret,
		    TYPE_SELFREV, f, SELFREV_FRAME, NULL));
		(void)snprintf(text, sizeof(text), "%s/..", k->path);
		spill(text, "kx", frame, sizeof(frame));
		me = (struct cli){.verb = "receipt verify"};
		capture_begin();
		rc = verb_receipt_verify(&me, 4, argv);
		said = capture_end();
		assert_int_equal(rc, turn == 0 ? CLI_OK : CLI_FAILED);
		assert_non_null(strstr(said->err, turn == 2 ?
		    "NOT valid: its key is revoked (key_compromise)" :
		    turn == 1 ? "NOT valid: its key is revoked (retired)" :
		    "what it signed before that counts"));
	}
	drop(k);
}

/* What the node says that the outputs lack stands in result.json, escaped. */
static void
test_left_out(void **state)
{
	struct made *k = make();
	char text[8192];
	const json_t *l, *it;
	json_t *o;
	size_t n;

	(void)state;
	left_add(&k->w->node_left, 0, LEFT_NAME, "x\xff", 2);
	left_add(&k->w->node_left, 0, LEFT_SETID, "su", 2);
	/* of an output that the answer does not have: a node's mistake */
	left_add(&k->w->node_left, 9, LEFT_TYPE, "fifo", 4);
	k->w->node_left.count = 70;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	n = slurp(k->path, "result.json", text, sizeof(text));
	o = json_loadb(text, n, 0, NULL);
	assert_non_null(o);
	l = json_object_get(o, "left_out");
	assert_int_equal(json_integer_value(json_object_get(l, "count")), 70);
	l = json_object_get(l, "items");
	assert_int_equal(json_array_size(l), 2);
	it = json_array_get(l, 0);
	assert_string_equal(json_string_value(json_object_get(it, "target")),
	    "/agent/tmp");
	assert_string_equal(json_string_value(json_object_get(it, "name")),
	    "x\\xff");
	assert_string_equal(json_string_value(json_object_get(it, "reason")),
	    "name");
	it = json_array_get(l, 1);
	assert_string_equal(json_string_value(json_object_get(it, "reason")),
	    "set-id");
	json_decref(o);
	drop(k);
}

/* Inputs: what cannot travel is left out and named once, or refuses. */
static void
test_inputs(void **state)
{
	const struct captured *said;
	const char *base = temp_dir();
	struct pack p;
	struct manifest m;
	struct left all = {0};
	char local[1][CLI_PATH] = {"./venv"}, path[600];

	(void)state;
	manifest_init(&m);
	m.nvolumes = 1;
	(void)snprintf(m.volume[0].target, sizeof(m.volume[0].target), "/in");
	write_text(base, "good", "x");
	write_text(base, "x\xff", "x");
	(void)snprintf(path, sizeof(path), "%s/python", base);
	assert_int_equal(symlink("/usr/bin/python3", path), 0);
	capture_begin();
	assert_true(pack_folder(&c, AT_FDCWD, base, TREE_DROP, &p));
	(void)close(p.fd);
	left_join(&all, 0, &p.left);
	leftout_say(&c, "inputs", &all, &m, NULL);
	for (unsigned i = 0; i < 40; i++)
		left_add(&all, 0, LEFT_LINK, "more", 4);
	leftout_say(&c, "inputs", &all, &m, (const char(*)[CLI_PATH])local);
	said = capture_end();
	assert_int_equal(all.count, 42);
	assert_int_equal(p.size, 2048);
	assert_non_null(strstr(said->err, "lack 2"));
	assert_non_null(strstr(said->err, "/in/x\\xff: "));
	assert_non_null(strstr(said->err, "/in/python: a link"));
	assert_non_null(strstr(said->err, "./venv/python: a link"));
	assert_non_null(strstr(said->err, "and 26 more"));
	capture_begin();
	assert_false(pack_folder(&c, AT_FDCWD, base, TREE_STRICT, &p));
	said = capture_end();
	assert_null(strstr(said->err, "x5c"));
	/* a folder that is not there, as an empty one */
	assert_true(pack_empty(&c, &p));
	assert_int_equal(p.size, 1024);
	(void)close(p.fd);
	temp_remove(base);
}

/* A full disk is named with the folder, an output's and a log's. */
static void
test_full(void **state)
{
	static uint8_t much[8192];
	struct made *k = make();
	const struct captured *said;
	struct sub_store *st = &k->w->s.store;
	struct id32 digest = {{1}};
	struct rlimit all, few;

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	jobdir_store(&k->dir, st);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	few = all;
	few.rlim_cur = 4096;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(st->output_here(st->arg, 0, &digest, 8192), 0);
	for (int i = 0; i < 2; i++) {
		bool ok;

		k->dir.err = 0;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
		ok = i == 0 ? st->output(st->arg, 0, 0, much, sizeof(much)) :
		    st->log(st->arg, 1, 0, much, sizeof(much));
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
		assert_false(ok);
		capture_begin();
		jobdir_trouble(&k->dir, "results cannot be written");
		said = capture_end();
		if (strstr(said->err, k->path) == NULL ||
		    strstr(said->err, "written: File too large") == NULL)
			fail_msg("%d: %s", i, said->err);
	}
	(void)signal(SIGXFSZ, SIG_DFL);
	drop(k);
}

/* A place to pack that is not there or full is no fault of the volume. */
static void
test_no_room(void **state)
{
	const char *base = temp_dir(), *before = getenv("TMPDIR");
	char none[600], *old = before != NULL ? strdup(before) : NULL;
	const struct captured *said;
	struct rlimit all, few;
	unsigned times = 0;
	struct pack p;

	(void)state;
	write_text(base, "good", "x");
	(void)snprintf(none, sizeof(none), "%s/none", base);
	assert_int_equal(setenv("TMPDIR", none, 1), 0);
	capture_begin();
	assert_false(pack_folder(&c, AT_FDCWD, base, TREE_DROP, &p));
	assert_false(pack_empty(&c, &p));
	(void)snprintf(none, sizeof(none), "%s/good", base);
	assert_false(pack_file(&c, AT_FDCWD, none, &p));
	said = capture_end();
	(void)snprintf(none, sizeof(none), "packed in %s/none (TMPDIR", base);
	for (const char *at = said->err; times < 3; times++, at++)
		if ((at = strstr(at, none)) == NULL)
			fail_msg("%u: %s", times, said->err);
	/* full, as far as this process may fill it */
	assert_int_equal(setenv("TMPDIR", base, 1), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	few = all;
	few.rlim_cur = 1024;
	(void)signal(SIGXFSZ, SIG_IGN);
	capture_begin();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	assert_false(pack_folder(&c, AT_FDCWD, base, TREE_DROP, &p));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	said = capture_end();
	(void)signal(SIGXFSZ, SIG_DFL);
	(void)snprintf(none, sizeof(none), "packed in %s (TMPDIR", base);
	assert_non_null(strstr(said->err, none));
	assert_non_null(strstr(said->err, "too large"));
	/* and a folder that is not there stays its own fault */
	assert_int_equal(old != NULL ? setenv("TMPDIR", old, 1) :
	    unsetenv("TMPDIR"), 0);
	free(old);
	(void)snprintf(none, sizeof(none), "%s/none", base);
	capture_begin();
	assert_false(pack_folder(&c, AT_FDCWD, none, TREE_DROP, &p));
	said = capture_end();
	assert_non_null(strstr(said->err, "none: No such file"));
	assert_null(strstr(said->err, "TMPDIR"));
	temp_remove(base);
}

/* Fetched again: the same files; a longer log of before is cut. */
static void
test_again(void **state)
{
	struct made *k = make();
	const struct captured *said;

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	jobdir_close(&k->dir);
	spill(k->path, "stdout", "a much longer text than the job has written",
	    43);
	spill(k->path, "volumes/agent/tmp/stray", "x", 1);
	assert_int_equal(open_dir(k), CLI_OK);
	k->w->requests = 0;
	k->w->s.resume = true;
	memset(k->w->s.log_have, 0, sizeof(k->w->s.log_have));
	memset(k->w->s.eof, 0, sizeof(k->w->s.eof));
	sub_link_lost(&k->w->s);
	run(k, false);
	assert_int_equal(verify(k->path, &said), CLI_OK);
	drop(k);
}

/* What an interrupted fetch has left: the next one goes on behind it. */
static void
test_goes_on(void **state)
{
	struct made *k = make();
	const struct captured *said;
	char part[600], text[64], hex[65];
	struct id32 sha;

	(void)state;
	rns_sha256(&sha, k->w->node_out.b, k->w->node_out.n);
	hex_encode(hex, HASH_BYTES(sha));
	(void)snprintf(part, sizeof(part), "%s.part", hex);
	assert_int_equal(open_dir(k), CLI_OK);
	spill(k->path, part, (const char *)k->w->node_out.b, 1000);
	spill(k->path, "stdout", "first line\nsec", 14);
	/* of an attempt before: it goes too */
	part[0] = part[0] == 'a' ? 'b' : 'a';
	spill(k->path, part, "x", 1);
	capture_begin();
	k->dir.show = true;
	jobdir_logs_here(&k->dir, k->w->s.log_have);
	assert_int_equal(k->w->s.log_have[0], 14);
	assert_int_equal(k->w->s.log_have[1], 0);
	k->w->s.resume = true;
	run(k, false);
	said = capture_end();
	/* shown whole, from its beginning, once */
	assert_string_equal(said->out, "first line\nsecond line\n");
	assert_int_equal(k->w->got, k->w->node_out.n - 1000);
	assert_int_equal(slurp(k->path, "stdout", text, sizeof(text)), 23);
	assert_int_equal(verify(k->path, &said), CLI_OK);
	(void)snprintf(part, sizeof(part), "%s/%s.part", k->path, hex);
	assert_int_equal(access(part, F_OK), -1);
	part[strlen(k->path) + 1] = hex[0] == 'a' ? 'b' : 'a';
	assert_int_equal(access(part, F_OK), -1);
	jobdir_close(&k->dir);
	drop(k);

	/* all of it is here, unpacked: nothing is asked for */
	k = make();
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	assert_true(k->w->got > 0);
	k->w->got = 0;
	k->w->requests = 0;
	k->w->s.resume = true;
	memset(k->w->s.eof, 0, sizeof(k->w->s.eof));
	sub_link_lost(&k->w->s);
	run(k, false);
	assert_int_equal(k->w->got, 0);
	assert_int_equal(verify(k->path, &said), CLI_OK);
	drop(k);
}

static void
test_others(void **state)
{
	struct made *k = make();
	char text[64];

	(void)state;
	/* a folder without a manifest; one of another job */
	assert_int_equal(mkdir(k->path, 0755), 0);
	assert_int_equal(open_dir(k), CLI_USAGE);
	assert_int_equal(rmdir(k->path), 0);
	assert_int_equal(open_dir(k), CLI_OK);
	jobdir_close(&k->dir);
	spill(k->path, "stdout", "theirs", 6);
	k->w->m.nonce[0] ^= 1;
	sign(k);
	assert_int_equal(open_dir(k), CLI_USAGE);
	assert_int_equal(slurp(k->path, "stdout", text, sizeof(text)), 6);
	/* a job that did not come to be leaves nothing, and others' alone */
	jobdir_discard(&k->dir);
	assert_int_equal(access(k->path, F_OK), 0);
	jobdir_close(&k->dir);
	temp_remove(k->path);
	assert_int_equal(open_dir(k), CLI_OK);
	jobdir_discard(&k->dir);
	assert_int_equal(access(k->path, F_OK), -1);
	drop(k);
}

static void
test_in_place(void **state)
{
	struct made *k = make();
	char text[64], kept[400], hex[65];

	(void)state;
	(void)snprintf(kept, sizeof(kept), "%s/mine", k->base);
	assert_int_equal(mkdir(kept, 0755), 0);
	write_text(kept, "old", "old");
	(void)snprintf(k->local[1], CLI_PATH, "mine");
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, true);
	assert_int_equal(slurp(k->base, "mine/sorted", text, sizeof(text)), 4);
	hex_encode(hex, HASH_BYTES(k->w->m.job));
	(void)snprintf(kept, sizeof(kept), "mine.before-%.16s/old", hex);
	assert_int_equal(slurp(k->base, kept, text, sizeof(text)), 3);
	drop(k);
}

/* One changed byte in any file, a file more, a file less. */
static void
test_changed(void **state)
{
	static const char *const names[] = {"stdout", "stderr", "receipt",
	    "manifest", "volumes/agent/tmp/sorted"};
	struct made *k = make();
	const struct captured *said;
	char path[600];

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	for (size_t i = 0; i < NELEM(names); i++) {
		char good[8192], bad[8192];
		size_t n = slurp(k->path, names[i], good, sizeof(good));

		assert_true(n > 0 && n < sizeof(good));
		for (size_t at = 0; at < n; at += i == 3 ? 7 : 1) {
			memcpy(bad, good, n);
			bad[at] = (char)(bad[at] ^ 1);
			spill(k->path, names[i], bad, n);
			if (verify(k->path, &said) != CLI_FAILED)
				fail_msg("%s: byte %zu is not missed",
				    names[i], at);
		}
		spill(k->path, names[i], good, n - 1);
		assert_int_equal(verify(k->path, &said), CLI_FAILED);
		spill(k->path, names[i], good, n);
		assert_int_equal(verify(k->path, &said), CLI_OK);
		(void)snprintf(path, sizeof(path), "%s/%s", k->path, names[i]);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(verify(k->path, &said), CLI_FAILED);
		spill(k->path, names[i], good, n);
	}
	spill(k->path, "volumes/agent/tmp/more", "x", 1);
	assert_int_equal(verify(k->path, &said), CLI_FAILED);
	drop(k);
}

/*
 * Nobody signs result.json, so all of it is compared with what is signed: any
 * changed digit or letter is found, but for the state and the node's word on
 * what the outputs lack, which no receipt has.
 */
static void
test_result_json(void **state)
{
	struct made *k = make();
	const struct captured *said;
	char good[8192], *skip, *lack;
	size_t n, tried = 0;

	(void)state;
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	n = slurp(k->path, "result.json", good, sizeof(good) - 1);
	good[n] = '\0';
	skip = strstr(good, "\"state\"");
	assert_non_null(skip);
	lack = strstr(good, "\"left_out\"");
	assert_non_null(lack);
	for (size_t at = 0; at < n; at++) {
		char was = good[at];

		if (strchr(" \n{}[],:\"", was) != NULL ||
		    (good + at >= skip && good + at < skip + 15) ||
		    (good + at >= lack && good + at < strchr(lack, '}')) ||
		    (at % 5 != 0 && at > 400))
			continue;
		good[at] = (char)(was == '0' ? '1' : was ^ 1);
		spill(k->path, "result.json", good, n);
		if (verify(k->path, &said) != CLI_FAILED)
			fail_msg("byte %zu (%c) is not missed: %s", at, was,
			    good);
		good[at] = was;
		tried++;
	}
	assert_true(tried > 100);
	drop(k);
}

/* A receipt of another node than the manifest names is none for this job. */
static void
test_other_node(void **state)
{
	struct made *k = make();
	const struct captured *said;

	(void)state;
	k->other_node = true;
	sign(k);
	assert_int_equal(open_dir(k), CLI_OK);
	run(k, false);
	assert_int_equal(verify(k->path, &said), CLI_FAILED);
	assert_non_null(strstr(said->err, "node"));
	drop(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_left_out),
	    cmocka_unit_test(test_inputs),
	    cmocka_unit_test(test_folder), cmocka_unit_test(test_listed),
	    cmocka_unit_test(test_full), cmocka_unit_test(test_no_room),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_goes_on),
	    cmocka_unit_test(test_others),
	    cmocka_unit_test(test_in_place),
	    cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_result_json),
	    cmocka_unit_test(test_other_node),
	};

	return cmocka_run_group_tests_name("cli_job", tests, NULL, NULL);
}
