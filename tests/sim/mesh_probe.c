/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/mesh.h"

#include <stdlib.h>

#include "common/util.h"

#define TRIES 4
#define TRIES_LOSS 16 /* across 20 hops with 3 % each, a third arrives */
#define DROP_AFTER 4 /* tries */
#define PATH_WAIT (30 * MESH_SECOND)

/*
 * A path, when there is none; a link; a packet on it that is proved: as
 * programs do, and as often as they would.
 */

void
mesh_probes_start(struct mesh *m)
{
	m->probe = calloc(m->o.probes + 1, sizeof(*m->probe));
	mesh_must(m->probe != NULL, "probes");
	for (unsigned i = 0; i < m->o.probes; i++) {
		struct mesh_probe *p = &m->probe[i];

		p->from = mesh_number(m, m->o.nodes);
		do
			p->to = mesh_number(m, m->o.nodes);
		while (p->to == p->from || !m->node[p->to].home);
		p->next = sim_now(m->sim).us + i * MESH_SECOND / 2;
	}
}

void
mesh_probes_free(struct mesh *m)
{
	free(m->probe);
	m->probe = NULL;
}

static void
begin(struct mesh *m, unsigned i)
{
	struct mesh_probe *p = &m->probe[i];
	const struct hash16 *dest = &m->node[p->to].dest;
	struct rns_cmd c = {.type = RNS_CMD_PATH_REQUEST};
	struct rns_path path;

	/* a relay keeps its own path: programs drop one that leads nowhere */
	if (p->tries % DROP_AFTER == DROP_AFTER - 1) {
		c = (struct rns_cmd){.type = RNS_CMD_PATH_DROP, .hash = *dest};
		(void)sim_submit(m->sim, p->from, &c);
		c = (struct rns_cmd){.type = RNS_CMD_PATH_REQUEST};
	}
	p->tries++;
	p->next = sim_now(m->sim).us + PATH_WAIT;
	if (!rns_path_get(sim_rns(m->sim, p->from), dest, &path)) {
		c.hash = *dest;
		(void)sim_submit(m->sim, p->from, &c);
		return;
	}
	c = (struct rns_cmd){.type = RNS_CMD_LINK_OPEN};
	c.link_open.dest = *dest;
	c.link_open.tag = i + 1;
	if (sim_submit(m->sim, p->from, &c) == RNS_OK) {
		p->open = true;
		p->next = INT64_MAX; /* LINK_CLOSED comes, or LINK_UP */
	}
}

static void
say(struct mesh *m, unsigned i)
{
	struct mesh_probe *p = &m->probe[i];
	struct rns_cmd c = {.type = RNS_CMD_LINK_SEND};

	c.packet.dest = p->link;
	c.packet.data = (const uint8_t *)"are you there?";
	c.packet.len = 14;
	c.packet.receipt = true;
	c.packet.tag = i + 1;
	if (sim_submit(m->sim, p->from, &c) != RNS_OK)
		p->next = sim_now(m->sim).us + MESH_SECOND;
	else
		p->next = INT64_MAX; /* RECEIPT comes */
}

static void
conclude(struct mesh *m, struct mesh_probe *p)
{
	struct rns_cmd c = {.type = RNS_CMD_LINK_CLOSE};

	p->done = true;
	c.hash = p->link;
	(void)sim_submit(m->sim, p->from, &c);
}

void
mesh_probe_event(struct mesh *m, unsigned node, const struct rns_event *ev)
{
	int64_t now = sim_now(m->sim).us;
	struct mesh_probe *p;
	uint64_t tag = ev->type == RNS_EV_RECEIPT ? ev->receipt.tag :
						     ev->link.tag;

	if (tag == 0 || tag > m->o.probes)
		return;
	p = &m->probe[tag - 1];
	if (p->done || p->from != node)
		return;
	if (ev->type == RNS_EV_LINK_UP) {
		p->up = true;
		p->link = ev->link.id;
		p->next = now;
	} else if (ev->type == RNS_EV_LINK_CLOSED) {
		p->up = p->open = false;
		p->next = now + MESH_SECOND;
	} else if (ev->receipt.status == RNS_RECEIPT_DELIVERED) {
		conclude(m, p);
	} else {
		p->next = now + MESH_SECOND; /* once more on this link */
		p->tries++;
	}
}

bool
mesh_probes_turn(struct mesh *m)
{
	int64_t now = sim_now(m->sim).us;
	bool all = true;
	unsigned most = m->o.loss == 0 ? TRIES : TRIES_LOSS;

	for (unsigned i = 0; i < m->o.probes; i++) {
		struct mesh_probe *p = &m->probe[i];

		if (p->done || (p->tries >= most && !p->open))
			continue;
		all = false;
		if (p->next > now)
			continue;
		if (p->up)
			say(m, i);
		else if (!p->open)
			begin(m, i);
	}
	return all;
}
