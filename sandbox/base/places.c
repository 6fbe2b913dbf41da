/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/places.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "sandbox/base/sys.h"

#define LINKS_MAX 40 /* the kernel's own */
#define REST_MAX 8192

struct walk {
	int root;
	const char *covered; /* nothing of the image is seen in it; NULL */
	char *path;          /* PLACE_PATH_MAX: what is resolved */
	char rest[REST_MAX]; /* what is not */
	unsigned links;
	const char *why;     /* what path is, that it may not be */
};

static const char *const fixed[PLACE_FIXED] = {"/dev", "/tmp", "/proc"};

/* a is b, or lies in it; "": the root, in which all lies. */
static bool
within(const char *a, const char *b)
{
	size_t n = strlen(b);

	return n == 0 || (strncmp(a, b, n) == 0 &&
	    (a[n] == '\0' || a[n] == '/'));
}

static bool
is_covered(const struct walk *w)
{
	return w->covered != NULL && within(w->path, w->covered);
}

/* The link at path is replaced by what it says, before the rest. */
static bool
expand(struct walk *w, int link)
{
	char text[4096], *slash, rest[REST_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

	w->why = "a link that cannot be followed";
	if (n <= 0 || ++w->links > LINKS_MAX)
		return false;
	text[n] = '\0';
	if ((size_t)snprintf(rest, sizeof(rest), "%s/%s", text, w->rest) >=
	    sizeof(rest))
		return false;
	memcpy(w->rest, rest, sizeof(rest));
	slash = strrchr(w->path, '/');
	if (text[0] == '/' || slash == NULL)
		w->path[0] = '\0';
	else
		*slash = '\0';
	return true;
}

/* path has a new last component: what is it? */
static bool
look(struct walk *w)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (is_covered(w))
		return true;
	fd = sys_openat2(w->root, w->path, O_PATH | O_NOFOLLOW | O_CLOEXEC,
	    SYS_BENEATH);
	/* it will be made, below the image or in what covers it */
	if (fd < 0 && errno == ENOENT)
		return true;
	w->why = "not to be entered";
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (S_ISLNK(st.st_mode))
		return expand(w, fd);
	w->why = "a file and no folder";
	return S_ISDIR(st.st_mode);
}

static bool
step(struct walk *w, const char *name, size_t n)
{
	size_t len = strlen(w->path);
	char *slash;

	if (n == 0 || (n == 1 && name[0] == '.'))
		return true;
	if (n == 2 && name[0] == '.' && name[1] == '.') {
		slash = strrchr(w->path, '/');
		*(slash == NULL ? w->path : slash) = '\0';
		return true;
	}
	w->why = "too deep";
	if (len + 1 + n > PLACE_PATH_MAX)
		return false;
	(void)snprintf(w->path + len, PLACE_PATH_MAX + 1 - len, "%s%.*s",
	    len > 0 ? "/" : "", (int)n, name);
	return look(w);
}

/* NULL, or what stands in the way at out->path. */
static const char *
resolve(struct place *out, int root, const char *target, const char *covered)
{
	struct walk w = {.root = root, .covered = covered, .path = out->path};

	out->path[0] = '\0';
	(void)snprintf(w.rest, sizeof(w.rest), "%s", target);
	while (w.rest[0] != '\0') {
		size_t n = strcspn(w.rest, "/");
		char name[NAME_MAX + 1];
		size_t skip = w.rest[n] == '/' ? n + 1 : n;

		if (n >= sizeof(name))
			return "too long a name";
		memcpy(name, w.rest, n);
		name[n] = '\0';
		memmove(w.rest, w.rest + skip, strlen(w.rest + skip) + 1);
		if (!step(&w, name, n))
			return w.why;
	}
	out->in_tmp = is_covered(&w);
	return out->path[0] == '\0' ? "the root itself" : NULL;
}

static const char *
refuse(char why[PLACES_WHY], const char *code, const char *target,
    const char *at, const char *what)
{
	char t[64], a[64];

	(void)text_escape(t, sizeof(t), target, strlen(target));
	(void)text_escape(a, sizeof(a), at, strlen(at));
	if (strcmp(target + 1, at) == 0)
		(void)snprintf(why, PLACES_WHY, "%s is %s in this image", t,
		    what);
	else
		(void)snprintf(why, PLACES_WHY, "%s: /%s is %s in this image",
		    t, a, what);
	return code;
}

/* Two that would lie in each other, where the image's links lead. */
static const char *
collide(char why[PLACES_WHY], const char *code, const char *target,
    const char *other)
{
	char t[64], o[64];

	(void)text_escape(t, sizeof(t), target, strlen(target));
	(void)text_escape(o, sizeof(o), other, strlen(other));
	(void)snprintf(why, PLACES_WHY,
	    "%s and %s lie in each other by a link in this image", t, o);
	return code;
}

static bool
overlap(const struct place *a, const struct place *b)
{
	return within(a->path, b->path) || within(b->path, a->path);
}

const char *
places_find(struct place *out, int root, const char *const *targets,
    uint32_t n, char why[PLACES_WHY])
{
	const char *bad;

	for (unsigned i = 0; i < PLACE_FIXED; i++) {
		if ((bad = resolve(&out[i], root, fixed[i], NULL)) != NULL)
			return refuse(why, "image", fixed[i], out[i].path,
			    bad);
		for (unsigned k = 0; k < i; k++)
			if (overlap(&out[i], &out[k]))
				return collide(why, "image", fixed[i],
				    fixed[k]);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct place *p = &out[PLACE_FIXED + i];

		bad = resolve(p, root, targets[i], out[PLACE_TMP].path);
		if (bad != NULL)
			return refuse(why, "volume", targets[i], p->path, bad);
		for (unsigned k = 0; k < PLACE_FIXED; k++)
			if (overlap(p, &out[k]) && !(k == PLACE_TMP &&
			    p->in_tmp))
				return collide(why, "volume", targets[i],
				    fixed[k]);
		for (uint32_t k = 0; k < i; k++)
			if (overlap(p, &out[PLACE_FIXED + k]))
				return collide(why, "volume", targets[i],
				    targets[k]);
	}
	return NULL;
}
