/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of a node: as it stands, and under a digest that fits. */
#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "node/cli/contact.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

#define BEFORE 5 /* the binding */

static void
look(const uint8_t *p, size_t n)
{
	struct remote r = {.name = "before"};
	struct hash16 identity;
	uint8_t out[CONTACT_MAX];
	struct binding b = {.not_before = 0};
	size_t len;

	if (n >= BEFORE + BINDING_LEN &&
	    binding_parse(&b, p + BEFORE, BINDING_LEN)) {
		rns_identity_hash_of(&identity, b.rns);
		(void)rns_dest_hash(&r.dest, "klp.node", &identity);
	}
	if (contact_parse(&r, p, n, b.not_before) != NULL) {
		if (strcmp(r.name, "before") != 0)
			abort();
		return;
	}
	fuzz_taken++;
	len = contact_put(out, &r);
	if (len != n || memcmp(out, p, n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t text[CONTACT_MAX];
	struct id32 digest;

	look(p, n);
	if (n > sizeof(text) - sizeof(digest))
		return 0;
	memcpy(text, p, n);
	rns_sha256(&digest, p, n);
	memcpy(text + n, digest.b, sizeof(digest));
	look(text, n + sizeof(digest));
	return 0;
}
