/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/hand_archive.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fileat.h"
#include "sandbox/base/sys.h"
#include "sandbox/hand/hand_share.h"
#include "sandbox/plan/recipe.h"
#include "sandbox/base/tar.h"

#define RESERVE_STEP (16ull << 20) /* how often the disk is looked at */
#define RESERVE_LEAST (64ull << 20)
/* ours: real layers are at 2 to 20; deflate can be at 1,000, zstd at any */
#define RATIO_FROM (256ull << 20)
#define RATIO_MAX 200

/* ---- reading ---- */

/* Why it does not go on; libarchive does not have words for all. */
static const char *
words(struct archive *a)
{
	const char *text = archive_error_string(a);

	return text == NULL ? "damaged, or cut off" : text;
}

/* The bytes of the file, as they are. */
static la_ssize_t
read_file(struct archive *a, void *ctx, const void **buf)
{
	struct reader *r = ctx;
	ssize_t n;

	(void)a;
	while ((n = pread(r->fd, r->buf, sizeof(r->buf), r->off)) < 0 &&
	    errno == EINTR)
		;
	if (n > 0)
		r->off += n;
	if (n > 0 && r->sums)
		sha256_update(&r->sum, (size_t)n, r->buf);
	if (n > 0 && r->maker != NULL && !r->packed)
		recipe_make(r->maker, r->buf, (size_t)n);
	*buf = r->buf;
	return n;
}

/* A few bytes that stand for ever so many: what no writer of layers makes. */
static const char *
bomb(const struct reader *r)
{
	if (r->inflated > 2 * IMPORT_BYTES_MAX)
		return "more bytes than an image may have";
	return r->inflated > RATIO_FROM && r->inflated / RATIO_MAX >
	    (uint64_t)r->off ? "a few bytes stand for ever so many" : NULL;
}

/* What is inside, as it is read by itself: it has one member, and no name. */
static la_ssize_t
read_inner(struct archive *a, struct reader *r, const void **buf)
{
	size_t n = 0;
	la_int64_t off;
	int rv;

	while ((rv = archive_read_data_block(r->inner, buf, &n, &off)) ==
	    ARCHIVE_OK && n == 0)
		;
	if (rv == ARCHIVE_EOF)
		return 0;
	r->inflated += rv == ARCHIVE_OK ? n : 0;
	if (rv == ARCHIVE_OK && bomb(r) == NULL) {
		if (r->sums)
			sha256_update(&r->diff, n, *buf);
		if (r->maker != NULL)
			recipe_make(r->maker, *buf, n);
		return (la_ssize_t)n;
	}
	archive_set_error(a, EINVAL, "%s", rv == ARCHIVE_OK ? bomb(r) :
	    words(r->inner));
	return -1;
}

/* Of the file, and of what is in it, to their ends: not all was needed. */
static int
reader_end(struct import *im, struct reader *r, struct archive *a,
    struct reader_sums *out)
{
	const void *p;
	la_ssize_t n = 0;

	while (r->inner != NULL && (n = read_inner(a, r, &p)) > 0)
		;
	if (n < 0)
		return import_fail(im, "%s, behind its last member",
		    words(a));
	while ((n = read_file(NULL, r, &p)) > 0)
		;
	if (n < 0)
		return import_fail(im, "%s", strerror(errno));
	sha256_digest(&r->sum, sizeof(out->raw.b), out->raw.b);
	out->raw_bytes = (uint64_t)r->off;
	out->diff = out->raw;
	out->diff_bytes = out->raw_bytes;
	if (r->inner != NULL) {
		sha256_digest(&r->diff, sizeof(out->diff.b), out->diff.b);
		out->diff_bytes = r->inflated;
	}
	return 0;
}

/*
 * Some writers leave out what stands behind the last member's content: NULs up
 * to a whole block, and two blocks more. Content itself is never made up.
 */
