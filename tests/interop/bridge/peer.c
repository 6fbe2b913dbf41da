/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/interop/bridge/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/interop/bridge/commands.h"
#include "common/util.h"
#include "transport/config/rnsconf.h"
#include "transport/core/base/const.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"
#include "transport/core/table/iface.h"
#include "transport/engine/if_tcp.h"

#define LINKS_END_US INT64_C(150000) /* reticulum-transport.md 12.4 */
#define READ_SIZE 65536
#define TAP_MAX 4000 /* packets that are kept */
#define LOCAL_BITRATE 1000000000
/*
 * A server of the reference makes its interface some time after the kernel has
 * the connection; what it announces before is not for us.
 */
#define SETTLE_US 250000

static struct peer *live;

/* ---- connections ---- */

static void
conn_close(struct peer *p, struct conn *k)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL, .ifid = k->ifid};

	(void)rns_submit(p->r, &cmd, mono_here());
	(void)close(k->fd);
	rns_deframer_free(k->in);
	free(k->out);
	*k = (struct conn){.fd = -1};
}

/* Takes the descriptor, as an interface of that kind; false: no room. */
static bool
conn_add(struct peer *p, int fd, const struct rns_if *as)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};
	int one = 1;
	size_t i = 0;

	while (i < PEER_CONNS && p->conns[i].fd >= 0)
		i++;
	cmd.iface = *as;
	cmd.iface.id = ++p->iface.id;
	if (i == PEER_CONNS ||
	    rns_submit(p->r, &cmd, mono_here()) != RNS_OK) {
		(void)close(fd);
		return false;
	}
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	p->conns[i] = (struct conn){.fd = fd, .ifid = p->iface.id};
	p->conns[i].in = rns_deframer_new(RNS_FRAME_HDLC,
	    as->hw_mtu + IFAC_SIZE_MAX);
	return p->conns[i].in != NULL;
}

static void
conn_flush(struct peer *p, struct conn *k)
{
	ssize_t n = k->out_len > 0 ? send(k->fd, k->out, k->out_len,
	    MSG_NOSIGNAL) : 0;

	if (n < 0 && errno != EAGAIN) {
		conn_close(p, k);
	} else if (n > 0) {
		k->out_len -= (size_t)n;
		memmove(k->out, k->out + n, k->out_len);
	}
}

static void
sent_keep(struct peer *p, const struct rns_tx *tx)
{
	const struct iface *i = iface_find(p->r, tx->ifid);
	struct packet k;

	if (tx->len > sizeof(p->sent))
		return;
	/* as it was before an access code hid it */
	if (i == NULL || i->ifac.size == 0) {
		memcpy(p->sent, tx->data, tx->len);
		p->sent_len = tx->len;
	} else if (ifac_unmask(&i->ifac, p->sent, &p->sent_len,
		sizeof(p->sent), tx->data, tx->len) != RNS_OK) {
		return;
	}
	p->sent_ifid = tx->ifid;
	if (packet_parse(&k, p->sent, p->sent_len) != RNS_OK)
		return;
	if (k.type == PACKET_DATA && k.context == CTX_KEEPALIVE) {
		memcpy(p->keepalive, p->sent, p->sent_len);
		p->keepalive_len = p->sent_len;
	}
	if (k.type != PACKET_PROOF)
		return;
	if (k.context == CTX_LRPROOF) {
		memcpy(p->lrproof, p->sent, p->sent_len);
		p->lrproof_len = p->sent_len;
	} else if (k.data_len == PROOF_EXPLICIT_LEN) {
		memcpy(p->proved[p->proved_count++ % PEER_PROVED].b, k.data,
		    sizeof(p->proved[0].b));
	}
}

bool
peer_proved(const struct peer *p, const struct id32 *hash)
{
	for (size_t i = 0; i < MIN_OF(p->proved_count, (size_t)PEER_PROVED);
	    i++)
		if (memcmp(p->proved[i].b, hash->b, sizeof(hash->b)) == 0)
			return true;
	return false;
}

