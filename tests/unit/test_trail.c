/* SPDX-License-Identifier: BSD-2-Clause */
/* The trail: chain, bounds, damage of every kind, crashes, a full disk. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/note_read.h"
#include "audit/ocsf.h"
#include "audit/trail.h"
#include "audit/trail_file.h"
#include "audit/trail_impl.h"
#include "audit/trail_compact.h"
#include "audit/trail_verify.h"
#include "common/file.h"
#include "common/util.h"
#include "tests/unit/vec.h"

#include "tests/until.h"

static const struct trail_limits usual = {TRAIL_SEGMENT, TRAIL_TOTAL};
static char path[64];
static int dir = -1;

static int
folder(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/trail-test-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -1 : 0;
}

static int
cleanup(void **state)
{
	DIR *d = fdopendir(dir);
	struct dirent *de;

	(void)state;
	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			(void)unlinkat(dirfd(d), de->d_name, 0);
	(void)closedir(d);
	return rmdir(path);
}

static struct trail *
open_trail(const struct trail_limits *l)
{
	struct trail_report r;
	struct trail *t = trail_open(dir, l, &r);

	assert_non_null(t);
	assert_null(r.why);
	assert_int_equal(r.torn + r.bad + r.lost, 0);
	return t;
}

/* -1 with errno, or 0. */
static int
add(struct trail *t, unsigned sev, size_t pad)
{
	char body[4096];
	struct id32 digest;
	uint64_t seq;
	int n = snprintf(body, sizeof(body),
	    "{\"severity_id\":%u,\"n\":%llu,\"pad\":\"%0*d\"}", sev,
	    (unsigned long long)trail_next(t), (int)pad, 0);

	return trail_append(t, sev, body, (size_t)n, &seq, &digest);
}

static struct trail_verdict
verify(void)
{
	struct trail_verdict v;

	assert_int_equal(trail_verify(dir, NULL, &v, NULL, NULL), 0);
	return v;
}

static void
verified(void)
{
	struct trail_verdict v = verify();

	if (!v.ok)
		fail_msg("segment %u line %llu: %s", v.segment,
		    (unsigned long long)v.line, v.why);
}

static void
sign(struct trail *t)
{
	uint8_t seed[32] = {1}, pub[32], sk[64];
	char text[NOTE_MAX], body[NOTE_BODY_MAX], hex[66];
	struct note n = {.fp = {{2}}};
	size_t len;

	(void)crypto_sign_seed_keypair(pub, sk, seed);
	assert_true(trail_root(t, &n.size, &n.root));
	trail_mark(t, n.size, false);
	note_set_key(&n, pub);
	len = note_body(body, &n);
	(void)crypto_sign_detached(n.sig, NULL, (uint8_t *)body, len, sk);
	len = note_put(text, &n);
	assert_int_equal(file_replace(dir, TRAIL_CHECKPOINT, text, len, 0600),
	    0);
	hex_encode(hex, pub, 32);
	hex[64] = '\n';
	assert_int_equal(file_replace(dir, TRAIL_KEY, hex, 65, 0600), 0);
	trail_mark(t, n.size, true);
}

static void
test_grows(void **state)
{
	struct trail *t = open_trail(&usual);
	struct trail_verdict v;
	struct id32 root, again;
	uint64_t size;

	(void)state;
	verified();
	for (int i = 0; i < 10; i++)
		assert_int_equal(add(t, 1, 10), 0);
	assert_true(trail_dirty(t));
	assert_int_equal(add(t, 4, 10), 0);
	assert_false(trail_dirty(t));
	assert_true(trail_root(t, &size, &root));
	assert_int_equal(size, 11);
	trail_close(t);
	t = open_trail(&usual);
	assert_int_equal(trail_next(t), 12);
	assert_true(trail_root(t, &size, &again));
	assert_memory_equal(root.b, again.b, 32);
	sign(t);
	assert_int_equal(add(t, 1, 10), 0);
	v = verify();
	assert_true(v.ok);
	assert_int_equal(v.last, 12);
	assert_int_equal(v.lines, 12);
	assert_true(v.has_checkpoint);
	assert_int_equal(v.checkpoint, 11);
	assert_int_equal(v.unconfirmed, 0);
	trail_close(t);
}

