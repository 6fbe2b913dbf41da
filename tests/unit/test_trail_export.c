/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A span of the trail as it leaves the house: lines as they stand, tombstones
 * for all others, and the chain and the checkpoint verified without them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit/trail.h"
#include "audit/trail_compact.h"
#include "audit/trail_file.h"
#include "audit/trail_impl.h"
#include "audit/trail_verify.h"
#include "common/file.h"
#include "common/util.h"
#include "trust/doc/note_read.h"

#define LINES 36

static const struct trail_limits small = {4096, TRAIL_TOTAL};
static char paths[2][64];
static int dir[2] = {-1, -1}; /* the trail, what leaves */
static struct trail *t;

static void
empty(int at)
{
	DIR *d = fdopendir(dup(at));
	struct dirent *de;

	assert_non_null(d);
	rewinddir(d);
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			assert_int_equal(unlinkat(at, de->d_name, 0), 0);
	(void)closedir(d);
}

static void
add(unsigned sev)
{
	char body[400];
	struct id32 digest;
	uint64_t seq;
	int n = snprintf(body, sizeof(body), "{\"severity_id\":%u,\"secret\":"
	    "\"line %llu\",\"pad\":\"%0250d\"}", sev,
	    (unsigned long long)trail_next(t), 0);

	assert_int_equal(trail_append(t, sev, body, (size_t)n, &seq, &digest),
	    0);
}

static void
sign(void)
{
	uint8_t seed[32] = {1}, pub[32], sk[64];
	char text[NOTE_MAX], body[NOTE_BODY_MAX], hex[66];
	struct note n = {.fp = {{2}}};
	size_t len;

	(void)crypto_sign_seed_keypair(pub, sk, seed);
	assert_true(trail_root(t, &n.size, &n.root));
	note_set_key(&n, pub);
	len = note_body(body, &n);
	(void)crypto_sign_detached(n.sig, NULL, (uint8_t *)body, len, sk);
	len = note_put(text, &n);
	assert_int_equal(file_replace(dir[1], TRAIL_CHECKPOINT, text, len,
	    0600), 0);
	hex_encode(hex, pub, 32);
	hex[64] = '\n';
	assert_int_equal(file_replace(dir[1], TRAIL_KEY, hex, 65, 0600), 0);
	trail_mark(t, n.size, true);
}

