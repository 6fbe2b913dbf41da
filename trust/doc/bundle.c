/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/bundle.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/wire.h"

#define MAGIC "KF"
#define VERSION 1
#define HEAD "klp-bundle 1\n"
#define B64 sodium_base64_VARIANT_ORIGINAL

_Static_assert(BUNDLE_LEN == FRAME_LEN(BUNDLE_FRAME, 1), "IPC_BUNDLE");

static void
put(uint8_t out[BUNDLE_FRAME], const struct bundle *b)
{
	struct wr w = wr_make(out, BUNDLE_FRAME);

	wr_bytes(&w, MAGIC, 2);
	wr_u8(&w, VERSION);
	wr_u8(&w, b->kind);
	wr_bytes(&w, HASH_BYTES(b->job));
	wr_u32(&w, b->made);
	wr_u64(&w, b->size);
	wr_bytes(&w, HASH_BYTES(b->digest));
	wr_bytes(&w, HASH_BYTES(b->sums));
	wr_u8(&w, 0); /* for later */
}

int
bundle_parse(struct bundle *out, struct env *e, const uint8_t *buf, size_t len,
    const char **why)
{
	struct rd r = rd_make(buf, len);
	uint8_t magic[2], version, later;
	struct bundle b;

	*why = "no bundle's frame";
	if (!rd_copy(&r, magic, 2) || memcmp(magic, MAGIC, 2) != 0)
		return -1;
	*why = "version or kind";
	if (!rd_u8(&r, &version) || version != VERSION ||
	    !rd_u8(&r, &b.kind) ||
	    (b.kind != BUNDLE_JOB && b.kind != BUNDLE_TRAIL))
		return -1;
	*why = "malformed";
	if (!rd_copy(&r, HASH_BYTES(b.job)) || !rd_u32(&r, &b.made) ||
	    !rd_u64(&r, &b.size) || !rd_copy(&r, HASH_BYTES(b.digest)) ||
	    !rd_copy(&r, HASH_BYTES(b.sums)) || !rd_u8(&r, &later) ||
	    later != 0)
		return -1;
	if (frame_parse(e, TYPE_BUNDLE, buf, len, BUNDLE_FRAME, why) != 0)
		return -1;
	*out = b;
	return 0;
}

bool
bundle_sign(uint8_t out[BUNDLE_LEN], const struct bundle *b,
    const struct klp_secret *s, const uint8_t aux[32])
{
	uint8_t frame[BUNDLE_FRAME];
	struct env_signed g;
	struct klp_key k;

	put(frame, b);
	if (!secret_public(&k, s) ||
	    !pae_sign(g.sig, s, TYPE_BUNDLE, frame, sizeof(frame), aux))
		return false;
	key_fp(&g.fp, &k);
	return frame_put(out, BUNDLE_LEN, frame, sizeof(frame), &g, 1) ==
	    BUNDLE_LEN;
}

size_t
bundle_comment(char out[BUNDLE_COMMENT_MAX], const uint8_t frame[BUNDLE_LEN],
    const uint8_t binding[BINDING_LEN])
{
	char a[sodium_base64_ENCODED_LEN(BUNDLE_LEN, B64)];
	char b[sodium_base64_ENCODED_LEN(BINDING_LEN, B64)];

	(void)sodium_bin2base64(a, sizeof(a), frame, BUNDLE_LEN, B64);
	(void)sodium_bin2base64(b, sizeof(b), binding, BINDING_LEN, B64);
	return (size_t)snprintf(out, BUNDLE_COMMENT_MAX, HEAD "%s\n%s\n", a,
	    b);
}

/* One line of base64 that decodes to so many bytes. */
static bool
line(const char **p, const char *end, uint8_t *out, size_t n)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	size_t got;

	if (nl == NULL || !b64_get(out, n, *p, (size_t)(nl - *p), &got, B64) ||
	    got != n)
		return false;
	*p = nl + 1;
	return true;
}

bool
bundle_comment_parse(const char *text, size_t len, uint8_t frame[BUNDLE_LEN],
    uint8_t binding[BINDING_LEN])
{
	const size_t head = strlen(HEAD);
	const char *p = text + head, *end = text + len;
	char again[BUNDLE_COMMENT_MAX];

	if (len <= head || memcmp(text, HEAD, head) != 0 ||
	    !line(&p, end, frame, BUNDLE_LEN) ||
	    !line(&p, end, binding, BINDING_LEN) || p != end)
		return false;
	/* base64 has bits that decode to nothing */
	return bundle_comment(again, frame, binding) == len &&
	    memcmp(again, text, len) == 0;
}