/* One changed byte, anywhere, in any file, is found. */
static void
test_every_byte(void **state)
{
	static const char *const files[] = {
	    "00000001.jsonl", "00000002.jsonl", "head", "checkpoint", "key"};
	struct trail_limits small = {1200, TRAIL_TOTAL};
	struct trail *t = open_trail(&small);

	(void)state;
	for (int i = 0; i < 9; i++)
		assert_int_equal(add(t, 1 + (unsigned)i % 4, 20), 0);
	sign(t);
	assert_int_equal(add(t, 1, 20), 0);
	trail_close(t);
	verified();
	for (size_t f = 0; f < NELEM(files); f++) {
		int fd = openat(dir, files[f], O_RDWR);
		struct stat st;

		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(st.st_size > 0);
		for (off_t at = 0; at < st.st_size; at++) {
			uint8_t b, x;

			assert_int_equal(pread(fd, &b, 1, at), 1);
			x = b ^ (uint8_t)(1u << at % 8);
			assert_int_equal(pwrite(fd, &x, 1, at), 1);
			if (verify().ok)
				fail_msg("%s byte %lld", files[f],
				    (long long)at);
			assert_int_equal(pwrite(fd, &b, 1, at), 1);
		}
		(void)close(fd);
	}
	verified();
}

static char *
load(const char *name, size_t *len)
{
	char *p = file_load(dir, name, 1u << 20, len);

	assert_non_null(p);
	return p;
}

static void
store(const char *name, const char *p, size_t n)
{
	assert_int_equal(file_replace(dir, name, p, n, 0600), 0);
}

static void
test_missing(void **state)
{
	static const char one[] = "00000001.jsonl";
	struct trail_limits small = {1200, TRAIL_TOTAL};
	struct trail *t = open_trail(&small);
	struct trail_verdict v;
	size_t len, cut;
	char *p, *line;

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(add(t, 1, 20), 0);
	trail_close(t);
	p = load(one, &len);
	/* a line in the middle; two swapped are a gap too */
	line = strchr(p, '\n') + 1;
	cut = (size_t)(strchr(line, '\n') + 1 - line);
	memmove(line, line + cut, len - cut - (size_t)(line - p));
	store(one, p, len - cut);
	v = verify();
	assert_false(v.ok);
	assert_int_equal(v.segment, 1);
	assert_int_equal(v.line, 2);
	assert_non_null(strstr(v.why, "missing"));
	free(p);
	/* a segment: first, middle, last */
	assert_int_equal(renameat(dir, one, dir, "x"), 0);
	assert_false(verify().ok);
	assert_int_equal(renameat(dir, "x", dir, one), 0);
	assert_int_equal(renameat(dir, "00000003.jsonl", dir, "x"), 0);
	assert_false(verify().ok);
	assert_int_equal(renameat(dir, "x", dir, "00000003.jsonl"), 0);
	assert_int_equal(unlinkat(dir, "head", 0), 0);
	assert_false(verify().ok);
}

static void
test_missing_end(void **state)
{
	static const char one[] = "00000001.jsonl";
	struct trail *t = open_trail(&usual);
	struct trail_report r;
	size_t len;
	char *p;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(add(t, 1, 20), 0);
	trail_close(t);
	p = load(one, &len);
	p[len - 1] = '\0';
	store(one, p, (size_t)(strrchr(p, '\n') + 1 - p));
	free(p);
	assert_non_null(strstr(verify().why, "missing at the end"));
	/* the writer says so, and goes on behind what is there */
	t = trail_open(dir, &usual, &r);
	assert_non_null(t);
	assert_int_equal(r.lost, 1);
	assert_int_equal(trail_next(t), 5);
	trail_close(t);
	verified();
}

