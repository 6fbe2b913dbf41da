/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* mkdtemp */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"
#include "node/host/wasmcache.h"

/* Compiled modules on the disk: no other byte of them is ever run. */

#define SMALL 5000u
#define LARGE (3u << 20)
#define HUGE ((16u << 20) + 5000u) /* too large to be read when asked for */
#define SLOT 1

static char folder[] = "/tmp/warren-wasmcache-XXXXXX";
static int dir = -1;
static struct wasmcache *cache;

static const struct id32 *
key_of(unsigned n)
{
	static struct id32 key;

	memset(&key, (int)n, sizeof(key));
	return &key;
}

static char *
path_of(unsigned n)
{
	static char path[2][160];
	static unsigned turn;
	char *p = path[turn++ % 2], hex[65];

	hex_encode(hex, HASH_BYTES(*key_of(n)));
	(void)snprintf(p, sizeof(path[0]), "%s/wasm/%s", folder, hex);
	return p;
}

/* As a compilation leaves it; the run that follows has it open. */
static void
made(unsigned n, size_t size)
{
	uint8_t head[WASM_CODE_HEAD] = "wrncode2", buf[4096];
	int w, r;

	memset(buf, (int)n + 1, sizeof(buf));
	assert_int_equal(wasmcache_begin(cache, SLOT, key_of(n), &w, &r), 0);
	assert_int_equal(write(w, head, sizeof(head)), sizeof(head));
	for (size_t left = size - sizeof(head); left > 0;) {
		size_t k = MIN_OF(left, sizeof(buf));

		assert_int_equal(write(w, buf, k), (ssize_t)k);
		left -= k;
	}
	(void)close(w);
	wasmcache_keep(cache, SLOT);
	(void)close(r);
}

static void
read_all(void)
{
	unsigned turns = 0;

	while (wasmcache_work(cache))
		turns++;
	assert_true(turns <= HUGE >> 20);
	assert_true(wasmcache_idle(cache));
}

static bool
found(unsigned n)
{
	uint64_t size = 0;
	int fd = wasmcache_find(cache, key_of(n), &size);
	struct stat st;

	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal((uint64_t)st.st_size, size);
	(void)close(fd);
	return true;
}

/* Until the clock of files has gone on: it is coarse on some. */
static void
put(unsigned n, off_t at, const void *p, size_t len)
{
	int fd = open(path_of(n), O_WRONLY | O_CLOEXEC);
	struct stat was, st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &was), 0);
	do {
		assert_int_equal(pwrite(fd, p, len, at), (ssize_t)len);
		assert_int_equal(fstat(fd, &st), 0);
	} while (st.st_ctim.tv_sec == was.st_ctim.tv_sec &&
	    st.st_ctim.tv_nsec == was.st_ctim.tv_nsec);
	(void)close(fd);
}

static void
again(void)
{
	wasmcache_close(cache);
	cache = wasmcache_open(dir);
	assert_non_null(cache);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", LOG_FATAL);
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cache = wasmcache_open(dir);
	return cache == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	char path[64];

	(void)state;
	wasmcache_close(cache);
	(void)close(dir);
	(void)snprintf(path, sizeof(path), "%s/wasm", folder);
	return rmdir(path) | rmdir(folder);
}

