/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/tidings.h"

#include <string.h>

#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

static bool
is_node(const struct rns_event *ev)
{
	uint8_t name[RNS_NAME_HASH];

	rns_name_hash(name, "klp.node");
	return memcmp(ev->announce.name_hash, name, sizeof(name)) == 0;
}

static bool
room(struct tidings *t, struct mono now)
{
	if (now.us / MONO_SECOND != t->second) {
		t->second = now.us / MONO_SECOND;
		t->told = 0;
	}
	return t->told++ < TIDINGS_A_SECOND;
}

void
tidings_event(struct engine *e, const struct rns_event *ev)
{
	struct ipc *trust = engine_ipc(e, PROGRAM_TRUST);
	struct msg_M_HEARD m = {0};
	struct nif *n;

	if (ev->type != RNS_EV_ANNOUNCE || trust == NULL ||
	    ev->announce.app_data_len == 0 ||
	    ev->announce.app_data_len > sizeof(m.data) || !is_node(ev) ||
	    hash16_eq(&ev->announce.identity_hash, &e->identity_hash))
		return;
	if (ipc_full(trust) || !room(&e->tidings, e->now)) {
		e->tidings.lost++;
		return;
	}
	m.identity = ev->announce.identity_hash;
	memcpy(m.rns_public, ev->announce.public_key, sizeof(m.rns_public));
	m.hops = ev->announce.hops;
	m.ifid = ev->announce.ifid;
	n = nif_find(e, ev->announce.ifid);
	m.bitrate = n == NULL ? 0 : n->cfg.bitrate;
	m.data_len = (uint16_t)ev->announce.app_data_len;
	memcpy(m.data, ev->announce.app_data, m.data_len);
	e->tidings.heard++;
	if (ipc_send_M_HEARD(trust, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_TRUST);
}
