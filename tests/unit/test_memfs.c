/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/base/tar.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/wasm/memfs_impl.h"

#define ROOM 65536

static struct memfs *fs;

static int
setup(void **state)
{
	(void)state;
	fs = memfs_new(ROOM, MEMFS_NODES, true);
	return fs == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	memfs_free(fs);
	return 0;
}

static enum wasi_errno
find(const char *path, bool follow, struct memfs_at *at)
{
	return memfs_find(memfs_root(fs), path, strlen(path), follow, at);
}

static enum wasi_errno
make(const char *path, enum memfs_kind kind)
{
	struct memfs_at at;
	enum wasi_errno e = find(path, false, &at);

	return e != WASI_OK ? e : memfs_make(fs, &at, kind, 7, NULL);
}

static enum wasi_errno
put(const char *path, const char *text)
{
	struct memfs_at at;
	enum wasi_errno e = find(path, true, &at);
	struct mnode *n = at.node;

	if (e == WASI_OK && n == NULL)
		e = memfs_make(fs, &at, MEMFS_FILE, 7, &n);
	return e != WASI_OK ? e : memfs_write(fs, n, 0, text, strlen(text), 8);
}

static enum wasi_errno
link_to(const char *path, const char *target)
{
	struct memfs_at at;
	enum wasi_errno e = find(path, false, &at);

	return e != WASI_OK ? e : memfs_symlink(fs, &at, target,
	    strlen(target), 9);
}

static enum wasi_errno
move(const char *a, const char *b)
{
	struct memfs_at from, to;
	enum wasi_errno e = find(a, false, &from);

	if (e == WASI_OK)
		e = find(b, false, &to);
	return e != WASI_OK ? e : memfs_rename(fs, &from, &to, 10);
}

static enum wasi_errno
drop(const char *path, bool dir)
{
	struct memfs_at at;
	enum wasi_errno e = find(path, false, &at);

	return e != WASI_OK ? e : memfs_remove(fs, &at, dir, 11);
}

static const char *
text(const char *path)
{
	static char buf[256];
	struct memfs_at at;

	if (find(path, true, &at) != WASI_OK || at.node == NULL)
		return "(none)";
	buf[memfs_read(at.node, 0, buf, sizeof(buf) - 1)] = '\0';
	return buf;
}

/* Where paths lead, and that none leads out. */
static void
test_paths(void **state)
{
	static const struct {
		const char *path;
		enum wasi_errno e;
		bool found;
	} rows[] = {
	    {"a", WASI_OK, true}, {"a/b", WASI_OK, true},
	    {"a/b/f", WASI_OK, true}, {"a//b///f", WASI_OK, true},
	    {"./a/./b", WASI_OK, true}, {"a/../a/b/f", WASI_OK, true},
	    {"a/b/..", WASI_OK, true}, {".", WASI_OK, true},
	    {"a/", WASI_OK, true}, {"a/new", WASI_OK, false},
	    {"a/new/", WASI_OK, false},
	    {"", WASI_NOENT, false}, {"x/y", WASI_NOENT, false},
	    {"a/b/f/", WASI_NOTDIR, false}, {"a/b/f/x", WASI_NOTDIR, false},
	    {"a/b/f/..", WASI_NOTDIR, false},
	    {"..", WASI_NOTCAPABLE, false}, {"a/../..", WASI_NOTCAPABLE, false},
	    {"../a", WASI_NOTCAPABLE, false}, {"/a", WASI_NOTCAPABLE, false},
	    {"/", WASI_NOTCAPABLE, false},
	    {"in", WASI_OK, true}, {"in/f", WASI_OK, true},
	    {"out", WASI_NOTCAPABLE, false}, {"out/x", WASI_NOTCAPABLE, false},
	    {"me", WASI_LOOP, false}, {"me/x", WASI_LOOP, false},
	    {"gone", WASI_OK, false}, {"chain", WASI_OK, true}};
	struct memfs_at at;
	char long_name[300];

	(void)state;
	assert_int_equal(make("a", MEMFS_DIR), WASI_OK);
	assert_int_equal(make("a/b", MEMFS_DIR), WASI_OK);
	assert_int_equal(put("a/b/f", "text"), WASI_OK);
	assert_int_equal(link_to("in", "a/b"), WASI_OK);
	assert_int_equal(link_to("a/out", "../.."), WASI_OK);
	assert_int_equal(link_to("out", "a/out"), WASI_OK);
	assert_int_equal(link_to("me", "me"), WASI_OK);
	assert_int_equal(link_to("gone", "nothing"), WASI_OK);
	assert_int_equal(link_to("chain", "in/../b/f"), WASI_OK);
	assert_int_equal(link_to("abs", "/etc/passwd"), WASI_NOTCAPABLE);
	for (size_t i = 0; i < NELEM(rows); i++) {
		enum wasi_errno e = find(rows[i].path, true, &at);

		if (e != rows[i].e || (e == WASI_OK &&
		    (at.node != NULL) != rows[i].found))
			fail_msg("%s: %d", rows[i].path, (int)e);
	}
	/* not followed it is the link itself */
	assert_int_equal(find("me", false, &at), WASI_OK);
	assert_int_equal(memfs_kind(at.node), MEMFS_LINK);
	memset(long_name, 'n', sizeof(long_name));
	assert_int_equal(memfs_find(memfs_root(fs), long_name, 256, false,
	    &at), WASI_NAMETOOLONG);
	assert_int_equal(memfs_find(memfs_root(fs), "a\0b", 3, false, &at),
	    WASI_INVAL);
	assert_int_equal(memfs_find(memfs_root(fs), long_name, 255, false,
	    &at), WASI_OK);
}

