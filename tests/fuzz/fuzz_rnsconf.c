/* SPDX-License-Identifier: BSD-2-Clause */
/* words: transport/config */
/* Reticulum's `config`, whole: grammar, interpolation, values. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "transport/config/rnsconf.h"
#include "transport/config/rnsdiff.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A file is the same as itself. */
static void
different(void *ctx, enum rnsdiff what, struct rnsconf_if *was,
    struct rnsconf_if *now)
{
	(void)ctx;
	if (what != RNSDIFF_SAME || was != now)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rnsconf *c;
	struct mistakes m = {0};
	char name[300];

	if (rnsconf_parse(&c, (const char *)data, n, &m) < 0)
		return 0;
	fuzz_taken += c->nifs > 0;
	for (unsigned i = 0; i < c->nifs; i++)
		rnsconf_if_display(&c->ifs[i], name, sizeof(name));
	rnsconf_diff(c, c, different, NULL);
	rnsconf_free(c);
	return 0;
}
