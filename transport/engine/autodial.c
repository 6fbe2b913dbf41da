/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/autodial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/discovery/offers.h"
#include "transport/discovery/slots.h"
#include "transport/engine/discovery.h"
#include "transport/engine/engine.h"
#include "transport/engine/if_tcp.h"
#include "transport/engine/kinds.h"
#include "transport/engine/nif.h"
#include "transport/engine/opener.h"

#define MONITOR_S 5
#define BITRATE 5000000 /* reticulum-transport.md 7.8 */
#define IFAC_BYTES 16   /* as of every Backbone */

/* One that was offered, as if it stood in the configuration. */
struct dialled {
	struct rnsconf_if conf;
	char host[OFFER_HOST_MAX + 1], name[OFFER_TEXT + 8];
	char netname[OFFER_TEXT + 1], netkey[OFFER_TEXT + 1];
	char source[2 * RNS_HASH + 1]; /* who offers it */
	struct nif *nif; /* NULL: the slot is free */
};

struct autodial {
	struct engine *e;
	struct slots slots;
	struct dialled dialled[SLOTS_MAX];
	unsigned seconds;
};

/* ---- a kind: a TCP client whose address the parent does not know ---- */

static struct dialled *
of(const struct nif *n)
{
	return (struct dialled *)(uintptr_t)n->conf; /* its first member */
}

static int
found_configure(struct nif *n)
{
	return tcp_client_kind.configure(n);
}

static void
found_opened(struct nif *n, const struct nif_open *o)
{
	tcp_client_kind.opened(n, o);
}

static int
found_ask(struct nif *n, uint32_t seq)
{
	struct msg_DIAL_FOUND m = {.seq = seq, .port = n->conf->target_port};
	const char *host = n->conf->target_host;

	if (inet_pton(AF_INET, host, m.addr) == 1)
		m.family = 4;
	else if (inet_pton(AF_INET6, host, m.addr) == 1)
		m.family = 6;
	else
		(void)snprintf(m.host, sizeof(m.host), "%s", host);
	return program_send_DIAL_FOUND(&n->e->program, &m, NULL, 0);
}

static void
found_stats(const struct nif *n, struct stats_if *s)
{
	s->autoconnect_source = of(n)->source;
}

/* Whoever takes it away: the slot is free again. */
static void
found_stop(struct nif *n)
{
	struct dialled *d = of(n);
	struct autodial *a = n->e->autodial;

	d->nif = NULL;
	slots_release(&a->slots, (unsigned)(d - a->dialled));
}

static const struct nif_kind found_kind = {
	.name = "BackboneClientInterface",
	.carries = true,
	.configure = found_configure,
	.start = opener_ask,
	.ask = found_ask,
	.opened = found_opened,
	.send = nif_stream_send,
	.flush = nif_stream_flush,
	.stats = found_stats,
	.stop = found_stop,
};

/* ---- one more ---- */

static bool
name_taken(const struct autodial *a, const char *name)
{
	const struct nif *n;

	TAILQ_FOREACH(n, &a->e->ifs, link)
		if (nif_lasting(n) && strcmp(n->conf->name, name) == 0)
			return true;
	return false;
}

static void
choose_name(const struct autodial *a, char *out, size_t cap, const char *name)
{
	(void)snprintf(out, cap, "%s", name);
	for (unsigned n = 2; name_taken(a, out) && n < 1000; n++)
		(void)snprintf(out, cap, "%.*s (%u)", OFFER_TEXT - 8, name, n);
}

static void
fill(struct autodial *a, struct dialled *d, const struct offer_entry *entry)
{
	const struct offer *o = &entry->offer;
	const struct rnsconf *c = a->e->conf;

	memset(d, 0, sizeof(*d));
	choose_name(a, d->name, sizeof(d->name), o->name);
	memcpy(d->host, o->host, sizeof(d->host));
	memcpy(d->netname, o->netname, sizeof(d->netname));
	memcpy(d->netkey, o->netkey, sizeof(d->netkey));
	hex_encode(d->source, HASH_BYTES(entry->network_id));
	d->conf = (struct rnsconf_if){
		.index = RNSCONF_FOUND,
		.name = d->name,
		.type_text = offer_type_name(o->type),
		.type = RNSCONF_TCP_CLIENT,
		.on = true,
		.enabled = true,
		.mode = c->discovery.mode != 0 ? c->discovery.mode :
		    c->enable_transport ? RNS_MODE_GATEWAY : RNS_MODE_FULL,
		.outgoing = true,
		.bitrate = BITRATE,
		.announce_cap_permille = 20,
		.gravity = c->discovery.gravity,
		.announces_from_internal = true,
		.announces_to_internal = c->discovery.to_internal,
		.to_internal_said = c->discovery.to_internal_said,
		.network_name = *d->netname != '\0' ? d->netname : NULL,
		.passphrase = *d->netkey != '\0' ? d->netkey : NULL,
		.target_host = d->host,
		.target_port = o->port,
	};
	if (d->conf.network_name != NULL || d->conf.passphrase != NULL)
		d->conf.ifac_size = IFAC_BYTES;
}

static void
display(const struct rnsconf_if *c, char *out, size_t cap)
{
	bool v6 = strchr(c->target_host, ':') != NULL;

	(void)snprintf(out, cap, "BackboneInterface[%s/%s%s%s:%u]", c->name,
	    v6 ? "[" : "", c->target_host, v6 ? "]" : "", c->target_port);
}

