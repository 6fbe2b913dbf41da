/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/integrity_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "audit/filelist.h"
#include "audit/filesum_read.h"
#include "common/beneath.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

const char *
walk_text(enum walk_diff d)
{
	static const char *const texts[] = {
	    [WALK_BYTES] = "its bytes have changed",
	    [WALK_SIZE] = "its size has changed",
	    [WALK_MODE] = "its mode has changed",
	    [WALK_OWNER] = "its owner has changed",
	    [WALK_LINKS] = "it has fewer names (hard links)",
	    [WALK_TYPE] = "something else lies in its place",
	    [WALK_TARGET] = "it leads elsewhere",
	    [WALK_MISSING] = "it is gone",
	    [WALK_ADDED] = "it was not there at the import",
	    [WALK_UNREADABLE] = "it cannot be read",
	    [WALK_RESTLESS] = "it changes while it is looked at",
	};

	return d < NELEM(texts) && texts[d] != NULL ? texts[d] : "it differs";
}

/* A folder that is still to be looked at. */
struct folder {
	struct folder *next;
	uint32_t at; /* its place in seen */
	bool told;   /* it is none: what the list has beneath is passed over */
	char path[];
};

/* A file that the list gives several names. */
struct twin {
	RB_ENTRY(twin) by_ino;
	ino_t ino;
	uint32_t links, names; /* those that it is to have; that were met */
	bool read;		    /* its bytes, at these times: */
	struct timespec mtim, ctim;
	struct id32 sum;
	char path[];
};

static int
ino_order(const struct twin *a, const struct twin *b)
{
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

RB_HEAD(twin_tree, twin);
TREE_PROTOTYPE(twin_tree, twin, by_ino, ino_order)
TREE_GENERATE(twin_tree, twin, by_ino, ino_order)

struct look {
	struct walk *w;
	struct twin_tree twins;
	bool any;    /* something was told */
	bool failed; /* memory */
	int root;
	dev_t dev;
	uid_t uid;
	gid_t gid;
	struct rd list;
	struct folder *first, **last;
	struct filelist_entry *items; /* of the block at hand, in the order of names */
	uint32_t n;
	uint32_t at; /* of seen, of the first of them */
	bool extra;  /* this folder has what is not listed */
	char path[FILELIST_PATH + FILELIST_NAME + 2];
};

/* ---- what is known of a file ---- */

#define RESTLESS_MAX 8 /* ours: so often it is looked at again */
#define SEEN UINT64_C(1) /* 0: not seen */
#define KEPT UINT64_C(2) /* by fs-verity */

static uint64_t
mark(const struct walk *w, const struct stat *st)
{
	uint64_t v[] = {st->st_ino, (uint64_t)st->st_size, st->st_mode,
	    (uint64_t)st->st_uid << 32 | st->st_gid, st->st_nlink,
	    (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
	    (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
	    st->st_dev};
	struct sha256_ctx c;
	uint8_t out[8];
	uint64_t m;

	sha256_init(&c);
	sha256_update(&c, sizeof(w->key), w->key);
	sha256_update(&c, sizeof(v), (const uint8_t *)v);
	sha256_digest(&c, sizeof(out), out);
	memcpy(&m, out, sizeof(m));
	return (m | SEEN) & ~KEPT;
}

static bool
same(const struct walk *w, uint32_t at, const struct stat *st)
{
	return w->seen != NULL && (w->seen[at] & ~KEPT) == mark(w, st);
}

/*
 * Not what has changed a moment ago: the next change could fall into the same
 * tick of the clock that ctimes are made of.
 */
static void
remember(struct walk *w, uint32_t at, const struct stat *st, bool kept)
{
	if (w->seen != NULL && st->st_ctim.tv_sec + 1 < w->now)
		w->seen[at] = mark(w, st) | (kept ? KEPT : 0);
}

static void
tell(struct look *k, const char *folder, const uint8_t *name, size_t len,
    enum walk_diff what)
{
	(void)snprintf(k->path, sizeof(k->path), "%s%s%.*s", folder,
	    folder[0] == '\0' || len == 0 ? "" : "/", (int)len,
	    (const char *)name);
	k->any = true;
	if (!k->w->differs(k->w->ctx, k->path, what))
		k->w->stopped = true;
}

static bool
slice(void *ctx, uint64_t bytes)
{
	struct look *k = ctx;

	k->w->bytes += bytes;
	if (k->w->slice != NULL && !k->w->slice(k->w->ctx, bytes))
		k->w->stopped = true;
	return !k->w->stopped;
}

/* ---- entries ---- */

/* 0: good; else what differs. Nothing of it is opened. */
static enum walk_diff
by_stat(const struct look *k, int dir, const char *name,
    const struct filelist_entry *e, const struct stat *st)
{
	mode_t want = e->type == 'd' ? S_IFDIR : e->type == 'f' ? S_IFREG :
	    S_IFLNK;

	if ((st->st_mode & S_IFMT) != want || (st->st_dev != k->dev &&
	    !beneath_same_mount(dir, name)))
		return WALK_TYPE;
	if (st->st_uid != k->uid || st->st_gid != k->gid)
		return WALK_OWNER;
	if (e->type != 'l' && (st->st_mode & 07777) != e->mode)
		return WALK_MODE;
	/* more: other images have this file too */
	if (e->type == 'f' && (st->st_nlink < e->links || e->links == 0))
		return WALK_LINKS;
	if (e->type == 'f' && (uint64_t)st->st_size != e->size)
		return WALK_SIZE;
	return 0;
}

static bool
same_times(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	    a->st_size == b->st_size &&
	    memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) == 0 &&
	    memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim)) == 0;
}

