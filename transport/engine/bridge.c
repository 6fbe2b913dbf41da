/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "node/proto/paths.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/follow.h"
#include "transport/engine/nif.h"
#include "trust/doc/spread.h"

#define BLACKHOLE_NODE 1 /* the files are source 0 */
#define ANNOUNCE_BYTES 190 /* header, keys, signature */
#define BRIDGE_REPLIES 16 /* ours: answers on their way on one link */
#define ALARMS_A_SECOND 4 /* ours: given to node */
#define LOSS_STEP 5 /* ours: permille, of what is told anew */
#define BRIDGE_REPLY_MAX (16u << 20) /* ours: bytes of an answer */

/*
 * Answers up to this size are compressed when that helps. Larger ones are
 * slices of blobs: bz2 of a slice would hold up the relay for longer than it
 * saves on all but the slowest links.
 */
#define COMPRESS_MAX 65536

/*
 * Node announces at its start and each half hour. An interface that comes up
 * in between gets an announce of its own, after a moment (many may come at
 * once) and at most once in LATE_AGAIN (a connection that flaps).
 */
#define LATE_S 1.5
#define LATE_AGAIN (300 * MONO_SECOND)

static const char *const paths[] = {
#define PATH_TEXT(NAME, text) text,
	PROTO_PATHS(PATH_TEXT)
#undef PATH_TEXT
};

/* An answer that became a resource: librns reads its bytes until SENT. */
struct reply {
	TAILQ_ENTRY(reply) entry;
	uint64_t tag;
	struct hash16 link, request;
	uint8_t *copy;       /* of malloc, or NULL */
	const uint8_t *map;  /* of memfd_map, or NULL */
	size_t len;
};
TAILQ_HEAD(reply_list, reply);

/* A link to klp.node. */
struct bridge_link {
	RB_ENTRY(bridge_link) node;
	struct bridge *b;
	struct hash16 id;
	bool identified;
	uint8_t identity[RNS_KEY];
	struct hash16 identity_hash;
	uint16_t loss; /* permille, as node was told */
	unsigned asked; /* requests that have no answer from node */
	struct follows follows;
	struct reply_list replies;
	unsigned nreplies;
};
RB_HEAD(bridge_link_tree, bridge_link);

struct bridge {
	struct engine *e;
	struct hash16 dest;
	struct bridge_link_tree links;
	unsigned nlinks;
	bool announced; /* node asked for it: there is something to say */
	ev_timer late;  /* announces on interfaces that came up since */
	uint64_t next_tag;
	struct bridge_counts counts;
	int64_t second; /* so many alarms were told in it */
	unsigned told;
};

static int
bridge_link_cmp(const struct bridge_link *a, const struct bridge_link *b)
{
	return hash16_cmp(&a->id, &b->id);
}

TREE_PROTOTYPE(bridge_link_tree, bridge_link, node, bridge_link_cmp)
TREE_GENERATE(bridge_link_tree, bridge_link, node, bridge_link_cmp)

/* NULL: node is not there. */
static struct ipc *
bridge_node(const struct bridge *b)
{
	return engine_ipc(b->e, PROGRAM_NODE);
}

static struct bridge_link *
bridge_find(struct bridge *b, const struct hash16 *id)
{
	struct bridge_link key;

	key.id = *id;
	return RB_FIND(bridge_link_tree, &b->links, &key);
}

void
bridge_counts(const struct bridge *b, struct bridge_counts *out)
{
	*out = b->counts;
	out->links = b->nlinks;
}

/* ---- announces on interfaces that came late ---- */

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	struct bridge *b = w->data;
	struct nif *n;

	(void)loop;
	(void)revents;
	cmd.announce.dest = b->dest;
	cmd.announce.one_interface = true;
	TAILQ_FOREACH(n, &b->e->ifs, link) {
		if (!n->announce_due || !n->online)
			continue;
		n->announce_due = false;
		n->announced = b->e->now;
		cmd.announce.ifid = n->id;
		(void)engine_submit(b->e, &cmd);
	}
}

