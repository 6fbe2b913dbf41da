/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/view_radio.h"

#include "common/clock.h"
#include "transport/engine/linesaid.h"
#include "transport/engine/nif.h"

static void
set(json_t *o, const char *key, json_t *v)
{
	(void)json_object_set_new(o, key, v);
}

static json_t *
radio_json(const struct stats_radio *r)
{
	json_t *o = json_pack("{s:f, s:f, s:f, s:f}", "sent_15s_percent",
	    r->air_short, "sent_1h_percent", r->air_long,
	    "busy_15s_percent", r->load_short, "busy_1h_percent",
	    r->load_long);

	if (o == NULL)
		return NULL;
	if (r->has_noise)
		set(o, "noise_dbm", json_integer(r->noise_dbm));
	if (r->disturbed)
		set(o, "interference_dbm", json_integer(r->disturbed_dbm));
	if (r->has_temp)
		set(o, "celsius", json_integer(r->temp));
	if (r->battery != NULL) {
		set(o, "battery", json_string(r->battery));
		set(o, "battery_percent", json_integer(r->battery_percent));
	}
	return o;
}

void
view_remark(json_t *o, const struct nif *n)
{
	const int64_t ago = mono_sub(clock_mono(), n->remarked);

	/* as long as the log keeps it back: it may be over since */
	if (n->remark == NULL || ago >= LINESAID_US)
		return;
	set(o, "remark", json_string(n->remark));
	set(o, "remark_s", json_integer(ago / MONO_SECOND));
}

void
view_radio(json_t *o, const struct nif *n)
{
	struct stats_if s = {.name = n->name};

	if (n->kind->stats == NULL)
		return;
	n->kind->stats(n, &s);
	if (s.radio.on && n->online)
		set(o, "radio", radio_json(&s.radio));
}