static void
test_kept(void **state)
{
	struct stat was, st;

	(void)state;
	assert_false(found(1));
	made(1, SMALL);
	assert_true(wasmcache_idle(cache));
	assert_true(found(1));
	assert_int_equal(stat(path_of(1), &was), 0);
	assert_true(found(1));
	/* as it was: it is not read again */
	assert_int_equal(stat(path_of(1), &st), 0);
	assert_memory_equal(&st.st_ctim, &was.st_ctim, sizeof(st.st_ctim));
	/* what is large is read in turns, or when it is asked for */
	made(2, LARGE);
	assert_false(wasmcache_idle(cache));
	assert_true(found(2));
	assert_true(wasmcache_idle(cache));
	made(2, LARGE);
	read_all();
	assert_true(found(2));
	/* and what is very large only in turns: nobody waits for it */
	made(3, HUGE);
	assert_false(found(3));
	read_all();
	assert_true(found(3));
	assert_true(found(3));
	/* in another life too */
	again();
	assert_true(wasmcache_idle(cache));
	assert_true(found(1));
	assert_true(found(2));
	assert_false(found(3));
	read_all();
	assert_true(found(3));
	/* one that is asked for before its turn is not read twice */
	again();
	assert_false(found(3));
	(void)wasmcache_work(cache);
	assert_false(found(3));
	read_all();
	assert_true(found(3));
	/* made once more, while the one before is read */
	again();
	assert_false(found(3));
	(void)wasmcache_work(cache);
	made(3, HUGE);
	read_all();
	assert_true(found(3));
	assert_int_equal(unlink(path_of(3)), 0);
	assert_int_equal(unlink(path_of(1)), 0);
	assert_int_equal(unlink(path_of(2)), 0);
	assert_false(found(1));
	assert_false(found(2));
}

/* Every byte of the head, some of the rest, one more, one less, none. */
static void
test_changed(void **state)
{
	static const off_t places[] = {WASM_CODE_HEAD, 1000, SMALL - 1};
	const size_t sizes[] = {0, 1, WASM_CODE_MARK, WASM_CODE_HEAD - 1,
	    WASM_CODE_HEAD, SMALL - 1, SMALL + 1};

	(void)state;
	for (unsigned i = 0; i < WASM_CODE_HEAD + NELEM(places); i++) {
		off_t at = i < WASM_CODE_HEAD ? (off_t)i :
			places[i - WASM_CODE_HEAD];
		uint8_t b;
		int fd;

		made(1, SMALL);
		assert_true((fd = open(path_of(1), O_RDONLY | O_CLOEXEC)) >= 0);
		assert_int_equal(pread(fd, &b, 1, at), 1);
		(void)close(fd);
		b ^= 0x40;
		put(1, at, &b, 1);
		assert_false(found(1));
		assert_int_equal(access(path_of(1), F_OK), -1);
	}
	for (unsigned i = 0; i < NELEM(sizes); i++) {
		made(1, SMALL);
		assert_int_equal(truncate(path_of(1), (off_t)sizes[i]), 0);
		assert_false(found(1));
		assert_int_equal(access(path_of(1), F_OK), -1);
	}
}

/* That of another module, of nobody, and what is no file. */
static void
test_foreign(void **state)
{
	static const uint8_t noughts[WASM_CODE_SUM];

	(void)state;
	made(1, SMALL);
	made(2, SMALL);
	assert_int_equal(rename(path_of(1), path_of(2)), 0);
	assert_false(found(2));
	made(1, SMALL);
	put(1, WASM_CODE_MARK, noughts, sizeof(noughts));
	assert_false(found(1));
	assert_int_equal(symlink("/etc/passwd", path_of(1)), 0);
	assert_false(found(1));
	assert_int_equal(unlink(path_of(1)), 0);
	assert_int_equal(mkfifo(path_of(1), 0600), 0);
	assert_false(found(1));
	(void)unlink(path_of(1));
	assert_int_equal(mkdir(path_of(1), 0700), 0);
	assert_false(found(1));
	(void)rmdir(path_of(1));
	read_all();
}

