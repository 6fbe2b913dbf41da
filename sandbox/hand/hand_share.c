/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/hand/hand_share.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/plan/recipe.h"

#define KEPT "kept"	/* a link to each file that came */
#define PARTS "parts"	/* what is made */
#define COPY (64u << 10)

struct want {
	struct parts_place at;
	bool found;
};

struct share {
	int kept, out;
	uint32_t nkept;
	struct image_head head;
	uint8_t *manifest, *config;
	/* while it ends */
	struct want *want;
	size_t nwant;
	char *paths;
	size_t paths_len, paths_cap;
	uint64_t at, rest_len;
	FILE *rest;
	struct chunk_gear gear;
};

int
share_start(struct import *im)
{
	struct share *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return import_fail(im, "memory");
	s->kept = s->out = -1;
	im->share = s;
	if (mkdirat(im->v, KEPT, 0700) < 0 || (s->kept = openat(im->v, KEPT,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return import_fail(im, "folder: %s", strerror(errno));
	chunk_gear_init(&s->gear);
	return 0;
}

int
share_begin(struct import *im)
{
	if (im->share == NULL)
		return 0;
	if (im->share->head.nlayers == IMAGE_HEAD_LAYERS)
		return import_fail(im, "too many layers");
	im->maker = recipe_maker_new();
	return im->maker != NULL ? 0 : import_fail(im, "memory");
}

static void
recipe_name(char name[32], unsigned i)
{
	(void)snprintf(name, 32, "recipe-%u", i);
}

static int
write_recipe(struct import *im, const struct recipe_made *made,
    struct image_head_layer *l)
{
	const void *part[] = {made->head, made->contents, made->steps,
	    made->literal};
	const size_t len[] = {sizeof(made->head), made->contents_len,
	    made->steps_len, made->literal_len};
	_cleanup_fd_ int fd = -1;
	struct sha256_ctx ctx;
	char name[32];

	recipe_name(name, im->share->head.nlayers);
	fd = openat(im->v, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	sha256_init(&ctx);
	for (unsigned i = 0; i < NELEM(part); i++) {
		if (len[i] == 0)
			continue;
		sha256_update(&ctx, len[i], part[i]);
		l->recipe_len += (uint32_t)len[i];
		if (write_full(fd, part[i], len[i]) < 0)
			return -1;
	}
	sha256_digest(&ctx, sizeof(l->recipe.b), l->recipe.b);
	return 0;
}

int
share_layer(struct import *im, const struct id32 *diff)
{
	struct share *s = im->share;
	struct image_head_layer *l;
	struct recipe_made made;
	const char *why;
	int rv = 0;

	if (s == NULL)
		return 0;
	l = &s->head.layer[s->head.nlayers];
	memset(l, 0, sizeof(*l));
	if ((why = recipe_made(im->maker, &made)) != NULL) {
		rv = import_fail(im, "it cannot be shared: %s", why);
	} else if (write_recipe(im, &made, l) < 0) {
		rv = import_fail(im, "recipe: %s", strerror(errno));
	} else {
		l->diff = *diff;
		l->size = get_u64(made.head + 4);
		s->head.nlayers++;
	}
	recipe_maker_free(im->maker);
	im->maker = NULL;
	return rv;
}

int
share_file(struct import *im, int folder, const char *name)
{
	char as[16];

	if (im->share == NULL || im->maker == NULL)
		return 0;
	(void)snprintf(as, sizeof(as), "%u", im->share->nkept++);
	return linkat(folder, name, im->share->kept, as, 0);
}

static int
document(struct import *im, uint8_t **to, uint32_t *len, const void *p,
    size_t n)
{
	if (n > IMAGE_HEAD_DOC)
		return import_fail(im, "a document is too large");
	free(*to);
	if ((*to = malloc(n + 1)) == NULL)
		return import_fail(im, "memory");
	memcpy(*to, p, n);
	*len = (uint32_t)n;
	return 0;
}

int
share_manifest(struct import *im, const void *p, size_t n)
{
	struct share *s = im->share;

	return s == NULL ? 0 : document(im, &s->manifest,
	    &s->head.manifest_len, p, n);
}

int
share_config(struct import *im, const void *p, size_t n)
{
	struct share *s = im->share;

	return s == NULL ? 0 : document(im, &s->config, &s->head.config_len, p,
	    n);
}

static int
document_of(struct import *im, int fd,
    int (*keep)(struct import *, const void *, size_t))
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t n = 0;
	ssize_t k = 0;

	if (im->share == NULL)
		return 0;
	if ((buf = malloc(IMPORT_JSON_MAX)) == NULL)
		return import_fail(im, "memory");
	while (n < IMPORT_JSON_MAX && (k = pread(fd, buf + n,
	    IMPORT_JSON_MAX - n, (off_t)n)) > 0)
		n += (size_t)k;
	return k < 0 ? import_fail(im, "read: %s", strerror(errno)) :
	    keep(im, buf, n);
}

int
share_manifest_of(struct import *im, int fd)
{
	return document_of(im, fd, share_manifest);
}

int
share_config_of(struct import *im, int fd)
{
	return document_of(im, fd, share_config);
}

/* ---- where all of it lies ---- */

static int
by_digest(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	return memcmp(x->at.digest.b, y->at.digest.b,
	    sizeof(x->at.digest.b));
}

static int
want_of_layer(struct import *im, unsigned i)
{
	struct share *s = im->share;
	_cleanup_free_ char *p = NULL;
	struct want *more;
	struct recipe r;
	const char *why;
	char name[32];
	size_t len;

	recipe_name(name, i);
	p = file_load(im->v, name, RECIPE_MAX, &len);
	if (p == NULL || !recipe_read(&r, (const uint8_t *)p, len, &why))
		return -1;
	more = reallocarray(s->want, s->nwant + r.ncontents + 1,
	    sizeof(*more));
	if (more == NULL)
		return -1;
	s->want = more;
	for (uint32_t k = 0; k < r.ncontents; k++)
		s->want[s->nwant++] = (struct want){.at = {
		    .digest = *recipe_digest(&r, k),
		    .size = (uint16_t)recipe_size(&r, k)}};
	return 0;
}

static int
want_all(struct import *im)
{
	struct share *s = im->share;
	size_t n = 0;

	for (unsigned i = 0; i < s->head.nlayers; i++)
		if (want_of_layer(im, i) < 0)
			return import_fail(im, "its recipe is not what was "
			    "written");
	if (s->nwant == 0)
		return 0;
	qsort(s->want, s->nwant, sizeof(*s->want), by_digest);
	for (size_t i = 0; i < s->nwant; i++)
		if (n == 0 || by_digest(&s->want[i], &s->want[n - 1]) != 0)
			s->want[n++] = s->want[i];
	s->nwant = n;
	return 0;
}

/* Its place in paths, where it has one now; -1: no more room. */
static int
add_path(struct share *s, const char *path, uint32_t *at)
{
	size_t n = strlen(path) + 1;

	if (s->paths_len + n >= UINT32_MAX)
		return -1;
	if (s->paths_len + n > s->paths_cap) {
		size_t cap = (s->paths_len + n) * 2 + 4096;
		char *more = realloc(s->paths, cap);

		if (more == NULL)
			return -1;
		s->paths = more;
		s->paths_cap = cap;
	}
	memcpy(s->paths + s->paths_len, path, n);
	*at = (uint32_t)s->paths_len;
	s->paths_len += n;
	return 0;
}

/* One chunk of a file; path NULL: it is in no file of the root. */
static int
found(struct share *s, const uint8_t *p, size_t n, uint64_t off,
    const char *path, uint32_t *at)
{
	struct want key, *w;
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, n, p);
	sha256_digest(&ctx, sizeof(key.at.digest.b), key.at.digest.b);
	w = bsearch(&key, s->want, s->nwant, sizeof(*w), by_digest);
	if (w == NULL || w->found)
		return 0;
	if (path == NULL) {
		w->at.path = PARTS_NO_PATH;
		w->at.at = s->rest_len;
		s->rest_len += n;
		if (fwrite(p, 1, n, s->rest) != n)
			return -1;
	} else {
		if (*at == PARTS_NO_PATH && add_path(s, path, at) < 0)
			return -1;
		w->at.path = *at;
		w->at.at = off;
	}
	w->found = true;
	return 0;
}

static int
look_file(struct share *s, int fd, const char *path)
{
	static uint8_t buf[CHUNK_MAX];
	uint32_t at = PARTS_NO_PATH;
	uint64_t off = 0;

	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), (off_t)off);
		size_t k;

		if (n < 0)
			return -1;
		if (n == 0)
			return 0;
		k = chunk_cut(&s->gear, buf, (size_t)n);
		if (found(s, buf, k, off, path, &at) < 0)
			return -1;
		off += k;
	}
}

