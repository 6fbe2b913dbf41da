/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunk lists of strangers: what is read is what would be written. */
#include <stdlib.h>
#include <string.h>

#include "trust/doc/chunks.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t head[CHUNK_HEAD], entry[CHUNK_ENTRY];
	struct chunk_list l;
	struct chunk_table t;
	const char *why = NULL;
	uint32_t k;

	if (!chunk_list_read(&l, p, n, &why)) {
		if (why == NULL)
			abort();
		return 0;
	}
	fuzz_taken++;
	chunk_list_head(head, l.n, l.total);
	if (memcmp(head, p, sizeof(head)) != 0)
		abort();
	for (uint32_t i = 0; i < l.n; i++) {
		chunk_list_entry(entry, chunk_digest(&l, i), chunk_size(&l, i));
		if (memcmp(entry, l.entries + i * sizeof(entry),
			sizeof(entry)) != 0)
			abort();
	}
	if (!chunk_table_make(&t, &l, &why))
		return 0;
	for (uint32_t i = 0; i < l.n; i++) {
		if (!chunk_find(&t, chunk_digest(&l, i), &k))
			abort();
		while (t.order[k] != i)
			if (!chunk_next_same(&t, &k))
				abort();
	}
	if (t.at[l.n] != l.total)
		abort();
	chunk_table_free(&t);
	return 0;
}
