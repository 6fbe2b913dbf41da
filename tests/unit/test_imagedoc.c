/* SPDX-License-Identifier: BSD-2-Clause */
/* Documents of images: which one is meant, which machine, what is kept. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "sandbox/hand/hand_image.h"

static void
test_platform(void **state)
{
	static const struct platform amd = {"linux", "amd64", 3},
	    arm = {"linux", "arm", 7}, arm64 = {"linux", "arm64", 8};
	static const struct {
		const struct platform *here;
		const char *os, *arch, *variant;
		int rank;
	} t[] = {
	    {&amd, NULL, NULL, NULL, 0}, {&amd, "", "", "", 0},
	    {&amd, "linux", "amd64", NULL, 0}, {&amd, "linux", "amd64", "", 0},
	    {&amd, "linux", "amd64", "v1", 1},
	    {&amd, "linux", "amd64", "v3", 3},
	    {&amd, "linux", "amd64", "v4", -1},
	    {&amd, "windows", "amd64", NULL, -1},
	    {&amd, "linux", "arm64", NULL, -1},
	    {&amd, "Linux", "amd64", NULL, -1},
	    {&amd, "linux", "amd64", "v10", -1},
	    {&amd, "linux", "amd64", "3", -1},
	    {&amd, "linux", "amd64", "v", -1},
	    {&amd, "linux", "amd64", "v0", -1},
	    {&amd, "linux", "amd64", "v2x", -1},
	    {&arm, "linux", "arm", "v6", 6}, {&arm, "linux", "arm", "v7", 7},
	    {&arm, "linux", "arm", "v8", -1},
	    {&arm64, "linux", "arm64", "v8", 8},
	    {&arm64, "linux", "arm64", "v8.2", 8},
	    {&arm64, "linux", "arm64", "v9", -1},
	    {&arm64, "unknown", "unknown", NULL, -1},
	};
	struct platform here = platform_here();

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		if (platform_rank(t[i].here, t[i].os, t[i].arch,
		    t[i].variant) != t[i].rank)
			fail_msg("%zu: %s/%s/%s", i, t[i].os, t[i].arch,
			    t[i].variant);
	assert_int_equal(platform_rank(&here, "linux", here.arch, NULL), 0);
}

#define D(digest, more) "{\"digest\":\"sha256:" digest "\"" more "}"
#define NAME(name)                                                             \
	",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" name "\"}"
/* One spelling of a digest, whole, and nothing behind it. */
static void
test_digest(void **state)
{
	static const char good[] = "sha256:0123456789abcdef0123456789abcdef"
	    "0123456789abcdef0123456789abcdef";
	char text[sizeof(good) + 1];
	struct id32 d;

	(void)state;
	assert_true(image_digest(&d, good));
	assert_int_equal(d.b[0], 0x01);
	assert_int_equal(d.b[31], 0xef);
	assert_false(image_digest(&d, NULL));
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		(void)snprintf(text, sizeof(text), "%.*s", (int)n, good);
		assert_false(image_digest(&d, text));
		(void)snprintf(text, sizeof(text), "%s", good);
		text[n] = text[n] >= 'a' ? (char)(text[n] - 'a' + 'A') : 'g';
		assert_false(image_digest(&d, text));
	}
	(void)snprintf(text, sizeof(text), "%s0", good);
	assert_false(image_digest(&d, text));
	assert_false(image_digest(&d, "sha512:0123456789abcdef"));
}

#define FOR(arch, variant)                                                     \
	",\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch             \
	"\",\"variant\":\"" variant "\"}"

