/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/view_disc.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/jsonhex.h"
#include "common/wire.h"
#include "transport/core/base/stamp.h"
#include "transport/engine/discovery.h"
#include "transport/engine/engine.h"
#include "transport/engine/views.h"

#define A_LINE 16 /* well below CONTROL_LINE_MAX */

static void
set_text(json_t *o, const char *key, const char *s)
{
	json_t *j = *s != '\0' ? json_string(s) : NULL;

	if (j != NULL)
		(void)json_object_set_new(o, key, j);
}

static void
set_number(json_t *o, const char *key, const struct offer *f,
    enum offer_number i)
{
	if (f->numbered[i])
		(void)json_object_set_new(o, key,
		    json_integer((json_int_t)f->number[i]));
}

static json_t *
offer_json(const struct offer_entry *e, int64_t now)
{
	static const char *places[] = {"latitude", "longitude", "height"};
	const struct offer *f = &e->offer;
	json_t *o;

	o = json_pack("{s:s, s:s, s:s, s:b, s:i, s:f, s:o, s:o, s:I, s:I}",
	    "name", f->name, "type", offer_type_name(f->type), "status",
	    offer_age_name(offers_age(e, now)), "transport", f->transport,
	    "hops", e->hops, "value", (double)e->value / STAMP_BIT,
	    "transport_id", json_hex(HASH_BYTES(f->transport_id)),
	    "network_id", json_hex(HASH_BYTES(e->network_id)), "heard_s",
	    (json_int_t)((now - e->heard_us) / 1000000), "heard_count",
	    (json_int_t)e->heard_count + 1);
	set_text(o, "implementation", f->impl);
	set_text(o, "version", f->version);
	set_text(o, "reachable_on", f->host);
	if (f->port != 0)
		(void)json_object_set_new(o, "port", json_integer(f->port));
	for (unsigned i = 0; i < OFFER_PLACES; i++)
		if (f->placed[i])
			(void)json_object_set_new(o, places[i],
			    json_real(f->place[i]));
	set_number(o, "frequency", f, OFFER_FREQUENCY);
	set_number(o, "bandwidth", f, OFFER_BANDWIDTH);
	set_text(o, "network_name", f->netname);
	set_text(o, "passphrase", f->netkey);
	return o;
}

static json_t *
drops_json(const struct discovery *d)
{
	json_t *o = json_object();
	uint64_t n;

	for (unsigned i = 0; i < OFFER_DROPS; i++)
		if ((n = discovery_drops(d, (enum offer_drop)i)) > 0)
			(void)json_object_set_new(o, offer_drop_text(
			    (enum offer_drop)i), json_integer((json_int_t)n));
	return o;
}

/* It may change between two lines: go on behind the last number shown. */
json_t *
discovered_next(struct view *v, bool *end)
{
	const struct discovery *d = v->e->discovery;
	uint32_t shown = v->started ? get_u32(v->after.b) : 0;
	const struct offer_entry **list = NULL;
	json_t *out = json_array();
	int64_t now = clock_wall_us();
	size_t n = 0;

	if (d != NULL && (list = calloc(offers_count(discovery_offers(d)) + 1,
	    sizeof(*list))) != NULL)
		n = offers_list(discovery_offers(d), list, now);
	for (unsigned i = 0; i < A_LINE && shown < n; i++)
		(void)json_array_append_new(out, offer_json(list[shown++],
		    now));
	*end = shown >= n;
	free(list);
	put_u32(v->after.b, shown);
	v->started = true;
	return json_pack("{s:o, s:b, s:o}", "discovered", out, "listening",
	    d != NULL, "refused", d != NULL ? drops_json(d) : json_object());
}
