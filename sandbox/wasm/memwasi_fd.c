/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/wasm/memwasi.h"

/* fd_*: what is done with an open descriptor. */

#define FDSTAT 24
#define DIRENT 24
#define IOVECS_MAX 1024 /* as POSIX has it */
#define FLAG_APPEND 1
#define FLAGS_ALL 31
#define STREAM_KIND 2 /* a character device */
#define RIGHTS_ALL UINT64_C(0x1fffffff)
#define RIGHT_READ (UINT64_C(1) << 1)
#define RIGHT_WRITE (UINT64_C(1) << 6)

static enum wasi_errno
of_errno(int e)
{
	switch (e) {
	case EPIPE:
		return WASI_PIPE;
	case ENOSPC:
		return WASI_NOSPC;
	case EFBIG:
		return WASI_FBIG;
	case EISDIR:
		return WASI_ISDIR;
	case EBADF:
		return WASI_BADF;
	default:
		return WASI_IO;
	}
}

/* A file that may be read, or written; else why not. */
static enum wasi_errno
file_of(struct guest *g, uint32_t fd, bool write, struct memwasi_fd **out)
{
	struct memwasi_fd *f = memwasi_fd(g, fd);

	if (f == NULL)
		return WASI_BADF;
	if (f->kind == MEMWASI_NODE && memfs_kind(f->node) == MEMFS_DIR)
		return write ? WASI_BADF : WASI_ISDIR;
	if (write ? !f->write : !f->read)
		return WASI_BADF;
	*out = f;
	return WASI_OK;
}

/* ---- reading and writing ---- */

struct transfer {
	struct memwasi_fd *f;
	uint64_t at;
	bool write;
	size_t done;
};

static enum wasi_errno
piece(struct guest *g, struct transfer *t, uint8_t *p, size_t n, bool *more)
{
	enum wasi_errno e;
	ssize_t k;

	if (t->f->kind == MEMWASI_STREAM) {
		do {
			k = t->write ? write(t->f->stream, p, n) :
			    read(t->f->stream, p, n);
		} while (k < 0 && errno == EINTR);
		if (k < 0)
			return of_errno(errno);
		*more = (size_t)k == n;
		t->done += (size_t)k;
		return WASI_OK;
	}
	if (t->write) {
		e = memfs_write(t->f->fs, t->f->node, t->at, p, n,
		    memwasi_now(g->ctx));
		if (e != WASI_OK)
			return e;
		k = (ssize_t)n;
	} else {
		k = (ssize_t)memfs_read(t->f->node, t->at, p, n);
	}
	t->at += (uint64_t)k;
	t->done += (size_t)k;
	*more = (size_t)k == n;
	return WASI_OK;
}

static enum wasi_errno
all_of(struct guest *g, struct transfer *t, uint32_t iovs, uint32_t n,
    uint32_t result)
{
	enum wasi_errno e = WASI_OK;
	bool more = true;

	if (n > IOVECS_MAX)
		return WASI_INVAL;
	for (uint32_t i = 0; i < n && more && e == WASI_OK; i++) {
		const uint8_t *v = guest_at(g, iovs, 8);
		uint8_t *p;
		size_t len;

		if (v == NULL || iovs > UINT32_MAX - 8)
			return WASI_FAULT;
		iovs += 8;
		len = (size_t)guest_get(v + 4, 4);
		if ((p = guest_at(g, (uint32_t)guest_get(v, 4), len)) == NULL)
			return WASI_FAULT;
		/* of what the result cannot say, no more is done */
		if (len > UINT32_MAX - t->done)
			break;
		if (len > 0)
			e = piece(g, t, p, len, &more);
	}
	/* what went before it counts */
	if (e != WASI_OK && t->done == 0)
		return e;
	return guest_put_u32(g, result, (uint32_t)t->done) ? WASI_OK :
	    WASI_FAULT;
}

