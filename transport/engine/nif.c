/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/nif.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/opener.h"
#include "transport/engine/reach.h"

/* ours: below limits.tx_packets by more than one packet can cause */
#define TX_HIGH 4096

struct nif *
nif_find(const struct engine *e, unsigned id)
{
	struct nif *n = e->by_id[id % ENGINE_IFS];

	return n != NULL && n->id == id ? n : NULL;
}

double
nif_quality(const struct rns_signal *s)
{
	return (double)(int64_t)((double)s->q * 10. + .5) / 10.;
}

bool
nif_lasting(const struct nif *n)
{
	return n->conf != NULL && (n->parent == NULL || n->kind->lasts);
}

bool
nif_visit_said(struct nif *n)
{
	struct nif *server = n->parent;
	const char *name = server->conf != NULL ? server->conf->name :
	    server->name;
	struct mono now = clock_mono();
	struct visits *v = n->kind->local ?
	    visits_of(&n->e->programs_said, n->uid, now) : &server->visits;
	enum visits_say say = visits_ask(v, now);

	if (v->unsaid > 0)
		log_info(name, "%u lines about who comes and goes were not "
		    "said", v->unsaid);
	switch (say) {
	case VISITS_LAST:
		if (v == visits_others(&n->e->programs_said))
			log_info(name, "many programs of further users come and "
			    "go: more of them is not said in this minute");
		else if (n->kind->local)
			log_info(name, "many programs of user %ld come and go: "
			    "more of them is not said in this minute",
			    (long)(int)n->uid);
		else
			log_info(name, "many come and go: more of them is not "
			    "said in this minute (`warren interfaces` counts "
			    "them)");
		return false;
	case VISITS_QUIET:
		return false;
	case VISITS_SAY:
		break;
	}
	return true;
}

/* The next number whose place is free; never 0. 0: all taken. */
static unsigned
take_id(struct engine *e)
{
	for (unsigned i = 0; i < ENGINE_IFS; i++) {
		if (++e->next_id == 0)
			e->next_id = 1;
		if (e->by_id[e->next_id % ENGINE_IFS] == NULL)
			return e->next_id;
	}
	return 0;
}

struct nif *
nif_new(struct engine *e, const struct nif_kind *kind,
    const struct rnsconf_if *conf, struct nif *parent)
{
	struct nif *n;
	unsigned id = 0;

	if (kind->carries && (id = take_id(e)) == 0)
		return NULL;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->e = e;
	n->kind = kind;
	n->conf = conf;
	n->parent = parent;
	n->id = id;
	n->listen_fd = -1;
	n->uid = (uid_t)-1;
	n->since = clock_mono();
	fsock_init(&n->s, e->loop);
	n->s.frame = nif_frame;
	n->s.arg = n;
	ev_init(&n->retry, NULL);
	n->retry.data = n;
	if (id != 0)
		e->by_id[id % ENGINE_IFS] = n;
	if (parent != NULL)
		parent->clients++;
	TAILQ_INSERT_TAIL(&e->ifs, n, link);
	return n;
}

static void
add_counts(struct fsock *sum, const struct fsock *s)
{
	sum->rx_bytes += s->rx_bytes;
	sum->tx_bytes += s->tx_bytes;
	sum->rx_frames += s->rx_frames;
	sum->tx_frames += s->tx_frames;
	sum->tx_drops += s->tx_drops;
	sum->tx_drop_bytes += s->tx_drop_bytes;
	sum->rx_drops += s->rx_drops;
}

void
nif_counts(const struct nif *n, struct fsock *sum)
{
	const struct nif *child;

	memset(sum, 0, sizeof(*sum));
	add_counts(sum, &n->s);
	if (n->id != 0)
		return;
	TAILQ_FOREACH(child, &n->e->ifs, link)
		if (child->parent == n)
			add_counts(sum, &child->s);
}

size_t
nif_waiting(const struct nif *n)
{
	return n->kind->waiting != NULL ? n->kind->waiting(n) :
	    fsock_waiting(&n->s);
}

void
nif_stats(const struct nif *n, struct rns_if_stats *sum)
{
	const struct nif *child;
	struct rns_if_stats s;

	*sum = n->past;
	if (n->id != 0) {
		if (rns_if_stats(n->e->rns, n->id, &s) == RNS_OK)
			rns_if_stats_add(sum, &s);
		return;
	}
	TAILQ_FOREACH(child, &n->e->ifs, link)
		if (child->parent == n && child->id != 0 &&
		    rns_if_stats(n->e->rns, child->id, &s) == RNS_OK)
			rns_if_stats_add(sum, &s);
}

