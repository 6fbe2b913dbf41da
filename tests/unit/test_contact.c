/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/contact.h"
#include "node/proto/proto.h"
#include "tests/unit/vec.h"

static char folder[] = "/tmp/warren-contact.XXXXXX";
static struct person me;
static struct remote node;
static uint32_t begins, ends;

static int
make(void **state)
{
	json_t *root = vec_load("klp-binding.json");
	json_t *row = json_array_get(vec_array(root, "bindings"), 0);
	struct hash16 identity;
	struct binding b;

	(void)state;
	assert_non_null(mkdtemp(folder));
	me.dir = dir_open(-1, folder, false, 0);
	assert_true(me.dir >= 0);
	vec_exact(row, "standalone", node.binding, sizeof(node.binding));
	assert_true(binding_parse(&b, node.binding, sizeof(node.binding)));
	begins = b.not_before;
	ends = b.not_after;
	rns_identity_hash_of(&identity, b.rns);
	assert_int_equal(rns_dest_hash(&node.dest, "klp.node", &identity),
	    RNS_OK);
	(void)snprintf(node.name, sizeof(node.name), "burrow");
	me.fp.b[3] = 7;
	memset(me.binding, 9, sizeof(me.binding));
	node.slice = 4096;
	node.max_log = 65536;
	node.max_output = 1 << 20;
	node.budget = 5 << 20;
	node.told = (struct told){.at = begins, .ahead_s = -3, .by = me.fp};
	rns_sha256(&node.told.shown, me.binding, sizeof(me.binding));
	return 0;
}

static int
unmake(void **state)
{
	char text[128], hex[33];

	(void)state;
	hex_encode(hex, HASH_BYTES(node.dest));
	(void)snprintf(text, sizeof(text), "%s/contacts/%s", folder, hex);
	(void)unlink(text);
	(void)snprintf(text, sizeof(text), "%s/contacts", folder);
	(void)rmdir(text);
	(void)close(me.dir);
	return rmdir(folder);
}

static void
kept(void **state)
{
	struct remote r = {.dest = node.dest}, other = {.dest = {{1}}};
	struct binding b;

	(void)state;
	assert_string_equal(contact_get(&me, &r, begins), "");
	contact_keep(&me, &node);
	assert_null(contact_get(&me, &r, begins));
	assert_true(binding_parse(&b, node.binding, sizeof(node.binding)));
	assert_memory_equal(r.rns_pub, b.rns, sizeof(r.rns_pub));
	assert_memory_equal(r.binding, node.binding, sizeof(r.binding));
	assert_string_equal(r.name, "burrow");
	assert_true(r.urn[0] != '\0');
	assert_int_equal(r.slice, 4096);
	assert_int_equal(r.max_log, 65536);
	assert_int_equal(r.max_output, 1 << 20);
	assert_int_equal(r.budget, 5 << 20);
	assert_string_equal(contact_get(&me, &other, begins), "");
	/* well before, and after its time */
	assert_non_null(contact_get(&me, &r, begins - 7200));
	assert_non_null(contact_get(&me, &r, ends + 7200));
}

/* The last 32 of n bytes become the digest of the others; n. */
static size_t
seal(uint8_t *text, size_t n)
{
	struct id32 digest;

	rns_sha256(&digest, text, n - sizeof(digest));
	memcpy(text + n - sizeof(digest), digest.b, sizeof(digest));
	return n;
}

