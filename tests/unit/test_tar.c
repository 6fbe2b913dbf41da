/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <nettle/sha2.h>
#include <rns/hash.h>

#include "sandbox/base/tar.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

struct bytes {
	uint8_t *p;
	size_t n;
};

static json_t *vectors;

static struct bytes
unhex(const json_t *v)
{
	struct bytes b;

	b.n = json_string_length(v) / 2;
	b.p = malloc(b.n + 1);
	assert_non_null(b.p);
	assert_true(hex_decode(b.p, b.n, json_string_value(v), 2 * b.n));
	b.p[b.n] = 0;
	return b;
}

static int
setup(void **state)
{
	const char *dir = getenv("VECTORS");
	char path[1024];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/compute-tar.json",
	    dir == NULL ? "tests/vectors" : dir);
	vectors = json_load_file(path, 0, NULL);
	return vectors == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

/* Reads it cut into pieces of step bytes; how many members, or -1. */
static int
read_all(const uint8_t *p, size_t n, size_t step)
{
	struct tar_reader *r = tar_reader_new();
	const struct tar_member *m;
	const uint8_t *data;
	size_t len;
	int members = 0;

	assert_non_null(r);
	while (n > 0) {
		size_t part = MIN_OF(n, step), left = part;
		const uint8_t *in = p;
		enum tar_event e;

		while ((e = tar_read(r, &m, &data, &len, &in, &left)) !=
		    TAR_MORE) {
			if (e == TAR_BAD) {
				assert_int_not_equal(tar_reader_error(r),
				    TAR_OK);
				tar_reader_free(r);
				return -1;
			}
			if (e == TAR_MEMBER)
				members++;
		}
		assert_int_equal(left, 0);
		p += part;
		n -= part;
	}
	if (tar_reader_end(r) != TAR_OK)
		members = -1;
	tar_reader_free(r);
	return members;
}

static void
test_check_vectors(void **state)
{
	const json_t *list = json_object_get(vectors, "check");
	size_t i;
	json_t *v;

	(void)state;
	assert_true(json_array_size(list) >= 40);
	json_array_foreach (list, i, v) {
		struct bytes b = unhex(json_object_get(v, "tar"));
		bool valid = json_is_true(json_object_get(v, "valid"));

		for (size_t step = 1; step < 4096; step = step * 3 + 1)
			if ((read_all(b.p, b.n, step) >= 0) != valid)
				fail_msg("%s: step %zu", json_string_value(
				    json_object_get(v, "name")), step);
		free(b.p);
	}
}

static void
test_pack_headers(void **state)
{
	const json_t *list = json_object_get(vectors, "pack");
	size_t i, j;
	json_t *v, *e;

	(void)state;
	json_array_foreach (list, i, v) {
		struct bytes tar = unhex(json_object_get(v, "tar"));
		const json_t *entries = json_object_get(v, "entries");
		size_t off = 0;

		json_array_foreach (entries, j, e) {
			struct bytes path = unhex(json_object_get(e, "path"));
			struct bytes data = unhex(json_object_get(e, "data"));
			uint8_t h[TAR_BLOCK];
			struct tar_member m;

			memset(&m, 0, sizeof(m));
			memcpy(m.path, path.p, path.n);
			m.type = json_string_value(json_object_get(e,
			    "type"))[0];
			m.mode = (uint16_t)json_integer_value(
			    json_object_get(e, "mode"));
			if (m.type == TAR_FILE)
				m.size = data.n;
			else if (m.type == TAR_LINK)
				memcpy(m.link, data.p, data.n);
			assert_int_equal(tar_header(h, &m), TAR_OK);
			assert_true(off + TAR_BLOCK <= tar.n);
			assert_memory_equal(h, tar.p + off, TAR_BLOCK);
			off += TAR_BLOCK + (size_t)m.size +
			    tar_padding(m.size);
			free(path.p);
			free(data.p);
		}
		assert_int_equal(off + 2 * TAR_BLOCK, tar.n);
		assert_int_equal(read_all(tar.p, tar.n, 700),
		    json_array_size(entries));
		free(tar.p);
	}
}

