/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/weavekit.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "common/wire.h"

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
sign(void *arg, uint8_t sig[64], const uint8_t *p, size_t n)
{
	(void)arg;
	must(n <= 58);
	memset(sig, 0, 64);
	memcpy(sig, "signed", 6);
	memcpy(sig + 6, p, n);
}

static bool
verify(void *arg, const uint8_t pub[32], const uint8_t sig[64],
    const uint8_t *p, size_t n)
{
	uint8_t want[64];

	(void)pub;
	sign(arg, want, p, n);
	return memcmp(want, sig, sizeof(want)) == 0;
}

const struct weave_keys weavekit_keys = {
	.pub = {9, 8, 7, [28] = 0xfc, 0xfd, 0xfe, 0xff},
	.sign = sign,
	.verify = verify,
};
const uint8_t weavekit_host[WEAVE_SWITCH] = {0xfc, 0xfd, 0xfe, 0xff};

static void
on_write(void *arg, const uint8_t *p, size_t n)
{
	struct weavekit *k = arg;
	uint8_t *out = k->frame[k->frames % WEAVEKIT_FRAMES].data;
	size_t len = 0;

	must(n >= 2 && p[0] == 0x7e && p[n - 1] == 0x7e);
	for (size_t i = 1; i < n - 1; i++) {
		must(len < sizeof(k->frame[0].data) && p[i] != 0x7e);
		out[len++] = p[i] == 0x7d ? p[++i] ^ 0x20 : p[i];
	}
	k->frame[k->frames % WEAVEKIT_FRAMES].len = len;
	k->frames++;
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t n,
    const struct rns_signal *s)
{
	struct weavekit *k = arg;

	must(port > 0 && port < MODEM_PORTS && k->up[port] && k->up[0] &&
	    s == NULL && n > 0 && n <= sizeof(k->data));
	k->packets++;
	k->port = port;
	memcpy(k->data, p, n);
	k->len = n;
}

static void
on_up(void *arg, unsigned port, bool up)
{
	struct weavekit *k = arg;

	must(port < MODEM_PORTS && k->up[port] != up);
	k->up[port] = up;
}

static void
on_ready(void *arg, unsigned port)
{
	struct weavekit *k = arg;

	must(k->v.m.kind->takes(&k->v.m, port));
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	struct weavekit *k = arg;

	must(reason < WEAVEKIT_COUNTS && strlen(text) < sizeof(k->text));
	for (unsigned i = 0; i < MODEM_PORTS; i++)
		must(!k->up[i]);
	k->faults++;
	k->reason = reason;
	memcpy(k->text, text, strlen(text) + 1);
}

static void
on_count(void *arg, unsigned reason)
{
	struct weavekit *k = arg;

	must(reason < WEAVEKIT_COUNTS &&
	    k->v.m.kind->reasons[reason] != NULL);
	k->counts[reason]++;
}

static const struct modem_out out = {.write = on_write, .packet = on_packet,
    .up = on_up, .ready = on_ready, .fault = on_fault, .count = on_count};

void
weavekit_begin(struct weavekit *k)
{
	uint8_t *record = k->record;
	size_t cap = k->cap, *n = k->recorded;

	weavekit_end(k);
	memset(k, 0, sizeof(*k));
	k->record = record;
	k->cap = cap;
	k->recorded = n;
	must(weave_init(&k->v, &weavekit_keys) == 0);
	k->there = true;
	k->v.m.out = &out;
	k->v.m.arg = k;
	k->v.m.kind->opened(&k->v.m, k->now);
}

void
weavekit_end(struct weavekit *k)
{
	if (k->there)
		weave_clear(&k->v);
	k->there = false;
}

void
weavekit_run(struct weavekit *k, int64_t us)
{
	const struct mono end = mono_add(k->now, us);
	struct mono t;

	for (unsigned n = 0;
	     mono_reached(end, t = k->v.m.kind->deadline(&k->v.m)); n++) {
		must(n < 10000);
		if (t.us > k->now.us)
			k->now = t;
		k->v.m.kind->tick(&k->v.m, k->now);
	}
	k->now = end;
}

const uint8_t *
weavekit_frame(const struct weavekit *k, unsigned i, size_t *n)
{
	must(i < k->frames && i + WEAVEKIT_FRAMES >= k->frames);
	*n = k->frame[i % WEAVEKIT_FRAMES].len;
	return k->frame[i % WEAVEKIT_FRAMES].data;
}

void
weavekit_record(struct weavekit *k, uint8_t *p, size_t cap, size_t *n)
{
	k->record = p;
	k->cap = cap;
	k->recorded = n;
}

void
weavekit_says(struct weavekit *k, const uint8_t to[WEAVE_SWITCH],
    uint8_t type, const uint8_t *p, size_t n)
{
	uint8_t raw[1300], frame[2700];
	struct wr w = wr_make(raw, sizeof(raw));
	size_t len;

	wr_bytes(&w, to, WEAVE_SWITCH);
	wr_u8(&w, type);
	if (n > 0)
		wr_bytes(&w, p, n);
	must(wr_ok(&w));
	len = rns_frame(RNS_FRAME_HDLC, frame, raw, w.len);
	if (k->record != NULL) {
		must(*k->recorded + len <= k->cap);
		memcpy(k->record + *k->recorded, frame, len);
		*k->recorded += len;
	}
	k->v.m.kind->bytes(&k->v.m, frame, len, k->now);
}

void
weavekit_log(struct weavekit *k, uint16_t event, const uint8_t *p, size_t n)
{
	uint8_t raw[200];
	struct wr w = wr_make(raw, sizeof(raw));

	wr_zero(&w, 2);
	wr_u32(&w, 12345); /* ms */
	wr_u8(&w, 6);
	wr_u16(&w, event);
	if (n > 0)
		wr_bytes(&w, p, n);
	must(wr_ok(&w));
	weavekit_says(k, weavekit_host, 3, raw, w.len);
}

void
weavekit_discovered(struct weavekit *k, const uint8_t pub[32], bool good)
{
	uint8_t data[96];

	memcpy(data, pub, 32);
	sign(NULL, data + 32, good ? weavekit_host : pub, WEAVE_SWITCH);
	weavekit_says(k, weavekit_host, 0, data, sizeof(data));
}

void
weavekit_online(struct weavekit *k, const uint8_t pub[32])
{
	weavekit_begin(k);
	weavekit_discovered(k, pub, true);
	weavekit_log(k, 0x3002, NULL, 0);
	must(k->up[0]);
}
