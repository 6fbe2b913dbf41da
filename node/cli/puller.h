/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_PULLER_H
#define WARREN_NODE_CLI_PULLER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ipc_msg.h"

/*
 * A warren-egress of this command's own, confined as the daemon's is, with this
 * command in the place of the parent: it fetches an image of a registry, and
 * all that registries send is looked at there. Whether a daemon runs does not
 * matter, and its egress is asked nothing.
 */
struct puller {
	struct msg_PULL ask;
	const char *ca, *hosts; /* texts; settings of egress */
	int secret;		/* sealed memfd, or -1 */
	void *ctx;
	/* a file for a blob; -1: said, it ends */
	int (*file)(void *ctx, const struct msg_PULL_WANT *);
	/* a sign of life; false: it ends */
	bool (*at)(void *ctx, const struct msg_PULL_AT *);
};

/*
 * Until it has ended. 0: *end says how; 1: a function of the caller's has ended
 * it; -1: why, for people: it could not be started, or fell.
 */
int puller_run(const struct puller *, struct msg_PULL_END *end, char *why,
    size_t cap);

#endif
