/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_IPC_DISPATCH_H
#define WARREN_COMMON_IPC_DISPATCH_H

/*
 * The switch of one receiver, made from the table of ipc_msg.h. Included once,
 * by the file that has the handlers, behind
 *
 *   #define IPC_ME NODE                     whose rows; ANY: common/program.c
 *   #define IPC_CTX struct warren_node      what the handlers get
 *
 * It asks for a handler of each row:
 *
 *   static void on_T_LINK(IPC_CTX *, const struct msg_T_LINK *,
 *       struct ipc_in *);
 *
 * and a row without one does not compile, nor a handler without its row. The
 * message is decoded completely before its handler runs. Descriptors are taken
 * from the ipc_in, which also names the sender; what is left is closed.
 */

#include "common/ipc.h"

#define IPC_MINE_(me, to) IPC_HAS(me, to)
#define IPC_MINE(me, to) IPC_MINE_(me, to)

#define IPC_HANDLER(name, from, to, lo, hi)                                    \
	IPC_IF(IPC_MINE(IPC_ME, to))                                           \
	(static void on_##name(IPC_CTX *, const struct msg_##name *,           \
	    struct ipc_in *);)
IPC_MESSAGES(IPC_HANDLER)

#define IPC_CASE(name, from, to, lo, hi)                                       \
	IPC_IF(IPC_MINE(IPC_ME, to))                                           \
	(case IPC_##name : {                                                   \
		struct msg_##name m;                                           \
                                                                               \
		if (!msg_get_##name(in->body, &m))                             \
			return IPC_MALFORMED;                                  \
		on_##name(ctx, &m, in);                                        \
		return IPC_DONE;                                               \
	})

static enum ipc_done
ipc_dispatch(void *ctx, struct ipc_in *in)
{
	switch (in->type) {
		IPC_MESSAGES(IPC_CASE)
	default:
		return IPC_NOT_MINE;
	}
}

#endif