static void
test_names(void **state)
{
	struct memfs_at at;
	struct memfs_stat s;

	(void)state;
	assert_int_equal(make("d", MEMFS_DIR), WASI_OK);
	assert_int_equal(make("d", MEMFS_DIR), WASI_EXIST);
	assert_int_equal(make("d/e", MEMFS_DIR), WASI_OK);
	assert_int_equal(put("f", "one"), WASI_OK);
	assert_int_equal(make("f/", MEMFS_FILE), WASI_NOTDIR);
	assert_int_equal(drop("d", true), WASI_NOTEMPTY);
	assert_int_equal(drop("d", false), WASI_ISDIR);
	assert_int_equal(drop("f", true), WASI_NOTDIR);
	assert_int_equal(drop(".", true), WASI_INVAL);
	assert_int_equal(drop("none", false), WASI_NOENT);
	/* a folder not into itself, a file not over a folder */
	assert_int_equal(move("d", "d/e/x"), WASI_INVAL);
	assert_int_equal(move("f", "d"), WASI_ISDIR);
	assert_int_equal(move("d", "f"), WASI_NOTDIR);
	assert_int_equal(move("f", "d/e/g"), WASI_OK);
	assert_string_equal(text("d/e/g"), "one");
	assert_string_equal(text("f"), "(none)");
	assert_int_equal(move("d/e", "e"), WASI_OK);
	assert_string_equal(text("e/g"), "one");
	assert_int_equal(find("e/../e/g", true, &at), WASI_OK);
	/* two names of one file */
	assert_int_equal(find("e/g", false, &at), WASI_OK);
	struct mnode *g = at.node;
	assert_int_equal(find("h", false, &at), WASI_OK);
	assert_int_equal(memfs_hardlink(fs, g, &at, 12), WASI_OK);
	assert_int_equal(put("h", "two"), WASI_OK);
	assert_string_equal(text("e/g"), "two");
	memfs_stat(g, &s);
	assert_int_equal(s.links, 2);
	assert_int_equal(drop("h", false), WASI_OK);
	/* what is open stays without a name */
	memfs_open(g);
	assert_int_equal(drop("e/g", false), WASI_OK);
	char c[4] = "";
	assert_int_equal(memfs_read(g, 0, c, 3), 3);
	assert_string_equal(c, "two");
	memfs_close(fs, g);
	/* a folder that is gone takes none */
	assert_int_equal(find("e", false, &at), WASI_OK);
	struct mnode *e = at.node;
	memfs_open(e);
	assert_int_equal(drop("e", true), WASI_OK);
	assert_int_equal(memfs_find(e, "x", 1, false, &at), WASI_OK);
	assert_int_equal(memfs_make(fs, &at, MEMFS_FILE, 1, NULL), WASI_NOENT);
	assert_int_equal(memfs_find(e, "..", 2, false, &at), WASI_NOTCAPABLE);
	memfs_close(fs, e);
	assert_int_equal(make("\xff", MEMFS_FILE), WASI_ILSEQ);
}

