/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/attest.c trust/doc/sigroot.c trust/doc/sigentry.c trust/doc/keyless.c */
/* Roots, a NUL, and a bundle of strangers; the bundle as bytes of ASN.1, too. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/keyless.h"
#include "trust/doc/sigtime.h"

#define NOW INT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
bytes(const struct sigroot *r, const uint8_t *p, size_t n)
{
	struct sigcert *c;
	struct pemkey k;
	const char *why;
	int64_t when;

	(void)sigcert_is_root(p, n);
	if ((c = sigcert_new(p, n, &why)) != NULL) {
		(void)sigcert_key(c, &k, &why);
		(void)sigcert_check(c, r, NOW, &why);
		if (sigcert_subject(c)[0] == '\0' ||
		    sigcert_issuer(c)[0] == '\0')
			abort();
		sigcert_free(c);
	}
	if (sigtime_check(&when, p, n, "x", 1, r, &why) == 0 && when <= 0)
		abort();
}

/* As if the key of the first log had signed it. */
static void
by_key(const struct attest *a, const struct sigroot *r)
{
	int64_t not_before = 0;
	const char *why = NULL;

	if (keyless_names_log(a, r) && keyless_entries(a) == 0)
		abort();
	if (keyless_logged(&not_before, a, &r->log[0].key, r, NOW, &why) == 0)
		fuzz_taken++;
	else if (why == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *nul = n == 0 ? NULL : memchr(p, 0, n);
	char bad[SIGROOT_WHY_MAX] = "";
	const char *why = "";
	struct keyless_who w;
	struct sigroot *r;
	struct attest a;

	if (nul == NULL)
		return 0;
	r = sigroot_parse((const char *)p, (size_t)(nul - p), bad);
	if (r == NULL) {
		if (bad[0] == '\0')
			abort();
		return 0;
	}
	n -= (size_t)(nul + 1 - p);
	bytes(r, nul + 1, n);
	if (attest_read(&a, (const char *)nul + 1, n, &why) == 0) {
		if (keyless_check(&w, &a, r, NOW, &why) == 0) {
			fuzz_taken++;
			if (w.subject[0] == '\0' || w.when <= 0)
				abort();
		}
		by_key(&a, r);
		attest_clear(&a);
	}
	sigroot_free(r);
	return 0;
}
