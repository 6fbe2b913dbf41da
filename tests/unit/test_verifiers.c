/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs of the operator that say whose a signature of an image is. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/ipc.h"
#include "common/vouched.h"
#include "node/config/nodeconf.h"
#include "tests/unit/lawkit.h"
#include "tests/unit/vec.h"

static json_t *doc;

static uint32_t
rules(void)
{
	size_t n, len;
	uint64_t serial;
	const struct attested *l = law_attested(taker.l, &n, &serial);
	const uint8_t *image = vec_bytes(doc, "image", &len);

	assert_true(serial == taker.conf->attest.serial);
	return attested_rules(l, n, (const struct id32 *)image);
}

/* The program that is asked now says so; NULL: it does not. */
static void
says_now(const char *text, enum verify_end end)
{
	struct msg_V_VERIFIED m = {.seq = verify_asked.seq,
	    .end = (uint8_t)end, .why = "because"};
	int fd = -1;

	assert_true(verify_is);
	verify_is = false;
	if (text != NULL) {
		m.len = (uint32_t)strlen(text);
		fd = memfd_sealed("said", text, m.len);
		assert_true(fd >= 0);
	}
	assert_false(law_busy(taker.l)); /* nothing spins meanwhile */
	(void)law_verified(taker.l, &m, fd);
	while (law_busy(taker.l))
		(void)law_work(taker.l, NOW);
}

static void
look_on(void)
{
	(void)law_look(taker.l, NOW, false);
	while (law_busy(taker.l))
		(void)law_work(taker.l, NOW);
}

static void
ask_anew(const char *file, const char *text)
{
	kit_dir_put(&taker.klp, file, text, strlen(text));
	look_on();
}

static const char by_two[] = "image_policy:\n"
    "  - image: '*'\n    any_of:\n      - verifier: {program: /a}\n"
    "  - image: '*'\n    any_of:\n      - verifier: {program: /b}\n";

static void
test_verifier(void **state)
{
	const struct vouched *who;
	uint32_t seq;
	char good[300], other[300];
	size_t n;

	(void)state;
	(void)snprintf(good, sizeof(good), "{\"who\":\"me@example\",\"images\":"
	    "[\"sha256:%s\"]}", vec_str(doc, "image"));
	(void)snprintf(other, sizeof(other), "{\"who\":\"you\",\"images\":"
	    "[\"sha256:%s\"]}", vec_str(doc, "image"));
	lawplace_judge(&taker, "image_policy:\n"
	    "  - image: '*'\n    any_of:\n"
	    "      - verifier: {program: /a, subject: 'me@*'}\n"
	    "  - image: '*'\n    any_of:\n      - verifier: {program: /b}\n");
	/* a form that is nobody's but theirs; each is asked */
	ask_anew("attestations/a.json", "PGP");
	assert_int_equal(verify_asked.index, 0);
	assert_int_equal(verify_len, 3);
	says_now(other, VERIFY_SAID);
	assert_int_equal(verify_asked.index, 1);
	says_now(NULL, VERIFY_NO);
	assert_false(verify_is);
	assert_int_equal(rules(), 0);
	ask_anew("attestations/a.json", "PGP2");
	says_now(good, VERIFY_SAID);
	says_now("{\"who\":7}", VERIFY_SAID);
	assert_int_equal(rules(), 1);
	who = law_vouched(taker.l, &n);
	assert_int_equal(n, 1);
	assert_string_equal(who[0].who, "me@example (/a)");
	ask_anew("attestations/a.json", "PGP3");
	says_now(good, VERIFY_SAID);
	says_now(other, VERIFY_SAID);
	assert_int_equal(rules(), 3);
	/* an answer to what is asked no more; a parent that is not there */
	ask_anew("attestations/b.json", "PGP2");
	assert_true(verify_is);
	seq = verify_asked.seq;
	no_verifier = true;
	lawplace_judge(&taker, "{}");
	verify_is = false;
	lawplace_judge(&taker, "image_policy:\n"
	    "  - image: '*'\n    any_of:\n      - verifier: {program: /b}\n");
	assert_false(law_busy(taker.l));
	assert_int_equal(rules(), 0);
	no_verifier = false;
	/* and no number of a question comes twice */
	look_on();
	assert_true(verify_is);
	assert_true(verify_asked.seq > seq);
	says_now(good, VERIFY_SAID);
	says_now(NULL, VERIFY_NO);
	assert_int_equal(rules(), 1);
}