/* Its last bytes are those of a MAC. */
static size_t
damaged(const struct peer *p, const struct rns_tx *tx, uint8_t out[RNS_MTU])
{
	struct packet k;

	if (p->damage == DAMAGE_NONE || tx->len > RNS_MTU ||
	    packet_parse(&k, tx->data, tx->len) != RNS_OK ||
	    k.type != PACKET_DATA)
		return 0;
	memcpy(out, tx->data, tx->len);
	out[tx->len - 1] ^= 1;
	return p->damage == DAMAGE_CUT ? tx->len - k.data_len : tx->len;
}

static void
conn_put(struct peer *p, const struct rns_tx *tx)
{
	uint8_t other[RNS_MTU];
	size_t bad;
	size_t need = rns_frame_max(RNS_FRAME_HDLC, tx->len);
	struct conn *k = NULL;
	uint8_t *out;

	for (size_t i = 0; i < PEER_CONNS; i++) {
		if (p->conns[i].fd >= 0 && p->conns[i].ifid == tx->ifid)
			k = &p->conns[i];
	}
	if (k == NULL)
		return;
	sent_keep(p, tx);
	if (k->out_len + need > k->out_cap) {
		out = realloc(k->out, 2 * (k->out_len + need));
		if (out == NULL)
			return;
		k->out = out;
		k->out_cap = 2 * (k->out_len + need);
	}
	bad = damaged(p, tx, other);
	k->out_len += rns_frame(RNS_FRAME_HDLC, k->out + k->out_len,
	    bad > 0 ? other : tx->data, bad > 0 ? bad : tx->len);
}

void
peer_turn(struct peer *p)
{
	struct rns_event ev;
	struct rns_tx tx;
	bool more = true;

	arrivals_look(p);
	channels_look(p);
	while (more) {
		more = false;
		while (rns_next_event(p->r, &ev)) {
			peer_event(p, &ev);
			more = true;
		}
		while (rns_next_tx(p->r, &tx)) {
			conn_put(p, &tx);
			more = true;
		}
	}
	for (size_t i = 0; i < PEER_CONNS; i++) {
		if (p->conns[i].fd >= 0)
			conn_flush(p, &p->conns[i]);
	}
}

/* What comes in without access code, as it is. */
static void
tap(struct peer *p, const uint8_t *raw, size_t n)
{
	struct packet k;
	json_t *o;

	if (p->iface.ifac_size > 0 || packet_parse(&k, raw, n) != RNS_OK)
		return;
	if (json_array_size(p->tap) >= TAP_MAX)
		(void)json_array_remove(p->tap, 0);
	o = json_pack("{s:I, s:I, s:o, s:i, s:o, s:i, s:s}", "seq",
	    (json_int_t)++p->next_seq, "timestamp_ms",
	    (json_int_t)(wall_here() / 1000), "raw_hex", hex_json(raw, n),
	    "packet_type", (int)k.type, "destination_hash_hex",
	    hex_json(HASH_BYTES(*k.dest)), "context", (int)k.context,
	    "interface_name", "bridge");
	(void)json_array_append_new(p->tap, o);
}

static void
conn_read(struct peer *p, struct conn *k)
{
	static uint8_t buf[READ_SIZE];
	ssize_t n = recv(k->fd, buf, sizeof(buf), 0);
	const uint8_t *frame;
	size_t len;

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		conn_close(p, k);
		return;
	}
	if (n < 0 || rns_deframer_feed(k->in, buf, (size_t)n) != RNS_OK)
		return;
	while (rns_deframer_next(k->in, &frame, &len)) {
		tap(p, frame, len);
		if (p->no_proofs && len > 0 && (frame[0] & 3) == PACKET_PROOF)
			continue;
		(void)rns_recv(p->r, k->ifid, frame, len, mono_here());
		peer_turn(p);
		if (k->fd < 0)
			return; /* a turn may end it */
	}
}

/* ---- running ---- */

static int
wait_ms(const struct peer *p, struct mono until)
{
	struct mono now = mono_here(), at = until;
	int64_t us;

	if (p != NULL)
		at = mono_min(at, rns_deadline(p->r));
	us = mono_sub(at, now);
	if (at.us == INT64_MAX)
		return -1;
	return us <= 0 ? 0 : (int)MIN_OF(us / 1000 + 1, INT64_C(60000));
}