static void
test_bounds(void **state)
{
	static char block[ROOM];
	struct memfs_at at;
	struct mnode *n;

	(void)state;
	assert_int_equal(put("f", "x"), WASI_OK);
	assert_int_equal(find("f", false, &at), WASI_OK);
	n = at.node;
	assert_int_equal(memfs_write(fs, n, 0, block, ROOM, 1), WASI_OK);
	assert_int_equal(memfs_write(fs, n, ROOM, block, 1, 1), WASI_NOSPC);
	assert_int_equal(memfs_write(fs, n, UINT64_MAX, block, 1, 1),
	    WASI_FBIG);
	assert_int_equal(memfs_write(fs, n, UINT64_MAX - 1, block, 1, 1),
	    WASI_NOSPC);
	assert_int_equal(memfs_resize(fs, n, UINT64_MAX, 1), WASI_NOSPC);
	assert_int_equal(put("g", "y"), WASI_NOSPC);
	assert_int_equal(memfs_resize(fs, n, 10, 1), WASI_OK);
	assert_int_equal(put("g", "y"), WASI_OK);
	/* what comes between is nought */
	assert_int_equal(memfs_write(fs, n, 20, "z", 1, 1), WASI_OK);
	assert_int_equal(memfs_read(n, 10, block, 100), 11);
	for (int i = 0; i < 10; i++)
		assert_int_equal(block[i], 0);
	/* names are bounded too */
	unsigned made = 0;
	for (char name[16]; made < MEMFS_NODES + 10; made++) {
		(void)snprintf(name, sizeof(name), "n%u", made);
		if (make(name, MEMFS_FILE) != WASI_OK)
			break;
	}
	assert_int_equal(made, MEMFS_NODES - 3);
}

/* ---- as a tmpfs counts ---- */

#define ACTS 40000
#define FEW 12 /* pages, and nodes */

struct count {
	uint64_t pages;
	uint32_t nodes;
};

static uint64_t
pages_of(const struct mnode *n)
{
	struct memfs_stat s;

	memfs_stat(n, &s);
	return s.kind == MEMFS_DIR || (s.kind == MEMFS_LINK && s.size < 128) ?
	    0 : (s.size + 4095) / 4096;
}

/* What a tmpfs takes for the tree, where each name has a file of its own. */
static struct count
counted(struct mnode *dir)
{
	struct count c = {0, 1}, inner;
	struct memfs_entry e;

	for (uint64_t at = 0; memfs_next(dir, at, &e); at = e.cookie) {
		struct mnode *n = (struct mnode *)(uintptr_t)e.node;

		inner = (struct count){pages_of(n), 1};
		if (memfs_kind(n) == MEMFS_DIR)
			inner = counted(n);
		c.pages += inner.pages;
		c.nodes += inner.nodes;
	}
	return c;
}

static uint32_t
chance(uint32_t n)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % n;
}

