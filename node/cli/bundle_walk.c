/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/bundle_walk.h"

#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>

#include "audit/zipout.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/wire.h"
#include "node/cli/bundle_zip.h"

#define BLOCK 65536u

static bool
say(int out, enum said kind, const void *p, size_t n,
    const struct id32 *digest)
{
	uint8_t head[5 + 32] = {(uint8_t)kind};

	put_u32(head + 1, (uint32_t)n);
	if (digest != NULL)
		memcpy(head + 5, digest->b, 32);
	return write_full(out, head, sizeof(head)) >= 0 &&
	    write_full(out, p, n) >= 0;
}

/* 1, 0: it ends here, or -1: no memory, or nobody listens. */
static int
member(struct archive *a, struct archive_entry *e, int out)
{
	const char *name = archive_entry_pathname(e);
	crypto_hash_sha256_state s;
	static uint8_t buf[BLOCK];
	struct id32 d;
	_cleanup_free_ uint8_t *sums = NULL;
	uint8_t *more;
	size_t nsums = 0;
	la_ssize_t n;
	bool list;

	if (name == NULL || strlen(name) > BUNDLE_NAME_MAX)
		return 0;
	list = strcmp(name, ZIPOUT_SUMS) == 0;
	(void)crypto_hash_sha256_init(&s);
	while ((n = archive_read_data(a, buf, sizeof(buf))) > 0) {
		(void)crypto_hash_sha256_update(&s, buf, (size_t)n);
		if (!list || nsums + (size_t)n > BUNDLE_ZIP_SUMS)
			continue;
		if ((more = realloc(sums, nsums + (size_t)n)) == NULL)
			return -1;
		sums = more;
		memcpy(sums + nsums, buf, (size_t)n);
		nsums += (size_t)n;
	}
	(void)crypto_hash_sha256_final(&s, d.b);
	/* what does not unpack is not what was packed: no such digest */
	if (n < 0)
		memset(&d, 0, sizeof(d));
	if (!say(out, SAID_MEMBER, name, strlen(name), &d) ||
	    (list && !say(out, SAID_SUMS, sums, nsums, NULL)))
		return -1;
	return n >= 0 || n == ARCHIVE_WARN || n == ARCHIVE_FAILED;
}

static const char *
why_of(struct archive *a, const char *none)
{
	const char *why = a != NULL ? archive_error_string(a) : NULL;

	return why != NULL ? why : none;
}

/* NULL: to its end. */
static const char *
members(struct archive *a, int out, int *err)
{
	struct archive_entry *e;
	int rv;

	for (unsigned i = 0; i < BUNDLE_ZIP_MEMBERS; i++) {
		rv = archive_read_next_header(a, &e);
		if (rv == ARCHIVE_EOF)
			return NULL;
		if ((rv != ARCHIVE_OK && rv != ARCHIVE_WARN) ||
		    (rv = member(a, e, out)) == 0)
			return why_of(a, "malformed");
		if (rv < 0) {
			*err = -1;
			return NULL;
		}
	}
	return NULL;
}

int
bundle_walk(int fd, int out)
{
	struct archive *a = archive_read_new();
	const char *why;
	int err = 0;

	if (a == NULL || archive_read_support_format_zip_seekable(a) !=
	    ARCHIVE_OK || archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
		why = why_of(a, "no zip archive");
	else
		why = members(a, out, &err);
	if (err == 0 && ((why != NULL && !say(out, SAID_WHY, why, strlen(why),
	    NULL)) || !say(out, SAID_END, "", 0, NULL)))
		err = -1;
	(void)archive_read_free(a);
	return err;
}
