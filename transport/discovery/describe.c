/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/discovery/describe.h"

#include <stdio.h>
#include <string.h>

static bool
type_of(enum offer_type *t, const struct rnsconf_if *c)
{
	if (c->type == RNSCONF_TCP_CLIENT) {
		*t = OFFER_KISS; /* a modem behind TCP */
		return c->kiss_framing;
	}
	return offer_type_of(t, c->type_text, strlen(c->type_text));
}

static void
radio(struct offer *o, const struct rnsconf_offer *c)
{
	o->numbered[OFFER_FREQUENCY] = true;
	o->number[OFFER_FREQUENCY] = c->frequency;
	o->numbered[OFFER_BANDWIDTH] = true;
	o->number[OFFER_BANDWIDTH] = c->bandwidth;
	offer_say(o->modulation, c->modulation != NULL ? c->modulation : "");
	if (*o->modulation == '\0')
		o->numbered[OFFER_MODULATION] = true; /* as 0 */
}

/* How to hear and be heard there; its own keys say it. */
static void
rnode(struct offer *o, const struct rnsconf_radio *f)
{
	const uint64_t number[] = {[OFFER_FREQUENCY] = f->frequency,
	    [OFFER_BANDWIDTH] = f->bandwidth, [OFFER_SF] = f->sf,
	    [OFFER_CR] = f->cr};

	for (unsigned i = OFFER_FREQUENCY; i <= OFFER_CR; i++) {
		o->numbered[i] = true;
		o->number[i] = number[i];
	}
}

/* Names fit: offer_host_ok() has said so. */
static bool
host(struct offer *o, const char *at)
{
	if (at == NULL || !offer_host_ok(at, strlen(at)))
		return false;
	(void)snprintf(o->host, sizeof(o->host), "%.*s", OFFER_HOST_MAX, at);
	return true;
}

/* How it is reached, by its type. */
static bool
reach(struct offer *o, const struct rnsconf_if *c,
    const struct describe_node *n)
{
	switch (o->type) {
	case OFFER_KISS:
	case OFFER_WEAVE: /* whose channel is never given, and goes as nil */
		radio(o, &c->offer);
		return true;
	case OFFER_RNODE:
		rnode(o, &c->radios[0]);
		return true;
	case OFFER_I2P:
		return !c->connectable || n->b32 == NULL || host(o, n->b32);
	case OFFER_BACKBONE:
	case OFFER_TCP_SERVER:
		o->port = c->listen_port;
		return o->port != 0 && host(o, c->offer.reachable_cmd != NULL ?
		    n->host : c->offer.reachable_on);
	default:
		return false;
	}
}

bool
describe_offer(struct offer *o, const struct rnsconf_if *c,
    const struct describe_node *n)
{
	const struct rnsconf_offer *s = &c->offer;
	bool asked = s->location_cmd != NULL && n->placed != NULL;

	memset(o, 0, sizeof(*o));
	if (!type_of(&o->type, c))
		return false;
	o->transport = n->transport;
	o->transport_id = n->transport_id;
	offer_say(o->name, s->name != NULL ? s->name : c->name);
	offer_say(o->impl, OFFER_IMPL);
	offer_say(o->version, n->version);
	memcpy(o->placed, asked ? n->placed : s->placed, sizeof(o->placed));
	memcpy(o->place, asked ? n->place : s->place, sizeof(o->place));
	o->has_operator = s->has_operator;
	o->operator_lxmf = s->operator_lxmf;
	if (s->publish_ifac) {
		offer_say(o->netname, c->network_name != NULL ? c->network_name :
		    "");
		offer_say(o->netkey, c->passphrase != NULL ? c->passphrase : "");
	}
	return reach(o, c, n);
}
