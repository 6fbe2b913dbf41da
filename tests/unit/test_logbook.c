/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node has seen of logs: states that follow, states that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/util.h"
#include "trust/doc/logbook.h"
#include "trust/doc/merkle.h"

#define MOST 40
#define NOW 1800000000u
#define ORIGIN "log.example/x"

/* Two trees with the same first entries, and the keys of all who sign. */
static struct id32 leaf[2][MOST];
enum { LOG, WITNESS, SECOND, NOBODY, PEOPLE };
static struct klp_key pub[PEOPLE];
static uint8_t secret[PEOPLE][64];
static struct logbook book;
static struct logbook_keys who;
static struct logbook_log *which;
static const char *why;

static bool
subtree(void *ctx, unsigned level, uint64_t index, struct id32 *out)
{
	const struct id32 *l = ctx;
	unsigned size = 1u << level, at = (unsigned)index * size;
	struct merkle m;

	if (at + size > MOST)
		return false;
	merkle_init(&m, 0);
	for (unsigned i = 0; i < size; i++)
		(void)merkle_add(&m, 0, &l[at + i]);
	merkle_root(&m, out);
	return true;
}

static struct tlog_tree
tree(int of)
{
	return (struct tlog_tree){subtree, leaf[of]};
}

static struct tlog_head
head(int of, unsigned size)
{
	struct tlog_head h = {.origin = ORIGIN, .size = size};
	const struct tlog_tree t = tree(of);

	assert_true(tlog_root(&t, size, &h.root));
	return h;
}

static size_t
sign(char *note, size_t len, int person, uint8_t type)
{
	struct snote s;
	struct vkey k;
	size_t text = len;
	char line[SNOTE_LINE_MAX];
	size_t n;

	if (snote_parse(&s, note, len))
		text = s.text_len;
	assert_true(vkey_set(&k, type == SNOTE_ED25519 ? ORIGIN : "w.example",
	    type, pub[person].raw));
	n = snote_sign(line, &k, secret[person], note, text, NOW - 10);
	if (text == len)
		note[len++] = '\n';
	memcpy(note + len, line, n);
	return len + n;
}

/* A checkpoint that this person has signed. */
static size_t
note(char *out, int of, unsigned size, int person)
{
	struct tlog_head h = head(of, size);
	size_t n = tlog_head_put(out, &h);

	return sign(out, n, person, SNOTE_ED25519);
}

/* ... as it follows from an earlier size of the same tree. */
static size_t
growth(char *out, int of, unsigned old, unsigned size)
{
	char text[2048];
	struct tlog_growth g = {.old = {.size = old}, .note = text};
	const struct tlog_tree t = tree(of);

	g.note_len = note(text, of, size, LOG);
	assert_true(tlog_root(&t, old, &g.old.root));
	assert_true(tlog_prove_growth(&t, old, size, g.hash, &g.n));
	return tlog_growth_put(out, &g);
}

static enum logbook_end
see(const char *text, size_t len)
{
	return logbook_see(&book, &who, text, len, &which, &why);
}

static enum logbook_end
see_note(int of, unsigned size)
{
	char text[2048];

	return see(text, note(text, of, size, LOG));
}

static enum logbook_end
see_growth(int of, unsigned old, unsigned size)
{
	static char text[TLOG_GROWTH_TEXT];

	return see(text, growth(text, of, old, size));
}

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MOST; i++) {
		merkle_leaf(&leaf[0][i], &i, sizeof(i));
		leaf[1][i] = leaf[0][i];
		if (i >= 10) /* from here on they differ */
			leaf[1][i].b[0] ^= 1;
	}
	for (uint8_t i = 0; i < PEOPLE; i++) {
		uint8_t seed[32] = {1, i};

		pub[i].kind = KEY_ED25519;
		pub[i].len = 32;
		(void)crypto_sign_seed_keypair(pub[i].raw, secret[i], seed);
	}
	return 0;
}

static int
fresh(void **state)
{
	(void)state;
	logbook_clear(&book);
	who = (struct logbook_keys){.log = &pub[LOG], .nlog = 1, .now = NOW,
	    .witness = &pub[WITNESS], .nwitness = 2};
	return 0;
}

static int
end(void **state)
{
	(void)state;
	logbook_clear(&book);
	return 0;
}

/* From every size to every other one, and what is larger only by a proof. */
static void
test_goes_on(void **state)
{
	for (unsigned old = 1; old <= 17; old++)
		for (unsigned size = old + 1; size <= 18; size++) {
			(void)fresh(state);
			assert_int_equal(see_note(0, old), LOGBOOK_TAKEN);
			assert_int_equal(see_note(0, old), LOGBOOK_SAME);
			assert_int_equal(see_note(0, size), LOGBOOK_UNPROVEN);
			assert_int_equal(which->head.size, old);
			assert_int_equal(see_growth(0, old, size),
			    LOGBOOK_TAKEN);
			assert_int_equal(which->head.size, size);
			assert_int_equal(see_note(0, old), LOGBOOK_OLDER);
			assert_int_equal(which->head.size, size);
			assert_false(which->forked);
		}
	/* a proof from another size than ours is none */
	(void)fresh(state);
	assert_int_equal(see_note(0, 4), LOGBOOK_TAKEN);
	assert_int_equal(see_growth(0, 3, 9), LOGBOOK_UNPROVEN);
	assert_int_equal(book.n, 1);
}

