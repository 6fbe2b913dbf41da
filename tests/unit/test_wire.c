/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "common/wire.h"

static void
test_read_write(void **state)
{
	uint8_t buf[64];
	struct wr w = wr_make(buf, sizeof(buf));
	struct rd r;
	uint8_t a;
	uint16_t b;
	uint32_t c, d;
	uint64_t e, f;
	int32_t g;
	double h;
	bool i;
	char s[8];

	(void)state;
	wr_u8(&w, 1);
	wr_u16(&w, 0x0203);
	wr_u24(&w, 0x040506);
	wr_u32(&w, 0x0708090a);
	wr_u40(&w, UINT64_C(0x0b0c0d0e0f));
	wr_u64(&w, UINT64_MAX - 1);
	wr_i32(&w, -5);
	wr_f64(&w, -0.25);
	wr_bool(&w, true);
	wr_str(&w, "abc");
	assert_true(wr_ok(&w));
	for (size_t cut = 0; cut <= w.len; cut++) {
		r = rd_make(buf, cut);
		bool ok = rd_u8(&r, &a) && rd_u16(&r, &b) && rd_u24(&r, &c) &&
		    rd_u32(&r, &d) && rd_u40(&r, &e) && rd_u64(&r, &f) &&
		    rd_i32(&r, &g) && rd_f64(&r, &h) && rd_bool(&r, &i) &&
		    rd_str(&r, s, sizeof(s)) && rd_end(&r);

		assert_int_equal(ok, cut == w.len);
	}
	assert_int_equal(a, 1);
	assert_int_equal(b, 0x0203);
	assert_int_equal(c, 0x040506);
	assert_int_equal(d, 0x0708090a);
	assert_true(e == UINT64_C(0x0b0c0d0e0f));
	assert_true(f == UINT64_MAX - 1);
	assert_int_equal(g, -5);
	assert_true(h > -0.26 && h < -0.24);
	assert_true(i);
	assert_string_equal(s, "abc");
}

static void
test_writer_is_sticky(void **state)
{
	uint8_t buf[4] = {9, 9, 9, 9};
	struct wr w = wr_make(buf, 3);

	(void)state;
	wr_u16(&w, 1);
	wr_u16(&w, 2);
	assert_false(wr_ok(&w));
	wr_u8(&w, 3);
	assert_false(wr_ok(&w));
	assert_int_equal(w.len, 2);
	assert_int_equal(buf[2], 9);
}

static void
test_strings(void **state)
{
	uint8_t nul[] = {0, 3, 'a', 0, 'b'};
	struct rd r = rd_make(nul, sizeof(nul));
	char s[3];

	(void)state;
	assert_false(rd_str(&r, s, sizeof(s)));
	assert_int_equal(rd_left(&r), 5);
	nul[3] = 'x';
	assert_false(rd_str(&r, s, sizeof(s))); /* no room for the NUL */
}

static void
test_hex_and_escape(void **state)
{
	uint8_t b[2];
	char t[40], t2[40];

	(void)state;
	assert_true(hex_decode(b, 2, "aF09", 4));
	assert_int_equal(b[0], 0xaf);
	assert_false(hex_decode(b, 2, "aF0g", 4));
	assert_false(hex_decode(b, 2, "aF0", 3));
	hex_encode(t, b, 2);
	assert_string_equal(t, "af09");
	text_escape(t, sizeof(t), "a\x1b[31m\xc3\xa4\xff\n", 10);
	assert_string_equal(t, "a\\x1b[31m\xc3\xa4\\xff\\x0a");
	text_escape(t, sizeof(t), "a\\b", 3);
	assert_string_equal(t, "a\\x5cb");
	/* what was escaped already stays */
	text_escape(t, sizeof(t), "x\xff", 2);
	text_printable(t2, sizeof(t2), t, strlen(t));
	assert_string_equal(t2, "x\\xff");
	text_printable(t2, sizeof(t2), "a\x1b[\n", 4);
	assert_string_equal(t2, "a\\x1b[\\x0a");
	text_escape(t, 3, "abcdef", 6);
	assert_string_equal(t, "ab");
	text_escape(t, sizeof(t), "\xe2\x80\xae", 3);
	assert_string_equal(t, "\\xe2\\x80\\xae");
	assert_true(utf8_valid("\xc3\xa4z", 3));
	assert_false(utf8_valid("\xed\xa0\x80", 3));
	assert_false(utf8_valid("\xc0\x80", 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_read_write),
	    cmocka_unit_test(test_writer_is_sticky),
	    cmocka_unit_test(test_strings),
	    cmocka_unit_test(test_hex_and_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
