/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/tlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/b64.h"
#include "common/util.h"
#include "trust/doc/merkle.h"

#define B64 sodium_base64_VARIANT_ORIGINAL
#define ROOT_B64 44

/* ---- lines ---- */

/* One line of at most len bytes; what is left begins behind it. */
static bool
line(const char **at, size_t *left, const char **s, size_t *n)
{
	const char *nl = memchr(*at, '\n', *left);

	if (nl == NULL)
		return false;
	*s = *at;
	*n = (size_t)(nl - *at);
	*left -= *n + 1;
	*at = nl + 1;
	return true;
}

/* As numbers are written there: decimal, no zero in front. */
static bool
number(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0 || n > 19 || (n > 1 && s[0] == '0'))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = v;
	return v <= TLOG_SIZE_MAX;
}

static bool
hash_from(const char *s, size_t n, struct id32 *out)
{
	size_t got;

	return n == ROOT_B64 && b64_get(HASH_BYTES(*out), s, n, &got, B64) &&
	    got == sizeof(out->b);
}

static void
hash_text(char out[ROOT_B64 + 1], const struct id32 *h)
{
	(void)sodium_bin2base64(out, ROOT_B64 + 1, HASH_BYTES(*h), B64);
}

/* ---- heads ---- */

static bool
head_parse(struct tlog_head *out, const char *text, size_t len, bool old)
{
	struct tlog_head h = {.size = 0};
	const char *s;
	size_t n;

	if (!line(&text, &len, &s, &n) || n == 0 || n > SNOTE_NAME_MAX ||
	    (!old && !snote_name_ok(s, n)))
		return false;
	memcpy(h.origin, s, n);
	if (!line(&text, &len, &s, &n) || !number(s, n, &h.size) ||
	    !line(&text, &len, &s, &n) || !hash_from(s, n, &h.root))
		return false;
	while (len > 0)
		if (!line(&text, &len, &s, &n) || n == 0)
			return false;
	*out = h;
	return true;
}

bool
tlog_head_parse(struct tlog_head *out, const char *text, size_t len)
{
	return head_parse(out, text, len, false);
}

bool
tlog_head_parse_old(struct tlog_head *out, const char *text, size_t len)
{
	return head_parse(out, text, len, true);
}

size_t
tlog_head_put(char out[TLOG_HEAD_MAX], const struct tlog_head *h)
{
	char root[ROOT_B64 + 1];
	int n;

	hash_text(root, &h->root);
	n = snprintf(out, TLOG_HEAD_MAX, "%s\n%" PRIu64 "\n%s\n", h->origin,
	    h->size, root);
	return n < 0 ? 0 : (size_t)n;
}

/* ---- proofs ---- */

static void
join(struct id32 *out, const struct id32 *a, const struct id32 *b)
{
	uint8_t both[65];

	both[0] = 1;
	memcpy(both + 1, a->b, 32);
	memcpy(both + 33, b->b, 32);
	(void)crypto_hash_sha256(out->b, both, sizeof(both));
}

/* Past the levels at which it has no sibling. */
static void
alone(uint64_t *fn, uint64_t *sn)
{
	while ((*fn & 1) == 0 && *fn != 0) {
		*fn >>= 1;
		*sn >>= 1;
	}
}

/*
 * RFC 9162, 2.1.3.2: fn is where we are on a level, sn the last one there. A
 * node that is the last and has no sibling goes up as it is.
 */
