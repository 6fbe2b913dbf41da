/* SPDX-License-Identifier: BSD-2-Clause */
/* A plain folder: the packer's stream, links as an image has them. */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "sandbox/base/tar.h"
#include "sandbox/hand/hand_image.h"
#include "sandbox/hand/hand_import.h"
#include "sandbox/hand/hand_share.h"
#include "sandbox/plan/recipe.h"

struct plain {
	struct import *im;
	struct tar_reader *r;
	struct sha256_ctx ctx;
	uint64_t size;
	int file;
};

/* The form of compute.md 2.2 has no times: equal folders are equal files. */
static void
plain_end(struct plain *p)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = 0}};

	if (p->file < 0)
		return;
	(void)futimens(p->file, t);
	(void)close(p->file);
	p->file = -1;
}

static int
plain_member(struct plain *p, const struct tar_member *m)
{
	char path[IMPORT_PATH_MAX + 1], real[IMPORT_PATH_MAX + 1], *name;
	_cleanup_fd_ int up = -1;
	int rv = -1;

	plain_end(p);
	(void)snprintf(path, sizeof(path), "%s", m->path);
	up = import_parent(p->im->root, path, false, &name, real);
	p->im->members++;
	if (up < 0)
		return import_fail(p->im, "%s: %s", m->path, strerror(errno));
	if (m->type == TAR_DIR)
		rv = mkdirat(up, name, 0755);
	else if (m->type == TAR_LINK)
		rv = symlinkat(m->link, up, name);
	else if ((p->file = openat(up, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600)) >= 0)
		rv = fchmod(p->file, (m->mode & 0400 ? 0444 : 0) |
		    (m->mode & 0100 ? 0111 : 0));
	return rv == 0 ? 0 : import_fail(p->im, "%s: %s", m->path,
	    strerror(errno));
}

static int
plain_bytes(struct plain *p, const uint8_t *in, size_t len)
{
	const struct tar_member *m = NULL;
	const uint8_t *data;
	size_t n;

	sha256_update(&p->ctx, len, in);
	if (p->im->maker != NULL)
		recipe_make(p->im->maker, in, len);
	p->size += len;
	for (;;) {
		switch (tar_read(p->r, &m, &data, &n, &in, &len)) {
		case TAR_MORE:
			return 0;
		case TAR_MEMBER:
			if (plain_member(p, m) < 0)
				return -1;
			break;
		case TAR_DATA:
			if (import_count(p->im, n) < 0)
				return -1;
			while (n > 0) {
				ssize_t k = write(p->file, data, n);

				if (k <= 0)
					return import_fail(p->im, "write: %s",
					    strerror(errno));
				data += k;
				n -= (size_t)k;
			}
			break;
		case TAR_BAD:
			return import_fail(p->im, "%s",
			    tar_strerror(tar_reader_error(p->r)));
		}
	}
}

int
hand_import_plain(bool share)
{
	static struct image img;
	static uint8_t buf[65536];
	struct import im;
	struct plain p = {.im = &im, .file = -1};
	struct reader_sums sums;
	ssize_t n = 0;
	int rv = 0;

	if (!image_start(&im, &img, share) || share_begin(&im) < 0)
		return image_finish(&im, &img, -1);
	if ((p.r = tar_reader_new()) == NULL)
		return image_finish(&im, &img, import_fail(&im, "memory"));
	tar_reader_any_links(p.r);
	sha256_init(&p.ctx);
	while (rv == 0 && (n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		rv = plain_bytes(&p, buf, (size_t)n);
	if (rv == 0 && (n < 0 || tar_reader_end(p.r) != TAR_OK))
		rv = import_fail(&im, "the folder could not be read whole");
	if (rv == 0) {
		sha256_digest(&p.ctx, 32, sums.raw.b);
		sums.raw_bytes = p.size;
		sums.diff = sums.raw;
		sums.diff_bytes = p.size;
		rv = share_layer(&im, &sums.diff) < 0 ? -1 :
		    image_plain(&im, &img, &sums);
	}
	plain_end(&p);
	tar_reader_free(p.r);
	return image_finish(&im, &img, rv);
}
