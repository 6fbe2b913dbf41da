/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_kiss.h"

#include <stdio.h>
#include <stdlib.h>

#include "transport/engine/line.h"
#include "transport/engine/opener.h"
#include "transport/modem/kiss.h"

#define KISS_BITRATE 1200 /* reticulum-transport.md 8.3 */

static void
free_kiss(struct modem *m)
{
	free(m);
}

static int
kiss_configure(struct nif *n)
{
	const struct rnsconf_tnc *t = &n->conf->tnc;
	struct kiss_conf c = {.preamble_ms = t->preamble_ms,
	    .txtail_ms = t->txtail_ms, .slottime_ms = t->slottime_ms,
	    .persistence = (uint8_t)t->persistence,
	    .flow_control = t->flow_control,
	    .id_interval_us = t->id_interval_s * MONO_SECOND};
	struct kiss *k;

	if (t->id_callsign != NULL)
		(void)snprintf(c.id_callsign, sizeof(c.id_callsign), "%s",
		    t->id_callsign);
	if (t->callsign != NULL)
		c.ax25 = ax25_header(c.header, t->callsign, t->ssid);
	if (nif_configure(n, KISS_BITRATE) < 0)
		return -1;
	n->cfg.hw_mtu = KISS_MTU;
	n->cfg.announces_unlimited = true;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return -1;
	kiss_init(k, &c, nif_frame_limit(n));
	if (line_new(n, &k->m, free_kiss, false) < 0) {
		free(k);
		return -1;
	}
	return 0;
}

#define KIND(type)                                                             \
	{                                                                      \
		.name = type, .carries = true, .steady = true,                 \
		.configure = kiss_configure, .start = opener_ask,              \
		.opened = line_opened, .take = line_take, .flush = line_flush, \
		.waiting = line_waiting, .counts = line_counts,                \
		.stop = line_stop,                                             \
	}

const struct nif_kind kiss_if_kind = KIND("KISSInterface");
const struct nif_kind ax25_if_kind = KIND("AX25KISSInterface");
