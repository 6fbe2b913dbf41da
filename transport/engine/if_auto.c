/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_auto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "transport/engine/autodisc.h"
#include "transport/engine/engine.h"
#include "transport/engine/opener.h"
#include "transport/engine/reach.h"
#include "transport/engine/stats_pack.h"
#include "transport/socket/dgram.h"

#define AUTO_BITRATE 10000000 /* reticulum-transport.md 8.3 */

/* The sockets of a device; at the place that it has in autodisc. */
struct sockets {
	struct nif *nif;
	struct auto_device *device;
	unsigned id; /* the kernel's number of the device */
	struct dgram group, discovery, data;
	struct fsock tokens; /* counts of what discovery sends */
};

struct autoif {
	struct autodisc disc;
	struct sockets on[AUTO_DEVICES];
	uint32_t seq; /* of the BIND that stands */
	struct in6_addr group;
	ev_timer announce, check;
};

static struct sockets *
sockets_of(struct autoif *a, const struct auto_device *d)
{
	return &a->on[d - a->disc.device];
}

/* ---- peers ---- */

static bool
peer_send(struct nif *n, const uint8_t *p, size_t len)
{
	const struct auto_peer *peer = n->own;
	struct autoif *a = n->parent->own;
	struct sockets *s = sockets_of(a, peer->device);
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
	    .sin6_addr = peer->addr, .sin6_scope_id = s->id,
	    .sin6_port = htons(n->conf->data_port)};

	if (s->data.fd < 0) { /* the device is down */
		n->s.tx_drops++;
		n->s.tx_drop_bytes += len;
		return false;
	}
	dgram_send(s->data.fd, &to, sizeof(to), p, len, &n->s);
	return true;
}

static void
peer_flush(struct nif *n)
{
	(void)n;
	dgram_flush();
}

static void
peer_stop(struct nif *n)
{
	struct autoif *a = n->parent->own;

	dgram_flush(); /* it counts in n->s */
	autodisc_drop(&a->disc, n->own);
}

static const struct nif_kind peer_kind = {
	.name = "AutoInterfacePeer",
	.carries = true,
	.send = peer_send,
	.flush = peer_flush,
	.stop = peer_stop,
};

static void
peer_new(struct nif *server, struct auto_peer *p)
{
	struct autoif *a = server->own;
	char ip[INET6_ADDRSTRLEN] = "";
	struct nif *n = nif_new(server->e, &peer_kind, server->conf, server);

	if (n == NULL) {
		server->refused++;
		autodisc_drop(&a->disc, p);
		return;
	}
	(void)inet_ntop(AF_INET6, &p->addr, ip, sizeof(ip));
	(void)snprintf(n->name, sizeof(n->name), "AutoInterfacePeer[%s/%s]",
	    p->device->name, ip);
	n->cfg = server->cfg;
	n->own = p;
	p->owner = n;
	n->online = true;
	if (nif_attach(n) < 0) {
		server->refused++;
		nif_free(n);
		return;
	}
	server->accepted++;
	log_info(n->name, "found");
}

/* ---- what comes ---- */

static void
on_data(void *arg, const uint8_t *p, size_t len,
    const struct sockaddr_in6 *from)
{
	struct sockets *s = arg;
	struct autoif *a = s->nif->own;
	struct auto_peer *peer = autodisc_data(&a->disc, s->device,
	    &from->sin6_addr, p, len, s->nif->e->now);
	struct nif *n;

	if (peer == NULL) {
		s->nif->s.rx_drops++;
		return;
	}
	n = peer->owner;
	n->s.rx_frames++;
	n->s.rx_bytes += len;
	nif_frame(n, p, len);
}

static void
on_token(void *arg, const uint8_t *p, size_t len,
    const struct sockaddr_in6 *from)
{
	struct sockets *s = arg;
	struct autoif *a = s->nif->own;
	struct auto_peer *peer;

	switch (autodisc_hear(&a->disc, s->device, &from->sin6_addr, p, len,
	    s->nif->e->now, &peer)) {
	case AUTO_NEW:
		peer_new(s->nif, peer);
		break;
	case AUTO_WRONG:
	case AUTO_CROWDED:
		s->nif->s.rx_drops++;
		break;
	default:
		break;
	}
}

