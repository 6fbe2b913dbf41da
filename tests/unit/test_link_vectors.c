/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* memmem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transport/core/base/bz.h"
#include "transport/core/base/crypt.h"
#include "transport/core/link/resource.h"
#include "tests/unit/link_replay.h"
#include "tests/unit/vec.h"
#include "common/mpk.h"

/*
 * Recorded traffic of reticulum-endpoint.md 6 to 10, each transcript from both
 * ends.
 */

#define COMPRESS_ALL 67108864u

static struct rns_cmd
on_link(const struct replay *s, enum rns_cmd_type type)
{
	struct rns_cmd c = {.type = type};

	c.hash = s->p.link;
	return c;
}

static void
must(struct replay *s, const struct rns_cmd *c)
{
	assert_int_equal(replay_submit(s, c), RNS_OK);
}

static bool
label_is(const struct replay *s, const char *label)
{
	return strcmp(vec_str(s->item, "label"), label) == 0;
}

/* ---- links.json ---- */

static uint32_t
signalled(const json_t *transcript)
{
	size_t n;
	const json_t *e = json_array_get(transcript, 0);
	uint8_t *raw = vec_bytes(e, "raw", &n), mode;
	uint32_t mtu;

	signalling_get(raw + n - 3, &mtu, &mode);
	return mtu;
}

static bool
link_act(struct replay *s, size_t i, const json_t *e, const char *ctx,
    const uint8_t *plain, size_t n)
{
	struct rns_cmd c;

	(void)i;
	(void)e;
	if (strcmp(ctx, "LINKIDENTIFY") == 0) {
		c = on_link(s, RNS_CMD_LINK_IDENTIFY);
		vec_exact(s->item, "client_identity_private",
		    c.identify.identity, RNS_KEY);
	} else if (strcmp(ctx, "NONE") == 0) {
		c = on_link(s, RNS_CMD_LINK_SEND);
		c.packet.data = plain;
		c.packet.len = n;
	} else if (strcmp(ctx, "LINKCLOSE") == 0) {
		c = on_link(s, RNS_CMD_LINK_CLOSE);
	} else {
		return false;
	}
	must(s, &c);
	return true;
}

static void
test_links(void **state)
{
	json_t *links = vec_array(vec_load("links.json"), "links"), *item;
	const struct rns_event *ev;
	struct replay s;
	size_t i;

	(void)state;
	json_array_foreach(links, i, item) {
		uint32_t asked = signalled(vec_array(item, "transcript"));
		struct pair_opts o = {
		    .hw_mtu = asked == RNS_MTU ? 0 : asked,
		    .responder_mtu = (uint32_t)vec_int(item, "mtu"),
		    .prove = strcmp(vec_str(item, "name"), "no_proofs") == 0 ?
		    RNS_PROVE_NONE : RNS_PROVE_ALL};

		for (int me = 0; me < 2; me++) {
			memset(&s, 0, sizeof(s));
			s.act = link_act;
			replay_begin(&s, item, item, me, &o);
			replay_run(&s);
			ev = pair_take(&s.p, me, RNS_EV_LINK_UP);
			assert_non_null(ev);
			assert_int_equal(ev->link.mtu, vec_int(item, "mtu"));
			assert_int_equal(ev->link.mdu, vec_int(item, "mdu"));
			ev = pair_take(&s.p, me, RNS_EV_LINK_CLOSED);
			assert_non_null(ev);
			assert_int_equal(ev->link.reason, json_integer_value(
			    json_array_get(vec_array(item, "teardown_reason"),
			    (size_t)me)));
			replay_end(&s);
		}
	}
}

static void
accept_request(const json_t *e, const char *key, bool accepted, uint32_t mtu)
{
	uint8_t id[RNS_KEY], buf[2048], *raw;
	struct pair p;
	size_t n, out;

	vec_exact(e, "destination_identity_private", id, sizeof(id));
	pair_new(&p, &(struct pair_opts){.identity = id});
	if (!vec_is_null(e, "responder_x25519_private")) {
		uint8_t x[32];

		vec_exact(e, "responder_x25519_private", x, 32);
		pair_random(&p, 1, x, 32);
	}
	raw = vec_bytes(e, key, &n);
	assert_memory_equal(p.dest.b, raw + 2, RNS_HASH);
	pair_recv(&p, 1, raw, n);
	assert_int_equal(pair_pull(&p, 1, buf, sizeof(buf), &out), accepted);
	if (accepted && mtu != 0) {
		struct rns_link_info info;

		assert_true(rns_link_get(p.n[1].r, hash16_at(buf + 2), &info));
		assert_int_equal(info.mtu, mtu);
	}
	if (!vec_is_null(e, "proof_raw")) {
		raw = vec_bytes(e, "proof_raw", &n);
		vec_equal(buf, out, raw, n);
	}
	pair_free(&p);
}

