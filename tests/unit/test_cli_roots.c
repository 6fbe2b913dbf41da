/* SPDX-License-Identifier: BSD-2-Clause */
/* A trusted_root.json of sigstore that an authority publishes; status of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "node/cli/klpdoc.h"
#include "node/cli/klpfile.h"
#include "node/cli/policyline.h"
#include "node/cli/verb.h"
#include "tests/unit/authkit.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/vec.h"
#include "trust/doc/rootsdoc.h"

static const char *dir, *roots;
static json_t *vec;
static const struct captured *heard;

/* The words of one call. */
static int
publish(const char *words)
{
	static char line[2048];
	struct cli me = {.verb = "test", .identity = dir};
	char *argv[16] = {line}, *save = NULL;
	int argc = 1, rc;

	(void)snprintf(line, sizeof(line), "%s", words);
	for (char *w = strtok_r(line, " ", &save); w != NULL;
	    w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	capture_begin();
	rc = verb_klp_publish(&me, argc, argv);
	heard = capture_end();
	return rc;
}

/* Files and keys by their names, behind the folder FOLDER. */
static int
with(const char *folder, const char *files, const char *keys)
{
	char words[2048], *text, *save = NULL;
	size_t n;

	n = (size_t)snprintf(words, sizeof(words), "%s/%s", dir, folder);
	for (int i = 0; i < 2; i++) {
		text = strdup(i == 0 ? files : keys);
		for (char *w = strtok_r(text, " ", &save); w != NULL;
		    w = strtok_r(NULL, " ", &save))
			n += (size_t)snprintf(words + n, sizeof(words) - n,
			    " %s%s/%s", i == 0 ? "" : "-k ", dir, w);
		free(text);
	}
	return publish(words);
}

static void
no(int rc, const char *why)
{
	if (rc != CLI_REFUSED || strstr(heard->err, why) == NULL)
		fail_msg("%d: %s", rc, heard->err);
}

static void
put(const char *name, const void *p, size_t n)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(file_replace(fd, name, p, n, 0600), 0);
	(void)close(fd);
}

static void
put_root(const char *name, const char *documents)
{
	static uint8_t buf[8192];
	struct id32 id;
	/* key 0 signs heads, key 1 what is of the role */
	struct kit_root r = {.issued = 1000000000, .expires = UINT32_MAX,
	    .keys = {1, 1, 2}, .more = documents};

	put(name, buf, kit_root(buf, sizeof(buf), &r, &id));
}

static int
setup(void **state)
{
	static const char *const names[] = {"head.key", "roots.key"};
	struct cli me = {.verb = "test"};
	char path[256];

	(void)state;
	dir = temp_dir();
	for (unsigned i = 0; i < 2; i++) {
		struct klp_secret s = kit_secret(i);

		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		assert_int_equal(klpfile_key_make(&me, path, &s), CLI_OK);
	}
	put_root("root", "{\"documents\":{\"sig/roots.json\":{\"role\":"
	    "\"revocation-list\",\"type\":\"klp.sigstore-roots\",\"max\":"
	    "100000}}}");
	write_text(dir, "trusted_root.json", roots);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	temp_remove(dir);
	return 0;
}

static uint32_t
version(void)
{
	char path[256], why[SIGROOT_WHY_MAX];
	const char *bad = NULL;
	struct rootsdoc d;
	struct env e;
	uint32_t now = (uint32_t)time(NULL), v;
	size_t n;
	char *text;

	(void)snprintf(path, sizeof(path), "%s/pub/sig/roots.json", dir);
	text = file_load(AT_FDCWD, path, ROOTSDOC_BYTES, &n);
	assert_non_null(text);
	assert_int_equal(env_parse(&e, text, n, ROOTSDOC_BYTES,
	    ROOTSDOC_PAYLOAD, &bad), 0);
	assert_string_equal(e.type, TYPE_ROOTSDOC);
	if (!rootsdoc_parse(&d, e.payload, e.payload_len, why))
		fail_msg("%s", why);
	assert_string_equal(d.uri, "klp://test.kos/sig/roots.json");
	assert_int_equal(d.expires - d.issued, 30 * 86400);
	assert_true(d.issued <= now && now - d.issued < 600);
	v = d.version;
	rootsdoc_clear(&d);
	env_clear(&e);
	free(text);
	return v;
}

