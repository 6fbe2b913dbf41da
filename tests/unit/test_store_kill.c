/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever writes the store is killed before each change that it makes, in turn:
 * images that were there are whole, one that comes or goes is whole or can be
 * asked for again, and gc leaves nothing of it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/image/gc.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"
#include "tests/unit/storekit.h"

#define STEPS_MAX 4000 /* more than anything here makes */

static const struct storekit_file common[] = {
    {.name = "d"},
    {.name = "d/a", .content = "in both", .mode = 0444, .time = 5},
    {.name = "d/b", .to = "d/a"},
};
static const struct storekit_file more[] = {
    {.name = "d"},
    {.name = "d/a", .content = "in both", .mode = 0444, .time = 5},
    {.name = "d/b", .to = "d/a"},
    {.name = "own", .content = "its own", .mode = 0555, .time = 6},
};

typedef void work_fn(struct storekit *, const char *tmp);

/* Between two calls that change a disk it is the same. */
static bool
changes(pid_t pid)
{
	struct __ptrace_syscall_info i;
	uint64_t nr;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(i), &i) <= 0)
		return true;
	nr = i.entry.nr;
	if (nr == SYS_openat)
		return (i.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
	return nr != SYS_read && nr != SYS_pread64 && nr != SYS_close &&
	    nr != SYS_fstat && nr != SYS_newfstatat && nr != SYS_getdents64 &&
	    nr != SYS_mmap && nr != SYS_munmap && nr != SYS_brk &&
	    nr != SYS_lseek && nr != SYS_fcntl && nr != SYS_ioctl &&
	    nr != SYS_flistxattr && nr != SYS_openat2 && nr != SYS_fsync &&
	    nr != SYS_syncfs && nr != SYS_faccessat && nr != SYS_faccessat2 &&
	    nr != SYS_readlinkat && nr != SYS_flock;
}

/* Runs it, and kills it before system call n. 1: killed; 0: it was done. */
static int
killed_at(struct storekit *k, work_fn *work, const char *tmp, unsigned n)
{
	bool entry = false;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(77);
		(void)raise(SIGSTOP);
		work(k, tmp);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		return -1; /* nobody is traced here */
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
	for (unsigned calls = 0;;) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return 0;
		}
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		entry = !entry;
		if (entry && changes(pid) && calls++ == n)
			break;
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return 1;
}

/* Nothing is there but images, what they share, and what is said of them. */
static void
is_clean(struct storekit *k)
{
	struct store_gc gc;

	assert_int_equal(store_gc(k->dir, false, &gc), 0);
	assert_int_equal(store_gc(k->dir, true, &gc), 0);
	assert_int_equal(gc.halves + gc.orphans + gc.files, 0);
}

static void
adopt(struct storekit *k, const char *tmp)
{
	struct id32 digest = storekit_digest(2);

	if (storekit_adopt(k, 2, tmp) < 0 ||
	    store_set_name(k->dir, "two", &digest) < 0)
		_exit(1);
}

static void
bury(struct storekit *k, const char *tmp)
{
	_cleanup_fd_ int lock = store_lock(k->dir);
	struct id32 digest = storekit_digest(2);
	uint64_t bytes = 0;
	uint32_t files = 0;

	(void)tmp;
	if (lock < 0 || store_bury(k->dir, &digest, NULL) < 0 ||
	    store_sweep(k->dir, false) != 1 ||
	    share_drop(k->dir, false, &files, &bytes) < 0)
		_exit(1);
}

static void
clear(struct storekit *k, const char *tmp)
{
	struct store_gc gc;

	(void)tmp;
	if (store_gc(k->dir, false, &gc) < 0)
		_exit(1);
}

/* After a kill anywhere in an import. */
static void
imported(struct storekit *k)
{
	struct id32 digest;
	char tmp[32];

	assert_true(storekit_good(k, 1));
	if (storekit_there(k, 2))
		assert_true(storekit_good(k, 2));
	else if (store_resolve(k->dir, "two", &digest) == 0)
		fail_msg("a name without an image");
	/* what remains is taken away, and what is there stays */
	is_clean(k);
	assert_true(storekit_good(k, 1));
	storekit_work(k, 2, more, NELEM(more), tmp);
	assert_int_equal(storekit_adopt(k, 2, tmp), 0);
	assert_true(storekit_good(k, 2));
	is_clean(k);
}

