/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tests/unit/authkit.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>

#include "common/util.h"
#include "trust/doc/frame.h"
#include "trust/doc/jdoc.h"

#define DEF(v, d) ((v) != 0 ? (v) : (d))

struct klp_secret
kit_secret(unsigned i)
{
	struct klp_secret s = {.kind = i == 0 ? KEY_ED25519 : KEY_SECP256K1,
	    .bip340 = i == 2};

	s.raw[31] = (uint8_t)(i + 17);
	return s;
}

struct klp_key
kit_key(unsigned i)
{
	struct klp_secret s = kit_secret(i);
	struct klp_key k;

	assert_true(secret_public(&k, &s));
	return k;
}

struct fp
kit_fp(unsigned i)
{
	struct klp_key k = kit_key(i);
	struct fp fp;

	key_fp(&fp, &k);
	return fp;
}

unsigned
kit_sign(struct env_signed *out, unsigned mask, const char *type,
    const void *payload, size_t len)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KIT_KEYS; i++) {
		struct klp_secret s = kit_secret(i);

		if ((mask & 1u << i) == 0)
			continue;
		out[n].fp = kit_fp(i);
		assert_true(pae_sign(out[n++].sig, &s, type, payload, len,
		    NULL));
	}
	return n;
}

static size_t
envelope(uint8_t *out, size_t cap, json_t *doc, const char *type,
    unsigned signers, struct id32 *id)
{
	struct env_signed sigs[KIT_KEYS];
	size_t n, len;
	char *text = jdoc_canonical(doc, &n);

	assert_non_null(text);
	if (id != NULL)
		(void)crypto_hash_sha256(id->b, (uint8_t *)text, n);
	len = env_build_json(out, cap, type, text, n, sigs,
	    kit_sign(sigs, signers, type, text, n));
	assert_true(len > 0);
	free(text);
	json_decref(doc);
	return len;
}

static json_t *
hex_json(const uint8_t *b, size_t n)
{
	char hex[65];

	assert_true(n <= 32);
	hex_encode(hex, b, n);
	return json_string(hex);
}

static json_t *
role_json(unsigned mask, unsigned threshold)
{
	json_t *keys = json_array();

	for (unsigned i = 0; i < KIT_KEYS; i++) {
		struct fp fp = kit_fp(i);

		if ((mask & 1u << i) != 0)
			(void)json_array_append_new(keys,
			    hex_json(HASH_BYTES(fp)));
	}
	return json_pack("{s:o, s:i}", "keys", keys, "threshold",
	    (int)DEF(threshold, 1));
}

static json_t *
keys_json(void)
{
	json_t *keys = json_object();

	for (unsigned i = 0; i < KIT_KEYS; i++) {
		struct klp_key k = kit_key(i);
		struct fp fp = kit_fp(i);
		char text[KEY_TEXT_MAX], hex[65];

		key_text(text, &k);
		hex_encode(hex, HASH_BYTES(fp));
		(void)json_object_set_new(keys, hex, json_pack("{s:s, s:s}",
		    "key", text, "scheme", i == 0 ? "ed25519" :
		    i == 2 ? "bip340" : "ecdsa"));
	}
	return keys;
}

size_t
kit_root(uint8_t *out, size_t cap, const struct kit_root *r, struct id32 *id)
{
	static const char *const roles[] = {"root", "head", "revocation-list"};
	uint32_t issued = DEF(r->issued, KIT_T0);
	json_t *doc = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:[]}",
	    "_type", "klp.root", "authority",
	    r->name == NULL ? "test.kos" : r->name, "version",
	    (json_int_t)DEF(r->version, 1), "issued", (json_int_t)issued,
	    "expires", (json_int_t)DEF(r->expires, issued + 31536000), "keys",
	    keys_json(), "transports"), *all = json_object(), *more;

	for (unsigned i = 0; i < NELEM(roles); i++)
		(void)json_object_set_new(all, roles[i], role_json(
		    DEF(r->keys[i], 1), r->threshold[i]));
	(void)json_object_set_new(doc, "roles", all);
	(void)json_object_set_new(doc, "documents", json_pack(
	    "{s:{s:s, s:s, s:i}}", KIT_LIST, "role", "revocation-list", "type",
	    REVLIST_TYPE, "max", 1048576));
	if (r->more != NULL) {
		more = json_loads(r->more, 0, NULL);
		assert_non_null(more);
		(void)json_object_update(doc, more);
		json_decref(more);
	}
	return envelope(out, cap, doc, TYPE_ROOT,
	    DEF(r->signers, DEF(r->keys[0], 1)), id);
}

size_t
kit_head(uint8_t *out, size_t cap, const struct head *h, unsigned signers)
{
	struct env_signed sigs[KIT_KEYS];
	uint8_t frame[HEAD_FRAME(HEAD_DOCS_MAX)];
	size_t n = head_put(frame, sizeof(frame), h);

	assert_true(n > 0);
	n = frame_put(out, cap, frame, n, sigs,
	    kit_sign(sigs, signers, TYPE_HEAD, frame, n));
	assert_true(n > 0);
	return n;
}

