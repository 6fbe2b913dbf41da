/* SPDX-License-Identifier: BSD-2-Clause */
/* Digests of files, the list of an image's files, a folder beside its list. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/filelist.h"
#include "audit/filelist_make.h"
#include "audit/filesum.h"
#include "audit/filesum_read.h"
#include "audit/integrity_walk.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"

static char top[64];
static int root = -1;
static uint8_t *list;
static size_t len;

/* ---- digests: what `fsverity digest` of fsverity-utils 1.5 prints ---- */

static void
test_sum(void **state)
{
	static const struct {
		size_t n; /* letters a */
		const char *hex;
	} rows[] = {
	    {0, "3d248ca542a24fc62d1c43b916eae501"
		"6878e2533c88238480b26128a1f1af95"},
	    {1, "bce75948b9e7510293f8f2720412af96"
		"97c1479281323f3f220623fb8e94b557"},
	    {4095, "cff490d058f9ad59d0ced3c2dcc9d7b0"
		"e6683a88c3d4fc88ce8d222ddaebb912"},
	    {4096, "a2a808ddaced77f0b6b3068f47b14b5a"
		"1fb3fc43674993ab11b8e7e6f2d089e2"},
	    {4097, "18b155c0b6e054f3f7d22488ed15340e"
		"74dc161ce2d123e13eb685c3ce565f70"},
	    {524288, "35ce0df2a57eb54aeba7969570bac9df"
		"adfac295ec181a03f13ac7a7da54909e"},
	    {524289, "cc4f297494cf9e0b6f159db6d30a62d3"
		"fcc219fc9c0cbc2d8792bd264da4d9cb"},
	    {70000000, "0ab601c6897dc98c76806669d40ac2be"
		"a6670e33bd6c5c32d4d7f839a56edb19"},
	};
	char *a = malloc(70000000), hex[65];
	static struct filesum f;
	struct id32 sum;

	(void)state;
	assert_non_null(a);
	memset(a, 'a', 70000000);
	for (size_t i = 0; i < NELEM(rows); i++) {
		filesum_of(&sum, a, rows[i].n);
		hex_encode(hex, HASH_BYTES(sum));
		assert_string_equal(hex, rows[i].hex);
		/* in pieces that fall over blocks */
		filesum_init(&f);
		for (size_t at = 0, k = 1; at < rows[i].n; at += k, k = 5003)
			filesum_add(&f, a, k = MIN_OF(k, rows[i].n - at));
		filesum_end(&f, &sum);
		hex_encode(hex, HASH_BYTES(sum));
		assert_string_equal(hex, rows[i].hex);
	}
	free(a);
}

/* ---- a folder ---- */

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd;

	/* who is not root writes to no file of 0444, be it his */
	(void)!fchmodat(root, name, 0600, 0);
	fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void
make_list(void)
{
	int fd = memfd_create("list", MFD_CLOEXEC);
	char path[4200];
	uint32_t n;

	assert_true(fd >= 0);
	assert_int_equal(filelist_make(root, fd, path, sizeof(path)), 0);
	free(list);
	len = (size_t)lseek(fd, 0, SEEK_END);
	list = malloc(len);
	assert_non_null(list);
	assert_int_equal(pread(fd, list, len, 0), (ssize_t)len);
	assert_true(filelist_check(list, len, &n));
	(void)close(fd);
}

static void
shut(const char *name)
{
	(void)!fchmodat(root, name, 0555, 0);
}

static void
close_all(void)
{
	static const char *const dirs[] = {".", "bin", "etc", "etc/deep"};

	/* deepest first: what lies in them can be changed again */
	for (size_t i = NELEM(dirs); i > 0; i--)
		shut(dirs[i - 1]);
}

static void
open_dir(const char *name)
{
	assert_int_equal(fchmodat(root, name, 0755, 0), 0);
}

static int
setup(void **state)
{
	char big[10001];

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/warren-walk.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	if (mkdirat(root, "bin", 0755) < 0 || mkdirat(root, "etc", 0755) < 0 ||
	    mkdirat(root, "etc/deep", 0755) < 0 ||
	    symlinkat("/bin/app", root, "bin/link") < 0)
		return -1;
	put("bin/app", big, 0555);
	put("bin/hard", "one file of two names", 0444);
	if (linkat(root, "bin/hard", root, "etc/hard", 0) < 0)
		return -1;
	put("etc/empty", "", 0444);
	put("etc/deep/key", "the bytes", 0444);
	put("etc/none", "nobody reads it", 0);
	close_all();
	make_list();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)tree_empty(root);
	(void)close(root);
	(void)rmdir(top);
	free(list);
	list = NULL;
	return 0;
}

