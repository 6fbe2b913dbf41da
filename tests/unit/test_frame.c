/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "tests/unit/vec.h"
#include "transport/core/base/frame.h"

static void
check_encode(enum rns_framing framing, const char *key)
{
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(vec_load("framing.json"), key), i, v) {
		size_t n, frame_len, got_len;
		uint8_t *payload = vec_bytes(v, "payload", &n);
		uint8_t *frame = vec_bytes(v, "frame", &frame_len);
		uint8_t *out = vec_alloc(rns_frame_max(framing, n));
		struct rns_deframer *d = rns_deframer_new(framing, 100000);
		const uint8_t *p;

		got_len = rns_frame(framing, out, payload, n);
		vec_equal(out, got_len, frame, frame_len);
		/* and back, a byte at a time */
		assert_non_null(d);
		for (size_t k = 0; k < frame_len; k++) {
			assert_int_equal(rns_deframer_feed(d, frame + k, 1),
			    RNS_OK);
			if (k + 1 < frame_len)
				assert_false(rns_deframer_next(d, &p,
				    &got_len));
		}
		if (n >= (framing == RNS_FRAME_HDLC ? 20 : 1)) {
			assert_true(rns_deframer_next(d, &p, &got_len));
			vec_equal(p, got_len, payload, n);
		}
		assert_false(rns_deframer_next(d, &p, &got_len));
		rns_deframer_free(d);
	}
}

/*
 * Feeds the chunks in pieces of `step` bytes (0: as they are); fit: it gives
 * back between them what it does not need.
 */
static void
check_chunks(enum rns_framing framing, const json_t *v, size_t step, bool fit)
{
	json_t *chunks = vec_array(v, "chunks");
	json_t *want = vec_array(v, "packets");
	struct rns_deframer *d = rns_deframer_new(framing,
	    (size_t)vec_int(v, "hw_mtu"));
	size_t seen = 0, i, n, want_len, got_len;
	const uint8_t *p;

	assert_non_null(d);
	for (i = 0; i < json_array_size(chunks); i++) {
		uint8_t *c = vec_unhex(
		    json_string_value(json_array_get(chunks, i)), &n);

		for (size_t at = 0; at < n; at += step != 0 ? step : n) {
			size_t k = step != 0 && n - at > step ? step : n - at;

			assert_int_equal(rns_deframer_feed(d, c + at, k),
			    RNS_OK);
			while (rns_deframer_next(d, &p, &got_len)) {
				const char *hex = json_string_value(
				    json_array_get(want, seen++));
				uint8_t *w;

				assert_non_null(hex);
				w = vec_unhex(hex, &want_len);
				vec_equal(p, got_len, w, want_len);
			}
			if (!fit)
				continue;
			deframer_fit(d);
			assert_true(deframer_room(d) <=
			    (size_t)vec_int(v, "hw_mtu"));
		}
	}
	assert_int_equal(seen, json_array_size(want));
	rns_deframer_free(d);
}

static void
check_decode(enum rns_framing framing, const char *key)
{
	json_t *v;
	size_t i;

	json_array_foreach(vec_array(vec_load("framing.json"), key), i, v) {
		for (int fit = 0; fit < 2; fit++) {
			check_chunks(framing, v, 0, fit);
			check_chunks(framing, v, 1, fit);
			check_chunks(framing, v, 7, fit);
		}
	}
}

static void
test_hdlc(void **state)
{
	(void)state;
	check_encode(RNS_FRAME_HDLC, "hdlc_encode");
	check_decode(RNS_FRAME_HDLC, "hdlc_decode");
}

static void
test_kiss(void **state)
{
	(void)state;
	check_encode(RNS_FRAME_KISS, "kiss_encode");
	check_decode(RNS_FRAME_KISS, "kiss_decode");
}

/* Escapes that are none stay as they are, wherever the input is cut. */
static void
test_stray_escape(void **state)
{
	static const char *const in =
	    "7e7d7d5e7d010203047d7d5d05060708090a0b0c0d0e0f1011127d"
	    "7e7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7e";
	static const char *const want[2] = {
	    "7d7e7d010203047d7d05060708090a0b0c0d0e0f1011127d",
	    "7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d",
	};
	size_t n, got_len, want_len;
	uint8_t *bytes = vec_unhex(in, &n);
	const uint8_t *p;

	(void)state;
	for (size_t cut = 0; cut <= n; cut++) {
		struct rns_deframer *d = rns_deframer_new(RNS_FRAME_HDLC, 64);
		size_t seen = 0;

		for (int half = 0; half < 2; half++) {
			assert_int_equal(rns_deframer_feed(d,
			    half ? bytes + cut : bytes, half ? n - cut : cut),
			    RNS_OK);
			deframer_fit(d); /* no frame is lost by it */
			while (rns_deframer_next(d, &p, &got_len)) {
				uint8_t *w = vec_unhex(want[seen++], &want_len);

				vec_equal(p, got_len, w, want_len);
			}
			deframer_fit(d);
		}
		assert_int_equal(seen, 2);
		rns_deframer_free(d);
	}
}

