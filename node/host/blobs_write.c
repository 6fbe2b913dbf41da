/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/blobs_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An output: written once, its digest known at the end. */

struct blob_writer {
	struct blobs *b;
	int fd;
	char name[40];
	uint64_t size;
	struct sha256_ctx hash;
};

struct blob_writer *
blob_writer_open(struct blobs *b)
{
	struct blob_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->b = b;
	sha256_init(&w->hash);
	/* swept at the next start if it stays */
	(void)snprintf(w->name, sizeof(w->name), "out-%llu",
	    (unsigned long long)++b->serial);
	w->fd = openat(b->whole, w->name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0) {
		free(w);
		return NULL;
	}
	return w;
}

int
blob_writer_add(struct blob_writer *w, const uint8_t *p, size_t n)
{
	if (!write_at(w->fd, p, n, w->size))
		return -1;
	sha256_update(&w->hash, n, p);
	w->size += n;
	return 0;
}

uint64_t
blob_writer_size(const struct blob_writer *w)
{
	return w->size;
}

int
blob_writer_finish(struct blob_writer *w, const struct fp *fp,
    uint32_t unix_now, struct id32 *sha, uint64_t *size)
{
	char name[65];
	struct blobs *b = w->b;

	sha256_digest(&w->hash, 32, sha->b);
	whole_name(name, sha);
	*size = w->size;
	/* content that another owner has here already takes no more of the disk */
	if (own_find(b, fp, sha) == NULL && !(owned_by_any(b, sha) ?
		peer_room : blobs_room)(b, fp, blobs_charge(w->size))) {
		errno = EDQUOT;
		blob_writer_abort(w);
		return -1;
	}
	if (fdatasync(w->fd) != 0 ||
	    renameat(b->whole, w->name, b->whole, name) != 0 ||
	    fsync(b->whole) != 0 ||
	    own_add(b, fp, sha, w->size, unix_now) == NULL) {
		blob_writer_abort(w);
		return -1;
	}
	(void)ledger_own(b->ledger, fp, sha, w->size, unix_now);
	(void)close(w->fd);
	free(w);
	return 0;
}

void
blob_writer_abort(struct blob_writer *w)
{
	int e = errno;

	if (w == NULL)
		return;
	(void)unlinkat(w->b->whole, w->name, 0);
	(void)close(w->fd);
	free(w);
	errno = e;
}
