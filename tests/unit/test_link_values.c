/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/bz.h"
#include "transport/core/link/channel.h"
#include "transport/core/link/resource.h"
#include "transport/core/link/resource_tx.h"
#include "tests/unit/link_pair.h"
#include "transport/core/table/path.h"
#include "tests/unit/vec.h"
#include "common/mpk.h"

/* Values, timers and single steps of the link's parts, against the record. */

#define close_to(a, b, eps) assert_true((a) - (b) < (eps) && (b) - (a) < (eps))

static struct mono
at(double s)
{
	/* an arbitrary zero that leaves room for times before it */
	return (struct mono){1000 * MONO_SECOND + (int64_t)(s * 1e6 + 0.5)};
}

static void
test_derived(void **state)
{
	json_t *o = vec_load("derived.json"), *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(o, "link_sizes"), i, e) {
		uint32_t mtu = (uint32_t)vec_int(e, "link_mtu");

		assert_int_equal(link_mdu(mtu), vec_int(e, "link_mdu"));
		assert_int_equal(mtu - RES_SDU_OVERHEAD,
		    vec_int(e, "resource_sdu"));
	}
	json_array_foreach(vec_array(o, "keepalive"), i, e) {
		double k = link_keepalive(vec_number(e, "rtt"));

		close_to(k, vec_number(e, "keepalive"), 1e-9);
		close_to(k * LINK_STALE_FACTOR, vec_number(e, "stale_time"),
		    1e-9);
	}
	json_array_foreach(vec_array(o, "signalling"), i, e) {
		uint8_t b[3], want[3], mode;
		uint32_t mtu;

		if (vec_is_null(e, "bytes"))
			continue;
		vec_exact(e, "bytes", want, 3);
		signalling_put(b, (uint32_t)vec_int(e, "mtu"),
		    (uint8_t)vec_int(e, "mode"));
		assert_memory_equal(b, want, 3);
		signalling_get(b, &mtu, &mode);
		assert_int_equal(mtu, vec_int(e, "decoded_mtu"));
		assert_int_equal(mode, vec_int(e, "decoded_mode"));
	}
}

static void
watch_one(const json_t *e)
{
	struct link l = {.status = (enum link_status)vec_int(e,
	    "status_before"), .initiator = vec_bool(e, "initiator")};
	json_t *sent = vec_array(e, "sent");
	int64_t after = vec_int(e, "status_after");
	struct link_check c;
	bool keepalive = false;
	size_t i;
	json_t *name;

	l.rtt = vec_number(e, "rtt");
	l.keepalive = vec_number(e, "keepalive");
	l.stale = vec_number(e, "stale_time");
	if (!vec_is_null(e, "establishment_timeout"))
		l.establish = vec_number(e, "establishment_timeout");
	l.requested = at(0);
	l.last_in = at(vec_number(e, "last_inbound"));
	l.last_out = at(vec_number(e, "last_outbound"));
	l.last_proof = at(vec_number(e, "last_proof"));
	l.last_keepalive = at(vec_number(e, "last_keepalive"));
	l.activated = at(vec_number(e, "activated_at"));
	c = link_watch(&l, at(vec_number(e, "now")));
	json_array_foreach(sent, i, name)
		keepalive |= strcmp(json_string_value(name), "KEEPALIVE") == 0;
	assert_int_equal(c.keepalive, keepalive);
	assert_int_equal(c.close, after == LINK_CLOSED);
	assert_int_equal(c.stale, after == LINK_STALE);
	if (c.close)
		assert_int_equal(c.reason, vec_int(e, "teardown_reason"));
	else
		close_to(c.next, vec_number(e, "next_check_in"), 1e-5);
}