static struct twin *
twin_of(struct look *k, const struct stat *st, const struct filelist_entry *e)
{
	struct twin want = {.ino = st->st_ino};

	return e->links < 2 ? NULL : RB_FIND(twin_tree, &k->twins, &want);
}

/*
 * By another name its bytes were read in this walk, and were e's: they still
 * are, unless it changed a moment ago (see remember()).
 */
static bool
was_read(struct look *k, const struct stat *st, const struct filelist_entry *e)
{
	const struct twin *t = twin_of(k, st, e);

	return t != NULL && t->read && id32_eq(&t->sum, &e->sum) &&
	    st->st_ctim.tv_sec + 1 < k->w->now &&
	    memcmp(&t->mtim, &st->st_mtim, sizeof(t->mtim)) == 0 &&
	    memcmp(&t->ctim, &st->st_ctim, sizeof(t->ctim)) == 0;
}

static void
note_read(struct look *k, const struct stat *st,
    const struct filelist_entry *e)
{
	struct twin *t = twin_of(k, st, e);

	if (t == NULL)
		return;
	t->read = true;
	t->sum = e->sum;
	t->mtim = st->st_mtim;
	t->ctim = st->st_ctim;
}

/* The bytes of a file whose stat is as it should be. */
static enum walk_diff
by_bytes(struct look *k, int dir, const char *name,
    const struct filelist_entry *e, const struct stat *st, bool *kept)
{
	_cleanup_fd_ int fd = -1;
	struct stat is, then;
	struct id32 sum;
	int r;

	if ((e->mode & 0444) == 0)
		return 0; /* nobody reads it, a job neither */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &is) < 0)
		return WALK_UNREADABLE;
	if (!S_ISREG(is.st_mode) || !same_times(st, &is))
		return WALK_RESTLESS;
	if (was_read(k, &is, e))
		return 0;
	k->w->looked++;
	if ((*kept = filesum_kept(fd, &sum)))
		return id32_eq(&sum, &e->sum) ? 0 : WALK_BYTES;
	r = filesum_read(fd, e->size, slice, k, &sum);
	if (r != 0)
		return r > 0 ? 0 : WALK_UNREADABLE;
	if (fstat(fd, &then) < 0 || !same_times(&is, &then))
		return WALK_RESTLESS;
	if (!id32_eq(&sum, &e->sum))
		return WALK_BYTES;
	note_read(k, &is, e);
	return 0;
}

static enum walk_diff
by_target(int dir, const char *name, const struct filelist_entry *e)
{
	static char to[FILELIST_LINK + 1];
	ssize_t n = readlinkat(dir, name, to, sizeof(to));

	return n == e->link_len && memcmp(to, e->link, (size_t)n) == 0 ? 0 :
	    WALK_TARGET;
}

