/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/binding.h"

#include <string.h>

#include "trust/doc/envelope.h"
#include "common/wire.h"

#define MAGIC "KB01"
#define ANNOUNCE_VERSION 1

static bool
flags_ok(uint8_t flags)
{
	return (flags & ~BINDING_FLAG_BIP340) == 0;
}

bool
binding_parse(struct binding *b, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	uint8_t magic[4], flags;
	struct binding v;

	if (!rd_copy(&r, magic, 4) || memcmp(magic, MAGIC, 4) != 0 ||
	    !rd_u8(&r, &flags) || !flags_ok(flags) ||
	    !rd_copy(&r, v.secp, sizeof(v.secp)) ||
	    !rd_copy(&r, v.rns, sizeof(v.rns)) || !rd_u32(&r, &v.serial) ||
	    !rd_u32(&r, &v.not_before) || !rd_u32(&r, &v.not_after) ||
	    !rd_copy(&r, v.sig_secp, SIG_LEN) ||
	    !rd_copy(&r, v.sig_rns, SIG_LEN) || !rd_end(&r))
		return false;
	v.bip340 = (flags & BINDING_FLAG_BIP340) != 0;
	*b = v;
	return true;
}

bool
binding_parse_announce(struct binding *b, const uint8_t *buf, size_t len,
    const uint8_t rns[RNS_PUBLIC_LEN])
{
	struct rd r = rd_make(buf, len);
	uint8_t magic[2], ver, flags;
	struct binding v;

	if (!rd_copy(&r, magic, 2) || memcmp(magic, MAGIC, 2) != 0 ||
	    !rd_u8(&r, &ver) || ver != ANNOUNCE_VERSION || !rd_u8(&r, &flags) ||
	    !flags_ok(flags) || !rd_copy(&r, v.secp, sizeof(v.secp)) ||
	    !rd_u32(&r, &v.serial) || !rd_u32(&r, &v.not_before) ||
	    !rd_u32(&r, &v.not_after) || !rd_copy(&r, v.sig_secp, SIG_LEN) ||
	    !rd_end(&r))
		return false;
	v.bip340 = (flags & BINDING_FLAG_BIP340) != 0;
	memcpy(v.rns, rns, sizeof(v.rns));
	memset(v.sig_rns, 0, sizeof(v.sig_rns));
	*b = v;
	return true;
}

static void
put_statement(struct wr *w, const struct binding *b)
{
	wr_bytes(w, MAGIC, 4);
	wr_u8(w, b->bip340 ? BINDING_FLAG_BIP340 : 0);
	wr_bytes(w, b->secp, sizeof(b->secp));
	wr_bytes(w, b->rns, sizeof(b->rns));
	wr_u32(w, b->serial);
	wr_u32(w, b->not_before);
	wr_u32(w, b->not_after);
}

void
binding_statement(uint8_t out[BINDING_STATEMENT_LEN], const struct binding *b)
{
	struct wr w = wr_make(out, BINDING_STATEMENT_LEN);

	put_statement(&w, b);
}

void
binding_put(uint8_t out[BINDING_LEN], const struct binding *b)
{
	struct wr w = wr_make(out, BINDING_LEN);

	put_statement(&w, b);
	wr_bytes(&w, b->sig_secp, SIG_LEN);
	wr_bytes(&w, b->sig_rns, SIG_LEN);
}

void
binding_put_announce(uint8_t out[BINDING_ANNOUNCE_LEN],
    const struct binding *b)
{
	struct wr w = wr_make(out, BINDING_ANNOUNCE_LEN);

	wr_bytes(&w, MAGIC, 2);
	wr_u8(&w, ANNOUNCE_VERSION);
	wr_u8(&w, b->bip340 ? BINDING_FLAG_BIP340 : 0);
	wr_bytes(&w, b->secp, sizeof(b->secp));
	wr_u32(&w, b->serial);
	wr_u32(&w, b->not_before);
	wr_u32(&w, b->not_after);
	wr_bytes(&w, b->sig_secp, SIG_LEN);
}