static void
receiver_one(const json_t *e)
{
	const json_t *b = json_object_get(e, "before");
	const json_t *a = json_object_get(e, "after");
	struct link l = {.rtt = vec_number(e, "link_rtt"),
	    .cost = (uint32_t)vec_int(e, "establishment_cost")};
	struct res_in x = {.link = &l, .sdu = (uint32_t)vec_int(e, "sdu")};
	double left;

	x.window = (uint32_t)vec_int(b, "window");
	x.window_min = (uint32_t)vec_int(b, "window_min");
	x.window_max = (uint32_t)vec_int(b, "window_max");
	x.retries = (uint32_t)vec_int(b, "retries_left");
	x.outstanding = (uint32_t)vec_int(b, "outstanding_parts");
	x.waiting_hmu = vec_bool(b, "waiting_for_hmu");
	x.factor = (uint32_t)vec_int(b, "part_timeout_factor");
	x.resp_rate = vec_number(b, "req_resp_rtt_rate");
	x.data_rate = vec_number(b, "req_data_rtt_rate");
	if (!vec_is_null(b, "previous_eifr"))
		l.prev_eifr = vec_number(b, "previous_eifr");
	close_to(resource_eifr(&x), vec_number(e, "eifr"), 1e-3);
	left = resource_wait(&x) - vec_number(e, "seconds_since_last_activity");
	if (vec_number(e, "next_check_in") > 0.0011) {
		close_to(left, vec_number(e, "next_check_in"), 1e-5);
		return;
	}
	assert_true(left <= 0);
	if (x.retries > 0)
		resource_shrink(&x);
	assert_int_equal(x.window, vec_int(a, "window"));
	assert_int_equal(x.window_min, vec_int(a, "window_min"));
	assert_int_equal(x.window_max, vec_int(a, "window_max"));
}

static void
sender_one(const json_t *e)
{
	struct link l = {.rtt = vec_number(e, "link_rtt")};
	struct res_out x = {.link = &l, .timeout = vec_number(e, "timeout"),
	    .status = (enum res_status)vec_int(e, "status_before"),
	    .rtt = vec_is_null(e, "rtt") ? -1 : vec_number(e, "rtt")};
	double left = resource_tx_wait(&x) -
	    vec_number(e, "seconds_since_reference");

	if (vec_number(e, "next_check_in") > 0.0011)
		close_to(left, vec_number(e, "next_check_in"), 1e-5);
	else
		assert_true(left <= 0);
}

static void
test_timers(void **state)
{
	json_t *o = vec_load("timers.json"), *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(o, "link_watchdog"), i, e)
		watch_one(e);
	json_array_foreach(vec_array(o, "resource_watchdog"), i, e) {
		if (strcmp(vec_str(e, "side"), "receiver") == 0)
			receiver_one(e);
		else
			sender_one(e);
	}
	json_array_foreach(vec_array(o, "establishment"), i, e) {
		if (!vec_is_null(e, "responder_establishment_timeout"))
			close_to(link_establish_responder((uint8_t)(vec_int(e,
			    "request_hops_on_wire") + 1)), vec_number(e,
			    "responder_establishment_timeout"), 1e-9);
		else
			close_to(link_establish_initiator((int64_t)(vec_number(
			    e, "first_hop_timeout") * 1e6 + 0.5),
			    (uint8_t)vec_int(e, "hops")), vec_number(e,
			    "initiator_establishment_timeout"), 2e-6);
	}
}

static void
test_channel_timeouts(void **state)
{
	json_t *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("channel.json"), "timeouts"), i,
	    e)
		close_to(channel_timeout((unsigned)vec_int(e, "tries"),
		    vec_number(e, "rtt"),
		    (unsigned)vec_int(e, "tx_ring_length")),
		    vec_number(e, "timeout"), 1e-9);
}

/* ---- messages made with the link's own key ---- */

static struct link *
end_of(struct pair *p, int node)
{
	return link_find(p->n[node].r, &p->link);
}

static void
inject(struct pair *p, int node, uint8_t context, const uint8_t *b, size_t n)
{
	static uint8_t raw[70000], iv[16];
	struct link *l = end_of(p, node);
	size_t len;

	iv[0]++;
	(void)packet_head(raw, PACKET_FLAGS(DEST_LINK, PACKET_DATA), &l->id,
	    context);
	assert_int_equal(token_encrypt(raw + 19, &len, sizeof(raw) - 19,
	    l->key, 64, iv, b, n), RNS_OK);
	pair_recv(p, node, raw, len + 19);
}