static void
test_torn(void **state)
{
	static const char one[] = "00000001.jsonl";
	struct trail *t = open_trail(&usual);
	struct trail_report r;
	size_t len;
	char *p;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(add(t, 1, 20), 0);
	trail_close(t);
	p = load(one, &len);
	for (size_t n = 1; n < 60; n += 7) {
		char *q = (char *)vec_alloc(len + n);

		memcpy(q, p, len);
		memcpy(q + len, p, n);
		store(one, q, len + n);
		assert_int_equal(verify().torn, n);
		t = trail_open(dir, &usual, &r);
		assert_non_null(t);
		assert_int_equal(r.torn, n);
		assert_null(r.why);
		assert_int_equal(trail_next(t), 4);
		trail_close(t);
		assert_int_equal(verify().torn, 0);
		verified();
	}
	free(p);
}

static void
test_broken_goes_on(void **state)
{
	static const char one[] = "00000001.jsonl";
	struct trail *t = open_trail(&usual);
	struct trail_report r;
	struct id32 root;
	uint64_t size;
	size_t len;
	char *p;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(add(t, 1, 20), 0);
	trail_close(t);
	p = load(one, &len);
	p[len / 2] ^= 1;
	store(one, p, len);
	free(p);
	t = trail_open(dir, &usual, &r);
	assert_non_null(t);
	assert_true(r.bad > 0);
	assert_non_null(r.why);
	assert_int_equal(r.bad_segment, 1);
	/* events are still written, but nothing is vouched for */
	assert_int_equal(add(t, 1, 20), 0);
	assert_int_equal(trail_next(t), 6);
	assert_false(trail_root(t, &size, &root));
	trail_close(t);
	assert_false(verify().ok);
}

struct seen {
	unsigned severity[TRAIL_SEVERITIES];
};

static void
see(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	struct seen *s = arg;

	(void)text;
	(void)len;
	if (!l->is_tomb)
		s->severity[trail_line_severity(l->body, l->body_len)]++;
}

static void
test_tombstones(void **state)
{
	struct trail_limits small = {6000, 60000};
	struct trail *t = open_trail(&small);
	struct trail_verdict v;
	struct seen seen = {{0}};
	struct id32 root, again;
	uint64_t size;
	unsigned fours = 0;

	(void)state;
	for (int i = 0; i < 600; i++) {
		unsigned sev = i % 50 == 7 ? 4 : i % 10 == 3 ? 2 : 1;

		fours += sev == 4;
		if (add(t, sev, 200) != 0)
			fail_msg("%d: %s", i, strerror(errno));
		if (i % 97 == 0)
			sign(t);
		assert_true(trail_bytes(t) <= small.total);
	}
	assert_true(trail_root(t, &size, &root));
	assert_int_equal(size, 600);
	trail_close(t);
	assert_int_equal(trail_verify(dir, NULL, &v, see, &seen), 0);
	if (!v.ok)
		fail_msg("%u:%llu %s", v.segment, (unsigned long long)v.line,
		    v.why);
	assert_true(v.tombstones > 0);
	assert_int_equal(v.last, 600);
	assert_int_equal(v.dropped + v.lines - v.tombstones, 600);
	assert_int_equal(seen.severity[4], fours);
	assert_true(seen.severity[1] > 10); /* the newest are there */
	/* the dropped lines still count in the signed tree */
	t = open_trail(&small);
	assert_true(trail_root(t, &size, &again));
	assert_memory_equal(root.b, again.b, 32);
	trail_close(t);
}

/* Tombstones that a checkpoint kept apart, once that is no longer the last. */
static void
test_tombstones_meet(void **state)
{
	struct trail *t = open_trail(&usual);
	struct trail_verdict v;

	(void)state;
	for (int i = 0; i < 14; i++) {
		assert_int_equal(add(t, i < 10 ? 1 : i < 12 ? 4 : 2, 600), 0);
		if (i == 4)
			sign(t);
	}
	assert_int_equal(trail_compact_seg(t, 0, 1), 0);
	v = verify();
	assert_true(v.ok);
	assert_int_equal(v.tombstones, 2);
	sign(t);
	assert_int_equal(trail_compact_seg(t, 0, 2), 0);
	trail_close(t);
	verified();
	v = verify();
	assert_int_equal(v.dropped + v.lines - v.tombstones, 14);
}