static la_ssize_t
reader_read(struct archive *a, void *ctx, const void **buf)
{
	static const uint8_t end[3 * TAR_BLOCK];
	struct reader *r = ctx;
	la_ssize_t n = r->inner != NULL ? read_inner(a, r, buf) :
	    read_file(a, r, buf);

	if (n != 0 || r->in_data || r->ended)
		return n;
	r->ended = true;
	*buf = end;
	return sizeof(end);
}

static la_int64_t
reader_skip(struct archive *a, void *ctx, la_int64_t n)
{
	struct reader *r = ctx;

	(void)a;
	if (r->inner != NULL || r->sums || n < 0 || n > r->size - r->off)
		return 0; /* it reads then, and meets the end */
	r->off += n;
	return n;
}

/* What is not read here, by the bytes it begins with. */
static const char *
foreign(int fd)
{
	static const struct {
		const char *name, *magic;
		size_t n;
	} t[] = {{"bzip2", "BZh", 3}, {"xz", "\xfd" "7zXZ", 6},
	    {"lz4", "\x04\x22\x4d\x18", 4}, {"lzip", "LZIP", 4},
	    {"zip", "PK\x03\x04", 4}};
	char head[8] = "";

	(void)!pread(fd, head, sizeof(head), 0);
	for (size_t i = 0; i < NELEM(t); i++)
		if (memcmp(head, t[i].magic, t[i].n) == 0)
			return t[i].name;
	return NULL;
}

static struct archive *
fail_open(struct import *im, struct archive *a, int fd)
{
	if (foreign(fd) != NULL)
		(void)import_fail(im, "compressed by %s: only gzip and zstd "
		    "are read", foreign(fd));
	else
		(void)import_fail(im, "not an archive: %s",
		    a == NULL ? "memory" : words(a));
	if (a != NULL)
		(void)archive_read_free(a);
	return NULL;
}

/* Whatever is in it, with gzip or zstd taken off. */
static struct archive *
open_raw(struct import *im, struct reader *r)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	if (a == NULL || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK ||
	    archive_read_open2(a, r, NULL, read_file, NULL, NULL) !=
	    ARCHIVE_OK || archive_read_next_header(a, &e) < ARCHIVE_WARN)
		return fail_open(im, a, r->fd);
	if (archive_filter_count(a) > 2) { /* the file itself is one */
		(void)archive_read_free(a);
		(void)import_fail(im, "compressed more than once");
		return NULL;
	}
	return a;
}

static bool
is_compressed(int fd)
{
	uint8_t head[4] = {0};

	/* pzstd puts a frame to skip in front of each (RFC 8878, 3.1.2) */
	return pread(fd, head, sizeof(head), 0) > 1 &&
	    (memcmp(head, "\x1f\x8b", 2) == 0 ||
	    memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0 ||
	    ((head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18",
	    3) == 0));
}

static void
reader_init(struct reader *r, int fd, bool sums)
{
	struct stat st;

	r->fd = fd;
	r->off = 0;
	r->size = fstat(fd, &st) == 0 ? st.st_size : 0;
	r->last[0] = '\0';
	r->inner = NULL;
	r->in_data = r->ended = false;
	r->sums = sums;
	r->inflated = 0;
	sha256_init(&r->sum);
	sha256_init(&r->diff);
}

struct archive *
reader_open(struct import *im, struct reader *r, int fd, bool sums)
{
	struct archive *a;

	reader_init(r, fd, sums);
	r->packed = is_compressed(fd);
	r->maker = sums ? im->maker : NULL;
	if (r->packed && (r->inner = open_raw(im, r)) == NULL)
		return NULL;
	a = archive_read_new();
	if (a != NULL && archive_read_support_format_tar(a) == ARCHIVE_OK &&
	    archive_read_open2(a, r, NULL, reader_read, reader_skip, NULL) ==
	    ARCHIVE_OK)
		return a;
	if (r->inner != NULL)
		(void)archive_read_free(r->inner);
	return fail_open(im, a, fd);
}

