/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/link_replay.h"

#include <stdlib.h>
#include <string.h>

#include "transport/core/base/crypt.h"
#include "transport/core/base/ctx.h"
#include "transport/core/base/packet.h"
#include "tests/unit/vec.h"
#include "common/mpk.h"

#define RAW_MAX (1u << 20)

static bool
replay_mine(const struct replay *s, const json_t *e)
{
	return strcmp(vec_str(e, "dir"), s->me == 0 ? "I->R" : "R->I") == 0;
}

static bool
is_context(const json_t *e, const char *name)
{
	return strcmp(vec_str(e, "context"), name) == 0;
}

static bool
is_lost(const json_t *e)
{
	return !vec_is_null(e, "note") &&
	    strncmp(vec_str(e, "note"), "lost", 4) == 0;
}

/* The parts behind an advertisement are its stream, once each. */
static size_t
replay_stream(const struct replay *s, size_t from, uint8_t *out)
{
	const json_t *adv = json_array_get(s->transcript, from);
	size_t len = 0, n, seen_count = 0;
	const uint8_t *seen[512];
	size_t seen_len[512];

	for (size_t i = from + 1; i < json_array_size(s->transcript); i++) {
		const json_t *e = json_array_get(s->transcript, i);
		const uint8_t *raw;
		bool old = false;

		if (strcmp(vec_str(e, "dir"), vec_str(adv, "dir")) != 0)
			continue;
		if (is_context(e, "RESOURCE_ADV"))
			break;
		if (!is_context(e, "RESOURCE") || vec_is_null(e, "raw"))
			continue;
		raw = vec_bytes(e, "raw", &n);
		for (size_t k = 0; k < seen_count; k++)
			old |= seen_len[k] == n &&
			    memcmp(seen[k], raw, n) == 0;
		if (old)
			continue;
		assert_true(seen_count < 512);
		seen[seen_count] = raw;
		seen_len[seen_count++] = n;
		memcpy(out + len, raw + HEADER_1_LEN, n - HEADER_1_LEN);
		len += n - HEADER_1_LEN;
	}
	return len;
}

static void
replay_adv_random(struct replay *s, size_t i, const json_t *e)
{
	static uint8_t stream[RAW_MAX], plain[RAW_MAX];
	size_t len = 0, n, adv_len;
	uint8_t *adv = vec_bytes(e, "plaintext", &adv_len), *known;
	const json_t *seg = NULL;
	const uint8_t *r;

	if (s->segments != NULL)
		seg = json_array_get(s->segments, s->segment++);
	else if (!vec_is_null(s->item, "first_segment"))
		seg = json_object_get(s->item, "first_segment");
	if (seg != NULL && !vec_is_null(seg, "stream")) {
		known = vec_bytes(seg, "stream", &len);
		memcpy(stream, known, len);
	} else {
		len = replay_stream(s, i, stream);
	}
	/* r is behind "ar" and its bin head */
	r = memmem(adv, adv_len, "\xa1r\xc4\x04", 4);
	assert_non_null(r);
	pair_random(&s->p, s->me, r + 4, RES_RANDOM);
	if (len < TOKEN_OVERHEAD)
		return; /* refused before a part was sent */
	assert_int_equal(token_decrypt(plain, &n, sizeof(plain), s->key, 64,
	    stream, len), RNS_OK);
	pair_random(&s->p, s->me, stream, 16);
}

/*
 * The hidden prefix is drawn before the random hash
 * (reticulum-endpoint.md 8.2).
 */
static void
replay_prefix_random(struct replay *s, size_t i)
{
	static uint8_t stream[RAW_MAX], plain[RAW_MAX];
	const json_t *seg = NULL;
	uint8_t *known;
	size_t len, n;

	if (s->segments != NULL)
		seg = json_array_get(s->segments, s->segment);
	else if (!vec_is_null(s->item, "first_segment"))
		seg = json_object_get(s->item, "first_segment");
	if (seg != NULL && !vec_is_null(seg, "stream")) {
		known = vec_bytes(seg, "stream", &len);
		memcpy(stream, known, len);
	} else {
		len = replay_stream(s, i, stream);
	}
	if (len < TOKEN_OVERHEAD ||
	    token_decrypt(plain, &n, sizeof(plain), s->key, 64, stream,
	    len) != RNS_OK)
		memset(plain, 0, 4);
	pair_random(&s->p, s->me, plain, RES_RANDOM);
}

