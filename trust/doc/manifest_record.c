/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/manifest_record.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"
#include "trust/doc/manifest_form.h"

/*
 * The record that crosses from trust to node: "WMR1", then the struct's
 * members in order; a list is its count and as many texts.
 */
#define MAGIC "WMR1"

static void
put_blob(struct wr *w, const struct blob_ref *b)
{
	wr_bytes(w, HASH_BYTES(b->sha256));
	wr_u64(w, b->size);
}

static bool
get_blob(struct rd *r, struct blob_ref *b)
{
	return rd_copy(r, HASH_BYTES(b->sha256)) && rd_u64(r, &b->size) &&
	    b->size <= UINT64_C(9007199254740991);
}

static void
put_list(struct wr *w, const struct text_list *l)
{
	wr_u16(w, (uint16_t)l->n);
	for (unsigned i = 0; i < l->n; i++)
		wr_str(w, l->v[i]);
}

static bool
get_list(struct rd *r, struct text_list *l, unsigned most, size_t max,
    bool (*ok)(const char *, size_t))
{
	uint16_t count;

	if (!rd_u16(r, &count) || count > most)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *p;
		uint16_t n;

		if (!rd_u16(r, &n) || !rd_ref(r, &p, n) ||
		    !text_ok((const char *)p, n, max) ||
		    (ok != NULL && !ok((const char *)p, n)) ||
		    !text_list_add(l, (const char *)p, n))
			return false;
	}
	return true;
}

/* A record without them is what it was before there were any. */
static bool
asks_io(const struct manifest *m)
{
	return m->limit[LIMIT_IO_READ] != 0 || m->limit[LIMIT_IO_WRITE] != 0;
}

size_t
manifest_record_put(uint8_t *out, size_t cap, const struct manifest *m)
{
	struct wr w = wr_make(out, MIN_OF(cap, MANIFEST_RECORD_MAX));

	wr_bytes(&w, MAGIC, 4);
	wr_u32(&w, m->has | (asks_io(m) ? (uint32_t)HAS_IO : 0));
	wr_bytes(&w, HASH_BYTES(m->job));
	wr_bytes(&w, HASH_BYTES(m->submitter));
	wr_str(&w, m->submitter_urn);
	wr_bytes(&w, HASH_BYTES(m->node));
	wr_str(&w, m->node_urn);
	wr_bytes(&w, m->nonce, sizeof(m->nonce));
	wr_u32(&w, m->not_after);
	wr_u32(&w, m->deadline);
	wr_str(&w, m->image);
	put_blob(&w, &m->wasm);
	if ((m->has & HAS_WASM) != 0) {
		wr_u64(&w, m->module.fuel);
		wr_bool(&w, m->module.deterministic);
		wr_u8(&w, m->module.files);
		wr_bool(&w, m->module.has_chunks);
		put_blob(&w, &m->module.chunks);
	}
	put_blob(&w, &m->contract);
	put_list(&w, &m->command);
	put_list(&w, &m->env);
	put_list(&w, &m->cap_drop);
	wr_str(&w, m->seccomp);
	wr_bool(&w, m->read_only_fs);
	for (unsigned i = 0; i < (asks_io(m) ? LIMIT_COUNT : LIMITS_BEFORE_IO);
	    i++)
		wr_u64(&w, m->limit[i]);
	wr_u8(&w, (uint8_t)m->nvolumes);
	for (unsigned i = 0; i < m->nvolumes; i++) {
		const struct manifest_volume *v = &m->volume[i];

		wr_str(&w, v->target);
		wr_bool(&w, v->rw);
		put_blob(&w, &v->blob);
		wr_bool(&w, v->has_chunks);
		put_blob(&w, &v->chunks);
	}
	wr_u8(&w, m->network);
	wr_bool(&w, m->network_none);
	wr_u8(&w, (uint8_t)m->trust_level);
	wr_bool(&w, m->trust_critical);
	wr_bool(&w, m->requires_review);
	wr_str(&w, m->approved_by);
	wr_u8(&w, (uint8_t)m->retries);
	return wr_ok(&w) ? w.len : 0;
}

/* An absent URN is "" and zeros; a present one names the fingerprint. */
static bool
get_urn(struct rd *r, struct fp *fp, char urn[URN_MAX], bool present)
{
	struct fp named;

	if (!rd_copy(r, HASH_BYTES(*fp)) || !rd_str(r, urn, URN_MAX))
		return false;
	if (!present)
		return urn[0] == '\0';
	return urn_parse(&named, urn, strlen(urn)) &&
	    fp_eq(&named, fp);
}

static bool
env_line_ok(const char *s, size_t n)
{
	const char *eq = memchr(s, '=', n);

	return eq != NULL && env_name_ok(s, (size_t)(eq - s)) &&
	    n - (size_t)(eq - s) - 1 <= MANIFEST_ENV_VALUE;
}