static void
pair_channel(struct pair *p, uint32_t mtu)
{
	struct rns_cmd c = {.type = RNS_CMD_CHANNEL_OPEN};

	pair_new(p, &(struct pair_opts){.hw_mtu = mtu, .delay_us = 100});
	pair_up(p);
	c.hash = p->link;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
}

static void
sequencing_one(const json_t *o)
{
	struct pair p;
	json_t *step, *v;
	size_t i, k;

	pair_channel(&p, 0);
	end_of(&p, 1)->channel->rx_next = (uint16_t)vec_int(o, "start");
	json_array_foreach(vec_array(o, "steps"), i, step) {
		struct channel *c = end_of(&p, 1)->channel;
		uint16_t seq = (uint16_t)vec_int(step, "received");
		uint8_t b[8] = {1, 1, 0, 0, 0, 2};
		const struct rns_event *ev;
		struct message *m;
		size_t held = 0;

		put_u16(b + 2, seq);
		put_u16(b + 6, seq);
		inject(&p, 1, CTX_CHANNEL, b, sizeof(b));
		json_array_foreach(vec_array(step, "delivered"), k, v) {
			ev = pair_take(&p, 1, RNS_EV_CHANNEL_MESSAGE);
			assert_non_null(ev);
			assert_int_equal(get_u16(ev->channel.data),
			    json_integer_value(v));
		}
		assert_null(pair_take(&p, 1, RNS_EV_CHANNEL_MESSAGE));
		assert_int_equal(c->rx_next,
		    vec_int(step, "next_rx_sequence"));
		TAILQ_FOREACH(m, &c->held, entry) {
			bool found = false;

			json_array_foreach(vec_array(step, "held"), k, v)
				found |= json_integer_value(v) == m->seq;
			assert_true(found);
			held++;
		}
		assert_int_equal(held,
		    json_array_size(vec_array(step, "held")));
	}
	pair_free(&p);
}

static void
test_channel_receive(void **state)
{
	json_t *o = vec_load("channel.json"), *e, *v;
	const struct rns_event *ev;
	uint8_t *raw, *want;
	struct pair p;
	size_t i, k, n, len;

	(void)state;
	json_array_foreach(vec_array(o, "sequencing"), i, e)
		sequencing_one(e);
	json_array_foreach(vec_array(o, "malformed"), i, e) {
		raw = vec_bytes(e, "raw", &n);
		/* the caller has no list of types: below 0xf000 all are its */
		if (n > 1 && raw[0] == 0x99)
			continue;
		pair_channel(&p, 0);
		inject(&p, 1, CTX_CHANNEL, raw, n);
		json_array_foreach(vec_array(e, "delivered"), k, v) {
			ev = pair_take(&p, 1, RNS_EV_CHANNEL_MESSAGE);
			assert_non_null(ev);
			want = vec_unhex(json_string_value(v), &len);
			vec_equal(ev->channel.data, ev->channel.len, want,
			    len);
		}
		assert_null(pair_take(&p, 1, RNS_EV_CHANNEL_MESSAGE));
		assert_int_equal(end_of(&p, 1)->channel->rx_next,
		    vec_int(e, "next_rx_sequence"));
		pair_free(&p);
	}
}

struct seen {
	struct pair *p;
	uint8_t plain[70000];
	size_t len;
	unsigned count;
};

static bool
see_channel(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct seen *s = arg;

	if (from != 0 || raw[18] != CTX_CHANNEL)
		return true;
	s->count++;
	assert_int_equal(token_decrypt(s->plain, &s->len, sizeof(s->plain),
	    end_of(s->p, 0)->key, 64, raw + 19, n - 19), RNS_OK);
	return true;
}

