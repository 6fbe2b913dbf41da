/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in memory, as a module's calls treat them: an archive, or a script of
 * acts on two paths each; what is left packs and fills again.
 */
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/wasm/memfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define ROOM 65536
#define NODES 24
#define OPEN 4

static struct memfs *fs;
static struct mnode *held[OPEN];

struct bytes {
	uint8_t *p;
	size_t n;
};

static int
sink(void *arg, const void *p, size_t n)
{
	struct bytes *b = arg;

	b->p = realloc(b->p, b->n + n + 1);
	if (b->p == NULL)
		abort();
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

static const char *
fill(struct memfs *to, const uint8_t *p, size_t n)
{
	struct memfs_fill *f = memfs_fill_begin(to);

	if (f == NULL)
		abort();
	(void)memfs_fill(f, p, n);
	return memfs_fill_end(f);
}

static void
act(uint8_t what, const char *a, size_t an, const char *b, size_t bn)
{
	static struct memfs_at x, y;
	struct mnode *base = held[what >> 6] != NULL ? held[what >> 6] :
	    memfs_root(fs);
	bool ok = memfs_find(base, a, an, (what & 32) != 0, &x) == WASI_OK;
	bool both = ok && memfs_find(memfs_root(fs), b, bn, false, &y) ==
	    WASI_OK;
	struct memfs_entry e;

	switch (what & 15) {
	case 0:
	case 1:
		if (ok)
			(void)memfs_make(fs, &x, (what & 1) != 0 ? MEMFS_DIR :
			    MEMFS_FILE, 1, NULL);
		break;
	case 2:
		if (ok && x.node == NULL)
			(void)memfs_symlink(fs, &x, b, bn, 1);
		break;
	case 3:
		if (both && x.node != NULL)
			(void)memfs_hardlink(fs, x.node, &y, 1);
		break;
	case 4:
	case 5:
		if (ok)
			(void)memfs_remove(fs, &x, (what & 1) != 0, 1);
		break;
	case 6:
		if (both)
			(void)memfs_rename(fs, &x, &y, 1);
		break;
	case 7:
		if (ok && x.node != NULL && memfs_kind(x.node) == MEMFS_FILE)
			(void)memfs_write(fs, x.node, bn * 997, b, bn, 1);
		break;
	case 8:
		if (ok && x.node != NULL && memfs_kind(x.node) == MEMFS_FILE)
			(void)memfs_resize(fs, x.node, bn * 4099, 1);
		break;
	case 9:
		if (ok && x.node != NULL) {
			struct mnode **h = &held[an % OPEN];

			memfs_open(x.node);
			if (*h != NULL)
				memfs_close(fs, *h);
			*h = x.node;
		}
		break;
	default:
		if (ok && x.node != NULL && memfs_kind(x.node) == MEMFS_DIR)
			for (uint64_t c = 0; memfs_next(x.node, c, &e);)
				c = e.cookie;
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytes one = {NULL, 0}, two = {NULL, 0};
	struct memfs *other;
	uint32_t left;

	if (n == 0 || (fs = memfs_new(ROOM, NODES, true)) == NULL)
		return 0;
	if (p[0] == 0) {
		(void)fill(fs, p + 1, n - 1);
	} else {
		for (size_t i = 0; i + 3 <= n;) {
			size_t a = p[i + 1] & 31, b = p[i + 2] & 31;

			if (i + 3 + a + b > n)
				break;
			act(p[i], (const char *)p + i + 3, a,
			    (const char *)p + i + 3 + a, b);
			i += 3 + a + b;
		}
	}
	if (memfs_pack(fs, sink, &one, &left) != 0)
		abort();
	other = memfs_new(ROOM, NODES, true);
	/* hard links are as many files in an archive, and counted so */
	if (other != NULL && (fill(other, one.p, one.n) != NULL ||
	    memfs_pack(other, sink, &two, &left) != 0 || left != 0 ||
	    two.n != one.n || memcmp(one.p, two.p, one.n) != 0))
		abort();
	memfs_free(other);
	for (unsigned i = 0; i < OPEN; i++)
		if (held[i] != NULL) {
			memfs_close(fs, held[i]);
			held[i] = NULL;
		}
	memfs_free(fs);
	free(one.p);
	free(two.p);
	return 0;
}