static bool
get_ask(struct rd *r, struct wasm_ask *a)
{
	return rd_u64(r, &a->fuel) && a->fuel <= UINT64_C(9007199254740991) &&
	    rd_bool(r, &a->deterministic) && rd_u8(r, &a->files) &&
	    a->files <= WASM_FILES_MEMORY && rd_bool(r, &a->has_chunks) &&
	    get_blob(r, &a->chunks);
}

static bool
get_head(struct rd *r, struct manifest *m)
{
	uint8_t magic[4];

	return rd_copy(r, magic, 4) && memcmp(magic, MAGIC, 4) == 0 &&
	    rd_u32(r, &m->has) && (m->has & ~0x1ffffu) == 0 &&
	    rd_copy(r, HASH_BYTES(m->job)) &&
	    get_urn(r, &m->submitter, m->submitter_urn, true) &&
	    get_urn(r, &m->node, m->node_urn, (m->has & HAS_NODE) != 0) &&
	    rd_copy(r, m->nonce, sizeof(m->nonce)) &&
	    rd_u32(r, &m->not_after) && rd_u32(r, &m->deadline) &&
	    rd_str(r, m->image, sizeof(m->image)) &&
	    (m->image[0] == '\0' || image_ok(m->image, strlen(m->image))) &&
	    get_blob(r, &m->wasm) &&
	    ((m->has & HAS_WASM) == 0 || get_ask(r, &m->module)) &&
	    get_blob(r, &m->contract);
}

static bool
get_lists(struct rd *r, struct manifest *m)
{
	return get_list(r, &m->command, MANIFEST_ARGS_MAX, MANIFEST_ARGS_BYTES,
		   NULL) &&
	    get_list(r, &m->env, MANIFEST_ENV_MAX,
		MANIFEST_ENV_NAME + 1 + MANIFEST_ENV_VALUE, env_line_ok) &&
	    get_list(r, &m->cap_drop, MANIFEST_CAPS_MAX, 64, cap_name_ok) &&
	    rd_str(r, m->seccomp, sizeof(m->seccomp)) &&
	    text_ok(m->seccomp, strlen(m->seccomp), MANIFEST_TEXT) &&
	    rd_bool(r, &m->read_only_fs);
}

static bool
get_volumes(struct rd *r, struct manifest *m)
{
	uint8_t n;

	if (!rd_u8(r, &n) || n > MANIFEST_VOLUMES)
		return false;
	for (m->nvolumes = 0; m->nvolumes < n; m->nvolumes++) {
		struct manifest_volume *v = &m->volume[m->nvolumes];

		if (!rd_str(r, v->target, sizeof(v->target)) ||
		    manifest_target_bad(v->target, strlen(v->target)) != NULL ||
		    !rd_bool(r, &v->rw) || !get_blob(r, &v->blob) ||
		    !rd_bool(r, &v->has_chunks) || !get_blob(r, &v->chunks))
			return false;
	}
	return true;
}

static bool
get_tail(struct rd *r, struct manifest *m)
{
	uint8_t level, retries;

	if (!rd_u8(r, &m->network) || m->network > NET_BROKER ||
	    !rd_bool(r, &m->network_none) || !rd_u8(r, &level) || level > 3 ||
	    !rd_bool(r, &m->trust_critical) ||
	    !rd_bool(r, &m->requires_review) ||
	    !rd_str(r, m->approved_by, sizeof(m->approved_by)) ||
	    !text_ok(m->approved_by, strlen(m->approved_by), MANIFEST_TEXT) ||
	    !rd_u8(r, &retries) || retries > MANIFEST_RETRIES)
		return false;
	m->trust_level = level;
	m->retries = retries;
	return true;
}

static bool
get(struct manifest *m, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);

	if (len > MANIFEST_RECORD_MAX || !get_head(&r, m) || !get_lists(&r, m))
		return false;
	for (unsigned i = 0; i < ((m->has & HAS_IO) != 0 ? LIMIT_COUNT :
	    LIMITS_BEFORE_IO); i++)
		if (!rd_u64(&r, &m->limit[i]) ||
		    m->limit[i] > UINT64_C(9007199254740991))
			return false;
	if (((m->has & HAS_IO) != 0) != asks_io(m))
		return false;
	m->has &= ~(uint32_t)HAS_IO;
	return get_volumes(&r, m) && get_tail(&r, m) && rd_end(&r) &&
	    manifest_whole_bad(m) == NULL;
}

bool
manifest_record_get(struct manifest *m, const uint8_t *buf, size_t len)
{
	manifest_init(m);
	if (get(m, buf, len))
		return true;
	manifest_clear(m);
	manifest_init(m);
	return false;
}
