/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport with interfaces in memory: nodes, interfaces, what goes through. */
#include "tests/interop/bridge/mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/interop/bridge/commands.h"
#include "transport/core/base/dedup.h"
#include "transport/core/base/packet.h"
#include "transport/core/route/pathreq.h"
#include "transport/core/route/tunnel_in.h"

#define MOCK_BITRATE 62500
/*
 * Who asks for what was sent sooner after a packet asks for what that brought
 * about, not for what was due meanwhile.
 */
#define PAUSE_US 600000
#define AGE_S (400 * INT64_C(86400)) /* so old may entries be, and no older */

static struct mock *mocks;

/* ---- running ---- */

struct mono
mock_now(void)
{
	return mono_add(mono_here(), AGE_S * MONO_SECOND);
}

struct mock_if *
mock_if_by(struct mock *m, const struct iface *i)
{
	struct mock_if *f = m->ifs;

	while (f != NULL && (i == NULL || f->ifid != i->cfg.id))
		f = f->next;
	return f;
}

void
mock_turn(struct mock *m)
{
	struct rns_event ev;
	struct rns_tx tx;
	struct mock_if *f;
	bool more = true;

	while (more) {
		more = false;
		while (rns_next_event(m->r, &ev)) {
			mock_event(m, &ev);
			more = true;
		}
		while (rns_next_tx(m->r, &tx)) {
			for (f = m->ifs; f != NULL && f->ifid != tx.ifid;)
				f = f->next;
			if (f != NULL)
				(void)json_array_append_new(f->sent,
				    hex_json(tx.data, tx.len));
			more = true;
		}
	}
}

struct mock *
mock_of(struct call *c)
{
	const char *handle = arg_str(c, "handle");
	struct mock *m = mocks;

	while (m != NULL && strcmp(m->handle, handle) != 0)
		m = m->next;
	if (m == NULL)
		fail(c, "KeyError: no such handle");
	return m;
}

void
mock_submit(struct call *c, struct mock *m, const struct rns_cmd *cmd,
    const char *what)
{
	int err = rns_submit(m->r, cmd, mock_now());

	mock_turn(m);
	must(c, err, what);
}

struct mock_if *
mock_if_of(struct call *c, struct mock *m, const char *key)
{
	const char *id = arg_str(c, key);

	for (struct mock_if *f = m->ifs; f != NULL; f = f->next) {
		if (strcmp(f->id, id) == 0)
			return f;
	}
	fail(c, "KeyError: no such interface");
}

struct iface *
mock_iface(struct call *c, struct mock *m, const char *key)
{
	struct iface *i = iface_find(m->r, mock_if_of(c, m, key)->ifid);

	if (i == NULL)
		fail(c, "KeyError: the interface was detached");
	return i;
}

void
put_if(struct call *c, const char *key, struct mock *m, const struct iface *i)
{
	const struct mock_if *f = mock_if_by(m, i);

	put_str(c, key, f != NULL ? f->id : NULL);
}

void
put_time(struct call *c, const char *key, int64_t us)
{
	put_num(c, key, (double)us / 1e6);
}

struct mono
mono_of(const struct rns *r, double unix_s)
{
	return (struct mono){(int64_t)(unix_s * 1e6) - r->wall_offset};
}

/* ---- start and stop ---- */

static void
mock_free(struct mock *m)
{
	struct mock_if *f;
	struct mock_dest *d;
	struct mock_handler *h;

	while ((f = m->ifs) != NULL) {
		m->ifs = f->next;
		json_decref(f->sent);
		free(f->name);
		free(f);
	}
	while ((d = m->dests) != NULL) {
		m->dests = d->next;
		json_decref(d->deliveries);
		free(d);
	}
	while ((h = m->handlers) != NULL) {
		m->handlers = h->next;
		json_decref(h->calls);
		free(h->filter);
		free(h);
	}
	holding_free(m);
	rns_free(m->r);
	free(m);
}