static uint32_t
transfer(struct guest *g, const wasmtime_val_t *a, bool write)
{
	struct transfer t = {.write = write};
	struct memfs_stat s;
	enum wasi_errno e = file_of(g, guest_u32(&a[0]), write, &t.f);

	if (e != WASI_OK)
		return e;
	t.at = t.f->at;
	if (write && t.f->kind == MEMWASI_NODE &&
	    (t.f->flags & FLAG_APPEND) != 0) {
		memfs_stat(t.f->node, &s);
		t.at = s.size;
	}
	e = all_of(g, &t, guest_u32(&a[1]), guest_u32(&a[2]),
	    guest_u32(&a[3]));
	t.f->at = t.at;
	return e;
}

static uint32_t
transfer_at(struct guest *g, const wasmtime_val_t *a, bool write)
{
	struct transfer t = {.write = write, .at = guest_u64(&a[3])};
	enum wasi_errno e = file_of(g, guest_u32(&a[0]), write, &t.f);

	if (e != WASI_OK)
		return e;
	if (t.f->kind == MEMWASI_STREAM)
		return WASI_SPIPE;
	return all_of(g, &t, guest_u32(&a[1]), guest_u32(&a[2]),
	    guest_u32(&a[4]));
}

static uint32_t
fd_read(struct guest *g, const wasmtime_val_t *a)
{
	return transfer(g, a, false);
}

static uint32_t
fd_write(struct guest *g, const wasmtime_val_t *a)
{
	return transfer(g, a, true);
}

static uint32_t
fd_pread(struct guest *g, const wasmtime_val_t *a)
{
	return transfer_at(g, a, false);
}

static uint32_t
fd_pwrite(struct guest *g, const wasmtime_val_t *a)
{
	return transfer_at(g, a, true);
}

static uint32_t
fd_seek(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));
	int64_t off = (int64_t)guest_u64(&a[1]);
	struct memfs_stat s;
	uint64_t from;

	if (f == NULL)
		return WASI_BADF;
	if (f->kind == MEMWASI_STREAM)
		return WASI_SPIPE;
	if (memfs_kind(f->node) == MEMFS_DIR)
		return WASI_BADF;
	memfs_stat(f->node, &s);
	switch (guest_u32(&a[2])) {
	case 0:
		from = 0;
		break;
	case 1:
		from = f->at;
		break;
	case 2:
		from = s.size;
		break;
	default:
		return WASI_INVAL;
	}
	if (off < 0 ? (uint64_t)0 - (uint64_t)off > from :
	    (uint64_t)off > (uint64_t)INT64_MAX - from)
		return WASI_INVAL;
	from += (uint64_t)off;
	if (!guest_put_u64(g, guest_u32(&a[3]), from))
		return WASI_FAULT;
	f->at = from;
	return WASI_OK;
}

static uint32_t
fd_tell(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	if (f->kind == MEMWASI_STREAM)
		return WASI_SPIPE;
	if (memfs_kind(f->node) == MEMFS_DIR)
		return WASI_BADF;
	return guest_put_u64(g, guest_u32(&a[1]), f->at) ? WASI_OK :
	    WASI_FAULT;
}

/* ---- what it is ---- */

static uint32_t
fd_fdstat_get(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));
	uint8_t *p = guest_at(g, guest_u32(&a[1]), FDSTAT);

	if (f == NULL)
		return WASI_BADF;
	if (p == NULL)
		return WASI_FAULT;
	memset(p, 0, FDSTAT);
	p[0] = f->kind == MEMWASI_STREAM ? STREAM_KIND :
	    (uint8_t)memfs_kind(f->node);
	guest_set(p + 2, f->flags, 2);
	guest_set(p + 8, f->rights, 8);
	guest_set(p + 16, f->kind == MEMWASI_NODE && p[0] == MEMFS_DIR ?
	    RIGHTS_ALL : f->rights, 8);
	return WASI_OK;
}