void
reader_close(struct reader *r, struct archive *a)
{
	(void)archive_read_free(a);
	if (r->inner != NULL)
		(void)archive_read_free(r->inner);
	r->inner = NULL;
}

/*
 * A name that is no UTF-8, and what is not taken anyway. Where an extended
 * header is passed over, what the member is called and holds is not known.
 */
static bool
is_harmless(struct archive *a, int rv)
{
	const char *text = archive_error_string(a);

	return rv == ARCHIVE_WARN &&
	    (archive_errno(a) == EILSEQ || (text != NULL &&
	    (strstr(text, "ACL") != NULL || strstr(text, "Parse error") !=
	    NULL)));
}

int
reader_next(struct import *im, struct reader *r, struct archive *a,
    struct archive_entry **e)
{
	int rv = archive_read_next_header(a, e);
	const char *name;

	if (rv == ARCHIVE_EOF)
		return 0;
	if (rv != ARCHIVE_OK && !is_harmless(a, rv)) {
		if (r->last[0] == '\0' && foreign(r->fd) != NULL)
			return import_fail(im, "compressed by %s: only gzip "
			    "and zstd are read", foreign(r->fd));
		return import_fail(im, "%s%s%s", words(a),
		    r->last[0] != '\0' ? ", behind " : ", at its first member",
		    r->last);
	}
	if (r->ended) /* what was made up is no part of a header */
		return import_fail(im, "cut off in a header, behind %s",
		    r->last[0] != '\0' ? r->last : "nothing");
	if ((name = archive_entry_pathname(*e)) == NULL)
		return import_fail(im, "a name that cannot be read, behind %s",
		    r->last[0] != '\0' ? r->last : "nothing");
	(void)snprintf(r->last, sizeof(r->last), "%s", name);
	return 1;
}

int
import_member(struct import *im)
{
	if (++im->members > IMPORT_MEMBERS_MAX)
		return import_fail(im, "more than %u members",
		    IMPORT_MEMBERS_MAX);
	return 0;
}

/* The disk is others' too: stop above the reserve (THREATS.md 4.6). */
int
import_count(struct import *im, uint64_t n)
{
	uint64_t before = im->bytes / RESERVE_STEP;
	struct statvfs v;

	im->bytes += n;
	if (im->bytes > IMPORT_BYTES_MAX)
		return import_fail(im, "more than %llu bytes",
		    (unsigned long long)IMPORT_BYTES_MAX);
	if (im->bytes / RESERVE_STEP != before && fstatvfs(im->v, &v) == 0 &&
	    ((uint64_t)v.f_bavail < (uint64_t)v.f_blocks / 20 ||
	    (uint64_t)v.f_bavail * v.f_frsize < RESERVE_LEAST))
		return import_fail(im, "the disk is nearly full");
	return 0;
}

/* Some of a file; at: where the one before it ended. */
static int
put_data(struct import *im, const char *path, int fd, const void *p, size_t n,
    la_int64_t off, uint64_t size, uint64_t *at)
{
	uint64_t to = (uint64_t)off + n;

	/* a map of holes may say anything */
	if (off < 0 || n > size || (uint64_t)off > size - n)
		return import_fail(im, "%.120s: its holes do not fit its size",
		    path);
	/* a hole counts as well: a sparse terabyte is one */
	if (import_count(im, to > *at ? to - *at : n) < 0)
		return -1;
	*at = MAX_OF(*at, to);
	if (!write_at(fd, p, n, (uint64_t)off))
		return import_fail(im, "%.120s: write: %s", path,
		    strerror(errno));
	return 0;
}