/* A signature by which one hangs, before others. */
static void
test_hung(void **state)
{
	char good[300];

	(void)state;
	(void)snprintf(good, sizeof(good), "{\"who\":\"me\",\"images\":"
	    "[\"sha256:%s\"]}", vec_str(doc, "image"));
	lawplace_judge(&taker, by_two);
	ask_anew("attestations/a.json", "hangs");
	says_now(NULL, VERIFY_SLOW);
	assert_int_equal(verify_asked.index, 1);
	says_now(NULL, VERIFY_NO);
	assert_false(verify_is);
	/* it is asked about no more, and holds up none behind it */
	ask_anew("attestations/b.json", "good");
	assert_int_equal(verify_asked.index, 1);
	assert_int_equal(verify_len, 5);
	says_now(NULL, VERIFY_NO);
	assert_int_equal(verify_asked.index, 0);
	assert_int_equal(verify_len, 4);
	says_now(good, VERIFY_SAID);
	says_now(NULL, VERIFY_NO);
	assert_false(verify_is);
	assert_int_equal(rules(), 1);
	look_on();
	assert_false(verify_is); /* all is known */
	/* a person asks: of all anew */
	lawplace_judge(&taker, by_two);
	assert_int_equal(verify_asked.index, 0);
	assert_int_equal(verify_len, 5);
	says_now(good, VERIFY_SAID);
	says_now(NULL, VERIFY_NO);
	says_now(good, VERIFY_SAID);
	says_now(NULL, VERIFY_NO);
	assert_int_equal(rules(), 1);
	/* at the third the program is let be, until the next look */
	ask_anew("attestations/a.jsonl", "h1\nh2\nh3\nh4\n");
	says_now(NULL, VERIFY_SLOW);
	says_now(NULL, VERIFY_NO);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(verify_asked.index, i < 2 ? 0 : 1);
		if (i < 2)
			says_now(NULL, VERIFY_SLOW);
		says_now(NULL, VERIFY_NO);
	}
	says_now(NULL, VERIFY_NO);
	says_now(NULL, VERIFY_NO);
	assert_false(verify_is);
}

/* A name that is cut is cut between characters, or node refuses all of them. */
static void
test_long_name(void **state)
{
	static uint8_t buf[VOUCHED_MAX * VOUCHED_BYTES];
	static struct vouched back[VOUCHED_MAX];
	const struct vouched *who;
	char text[600], name[200];
	size_t n;

	(void)state;
	no_verifier = verify_is = false;
	memset(name, 'x', sizeof(name));
	(void)snprintf(name + 149, sizeof(name) - 149, "\u00e4nd");
	(void)snprintf(text, sizeof(text), "{\"who\":\"%s\",\"images\":"
	    "[\"sha256:%s\"]}", name, vec_str(doc, "image"));
	lawplace_judge(&taker, "image_policy:\n"
	    "  - image: '*'\n    any_of:\n      - verifier: {program: /a}\n");
	ask_anew("attestations/a.json", "PGP");
	says_now(text, VERIFY_SAID);
	assert_int_equal(rules(), 1);
	who = law_vouched(taker.l, &n);
	assert_int_equal(n, 1);
	vouched_put(buf, who, n);
	assert_true(vouched_get(back, buf, n * VOUCHED_BYTES, n));
	assert_int_equal(strspn(back[0].who, "x"), 149);
	assert_string_equal(back[0].who + 149, " (/a)");
}

static int
start(void **state)
{
	no_verifier = verify_is = false;
	if (setup(state) != 0)
		return -1;
	return mkdirat(taker.klp.fd, "attestations", 0755);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_verifier), TEST(test_hung), TEST(test_long_name),
	};

	doc = vec_load("attest.json");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
