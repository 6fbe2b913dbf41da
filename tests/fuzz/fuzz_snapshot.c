/* SPDX-License-Identifier: BSD-2-Clause */
/* What warren-hand delivers of a job, and its names as members. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "audit/bundle_name.h"
#include "common/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char name[BUNDLE_NAME_MAX];
	struct snapshot_member m;
	struct snapshot_head h;
	uint64_t left = n, off, len, sum;
	struct rd r;

	if (snapshot_head_get(&h, p, n, n)) {
		fuzz_taken++;
		r = rd_make(p + h.table, h.table_len);
	} else {
		r = rd_make(p, n);
	}
	while (snapshot_member_get(&r, &m, n, &left)) {
		bundle_name(name, "job/files", m.name, m.name_len);
		for (sum = 0; snapshot_extent(&m, &off, &len); sum += len)
			if (off > n || len > n - off)
				abort();
		if (sum != m.size || left > n)
			abort();
	}
	return 0;
}
