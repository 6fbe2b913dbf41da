/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/root.c trust/doc/revlist.c trust/doc/uri.c */
/*
 * What an authority's folder and the node's own cache can hold. The first byte
 * says which: a root, a head, a revocation list's payload, a self-revocation, a
 * state, a URI; or payloads of two roots, a NUL between, which three keys sign
 * here, so that one is the first and the other what follows it.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "trust/doc/authstate.h"
#include "trust/doc/revlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* Two roots that follow, a head, a list, a state, a self-revocation. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 63;
}

static void
root(const uint8_t *p, size_t n)
{
	static struct root r;
	struct id32 id;

	(void)root_first(&r, &id, p, n);
	if (root_parse(&r, p, n) == NULL &&
	    (root_role(&r, "root") == NULL || r.nkeys < 1 ||
		r.ndocs > ROOT_DOCS_MAX))
		abort();
}

/* Keys as those of tests/unit/authkit.c: ed25519, ecdsa, bip340. */
static size_t
sign(uint8_t *out, size_t cap, const uint8_t *p, size_t n)
{
	struct env_signed sigs[3];

	for (unsigned i = 0; i < 3; i++) {
		struct klp_secret s = {.kind = i == 0 ? KEY_ED25519 :
		    KEY_SECP256K1, .bip340 = i == 2};
		struct klp_key k;

		s.raw[31] = (uint8_t)(i + 17);
		if (!secret_public(&k, &s) || !pae_sign(sigs[i].sig, &s,
		    TYPE_ROOT, p, n, NULL))
			abort();
		key_fp(&sigs[i].fp, &k);
	}
	return env_build_json(out, cap, TYPE_ROOT, (const char *)p, n, sigs, 3);
}

static void
roots(const uint8_t *p, size_t n)
{
	static uint8_t env[65536];
	static struct root old, new;
	const uint8_t *nul = memchr(p, 0, n);
	struct id32 id, want;
	size_t len;

	if (n > sizeof(env) / 2)
		return;
	len = sign(env, sizeof(env), p, nul == NULL ? n : (size_t)(nul - p));
	if (len == 0 || root_first(&old, &id, env, len) != NULL)
		return;
	(void)crypto_hash_sha256(want.b, p, nul == NULL ? n :
	    (size_t)(nul - p));
	took(0);
	if (old.version != 1 || !id32_eq(&id, &want))
		abort();
	if (nul == NULL)
		return;
	len = sign(env, sizeof(env), nul + 1, n - 1 - (size_t)(nul - p));
	if (len > 0 && root_next(&new, &old, env, len) == NULL) {
		took(1);
		if (new.version != 2 ||
		    strcmp(new.authority, old.authority) != 0)
			abort();
	}
	(void)root_role_same(&old, &new, "head");
}

static void
head(const uint8_t *p, size_t n)
{
	uint8_t out[HEAD_FRAME(HEAD_DOCS_MAX)];
	struct head h;
	struct env e;

	if (head_parse(&h, &e, p, n) != NULL)
		return;
	took(2);
	if (head_put(out, sizeof(out), &h) != HEAD_FRAME(h.n) ||
	    memcmp(out, p, HEAD_FRAME(h.n)) != 0)
		abort();
}

static void
list(const uint8_t *p, size_t n)
{
	struct revset s = {0};
	struct revlist l;

	if (revlist_parse(&l, p, n) != NULL)
		return;
	took(3);
	/* of two that speak of the same, neither is lost */
	if (revset_add(&s, l.e, l.n) == 0 &&
	    (l.n < 2 || revset_add(&s, l.e + 1, l.n - 1) == 0)) {
		for (size_t i = l.n; i < s.n; i++) {
			s.e[i].suspended = !s.e[i].suspended;
			s.e[i].revoked_at = s.e[i - 1].revoked_at;
		}
		revset_sort(&s);
		for (size_t i = 0; i < l.n; i++)
			if (revset_find(&s, (enum rev_kind)l.e[i].kind,
				l.e[i].id) == NULL)
				abort();
	}
	revset_clear(&s);
	revlist_clear(&l);
}

static void
state(const uint8_t *p, size_t n)
{
	static struct auth_state st;
	static uint8_t buf[AUTH_STATE_BYTES], out[AUTH_STATE_BYTES];

	/* the digest at its end is made right, or nothing behind it is read */
	if (n < 32 || n > sizeof(buf))
		return;
	memcpy(buf, p, n);
	(void)crypto_hash_sha256(buf + n - 32, buf, n - 32);
	if (!authstate_get(&st, buf, n))
		return;
	took(4);
	if (authstate_put(out, sizeof(out), &st) != n ||
	    memcmp(out, buf, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct selfrev s;
	struct klp_uri u;

	if (n < 1)
		return 0;
	switch (p[0]) {
	case 'n':
		roots(p + 1, n - 1);
		break;
	case 'r':
		root(p + 1, n - 1);
		break;
	case 'h':
		head(p + 1, n - 1);
		break;
	case 'l':
		list(p + 1, n - 1);
		break;
	case 'x':
		if (selfrev_parse(&s, p + 1, n - 1) == NULL)
			took(5);
		break;
	case 's':
		state(p + 1, n - 1);
		break;
	default:
		if (uri_parse(&u, (const char *)p + 1, n - 1) &&
		    (u.path[0] == '\0' || u.authority[0] == '\0'))
			abort();
	}
	return 0;
}