static void
peer_accept(struct peer *p, int listener, const struct rns_if *as)
{
	int fd = accept(listener, NULL, NULL);

	if (fd >= 0)
		(void)conn_add(p, fd, as);
}

static void
peer_sockets(struct peer *p, const struct pollfd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents == 0)
			continue;
		if (fds[i].fd == p->listen_fd)
			peer_accept(p, p->listen_fd, &p->iface);
		else if (fds[i].fd == p->local_fd)
			peer_accept(p, p->local_fd, &p->local);
		for (size_t k = 0; k < PEER_CONNS; k++) {
			if (p->conns[k].fd == fds[i].fd)
				conn_read(p, &p->conns[k]);
		}
	}
}

bool
peer_run(struct mono until, int extra)
{
	struct pollfd fds[PEER_CONNS + 3];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = extra, .events = POLLIN};
	if (live != NULL && live->listen_fd >= 0)
		fds[n++] = (struct pollfd){.fd = live->listen_fd,
		    .events = POLLIN};
	if (live != NULL && live->local_fd >= 0)
		fds[n++] = (struct pollfd){.fd = live->local_fd,
		    .events = POLLIN};
	for (size_t i = 0; live != NULL && i < PEER_CONNS; i++) {
		if (live->conns[i].fd >= 0)
			fds[n++] = (struct pollfd){.fd = live->conns[i].fd,
			    .events = (short)(POLLIN |
			    (live->conns[i].out_len > 0 ? POLLOUT : 0))};
	}
	(void)poll(fds, n, wait_ms(live, until));
	if (live != NULL) {
		peer_sockets(live, fds + 1, n - 1);
		rns_tick(live->r, mono_here());
		peer_turn(live);
	}
	return fds[0].revents != 0;
}

struct mono
peer_until(struct call *c, int64_t ms)
{
	return mono_add(mono_here(), 1000 *
	    arg_int_or(c, "timeout_ms", 0, 600000, ms));
}

void
peer_submit(struct call *c, struct peer *p, const struct rns_cmd *cmd,
    const char *what)
{
	int err = rns_submit(p->r, cmd, mono_here());

	peer_turn(p);
	must(c, err, what);
}

void
peer_announce(struct call *c, struct peer *p, const struct rns_cmd *cmd)
{
	int err = rns_submit(p->r, cmd, mono_here());

	peer_turn(p);
	if (err != RNS_ENOENT)
		must(c, err, "announce");
}

struct peer *
peer_of(struct call *c)
{
	if (live == NULL || strcmp(arg_str(c, "handle"), live->handle) != 0)
		fail(c, "KeyError: no such handle");
	return live;
}

/* ---- start and stop ---- */

/*
 * Programs end their links before they go, those too that are just coming up,
 * and stay for as long as it takes to be heard: what comes right before the end
 * of a connection is lost at the reference now and then.
 */
static void
links_end(struct peer *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};
	struct mono until = mono_add(mono_here(), LINKS_END_US);
	bool any = false;

	(void)peer_run(mono_here(), -1);
	for (const struct seen *s = p->links; s != NULL; s = s->next) {
		cmd.hash = s->id;
		if (!s->closed)
			any |= rns_submit(p->r, &cmd, mono_here()) == RNS_OK;
	}
	peer_turn(p);
	while (any && !mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
}