/* A folder of the list has its block, whatever lies there now. */
static int
later(struct look *k, const char *folder, const struct filelist_entry *e,
    uint32_t at, bool told)
{
	size_t above = strlen(folder), len = above + 1 + e->name_len + 1;
	char *p;
	struct folder *f = len > FILELIST_PATH ? NULL :
	    malloc(sizeof(*f) + len);

	if (f == NULL) {
		errno = len > FILELIST_PATH ? ENAMETOOLONG : ENOMEM;
		return -1;
	}
	f->next = NULL;
	f->at = at;
	f->told = told;
	p = f->path;
	memcpy(p, folder, above);
	p += above;
	if (above > 0)
		*p++ = '/';
	memcpy(p, e->name, e->name_len);
	p[e->name_len] = '\0';
	*k->last = f;
	k->last = &f->next;
	return 0;
}

/* st is brought up to date. */
static enum walk_diff
look_at(struct look *k, int dir, const char *name,
    const struct filelist_entry *e, struct stat *st, bool *kept)
{
	enum walk_diff d;

	/* each image that comes or goes changes the ctime of what it shares */
	for (unsigned i = 0;; i++) {
		d = by_stat(k, dir, name, e, st);
		if (d == 0 && e->type == 'f')
			d = by_bytes(k, dir, name, e, st, kept);
		else if (d == 0 && e->type == 'l')
			d = by_target(dir, name, e);
		if (d != WALK_RESTLESS || i == RESTLESS_MAX || k->w->stopped)
			return d;
		if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? WALK_MISSING :
			    WALK_UNREADABLE;
	}
}

/* Which names are one file: other images' names of it do not count. */
static int
count_name(struct look *k, const char *folder, const char *name,
    const struct filelist_entry *e, const struct stat *st)
{
	struct twin *t, want = {.ino = st->st_ino};
	size_t len = strlen(folder) + strlen(name) + 2;

	if (e->type != 'f' || e->links < 2)
		return 0;
	t = RB_FIND(twin_tree, &k->twins, &want);
	if (t == NULL) {
		if ((t = calloc(1, sizeof(*t) + len)) == NULL)
			return -1;
		t->ino = st->st_ino;
		t->links = e->links;
		(void)snprintf(t->path, len, "%s%s%s", folder,
		    folder[0] == '\0' ? "" : "/", name);
		(void)RB_INSERT(twin_tree, &k->twins, t);
	}
	t->names++;
	return 0;
}

static void
count_end(struct look *k, bool good)
{
	struct twin *t;

	while ((t = RB_ROOT(&k->twins)) != NULL) {
		/* where something was told already that may be why */
		if (good && !k->any && t->names != t->links)
			tell(k, t->path, NULL, 0, WALK_LINKS);
		(void)RB_REMOVE(twin_tree, &k->twins, t);
		free(t);
	}
}

static enum walk_diff
entry(struct look *k, int dir, const char *folder,
    const struct filelist_entry *e, uint32_t at)
{
	char name[FILELIST_NAME + 1];
	enum walk_diff d;
	bool kept = false;
	struct stat st;

	memcpy(name, e->name, e->name_len);
	name[e->name_len] = '\0';
	k->w->entries++;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		d = errno == ENOENT ? WALK_MISSING : WALK_UNREADABLE;
		tell(k, folder, e->name, e->name_len, d);
		return d;
	}
	if (count_name(k, folder, name, e, &st) < 0)
		k->w->stopped = k->failed = true;
	if (e->type != 'd' && same(k->w, at, &st)) {
		k->w->kept += (k->w->seen[at] & KEPT) != 0;
		return 0;
	}
	d = look_at(k, dir, name, e, &st, &kept);
	if (d != 0)
		tell(k, folder, e->name, e->name_len, d);
	else if (e->type != 'd' && !k->w->stopped)
		remember(k->w, at, &st, kept);
	k->w->kept += d == 0 && kept;
	return d;
}

/* ---- folders ---- */

static int
by_name(const char *name, size_t len, const struct filelist_entry *e)
{
	int c = memcmp(name, e->name, MIN_OF(len, e->name_len));

	return c != 0 ? c : (len > e->name_len) - (len < e->name_len);
}

static bool
listed(const struct look *k, const char *name)
{
	size_t len = strlen(name), from = 0, to = k->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = by_name(name, len, &k->items[mid]);

		if (c == 0)
			return true;
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return false;
}

