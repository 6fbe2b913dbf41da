/* SPDX-License-Identifier: BSD-2-Clause */
/* app_data of announces, and key texts: the short texts of strangers. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/tlv.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t out[TLV_APP_DATA_MAX];
	struct fp fp;
	struct app_data a, b;
	struct klp_key k;
	char t[KEY_TEXT_MAX];
	size_t len;

	if (app_data_parse(&a, p, n) &&
	    (len = app_data_build(out, sizeof(out), &a)) > 0 &&
	    (!app_data_parse(&b, out, len) || strcmp(a.name, b.name) != 0))
		abort();
	(void)ident_parse(&fp, (const char *)p, n);
	if (key_parse(&k, (const char *)p, n)) {
		struct klp_key again;

		key_text(t, &k);
		if (!key_parse(&again, t, strlen(t)) || !key_equal(&k, &again))
			abort();
	}
	return 0;
}
