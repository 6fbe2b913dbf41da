/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/if_rnode.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "transport/engine/line.h"
#include "transport/engine/opener.h"
#include "transport/modem/airtime.h"
#include "transport/modem/rnode.h"

static void
free_rnode(struct modem *m)
{
	free(m);
}

static struct rnode *
rnode_new(const struct rnsconf_if *c)
{
	struct rnode_conf conf = {
		.multi = c->type == RNSCONF_RNODE_MULTI,
		.tcp = c->tty == NULL,
		.callsign = c->id_callsign,
		.id_interval_s = c->id_interval_s,
		.nradios = c->nradios,
	};
	struct rnode *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	for (unsigned i = 0; i < c->nradios; i++) {
		const struct rnsconf_radio *f = &c->radios[i];

		conf.want[i] = (struct rnode_want){
			.vport = f->vport,
			.frequency = f->frequency,
			.bandwidth = f->bandwidth,
			.txpower = f->txpower,
			.sf = f->sf,
			.cr = f->cr,
			.flow_control = f->flow_control,
			.st_limited = f->st_limited,
			.lt_limited = f->lt_limited,
			.st_limit = f->st_limit,
			.lt_limit = f->lt_limit,
		};
	}
	rnode_init(r, &conf, NULL, NULL);
	return r;
}

/* What it will be, until the radio says it. */
static int
configure_radio(struct nif *n, const struct rnsconf_radio *f)
{
	const struct rnode_radio as_said = {
		.has = RNODE_HAS_SF | RNODE_HAS_CR | RNODE_HAS_BANDWIDTH,
		.sf = f->sf, .cr = f->cr, .bandwidth = f->bandwidth,
	};

	if (nif_configure(n, rnode_radio_bitrate(&as_said)) < 0)
		return -1;
	n->cfg.hw_mtu = RNODE_MTU;
	n->cfg.announces_unlimited = true;
	n->cfg.frame = AIRTIME_LORA_FRAME;
	return 0;
}

static int
rnode_configure(struct nif *n)
{
	struct rnode *r;

	if (configure_radio(n, &n->conf->radios[0]) < 0 ||
	    (r = rnode_new(n->conf)) == NULL)
		return -1;
	if (line_new(n, &r->m, free_rnode, false) < 0) {
		free(r);
		return -1;
	}
	return 0;
}

/* ---- statistics ---- */

/* Unix time of something that has been. */
static int64_t
wall_us(const struct nif *n, struct mono then)
{
	return then.us == MONO_NEVER.us ? 0 :
	    clock_wall_us() - mono_sub(n->e->now, then);
}

static void
rnode_stats(const struct nif *n, struct stats_if *s)
{
	static const char *const battery[] = {
		[RNODE_BATTERY_UNKNOWN] = NULL,
		[RNODE_BATTERY_DISCHARGING] = "discharging",
		[RNODE_BATTERY_CHARGING] = "charging",
		[RNODE_BATTERY_CHARGED] = "charged",
		/* as rnsd calls it */
		[RNODE_BATTERY_OTHER] = "unknown",
	};
	const struct rnode *r = (const struct rnode *)line_modem(n);
	const struct rnode_radio *radio;

	if (r == NULL)
		return;
	radio = &r->radio[line_port_no(n)];
	s->radio = (struct stats_radio){
		.on = true,
		.air_short = radio->air_short / 100.,
		.air_long = radio->air_long / 100.,
		.load_short = radio->load_short / 100.,
		.load_long = radio->load_long / 100.,
		.has_noise = (radio->has & RNODE_HAS_NOISE) != 0,
		.noise_dbm = radio->noise_floor,
		.disturbed = (radio->has & RNODE_HAS_INTERFERENCE) != 0,
		.was_disturbed = radio->interfered.us != MONO_NEVER.us,
		.disturbed_dbm = radio->interference,
		.disturbed_us = wall_us(n, radio->interfered),
		.has_temp = (radio->has & RNODE_HAS_TEMP) != 0,
		.temp = radio->temp,
		.has_battery = true,
		.battery = r->has_battery ? battery[r->battery] : NULL,
		.battery_percent = r->battery_percent,
	};
}

const struct nif_kind rnode_if_kind = {
	.name = "RNodeInterface",
	.carries = true,
	.steady = true,
	.configure = rnode_configure,
	.start = opener_ask,
	.opened = line_opened,
	.take = line_take,
	.flush = line_flush,
	.waiting = line_waiting,
	.counts = line_counts,
	.stats = rnode_stats,
	.stop = line_stop,
};

/* ---- several radios ---- */

static const struct nif_kind rnode_sub_kind = {
	.name = "RNodeSubInterface",
	.carries = true,
	.lasts = true,
	.take = line_take,
	.flush = line_flush,
	.waiting = line_waiting,
	.stats = rnode_stats,
	.stop = line_stop,
};

static int
add_radio(struct nif *section, unsigned port)
{
	const struct rnsconf_radio *f = &section->conf->radios[port];
	struct nif *n = nif_new(section->e, &rnode_sub_kind, section->conf,
	    section);

	if (n == NULL)
		return -1;
	(void)snprintf(n->name, sizeof(n->name), "%.140s[%.140s]",
	    section->conf->name, f->name);
	if (configure_radio(n, f) < 0 || line_port(section, port, n) < 0) {
		nif_free(n);
		return -1;
	}
	n->cfg.ifac_size = 0; /* reticulum-transport.md 8.3: has none */
	n->cfg.out = n->cfg.out && f->outgoing;
	return nif_attach(n); /* its section's end takes it along */
}

static int
rnode_multi_configure(struct nif *n)
{
	struct rnode *r;

	if ((r = rnode_new(n->conf)) == NULL)
		return -1;
	n->cfg.mode = n->conf->mode;
	n->cfg.hw_mtu = RNODE_MTU;
	if (line_new(n, &r->m, free_rnode, false) < 0) {
		free(r);
		return -1;
	}
	for (unsigned i = 0; i < n->conf->nradios; i++)
		if (add_radio(n, i) < 0)
			return -1;
	return 0;
}

static int
ask_line(struct nif *n, uint32_t seq)
{
	struct msg_DIAL m = {.index = n->conf->index, .seq = seq,
	    .generation = n->e->generation};

	return program_send_DIAL(&n->e->program, &m, NULL, 0);
}

const struct nif_kind rnode_multi_if_kind = {
	.name = "RNodeMultiInterface",
	.steady = true,
	.configure = rnode_multi_configure,
	.start = opener_ask,
	.ask = ask_line,
	.opened = line_opened,
	.counts = line_counts,
	.stop = line_stop,
};
