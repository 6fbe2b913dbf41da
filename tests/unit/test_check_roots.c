/* SPDX-License-Identifier: BSD-2-Clause */
/* What check-config says of roots of sigstore, files and documents. */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/check/check.h"
#include "tests/unit/authkit.h"
#include "tests/unit/vec.h"
#include "trust/doc/rootsdoc.h"

#define POLICY "accept_computation_requests: true\nimage_policy:\n" \
	"  - image: '*:*'\n    any_of:\n      - keyless: {roots: '%s', issuer: " \
	"'https://accounts.example', subject: me@example.org}\n"
#define URI "klp://test.kos/sig/roots.json"
#define DOC "klp/documents/test.kos/sig/roots.json"

static char top[80], said[64][1600];
static unsigned nsaid, nbad;
static json_t *vec;

static void
hear(void *ctx, bool note, const char *file, const struct mistake *m)
{
	(void)ctx;
	assert_true(nsaid < NELEM(said));
	check_line(said[nsaid++], sizeof(said[0]), ".", note, file, m);
}

static const char *
told(const char *says)
{
	for (unsigned i = 0; i < nsaid; i++)
		if (strstr(said[i], says) != NULL)
			return said[i];
	return NULL;
}

static void
expect(const char *says)
{
	nsaid = 0;
	nbad = check_config(top, false, NULL, hear, NULL);
	if (told(says) != NULL)
		return;
	for (unsigned i = 0; i < nsaid; i++)
		print_error("%s\n", said[i]);
	fail_msg("nothing like: %s", says);
}

static void
put(const char *name, const void *p, size_t n)
{
	char path[300];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
policy(const char *roots)
{
	char text[600];

	(void)snprintf(text, sizeof(text), POLICY, roots);
	put("node.yaml", text, strlen(text));
}

static int
setup(void **state)
{
	static const char *const folders[] = {"klp", "klp/roots",
	    "klp/authorities", "klp/documents", "klp/documents/test.kos",
	    "klp/documents/test.kos/sig"};
	const struct kit_root r = {.issued = 1000000000, .expires = UINT32_MAX};
	uint8_t buf[8192];
	char path[300];
	struct id32 id;

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/check-roots-XXXXXX");
	assert_non_null(mkdtemp(top));
	for (size_t i = 0; i < NELEM(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", top, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	put("config", "", 0);
	put("klp/authorities/test.kos.root.json", buf, kit_root(buf,
	    sizeof(buf), &r, &id));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	kit_remove(top);
	return 0;
}

/* The vectors' roots, whose logs of certificates end so many seconds from now. */
static char *
ending(int64_t in)
{
	json_t *o = json_loads(vec_str(json_object_get(vec, "roots"), "roots"),
	    0, NULL), *list = json_object_get(o, "ctlogs"), *log, *valid;
	time_t at = time(NULL) + in;
	struct tm tm;
	char text[40], *out;
	size_t i;

	assert_true(strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&at, &tm)) > 0);
	json_array_foreach(list, i, log) {
		valid = json_object_get(json_object_get(log, "publicKey"),
		    "validFor");
		(void)json_object_set_new(valid, "end", json_string(text));
		(void)json_object_set_new(valid, "start",
		    json_string("2020-01-01T00:00:00Z"));
	}
	out = json_dumps(o, 0);
	json_decref(o);
	return out;
}

static void
put_ending(const char *name, int64_t in)
{
	char *text = ending(in);

	put(name, text, strlen(text));
	free(text);
}

static void
put_document(int64_t logs_in, uint32_t issued, uint32_t expires)
{
	static uint8_t buf[65536];
	struct env_signed sigs[KIT_KEYS];
	char why[SIGROOT_WHY_MAX] = "", *text = ending(logs_in), *payload;
	size_t n;

	payload = rootsdoc_make(text, strlen(text), URI, 1, issued, expires, &n,
	    why);
	if (payload == NULL)
		fail_msg("%s", why);
	n = env_build_json(buf, sizeof(buf), TYPE_ROOTSDOC, payload, n, sigs,
	    kit_sign(sigs, 1, TYPE_ROOTSDOC, payload, n));
	assert_true(n > 0);
	put(DOC, buf, n);
	free(payload);
	free(text);
}

static void
test_file(void **state)
{
	(void)state;
	policy("a.json");
	expect("no signature counts by it: there is no klp/roots/a.json");
	put("klp/roots/a.json", "{}", 2);
	expect("klp/roots/a.json: is not used: ");
	put_ending("klp/roots/a.json", 30 * 86400);
	expect("");
	assert_null(told("klp/roots"));
	put_ending("klp/roots/a.json", 3 * 86400 + 600);
	expect("klp/roots/a.json: in 3 days nothing that is signed counts by "
	    "it: no ctlog counts any more");
	put_ending("klp/roots/a.json", -600);
	expect("klp/roots/a.json: nothing that is signed from now on counts by "
	    "it: no ctlog counts any more");
}

static void
test_document(void **state)
{
	uint32_t now = (uint32_t)time(NULL);

	(void)state;
	/* a name that is none keeps the start */
	policy("klp://test.kos");
	expect("roots is no name of a document");
	assert_true(nbad > 0);
	policy(URI "?v=3");
	expect("roots is no name of a document");
	policy("klp://nobody.kos/r");
	expect("nothing of nobody.kos counts: there is no "
	    "klp/authorities/nobody.kos.root.json");
	/* whose document is fetched: nothing in the folder, nothing to tell */
	policy(URI);
	expect("");
	assert_null(told("klp/"));
	put(DOC, "{}", 2);
	expect(DOC ": is not used: ");
	put_document(30 * 86400, now, now + 86400);
	expect("");
	assert_null(told("klp/"));
	put_document(2 * 86400 + 600, now, now + 86400);
	expect(DOC ": in 2 days nothing that is signed counts by it");
	put_document(30 * 86400, now - 86400, now - 60);
	expect(DOC ": has expired: it is not taken");
	/* its authority is pinned to be believed, and nothing is amiss else */
	assert_int_equal(nbad, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_file),
	    TEST(test_document),
	};

	vec = vec_load("keyless.json");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
