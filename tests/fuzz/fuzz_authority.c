/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an authority's folder and the node's own cache can hold. The first byte
 * says which: a root, a head, a revocation list's payload, a self-revocation, a
 * state, a URI.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "trust/doc/authstate.h"
#include "trust/doc/revlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

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

static void
head(const uint8_t *p, size_t n)
{
	uint8_t out[HEAD_FRAME(HEAD_DOCS_MAX)];
	struct head h;
	struct env e;

	if (head_parse(&h, &e, p, n) == NULL &&
	    (head_put(out, sizeof(out), &h) != HEAD_FRAME(h.n) ||
		memcmp(out, p, HEAD_FRAME(h.n)) != 0))
		abort();
}

static void
list(const uint8_t *p, size_t n)
{
	struct revset s = {0};
	struct revlist l;

	if (revlist_parse(&l, p, n) != NULL)
		return;
	if (revset_add(&s, l.e, l.n) == 0) {
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
	if (authstate_get(&st, buf, n) &&
	    (authstate_put(out, sizeof(out), &st) != n ||
		memcmp(out, buf, n) != 0))
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
		(void)selfrev_parse(&s, p + 1, n - 1);
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
