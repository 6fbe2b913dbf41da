/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/image/parts.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/fileat.h"
#include "common/util.h"
#include "sandbox/base/sys.h"

/* Does every section lie in the file? */
static bool
in_file(const struct image_parts *i)
{
	const struct parts *p = &i->p;

	return PARTS_FIXED + (uint64_t)p->head_len <= p->places &&
	    p->places <= i->size && (uint64_t)p->nplaces * PARTS_PLACE <=
	    i->size - p->places && p->paths <= i->size &&
	    p->paths_len <= i->size - p->paths && p->rest <= i->size &&
	    p->rest_len <= i->size - p->rest;
}

static bool
read_head(struct image_parts *i)
{
	uint8_t fixed[PARTS_FIXED], head[IMAGE_HEAD_FIXED];
	struct rd r = rd_make(head, sizeof(head));
	struct stat st;

	if (fstat(i->fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    !read_at(i->fd, fixed, sizeof(fixed), 0) ||
	    !parts_read(&i->p, fixed) ||
	    !read_at(i->fd, head, sizeof(head), PARTS_FIXED))
		return false;
	i->size = (uint64_t)st.st_size;
	return rd_skip(&r, 12) && rd_u16(&r, &i->nlayers) && in_file(i) &&
	    i->nlayers <= IMAGE_HEAD_LAYERS && IMAGE_HEAD_FIXED +
	    i->nlayers * IMAGE_HEAD_LAYER <= i->p.head_len;
}

int
parts_open(struct image_parts *i, int dir, const struct id32 *image)
{
	char path[96], hex[65];

	hex_encode(hex, HASH_BYTES(*image));
	(void)snprintf(path, sizeof(path), "meta/%s.parts", hex);
	i->root = -1;
	i->fd = sys_openat2(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK,
	    SYS_BENEATH);
	if (i->fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "roots/%s", hex);
	i->root = sys_openat2(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC,
	    SYS_BENEATH);
	if (i->root >= 0 && read_head(i))
		return 0;
	if (i->root >= 0)
		errno = EINVAL;
	parts_close(i);
	return -1;
}

void
parts_close(struct image_parts *i)
{
	close_fd(&i->root);
	close_fd(&i->fd);
}

/* Where the recipe of layer number k lies. */
static bool
recipe_place(const struct image_parts *i, uint64_t k, uint64_t *at,
    uint64_t *size)
{
	uint8_t layer[IMAGE_HEAD_LAYER];

	*at = PARTS_FIXED + (uint64_t)i->p.head_len;
	for (uint64_t n = 0; n <= k; n++) {
		if (!read_at(i->fd, layer, sizeof(layer), PARTS_FIXED +
			IMAGE_HEAD_FIXED + n * IMAGE_HEAD_LAYER))
			return false;
		if (n < k)
			*at += get_u32(layer + 40);
	}
	*size = get_u32(layer + 40);
	return *at <= i->size && *size <= i->size - *at;
}

ssize_t
parts_part(const struct image_parts *i, uint64_t part, uint64_t off, void *buf,
    size_t n, uint64_t *size)
{
	uint64_t at = PARTS_FIXED;

	*size = i->p.head_len;
	if (part > i->nlayers) {
		errno = ENOENT;
		return -1;
	}
	if (part > 0 && !recipe_place(i, part - 1, &at, size)) {
		errno = EINVAL;
		return -1;
	}
	if (off >= *size)
		return 0;
	n = (size_t)MIN_OF((uint64_t)n, *size - off);
	return read_at(i->fd, buf, n, at + off) ? (ssize_t)n : -1;
}

static bool
find(const struct image_parts *i, const struct id32 *digest,
    struct parts_place *p)
{
	uint8_t buf[PARTS_PLACE];
	uint32_t from = 0, to = i->p.nplaces;

	while (from < to) {
		uint32_t mid = from + (to - from) / 2;
		int rel;

		if (!read_at(i->fd, buf, sizeof(buf), i->p.places +
			(uint64_t)mid * PARTS_PLACE))
			return false;
		parts_place_read(p, buf);
		rel = memcmp(digest->b, p->digest.b, sizeof(digest->b));
		if (rel == 0)
			return p->size > 0 && p->size <= CHUNK_MAX;
		if (rel < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return false;
}

/* The file of the root that it names, over no link. */
static int
open_path(const struct image_parts *i, uint32_t at)
{
	char path[4096 + 1];
	uint64_t left = i->p.paths_len - MIN_OF((uint64_t)at,
	    i->p.paths_len);
	size_t n = (size_t)MIN_OF(left, (uint64_t)sizeof(path));

	if (n == 0 || !read_at(i->fd, path, n, i->p.paths + at) ||
	    memchr(path, '\0', n) == NULL)
		return -1;
	return sys_openat2(i->root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY, SYS_BENEATH);
}

ssize_t
parts_content(const struct image_parts *i, const struct id32 *digest,
    uint8_t *buf, size_t n)
{
	_cleanup_fd_ int fd = -1;
	struct sha256_ctx ctx;
	struct parts_place p;
	struct id32 is;
	bool whole;

	if (!find(i, digest, &p)) {
		errno = ENOENT;
		return -1;
	}
	if (p.size > n)
		return 0;
	if (p.path == PARTS_NO_PATH) {
		whole = p.at <= i->p.rest_len &&
		    p.size <= i->p.rest_len - p.at &&
		    read_at(i->fd, buf, p.size, i->p.rest + p.at);
	} else {
		fd = open_path(i, p.path);
		whole = fd >= 0 && p.at <= INT64_MAX - CHUNK_MAX &&
		    read_at(fd, buf, p.size, p.at);
	}
	if (whole) {
		sha256_init(&ctx);
		sha256_update(&ctx, p.size, buf);
		sha256_digest(&ctx, sizeof(is.b), is.b);
		if (id32_eq(&is, digest))
			return p.size;
	}
	errno = EBADMSG;
	return -1;
}