/* One act; *more: what it takes in addition, when it is done. */
static enum wasi_errno
act(const char *a, const char *b, struct count *more)
{
	static const char far[200] = "far/", zeros[9000];
	struct memfs_at x, y;
	struct memfs_stat s;
	uint64_t size, had;
	bool found;

	*more = (struct count){0, 0};
	if (find(a, false, &x) != WASI_OK || find(b, false, &y) != WASI_OK)
		return WASI_NOENT;
	found = x.node != NULL && memfs_kind(x.node) == MEMFS_FILE;
	if (found)
		memfs_stat(x.node, &s);
	switch (chance(8)) {
	case 0:
		more->nodes = 1;
		return memfs_make(fs, &x, chance(2) == 0 ? MEMFS_DIR :
		    MEMFS_FILE, 1, NULL);
	case 1:
		size = 1 + chance(sizeof(far) - 1);
		char to[sizeof(far)];

		memset(to, 'x', sizeof(to));
		*more = (struct count){size >= 128, 1};
		return memfs_symlink(fs, &x, to, (size_t)size, 1);
	case 2:
		if (x.node == NULL)
			return WASI_NOENT;
		*more = (struct count){pages_of(x.node), 1};
		return memfs_hardlink(fs, x.node, &y, 1);
	case 3:
		return memfs_remove(fs, &x, x.node != NULL &&
		    memfs_kind(x.node) == MEMFS_DIR, 1);
	case 4:
		return memfs_rename(fs, &x, &y, 1);
	default:
		if (!found)
			return WASI_NOENT;
		size = chance(9000);
		had = (s.size + 4095) / 4096;
		if (chance(2) == 0) {
			more->pages = (MAX_OF((size + 4095) / 4096, had) - had) *
			    s.links;
			return memfs_resize(fs, x.node, size, 1);
		}
		/* from somewhere in it, or behind its end */
		uint64_t off = chance(9000);

		if (size > 0)
			more->pages = (MAX_OF((off + size + 4095) / 4096, had) -
			    had) * s.links;
		return memfs_write(fs, x.node, off, zeros, (size_t)size, 1);
	}
}

/*
 * Whatever is done, what is there fits a tmpfs of the same bounds, is counted
 * as it would count it, and nothing is refused that would fit too.
 */
static void
test_counted(void **state)
{
	static const char *const names[] = {"a", "b", "c", "a/a", "a/b", "b/a",
	    "b/b", "a/b/c", "a/a/a", "c/c"};
	unsigned full = 0;

	(void)state;
	memfs_free(fs);
	fs = memfs_new(FEW * 4096 - 100, FEW, true);
	for (unsigned i = 0; i < ACTS; i++) {
		struct count had = counted(memfs_root(fs)), has, more;
		enum wasi_errno e = act(names[chance(NELEM(names))],
		    names[chance(NELEM(names))], &more);

		has = counted(memfs_root(fs));
		assert_true(has.pages <= FEW && has.nodes <= FEW);
		assert_int_equal(has.pages, fs->used);
		assert_int_equal(has.nodes, fs->nodes);
		if (e != WASI_NOSPC)
			continue;
		full++;
		assert_true(had.pages + more.pages > FEW ||
		    had.nodes + more.nodes > FEW);
		assert_int_equal(has.pages, had.pages);
		assert_int_equal(has.nodes, had.nodes);
	}
	assert_true(full > ACTS / 100);
	/* what is open without a name is counted, once */
	memfs_free(fs);
	fs = memfs_new(3 * 4096, 4, true);
	struct memfs_at x, y;
	assert_int_equal(put("f", "x"), WASI_OK);
	assert_int_equal(find("f", false, &x), WASI_OK);
	assert_int_equal(find("g", false, &y), WASI_OK);
	assert_int_equal(memfs_hardlink(fs, x.node, &y, 1), WASI_OK);
	assert_int_equal(fs->used, 2);
	assert_int_equal(memfs_resize(fs, x.node, 4097, 1), WASI_NOSPC);
	memfs_open(x.node);
	assert_int_equal(drop("f", false), WASI_OK);
	assert_int_equal(drop("g", false), WASI_OK);
	assert_int_equal(fs->used, 1);
	assert_int_equal(fs->nodes, 2);
	assert_int_equal(memfs_resize(fs, x.node, 3 * 4096, 1), WASI_OK);
	assert_int_equal(put("h", "x"), WASI_NOSPC);
	/* cut to nothing, it holds nothing */
	assert_int_equal(memfs_resize(fs, x.node, 0, 1), WASI_OK);
	assert_null(x.node->data);
	assert_int_equal(put("h", "x"), WASI_OK);
	memfs_close(fs, x.node);
	assert_int_equal(fs->used, 1);
}