/* What would be taken for another's is not kept, and not believed. */
static void
others(void **state)
{
	_cleanup_fd_ int dir = dir_open(me.dir, "contacts", true, 0700);
	struct remote wrong = node, r = {.dest = node.dest};
	uint8_t text[CONTACT_MAX], bad[CONTACT_MAX + 1];
	const char *why;
	char hex[33];
	size_t n;

	(void)state;
	wrong.dest.b[0] ^= 1;
	contact_keep(&me, &wrong);
	assert_string_equal(contact_get(&me, &wrong, begins), "");
	hex_encode(hex, HASH_BYTES(node.dest));
	n = contact_put(text, &node);
	assert_true(n > BINDING_LEN && n <= sizeof(text));
	/* each bit, under the digest of what was written and under its own */
	for (size_t i = 0; i < 2 * 8 * n; i++) {
		memcpy(bad, text, n);
		bad[i / 2 / 8] ^= (uint8_t)(1u << i / 2 % 8);
		if (i % 2 == 1)
			seal(bad, n);
		why = contact_parse(&r, bad, n, begins);
		/* what it told is its own word, whatever that is */
		if (i % 2 == 0 || i / 2 / 8 < BINDING_LEN + 5)
			assert_non_null(why);
		if (why != NULL)
			assert_int_equal(r.name[0], '\0');
		r = (struct remote){.dest = node.dest};
	}
	for (size_t i = 0; i < n; i++) {
		assert_non_null(contact_parse(&r, text, i, begins));
		if (i >= n - 32)
			continue;
		memcpy(bad, text, i);
		assert_non_null(contact_parse(&r, bad, seal(bad, i + 32),
		    begins));
	}
	assert_int_equal(file_replace(dir, hex, text, n / 2, 0600), 0);
	assert_string_equal(contact_get(&me, &r, begins), "it is damaged");
	/* more than one can be, and what lies beside it by that name */
	memset(bad, 0, sizeof(bad));
	assert_int_equal(file_replace(dir, hex, bad, sizeof(bad), 0600), 0);
	assert_non_null(contact_get(&me, &r, begins));
	assert_int_equal(unlinkat(dir, hex, 0), 0);
	assert_int_equal(symlinkat("/dev/zero", dir, hex), 0);
	assert_string_equal(contact_get(&me, &r, begins), "it cannot be read");
	assert_int_equal(unlinkat(dir, hex, 0), 0);
}

/* As the version before wrote it, and as another node's. */
static void
of_others(void **state)
{
	struct remote r = {.dest = node.dest};
	uint8_t text[CONTACT_MAX];
	size_t n = contact_put(text, &node);

	(void)state;
	assert_string_equal(contact_parse(&r, node.binding, BINDING_LEN,
	    begins), "it is of another version");
	text[4]++;
	assert_string_equal(contact_parse(&r, text, n, begins),
	    "it is of another version");
	text[4]--;
	r.dest.b[0] ^= 1;
	assert_string_equal(contact_parse(&r, text, n, begins),
	    "it is of another node");
}

/* Numbers that no node can mean. */
static void
bounds(void **state)
{
	struct remote t[5], r = {.dest = node.dest};
	uint8_t text[CONTACT_MAX];

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++)
		t[i] = node;
	t[0].slice = PROTO_SLICE + 1;
	t[1].max_log = PROTO_INT_MAX + 1;
	t[2].max_output = UINT64_MAX;
	t[3].budget = PROTO_INT_MAX + 1;
	t[4].told.at = -1;
	for (size_t i = 0; i < NELEM(t); i++)
		assert_string_equal(contact_parse(&r, text,
		    contact_put(text, &t[i]), begins), "it is damaged");
}

/* For how long it counts what a node has told, and for whom. */
static void
told(void **state)
{
	const int64_t at = node.told.at;
	struct person other = me;
	struct remote r = node;

	(void)state;
	assert_true(contact_told(&me, &r, at + 5));
	assert_int_equal(r.time, at + 2);
	assert_int_equal(r.budget_left, r.budget);
	assert_true(contact_told(&me, &r, at + CONTACT_AGE_S - 1));
	assert_false(contact_told(&me, &r, at + CONTACT_AGE_S));
	assert_false(contact_told(&me, &r, at - 1));
	other.fp.b[0] ^= 1;
	assert_false(contact_told(&other, &r, at));
	for (int s = -1; s <= 1; s += 2) {
		r.told.ahead_s = s * CONTACT_CLOCKS_S;
		assert_true(contact_told(&me, &r, at));
		r.told.ahead_s += s;
		assert_false(contact_told(&me, &r, at));
		r.told.ahead_s = s < 0 ? INT32_MIN : INT32_MAX;
		assert_false(contact_told(&me, &r, at));
	}
	r.told.ahead_s = 0;
	r.told.at = UINT32_MAX;
	assert_true(contact_told(&me, &r, UINT32_MAX));
	assert_false(contact_told(&me, &r, (int64_t)UINT32_MAX + 1));
	r.told.at = 0;
	assert_false(contact_told(&me, &r, 0));

	assert_true(contact_shown(&me, &node));
	other = me;
	other.binding[0] ^= 1;
	assert_false(contact_shown(&other, &node));
	r = node;
	r.told.at = 0;
	assert_false(contact_shown(&me, &r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kept),
	    cmocka_unit_test(others),
	    cmocka_unit_test(of_others),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(told),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
