/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "trust/klpdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "trust/doc/frame.h"
#include "trust/doc/revlist.h"

#define NAME_MAX_HERE 250 /* a component, with what file_replace() adds */
#define EVIDENCE_MAX 64	  /* files, of authorities that contradict themselves */
#define EVIDENCE "equivocation-"
#define SELF "self-"
#define PROOF ".tlog-proof"
#define SIGNATURES "graph.signatures"

/* Where a file below dir lies; each component of *path is a folder but the last. */
static int
folder_of(int dir, const char **path)
{
	_cleanup_fd_ int at = dup(dir);
	const char *slash;

	for (; (slash = strchr(*path, '/')) != NULL; *path = slash + 1) {
		char name[NAME_MAX_HERE + 1];
		size_t n = (size_t)(slash - *path);
		int next;

		if (n > NAME_MAX_HERE) {
			errno = ENOENT;
			return -1;
		}
		memcpy(name, *path, n);
		name[n] = '\0';
		if (at < 0 || (next = dir_open(at, name, false, 0)) < 0)
			return -1;
		close_fd(&at);
		at = next;
	}
	return steal_fd(&at);
}

/* The operator's; -1 with errno. */
static int
folder_klp(const struct klpdir *d, const char **path)
{
	if (d->klp >= 0)
		return folder_of(d->klp, path);
	errno = ENOENT;
	return -1;
}

static uint8_t *
load_klp(const struct klpdir *d, const char *path, size_t max, size_t *len)
{
	_cleanup_fd_ int at = folder_klp(d, &path);

	return at < 0 ? NULL : (uint8_t *)file_load(at, path, max, len);
}

uint8_t *
klpdir_root(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "authorities/%s.root.json",
	    authority);
	return load_klp(d, path, max, len);
}

uint8_t *
klpdir_document(const struct klpdir *d, const char *authority,
    const char *name, const char *suffix, size_t max, size_t *len)
{
	char path[1024];

	(void)snprintf(path, sizeof(path), "documents/%s/%s%s", authority,
	    name, suffix);
	return load_klp(d, path, max, len);
}

int
klpdir_document_in(const struct klpdir *d, struct file_in *f,
    const char *authority, const char *name, size_t max)
{
	char path[1024];
	const char *last = path;
	_cleanup_fd_ int at = -1;

	(void)snprintf(path, sizeof(path), "documents/%s/%s", authority, name);
	at = folder_klp(d, &last);
	return at < 0 ? -1 : file_in_open(f, at, last, max);
}

/* Takes dir. */
static unsigned
frames(DIR *dir, const char *prefix, unsigned max, klpdir_frame_fn *fn,
    void *ctx)
{
	struct dirent *e;
	unsigned n = 0;

	while (dir != NULL && n < max && (e = readdir(dir)) != NULL) {
		uint8_t frame[FRAME_LEN(SELFREV_FRAME, 1)];
		ssize_t len;

		if (e->d_name[0] == '.' ||
		    strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		len = file_read(dirfd(dir), e->d_name, frame, sizeof(frame));
		/* what cannot be read is told as what it is: no frame */
		fn(ctx, e->d_name, frame, len < 0 ? 0 : (size_t)len);
		n++;
	}
	if (dir != NULL)
		(void)closedir(dir);
	return n;
}

/* The folder from its first entry on; NULL. */
static DIR *
kept_dir(const struct klpdir *d)
{
	return d->kept < 0 ? NULL : dir_take(dir_open(d->kept, ".", false, 0));
}

void
klpdir_self_revoked(const struct klpdir *d, unsigned max, klpdir_frame_fn *fn,
    void *ctx)
{
	unsigned n = frames(kept_dir(d), SELF, max, fn, ctx);

	if (d->klp >= 0)
		(void)frames(dir_take(dir_open(d->klp, "self-revoked", false,
		    0)), "", max - n, fn, ctx);
}

/* ---- what is kept ---- */

static uint8_t *
load_kept(const struct klpdir *d, const char *name, size_t max, size_t *len)
{
	if (d->kept < 0) {
		errno = ENOENT;
		return NULL;
	}
	return (uint8_t *)file_load(d->kept, name, max, len);
}

static int
keep(const struct klpdir *d, const char *name, const void *p, size_t n)
{
	if (d->kept < 0) {
		errno = EBADF;
		return -1;
	}
	return file_replace(d->kept, name, p, n, 0600);
}

static int
keep_out(const struct klpdir *d, struct file_out *o, const char *name,
    const void *p, size_t n)
{
	if (d->kept < 0) {
		errno = EBADF;
		return -1;
	}
	return file_out_open(o, d->kept, name, p, n, 0600);
}

int
klpdir_blob_in(const struct klpdir *d, struct file_in *f,
    const struct id32 *sha, size_t max)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(*sha));
	if (d->kept >= 0)
		return file_in_open(f, d->kept, hex, max);
	errno = ENOENT;
	return -1;
}

