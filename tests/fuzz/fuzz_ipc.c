/* SPDX-License-Identifier: BSD-2-Clause */
/* Every message's reader; what it takes must come out of the writer again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/ipc_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define TRY(name, from, to, lo, hi)                                            \
	static void try_##name(struct rd body, struct wr *w)                   \
	{                                                                      \
		struct msg_##name m;                                           \
                                                                               \
		if (!msg_get_##name(body, &m))                                 \
			return;                                                \
		msg_put_##name(w, &m);                                         \
		if (!wr_ok(w) || w->len != rd_left(&body) ||                   \
		    memcmp(w->buf, body.p, w->len) != 0)                       \
			abort();                                               \
	}
IPC_MESSAGES(TRY)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t buf[IPC_MAX];
	struct rd r = rd_make(data, len);
	struct wr w = wr_make(buf, sizeof(buf));
	uint16_t type;

	if (!rd_u16(&r, &type))
		return 0;
	switch (type) {
#define CASE(name, from, to, lo, hi)                                           \
	case IPC_##name:                                                       \
		try_##name(r, &w);                                             \
		break;
		IPC_MESSAGES(CASE)
	default:
		break;
	}
	return 0;
}
