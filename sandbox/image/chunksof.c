/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/chunksof.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "trust/doc/chunks.h"

#define FILES "files" /* share.h */
#define WINDOW (16u * CHUNK_MAX)

struct cutter {
	struct chunk_gear gear;
	chunks_of_fn *fn;
	void *ctx;
	uint8_t buf[WINDOW];
};

/* A file of what nobody writes to; one that goes meanwhile is none. */
static int
file(struct cutter *c, int dir, const char *name)
{
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	size_t have = 0, at = 0;
	struct sha256_ctx ctx;
	struct id32 id;
	bool end = fd < 0;
	int rv = 0;

	while (rv == 0) {
		ssize_t n = 1;
		size_t k;

		if (!end && have - at < CHUNK_MAX) {
			memmove(c->buf, c->buf + at, have - at);
			have -= at;
			at = 0;
			n = read(fd, c->buf + have, sizeof(c->buf) - have);
			if (n > 0)
				have += (size_t)n;
			end = n <= 0;
			continue;
		}
		k = chunk_cut(&c->gear, c->buf + at, have - at);
		if (k == 0)
			return 0;
		sha256_init(&ctx);
		sha256_update(&ctx, k, c->buf + at);
		sha256_digest(&ctx, sizeof(id.b), id.b);
		rv = c->fn(c->ctx, &id, c->buf + at, k);
		at += k;
	}
	return rv;
}

static int
folder(struct cutter *c, int dir, const char *name, bool within)
{
	DIR *d = dir_take(openat(dir, name, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW));
	struct dirent *de;
	int rv = 0;

	if (d == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	while (rv == 0 && (de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		rv = within ? file(c, dirfd(d), de->d_name) :
		    folder(c, dirfd(d), de->d_name, true);
	}
	(void)closedir(d);
	return rv;
}

int
chunks_of_store(int dir, chunks_of_fn *fn, void *ctx)
{
	static struct cutter c; /* half a megabyte: not on the stack */

	chunk_gear_init(&c.gear);
	c.fn = fn;
	c.ctx = ctx;
	return folder(&c, dir, FILES, false);
}
