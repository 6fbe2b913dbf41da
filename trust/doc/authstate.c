/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/authstate.h"

#include <string.h>

#include <sodium.h>

#include "common/wire.h"

#define MAGIC "WKA1"

size_t
authstate_put(uint8_t *out, size_t cap, const struct auth_state *st)
{
	struct wr w = wr_make(out, cap);
	uint8_t *digest;

	wr_bytes(&w, MAGIC, 4);
	wr_bytes(&w, HASH_BYTES(st->id));
	wr_u32(&w, st->floor);
	wr_u32(&w, st->root_version);
	wr_bytes(&w, HASH_BYTES(st->root_sha));
	wr_bool(&w, st->has_head);
	wr_u32(&w, st->head_version);
	wr_u32(&w, st->head_issued);
	wr_bytes(&w, HASH_BYTES(st->head_digest));
	wr_bytes(&w, HASH_BYTES(st->head_sha));
	wr_u8(&w, (uint8_t)st->ndocs);
	for (unsigned i = 0; i < st->ndocs; i++) {
		wr_str(&w, st->docs[i].path);
		wr_u32(&w, st->docs[i].version);
		wr_u32(&w, st->docs[i].length);
		wr_bytes(&w, HASH_BYTES(st->docs[i].sha256));
	}
	if ((digest = wr_room(&w, 32)) == NULL)
		return 0;
	(void)crypto_hash_sha256(digest, out, w.len - 32);
	return w.len;
}

static bool
get_doc(struct rd *r, struct auth_doc *d)
{
	return rd_str(r, d->path, sizeof(d->path)) &&
	    uri_path_ok(d->path, strlen(d->path)) && rd_u32(r, &d->version) &&
	    rd_u32(r, &d->length) && d->length <= AUTH_GRAPH_BYTES &&
	    rd_copy(r, HASH_BYTES(d->sha256));
}

bool
authstate_get(struct auth_state *st, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	const uint8_t *magic;
	struct id32 digest;
	uint8_t n;

	memset(st, 0, sizeof(*st));
	if (len < 32 || len > AUTH_STATE_BYTES)
		return false;
	(void)crypto_hash_sha256(digest.b, buf, len - 32);
	if (!id32_eq(&digest, id32_at(buf + len - 32)) ||
	    !rd_ref(&r, &magic, 4) || memcmp(magic, MAGIC, 4) != 0 ||
	    !rd_copy(&r, HASH_BYTES(st->id)) || !rd_u32(&r, &st->floor) ||
	    !rd_u32(&r, &st->root_version) || st->root_version < 1 ||
	    !rd_copy(&r, HASH_BYTES(st->root_sha)) ||
	    !rd_bool(&r, &st->has_head) || !rd_u32(&r, &st->head_version) ||
	    !rd_u32(&r, &st->head_issued) ||
	    !rd_copy(&r, HASH_BYTES(st->head_digest)) ||
	    !rd_copy(&r, HASH_BYTES(st->head_sha)) || !rd_u8(&r, &n) ||
	    n > AUTH_WANT_MAX)
		return false;
	for (; st->ndocs < n; st->ndocs++)
		if (!get_doc(&r, &st->docs[st->ndocs]))
			return false;
	return rd_skip(&r, 32) && rd_end(&r);
}