/* Where the configuration connects to already. */
static bool
configured(const struct autodial *a, const struct offer *o)
{
	const struct nif *n;

	TAILQ_FOREACH(n, &a->e->ifs, link)
		if (nif_lasting(n) && n->conf->target_host != NULL &&
		    n->conf->target_port == o->port &&
		    strcmp(n->conf->target_host, o->host) == 0)
			return true;
	return false;
}

static bool
candidate(const struct autodial *a, const struct offer_entry *e)
{
	struct id32 endpoint;

	slots_endpoint(&endpoint, e->offer.host, e->offer.port);
	return offer_dialable(&e->offer, a->e->conf->discovery.unverified) &&
	    !hash16_eq(&e->offer.transport_id, &a->e->identity_hash) &&
	    !rns_blackholed(a->e->rns, &e->network_id) &&
	    !configured(a, &e->offer) && !slots_has(&a->slots, &endpoint);
}

static void
connect_to(struct autodial *a, const struct offer_entry *e)
{
	struct id32 endpoint;
	struct dialled *d;
	struct nif *n;
	int i;

	slots_endpoint(&endpoint, e->offer.host, e->offer.port);
	if ((i = slots_take(&a->slots, &endpoint, a->e->now)) < 0)
		return;
	d = &a->dialled[i];
	fill(a, d, e);
	n = nif_new(a->e, &found_kind, &d->conf, NULL);
	if (n == NULL) {
		slots_release(&a->slots, (unsigned)i);
		return;
	}
	d->nif = n;
	display(&d->conf, n->name, sizeof(n->name));
	if (n->kind->configure(n) < 0 || nif_attach(n) < 0) {
		nif_free(n);
		return;
	}
	log_notice(d->name, "discovered at %s port %u, connecting", d->host,
	    d->conf.target_port);
	n->kind->start(n);
}

void
autodial_heard(struct engine *e, const struct offer_entry *o)
{
	if (e->autodial != NULL && !e->stopping && candidate(e->autodial, o))
		connect_to(e->autodial, o);
}

/* ---- every five seconds ---- */

static void
try_known(struct autodial *a)
{
	const struct offers *all = discovery_offers(a->e->discovery);
	const struct offer_entry **list;
	size_t n, good = 0;
	int64_t now = clock_wall_us();

	list = calloc(offers_count(all) + 1, sizeof(*list));
	if (list == NULL)
		return;
	n = offers_list(all, list, now);
	for (size_t i = 0; i < n; i++)
		if (offers_age(list[i], now) == OFFER_AVAILABLE &&
		    candidate(a, list[i]))
			list[good++] = list[i];
	if (good > 0)
		connect_to(a, list[randombytes_uniform((uint32_t)good)]);
	free(list);
}

static struct nif *
nif_of(struct engine *e, const struct rnsconf_if *c)
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->conf == c && n->parent == NULL)
			return n;
	return NULL;
}

static void
bootstrap(struct autodial *a)
{
	enum slots_bootstrap what = slots_bootstrap(&a->slots);
	struct rnsconf *c = a->e->ifconf;
	struct nif *n;

	for (unsigned i = 0; i < c->nifs && what != BOOTSTRAP_AS_IT_IS; i++) {
		if (!c->ifs[i].enabled || !c->ifs[i].bootstrap_only)
			continue;
		n = nif_of(a->e, &c->ifs[i]);
		if (what == BOOTSTRAP_OFF && n != NULL) {
			log_notice(c->ifs[i].name, "taken down: %u discovered "
			    "interfaces are online (bootstrap_only)",
			    slots_up(&a->slots));
			nif_free(n);
		} else if (what == BOOTSTRAP_ON && n == NULL &&
		    (n = kinds_create(a->e, &c->ifs[i])) != NULL) {
			log_notice(c->ifs[i].name, "made again: no discovered "
			    "interface is online (bootstrap_only)");
			if (n->kind->start != NULL)
				n->kind->start(n);
		}
	}
}

static void
monitor(struct autodial *a)
{
	int i;

	while ((i = slots_overdue(&a->slots, a->e->now)) >= 0) {
		log_notice(a->dialled[i].name, "given up: not online for "
		    "%d s", (int)(SLOTS_DOWN_US / MONO_SECOND));
		nif_free(a->dialled[i].nif);
	}
	bootstrap(a);
	if (slots_hungry(&a->slots))
		try_known(a);
}

void
autodial_tick(struct autodial *a)
{
	if (a == NULL || a->e->stopping)
		return;
	for (unsigned i = 0; i < a->slots.max; i++)
		if (a->dialled[i].nif != NULL)
			slots_online(&a->slots, i, a->dialled[i].nif->online,
			    a->e->now);
	if (++a->seconds % MONITOR_S == 0)
		monitor(a);
}

struct autodial *
autodial_new(struct engine *e)
{
	struct autodial *a;

	if (!e->conf->discovery.listen || e->conf->discovery.autoconnect == 0 ||
	    (a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	a->e = e;
	slots_init(&a->slots, e->conf->discovery.autoconnect);
	return a;
}

void
autodial_free(struct autodial *a)
{
	if (a == NULL)
		return;
	explicit_bzero(a, sizeof(*a));
	free(a);
}