/* LINES of them in several segments, the 25th of them signed for. */
static int
setup(void **state)
{
	struct trail_report r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]),
		    "/tmp/trail-export-XXXXXX");
		if (mkdtemp(paths[i]) == NULL)
			return -1;
		dir[i] = open(paths[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	t = trail_open(dir[0], &small, &r);
	assert_non_null(t);
	for (unsigned i = 0; i < LINES; i++) {
		add(1 + i % 5);
		if (i == 24)
			sign();
	}
	assert_true(t->nsegs > 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	trail_close(t);
	for (int i = 0; i < 2; i++) {
		empty(dir[i]);
		(void)close(dir[i]);
		(void)rmdir(paths[i]);
	}
	return 0;
}

struct span {
	uint64_t from, to;
};

static bool
within(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	const struct span *s = arg;

	assert_true(len > 0 && text[len - 1] != '\n');
	return l->seq >= s->from && l->seq <= s->to;
}

/* All segments of a span, and the head that is its end. */
static void
export(struct span s)
{
	char name[TRAIL_NAME_MAX], head[TRAIL_HEAD_LEN + 1];
	struct id32 digest;
	uint64_t last;

	trail_tip(t, &last, &digest);
	for (size_t i = 0; i < t->nsegs; i++) {
		trail_seg_name(name, t->segs[i].number);
		assert_int_equal(trail_export_seg(t, t->segs[i].number, last,
		    within, &s, openat(dir[1], name, O_WRONLY | O_CREAT |
		    O_TRUNC | O_CLOEXEC, 0600)), 0);
	}
	trail_head_put(head, last, &digest);
	assert_int_equal(file_replace(dir[1], TRAIL_HEAD, head,
	    TRAIL_HEAD_LEN, 0600), 0);
}

/* The bytes of all segments of a folder, one behind the other. */
static char *
all(int at)
{
	char name[TRAIL_NAME_MAX], *out = calloc(1, 1 << 20), *p;
	size_t len, n = 0;

	for (size_t i = 0; i < t->nsegs; i++) {
		trail_seg_name(name, t->segs[i].number);
		p = file_load(at, name, 1 << 18, &len);
		assert_non_null(p);
		memcpy(out + n, p, len);
		n += len;
		free(p);
	}
	return out;
}

static unsigned
lines(const char *text, uint64_t *in_span, struct span s)
{
	struct trail_line l;
	unsigned tombs = 0;

	*in_span = 0;
	for (const char *nl; (nl = strchr(text, '\n')) != NULL;
	    text = nl + 1) {
		assert_true(trail_line_parse(&l, text, (size_t)(nl - text)));
		tombs += l.is_tomb;
		if (!l.is_tomb) {
			assert_in_range(l.seq, s.from, s.to);
			++*in_span;
		}
	}
	return tombs;
}

static void
verified(void)
{
	struct trail_verdict v;

	assert_int_equal(trail_verify(dir[1], NULL, &v, NULL, NULL), 0);
	if (!v.ok)
		fail_msg("segment %u line %llu: %s", v.segment,
		    (unsigned long long)v.line, v.why);
}

/* Each span: what is in it stands word for word, the rest is not told. */
static void
test_spans(void **state)
{
	static const struct span spans[] = {{1, LINES}, {1, 1},
	    {LINES, LINES}, {10, 12}, {24, 26}, {2, LINES - 1}, {25, 25},
	    {26, 26}, {LINES + 1, LINES + 9}};
	char *was = all(dir[0]), *is, want[40];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < NELEM(spans); i++) {
		export(spans[i]);
		verified();
		is = all(dir[1]);
		(void)lines(is, &n, spans[i]);
		assert_int_equal(n, spans[i].from > LINES ? 0 :
		    MIN_OF(spans[i].to, (uint64_t)LINES) - spans[i].from + 1);
		for (uint64_t k = 1; k <= LINES; k++) {
			(void)snprintf(want, sizeof(want), "\"line %llu\"",
			    (unsigned long long)k);
			assert_int_equal(strstr(is, want) != NULL,
			    k >= spans[i].from && k <= spans[i].to);
		}
		free(is);
	}
	/* the whole of it is the trail, byte for byte */
	export(spans[0]);
	is = all(dir[1]);
	assert_string_equal(is, was);
	free(is);
	free(was);
}

/* One line that is left out alone is a tombstone as well. */
static bool
but_one(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	(void)text;
	(void)len;
	return l->seq != *(const uint64_t *)arg;
}

static void
test_one(void **state)
{
	char name[TRAIL_NAME_MAX], *is;
	struct id32 digest;
	uint64_t last, n, out = 3;

	(void)state;
	export((struct span){1, LINES});
	trail_tip(t, &last, &digest);
	trail_seg_name(name, t->segs[0].number);
	assert_int_equal(trail_export_seg(t, t->segs[0].number, last, but_one,
	    &out, openat(dir[1], name, O_WRONLY | O_TRUNC | O_CLOEXEC)), 0);
	verified();
	is = all(dir[1]);
	assert_int_equal(lines(is, &n, (struct span){1, LINES}), 1);
	assert_int_equal(n, LINES - 1);
	assert_null(strstr(is, "\"line 3\""));
	free(is);
}

/* A changed byte of what left is found, in a line and in a tombstone. */
static void
test_changed(void **state)
{
	char name[TRAIL_NAME_MAX], *p;
	struct trail_verdict v;
	size_t len;

	(void)state;
	export((struct span){3, 5});
	trail_seg_name(name, t->segs[0].number);
	p = file_load(dir[1], name, 1 << 18, &len);
	assert_non_null(p);
	for (size_t i = 0; i < len; i += 7) {
		char was = p[i];

		p[i] = was == '1' ? '2' : '1';
		assert_int_equal(file_replace(dir[1], name, p, len, 0600), 0);
		assert_int_equal(trail_verify(dir[1], NULL, &v, NULL, NULL),
		    0);
		if (v.ok)
			fail_msg("byte %zu: %c", i, was);
		p[i] = was;
	}
	free(p);
}

/* Lines that come while it is written are not in it. */
static void
test_last(void **state)
{
	struct span s = {1, UINT64_MAX};
	char name[TRAIL_NAME_MAX], *p, *nl;
	struct trail_line l;
	uint32_t number = t->segs[t->nsegs - 1].number;
	struct id32 digest;
	uint64_t last;
	size_t len;

	(void)state;
	trail_tip(t, &last, &digest);
	add(4);
	assert_int_equal(t->segs[t->nsegs - 1].number, number);
	trail_seg_name(name, number);
	assert_int_equal(trail_export_seg(t, number, last, within, &s,
	    openat(dir[1], name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600)), 0);
	p = file_load(dir[1], name, 1 << 18, &len);
	assert_non_null(p);
	assert_true(len > 1 && p[len - 1] == '\n');
	p[len - 1] = '\0';
	nl = strrchr(p, '\n');
	nl = nl == NULL ? p : nl + 1;
	assert_true(trail_line_parse(&l, nl, strlen(nl)));
	assert_int_equal(l.seq, last);
	free(p);
}

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Nothing that is nobody's word leaves, and no descriptor stays. */
static void
test_fails(void **state)
{
	struct span s = {1, LINES};
	char name[TRAIL_NAME_MAX];
	unsigned before = open_fds();
	int fd;

	(void)state;
	assert_int_equal(trail_export_seg(t, 9999, LINES, within, &s,
	    open("/dev/null", O_WRONLY | O_CLOEXEC)), -1);
	assert_int_equal(errno, ENOENT);
	/* a full disk */
	assert_int_equal(trail_export_seg(t, t->segs[0].number, LINES, within,
	    &s, open("/dev/full", O_WRONLY | O_CLOEXEC)), -1);
	/* a line that is none */
	trail_seg_name(name, t->segs[0].number);
	fd = openat(dir[0], name, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "!", 1, 0), 1);
	(void)close(fd);
	assert_int_equal(trail_export_seg(t, t->segs[0].number, LINES, within,
	    &s, open("/dev/null", O_WRONLY | O_CLOEXEC)), -1);
	assert_int_equal(open_fds(), before);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_spans), T(test_one),
	    T(test_changed), T(test_last), T(test_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
