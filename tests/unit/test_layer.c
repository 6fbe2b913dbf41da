/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layers unpacked without anything around them: whatever they hold, and in
 * whatever order, nothing beside their folder is touched. The test's own root
 * is that place, so that a mistake in what is tested harms nobody.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"
#include "sandbox/base/userns.h"
#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_layer.h"
#include "tests/unit/tarbuf.h"

#define KEPT "what was here before\n"
#define ROUNDS 600
#define LAYERS 8
#define MEMBERS 5

/* ---- a folder, and one beside it ---- */

static char top[32];
static int dir = -1, old_root = -1, old_dir = -1;
static struct import im;
static struct stat was;

/* A user has the right to it in a namespace of its own, where there is one. */
static bool
may_chroot(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (uid == 0)
		return true;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
	    unshare(CLONE_NEWUSER) == 0 &&
	    userns_map(getpid(), uid, gid, true) == 0;
}

static int
enter_place(void **state)
{
	static bool asked, may;

	(void)state;
	if (!asked)
		may = may_chroot();
	asked = true;
	(void)snprintf(top, sizeof(top), "/tmp/warren-layer-XXXXXX");
	old_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	old_dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdtemp(top) == NULL || old_root == -1 || old_dir == -1)
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (may && (chdir(top) == -1 || chroot(".") == -1))
		may = false;
	return dir == -1 ? -1 : 0;
}

static int
leave_place(void **state)
{
	(void)state;
	(void)tree_empty(dir);
	(void)close(dir);
	if (fchdir(old_root) == 0)
		(void)!chroot(".");
	(void)!fchdir(old_dir);
	(void)close(old_root);
	(void)close(old_dir);
	return rmdir(top);
}

static bool
entered(void)
{
	struct stat here, root;

	return fstat(dir, &here) == 0 && stat("/", &root) == 0 &&
	    here.st_ino == root.st_ino && here.st_dev == root.st_dev;
}

static void
make_place(void)
{
	int fd;

	assert_int_equal(mkdirat(dir, "beside", 0700), 0);
	fd = openat(dir, "beside/kept", O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write_full(fd, KEPT, strlen(KEPT)), 0);
	assert_int_equal(fstat(fd, &was), 0);
	(void)close(fd);
}

static void
new_root(void)
{
	memset(&im, 0, sizeof(im));
	im.src = im.ask = -1;
	im.v = dir;
	assert_int_equal(mkdirat(dir, "root", 0755), 0);
	im.root = openat(dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(im.root >= 0);
}

static void
drop_root(void)
{
	path_clear(&im.written);
	path_clear(&im.left_out);
	(void)close(im.root);
	assert_int_equal(import_remove(dir, "root"), 0);
}

static unsigned
entries(const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

static void
assert_untouched(void)
{
	char buf[64];
	struct stat st;
	int fd = openat(dir, "beside/kept", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), strlen(KEPT));
	assert_memory_equal(buf, KEPT, strlen(KEPT));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, was.st_mode);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_ino, was.st_ino);
	assert_memory_equal(&st.st_ctim, &was.st_ctim, sizeof(st.st_ctim));
	(void)close(fd);
	assert_int_equal(fstatat(dir, "beside", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(entries("beside"), 1);
	assert_int_equal(entries("."), 2);
}

static int
apply(const struct tarbuf *t)
{
	int fd = memfd_create("layer", MFD_CLOEXEC), rv;

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, t->p, whole(t)), 0);
	im.why[0] = '\0';
	rv = import_layer(&im, fd, NULL, NULL);
	(void)close(fd);
	return rv;
}

/* ---- hostile ones, by chance ---- */

static uint32_t seed = 1;

static unsigned
any(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 16) % n;
}

static void
any_name(char out[64])
{
	static const char *const parts[] = {"a", "b", "c", "a", "b",
	    "beside", "kept", ".wh.a", ".wh.beside", ".wh.kept",
	    ".wh..wh..opq", "..", "."};
	unsigned n = 1 + any(3);

	out[0] = '\0';
	if (any(8) == 0)
		strncat(out, "/", 63);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			strncat(out, "/", 63 - strlen(out));
		strncat(out, parts[any(i + 1 < n ? 7 : NELEM(parts))],
		    63 - strlen(out));
	}
}