static void
replay_randoms(struct replay *s)
{
	size_t i, n;
	json_t *e;
	bool adv = false;

	json_array_foreach(s->transcript, i, e) {
		if (!replay_mine(s, e) || vec_is_null(e, "plaintext"))
			continue;
		if (is_context(e, "RESOURCE_ADV") &&
		    (!adv || s->segments != NULL)) {
			replay_prefix_random(s, i);
			replay_adv_random(s, i, e);
			adv = true;
		}
		pair_random(&s->p, s->me,
		    vec_bytes(e, "raw", &n) + HEADER_1_LEN, 16);
	}
	s->segment = 0;
}

void
replay_begin(struct replay *s, const json_t *item, const json_t *link, int me,
    const struct pair_opts *opts)
{
	const json_t *d = json_object_get(link, "destination");
	struct pair_opts o = *opts;
	uint8_t id[RNS_KEY], b[32];
	struct hash16 hash;
	size_t n;

	s->item = item;
	s->me = me;
	s->transcript = vec_array(item, "transcript");
	s->key = vec_bytes(link, "derived_key", &n);
	vec_exact(d, "identity_private", id, sizeof(id));
	o.identity = id;
	o.name = vec_str(d, "name");
	pair_new(&s->p, &o);
	vec_exact(d, "destination_hash", HASH_BYTES(hash));
	assert_memory_equal(s->p.dest.b, hash.b, RNS_HASH);
	pair_announce(&s->p);
	if (me == 0) {
		const json_t *i = json_object_get(link, "initiator");

		vec_exact(i, "x25519_private", b, 32);
		pair_random(&s->p, 0, b, 32);
		vec_exact(i, "ed25519_seed", b, 32);
		pair_random(&s->p, 0, b, 32);
	} else {
		vec_exact(json_object_get(link, "responder"),
		    "x25519_private", b, 32);
		pair_random(&s->p, 1, b, 32);
	}
	vec_exact(link, "link_id", HASH_BYTES(s->p.link));
}

int
replay_submit(struct replay *s, const struct rns_cmd *c)
{
	return pair_submit(&s->p, s->me, c);
}

/* Let time pass until the core sends. */
static bool
replay_sleep(struct replay *s, uint8_t *buf, size_t *n)
{
	struct rns *r = s->p.n[s->me].r;

	for (int i = 0; i < 2000; i++) {
		if (pair_pull(&s->p, s->me, buf, RAW_MAX, n))
			return true;
		if (rns_deadline(r).us == INT64_MAX)
			return false;
		if (rns_deadline(r).us > s->p.now.us)
			s->p.now = rns_deadline(r);
		rns_tick(r, s->p.now);
	}
	return false;
}

/* RTT values are our own clock's: equal to a microsecond, not to a bit. */
static void
replay_rtt(const struct replay *s, const json_t *e, const uint8_t *raw,
    size_t n)
{
	uint8_t plain[64], *want;
	struct rd a, b;
	double x = 0, y = 0;
	size_t len, want_len;

	assert_int_equal(token_decrypt(plain, &len, sizeof(plain), s->key, 64,
	    raw + HEADER_1_LEN, n - HEADER_1_LEN), RNS_OK);
	want = vec_bytes(e, "plaintext", &want_len);
	a = rd_make(plain, len);
	b = rd_make(want, want_len);
	assert_true(mpk_get_number(&a, &x) && mpk_get_number(&b, &y));
	assert_true(x - y < 2e-6 && y - x < 2e-6);
}

