/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/engine.h"

#include <errno.h>

#include "common/log.h"

const struct hash16 engine_zero;

int
engine_submit(struct engine *e, const struct rns_cmd *cmd)
{
	int err = rns_submit(e->rns, cmd, e->now);

	if (err != RNS_OK && err != RNS_EAGAIN) {
		e->counts.submit_refused++;
		log_debug("core", "command %d: %s", (int)cmd->type,
		    rns_strerror(err));
	}
	return err;
}

struct ipc *
engine_ipc(const struct engine *e, enum program who)
{
	return program_channel(&e->program, who);
}

/* EPIPE is no news: the reader finds the end of the channel and acts on it. */
void
engine_send_failed(enum program who)
{
	if (errno != EPIPE)
		log_warn(program_name(who), "a message to it is lost");
}
