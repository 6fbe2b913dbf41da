/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"
#include "sandbox/base/tar.h"

#define PACK_FILE_MAX (64u << 20)

struct packing {
	int fd;
	struct sha256_ctx hash;
	uint64_t size;
	bool full; /* it was the pack that could not be written */
};

static const char *
pack_place(void)
{
	const char *dir = getenv("TMPDIR");

	return dir != NULL && dir[0] == '/' ? dir : "/tmp";
}

int
pack_temp(void)
{
	const char *dir = pack_place();
	char path[CLI_PATH];
	int fd;

	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (!cli_path(path, dir, "warren-XXXXXX"))
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static int
sink(void *arg, const void *data, size_t n)
{
	struct packing *p = arg;

	if (write_full(p->fd, data, n) != 0) {
		p->full = true;
		return -1;
	}
	sha256_update(&p->hash, n, data);
	p->size += n;
	return 0;
}

/* What went wrong where volumes are packed is no fault of what is packed. */
static void
no_pack(char *why, size_t cap, int err)
{
	(void)snprintf(why, cap, "cannot be packed in %.150s (TMPDIR says "
				 "where): %s", pack_place(), strerror(err));
}

static void
packed(struct pack *out, struct packing *p, int *fd)
{
	sha256_digest(&p->hash, sizeof(out->sha256), out->sha256.b);
	out->size = p->size;
	out->fd = steal_fd(fd);
}

int
pack_quiet(int dir, const char *path, enum tree_mode mode, struct pack *out,
    char why[256])
{
	_cleanup_fd_ int from = openat(dir, path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = from >= 0 ? pack_temp() : -1;
	struct packing p = {.fd = fd};
	struct tree_report rep = {0};

	out->fd = -1;
	out->left.count = out->left.len = 0;
	sha256_init(&p.hash);
	if (fd < 0 || tree_pack(from, mode, sink, &p, &rep) != 0) {
		int err = errno;

		if (why != NULL && from >= 0 && (fd < 0 || p.full))
			no_pack(why, sizeof(rep.why), err);
		else if (why != NULL)
			(void)snprintf(why, sizeof(rep.why), "%s",
			    rep.why[0] != '\0' ? rep.why : strerror(err));
		errno = err;
		return -1;
	}
	out->left = rep.left;
	packed(out, &p, &fd);
	return 0;
}

bool
pack_folder(struct cli *c, int dir, const char *path, enum tree_mode mode,
    struct pack *out)
{
	char why[256] = "";

	if (pack_quiet(dir, path, mode, out, why) == 0)
		return true;
	cli_error(c, "volume %s: %s", path, why);
	return false;
}

bool
pack_empty(struct cli *c, struct pack *out)
{
	static const uint8_t end[2 * TAR_BLOCK]; /* compute.md 2.2 */
	_cleanup_fd_ int fd = pack_temp();
	struct packing p = {.fd = fd};
	char why[256];

	out->fd = -1;
	out->left.count = out->left.len = 0;
	sha256_init(&p.hash);
	if (fd < 0 || sink(&p, end, sizeof(end)) != 0) {
		no_pack(why, sizeof(why), errno);
		cli_error(c, "an empty volume %s", why);
		return false;
	}
	packed(out, &p, &fd);
	return true;
}

bool
pack_file(struct cli *c, int dir, const char *path, struct pack *out)
{
	_cleanup_fd_ int from = openat(dir, path, O_RDONLY | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;
	struct packing p = {0};
	uint8_t buf[65536];
	char why[256];
	ssize_t n;
	bool temp = false;

	out->fd = -1;
	fd = from >= 0 ? pack_temp() : -1;
	p.fd = fd;
	temp = from >= 0 && fd < 0;
	sha256_init(&p.hash);
	while (fd >= 0 && (n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p.size + (uint64_t)n > PACK_FILE_MAX)
			errno = EFBIG;
		else if (n > 0 && sink(&p, buf, (size_t)n) == 0)
			continue;
		cleanup_fdp(&fd);
		fd = -1;
	}
	if (fd < 0) {
		(void)snprintf(why, sizeof(why), "%s", strerror(errno));
		if (temp || p.full)
			no_pack(why, sizeof(why), errno);
		cli_error(c, "%s: %s", path, why);
		return false;
	}
	packed(out, &p, &fd);
	return true;
}

bool
pack_digest(int fd, struct id32 *sha256, uint64_t *size)
{
	uint8_t buf[65536];
	struct sha256_ctx h;
	off_t at = 0;

	sha256_init(&h);
	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		sha256_update(&h, (size_t)n, buf);
		at += n;
	}
	sha256_digest(&h, 32, sha256->b);
	*size = (uint64_t)at;
	return true;
}

/* ---- chunks ---- */

#define CUT_WINDOW (1u << 20)

struct cutting {
	struct pack_chunks *out;
	struct chunk_gear gear;
	uint32_t n, room;
	uint64_t at;
	uint8_t *window;
};

static bool
add_chunk(struct cutting *c, const uint8_t *p, size_t n)
{
	struct sha256_ctx h;
	struct id32 d;

	if (c->n == c->room) {
		uint32_t room = MIN_OF(2 * c->room + 64, CHUNKS_MAX);
		uint8_t *list = realloc(c->out->list,
		    CHUNK_HEAD + (size_t)room * CHUNK_ENTRY);

		if (list == NULL)
			return false;
		c->out->list = list;
		c->room = room;
	}
	sha256_init(&h);
	sha256_update(&h, n, p);
	sha256_digest(&h, 32, d.b);
	chunk_list_entry(c->out->list + CHUNK_HEAD +
		(size_t)c->n * CHUNK_ENTRY, &d, (uint32_t)n);
	c->n++;
	return true;
}

/* All of it; false: errno, or 0 when there are too many. */
static bool
cut_all(struct cutting *c, const struct pack *p)
{
	size_t have = 0, used = 0;

	while (c->at + have < p->size || used < have) {
		size_t len;

		if (have - used < CHUNK_MAX && c->at + have < p->size) {
			ssize_t n;

			memmove(c->window, c->window + used, have - used);
			c->at += used;
			have -= used;
			used = 0;
			n = pread(p->fd, c->window + have, CUT_WINDOW - have,
			    (off_t)(c->at + have));
			if (n < 0 && errno == EINTR)
				continue;
			if (n <= 0) {
				errno = n < 0 ? errno : EIO;
				return false;
			}
			have += (size_t)n;
			continue;
		}
		errno = 0;
		if (c->n == CHUNKS_MAX)
			return false;
		len = chunk_cut(&c->gear, c->window + used, have - used);
		if (!add_chunk(c, c->window + used, len))
			return false;
		used += len;
	}
	return true;
}

bool
pack_cut(struct pack_chunks *out, const struct pack *p)
{
	struct cutting c = {.out = out};
	struct chunk_list l;
	const char *why = NULL;
	struct sha256_ctx h;
	bool all;

	memset(out, 0, sizeof(*out));
	if (p->size <= CHUNKED_FROM)
		return true;
	if ((c.window = malloc(CUT_WINDOW)) == NULL)
		return false;
	chunk_gear_init(&c.gear);
	all = cut_all(&c, p);
	free(c.window);
	if (!all) {
		int err = errno;

		pack_chunks_free(out);
		errno = err;
		return err == 0;
	}
	out->len = CHUNK_HEAD + (size_t)c.n * CHUNK_ENTRY;
	chunk_list_head(out->list, c.n, p->size);
	sha256_init(&h);
	sha256_update(&h, out->len, out->list);
	sha256_digest(&h, 32, out->sha256.b);
	if (chunk_list_read(&l, out->list, out->len, &why) &&
	    chunk_table_make(&out->t, &l, &why))
		return true;
	pack_chunks_free(out);
	errno = why == NULL ? ENOMEM : EIO;
	return false;
}

void
pack_chunks_free(struct pack_chunks *c)
{
	chunk_table_free(&c->t);
	free(c->list);
	c->list = NULL;
}
