/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "sandbox/image/listed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/beneath.h"
#include "common/cleanup.h"

#include "common/libc.h"

/* A folder whose block is still to come, in the order of blocks. */
struct folder {
	STAILQ_ENTRY(folder) link;
	char path[];
};
STAILQ_HEAD(folders, folder);

static int
later(struct folders *q, const char *above, const struct filelist_entry *e)
{
	size_t n = strlen(above), len = n + 1 + e->name_len + 1;
	struct folder *f = len > FILELIST_PATH ? NULL :
	    malloc(sizeof(*f) + len);
	char *p;

	if (f == NULL) {
		errno = len > FILELIST_PATH ? ENAMETOOLONG : ENOMEM;
		return -1;
	}
	p = f->path;
	memcpy(p, above, n);
	p += n;
	if (n > 0)
		*p++ = '/';
	memcpy(p, e->name, e->name_len);
	p[e->name_len] = '\0';
	STAILQ_INSERT_TAIL(q, f, link);
	return 0;
}

static int
block(struct folders *q, int root, struct rd *list, const char *path,
    listed_fn *fn, int (*after)(void *, int), void *ctx)
{
	_cleanup_fd_ int dir = beneath_open(root, path, O_RDONLY |
	    O_DIRECTORY);
	struct filelist_entry e;
	char name[FILELIST_NAME + 1];
	uint32_t n;
	int rv = 0;

	if (dir < 0)
		return -1;
	if (!filelist_block(list, &n)) {
		errno = EINVAL;
		return -1;
	}
	for (uint32_t i = 0; rv == 0 && i < n; i++) {
		if (!filelist_entry(list, &e)) {
			errno = EINVAL;
			return -1;
		}
		memcpy(name, e.name, e.name_len);
		name[e.name_len] = '\0';
		if (e.type == 'd')
			rv = later(q, path, &e);
		else if (e.type == 'f')
			rv = fn(ctx, dir, name, &e);
	}
	return rv == 0 && after != NULL ? after(ctx, dir) : rv;
}

int
listed_each(int root, const uint8_t *list, size_t len, listed_fn *fn,
    int (*after)(void *, int), void *ctx)
{
	struct folders q = STAILQ_HEAD_INITIALIZER(q);
	const struct filelist_entry top = {.name = (const uint8_t *)""};
	struct folder *f;
	struct rd r;
	int rv, err;

	if (!filelist_begin(&r, list, len)) {
		errno = EINVAL;
		return -1;
	}
	rv = later(&q, "", &top);
	while ((f = STAILQ_FIRST(&q)) != NULL) {
		STAILQ_REMOVE_HEAD(&q, link);
		if (rv == 0)
			rv = block(&q, root, &r, f->path, fn, after, ctx);
		err = errno;
		free(f);
		errno = err;
	}
	return rv;
}