static void
on_too_long(void *arg)
{
	struct sockets *s = arg;

	s->nif->s.rx_drops++;
}

/* ---- what is said ---- */

static void
send_token(struct nif *n, struct sockets *s, const struct in6_addr *addr,
    uint16_t port)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *addr,
	    .sin6_port = htons(port), .sin6_scope_id = s->id};
	uint8_t token[AUTO_TOKEN];

	autodisc_token(token, n->conf->group_id, &s->device->addr);
	dgram_send(s->discovery.fd, &to, sizeof(to), token, sizeof(token),
	    &s->tokens);
}

static void
on_announce(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct nif *n = w->data;
	struct autoif *a = n->own;

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		if (a->on[i].discovery.fd >= 0)
			send_token(n, &a->on[i], &a->group,
			    n->conf->discovery_port);
	dgram_flush();
}

/* It is up as long as one device is. */
static void
show(struct nif *n)
{
	struct autoif *a = n->own;
	unsigned up = 0;

	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		up += a->on[i].data.fd >= 0;
	if (up > 0)
		opener_done(n);
	else
		opener_why(n, "no device that is up and has a link-local IPv6 "
		    "address (`ip -6 address` shows them)");
	nif_online(n, up > 0);
	reach_changed(n->e);
}

/* Whether it hears itself is told, and changes nothing. */
static void
check_echo(struct nif *n, struct sockets *s)
{
	if (s->data.fd < 0 || !autodisc_echo_changed(s->device, n->e->now))
		return;
	if (s->device->silent)
		log_warnx(n->conf->name, "%s does not carry multicast: its own "
		    "discovery does not come back (a cable, a firewall?)",
		    s->device->name);
	else
		log_notice(n->conf->name, "%s carries multicast again",
		    s->device->name);
}

static void
on_check(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct nif *n = w->data;
	struct autoif *a = n->own;
	struct auto_peer *p;

	(void)loop;
	(void)revents;
	while ((p = autodisc_silent(&a->disc, n->e->now)) != NULL) {
		struct nif *gone = p->owner;

		log_info(gone->name, "silent, and gone");
		nif_free(gone);
	}
	while ((p = autodisc_reverse(&a->disc, n->e->now)) != NULL)
		send_token(n, sockets_of(a, p->device), &p->addr,
		    (uint16_t)(n->conf->discovery_port + 1));
	dgram_flush();
	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		check_echo(n, &a->on[i]);
	if (!n->online)
		show(n);
}

/* ---- devices ---- */

static void
device_close(struct sockets *s)
{
	dgram_close(&s->group);
	dgram_close(&s->discovery);
	dgram_close(&s->data);
}

static void
device_up(struct nif *n, const struct msg_DEVICE *m, const int fd[3])
{
	struct autoif *a = n->own;
	struct auto_device *d;
	struct in6_addr addr;
	struct sockets *s;

	memcpy(&addr, m->addr, sizeof(addr));
	if ((d = autodisc_up(&a->disc, m->name, &addr, n->e->now)) == NULL) {
		log_warnx(n->conf->name, "%s: more than %d devices", m->name,
		    AUTO_DEVICES);
		for (unsigned i = 0; i < 3; i++)
			(void)close(fd[i]);
		return;
	}
	s = sockets_of(a, d);
	device_close(s);
	s->device = d;
	s->id = m->device;
	dgram_open(&s->group, fd[0]);
	dgram_open(&s->discovery, fd[1]);
	dgram_open(&s->data, fd[2]);
	log_notice(n->conf->name, "%s is used", d->name);
	send_token(n, s, &a->group, n->conf->discovery_port);
	dgram_flush();
}

static void
device_down(struct nif *n, const struct msg_DEVICE *m)
{
	struct autoif *a = n->own;
	struct auto_device *d = autodisc_device(&a->disc, m->name);

	if (m->error != 0)
		log_warnx(n->conf->name, "%s cannot be used: %s%s", m->name,
		    strerror(m->error), m->error == EADDRINUSE ? " (another "
		    "program has discovery_port or data_port: `ss -lnup` says "
		    "which)" : "");
	if (d == NULL || !d->up)
		return;
	autodisc_down(d);
	device_close(sockets_of(a, d));
	log_notice(n->conf->name, "%s is gone", d->name);
}