static uint32_t
fd_fdstat_set_flags(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	if (guest_u32(&a[1]) > FLAGS_ALL)
		return WASI_INVAL;
	f->flags = (uint16_t)guest_u32(&a[1]);
	return WASI_OK;
}

static uint32_t
fd_fdstat_set_rights(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	if ((guest_u64(&a[1]) & ~f->rights) != 0)
		return WASI_NOTCAPABLE;
	f->rights = guest_u64(&a[1]);
	f->read = f->read && (f->rights & RIGHT_READ) != 0;
	f->write = f->write && (f->rights & RIGHT_WRITE) != 0;
	return WASI_OK;
}

static uint32_t
fd_filestat_get(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	return f == NULL ? WASI_BADF : memwasi_stat(g, guest_u32(&a[1]), f,
	    f->kind == MEMWASI_STREAM ? NULL : f->node);
}

static uint32_t
fd_filestat_set_size(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f;
	enum wasi_errno e = file_of(g, guest_u32(&a[0]), true, &f);

	if (e != WASI_OK)
		return e;
	return f->kind == MEMWASI_STREAM ? WASI_INVAL : memfs_resize(f->fs,
	    f->node, guest_u64(&a[1]), memwasi_now(g->ctx));
}

static uint32_t
fd_filestat_set_times(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	if (f->kind == MEMWASI_STREAM)
		return WASI_INVAL;
	if (!memfs_writable(f->fs))
		return WASI_ROFS;
	return memwasi_times(g->ctx, f->node, guest_u64(&a[1]),
	    guest_u64(&a[2]), guest_u32(&a[3]));
}

static uint32_t
fd_allocate(struct guest *g, const wasmtime_val_t *a)
{
	uint64_t off = guest_u64(&a[1]), len = guest_u64(&a[2]);
	struct memwasi_fd *f;
	struct memfs_stat s;
	enum wasi_errno e = file_of(g, guest_u32(&a[0]), true, &f);

	if (e != WASI_OK)
		return e;
	if (f->kind == MEMWASI_STREAM)
		return WASI_SPIPE;
	if (len == 0 || off > UINT64_MAX - len)
		return WASI_INVAL;
	memfs_stat(f->node, &s);
	return off + len <= s.size ? WASI_OK : memfs_resize(f->fs, f->node,
	    off + len, memwasi_now(g->ctx));
}

static uint32_t
fd_advise(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	if (guest_u32(&a[3]) > 5)
		return WASI_INVAL;
	return f->kind == MEMWASI_STREAM ? WASI_SPIPE :
	    memfs_kind(f->node) == MEMFS_DIR ? WASI_BADF : WASI_OK;
}

static uint32_t
fd_sync(struct guest *g, const wasmtime_val_t *a)
{
	return memwasi_fd(g, guest_u32(&a[0])) == NULL ? WASI_BADF : WASI_OK;
}

/* ---- descriptors themselves ---- */

static uint32_t
fd_close(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));

	if (f == NULL)
		return WASI_BADF;
	memwasi_close(f);
	return WASI_OK;
}

static uint32_t
fd_renumber(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *from = memwasi_fd(g, guest_u32(&a[0]));
	struct memwasi_fd *to = memwasi_fd(g, guest_u32(&a[1]));

	if (from == NULL || to == NULL)
		return WASI_BADF;
	if (from == to)
		return WASI_OK;
	memwasi_close(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
	return WASI_OK;
}

static uint32_t
fd_prestat_get(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));
	uint8_t *p = guest_at(g, guest_u32(&a[1]), 8);

	if (f == NULL || f->preopen == NULL)
		return WASI_BADF;
	if (p == NULL)
		return WASI_FAULT;
	memset(p, 0, 8);
	guest_set(p + 4, strlen(f->preopen), 4);
	return WASI_OK;
}