static void
test_channel_envelopes(void **state)
{
	static struct seen s;
	struct rns_cmd c = {.type = RNS_CMD_CHANNEL_SEND};
	struct pair p;
	uint8_t *want;
	size_t i, n;
	json_t *e;

	(void)state;
	pair_channel(&p, 0);
	s.p = &p;
	p.tap = see_channel;
	p.tap_arg = &s;
	c.channel.link = p.link;
	json_array_foreach(vec_array(vec_load("channel.json"), "envelopes"), i,
	    e) {
		c.channel.msgtype = (uint16_t)vec_int(e, "msgtype");
		c.channel.data = vec_bytes(e, "payload", &c.channel.len);
		want = vec_bytes(e, "envelope", &n);
		if (channel_open(p.n[0].r, end_of(&p, 0)) == RNS_OK)
			end_of(&p, 0)->channel->tx_next =
			    (uint16_t)vec_int(e, "sequence");
		if (c.channel.msgtype >= 0xf000) {
			assert_int_equal(pair_submit(&p, 0, &c), RNS_EINVAL);
			continue;
		}
		assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
		pair_wait(&p, 1000);
		vec_equal(s.plain, s.len, want, n);
	}
	pair_free(&p);
}

static void
test_buffer_messages(void **state)
{
	json_t *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("buffer.json"), "messages"), i,
	    e) {
		struct rns_cmd c = {.type = RNS_CMD_STREAM_OPEN};
		const struct rns_event *ev;
		size_t n, len;
		uint8_t *wire = vec_bytes(e, "wire", &n), *data, b[512] = {
		    0xff, 0};
		struct pair p;

		pair_channel(&p, 0);
		c.stream.link = p.link;
		c.stream.stream = get_u16(wire) & 0x3fff;
		assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
		memcpy(b + 6, wire, n);
		inject(&p, 1, CTX_CHANNEL, b, n + 6);
		ev = pair_take(&p, 1, RNS_EV_STREAM_DATA);
		assert_non_null(ev);
		assert_int_equal(ev->channel.err == RNS_OK,
		    vec_bool(e, "valid"));
		if (ev->channel.err != RNS_OK) {
			assert_int_equal(ev->channel.len, 0);
		} else {
			data = vec_bytes(e, "data", &len);
			vec_equal(ev->channel.data, ev->channel.len, data,
			    len);
			assert_int_equal(ev->channel.eof, vec_bool(e, "eof"));
		}
		pair_free(&p);
	}
}

/* buffer-1.5.json gives its data as expressions over three generators. */
static uint8_t *
generated(const char *text, size_t *n)
{
	static const char fox[] =
	    "the quick brown fox jumps over the lazy dog. ";
	uint8_t *b = vec_alloc(20000);
	struct id32 h;
	uint8_t seed[7] = {'b', '1', '5'};
	size_t rnd = strncmp(text, "rnd[:20000]", 11) == 0 ? 20000 :
	    strncmp(text, "rnd[:9000]", 10) == 0 ? 9000 : 0;

	*n = rnd == 9000 ? 18000 : 20000;
	memset(b, 0, 20000);
	for (size_t i = 0; i < rnd; i += 32) {
		put_u32(seed + 3, (uint32_t)(i / 32));
		rns_sha256(&h, seed, sizeof(seed));
		memcpy(b + i, h.b, MIN_OF(rnd - i, (size_t)32));
	}
	if (strncmp(text, "text", 4) == 0)
		for (size_t i = 0; i < *n; i++)
			b[i] = (uint8_t)fox[i % (sizeof(fox) - 1)];
	return b;
}

static void
writer_one(const json_t *o, uint32_t mtu, const uint8_t *data, size_t n)
{
	static struct seen s;
	struct rns_cmd c = {.type = RNS_CMD_STREAM_SEND};
	struct pair p;
	size_t at_byte = 0, i, len, taken;
	uint8_t *want;
	struct id32 hash, got;
	json_t *m;

	pair_channel(&p, mtu);
	memset(&s, 0, sizeof(s));
	s.p = &p;
	p.tap = see_channel;
	p.tap_arg = &s;
	c.stream.link = p.link;
	c.stream.stream = 3;
	c.stream.taken = &taken;
	json_array_foreach(vec_array(o, "messages"), i, m) {
		c.stream.data = data + at_byte;
		c.stream.len = n - at_byte;
		assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
		assert_int_equal(taken, vec_int(m, "consumed"));
		pair_wait(&p, 1000);
		assert_int_equal(s.count, i + 1);
		assert_int_equal((s.plain[6] & 0x40) != 0,
		    vec_bool(m, "compressed"));
		if (!vec_is_null(m, "wire")) {
			want = vec_bytes(m, "wire", &len);
			vec_equal(s.plain + 6, s.len - 6, want, len);
		} else {
			assert_int_equal(s.len - 6, vec_int(m, "wire_length"));
			vec_exact(m, "wire_sha256", HASH_BYTES(hash));
			rns_sha256(&got, s.plain + 6, s.len - 6);
			assert_memory_equal(got.b, hash.b, sizeof(hash));
		}
		at_byte += taken;
	}
	assert_int_equal(at_byte, n);
	pair_free(&p);
}