static void
test_list(void **state)
{
	struct memfs_entry e;
	uint64_t cookie = 0;
	char seen[64] = "";

	(void)state;
	for (const char *p = "cab"; *p != '\0'; p++)
		assert_int_equal(make((char[]){*p, '\0'}, MEMFS_FILE),
		    WASI_OK);
	assert_true(memfs_next(memfs_root(fs), cookie, &e));
	cookie = e.cookie;
	/* one that goes, and one that comes, between two looks */
	assert_int_equal(drop("a", false), WASI_OK);
	assert_int_equal(make("d", MEMFS_DIR), WASI_OK);
	(void)strncat(seen, e.name, 8);
	while (memfs_next(memfs_root(fs), cookie, &e)) {
		(void)strncat(seen, e.name, 8);
		cookie = e.cookie;
	}
	assert_string_equal(seen, "cbd");
	/* from the start again, from between, and what was last is gone */
	assert_true(memfs_next(memfs_root(fs), 0, &e));
	assert_string_equal(e.name, "c");
	assert_true(memfs_next(memfs_root(fs), e.cookie, &e));
	assert_string_equal(e.name, "b");
	cookie = e.cookie;
	assert_true(memfs_next(memfs_root(fs), cookie, &e));
	assert_string_equal(e.name, "d");
	assert_int_equal(drop("d", true), WASI_OK);
	assert_false(memfs_next(memfs_root(fs), cookie, &e));
	assert_int_equal(drop("b", false), WASI_OK);
	assert_false(memfs_next(memfs_root(fs), cookie, &e));
	assert_int_equal(drop("c", false), WASI_OK);
	assert_false(memfs_next(memfs_root(fs), 0, &e));
}

/* ---- archives ---- */

struct bytes {
	uint8_t p[65536];
	size_t n;
};

