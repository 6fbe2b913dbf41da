/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/about.h"

#include <string.h>

#include "sandbox/plan/record.h"

#define VERSION 1

void
image_about_encode(struct wr *w, const struct image_about *a)
{
	const char *const texts[] = {a->created, a->author, a->os, a->arch,
	    a->variant, a->user};

	wr_u16(w, VERSION);
	wr_bytes(w, HASH_BYTES(a->digest));
	wr_bytes(w, HASH_BYTES(a->config));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		image_text_put(w, texts[i]);
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
		image_text_put(w, a->labels[i][0]);
		image_text_put(w, a->labels[i][1]);
	}
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
		if (!image_text_get(r, &a->labels[i][0], left) ||
		    !image_text_get(r, &a->labels[i][1], left))
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
	    image_text_get(&r, &a->created, &left) &&
	    image_text_get(&r, &a->author, &left) && image_text_get(&r, &a->os, &left) &&
	    image_text_get(&r, &a->arch, &left) &&
	    image_text_get(&r, &a->variant, &left) &&
	    image_text_get(&r, &a->user, &left) && get_layers(&r, a) &&
	    get_labels(&r, a, &left) && rd_end(&r);
}
