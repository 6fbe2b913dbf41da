/* SPDX-License-Identifier: BSD-2-Clause */
/* The first line of a request for /metrics. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "transport/engine/metrics_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum metrics_asked asked = metrics_asked(data, n);

	/* nothing but the one request is the one request */
	if (asked == METRICS_OK && (n < 21 || n > 22 ||
	    memcmp(data, "GET /metrics HTTP/1.", 20) != 0))
		abort();
	if (strstr(metrics_head(asked), "\r\n\r\n") == NULL)
		abort();
	return 0;
}