static void
test_publish(void **state)
{
	char *text = strdup(roots);

	(void)state;
	assert_non_null(text);
	no(with("pub", "root trusted_root.json", "head.key"),
	    "not signed by as many keys of its role");
	assert_int_equal(with("pub", "root trusted_root.json",
	    "head.key roots.key"), CLI_OK);
	assert_int_equal(version(), 1);
	/* a version more each time that it is given, and else as it was */
	assert_int_equal(with("pub", "trusted_root.json",
	    "head.key roots.key"), CLI_OK);
	assert_int_equal(version(), 2);
	assert_int_equal(with("pub", "", "head.key"), CLI_OK);
	assert_int_equal(version(), 2);
	no(with("pub", "trusted_root.json trusted_root.json",
	    "head.key roots.key"), "the same place");
	/* what a node would refuse is not published */
	memcpy(strstr(text, "hashAlgorithm"), "hashAlgorithn", 13);
	write_text(dir, "trusted_root.json", text);
	no(with("pub", "trusted_root.json", "head.key roots.key"),
	    "unknown member hashAlgorithn");
	assert_int_equal(version(), 2);
	free(text);
}

/* Where it belongs must be plain. */
static void
test_place(void **state)
{
	(void)state;
	put_root("none", "{}");
	no(with("first", "none trusted_root.json", "head.key roots.key"),
	    "the root declares no document of the type klp.sigstore-roots");
	put_root("two", "{\"documents\":{\"a\":{\"role\":\"revocation-list\","
	    "\"type\":\"klp.sigstore-roots\",\"max\":100000},\"b\":{\"role\":"
	    "\"revocation-list\",\"type\":\"klp.sigstore-roots\",\"max\":"
	    "100000}}}");
	no(with("second", "two trusted_root.json", "head.key roots.key"),
	    "several documents of roots");
}

static void
shown(const char *what, const char *text)
{
	json_t *list = json_loads(what, 0, NULL);

	assert_non_null(list);
	capture_begin();
	policyline_print(list);
	heard = capture_end();
	json_decref(list);
	if (strcmp(heard->out, text) != 0)
		fail_msg("%s", heard->out);
}

static void
test_status(void **state)
{
	char what[600];
	long now = (long)time(NULL);

	(void)state;
	capture_begin();
	policyline_print(NULL);
	assert_string_equal(capture_end()->out, "");
	(void)snprintf(what, sizeof(what), "[{\"kind\":\"file\",\"name\":\"a\","
	    "\"since\":%ld,\"until\":0,\"entries\":5,\"age\":\"fresh\"}]",
	    now - 2 * 86400 - 60);
	shown(what, "roots     klp/roots/a, 2 d 0 h old, 5 entries\n");
	(void)snprintf(what, sizeof(what), "[{\"kind\":\"document\",\"name\":"
	    "\"klp://a/b\",\"version\":7,\"since\":%ld,\"until\":%ld,"
	    "\"entries\":5,\"age\":\"stale\",\"near\":true,\"ends\":\"it "
	    "expires\"}]", now - 2 * 86400 - 60, now + 3 * 86400 + 60);
	shown(what, "roots     klp://a/b version 7, 2 d 0 h old, 5 "
	    "entries, EXPIRED: newer signatures count for nothing, END in "
	    "3 d 0 h: it expires\n");
	shown("[{\"kind\":\"document\",\"name\":\"klp://a/b\",\"entries\":0,"
	    "\"why\":\"no such document was accepted here yet\"},{\"kind\":"
	    "\"rule\",\"name\":\"x/*\",\"version\":2,\"why\":\"its roots\"}]",
	    "roots     klp://a/b; count for NOTHING: no such document was "
	    "accepted here yet\npolicy    rule 2, image x/*: NOBODY can sign "
	    "for it: its roots\n");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_publish),
	    TEST(test_place),
	    TEST(test_status),
	};

	vec = vec_load("keyless.json");
	roots = vec_str(json_object_get(vec, "roots"), "roots");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
