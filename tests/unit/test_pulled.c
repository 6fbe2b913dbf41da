/* SPDX-License-Identifier: BSD-2-Clause */
/* What registries have sent, kept in a store that is made here. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/pulled.h"

static char top[] = "/tmp/warren-pulled-XXXXXX";
static int images = -1;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	images = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return images < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (tree_empty(images) < 0)
		return -1;
	(void)close(images);
	return rmdir(top);
}

static struct id32
digest(uint8_t c)
{
	struct id32 d;

	memset(d.b, c, sizeof(d.b));
	return d;
}

/* A blob of so many bytes, last used so many days ago. */
static void
put(struct pulled *p, uint8_t c, off_t bytes, int days)
{
	struct id32 d = digest(c);
	struct timespec t[2] = {{time(NULL) - days * 86400 - c, 0},
	    {time(NULL) - days * 86400 - c, 0}};
	int fd = pulled_blob(p, &d, (uint64_t)bytes);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
}

static bool
there(const struct pulled *p, uint8_t c)
{
	struct id32 d = digest(c);
	char hex[65];

	hex_encode(hex, HASH_BYTES(d));
	return faccessat(p->blobs, hex, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
test_one_at_a_time(void **state)
{
	struct pulled p, q;
	struct stat st;

	(void)state;
	assert_int_equal(pulled_open(&p, images, false), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fstatat(images, PULLED_FOLDER, &st, 0), -1);
	assert_int_equal(pulled_open(&p, images, true), 0);
	assert_int_equal(pulled_open(&q, images, true), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(fstatat(images, PULLED_FOLDER, &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	pulled_close(&p);
	assert_int_equal(pulled_open(&q, images, true), 0);
	pulled_close(&q);
}

/* What was there stays; nothing but a file is one. */
static void
test_blob(void **state)
{
	struct id32 d = digest(1), link = digest(2), odd = digest(3);
	struct pulled p;
	char hex[65], byte;
	int fd;

	(void)state;
	assert_int_equal(pulled_open(&p, images, true), 0);
	fd = pulled_blob(&p, &d, 10);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
	fd = pulled_blob(&p, &d, 10);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	(void)close(fd);
	assert_int_equal(pulled_blob(&p, &d, 1ull << 62), -1);
	assert_int_equal(errno, ENOSPC);
	hex_encode(hex, HASH_BYTES(link));
	assert_int_equal(symlinkat("/dev/null", p.blobs, hex), 0);
	assert_int_equal(pulled_blob(&p, &link, 1), -1);
	assert_int_equal(errno, ELOOP);
	hex_encode(hex, HASH_BYTES(odd));
	assert_int_equal(mkdirat(p.blobs, hex, 0700), 0);
	assert_int_equal(pulled_blob(&p, &odd, 1), -1);
	pulled_close(&p);
}

static void
test_index(void **state)
{
	struct id32 d = digest(0xab);
	struct pulled p;
	char text[512], hex[65];
	ssize_t n;

	(void)state;
	assert_int_equal(pulled_open(&p, images, true), 0);
	assert_int_equal(pulled_index(&p, &d, 7, "a/b"), 0);
	n = file_read(p.dir, "index.json", text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	hex_encode(hex, HASH_BYTES(d));
	assert_non_null(strstr(text, hex));
	assert_non_null(strstr(text, "\"mediaType\":\"a/b\""));
	assert_non_null(strstr(text, "\"size\":7"));
	n = file_read(p.dir, "oci-layout", text, sizeof(text) - 1);
	assert_true(n > 0 && memcmp(text, "{\"imageLayoutVersion\"", 21) == 0);
	assert_int_equal(pulled_index(&p, &d, 7, "a\"},{\"b"), -1);
	assert_int_equal(errno, EINVAL);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(pulled_index(&p, &d, 7, text), -1);
	pulled_close(&p);
}

static void
test_prune(void **state)
{
	struct pulled_gone gone;
	struct pulled p;
	struct id32 d;
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(pulled_open(&p, images, true), 0);
	put(&p, 1, 100, 0);
	put(&p, 2, 100, 1);
	put(&p, 3, 100, 2);
	put(&p, 4, 100, PULLED_DAYS + 1);
	assert_int_equal(pulled_prune(&p, 250, true, &gone), 0);
	assert_int_equal(gone.files, 2);
	assert_int_equal(gone.bytes, 200);
	assert_true(there(&p, 3) && there(&p, 4));
	assert_int_equal(pulled_prune(&p, UINT64_MAX, false, &gone), 0);
	assert_int_equal(gone.files, 1);
	assert_int_equal(gone.bytes, 100);
	assert_true(there(&p, 1) && there(&p, 2) && there(&p, 3));
	assert_false(there(&p, 4));
	assert_int_equal(pulled_prune(&p, 250, false, NULL), 0);
	assert_true(there(&p, 1) && there(&p, 2));
	assert_false(there(&p, 3));
	assert_int_equal(pulled_prune(&p, 0, false, NULL), 0);
	assert_false(there(&p, 1) || there(&p, 2));
	/* a small one takes more of the disk than it holds */
	put(&p, 5, 1, 0);
	d = digest(5);
	fd = pulled_blob(&p, &d, 1);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	(void)close(fd);
	assert_int_equal(pulled_prune(&p, UINT64_MAX, false, &gone), 0);
	assert_int_equal(gone.files, 0);
	assert_int_equal(pulled_prune(&p, 0, true, &gone), 0);
	assert_int_equal(gone.bytes, MAX_OF(st.st_blocks * 512, 1));
	assert_int_equal(pulled_prune(&p, 0, false, NULL), 0);
	pulled_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_at_a_time),
	    cmocka_unit_test(test_prune),
	    cmocka_unit_test(test_blob),
	    cmocka_unit_test(test_index),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
