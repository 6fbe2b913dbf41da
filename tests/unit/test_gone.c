/* SPDX-License-Identifier: BSD-2-Clause */
/* Tombstones of images in a store that was written by hand. */
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
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "sandbox/image/gone.h"
#include "sandbox/image/store.h"

static char top[] = "/tmp/warren-gone-XXXXXX";
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

static bool
there(const char hex[65])
{
	char name[128];

	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	return faccessat(images, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
count_root(void *ctx, const struct id32 *digest)
{
	(void)digest->b;
	++*(unsigned *)ctx;
	return true;
}

/* What an import has made. */
static void
bury_root(const char hex[65])
{
	char name[128];
	int meta;

	assert_int_equal(store_make(images), 0);
	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	assert_int_equal(mkdirat(images, name, 0755), 0);
	(void)snprintf(name, sizeof(name), "roots/%s/d", hex);
	assert_int_equal(mkdirat(images, name, 0755), 0);
	(void)snprintf(name, sizeof(name), "roots/%s/d/f", hex);
	(void)close(openat(images, name, O_CREAT | O_WRONLY | O_CLOEXEC,
	    0444));
	(void)snprintf(name, sizeof(name), "roots/%s/d", hex);
	assert_int_equal(fchmodat(images, name, 0555, 0), 0);
	(void)snprintf(name, sizeof(name), "roots/%s", hex);
	assert_int_equal(fchmodat(images, name, 0555, 0), 0);
	meta = openat(images, "meta", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_replace(meta, hex, "x", 1, 0644), 0);
	(void)snprintf(name, sizeof(name), "%s.files", hex);
	assert_int_equal(file_replace(meta, name, "x", 1, 0644), 0);
	(void)close(meta);
}

/* A revoked image: its files go, what says why stays. */
static void
test_buried(void **state)
{
	char hex[65], name[128], why[GONE_WHY], lng[600];
	unsigned before = 0, now = 0;
	struct id32 id, found;

	(void)state;
	memset(&id, 0xbe, sizeof(id));
	hex_encode(hex, HASH_BYTES(id));
	bury_root(hex);
	assert_int_equal(store_set_name(images, "bad:1", &id), 0);
	assert_false(store_buried(images, &id, why));
	assert_int_equal(store_each_root(images, count_root, &before), 0);
	assert_int_equal(store_bury(images, &id, "it is revoked (policy)"), 0);
	assert_false(there(hex));
	assert_int_equal(store_each_root(images, count_root, &now), 0);
	assert_int_equal(now, before - 1);
	assert_true(store_buried(images, &id, why));
	assert_string_equal(why, "it is revoked (policy)");
	(void)snprintf(name, sizeof(name), "meta/%s.files", hex);
	assert_int_equal(faccessat(images, name, F_OK, 0), -1);
	(void)snprintf(name, sizeof(name), "meta/%s", hex);
	assert_int_equal(faccessat(images, name, F_OK, 0), -1);
	/* its name still says which it was */
	assert_int_equal(store_resolve(images, "bad:1", &found), -1);
	assert_int_equal(errno, ENOENT);
	assert_memory_equal(found.b, id.b, 32);
	/* the files themselves go with the sweep */
	assert_int_equal(store_sweep(images, false), 1);
	assert_int_equal(store_sweep(images, false), 0);
	/* again, with another word, too long, not of this terminal */
	memset(lng, 'y', sizeof(lng) - 1);
	lng[sizeof(lng) - 1] = '\0';
	lng[3] = '\033';
	assert_int_equal(store_bury(images, &id, lng), 0);
	assert_true(store_buried(images, &id, why));
	assert_null(strchr(why, '\033'));
	assert_int_equal(store_sweep(images, false), 0);
	/* one that cannot be read stands all the same */
	(void)snprintf(name, sizeof(name), "meta/%s.gone", hex);
	assert_int_equal(unlinkat(images, name, 0), 0);
	assert_false(store_buried(images, &id, why));
	assert_int_equal(symlinkat("x", images, name), 0);
	assert_true(store_buried(images, &id, why));
	assert_int_equal(unlinkat(images, name, 0), 0);
}

/* Asked for again, after a fall in between, and of nothing. */
static void
test_again(void **state)
{
	char hex[65], name[128], why[GONE_WHY];
	struct id32 id;

	(void)state;
	memset(&id, 0xaf, sizeof(id));
	hex_encode(hex, HASH_BYTES(id));
	/* never here: the tombstone stands all the same */
	assert_int_equal(store_bury(images, &id, "x"), 0);
	assert_true(store_buried(images, &id, why));
	assert_int_equal(store_sweep(images, false), 0);
	/* the root went, its record did not */
	(void)snprintf(name, sizeof(name), "meta/%s", hex);
	(void)close(openat(images, name, O_CREAT | O_WRONLY | O_CLOEXEC,
	    0644));
	assert_int_equal(store_bury(images, &id, "x"), 0);
	assert_int_equal(faccessat(images, name, F_OK, 0), -1);
	/* something else in the way of its record is no silent success */
	assert_int_equal(mkdirat(images, name, 0755), 0);
	assert_int_equal(store_bury(images, &id, "x"), -1);
	assert_int_equal(unlinkat(images, name, AT_REMOVEDIR), 0);
	/* no store at all */
	assert_int_equal(store_bury(-1, &id, "x"), -1);
	assert_false(store_buried(-1, &id, why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buried),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
