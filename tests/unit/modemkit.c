/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/modemkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
on_write(void *arg, const uint8_t *p, size_t n)
{
	struct modemkit *k = arg;

	assert_true(n <= sizeof(k->wrote) - k->nwrote);
	memcpy(k->wrote + k->nwrote, p, n);
	k->nwrote += n;
}

static void
on_packet(void *arg, unsigned port, const uint8_t *p, size_t n,
    const struct rns_signal *signal)
{
	struct modemkit *k = arg;

	(void)signal;
	assert_true(port < MODEM_PORTS);
	if (k->packets < KIT_PACKETS) {
		k->packet[k->packets].data = vec_copy(p, n);
		k->packet[k->packets].len = n;
	}
	k->packets++;
}

static void
on_up(void *arg, unsigned port, bool up)
{
	struct modemkit *k = arg;

	assert_int_equal(port, 0);
	k->up = up;
	k->ups += up;
}

static void
on_ready(void *arg, unsigned port)
{
	(void)port;
	((struct modemkit *)arg)->readies++;
}

static void
on_fault(void *arg, unsigned reason, const char *text)
{
	struct modemkit *k = arg;

	k->faults++;
	k->up = false;
	k->counts[reason]++;
	(void)snprintf(k->fault, sizeof(k->fault), "%s", text);
}

static void
on_count(void *arg, unsigned reason)
{
	struct modemkit *k = arg;
	const char *const *names = k->m->kind->reasons;

	/* it has a name */
	for (unsigned i = 0; i <= reason; i++)
		assert_non_null(names[i]);
	k->counts[reason]++;
}

static struct mono
on_beacon_at(void *arg, unsigned port, size_t len)
{
	const struct modemkit *k = arg;

	assert_int_equal(port, 0);
	assert_true(len > 0);
	return k->room;
}

static void
on_beacon(void *arg, unsigned port, size_t len)
{
	struct modemkit *k = arg;

	assert_int_equal(port, 0);
	k->beacons++;
	k->beacon_len = len;
}

static const struct modem_out out = {
	.beacon_at = on_beacon_at,
	.beacon = on_beacon,
	.write = on_write,
	.packet = on_packet,
	.up = on_up,
	.ready = on_ready,
	.fault = on_fault,
	.count = on_count,
};

void
modemkit_init(struct modemkit *k, struct modem *m)
{
	memset(k, 0, sizeof(*k));
	k->m = m;
	k->now = (struct mono){1000 * MONO_SECOND};
	m->out = &out;
	m->arg = k;
}

void
modemkit_wait(struct modemkit *k, double seconds)
{
	struct mono end = mono_add(k->now, (int64_t)(seconds * 1e6));
	unsigned turns = 0;

	for (;;) {
		struct mono at = k->m->kind->deadline(k->m);

		if (!mono_reached(end, at))
			break;
		if (mono_reached(at, k->now))
			k->now = at;
		/* one that is not met by tick() would be asked for ever */
		assert_true(turns++ < 100000);
		k->m->kind->tick(k->m, k->now);
	}
	k->now = end;
}

void
modemkit_feed(struct modemkit *k, const uint8_t *p, size_t n)
{
	k->m->kind->bytes(k->m, vec_copy(p, n), n, k->now);
}

void
modemkit_feed_hex(struct modemkit *k, const char *hex)
{
	size_t n;
	uint8_t *p = vec_unhex(hex, &n);

	modemkit_feed(k, p, n);
}

void
modemkit_wrote(struct modemkit *k, const char *hex)
{
	size_t n;
	uint8_t *p = vec_unhex(hex, &n);

	vec_equal(k->wrote, k->nwrote, p, n);
	k->nwrote = 0;
}

void
modemkit_packet(const struct modemkit *k, unsigned at, const char *hex)
{
	size_t n;
	uint8_t *p = vec_unhex(hex, &n);

	assert_true(at < k->packets && at < KIT_PACKETS);
	vec_equal(k->packet[at].data, k->packet[at].len, p, n);
}

/* ---- sessions ---- */

/* A frame that it wrote: by itself before now, or for a packet that it gets. */
static void
wrote_or_send(struct modemkit *k, const char *hex,
    size_t (*unframe)(uint8_t *, const uint8_t *, size_t))
{
	uint8_t packet[2048];
	size_t n, len;
	uint8_t *frame = vec_unhex(hex, &n);

	if (k->nwrote < n || memcmp(k->wrote, frame, n) != 0) {
		len = unframe(packet, frame, n);
		assert_true(k->m->kind->takes(k->m, 0));
		k->m->kind->send(k->m, 0, vec_copy(packet, len), len, k->now);
	}
	assert_true(k->nwrote >= n);
	assert_memory_equal(k->wrote, frame, n);
	memmove(k->wrote, k->wrote + n, k->nwrote - n);
	k->nwrote -= n;
}

void
modemkit_replay(struct modemkit *k, const json_t *session,
    size_t (*unframe)(uint8_t *, const uint8_t *, size_t))
{
	/* threads of the reference wake up a little late */
	const double late = 0.03;
	struct mono start = k->now;
	json_t *v;
	size_t i;

	k->m->kind->opened(k->m, k->now);
	json_array_foreach(vec_array(session, "events"), i, v) {
		double at = json_number_value(json_array_get(v, 0)) + late;
		const char *who = json_string_value(json_array_get(v, 1));
		const char *what = json_string_value(json_array_get(v, 2));
		double passed = (double)mono_sub(k->now, start) / 1e6;

		modemkit_wait(k, at > passed ? at - passed : 0);
		if (strcmp(who, "host>device") == 0)
			wrote_or_send(k, what, unframe);
		else if (strcmp(who, "device>host") == 0)
			modemkit_feed_hex(k, what);
		else
			assert_int_equal(k->up, strstr(what, "online=True") !=
			    NULL);
	}
	modemkit_wait(k, 0.5);
	assert_int_equal(k->nwrote, 0);
}
