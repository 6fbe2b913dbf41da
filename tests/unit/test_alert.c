/* SPDX-License-Identifier: BSD-2-Clause */
/* The alarm frame: its bytes, every truncation, a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "tests/unit/authkit.h"
#include "trust/doc/alert.h"
#include "trust/doc/frame.h"

static const struct alert alarm = {.severity = 5, .class_uid = 2004,
    .activity = 1, .disposition = 2, .time = 1800000000, .seq = 0x01020304,
    .count = 3, .subject = {0xaa, [15] = 0xbb}, .chain = {1, [7] = 8}};

/* KA 1 | 5 | 2004 | 1 | 2 | time | seq | 3 | subject | chain */
static const char bytes[] = "4b4101" "05" "07d4" "01" "02" "6b49d200"
    "01020304" "0003" "aa0000000000000000000000000000bb" "0100000000000008";

static void
frame_is(uint8_t out[ALERT_FRAME])
{
	assert_true(hex_decode(out, ALERT_FRAME, bytes, sizeof(bytes) - 1));
}

static void
test_bytes(void **state)
{
	uint8_t want[ALERT_FRAME], frame[ALERT_FRAME];
	struct alert a;
	struct env e;

	(void)state;
	frame_is(want);
	alert_put(frame, &alarm);
	assert_memory_equal(frame, want, sizeof(want));
	assert_null(alert_parse(&a, &e, frame, sizeof(frame)));
	assert_memory_equal(&a, &alarm, sizeof(a));
	assert_int_equal(e.nsigs, 0);
}

static size_t
signed_one(uint8_t out[256], unsigned mask)
{
	struct env_signed sigs[KIT_KEYS];
	uint8_t frame[ALERT_FRAME];
	unsigned n;

	alert_put(frame, &alarm);
	n = kit_sign(sigs, mask, TYPE_ALERT, frame, sizeof(frame));
	return frame_put(out, 256, frame, sizeof(frame), sigs, n);
}

static void
test_signed(void **state)
{
	struct klp_key key = kit_key(0), other = kit_key(1);
	uint8_t out[256];
	size_t n = signed_one(out, 1);
	struct alert a;
	struct env e;

	(void)state;
	assert_int_equal(n, ALERT_SIGNED);
	assert_null(alert_parse(&a, &e, out, n));
	assert_int_equal(e.nsigs, 1);
	assert_int_equal(env_verify(&e, TYPE_ALERT, &key, 1, NULL), 1);
	assert_int_equal(env_verify(&e, TYPE_ALERT, &other, 1, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		/* whose it is is said twice: the hint only selects */
		if (i > ALERT_FRAME && i <= ALERT_FRAME + FP4_LEN)
			continue;
		out[i] ^= 1;
		if (alert_parse(&a, &e, out, n) == NULL)
			assert_int_equal(env_verify(&e, TYPE_ALERT, &key, 1,
			    NULL), 0);
		out[i] ^= 1;
	}
	{
		struct klp_secret s = kit_secret(0);
		uint8_t ours[ALERT_SIGNED];

		assert_true(alert_sign(ours, &alarm, &s, NULL));
		assert_null(alert_parse(&a, &e, ours, sizeof(ours)));
		assert_memory_equal(&a, &alarm, sizeof(a));
		assert_int_equal(env_verify(&e, TYPE_ALERT, &key, 1, NULL), 1);
	}
	/* two are more than it may have */
	n = signed_one(out, 3);
	assert_non_null(alert_parse(&a, &e, out, n));
}

static void
test_bad(void **state)
{
	uint8_t out[256], *cut;
	size_t n = signed_one(out, 1);
	struct alert a;
	struct env e;

	(void)state;
	for (size_t k = 0; k <= n; k++) {
		assert_non_null(cut = malloc(k + 1));
		memcpy(cut, out, k);
		if ((alert_parse(&a, &e, cut, k) == NULL) !=
		    (k == ALERT_FRAME || k == ALERT_SIGNED))
			fail_msg("%zu bytes", k);
		free(cut);
	}
	assert_non_null(alert_parse(&a, &e, out, n + 1));
	for (unsigned s = 0; s < 8; s++) {
		out[3] = (uint8_t)s;
		assert_int_equal(alert_parse(&a, &e, out, ALERT_FRAME) == NULL,
		    s == 4 || s == 5);
	}
	out[3] = 4;
	out[16] = out[17] = 0; /* of no line */
	assert_non_null(alert_parse(&a, &e, out, ALERT_FRAME));
	out[17] = 1;
	out[2] = 2; /* a later version */
	assert_non_null(alert_parse(&a, &e, out, ALERT_FRAME));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_signed),
	    cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
