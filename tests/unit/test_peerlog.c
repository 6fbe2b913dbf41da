/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of other nodes on the disk: falls, damage, quota, a full disk. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
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

#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "node/host/peerlog.h"
#include "node/host/world.h"

static struct warren_node wn;
static struct node_config conf;
static char path[64], log_path[160];
static const struct hash16 who = {{0xab, 1, 2, 3}};
static const struct id32 digest = {{0x77, 0x66}};

static int
setup(void **state)
{
	(void)state;
	log_init("test", 0);
	(void)snprintf(path, sizeof(path), "/tmp/peerlog-test-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	(void)snprintf(log_path, sizeof(log_path), "%s/events/"
	    "ab010203000000000000000000000000", path);
	conf.hub.keep = HUB_KEEP_LEAST;
	wn.conf = &conf;
	wn.events = -1;
	wn.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return wn.dir < 0 ? -1 : 0;
}

static int
drop(const char *name, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(name);
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(wn.dir);
	return nftw(path, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static bool
keep(const char *lines, uint64_t seq)
{
	return peerlog_keep(&wn, &who, (const uint8_t *)lines, strlen(lines),
	    seq, &digest);
}

/* -1: there is none. */
static int64_t
last(void)
{
	struct id32 d;
	uint64_t seq;

	if (!peerlog_last(&wn, &who, &seq, &d))
		return -1;
	assert_true(id32_eq(&d, &digest));
	return (int64_t)seq;
}

static char *
name_of(const char *name)
{
	static char full[256];

	(void)snprintf(full, sizeof(full), "%s/%s", log_path, name);
	return full;
}

static void
holds(const char *name, const char *want)
{
	char text[4096];
	int fd = open(name_of(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	assert_true(fd >= 0 && n >= 0);
	text[n] = '\0';
	assert_string_equal(text, want);
	(void)close(fd);
}

static bool
there(const char *name)
{
	return access(name_of(name), F_OK) == 0;
}

static void
write_file(const char *name, const char *text, int flags)
{
	int fd = open(name_of(name), O_WRONLY | O_CREAT | O_CLOEXEC | flags,
	    0600);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, text, strlen(text)), 0);
	(void)close(fd);
}

static void
test_keeps(void **state)
{
	struct hash16 other = {{1}};
	struct id32 d;
	struct stat st;
	uint64_t seq;

	(void)state;
	assert_int_equal(last(), -1);
	assert_false(there(".")); /* asking makes nothing */
	assert_true(keep("one\n", 1));
	assert_true(keep("two\nthree\n", 3));
	assert_int_equal(last(), 3);
	holds("00000001.jsonl", "one\ntwo\nthree\n");
	assert_int_equal(stat(name_of("00000001.jsonl"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(log_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* another node has a log of its own */
	assert_false(peerlog_last(&wn, &other, &seq, &d));
}

/* A fall between the lines and the state: they are sent again. */
static void
test_fall(void **state)
{
	(void)state;
	assert_true(keep("one\n", 1));
	write_file("00000001.jsonl", "two\nthr", O_APPEND);
	assert_int_equal(last(), 1);
	assert_true(keep("two\nthree\n", 3));
	holds("00000001.jsonl", "one\ntwo\nthree\n");
	/* and of a segment that the state does not name yet */
	write_file("00000002.jsonl", "torn", 0);
	assert_true(keep("four\n", 4));
	holds("00000001.jsonl", "one\ntwo\nthree\nfour\n");
}

/* A state that is not whole is none, and what lies there stays. */
static void
test_damage(void **state)
{
	char good[256];
	int fd;
	ssize_t n;

	(void)state;
	assert_true(keep("one\n", 1));
	fd = open(name_of("state"), O_RDONLY | O_CLOEXEC);
	n = read(fd, good, sizeof(good));
	(void)close(fd);
	assert_true(n > 64);
	for (ssize_t cut = 0; cut < n; cut++) {
		char part[256];

		memcpy(part, good, (size_t)cut);
		part[cut] = '\0';
		write_file("state", part, O_TRUNC);
		assert_int_equal(last(), -1);
	}
	write_file("state", "-1 00 1 1\n", O_TRUNC);
	assert_int_equal(last(), -1);
	good[0] = ' ';
	good[n] = '\0';
	write_file("state", good, O_TRUNC);
	assert_int_equal(last(), -1);
	assert_true(keep("again\n", 1));
	assert_int_equal(last(), 1);
	holds("00000001.jsonl", "one\n");
	holds("00000002.jsonl", "again\n");
}

/* The last segment is full, but for a little. */
static void
fill(unsigned segment, uint64_t seq)
{
	char text[200], hex[65], name[24];

	hex_encode(hex, HASH_BYTES(digest));
	(void)snprintf(text, sizeof(text), "%llu %s %u %u\n",
	    (unsigned long long)seq, hex, segment, PEERLOG_SEGMENT - 2);
	write_file("state", text, O_TRUNC);
	(void)snprintf(name, sizeof(name), "%08u.jsonl", segment);
	assert_int_equal(truncate(name_of(name), PEERLOG_SEGMENT - 2), 0);
}

static void
test_quota(void **state)
{
	(void)state;
	conf.hub.keep = 3 * PEERLOG_SEGMENT;
	assert_true(keep("1\n", 1));
	fill(1, 1);
	assert_true(keep("2\n", 2)); /* it fits, to the byte */
	assert_false(there("00000002.jsonl"));
	assert_true(keep("3\n", 3));
	holds("00000002.jsonl", "3\n");
	for (unsigned i = 2; i < 4; i++) {
		fill(i, i + 1);
		assert_true(keep("more\n", i + 2));
	}
	assert_false(there("00000001.jsonl"));
	assert_true(there("00000002.jsonl"));
	/* less is to be kept now */
	conf.hub.keep = 2 * PEERLOG_SEGMENT;
	fill(4, 9);
	assert_true(keep("last\n", 10));
	assert_false(there("00000002.jsonl"));
	assert_false(there("00000003.jsonl"));
	assert_true(there("00000004.jsonl"));
	holds("00000005.jsonl", "last\n");
	assert_int_equal(last(), 10);
}

static void
test_no_room(void **state)
{
	struct rlimit was, little;
	char line[400];

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_true(keep("one\n", 1));
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	little = was;
	little.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_false(keep(line, 2));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(last(), 1);
	assert_true(keep("two\n", 2));
	holds("00000001.jsonl", "one\ntwo\n");
}

/* Nobody leads it elsewhere by a link. */
static void
test_links(void **state)
{
	char aim[160];

	(void)state;
	assert_true(keep("one\n", 1));
	(void)snprintf(aim, sizeof(aim), "%s/aim", path);
	assert_int_equal(unlink(name_of("00000001.jsonl")), 0);
	assert_int_equal(symlink(aim, name_of("00000001.jsonl")), 0);
	assert_false(keep("two\n", 2));
	assert_int_equal(access(aim, F_OK), -1);
	assert_int_equal(last(), 1);
}

/* hub.dir: beneath the folder that the parent has opened. */
static void
test_elsewhere(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(wn.dir, "there", 0700), 0);
	wn.events = openat(wn.dir, "there", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(wn.events >= 0);
	assert_true(keep("one\n", 1));
	assert_int_equal(last(), 1);
	assert_int_equal(access(log_path, F_OK), -1);
	(void)snprintf(log_path, sizeof(log_path), "%s/there/"
	    "ab010203000000000000000000000000", path);
	holds("00000001.jsonl", "one\n");
	(void)close(wn.events);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_keeps), T(test_fall),
	    T(test_damage), T(test_quota), T(test_no_room), T(test_links),
	    T(test_elsewhere)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