/*
 * Where the reference would spoil its state by a bad proof, ours stays PENDING
 * (reticulum-endpoint.md 16.23); a proof of another mode that nobody signed is
 * one of these.
 */
static void
accept_proof(const json_t *e, const char *key)
{
	uint8_t id[RNS_KEY], x[32], buf[2048], *raw, *req;
	struct rns_link_info info;
	struct pair p;
	size_t n, out;
	bool accepted = vec_bool(e, "accepted");

	vec_exact(e, "destination_identity_private", id, sizeof(id));
	pair_new(&p, &(struct pair_opts){.identity = id});
	pair_announce(&p);
	vec_exact(e, "initiator_x25519_private", x, 32);
	pair_random(&p, 0, x, 32);
	vec_exact(e, "initiator_ed25519_seed", x, 32);
	pair_random(&p, 0, x, 32);
	assert_int_equal(pair_open(&p, RNS_ACCEPT_NONE), RNS_OK);
	req = vec_bytes(e, "request_raw", &n);
	assert_true(pair_pull(&p, 0, buf, sizeof(buf), &out));
	/* the MTU that it signals may be another one */
	vec_equal(buf, out - 3, req, n - 3);
	raw = vec_bytes(e, key, &n);
	pair_recv(&p, 0, raw, n);
	assert_true(rns_link_get(p.n[0].r, &p.link, &info));
	assert_int_equal(info.status, accepted ? LINK_ACTIVE : LINK_PENDING);
	if (accepted && !vec_is_null(e, "mtu"))
		assert_int_equal(info.mtu, vec_int(e, "mtu"));
	pair_free(&p);
}

static void
test_link_acceptance(void **state)
{
	json_t *o = vec_load("links.json"), *e;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(o, "acceptance"), i, e) {
		if (strcmp(vec_str(e, "kind"), "request") == 0)
			accept_request(e, "raw", vec_bool(e, "accepted"), 0);
		else
			accept_proof(e, "raw");
	}
	json_array_foreach(vec_array(o, "legacy"), i, e) {
		if (i == 0)
			accept_request(e, "request_raw", true,
			    (uint32_t)vec_int(e, "responder_mtu"));
		else
			accept_proof(e, "proof_raw");
	}
}

/* ---- requests.json ---- */

static bool
is_transfer(const char *ctx)
{
	return strcmp(ctx, "RESPONSE") == 0 ||
	    strcmp(ctx, "RESOURCE_ADV") == 0;
}

/* The content of the recorded resource whose advertisement is entry i. */
static const uint8_t *
stream_content(struct replay *s, size_t i, uint64_t flags, size_t *n)
{
	static uint8_t stream[1u << 20], content[1u << 20];
	uint8_t *out = NULL;
	size_t len = 0, got;

	for (size_t k = i + 1; k < json_array_size(s->transcript); k++) {
		const json_t *part = json_array_get(s->transcript, k);
		uint8_t *raw = vec_bytes(part, "raw", &got);

		if (strcmp(vec_str(part, "context"), "RESOURCE_PRF") == 0)
			break;
		if (strcmp(vec_str(part, "context"), "RESOURCE") != 0)
			continue;
		memcpy(stream + len, raw + 19, got - 19);
		len += got - 19;
	}
	if (len == 0)
		return NULL; /* it was refused */
	assert_int_equal(token_decrypt(content, n, sizeof(content), s->key, 64,
	    stream, len), RNS_OK);
	*n -= 4;
	if ((flags & RES_FLAG_COMPRESSED) != 0) {
		assert_int_equal(bz_decompress(&out, &got, sizeof(content) - 4,
		    content + 4, *n, NULL, NULL), RNS_OK);
		memcpy(content + 4, out, got);
		free(out);
		*n = got;
	}
	return content + 4;
}