int
klpdir_keep_out(const struct klpdir *d, struct file_out *o,
    const struct id32 *sha, const void *p, size_t n)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(*sha));
	return keep_out(d, o, hex, p, n);
}

uint8_t *
klpdir_state(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.state", NAME_MAX_HERE - 6,
	    authority);
	return load_kept(d, name, max, len);
}

int
klpdir_commit(const struct klpdir *d, const char *authority, const void *p,
    size_t n)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.state", NAME_MAX_HERE - 6,
	    authority);
	return keep(d, name, p, n);
}

uint8_t *
klpdir_set(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.set", NAME_MAX_HERE - 4,
	    authority);
	return load_kept(d, name, max, len);
}

int
klpdir_keep_set(const struct klpdir *d, const char *authority, const void *p,
    size_t n)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.set", NAME_MAX_HERE - 4,
	    authority);
	return keep(d, name, p, n);
}

uint8_t *
klpdir_deltas(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.deltas", NAME_MAX_HERE - 7,
	    authority);
	return load_kept(d, name, max, len);
}

int
klpdir_keep_deltas(const struct klpdir *d, const char *authority,
    const void *p, size_t n)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.deltas", NAME_MAX_HERE - 7,
	    authority);
	return keep(d, name, p, n);
}

ssize_t
klpdir_blob_read(const struct klpdir *d, const struct id32 *sha,
    uint64_t offset, void *out, size_t n)
{
	char hex[65];
	_cleanup_fd_ int fd = -1;

	hex_encode(hex, HASH_BYTES(*sha));
	if (d->kept < 0) {
		errno = ENOENT;
		return -1;
	}
	fd = openat(d->kept, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -1 : pread(fd, out, n, (off_t)offset);
}

static void
root_file(char out[300], const char *authority, uint32_t version)
{
	(void)snprintf(out, 300, "%.*s.%u.root", NAME_MAX_HERE - 16,
	    authority, version);
}

uint8_t *
klpdir_kept_root(const struct klpdir *d, const char *authority,
    uint32_t version, size_t max, size_t *len)
{
	char name[300];

	root_file(name, authority, version);
	return load_kept(d, name, max, len);
}

int
klpdir_keep_root(const struct klpdir *d, const char *authority,
    uint32_t version, const void *p, size_t n)
{
	char name[300];

	root_file(name, authority, version);
	return keep(d, name, p, n);
}

uint8_t *
klpdir_history(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.history", NAME_MAX_HERE - 8,
	    authority);
	return load_kept(d, name, max, len);
}

int
klpdir_keep_history(const struct klpdir *d, const char *authority,
    const void *p, size_t n)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.history", NAME_MAX_HERE - 8,
	    authority);
	return keep(d, name, p, n);
}

uint8_t *
klpdir_logs(const struct klpdir *d, const char *authority, size_t max,
    size_t *len)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.logs", NAME_MAX_HERE - 5,
	    authority);
	return load_kept(d, name, max, len);
}

int
klpdir_keep_logs(const struct klpdir *d, const char *authority,
    const void *p, size_t n)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "%.*s.logs", NAME_MAX_HERE - 5,
	    authority);
	return keep(d, name, p, n);
}

/* NAME of NAME.tlog-proof; 0: it is none. */
static size_t
proof_name(const char *file)
{
	size_t n = strlen(file), end = strlen(PROOF);

	return file[0] == '.' || n <= end || n > NAME_MAX_HERE ||
	    strcmp(file + n - end, PROOF) != 0 ? 0 : n - end;
}

static void
one_proof(int dir, const char *file, size_t stem, size_t proof_max,
    size_t record_max, klpdir_proof_fn *fn, void *ctx)
{
	char json[NAME_MAX_HERE + 8];
	size_t len = 0, record_len = 0;
	_cleanup_free_ char *proof = file_load(dir, file, proof_max, &len);
	_cleanup_free_ char *record = NULL;

	(void)snprintf(json, sizeof(json), "%.*s.json", (int)stem, file);
	record = file_load(dir, json, record_max, &record_len);
	fn(ctx, file, proof, len, record, record_len);
}

bool
klpdir_proofs(const struct klpdir *d, unsigned max, size_t proof_max,
    size_t record_max, klpdir_proof_fn *fn, void *ctx)
{
	DIR *dir = d->klp < 0 ? NULL :
	    dir_take(dir_open(d->klp, "anchors", false, 0));
	struct dirent *e;
	unsigned n = 0;
	bool more = false;

	while (dir != NULL && !more && (e = readdir(dir)) != NULL) {
		size_t stem = proof_name(e->d_name);

		more = stem > 0 && n == max;
		if (stem > 0 && n++ < max)
			one_proof(dirfd(dir), e->d_name, stem, proof_max,
			    record_max, fn, ctx);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return more;
}

static bool
ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n > k && strcmp(s + n - k, with) == 0;
}

