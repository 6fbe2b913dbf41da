/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/head.h"

#include <string.h>

#include <sodium.h>

#include "common/wire.h"
#include "trust/doc/frame.h"

static bool
get_doc(struct head *h, struct rd *r)
{
	struct head_doc *d = &h->docs[h->n];

	if (!rd_copy(r, d->ptag, sizeof(d->ptag)) || !rd_u32(r, &d->version) ||
	    !rd_u32(r, &d->length) || !rd_copy(r, HASH_BYTES(d->sha256)))
		return false;
	for (unsigned i = 0; i < h->n; i++)
		if (memcmp(h->docs[i].ptag, d->ptag, sizeof(d->ptag)) == 0)
			return false; /* two words about one document */
	h->n++;
	return true;
}

const char *
head_parse(struct head *h, struct env *e, const void *buf, size_t len)
{
	const uint8_t *magic;
	struct rd r = rd_make(buf, len);
	const char *why;
	uint8_t n;

	memset(h, 0, sizeof(*h));
	memset(e, 0, sizeof(*e));
	if (len > HEAD_BYTES)
		return "too large";
	if (!rd_ref(&r, &magic, 3) || memcmp(magic, "KH\001", 3) != 0 ||
	    !rd_u8(&r, &n))
		return "no head";
	if (n > HEAD_DOCS_MAX)
		return "more than 64 documents";
	if (!rd_copy(&r, h->atag, sizeof(h->atag)) ||
	    !rd_u32(&r, &h->root_version) || !rd_u32(&r, &h->version) ||
	    !rd_u32(&r, &h->issued) || !rd_u32(&r, &h->expires))
		return "too short";
	while (h->n < n)
		if (!get_doc(h, &r))
			return "too short, or a document twice";
	if (h->expires <= h->issued || h->expires - h->issued > HEAD_LIFE_MAX)
		return "valid for no time, or for more than 14 days";
	if (frame_parse(e, TYPE_HEAD, buf, len, HEAD_FRAME(n), &why) < 0)
		return why;
	(void)crypto_hash_sha256(h->digest.b, buf, HEAD_FRAME(n));
	return NULL;
}

void
head_ptag(uint8_t ptag[4], const char *path)
{
	struct id32 all;

	(void)crypto_hash_sha256(all.b, (const uint8_t *)path, strlen(path));
	memcpy(ptag, all.b, 4);
}

const struct head_doc *
head_doc(const struct head *h, const char *path)
{
	uint8_t ptag[4];

	head_ptag(ptag, path);
	for (unsigned i = 0; i < h->n; i++)
		if (memcmp(h->docs[i].ptag, ptag, sizeof(ptag)) == 0)
			return &h->docs[i];
	return NULL;
}

size_t
head_put(uint8_t *out, size_t cap, const struct head *h)
{
	struct wr w = wr_make(out, cap);

	if (h->n > HEAD_DOCS_MAX)
		return 0;
	wr_bytes(&w, "KH\001", 3);
	wr_u8(&w, (uint8_t)h->n);
	wr_bytes(&w, h->atag, sizeof(h->atag));
	wr_u32(&w, h->root_version);
	wr_u32(&w, h->version);
	wr_u32(&w, h->issued);
	wr_u32(&w, h->expires);
	for (unsigned i = 0; i < h->n; i++) {
		wr_bytes(&w, h->docs[i].ptag, sizeof(h->docs[i].ptag));
		wr_u32(&w, h->docs[i].version);
		wr_u32(&w, h->docs[i].length);
		wr_bytes(&w, HASH_BYTES(h->docs[i].sha256));
	}
	return wr_ok(&w) ? w.len : 0;
}
