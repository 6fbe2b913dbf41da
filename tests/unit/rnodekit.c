/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rnodekit.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

const struct rnode_conf kit_plain = {
	.nradios = 1,
	.want = {{.frequency = 868200000, .bandwidth = 125000, .txpower = 7,
	    .sf = 8, .cr = 5}},
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
on_write(void *arg, const uint8_t *p, size_t n)
{
	struct kit *k = arg;

	must(n > 0 && k->nout + n <= sizeof(k->out));
	memcpy(k->out + k->nout, p, n);
	k->nout += n;
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t n,
    const struct rns_signal *s)
{
	struct kit *k = arg;

	must(port < RNODE_RADIOS && k->up[port] && n > 0 && n <= RNODE_MTU);
	k->packets++;
	k->port = port;
	memcpy(k->data, p, n);
	k->len = n;
	k->measured = s != NULL;
	if (s != NULL)
		k->signal = *s;
}

static void
on_up(void *arg, unsigned port, bool up)
{
	struct kit *k = arg;

	must(port < RNODE_RADIOS && k->up[port] != up);
	k->up[port] = up;
}

static void
on_ready(void *arg, unsigned port)
{
	struct kit *k = arg;

	must(port < RNODE_RADIOS && k->r.m.kind->takes(&k->r.m, port));
	k->ready[port]++;
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	struct kit *k = arg;

	must(reason < RNODE_KIT_COUNTS && *text != '\0' &&
	    strlen(text) < sizeof(k->text));
	for (unsigned i = 0; i < RNODE_RADIOS; i++)
		must(!k->up[i]);
	k->faults++;
	k->reason = reason;
	memcpy(k->text, text, strlen(text) + 1);
}

static void
on_trouble(void *arg, unsigned port, unsigned reason, const char *text)
{
	struct kit *k = arg;

	must(port < RNODE_RADIOS && !k->up[port] && reason < RNODE_KIT_COUNTS &&
	    strlen(text) < sizeof(k->text));
	k->troubles++;
	k->trouble_port = port;
	k->reason = reason;
	memcpy(k->text, text, strlen(text) + 1);
}

static void
on_count(void *arg, unsigned reason)
{
	struct kit *k = arg;

	must(reason < RNODE_KIT_COUNTS && k->r.m.kind->reasons[reason] !=
	    NULL);
	k->counts[reason]++;
}

static void
on_remark(void *arg, unsigned reason, const char *text)
{
	struct kit *k = arg;

	must(*text != '\0');
	on_count(arg, reason);
	k->remark = text;
}

static struct mono
on_beacon_at(void *arg, unsigned port, size_t len)
{
	const struct kit *k = arg;

	must(port < RNODE_RADIOS && k->up[port] && len > 0);
	return k->room;
}

static const struct modem_out out = {.write = on_write, .packet = on_packet,
    .up = on_up, .ready = on_ready, .fault = on_fault, .trouble = on_trouble,
    .count = on_count, .remark = on_remark, .beacon_at = on_beacon_at};

void
kit_begin(struct kit *k, const struct rnode_conf *c)
{
	memset(k, 0, sizeof(*k));
	rnode_init(&k->r, c, &out, k);
	k->r.m.kind->opened(&k->r.m, k->now);
}

void
kit_run(struct kit *k, int64_t us)
{
	const struct mono end = mono_add(k->now, us);
	struct mono t;

	for (unsigned n = 0;
	     mono_reached(end, t = k->r.m.kind->deadline(&k->r.m)); n++) {
		must(n < 10000); /* it is due again and again */
		if (t.us > k->now.us)
			k->now = t;
		k->r.m.kind->tick(&k->r.m, k->now);
	}
	k->now = end;
}

void
kit_says(struct kit *k, const uint8_t *p, size_t n)
{
	k->r.m.kind->bytes(&k->r.m, p, n, k->now);
}

static size_t
unhex(uint8_t *buf, size_t cap, const char *hex)
{
	const size_t n = strlen(hex) / 2;

	must(n <= cap && hex_decode(buf, n, hex, strlen(hex)));
	return n;
}

void
kit_says_hex(struct kit *k, const char *hex)
{
	uint8_t buf[4096];

	kit_says(k, buf, unhex(buf, sizeof(buf), hex));
}

void
kit_forget(struct kit *k)
{
	k->nout = 0;
}

bool
kit_wrote(struct kit *k, const char *hex)
{
	uint8_t buf[4096];
	const size_t n = unhex(buf, sizeof(buf), hex);
	const bool same = n == k->nout && memcmp(buf, k->out, n) == 0;

	k->nout = 0;
	return same;
}

void
kit_online(struct kit *k, const struct rnode_conf *c)
{
	uint8_t echo[KIT_OUT];
	size_t n;

	kit_begin(k, c);
	kit_run(k, 2000000);
	kit_says_hex(k, c->multi ? "c00846c0c050014ac0c04880c0c04981c0"
	    "c0710011c0c0710121c0" : "c00846c0c050014ac0c04880c0c04981c0");
	kit_forget(k);
	for (unsigned i = 0; i < 1000 && k->r.life.state != RNODE_RUN; i++) {
		kit_run(k, 100000);
		n = k->nout;
		memcpy(echo, k->out, n);
		kit_forget(k);
		if (n > 0)
			kit_says(k, echo, n);
	}
}