/* What the recorded responder answered: out of its packet, or its resource. */
static const uint8_t *
answer_content(struct replay *s, size_t i, const json_t *e,
    const uint8_t *plain, size_t *n, bool *file)
{
	const uint8_t *f, *content;

	*file = false;
	if (strcmp(vec_str(e, "context"), "RESPONSE") == 0) {
		*n -= 19;
		return plain + 19;
	}
	f = memmem(plain, *n, "\xa1" "f", 2);
	*file = (f[2] & RES_FLAG_METADATA) != 0;
	content = stream_content(s, i, f[2], n);
	assert_non_null(content);
	if (*file)
		return content;
	*n -= 19;
	return content + 19;
}

/* A request that is a resource says when it was sent inside it. */
static void
request_clock(struct replay *s, size_t i)
{
	size_t n;
	const uint8_t *p = stream_content(s, i, 0, &n);
	struct rd r;
	double t;

	if (p == NULL)
		return;
	r = rd_make(p, n);
	if (mpk_get_array(&r, &n) && mpk_get_number(&r, &t))
		rns_set_wall(s->p.n[0].r, (int64_t)(t * 1e6 + 0.5), s->p.now);
}

static bool
request_act(struct replay *s, size_t i, const json_t *e, const char *ctx,
    const uint8_t *plain, size_t n)
{
	struct rns_cmd c;
	const struct rns_event *ev;
	bool file, resource;

	if (s->me == 0 && (strcmp(ctx, "REQUEST") == 0 ||
	    strcmp(ctx, "RESOURCE_ADV") == 0)) {
		c = on_link(s, RNS_CMD_REQUEST);
		c.request.path = vec_str(s->item, "path");
		c.request.data = vec_bytes(s->item, "request_data_packed",
		    &c.request.len);
		if (strncmp(vec_str(s->item, "label"), "max_response", 12) == 0)
			c.request.max_response = 50;
		if (strcmp(ctx, "RESOURCE_ADV") == 0)
			request_clock(s, i);
		must(s, &c);
		return true;
	}
	if (s->me == 0 || !is_transfer(ctx))
		return false;
	ev = pair_take(&s->p, 1, RNS_EV_REQUEST);
	assert_non_null(ev);
	c = on_link(s, RNS_CMD_RESPOND);
	c.respond.request_id = ev->request.request_id;
	c.respond.data = answer_content(s, i, e, plain, &n, &file);
	c.respond.len = n;
	c.respond.as_resource = &resource;
	if (file) {
		struct rd r = rd_make(c.respond.data, n);
		uint32_t m;

		assert_true(rd_u24(&r, &m) &&
		    rd_ref(&r, &c.respond.metadata, m));
		c.respond.metadata_len = m;
		c.respond.data += m + 3;
		c.respond.len -= m + 3;
	}
	must(s, &c);
	return true;
}

static void
request_setup(struct replay *s)
{
	struct hash16 list = {0};
	enum rns_allow allow = RNS_ALLOW_ALL;
	size_t i, n;
	json_t *e;

	if (label_is(s, "no_handler"))
		return;
	if (label_is(s, "allow_none"))
		allow = RNS_ALLOW_NONE;
	if (strncmp(vec_str(s->item, "label"), "allow_list", 10) == 0)
		allow = RNS_ALLOW_LIST;
	json_array_foreach(s->transcript, i, e)
		if (strcmp(vec_str(e, "context"), "LINKIDENTIFY") == 0)
			rns_identity_hash_of(&list,
			    vec_bytes(e, "plaintext", &n));
	pair_handler(&s->p, vec_str(s->item, "path"), allow, list.b, 1,
	    label_is(s, "large_response_no_compress") ? 0 : COMPRESS_ALL);
}

static void
request_check(struct replay *s, bool v15)
{
	int64_t status = vec_int(s->item, "final_status");
	const struct rns_event *ev;
	size_t n;
	uint8_t *m;

	if (s->me != 0)
		return;
	if (status == 0) {
		ev = pair_take(&s->p, 0, RNS_EV_REQUEST_FAILED);
		assert_non_null(ev);
		assert_int_equal(ev->response.too_large, v15);
	}
	if (status != 4)
		return;
	ev = pair_take(&s->p, 0, RNS_EV_RESPONSE);
	assert_non_null(ev);
	if (label_is(s, "file_response")) {
		m = vec_unhex("81a46e616d65c408726573702e62696e", &n);
		vec_equal(ev->response.metadata, ev->response.metadata_len, m,
		    n);
		assert_int_equal(ev->response.len, 768);
	}
}