/* Whom a network interface reaches has not heard of klp.node. */
static void
on_online(struct engine *e, struct nif *n)
{
	struct bridge *b = e->bridge;

	if (b == NULL || !b->announced || n->cfg.kind != RNS_IF_NET || !n->cfg.out ||
	    (n->announced.us != 0 &&
	    mono_sub(b->e->now, n->announced) < LATE_AGAIN))
		return;
	n->announce_due = true;
	if (!ev_is_active(&b->late)) {
		ev_timer_set(&b->late, LATE_S, 0);
		ev_timer_start(b->e->loop, &b->late);
	}
}

/* ---- life ---- */

static int
add_dest(struct bridge *b)
{
	struct rns_cmd cmd = {.type = RNS_CMD_DEST_ADD};
	int err;

	if (rns_dest_hash(&b->dest, "klp.node", &b->e->identity_hash) != RNS_OK)
		return -1;
	cmd.dest.type = RNS_SINGLE;
	cmd.dest.name = "klp.node";
	memcpy(cmd.dest.identity, b->e->identity, RNS_KEY);
	cmd.dest.has_identity = true;
	cmd.dest.prove = RNS_PROVE_APP; /* an alarm, when node has it */
	cmd.dest.accept_links = true;
	cmd.dest.resources = RNS_ACCEPT_NONE;
	cmd.dest.max_request = PROTO_REQUEST_MAX;
	err = engine_submit(b->e, &cmd);
	explicit_bzero(&cmd, sizeof(cmd));
	if (err != RNS_OK)
		return -1;
	for (size_t i = 0; i < NELEM(paths); i++) {
		cmd.type = RNS_CMD_HANDLER_ADD;
		memset(&cmd.handler, 0, sizeof(cmd.handler));
		cmd.handler.dest = b->dest;
		cmd.handler.path = paths[i];
		cmd.handler.allow = RNS_ALLOW_ALL; /* node says who may */
		cmd.handler.compress_max = COMPRESS_MAX;
		if (engine_submit(b->e, &cmd) != RNS_OK)
			return -1;
	}
	return 0;
}

struct bridge *
bridge_new(struct engine *e)
{
	struct bridge *b;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return NULL;
	b->e = e;
	RB_INIT(&b->links);
	ev_init(&b->late, on_late);
	b->late.data = b;
	if (add_dest(b) < 0) {
		free(b);
		return NULL;
	}
	e->on_online = on_online;
	return b;
}

static void
reply_free(struct bridge_link *l, struct reply *p)
{
	TAILQ_REMOVE(&l->replies, p, entry);
	l->nreplies--;
	free(p->copy);
	if (p->map != NULL)
		memfd_unmap(p->map, p->len);
	free(p);
}

static void
bridge_link_free(struct bridge_link *l)
{
	struct reply *p;

	follow_stop_all(&l->follows);
	while ((p = TAILQ_FIRST(&l->replies)) != NULL)
		reply_free(l, p);
	RB_REMOVE(bridge_link_tree, &l->b->links, l);
	l->b->nlinks--;
	free(l);
}

void
bridge_free(struct bridge *b)
{
	struct bridge_link *l;

	if (b == NULL)
		return;
	b->e->on_online = NULL;
	ev_timer_stop(b->e->loop, &b->late);
	while ((l = RB_MIN(bridge_link_tree, &b->links)) != NULL)
		bridge_link_free(l);
	free(b);
}

void
bridge_close(struct bridge *b)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};
	struct bridge_link *l;

	RB_FOREACH(l, bridge_link_tree, &b->links) {
		cmd.hash = l->id;
		(void)engine_submit(b->e, &cmd);
	}
}

/* ---- to node ---- */

