/* SPDX-License-Identifier: BSD-2-Clause */
/* words: sandbox/hand/hand_choose.c sandbox/hand/hand_config.c */
/*
 * An image's documents: its configuration, an index, a docker save's list; and
 * what is kept of it: what was read is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "sandbox/hand/hand_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
about_again(const uint8_t *p, size_t n)
{
	static struct image_about a;
	static uint8_t buf[IMAGE_ABOUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	if (!image_about_parse(p, n, &a))
		return;
	fuzz_taken++;
	image_about_encode(&w, &a);
	if (n > sizeof(buf) || !wr_ok(&w) || w.len != n ||
	    memcmp(buf, p, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct image img;
	static struct import im;
	static uint8_t buf[IMAGE_ABOUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct image_about back;
	json_error_t e;

	about_again(p, n);
	memset(&img, 0, sizeof(img));
	memset(&im, 0, sizeof(im));
	img.here = (struct platform){"linux", "amd64", 3};
	/* its depth is bounded before it is read: hand_docs.c */
	img.config = json_loadb((const char *)p, n, JSON_REJECT_DUPLICATES,
	    &e);
	(void)image_choose(&im, &img.here, img.config, true);
	(void)image_choose(&im, &img.here, img.config, false);
	(void)image_choose_saved(&im, img.config);
	im.tag = "a:1";
	(void)image_choose(&im, &img.here, img.config, true);
	(void)image_choose_saved(&im, img.config);
	(void)image_diff_ids(&img);
	if (image_take_config(&im, &img) == 0) {
		image_about_encode(&w, &img.about);
		if (!wr_ok(&w) || !image_about_parse(buf, w.len, &back))
			abort();
	}
	json_decref(img.config);
	return 0;
}