static void
any_target(char out[64])
{
	static const char *const ways[] = {"..", "../..", "../../..", "/",
	    "/..", "/../..", "../beside", "/../beside", "../beside/kept",
	    "../../beside", "a/../../beside", "b/../beside/kept", "a", "b",
	    "c", "a/b", "./a", "/b", "..//../beside", "kept", "/beside",
	    "/beside/kept"};

	(void)snprintf(out, 64, "%s", ways[any(NELEM(ways))]);
}

static void
any_member(struct tarbuf *t)
{
	static const char types[] = {'2', '2', '2', '0', '0', '5', '1', '6'};
	char type = types[any(sizeof(types))], name[64], target[64];
	bool data = type == '0';

	any_name(name);
	if (type == '1' && any(2) == 0)
		any_name(target);
	else
		any_target(target);
	member(t, name, type, any(2) == 0 ? 0777 : 04711,
	    type == '1' || type == '2' ? target : NULL, "evil", data ? 4 : 0);
}

static void
test_hostile(void **state)
{
	unsigned taken = 0, refused = 0;
	struct tarbuf t = {NULL, 0};

	(void)state;
	if (!entered())
		skip();
	make_place();
	for (unsigned i = 0; i < ROUNDS; i++) {
		new_root();
		for (unsigned l = 0; l < LAYERS; l++) {
			unsigned n = 1 + any(MEMBERS);

			t.n = 0;
			for (unsigned k = 0; k < n; k++)
				any_member(&t);
			if (apply(&t) == 0)
				taken++;
			else
				refused++;
		}
		im.why[0] = '\0';
		assert_int_equal(import_seal(&im), 0);
		assert_untouched();
		drop_root();
	}
	free(t.p);
	/* both ways were gone often */
	assert_true(taken > ROUNDS && refused > ROUNDS);
}

/* ---- where names lead ---- */

static void
test_path(void **state)
{
	static const struct {
		const char *in, *out;
	} t[] = {{"", ""}, {"/", ""}, {"./", ""}, {".", ""}, {"a", "a"},
	    {"/a", "a"}, {"//a//b/", "a/b"}, {"./a/./b/.", "a/b"},
	    {"..a/...", "..a/..."}, {"..", NULL}, {"a/..", NULL},
	    {"/../a", NULL}, {"a\nb", NULL}, {"a\x7f", NULL}, {"\xff", "\xff"}};
	char out[IMPORT_PATH_MAX + 1], deep[2 * IMPORT_DEPTH_MAX + 3] = "";
	char name[258];
	const char *why;

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		why = NULL;
		if (import_path(t[i].in, out, &why) != (t[i].out != NULL))
			fail_msg("%s", t[i].in);
		if (t[i].out != NULL)
			assert_string_equal(out, t[i].out);
		else
			assert_non_null(why);
	}
	memset(name, 'n', 257);
	name[256] = '\0';
	assert_false(import_path(name, out, &why));
	name[255] = '\0';
	assert_true(import_path(name, out, &why));
	for (unsigned i = 0; i < IMPORT_DEPTH_MAX; i++)
		strncat(deep, "d/", 3);
	assert_true(import_path(deep, out, &why));
	strncat(deep, "d", 2);
	assert_false(import_path(deep, out, &why));
}

