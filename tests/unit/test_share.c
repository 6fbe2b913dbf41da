/* SPDX-License-Identifier: BSD-2-Clause */
/* What images have in common lies on the disk once, and is nobody's to lie about. */
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
#include <sys/xattr.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/image/gc.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/share.h"
#include "sandbox/image/store.h"
#include "tests/unit/storekit.h"

static struct stat
stat_of(struct storekit *k, uint8_t id, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(k->dir, storekit_path(id, name), &st,
	    AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static bool
one_file(struct storekit *k, uint8_t a, const char *an, uint8_t b,
    const char *bn)
{
	struct stat x = stat_of(k, a, an), y = stat_of(k, b, bn);

	return x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

static void
weigh(struct storekit *k, uint8_t id, uint64_t *alone, uint64_t *shared)
{
	struct id32 digest = storekit_digest(id);
	size_t len;
	_cleanup_free_ char *list = store_list(k->dir, &digest, &len);
	_cleanup_fd_ int root = openat(k->dir, storekit_path(id, ""),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_non_null(list);
	assert_int_equal(share_weigh(root, (const uint8_t *)list, len, alone,
	    shared), 0);
}

static const struct storekit_file base[] = {
    {.name = "bin"},
    {.name = "bin/sh", .content = "shell", .mode = 0555, .time = 100},
    {.name = "bin/ash", .to = "bin/sh"},
    {.name = "twin1", .content = "same", .mode = 0444, .time = 100},
    {.name = "twin2", .content = "same", .mode = 0444, .time = 100},
    {.name = "empty", .content = "", .mode = 0444, .time = 100},
    {.name = "shut", .content = "nobody", .mode = 0111, .time = 100},
};
static const struct storekit_file above[] = {
    {.name = "bin"},
    {.name = "bin/sh", .content = "shell", .mode = 0555, .time = 100},
    {.name = "bin/ash", .to = "bin/sh"},
    {.name = "twin1", .content = "same", .mode = 0444, .time = 100},
    {.name = "twin2", .content = "same", .mode = 0444, .time = 100},
    {.name = "empty", .content = "", .mode = 0444, .time = 100},
    {.name = "shut", .content = "nobody", .mode = 0111, .time = 100},
    {.name = "late", .content = "shell", .mode = 0555, .time = 101},
    {.name = "dull", .content = "shell", .mode = 0444, .time = 100},
    {.name = "more", .content = "of its own", .mode = 0444, .time = 1},
};

static void
test_once(void **state)
{
	struct storekit k;
	uint64_t alone, shared, bytes = 0;
	uint32_t files = 0;
	struct id32 digest = storekit_digest(1);

	(void)state;
	storekit_open(&k);
	storekit_put(&k, 1, base, NELEM(base));
	storekit_put(&k, 2, above, NELEM(above));
	assert_true(one_file(&k, 1, "bin/sh", 2, "bin/sh"));
	assert_true(one_file(&k, 1, "bin/sh", 2, "bin/ash"));
	assert_true(one_file(&k, 1, "twin1", 2, "twin1"));
	assert_true(one_file(&k, 1, "twin2", 2, "twin2"));
	/* what is two files in an image stays two */
	assert_false(one_file(&k, 1, "twin1", 1, "twin2"));
	assert_false(one_file(&k, 2, "twin1", 2, "twin2"));
	/* another mode, another time, nothing in it, for nobody to read */
	assert_false(one_file(&k, 2, "bin/sh", 2, "late"));
	assert_false(one_file(&k, 2, "bin/sh", 2, "dull"));
	assert_false(one_file(&k, 1, "empty", 2, "empty"));
	assert_false(one_file(&k, 1, "shut", 2, "shut"));
	assert_int_equal(stat_of(&k, 2, "bin").st_mode, S_IFDIR | 0555);
	assert_int_equal(stat_of(&k, 1, "bin/sh").st_nlink, 5);
	/* neither is told of as changed because of the other */
	assert_true(storekit_good(&k, 1));
	assert_true(storekit_good(&k, 2));
	weigh(&k, 1, &alone, &shared);
	assert_int_equal(alone, 6);
	assert_int_equal(shared, 5 + 4 + 4);
	weigh(&k, 2, &alone, &shared);
	assert_int_equal(alone, 6 + 5 + 5 + 10);
	assert_int_equal(shared, 13);
	/* nothing goes while somebody has it */
	assert_int_equal(share_drop(k.dir, false, &files, &bytes), 0);
	assert_int_equal(files, 0);
	assert_int_equal(store_bury(k.dir, &digest, NULL), 0);
	assert_int_equal(store_sweep(k.dir, false), 1);
	assert_int_equal(share_drop(k.dir, false, &files, &bytes), 0);
	assert_int_equal(files, 0);
	assert_true(storekit_good(&k, 2));
	weigh(&k, 2, &alone, &shared);
	assert_int_equal(shared, 0);
	digest = storekit_digest(2);
	assert_int_equal(store_bury(k.dir, &digest, NULL), 0);
	assert_int_equal(store_sweep(k.dir, false), 1);
	assert_int_equal(share_drop(k.dir, true, &files, &bytes), 0);
	assert_int_equal(files, 6);
	files = 0;
	assert_int_equal(share_drop(k.dir, false, &files, &bytes), 0);
	assert_int_equal(files, 6);
	assert_int_equal(bytes, 2 * (5 + 4 + 4 + 5 + 5 + 10));
	storekit_close(&k);
}

/* Whoever unpacked it may have written whatever list he likes. */
static void
test_lies(void **state)
{
	static const struct storekit_file good[] = {{.name = "sh",
	    .content = "shell", .mode = 0555, .time = 7}};
	static const struct storekit_file bad[] = {{.name = "sh",
	    .content = "SHELL", .mode = 0555, .time = 7}};
	struct storekit k;
	char tmp[32], other[32], from[64], to[64];

	(void)state;
	storekit_open(&k);
	/* bad files beneath the list of good ones */
	storekit_work(&k, 1, bad, 1, tmp);
	storekit_work(&k, 2, good, 1, other);
	(void)snprintf(from, sizeof(from), "%s/files", other);
	(void)snprintf(to, sizeof(to), "%s/files", tmp);
	assert_int_equal(renameat(k.dir, from, k.dir, to), 0);
	assert_int_equal(storekit_adopt(&k, 1, tmp), -1);
	assert_int_equal(errno, EINVAL);
	assert_false(storekit_there(&k, 1));
	(void)store_sweep(k.dir, false);
	/* what was shared cannot be anything else */
	storekit_put(&k, 3, good, 1);
	storekit_put(&k, 4, bad, 1);
	assert_false(one_file(&k, 3, "sh", 4, "sh"));
	/* no list, no about, no record, no root */
	for (int i = 0; i < 3; i++) {
		static const char *const parts[] = {"files", "about", "root"};

		storekit_work(&k, 5, good, 1, tmp);
		(void)snprintf(from, sizeof(from), "%s/%s", tmp, parts[i]);
		(void)snprintf(to, sizeof(to), "%s/other", tmp);
		assert_int_equal(renameat(k.dir, from, k.dir, to), 0);
		assert_int_equal(storekit_adopt(&k, 5, tmp), -1);
		assert_false(storekit_there(&k, 5));
	}
	storekit_close(&k);
}

/* A shared file that is not what it was: an import brings it back. */
static void
test_damaged(void **state)
{
	struct storekit k;
	_cleanup_fd_ int fd = -1;

	(void)state;
	storekit_open(&k);
	storekit_put(&k, 1, base, NELEM(base));
	storekit_put(&k, 2, above, NELEM(above));
	assert_int_equal(fchmodat(k.dir, storekit_path(1, "twin1"), 0644, 0),
	    0);
	fd = openat(k.dir, storekit_path(1, "twin1"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "S", 1), 1);
	assert_int_equal(fchmodat(k.dir, storekit_path(1, "twin1"), 0444, 0),
	    0);
	assert_false(storekit_good(&k, 1));
	assert_false(storekit_good(&k, 2));
	storekit_put(&k, 2, above, NELEM(above));
	assert_false(storekit_good(&k, 1));
	storekit_put(&k, 1, base, NELEM(base));
	assert_true(one_file(&k, 1, "twin1", 2, "twin1"));
	storekit_close(&k);
}

/* Attributes are no content: what has some is not handed on. */
static void
test_attributes(void **state)
{
	static const struct storekit_file f[] = {{.name = "sh",
	    .content = "shell", .mode = 0555, .time = 7}};
	struct storekit k;
	char tmp[32], path[192];

	(void)state;
	storekit_open(&k);
	storekit_work(&k, 1, f, 1, tmp);
	(void)snprintf(path, sizeof(path), "%s/%s/root/sh", k.top, tmp);
	if (setxattr(path, "user.overlay.metacopy", "", 0, 0) == 0 ||
	    setxattr(path, "trusted.x", "y", 1, 0) == 0) {
		assert_int_equal(storekit_adopt(&k, 1, tmp), 0);
		storekit_put(&k, 2, f, 1);
		assert_false(one_file(&k, 1, "sh", 2, "sh"));
	}
	storekit_close(&k);
}

static void
put(struct storekit *k, const char *name)
{
	_cleanup_fd_ int fd = openat(k->dir, name, O_WRONLY | O_CREAT |
	    O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

static bool
is(struct storekit *k, const char *name)
{
	return faccessat(k->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
test_gc(void **state)
{
	struct id32 digest = storekit_digest(2);
	char hex[65], meta[80], files[80];
	struct store_gc gc;
	struct storekit k;

	(void)state;
	storekit_open(&k);
	storekit_put(&k, 1, base, NELEM(base));
	storekit_put(&k, 2, above, NELEM(above));
	assert_int_equal(store_set_name(k.dir, "one", &digest), 0);
	assert_false(store_unnamed(k.dir, &digest));
	hex_encode(hex, HASH_BYTES(digest));
	(void)snprintf(meta, sizeof(meta), "meta/%s", hex);
	(void)snprintf(files, sizeof(files), "meta/%s.files", hex);
	assert_int_equal(store_gc(k.dir, false, &gc), 0);
	assert_int_equal(gc.halves + gc.orphans + gc.files, 0);
	/* a root without a record, records without a root, what was killed */
	assert_int_equal(unlinkat(k.dir, meta, 0), 0);
	put(&k, "meta/.x.1.tmp");
	put(&k, "meta/3333333333333333333333333333333333333333333333333333333333333333");
	put(&k, "meta/4444444444444444444444444444444444444444444444444444444444444444.gone");
	put(&k, "meta/README");
	assert_int_equal(mkdirat(k.dir, "tmp-0123456789abcdef", 0700), 0);
	assert_int_equal(mkdirat(k.dir, "roots/new-0123456789abcdef", 0500), 0);
	for (int dry = 1; dry >= 0; dry--) {
		assert_int_equal(store_gc(k.dir, dry == 1, &gc), 0);
		/* the orphan's folder is moved first, and swept with the rest */
		assert_int_equal(gc.halves, dry == 1 ? 2 : 3);
		assert_int_equal(gc.orphans, 2);
		assert_int_equal(is(&k, files), dry == 1);
		assert_int_equal(is(&k, "meta/.x.1.tmp"), dry == 1);
		assert_int_equal(storekit_there(&k, 2), dry == 1);
	}
	assert_int_equal(gc.files, 3);
	assert_true(is(&k, "meta/README"));
	assert_true(is(&k, "meta/444444444444444444444444444444444444444444444444"
	    "4444444444444444.gone"));
	assert_true(storekit_good(&k, 1));
	assert_int_equal(store_gc(k.dir, false, &gc), 0);
	assert_int_equal(gc.halves + gc.orphans + gc.files, 0);
	storekit_close(&k);
}

static void
test_drop_name(void **state)
{
	struct storekit k;
	struct id32 a = storekit_digest(1), b = storekit_digest(2), was;
	unsigned left = 9;

	(void)state;
	storekit_open(&k);
	assert_int_equal(store_drop_name(k.dir, "x", &was, &left), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(store_drop_name(k.dir, "X", &was, &left), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(store_set_name(k.dir, "x", &a), 0);
	assert_int_equal(store_set_name(k.dir, "host:5000/x", &a), 0);
	assert_int_equal(store_set_name(k.dir, "y", &b), 0);
	assert_int_equal(store_drop_name(k.dir, "x:latest", &was, &left), 0);
	assert_true(id32_eq(&was, &a));
	assert_int_equal(left, 1);
	assert_int_equal(store_drop_name(k.dir, "host:5000/x", &was, &left),
	    0);
	assert_int_equal(left, 0);
	assert_true(store_unnamed(k.dir, &a));
	assert_false(store_unnamed(k.dir, &b));
	storekit_close(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_gc),
		cmocka_unit_test(test_drop_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
