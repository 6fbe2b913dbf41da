/* SPDX-License-Identifier: BSD-2-Clause */
/* Transparency logs: proofs by RFC 6962's definitions, tiles, notes, records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/util.h"
#include "trust/doc/fingerprint.h"
#include "trust/doc/merkle.h"
#include "trust/doc/snote.h"
#include "trust/doc/tlog.h"
#include "trust/doc/tlogedge.h"

#define MOST 300
static struct id32 leaf[MOST];

/* ---- RFC 6962 2.1: definitions, not algorithms ---- */

static unsigned
below(unsigned n)
{
	unsigned k = 1;

	while (k * 2 < n)
		k *= 2;
	return k;
}

static struct id32
both(const struct id32 *a, const struct id32 *b)
{
	uint8_t t[65] = {1};
	struct id32 out;

	memcpy(t + 1, a->b, 32);
	memcpy(t + 33, b->b, 32);
	(void)crypto_hash_sha256(out.b, t, sizeof(t));
	return out;
}

static struct id32
mth(unsigned from, unsigned to)
{
	struct id32 a, b;
	unsigned k;

	if (to - from == 1)
		return leaf[from];
	k = below(to - from);
	a = mth(from, from + k);
	b = mth(from + k, to);
	return both(&a, &b);
}

static void
path(unsigned m, unsigned from, unsigned to, struct id32 *out, unsigned *n)
{
	unsigned k;

	if (to - from == 1)
		return;
	k = below(to - from);
	if (m < k) {
		path(m, from, from + k, out, n);
		out[(*n)++] = mth(from + k, to);
	} else {
		path(m - k, from + k, to, out, n);
		out[(*n)++] = mth(from, from + k);
	}
}

static void
subproof(unsigned m, unsigned from, unsigned to, bool whole, struct id32 *out,
    unsigned *n)
{
	unsigned k;

	if (m == to - from) {
		if (!whole)
			out[(*n)++] = mth(from, to);
		return;
	}
	k = below(to - from);
	if (m <= k) {
		subproof(m, from, from + k, whole, out, n);
		out[(*n)++] = mth(from + k, to);
	} else {
		subproof(m - k, from + k, to, false, out, n);
		out[(*n)++] = mth(from, from + k);
	}
}

static bool
subtree(void *ctx, unsigned level, uint64_t index, struct id32 *out)
{
	unsigned size = 1u << level;

	(void)ctx;
	if ((index + 1) * size > MOST)
		return false;
	*out = mth((unsigned)index * size, (unsigned)(index + 1) * size);
	return true;
}

static struct tlog_head
head(unsigned size)
{
	struct tlog_head h = {.origin = "x", .size = size};

	if (size > 0)
		h.root = mth(0, size);
	else
		(void)crypto_hash_sha256(h.root.b, (const uint8_t *)"", 0);
	return h;
}

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MOST; i++)
		merkle_leaf(&leaf[i], &i, sizeof(i));
	return 0;
}

/* Each entry of each small tree: the proof, and nothing like it. */
static void
test_includes(void **state)
{
	static const struct tlog_tree tree = {subtree, NULL};

	(void)state;
	for (unsigned size = 1; size <= 70; size++) {
		struct tlog_head h = head(size);
		struct id32 root;

		assert_true(tlog_root(&tree, size, &root));
		assert_true(id32_eq(&root, &h.root));
		for (unsigned m = 0; m < size; m++) {
			struct id32 want[64], p[TLOG_PROOF_MAX];
			unsigned n = 0, made;

			path(m, 0, size, want, &n);
			assert_true(tlog_prove(&tree, size, m, p, &made));
			assert_int_equal(made, n);
			for (unsigned i = 0; i < n; i++)
				assert_true(id32_eq(&p[i], &want[i]));
			assert_true(tlog_includes(&h, m, &leaf[m], p, n));
			assert_false(tlog_includes(&h, m, &leaf[m + 1], p, n));
			assert_false(tlog_includes(&h, size, &leaf[m], p, n));
			assert_false(tlog_includes(&h, m, &leaf[m], p, n + 1));
			if (n > 0)
				assert_false(tlog_includes(&h, m, &leaf[m], p,
				    n - 1));
			for (unsigned o = 0; o < size; o++)
				if (o != m)
					assert_false(tlog_includes(&h, o,
					    &leaf[m], p, n));
			for (unsigned i = 0; i < n; i++) {
				p[i].b[i % 32] ^= 1;
				assert_false(tlog_includes(&h, m, &leaf[m], p,
				    n));
				p[i].b[i % 32] ^= 1;
			}
		}
	}
}

