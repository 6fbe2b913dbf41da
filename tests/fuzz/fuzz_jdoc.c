/* SPDX-License-Identifier: BSD-2-Clause */
/* The JSON profile: what is accepted has one canonical form, accepted too. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/jdoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *why;
	json_t *v = jdoc_parse(p, n, 1u << 16, &why), *again;
	char *canon;
	size_t len;

	if (v == NULL)
		return 0;
	canon = jdoc_canonical(v, &len);
	if (canon == NULL)
		abort();
	again = jdoc_parse_canonical(canon, len, len, &why);
	if (again == NULL || !json_equal(v, again))
		abort();
	json_decref(again);
	json_decref(v);
	free(canon);
	return 0;
}