static uint32_t
fd_prestat_dir_name(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));
	size_t n = guest_u32(&a[2]), len;
	uint8_t *p = guest_at(g, guest_u32(&a[1]), n);

	if (f == NULL || f->preopen == NULL)
		return WASI_BADF;
	len = strlen(f->preopen);
	if (n < len)
		return WASI_NAMETOOLONG;
	if (p == NULL)
		return WASI_FAULT;
	memcpy(p, f->preopen, len);
	return WASI_OK;
}

/* One entry; what does not fit is cut, which says that there is more. */
static void
put_entry(uint8_t *buf, size_t cap, size_t *used,
    const struct memfs_entry *e, uint64_t ino, uint8_t kind)
{
	uint8_t head[DIRENT] = {0};
	size_t n = strlen(e->name), k = MIN_OF(sizeof(head), cap - *used);

	guest_set(head, e->cookie, 8);
	guest_set(head + 8, ino, 8);
	guest_set(head + 16, n, 4);
	head[20] = kind;
	memcpy(buf + *used, head, k);
	*used += k;
	k = MIN_OF(n, cap - *used);
	memcpy(buf + *used, e->name, k);
	*used += k;
}

static uint32_t
fd_readdir(struct guest *g, const wasmtime_val_t *a)
{
	struct memwasi_fd *f = memwasi_fd(g, guest_u32(&a[0]));
	size_t cap = guest_u32(&a[2]), used = 0;
	uint8_t *buf = guest_at(g, guest_u32(&a[1]), cap);
	uint64_t cookie = guest_u64(&a[3]);
	struct memfs_entry e;
	struct memfs_stat s;

	if (f == NULL)
		return WASI_BADF;
	if (f->kind == MEMWASI_STREAM || memfs_kind(f->node) != MEMFS_DIR)
		return WASI_NOTDIR;
	if (buf == NULL)
		return WASI_FAULT;
	memfs_stat(f->node, &s);
	for (uint64_t dot = cookie; dot < 2 && used < cap; dot++) {
		e = (struct memfs_entry){dot == 0 ? "." : "..", NULL, dot + 1};
		put_entry(buf, cap, &used, &e, s.ino, MEMFS_DIR);
		cookie = e.cookie;
	}
	while (used < cap && memfs_next(f->node, cookie, &e)) {
		memfs_stat(e.node, &s);
		put_entry(buf, cap, &used, &e, s.ino, (uint8_t)s.kind);
		cookie = e.cookie;
	}
	return guest_put_u32(g, guest_u32(&a[4]), (uint32_t)used) ? WASI_OK :
	    WASI_FAULT;
}

const struct guest_call memwasi_fd_calls[] = {
    {"fd_advise", "iIIi", fd_advise},
    {"fd_allocate", "iII", fd_allocate},
    {"fd_close", "i", fd_close},
    {"fd_datasync", "i", fd_sync},
    {"fd_fdstat_get", "ii", fd_fdstat_get},
    {"fd_fdstat_set_flags", "ii", fd_fdstat_set_flags},
    {"fd_fdstat_set_rights", "iII", fd_fdstat_set_rights},
    {"fd_filestat_get", "ii", fd_filestat_get},
    {"fd_filestat_set_size", "iI", fd_filestat_set_size},
    {"fd_filestat_set_times", "iIIi", fd_filestat_set_times},
    {"fd_pread", "iiiIi", fd_pread},
    {"fd_prestat_dir_name", "iii", fd_prestat_dir_name},
    {"fd_prestat_get", "ii", fd_prestat_get},
    {"fd_pwrite", "iiiIi", fd_pwrite},
    {"fd_read", "iiii", fd_read},
    {"fd_readdir", "iiiIi", fd_readdir},
    {"fd_renumber", "ii", fd_renumber},
    {"fd_seek", "iIii", fd_seek},
    {"fd_sync", "i", fd_sync},
    {"fd_tell", "ii", fd_tell},
    {"fd_write", "iiii", fd_write}};
const size_t memwasi_fd_ncalls = NELEM(memwasi_fd_calls);