void
peer_stop(void)
{
	struct peer *p = live;

	if (p == NULL)
		return;
	int fds[] = {p->listen_fd, p->local_fd, p->control_fd};
	links_end(p);
	live = NULL;
	for (size_t i = 0; i < PEER_CONNS; i++) {
		if (p->conns[i].fd >= 0)
			conn_close(p, &p->conns[i]);
	}
	for (size_t i = 0; i < NELEM(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	rns_free(p->r);
	rnsconf_free(p->conf);
	peer_forget(p);
	json_decref(p->tap);
	free(p);
}

static enum rns_if_mode
mode_arg(struct call *c)
{
	static const struct {
		const char *text;
		enum rns_if_mode mode;
	} all[] = {{"full", RNS_MODE_FULL}, {"roaming", RNS_MODE_ROAMING},
	    {"access_point", RNS_MODE_AP}, {"boundary", RNS_MODE_BOUNDARY},
	    {"gateway", RNS_MODE_GATEWAY}, {"point_to_point", RNS_MODE_PTP}};
	const char *v = arg_str_or(c, "mode", "full");

	for (size_t i = 0; i < NELEM(all); i++) {
		if (strcmp(v, all[i].text) == 0)
			return all[i].mode;
	}
	fail(c, "ValueError: unknown mode %s", v);
}

/* What every connection of it is. */
static void
iface_read(struct call *c, struct rns_if *i)
{
	const char *name = arg_str_or(c, "network_name", "");
	const char *key = arg_str_or(c, "passphrase", "");
	int64_t rate = arg_int_or(c, "bitrate", 0, INT64_MAX, 0);
	int64_t bits, fixed = arg_int_or(c, "fixed_mtu", 0, RES_TRANSFER_MAX, 0);

	i->kind = RNS_IF_NET;
	i->mode = mode_arg(c);
	i->bitrate = rate >= 5 ? (uint64_t)rate : TCP_BITRATE;
	i->hw_mtu = fixed > 0 ? (uint32_t)fixed :
	    rns_mtu_for_bitrate(i->bitrate);
	i->mtu_signal = i->out = i->online = true;
	i->announce_cap_permille = 20;
	rns_sha256(&i->name_hash, "bridge", 6);
	if (*name == '\0' && *key == '\0')
		return;
	bits = arg_int_or(c, "ifac_size", 0, 512, 128);
	i->ifac_size = bits >= 8 ? (uint8_t)(bits / 8) : 16;
	must(c, rns_ifac_key(i->ifac_key, *name != '\0' ? name : NULL,
	    *key != '\0' ? key : NULL), "access code");
}

/* Between a program and who relays for it. */
static struct rns_if
local_if(enum rns_if_kind kind)
{
	return (struct rns_if){.kind = kind, .mode = RNS_MODE_FULL,
	    .bitrate = LOCAL_BITRATE, .hw_mtu = RNSCONF_LOCAL_MTU,
	    .mtu_signal = true, .out = true, .online = true,
	    .announce_cap_permille = RNSCONF_LOCAL_CAP_PERMILLE};
}

static struct peer *
peer_start(struct call *c, bool transport, bool attached)
{
	struct rns_config cfg = {.random = rand_fill, .wall_us = wall_here(),
	    .transport = transport, .attached = attached,
	    .link_mtu_discovery = true};
	struct peer *p = call_alloc(c, sizeof(*p)), *kept;
	uint8_t id[8];

	iface_read(c, &p->iface);
	p->local = local_if(RNS_IF_LOCAL_CLIENT);
	if (attached)
		p->iface = local_if(RNS_IF_SHARED);
	p->fixed_mtu = has(c, "fixed_mtu");
	p->conf = peer_conf(c);
	cfg.implicit_proof = arg_bool(c, "use_implicit_proof", true);
	rns_limits_default(&cfg.limits);
	rand_fill(NULL, cfg.identity, sizeof(cfg.identity));
	peer_stop();
	kept = malloc(sizeof(*kept));
	p->r = rns_new(&cfg, mono_here());
	p->tap = json_array();
	if (kept == NULL || p->r == NULL || p->tap == NULL)
		fail(c, "MemoryError");
	*kept = *p;
	kept->listen_fd = kept->local_fd = kept->control_fd = -1;
	for (size_t i = 0; i < PEER_CONNS; i++)
		kept->conns[i].fd = -1;
	rand_fill(NULL, id, sizeof(id));
	hex_encode(kept->handle, id, sizeof(id));
	live = kept;
	put_str(c, "handle", kept->handle);
	put_hex(c, "identity_hash", rns_identity_hash(kept->r), RNS_HASH);
	return kept;
}

static struct sockaddr_in
loopback(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* A socket on a port of its own choice; its port is said. */
static int
port_open(struct call *c, const char *key)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(fd, PEER_CONNS) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		if (fd >= 0)
			(void)close(fd);
		fail(c, "OSError: no port: %s", strerror(errno));
	}
	put_int(c, key, ntohs(a.sin_port));
	return fd;
}

/* Programs attach to it by TCP. What they ask by RPC nobody answers. */
static void
serve_programs(struct call *c, struct peer *p)
{
	static const uint8_t none[32];
	/* hex, or what is none and so the derived one */
	struct bytes key = p->conf->rpc_key_len == 0 ?
	    (struct bytes){.n = 0} : (struct bytes){p->conf->rpc_key,
	    p->conf->rpc_key_len, true};

	if (!arg_is(c, "share_instance_type", "tcp"))
		fail(c, "NotImplementedError: only tcp");
	p->local_fd = port_open(c, "shared_instance_port");
	p->control_fd = port_open(c, "instance_control_port");
	put_str(c, "share_instance_type", "tcp");
	put_str(c, "instance_name", p->handle);
	put_bytes(c, "rpc_key", key.set ? key : (struct bytes){(uint8_t *)none,
	    sizeof(none), true});
}

void
cmd_wire_start_tcp_server(struct call *c)
{
	bool transport = json_is_null(json_object_get(c->params,
	    "enable_transport")) ? false :
	    arg_bool(c, "enable_transport", true);
	struct peer *p = peer_start(c, transport, false);

	p->listen_fd = port_open(c, "port");
	put_bool(c, "transport_enabled", transport);
	if (arg_bool(c, "share_instance", false))
		serve_programs(c, p);
}

/* The only connection of a peer that has begun. */
static void
peer_connect(struct call *c, struct peer *p, int64_t port)
{
	struct sockaddr_in a = loopback((uint16_t)port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct mono until;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		if (fd >= 0)
			(void)close(fd);
		fail(c, "OSError: no connection: %s", strerror(errno));
	}
	if (!conn_add(p, fd, &p->iface))
		fail(c, "OSError: no interface");
	until = mono_add(mono_here(), SETTLE_US);
	while (!mono_reached(mono_here(), until))
		(void)peer_run(until, -1);
}

void
cmd_wire_start_tcp_client(struct call *c)
{
	int64_t port = arg_int(c, "target_port", 1, 65535);

	if (!arg_is(c, "target_host", "127.0.0.1"))
		fail(c, "ValueError: only 127.0.0.1");
	peer_connect(c, peer_start(c, true, false), port);
}

/* A program behind a shared instance; it asks nothing by RPC. */
void
cmd_wire_start_local_client(struct call *c)
{
	int64_t port = arg_int(c, "shared_instance_port", 1, 65535);

	peer_connect(c, peer_start(c, false, true), port);
}

void
cmd_wire_stop(struct call *c)
{
	(void)arg_str(c, "handle");
	peer_stop();
	put_bool(c, "stopped", true);
}

void
cmd_wire_transport_enabled(struct call *c)
{
	struct peer *p = peer_of(c);

	put_bool(c, "transport_enabled", p->r->cfg.transport);
	put_bool(c, "is_shared_instance", p->local_fd >= 0);
	put_bool(c, "is_connected_to_shared_instance", p->r->cfg.attached);
}

void
cmd_wire_tx_bytes(struct call *c)
{
	struct rns_counts n;

	rns_counts(peer_of(c)->r, &n);
	put_int(c, "tx_bytes", (int64_t)n.tx_bytes);
}

void
cmd_wire_get_received_packets(struct call *c)
{
	struct peer *p = peer_of(c);
	int64_t since = arg_int_or(c, "since_seq", 0, INT64_MAX, 0);
	json_t *list = json_array(), *o;
	size_t i;

	if (p->iface.ifac_size > 0)
		fail(c, "NotImplementedError: behind an access code");
	put(c, "packets", list);
	json_array_foreach(p->tap, i, o) {
		if (json_integer_value(json_object_get(o, "seq")) > since)
			(void)json_array_append(list, o);
	}
	put_int(c, "highest_seq", p->next_seq);
}