/* ---- what is told ---- */

static struct {
	char path[64][128];
	enum walk_diff what[64];
	unsigned n, most;
	uint64_t slices;
	uint64_t stop_at;
} told;

static bool
differs(void *ctx, const char *path, enum walk_diff what)
{
	(void)ctx;
	assert_true(told.n < 64);
	(void)snprintf(told.path[told.n], 128, "%s", path);
	told.what[told.n++] = what;
	return told.n < told.most;
}

static unsigned passing;

static bool
slice(void *ctx, uint64_t bytes)
{
	char name[96];

	(void)ctx;
	told.slices += bytes;
	/* another image comes while it is read, or goes */
	(void)snprintf(name, sizeof(name), "%s.passing", top);
	if (bytes > 0 && passing > 0 && passing-- > 0 &&
	    linkat(root, "bin/app", AT_FDCWD, name, 0) == 0)
		(void)unlink(name);
	return told.stop_at == 0 || told.slices < told.stop_at;
}

static struct walk w;
static uint64_t seen[64];
static int64_t later;

static unsigned
look(bool again)
{
	memset(&told, 0, sizeof(told));
	told.most = 64;
	w = (struct walk){.differs = differs, .slice = slice,
	    .seen = again ? seen : NULL,
	    .now = clock_wall_us() / 1000000 + later};
	assert_int_equal(walk_check(&w, root, list, len), 0);
	return told.n;
}

static void
only(const char *path, enum walk_diff what)
{
	if (look(false) != 1 || strcmp(told.path[0], path) != 0 ||
	    told.what[0] != what)
		fail_msg("%u told, first %s: %s; %s: %s is wanted", told.n,
		    told.path[0], walk_text(told.what[0]), path,
		    walk_text(what));
}

static void
test_same(void **state)
{
	(void)state;
	later = -3600; /* all has changed a moment ago */
	assert_int_equal(look(false), 0);
	later = 0;
	assert_int_equal(w.entries, 10);
	assert_int_equal(w.looked, 5); /* one is nobody's to read */
	assert_int_equal(w.bytes, 10000 + 2 * 21 + 9);
	assert_int_equal(told.slices, w.bytes);
}

/* A file of two names is read once, and told of by both. */
static void
test_names(void **state)
{
	(void)state;
	later = 3600;
	assert_int_equal(look(false), 0);
	assert_int_equal(w.looked, 4);
	assert_int_equal(w.bytes, 10000 + 21 + 9);
	put("bin/hard", "one file of two NAMES", 0444);
	assert_int_equal(look(false), 2);
	later = 0;
	assert_int_equal(told.what[0], WALK_BYTES);
	assert_int_equal(told.what[1], WALK_BYTES);
	assert_string_equal(told.path[0], "bin/hard");
	assert_string_equal(told.path[1], "etc/hard");
	/* the list has the same digest for both */
	make_list();
	assert_int_equal(look(false), 0);
}

static void
test_bytes(void **state)
{
	struct stat st;
	struct timespec t[2];
	int fd;

	(void)state;
	/* one bit, and times as they were */
	assert_int_equal(fstatat(root, "bin/app", &st, 0), 0);
	assert_int_equal(fchmodat(root, "bin/app", 0755, 0), 0);
	fd = openat(root, "bin/app", O_WRONLY);
	assert_int_equal(pwrite(fd, "y", 1, 4711), 1);
	assert_int_equal(fchmod(fd, 0555), 0);
	t[0] = st.st_atim;
	t[1] = st.st_mtim;
	assert_int_equal(futimens(fd, t), 0);
	(void)close(fd);
	only("bin/app", WALK_BYTES);
	/* longer, much longer: not read */
	assert_int_equal(truncate((snprintf(told.path[0], 128, "%s/bin/app",
	    top), told.path[0]), 1ll << 40), geteuid() == 0 ? 0 : -1);
	if (geteuid() == 0) {
		only("bin/app", WALK_SIZE);
		assert_true(w.bytes < 100);
	}
}