#define TO_NODE(b, NAME, m, fds, n)                                            \
	do {                                                                   \
		if (bridge_node(b) != NULL &&                                  \
		    ipc_send_##NAME(bridge_node(b), m, fds, n) < 0)            \
			engine_send_failed(PROGRAM_NODE);                      \
	} while (0)

static void
tell_link(struct bridge_link *l)
{
	struct msg_T_LINK m = {0};
	struct rns_link_info info;
	struct nif *n;

	if (!rns_link_get(l->b->e->rns, &l->id, &info))
		return;
	m.link = l->id;
	m.ifid = info.ifid;
	if ((n = nif_find(l->b->e, info.ifid)) != NULL) {
		if (n->medium != NULL) {
			airtime_fit(airq_get_medium(n->medium->q), &m.bitrate,
			    &m.frame_us);
			m.slot_us = airq_get_medium(n->medium->q)->slot_us;
			m.listen_us =
			    airq_get_medium(n->medium->q)->listen_us;
			m.duplex = airq_get_medium(n->medium->q)->duplex;
			m.direct = m.bitrate != 0 && info.hops <= 1;
		}
		if (m.bitrate == 0)
			m.bitrate = n->cfg.bitrate;
		if (n->cfg.frame > n->cfg.ifac_size)
			m.frame = (uint16_t)MIN_OF(n->cfg.frame -
			    n->cfg.ifac_size, UINT16_MAX + 0u);
	}
	m.rtt_us = (uint32_t)(info.rtt_us < UINT32_MAX ? info.rtt_us : 0);
	m.asker_rtt_us = MIN_OF(m.rtt_us, (uint32_t)info.asker_rtt_us);
	m.loss_permille = l->loss = (uint16_t)info.loss_permille;
	m.mtu = info.mtu;
	m.mdu = info.mdu;
	m.hops = (uint8_t)MIN_OF(info.hops, UINT8_MAX);
	TO_NODE(l->b, T_LINK, &m, NULL, 0);
}

/* Node answers what is asked now by what is lost now. */
static void
tell_loss(struct bridge_link *l)
{
	struct rns_link_info info;

	if (rns_link_get(l->b->e->rns, &l->id, &info) &&
	    abs((int)info.loss_permille - (int)l->loss) >= LOSS_STEP)
		tell_link(l);
}

static void
tell_identified(struct bridge_link *l)
{
	struct msg_T_IDENTIFIED m = {0};

	m.link = l->id;
	memcpy(m.rns_public, l->identity, RNS_KEY);
	m.rns_hash = l->identity_hash;
	TO_NODE(l->b, T_IDENTIFIED, &m, NULL, 0);
}

void
bridge_node_up(struct bridge *b)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};
	struct msg_T_HELLO m = {0};
	struct bridge_link *l, *next;

	memcpy(m.rns_public, b->e->identity_public, RNS_KEY);
	m.dest = b->dest;
	TO_NODE(b, T_HELLO, &m, NULL, 0);
	RB_FOREACH_SAFE(l, bridge_link_tree, &b->links, next) {
		tell_link(l);
		if (l->identified)
			tell_identified(l);
		if (l->asked == 0)
			continue;
		/* what was asked before is lost: a new link asks again */
		cmd.hash = l->id;
		(void)engine_submit(b->e, &cmd);
	}
}

void
bridge_node_down(struct bridge *b)
{
	struct bridge_link *l;

	/* the pipes' other ends are gone with it */
	RB_FOREACH(l, bridge_link_tree, &b->links)
		follow_stop_all(&l->follows);
}

/* ---- events of the core ---- */

static void
on_link_up(struct bridge *b, const struct rns_event *ev)
{
	struct bridge_link *l;

	if (bridge_find(b, &ev->link.id) != NULL)
		return;
	if ((l = calloc(1, sizeof(*l))) == NULL) {
		b->counts.links_lost++;
		return;
	}
	l->b = b;
	l->id = ev->link.id;
	TAILQ_INIT(&l->replies);
	follow_init(&l->follows, b->e, &l->id);
	(void)RB_INSERT(bridge_link_tree, &b->links, l);
	b->nlinks++;
	tell_link(l);
}