static bool
stamp(int dir, const char *name, struct klpdir_stamp *out)
{
	size_t n = strlen(name);
	struct stat st;

	if (name[0] == '.' || n > NAME_MAX_HERE ||
	    (!ends(name, ".json") && !ends(name, ".jsonl")) ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	memcpy(out->name, name, n + 1);
	out->lines = ends(name, ".jsonl");
	out->size = (uint64_t)st.st_size;
	out->changed_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000u +
	    (uint64_t)st.st_ctim.tv_nsec;
	out->inode = st.st_ino;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	const struct klpdir_stamp *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct klpdir_stamp *
klpdir_attestations(const struct klpdir *d, unsigned max, unsigned *n,
    bool *more)
{
	struct klpdir_stamp *out = calloc(max, sizeof(*out)), one;
	DIR *dir = d->klp < 0 || out == NULL ? NULL :
	    dir_take(dir_open(d->klp, "attestations", false, 0));
	struct dirent *e;

	*n = 0;
	*more = false;
	while (dir != NULL && !*more && (e = readdir(dir)) != NULL) {
		memset(&one, 0, sizeof(one));
		if (!stamp(dirfd(dir), e->d_name, &one))
			continue;
		*more = *n == max;
		if (!*more)
			out[(*n)++] = one;
	}
	if (dir != NULL)
		(void)closedir(dir);
	if (out != NULL)
		qsort(out, *n, sizeof(*out), by_name);
	return out;
}

char *
klpdir_attestation(const struct klpdir *d, const char *name, size_t max,
    size_t *len)
{
	_cleanup_fd_ int dir = -1;

	if (d->klp < 0) {
		errno = ENOENT;
		return NULL;
	}
	if ((dir = dir_open(d->klp, "attestations", false, 0)) < 0)
		return NULL;
	return file_load(dir, name, max, len);
}

char *
klpdir_sigroot(const struct klpdir *d, const char *name, size_t max,
    size_t *len, int64_t *changed)
{
	_cleanup_fd_ int dir = -1;
	struct stat st;

	if (d->klp < 0) {
		errno = ENOENT;
		return NULL;
	}
	if ((dir = dir_open(d->klp, "roots", false, 0)) < 0 ||
	    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return NULL;
	*changed = st.st_mtim.tv_sec;
	return file_load(dir, name, max, len);
}

static bool
blob_name(struct id32 *sha, const char *name)
{
	return hex_decode(HASH_BYTES(*sha), name, strlen(name));
}

/* Half a file of a program that was killed (file_out_open()). */
static bool
left_over(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && name[0] == '.' && strcmp(name + n - 4, ".tmp") == 0;
}

void
klpdir_sweep(const struct klpdir *d, klpdir_named_fn *fn, void *ctx)
{
	DIR *dir = kept_dir(d);
	struct dirent *e;
	struct id32 sha;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		if (left_over(e->d_name) ||
		    (blob_name(&sha, e->d_name) && !fn(ctx, &sha)))
			(void)unlinkat(d->kept, e->d_name, 0);
	(void)closedir(dir);
}

int
klpdir_evidence(const struct klpdir *d, const struct id32 *sha, const void *p,
    size_t n)
{
	DIR *dir = kept_dir(d);
	char name[sizeof(EVIDENCE) + 64], hex[65];
	struct dirent *e;
	unsigned have = 0;

	if (dir == NULL)
		return -1;
	while ((e = readdir(dir)) != NULL)
		have += strncmp(e->d_name, EVIDENCE, strlen(EVIDENCE)) == 0;
	(void)closedir(dir);
	if (have >= EVIDENCE_MAX) {
		errno = EDQUOT;
		return -1;
	}
	hex_encode(hex, HASH_BYTES(*sha));
	(void)snprintf(name, sizeof(name), EVIDENCE "%s", hex);
	return keep(d, name, p, n);
}

uint8_t *
klpdir_signatures(const struct klpdir *d, size_t max, size_t *len)
{
	return load_kept(d, SIGNATURES, max, len);
}

int
klpdir_signatures_out(const struct klpdir *d, struct file_out *o,
    const void *p, size_t n)
{
	return keep_out(d, o, SIGNATURES, p, n);
}

int
klpdir_keep_self(const struct klpdir *d, const struct fp *fp,
    const void *frame, size_t n)
{
	char name[sizeof(SELF) + 64], hex[65];

	hex_encode(hex, HASH_BYTES(*fp));
	(void)snprintf(name, sizeof(name), SELF "%s", hex);
	return keep(d, name, frame, n);
}