struct folder {
	struct folder *next;
	char path[];
};

static int
later(struct folder **stack, const char *path)
{
	struct folder *f = malloc(sizeof(*f) + strlen(path) + 1);

	if (f == NULL)
		return -1;
	memcpy(f->path, path, strlen(path) + 1);
	f->next = *stack;
	*stack = f;
	return 0;
}

static int
look_entry(struct share *s, int dir, const char *name, const char *path,
    struct folder **stack)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return later(stack, path);
	if (!S_ISREG(st.st_mode) || st.st_size < RECIPE_LEAST)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) /* nobody may read it: its bytes are in the recipe */
		return errno == EACCES ? 0 : -1;
	return look_file(s, fd, path);
}

static int
look_folder(struct import *im, const char *path, struct folder **stack)
{
	char real[IMPORT_PATH_MAX + 1], below[IMPORT_PATH_MAX + 260];
	DIR *d = dir_take(import_folder(im->root, path, false, real));
	struct dirent *de;
	int rv = 0;

	if (d == NULL)
		return -1;
	while (rv == 0 && (de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof(below), "%s%s%s", path,
		    path[0] != '\0' ? "/" : "", de->d_name);
		rv = look_entry(im->share, dirfd(d), de->d_name, below, stack);
	}
	(void)closedir(d);
	return rv;
}

