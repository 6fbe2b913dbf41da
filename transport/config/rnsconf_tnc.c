/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <string.h>

/* KISSInterface, AX25KISSInterface: reticulum-transport.md 10.7 */
#define PREAMBLE_MS 350
#define TXTAIL_MS 20
#define PERSISTENCE 64
#define SLOTTIME_MS 20
#define MS_MOST 2550 /* a TNC is told tens of them in a byte */
#define CALL_LEAST 3
#define CALL_MOST 6
#define ID_CALL_MOST 64 /* ours; the reference has no bound */

static const struct knob knobs[] = {
	{"flow_control", K_BOOL, FIELD(rnsconf_if, tnc.flow_control), 0, 0},
};

static const struct knob beacon_knobs[] = {
	{"id_callsign", K_TEXT, FIELD(rnsconf_if, tnc.id_callsign), 0, 0},
};

/* Clamped to what a TNC can be told in a byte, as by the reference. */
static uint32_t
clamped(struct reader *r, const char *key, uint32_t value, int64_t most)
{
	int64_t v;

	if (conf_get_int(&r->v, key, INT32_MIN, UINT32_MAX, &v) <= 0)
		return value;
	if (v < 0 || v > most)
		rnsconf_note(r, conf_line(&r->v, key), "", "%s: %s = %lld: "
		    "%lld is used, a TNC knows no %s", r->where, key,
		    (long long)v, (long long)(v < 0 ? 0 : most),
		    v < 0 ? "less" : "more");
	return (uint32_t)(v < 0 ? 0 : MIN_OF(v, most));
}

static void
read_tnc(struct reader *r, struct rnsconf_if *i)
{
	struct rnsconf_tnc *t = &i->tnc;

	rnsconf_read_port(r, i, true);
	t->preamble_ms = clamped(r, "preamble", PREAMBLE_MS, MS_MOST);
	t->txtail_ms = clamped(r, "txtail", TXTAIL_MS, MS_MOST);
	t->slottime_ms = clamped(r, "slottime", SLOTTIME_MS, MS_MOST);
	t->persistence = clamped(r, "persistence", PERSISTENCE, UINT8_MAX);
	rnsconf_knobs(r, knobs, NELEM(knobs), i);
}

void
rnsconf_read_kiss(struct reader *r, struct rnsconf_if *i)
{
	struct rnsconf_tnc *t = &i->tnc;

	read_tnc(r, i);
	(void)rnsconf_id_interval(r, UINT32_MAX, &t->id_interval_s);
	rnsconf_knobs(r, beacon_knobs, NELEM(beacon_knobs), i);
	if (t->id_callsign != NULL && strlen(t->id_callsign) > ID_CALL_MOST)
		mistake_add(r->v.m, conf_line(&r->v, "id_callsign"), 1,
		    "at most 64 bytes", "%s: id_callsign is too long",
		    r->where);
	else if (t->id_interval_s != 0 && t->id_callsign == NULL)
		rnsconf_note(r, conf_line(&r->v, "id_interval"), "add "
		    "id_callsign = your callsign", "%s: 15 zero bytes are "
		    "sent each id_interval: there is no id_callsign",
		    r->where);
	else if (t->id_callsign != NULL &&
	    conf_entry(r->v.sec, "id_interval") == NULL)
		rnsconf_note(r, conf_line(&r->v, "id_callsign"), "add "
		    "id_interval = 600: seconds after the first packet",
		    "%s: id_callsign is never sent: there is no id_interval",
		    r->where);
}

/* As the reference: any characters; what no station is called is a note. */
static void
read_callsign(struct reader *r, struct rnsconf_if *i)
{
	unsigned line = conf_line(&r->v, "callsign");
	const char *v;
	size_t len;
	bool odd = false, bad = false;

	switch (conf_get_text(&r->v, "callsign", &v)) {
	case 0:
		rnsconf_missing(r, i, "callsign", "N0CALL");
		return;
	case 1:
		break;
	default:
		return;
	}
	len = strlen(v);
	for (size_t k = 0; k < len; k++) {
		bad = bad || v[k] < ' ' || v[k] >= 0x7f;
		odd = odd || !((v[k] >= '0' && v[k] <= '9') ||
		    ((v[k] | 0x20) >= 'a' && (v[k] | 0x20) <= 'z'));
	}
	if (len < CALL_LEAST || len > CALL_MOST || bad)
		mistake_add(r->v.m, line, 1, "three to six letters and "
		    "digits; what stands behind a dash is ssid", "%s: "
		    "callsign \"%.60s\" is none", r->where, v);
	else if (odd)
		rnsconf_note(r, line, "letters and digits", "%s: callsign "
		    "\"%.60s\" is an odd one", r->where, v);
	i->tnc.callsign = v;
}

void
rnsconf_read_ax25(struct reader *r, struct rnsconf_if *i)
{
	int64_t ssid;

	read_tnc(r, i);
	read_callsign(r, i);
	switch (conf_get_int(&r->v, "ssid", 0, 15, &ssid)) {
	case 0:
		rnsconf_missing(r, i, "ssid", "0");
		return;
	case 1:
		i->tnc.ssid = (uint32_t)ssid;
		return;
	default:
		return;
	}
}