/* Every truncation is refused; a flipped bit is refused or is content. */
static void
test_damage(void **state)
{
	const json_t *v = json_array_get(json_object_get(vectors, "pack"), 0);
	struct bytes b = unhex(json_object_get(v, "tar"));
	int members = read_all(b.p, b.n, b.n);

	(void)state;
	assert_true(members > 0);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(read_all(b.p, n, b.n), -1);
	for (size_t bit = 0; bit < b.n * 8; bit++) {
		int got;

		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		got = read_all(b.p, b.n, b.n);
		assert_true(got == -1 || got == members);
		b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(b.p);
}

static void
test_links(void **state)
{
	static const struct {
		const char *path, *target;
		bool ok;
	} t[] = {
		{"a", "b", true}, {"a", "b/../c", false}, {"a", "..", false},
		{"a/b", "..", true}, {"a/b", "../../c", false},
		{"a/b/c", "../../d", true}, {"a", "/etc", false},
		{"a", "", false}, {"a", "./b", true}, {"a/b", "./../c", false},
		{"a", "..b", true}, {"a", "b\n", false}, {"a", "\xff", false},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		if ((tar_check_link(t[i].path, t[i].target) == TAR_OK) !=
		    t[i].ok)
			fail_msg("%s -> %s", t[i].path, t[i].target);
}

static void
test_paths(void **state)
{
	char deep[80] = "a", longest[400];
	struct tar_member m;
	uint8_t h[TAR_BLOCK];

	(void)state;
	for (int i = 1; i < TAR_DEPTH_MAX; i++)
		memcpy(deep + 2 * i - 1, "/a", 3);
	assert_int_equal(tar_check_path(deep), TAR_OK);
	memcpy(deep + 2 * TAR_DEPTH_MAX - 1, "/a", 3);
	assert_int_equal(tar_check_path(deep), TAR_EDEPTH);
	memset(longest, 'x', sizeof(longest));
	longest[TAR_PATH_MAX + 1] = '\0';
	assert_int_equal(tar_check_path(longest), TAR_ENAME);
	longest[154] = '/';
	longest[255] = '\0';
	assert_int_equal(tar_check_path(longest), TAR_OK);
	memset(&m, 0, sizeof(m));
	m.type = TAR_FILE;
	memcpy(m.path, longest, 256);
	assert_int_equal(tar_header(h, &m), TAR_OK);
	m.path[154] = 'x';
	assert_int_equal(tar_header(h, &m), TAR_ENAME); /* no place to cut */
	assert_int_equal(tar_check_path("\xc2\x85"), TAR_ENAME);
	assert_int_equal(tar_check_path("\xc3\xbc"), TAR_OK);
	assert_int_equal(tar_check_path("a\x7f"), TAR_ENAME);
	m.path[2] = '\0';
	m.size = (uint64_t)TAR_SIZE_MAX + 1;
	assert_int_equal(tar_header(h, &m), TAR_ESIZE);
}

/* ---- folders ---- */

struct sink {
	uint8_t *p;
	size_t n, max;
};

static int
collect(void *arg, const void *p, size_t n)
{
	struct sink *s = arg;

	if (s->n + n > s->max)
		return -1;
	memcpy(s->p + s->n, p, n);
	s->n += n;
	return 0;
}

static int
file_of(const uint8_t *p, size_t n)
{
	char name[] = "/tmp/warren-tar-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	return fd;
}

static int
new_folder(char *path)
{
	int fd;

	memcpy(path, "/tmp/warren-tree-XXXXXX", 24);
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
drop_folder(int fd, const char *path)
{
	assert_int_equal(tree_empty(fd), 0);
	(void)close(fd);
	assert_int_equal(rmdir(path), 0);
}

static void
test_folder_round(void **state)
{
	const json_t *list = json_object_get(vectors, "pack");
	size_t i;
	json_t *v;

	(void)state;
	json_array_foreach (list, i, v) {
		struct bytes b = unhex(json_object_get(v, "tar"));
		struct sink s = {malloc(1 << 16), 0, 1 << 16};
		char path[64], hex[65];
		int dir = new_folder(path), fd = file_of(b.p, b.n);
		struct tree_report rep;
		struct sha256_ctx ctx;
		struct id32 digest;

		assert_non_null(s.p);
		if (tree_unpack(fd, dir, &rep) != 0) fail_msg("%s", rep.why);
		assert_int_equal(tree_pack(dir, TREE_STRICT, collect, &s,
		    &rep), 0);
		assert_int_equal(s.n, b.n);
		assert_memory_equal(s.p, b.p, b.n);
		sha256_init(&ctx);
		sha256_update(&ctx, s.n, s.p);
		sha256_digest(&ctx, sizeof(digest), digest.b);
		hex_encode(hex, HASH_BYTES(digest));
		assert_string_equal(hex,
		    json_string_value(json_object_get(v, "sha256")));
		/* a sink that stops */
		s.n = 0;
		s.max = 1000;
		assert_int_equal(tree_pack(dir, TREE_STRICT, collect, &s,
		    &rep), -1);
		drop_folder(dir, path);
		(void)close(fd);
		free(s.p);
		free(b.p);
	}
}

/* Beyond its bounds not one member is written; within them all are. */
static void
test_folder_bounds(void **state)
{
	static const uint8_t content[TAR_BLOCK] = {'x', 'y'};
	uint8_t tar[6 * TAR_BLOCK] = {0};
	char path[64];
	int dir = new_folder(path), fd;
	struct tree_report rep;
	struct tree_bounds b;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct tar_member m = {.type = TAR_FILE, .mode = 0644,
		    .size = i == 2 ? 2 : 0};

		(void)snprintf(m.path, sizeof(m.path), "f%d", i);
		assert_int_equal(tar_header(tar + i * TAR_BLOCK, &m), TAR_OK);
	}
	memcpy(tar + 3 * TAR_BLOCK, content, TAR_BLOCK);
	fd = file_of(tar, sizeof(tar));
	for (int i = 0; i < 4; i++) {
		b = (struct tree_bounds){.members = i == 3 ? 3 : (uint32_t)i,
		    .bytes = i == 3 ? 1 : 2};
		assert_int_equal(tree_unpack_within(fd, dir, &b, &rep), -1);
		assert_int_equal(errno, EDQUOT);
		assert_true(rep.why[0] != '\0');
		assert_int_equal(faccessat(dir, "f0", F_OK, 0), -1);
	}
	b = (struct tree_bounds){.members = 3, .bytes = 2};
	assert_int_equal(tree_unpack_within(fd, dir, &b, &rep), 0);
	assert_int_equal(rep.members, 3);
	assert_int_equal(faccessat(dir, "f2", F_OK, 0), 0);
	(void)close(fd);
	drop_folder(dir, path);
}

static void
test_folder_refused(void **state)
{
	const json_t *list = json_object_get(vectors, "check");
	char path[64];
	int dir = new_folder(path);
	size_t i;
	json_t *v;

	(void)state;
	json_array_foreach (list, i, v) {
		struct bytes b = unhex(json_object_get(v, "tar"));
		int fd = file_of(b.p, b.n);
		struct tree_report rep;

		if (!json_is_true(json_object_get(v, "valid"))) {
			assert_int_equal(tree_unpack(fd, dir, &rep), -1);
			assert_true(rep.why[0] != '\0');
		}
		(void)close(fd);
		free(b.p);
	}
	/* not one member was written */
	(void)close(dir);
	assert_int_equal(rmdir(path), 0);
}

static void
assert_left(const struct left *l, unsigned reason, const char *name)
{
	struct left_item it;
	size_t at = 0;

	while (left_next(l, &at, &it))
		if (it.reason == reason && it.len == strlen(name) &&
		    memcmp(it.name, name, it.len) == 0)
			return;
	fail_msg("%s is not said to be left out: %s", name, left_word(reason));
}

static void
test_folder_odd(void **state)
{
	struct sink s = {malloc(1 << 16), 0, 1 << 16};
	char path[64];
	int dir = new_folder(path), fd;
	struct tree_report rep;
	char deep[] = "a name of 120 bytes: no place to cut it for ustar "
	    "                                                             "
	    "         ";

	(void)state;
	assert_non_null(s.p);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "out"), 0);
	assert_int_equal(symlinkat("../up", dir, "up"), 0);
	assert_int_equal(mkdirat(dir, "bad\nname", 0700), 0);
	fd = openat(dir, "bad\nname/inside", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = openat(dir, "x\xff", O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	memset(deep, 'd', sizeof(deep) - 1);
	fd = openat(dir, deep, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = openat(dir, "setid", O_CREAT | O_WRONLY, 0755);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 04755), 0);
	(void)close(fd);
	fd = openat(dir, "good", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);
	assert_int_equal(tree_pack(dir, TREE_STRICT, collect, &s, &rep), -1);
	assert_true(rep.why[0] != '\0');
	s.n = 0;
	assert_int_equal(tree_pack(dir, TREE_DROP, collect, &s, &rep), 0);
	assert_left(&rep.left, LEFT_TYPE, "fifo");
	assert_left(&rep.left, LEFT_LINK, "out");
	assert_left(&rep.left, LEFT_LINK, "up");
	assert_left(&rep.left, LEFT_NAME, "bad\nname/");
	assert_left(&rep.left, LEFT_NAME, "x\xff");
	assert_left(&rep.left, LEFT_PATH, deep);
	assert_left(&rep.left, LEFT_SETID, "setid");
	assert_int_equal(rep.left.count, 7);
	assert_string_equal(rep.why, "");
	/* good, and setid without its bit */
	assert_int_equal(rep.members, 2);
	assert_int_equal(s.n, 5 * TAR_BLOCK);
	assert_int_equal(read_all(s.p, s.n, s.n), 2);
	assert_non_null(memmem(s.p, s.n, "000755 ", 8));
	free(s.p);
	drop_folder(dir, path);
}

static void
test_empty_deep(void **state)
{
	char path[64];
	int dir = new_folder(path), at = dup(dir);

	(void)state;
	for (int i = 0; i < 3000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		assert_int_equal(symlinkat("/", at, "l"), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		(void)fchmod(at, 0500);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	(void)fchmod(dir, 0700);
	drop_folder(dir, path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_vectors),
		cmocka_unit_test(test_pack_headers),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_folder_round),
		cmocka_unit_test(test_folder_bounds),
	    cmocka_unit_test(test_folder_refused),
		cmocka_unit_test(test_folder_odd),
		cmocka_unit_test(test_empty_deep),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
