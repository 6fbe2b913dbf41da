/* SPDX-License-Identifier: BSD-2-Clause */
/* app_data of announces: compute.md 1, klp-binding.json's tlv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "trust/doc/tlv.h"
#include "common/util.h"
#include "tests/unit/vec.h"

static struct app_data
full(void)
{
	struct app_data a = {.has_binding = true, .has_caps = true,
	    .caps = {ROLE_COMPUTE, RUNTIME_NATIVE | RUNTIME_OCI, ARCH_X86_64,
		APP_ACCEPTING, 2000, 512, 3},
	    .nheads = 2, .name = "n\xc3\xb6" "de"};

	memset(a.binding, 7, sizeof(a.binding));
	a.heads[1].version = 9;
	return a;
}

static void
test_round(void **state)
{
	struct app_data a = full(), b;
	uint8_t buf[TLV_APP_DATA_MAX];
	size_t n = app_data_build(buf, sizeof(buf), &a);

	(void)state;
	assert_int_equal(n, 3 + 113 + 3 + 16 + 3 + 24 + 3 + 5);
	assert_true(app_data_parse(&b, buf, n));
	assert_memory_equal(a.binding, b.binding, sizeof(a.binding));
	assert_int_equal(b.caps.cpu_milli, 2000);
	assert_int_equal(b.caps.queue, 3);
	assert_int_equal(b.nheads, 2);
	assert_int_equal(b.heads[1].version, 9);
	assert_string_equal(a.name, b.name);
	assert_int_equal(app_data_build(buf, n - 1, &a), 0);
	assert_true(app_data_parse(&b, buf, 0));
	assert_false(b.has_binding);
}

static void
test_vector(void **state)
{
	json_t *row = json_array_get(
	    vec_array(vec_load("klp-binding.json"), "bindings"), 0);
	size_t n, an;
	uint8_t *tlv = vec_bytes(row, "tlv", &n);
	uint8_t *ann = vec_bytes(row, "announce", &an), out[TLV_APP_DATA_MAX];
	struct app_data a;

	(void)state;
	assert_true(app_data_parse(&a, tlv, n));
	assert_true(a.has_binding);
	vec_equal(a.binding, sizeof(a.binding), ann, an);
	vec_equal(out, app_data_build(out, sizeof(out), &a), tlv, n);
}

static void
test_forms(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		bool ok;
	} rows[] = {
	    {"\x63\0\0", 3, true},		       /* unknown */
	    {"\x63\0\0\x63\0\0", 6, false},	       /* twice */
	    {"\x63\0\1", 3, false},		       /* beyond the end */
	    {"\x63\0", 2, false},		       /* no length */
	    {"\x06\0\2ab", 5, true},		       /* name */
	    {"\x06\0\2a\0", 5, false},		       /* NUL */
	    {"\x06\0\1\xff", 4, false},		       /* not UTF-8 */
	    {"\x01\0\1x", 4, false},		       /* short binding */
	    {"\x04\0\1x", 4, false},		       /* short caps */
	    {"\x05\0\1x", 4, false},		       /* part of a head */
	    {"\x05\0\0", 3, true},
	    {"\x06\0\x21" "123456789012345678901234567890123", 36, false},
	    {"\x06\0\x20" "12345678901234567890123456789012", 35, true},
	};
	struct app_data a;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		uint8_t *b = vec_copy(rows[i].bytes, rows[i].n);

		assert_int_equal(app_data_parse(&a, b, rows[i].n), rows[i].ok);
	}
}

static void
any(void *arg, const uint8_t *p, size_t n)
{
	struct app_data a;
	uint8_t out[TLV_APP_DATA_MAX];

	(void)arg;
	if (app_data_parse(&a, p, n))
		(void)app_data_build(out, sizeof(out), &a);
}

static void
test_cuts(void **state)
{
	struct app_data a = full();
	uint8_t buf[TLV_APP_DATA_MAX];
	size_t n = app_data_build(buf, sizeof(buf), &a);

	(void)state;
	vec_each_prefix(buf, n, any, NULL);
	vec_each_flip(buf, n, any, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round),
	    cmocka_unit_test(test_vector),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
