/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/util.h"
#include "sandbox/wasm/memwasi.h"

/* path_*: what is done by a name beneath an open folder. */

#define FOLLOW 1 /* lookupflags */
#define O_CREATE 1
#define O_FOLDER 2
#define O_EXCLUSIVE 4
#define O_CUT 8
#define FLAGS_ALL 31
#define RIGHT_READ (UINT64_C(1) << 1)
#define RIGHT_WRITE (UINT64_C(1) << 6)
#define RIGHT_PATH_SIZE (UINT64_C(1) << 19)

struct place {
	struct memwasi_fd *f;
	struct memfs_at at;
};

static enum wasi_errno
place_of(struct guest *g, struct place *p, const wasmtime_val_t *fd,
    const wasmtime_val_t *path, bool follow)
{
	size_t n = guest_u32(path + 1);
	const uint8_t *text = guest_at(g, guest_u32(path), n);

	p->f = memwasi_fd(g, guest_u32(fd));
	if (p->f == NULL)
		return WASI_BADF;
	if (p->f->kind == MEMWASI_STREAM)
		return WASI_NOTDIR;
	if (text == NULL)
		return WASI_FAULT;
	if (!utf8_valid(text, n))
		return WASI_ILSEQ;
	return memfs_find(p->f->node, (const char *)text, n, follow, &p->at);
}

static uint32_t
path_create_directory(struct guest *g, const wasmtime_val_t *a)
{
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[1], false);

	return e != WASI_OK ? e : memfs_make(p.f->fs, &p.at, MEMFS_DIR,
	    memwasi_now(g->ctx), NULL);
}

static uint32_t
path_filestat_get(struct guest *g, const wasmtime_val_t *a)
{
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[2],
	    (guest_u32(&a[1]) & FOLLOW) != 0);

	if (e != WASI_OK)
		return e;
	return p.at.node == NULL ? WASI_NOENT : memwasi_stat(g,
	    guest_u32(&a[4]), p.f, p.at.node);
}

static uint32_t
path_filestat_set_times(struct guest *g, const wasmtime_val_t *a)
{
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[2],
	    (guest_u32(&a[1]) & FOLLOW) != 0);

	if (e != WASI_OK)
		return e;
	if (p.at.node == NULL)
		return WASI_NOENT;
	if (!memfs_writable(p.f->fs))
		return WASI_ROFS;
	return memwasi_times(g->ctx, p.at.node, guest_u64(&a[4]),
	    guest_u64(&a[5]), guest_u32(&a[6]));
}

static uint32_t
path_link(struct guest *g, const wasmtime_val_t *a)
{
	struct place from, to;
	enum wasi_errno e = place_of(g, &from, &a[0], &a[2], false);

	if (e != WASI_OK)
		return e;
	/* links that are followed have another name than they say */
	if ((guest_u32(&a[1]) & FOLLOW) != 0)
		return WASI_INVAL;
	if (from.at.node == NULL)
		return WASI_NOENT;
	if ((e = place_of(g, &to, &a[4], &a[5], false)) != WASI_OK)
		return e;
	return from.f->fs != to.f->fs ? WASI_XDEV : memfs_hardlink(to.f->fs,
	    from.at.node, &to.at, memwasi_now(g->ctx));
}

enum wasi_errno
memwasi_make(const struct memwasi *w, struct memfs *fs, struct memfs_at *at,
    uint32_t oflags, bool write)
{
	struct mnode *made = NULL;
	enum wasi_errno e;

	if (at->node == NULL) {
		if ((oflags & O_CREATE) == 0)
			return WASI_NOENT;
		if ((oflags & O_FOLDER) != 0)
			return WASI_INVAL;
		e = memfs_make(fs, at, MEMFS_FILE, memwasi_now(w), &made);
		at->node = made;
		return e;
	}
	if ((oflags & (O_CREATE | O_EXCLUSIVE)) == (O_CREATE | O_EXCLUSIVE))
		return WASI_EXIST;
	switch (memfs_kind(at->node)) {
	case MEMFS_LINK:
		return WASI_LOOP;
	case MEMFS_DIR:
		return write || (oflags & O_CUT) != 0 ? WASI_ISDIR : WASI_OK;
	case MEMFS_FILE:
		break;
	}
	if ((oflags & O_FOLDER) != 0)
		return WASI_NOTDIR;
	if ((write || (oflags & O_CUT) != 0) && !memfs_writable(fs))
		return WASI_ROFS;
	return (oflags & O_CUT) == 0 ? WASI_OK : memfs_resize(fs, at->node, 0,
	    memwasi_now(w));
}