static int
look_root(struct import *im)
{
	struct folder *stack = NULL, *f;
	int rv = later(&stack, "");

	while ((f = stack) != NULL) {
		stack = f->next;
		if (rv == 0)
			rv = look_folder(im, f->path, &stack);
		free(f);
	}
	return rv;
}

/* Files that no layer left in the root; the links to all others go. */
static int
look_kept(struct share *s)
{
	char name[16];
	struct stat st;
	int rv = 0;

	for (uint32_t i = 0; rv == 0 && i < s->nkept; i++) {
		_cleanup_fd_ int fd = -1;

		(void)snprintf(name, sizeof(name), "%u", i);
		if (fstatat(s->kept, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		if (st.st_nlink == 1 && st.st_size >= RECIPE_LEAST &&
		    (st.st_mode & 0400) != 0) {
			fd = openat(s->kept, name, O_RDONLY | O_CLOEXEC |
			    O_NOFOLLOW);
			rv = fd < 0 ? -1 : look_file(s, fd, NULL);
		}
		if (unlinkat(s->kept, name, 0) < 0)
			return -1;
	}
	return rv;
}

/* ---- the file ---- */

static int
out(struct share *s, const void *p, size_t n)
{
	s->at += n;
	return write_full(s->out, p, n);
}

static int
out_fd(struct share *s, int fd)
{
	static uint8_t buf[COPY];
	off_t off = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), off)) > 0) {
		if (out(s, buf, (size_t)n) < 0)
			return -1;
		off += n;
	}
	return n < 0 ? -1 : 0;
}

