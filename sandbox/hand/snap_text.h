/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_TEXT_H
#define WARREN_SANDBOX_HAND_SNAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Text that grows up to a bound; what does not fit any more is left out. */
#define SNAP_TEXT_MAX (4u << 20)

struct snap_text {
	char *p;
	size_t n, cap;
	bool cut;
};

void snap_text_add(struct snap_text *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes of a stranger: what is not printable ASCII becomes \xNN. */
void snap_text_escaped(struct snap_text *, const void *, size_t);
/* All of a file beneath dir, as it is; false: it cannot be read. */
bool snap_text_file(struct snap_text *, int dir, const char *path);
void snap_text_free(struct snap_text *);

#endif