bool
tlog_includes(const struct tlog_head *h, uint64_t index,
    const struct id32 *leaf, const struct id32 *proof, unsigned n)
{
	uint64_t fn = index, sn = h->size - 1;
	struct id32 r = *leaf;

	if (index >= h->size || h->size > TLOG_SIZE_MAX || n > TLOG_PROOF_MAX)
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn) {
			join(&r, &proof[i], &r);
			alone(&fn, &sn);
		} else {
			join(&r, &r, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && id32_eq(&r, &h->root);
}

/* RFC 9162, 2.1.4.2. */
bool
tlog_extends(const struct tlog_head *old, const struct tlog_head *new_,
    const struct id32 *proof, unsigned n)
{
	uint64_t fn = old->size - 1, sn = new_->size - 1;
	struct id32 fr, sr;
	unsigned i = 0;

	if (old->size > new_->size || new_->size > TLOG_SIZE_MAX ||
	    n > TLOG_PROOF_MAX)
		return false;
	if (old->size == 0)
		return n == 0;
	if (old->size == new_->size)
		return n == 0 && id32_eq(&old->root, &new_->root);
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	/* a whole subtree: its hash is the old root, and not in the proof */
	if (fn == 0)
		fr = sr = old->root;
	else if (n == 0)
		return false;
	else
		fr = sr = proof[i++];
	for (; i < n; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) != 0 || fn == sn) {
			join(&fr, &proof[i], &fr);
			join(&sr, &proof[i], &sr);
			alone(&fn, &sn);
		} else {
			join(&sr, &sr, &proof[i]);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && id32_eq(&fr, &old->root) &&
	    id32_eq(&sr, &new_->root);
}

/* The tree of [begin, end), which lies on the border of its subtrees. */
static bool
range(const struct tlog_tree *t, uint64_t begin, uint64_t end,
    struct id32 *out)
{
	struct id32 part[64], h;
	unsigned n = 0;

	while (begin < end) {
		unsigned level = merkle_level(begin, end);

		if (n == NELEM(part) ||
		    !t->read(t->ctx, level, begin >> level, &part[n++]))
			return false;
		begin += UINT64_C(1) << level;
	}
	if (n == 0)
		return false;
	h = part[--n];
	while (n > 0)
		join(&h, &part[--n], &h);
	*out = h;
	return true;
}

bool
tlog_root(const struct tlog_tree *t, uint64_t size, struct id32 *out)
{
	if (size == 0) {
		(void)crypto_hash_sha256(out->b, (const uint8_t *)"", 0);
		return true;
	}
	return size <= TLOG_SIZE_MAX && range(t, 0, size, out);
}

/* The greatest power of two below n, which is at least 2. */
static uint64_t
split(uint64_t n)
{
	uint64_t k = 1;

	while (k < n - k)
		k <<= 1;
	return k;
}

static void
turn_round(struct id32 *a, unsigned n)
{
	for (unsigned i = 0; i < n / 2; i++) {
		struct id32 x = a[i];

		a[i] = a[n - 1 - i];
		a[n - 1 - i] = x;
	}
}

/* From the root down; a proof is told from the leaf up. */
bool
tlog_prove(const struct tlog_tree *t, uint64_t size, uint64_t index,
    struct id32 proof[TLOG_PROOF_MAX], unsigned *n)
{
	uint64_t begin = 0, end = size;
	bool ok;

	*n = 0;
	if (index >= size || size > TLOG_SIZE_MAX)
		return false;
	while (end - begin > 1) {
		uint64_t middle = begin + split(end - begin);

		if (*n == TLOG_PROOF_MAX)
			return false;
		if (index < middle) {
			ok = range(t, middle, end, &proof[(*n)++]);
			end = middle;
		} else {
			ok = range(t, begin, middle, &proof[(*n)++]);
			begin = middle;
		}
		if (!ok)
			return false;
	}
	turn_round(proof, *n);
	return true;
}

bool
tlog_prove_growth(const struct tlog_tree *t, uint64_t old, uint64_t size,
    struct id32 proof[TLOG_PROOF_MAX], unsigned *n)
{
	uint64_t begin = 0, end = size;
	bool ok;

	*n = 0;
	if (old > size || size > TLOG_SIZE_MAX)
		return false;
	if (old == 0 || old == size)
		return true;
	while (old != end) {
		uint64_t middle = begin + split(end - begin);

		if (*n == TLOG_PROOF_MAX - 1)
			return false;
		if (old <= middle) {
			ok = range(t, middle, end, &proof[(*n)++]);
			end = middle;
		} else {
			ok = range(t, begin, middle, &proof[(*n)++]);
			begin = middle;
		}
		if (!ok)
			return false;
	}
	/* the old tree whole: who asks has its root */
	if (begin != 0 && !range(t, begin, end, &proof[(*n)++]))
		return false;
	turn_round(proof, *n);
	return true;
}

/* ---- the text of a proof ---- */

static const char magic[] = "c2sp.org/tlog-proof@v1";

/* A line each, up to an empty one. */
static bool
hashes(const char **text, size_t *len, struct id32 hash[TLOG_PROOF_MAX],
    unsigned *count)
{
	const char *s;
	size_t n;

	for (*count = 0;; (*count)++) {
		if (!line(text, len, &s, &n))
			return false;
		if (n == 0)
			return true;
		if (*count == TLOG_PROOF_MAX ||
		    !hash_from(s, n, &hash[*count]))
			return false;
	}
}

/* Each in its line, the empty one, and the checkpoint; the new length. */
static size_t
put_hashes(char *out, size_t at, const struct id32 *hash, unsigned n,
    const char *note, size_t note_len)
{
	char b64[ROOT_B64 + 1];

	for (unsigned i = 0; i < n; i++) {
		hash_text(b64, &hash[i]);
		memcpy(out + at, b64, ROOT_B64);
		at += ROOT_B64;
		out[at++] = '\n';
	}
	out[at++] = '\n';
	memcpy(out + at, note, note_len);
	return at + note_len;
}

bool
tlog_proof_parse(struct tlog_proof *out, const char *text, size_t len)
{
	struct tlog_proof p = {.n = 0};
	const char *s;
	size_t n;

	if (!line(&text, &len, &s, &n) || n != strlen(magic) ||
	    memcmp(s, magic, n) != 0 || !line(&text, &len, &s, &n))
		return false;
	/* nobody has signed what is extra: passed over */
	if (n > 6 && memcmp(s, "extra ", 6) == 0 && !line(&text, &len, &s, &n))
		return false;
	if (n <= 6 || memcmp(s, "index ", 6) != 0 ||
	    !number(s + 6, n - 6, &p.index))
		return false;
	if (!hashes(&text, &len, p.hash, &p.n))
		return false;
	p.note = text;
	p.note_len = len;
	*out = p;
	return true;
}

size_t
tlog_proof_put(char out[TLOG_PROOF_TEXT], const struct tlog_proof *p)
{
	size_t n;

	if (p->n > TLOG_PROOF_MAX || p->note_len > SNOTE_MAX)
		return 0;
	n = (size_t)snprintf(out, TLOG_PROOF_TEXT, "%s\nindex %" PRIu64 "\n",
	    magic, p->index);
	return put_hashes(out, n, p->hash, p->n, p->note, p->note_len);
}

/* ---- the text of a growth ---- */

/* "old 0", or "old SIZE ROOT". */
static bool
old_from(const char *s, size_t n, struct tlog_head *old)
{
	const char *sp;

	if (n < 5 || memcmp(s, "old ", 4) != 0)
		return false;
	s += 4;
	n -= 4;
	if ((sp = memchr(s, ' ', n)) == NULL)
		return number(s, n, &old->size) && old->size == 0;
	return number(s, (size_t)(sp - s), &old->size) && old->size > 0 &&
	    hash_from(sp + 1, n - (size_t)(sp - s) - 1, &old->root);
}

bool
tlog_growth_parse(struct tlog_growth *out, const char *text, size_t len)
{
	struct tlog_growth g = {.n = 0};
	const char *s;
	size_t n;

	if (!line(&text, &len, &s, &n) || !old_from(s, n, &g.old) ||
	    !hashes(&text, &len, g.hash, &g.n))
		return false;
	g.note = text;
	g.note_len = len;
	*out = g;
	return true;
}

size_t
tlog_growth_put(char out[TLOG_GROWTH_TEXT], const struct tlog_growth *g)
{
	char root[ROOT_B64 + 1];
	size_t n;

	if (g->n > TLOG_PROOF_MAX || g->note_len > SNOTE_MAX)
		return 0;
	hash_text(root, &g->old.root);
	n = (size_t)snprintf(out, TLOG_GROWTH_TEXT, "old %" PRIu64 "%s%s\n",
	    g->old.size, g->old.size > 0 ? " " : "",
	    g->old.size > 0 ? root : "");
	return put_hashes(out, n, g->hash, g->n, g->note, g->note_len);
}

/* ---- files ---- */

void
tlog_path(char out[TLOG_PATH_MAX], uint32_t level, uint64_t index,
    unsigned width)
{
	unsigned part[8], n = 0;
	size_t at;

	do {
		part[n++] = (unsigned)(index % 1000);
		index /= 1000;
	} while (index > 0 && n < NELEM(part));
	if (level == TLOG_ENTRIES)
		at = (size_t)snprintf(out, TLOG_PATH_MAX, "tile/entries");
	else
		at = (size_t)snprintf(out, TLOG_PATH_MAX, "tile/%" PRIu32,
		    level);
	while (n > 0) {
		n--;
		at += (size_t)snprintf(out + at, TLOG_PATH_MAX - at, "/%s%03u",
		    n > 0 ? "x" : "", part[n]);
	}
	if (width < TLOG_TILE)
		(void)snprintf(out + at, TLOG_PATH_MAX - at, ".p/%u", width);
}

void
tlog_place(unsigned level, uint64_t index, uint32_t *tile, uint64_t *n,
    unsigned *first, unsigned *height)
{
	*height = level % 8;
	*tile = level / 8;
	*first = (unsigned)((index << *height) % TLOG_TILE);
	*n = (index << *height) / TLOG_TILE;
}

unsigned
tlog_width(uint64_t size, uint32_t tile, uint64_t n)
{
	uint64_t hashes = 8 * tile < 64 ? size >> 8 * tile : 0;

	if (n >= hashes / TLOG_TILE + (hashes % TLOG_TILE != 0))
		return 0;
	return n < hashes / TLOG_TILE ? TLOG_TILE
				      : (unsigned)(hashes % TLOG_TILE);
}
