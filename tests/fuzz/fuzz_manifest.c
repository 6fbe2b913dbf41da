/* SPDX-License-Identifier: BSD-2-Clause */
/* words: trust/doc/manifest_parse.c trust/doc/manifest_form.c */
/* Signed payloads: what is accepted survives the record and a rebuild. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/manifest_build.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/manifest_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t buf[MANIFEST_RECORD_MAX];
	char why[MANIFEST_WHY], name[MANIFEST_TEXT + 1], *text;
	struct manifest m, r;
	size_t len;

	if (manifest_parse(&m, p, n, why) == 0) {
		fuzz_taken++;
		len = manifest_record_put(buf, sizeof(buf), &m);
		if (len == 0 || !manifest_record_get(&r, buf, len))
			abort();
		manifest_clear(&r);
		manifest_seccomp(name, &m);
		text = manifest_build(&m, &len, why);
		if (text == NULL)
			abort();
		free(text);
	}
	manifest_clear(&m);
	return 0;
}
