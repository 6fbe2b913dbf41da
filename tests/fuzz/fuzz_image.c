/* SPDX-License-Identifier: BSD-2-Clause */
/* words: sandbox/hand/hand_choose.c sandbox/hand/hand_config.c */
/*
 * An image's documents: its configuration, an index, a docker save's list; and
 * what is kept and reported of it: what was read is written again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "sandbox/hand/hand_image.h"
#include "sandbox/plan/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static unsigned abouts, records; /* that were taken */

static void
about_again(const uint8_t *p, size_t n)
{
	static struct image_about a;
	static uint8_t buf[IMAGE_ABOUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));

	if (!image_about_parse(p, n, &a))
		return;
	abouts++;
	image_about_encode(&w, &a);
	if (n > sizeof(buf) || !wr_ok(&w) || w.len != n ||
	    memcmp(buf, p, n) != 0)
		abort();
}

/* What warren-hand reports of one that it has unpacked. */
static void
record_again(const uint8_t *p, size_t n)
{
	static struct image_record r;
	static uint8_t buf[1 << 16];
	struct wr w = wr_make(buf, sizeof(buf));

	if (n > sizeof(buf) || !image_record_parse(p, n, &r))
		return;
	records++;
	image_record_encode(&w, &r);
	if (!wr_ok(&w) || w.len != n || memcmp(buf, p, n) != 0)
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
	record_again(p, n);
	fuzz_taken = abouts > 0 && records > 0;
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