/* No byte behind the content is asked for: it may be missing. */
static int
copy_data(struct import *im, struct archive *a, const char *path, int fd,
    uint64_t size)
{
	const void *p;
	uint64_t end = 0;
	size_t n;
	la_int64_t off;
	int rv = ARCHIVE_OK;

	while (end < size && (rv = archive_read_data_block(a, &p, &n, &off)) ==
	    ARCHIVE_OK)
		if (put_data(im, path, fd, p, n, off, size, &end) < 0)
			return -1;
	if (rv != ARCHIVE_OK && rv != ARCHIVE_EOF)
		return import_fail(im, "%.120s: %s", path,
		    words(a));
	if (end >= size)
		return 0;
	/* a hole at its end */
	if (import_count(im, size - end) < 0)
		return -1;
	return ftruncate(fd, (off_t)size);
}

/* Seconds of 1970 to 2106: what any file system keeps. */
static time_t
reader_time(struct archive_entry *e)
{
	time_t t = archive_entry_mtime_is_set(e) ? archive_entry_mtime(e) : 0;

	return t < 0 ? 0 : MIN_OF(t, (time_t)UINT32_MAX);
}

int
reader_file(struct import *im, struct reader *r, struct archive *a,
    struct archive_entry *e, int folder, const char *name, mode_t mode)
{
	_cleanup_fd_ int fd = -1;
	la_int64_t size = archive_entry_size(e);
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = 0}};
	int rv;

	if (size < 0)
		return import_fail(im, "%.120s: less than no bytes",
		    archive_entry_pathname(e));
	if ((uint64_t)size > IMPORT_BYTES_MAX - MIN_OF(im->bytes,
	    IMPORT_BYTES_MAX))
		return import_fail(im, "%.120s: too large",
		    archive_entry_pathname(e));
	if (import_remove(folder, name) < 0)
		return -1;
	fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	r->in_data = true;
	rv = copy_data(im, a, archive_entry_pathname(e), fd, (uint64_t)size);
	r->in_data = false;
	/* what interpreters compile beside their sources goes by that */
	t[1].tv_sec = reader_time(e);
	return rv == 0 && futimens(fd, t) == 0 && fchmod(fd, mode) == 0 ?
	    share_file(im, folder, name) : -1;
}

/* ---- an archive as a whole ---- */

struct tops {
	bool index, manifest, layout, blobs, repositories, config, rootfs;
	bool within;  /* an image's documents one folder down, and */
	bool several; /* not everything lies in that folder */
	char top[NAME_MAX + 1];
	unsigned count; /* of members */
};

static bool
is(const char *path, size_t n, const char *name)
{
	return strlen(name) == n && memcmp(path, name, n) == 0;
}

static void
look_at(struct tops *t, const char *path)
{
	const char *slash = strchr(path, '/');
	size_t n = strcspn(path, "/");

	if (n == 0)
		return;
	if (t->count++ == 0)
		memcpy(t->top, path, n);
	t->several |= !is(path, n, t->top);
	t->blobs |= is(path, n, "blobs");
	t->rootfs |= is(path, n, "rootfs");
	if (slash != NULL) {
		t->within |= strcmp(slash, "/oci-layout") == 0 ||
		    strcmp(slash, "/manifest.json") == 0;
		return;
	}
	t->index |= is(path, n, "index.json");
	t->layout |= is(path, n, "oci-layout");
	t->manifest |= is(path, n, "manifest.json");
	t->repositories |= is(path, n, "repositories");
	t->config |= is(path, n, "config.json");
}

static enum archive_kind
judge(struct import *im, const struct tops *t)
{
	if (t->manifest || (t->index && (t->layout || t->blobs)))
		return ARCHIVE_DOCS;
	if (t->count == 0)
		(void)import_fail(im, "the archive is empty");
	else if (t->layout)
		(void)import_fail(im, "an OCI layout without its index.json");
	else if (t->repositories)
		(void)import_fail(im, "a `docker save' without its "
		    "manifest.json: save it again with a newer Docker");
	else if (t->within && !t->several)
		(void)import_fail(im, "its image lies one folder down: pack "
		    "what that holds, as with `tar -C FOLDER -c .'");
	else if (t->index && !t->several)
		(void)import_fail(im, "an OCI layout's index.json without its "
		    "folder blobs");
	else if (t->config && t->rootfs)
		(void)import_fail(im, "a bundle to run, not an image: pack "
		    "what its folder rootfs holds");
	else
		return ARCHIVE_ROOT;
	return ARCHIVE_BAD;
}

