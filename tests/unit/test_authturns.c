/* SPDX-License-Identifier: BSD-2-Clause */
/* A root and a head with signatures of strangers: no turn tries them all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/authority.h"
#include "trust/doc/frame.h"
#include "common/util.h"
#include "tests/unit/authkit.h"

#define FILES 4
#define ALL ((1u << KIT_KEYS) - 1)
#define STRANGERS (ENV_SIGS_MAX - 1)
#define A_TURN (1024 / 32) /* checks: a MiB of work, 32 KiB each */

static struct kit_file folder[FILES];
static uint8_t buf[1 << 16];
static size_t len;

static uint8_t *
io_read(void *ctx, const char *name, size_t max, size_t *n)
{
	(void)ctx;
	return kit_give(folder, FILES, name, max, n);
}

static int
io_keep(void *ctx, const struct id32 *sha, const void *p, size_t n)
{
	(void)ctx;
	(void)sha;
	(void)p;
	(void)n;
	return 0;
}

static int
io_commit(void *ctx, const void *state, size_t n)
{
	(void)ctx;
	(void)state;
	(void)n;
	return 0;
}

static void
io_settle(void *ctx, bool yes)
{
	(void)ctx;
	(void)yes;
}

static const struct auth_io io = {.read = io_read, .keep = io_keep,
    .commit = io_commit, .settle = io_settle};

/* Key 1's signature behind those of strangers, and none says whose it is. */
static void
strangers(struct env_signed s[ENV_SIGS_MAX], const char *type, const void *p,
    size_t n)
{
	memset(s, 0, ENV_SIGS_MAX * sizeof(*s));
	assert_int_equal(kit_sign(s + STRANGERS, 2, type, p, n), 1);
	memset(&s[STRANGERS].fp, 0, sizeof(s->fp));
	for (unsigned i = 0; i < STRANGERS; i++)
		memcpy(s[i].sig, s[STRANGERS].sig, SIG_LEN - 1 - i);
}

static void
put_root(bool crowded)
{
	const struct kit_root r = {.version = 2, .keys = {ALL, ALL, 1},
	    .signers = 2};
	struct env_signed s[ENV_SIGS_MAX];
	const char *why;
	struct env e;

	len = kit_root(buf, sizeof(buf), &r, NULL);
	if (crowded) {
		assert_int_equal(env_parse(&e, buf, len, ROOT_BYTES, ROOT_BYTES,
		    &why), 0);
		strangers(s, TYPE_ROOT, e.payload, e.payload_len);
		len = env_build_json(buf, sizeof(buf), TYPE_ROOT, e.payload,
		    e.payload_len, s, ENV_SIGS_MAX);
		env_clear(&e);
	}
	assert_true(len > 0 && len <= ROOT_BYTES);
	kit_put(folder, FILES, "2.root.json", buf, len);
}

static void
put_head(bool crowded, struct head *h)
{
	struct env_signed s[ENV_SIGS_MAX];
	uint8_t frame[HEAD_FRAME(0)];

	len = kit_head(buf, sizeof(buf), h, 2);
	if (crowded) {
		assert_int_equal(head_put(frame, sizeof(frame), h),
		    sizeof(frame));
		strangers(s, TYPE_HEAD, frame, sizeof(frame));
		len = frame_put(buf, sizeof(buf), frame, sizeof(frame), s,
		    ENV_SIGS_MAX);
	}
	assert_true(len > 0 && len <= HEAD_BYTES);
	kit_put(folder, FILES, "head", buf, len);
}

/* The turns of an update to them. */
static unsigned
turns(bool root, bool head)
{
	const struct kit_root r = {.keys = {ALL, ALL, 1}};
	struct head h = {.root_version = 2, .version = 1, .issued = KIT_T0,
	    .expires = KIT_T0 + 86400};
	static struct authority a;
	struct auth_report rep;
	struct auth_step *s;
	unsigned n = 0;
	struct id32 id;

	memset(&a, 0, sizeof(a));
	(void)snprintf(a.name, sizeof(a.name), "test.kos");
	len = kit_root(buf, sizeof(buf), &r, &id);
	assert_null(authority_pin(&a, buf, len));
	memcpy(h.atag, id.b, sizeof(h.atag));
	put_root(root);
	put_head(head, &h);
	assert_non_null(s = authority_begin(&a, &io, KIT_T0));
	while (authority_step(s) > 0)
		n++;
	authority_end(&a, s, NULL, &rep);
	assert_string_equal(rep.why, "");
	assert_int_equal(rep.end, AUTH_NEW);
	assert_int_equal(a.state.root_version, 2);
	assert_int_equal(a.state.head_version, 1);
	for (size_t i = 0; i < FILES; i++) {
		free(folder[i].p);
		folder[i].p = NULL;
	}
	return n;
}

static void
test_turns(void **state)
{
	/* each of all keys before the one */
	const unsigned more = STRANGERS * KIT_KEYS / A_TURN;
	unsigned alone = turns(false, false);

	(void)state;
	/* by the old root's keys, and by its own */
	assert_true(turns(true, false) >= alone + 2 * more);
	assert_true(turns(false, true) >= alone + more);
	assert_true(turns(true, true) >= alone + 3 * more);
}

/* What one look says, all turns together say: a root cut, flipped, too few. */
static void
test_refused(void **state)
{
	const struct kit_root first = {.keys = {ALL, ALL, 1}};
	static struct root r, next;
	struct root_turns t;
	const char *why, *at_once;
	struct id32 id;

	(void)state;
	len = kit_root(buf, sizeof(buf), &first, &id);
	assert_null(root_first(&r, &id, buf, len));
	put_root(true);
	for (size_t i = 0; i < 2 * len; i += 149) {
		size_t n = i < len ? i : len;
		int rc;

		if (i >= len)
			buf[i - len] ^= 1;
		at_once = root_next(&next, &r, buf, n);
		rc = root_turns_begin(&t, &next, &r, buf, n, &why);
		if (rc == 0)
			while ((rc = root_turns_step(&t, 1, &why)) > 0)
				continue;
		root_turns_end(&t);
		if (i >= len)
			buf[i - len] ^= 1;
		if (rc == 0)
			assert_null(at_once);
		else
			assert_string_equal(why, at_once);
	}
	for (size_t i = 0; i < FILES; i++) {
		free(folder[i].p);
		folder[i].p = NULL;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