static void
replay_requests(const char *file, bool v15)
{
	json_t *list = vec_array(vec_load(file), "requests"), *item;
	struct replay s;
	size_t i;

	json_array_foreach(list, i, item) {
		const json_t *link = json_object_get(item, "link");
		uint32_t asked = signalled(vec_array(item, "transcript"));
		const char *label = vec_str(item, "label");
		struct pair_opts o = {
		    .hw_mtu = asked == RNS_MTU ? 0 : asked,
		    .max_request =
		    strncmp(label, "max_request", 11) == 0 ? 50 : 0};

		for (int me = 0; me < 2; me++) {
			/* the client's private key is not recorded */
			if (me == 0 && strcmp(label, "allow_list_ok") == 0)
				continue;
			/*
			 * nothing that we would send
			 * (reticulum-endpoint.md 7.3)
			 */
			if (me == 1 &&
			    strcmp(label, "file_response_no_metadata") == 0)
				continue;
			/* refused: what they held is not recorded */
			if (me == 0 && strcmp(label,
			    "max_request_size_exceeded_resource") == 0)
				continue;
			if (me == 1 && strcmp(label,
			    "max_response_size_exceeded_resource") == 0)
				continue;
			memset(&s, 0, sizeof(s));
			s.act = request_act;
			replay_begin(&s, item, link, me, &o);
			request_setup(&s);
			replay_run(&s);
			request_check(&s, v15);
			replay_end(&s);
		}
	}
}

static void
test_requests(void **state)
{
	(void)state;
	replay_requests("requests.json", false);
	replay_requests("requests-1.5.json", true);
}

/* ---- resources*.json ---- */

static bool
resource_act(struct replay *s, size_t i, const json_t *e, const char *ctx,
    const uint8_t *plain, size_t n)
{
	const json_t *auto_compress = json_object_get(s->item,
	    "auto_compress");
	struct rns_cmd c;

	(void)i;
	(void)e;
	if (strcmp(ctx, "RESOURCE_ADV") == 0) {
		c = on_link(s, RNS_CMD_RESOURCE_SEND);
		c.resource.data = s->arg;
		c.resource.len = (size_t)vec_int(s->item, "data_length");
		c.resource.metadata = vec_bytes(s->item, "metadata_packed",
		    &c.resource.metadata_len);
		c.resource.compress = json_is_integer(auto_compress) ?
		    (int64_t)c.resource.len <= vec_int(s->item,
		    "auto_compress") : !json_is_false(auto_compress);
		c.resource.tag = 5;
	} else if (strcmp(ctx, "RESOURCE_REQ") == 0 &&
	    label_is(s, "lost_part")) {
		/* recorded without the shrink that a time-out brings */
		TAILQ_FIRST(&link_find(s->p.n[1].r,
		    &s->p.link)->res_in)->window++;
		return false;
	} else if (strcmp(ctx, "RESOURCE_ICL") == 0) {
		c = on_link(s, RNS_CMD_RESOURCE_CANCEL);
		c.cancel.tag = 5;
	} else if (strcmp(ctx, "RESOURCE_RCL") == 0 &&
	    label_is(s, "rejected")) {
		c = on_link(s, RNS_CMD_RESOURCE_ANSWER);
		memcpy(c.answer.hash.b, plain, n);
	} else if (strcmp(ctx, "RESOURCE_RCL") == 0) {
		c = on_link(s, RNS_CMD_RESOURCE_CANCEL);
		c.cancel.incoming = true;
		memcpy(c.cancel.hash.b, plain, n);
	} else {
		return false;
	}
	must(s, &c);
	return true;
}

