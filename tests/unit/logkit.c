/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/logkit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "trust/doc/merkle.h"

static struct id32 leaf[2][LOGKIT_MOST], up[2][LOGKIT_MOST / 256],
    top[2][LOGKIT_MOST / 65536];

static struct id32 *
level_of(int of, uint32_t level)
{
	return level == 0 ? leaf[of] : level == 1 ? up[of] : top[of];
}

static bool
whole(void *ctx, uint32_t level, uint64_t n, const struct id32 *h,
    unsigned width)
{
	struct merkle m;

	merkle_init(&m, 0);
	for (unsigned i = 0; i < width; i++)
		(void)merkle_add(&m, 0, &h[i]);
	merkle_root(&m, &level_of(*(int *)ctx, level + 1)[n]);
	return true;
}

void
logkit_make(void)
{
	struct tlog_edge *e = malloc(sizeof(*e));

	for (int of = 0; e != NULL && of < 2; of++) {
		tlog_edge_init(e);
		for (unsigned i = 0; i < LOGKIT_MOST; i++) {
			unsigned entry = i + (i >= LOGKIT_APART && of ? 7 : 0);

			merkle_leaf(&leaf[of][i], &entry, sizeof(entry));
			if (!tlog_edge_add(e, &leaf[of][i], whole, &of))
				abort();
		}
	}
	free(e);
}

unsigned
logkit_tile(int of, uint64_t size, uint32_t level, uint64_t n,
    struct id32 *out)
{
	unsigned width = tlog_width(size, level, n);

	if (width > 0)
		memcpy(out, &level_of(of, level)[n * TLOG_TILE],
		    width * sizeof(*out));
	return width;
}

struct tlog_head
logkit_head(int of, uint64_t size)
{
	struct tlog_head h = {.origin = "log.example/x", .size = size};
	struct merkle m;

	merkle_init(&m, 0);
	for (uint64_t at = 0; at < size;) {
		uint32_t level = size - at >= 65536 ? 2 : size - at >= 256 &&
		    at % 256 == 0 ? 1 : 0;

		(void)merkle_add(&m, 8 * level,
		    &level_of(of, level)[at >> 8 * level]);
		at += UINT64_C(1) << 8 * level;
	}
	merkle_root(&m, &h.root);
	return h;
}

/* ---- whose they are ---- */

static void
pair(struct klp_key *k, uint8_t secret[64], unsigned i)
{
	uint8_t seed[32] = {7, (uint8_t)i};

	*k = (struct klp_key){.kind = KEY_ED25519, .len = 32};
	(void)crypto_sign_seed_keypair(k->raw, secret, seed);
}

struct klp_key
logkit_key(unsigned i)
{
	struct klp_key k;
	uint8_t secret[64];

	pair(&k, secret, i);
	return k;
}

size_t
logkit_sign(char out[SNOTE_MAX], const struct tlog_head *head, unsigned key)
{
	struct tlog_head h = *head;
	struct klp_key k;
	struct vkey v;
	uint8_t secret[64];
	char line[SNOTE_LINE_MAX];
	size_t n, more;

	pair(&k, secret, key);
	(void)snprintf(h.origin, sizeof(h.origin), "log.example/%u", key);
	n = tlog_head_put(out, &h);
	if (!vkey_set(&v, h.origin, SNOTE_ED25519, k.raw) ||
	    (more = snote_sign(line, &v, secret, out, n, 0)) == 0)
		abort();
	out[n++] = '\n';
	memcpy(out + n, line, more);
	return n + more;
}

size_t
logkit_note(char out[SNOTE_MAX], int of, uint64_t size, unsigned key)
{
	const struct tlog_head h = logkit_head(of, size);

	return logkit_sign(out, &h, key);
}

void
logkit_roles(char *out, size_t cap, unsigned n, const char *text,
    const char *hex)
{
	static const char *const roles[] = {"root", "head", "revocation-list"};
	char log[LOGKIT_KEYS * 68] = "", id[65], key[KEY_TEXT_MAX];
	size_t at = (size_t)snprintf(out, cap, "{\"keys\":{\"%s\":{\"key\":"
	    "\"%s\",\"scheme\":\"ed25519\"}", hex, text);

	for (unsigned i = 0; i < n; i++) {
		struct klp_key k = logkit_key(i);
		struct fp fp;

		key_text(key, &k);
		key_fp(&fp, &k);
		hex_encode(id, HASH_BYTES(fp));
		at += (size_t)snprintf(out + at, cap - at, ",\"%s\":{\"key\":"
		    "\"%s\",\"scheme\":\"ed25519\"}", id, key);
		(void)snprintf(log + strlen(log), sizeof(log) - strlen(log),
		    "%s\"%s\"", i > 0 ? "," : "", id);
	}
	at += (size_t)snprintf(out + at, cap - at, "},\"roles\":{\"log\":{"
	    "\"keys\":[%s],\"threshold\":1}", log);
	for (size_t i = 0; i < NELEM(roles); i++)
		at += (size_t)snprintf(out + at, cap - at, ",\"%s\":{\"keys\":["
		    "\"%s\"],\"threshold\":1}", roles[i], hex);
	if (at + 3 > cap)
		abort();
	(void)snprintf(out + at, cap - at, "}}");
}