static bool
tag_wanted(void *arg, const struct hash16 *dest, uint8_t tag[16])
{
	const struct mock *m = arg;

	(void)dest;
	if (m->tag == NULL)
		return false;
	memcpy(tag, m->tag, 16);
	return true;
}

/* What all interfaces take unless they say otherwise, and what they say. */
static void
limits_read(struct call *c, struct rns_if *i)
{
	double cap = arg_num_or(c, "announce_cap", i->announce_cap_permille /
	    1000.0);

	i->ar_target_s = (uint32_t)arg_num_or(c, "announce_rate_target",
	    i->ar_target_s);
	i->ar_grace = (uint32_t)arg_num_or(c, "announce_rate_grace",
	    i->ar_grace);
	i->ar_penalty_s = (uint32_t)arg_num_or(c, "announce_rate_penalty",
	    i->ar_penalty_s);
	i->announce_cap_permille = (uint32_t)(cap * 1000 + 0.5);
	i->bitrate = (uint64_t)arg_num_or(c, "bitrate", (double)i->bitrate);
}

void
cmd_behavioral_start(struct call *c)
{
	struct rns_config cfg = {.random = rand_fill, .wall_us = wall_here(),
	    .implicit_proof = true, .link_mtu_discovery = true};
	struct mock *m;
	uint8_t id[8];

	cfg.transport = arg_bool(c, "enable_transport", true);
	cfg.attached = arg_bool(c, "connected_to_shared_instance", false);
	memcpy(cfg.identity, arg_n(c, "identity_seed", RNS_KEY), RNS_KEY);
	rns_limits_default(&cfg.limits);
	if ((m = calloc(1, sizeof(*m))) == NULL)
		fail(c, "MemoryError");
	cfg.stamps.arg = m;
	cfg.stamps.tag = tag_wanted;
	if ((m->r = rns_new(&cfg, mock_now())) == NULL) {
		free(m);
		fail(c, "MemoryError");
	}
	m->next = mocks;
	mocks = m;
	m->attached = cfg.attached;
	m->defaults = (struct rns_if){.bitrate = MOCK_BITRATE,
	    .announce_cap_permille = 20, .out = true, .online = true};
	limits_read(c, &m->defaults);
	rand_fill(NULL, id, sizeof(id));
	hex_encode(m->handle, id, sizeof(id));
	put_str(c, "handle", m->handle);
	put_hex(c, "identity_hash", rns_identity_hash(m->r), RNS_HASH);
}

void
cmd_behavioral_stop(struct call *c)
{
	const char *handle = arg_str(c, "handle");
	struct mock **at = &mocks, *m;

	while ((m = *at) != NULL && strcmp(m->handle, handle) != 0)
		at = &m->next;
	put_bool(c, "stopped", true);
	if (m == NULL)
		return;
	*at = m->next;
	mock_free(m);
}

/* ---- interfaces ---- */

static enum rns_if_mode
mock_mode(struct call *c)
{
	static const struct {
		const char *text;
		enum rns_if_mode mode;
	} all[] = {{"FULL", RNS_MODE_FULL}, {"ROAMING", RNS_MODE_ROAMING},
	    {"ACCESS_POINT", RNS_MODE_AP}, {"BOUNDARY", RNS_MODE_BOUNDARY},
	    {"GATEWAY", RNS_MODE_GATEWAY}, {"POINT_TO_POINT", RNS_MODE_PTP}};
	const char *v = arg_str_or(c, "mode", "FULL");

	for (size_t i = 0; i < NELEM(all); i++) {
		if (strcasecmp(v, all[i].text) == 0)
			return all[i].mode;
	}
	fail(c, "ValueError: unknown mode %s", v);
}

static void
code_read(struct call *c, struct rns_if *i)
{
	const char *name = arg_str_or(c, "ifac_netname", NULL);
	const char *key = arg_str_or(c, "ifac_netkey", NULL);

	if (name == NULL && key == NULL)
		return;
	i->ifac_size = 16;
	must(c, rns_ifac_key(i->ifac_key, name, key), "access code");
}

