/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/record.h"

#include <string.h>

#define VERSION 1

void
image_text_put(struct wr *w, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	wr_u32(w, (uint32_t)n);
	wr_bytes(w, s == NULL ? "" : s, n + 1);
}

void
image_record_encode(struct wr *w, const struct image_record *r)
{
	wr_u16(w, VERSION);
	wr_bytes(w, HASH_BYTES(r->digest));
	wr_u64(w, r->bytes);
	wr_u32(w, r->members);
	wr_u32(w, r->layers);
	wr_u32(w, r->dropped);
	wr_u16(w, (uint16_t)r->argc);
	for (uint32_t i = 0; i < r->argc; i++)
		image_text_put(w, r->argv[i]);
	wr_u16(w, (uint16_t)r->envc);
	for (uint32_t i = 0; i < r->envc; i++)
		image_text_put(w, r->env[i]);
	image_text_put(w, r->cwd);
	image_text_put(w, r->note);
}

bool
image_text_get(struct rd *r, const char **out, size_t *left)
{
	const uint8_t *p;
	uint32_t n;

	if (!rd_u32(r, &n) || n > *left || !rd_ref(r, &p, (size_t)n + 1) ||
	    p[n] != 0 || memchr(p, 0, n) != NULL)
		return false;
	*left -= n;
	*out = (const char *)p;
	return true;
}

static bool
get_list(struct rd *r, const char **out, uint32_t *count, uint32_t max,
    size_t *left)
{
	uint16_t n;

	if (!rd_u16(r, &n) || n > max)
		return false;
	for (uint16_t i = 0; i < n; i++)
		if (!image_text_get(r, &out[i], left))
			return false;
	out[n] = NULL;
	*count = n;
	return true;
}

bool
image_record_parse(const uint8_t *buf, size_t len, struct image_record *out)
{
	struct rd r = rd_make(buf, len);
	size_t left = IMAGE_TEXT_BYTES;
	uint16_t version;

	memset(out, 0, sizeof(*out));
	return rd_u16(&r, &version) && version == VERSION &&
	    rd_copy(&r, HASH_BYTES(out->digest)) &&
	    rd_u64(&r, &out->bytes) && rd_u32(&r, &out->members) &&
	    rd_u32(&r, &out->layers) && rd_u32(&r, &out->dropped) &&
	    get_list(&r, out->argv, &out->argc, IMAGE_ARGS_MAX, &left) &&
	    get_list(&r, out->env, &out->envc, IMAGE_ENV_MAX, &left) &&
	    image_text_get(&r, &out->cwd, &left) && image_text_get(&r, &out->note, &left) &&
	    out->cwd[0] == '/' && rd_end(&r);
}