static void
on_identified(struct bridge_link *l, const struct rns_event *ev)
{
	l->identified = true;
	memcpy(l->identity, ev->link.identity, RNS_KEY);
	l->identity_hash = ev->link.identity_hash;
	tell_identified(l);
}

static void
on_closed(struct bridge_link *l, const struct rns_event *ev)
{
	struct msg_T_CLOSED m = {.reason = (uint8_t)ev->link.reason};

	m.link = l->id;
	TO_NODE(l->b, T_CLOSED, &m, NULL, 0);
	bridge_link_free(l);
}

/*
 * A request that node cannot take now is dropped: the requester has a timer of
 * its own and may repeat every one of them (compute.md 3); while node is away
 * bridge_node_up() sees to it.
 */
static void
on_request(struct bridge_link *l, const struct rns_event *ev)
{
	struct bridge *b = l->b;
	struct msg_T_REQUEST m = {0};
	struct ipc *node = bridge_node(b);
	int fd = -1;

	if (node == NULL)
		l->asked++; /* bridge_node_up() */
	if (node == NULL || ipc_full(node) ||
	    ev->request.len > PROTO_REQUEST_MAX) {
		b->counts.requests_lost++;
		return;
	}
	m.link = ev->request.link;
	m.request = ev->request.request_id;
	m.path_hash = ev->request.path_hash;
	m.len = (uint32_t)ev->request.len;
	m.took_ms = (uint32_t)MIN_OF(MAX_OF(ev->request.took_us, INT64_C(0)) /
	    1000, INT64_C(0xffffffff));
	if (ev->request.len <= sizeof(m.data)) {
		m.data_len = (uint16_t)ev->request.len;
		memcpy(m.data, ev->request.data, ev->request.len);
	} else if ((fd = memfd_sealed("request", ev->request.data,
	    ev->request.len)) < 0) {
		log_warn("node", "a peer's request cannot be handed over and is "
		    "lost: the peer asks again");
		b->counts.requests_lost++;
		return;
	}
	b->counts.requests++;
	l->asked++;
	TO_NODE(b, T_REQUEST, &m, &fd, fd >= 0 ? 1 : 0);
	if (fd >= 0)
		(void)close(fd);
}

static void
count_reply(struct bridge *b, bool left)
{
	b->counts.replies += left;
	b->counts.replies_lost += !left;
}

static void
on_sent(struct bridge_link *l, const struct rns_event *ev)
{
	struct reply *p;

	TAILQ_FOREACH(p, &l->replies, entry) {
		if (p->tag != ev->sent.tag)
			continue;
		count_reply(l->b, ev->sent.status == RNS_RES_COMPLETE);
		reply_free(l, p);
		return;
	}
}

/*
 * A packet of its own: an alarm (klp.md 7), or nothing that anybody sends here.
 * Whose it is trust finds out; here it is the form and a bound.
 */
static void
on_packet(struct bridge *b, const struct rns_event *ev)
{
	struct ipc *c = bridge_node(b);
	struct msg_T_ALERT m = {.packet = ev->packet.packet_hash};

	if (b->e->now.us / MONO_SECOND != b->second) {
		b->second = b->e->now.us / MONO_SECOND;
		b->told = 0;
	}
	if (ev->packet.len != sizeof(m.frame) || !ev->packet.prove_app ||
	    c == NULL || ipc_full(c) || b->told == ALARMS_A_SECOND) {
		b->counts.alarms_lost++;
		return;
	}
	b->told++;
	b->counts.alarms++;
	memcpy(m.frame, ev->packet.data, sizeof(m.frame));
	if (ipc_send_T_ALERT(c, &m, NULL, 0) < 0)
		engine_send_failed(PROGRAM_NODE);
}