static struct mock_if *
mock_if_new(const char *name)
{
	size_t n = strlen(name) + sizeof("MockInterface[]");
	struct mock_if *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->name = malloc(n);
	f->sent = json_array();
	if (f->name == NULL || f->sent == NULL) {
		json_decref(f->sent);
		free(f->name);
		free(f);
		return NULL;
	}
	(void)snprintf(f->name, n, "MockInterface[%s]", name);
	return f;
}

void
cmd_behavioral_attach_mock_interface(struct call *c)
{
	struct mock *m = mock_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = m->defaults};
	bool local = arg_bool(c, "local_client", false);
	struct mock_if *f;

	cmd.iface.id = m->last_id + 1;
	cmd.iface.kind = m->attached ? RNS_IF_SHARED :
	    local ? RNS_IF_LOCAL_CLIENT : RNS_IF_NET;
	cmd.iface.mode = mock_mode(c);
	cmd.iface.hw_mtu = (uint32_t)arg_int_or(c, "mtu", 1, 1 << 20, RNS_MTU);
	limits_read(c, &cmd.iface);
	code_read(c, &cmd.iface);
	f = mock_if_new(arg_str(c, "name"));
	if (f == NULL)
		fail(c, "MemoryError");
	f->next = m->ifs;
	m->ifs = f;
	f->ifid = ++m->last_id;
	(void)snprintf(f->id, sizeof(f->id), "%08x", f->ifid);
	rns_sha256(&cmd.iface.name_hash, f->name, strlen(f->name));
	mock_submit(c, m, &cmd, "interface");
	put_str(c, "iface_id", f->id);
	put_hex(c, "interface_hash", HASH_BYTES(cmd.iface.name_hash));
	put_int(c, "ifac_size", cmd.iface.ifac_size);
}

void
cmd_behavioral_detach_interface(struct call *c)
{
	struct mock *m = mock_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL};

	cmd.ifid = mock_if_of(c, m, "iface_id")->ifid;
	mock_submit(c, m, &cmd, "interface");
	put_bool(c, "detached", true);
}

static void
inject(struct call *c, struct mock *m)
{
	const struct iface *i = mock_iface(c, m, "iface_id");
	struct bytes raw = arg(c, "raw");

	m->heard = mock_now();
	must(c, rns_recv(m->r, i->cfg.id, raw.p, raw.n, mock_now()),
	    "interface");
	mock_turn(m);
}

void
cmd_behavioral_inject(struct call *c)
{
	inject(c, mock_of(c));
}

void
cmd_behavioral_drain_tx(struct call *c)
{
	struct mock *m = mock_of(c);
	struct mock_if *f = mock_if_of(c, m, "iface_id");

	if (mono_sub(mock_now(), m->heard) > PAUSE_US)
		rns_tick(m->r, mock_now());
	mock_turn(m);
	put(c, "packets", json_copy(f->sent));
	(void)json_array_clear(f->sent);
}

void
cmd_behavioral_ifac_mask(struct call *c)
{
	const struct iface *i = mock_iface(c, mock_of(c), "iface_id");
	struct bytes raw = arg(c, "raw");
	size_t cap = raw.n + i->ifac.size, n;
	uint8_t *out = call_alloc(c, cap);

	n = ifac_mask(&i->ifac, out, cap, raw.p, raw.n);
	if (n == 0)
		fail(c, "ValueError: no packet");
	put_hex(c, "masked", out, n);
}

/* ---- the filter ---- */

static uint64_t
filter_drops(const struct rns *r)
{
	return rns_drops(r, RNS_DROP_NOT_FOR_US) +
	    rns_drops(r, RNS_DROP_PLAIN_ANNOUNCE) +
	    rns_drops(r, RNS_DROP_PLAIN_HOPS) +
	    rns_drops(r, RNS_DROP_DUPLICATE);
}

