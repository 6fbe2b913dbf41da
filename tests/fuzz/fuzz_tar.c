/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of normalised tar; the first byte says how the input is cut. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/base/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct tar_reader *r = tar_reader_new();
	const struct tar_member *m;
	const uint8_t *data;
	uint8_t header[TAR_BLOCK];
	size_t len, step = 1u << 20;

	if (r == NULL || n == 0) {
		tar_reader_free(r);
		return 0;
	}
	if (p[0] != 0)
		step = p[0];
	p++;
	n--;
	while (n > 0) {
		size_t part = n < step ? n : step, left = part;
		const uint8_t *in = p;
		enum tar_event e;

		while ((e = tar_read(r, &m, &data, &len, &in, &left)) !=
		    TAR_MORE) {
			if (e == TAR_BAD)
				break;
			/* what was accepted can be written again */
			if (e == TAR_MEMBER &&
			    tar_header(header, m) != TAR_OK)
				abort();
		}
		if (e == TAR_BAD)
			break;
		p += part;
		n -= part;
	}
	(void)tar_reader_end(r);
	tar_reader_free(r);
	return 0;
}
