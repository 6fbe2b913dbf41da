/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/about.h"

#include <string.h>

#define VERSION 1

static void
put_text(struct wr *w, const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	wr_u32(w, (uint32_t)n);
	wr_bytes(w, s == NULL ? "" : s, n + 1);
}

void
image_about_encode(struct wr *w, const struct image_about *a)
{
	const char *const texts[] = {a->created, a->author, a->os, a->arch,
	    a->variant, a->user};

	wr_u16(w, VERSION);
	wr_bytes(w, HASH_BYTES(a->digest));
	wr_bytes(w, HASH_BYTES(a->config));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_text(w, texts[i]);
	wr_u16(w, (uint16_t)a->nlayers);
	for (uint32_t i = 0; i < a->nlayers; i++) {
		wr_bytes(w, HASH_BYTES(a->layers[i].digest));
		wr_bytes(w, HASH_BYTES(a->layers[i].diff));
		wr_u64(w, a->layers[i].size);
		wr_u64(w, a->layers[i].bytes);
	}
	wr_u32(w, a->lost);
	wr_u16(w, (uint16_t)a->nlabels);
	for (uint32_t i = 0; i < a->nlabels; i++) {
		put_text(w, a->labels[i][0]);
		put_text(w, a->labels[i][1]);
	}
}

/* A text with its NUL behind it, out of the budget of all. */
static bool
get_text(struct rd *r, const char **out, size_t *left)
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
get_layers(struct rd *r, struct image_about *a)
{
	uint16_t n;

	if (!rd_u16(r, &n) || n > ABOUT_LAYERS_MAX)
		return false;
	for (uint16_t i = 0; i < n; i++) {
		struct about_layer *l = &a->layers[i];

		if (!rd_copy(r, HASH_BYTES(l->digest)) ||
		    !rd_copy(r, HASH_BYTES(l->diff)) || !rd_u64(r, &l->size) ||
		    !rd_u64(r, &l->bytes))
			return false;
	}
	a->nlayers = n;
	return true;
}

static bool
get_labels(struct rd *r, struct image_about *a, size_t *left)
{
	uint16_t n;

	if (!rd_u32(r, &a->lost) || !rd_u16(r, &n) || n > ABOUT_LABELS_MAX)
		return false;
	for (uint16_t i = 0; i < n; i++)
		if (!get_text(r, &a->labels[i][0], left) ||
		    !get_text(r, &a->labels[i][1], left))
			return false;
	a->nlabels = n;
	return true;
}

bool
image_about_parse(const uint8_t *buf, size_t len, struct image_about *a)
{
	struct rd r = rd_make(buf, len);
	size_t left = ABOUT_TEXT_BYTES;
	uint16_t version;

	memset(a, 0, sizeof(*a));
	return rd_u16(&r, &version) && version == VERSION &&
	    rd_copy(&r, HASH_BYTES(a->digest)) &&
	    rd_copy(&r, HASH_BYTES(a->config)) &&
	    get_text(&r, &a->created, &left) &&
	    get_text(&r, &a->author, &left) && get_text(&r, &a->os, &left) &&
	    get_text(&r, &a->arch, &left) &&
	    get_text(&r, &a->variant, &left) &&
	    get_text(&r, &a->user, &left) && get_layers(&r, a) &&
	    get_labels(&r, a, &left) && rd_end(&r);
}