/* Before our request or theirs: the clock that the record shows. */
static void
replay_clock(struct replay *s, const json_t *e)
{
	struct rd r;
	double t;
	size_t n, count;
	uint8_t *p;

	if (vec_is_null(e, "plaintext"))
		return;
	p = vec_bytes(e, "plaintext", &n);
	r = rd_make(p, n);
	if (is_context(e, "REQUEST") && mpk_get_array(&r, &count) &&
	    mpk_get_number(&r, &t))
		rns_set_wall(s->p.n[s->me].r, (int64_t)(t * 1e6 + 0.5), s->p.now);
	if (is_context(e, "LRRTT") && mpk_get_number(&r, &t))
		s->p.now.us += (int64_t)(t * 1e6 + 0.5);
}

static void
replay_open(struct replay *s)
{
	struct hash16 want;

	want = s->p.link;
	assert_int_equal(pair_open(&s->p, RNS_ACCEPT_ALL), RNS_OK);
	assert_memory_equal(want.b, s->p.link.b, RNS_HASH);
}

static void
replay_own(struct replay *s, size_t i, const json_t *e)
{
	static uint8_t raw[RAW_MAX];
	const char *ctx = vec_str(e, "context");
	uint8_t *want, *plain = NULL;
	size_t n, want_len, plain_len = 0;

	if (vec_is_null(e, "raw"))
		fail_msg("entry without raw");
	want = vec_bytes(e, "raw", &want_len);
	if (!vec_is_null(e, "plaintext"))
		plain = vec_bytes(e, "plaintext", &plain_len);
	if (!pair_pull(&s->p, s->me, raw, sizeof(raw), &n)) {
		replay_clock(s, e);
		if (strcmp(vec_str(e, "packet_type"), "LINKREQUEST") == 0)
			replay_open(s);
		else if (s->act != NULL)
			(void)s->act(s, i, e, ctx, plain, plain_len);
		if (!pair_pull(&s->p, s->me, raw, sizeof(raw), &n) &&
		    !replay_sleep(s, raw, &n))
			fail_msg("%s: nothing sent for entry %zu",
			    ctx, i);
	}
	if (is_context(e, "LRRTT")) {
		replay_rtt(s, e, raw, n);
		return;
	}
	if (n != want_len || memcmp(raw, want, n) != 0) {
		print_error("entry %zu %s (%zu bytes, want %zu)\n", i, ctx,
		    n, want_len);
		if (plain != NULL) {
			static uint8_t got[RAW_MAX];
			size_t got_len;

			if (token_decrypt(got, &got_len, sizeof(got), s->key,
			    64, raw + 19, n - 19) == RNS_OK)
				vec_equal(got, got_len, plain, plain_len);
		}
		vec_equal(raw, n, want, want_len);
	}
}

/* Parts that the record leaves out: compared with, or cut from, a stream. */
static const json_t *
replay_segment(struct replay *s)
{
	return s->segments != NULL ?
	    json_array_get(s->segments, s->segment) :
	    json_object_get(s->item, "first_segment");
}

static void
replay_part(struct replay *s, const uint8_t *stream, size_t at, size_t n)
{
	static uint8_t raw[RAW_MAX];
	size_t got;

	if (s->me == 0) {
		assert_true(pair_pull(&s->p, 0, raw, sizeof(raw), &got));
		assert_int_equal(raw[18], CTX_RESOURCE);
		vec_equal(raw + HEADER_1_LEN, got - HEADER_1_LEN, stream + at,
		    n);
		return;
	}
	(void)packet_head(raw, PACKET_FLAGS(DEST_LINK, PACKET_DATA),
	    &s->p.link, CTX_RESOURCE);
	memcpy(raw + HEADER_1_LEN, stream + at, n);
	pair_recv(&s->p, s->me, raw, n + HEADER_1_LEN);
}

