/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/bz.h"

#include <stdbool.h>
#include <stdlib.h>
#include <bzlib.h>

#define BZ_LEVEL 9
#define BZ_FIRST 65536 /* ours: first guess of an output buffer */

int
bz_compress(uint8_t *out, size_t *out_len, size_t cap,
    const struct iovec_c *v, size_t count)
{
	bz_stream s = {0};
	int rc = BZ_RUN_OK;

	if (cap > UINT32_MAX)
		return RNS_EINVAL;
	if (BZ2_bzCompressInit(&s, BZ_LEVEL, 0, 0) != BZ_OK)
		return RNS_ENOMEM;
	s.next_out = (char *)out;
	s.avail_out = (unsigned)cap;
	for (size_t i = 0; i < count && rc == BZ_RUN_OK; i++) {
		s.next_in = (char *)(uintptr_t)v[i].p;
		s.avail_in = (unsigned)v[i].n;
		while (s.avail_in > 0 && rc == BZ_RUN_OK) {
			rc = BZ2_bzCompress(&s, BZ_RUN);
			if (s.avail_out == 0)
				break;
		}
		if (s.avail_in > 0)
			break;
	}
	do {
		if (s.avail_out == 0)
			break;
		rc = BZ2_bzCompress(&s, BZ_FINISH);
	} while (rc == BZ_FINISH_OK);
	*out_len = cap - s.avail_out;
	(void)BZ2_bzCompressEnd(&s);
	return rc == BZ_STREAM_END ? RNS_OK : RNS_EBIG;
}

static int
bz_grow(uint8_t **buf, size_t *cap, size_t max,
    bool (*charge)(void *, size_t), void *arg)
{
	size_t want = *cap == 0 ? BZ_FIRST : *cap * 2;
	uint8_t *p;

	/* one byte above the limit shows that there is more */
	if (want > max + 1)
		want = max + 1;
	if (want <= *cap)
		return RNS_EBIG;
	if (charge != NULL && !charge(arg, want - *cap))
		return RNS_ELIMIT;
	if ((p = realloc(*buf, want)) == NULL)
		return RNS_ENOMEM;
	*buf = p;
	*cap = want;
	return RNS_OK;
}

int
bz_decompress(uint8_t **out, size_t *out_len, size_t max, const uint8_t *in,
    size_t in_len, bool (*charge)(void *, size_t), void *arg)
{
	bz_stream s = {0};
	uint8_t *buf = NULL;
	size_t cap = 0, len = 0;
	int rc, err = RNS_OK;

	if (in_len > UINT32_MAX || max > UINT32_MAX / 2)
		return RNS_EINVAL;
	if (BZ2_bzDecompressInit(&s, 0, 0) != BZ_OK)
		return RNS_ENOMEM;
	s.next_in = (char *)(uintptr_t)in;
	s.avail_in = (unsigned)in_len;
	for (;;) {
		if (len == cap &&
		    (err = bz_grow(&buf, &cap, max, charge, arg)) != RNS_OK)
			break;
		s.next_out = (char *)buf + len;
		s.avail_out = (unsigned)(cap - len);
		rc = BZ2_bzDecompress(&s);
		len = cap - s.avail_out;
		if (rc == BZ_STREAM_END)
			break;
		if (rc == BZ_MEM_ERROR) {
			err = RNS_ENOMEM;
			break;
		}
		if (rc != BZ_OK || (s.avail_in == 0 && s.avail_out > 0)) {
			err = RNS_EPARSE;
			break;
		}
	}
	(void)BZ2_bzDecompressEnd(&s);
	if (err == RNS_OK && len > max)
		err = RNS_EBIG;
	if (err != RNS_OK) {
		free(buf);
		return err;
	}
	*out = buf;
	*out_len = len;
	return RNS_OK;
}
