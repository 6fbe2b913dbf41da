/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables know of one hash: for whoever asks why. */
#include "transport/core/base/ctx.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/route/relay.h"
#include "transport/core/send/announceq.h"
#include "transport/core/send/waiting.h"
#include "transport/core/table/dest.h"
#include "transport/core/table/iface.h"
#include "transport/core/table/ingress.h"
#include "transport/core/table/known.h"
#include "transport/core/table/path.h"
#include "transport/core/table/reverse.h"

static void
about_path(const struct rns *r, const struct hash16 *h, struct rns_about *out)
{
	const struct path *p = path_find(r, h);
	const struct known *k = known_find(r, h);

	if (p != NULL) {
		out->path_blocked = p->blocked;
		out->path_unresponsive = p->state == PATH_UNRESPONSIVE;
		out->path_responsive = p->state == PATH_RESPONSIVE;
		out->path_bare = p->heard == NULL;
	}
	if (k != NULL) {
		out->known = true;
		out->identity = known_identity(k);
		out->identity_blackholed =
		    core_blackholed(r, &out->identity);
	}
}

void
rns_about(const struct rns *r, const struct hash16 *h, struct rns_about *out)
{
	const struct iface *i;

	*out = (struct rns_about){.own = dest_find(r, h) != NULL};
	about_path(r, h, out);
	TAILQ_FOREACH(i, &r->ifaces, entry) {
		if (held_show(r, i, h, &out->held_until_us)) {
			out->held = true;
			out->held_ifid = i->cfg.id;
		}
		out->queued += announceq_has(i, h);
	}
	out->waiting = waiting_show(r, h, &out->waiting_until_us);
	pathreq_show(r, h, out);
	relay_show(r, h, out);
	if ((i = reverse_in(r, h)) != NULL) {
		out->reverse = true;
		out->reverse_ifid = i->cfg.id;
	}
}