static void
test_extends(void **state)
{
	static const struct tlog_tree tree = {subtree, NULL};

	(void)state;
	for (unsigned size = 0; size <= 70; size++)
		for (unsigned old = 0; old <= size; old++) {
			struct tlog_head h = head(size), o = head(old), x;
			struct id32 want[64], p[TLOG_PROOF_MAX];
			unsigned n = 0, made;

			if (old > 0)
				subproof(old, 0, size, true, want, &n);
			assert_true(
			    tlog_prove_growth(&tree, old, size, p, &made));
			assert_int_equal(made, n);
			for (unsigned i = 0; i < n; i++)
				assert_true(id32_eq(&p[i], &want[i]));
			assert_true(tlog_extends(&o, &h, p, n));
			assert_false(tlog_extends(&o, &h, p, n + 1));
			if (n > 0)
				assert_false(tlog_extends(&o, &h, p, n - 1));
			if (old == 0)
				continue;
			x = o;
			x.root.b[0] ^= 1;
			assert_false(tlog_extends(&x, &h, p, n));
			x = h;
			x.root.b[31] ^= 1;
			assert_false(tlog_extends(&o, &x, p, n));
			for (unsigned i = 0; i < n; i++) {
				p[i].b[i % 32] ^= 0x80;
				assert_false(tlog_extends(&o, &h, p, n));
				p[i].b[i % 32] ^= 0x80;
			}
			if (old < size)
				assert_false(tlog_extends(&h, &o, p, n));
		}
}

/* ---- tiles ---- */

struct disk {
	struct {
		uint32_t level;
		uint64_t n;
		unsigned width;
		struct id32 hash[TLOG_TILE];
	} tile[64];
	unsigned n;
};

static bool
keep(void *ctx, uint32_t level, uint64_t n, const struct id32 *h,
    unsigned width)
{
	struct disk *d = ctx;

	assert_true(d->n < NELEM(d->tile));
	d->tile[d->n].level = level;
	d->tile[d->n].n = n;
	d->tile[d->n].width = width;
	memcpy(d->tile[d->n++].hash, h, width * sizeof(*h));
	return true;
}

static bool
load(void *ctx, uint32_t level, uint64_t n, struct id32 *h, unsigned width)
{
	const struct disk *d = ctx;

	for (unsigned i = 0; i < d->n; i++)
		if (d->tile[i].level == level && d->tile[i].n == n &&
		    d->tile[i].width >= width) {
			memcpy(h, d->tile[i].hash, width * sizeof(*h));
			return true;
		}
	return false;
}

/* Across the border of a tile, added at once and in two parts. */
static void
test_edge(void **state)
{
	struct tlog_edge *e = malloc(sizeof(*e));
	struct disk *d = malloc(sizeof(*d));
	const struct tlog_head none = head(0);
	struct id32 root;

	(void)state;
	for (unsigned size = 250; size <= 262; size++) {
		struct tlog_head want = head(size);

		d->n = 0;
		tlog_edge_init(e);
		for (unsigned i = 0; i < 249; i++)
			assert_true(tlog_edge_add(e, &leaf[i], keep, d));
		assert_true(tlog_edge_rest(e, keep, d));
		assert_int_equal(d->n, 1);
		assert_true(tlog_edge_load(e, 249, load, d));
		for (unsigned i = 249; i < size; i++)
			assert_true(tlog_edge_add(e, &leaf[i], keep, d));
		assert_true(tlog_edge_rest(e, keep, d));
		tlog_edge_root(e, &root);
		assert_true(id32_eq(&root, &want.root));
		assert_false(tlog_edge_load(e, 400, load, d));
		assert_true(tlog_edge_load(e, size, load, d));
		tlog_edge_root(e, &root);
		assert_true(id32_eq(&root, &want.root));
	}
	tlog_edge_init(e);
	tlog_edge_root(e, &root);
	assert_true(id32_eq(&root, &none.root));
	free(e);
	free(d);
}

