/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/zipout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>

#include "common/file.h"
#include "common/util.h"

#define END 22		/* bytes of the zip's end record */
#define END_COMMENT 20	/* ... where the comment's length stands */

struct zipout {
	int fd, error;
	uint64_t most, wrote;
	uint32_t when;
	size_t comment;
	struct archive *zip;
	struct archive_entry *entry;
	crypto_hash_sha256_state whole, member;
	char name[1400];
	uint8_t tail[END]; /* held back: the end record is known last */
	size_t ntail;
	char *sums;
	size_t nsums, cap;
	uint32_t members;
};

static int
fail(struct zipout *z, int error)
{
	if (z->error == 0)
		z->error = error != 0 ? error : EIO;
	errno = z->error;
	return -1;
}

static int
put(struct zipout *z, const void *p, size_t n)
{
	if (n > z->most - z->wrote)
		return fail(z, EFBIG);
	if (write_full(z->fd, p, n) < 0)
		return fail(z, errno);
	(void)crypto_hash_sha256_update(&z->whole, p, n);
	z->wrote += n;
	return 0;
}

/* All but the last END bytes of all that has come so far. */
static la_ssize_t
on_write(struct archive *a, void *arg, const void *buf, size_t n)
{
	struct zipout *z = arg;
	const uint8_t *p = buf;
	size_t old;

	(void)a;
	if (z->error != 0)
		return -1;
	if (n >= END) {
		if (put(z, z->tail, z->ntail) < 0 ||
		    put(z, p, n - END) < 0)
			return -1;
		memcpy(z->tail, p + n - END, END);
		z->ntail = END;
		return (la_ssize_t)n;
	}
	old = z->ntail + n > END ? z->ntail + n - END : 0;
	if (put(z, z->tail, old) < 0)
		return -1;
	memmove(z->tail, z->tail + old, z->ntail - old);
	memcpy(z->tail + z->ntail - old, p, n);
	z->ntail = z->ntail - old + n;
	return (la_ssize_t)n;
}

struct zipout *
zipout_new(int fd, uint64_t most, uint32_t when, size_t comment)
{
	struct zipout *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return NULL;
	z->fd = fd;
	z->most = most;
	z->when = when;
	z->comment = comment;
	(void)crypto_hash_sha256_init(&z->whole);
	z->zip = archive_write_new();
	z->entry = archive_entry_new();
	if (z->zip == NULL || z->entry == NULL ||
	    archive_write_set_format_zip(z->zip) != ARCHIVE_OK ||
	    archive_write_set_format_option(z->zip, "zip", "compression-level",
		"1") != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(z->zip, 1) != ARCHIVE_OK ||
	    archive_write_open(z->zip, z, NULL, on_write, NULL) !=
		ARCHIVE_OK) {
		zipout_free(z);
		return NULL;
	}
	return z;
}

int
zipout_begin(struct zipout *z, const char *name, uint64_t size)
{
	if (z->error != 0)
		return fail(z, z->error);
	(void)snprintf(z->name, sizeof(z->name), "%s", name);
	archive_entry_clear(z->entry);
	archive_entry_set_pathname(z->entry, z->name);
	archive_entry_set_filetype(z->entry, AE_IFREG);
	archive_entry_set_perm(z->entry, 0600);
	archive_entry_set_mtime(z->entry, (time_t)z->when, 0);
	archive_entry_set_size(z->entry, (la_int64_t)size);
	(void)crypto_hash_sha256_init(&z->member);
	if (archive_write_header(z->zip, z->entry) != ARCHIVE_OK)
		return fail(z, archive_errno(z->zip));
	return 0;
}

int
zipout_data(struct zipout *z, const void *p, size_t n)
{
	if (z->error != 0)
		return fail(z, z->error);
	if (n > 0 && archive_write_data(z->zip, p, n) != (la_ssize_t)n)
		return fail(z, archive_errno(z->zip));
	(void)crypto_hash_sha256_update(&z->member, p, n);
	return 0;
}

/* "<digest>  <name>\n", as sha256sum -c reads it. */
static int
sum_line(struct zipout *z)
{
	size_t n = 64 + 2 + strlen(z->name) + 1;
	struct id32 d;

	(void)crypto_hash_sha256_final(&z->member, d.b);
	if (z->nsums + n + 1 > z->cap) {
		size_t cap = MAX_OF(z->cap * 2, z->nsums + n + 65536);
		char *p = realloc(z->sums, cap);

		if (p == NULL)
			return fail(z, ENOMEM);
		z->sums = p;
		z->cap = cap;
	}
	hex_encode(z->sums + z->nsums, HASH_BYTES(d));
	(void)snprintf(z->sums + z->nsums + 64, n - 63, "  %s\n", z->name);
	z->nsums += n;
	z->members++;
	return 0;
}

static int
finish(struct zipout *z)
{
	if (z->error != 0)
		return fail(z, z->error);
	return archive_write_finish_entry(z->zip) == ARCHIVE_OK ? 0 :
	    fail(z, archive_errno(z->zip));
}

int
zipout_end(struct zipout *z)
{
	return finish(z) < 0 ? -1 : sum_line(z);
}

int
zipout_put(struct zipout *z, const char *name, const void *p, size_t n)
{
	if (zipout_begin(z, name, n) < 0 || zipout_data(z, p, n) < 0)
		return -1;
	return zipout_end(z);
}

int
zipout_close(struct zipout *z, struct zipout_sum *out)
{
	static const uint8_t magic[4] = {'P', 'K', 5, 6};
	crypto_hash_sha256_state whole;

	memset(out, 0, sizeof(*out));
	if (zipout_begin(z, ZIPOUT_SUMS, z->nsums) < 0 ||
	    zipout_data(z, z->sums, z->nsums) < 0 || finish(z) < 0)
		return -1;
	(void)crypto_hash_sha256_final(&z->member, out->sums.b);
	if (archive_write_close(z->zip) != ARCHIVE_OK)
		return fail(z, archive_errno(z->zip));
	if (z->ntail != END || memcmp(z->tail, magic, sizeof(magic)) != 0)
		return fail(z, EINVAL);
	z->tail[END_COMMENT] = (uint8_t)z->comment;
	z->tail[END_COMMENT + 1] = (uint8_t)(z->comment >> 8);
	if (put(z, z->tail, END) < 0)
		return -1;
	whole = z->whole;
	(void)crypto_hash_sha256_final(&whole, out->digest.b);
	out->size = z->wrote;
	out->members = z->members;
	return 0;
}

int
zipout_comment(struct zipout *z, const char *text, size_t n)
{
	if (z->error != 0)
		return fail(z, z->error);
	if (n != z->comment)
		return fail(z, EINVAL);
	return put(z, text, n);
}

void
zipout_free(struct zipout *z)
{
	if (z == NULL)
		return;
	/* what it still has goes nowhere */
	z->error = z->error != 0 ? z->error : ECANCELED;
	archive_entry_free(z->entry);
	(void)archive_write_free(z->zip);
	free(z->sums);
	free(z);
}
