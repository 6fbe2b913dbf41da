/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that trust keeps: bindings, signatures that were found good. The
 * digest at their end is made right, or nothing before it is read. And bindings
 * that peers show one after the other, a byte before each.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "trust/bindstore.h"
#include "trust/doc/sigset.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* Bindings of a file, signatures, a binding that is shown. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 7;
}

#define MOST 8 /* peers: few, so that there are too many */
#define CAP 65536

static void
bindings(const uint8_t *p, size_t n)
{
	static uint8_t out[CAP];
	struct bindstore *s = bindstore_new(MOST), *t = bindstore_new(MOST);
	uint32_t floor, again;
	size_t len;

	if (s != NULL && t != NULL && bindstore_get(s, p, n, &floor)) {
		if (bindstore_count(s) > 0)
			took(0);
		len = bindstore_put(s, out, sizeof(out), floor);
		if (len == 0 || !bindstore_get(t, out, len, &again) ||
		    again != floor || bindstore_count(s) != bindstore_count(t))
			abort();
	} else if (s != NULL && bindstore_count(s) != 0) {
		abort();
	}
	bindstore_free(s);
	bindstore_free(t);
}

static void
signatures(const uint8_t *p, size_t n)
{
	struct id32 doc = {{0}};
	struct sigset *s;
	uint8_t *out;
	size_t len;

	if (n >= 40) /* of the document that it names */
		memcpy(doc.b, p + 8, sizeof(doc.b));
	if ((s = sigset_get(p, n, &doc)) == NULL)
		return;
	took(1);
	out = sigset_put(s, &doc, &len);
	if (out == NULL || len != n || memcmp(out, p, n) != 0)
		abort();
	free(out);
	sigset_free(s);
}

/* As if their signatures had been found good. */
static void
shown(const uint8_t *p, size_t n)
{
	struct bindstore *s = bindstore_new(MOST);
	struct binding b, some[3];
	uint32_t now = 1700000000;
	const char *why;
	struct fp fp;
	bool fresh;

	if (s == NULL)
		return;
	for (; n > BINDING_LEN; p += 1 + BINDING_LEN, n -= 1 + BINDING_LEN) {
		if (!binding_parse(&b, p + 1, BINDING_LEN))
			continue;
		/* few keys and identities, so that they meet */
		memset(b.rns + 1, 0, sizeof(b.rns) - 1);
		b.rns[0] %= 2 * MOST;
		memset(b.secp + 2, 0, sizeof(b.secp) - 2);
		b.serial %= 8;
		b.not_before = 0;
		b.not_after = UINT32_MAX;
		now += (uint32_t)p[0] * 3600;
		why = bindstore_take(s, &b, now, (p[0] & 1) != 0, &fresh);
		if (why == NULL)
			took(2);
		if (bindstore_count(s) > MOST ||
		    (why == NULL && !bindstore_has(s, &b)))
			abort();
		(void)bindstore_find(s, b.rns, now);
		memcpy(fp.b, p + 1, sizeof(fp.b));
		if (bindstore_hinted(s, fp.b, now, some, 3) > 3)
			abort();
		(void)bindstore_of(s, &fp, now, some);
	}
	bindstore_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t buf[CAP];

	shown(p, n);
	bindings(p, n);
	signatures(p, n);
	if (n < 32 || n > sizeof(buf))
		return 0;
	memcpy(buf, p, n);
	(void)crypto_hash_sha256(buf + n - 32, buf, n - 32);
	bindings(buf, n);
	signatures(buf, n);
	return 0;
}
