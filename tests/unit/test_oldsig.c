/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures of the past, and a list that speaks of their key (klp.md 4.5). */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/cli/oldsig.h"
#include "node/cli/verbs.h"
#include "tests/unit/authkit.h"
#include "tests/unit/cli_capture.h"

static const char *dir;
static char list_path[256], root_path[256], other_path[256], self_path[256];

static void
put(char path[256], const char *name, const void *p, size_t n)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(path, 256, "%s/%s", dir, name);
	assert_int_equal(file_replace(fd, name, p, n, 0600), 0);
	(void)close(fd);
}

static struct rev_entry
entry(unsigned key, uint8_t reason, uint32_t at)
{
	struct rev_entry e = {.kind = REV_KEY, .reason = reason,
	    .revoked_at = at, .invalid_since = at};
	struct fp fp = kit_fp(key);

	memcpy(e.id, HASH_BYTES(fp));
	return e;
}

static int
setup(void **state)
{
	static uint8_t buf[65536];
	struct rev_entry e[] = {entry(2, REASON_RETIRED, KIT_T0 + 100),
	    entry(3, 1, KIT_T0 + 100), entry(4, REASON_SUPERSEDED, KIT_T0)};
	struct id32 id;
	struct kit_root r = {.name = NULL}, o = {.name = "other.kos"};
	size_t n;

	(void)state;
	dir = temp_dir();
	qsort(e, NELEM(e), sizeof(e[0]), rev_cmp);
	n = kit_root(buf, sizeof(buf), &r, &id);
	put(root_path, "root", buf, n);
	n = kit_root(buf, sizeof(buf), &o, &id);
	put(other_path, "other", buf, n);
	n = kit_list(buf, sizeof(buf), NULL, 1, KIT_T0, KIT_T0 + 86400, e,
	    NELEM(e), 1);
	put(list_path, "list", buf, n);
	return 0;
}

/* -1 and what was said: it was not decided. */
static int
counts(const char *list, const char *root, unsigned key, uint32_t made,
    struct oldsig *o, const struct captured **said)
{
	struct cli c = {.verb = "receipt verify"};
	struct klp_key k = kit_key(key);
	bool yes = false;
	int rc;

	*o = (struct oldsig){.list = NULL};
	assert_false(oldsig_option(o, OPT_KEY, "x"));
	if (list != NULL)
		assert_true(oldsig_option(o, OPT_LIST, list));
	if (root != NULL)
		assert_true(oldsig_option(o, OPT_ROOT, root));
	capture_begin();
	rc = oldsig_counts(&c, o, &k, made, &yes);
	*said = capture_end();
	return rc == CLI_OK ? yes : -1;
}

/* The rows of klp.md 4.5. */
static void
test_rows(void **state)
{
	static const struct {
		unsigned key;
		uint32_t made;
		int counts;
		const char *why;
	} row[] = {
	    /* not listed */
	    {1, KIT_T0 + 1000, 1, ""},
	    /* retired: what is older counts */
	    {2, KIT_T0 + 99, 1, "its key is revoked (retired) since"},
	    {2, KIT_T0 + 100, 0, "its key is revoked (retired) since"},
	    {2, UINT32_MAX, 0, "(retired)"},
	    {4, KIT_T0 - 1, 1, "(superseded)"},
	    {4, KIT_T0, 0, "(superseded)"},
	    /* in strange hands: who knows when */
	    {3, 1, 0, "(key_compromise)"},
	};
	const struct captured *said;
	struct oldsig o;

	(void)state;
	for (size_t i = 0; i < NELEM(row); i++) {
		assert_int_equal(counts(list_path, root_path, row[i].key,
		    row[i].made, &o, &said), row[i].counts);
		assert_non_null(strstr(o.why, row[i].why));
		assert_int_equal(o.why[0] == '\0', row[i].why[0] == '\0');
		/* nobody has said of a list */
		assert_int_equal(counts(NULL, NULL, row[i].key, row[i].made,
		    &o, &said), 1);
	}
}

/* A list counts only when its authority has signed it. */
static void
test_whose(void **state)
{
	static uint8_t buf[65536];
	const struct rev_entry e = entry(3, 1, KIT_T0);
	const struct captured *said;
	struct oldsig o;
	size_t n;

	(void)state;
	assert_int_equal(counts(list_path, NULL, 1, 1, &o, &said), -1);
	assert_non_null(strstr(said->err, "--root"));
	/* another authority of the same keys, another root, no root */
	assert_int_equal(counts(list_path, other_path, 3, 1, &o, &said), -1);
	assert_non_null(strstr(said->err, "another authority"));
	assert_int_equal(counts(list_path, list_path, 3, 1, &o, &said), -1);
	assert_int_equal(counts(root_path, root_path, 3, 1, &o, &said), -1);
	assert_int_equal(counts("/nonexistent", root_path, 3, 1, &o, &said),
	    -1);
	/* signed by a key that is not the list's */
	n = kit_list(buf, sizeof(buf), NULL, 1, KIT_T0, KIT_T0 + 86400, &e, 1,
	    1u << 1);
	put(self_path, "foreign", buf, n);
	assert_int_equal(counts(self_path, root_path, 3, 1, &o, &said), -1);
	assert_non_null(strstr(said->err, "not signed"));
}

/* A key's own last word needs nobody. */
static void
test_self(void **state)
{
	uint8_t frame[SELFREV_FRAME + 1 + 68] = "KX\001";
	struct fp fp = kit_fp(3);
	struct klp_secret s = kit_secret(3);
	const struct captured *said;
	struct oldsig o;

	(void)state;
	frame[3] = 1;
	memcpy(frame + 4, HASH_BYTES(fp));
	put_u32(frame + 36, KIT_T0);
	put_u32(frame + 40, KIT_T0);
	frame[SELFREV_FRAME] = 1;
	memcpy(frame + SELFREV_FRAME + 1, fp.b, 4);
	assert_true(pae_sign(frame + SELFREV_FRAME + 5, &s, TYPE_SELFREV,
	    frame, SELFREV_FRAME, NULL));
	put(self_path, "self", frame, sizeof(frame));
	assert_int_equal(counts(self_path, NULL, 3, 1, &o, &said), 0);
	assert_non_null(strstr(o.why, "key_compromise"));
	/* another key has nothing to do with it */
	assert_int_equal(counts(self_path, NULL, 4, 1, &o, &said), 1);
	frame[sizeof(frame) - 1] ^= 1;
	put(self_path, "self", frame, sizeof(frame));
	assert_int_equal(counts(self_path, NULL, 3, 1, &o, &said), -1);
	put(self_path, "self", frame, sizeof(frame) - 1);
	assert_int_equal(counts(self_path, NULL, 3, 1, &o, &said), -1);
}

static int
teardown(void **state)
{
	(void)state;
	kit_remove(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_self),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
