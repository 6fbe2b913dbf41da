/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/base/tar.h"
#include "sandbox/wasm/memfs.h"
#include "sandbox/wasm/memfs_impl.h"

/* A volume from its archive, and to it. */

struct memfs_fill {
	struct memfs *fs;
	struct tar_reader *r;
	struct mnode *file; /* whose content comes */
	bool writable;	    /* ... afterwards */
	const char *bad;
};

struct memfs_fill *
memfs_fill_begin(struct memfs *fs)
{
	struct memfs_fill *f = calloc(1, sizeof(*f));

	if (f == NULL || (f->r = tar_reader_new()) == NULL) {
		free(f);
		return NULL;
	}
	f->fs = fs;
	f->writable = fs->writable;
	fs->writable = true;
	return f;
}

static const char *
member(struct memfs_fill *f, const struct tar_member *m)
{
	static struct memfs_at at;
	struct mnode *n = NULL;
	enum wasi_errno e;

	f->file = NULL;
	if (memfs_find(f->fs->root, m->path, strlen(m->path), false, &at) !=
	    WASI_OK || at.node != NULL)
		return "a member that cannot be made";
	if (m->type == TAR_LINK) {
		e = memfs_symlink(f->fs, &at, m->link, strlen(m->link), 0);
	} else {
		e = memfs_make(f->fs, &at, m->type == TAR_DIR ? MEMFS_DIR :
		    MEMFS_FILE, 0, &n);
		if (e == WASI_OK) {
			n->mode = m->mode;
			f->file = n;
		}
	}
	return e == WASI_OK ? NULL : "more than its memory holds";
}

const char *
memfs_fill(struct memfs_fill *f, const void *bytes, size_t len)
{
	const uint8_t *in = bytes, *data;
	const struct tar_member *m;
	size_t n;

	while (f->bad == NULL) {
		switch (tar_read(f->r, &m, &data, &n, &in, &len)) {
		case TAR_MORE:
			return NULL;
		case TAR_MEMBER:
			f->bad = member(f, m);
			break;
		case TAR_DATA:
			if (f->file == NULL || memfs_write(f->fs, f->file,
			    f->file->size, data, n, 0) != WASI_OK)
				f->bad = "more than its memory holds";
			break;
		case TAR_BAD:
			f->bad = tar_strerror(tar_reader_error(f->r));
			break;
		}
	}
	return f->bad;
}

const char *
memfs_fill_end(struct memfs_fill *f)
{
	const char *bad = f->bad;

	if (bad == NULL && tar_reader_end(f->r) != TAR_OK)
		bad = tar_strerror(tar_reader_error(f->r));
	f->fs->writable = f->writable;
	f->fs->filled = true;
	tar_reader_free(f->r);
	free(f);
	return bad;
}

/* ---- packing ---- */

struct one {
	char *path;
	const struct mnode *node;
};
struct all {
	struct one *v;
	size_t n, cap;
};

static bool
add(struct all *a, const char *path, const struct mnode *n)
{
	struct one *v;

	if (a->n == a->cap) {
		a->cap = a->cap == 0 ? 64 : a->cap * 2;
		if ((v = reallocarray(a->v, a->cap, sizeof(*v))) == NULL)
			return false;
		a->v = v;
	}
	if ((a->v[a->n].path = strdup(path)) == NULL)
		return false;
	a->v[a->n++].node = n;
	return true;
}

/* Its header; false: an archive has no form for it. */
static bool
header(uint8_t out[TAR_BLOCK], const char *path, const struct mnode *n)
{
	struct tar_member m = {.type = n->kind == MEMFS_DIR ? TAR_DIR :
	    n->kind == MEMFS_LINK ? TAR_LINK : TAR_FILE,
	    .mode = n->mode != 0 ? n->mode : n->kind == MEMFS_DIR ? 0755 :
		0644};

	if (strlen(path) >= sizeof(m.path) || (n->kind == MEMFS_LINK &&
	    n->size > TAR_LINK_MAX))
		return false;
	(void)snprintf(m.path, sizeof(m.path), "%s", path);
	if (n->kind == MEMFS_LINK)
		memcpy(m.link, n->data, (size_t)n->size);
	if (n->kind == MEMFS_FILE)
		m.size = n->size;
	return tar_header(out, &m) == TAR_OK;
}

/* All paths that an archive can have; a folder's before what is in it. */
static bool
collect(struct all *a, const struct memfs *fs, uint32_t *left)
{
	char path[TAR_PATH_MAX + 1 + MEMFS_NAME + 2];

	for (size_t i = 0; i <= a->n; i++) {
		const struct mnode *dir = i == 0 ? fs->root : a->v[i - 1].node;
		const struct mentry *e;

		if (dir->kind != MEMFS_DIR)
			continue;
		TAILQ_FOREACH(e, &dir->order, in_order) {
			uint8_t head[TAR_BLOCK];

			(void)snprintf(path, sizeof(path), "%s%s%s", i == 0 ?
			    "" : a->v[i - 1].path, i == 0 ? "" : "/", e->name);
			if (a->n == TAR_MEMBERS_MAX ||
			    !header(head, path, e->node)) {
				++*left;
				continue;
			}
			if (!add(a, path, e->node))
				return false;
		}
	}
	return true;
}

static int
by_path(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
put(const struct one *o, int (*sink)(void *, const void *, size_t), void *arg)
{
	static const uint8_t noughts[TAR_BLOCK];
	const struct mnode *n = o->node;
	uint8_t head[TAR_BLOCK];

	if (!header(head, o->path, n) || sink(arg, head, sizeof(head)) < 0)
		return -1;
	if (n->kind != MEMFS_FILE || n->size == 0)
		return 0;
	return sink(arg, n->data, (size_t)n->size) < 0 || sink(arg, noughts,
	    tar_padding(n->size)) < 0 ? -1 : 0;
}

int
memfs_pack(struct memfs *fs, int (*sink)(void *, const void *, size_t),
    void *arg, uint32_t *left)
{
	static const uint8_t end[2 * TAR_BLOCK];
	struct all a = {NULL, 0, 0};
	int rv = -1;

	*left = 0;
	if (collect(&a, fs, left)) {
		if (a.n > 0)
			qsort(a.v, a.n, sizeof(*a.v), by_path);
		rv = 0;
		for (size_t i = 0; i < a.n && rv == 0; i++)
			rv = put(&a.v[i], sink, arg);
		if (rv == 0)
			rv = sink(arg, end, sizeof(end));
	}
	for (size_t i = 0; i < a.n; i++)
		free(a.v[i].path);
	free(a.v);
	return rv;
}
