/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/rootsdoc.c trust/doc/sigroot.c */
/* Documents of roots, and bare ones that become such: what is read stays. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/rootsdoc.h"

#define URI "klp://a.test/r"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* Put into a document again, it is the same. */
static void
again(const char *text, size_t len)
{
	char why[SIGROOT_WHY_MAX] = "";
	struct rootsdoc d;
	char *p;
	size_t n = 0;

	if ((p = rootsdoc_make(text, len, URI, 3, 1, 2, &n, why)) == NULL) {
		if (why[0] == '\0')
			abort();
		return;
	}
	fuzz_taken++;
	if (!rootsdoc_parse(&d, p, n, why) || d.version != 3 ||
	    strcmp(d.uri, URI) != 0 || !rootsdoc_bare(d.text, d.len))
		abort();
	rootsdoc_clear(&d);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char why[SIGROOT_WHY_MAX] = "";
	const char *text = n == 0 ? "" : (const char *)p;
	struct rootsdoc d;

	if (rootsdoc_parse(&d, text, n, why)) {
		fuzz_taken++;
		again(d.text, d.len);
		rootsdoc_clear(&d);
	} else if (why[0] == '\0') {
		abort();
	}
	(void)rootsdoc_bare(text, n);
	again(text, n);
	return 0;
}