void
bridge_alert_taken(struct bridge *b, const struct msg_N_ALERT_TAKEN *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PROVE};

	cmd.prove.dest = b->dest;
	cmd.prove.packet_hash = m->packet;
	(void)engine_submit(b->e, &cmd); /* it may have been too long ago */
}

bool
bridge_event(struct bridge *b, const struct rns_event *ev)
{
	struct bridge_link *l;

	switch (ev->type) {
	case RNS_EV_PACKET:
		if (!hash16_eq(&ev->packet.dest, &b->dest))
			return false;
		on_packet(b, ev);
		return true;
	case RNS_EV_LINK_UP:
		if (ev->link.initiator ||
		    !hash16_eq(&ev->link.dest, &b->dest))
			return false;
		on_link_up(b, ev);
		return true;
	case RNS_EV_LINK_IDENTIFIED:
	case RNS_EV_LINK_CLOSED:
	case RNS_EV_CHANNEL_READY:
		if ((l = bridge_find(b, &ev->link.id)) == NULL)
			return false;
		if (ev->type == RNS_EV_LINK_IDENTIFIED)
			on_identified(l, ev);
		else if (ev->type == RNS_EV_LINK_CLOSED)
			on_closed(l, ev);
		else
			follow_ready(&l->follows);
		return true;
	case RNS_EV_REQUEST:
		if ((l = bridge_find(b, &ev->request.link)) == NULL)
			return false;
		tell_loss(l);
		on_request(l, ev);
		return true;
	case RNS_EV_SENT:
		if ((l = bridge_find(b, &ev->sent.link)) == NULL)
			return false;
		on_sent(l, ev);
		return true;
	default:
		return false;
	}
}

/* ---- messages of node ---- */

/* The bytes of an answer: inline, or in the sealed memfd that came along. */
static struct reply *
reply_new(const struct msg_N_REPLY *m, struct ipc_in *in)
{
	struct reply *p;
	int fd = -1;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->len = m->len;
	if (in->nfds > 0) {
		fd = ipc_in_take(in, 0);
		p->map = memfd_map(fd, &p->len, BRIDGE_REPLY_MAX);
		(void)close(fd);
	} else if (m->len == m->data_len && m->len > 0 &&
	    (p->copy = malloc(m->len)) != NULL) {
		memcpy(p->copy, m->data, m->len);
	}
	if (p->map == NULL && p->copy == NULL) {
		free(p);
		return NULL;
	}
	return p;
}

void
bridge_reply(struct bridge *b, const struct msg_N_REPLY *m, struct ipc_in *in)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESPOND};
	bool as_resource = false;
	struct bridge_link *l;
	struct reply *p;
	int err;

	if ((l = bridge_find(b, &m->link)) == NULL) {
		count_reply(b, false); /* T_CLOSED has told of it */
		return;
	}
	if (l->asked > 0)
		l->asked--;
	if (l->nreplies >= BRIDGE_REPLIES || (p = reply_new(m, in)) == NULL) {
		count_reply(b, false);
		return;
	}
	p->tag = ++b->next_tag;
	TAILQ_INSERT_TAIL(&l->replies, p, entry);
	l->nreplies++;
	cmd.respond.link = m->link;
	cmd.respond.request_id = m->request;
	cmd.respond.data = p->map != NULL ? p->map : p->copy;
	cmd.respond.len = p->len;
	cmd.respond.tag = p->tag;
	cmd.respond.as_resource = &as_resource;
	err = engine_submit(b->e, &cmd);
	/* a resource reads it until it has been sent */
	if (err == RNS_OK && as_resource)
		return;
	count_reply(b, err == RNS_OK);
	reply_free(l, p);
}

/*
 * Where there is air for it: klp.md 4.3. An announce is some 190 bytes, and what
 * it says.
 */
