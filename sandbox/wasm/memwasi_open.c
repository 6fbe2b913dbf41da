/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "sandbox/wasm/fixed.h"
#include "sandbox/wasm/memwasi.h"

/* What is open, and what is said of it. */

#define FILESTAT 64
#define STREAM_KIND 2 /* a character device */
#define RIGHT(n) (UINT64_C(1) << (n))
#define RIGHTS_ALL UINT64_C(0x1fffffff)
/* read, seek, tell, write, advise, allocate, set size: of files alone */
#define RIGHTS_FILE (RIGHT(1) | RIGHT(2) | RIGHT(5) | RIGHT(6) | RIGHT(7) |    \
	RIGHT(8) | RIGHT(22))

uint64_t
memwasi_now(const struct memwasi *w)
{
	struct timespec t = {0, 0};

	if (w->fixed)
		return fixed_clock_ns();
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- descriptors ---- */

struct memwasi_fd *
memwasi_fd(struct guest *g, uint32_t fd)
{
	struct memwasi *w = g->ctx;

	return fd < MEMWASI_FDS && w->fd[fd].kind != MEMWASI_FREE ?
	    &w->fd[fd] : NULL;
}

int
memwasi_free(const struct memwasi *w)
{
	for (int i = 0; i < MEMWASI_FDS; i++)
		if (w->fd[i].kind == MEMWASI_FREE)
			return i;
	return -1;
}

void
memwasi_close(struct memwasi_fd *f)
{
	if (f->kind == MEMWASI_NODE)
		memfs_close(f->fs, f->node);
	memset(f, 0, sizeof(*f));
}

uint64_t
memwasi_rights(const struct memwasi_fd *f)
{
	uint64_t rights = RIGHTS_ALL;

	/* who asks whether this is a terminal looks at seek and tell */
	if (f->kind == MEMWASI_STREAM)
		return (f->read ? RIGHT(1) : 0) | (f->write ? RIGHT(6) : 0);
	if (memfs_kind(f->node) == MEMFS_DIR)
		return rights & ~RIGHTS_FILE;
	return rights & ~((f->read ? 0 : RIGHT(1)) | (f->write ? 0 :
	    RIGHT(6) | RIGHT(8) | RIGHT(22)));
}

void
memwasi_init(struct memwasi *w, const struct plan_args *args,
    struct memfs *const *volumes, bool fixed)
{
	memset(w, 0, sizeof(*w));
	w->args = args;
	w->volumes = volumes;
	w->fixed = fixed;
	for (int i = 0; i < 3; i++)
		w->fd[i] = (struct memwasi_fd){.kind = MEMWASI_STREAM,
		    .stream = i, .read = i == 0, .write = i != 0};
	for (uint32_t i = 0; i < args->ntargets; i++) {
		w->fd[3 + i] = (struct memwasi_fd){.kind = MEMWASI_NODE,
		    .fs = volumes[i], .node = memfs_root(volumes[i]),
		    .preopen = args->targets[i]};
		memfs_open(w->fd[3 + i].node);
	}
	for (uint32_t i = 0; i < 3 + args->ntargets; i++)
		w->fd[i].rights = memwasi_rights(&w->fd[i]);
}

void
memwasi_end(struct memwasi *w)
{
	for (int i = 0; i < MEMWASI_FDS; i++)
		memwasi_close(&w->fd[i]);
}

/* ---- what they are ---- */

enum wasi_errno
memwasi_stat(struct guest *g, uint32_t at, const struct memwasi_fd *f,
    const struct mnode *n)
{
	uint8_t *p = guest_at(g, at, FILESTAT);
	struct memfs_stat s = {.kind = MEMFS_FILE};

	if (p == NULL)
		return WASI_FAULT;
	memset(p, 0, FILESTAT);
	if (n == NULL) {
		p[16] = STREAM_KIND;
		return WASI_OK;
	}
	memfs_stat(n, &s);
	/* a device of its own for each volume */
	for (uint32_t i = 0; i < ((struct memwasi *)g->ctx)->args->ntargets;
	    i++)
		if (((struct memwasi *)g->ctx)->volumes[i] == f->fs)
			guest_set(p, i + 1, 8);
	guest_set(p + 8, s.ino, 8);
	p[16] = (uint8_t)s.kind;
	guest_set(p + 24, s.links, 8);
	guest_set(p + 32, s.size, 8);
	guest_set(p + 40, s.accessed, 8);
	guest_set(p + 48, s.modified, 8);
	guest_set(p + 56, s.changed, 8);
	return WASI_OK;
}

enum wasi_errno
memwasi_times(const struct memwasi *w, struct mnode *n, uint64_t accessed,
    uint64_t modified, uint32_t flags)
{
	uint64_t now = memwasi_now(w);
	struct memfs_stat s;

	/* both a time and now */
	if ((flags & 3) == 3 || (flags & 12) == 12 || flags > 15)
		return WASI_INVAL;
	memfs_stat(n, &s);
	memfs_times(n, (flags & 1) != 0 ? accessed : (flags & 2) != 0 ? now :
	    s.accessed, (flags & 4) != 0 ? modified : (flags & 8) != 0 ? now :
	    s.modified);
	return WASI_OK;
}
