/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What logs, nodes and mirrors show of checkpoints, one after the other: a byte
 * of what it is, a length of two bytes, so many bytes. Bytes as they are; text
 * that a log signs (two have keys, one has none that counts); states of two
 * trees, which are one at first, and what shows that they follow. A log that is
 * known by states of both trees where they are not one has forked.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "trust/doc/logbook.h"
#include "trust/doc/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* Each end that a text can have, by enum logbook_end, but BAD. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = (forms | 1u << LOGBOOK_BAD) == (1u << (LOGBOOK_FORK +
	    1)) - 1;
}

#define TREE 32
#define APART 10
#define KEYS 3
#define NOW 1800000000u

static struct id32 leaf[2][TREE];
static uint8_t secret[KEYS][64];
static struct klp_key pub[KEYS];
static unsigned trees[KEYS]; /* of which it can be, by what it was known by */

static void
make(void)
{
	for (unsigned i = 0; i < TREE; i++) {
		merkle_leaf(&leaf[0][i], &i, sizeof(i));
		leaf[1][i] = leaf[0][i];
		leaf[1][i].b[0] ^= i >= APART;
	}
	for (uint8_t i = 0; i < KEYS; i++) {
		uint8_t seed[32] = {1, i};

		(void)crypto_sign_seed_keypair(pub[i].raw, secret[i], seed);
		pub[i].kind = KEY_ED25519;
		pub[i].len = 32;
	}
}

static bool
subtree(void *ctx, unsigned level, uint64_t index, struct id32 *out)
{
	const struct id32 *l = ctx;
	uint64_t size = UINT64_C(1) << level, at = index * size;
	struct merkle m;

	if (level > 5 || at + size > TREE)
		return false;
	merkle_init(&m, 0);
	for (uint64_t i = 0; i < size; i++)
		(void)merkle_add(&m, 0, &l[at + i]);
	merkle_root(&m, out);
	return true;
}

/* Text that ends in a line, and the signature of this log behind it. */
static size_t
sign(char *note, size_t len, unsigned key, const char *origin)
{
	char line[SNOTE_LINE_MAX];
	struct vkey k;
	size_t n;

	if (len + 1 + SNOTE_LINE_MAX > SNOTE_MAX ||
	    !vkey_set(&k, origin, SNOTE_ED25519, pub[key].raw))
		return len;
	n = snote_sign(line, &k, secret[key], note, len, NOW - 10);
	note[len++] = '\n';
	memcpy(note + len, line, n);
	return len + n;
}

/* A state of a tree; where asked so, as it follows from an earlier one. */
static size_t
state(char *out, uint8_t what, uint8_t from, uint8_t to)
{
	static char note[SNOTE_MAX];
	const struct tlog_tree t = {subtree, leaf[what & 1]};
	struct tlog_head h = {.origin = "log.example/x", .size = to % TREE};
	struct tlog_growth g = {.old = {.size = from % TREE}, .note = note};

	if (!tlog_root(&t, h.size, &h.root))
		return 0;
	g.note_len = sign(note, tlog_head_put(note, &h), what >> 1 & 1,
	    h.origin);
	if (!tlog_root(&t, g.old.size, &g.old.root) ||
	    !tlog_prove_growth(&t, g.old.size, h.size, g.hash, &g.n)) {
		memcpy(out, note, g.note_len);
		return g.note_len;
	}
	return tlog_growth_put(out, &g);
}

/* Of which of both trees this is a state: a bit each. */
static unsigned
trees_of(const struct tlog_head *h)
{
	struct id32 root;
	unsigned in = 0;

	for (unsigned k = 0; k < 2; k++) {
		const struct tlog_tree t = {subtree, leaf[k]};

		if (h->size < TREE && tlog_root(&t, h->size, &root) &&
		    id32_eq(&root, &h->root))
			in |= 1u << k;
	}
	return in;
}

/* Of all that it was known by, nothing contradicts the rest. */
static void
one_tree(const struct logbook_log *l)
{
	unsigned in = trees_of(&l->head);

	for (unsigned k = 0; k < KEYS && in != 0 && !l->forked; k++)
		if (memcmp(l->key.key, pub[k].raw, 32) == 0 &&
		    (trees[k] &= in) == 0)
			abort();
}

/* The same states after it was a file, of nobody who lies. */
static void
kept(const struct logbook *b)
{
	static uint8_t buf[LOGBOOK_BYTES];
	struct logbook again = {.n = 0};
	size_t len = logbook_put(buf, b);

	logbook_get(&again, buf, len);
	if (again.n != b->n)
		abort();
	for (unsigned i = 0; i < b->n; i++)
		if (!id32_eq(&again.log[i].head.root, &b->log[i].head.root) ||
		    again.log[i].head.size != b->log[i].head.size ||
		    again.log[i].forked != b->log[i].forked)
			abort();
	logbook_clear(&again);
}

static void
show(struct logbook *b, uint8_t what, const uint8_t *p, size_t n)
{
	static char text[TLOG_GROWTH_TEXT + SNOTE_MAX];
	struct logbook_keys who = {.log = pub, .nlog = 2, .now = NOW};
	struct logbook_log *which = NULL;
	bool vouched = false;
	const char *why = NULL;
	enum logbook_end end;
	size_t len = MIN_OF(n, (size_t)SNOTE_MAX);
	uint64_t was = b->n > 0 ? b->log[0].head.size : 0;

	memcpy(text, p, len);
	if ((what & 128) != 0 && n >= 2)
		len = state(text, what, p[0], p[1]);
	else if ((what & 64) != 0)
		len = sign(text, len, what & 3u ? what % KEYS : 0,
		    "log.example/x");
	if ((what & 32) != 0)
		vouched = logbook_vouches(b, &who, "x", 1, text, len, &end,
		    &which, &why);
	else
		end = logbook_see(b, &who, text, len, &which, &why);
	took(end);
	if (vouched && which->forked)
		abort();
	if ((end == LOGBOOK_BAD && why == NULL) || b->n > LOGBOOK_LOGS ||
	    (b->n > 0 && b->log[0].head.size < was))
		abort();
	for (unsigned i = 0; i < b->n; i++) {
		one_tree(&b->log[i]);
		for (unsigned k = 0; k < i; k++)
			if (memcmp(b->log[i].key.key, b->log[k].key.key,
				32) == 0 && strcmp(b->log[i].key.name,
				b->log[k].key.name) == 0)
				abort();
	}
	kept(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct logbook b = {.n = 0};
	size_t len;

	if (secret[0][0] == 0 && pub[0].len == 0)
		make();
	for (unsigned i = 0; i < KEYS; i++)
		trees[i] = 3;
	logbook_get(&b, p, n);
	logbook_clear(&b);
	for (unsigned i = 0; n >= 3 && i < 32; i++) {
		len = MIN_OF((size_t)p[1] << 8 | p[2], n - 3);
		show(&b, p[0], p + 3, len);
		p += 3 + len;
		n -= 3 + len;
	}
	logbook_clear(&b);
	return 0;
}