/* All of it gone together is told by what stands with the keys. */
static void
test_replaced(void **state)
{
	static const char *const files[] = {"00000001.jsonl", "head",
	    "checkpoint", "key"};
	uint8_t seed[32] = {1}, pub[32], sk[64];
	struct trail *t = open_trail(&usual);
	struct trail_expect want = {.key = pub};
	struct trail_verdict v;
	struct note kept;
	struct id32 line;
	uint64_t seq;
	char *p;
	size_t len;

	(void)state;
	(void)crypto_sign_seed_keypair(pub, sk, seed);
	for (int i = 0; i < 6; i++)
		assert_int_equal(add(t, 1, 10), 0);
	assert_int_equal(trail_append(t, 1, "{\"severity_id\":1}", 17, &seq,
	    &line), 0);
	sign(t);
	assert_int_equal(add(t, 1, 10), 0);
	trail_close(t);
	p = load("checkpoint", &len);
	assert_true(note_parse(&kept, p, len));
	free(p);
	want.kept = &kept;
	want.digest = &line;
	assert_int_equal(trail_verify(dir, &want, &v, NULL, NULL), 0);
	assert_true(v.ok);
	assert_int_equal(v.kept, 7);
	assert_true(v.met);
	/* one that nobody signed; a line that is not here */
	kept.sig[3] ^= 1;
	line.b[0] ^= 1;
	assert_int_equal(trail_verify(dir, &want, &v, NULL, NULL), 0);
	assert_false(v.ok);
	assert_false(v.met);
	kept.sig[3] ^= 1;
	for (size_t i = 0; i < NELEM(files); i++)
		assert_int_equal(unlinkat(dir, files[i], 0), 0);
	/* an empty one, a shorter one, one that has grown as far */
	for (int i = 0; i < 10; i++) {
		assert_true(verify().ok);
		assert_int_equal(trail_verify(dir, &want, &v, NULL, NULL), 0);
		assert_false(v.ok);
		assert_non_null(strstr(v.why, i < 7 ? "are gone" : "another"));
		t = open_trail(&usual);
		assert_int_equal(add(t, 2, 11), 0);
		trail_close(t);
	}
}

static void
test_full(void **state)
{
	struct trail_limits small = {2000, 9000};
	struct trail *t = open_trail(&small);
	uint64_t n;
	int i = 0;

	(void)state;
	while (i < 200 && add(t, 4, 200) == 0)
		i++;
	assert_int_equal(errno, ENOSPC);
	n = trail_next(t);
	assert_int_equal(add(t, 5, 200), -1);
	assert_int_equal(trail_next(t), n);
	trail_close(t);
	verified();
}

static void
test_long(void **state)
{
	struct trail *t = open_trail(&usual);
	char *body = malloc(20000);
	struct id32 digest;
	uint64_t seq;

	(void)state;
	memset(body, 'x', 20000);
	assert_int_equal(trail_append(t, 1, body, 20000, &seq, &digest), -1);
	assert_int_equal(errno, EMSGSIZE);
	free(body);
	trail_close(t);
}