/* What lies in it and is not listed; what is gone is found by its entry. */
static int
added(struct look *k, int dir, const char *folder)
{
	int copy = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	DIR *d = dir_take(copy);
	struct dirent *de;

	k->extra = false;
	if (d == NULL)
		return -1;
	while (!k->w->stopped && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 && !listed(k, de->d_name)) {
			k->extra = true;
			tell(k, folder, (const uint8_t *)de->d_name,
			    strlen(de->d_name), WALK_ADDED);
		}
	(void)closedir(d);
	return 0;
}

/* The next block of the list. */
static int
block(struct look *k)
{
	struct filelist_entry *v;
	uint32_t n;

	k->n = 0;
	if (!filelist_block(&k->list, &n) || n > rd_left(&k->list)) {
		errno = EINVAL;
		return -1;
	}
	v = n == 0 ? k->items : reallocarray(k->items, n, sizeof(*v));
	if (v == NULL && n > 0)
		return -1;
	k->items = v;
	for (uint32_t i = 0; i < n; i++) {
		if (!filelist_entry(&k->list, &k->items[i])) {
			errno = EINVAL;
			return -1;
		}
	}
	k->n = n;
	return 0;
}

/* Each entry of a block; dir -1: none of them is there. */
static int
entries(struct look *k, int dir, const char *folder, uint32_t at)
{
	for (uint32_t i = 0; i < k->n && !k->w->stopped; i++) {
		const struct filelist_entry *e = &k->items[i];
		enum walk_diff d = dir < 0 ? WALK_MISSING :
		    entry(k, dir, folder, e, at + i);
		bool told = d == WALK_MISSING || d == WALK_TYPE ||
		    d == WALK_UNREADABLE;

		if (e->type == 'd' && later(k, folder, e, at + i, told) < 0)
			return -1;
		if ((i & 255) == 255)
			(void)slice(k, 0);
	}
	return 0;
}

static int
folder(struct look *k, const struct folder *f)
{
	_cleanup_fd_ int dir = -1;
	uint32_t at = k->at;
	struct stat st;
	bool was;

	if (block(k) < 0)
		return -1;
	k->at += k->n;
	dir = f->told ? -1 : beneath_open(k->root, f->path, O_RDONLY |
	    O_DIRECTORY);
	if (dir < 0 || fstat(dir, &st) < 0) {
		if (!f->told && (errno == ENOMEM || errno == EMFILE ||
		    errno == ENFILE))
			return -1;
		if (!f->told)
			tell(k, f->path, NULL, 0, WALK_UNREADABLE);
		return entries(k, -1, f->path, at);
	}
	was = same(k->w, f->at, &st);
	if (entries(k, dir, f->path, at) < 0)
		return -1;
	if (was || k->w->stopped)
		return 0; /* it names what it named */
	if (added(k, dir, f->path) < 0)
		return -1;
	/* as it was before it was read: a change meanwhile is found next */
	if (!k->w->stopped && !k->extra)
		remember(k->w, f->at, &st, false);
	return 0;
}

static int
start(struct look *k)
{
	struct folder *top = calloc(1, sizeof(*top) + 1);
	struct stat st;

	k->last = &k->first;
	if (top == NULL || fstat(k->root, &st) < 0) {
		free(top);
		return -1;
	}
	k->dev = st.st_dev;
	k->uid = st.st_uid;
	k->gid = st.st_gid;
	k->first = top;
	k->last = &top->next;
	k->at = 1;
	if ((st.st_mode & 0222) != 0)
		tell(k, "", NULL, 0, WALK_MODE);
	return 0;
}

int
walk_check(struct walk *w, int root, const uint8_t *list, size_t len)
{
	static struct look k;
	struct folder *f;
	int rv, err;

	k = (struct look){.w = w, .root = root};
	w->bytes = 0;
	w->entries = w->looked = w->kept = 0;
	w->stopped = false;
	if (!filelist_begin(&k.list, list, len)) {
		errno = EINVAL;
		return -1;
	}
	rv = start(&k);
	while (rv == 0 && !w->stopped && (f = k.first) != NULL) {
		if ((k.first = f->next) == NULL)
			k.last = &k.first;
		/* its block names folders: they go behind the last */
		rv = folder(&k, f);
		free(f);
	}
	if (k.failed) {
		errno = ENOMEM;
		rv = -1;
	}
	err = errno;
	count_end(&k, rv == 0 && !w->stopped);
	while ((f = k.first) != NULL) {
		k.first = f->next;
		free(f);
	}
	free(k.items);
	errno = err;
	return rv;
}