/* A fork of the same size, and one that has grown, from any size. */
static void
test_fork(void **state)
{
	for (unsigned old = 11; old <= 20; old++) {
		(void)fresh(state);
		assert_int_equal(see_note(0, old), LOGBOOK_TAKEN);
		assert_int_equal(see_note(1, old), LOGBOOK_FORK);
		assert_true(which->forked);
		/* it is said once, and nothing is taken any more */
		assert_int_equal(see_note(1, old), LOGBOOK_SAME);
		assert_int_equal(see_growth(0, old, old + 1), LOGBOOK_SAME);
		assert_int_equal(which->head.size, old);
		for (unsigned size = old + 1; size <= 24; size++) {
			(void)fresh(state);
			assert_int_equal(see_note(0, old), LOGBOOK_TAKEN);
			assert_int_equal(see_growth(1, old, size),
			    LOGBOOK_FORK);
			assert_true(which->forked);
			assert_int_equal(which->head.size, old);
		}
	}
	/* up to there both trees are one */
	(void)fresh(state);
	assert_int_equal(see_note(0, 10), LOGBOOK_TAKEN);
	assert_int_equal(see_growth(1, 10, 20), LOGBOOK_TAKEN);
}

/* Who shows a proof that does not hold accuses nobody. */
static void
test_slander(void **state)
{
	static char text[TLOG_GROWTH_TEXT];
	struct tlog_growth g;
	size_t len, n;

	assert_int_equal(see_note(0, 12), LOGBOOK_TAKEN);
	len = growth(text, 0, 12, 21);
	assert_true(tlog_growth_parse(&g, text, len));
	for (unsigned i = 0; i <= g.n; i++) {
		static char bad[TLOG_GROWTH_TEXT];
		struct tlog_growth x = g;

		if (i < g.n)
			x.hash[i].b[3] ^= 1;
		else
			x.old.root.b[3] ^= 1;
		n = tlog_growth_put(bad, &x);
		assert_int_equal(see(bad, n), LOGBOOK_BAD);
		assert_string_equal(why, "it does not follow from what it "
		    "says it was");
	}
	assert_int_equal(see(text, len), LOGBOOK_TAKEN);
	(void)state;
}

/* Signed by nobody of the role, or changed in any byte. */
static void
test_signatures(void **state)
{
	char text[2048];
	size_t len = note(text, 0, 5, NOBODY);

	(void)state;
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	assert_string_equal(why, "signed by no key of the role log");
	len = note(text, 0, 5, LOG);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(see(text, i), LOGBOOK_BAD);
		text[i] ^= 1;
		assert_int_equal(see(text, len), LOGBOOK_BAD);
		text[i] ^= 1;
	}
	assert_int_equal(book.n, 0);
	assert_int_equal(see(text, len), LOGBOOK_TAKEN);
}

static void
test_witnesses(void **state)
{
	char text[2048];
	size_t len = note(text, 0, 5, LOG);

	(void)state;
	who.want = 1;
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	len = sign(text, len, NOBODY, SNOTE_COSIGNATURE);
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	len = sign(text, len, WITNESS, SNOTE_COSIGNATURE);
	who.want = 2;
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	/* the same one twice is one */
	len = sign(text, len, WITNESS, SNOTE_COSIGNATURE);
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	who.want = 1;
	who.now = NOW - 3600; /* before it was signed */
	assert_int_equal(see(text, len), LOGBOOK_BAD);
	who.now = NOW;
	assert_int_equal(see(text, len), LOGBOOK_TAKEN);
	len = sign(text, len, SECOND, SNOTE_COSIGNATURE);
	who.want = 2;
	assert_int_equal(see(text, len), LOGBOOK_SAME);
}

static bool
vouches(const void *record, size_t n, const char *proof, size_t len,
    enum logbook_end *is)
{
	return logbook_vouches(&book, &who, record, n, proof, len, is, &which,
	    &why);
}