static int
sink(void *arg, const void *p, size_t n)
{
	struct bytes *b = arg;

	if (n > sizeof(b->p) - b->n)
		return -1;
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

static const char *
fill(struct memfs *to, const uint8_t *p, size_t n, size_t step)
{
	struct memfs_fill *f = memfs_fill_begin(to);

	for (size_t i = 0; i < n; i += step)
		if (memfs_fill(f, p + i, MIN_OF(step, n - i)) != NULL)
			break;
	return memfs_fill_end(f);
}

static struct bytes packed, again;

static void
sample(void)
{
	assert_int_equal(make("b", MEMFS_DIR), WASI_OK);
	assert_int_equal(put("b.c", "between"), WASI_OK);
	assert_int_equal(put("b/x", "inside"), WASI_OK);
	assert_int_equal(link_to("b/up", "../b.c"), WASI_OK);
	assert_int_equal(make("empty", MEMFS_DIR), WASI_OK);
	assert_int_equal(put("none", ""), WASI_OK);
}

static void
test_archive(void **state)
{
	char name[MEMFS_NAME + 1];
	struct memfs *other;
	uint32_t left;

	(void)state;
	sample();
	packed.n = again.n = 0;
	assert_int_equal(memfs_pack(fs, sink, &packed, &left), 0);
	assert_int_equal(left, 0);
	for (size_t step = 1; step < 2000; step += 511) {
		other = memfs_new(ROOM, MEMFS_NODES, false);
		assert_null(fill(other, packed.p, packed.n, step));
		again.n = 0;
		assert_int_equal(memfs_pack(other, sink, &again, &left), 0);
		assert_int_equal(again.n, packed.n);
		assert_memory_equal(again.p, packed.p, packed.n);
		/* who may only read it may make nothing in it */
		struct memfs_at at;
		assert_int_equal(memfs_find(memfs_root(other), "q", 1, false,
		    &at), WASI_OK);
		assert_int_equal(memfs_make(other, &at, MEMFS_FILE, 1, NULL),
		    WASI_ROFS);
		assert_int_equal(memfs_find(memfs_root(other), "b.c", 3,
		    false, &at), WASI_OK);
		assert_int_equal(memfs_write(other, at.node, 0, "x", 1, 1),
		    WASI_ROFS);
		assert_int_equal(memfs_resize(other, at.node, 0, 1),
		    WASI_ROFS);
		assert_int_equal(memfs_remove(other, &at, false, 1),
		    WASI_ROFS);
		memfs_free(other);
	}
	/* names that no archive has are left out, and said */
	assert_int_equal(put("bad\n", "x"), WASI_OK);
	assert_int_equal(make("bad\t", MEMFS_DIR), WASI_OK);
	assert_int_equal(put("bad\t/y", "x"), WASI_OK);
	assert_int_equal(link_to("lead", "b/../../x"), WASI_OK);
	/* one that has no slash where a header could part it */
	memset(name, 'n', sizeof(name));
	for (size_t n = 101; n <= MEMFS_NAME; n += MEMFS_NAME - 101) {
		name[n] = '\0';
		assert_int_equal(put(name, "x"), WASI_OK);
		name[n] = 'n';
	}
	name[TAR_LINK_MAX + 1] = '\0';
	assert_int_equal(link_to("far", name), WASI_OK);
	again.n = 0;
	assert_int_equal(memfs_pack(fs, sink, &again, &left), 0);
	assert_int_equal(left, 6);
	assert_memory_equal(again.p, packed.p, packed.n);
	assert_int_equal(again.n, packed.n);
}

/* Every truncation, and every header with a bit flipped, is refused. */
static void
test_hostile(void **state)
{
	struct memfs *other;
	uint32_t left;

	(void)state;
	sample();
	packed.n = 0;
	assert_int_equal(memfs_pack(fs, sink, &packed, &left), 0);
	for (size_t n = 0; n < packed.n; n += n < 600 ? 1 : 101) {
		other = memfs_new(ROOM, MEMFS_NODES, true);
		assert_non_null(fill(other, packed.p, n, 512));
		memfs_free(other);
	}
	for (size_t i = 0; i < 512; i++) {
		other = memfs_new(ROOM, MEMFS_NODES, true);
		packed.p[i] ^= 1;
		assert_non_null(fill(other, packed.p, packed.n, 512));
		packed.p[i] ^= 1;
		memfs_free(other);
	}
	other = memfs_new(10, MEMFS_NODES, false);
	assert_non_null(fill(other, packed.p, packed.n, 512));
	memfs_free(other);
}

/* ---- what a component may ask for ---- */

static void
test_interfaces(void **state)
{
	static const struct {
		const char *name;
		bool offered, run;
	} rows[] = {
	    {"wasi:cli/run@0.2.0", true, true},
	    {"wasi:cli/run@0.2.12", true, true},
	    {"wasi:io/streams@0.2.3", true, false},
	    {"wasi:filesystem/types@0.2.0", true, false},
	    {"wasi:cli/runner@0.2.0", true, false},
	    {"wasi:cli/run@0.2.", false, false},
	    {"wasi:cli/run@0.2.x", false, false},
	    {"wasi:cli/run@0.3.0", false, false},
	    {"wasi:cli/run@0.20.0", false, false},
	    {"wasi:cli/run", false, false}, {"", false, false},
	    {"wasi:http/types@0.2.0", false, false},
	    {"wasi:keyvalue/store@0.2.0-draft", false, false},
	    {"wasi:clix/run@0.2.0", false, false},
	    {"xwasi:cli/run@0.2.0", false, false}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t n = strlen(rows[i].name);

		if (wasm_interface_offered(rows[i].name, n) !=
		    rows[i].offered ||
		    wasm_interface_run(rows[i].name, n) != rows[i].run)
			fail_msg("%s", rows[i].name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_counted, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_list, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_archive, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
	    cmocka_unit_test(test_interfaces)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
