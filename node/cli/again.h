/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_AGAIN_H
#define WARREN_NODE_CLI_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "node/proto/proto_get.h"

/*
 * Answers after which the same request is made again, whoever made it
 * (compute.md 3): the node is busy, or it has not heard who asks. Pure.
 */
enum again {
	AGAIN_NOT,      /* the answer is for who has asked */
	AGAIN_LATER,    /* after *wait_s */
	AGAIN_IDENTIFY, /* identify once more, then at once */
	AGAIN_INTRODUCE, /* show the binding, then at once */
};
struct again_call { /* of one request; zeros at its beginning */
	unsigned identified;
	bool introduced;
	/*
	 * It asks for a stream, and its maker can do without: that none is free
	 * is its answer then, while all streams may be taken for days.
	 */
	bool spare_stream;
};

/*
 * identify: this link is one that its maker has identified on; introduce: its
 * binding can be shown, and may not have been.
 */
enum again again_after(struct again_call *, const struct proto_ans *,
    bool identify, bool introduce, uint64_t *wait_s);

#endif
