/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/door.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/callers.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"

#define TCP_FIRST_PAUSE_S 10 /* ours */

static struct nif *
nif_of(const struct guest *g)
{
	return (struct nif *)((uintptr_t)g - offsetof(struct nif, guest));
}

static enum caller_worth
worth(const struct guest *g, struct mono now)
{
	const struct nif *n = nif_of(g);
	struct rns_if_use use = {.useful = {-1}, .linked = {-1}};

	(void)rns_if_use(n->e->rns, n->id, &use);
	return callers_worth(&use, now);
}

void
door_init(struct engine *e)
{
	callers_init(&e->callers, worth);
}

/*
 * As the reference's Backbone does (reticulum-transport.md 10.4). Its TCP
 * server takes everybody; ours keeps out those that bring nothing, and at
 * first only for a moment.
 */
static struct flap_rule
rule_of(const struct rnsconf_if *c)
{
	bool tcp = c->type == RNSCONF_TCP_SERVER;

	return (struct flap_rule){
		.on = c->block_flapping,
		.silent_only = tcp,
		.grace = c->flap_grace,
		.threshold_us = MONO_SECOND * c->flap_threshold_s,
		.block_us = 60 * MONO_SECOND * c->flap_block_min,
		.first_us = tcp ? TCP_FIRST_PAUSE_S * MONO_SECOND : 0,
	};
}

static bool
refuse(struct nif *server, const struct sockaddr_storage *sa, uint64_t *count,
    const char *why)
{
	char from[80];

	server->refused++;
	/* the first of each kind is news; `status` counts on */
	if ((*count)++ == 0) {
		door_address(sa, from, sizeof(from));
		log_notice(server->conf->name, "%s refused: %s (the first; "
		    "`warren status` counts them)", from, why);
	}
	return false;
}

bool
door_ask(struct nif *server, const struct sockaddr_storage *sa)
{
	struct flap_rule rule = rule_of(server->conf);
	struct door_counts *c = &server->door;
	struct guest *out;

	switch (callers_ask(&server->e->callers, sa, &rule, server,
	    clock_mono(), &out)) {
	case CALL_FLAPPING:
		return refuse(server, sa, &c->flapping, "its connections ended "
		    "soon after they began");
	case CALL_SHARE:
		return refuse(server, sa, &c->share, "this address has its "
		    "share of the places");
	case CALL_FULL:
		return refuse(server, sa, &c->full, "all places are taken");
	case CALL_TAKE:
		break;
	}
	if (out != NULL) {
		static const char *const what[] = {"never sent a packet",
		    "is of no use, or not yet", "is of use, but of an address "
		    "that has many", "bears a link, but of an address that "
		    "has most"};
		enum caller_worth was = worth(out, clock_mono());
		struct nif *n = nif_of(out);

		/* not its own doing, and so no flap */
		rule.on = false;
		callers_went(&server->e->callers, out, &rule, clock_mono());
		n->parent->door.put_out++;
		n->parent->door.put_out_useful += was >= WORTH_USEFUL;
		if (nif_visit_said(n))
			log_info(n->name, "put out: it %s, and another wants "
			    "the place", what[was]);
		nif_free(n);
	}
	return true;
}

void
door_came(struct nif *n, const struct sockaddr_storage *sa)
{
	callers_came(&n->e->callers, &n->guest, sa, n->parent, clock_mono());
}

void
door_went(struct nif *n)
{
	struct flap_rule rule = rule_of(n->conf);

	/* that we close is nobody's flap */
	if (n->e->stopping || n->taken_down)
		rule.on = false;
	callers_went(&n->e->callers, &n->guest, &rule, clock_mono());
}

void
door_text(const uint8_t addr[16], char *out)
{
	struct in6_addr v6;
	bool v4;

	memcpy(&v6, addr, sizeof(v6));
	v4 = IN6_IS_ADDR_V4MAPPED(&v6);
	if (inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, out,
	    INET6_ADDRSTRLEN) == NULL)
		*out = '\0';
}

void
door_json(const struct nif *n, json_t *o)
{
	const struct door_counts *c = &n->door;
	char text[INET6_ADDRSTRLEN];
	json_t *blocked = json_array();
	unsigned at = 0;
	uint8_t a[16];

	while (callers_blocked(&n->e->callers, clock_mono(), &at, a)) {
		door_text(a, text);
		(void)json_array_append_new(blocked, json_string(text));
	}
	(void)json_object_set_new(o, "refused_flapping",
	    json_integer((json_int_t)c->flapping));
	(void)json_object_set_new(o, "refused_share",
	    json_integer((json_int_t)c->share));
	(void)json_object_set_new(o, "refused_full",
	    json_integer((json_int_t)c->full));
	(void)json_object_set_new(o, "put_out",
	    json_integer((json_int_t)c->put_out));
	(void)json_object_set_new(o, "put_out_useful",
	    json_integer((json_int_t)c->put_out_useful));
	(void)json_object_set_new(o, "blocked", blocked);
}

void
door_address(const struct sockaddr_storage *sa, char *out, size_t cap)
{
	char ip[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	if (sa->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		(void)snprintf(out, cap, "%s:%u", ip, ntohs(v4->sin_port));
	} else if (sa->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		(void)snprintf(out, cap, "[%s]:%u", ip, ntohs(v6->sin6_port));
	} else {
		(void)snprintf(out, cap, "?");
	}
}