void
auto_device(struct engine *e, const struct msg_DEVICE *m, const int fd[3])
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link) {
		/* its place in config may be another one by now */
		if (n->kind != &auto_kind ||
		    ((struct autoif *)n->own)->seq != m->seq)
			continue;
		if (fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0)
			device_up(n, m, fd);
		else
			device_down(n, m);
		show(n);
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]);
}

/* ---- the interface ---- */

static void
sockets_init(struct sockets *s, struct nif *n)
{
	struct dgram *all[] = {&s->group, &s->discovery, &s->data};

	s->nif = n;
	for (unsigned i = 0; i < NELEM(all); i++) {
		dgram_init(all[i], n->e->loop);
		all[i]->packet = i < 2 ? on_token : on_data;
		all[i]->too_long = on_too_long;
		all[i]->arg = s;
	}
}

static int
auto_configure(struct nif *n)
{
	struct autoif *a = calloc(1, sizeof(*a));
	uint8_t key[16];

	if ((n->own = a) == NULL || nif_configure(n, AUTO_BITRATE) < 0)
		return -1;
	randombytes_buf(key, sizeof(key));
	autodisc_init(&a->disc, n->conf->group_id, key);
	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		sockets_init(&a->on[i], n);
	rnsconf_auto_group(n->conf, a->group.s6_addr);
	ev_timer_init(&a->announce, on_announce, AUTO_ANNOUNCE_US / 1e6,
	    AUTO_ANNOUNCE_US / 1e6);
	ev_timer_init(&a->check, on_check, AUTO_CHECK_US / 1e6,
	    AUTO_CHECK_US / 1e6);
	a->announce.data = a->check.data = n;
	n->cfg.hw_mtu = AUTO_MTU;
	n->cfg.mtu_signal = true;
	return 0;
}

static void
auto_opened(struct nif *n, const struct nif_open *o)
{
	struct autoif *a = n->own;

	if (o->fd >= 0)
		(void)close(o->fd);
	if (o->send_fd >= 0)
		(void)close(o->send_fd);
	if (o->error != 0) {
		opener_failed(n, "devices cannot be watched", o->error,
		    o->text);
		return;
	}
	a->seq = o->seq; /* and now DEVICEs come */
	ev_timer_start(n->e->loop, &a->announce);
	ev_timer_start(n->e->loop, &a->check);
}

static void
auto_stop(struct nif *n)
{
	struct autoif *a = n->own;

	if (a == NULL)
		return;
	ev_timer_stop(n->e->loop, &a->announce);
	ev_timer_stop(n->e->loop, &a->check);
	for (unsigned i = 0; i < AUTO_DEVICES; i++)
		device_close(&a->on[i]);
	autodisc_clear(&a->disc);
	free(a);
	n->own = NULL;
}

static void
auto_stats(const struct nif *n, struct stats_if *s)
{
	s->peers = n->clients;
}

static unsigned
auto_counts(const struct nif *n, struct nif_count out[NIF_COUNTS])
{
	const struct autoif *a = n->own;
	uint64_t lost = 0, devices = 0;

	for (unsigned i = 0; i < AUTO_DEVICES; i++) {
		lost += a->on[i].tokens.tx_drops;
		devices += a->on[i].data.fd >= 0;
	}
	out[0] = (struct nif_count){"devices", devices};
	out[1] = (struct nif_count){"wrong_tokens", a->disc.wrong};
	out[2] = (struct nif_count){"tokens_not_sent", lost};
	out[3] = (struct nif_count){"too_many_peers", a->disc.crowded};
	out[4] = (struct nif_count){"from_strangers", a->disc.strangers};
	out[5] = (struct nif_count){"came_twice", a->disc.twice};
	return 6;
}

const struct nif_kind auto_kind = {
	.name = "AutoInterface",
	.configure = auto_configure,
	.start = opener_ask,
	.opened = auto_opened,
	.stats = auto_stats,
	.counts = auto_counts,
	.stop = auto_stop,
};
