/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <stdlib.h>
#include <string.h>

/* Interfaces of others: reticulum-transport.md 7.8, 11.3. */
#define REQUIRED_DEFAULT 16 /* bits */
#define REQUIRED_MOST 255
#define AUTOCONNECT_MOST 64 /* ours */

static void
read_hashes(struct reader *r, const char *key, struct hash16 **list,
    unsigned *n)
{
	struct conf_entry *e = conf_ask(&r->v, key);
	const char *v;

	if (e == NULL || e->n == 0)
		return;
	if ((*list = calloc(e->n, sizeof(**list))) == NULL) {
		rnsconf_no_memory(r);
		return;
	}
	for (unsigned i = 0; i < e->n; i++) {
		v = conf_value(r->v.tree, r->v.sec, e, i, r->v.m);
		if (v != NULL && !hex_decode((*list)[i].b,
		    sizeof((*list)[i].b), v, strlen(v)))
			mistake_add(r->v.m, e->line, 1, "the hash of a network "
			    "identity: 32 hex digits", "\"%s\" cannot be "
			    "\"%.80s\"", key, v);
	}
	*n = e->n;
}

static void
read_autoconnect(struct reader *r, struct rnsconf_discovery *d)
{
	const char *mode;
	int64_t n;

	if (conf_get_int(&r->v, "autoconnect_discovered_interfaces", 0,
	    INT32_MAX, &n) > 0)
		d->autoconnect = (unsigned)MIN_OF(n, AUTOCONNECT_MOST);
	(void)conf_get_bool(&r->v, "autoconnect_unverified_implementations",
	    &d->unverified);
	if (conf_get_int(&r->v, "autoconnect_interface_gravity", INT32_MIN,
	    INT32_MAX, &n) > 0)
		d->gravity = (int32_t)n;
	d->to_internal_said = conf_get_bool(&r->v,
	    "autoconnect_announces_to_internal", &d->to_internal) > 0;
	if (conf_get_text(&r->v, "autoconnect_interface_mode", &mode) > 0)
		d->mode = rnsconf_mode(r, "autoconnect_interface_mode", mode);
	if (d->autoconnect > 0 && !d->listen)
		rnsconf_note(r, conf_line(&r->v,
		    "autoconnect_discovered_interfaces"),
		    "add discover_interfaces = yes", "%s: nothing is "
		    "connected to that is not discovered", r->where);
}

void
rnsconf_read_discovery(struct reader *r)
{
	struct rnsconf_discovery *d = &r->c->discovery;
	int64_t n;

	d->required = REQUIRED_DEFAULT;
	(void)conf_get_bool(&r->v, "discover_interfaces", &d->listen);
	if (conf_get_int(&r->v, "required_discovery_value", INT32_MIN,
	    INT32_MAX, &n) > 0 && n > 0)
		d->required = (unsigned)MIN_OF(n, REQUIRED_MOST);
	read_hashes(r, "interface_discovery_sources", &d->sources,
	    &d->nsources);
	read_autoconnect(r, d);
}
