/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/memfs.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/wasm/memfs_impl.h"

static int
entry_compare(const struct mentry *a, const struct mentry *b)
{
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(mentries, mentry, by_name, entry_compare,
    __attribute__((__unused__)) static)

/* ---- what it takes ---- */

static uint64_t
units(const struct memfs *fs, enum memfs_kind kind, uint64_t size)
{
	if (kind == MEMFS_LINK && size <= MEMFS_LINK_INNER)
		return 0;
	return size / fs->unit + (size % fs->unit != 0);
}

/* How often it is counted: an open one without a name still is. */
static uint64_t
times(const struct mnode *n)
{
	return MAX_OF(n->links, (uint64_t)1);
}

static bool
fits(const struct memfs *fs, uint64_t more, uint64_t often)
{
	return more <= (fs->most - fs->used) / often;
}

/* ---- nodes ---- */

static struct mnode *
node_new(struct memfs *fs, enum memfs_kind kind, uint64_t now)
{
	struct mnode *n;

	if (fs->nodes >= fs->most_nodes || (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->kind = kind;
	n->ino = ++fs->last_ino;
	n->accessed = n->modified = n->changed = now;
	RB_INIT(&n->entries);
	TAILQ_INIT(&n->order);
	n->last_cookie = MEMFS_COOKIE_FIRST;
	fs->nodes++;
	return n;
}

static void
node_drop(struct memfs *fs, struct mnode *n)
{
	if (n->links > 0 || n->opens > 0)
		return;
	fs->used -= units(fs, n->kind, n->size);
	fs->nodes--;
	free(n->data);
	free(n);
}

static struct mentry *
entry_find(const struct mnode *dir, const char *name)
{
	struct mentry key = {.name = (char *)(uintptr_t)name};

	return RB_FIND(mentries, (struct mentries *)(uintptr_t)&dir->entries,
	    &key);
}

static enum wasi_errno
entry_add(struct memfs *fs, struct mnode *dir, const char *name,
    struct mnode *n, uint64_t now)
{
	uint64_t again = n->links > 0 ? units(fs, n->kind, n->size) : 0;
	struct mentry *e;

	if (n->links > 0 && (fs->nodes >= fs->most_nodes ||
	    !fits(fs, again, 1)))
		return WASI_NOSPC;
	e = calloc(1, sizeof(*e));
	if (e == NULL || (e->name = strdup(name)) == NULL) {
		free(e);
		return WASI_NOMEM;
	}
	fs->used += again;
	fs->nodes += n->links > 0;
	e->node = n;
	e->cookie = ++dir->last_cookie;
	(void)RB_INSERT(mentries, &dir->entries, e);
	TAILQ_INSERT_TAIL(&dir->order, e, in_order);
	n->links++;
	if (n->kind == MEMFS_DIR)
		n->parent = dir;
	dir->modified = dir->changed = now;
	return WASI_OK;
}

static void
entry_remove(struct memfs *fs, struct mnode *dir, struct mentry *e,
    uint64_t now)
{
	struct mnode *n = e->node;

	(void)RB_REMOVE(mentries, &dir->entries, e);
	if (dir->listed == e)
		dir->listed = TAILQ_PREV(e, mentry_order, in_order);
	TAILQ_REMOVE(&dir->order, e, in_order);
	free(e->name);
	free(e);
	if (n->links > 1) {
		fs->used -= units(fs, n->kind, n->size);
		fs->nodes--;
	}
	n->links--;
	if (n->kind == MEMFS_DIR)
		n->parent = NULL;
	n->changed = dir->modified = dir->changed = now;
	node_drop(fs, n);
}

struct memfs *
memfs_new(uint64_t bytes, uint32_t nodes, bool writable)
{
	struct memfs *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return NULL;
	fs->unit = writable ? MEMFS_PAGE : 1;
	fs->most = bytes / fs->unit + (bytes % fs->unit != 0);
	fs->most_nodes = MIN_OF(nodes, (uint32_t)MEMFS_NODES);
	fs->writable = writable;
	if ((fs->root = node_new(fs, MEMFS_DIR, 0)) == NULL) {
		free(fs);
		return NULL;
	}
	fs->root->links = 1;
	return fs;
}

void
memfs_free(struct memfs *fs)
{
	struct mnode *n;
	struct mentry *e;

	if (fs == NULL)
		return;
	/* the deepest first, without recursion */
	for (n = fs->root; n != NULL;) {
		struct mnode *up = n->parent;

		if ((e = TAILQ_FIRST(&n->order)) == NULL) {
			if (n == fs->root)
				break;
			n = up;
			entry_remove(fs, n, TAILQ_FIRST(&n->order), 0);
		} else if (e->node->kind == MEMFS_DIR &&
		    !TAILQ_EMPTY(&e->node->order)) {
			n = e->node;
		} else {
			entry_remove(fs, n, e, 0);
		}
	}
	fs->root->links = 0;
	node_drop(fs, fs->root);
	free(fs);
}

struct mnode *
memfs_root(struct memfs *fs)
{
	return fs->root;
}

bool
memfs_writable(const struct memfs *fs)
{
	return fs->writable;
}

enum memfs_kind
memfs_kind(const struct mnode *n)
{
	return n->kind;
}

void
memfs_stat(const struct mnode *n, struct memfs_stat *s)
{
	*s = (struct memfs_stat){n->kind, n->ino, n->size, n->links,
	    n->accessed, n->modified, n->changed};
}

void
memfs_open(struct mnode *n)
{
	n->opens++;
}

void
memfs_close(struct memfs *fs, struct mnode *n)
{
	n->opens--;
	node_drop(fs, n);
}

/* ---- paths ---- */

struct walk {
	struct mnode *base, *at;
	char rest[MEMFS_PATH + 1]; /* what is not walked yet */
	unsigned links;
};

/* The link's target before the rest. */
static enum wasi_errno
expand(struct walk *w, const struct mnode *link)
{
	size_t n = link->size, rest = strlen(w->rest);

	if (++w->links > MEMFS_LINKS)
		return WASI_LOOP;
	if (n > 0 && link->data[0] == '/')
		return WASI_NOTCAPABLE;
	if (n + 1 + rest > MEMFS_PATH)
		return WASI_NAMETOOLONG;
	memmove(w->rest + n + (rest > 0), w->rest, rest + 1);
	memcpy(w->rest, link->data, n);
	if (rest > 0)
		w->rest[n] = '/';
	else
		w->rest[n] = '\0';
	return WASI_OK;
}

/* "..": never above where it began. */
static enum wasi_errno
up(struct walk *w)
{
	if (w->at == w->base)
		return WASI_NOTCAPABLE;
	/* a folder that was removed while it is open has none */
	if (w->at->parent == NULL)
		return WASI_NOENT;
	w->at = w->at->parent;
	return WASI_OK;
}

enum wasi_errno
memfs_find(struct mnode *from, const char *path, size_t len, bool follow,
    struct memfs_at *out)
{
	static struct walk w;
	enum wasi_errno e;

	memset(out, 0, sizeof(*out));
	if (len == 0)
		return WASI_NOENT;
	if (len > MEMFS_PATH)
		return WASI_NAMETOOLONG;
	if (memchr(path, 0, len) != NULL)
		return WASI_INVAL;
	if (path[0] == '/')
		return WASI_NOTCAPABLE;
	if (from->kind != MEMFS_DIR)
		return WASI_NOTDIR;
	w.base = w.at = from;
	w.links = 0;
	memcpy(w.rest, path, len);
	w.rest[len] = '\0';
	out->node = from;
	while (w.rest[0] != '\0') {
		size_t n = strcspn(w.rest, "/"), skip = n;
		char name[MEMFS_NAME + 1];
		struct mentry *found;
		bool last;

		if (n > MEMFS_NAME)
			return WASI_NAMETOOLONG;
		while (w.rest[skip] == '/')
			skip++;
		last = w.rest[skip] == '\0';
		memcpy(name, w.rest, n);
		name[n] = '\0';
		out->must_dir = last && skip > n;
		memmove(w.rest, w.rest + skip, strlen(w.rest + skip) + 1);
		if (n == 0)
			return WASI_NOTCAPABLE; /* an absolute one in a link */
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			if (n == 2 && (e = up(&w)) != WASI_OK)
				return e;
			out->dir = NULL;
			out->node = w.at;
			out->must_dir = true;
			continue;
		}
		found = entry_find(w.at, name);
		if (found == NULL && !last)
			return WASI_NOENT;
		if (found != NULL && found->node->kind == MEMFS_LINK &&
		    (!last || follow || out->must_dir)) {
			if (out->must_dir)
				memcpy(w.rest, "/", 2);
			if ((e = expand(&w, found->node)) != WASI_OK)
				return e;
			continue;
		}
		out->dir = w.at;
		out->node = found == NULL ? NULL : found->node;
		memcpy(out->name, name, n + 1);
		if (last)
			break;
		if (found->node->kind != MEMFS_DIR)
			return WASI_NOTDIR;
		w.at = found->node;
	}
	if (out->must_dir && out->node != NULL && out->node->kind != MEMFS_DIR)
		return WASI_NOTDIR;
	return WASI_OK;
}

/* ---- names ---- */

enum wasi_errno
memfs_make(struct memfs *fs, const struct memfs_at *at, enum memfs_kind kind,
    uint64_t now, struct mnode **out)
{
	enum wasi_errno e;
	struct mnode *n;

	if (at->node != NULL)
		return WASI_EXIST;
	if (!fs->writable)
		return WASI_ROFS;
	if (at->must_dir && kind != MEMFS_DIR)
		return WASI_NOENT;
	/* a folder that was removed while it is open takes no names */
	if (at->dir->links == 0)
		return WASI_NOENT;
	if (!utf8_valid(at->name, strlen(at->name)))
		return WASI_ILSEQ;
	if ((n = node_new(fs, kind, now)) == NULL)
		return WASI_NOSPC;
	if ((e = entry_add(fs, at->dir, at->name, n, now)) != WASI_OK) {
		node_drop(fs, n);
		return e;
	}
	if (out != NULL)
		*out = n;
	return WASI_OK;
}

enum wasi_errno
memfs_symlink(struct memfs *fs, const struct memfs_at *at, const char *target,
    size_t len, uint64_t now)
{
	struct mnode *n;
	enum wasi_errno e;

	if (len == 0 || memchr(target, 0, len) != NULL)
		return len == 0 ? WASI_NOENT : WASI_INVAL;
	if (target[0] == '/')
		return WASI_NOTCAPABLE;
	if (len > MEMFS_PATH)
		return WASI_NAMETOOLONG;
	if ((e = memfs_make(fs, at, MEMFS_LINK, now, &n)) != WASI_OK)
		return e;
	e = memfs_write(fs, n, 0, target, len, now);
	if (e != WASI_OK)
		entry_remove(fs, at->dir, entry_find(at->dir, at->name), now);
	return e;
}

enum wasi_errno
memfs_hardlink(struct memfs *fs, struct mnode *n, const struct memfs_at *to,
    uint64_t now)
{
	if (n->kind == MEMFS_DIR)
		return WASI_PERM;
	if (!fs->writable)
		return WASI_ROFS;
	if (to->node != NULL)
		return WASI_EXIST;
	if (to->must_dir || to->dir->links == 0)
		return WASI_NOENT;
	n->changed = now;
	return entry_add(fs, to->dir, to->name, n, now);
}

enum wasi_errno
memfs_remove(struct memfs *fs, const struct memfs_at *at, bool dir,
    uint64_t now)
{
	if (at->node == NULL)
		return WASI_NOENT;
	if (!fs->writable)
		return WASI_ROFS;
	if (at->dir == NULL) /* ".", or where the path began */
		return WASI_INVAL;
	if (dir && at->node->kind != MEMFS_DIR)
		return WASI_NOTDIR;
	if (!dir && at->node->kind == MEMFS_DIR)
		return WASI_ISDIR;
	if (dir && !TAILQ_EMPTY(&at->node->order))
		return WASI_NOTEMPTY;
	entry_remove(fs, at->dir, entry_find(at->dir, at->name), now);
	return WASI_OK;
}

/* Is it, or does it lie in, that folder? */
static bool
within(const struct mnode *n, const struct mnode *folder)
{
	for (; n != NULL; n = n->parent)
		if (n == folder)
			return true;
	return false;
}

enum wasi_errno
memfs_rename(struct memfs *fs, const struct memfs_at *from,
    const struct memfs_at *to, uint64_t now)
{
	struct mnode *n = from->node, *old = to->node;
	enum wasi_errno e;

	if (n == NULL)
		return WASI_NOENT;
	if (!fs->writable)
		return WASI_ROFS;
	if (from->dir == NULL || to->dir == NULL || to->dir->links == 0)
		return WASI_INVAL;
	if (n->kind != MEMFS_DIR && to->must_dir)
		return WASI_NOTDIR;
	if (n->kind == MEMFS_DIR && within(to->dir, n))
		return WASI_INVAL;
	if (old == n)
		return WASI_OK;
	if (old != NULL) {
		if (n->kind == MEMFS_DIR && old->kind != MEMFS_DIR)
			return WASI_NOTDIR;
		if (n->kind != MEMFS_DIR && old->kind == MEMFS_DIR)
			return WASI_ISDIR;
		if (!TAILQ_EMPTY(&old->order))
			return WASI_NOTEMPTY;
		entry_remove(fs, to->dir, entry_find(to->dir, to->name), now);
	}
	n->opens++;
	entry_remove(fs, from->dir, entry_find(from->dir, from->name), now);
	e = entry_add(fs, to->dir, to->name, n, now);
	memfs_close(fs, n);
	return e;
}

/* ---- content ---- */

const char *
memfs_target(const struct mnode *n, size_t *len)
{
	*len = (size_t)n->size;
	return (const char *)n->data;
}

size_t
memfs_read(const struct mnode *n, uint64_t off, void *out, size_t len)
{
	if (off >= n->size)
		return 0;
	len = (size_t)MIN_OF((uint64_t)len, n->size - off);
	memcpy(out, n->data + off, len);
	return len;
}

/* Room for so many bytes, and for not many more. */
static bool
reserve(struct mnode *n, uint64_t size)
{
	uint64_t cap = n->cap;
	uint8_t *data;

	if (size > cap)
		cap = MAX_OF(size, cap + cap / 4);
	else if (size < cap / 2)
		cap = size;
	if (cap == n->cap)
		return true;
	if (cap == 0) {
		free(n->data);
		n->data = NULL;
	} else if ((data = realloc(n->data, (size_t)cap)) != NULL) {
		n->data = data;
	} else {
		return size <= n->cap;
	}
	n->cap = cap;
	return true;
}

enum wasi_errno
memfs_resize(struct memfs *fs, struct mnode *n, uint64_t size, uint64_t now)
{
	uint64_t had = units(fs, n->kind, n->size),
	    has = units(fs, n->kind, size);

	if (!fs->writable && fs->filled)
		return WASI_ROFS;
	if (has > had && !fits(fs, has - had, times(n)))
		return WASI_NOSPC;
	if (!reserve(n, size))
		return WASI_NOSPC;
	if (size > n->size)
		memset(n->data + n->size, 0, (size_t)(size - n->size));
	fs->used += (has - had) * times(n);
	n->size = size;
	n->modified = n->changed = now;
	return WASI_OK;
}

enum wasi_errno
memfs_write(struct memfs *fs, struct mnode *n, uint64_t off, const void *p,
    size_t len, uint64_t now)
{
	enum wasi_errno e;

	if (!fs->writable && fs->filled)
		return WASI_ROFS;
	if (len == 0)
		return WASI_OK;
	if (off > UINT64_MAX - len)
		return WASI_FBIG;
	if (off + len > n->size &&
	    (e = memfs_resize(fs, n, off + len, now)) != WASI_OK)
		return e;
	memcpy(n->data + off, p, len);
	n->modified = n->changed = now;
	return WASI_OK;
}

void
memfs_times(struct mnode *n, uint64_t accessed, uint64_t modified)
{
	n->accessed = accessed;
	n->modified = modified;
}

bool
memfs_next(struct mnode *dir, uint64_t cookie, struct memfs_entry *out)
{
	struct mentry *e = TAILQ_FIRST(&dir->order), *before;

	/* from where it was last: a whole list takes one way through it */
	if (e != NULL && e->cookie <= cookie && dir->listed != NULL)
		e = dir->listed;
	while (e != NULL && e->cookie > cookie && (before = TAILQ_PREV(e,
	    mentry_order, in_order)) != NULL && before->cookie > cookie)
		e = before;
	while (e != NULL && e->cookie <= cookie)
		e = TAILQ_NEXT(e, in_order);
	if (e == NULL)
		return false;
	dir->listed = e;
	*out = (struct memfs_entry){e->name, e->node, e->cookie};
	return true;
}
