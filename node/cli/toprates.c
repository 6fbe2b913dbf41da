/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/toprates.h"

#include <string.h>

#include "common/util.h"
#include "node/cli/ask.h"

static double
rate(const json_t *before, const json_t *now, const char *key, double seconds)
{
	json_int_t a = ask_int(before, key), b = ask_int(now, key);

	if (b < a)
		a = 0;
	return seconds > 0 ? (double)(b - a) / seconds : 0;
}

/* The same interface in the look before; NULL: it is new. */
static const json_t *
before_of(const json_t *list, const json_t *n)
{
	const char *name = json_string_value(json_object_get(n, "name"));
	const json_t *o;
	size_t i;

	json_array_foreach((json_t *)list, i, o) {
		const char *s = json_string_value(json_object_get(o, "name"));

		if (name != NULL && s != NULL && strcmp(s, name) == 0)
			return o;
	}
	return NULL;
}

static json_t *
interface_rates(const json_t *was, const json_t *n, double s)
{
	/* one that is new has brought all that it counts since then */
	return json_pack("{s:O?, s:O?, s:O?, s:O?, s:O?, s:f, s:f, s:f, s:f, "
	    "s:f}", "name", json_object_get(n, "name"), "section",
	    json_object_get(n, "section"), "online",
	    json_object_get(n, "online"), "held", json_object_get(n, "held"),
	    "announce_queue", json_object_get(n, "announce_queue"), "rx_bps",
	    8 * rate(was, n, "rx_bytes", s), "tx_bps",
	    8 * rate(was, n, "tx_bytes", s), "rx_pps",
	    rate(was, n, "rx_packets", s), "tx_pps",
	    rate(was, n, "tx_packets", s), "drops",
	    rate(was, n, "rx_drops", s) + rate(was, n, "tx_drops", s));
}

static json_t *
all_interfaces(const json_t *before, const json_t *now, double s)
{
	json_t *out = json_array();
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)now, i, n)
		if (json_object_get(n, "skipped") == NULL)
			(void)json_array_append_new(out, interface_rates(
			    before_of(before, n), n, s));
	return out;
}

/* Those that happened meanwhile. */
static json_t *
drop_rates(const json_t *before, const json_t *now, double s)
{
	json_t *out = json_object(), *v;
	const char *key;
	double r;

	json_object_foreach((json_t *)now, key, v)
		if ((r = rate(before, now, key, s)) > 0)
			(void)json_object_set_new(out, key, json_real(r));
	return out;
}

json_t *
toprates(const json_t *before, const json_t *now, double s)
{
	static const char *const keys[] = {"rx_packets", "tx_packets",
	    "relayed", "announces"};
	const json_t *a = json_object_get(before, "status");
	const json_t *b = json_object_get(now, "status");
	const json_t *node = json_object_get(now, "node");
	const json_t *counts = json_object_get(b, "counts");
	json_t *packets = json_object(), *out;

	for (size_t i = 0; i < NELEM(keys); i++)
		(void)json_object_set_new(packets, keys[i], json_real(rate(
		    json_object_get(a, "counts"), counts, keys[i], s)));
	out = json_pack("{s:f, s:O?, s:O?, s:o, s:o, s:o}", "seconds", s,
	    "uptime_s", json_object_get(b, "uptime_s"), "counts", counts,
	    "packets", packets, "drops", drop_rates(json_object_get(a, "drops"),
	    json_object_get(b, "drops"), s), "interfaces", all_interfaces(
	    json_object_get(before, "interfaces"),
	    json_object_get(now, "interfaces"), s));
	if (out != NULL && node != NULL)
		(void)json_object_set_new(out, "jobs", json_pack(
		    "{s:O?, s:O?, s:O?, s:O?}", "accepting",
		    json_object_get(node, "accepting"), "running",
		    json_object_get(node, "running"), "queued",
		    json_object_get(node, "queued"), "held",
		    json_object_get(node, "held")));
	return out;
}