static void
test_buffer_writer(void **state)
{
	json_t *e;
	size_t i, n;
	uint8_t *data;

	(void)state;
	json_array_foreach(vec_array(vec_load("buffer.json"), "writer"), i,
	    e) {
		data = vec_bytes(e, "data", &n);
		writer_one(e, 0, data, n);
	}
	json_array_foreach(vec_array(vec_load("buffer-1.5.json"), "writer"), i,
	    e) {
		uint32_t mtu = (uint32_t)vec_int(e, "link_mtu");

		data = generated(vec_str(e, "data"), &n);
		writer_one(e, mtu == RNS_MTU ? 0 : mtu, data, n);
	}
}

/* ---- window and rate control, with the recorded times ---- */
/* reticulum-endpoint.md 8.8 */

struct wire {
	uint8_t *raw[128];
	size_t len[128];
	size_t head, tail;
	size_t req_len;
	uint8_t hmu[512];
	size_t hmu_len; /* 0: none waits */
};

static bool
keep_parts(void *arg, int from, const uint8_t *raw, size_t n)
{
	struct wire *w = arg;

	if (from == 1) {
		if (raw[18] == CTX_RESOURCE_REQ)
			w->req_len = n;
		return true;
	}
	if (raw[18] == CTX_RESOURCE_HMU) {
		memcpy(w->hmu, raw, n);
		w->hmu_len = n;
		return false;
	}
	if (raw[18] != CTX_RESOURCE)
		return true;
	w->raw[w->tail % 128] = malloc(n);
	memcpy(w->raw[w->tail % 128], raw, n);
	w->len[w->tail++ % 128] = n;
	return false;
}

static void
trace_request(const json_t *e, const struct res_in *x, const struct wire *w,
    size_t before, double eifr)
{
	assert_int_equal(w->req_len, vec_int(e, "raw_length"));
	assert_int_equal(x->window, vec_int(e, "window"));
	assert_int_equal(x->window_min, vec_int(e, "window_min"));
	assert_int_equal(x->window_max, vec_int(e, "window_max"));
	assert_int_equal(w->tail - before, vec_int(e, "requested"));
	if (!vec_is_null(e, "eifr"))
		close_to(eifr / vec_number(e, "eifr"), 1.0, 1e-3);
}