static int
out_head(struct share *s)
{
	size_t cap = IMAGE_HEAD_FIXED + s->head.manifest_len +
	    s->head.config_len + s->head.nlayers * (size_t)IMAGE_HEAD_LAYER;
	_cleanup_free_ uint8_t *buf = malloc(cap);
	struct wr w = wr_make(buf, buf == NULL ? 0 : cap);

	s->head.manifest = s->manifest;
	s->head.config = s->config;
	image_head_put(&w, &s->head);
	return wr_ok(&w) ? out(s, buf, w.len) : -1;
}

static int
out_recipes(struct import *im)
{
	char name[32];

	for (unsigned i = 0; i < im->share->head.nlayers; i++) {
		_cleanup_fd_ int fd = -1;

		recipe_name(name, i);
		fd = openat(im->v, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 || out_fd(im->share, fd) < 0 ||
		    unlinkat(im->v, name, 0) < 0)
			return -1;
	}
	return 0;
}

static int
out_places(struct share *s)
{
	uint8_t place[PARTS_PLACE];

	for (size_t i = 0; i < s->nwant; i++) {
		parts_place_put(place, &s->want[i].at);
		if (out(s, place, sizeof(place)) < 0)
			return -1;
	}
	return 0;
}

static int
write_parts(struct import *im)
{
	struct share *s = im->share;
	uint8_t fixed[PARTS_FIXED] = {0};
	struct parts p = {.nplaces = (uint32_t)s->nwant,
	    .paths_len = s->paths_len, .rest_len = s->rest_len};

	s->out = openat(im->v, PARTS, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (s->out < 0 || out(s, fixed, sizeof(fixed)) < 0 || out_head(s) < 0)
		return -1;
	p.head_len = (uint32_t)(s->at - PARTS_FIXED);
	if (out_recipes(im) < 0)
		return -1;
	p.places = s->at;
	if (out_places(s) < 0)
		return -1;
	p.paths = s->at;
	if (s->paths_len > 0 && out(s, s->paths, s->paths_len) < 0)
		return -1;
	p.rest = s->at;
	if (fflush(s->rest) != 0 || out_fd(s, fileno(s->rest)) < 0)
		return -1;
	parts_put(fixed, &p);
	return pwrite(s->out, fixed, sizeof(fixed), 0) == sizeof(fixed) ?
	    fchmod(s->out, 0444) : -1;
}

static int
finish(struct import *im, const struct id32 *manifest)
{
	struct share *s = im->share;
	struct sha256_ctx ctx;
	struct id32 is;
	int fd;

	if (s->manifest == NULL || s->config == NULL)
		return import_fail(im, "its documents cannot be shared");
	sha256_init(&ctx);
	sha256_update(&ctx, s->head.manifest_len, s->manifest);
	sha256_digest(&ctx, sizeof(is.b), is.b);
	if (!id32_eq(&is, manifest))
		return import_fail(im, "manifest: changed while it was read");
	if (want_all(im) < 0)
		return -1;
	fd = openat(im->v, "rest", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0 || (s->rest = fdopen(fd, "w+")) == NULL ||
	    look_root(im) < 0 || look_kept(s) < 0)
		return import_fail(im, "what it is made of: %s",
		    strerror(errno));
	for (size_t i = 0; i < s->nwant; i++)
		if (!s->want[i].found)
			return import_fail(im, "it cannot be shared: a file "
			    "of it is not what its layer has");
	return write_parts(im) == 0 && unlinkat(im->v, "rest", 0) == 0 &&
	    unlinkat(im->v, KEPT, AT_REMOVEDIR) == 0 ? 0 :
	    import_fail(im, "parts: %s", strerror(errno));
}

int
share_finish(struct import *im, const struct id32 *manifest)
{
	struct share *s = im->share;
	int rv = s == NULL ? 0 : finish(im, manifest);

	if (s == NULL)
		return rv;
	if (s->rest != NULL)
		(void)fclose(s->rest);
	if (s->out >= 0)
		(void)close(s->out);
	if (s->kept >= 0)
		(void)close(s->kept);
	free(s->manifest);
	free(s->config);
	free(s->want);
	free(s->paths);
	free(s);
	im->share = NULL;
	return rv;
}