enum archive_kind
reader_kind(struct import *im, int fd)
{
	static struct reader r;
	char path[IMPORT_PATH_MAX + 1];
	struct archive *a = reader_open(im, &r, fd, false);
	struct archive_entry *e;
	struct tops t = {.count = 0};
	const char *why;
	int rv;

	if (a == NULL)
		return ARCHIVE_BAD;
	while ((rv = reader_next(im, &r, a, &e)) == 1 &&
	    t.count < IMPORT_MEMBERS_MAX)
		if (import_path(archive_entry_pathname(e), path, &why))
			look_at(&t, path);
	reader_close(&r, a);
	return rv < 0 ? ARCHIVE_BAD : judge(im, &t);
}

/* One of an old `docker save`: a layer that came before, by another name. */
static int
link_again(struct import *im, struct archive_entry *e, int up,
    const char *name)
{
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1], *tname;
	const char *link = archive_entry_hardlink(e), *why;
	_cleanup_fd_ int tup = -1;

	if (import_remove(up, name) < 0)
		return -1;
	if (link == NULL)
		return symlinkat(archive_entry_symlink(e), up, name);
	if (!import_path(link, path, &why))
		return import_fail(im, "%s: a link to %.80s: %s", name, link,
		    why);
	tup = import_parent(im->src, path, false, &tname, real);
	return tup < 0 ? -1 : linkat(tup, tname, up, name, 0);
}

static int
take_file(struct import *im, struct reader *r, struct archive *a,
    struct archive_entry *e)
{
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1], *name;
	const char *given = archive_entry_pathname(e), *why;
	bool again = archive_entry_hardlink(e) != NULL;
	_cleanup_fd_ int up = -1;
	int rv;

	if (!again && archive_entry_filetype(e) != AE_IFREG &&
	    (archive_entry_filetype(e) != AE_IFLNK ||
	    archive_entry_symlink(e) == NULL))
		return 0; /* folders are made as they are needed */
	if (!import_path(given, path, &why))
		return import_fail(im, "%.100s: %s", given, why);
	if (path[0] == '\0')
		return import_fail(im, "a file without a name");
	up = import_parent(im->src, path, true, &name, real);
	if (up < 0)
		return import_fail(im, "%.100s: %s", path, strerror(errno));
	if (again || archive_entry_filetype(e) == AE_IFLNK)
		rv = link_again(im, e, up, name);
	else
		rv = reader_file(im, r, a, e, up, name, 0400);
	return rv == 0 ? 0 : import_fail(im, "%.100s: %s", path,
	    strerror(errno));
}

int
reader_each(struct import *im, int fd, const struct id32 *want,
    struct reader_sums *sums, reader_take *take)
{
	static struct reader r;
	struct archive_entry *e;
	struct archive *a = reader_open(im, &r, fd, want != NULL ||
	    sums != NULL);
	struct reader_sums is;
	int rv;

	if (a == NULL)
		return -1;
	while ((rv = reader_next(im, &r, a, &e)) == 1)
		if (import_member(im) < 0 || take(im, &r, a, e) < 0) {
			rv = -1;
			break;
		}
	if (rv == 0 && r.sums)
		rv = reader_end(im, &r, a, &is);
	reader_close(&r, a);
	if (rv == 0 && want != NULL && !id32_eq(&is.raw, want))
		rv = import_fail(im, "changed while it was read");
	if (rv == 0 && sums != NULL)
		*sums = is;
	return rv;
}

int
import_archive(struct import *im, int fd)
{
	return reader_each(im, fd, NULL, NULL, take_file);
}
