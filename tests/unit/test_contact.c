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

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/contact.h"
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
	assert_false(contact_get(&me, &r, begins));
	contact_keep(&me, &node);
	assert_true(contact_get(&me, &r, begins));
	assert_true(binding_parse(&b, node.binding, sizeof(node.binding)));
	assert_memory_equal(r.rns_pub, b.rns, sizeof(r.rns_pub));
	assert_memory_equal(r.binding, node.binding, sizeof(r.binding));
	assert_string_equal(r.name, "burrow");
	assert_true(r.urn[0] != '\0');
	assert_false(contact_get(&me, &other, begins));
	/* well before, and after its time */
	assert_false(contact_get(&me, &r, begins - 7200));
	assert_false(contact_get(&me, &r, ends + 7200));
}

/* What would be taken for another's is not kept, and not believed. */
static void
others(void **state)
{
	_cleanup_fd_ int dir = dir_open(me.dir, "contacts", true, 0700);
	struct remote wrong = node, r = {.dest = node.dest};
	uint8_t bad[BINDING_LEN];
	char hex[33];

	(void)state;
	wrong.dest.b[0] ^= 1;
	contact_keep(&me, &wrong);
	assert_false(contact_get(&me, &wrong, begins));
	hex_encode(hex, HASH_BYTES(node.dest));
	for (size_t i = 0; i < sizeof(bad); i++) {
		memcpy(bad, node.binding, sizeof(bad));
		bad[i] ^= 1;
		assert_int_equal(file_replace(dir, hex, bad, sizeof(bad),
				     0600), 0);
		assert_false(contact_get(&me, &r, begins));
		assert_int_equal(r.name[0], '\0');
	}
	for (size_t n = 0; n < sizeof(bad); n += 11) {
		assert_int_equal(file_replace(dir, hex, node.binding, n, 0600),
		    0);
		assert_false(contact_get(&me, &r, begins));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kept),
	    cmocka_unit_test(others),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