static uint32_t
path_open(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi *w = g->ctx;
	uint32_t oflags = guest_u32(&a[4]), flags = guest_u32(&a[7]);
	uint64_t rights = guest_u64(&a[5]);
	bool write = (rights & RIGHT_WRITE) != 0;
	int fd = memwasi_free(w);
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[2],
	    (guest_u32(&a[1]) & FOLLOW) != 0);

	if (e != WASI_OK)
		return e;
	if (oflags > 15 || flags > FLAGS_ALL)
		return WASI_INVAL;
	if (fd < 0)
		return WASI_MFILE;
	if ((oflags & O_CUT) != 0 && (p.f->rights & RIGHT_PATH_SIZE) == 0)
		return WASI_NOTCAPABLE;
	if (guest_at(g, guest_u32(&a[8]), 4) == NULL)
		return WASI_FAULT;
	if ((e = memwasi_make(w, p.f->fs, &p.at, oflags, write)) != WASI_OK)
		return e;
	memfs_open(p.at.node);
	w->fd[fd] = (struct memwasi_fd){.kind = MEMWASI_NODE, .fs = p.f->fs,
	    .node = p.at.node, .read = (rights & RIGHT_READ) != 0,
	    .write = write, .flags = (uint16_t)flags};
	w->fd[fd].rights = memwasi_rights(&w->fd[fd]);
	return guest_put_u32(g, guest_u32(&a[8]), (uint32_t)fd) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
path_readlink(struct guest *g, const wasmtime_val_t *a)
{
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[1], false);
	size_t cap = guest_u32(&a[4]), n;
	uint8_t *buf = guest_at(g, guest_u32(&a[3]), cap);
	const char *target;

	if (e != WASI_OK)
		return e;
	if (p.at.node == NULL)
		return WASI_NOENT;
	if (memfs_kind(p.at.node) != MEMFS_LINK)
		return WASI_INVAL;
	if (buf == NULL)
		return WASI_FAULT;
	target = memfs_target(p.at.node, &n);
	n = MIN_OF(n, cap);
	memcpy(buf, target, n);
	return guest_put_u32(g, guest_u32(&a[5]), (uint32_t)n) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
removed(struct guest *g, const wasmtime_val_t *a, bool dir)
{
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[0], &a[1], false);

	return e != WASI_OK ? e : memfs_remove(p.f->fs, &p.at, dir,
	    memwasi_now(g->ctx));
}

static uint32_t
path_remove_directory(struct guest *g, const wasmtime_val_t *a)
{
	return removed(g, a, true);
}

static uint32_t
path_unlink_file(struct guest *g, const wasmtime_val_t *a)
{
	return removed(g, a, false);
}

static uint32_t
path_rename(struct guest *g, const wasmtime_val_t *a)
{
	struct place from, to;
	enum wasi_errno e = place_of(g, &from, &a[0], &a[1], false);

	if (e != WASI_OK)
		return e;
	if ((e = place_of(g, &to, &a[3], &a[4], false)) != WASI_OK)
		return e;
	return from.f->fs != to.f->fs ? WASI_XDEV : memfs_rename(to.f->fs,
	    &from.at, &to.at, memwasi_now(g->ctx));
}

static uint32_t
path_symlink(struct guest *g, const wasmtime_val_t *a)
{
	size_t n = guest_u32(&a[1]);
	const uint8_t *target = guest_at(g, guest_u32(&a[0]), n);
	struct place p;
	enum wasi_errno e = place_of(g, &p, &a[2], &a[3], false);

	if (e != WASI_OK)
		return e;
	if (target == NULL)
		return WASI_FAULT;
	return memfs_symlink(p.f->fs, &p.at, (const char *)target, n,
	    memwasi_now(g->ctx));
}

const struct guest_call memwasi_path_calls[] = {
    {"path_create_directory", "iii", path_create_directory},
    {"path_filestat_get", "iiiii", path_filestat_get},
    {"path_filestat_set_times", "iiiiIIi", path_filestat_set_times},
    {"path_link", "iiiiiii", path_link},
    {"path_open", "iiiiiIIii", path_open},
    {"path_readlink", "iiiiii", path_readlink},
    {"path_remove_directory", "iii", path_remove_directory},
    {"path_rename", "iiiiii", path_rename},
    {"path_symlink", "iiiii", path_symlink},
    {"path_unlink_file", "iii", path_unlink_file}};
const size_t memwasi_path_ncalls = NELEM(memwasi_path_calls);