static void
test_resolve(void **state)
{
	static const struct {
		const char *path, *real;
		int err;
	} t[] = {{"d/e", "d/e", 0}, {"none/x", "none/x", 0}, {"", "", 0},
	    {"rel/e", "d/e", 0}, {"abs/e", "d/e", 0}, {"d/up/d", "d", 0},
	    {"out/d", "d", 0}, {"out", "", 0}, {"out/../../d", "d", 0},
	    {"d/abs/e", "d/e", 0}, {"chain", "d", 0}, {"chain/e/../f", "d/f", 0},
	    {"void/x", "none/y/x", 0}, {"none/../d", "d", 0},
	    {"round/x", NULL, ELOOP}, {"self", NULL, ELOOP},
	    {"f/x", "f/x", 0}, {"toself", "d", 0}};
	static const char *const links[][2] = {{"rel", "d"}, {"abs", "/d"},
	    {"d/up", "../../.."},
	    {"d/abs", "/d/."}, {"out", "../../../../.."}, {"chain", "./abs"},
	    {"void", "none/./y/"}, {"round", "dnuor"}, {"dnuor", "round"},
	    {"self", "self"}, {"toself", "/out/rel/."}};
	char real[IMPORT_PATH_MAX + 1];
	struct stat st;
	int fd;

	(void)state;
	if (!entered())
		skip();
	make_place();
	new_root();
	assert_int_equal(mkdirat(im.root, "d", 0755), 0);
	fd = openat(im.root, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)close(fd);
	for (size_t i = 0; i < NELEM(links); i++)
		assert_int_equal(symlinkat(links[i][1], im.root, links[i][0]),
		    0);
	for (size_t i = 0; i < NELEM(t); i++) {
		int rv = import_resolve(im.root, t[i].path, real);

		if ((rv == 0) != (t[i].real != NULL))
			fail_msg("%s", t[i].path);
		if (rv == -1)
			assert_int_equal(errno, t[i].err);
		else
			assert_string_equal(real, t[i].real);
	}
	/* made where it leads to, also where a file is */
	fd = import_folder(im.root, "out/void/x", true, real);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_string_equal(real, "none/y/x");
	assert_int_equal(fstatat(im.root, "none/y/x", &st, 0), 0);
	fd = import_folder(im.root, "f/x", false, real);
	assert_int_equal(fd, -1);
	fd = import_folder(im.root, "f/x", true, real);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_untouched();
	drop_root();
}

static void
test_paths(void **state)
{
	struct path_tree t = RB_INITIALIZER(&t);
	char name[32];

	(void)state;
	assert_false(path_in(&t, "a"));
	assert_int_equal(path_add(&t, "a/b/c"), 0);
	assert_int_equal(path_add(&t, "a/b/c"), 0);
	assert_true(path_in(&t, "a") && path_in(&t, "a/b") &&
	    path_in(&t, "a/b/c"));
	assert_false(path_in(&t, "a/b/cc") || path_in(&t, "") ||
	    path_in(&t, "b"));
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "d%u/f%u", i % 7, i);
		assert_int_equal(path_add(&t, name), 0);
	}
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "d%u/f%u", i % 7, i);
		assert_true(path_in(&t, name));
	}
	path_clear(&t);
	assert_false(path_in(&t, "a"));
}

/*
 * One that is not what it was when it was judged: behind the last byte that an
 * archive needs, too, and however it is compressed.
 */
static void
test_changed(void **state)
{
	struct tarbuf t = {0};
	struct reader_sums first, is;
	int fd = memfd_create("layer", MFD_CLOEXEC);

	(void)state;
	make_place();
	new_root();
	file(&t, "a", 0644, "one");
	file(&t, "b", 0644, "two");
	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, t.p, whole(&t)), 0);
	assert_int_equal(import_layer(&im, fd, NULL, &first), 0);
	assert_true(id32_eq(&first.raw, &first.diff));
	assert_int_equal(first.raw_bytes, whole(&t));
	assert_int_equal(import_layer(&im, fd, &first.raw, &is), 0);
	assert_true(id32_eq(&first.raw, &is.raw));
	/* a byte at the end */
	assert_int_equal(pwrite(fd, "x", 1, (off_t)whole(&t)), 1);
	im.why[0] = '\0';
	assert_int_equal(import_layer(&im, fd, &first.raw, NULL), -1);
	assert_non_null(strstr(im.why, "changed"));
	assert_int_equal(ftruncate(fd, (off_t)whole(&t)), 0);
	assert_int_equal(import_layer(&im, fd, &first.raw, NULL), 0);
	/* a byte of its content */
	assert_int_equal(pwrite(fd, "X", 1, 512), 1);
	im.why[0] = '\0';
	assert_int_equal(import_layer(&im, fd, &first.raw, NULL), -1);
	assert_non_null(strstr(im.why, "changed"));
	assert_int_equal(import_layer(&im, fd, NULL, &is), 0);
	assert_false(id32_eq(&is.diff, &first.diff));
	(void)close(fd);
	free(t.p);
	drop_root();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_paths),
		cmocka_unit_test_setup_teardown(test_resolve, enter_place,
		    leave_place),
		cmocka_unit_test_setup_teardown(test_hostile, enter_place,
		    leave_place),
		cmocka_unit_test_setup_teardown(test_changed, enter_place,
		    leave_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