void
nif_flow(const struct nif *n, struct stats_flow *f)
{
	struct rns_if_stats c;
	struct fsock s;

	nif_counts(n, &s);
	nif_stats(n, &c);
	*f = (struct stats_flow){
	    .rx = (double)s.rx_bytes,
	    .tx = (double)s.tx_bytes,
	    .ann_rx = (double)c.announces_rx.bytes,
	    .ann_tx = (double)c.announces_tx.bytes,
	    .pr_rx = (double)c.path_requests_rx.bytes,
	    .pr_tx = (double)c.path_requests_tx.bytes,
	};
}

/*
 * What one that goes leaves to its server: what it counted, not its state. One
 * without leaves it to the sums of all, which never fall.
 */
static void
leave_stats(struct nif *n)
{
	struct rns_if_stats s;
	struct stats_flow f;

	if (n->parent == NULL) {
		nif_flow(n, &f);
		stats_flow_add(&n->e->gone, &f);
		return;
	}
	if (n->id == 0 || rns_if_stats(n->e->rns, n->id, &s) != RNS_OK)
		return;
	s.announces_rx.hz = s.announces_tx.hz = 0;
	s.path_requests_rx.hz = s.path_requests_tx.hz = 0;
	s.announce_queue = s.held_announces = s.bursts = s.pr_bursts = 0;
	s.burst_activated_us = s.pr_burst_activated_us = 0;
	rns_if_stats_add(&n->parent->past, &s);
}

static struct nif *
first_child(const struct nif *n)
{
	struct nif *child;

	TAILQ_FOREACH(child, &n->e->ifs, link)
		if (child->parent == n)
			break;
	return child;
}

void
nif_free(struct nif *n)
{
	struct engine *e = n->e;
	struct rns_cmd cmd = {.type = RNS_CMD_IF_DEL, .ifid = n->id};
	struct nif *child;

	while (n->clients > 0 && (child = first_child(n)) != NULL) {
		child->taken_down = true;
		nif_free(child);
	}
	if (n->kind->stop != NULL)
		n->kind->stop(n);
	leave_stats(n);
	if (n->id != 0) {
		/* it may never have come into the core */
		(void)rns_submit(e->rns, &cmd, e->now);
		e->by_id[n->id % ENGINE_IFS] = NULL;
	}
	fsock_close(&n->s);
	acceptor_stop(&n->accept);
	ev_timer_stop(e->loop, &n->retry);
	if (n->listen_fd >= 0)
		(void)close(n->listen_fd);
	if (n->parent != NULL) {
		n->parent->clients--;
		add_counts(&n->parent->s, &n->s);
	}
	if (n->dirty)
		TAILQ_REMOVE(&e->dirty, n, dirty_link);
	TAILQ_REMOVE(&e->ifs, n, link);
	explicit_bzero(&n->cfg, sizeof(n->cfg));
	free(n);
}

int
nif_attach(struct nif *n)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD};

	n->cfg.id = n->id;
	n->cfg.online = n->online;
	rns_sha256(&n->cfg.name_hash, n->name, strlen(n->name));
	cmd.iface = n->cfg;
	if (engine_submit(n->e, &cmd) != RNS_OK)
		return -1;
	if (n->online && n->e->on_online != NULL)
		n->e->on_online(n->e, n);
	return 0;
}

void
nif_bitrate(struct nif *n, uint64_t bitrate)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_BITRATE,
	    .rate = {.ifid = n->id, .bitrate = bitrate}};

	if (bitrate == 0 || bitrate == n->cfg.bitrate ||
	    (n->conf != NULL && n->conf->bitrate != 0))
		return;
	n->cfg.bitrate = bitrate;
	if (n->id != 0)
		(void)engine_submit(n->e, &cmd);
}

void
nif_online(struct nif *n, bool online)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ONLINE};

	if (n->online == online)
		return;
	n->online = online;
	n->since = clock_mono();
	reach_changed(n->e);
	if (n->id == 0)
		return;
	cmd.online.ifid = n->id;
	cmd.online.online = online;
	(void)engine_submit(n->e, &cmd);
	if (online && n->e->on_online != NULL)
		n->e->on_online(n->e, n);
}

static void
nif_send(struct nif *n, const struct rns_tx *tx)
{
	size_t waiting = fsock_waiting(&n->s);

	if (waiting > FAIR_FROM &&
	    !fair_take(&n->fair, tx->from, tx->len, n->s.tx_bytes)) {
		n->unfair++;
		n->s.tx_drops++;
		n->s.tx_drop_bytes += tx->len;
		return;
	}
	if (!(n->kind->take != NULL ? n->kind->take(n, tx) :
	    n->kind->send(n, tx->data, tx->len)) || n->dirty)
		return;
	n->dirty = true;
	TAILQ_INSERT_TAIL(&n->e->dirty, n, dirty_link);
}