static void
test_import(void **state)
{
	int rv = 1;
	unsigned n;

	(void)state;
	for (n = 0; rv == 1 && n < STEPS_MAX; n++) {
		struct storekit k;
		char tmp[32];

		storekit_open(&k);
		storekit_put(&k, 1, common, NELEM(common));
		storekit_work(&k, 2, more, NELEM(more), tmp);
		rv = killed_at(&k, adopt, tmp, n);
		if (rv >= 0)
			imported(&k);
		storekit_close(&k);
	}
	if (rv < 0)
		skip();
	assert_int_equal(rv, 0);
	assert_true(n > 20);
}

/* Files that are not the image's any more change places with good ones. */
static void
test_mending(void **state)
{
	int rv = 1;

	(void)state;
	for (unsigned n = 0; rv == 1 && n < STEPS_MAX; n++) {
		struct storekit k;
		char tmp[32];

		storekit_open(&k);
		storekit_put(&k, 1, common, NELEM(common));
		storekit_put(&k, 2, more, NELEM(more));
		assert_int_equal(fchmodat(k.dir, storekit_path(2, ""), 0755,
		    0), 0);
		assert_int_equal(unlinkat(k.dir, storekit_path(2, "own"), 0),
		    0);
		assert_int_equal(fchmodat(k.dir, storekit_path(2, ""), 0555,
		    0), 0);
		storekit_work(&k, 2, more, NELEM(more), tmp);
		rv = killed_at(&k, adopt, tmp, n);
		if (rv >= 0) {
			assert_true(storekit_good(&k, 1));
			assert_true(storekit_there(&k, 2));
			is_clean(&k);
			storekit_work(&k, 2, more, NELEM(more), tmp);
			assert_int_equal(storekit_adopt(&k, 2, tmp), 0);
			assert_true(storekit_good(&k, 2));
			is_clean(&k);
		}
		storekit_close(&k);
	}
	if (rv < 0)
		skip();
	assert_int_equal(rv, 0);
}

static void
test_removal(void **state)
{
	int rv = 1;

	(void)state;
	for (unsigned n = 0; rv == 1 && n < STEPS_MAX; n++) {
		struct id32 digest = storekit_digest(2);
		struct storekit k;

		storekit_open(&k);
		storekit_put(&k, 1, common, NELEM(common));
		storekit_put(&k, 2, more, NELEM(more));
		rv = killed_at(&k, bury, "", n);
		if (rv >= 0) {
			assert_true(storekit_good(&k, 1));
			is_clean(&k);
			/* whole, or not there at all */
			if (storekit_there(&k, 2))
				assert_true(storekit_good(&k, 2));
			assert_int_equal(store_bury(k.dir, &digest, NULL), 0);
			is_clean(&k);
			assert_false(storekit_there(&k, 2));
			assert_true(storekit_good(&k, 1));
		}
		storekit_close(&k);
	}
	if (rv < 0)
		skip();
	assert_int_equal(rv, 0);
}

static void
test_clearing(void **state)
{
	int rv = 1;

	(void)state;
	for (unsigned n = 0; rv == 1 && n < STEPS_MAX; n++) {
		struct id32 digest = storekit_digest(2);
		char hex[65], meta[80], tmp[32];
		struct storekit k;

		storekit_open(&k);
		storekit_put(&k, 1, common, NELEM(common));
		storekit_put(&k, 2, more, NELEM(more));
		storekit_work(&k, 3, more, NELEM(more), tmp);
		hex_encode(hex, HASH_BYTES(digest));
		(void)snprintf(meta, sizeof(meta), "meta/%s", hex);
		assert_int_equal(unlinkat(k.dir, meta, 0), 0);
		rv = killed_at(&k, clear, "", n);
		if (rv >= 0) {
			assert_true(storekit_good(&k, 1));
			is_clean(&k);
			assert_true(storekit_good(&k, 1));
			assert_false(storekit_there(&k, 2));
		}
		storekit_close(&k);
	}
	if (rv < 0)
		skip();
	assert_int_equal(rv, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_mending),
		cmocka_unit_test(test_removal),
		cmocka_unit_test(test_clearing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