static void
announce_thrifty(struct bridge *b, size_t len)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	struct nif *n;

	cmd.announce.dest = b->dest;
	cmd.announce.one_interface = true;
	TAILQ_FOREACH(n, &b->e->ifs, link) {
		if (!n->online || !n->cfg.out)
			continue;
		if (!spread_afford(&n->air, b->e->now, n->cfg.bitrate,
		    ANNOUNCE_BYTES + len)) {
			b->counts.announces_spared++;
			continue;
		}
		cmd.announce.ifid = n->id;
		(void)engine_submit(b->e, &cmd);
	}
}

/*
 * A delta that was heard goes on where it would wait for long, but not back. An
 * announce of our own waits for no share of the bitrate.
 */
static void
announce_slow(struct bridge *b, const struct msg_N_APP_DATA *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	struct nif *n;

	cmd.announce.dest = b->dest;
	cmd.announce.one_interface = true;
	cmd.announce.app_data = m->data;
	cmd.announce.app_data_len = m->data_len;
	TAILQ_FOREACH(n, &b->e->ifs, link) {
		if (!n->online || !n->cfg.out || n->id == m->not_if ||
		    n->cfg.bitrate == 0 || n->cfg.bitrate >= SPREAD_SLOW)
			continue;
		cmd.announce.ifid = n->id;
		(void)engine_submit(b->e, &cmd);
	}
}

static void
announce_all(struct bridge *b, const struct msg_N_APP_DATA *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_ANNOUNCE};
	struct nif *n;

	cmd.announce.dest = b->dest;
	if (m->once) {
		cmd.announce.app_data = m->data;
		cmd.announce.app_data_len = m->data_len;
	}
	(void)engine_submit(b->e, &cmd);
	b->announced = true;
	TAILQ_FOREACH(n, &b->e->ifs, link) {
		n->announce_due = false;
		if (n->online)
			n->announced = b->e->now;
	}
}

void
bridge_app_data(struct bridge *b, const struct msg_N_APP_DATA *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_APP_DATA};

	cmd.announce.dest = b->dest;
	cmd.announce.app_data = m->data;
	cmd.announce.app_data_len = m->data_len;
	if (!m->once && engine_submit(b->e, &cmd) != RNS_OK) {
		log_warnx("klp.node", "app data of %u bytes refused",
		    m->data_len);
		return;
	}
	if (m->announce && m->slow)
		announce_slow(b, m);
	else if (m->announce && m->thrifty)
		announce_thrifty(b, m->data_len);
	else if (m->announce)
		announce_all(b, m);
}

void
bridge_follow(struct bridge *b, const struct msg_N_FOLLOW *m, struct ipc_in *in)
{
	struct bridge_link *l;

	if ((l = bridge_find(b, &m->link)) != NULL)
		follow_start(&l->follows, m->stream, ipc_in_take(in, 0));
}

void
bridge_end(struct bridge *b, const struct msg_N_CLOSE *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_CLOSE};

	if (bridge_find(b, &m->link) == NULL)
		return;
	cmd.hash = m->link;
	(void)engine_submit(b->e, &cmd);
}

void
bridge_hold(struct bridge *b, const struct msg_N_HOLD *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_LINK_HOLD};

	if (bridge_find(b, &m->link) == NULL)
		return;
	cmd.hold.link = m->link;
	cmd.hold.until = mono_add(clock_mono(), (int64_t)m->ms * 1000);
	(void)engine_submit(b->e, &cmd);
}

void
bridge_blackhole(struct bridge *b, const struct msg_N_BLACKHOLE *m)
{
	struct rns_cmd cmd = {.type = RNS_CMD_BLACKHOLE};

	cmd.blackhole.identity = m->rns_hash;
	cmd.blackhole.on = m->on;
	cmd.blackhole.source = BLACKHOLE_NODE;
	(void)engine_submit(b->e, &cmd);
}