/*
 * Taken in on an interface that is there for this packet alone; what it brings
 * about besides is nobody's question.
 */
void
cmd_behavioral_packet_filter(struct call *c)
{
	struct mock *m = mock_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = m->defaults};
	struct bytes raw = arg(c, "raw");
	uint64_t before = filter_drops(m->r);
	struct packet p;
	bool had, accepted, remember;

	must(c, packet_parse(&p, raw.p, raw.n), "packet");
	had = dedup_has(m->r, &p.hash);
	cmd.iface.id = m->last_id + 1;
	cmd.iface.kind = m->attached ? RNS_IF_SHARED : RNS_IF_NET;
	cmd.iface.mode = RNS_MODE_FULL;
	cmd.iface.hw_mtu = (uint32_t)raw.n;
	mock_submit(c, m, &cmd, "interface");
	must(c, rns_recv(m->r, cmd.iface.id, raw.p, raw.n, mock_now()),
	    "packet");
	accepted = filter_drops(m->r) == before;
	cmd = (struct rns_cmd){.type = RNS_CMD_IF_DEL,
	    .ifid = m->last_id + 1};
	mock_submit(c, m, &cmd, "interface");
	if (accepted && !had)
		dedup_del(m->r, &p.hash);
	remember = accepted && arg_bool(c, "remember", false);
	if (remember && !m->attached)
		dedup_add(m->r, &p.hash);
	put_bool(c, "accepted", accepted);
	put_hex(c, "packet_hash", HASH_BYTES(p.hash));
	put_bool(c, "remembered", remember && dedup_has(m->r, &p.hash));
}

void
cmd_behavioral_inbound_remembered(struct call *c)
{
	struct mock *m = mock_of(c);
	struct bytes raw = arg(c, "raw");
	struct packet p;
	bool ok = packet_parse(&p, raw.p, raw.n) == RNS_OK;
	size_t before = rns_hashes(m->r, NULL, 0), after;

	inject(c, m);
	after = rns_hashes(m->r, NULL, 0);
	put_int(c, "hashlist_before", (int64_t)before);
	put_int(c, "hashlist_after", (int64_t)after);
	put_bool(c, "hashlist_grew", after > before);
	put_bool(c, "unpackable", ok);
	put_bytes(c, "packet_hash", (struct bytes){p.hash.b, sizeof(p.hash.b),
	    ok});
	put_bool(c, "in_hashlist", ok && dedup_has(m->r, &p.hash));
}

/* ---- what it sends by itself ---- */

void
cmd_behavioral_synthesize_tunnel(struct call *c)
{
	struct mock *m = mock_of(c);
	struct iface *i = mock_iface(c, m, "iface_id");
	uint8_t of[RNS_KEY + RNS_FULL_HASH];
	struct id32 id;

	i->cfg.wants_tunnel = true;
	tunnel_show(m->r, i);
	mock_turn(m);
	memcpy(of, rns_identity_public(m->r), RNS_KEY);
	memcpy(of + RNS_KEY, HASH_BYTES(i->cfg.name_hash));
	rns_sha256(&id, of, sizeof(of));
	put_if(c, "iface_id", m, i);
	put_hex(c, "tunnel_id", HASH_BYTES(id));
}

/* On one interface: the others are silent for a moment. */
void
cmd_behavioral_request_path(struct call *c)
{
	struct mock *m = mock_of(c);
	struct iface *i = mock_iface(c, m, "iface_id"), *other;
	struct hash16 dest = arg_hash(c, "dest");
	int err;

	m->tag = arg_n(c, "tag", 16);
	TAILQ_FOREACH(other, &m->r->ifaces, entry)
		other->cfg.out = other == i;
	err = path_request(m->r, &dest, false);
	TAILQ_FOREACH(other, &m->r->ifaces, entry)
		other->cfg.out = true;
	put_hex(c, "tag", m->tag, 16);
	m->tag = NULL;
	mock_turn(m);
	must(c, err, "path request");
}
