/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_weave.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "transport/engine/air.h"
#include "transport/engine/line.h"
#include "transport/engine/opener.h"
#include "transport/modem/weave.h"

#define WEAVE_BITRATE 250000 /* reticulum-transport.md 8.3 */

struct weave_if {
	struct weave v; /* first: line.c has its struct modem */
	struct weave_keys keys;
	unsigned char secret[crypto_sign_SECRETKEYBYTES];
};

static void
sign(void *arg, uint8_t sig[64], const uint8_t *p, size_t n)
{
	const struct weave_if *w = arg;

	(void)crypto_sign_detached(sig, NULL, p, n, w->secret);
}

static bool
verify(void *arg, const uint8_t pub[32], const uint8_t sig[64],
    const uint8_t *p, size_t n)
{
	(void)arg;
	return crypto_sign_verify_detached(sig, p, n, pub) == 0;
}

static void
forget(struct weave_if *w)
{
	weave_clear(&w->v);
	explicit_bzero(w->secret, sizeof(w->secret));
	free(w);
}

static void
free_weave(struct modem *m)
{
	forget((struct weave_if *)m);
}

/* ---- peers ---- */

/* "7f:86:58:95"; of at most 8 bytes */
static const char *
colons(char out[24], const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + 3 * i, 4, "%02x%s", p[i],
		    i + 1 < n ? ":" : "");
	return out;
}

static void
peer_stats(const struct nif *n, struct stats_if *s)
{
	const struct weave *v = (const struct weave *)line_modem(n);
	const struct weave_peer *p;

	if (v == NULL)
		return;
	p = &v->peer[line_port_no(n) - 1];
	s->weave.peer = true;
	if (p->has_via)
		(void)colons(s->weave.via, p->via, sizeof(p->via));
}

static const struct nif_kind weave_peer_kind = {
	.name = "WeaveInterfacePeer",
	.carries = true,
	.take = line_take,
	.flush = line_flush,
	.waiting = line_waiting,
	.stats = peer_stats,
	.stop = line_stop,
};

static void
peer_new(struct nif *section, unsigned port)
{
	const struct weave *v = (const struct weave *)line_modem(section);
	struct nif *n = nif_new(section->e, &weave_peer_kind, section->conf,
	    section);
	char id[24];

	if (n == NULL) {
		section->refused++;
		return;
	}
	(void)snprintf(n->name, sizeof(n->name), "WeaveInterfacePeer[%s]",
	    colons(id, v->peer[port - 1].endpoint, WEAVE_ENDPOINT));
	n->cfg = section->cfg;
	n->online = true;
	if (line_port(section, port, n) < 0 || nif_attach(n) < 0) {
		section->refused++;
		nif_free(n);
		return;
	}
	line_port_up(n);
	section->accepted++;
	log_info(n->name, "found");
}

/* Port 0 is the device; the others come and go. */
static void
weave_port(struct nif *section, unsigned port, bool up)
{
	const struct modem *m = line_modem(section);
	struct airtime a = {.how = AIRTIME_BITS,
	    .bitrate = section->cfg.bitrate};
	struct nif *n;

	/* one radio, whose duty cycle is that of all endpoints together */
	if (port == 0 && up) {
		m->kind->airtime(m, 0, &a);
		air_up(section, &a);
	}
	if (port == 0)
		nif_online(section, up);
	else if (up)
		peer_new(section, port);
	else if ((n = line_port_nif(section, port)) != NULL)
		nif_free(n);
}

/* ---- the device ---- */

static int
weave_configure(struct nif *n)
{
	struct weave_if *w;

	if (nif_configure(n, WEAVE_BITRATE) < 0 ||
	    (w = calloc(1, sizeof(*w))) == NULL)
		return -1;
	n->cfg.hw_mtu = WEAVE_MTU;
	n->cfg.mtu_signal = true;
	w->keys = (struct weave_keys){.arg = w, .sign = sign,
	    .verify = verify};
	/* who we are is nobody's business: another one at each start */
	(void)crypto_sign_keypair(w->keys.pub, w->secret);
	if (weave_init(&w->v, &w->keys) < 0) {
		free(w);
		return -1;
	}
	if (line_new(n, &w->v.m, free_weave, false) < 0) {
		forget(w);
		return -1;
	}
	return air_new(n);
}

static void
weave_stats(const struct nif *n, struct stats_if *s)
{
	const struct weave *v = (const struct weave *)line_modem(n);

	s->clients = -1;
	if (v == NULL)
		return;
	s->peers = n->clients;
	s->weave.device = true;
	s->weave.has_cpu = v->has_cpu;
	s->weave.cpu = v->cpu;
	s->weave.has_memory = v->has_memory && v->memory_all > 0 &&
	    v->memory_free <= v->memory_all;
	if (s->weave.has_memory)
		s->weave.memory = (int64_t)(10000. * (v->memory_all -
		    v->memory_free) / v->memory_all + .5) / 100.;
	if (n->online)
		(void)colons(s->weave.id, v->device, sizeof(v->device));
	if (v->has_endpoint)
		(void)colons(s->weave.endpoint, v->endpoint,
		    sizeof(v->endpoint));
}

static int
ask_line(struct nif *n, uint32_t seq)
{
	struct msg_DIAL m = {.index = n->conf->index, .seq = seq,
	    .generation = n->e->generation};

	return program_send_DIAL(&n->e->program, &m, NULL, 0);
}

const struct nif_kind weave_if_kind = {
	.name = "WeaveInterface",
	.steady = true,
	.configure = weave_configure,
	.start = opener_ask,
	.ask = ask_line,
	.opened = line_opened,
	.port = weave_port,
	.counts = line_counts,
	.stats = weave_stats,
	.stop = line_stop,
};
