/* SPDX-License-Identifier: BSD-2-Clause */
/* After which answers a request is made again, and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/cli/again.h"

static struct proto_ans
refusal(const char *code)
{
	struct proto_ans a = {.status = ST_REFUSED};

	a.meta.code = pstr_of(code);
	return a;
}

static void
test_busy(void **state)
{
	static const struct {
		uint64_t said, waited;
	} t[] = {{0, 1}, {1, 1}, {59, 59}, {60, 60}, {61, 60},
	    {UINT64_MAX, 60}};
	struct again_call c = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct proto_ans a = {.status = ST_BUSY};
		uint64_t wait = 0;

		a.meta.s = t[i].said;
		assert_int_equal(again_after(&c, &a, true, false, &wait),
		    AGAIN_LATER);
		assert_int_equal(wait, t[i].waited);
	}
}

/* Who reads the log at the end does not wait for a stream, but for all else. */
static void
test_stream(void **state)
{
	struct again_call c = {.spare_stream = true}, waits = {0};
	struct proto_ans a = {.status = ST_BUSY};
	uint64_t wait;

	(void)state;
	a.meta.code = pstr_of("stream");
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_NOT);
	assert_int_equal(again_after(&waits, &a, true, false, &wait),
	    AGAIN_LATER);
	a.meta.code = pstr_of("load");
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_LATER);
}

/* The packet that says who asks may be lost more than once, not for ever. */
static void
test_identify(void **state)
{
	struct proto_ans a = refusal("not_identified");
	struct again_call c = {0};
	uint64_t wait;
	unsigned n = 0;

	(void)state;
	while (again_after(&c, &a, true, false, &wait) == AGAIN_IDENTIFY)
		assert_true(++n < 100);
	assert_true(n >= 8);
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_NOT);
	/* another call, and one that has nothing to say */
	c = (struct again_call){0};
	assert_int_equal(again_after(&c, &a, false, false, &wait), AGAIN_NOT);
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_IDENTIFY);
}

/* Who asks is shown once a request; a demand for a live proof is not that. */
static void
test_introduce(void **state)
{
	static const uint8_t nonce[32];
	struct proto_ans a = refusal("binding");
	struct again_call c = {0};
	uint64_t wait;

	(void)state;
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_NOT);
	a.meta.n = nonce;
	assert_int_equal(again_after(&c, &a, true, true, &wait), AGAIN_NOT);
	a.meta.n = NULL;
	assert_int_equal(again_after(&c, &a, true, true, &wait),
	    AGAIN_INTRODUCE);
	assert_int_equal(again_after(&c, &a, true, true, &wait), AGAIN_NOT);
}

static void
test_others(void **state)
{
	struct again_call c = {0};
	struct proto_ans a = refusal("quota");
	uint64_t wait;

	(void)state;
	assert_int_equal(again_after(&c, &a, true, false, &wait), AGAIN_NOT);
	a = refusal("not_identified");
	for (unsigned st = 0; st < 16; st++) {
		a.status = st;
		if (st != ST_BUSY && st != ST_REFUSED)
			assert_int_equal(again_after(&c, &a, true, false, &wait),
			    AGAIN_NOT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_busy),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_identify),
	    cmocka_unit_test(test_introduce),
	    cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests_name("again", tests, NULL, NULL);
}
