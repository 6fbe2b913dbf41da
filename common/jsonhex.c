/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/jsonhex.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/util.h"

json_t *
json_hex(const uint8_t *p, size_t n)
{
	_cleanup_free_ char *text = n < SIZE_MAX / 2 ? malloc(2 * n + 1) : NULL;

	if (text == NULL)
		return NULL;
	hex_encode(text, p, n);
	return json_string(text);
}