/* The data of an entry that gives only its digest. */
static uint8_t *
resource_data(struct replay *s, const json_t *item)
{
	static uint8_t plain[1u << 20];
	size_t n, len = (size_t)vec_int(item, "data_length");
	struct id32 want, got;
	uint8_t *data, *stream;

	if (!vec_is_null(item, "data")) {
		data = vec_bytes(item, "data", &n);
		assert_true(n >= len);
	} else {
		stream = vec_bytes(json_object_get(item, "first_segment"),
		    "stream", &n);
		assert_int_equal(token_decrypt(plain, &n, sizeof(plain),
		    s->key, 64, stream, n), RNS_OK);
		data = vec_copy(plain + 4, n - 4);
	}
	vec_exact(item, "data_sha256", HASH_BYTES(want));
	rns_sha256(&got, data, len);
	assert_memory_equal(got.b, want.b, sizeof(want));
	return data;
}

static void
resource_received(struct replay *s)
{
	const struct rns_event *ev;
	size_t at = 0, meta_len, len = (size_t)vec_int(s->item, "data_length");
	uint8_t *meta = vec_bytes(s->item, "metadata_packed", &meta_len);

	while ((ev = pair_take(&s->p, 1, RNS_EV_RESOURCE_DATA)) != NULL) {
		if (at == 0)
			vec_equal(ev->resource.metadata,
			    ev->resource.metadata_len, meta, meta_len);
		assert_true(at + ev->resource.len <= len);
		if (ev->resource.len > 0)
			assert_memory_equal(ev->resource.data,
			    (uint8_t *)s->arg + at, ev->resource.len);
		at += ev->resource.len;
	}
	assert_int_equal(at, len);
}

static void
resource_check(struct replay *s)
{
	const char *key = s->me == 0 ? "sender_status" : "receiver_status";
	const struct rns_event *ev;
	int64_t status = 6;

	if (s->segments == NULL) {
		if (vec_is_null(s->item, key))
			return;
		status = vec_int(s->item, key);
	}
	if (s->me == 0) {
		ev = pair_take(&s->p, 0, RNS_EV_SENT);
		assert_non_null(ev);
		assert_int_equal(ev->sent.tag, 5);
		assert_int_equal(ev->sent.status, status);
		return;
	}
	if (status == 6)
		resource_received(s);
	ev = pair_take(&s->p, 1, RNS_EV_RESOURCE_DONE);
	assert_non_null(ev);
	assert_int_equal(ev->resource.status, status);
	assert_int_equal(s->p.n[1].r->resource_bytes, 0);
}

static void
replay_resource(const json_t *item, int me)
{
	const json_t *link = json_object_get(item, "link");
	uint32_t mtu = (uint32_t)vec_int(link, "mtu");
	const char *label = vec_str(item, "label");
	struct pair_opts o = {.hw_mtu = mtu == RNS_MTU ? 0 : mtu,
	    .resources = RNS_ACCEPT_ALL};
	struct replay s;

	if (strcmp(label, "rejected") == 0)
		o.resources = RNS_ACCEPT_APP;
	if (strcmp(label, "ignored") == 0)
		o.resources = RNS_ACCEPT_NONE;
	memset(&s, 0, sizeof(s));
	s.act = resource_act;
	replay_begin(&s, item, link, me, &o);
	replay_handshake(&s, link);
	if (!vec_is_null(item, "segments")) {
		s.segments = vec_array(item, "segments");
		for (int i = 0; i < 2; i++)
			s.p.n[i].r->links->segment_max = (uint32_t)vec_int(
			    item, "max_efficient_size");
	}
	s.arg = resource_data(&s, item);
	replay_run(&s);
	resource_check(&s);
	replay_end(&s);
}

static void
replay_resources(const char *file)
{
	json_t *list = vec_array(vec_load(file), "resources"), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		if (strcmp(vec_str(item, "label"), "real_2_segments") == 0)
			continue; /* only digests: test_link_values.c */
		replay_resource(item, 0);
		replay_resource(item, 1);
	}
}

static void
test_resources(void **state)
{
	(void)state;
	replay_resources("resources.json");
}

static void
test_resources_15(void **state)
{
	(void)state;
	replay_resources("resources-1.5.json");
}

static void
test_resources_segmented(void **state)
{
	(void)state;
	replay_resources("resources_segmented.json");
}

/* ---- channel.json, buffer*.json ---- */