bool
binding_key(struct klp_key *k, const struct binding *b)
{
	if (!key_set(k, KEY_SECP256K1, b->secp, sizeof(b->secp)))
		return false;
	k->bip340 = b->bip340;
	return true;
}

static const char *
check_life(const struct binding *b)
{
	if (b->not_after <= b->not_before ||
	    b->not_after - b->not_before > BINDING_LIFE_MAX)
		return "binding: valid for no time, or for over 400 days";
	return NULL;
}

static const char *
check_time(const struct binding *b, uint32_t now)
{
	if (b->not_before > (uint64_t)now + BINDING_EARLY)
		return "binding: not valid yet";
	if (now >= b->not_after)
		return "binding: expired";
	return check_life(b);
}

static const char *
check_secp(const struct binding *b)
{
	uint8_t st[BINDING_STATEMENT_LEN];
	struct klp_key k;

	binding_statement(st, b);
	if (!binding_key(&k, b) ||
	    !pae_verify(&k, b->sig_secp, TYPE_BINDING, st, sizeof(st)))
		return "binding: the signature of its secp256k1 key does not hold";
	return NULL;
}

static const char *
check_rns(const struct binding *b)
{
	uint8_t st[BINDING_STATEMENT_LEN];
	struct klp_key k;

	binding_statement(st, b);
	if (!key_set(&k, KEY_ED25519, b->rns + 32, 32) ||
	    !pae_verify(&k, b->sig_rns, TYPE_BINDING, st, sizeof(st)))
		return "binding: the signature of its Reticulum key does not hold";
	return NULL;
}

const char *
binding_check_announce(const struct binding *b,
    const uint8_t rns[RNS_PUBLIC_LEN], uint32_t now)
{
	const char *why;

	if (memcmp(b->rns, rns, RNS_PUBLIC_LEN) != 0)
		return "binding: of another Reticulum identity";
	/* the cheap checks first: a stranger pays for no signature check */
	if ((why = check_time(b, now)) != NULL)
		return why;
	return check_secp(b);
}

const char *
binding_check(const struct binding *b, const uint8_t rns[RNS_PUBLIC_LEN],
    uint32_t now)
{
	const char *why = binding_check_announce(b, rns, now);

	return why != NULL ? why : check_rns(b);
}

const char *
binding_check_at(const struct binding *b, uint32_t at)
{
	const char *why = check_life(b);

	if (why != NULL)
		return why;
	if (at < b->not_before || at >= b->not_after)
		return "binding: not valid at that time";
	if ((why = check_secp(b)) != NULL)
		return why;
	return check_rns(b);
}

uint32_t
binding_renew_at(const struct binding *b)
{
	return b->not_before + (b->not_after - b->not_before) / 3 * 2;
}

bool
binding_sign_secp(struct binding *b, const struct klp_secret *s,
    const uint8_t aux[32])
{
	uint8_t st[BINDING_STATEMENT_LEN];

	binding_statement(st, b);
	return pae_sign(b->sig_secp, s, TYPE_BINDING, st, sizeof(st), aux);
}

bool
binding_sign_rns(struct binding *b, const uint8_t seed[32])
{
	uint8_t st[BINDING_STATEMENT_LEN];
	struct klp_secret s = {.kind = KEY_ED25519};
	bool ok;

	memcpy(s.raw, seed, 32);
	binding_statement(st, b);
	ok = pae_sign(b->sig_rns, &s, TYPE_BINDING, st, sizeof(st), NULL);
	explicit_bzero(&s, sizeof(s));
	return ok;
}

void
challenge_digest(struct id32 *out, const struct hash16 *link,
    const uint8_t n[32], const uint8_t m[32],
    const uint8_t initiator[RNS_PUBLIC_LEN],
    const uint8_t responder[RNS_PUBLIC_LEN])
{
	const struct part parts[] = {{link->b, 16}, {n, 32}, {m, 32},
	    {initiator, RNS_PUBLIC_LEN}, {responder, RNS_PUBLIC_LEN}};

	tagged_hash(out, "klp/challenge/v1", parts, 5);
}
