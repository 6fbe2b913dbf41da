/* SPDX-License-Identifier: BSD-2-Clause */
/* Images that somebody must have signed, as node has them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/vouched.h"
#include "node/work/imagepolicy.h"
#include "node/work/ready.h"
#include "tests/unit/nodekit.h"

#define SERIAL 77

/* These rules hold for the image that every job here runs in. */
static void
hold(uint32_t rules, uint64_t serial)
{
	struct attested *l = calloc(2, sizeof(*l));
	struct manifest m;

	assert_non_null(l);
	manifest_init(&m);
	(void)snprintf(m.image, sizeof(m.image), "test:1");
	(void)w.n.host.image(w.n.host.ctx, &m, &l[0].image);
	l[0].rules = rules;
	memset(&l[1].image, 0xff, sizeof(l[1].image));
	l[1].rules = UINT32_MAX;
	imagepolicy_take(&w.n, l, 2, serial);
	node_verdicts_void(&w.n);
}

static void
test_rules(void **state)
{
	struct id32 id;

	(void)state;
	w.n.policy.image_policy = SERIAL;
	w.image_rules = 5;
	w.run_ms = 50;
	/* until trust has spoken of these rules nothing is taken */
	assert_false(node_accepting(&w.n));
	hold(5, SERIAL + 1);
	assert_false(node_accepting(&w.n));
	hold(0, SERIAL);
	assert_true(node_accepting(&w.n));
	refused(submit(1, 0x41, 1, NULL, &id), "signature", 8);
	hold(4, SERIAL);
	refused(submit(1, 0x41, 2, NULL, &id), "signature", 8);
	hold(7, SERIAL);
	assert_int_equal(submit(1, 0x41, 3, NULL, &id)->status, ST_OK);
	world_run(&w, 1000);
	state_is(&id, "done", NULL);
	/* no rule is about it */
	hold(0, SERIAL);
	w.image_rules = 0;
	assert_int_equal(submit(1, 0x41, 4, NULL, &id)->status, ST_OK);
}

/* Its signer was revoked while it waits: it does not start any more. */
static void
test_waits(void **state)
{
	struct id32 id[2];

	(void)state;
	w.n.policy.image_policy = SERIAL;
	w.image_rules = 1;
	w.run_ms = 500;
	w.n.slots = 1;
	hold(1, SERIAL);
	for (uint8_t i = 0; i < 2; i++)
		assert_int_equal(submit(1, 0x41, (uint8_t)(i + 1), NULL,
		    &id[i])->status, ST_OK);
	world_run(&w, 100);
	state_is(&id[1], "queued", NULL);
	hold(0, SERIAL);
	world_run(&w, 2000);
	state_is(&id[0], "done", NULL);
	state_is(&id[1], "refused", NULL);
}

static void
test_form(void **state)
{
	struct attested in[2] = {{.rules = 1}, {.rules = UINT32_MAX}}, out[2];
	uint8_t buf[2 * ATTESTED_BYTES];

	(void)state;
	in[1].image.b[0] = 1;
	attested_put(buf, in, 2);
	assert_true(attested_get(out, buf, sizeof(buf), 2));
	assert_memory_equal(out, in, sizeof(in));
	assert_int_equal(attested_rules(out, 2, &in[1].image), UINT32_MAX);
	for (size_t n = 0; n < sizeof(buf); n++)
		assert_false(attested_get(out, buf, n, 2));
	attested_put(buf, in + 1, 1);
	attested_put(buf + ATTESTED_BYTES, in, 1);
	assert_false(attested_get(out, buf, sizeof(buf), 2));
}

/* Whose signature it was, for people: entries of one size, of UTF-8. */
static void
test_vouched(void **state)
{
	struct vouched in[2] = {{.rule = 3}, {.rule = 0}}, out[2];
	uint8_t buf[2 * VOUCHED_BYTES];

	(void)state;
	memset(in[1].who, 'a', VOUCHED_WHO);
	(void)snprintf(in[0].who, sizeof(in[0].who), "somebody");
	memset(&in[0].image, 7, sizeof(in[0].image));
	vouched_put(buf, in, 2);
	assert_true(vouched_get(out, buf, sizeof(buf), 2));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(out[i].rule, in[i].rule);
		assert_true(id32_eq(&out[i].image, &in[i].image));
		assert_string_equal(out[i].who, in[i].who);
	}
	for (size_t n = 0; n < sizeof(buf); n++)
		assert_false(vouched_get(out, buf, n, 2));
	buf[VOUCHED_BYTES - VOUCHED_WHO] = 0xff;
	assert_false(vouched_get(out, buf, sizeof(buf), 2));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_rules), TEST(test_waits), TEST(test_form),
	    TEST(test_vouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