static void
test_modes(void **state)
{
	(void)state;
	assert_int_equal(fchmodat(root, "etc/deep/key", 0644, 0), 0);
	only("etc/deep/key", WALK_MODE);
	assert_int_equal(fchmodat(root, "etc/deep/key", 0444, 0), 0);
	assert_int_equal(fchmodat(root, "etc/deep", 0755, 0), 0);
	only("etc/deep", WALK_MODE);
	assert_int_equal(fchmodat(root, "etc/deep", 0555, 0), 0);
	open_dir(".");
	only("", WALK_MODE);
	assert_int_equal(fchmodat(root, ".", 0555, 0), 0);
	assert_int_equal(look(false), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(root, "etc/empty", 1, -1u, 0), 0);
	only("etc/empty", WALK_OWNER);
}

static void
test_links(void **state)
{
	char text[10001], other[96], more[96];
	struct stat st;
	ssize_t n;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.other", top);
	(void)snprintf(more, sizeof(more), "%s.more", top);
	open_dir("etc");
	assert_int_equal(linkat(root, "bin/app", root, "etc/more", 0), 0);
	close_all();
	only("etc/more", WALK_ADDED);
	open_dir("etc");
	assert_int_equal(unlinkat(root, "etc/more", 0), 0);
	/* other images' names of it do not count */
	assert_int_equal(linkat(root, "bin/app", root, other, 0), 0);
	close_all();
	assert_int_equal(look(false), 0);
	assert_int_equal(unlinkat(root, other, 0), 0);
	/* which names are one file here does, whatever else they are */
	open_dir("etc");
	assert_int_equal(linkat(root, "bin/app", root, "etc/twin", 0), 0);
	close_all();
	make_list();
	assert_int_equal(look(false), 0);
	n = file_read(root, "bin/app", text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(fstatat(root, "bin/app", &st, 0), 0);
	assert_int_equal(linkat(root, "bin/app", root, other, 0), 0);
	open_dir("etc");
	assert_int_equal(unlinkat(root, "etc/twin", 0), 0);
	put("etc/twin", text, st.st_mode & 07777);
	assert_int_equal(linkat(root, "etc/twin", root, more, 0), 0);
	close_all();
	assert_int_equal(look(false), 1);
	assert_int_equal(told.what[0], WALK_LINKS);
	assert_int_equal(unlinkat(root, other, 0), 0);
	assert_int_equal(unlinkat(root, more, 0), 0);
}

static void
test_passing(void **state)
{
	(void)state;
	passing = 3;
	assert_int_equal(look(false), 0);
	assert_int_equal(passing, 0);
	passing = 1000;
	only("bin/app", WALK_RESTLESS);
	passing = 0;
	assert_int_equal(look(false), 0);
}

static void
test_gone(void **state)
{
	(void)state;
	open_dir("bin");
	assert_int_equal(renameat(root, "bin/app", root, "bin/apq"), 0);
	close_all();
	assert_int_equal(look(false), 2);
	assert_string_equal(told.path[0], "bin/app");
	assert_int_equal(told.what[0], WALK_MISSING);
	assert_string_equal(told.path[1], "bin/apq");
	assert_int_equal(told.what[1], WALK_ADDED);
	/* a folder is told once, not all that lay in it */
	open_dir("bin");
	assert_int_equal(renameat(root, "bin/apq", root, "bin/app"), 0);
	open_dir(".");
	open_dir("etc");
	assert_int_equal(renameat(root, "etc", root, "bin/etc"), 0);
	assert_int_equal(fchmodat(root, "bin/etc", 0555, 0), 0);
	assert_int_equal(fchmodat(root, "bin", 0555, 0), 0);
	assert_int_equal(fchmodat(root, ".", 0555, 0), 0);
	assert_int_equal(look(false), 2);
	assert_string_equal(told.path[0], "etc");
	assert_int_equal(told.what[0], WALK_MISSING);
	assert_string_equal(told.path[1], "bin/etc");
}

static void
replace(const char *name)
{
	open_dir("etc");
	(void)unlinkat(root, name, 0);
}

static void
test_types(void **state)
{
	int fd;

	(void)state;
	replace("etc/empty");
	assert_int_equal(mkfifoat(root, "etc/empty", 0444), 0);
	close_all();
	only("etc/empty", WALK_TYPE); /* and nobody waits for a writer */
	replace("etc/empty");
	assert_int_equal(symlinkat("/etc/passwd", root, "etc/empty"), 0);
	close_all();
	only("etc/empty", WALK_TYPE);
	replace("etc/empty");
	assert_int_equal(mkdirat(root, "etc/empty", 0555), 0);
	close_all();
	only("etc/empty", WALK_TYPE);
	open_dir("etc");
	assert_int_equal(unlinkat(root, "etc/empty", AT_REMOVEDIR), 0);
	if (geteuid() == 0 && mknodat(root, "etc/empty", S_IFCHR | 0444,
	    makedev(1, 5)) == 0) {
		close_all();
		only("etc/empty", WALK_TYPE);
		replace("etc/empty");
	}
	fd = openat(root, "etc/empty", O_CREAT | O_WRONLY, 0444);
	(void)fchmod(fd, 0444);
	(void)close(fd);
	/* a folder that is a link to where the same lies */
	open_dir(".");
	assert_int_equal(renameat(root, "bin", root, "nib"), 0);
	assert_int_equal(symlinkat("nib", root, "bin"), 0);
	close_all();
	shut(".");
	assert_true(look(false) >= 2);
	assert_string_equal(told.path[0], "bin");
	assert_int_equal(told.what[0], WALK_TYPE);
	open_dir(".");
	(void)unlinkat(root, "bin", 0);
	assert_int_equal(renameat(root, "nib", root, "bin"), 0);
	open_dir("bin");
	(void)unlinkat(root, "bin/link", 0);
	assert_int_equal(symlinkat("/bin/apP", root, "bin/link"), 0);
	close_all();
	shut(".");
	only("bin/link", WALK_TARGET);
}

/* ---- what is the same still is not read again ---- */

static void
test_again(void **state)
{
	(void)state;
	memset(seen, 0, sizeof(seen));
	later = -3600;
	/* too young to be known by its times */
	assert_int_equal(look(true), 0);
	assert_int_equal(look(true), 0);
	assert_int_equal(w.looked, 5);
	later = 10; /* no tick of the clock is shared with it */
	assert_int_equal(look(true), 0);
	assert_int_equal(w.looked, 4);
	assert_int_equal(look(true), 0);
	assert_int_equal(w.looked, 0);
	assert_int_equal(w.entries, 10);
	/* bytes of one, same size: it alone is read */
	assert_int_equal(fchmodat(root, "etc/deep/key", 0644, 0), 0);
	put("etc/deep/key", "the bites", 0444);
	assert_int_equal(look(true), 1);
	assert_int_equal(w.looked, 1);
	assert_string_equal(told.path[0], "etc/deep/key");
	/* ... and again, as long as it is so */
	assert_int_equal(look(true), 1);
	put("etc/deep/key", "the bytes", 0444);
	assert_int_equal(look(true), 0);
	assert_int_equal(w.looked, 1);
	/* what comes into a folder is seen by the folder */
	open_dir("etc/deep");
	put("etc/deep/new", "", 0444);
	close_all();
	assert_int_equal(look(true), 1);
	assert_string_equal(told.path[0], "etc/deep/new");
	assert_int_equal(look(true), 1);
}

static void
test_stops(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	told.most = 64;
	told.stop_at = 100;
	w = (struct walk){.differs = differs, .slice = slice};
	assert_int_equal(walk_check(&w, root, list, len), 0);
	assert_true(w.stopped);
	assert_int_equal(told.n, 0);
	/* enough was told */
	open_dir("etc");
	for (int i = 0; i < 20; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "etc/n%d", i);
		put(name, "", 0444);
	}
	close_all();
	memset(&told, 0, sizeof(told));
	told.most = 3;
	w = (struct walk){.differs = differs};
	assert_int_equal(walk_check(&w, root, list, len), 0);
	assert_true(w.stopped);
	assert_int_equal(told.n, 3);
}