static void
trace_one(const json_t *o)
{
	uint32_t mtu = (uint32_t)vec_int(o, "sdu") + RES_SDU_OVERHEAD;
	struct rns_cmd c = {.type = RNS_CMD_RESOURCE_SEND};
	json_t *events = vec_array(o, "events"), *e;
	double zero = 0, eifr = 0;
	struct wire w = {0};
	struct res_in *x = NULL;
	size_t i, before = 0, n;
	bool exhausted = false;
	struct pair p;
	struct mono start;
	uint8_t *data;

	pair_new(&p, &(struct pair_opts){.hw_mtu = mtu == RNS_MTU ? 0 : mtu,
	    .resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	end_of(&p, 1)->rtt = vec_number(o, "link_rtt");
	end_of(&p, 1)->cost = (uint32_t)vec_int(o, "establishment_cost");
	/* the sender must outlast the slow ones */
	end_of(&p, 0)->rtt = 30;
	n = (size_t)((vec_int(o, "parts") - 1) * vec_int(o, "sdu"));
	e = json_array_get(events, json_array_size(events) - 1);
	n += (size_t)vec_int(e, "part_length") - TOKEN_OVERHEAD - 5;
	data = vec_alloc(n);
	memset(data, 7, n);
	start = p.now;
	p.tap = keep_parts;
	p.tap_arg = &w;
	c.resource.link = p.link;
	c.resource.data = data;
	c.resource.len = n;
	json_array_foreach(events, i, e) {
		double t = vec_number(e, "time");

		if (i == 0) {
			zero = t;
			assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
			pair_run(&p);
			x = TAILQ_FIRST(&end_of(&p, 1)->res_in);
			assert_non_null(x);
			trace_request(e, x, &w, 0, 0);
			before = w.tail;
			continue;
		}
		p.now.us = start.us + (int64_t)((t - zero) * 1e6 + 0.5);
		if (strcmp(vec_str(e, "event"), "request") == 0) {
			/* it went with the part before, or with the update */
			if (exhausted) {
				assert_true(w.hmu_len != 0);
				pair_recv(&p, 1, w.hmu, w.hmu_len);
				w.hmu_len = 0;
				pair_run(&p);
			}
			trace_request(e, x, &w, before, eifr);
			exhausted = vec_bool(e, "hashmap_exhausted");
			before = w.tail;
			continue;
		}
		assert_true(w.head < w.tail);
		assert_int_equal(w.len[w.head % 128],
		    vec_int(e, "raw_length"));
		eifr = resource_eifr(x);
		pair_recv(&p, 1, w.raw[w.head % 128], w.len[w.head % 128]);
		free(w.raw[w.head++ % 128]);
		if (w.head < (size_t)vec_int(o, "parts")) {
			close_to(x->rtt, vec_number(e, "rtt_after"), 2e-5);
			eifr = resource_eifr(x);
		}
		pair_run(&p);
	}
	while (w.head < w.tail)
		free(w.raw[w.head++ % 128]);
	pair_free(&p);
}

static void
test_window_traces(void **state)
{
	json_t *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(vec_load("resources.json"),
	    "window_traces"), i, e)
		trace_one(e);
}

/*
 * reticulum-endpoint.md 8.12: the proof that a sender misses is asked for by
 * its packet hash.
 */
static void
test_cache_request(void **state)
{
	json_t *e;
	size_t i, n;

	(void)state;
	json_array_foreach(vec_array(vec_load("resources.json"),
	    "cache_requests"), i, e) {
		struct hash16 id;
		uint8_t data[64], raw[128], want[32], *asked;
		struct id32 hash;
		size_t len;

		vec_exact(e, "link_id", HASH_BYTES(id));
		vec_exact(e, "resource_hash", data, 32);
		vec_exact(e, "expected_proof", data + 32, 32);
		vec_exact(e, "expected_proof_packet_hash", want, 32);
		len = packet_build(raw, sizeof(raw),
		    PACKET_FLAGS(DEST_LINK, PACKET_PROOF), &id,
		    CTX_RESOURCE_PRF, data, sizeof(data));
		packet_hash(&hash, raw, len, false);
		assert_memory_equal(hash.b, want, 32);
		len = packet_build(raw, sizeof(raw),
		    PACKET_FLAGS(DEST_LINK, PACKET_DATA), &id,
		    CTX_CACHE_REQUEST, HASH_BYTES(hash));
		asked = vec_bytes(e, "cache_request_raw", &n);
		vec_equal(raw, len, asked, n);
	}
}

/* The entry of full size gives digests only; its data has a generator. */
static void
test_real_segments(void **state)
{
	json_t *e, *seg;
	size_t i, k;

	(void)state;
	json_array_foreach(vec_array(vec_load("resources_segmented.json"),
	    "resources"), i, e) {
		size_t n = (size_t)vec_int(e, "data_length"), from = 0;
		uint8_t *data, name[21] = "resource-data", want[32];
		struct id32 h;
		struct id32 hash, proof;
		uint8_t tail[RES_RANDOM];

		if (strcmp(vec_str(e, "label"), "real_2_segments") != 0)
			continue;
		data = vec_alloc(n);
		for (size_t at_byte = 0; at_byte < n; at_byte += 32) {
			put_u64(name + 13, at_byte / 32);
			rns_sha256(&h, name, sizeof(name));
			memcpy(data + at_byte, h.b, MIN_OF(n - at_byte,
			    (size_t)32));
		}
		json_array_foreach(vec_array(e, "segments"), k, seg) {
			struct iovec_c v = {data + from,
			    (size_t)vec_int(seg, "uncompressed_size")};

			assert_true(v.n == MIN_OF((size_t)RES_SEGMENT_MAX,
			    n - from));
			vec_exact(seg, "random_hash", tail, sizeof(tail));
			crypt_sha256_proof(&hash, &proof, &v, 1, tail,
			    sizeof(tail));
			vec_exact(seg, "hash", want, 32);
			assert_memory_equal(hash.b, want, 32);
			vec_exact(seg, "expected_proof", want, 32);
			assert_memory_equal(proof.b, want, 32);
			assert_int_equal(token_len(v.n + RES_RANDOM),
			    vec_int(seg, "transfer_size"));
			from += v.n;
		}
		assert_int_equal(from, n);
	}
}

/*
 * A stream that unpacks to more than was advertised closes the link
 * (reticulum-endpoint.md 8.9).
 */
static void
test_bomb(void **state)
{
	static uint8_t zeros[600000], packed[8192], plain[8192];
	uint8_t stream[8192], iv[16] = {7}, adv[256];
	struct id32 hash, proof;
	struct iovec_c v = {zeros, sizeof(zeros)};
	const struct rns_event *ev;
	struct pair p;
	size_t n, len;
	struct wr w = wr_make(adv, sizeof(adv));

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 100,
	    .resources = RNS_ACCEPT_ALL});
	pair_up(&p);
	assert_int_equal(bz_compress(packed, &n, sizeof(packed), &v, 1),
	    RNS_OK);
	memcpy(plain + 4, packed, n);
	assert_int_equal(token_encrypt(stream, &len, sizeof(stream),
	    end_of(&p, 0)->key, 64, iv, plain, n + 4), RNS_OK);
	assert_true(len < 464);
	crypt_sha256_proof(&hash, &proof, &v, 1, "rand", 4);
	mpk_put_map(&w, 11);
	mpk_put_str(&w, "t");
	mpk_put_uint(&w, len);
	mpk_put_str(&w, "d");
	mpk_put_uint(&w, 1000); /* not 600,000 */
	mpk_put_str(&w, "n");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "h");
	mpk_put_bin(&w, HASH_BYTES(hash));
	mpk_put_str(&w, "r");
	mpk_put_bin(&w, "rand", 4);
	mpk_put_str(&w, "o");
	mpk_put_bin(&w, HASH_BYTES(hash));
	mpk_put_str(&w, "i");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "l");
	mpk_put_uint(&w, 1);
	mpk_put_str(&w, "q");
	mpk_put_nil(&w);
	mpk_put_str(&w, "f");
	mpk_put_uint(&w, RES_FLAG_ENCRYPTED | RES_FLAG_COMPRESSED);
	mpk_put_str(&w, "m");
	memcpy(plain, stream, len);
	memcpy(plain + len, "rand", 4);
	rns_sha256(&proof, plain, len + 4);
	mpk_put_bin(&w, proof.b, 4);
	assert_true(wr_ok(&w));
	inject(&p, 1, CTX_RESOURCE_ADV, adv, w.len);
	(void)packet_head(plain, 0x0c, &p.link, CTX_RESOURCE);
	memcpy(plain + HEADER_1_LEN, stream, len);
	pair_recv(&p, 1, plain, HEADER_1_LEN + len);
	ev = pair_take(&p, 1, RNS_EV_RESOURCE_DONE);
	assert_non_null(ev);
	assert_int_equal(ev->resource.status, RNS_RES_CORRUPT);
	assert_non_null(pair_take(&p, 1, RNS_EV_LINK_CLOSED));
	assert_int_equal(p.n[1].r->resource_bytes, 0);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_derived),
	    cmocka_unit_test(test_timers),
	    cmocka_unit_test(test_channel_timeouts),
	    cmocka_unit_test(test_channel_receive),
	    cmocka_unit_test(test_channel_envelopes),
	    cmocka_unit_test(test_buffer_messages),
	    cmocka_unit_test(test_buffer_writer),
	    cmocka_unit_test(test_window_traces),
	    cmocka_unit_test(test_cache_request),
	    cmocka_unit_test(test_real_segments),
	    cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