static void
test_limits(void **state)
{
	struct rns_deframer *d;
	uint8_t *big = vec_alloc(65537), one[20] = {0};
	const uint8_t *p;
	size_t n;

	(void)state;
	memset(big, 1, 65537);
	assert_null(rns_deframer_new(RNS_FRAME_HDLC, 0));
	d = rns_deframer_new(RNS_FRAME_HDLC, 100);
	assert_int_equal(rns_deframer_feed(d, big, 65537), RNS_EBIG);
	big[0] = 0x7e;
	/* an endless frame costs its maximum at most and is counted once */
	for (int i = 0; i < 40; i++) {
		assert_int_equal(rns_deframer_feed(d, big + (i > 0), 65536),
		    RNS_OK);
		assert_int_equal(rns_deframer_feed(d, big, 1), RNS_ESTATE);
		assert_false(rns_deframer_next(d, &p, &n));
	}
	assert_int_equal(rns_deframer_feed(d, big, 1), RNS_OK);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_dropped(d), 1);
	/* its closing flag opens the next */
	assert_int_equal(rns_deframer_feed(d, one, 20), RNS_OK);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_feed(d, big, 1), RNS_OK);
	assert_true(rns_deframer_next(d, &p, &n));
	assert_int_equal(n, 20);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_feed(d, one, 19), RNS_OK);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_feed(d, big, 1), RNS_OK);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_dropped(d), 2);
	rns_deframer_free(d);
	/* so is what comes before any flag */
	d = rns_deframer_new(RNS_FRAME_HDLC, 100);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(rns_deframer_feed(d, big + 1, 65536), RNS_OK);
		assert_false(rns_deframer_next(d, &p, &n));
		assert_int_equal(rns_deframer_dropped(d), 1);
	}
	assert_int_equal(rns_deframer_feed(d, big, 21), RNS_OK);
	assert_false(rns_deframer_next(d, &p, &n));
	assert_int_equal(rns_deframer_feed(d, big, 1), RNS_OK);
	assert_true(rns_deframer_next(d, &p, &n));
	assert_int_equal(n, 20);
	assert_int_equal(rns_deframer_dropped(d), 1);
	rns_deframer_free(d);
	rns_deframer_free(NULL);
}

/* All frames of one feed stay readable until the next feed. */
static void
test_pointers_stay(void **state)
{
	struct rns_deframer *d = rns_deframer_new(RNS_FRAME_HDLC, 500);
	uint8_t in[200], payload[30];
	const uint8_t *p[3];
	size_t len = 0, n[3];

	(void)state;
	for (uint8_t k = 0; k < 3; k++) {
		memset(payload, 0x7d + k % 2, sizeof(payload));
		len += rns_frame(RNS_FRAME_HDLC, in + len, payload, 30);
	}
	assert_int_equal(rns_deframer_feed(d, in, len), RNS_OK);
	for (int k = 0; k < 3; k++)
		assert_true(rns_deframer_next(d, &p[k], &n[k]));
	for (int k = 0; k < 3; k++) {
		memset(payload, 0x7d + k % 2, sizeof(payload));
		vec_equal(p[k], n[k], payload, 30);
	}
	rns_deframer_free(d);
}

struct feed {
	enum rns_framing framing;
	size_t frames;
};

static void
swallow(void *arg, const uint8_t *in, size_t n)
{
	struct feed *f = arg;
	struct rns_deframer *d = rns_deframer_new(f->framing, 64);
	const uint8_t *p;
	size_t len;

	assert_int_equal(rns_deframer_feed(d, in, n), RNS_OK);
	while (rns_deframer_next(d, &p, &len)) {
		assert_true(len > 0 && len <= 64);
		f->frames++;
	}
	rns_deframer_free(d);
}

static void
test_damage(void **state)
{
	static const enum rns_framing kinds[] = {RNS_FRAME_HDLC,
	    RNS_FRAME_KISS};
	uint8_t payload[40], frame[83];

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(0x70 + i * 5);
	for (size_t k = 0; k < 2; k++) {
		size_t n = rns_frame(kinds[k], frame, payload, 40);
		struct feed f = {kinds[k], 0};

		vec_each_prefix(frame, n, swallow, &f);
		assert_int_equal(f.frames, 0);
		vec_each_flip(frame, n, swallow, &f);
		/* most damage is for the layer above to see */
		assert_true(f.frames > n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hdlc),
	    cmocka_unit_test(test_kiss),
	    cmocka_unit_test(test_stray_escape),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_pointers_stay),
	    cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