static void
test_paths(void **state)
{
	char out[TLOG_PATH_MAX];
	unsigned first, height;
	uint32_t tile;
	uint64_t n;

	(void)state;
	tlog_path(out, 0, 1234067, TLOG_TILE);
	assert_string_equal(out, "tile/0/x001/x234/067");
	tlog_path(out, TLOG_ENTRIES, 0, 17);
	assert_string_equal(out, "tile/entries/000.p/17");
	tlog_path(out, 7, 999, 255);
	assert_string_equal(out, "tile/7/999.p/255");
	tlog_path(out, 63, TLOG_SIZE_MAX, 1);
	assert_true(strlen(out) < TLOG_PATH_MAX - 1);

	/* of C2SP tlog-tiles: a tree of 70,000 */
	assert_int_equal(tlog_width(70000, 0, 272), TLOG_TILE);
	assert_int_equal(tlog_width(70000, 0, 273), 112);
	assert_int_equal(tlog_width(70000, 0, 274), 0);
	assert_int_equal(tlog_width(70000, 1, 0), TLOG_TILE);
	assert_int_equal(tlog_width(70000, 1, 1), 17);
	assert_int_equal(tlog_width(70000, 2, 0), 1);
	assert_int_equal(tlog_width(70000, 3, 0), 0);
	assert_int_equal(tlog_width(70000, 9, 0), 0);
	assert_int_equal(tlog_width(256, 0, 0), TLOG_TILE);
	assert_int_equal(tlog_width(256, 0, 1), 0);
	assert_int_equal(tlog_width(256, 1, 0), 1);

	tlog_place(3, 33, &tile, &n, &first, &height);
	assert_int_equal(tile, 0);
	assert_int_equal(n, 1);
	assert_int_equal(first, 8);
	assert_int_equal(height, 3);
	tlog_place(8, 300, &tile, &n, &first, &height);
	assert_int_equal(tile, 1);
	assert_int_equal(n, 1);
	assert_int_equal(first, 44);
	assert_int_equal(height, 0);
}

/* ---- notes ---- */

/* The example of C2SP signed-note. */
static const char c2sp_key[] =
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
static const char c2sp_note[] =
    "This is an example message.\n\n\xe2\x80\x94 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFX"
    "mRKuwHjG1Yu72IneyaQM=\n";

static void
test_note(void **state)
{
	size_t len = strlen(c2sp_note);
	char text[VKEY_TEXT_MAX], copy[sizeof(c2sp_note)];
	struct vkey k;
	struct snote n;

	(void)state;
	assert_true(vkey_parse(&k, c2sp_key, strlen(c2sp_key)));
	assert_int_equal(vkey_put(text, &k), strlen(c2sp_key));
	assert_string_equal(text, c2sp_key);
	for (size_t i = 0; i < strlen(c2sp_key); i++) {
		assert_false(vkey_parse(&k, c2sp_key, i));
		memcpy(text, c2sp_key, sizeof(c2sp_key));
		text[i] ^= 1;
		assert_false(vkey_parse(&k, text, strlen(c2sp_key)));
	}
	assert_true(snote_parse(&n, c2sp_note, len));
	assert_int_equal(n.nsigs, 1);
	assert_int_equal(snote_signed(&n, &k, NULL), SNOTE_GOOD);
	for (size_t i = 0; i < len; i++)
		assert_false(snote_parse(&n, c2sp_note, i));
	for (size_t i = 0; i < len; i++) {
		memcpy(copy, c2sp_note, sizeof(copy));
		copy[i] ^= 1;
		if (snote_parse(&n, copy, len))
			assert_int_not_equal(snote_signed(&n, &k, NULL),
			    SNOTE_GOOD);
	}
}

