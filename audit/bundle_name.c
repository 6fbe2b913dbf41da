/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/bundle_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rns/hash.h>

#include "common/util.h"
#include "trust/doc/digest.h"

#define CUT 24 /* digits of the digest, and what sets them off */

static bool
plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || strchr("._-+,=@", c) != NULL;
}

/* One component; its length. */
static size_t
part(char *out, size_t cap, const uint8_t *p, size_t n)
{
	bool dots = n <= 2 && p[0] == '.' && p[n - 1] == '.';
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		bool as_is = p[i] != '\0' && plain(p[i]) && !dots;
		size_t need = as_is ? 1 : 3;

		if (k + need > MIN_OF(cap, (size_t)BUNDLE_PART_MAX)) {
			char hex[65];
			struct id32 d;

			/* the digest alone: a cut name would be a guess */
			digest_of(&d, p, n);
			hex_encode(hex, HASH_BYTES(d));
			k = MIN_OF(k, (size_t)BUNDLE_PART_MAX - CUT);
			return k + (size_t)snprintf(out + k, CUT + 1,
			    "%%%%%.20s", hex);
		}
		if (as_is)
			out[k++] = (char)p[i];
		else
			k += (size_t)snprintf(out + k, 4, "%%%02X", p[i]);
	}
	return k;
}

void
bundle_name(char out[BUNDLE_NAME_MAX], const char *prefix,
    const uint8_t *path, size_t len)
{
	size_t k = strlen(prefix), room = BUNDLE_NAME_MAX - CUT - 2;
	const uint8_t *p = path, *end = path + len;
	struct id32 d;
	char hex[65];

	memcpy(out, prefix, k);
	while (p < end) {
		const uint8_t *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash != NULL ? slash : end) - p);

		if (n > 0 && k + 1 + BUNDLE_PART_MAX > room) {
			digest_of(&d, path, len);
			hex_encode(hex, HASH_BYTES(d));
			(void)snprintf(out + k, CUT + 2, "/%%%%%.20s", hex);
			return;
		}
		if (n > 0) {
			out[k++] = '/';
			k += part(out + k, BUNDLE_PART_MAX + 1, p, n);
		}
		p += n + 1;
	}
	out[k] = '\0';
}