/* A large one that changes: in this life, between two, and while it is read. */
static void
test_large(void **state)
{
	struct stat st;

	(void)state;
	made(1, LARGE);
	read_all();
	assert_true(found(1));
	put(1, LARGE - 1, "x", 1);
	assert_false(found(1));
	read_all();
	assert_int_equal(access(path_of(1), F_OK), -1);
	made(1, LARGE);
	read_all();
	put(1, LARGE / 2, "x", 1);
	again();
	assert_false(found(1));
	assert_int_equal(access(path_of(1), F_OK), -1);
	/* while it is read: what was read already, and what is made */
	made(1, HUGE);
	read_all();
	again();
	assert_false(found(1));
	(void)wasmcache_work(cache);
	put(1, 1000, "x", 1);
	read_all();
	assert_int_equal(access(path_of(1), F_OK), -1);
	made(1, LARGE);
	put(1, 1000, "x", 1);
	read_all();
	assert_int_equal(access(path_of(1), F_OK), -1);
	made(1, LARGE);
	(void)wasmcache_work(cache);
	put(1, 1000, "x", 1);
	read_all();
	assert_int_equal(access(path_of(1), F_OK), -1);
	/* compiled again in each turn, it is whole in the end */
	made(1, HUGE);
	for (unsigned i = 0; i < HUGE >> 20; i++) {
		assert_false(found(1));
		(void)wasmcache_work(cache);
		made(1, SMALL);
	}
	read_all();
	assert_true(found(1));
	assert_int_equal(stat(path_of(1), &st), 0);
	assert_int_equal(st.st_size, HUGE);
	/* a node that ends before it has said so */
	made(1, LARGE);
	again();
	assert_false(found(1));
	assert_int_equal(access(path_of(1), F_OK), -1);
	/* the name has gone to another */
	made(1, LARGE);
	(void)wasmcache_work(cache);
	assert_int_equal(unlink(path_of(1)), 0);
	made(1, SMALL);
	read_all();
	assert_true(found(1));
	assert_int_equal(unlink(path_of(1)), 0);
}

/* What is said of them: only what was changed is called so. */
static void
test_told(void **state)
{
	static const uint8_t noughts[WASM_CODE_SUM];
	static const char *const want[] = {"is not the code", "to its end"};
	int was = dup(STDERR_FILENO);

	(void)state;
	for (unsigned i = 0; i < NELEM(want); i++) {
		int fd = memfd_create("said", MFD_CLOEXEC);
		char said[1024] = "";

		made(1, SMALL);
		if (i == 0)
			put(1, SMALL - 1, "x", 1);
		else
			put(1, WASM_CODE_MARK, noughts, sizeof(noughts));
		assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
		log_set_level(LOG_INFO);
		assert_false(found(1));
		log_set_level(LOG_FATAL);
		assert_int_equal(dup2(was, STDERR_FILENO), STDERR_FILENO);
		assert_true(pread(fd, said, sizeof(said) - 1, 0) > 0);
		(void)close(fd);
		assert_non_null(strstr(said, want[i]));
		assert_null(strstr(said, want[!i]));
	}
	(void)close(was);
}

/* What is dropped is not there, and what an earlier life left half goes. */
static void
test_dropped(void **state)
{
	char path[80];
	int w, r;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/wasm/new-%u", folder, SLOT);
	assert_int_equal(wasmcache_begin(cache, SLOT, key_of(1), &w, &r), 0);
	assert_int_equal(access(path, F_OK), 0);
	(void)close(w);
	(void)close(r);
	again();
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(wasmcache_begin(cache, SLOT, key_of(1), &w, &r), 0);
	(void)close(w);
	(void)close(r);
	wasmcache_drop(cache, SLOT);
	assert_int_equal(access(path, F_OK), -1);
	wasmcache_keep(cache, SLOT);
	assert_false(found(1));
	/* an empty one, of a compilation that says that all is well */
	assert_int_equal(wasmcache_begin(cache, SLOT, key_of(1), &w, &r), 0);
	(void)close(w);
	(void)close(r);
	wasmcache_keep(cache, SLOT);
	assert_false(found(1));
	assert_int_equal(access(path_of(1), F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_kept), cmocka_unit_test(test_changed),
	    cmocka_unit_test(test_foreign), cmocka_unit_test(test_large),
	    cmocka_unit_test(test_told),
	    cmocka_unit_test(test_dropped)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