static void
test_names(void **state)
{
	char longest[SNOTE_NAME_MAX + 2];
	struct vkey k;
	uint8_t key[32] = {0};

	(void)state;
	assert_true(snote_name_ok("example.com/log", 15));
	assert_true(snote_name_ok("stra\xc3\x9f" "e", 7));
	assert_false(snote_name_ok("", 0));
	assert_false(snote_name_ok("a b", 3));
	assert_false(snote_name_ok("a+b", 3));
	assert_false(snote_name_ok("a\nb", 3));
	assert_false(snote_name_ok("a\x7f", 2));
	assert_false(snote_name_ok("a\xc2\xa0" "b", 4));
	assert_false(snote_name_ok("a\xe3\x80\x80", 4));
	assert_false(snote_name_ok("\xff", 1));
	memset(longest, 'x', sizeof(longest));
	assert_true(snote_name_ok(longest, SNOTE_NAME_MAX));
	assert_false(snote_name_ok(longest, SNOTE_NAME_MAX + 1));
	assert_false(vkey_set(&k, "a b", SNOTE_ED25519, key));
}

/* A log signs, a witness signs below it; a third one is not heard of. */
static void
test_cosigned(void **state)
{
	uint8_t pub[2][32], sec[2][64], seed[32] = {7};
	char text[TLOG_HEAD_MAX], all[2048], line[SNOTE_LINE_MAX];
	struct tlog_head h = head(5), back;
	struct vkey log, witness, other;
	struct snote n;
	uint64_t when = 1;
	size_t len, k;

	(void)state;
	(void)crypto_sign_seed_keypair(pub[0], sec[0], seed);
	seed[0] = 8;
	(void)crypto_sign_seed_keypair(pub[1], sec[1], seed);
	assert_true(vkey_set(&log, h.origin, SNOTE_ED25519, pub[0]));
	assert_true(vkey_set(&witness, "w.example", SNOTE_COSIGNATURE, pub[1]));
	assert_true(vkey_set(&other, "w.example", SNOTE_ED25519, pub[1]));
	len = tlog_head_put(text, &h);
	assert_true(tlog_head_parse(&back, text, len));
	assert_memory_equal(&back.root, &h.root, 32);
	assert_int_equal(back.size, 5);
	for (size_t i = 0; i < len; i++)
		assert_false(tlog_head_parse(&back, text, i));

	memcpy(all, text, len);
	all[len] = '\n';
	k = len + 1;
	for (int i = 0; i < 2; i++) {
		size_t got = snote_sign(line, i == 0 ? &log : &witness, sec[i],
		    text, len, 1700000000);

		assert_true(got > 0);
		memcpy(all + k, line, got);
		k += got;
	}
	assert_true(snote_parse(&n, all, k));
	assert_int_equal(n.nsigs, 2);
	assert_int_equal(n.text_len, len);
	assert_int_equal(snote_signed(&n, &log, NULL), SNOTE_GOOD);
	assert_int_equal(snote_signed(&n, &witness, &when), SNOTE_GOOD);
	assert_int_equal(when, 1700000000);
	assert_int_equal(snote_signed(&n, &other, NULL), SNOTE_NOT);
	all[0] ^= 1; /* another text */
	assert_true(snote_parse(&n, all, k));
	assert_int_equal(snote_signed(&n, &log, NULL), SNOTE_BAD);
	assert_int_equal(snote_signed(&n, &witness, NULL), SNOTE_BAD);
}

static void
test_heads(void **state)
{
	static const char root[] =
	    "\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
	static const struct {
		const char *before, *after;
		bool ok;
	} tries[] = {{"example.com/behind-the-sofa\n20852163", "", true},
	    {"x\n0", "", true}, {"x\n1", "extension\n", true},
	    {"x\n00", "", false}, {"x\n01", "", false}, {"x\n-1", "", false},
	    {"x\n+1", "", false}, {"x\n ", "", false}, {"x\n", "", false},
	    {"\n1", "", false}, {"x y\n1", "", false},
	    {"x\n9223372036854775807", "", true},
	    {"x\n9223372036854775808", "", false},
	    {"x\n99999999999999999999", "", false},
	    {"x\n1", "\n", false}, {"x\n1", "no newline", false}};
	struct tlog_head h;

	(void)state;
	for (size_t i = 0; i < NELEM(tries); i++) {
		char text[256];
		int n = snprintf(text, sizeof(text), "%s%s%s", tries[i].before,
		    root, tries[i].after);

		assert_int_equal(tlog_head_parse(&h, text, (size_t)n),
		    tries[i].ok);
	}
}