#define LONG60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_choose(void **state)
{
	static const struct {
		const char *list, *tag;
		bool named;
		const char *digest, *why; /* which one, or why none */
	} t[] = {
	    {"[" D("a1", "") "]", NULL, true, "a1", NULL},
	    {"[" D("a1", NAME("x:1")) "]", "x:1", true, "a1", NULL},
	    {"[" D("a1", NAME("r.io:5000/ns/x:1")) "]", "x:1", true, "a1",
		NULL},
	    {"[" D("a1", NAME("r.io:5000/ns/x:1")) "]", "r.io:5000/ns/x:1",
		true, "a1", NULL},
	    {"[" D("a1", NAME("r.io:5000/ns/xx:1")) "]", "x:1", true, NULL,
		"no image is called x:1; there is: r.io:5000/ns/xx:1"},
	    {"[" D("a1", NAME("x")) "," D("a2", NAME("y")) "]", NULL, true,
		NULL, "2 images (x, y)"},
	    {"[" D("a1", NAME("x")) "," D("a2", NAME("y")) "]", "y", true,
		"a2", NULL},
	    {"[" D("a1", NAME("x")) "," D("a1", NAME("y")) "]", NULL, true,
		"a1", NULL},
	    {"[" D("a100000000001", "") "," D("a200000000002", "") "]",
		"sha256:a200000000002", true, "a200000000002", NULL},
	    {"[" D("a100000000001", NAME("x")) "," D("a200000000002", "") "]",
		"h:1/x:2@sha256:a200000000002", true, "a200000000002", NULL},
	    {"[" D("a100000000001", "") "," D("a200000000002", "") "]",
		"sha256:a2", true, NULL, "no image is called sha256:a2"},
	    /* one image for many machines, at the top */
	    {"[" D("a1", FOR("arm64", "v8")) "," D("a2", FOR("amd64", ""))
		"," D("a3", FOR("amd64", "v3")) "," D("a4",
		FOR("amd64", "v4")) "]", NULL, true, "a3", NULL},
	    {"[" D("a3", FOR("amd64", "v3")) "," D("a2", FOR("amd64", ""))
		"]", NULL, true, "a3", NULL},
	    {"[" D("a1", FOR("amd64", "v2")) "," D("a2", FOR("amd64", "v2"))
		"]", NULL, true, NULL, "2 images"},
	    /* and beneath a name */
	    {"[" D("a2", FOR("amd64", "")) "," D("a3", FOR("amd64", "v3"))
		"," D("a4", FOR("amd64", "v3")) "]", NULL, false, "a3", NULL},
	    {"[" D("a1", FOR("arm", "v7")) "," D("a2", FOR("unknown", ""))
		"]", NULL, false, NULL,
		"no image for linux/amd64; there is: linux/arm/v7"},
	    {"[" D("a1", FOR("arm", "v7")) "]", NULL, true, NULL,
		"there is: linux/arm/v7"},
	    {"[" D("a100000000001", NAME("x")) "," D("a200000000002",
		NAME("x")) "]", NULL, true, NULL,
		"2 images (sha256:a10000000000, sha256:a20000000000)"},
	    {"[" D("a100000000001", NAME("x")) "," D("a200000000002",
		NAME("x")) "]", "x", true, NULL, "2 images (sha256:a1"},
	    /* one of two names is one, and no name is told by half */
	    {"[" D("a1", NAME("x")) "," D("a1", NAME("y")) "," D("a2",
		NAME("z")) "," D("a2", NAME("w")) "]", NULL, true, NULL,
		"2 images (x, y, z, w)"},
	    {"[" D("a1", NAME(LONG60)) "," D("a2", NAME(LONG60 "y")) ","
		D("a3", NAME("z")) "]", NULL, true, NULL,
		"3 images (" LONG60 ", ...): name"},
	    {"[" D("a1", NAME(LONG60 LONG60 "y")) "," D("a2", NAME("z"))
		"]", NULL, true, NULL, "aaa..., ...): name"},
	    {"[" D("a1", FOR("arm64", "v8")) "," D("a2", FOR("arm64", ""))
		"," D("a3", FOR("arm", "")) "," D("a4", FOR("arm64", ""))
		"]", NULL, false, NULL,
		"there is: linux/arm64/v8, linux/arm64/, linux/arm/"},
	    {"[]", NULL, true, NULL, "no image is in it"},
	    {"[]", NULL, false, NULL, "no image is in it"},
	    {"{}", NULL, true, NULL, "no image is in it"},
	    {"[" D("a2", FOR("unknown", "")) "]", NULL, false, NULL,
		"there is: none"},
	    {"[1,null,[],\"x\"]", "x", true, NULL, "no image is called"},
	};
	const struct platform here = {"linux", "amd64", 3};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct import im = {.tag = t[i].tag};
		json_t *list = json_loads(t[i].list, 0, NULL);
		const json_t *v = image_choose(&im, &here, list, t[i].named);
		const char *digest = json_string_value(json_object_get(v,
		    "digest"));

		if (t[i].digest != NULL && (digest == NULL ||
		    strcmp(digest + 7, t[i].digest) != 0))
			fail_msg("%zu: %s, %s", i, digest, im.why);
		if (t[i].why != NULL && (v != NULL || strstr(im.why,
		    t[i].why) == NULL))
			fail_msg("%zu: %s", i, im.why);
		json_decref(list);
	}
}

static void
test_choose_saved(void **state)
{
	static const char two[] = "[{\"Config\":\"a\",\"RepoTags\":[\"x:1\","
	    "\"h:5000/y:2\"]},{\"Config\":\"b\",\"RepoTags\":null}]";
	json_t *list = json_loads(two, 0, NULL);
	struct import im = {.tag = "y:2"};

	(void)state;
	assert_ptr_equal(image_choose_saved(&im, list), json_array_get(list,
	    0));
	im.tag = "h:5000/y:2";
	assert_ptr_equal(image_choose_saved(&im, list), json_array_get(list,
	    0));
	im.tag = "z";
	assert_null(image_choose_saved(&im, list));
	assert_non_null(strstr(im.why, "there is: x:1, h:5000/y:2"));
	im = (struct import){.tag = NULL};
	assert_null(image_choose_saved(&im, list));
	assert_non_null(strstr(im.why, "2 images (x:1, h:5000/y:2)"));
	(void)json_array_remove(list, 1);
	assert_non_null(image_choose_saved(&im, list));
	json_decref(list);
}

