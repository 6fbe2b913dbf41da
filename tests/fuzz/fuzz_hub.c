/* SPDX-License-Identifier: BSD-2-Clause */
/* words: audit/hub_cursor.c */
/* What a hub answers, on the web and over the mesh, and alarms of others. */
#include <stdlib.h>
#include <string.h>

#include "audit/hub_cursor.h"
#include "audit/hub_mesh.h"
#include "trust/doc/alert.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint64_t last[] = {1, 5, 300};
	uint8_t frame[ALERT_FRAME];
	uint64_t ack, status;
	const char *why;
	struct alert a;
	struct env e;
	uint32_t wait;

	ack = hub_ack((const char *)p, n, last, 3, &why);
	if (ack != 0 && ack != 1 && ack != 5 && ack != 300)
		abort();
	ack = hub_mesh_ack(p, n, last, 3, &why, &wait, &status);
	if (ack != 0 && ack != 1 && ack != 5 && ack != 300)
		abort();
	if (alert_parse(&a, &e, p, n) == NULL) {
		alert_put(frame, &a);
		if (memcmp(frame, p, sizeof(frame)) != 0)
			abort();
	}
	return 0;
}
