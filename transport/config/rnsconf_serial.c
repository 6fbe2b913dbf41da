/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/config/rnsconf_read.h"

#include <string.h>
#include <strings.h>

/* What has a serial port: reticulum-transport.md 10.6, 10.7 */
#define SPEED 9600
#define SPEED_MOST 20000000 /* ours */
#define DATABITS 8
#define STOPBITS 1

static const struct knob knobs[] = {
	{"speed", K_INT, FIELD(rnsconf_if, speed), 1, SPEED_MOST},
	{"databits", K_INT, FIELD(rnsconf_if, databits), 5, 8},
	{"stopbits", K_INT, FIELD(rnsconf_if, stopbits), 1, 2},
};

/* Reticulum takes what it does not know for none. */
static void
read_parity(struct reader *r, struct rnsconf_if *i)
{
	const char *v;

	if (conf_get_text(&r->v, "parity", &v) <= 0)
		return;
	if (strcasecmp(v, "e") == 0 || strcasecmp(v, "even") == 0)
		i->parity = 'E';
	else if (strcasecmp(v, "o") == 0 || strcasecmp(v, "odd") == 0)
		i->parity = 'O';
	else if (strcasecmp(v, "n") != 0 && strcasecmp(v, "none") != 0)
		rnsconf_note(r, conf_line(&r->v, "parity"), "N, E or O",
		    "%s: unknown parity \"%.60s\", none is used", r->where, v);
}

void
rnsconf_read_port(struct reader *r, struct rnsconf_if *i, bool settings)
{
	i->speed = SPEED;
	i->databits = DATABITS;
	i->stopbits = STOPBITS;
	i->parity = 'N';
	if (settings) {
		rnsconf_knobs(r, knobs, NELEM(knobs), i);
		read_parity(r, i);
	}
	switch (conf_get_text(&r->v, "port", &i->tty)) {
	case 0:
		rnsconf_missing(r, i, "port", "/dev/ttyUSB0");
		return;
	case 1:
		break;
	default:
		return;
	}
	if (i->tty[0] != '/')
		mistake_add(r->v.m, conf_line(&r->v, "port"), 1, "the whole "
		    "path, such as /dev/ttyUSB0; those in /dev/serial/by-id "
		    "stay the same", "%s: port \"%.60s\" is no path", r->where,
		    i->tty);
}

void
rnsconf_read_serial(struct reader *r, struct rnsconf_if *i)
{
	rnsconf_read_port(r, i, true);
}
