/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_serial.h"

#include <stdlib.h>

#include "transport/engine/line.h"
#include "transport/engine/opener.h"
#include "transport/modem/serial.h"

static void
free_serial(struct modem *m)
{
	serial_clear((struct serial *)m);
	free(m);
}

static int
serial_configure(struct nif *n)
{
	struct serial *s;

	if (nif_configure(n, n->conf->speed) < 0)
		return -1;
	n->cfg.hw_mtu = SERIAL_MTU;
	n->cfg.announces_unlimited = true;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	if (serial_init(s, nif_frame_limit(n)) < 0) {
		free(s);
		return -1;
	}
	if (line_new(n, &s->m, free_serial, true) < 0) {
		free_serial(&s->m);
		return -1;
	}
	return 0;
}

const struct nif_kind serial_if_kind = {
	.name = "SerialInterface",
	.carries = true,
	.steady = true,
	.configure = serial_configure,
	.start = opener_ask,
	.opened = line_opened,
	.take = line_take,
	.flush = line_flush,
	.waiting = line_waiting,
	.counts = line_counts,
	.stop = line_stop,
};