void
nif_out_all(struct engine *e)
{
	struct rns_tx tx;
	struct nif *n;

	while (rns_next_tx(e->rns, &tx)) {
		if ((n = nif_find(e, tx.ifid)) != NULL)
			nif_send(n, &tx);
		else
			e->counts.unknown_tx++;
	}
}

void
nif_flush_all(struct engine *e)
{
	struct nif *n;

	while ((n = TAILQ_FIRST(&e->dirty)) != NULL) {
		TAILQ_REMOVE(&e->dirty, n, dirty_link);
		n->dirty = false;
		n->kind->flush(n);
	}
}

bool
nif_stream_send(struct nif *n, const uint8_t *packet, size_t len)
{
	return fsock_send(&n->s, packet, len);
}

void
nif_stream_flush(struct nif *n)
{
	fsock_flush(&n->s);
}

/* What came in may give the core more to send than may wait that long. */
static void
relieve(struct engine *e)
{
	/* that much is bounded, and to be full is to lose */
	if (rns_tx_waiting(e->rns) > TX_HIGH) {
		nif_out_all(e);
		nif_flush_all(e);
	}
}

void
nif_frame(void *arg, const uint8_t *packet, size_t len)
{
	struct nif *n = arg;

	(void)rns_recv(n->e->rns, n->id, packet, len, n->e->now);
	relieve(n->e);
}

void
nif_frame_signal(struct nif *n, const uint8_t *packet, size_t len,
    const struct rns_signal *signal)
{
	(void)rns_recv_signal(n->e->rns, n->id, packet, len, signal,
	    n->e->now);
	relieve(n->e);
}

size_t
nif_frame_limit(const struct nif *n)
{
	size_t mtu = n->cfg.hw_mtu != 0 ? n->cfg.hw_mtu : RNS_MTU;

	return mtu + n->cfg.ifac_size;
}

int
nif_configure(struct nif *n, uint64_t bitrate)
{
	const struct rnsconf_if *c = n->conf;

	n->cfg.kind = RNS_IF_NET;
	n->cfg.mode = c->mode;
	n->cfg.bitrate = c->bitrate != 0 ? c->bitrate : bitrate;
	n->cfg.out = c->outgoing;
	n->cfg.recursive_prs = c->recursive_prs;
	n->cfg.from_internal_blocked = !c->announces_from_internal;
	n->cfg.to_internal = c->announces_to_internal;
	n->cfg.gravity = c->gravity;
	n->cfg.announce_cap_permille = c->announce_cap_permille;
	n->cfg.ar_target_s = c->ar_target_s;
	n->cfg.ar_penalty_s = c->ar_penalty_s;
	n->cfg.ar_grace = c->ar_grace;
	n->cfg.ingress = c->ingress;
	n->cfg.ifac_size = (uint8_t)MIN_OF(c->ifac_size, 64u);
	if (n->cfg.ifac_size != 0 && rns_ifac_key(n->cfg.ifac_key,
	    c->network_name, c->passphrase) != RNS_OK)
		return -1;
	return 0;
}

void
nif_listen(struct nif *n, int fd,
    void (*take)(void *nif, int fd, const struct sockaddr_storage *))
{
	n->listen_fd = fd;
	acceptor_start(&n->accept, n->e->loop, fd, take, n);
}

void
nif_second_all(struct engine *e)
{
	struct nif *n, *next;

	for (n = TAILQ_FIRST(&e->ifs); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		if (n->kind->second != NULL)
			n->kind->second(n);
	}
}

void
nif_start_all(struct engine *e)
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->kind->start != NULL)
			n->kind->start(n);
	reach_changed(e);
}

void
nif_opened(struct engine *e, const struct msg_OPENED *m, int fd, int send_fd)
{
	const struct nif_open o = {.fd = fd, .seq = m->seq,
	    .error = m->error, .text = m->text, .send_fd = send_fd, .to = m->to,
	    .to_port = m->to_port};
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link) {
		/* its place in config may be another one by now */
		if (!nif_lasting(n) || n->seq != m->seq || n->seq == 0)
			continue;
		opener_answered(n);
		if (m->error == ESTALE) {
			opener_ask(n); /* that config has come before this */
			return;
		}
		n->kind->opened(n, &o);
		return;
	}
	/* an answer that nobody waits for any more */
	if (fd >= 0)
		(void)close(fd);
	if (send_fd >= 0)
		(void)close(send_fd);
}
