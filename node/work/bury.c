/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/bury.h"

#include "common/listed.h"
#include "node/work/banned.h"
#include "node/work/jobs.h"
#include "node/work/state.h"

/* Until its slot is clean a job's root is mounted somewhere. */
static bool
in_use(struct node *n, const struct id32 *image)
{
	for (unsigned i = 1; i <= NODE_SLOTS_MAX; i++)
		if (n->slot[i] != NULL && id32_eq(&n->slot[i]->image, image))
			return true;
	return false;
}

static bool
look(void *ctx, const struct id32 *image)
{
	struct node *n = ctx;
	const struct listed *e = banned_find(n, LISTED_ARTIFACT, image->b);

	if (e != NULL && !e->suspended && !in_use(n, image)) {
		const struct msg_N_BURY m = {.image = *image,
		    .reason = e->reason};

		n->host.send_N_BURY(n->host.ctx, &m);
	}
	return true;
}

void
bury_listed(struct node *n)
{
	n->buries = false;
	for (size_t i = 0; i < n->nlisted && !n->buries; i++)
		n->buries = n->listed[i].kind == LISTED_ARTIFACT &&
		    !n->listed[i].suspended;
	n->bury_at = n->now;
}

struct mono
bury_tick(struct node *n)
{
	if (!n->buries)
		return MONO_NEVER;
	if (mono_reached(n->now, n->bury_at)) {
		n->bury_at = mono_add(n->now, BURY_S * MONO_SECOND);
		n->host.roots(n->host.ctx, look, n);
	}
	return n->bury_at;
}