static json_t *
entry_json(const struct rev_entry *e)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:I, s:I}", "kind",
	    rev_kind_name(e->kind), "id",
	    hex_json(e->id, e->kind == REV_RNS ? 16 : 32), "state",
	    e->suspended ? "suspended" : "revoked", "reason",
	    rev_reason_name(e->reason), "revoked_at",
	    (json_int_t)e->revoked_at, "invalid_since",
	    (json_int_t)e->invalid_since);
}

size_t
kit_list(uint8_t *out, size_t cap, const char *name, uint32_t version,
    uint32_t issued, uint32_t expires, const struct rev_entry *e, size_t n,
    unsigned signers)
{
	struct rev_entry *sorted = calloc(n + 1, sizeof(*sorted));
	json_t *entries = json_array(), *doc;
	struct id32 digest;
	char uri[URI_MAX];

	assert_non_null(sorted);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(entries, entry_json(&e[i]));
	if (n > 0)
		memcpy(sorted, e, n * sizeof(*e));
	qsort(sorted, n, sizeof(*sorted), rev_cmp);
	revlist_digest(&digest, sorted, n);
	free(sorted);
	(void)snprintf(uri, sizeof(uri), "klp://%s/" KIT_LIST,
	    name == NULL ? "test.kos" : name);
	doc = json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "_type",
	    REVLIST_TYPE, "uri", uri, "version", (json_int_t)version, "issued",
	    (json_int_t)issued, "expires", (json_int_t)expires, "set_digest",
	    hex_json(HASH_BYTES(digest)), "entries", entries);
	return envelope(out, cap, doc,
	    "application/vnd.klp.revocation-list+json", signers, NULL);
}

void
kit_names(struct head *h, const char *path, uint32_t version,
    const uint8_t *file, size_t len)
{
	struct head_doc *d = &h->docs[h->n];
	uint8_t ptag[4];

	head_ptag(ptag, path);
	for (unsigned i = 0; i < h->n; i++)
		if (memcmp(h->docs[i].ptag, ptag, 4) == 0)
			d = &h->docs[i];
	if (d == &h->docs[h->n])
		h->n++;
	memcpy(d->ptag, ptag, 4);
	d->version = version;
	d->length = (uint32_t)len;
	(void)crypto_hash_sha256(d->sha256.b, file, len);
}

/* ---- a folder ---- */

void
kit_dir_put(const struct kit_dir *d, const char *name, const void *p, size_t n)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static size_t
root_here(uint8_t *buf, size_t cap, struct id32 *id)
{
	/* the same bytes each time, and not from the future */
	const struct kit_root r = {.issued = 1000000000,
	    .expires = UINT32_MAX};

	return kit_root(buf, cap, &r, id);
}

void
kit_dir_make(struct kit_dir *d)
{
	static const char *const folders[] = {"authorities", "documents",
	    "documents/test.kos"};
	static uint8_t buf[8192];
	struct id32 id;

	(void)snprintf(d->path, sizeof(d->path), "/tmp/trust-klp-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY);
	assert_true(d->fd >= 0);
	for (size_t i = 0; i < NELEM(folders); i++)
		assert_int_equal(mkdirat(d->fd, folders[i], 0755), 0);
	kit_dir_put(d, "authorities/test.kos.root.json", buf,
	    root_here(buf, sizeof(buf), &id));
}

void
kit_list_here(struct kit_dir *d, const struct fp *first, uint32_t version,
    unsigned n, bool suspended, uint32_t life)
{
	static uint8_t buf[8192];
	uint32_t now = (uint32_t)time(NULL);
	struct rev_entry e[8] = {{.kind = REV_KEY, .reason = 1,
	    .suspended = suspended}};
	struct head h = {.root_version = 1, .version = version, .issued = now,
	    .expires = now + life};
	struct id32 id;
	size_t len;

	assert_true(n <= NELEM(e));
	memcpy(e[0].id, HASH_BYTES(*first));
	for (unsigned i = 1; i < n; i++)
		e[i] = (struct rev_entry){.kind = REV_RNS,
		    .id = {(uint8_t)i}};
	revlist_digest(&d->digest, e, n);
	len = kit_list(buf, sizeof(buf), NULL, version, now, now + 86400, e, n,
	    1);
	kit_dir_put(d, "documents/test.kos/" KIT_LIST, buf, len);
	kit_names(&h, KIT_LIST, version, buf, len);
	(void)root_here(buf, sizeof(buf), &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	len = kit_head(buf, sizeof(buf), &h, 1);
	kit_dir_put(d, "documents/test.kos/head", buf, len);
}

static int
rm_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
kit_remove(const char *path)
{
	(void)nftw(path, rm_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
kit_dir_remove(struct kit_dir *d)
{
	(void)close(d->fd);
	d->fd = -1;
	kit_remove(d->path);
}
