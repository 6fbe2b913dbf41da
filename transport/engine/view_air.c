/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/view_air.h"

#include "common/clock.h"
#include "transport/engine/air.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/view_radio.h"
#include "transport/modem/airq.h"

static void
set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static json_t *
num(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
ms(int64_t us)
{
	return json_integer(us / 1000);
}

/* From now on; null: never, or nothing waits. */
static json_t *
in_ms(struct mono at, struct mono now)
{
	return at.us == INT64_MAX ? json_null() :
	    ms(at.us > now.us ? at.us - now.us : 0);
}

/* By kind, what there was of it, in both directions. */
static json_t *
kinds_json(const struct nif *n)
{
	json_t *o = json_object();
	struct rns_if_stats s;

	nif_stats(n, &s);
	for (unsigned k = 0; k < RNS_KINDS; k++)
		if (s.rx_kinds[k].packets + s.tx_kinds[k].packets > 0)
			set(o, airq_kind_name(k), json_pack("{s:o, s:o, s:o, "
			    "s:o}", "rx_packets", num(s.rx_kinds[k].packets),
			    "rx_bytes", num(s.rx_kinds[k].bytes),
			    "tx_packets", num(s.tx_kinds[k].packets),
			    "tx_bytes", num(s.tx_kinds[k].bytes)));
	return o;
}

static json_t *
class_json(enum rns_kind kind, const struct airq_class *c, struct mono now)
{
	json_t *drops = json_object(), *o;

	for (unsigned d = 0; d < AIRQ_DROPS; d++)
		if (c->drops[d] > 0)
			set(drops, airq_drop_name(d), num(c->drops[d]));
	o = json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
	    airq_kind_name(kind), "waiting", (json_int_t)c->packets,
	    "waiting_bytes", num(c->bytes), "tx_frames", num(c->tx.frames),
	    "tx_ms", ms(c->tx.air_us), "rx_frames", num(c->rx.frames),
	    "rx_ms", ms(c->rx.air_us), "drops", drops);
	if (c->packets > 0) {
		set(o, "why", json_string(airq_why_text(c->why)));
		set(o, "next_ms", in_ms(c->at, now));
	}
	return o;
}

static json_t *
air_json(const struct nif *n)
{
	json_t *o = json_object(), *classes = json_array();
	struct mono now = clock_mono();
	struct airq_view v;

	airq_view(n->medium->q, &v, now);
	for (unsigned k = 0; k < RNS_KINDS; k++)
		(void)json_array_append_new(classes,
		    class_json(k, &v.of[k], now));
	set(o, "classes", classes);
	set(o, "next_ms", in_ms(v.due, now));
	if (v.limit_us == 0)
		return o;
	set(o, "window_s", json_integer(v.window_us / MONO_SECOND));
	set(o, "limit_ms", ms(v.limit_us));
	set(o, "used_ms", ms(v.used_us));
	set(o, "announces_ms", ms(v.announces_us));
	set(o, "jobs_ms", ms(v.jobs_us));
	return o;
}

void
view_air(json_t *o, const struct nif *n)
{
	set(o, "kinds", kinds_json(n));
	if (n->medium != NULL)
		set(o, "airtime", air_json(n));
}

void
view_air_about(json_t *answer, const struct engine *e,
    const struct hash16 *dest)
{
	json_t *list = json_array();
	struct mono now = clock_mono();
	struct airq_class c;
	const struct nif *n;
	uint32_t waiting;
	json_t *o;

	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->medium == NULL ||
		    (waiting = airq_about(n->medium->q, dest, &c, now)) == 0)
			continue;
		o = json_pack("{s:s, s:I, s:s, s:o}", "interface", n->name,
		    "waiting", (json_int_t)waiting, "why",
		    airq_why_text(c.why), "next_ms", in_ms(c.at, now));
		/* of one radio of several it is the device's */
		if (o != NULL)
			view_remark(o, n->remark == NULL && n->parent != NULL ?
			    n->parent : n);
		(void)json_array_append_new(list, o);
	}
	if (json_array_size(list) > 0)
		set(answer, "air", json_incref(list));
	json_decref(list);
}