/* ---- lists ---- */

static void
test_hostile_lists(void **state)
{
	uint8_t *copy = malloc(len + 1);
	uint32_t n;

	(void)state;
	assert_non_null(copy);
	for (size_t k = 0; k < len; k++) {
		memcpy(copy, list, k);
		assert_false(filelist_check(copy, k, &n));
	}
	memcpy(copy, list, len);
	copy[len] = 0;
	assert_false(filelist_check(copy, len + 1, &n));
	/* whatever bit: no crash, and what passes can be walked */
	for (size_t k = 0; k < 8 * len; k++) {
		memcpy(copy, list, len);
		copy[k / 8] ^= (uint8_t)(1u << (k % 8));
		if (!filelist_check(copy, len, &n))
			continue;
		memset(&told, 0, sizeof(told));
		told.most = 1;
		w = (struct walk){.differs = differs};
		(void)walk_check(&w, root, copy, len);
		/* each bit of it means something */
		assert_int_equal(told.n, 1);
	}
	/* four thousand million entries in nothing */
	memcpy(copy, "WFL1\xff\xff\xff\xff", 8);
	assert_false(filelist_check(copy, 8, &n));
	assert_int_equal(walk_check(&w, root, copy, 8), -1);
	free(copy);
}

static void
test_many(void **state)
{
	char name[32];

	(void)state;
	open_dir("etc/deep");
	for (int i = 0; i < 3000; i++) {
		int fd;

		(void)snprintf(name, sizeof(name), "etc/deep/%d", i * 7919);
		fd = openat(root, name, O_CREAT | O_WRONLY, 0444);
		assert_true(fd >= 0);
		(void)close(fd);
	}
	close_all();
	make_list();
	assert_int_equal(look(false), 0);
	assert_int_equal(w.entries, 3010);
	open_dir("etc/deep");
	assert_int_equal(unlinkat(root, "etc/deep/7919", 0), 0);
	put("etc/deep/79190", "x", 0444);
	close_all();
	assert_int_equal(look(false), 2);
}

