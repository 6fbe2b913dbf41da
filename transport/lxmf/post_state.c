/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/lxmf/post_state.h"

#include <stdlib.h>

uint64_t
post_tag(struct post *p)
{
	return p->conf.tags | ++p->next_tag;
}

int
post_do(struct post *p, const struct rns_cmd *cmd)
{
	return p->io.submit(p->io.arg, cmd);
}

void
post_path_request(struct post *p, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_REQUEST, .hash = *dest};

	/* a refusal is what the limits of the core say: it is asked again */
	(void)post_do(p, &cmd);
}

void
post_link_close(struct post *p, const struct hash16 *link)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE, .hash = *link};

	(void)post_do(p, &cmd); /* it may be gone already */
}

bool
out_by_resource(const struct out *o, size_t n, uint32_t mdu)
{
	return o->late || n > MIN_OF(mdu, (uint32_t)POST_PACKET_MAX);
}

void
out_hang_up(struct post *p, struct out *o)
{
	if (o->has_link)
		post_link_close(p, &o->link);
	o->has_link = false;
	o->cmd = 0;
	free(o->wire);
	o->wire = NULL;
}

void
out_end(struct post *p, struct out *o, enum post_end end, const char *why)
{
	out_hang_up(p, o);
	TAILQ_REMOVE(&p->outs, o, entry);
	p->counts.waiting--;
	p->counts.delivered += end == POST_DELIVERED;
	p->counts.stored += end == POST_STORED;
	p->counts.failed += end == POST_FAILED;
	p->io.ended(p->io.arg, o->tag, end, why);
	free(o->packed);
	free(o->sealed);
	free(o);
}

void
out_again(struct post *p, struct out *o, const char *why, struct mono now)
{
	int64_t wait = POST_AGAIN_US << MIN_OF(o->tries, 7u);

	out_hang_up(p, o);
	o->why = why;
	o->tries++;
	o->step = OUT_WAIT;
	o->at = mono_add(now, MIN_OF(wait, POST_AGAIN_MAX));
	o->at = mono_min(o->at, o->until);
}