/* A disk that takes no more: nothing torn, nothing lost, and on it goes. */
static void
test_disk_full(void **state)
{
	struct trail *t = open_trail(&usual);
	struct rlimit was, now;
	uint64_t n;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(add(t, 1, 200), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	now = was;
	now.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
	while (add(t, 1, 200) == 0)
		;
	n = trail_next(t);
	assert_true(n > 1 && n < 6);
	assert_int_equal(add(t, 4, 200), -1);
	assert_int_equal(trail_next(t), n);
	verified();
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(add(t, 1, 200), 0);
	trail_close(t);
	verified();
}

/* kill -9 at any moment: at most a torn line, never a broken chain. */
static void
test_kill(void **state)
{
	struct trail_limits small = {6000, 40000};
	uint64_t last = 0;

	(void)state;
	for (int round = 0; round < 25; round++) {
		struct trail_report r;
		struct trail *t;
		int status, go[2];
		char c;
		pid_t pid;

		assert_int_equal(pipe(go), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			t = trail_open(dir, &small, &r);
			(void)!write(go[1], "x", 1);
			for (unsigned i = 0; t != NULL; i++)
				if (add(t, i % 9 == 0 ? 2 : 1, 100) != 0)
					break;
			_exit(1);
		}
		(void)close(go[1]);
		assert_int_equal(read(go[0], &c, 1), 1);
		(void)close(go[0]);
		quiet(200 + round * 331, "killed at a moment of its own");
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		t = trail_open(dir, &small, &r);
		assert_non_null(t);
		assert_null(r.why);
		assert_int_equal(r.lost, 0);
		assert_true(trail_next(t) >= last);
		last = trail_next(t);
		trail_close(t);
		verified();
	}
	assert_true(last > 10);
}

static void
count(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	uint64_t *last = arg;

	(void)text;
	(void)len;
	*last = *last == 0 ? l->seq : *last + 1;
	assert_int_equal(*last, l->seq);
}

static void
test_tail(void **state)
{
	struct trail_limits small = {1500, TRAIL_TOTAL};
	struct trail *t = open_trail(&small);
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 40; i++)
		assert_int_equal(add(t, 1, 50), 0);
	trail_close(t);
	assert_int_equal(trail_tail(dir, 7, count, &last), 0);
	assert_int_equal(last, 40);
	last = 0;
	assert_int_equal(trail_tail(dir, 5000, count, &last), 0);
	assert_int_equal(last, 40);
}

/* Whose number a line has is read as it was written, to the byte. */
static void
test_sender(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
	    {"{\"sender\":\"node:00000000000000aF:7\"}", true},
	    {"{\"sender\":\"node:00000000000000af:07\"}", false},
	    {"{\"sender\":\"node:00000000000000af:\"}", false},
	    {"{\"sender\":\"node:0000000000000af:7\"}", false},
	    {"{\"sender\":\"node:00000000000000af7\"}", false},
	    {"{\"sender\":\"nobody:00000000000000af:7\"}", false},
	    {"{\"sender\":\"node:00000000000000af:7", false},
	    {"{\"sender\":\"", false},
	    {"{\"message\":\"\\\"sender\\\":\\\"node:00000000000000af:7\"}",
		false},
	};
	static const struct ocsf_source src;
	char text[OCSF_MAX];
	enum program who;
	struct heard h;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(trail_line_sender(rows[i].text,
		    strlen(rows[i].text), &who, &h), rows[i].good);
	for (unsigned p = 0; p < PROGRAM_COUNT; p++) {
		struct msg_EVENT e = {.kind = EVK_JOB_STATE, .when_us = 1,
		    .run = 0xfedcba9876543210u + p, .number = 1000 + p};
		size_t n;

		if (p % 2 == 1) {
			e.kind = EVK_EVENTS_LOST;
			(void)snprintf(e.code, sizeof(e.code), "%s",
			    program_name((enum program)p));
		}
		n = ocsf_event(text, sizeof(text), &e, p % 2 == 1 ?
		    PROGRAM_AUDIT : (enum program)p, &src, 1);
		assert_true(n > 0);
		assert_true(trail_line_sender(text, n, &who, &h));
		assert_int_equal(who, p);
		assert_true(h.run == e.run && h.upto == e.number);
		/* cut anywhere: nothing, or the number's beginning is none */
		for (size_t cut = 0; cut < n; cut++)
			if (trail_line_sender(text, cut, &who, &h))
				assert_true(h.upto == e.number);
	}
}

#define EACH(fn) cmocka_unit_test_setup_teardown(fn, folder, cleanup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(test_grows),
	    EACH(test_every_byte),
	    EACH(test_missing),
	    EACH(test_missing_end),
	    EACH(test_torn),
	    EACH(test_broken_goes_on),
	    EACH(test_tombstones),
	    EACH(test_tombstones_meet),
	    EACH(test_replaced),
	    EACH(test_full),
	    EACH(test_long),
	    EACH(test_disk_full),
	    EACH(test_kill),
	    EACH(test_tail),
	    cmocka_unit_test(test_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