static void
replay_parts(struct replay *s, const json_t *req)
{
	const json_t *seg = replay_segment(s);
	size_t len, n, map_len, sdu, skip;
	uint8_t *stream, *map, *plain;

	if (seg == NULL || vec_is_null(seg, "stream"))
		return;
	stream = vec_bytes(seg, "stream", &len);
	map = vec_bytes(seg, "hashmap", &map_len);
	plain = vec_bytes(req, "plaintext", &n);
	sdu = (len + map_len / 4 - 1) / (map_len / 4);
	sdu = json_object_get(s->item, "sdu") != NULL ?
	    (size_t)vec_int(s->item, "sdu") : 464;
	skip = plain[0] == 0xff ? 37 : 33;
	for (size_t i = 0; i < map_len / 4; i++)
		for (size_t k = skip; k + 4 <= n; k += 4)
			if (memcmp(map + i * 4, plain + k, 4) == 0)
				replay_part(s, stream, i * sdu,
				    MIN_OF(sdu, len - i * sdu));
}

void
replay_run(struct replay *s)
{
	size_t i, n;
	json_t *e;
	uint8_t *raw;
	bool omitted = s->segments != NULL;

	json_array_foreach(s->transcript, i, e)
		omitted |= is_context(e, "RESOURCE") && vec_is_null(e, "raw");
	replay_randoms(s);
	json_array_foreach(s->transcript, i, e) {
		if (vec_is_null(e, "raw"))
			continue;
		if (replay_mine(s, e)) {
			replay_own(s, i, e);
		} else if (!is_lost(e)) {
			/* packets take their time, and rates are finite */
			s->p.now.us += 1000;
			if (is_context(e, "LRPROOF"))
				s->p.now.us -= 1000;
			if (is_context(e, "LRPROOF") &&
			    i + 1 < json_array_size(s->transcript))
				replay_clock(s,
				    json_array_get(s->transcript, i + 1));
			if (is_context(e, "KEEPALIVE") && s->me == 1)
				s->p.now.us += 60 * MONO_SECOND;
			raw = vec_bytes(e, "raw", &n);
			pair_recv(&s->p, s->me, raw, n);
			if (s->fed != NULL)
				s->fed(s, i, vec_str(e, "context"));
		}
		if (omitted && is_context(e, "RESOURCE_REQ"))
			replay_parts(s, e);
		if (s->segments != NULL && is_context(e, "RESOURCE_PRF"))
			s->segment++;
	}
}

void
replay_end(struct replay *s)
{
	static uint8_t raw[RAW_MAX];
	size_t n;

	assert_false(pair_pull(&s->p, s->me, raw, sizeof(raw), &n));
	pair_free(&s->p);
}

static size_t
replay_drain(struct replay *s, int node, uint8_t *buf)
{
	size_t n = 0, last = 0;

	while (pair_pull(&s->p, node, buf, RAW_MAX, &n))
		last = n;
	return last;
}

/* Our pair makes the link with the recorded keys; then the peer is silent. */
void
replay_handshake(struct replay *s, const json_t *link)
{
	static uint8_t raw[RAW_MAX];
	const json_t *i = json_object_get(link, "initiator");
	uint8_t b[32];
	size_t n;

	if (s->me == 0) {
		vec_exact(json_object_get(link, "responder"),
		    "x25519_private", b, 32);
		pair_random(&s->p, 1, b, 32);
	} else {
		vec_exact(i, "x25519_private", b, 32);
		pair_random(&s->p, 0, b, 32);
		vec_exact(i, "ed25519_seed", b, 32);
		pair_random(&s->p, 0, b, 32);
	}
	(void)replay_drain(s, 0, raw);
	replay_open(s);
	n = replay_drain(s, 0, raw);
	pair_recv(&s->p, 1, raw, n);
	n = replay_drain(s, 1, raw);
	s->p.now.us += 100000;
	pair_recv(&s->p, 0, raw, n);
	n = replay_drain(s, 0, raw);
	pair_recv(&s->p, 1, raw, n);
	assert_non_null(pair_take(&s->p, 0, RNS_EV_LINK_UP));
	assert_non_null(pair_take(&s->p, 1, RNS_EV_LINK_UP));
}