static void
test_vouches(void **state)
{
	static char text[TLOG_PROOF_TEXT], ck[2048];
	struct tlog_proof p = {.index = 7, .note = ck};
	const struct tlog_tree t = tree(0);
	unsigned seven = 7, eight = 8;
	enum logbook_end is;
	size_t len;

	(void)state;
	p.note_len = note(ck, 0, 12, LOG);
	assert_true(tlog_prove(&t, 12, 7, p.hash, &p.n));
	len = tlog_proof_put(text, &p);
	assert_true(vouches(&seven, 4, text, len, &is));
	assert_int_equal(is, LOGBOOK_TAKEN);
	assert_false(vouches(&eight, 4, text, len, &is));
	assert_false(vouches(&seven, 3, text, len, &is));
	for (size_t i = 0; i < len; i++)
		assert_false(vouches(&seven, 4, text, i, &is));
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		assert_false(vouches(&seven, 4, text, len, &is));
		text[i] ^= 1;
	}
	/* the log has gone on: an older proof is one still */
	assert_int_equal(see_growth(0, 12, 20), LOGBOOK_TAKEN);
	assert_true(vouches(&seven, 4, text, len, &is));
	assert_int_equal(is, LOGBOOK_OLDER);
	/* it has shown two things: it vouches for nothing any more */
	assert_int_equal(see_note(1, 20), LOGBOOK_FORK);
	assert_false(vouches(&seven, 4, text, len, &is));
	assert_string_equal(why, "its log has shown two things that cannot "
	    "both be true");
}

/* The proof itself may be what shows the fork. */
static void
test_vouches_fork(void **state)
{
	static char text[TLOG_PROOF_TEXT], ck[2048];
	struct tlog_proof p = {.index = 15, .note = ck};
	const struct tlog_tree t = tree(1);
	unsigned record = 15;
	enum logbook_end is;

	(void)state;
	assert_int_equal(see_note(0, 20), LOGBOOK_TAKEN);
	p.note_len = note(ck, 1, 20, LOG);
	assert_true(tlog_prove(&t, 20, 15, p.hash, &p.n));
	assert_false(vouches(&record, 4, text, tlog_proof_put(text, &p), &is));
	assert_int_equal(is, LOGBOOK_FORK);
}

static void
test_bytes(void **state)
{
	static uint8_t buf[LOGBOOK_BYTES];
	size_t len;

	(void)state;
	assert_int_equal(logbook_put(buf, &book), 0);
	assert_int_equal(see_note(0, 20), LOGBOOK_TAKEN);
	len = logbook_put(buf, &book);
	assert_true(len > 0);
	logbook_get(&book, buf, len);
	assert_int_equal(book.n, 1);
	assert_int_equal(see_note(0, 20), LOGBOOK_SAME);
	assert_int_equal(see_note(1, 20), LOGBOOK_FORK);
	len = logbook_put(buf, &book);
	logbook_get(&book, buf, len);
	assert_int_equal(book.n, 1);
	assert_true(book.log[0].forked);
	for (size_t i = 0; i < len; i++) {
		logbook_get(&book, buf, i);
		assert_int_equal(book.n, 0);
	}
	for (size_t i = 1; i < len; i++) {
		buf[i] ^= 0x41;
		logbook_get(&book, buf, len);
		assert_int_equal(book.n, 0);
		buf[i] ^= 0x41;
	}
}

/* Logs of keys that the root names no more make room. */
static void
test_places(void **state)
{
	struct klp_key all[PEOPLE];
	uint8_t seed[32] = {9};
	char text[2048];

	(void)state;
	memcpy(all, pub, sizeof(all));
	who.log = all;
	who.nlog = PEOPLE;
	for (int i = 0; i < LOGBOOK_LOGS; i++)
		assert_int_equal(see(text, note(text, 0, 5, i)),
		    LOGBOOK_TAKEN);
	assert_int_equal(book.n, LOGBOOK_LOGS);
	(void)crypto_sign_seed_keypair(all[2].raw, secret[2], seed);
	pub[2] = all[2];
	assert_int_equal(see(text, note(text, 0, 5, 2)), LOGBOOK_TAKEN);
	assert_int_equal(book.n, LOGBOOK_LOGS);
	assert_memory_equal(which->key.key, all[2].raw, 32);
}

static void
test_text(void **state)
{
	static char text[TLOG_GROWTH_TEXT], again[TLOG_GROWTH_TEXT];
	struct tlog_growth g;
	size_t len = growth(text, 0, 12, 21);

	(void)state;
	assert_true(tlog_growth_parse(&g, text, len));
	assert_int_equal(tlog_growth_put(again, &g), len);
	assert_memory_equal(text, again, len);
	assert_true(tlog_growth_parse(&g, "old 0\n\nx", 8));
	assert_int_equal(g.note_len, 1);
	assert_false(tlog_growth_parse(&g, "old 1\n\nx", 8));
	assert_false(tlog_growth_parse(&g, "old 0", 5));
	assert_false(tlog_growth_parse(&g, "old 0\n", 6));
	assert_false(tlog_growth_parse(&g, "old 00\n\n", 8));
	assert_false(tlog_growth_parse(&g, "", 0));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, end)
	const struct CMUnitTest tests[] = {
	    TEST(test_goes_on),
	    TEST(test_fork),
	    TEST(test_slander),
	    TEST(test_signatures),
	    TEST(test_witnesses),
	    TEST(test_vouches),
	    TEST(test_vouches_fork),
	    TEST(test_bytes),
	    TEST(test_text),
	    TEST(test_places),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