static bool
channel_act(struct replay *s, size_t i, const json_t *e, const char *ctx,
    const uint8_t *plain, size_t n)
{
	struct rns_cmd c;
	size_t *at = s->arg, len, taken = 0;

	(void)i;
	if (strcmp(ctx, "CHANNEL") != 0)
		return false;
	if (i > 3 && vec_is_null(e, "note") && s->me == 0 &&
	    !vec_is_null(json_array_get(s->transcript, i - 1), "note") &&
	    strncmp(vec_str(json_array_get(s->transcript, i - 1), "note"),
	    "lost", 4) == 0)
		return false; /* it is sent again by itself */
	if (at == NULL) {
		c = on_link(s, RNS_CMD_CHANNEL_SEND);
		c.channel.msgtype = get_u16(plain);
		c.channel.data = plain + 6;
		c.channel.len = n - 6;
		must(s, &c);
		return true;
	}
	c = on_link(s, RNS_CMD_STREAM_SEND);
	c.stream.data = vec_bytes(s->item, "sent", &len) + *at;
	c.stream.len = len - *at;
	c.stream.stream = 3;
	c.stream.eof = *at == len;
	c.stream.taken = &taken;
	must(s, &c);
	*at += taken;
	return true;
}

static void
channel_fed(struct replay *s, size_t i, const char *ctx)
{
	struct rns_cmd c = on_link(s, RNS_CMD_CHANNEL_OPEN);

	(void)i;
	if (strcmp(ctx, "LRRTT") != 0 && strcmp(ctx, "LRPROOF") != 0)
		return;
	if (strcmp(vec_str(json_object_get(s->item, "link"), "name"),
	    "channel_closed") == 0)
		return;
	if (s->arg != NULL) {
		c = on_link(s, RNS_CMD_STREAM_OPEN);
		c.stream.stream = 3;
	}
	must(s, &c);
}

static void
channel_check(struct replay *s)
{
	const struct rns_event *ev;
	json_t *e;
	size_t i, n;
	uint8_t *want;

	if (s->me == 0 || vec_is_null(s->item, "delivered"))
		return;
	json_array_foreach(vec_array(s->item, "delivered"), i, e) {
		want = vec_unhex(json_string_value(e), &n);
		/* the reply went the other way */
		if (n == 5 && memcmp(want, "reply", 5) == 0)
			continue;
		ev = pair_take(&s->p, 1, RNS_EV_CHANNEL_MESSAGE);
		assert_non_null(ev);
		vec_equal(ev->channel.data, ev->channel.len, want, n);
	}
}

static void
stream_check(struct replay *s)
{
	const struct rns_event *ev;
	size_t at = 0, n;
	uint8_t *want = vec_bytes(s->item, "received", &n);
	bool eof = false;

	if (s->me == 0)
		return;
	while ((ev = pair_take(&s->p, 1, RNS_EV_STREAM_DATA)) != NULL) {
		assert_int_equal(ev->channel.msgtype, 3);
		assert_true(at + ev->channel.len <= n);
		if (ev->channel.len > 0)
			assert_memory_equal(want + at, ev->channel.data,
			    ev->channel.len);
		at += ev->channel.len;
		eof |= ev->channel.eof;
	}
	assert_int_equal(at, n);
	assert_true(eof);
}

static void
replay_live(const char *file, bool stream)
{
	json_t *list = vec_array(vec_load(file), "live"), *item;
	struct replay s;
	size_t i, at;

	json_array_foreach(list, i, item) {
		uint32_t asked = signalled(vec_array(item, "transcript"));
		struct pair_opts o = {.hw_mtu = asked == RNS_MTU ? 0 : asked};

		for (int me = 0; me < 2; me++) {
			memset(&s, 0, sizeof(s));
			s.act = channel_act;
			s.fed = channel_fed;
			at = 0;
			s.arg = stream ? &at : NULL;
			replay_begin(&s, item, json_object_get(item, "link"),
			    me, &o);
			replay_run(&s);
			if (stream)
				stream_check(&s);
			else
				channel_check(&s);
			replay_end(&s);
		}
	}
}

static void
test_channel_live(void **state)
{
	(void)state;
	replay_live("channel.json", false);
}

static void
test_buffer_live(void **state)
{
	(void)state;
	replay_live("buffer.json", true);
	replay_live("buffer-1.5.json", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_links),
	    cmocka_unit_test(test_link_acceptance),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_resources),
	    cmocka_unit_test(test_resources_15),
	    cmocka_unit_test(test_resources_segmented),
	    cmocka_unit_test(test_channel_live),
	    cmocka_unit_test(test_buffer_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