static int
take(struct image *img, struct import *im, const char *config)
{
	memset(img, 0, sizeof(*img));
	memset(im, 0, sizeof(*im));
	img->here = (struct platform){"linux", "amd64", 2};
	img->config = json_loads(config, 0, NULL);
	assert_non_null(img->config);
	return image_take_config(im, img);
}

static void
test_config(void **state)
{
	static struct image img;
	struct reader_sums sums = {.raw_bytes = 5, .diff_bytes = 9};
	struct import im;
	char want[72] = "sha256:";

	(void)state;
	assert_int_equal(take(&img, &im, "{\"os\":\"linux\",\"variant\":\"v2\","
	    "\"architecture\":\"amd64\",\"created\":\"c\",\"author\":\"a\","
	    "\"config\":{\"User\":\"u\",\"Labels\":{\"k\":\"v\",\"bad\":1},"
	    "\"Env\":[\"A=1\",\"2\"],\"WorkingDir\":\"rel\"}}"), 0);
	assert_string_equal(img.about.created, "c");
	assert_string_equal(img.about.author, "a");
	assert_string_equal(img.about.variant, "v2");
	assert_string_equal(img.about.user, "u");
	assert_int_equal(img.about.nlabels, 1);
	assert_int_equal(img.about.lost, 1);
	assert_string_equal(img.about.labels[0][1], "v");
	assert_int_equal(img.rec.envc, 1);
	assert_string_equal(img.rec.cwd, "/");
	assert_null(image_diff_ids(&img));
	/* a layer, and what was said of it */
	memset(&sums.diff, 0xab, sizeof(sums.diff));
	hex_encode(want + 7, HASH_BYTES(sums.diff));
	assert_int_equal(image_layer(&im, &img, &sums, NULL), 0);
	assert_int_equal(image_layer(&im, &img, &sums, want), 0);
	assert_int_equal(img.about.nlayers, 2);
	assert_int_equal(img.about.layers[1].bytes, 9);
	want[10] ^= 1;
	assert_int_equal(image_layer(&im, &img, &sums, want), -1);
	assert_int_equal(image_layer(&im, &img, &sums, ""), -1);
	json_decref(img.config);
	assert_int_equal(take(&img, &im, "{\"architecture\":\"amd64\","
	    "\"variant\":\"v3\"}"), -1);
	assert_non_null(strstr(im.why, "image for amd64/v3"));
	json_decref(img.config);
	assert_int_equal(take(&img, &im, "{\"os\":\"plan9\"}"), -1);
	assert_non_null(strstr(im.why, "not for linux"));
	json_decref(img.config);
	assert_int_equal(take(&img, &im, "[]"), -1);
	json_decref(img.config);
}

/* Labels beyond their room are counted, and what is kept fits. */
static void
test_room(void **state)
{
	static struct image img;
	static uint8_t buf[IMAGE_ABOUT_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	static struct image_about back;
	struct import im;
	json_t *labels = json_object(), *all;
	char key[16], value[301], *text;

	(void)state;
	memset(value, 'v', 300);
	value[300] = '\0';
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)json_object_set_new(labels, key, json_string(value));
	}
	all = json_pack("{s:{s:o}}", "config", "Labels", labels);
	text = json_dumps(all, 0);
	assert_int_equal(take(&img, &im, text), 0);
	assert_int_equal(img.about.nlabels + img.about.lost, 1000);
	assert_true(img.about.nlabels > 100 && img.about.lost > 100);
	img.about.nlayers = ABOUT_LAYERS_MAX;
	image_about_encode(&w, &img.about);
	assert_true(wr_ok(&w));
	assert_true(image_about_parse(buf, w.len, &back));
	assert_int_equal(back.nlabels, img.about.nlabels);
	json_decref(img.config);
	json_decref(all);
	free(text);
}

static void
test_about(void **state)
{
	static struct image_about a = {.created = "2026", .os = "linux",
	    .nlayers = 2, .nlabels = 1, .lost = 3, .labels = {{"k", "v"}}},
	    got;
	uint8_t buf[1024];
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	a.layers[1].size = 7;
	memset(&a.digest, 1, sizeof(a.digest));
	image_about_encode(&w, &a);
	assert_true(wr_ok(&w));
	assert_true(image_about_parse(buf, w.len, &got));
	assert_string_equal(got.os, "linux");
	assert_string_equal(got.author, "");
	assert_int_equal(got.layers[1].size, 7);
	assert_string_equal(got.labels[0][1], "v");
	assert_int_equal(got.lost, 3);
	for (size_t n = 0; n < w.len; n++)
		assert_false(image_about_parse(buf, n, &got));
	assert_false(image_about_parse(buf, w.len + 1, &got));
	for (size_t bit = 0; bit < w.len * 8; bit++) {
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)image_about_parse(buf, w.len, &got);
		buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_platform),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_choose),
		cmocka_unit_test(test_choose_saved),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
