/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/contact.h"

#include <errno.h>
#include <string.h>

#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/proto/proto.h"

#define FOLDER "contacts"
#define MAGIC "WCON"
#define VERSION 1
#define DIGEST 32 /* over all before it */

bool
contact_of(struct binding *b, const uint8_t *standalone, size_t n,
    const struct hash16 *dest)
{
	struct hash16 identity, node;

	if (!binding_parse(b, standalone, n))
		return false;
	rns_identity_hash_of(&identity, b->rns);
	return rns_dest_hash(&node, "klp.node", &identity) == RNS_OK &&
	    hash16_eq(&node, dest);
}

/* ---- one file ---- */

size_t
contact_put(uint8_t out[CONTACT_MAX], const struct remote *r)
{
	struct wr w = wr_make(out, CONTACT_MAX);
	struct binding b;
	struct id32 digest;

	if (!contact_of(&b, r->binding, BINDING_LEN, &r->dest))
		return 0;
	wr_bytes(&w, MAGIC, strlen(MAGIC));
	wr_u8(&w, VERSION);
	wr_bytes(&w, r->binding, BINDING_LEN);
	wr_str(&w, r->name);
	wr_i64(&w, r->told.at);
	wr_i32(&w, r->told.ahead_s);
	wr_bytes(&w, HASH_BYTES(r->told.by));
	wr_bytes(&w, HASH_BYTES(r->told.shown));
	wr_u32(&w, r->slice);
	wr_u64(&w, r->max_log);
	wr_u64(&w, r->max_output);
	wr_u64(&w, r->budget);
	wr_bool(&w, r->slow);
	if (!wr_ok(&w))
		return 0;
	rns_sha256(&digest, out, w.len);
	wr_bytes(&w, HASH_BYTES(digest));
	return wr_ok(&w) ? w.len : 0;
}

static const char *
get_form(struct rd *r, const void *text, size_t n)
{
	const uint8_t *magic;
	struct id32 digest;
	uint8_t version;

	*r = rd_make(text, n);
	if (n < DIGEST || !rd_ref(r, &magic, strlen(MAGIC)) ||
	    !rd_u8(r, &version))
		return "it is damaged";
	if (memcmp(magic, MAGIC, strlen(MAGIC)) != 0 || version != VERSION)
		return "it is of another version";
	rns_sha256(&digest, text, n - DIGEST);
	if (memcmp(digest.b, (const uint8_t *)text + n - DIGEST, DIGEST) != 0)
		return "it is damaged";
	r->end -= DIGEST;
	return NULL;
}

const char *
contact_parse(struct remote *r, const void *text, size_t n, uint32_t now)
{
	struct remote got = {.dest = r->dest};
	struct binding b;
	const char *why;
	struct rd rd;

	if ((why = get_form(&rd, text, n)) != NULL)
		return why;
	if (!rd_copy(&rd, got.binding, BINDING_LEN) ||
	    !rd_str(&rd, got.name, sizeof(got.name)) ||
	    !rd_i64(&rd, &got.told.at) || !rd_i32(&rd, &got.told.ahead_s) ||
	    !rd_copy(&rd, HASH_BYTES(got.told.by)) ||
	    !rd_copy(&rd, HASH_BYTES(got.told.shown)) ||
	    !rd_u32(&rd, &got.slice) || !rd_u64(&rd, &got.max_log) ||
	    !rd_u64(&rd, &got.max_output) || !rd_u64(&rd, &got.budget) ||
	    !rd_bool(&rd, &got.slow) ||
	    !rd_end(&rd) || got.slice > PROTO_SLICE ||
	    got.max_log > PROTO_INT_MAX || got.max_output > PROTO_INT_MAX ||
	    got.budget > PROTO_INT_MAX || got.told.at < 0)
		return "it is damaged";
	if (!contact_of(&b, got.binding, BINDING_LEN, &r->dest))
		return "it is of another node";
	if ((why = binding_check(&b, b.rns, now)) != NULL)
		return why;
	if (!binding_key(&got.key, &b))
		return "it is damaged";
	memcpy(got.rns_pub, b.rns, sizeof(got.rns_pub));
	key_fp(&got.fp, &got.key);
	(void)urn_make(got.urn, "kindai", "device", &got.fp);
	got.time = r->time;
	*r = got;
	return NULL;
}

/* ---- kept ---- */

void
contact_keep(const struct person *p, const struct remote *r)
{
	uint8_t text[CONTACT_MAX];
	size_t n = contact_put(text, r);
	_cleanup_fd_ int dir = -1;
	char hex[33];

	if (n == 0)
		return;
	dir = dir_open(p->dir, FOLDER, true, 0700);
	if (dir < 0)
		return;
	hex_encode(hex, HASH_BYTES(r->dest));
	(void)file_replace(dir, hex, text, n, 0600);
}

const char *
contact_get(const struct person *p, struct remote *r, uint32_t now)
{
	_cleanup_fd_ int dir = dir_open(p->dir, FOLDER, false, 0);
	_cleanup_free_ char *text = NULL;
	char hex[33];
	size_t n;

	hex_encode(hex, HASH_BYTES(r->dest));
	if (dir < 0)
		return "";
	text = file_load(dir, hex, CONTACT_MAX, &n);
	if (text == NULL)
		return errno == ENOENT ? "" : "it cannot be read";
	return contact_parse(r, text, n, now);
}

bool
contact_told(const struct person *p, struct remote *r, int64_t now)
{
	const struct told *t = &r->told;
	int64_t there = now + t->ahead_s;

	/* a clock of ours that has gone back was off then, or is now */
	if (t->at == 0 || now < t->at || now - t->at >= CONTACT_AGE_S ||
	    t->ahead_s > CONTACT_CLOCKS_S || t->ahead_s < -CONTACT_CLOCKS_S ||
	    !fp_eq(&t->by, &p->fp) || there <= 0 || there > UINT32_MAX)
		return false;
	r->time = (uint32_t)there;
	r->budget_left = r->budget;
	r->described = clock_mono();
	return true;
}

bool
contact_shown(const struct person *p, const struct remote *r)
{
	struct id32 mine;

	rns_sha256(&mine, p->binding, BINDING_LEN);
	return r->told.at != 0 && id32_eq(&mine, &r->told.shown);
}