static void
test_proof_text(void **state)
{
	static char text[TLOG_PROOF_TEXT], again[TLOG_PROOF_TEXT];
	static const char extra[] = "c2sp.org/tlog-proof@v1\nextra AAAA\n"
	    "index 3\n\nnote\n";
	struct tlog_proof p = {.index = 73894, .n = 3, .note = "a note\n",
	    .note_len = 7}, back;
	size_t len;

	(void)state;
	for (unsigned i = 0; i < p.n; i++)
		p.hash[i] = leaf[i];
	len = tlog_proof_put(text, &p);
	assert_true(tlog_proof_parse(&back, text, len));
	assert_int_equal(back.index, p.index);
	assert_int_equal(back.n, p.n);
	assert_memory_equal(back.hash, p.hash, p.n * 32);
	assert_int_equal(back.note_len, 7);
	assert_int_equal(tlog_proof_put(again, &back), len);
	assert_memory_equal(again, text, len);
	/* behind the empty line anything is the note */
	for (size_t i = 0; i < len - 7; i++)
		assert_false(tlog_proof_parse(&back, text, i));
	assert_true(tlog_proof_parse(&back, extra, strlen(extra)));
	assert_int_equal(back.index, 3);
	assert_int_equal(back.n, 0);
}

/* ---- records ---- */

static void
test_fingerprints(void **state)
{
	static const char *const bad[] = {"{}", "[]", "7", "",
	    "{\"_type\":\"klp.fingerprint\",\"issued\":1,\"version\":1}",
	    "{\"_type\":\"klp.fingerprint\",\"image\":\"sha256:00\","
	    "\"issued\":1,\"version\":1}",
	    "{\"_type\":\"klp.fingerprint\",\"image\":5,\"issued\":1,"
	    "\"version\":1}",
	    "{\"_type\":\"klp.fingerprint\",\"issued\":1,\"node\":\"urn:klp:\","
	    "\"version\":1}"};
	struct fingerprint f = {.issued = 1800000000, .image = leaf[0],
	    .binding = leaf[1], .root = leaf[2], .manifest = leaf[3],
	    .contract = leaf[4], .observed = leaf[5], .size = 12}, back;
	struct fp fp;
	const char *why;

	(void)state;
	memcpy(fp.b, leaf[9].b, sizeof(fp.b));
	assert_true(urn_make(f.urn, "kindai", "device", &fp));
	for (int of = FINGERPRINT_IMAGE; of <= FINGERPRINT_AGENT + 1; of++) {
		size_t len, len2;
		char *text, *again;

		f.of = (enum fingerprint_of)MIN_OF(of, FINGERPRINT_AGENT);
		f.has_observed = of > FINGERPRINT_AGENT;
		text = fingerprint_put(&f, &len);
		assert_non_null(text);
		assert_true(fingerprint_parse(&back, text, len, &why));
		assert_int_equal(back.of, f.of);
		again = fingerprint_put(&back, &len2);
		assert_int_equal(len2, len);
		assert_memory_equal(again, text, len);
		for (size_t i = 0; i < len; i++)
			assert_false(fingerprint_parse(&back, text, i, &why));
		/* a member too many, in its place by the alphabet */
		again[len - 1] = '\0';
		text = realloc(text, len + 16);
		(void)snprintf(text, len + 16, "%s,\"z\":1}", again);
		assert_false(fingerprint_parse(&back, text, strlen(text),
		    &why));
		free(text);
		free(again);
	}
	for (size_t i = 0; i < NELEM(bad); i++) {
		assert_false(fingerprint_parse(&back, bad[i], strlen(bad[i]),
		    &why));
		assert_non_null(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_includes),
	    cmocka_unit_test(test_extends),
	    cmocka_unit_test(test_edge),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_note),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_cosigned),
	    cmocka_unit_test(test_heads),
	    cmocka_unit_test(test_proof_text),
	    cmocka_unit_test(test_fingerprints),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, NULL);
}