static void
test_nothing_else(void **state)
{
	int fd = memfd_create("list", MFD_CLOEXEC);
	char path[4200];

	(void)state;
	open_dir("etc");
	assert_int_equal(mkfifoat(root, "etc/pipe", 0444), 0);
	assert_int_equal(filelist_make(root, fd, path, sizeof(path)), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(path, "etc/pipe");
	(void)close(fd);
}

/*
 * Below an overlay: files have another device number there than folders. Run by
 * a child, in mounts of its own; 77: it may not have them.
 */
static int
on_overlay(const char *side)
{
	char options[300], merged[100], same[10000];
	int fd;

	if (unshare(geteuid() == 0 ? CLONE_NEWNS :
	    CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", side, "tmpfs", 0, NULL) < 0)
		return 77;
	(void)snprintf(merged, sizeof(merged), "%s/merged", side);
	(void)snprintf(options, sizeof(options),
	    "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,xino=off", top,
	    side, side);
	if (chdir(side) < 0 || mkdir("upper", 0555) < 0 ||
	    mkdir("work", 0755) < 0 || mkdir("merged", 0755) < 0 ||
	    mount("none", merged, "overlay", 0, options) < 0)
		return 77;
	root = open(merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || look(false) != 0 || w.entries != 10)
		return 1;
	/* laid over one is another, whatever it says */
	memset(same, 'x', sizeof(same));
	fd = open("other", O_WRONLY | O_CREAT, 0600);
	if (write(fd, same, sizeof(same)) != (ssize_t)sizeof(same) ||
	    fchmod(fd, 0555) < 0 ||
	    mount("other", "merged/bin/app", NULL, MS_BIND, NULL) < 0)
		return 3;
	return look(false) == 1 && told.what[0] == WALK_TYPE ? 0 : 2;
}

static void
test_overlay(void **state)
{
	char side[] = "/tmp/warren-walk.XXXXXX";
	int status = 0;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(side));
	pid = fork();
	if (pid == 0)
		_exit(on_overlay(side));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rmdir(side), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sum),
	    T(test_same),
	    T(test_names),
	    T(test_bytes),
	    T(test_modes),
	    T(test_links),
	    T(test_passing),
	    T(test_gone),
	    T(test_types),
	    T(test_again),
	    T(test_stops),
	    T(test_hostile_lists),
	    T(test_many),
	    T(test_nothing_else),
	    T(test_overlay),
	};

	(void)umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
