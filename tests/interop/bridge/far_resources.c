/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of resources, genuine and damaged. */
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/far.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"
#define bytes res_bytes /* the library has another struct of that name */
#include "transport/core/link/resource.h"
#include "transport/core/link/resource_tx.h"
#undef bytes

#define TAG 7

struct sent { /* near's, on its way to far */
	struct far f;
	struct res_out *out;
	struct res_in *in;
};

/* near sends so many parts; far has heard of it and asks. */
static void
begin(struct call *c, struct sent *s, uint32_t parts)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	size_t sdu = RNS_MTU - RES_SDU_OVERHEAD, n = parts * sdu - sdu / 2;
	uint8_t *data = call_alloc(c, n);
	struct bytes adv;

	far_start(c, &s->f, true);
	rand_fill(NULL, data, n);
	cmd.resource.link = s->f.id;
	cmd.resource.data = data;
	cmd.resource.len = n;
	cmd.resource.tag = TAG;
	must(c, rns_submit(s->f.near, &cmd, mono_here()), "resource");
	adv = far_next(c, s->f.near, PACKET_DATA, CTX_RESOURCE_ADV);
	far_hear(s->f.far, adv);
	s->out = TAILQ_FIRST(&s->f.nl->res_out);
	s->in = TAILQ_FIRST(&s->f.fl->res_in);
	if (s->out == NULL || s->in == NULL || s->out->parts != parts)
		fail(c, "RuntimeError: it did not begin");
}

static struct bytes
part(struct call *c, const struct sent *s, uint32_t i)
{
	size_t at = (size_t)i * s->out->sdu;

	return far_packet(c, &s->f, PACKET_DATA, CTX_RESOURCE,
	    s->out->stream + at, MIN_OF(s->out->sdu, s->out->size - at));
}

void
cmd_wire_inject_crafted_resource_part(struct call *c)
{
	const char *how = arg_str(c, "variant");
	uint32_t before;
	struct sent s;
	struct bytes raw;

	(void)peer_of(c);
	begin(c, &s, 8);
	raw = part(c, &s, 0);
	if (strcmp(how, "forged_map_hash") == 0)
		raw.p[HEADER_1_LEN] ^= 1;
	else if (strcmp(how, "beyond_window") == 0)
		raw = part(c, &s, 7);
	else if (strcmp(how, "duplicate_filled") == 0)
		far_hear(s.f.far, raw);
	else if (strcmp(how, "valid") != 0)
		fail(c, "ValueError: unknown variant");
	before = s.in->received;
	far_hear(s.f.far, raw);
	put_str(c, "variant", how);
	put_int(c, "parts_before", before);
	put_int(c, "parts_after", s.in->received);
	put_bool(c, "accepted", s.in->received > before);
	put_int(c, "total_parts", s.in->parts);
	put_int(c, "window", s.in->window);
	put_int(c, "received_count_after", s.in->received);
}

/* What near hears of its end; then there is nothing left of it. */
static int
concluded(struct far *f)
{
	struct rns_event ev;
	int status = -1;

	while (rns_next_event(f->near, &ev))
		if (ev.type == RNS_EV_SENT)
			status = (int)ev.sent.status;
	return status;
}

/* Does far still receive it? What begin() named is gone if not. */
static bool
receives(const struct sent *s)
{
	const struct link *l = link_find(s->f.far, &s->f.id);

	return l != NULL && !TAILQ_EMPTY(&l->res_in);
}

/* All parts, as far asks for them; far's proof does not reach near. */
static struct bytes
deliver(struct call *c, struct sent *s)
{
	struct bytes raw, part_raw;

	for (;;) {
		raw = far_next(c, s->f.far, PACKET_DATA, CTX_RESOURCE_REQ);
		if (raw.n == 0)
			return raw;
		far_hear(s->f.near, raw);
		while (receives(s) && (part_raw = far_next(c, s->f.near,
		    PACKET_DATA, CTX_RESOURCE)).n > 0)
			far_hear(s->f.far, part_raw);
		if (!receives(s))
			return far_next(c, s->f.far, PACKET_PROOF,
			    CTX_RESOURCE_PRF);
	}
}

void
cmd_wire_inject_crafted_resource_proof(struct call *c)
{
	const char *how = arg_str(c, "variant");
	uint8_t long_[96] = {0};
	struct bytes raw;
	struct sent s;
	int status;

	(void)peer_of(c);
	begin(c, &s, 1);
	far_hear(s.f.near, far_next(c, s.f.far, PACKET_DATA,
	    CTX_RESOURCE_REQ));
	far_hear(s.f.far, far_next(c, s.f.near, PACKET_DATA, CTX_RESOURCE));
	raw = far_next(c, s.f.far, PACKET_PROOF, CTX_RESOURCE_PRF);
	if (raw.n != HEADER_1_LEN + 64)
		fail(c, "RuntimeError: it was not proved");
	if (strcmp(how, "wrong_proof") == 0) {
		raw.p[raw.n - 1] ^= 1;
	} else if (strcmp(how, "wrong_length_short") == 0) {
		raw.n -= 32;
	} else if (strcmp(how, "wrong_length_long") == 0) {
		memcpy(long_, raw.p + HEADER_1_LEN, 64);
		raw = far_packet(c, &s.f, PACKET_PROOF, CTX_RESOURCE_PRF,
		    long_, sizeof(long_));
	} else if (strcmp(how, "valid") != 0) {
		fail(c, "ValueError: unknown variant");
	}
	far_hear(s.f.near, raw);
	status = concluded(&s.f);
	put_str(c, "variant", how);
	put_bool(c, "concluded", status >= 0);
	status = status >= 0 ? status : (int)s.out->status;
	put_int(c, "status", status);
	put_str(c, "status_name", res_name(status));
	put_int(c, "proof_len", (int64_t)raw.n - HEADER_1_LEN);
}

void
cmd_wire_inject_corrupt_assembled_resource(struct call *c)
{
	const char *how = arg_str(c, "variant");
	bool corrupt = strcmp(how, "corrupt") == 0;
	int status = 0;
	struct rns_event ev;
	struct bytes proof;
	struct sent s;

	if (!corrupt && strcmp(how, "valid") != 0)
		fail(c, "ValueError: unknown variant");
	(void)peer_of(c);
	begin(c, &s, 5);
	put_int(c, "total_parts", s.in->parts);
	if (corrupt) { /* behind the back of what looks at each part */
		far_hear(s.f.far, part(c, &s, 0));
		s.in->stream[10] ^= 1;
	}
	proof = deliver(c, &s);
	while (rns_next_event(s.f.far, &ev))
		if (ev.type == RNS_EV_RESOURCE_DONE)
			status = (int)ev.resource.status;
	put_str(c, "variant", how);
	put_int(c, "status", status);
	put_str(c, "status_name", res_name(status));
	put_bool(c, "complete", status == RNS_RES_COMPLETE);
	put_bool(c, "corrupt", status == RNS_RES_CORRUPT);
	put_int(c, "proof_calls", proof.n > 0);
	put_bool(c, "proof_sent", proof.n > 0);
}

void
cmd_wire_inject_malformed_resource_adv(struct call *c)
{
	static const uint8_t one_key[] = {0x81, 0xa1, 't', 0x01};
	const char *how = arg_str(c, "variant");
	uint8_t garbage[60];
	struct far f;

	(void)peer_of(c);
	far_start(c, &f, true);
	rand_fill(NULL, garbage, sizeof(garbage));
	if (strcmp(how, "garbage") == 0)
		far_hear(f.far, far_seal(c, &f, CTX_RESOURCE_ADV, garbage,
		    sizeof(garbage)));
	else if (strcmp(how, "missing_key") == 0)
		far_hear(f.far, far_seal(c, &f, CTX_RESOURCE_ADV, one_key,
		    sizeof(one_key)));
	else
		fail(c, "ValueError: unknown variant");
	f.fl = link_find(f.far, &f.id);
	put_bool(c, "inbound_started", f.fl != NULL &&
	    !TAILQ_EMPTY(&f.fl->res_in));
	put_bool(c, "crashed", false); /* or nobody would say so */
}

void
cmd_wire_inject_duplicate_resource_adv(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	uint8_t data[1000];
	struct bytes adv;
	struct far f;
	uint32_t first;

	(void)peer_of(c);
	far_start(c, &f, true);
	rand_fill(NULL, data, sizeof(data));
	cmd.resource.link = f.id;
	cmd.resource.data = data;
	cmd.resource.len = sizeof(data);
	must(c, rns_submit(f.near, &cmd, mono_here()), "resource");
	adv = far_next(c, f.near, PACKET_DATA, CTX_RESOURCE_ADV);
	far_hear(f.far, adv);
	first = f.fl->res_in_count;
	adv = far_open(c, &f, adv);
	/* the same once more, in another packet */
	far_hear(f.far, far_seal(c, &f, CTX_RESOURCE_ADV, adv.p, adv.n));
	put_bool(c, "first_accepted", first == 1);
	put_bool(c, "second_created", f.fl->res_in_count > first);
	put_int(c, "incoming_count", f.fl->res_in_count);
	put_int(c, "incoming_count_after_first", first);
}

void
cmd_wire_inject_hashmap_update(struct call *c)
{
	struct bytes raw, text;
	uint32_t first;
	struct sent s;

	(void)peer_of(c);
	begin(c, &s, 81);
	put_int(c, "total_parts", s.in->parts);
	put_int(c, "height_after_advert", s.in->height);
	first = s.in->height;
	do { /* until far asks for more of the map */
		raw = far_next(c, s.f.far, PACKET_DATA, CTX_RESOURCE_REQ);
		if (raw.n == 0)
			fail(c, "RuntimeError: far does not ask");
		text = far_open(c, &s.f, raw);
		far_hear(s.f.near, raw);
		if (text.p[0] == 0xff)
			break;
		for (;;) {
			raw = far_next(c, s.f.near, PACKET_DATA, CTX_RESOURCE);
			if (raw.n == 0)
				break;
			far_hear(s.f.far, raw);
		}
	} while (s.in->received < s.in->parts);
	raw = far_next(c, s.f.near, PACKET_DATA, CTX_RESOURCE_HMU);
	if (raw.n == 0)
		fail(c, "RuntimeError: near sends no map");
	far_hear(s.f.far, raw);
	put_int(c, "height_after_first", s.in->height);
	put_bool(c, "grew_on_first", s.in->height > first);
	first = s.in->height;
	text = far_open(c, &s.f, raw);
	far_hear(s.f.far, far_seal(c, &s.f, CTX_RESOURCE_HMU, text.p, text.n));
	put_int(c, "height_after_duplicate", s.in->height);
	put_bool(c, "grew_on_duplicate", s.in->height > first);
}

/* ---- what the sender is asked ---- */

/* Which of them that packet holds, byte for byte; -1: none. */
static int
index_of(struct call *c, const struct sent *s, struct bytes raw)
{
	struct bytes own;

	for (uint32_t i = 0; i < s->out->parts; i++) {
		own = part(c, s, i);
		if (own.n == raw.n && memcmp(own.p, raw.p, raw.n) == 0)
			return (int)i;
	}
	return -1;
}

/*
 * The parts that it sends for that; last: the last hash of the map that is
 * known, or NULL. An earlier request goes again as it was.
 */
static json_t *
asks(struct call *c, struct sent *s, const uint8_t *last, uint32_t n,
    struct bytes *request)
{
	uint8_t text[RNS_MTU];
	struct wr w = wr_make(text, sizeof(text));
	json_t *served = json_array();
	struct bytes raw;

	wr_u8(&w, last != NULL ? 0xff : 0);
	if (last != NULL)
		wr_bytes(&w, last, RES_MAPHASH);
	wr_bytes(&w, HASH_BYTES(s->out->hash));
	wr_bytes(&w, s->out->map, (size_t)n * RES_MAPHASH);
	if (request->n == 0)
		*request = far_seal(c, &s->f, CTX_RESOURCE_REQ, text, w.len);
	far_hear(s->f.near, *request);
	while (TAILQ_FIRST(&s->f.nl->res_out) == s->out && (raw = far_next(c,
	    s->f.near, PACKET_DATA, CTX_RESOURCE)).n > 0)
		(void)json_array_append_new(served,
		    json_integer(index_of(c, s, raw)));
	return served;
}

static void
map_request(struct call *c, struct sent *s, uint32_t at)
{
	struct bytes request = {.n = 0};
	int status;

	put_int(c, "part_index", at + 1);
	put_int(c, "window_max", RES_WINDOW_MAX_FAST);
	put_int(c, "scope_before", s->out->low);
	json_decref(asks(c, s, s->out->map + (size_t)at * RES_MAPHASH, 0,
	    &request));
	status = concluded(&s->f);
	put_bool(c, "cancelled", status == RNS_RES_FAILED);
	if (status < 0) {
		put_int(c, "scope_after", s->out->low);
		status = (int)s->out->status;
	}
	put_int(c, "status", status);
	put_str(c, "status_name", res_name(status));
}

/* again: the very packet once more, or another that asks for the same. */
static void
parts_request(struct call *c, struct sent *s, bool again)
{
	struct bytes request = {.n = 0};
	json_t *first = asks(c, s, NULL, s->out->parts, &request), *second;

	put(c, "served_indices", first);
	put_int(c, "sent_parts", s->out->sent);
	put_str(c, "status_name", res_name((int)s->out->status));
	if (!again)
		request.n = 0;
	second = asks(c, s, NULL, s->out->parts, &request);
	put_bool(c, "identical_on_resend", json_equal(first, second));
	put_int(c, "first_served", (int64_t)json_array_size(first));
	put_int(c, "second_served", (int64_t)(json_array_size(first) +
	    json_array_size(second)));
	put_bool(c, "first_in_hashlist", s->out->seen_count > 0);
	put_int(c, "req_hashlist_len", s->out->seen_count);
	put_bool(c, "deduped", json_array_size(second) == 0);
	json_decref(second);
}

void
cmd_wire_inject_crafted_resource_request(struct call *c)
{
	const char *how = arg_str(c, "variant");
	bool scope = strcmp(how, "aligned_scope") == 0;
	bool misaligned = strcmp(how, "misaligned_hmu") == 0;
	bool map = scope || misaligned || strcmp(how, "aligned") == 0;
	bool again = strcmp(how, "duplicate") == 0;
	struct sent s;

	if (!map && !again && strcmp(how, "serve_all") != 0)
		fail(c, "ValueError: unknown variant");
	(void)peer_of(c);
	put_str(c, "variant", how);
	begin(c, &s, scope ? 3 * RES_HASHMAP_MAX : map ? 80 : 8);
	put_int(c, "total_parts", s.out->parts);
	if (map)
		map_request(c, &s, RES_HASHMAP_MAX * (scope ? 2u : 1u) - 1 -
		    (misaligned ? 3 : 0));
	else
		parts_request(c, &s, again);
}

/* ---- one after the other ---- */

void
cmd_wire_resource_outgoing_queue_state(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	uint8_t data[1000];
	const struct res_out *x;
	struct far f;

	(void)peer_of(c);
	far_start(c, &f, true);
	rand_fill(NULL, data, sizeof(data));
	cmd.resource.link = f.id;
	cmd.resource.data = data;
	cmd.resource.len = sizeof(data);
	put_bool(c, "ready_empty", TAILQ_EMPTY(&f.nl->res_out));
	must(c, rns_submit(f.near, &cmd, mono_here()), "resource");
	put_bool(c, "ready_with_one", TAILQ_EMPTY(&f.nl->res_out));
	must(c, rns_submit(f.near, &cmd, mono_here()), "resource");
	x = TAILQ_FIRST(&f.nl->res_out);
	put_int(c, "first_status", x->status);
	put_str(c, "first_status_name", res_name((int)x->status));
	x = TAILQ_NEXT(x, entry);
	put_int(c, "second_status", x->status);
	put_str(c, "second_status_name", res_name((int)x->status));
	put_bool(c, "queued", x->status == RES_QUEUED);
}

void
cmd_wire_resource_window_inheritance(struct call *c)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	uint8_t data[400];
	struct bytes proof;
	struct sent s;

	(void)peer_of(c);
	begin(c, &s, 10);
	put_int(c, "default_window", s.in->window);
	put_int(c, "total_parts_1", s.in->parts);
	proof = deliver(c, &s);
	put_bool(c, "completed_1", proof.n > 0);
	put_int(c, "link_last_window", s.f.fl->prev_window);
	put_int(c, "window_after_complete", s.f.fl->prev_window);
	far_hear(s.f.near, proof);
	rand_fill(NULL, data, sizeof(data));
	cmd.resource.link = s.f.id;
	cmd.resource.data = data;
	cmd.resource.len = sizeof(data);
	must(c, rns_submit(s.f.near, &cmd, mono_here()), "resource");
	far_hear(s.f.far, far_next(c, s.f.near, PACKET_DATA,
	    CTX_RESOURCE_ADV));
	s.in = TAILQ_FIRST(&s.f.fl->res_in);
	if (s.in == NULL)
		fail(c, "RuntimeError: the second one did not begin");
	put_int(c, "window2_initial", s.in->window);
}

void
cmd_wire_resource_receiver_request_state(struct call *c)
{
	uint32_t n = (uint32_t)arg_int_or(c, "n", 0, 7, 4);
	struct sent s;

	(void)peer_of(c);
	begin(c, &s, 8);
	put_int(c, "total_parts", s.in->parts);
	put_int(c, "window", s.in->window);
	put_int(c, "window_min", s.in->window_min);
	put_int(c, "window_max", s.in->window_max);
	put_int(c, "consecutive_height_initial", (int64_t)s.in->next - 1);
	put_int(c, "hashmap_height_initial", s.in->height);
	put_bool(c, "waiting_for_hmu_initial", s.in->waiting_hmu);
	for (uint32_t i = 0; i < n; i++)
		far_hear(s.f.far, part(c, &s, i));
	put_int(c, "fed", n);
	put_int(c, "received_count", s.in->received);
	put_int(c, "consecutive_height_after", (int64_t)s.in->next - 1);
	put_int(c, "hashmap_height_after", s.in->height);
}

void
cmd_wire_resource_receiver_proof_count(struct call *c)
{
	struct sent s;
	int before;

	(void)peer_of(c);
	begin(c, &s, 4);
	put_int(c, "total_parts", s.in->parts);
	for (uint32_t i = 0; i < 3; i++)
		far_hear(s.f.far, part(c, &s, i));
	before = far_next(c, s.f.far, PACKET_PROOF, CTX_RESOURCE_PRF).n > 0;
	put_int(c, "proofs_before_final", before);
	far_hear(s.f.far, part(c, &s, 3));
	put_int(c, "proofs_after_assembly", before + (far_next(c, s.f.far,
	    PACKET_PROOF, CTX_RESOURCE_PRF).n > 0));
	put_bool(c, "complete", !receives(&s));
}

/* ---- advertisements by hand ---- */

/* What near would advertise for so much of its own, in clear. */
static struct bytes
advertisement(struct call *c, struct far *f, size_t n)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_SEND};
	uint8_t *data = call_alloc(c, n);

	far_start(c, f, true);
	rand_fill(NULL, data, n);
	cmd.resource.link = f->id;
	cmd.resource.data = data;
	cmd.resource.len = n;
	must(c, rns_submit(f->near, &cmd, mono_here()), "resource");
	return far_open(c, f, far_next(c, f->near, PACKET_DATA,
	    CTX_RESOURCE_ADV));
}

/* Where the value of that one-letter key stands in it. */
static uint8_t *
value_of(struct call *c, struct bytes adv, char key)
{
	for (size_t i = 0; i + 2 < adv.n; i++)
		if (adv.p[i] == 0xa1 && adv.p[i + 1] == (uint8_t)key)
			return adv.p + i + 2;
	fail(c, "RuntimeError: no %c in the advertisement", key);
}

/* The count of parts follows from the size, whatever the sender says. */
void
cmd_wire_resource_part_count_derivation(struct call *c)
{
	const struct res_out *out;
	const struct res_in *in;
	struct bytes adv;
	struct far f;
	uint8_t *n;

	(void)peer_of(c);
	adv = advertisement(c, &f, 3200);
	out = TAILQ_FIRST(&f.nl->res_out);
	n = value_of(c, adv, 'n');
	put_int(c, "sender_parts", out->parts);
	put_int(c, "adv_n_genuine", *n);
	*n = 13; /* a fixint, as the genuine one */
	put_int(c, "adv_n_tampered", *n);
	far_hear(f.far, far_seal(c, &f, CTX_RESOURCE_ADV, adv.p, adv.n));
	in = TAILQ_FIRST(&f.fl->res_in);
	if (in == NULL)
		fail(c, "RuntimeError: it is not taken");
	put_int(c, "transfer_size", in->size);
	put_int(c, "receiver_sdu", in->sdu);
	put_int(c, "receiver_total_parts", in->parts);
	put_int(c, "derived_expected", (in->size + in->sdu - 1) / in->sdu);
}

/* ---- what the receiver asks for ---- */

void
cmd_wire_resource_request_next_content(struct call *c)
{
	const char *how = arg_str(c, "variant");
	bool exhausted = strcmp(how, "exhausted") == 0;
	uint32_t fed = exhausted ? RES_HASHMAP_MAX - 1 :
	    strcmp(how, "after_parts") == 0 ? 4 : 0, from = 0;
	json_t *requested = json_array(), *expected = json_array();
	struct bytes raw, text = {.n = 0}, more;
	struct sent s;
	size_t at;

	if (fed == 0 && strcmp(how, "initial") != 0)
		fail(c, "ValueError: unknown variant");
	(void)peer_of(c);
	put(c, "requested", requested);
	put(c, "expected", expected);
	begin(c, &s, exhausted ? 94 : 20);
	put_int(c, "total_parts", s.in->parts);
	for (uint32_t i = 0;; i++) { /* the last request counts */
		while ((raw = far_next(c, s.f.far, PACKET_DATA,
		    CTX_RESOURCE_REQ)).n > 0) {
			text = far_open(c, &s.f, raw);
			from = i;
		}
		if (i == fed || (text.n > 0 && text.p[0] == 0xff))
			break;
		far_hear(s.f.far, part(c, &s, i));
	}
	if (text.n == 0)
		fail(c, "RuntimeError: nothing is asked for");
	at = 1 + (text.p[0] == 0xff ? RES_MAPHASH : 0) + RNS_FULL_HASH;
	for (; at + RES_MAPHASH <= text.n; at += RES_MAPHASH)
		(void)json_array_append_new(requested,
		    hex_json(text.p + at, RES_MAPHASH));
	for (uint32_t i = from; i < MIN_OF(from + s.in->window,
	    s.in->height); i++)
		(void)json_array_append_new(expected, hex_json(s.out->map +
		    (size_t)i * RES_MAPHASH, RES_MAPHASH));
	put_int(c, "window", s.in->window);
	put_int(c, "hashmap_height", s.in->height);
	put_int(c, "consecutive_height", (int64_t)s.in->next - 1);
	put_bool(c, "exhausted", text.p[0] == 0xff);
	put_bool(c, "waiting_for_hmu", s.in->waiting_hmu);
	more = far_next(c, s.f.far, PACKET_DATA, CTX_RESOURCE_REQ);
	put_bool(c, "second_request_emitted", more.n > 0);
}

/* ---- what comes when it is over ---- */

static void
cancel_end(struct call *c, struct rns *r, const struct far *f, uint64_t tag,
    const struct id32 *incoming)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RESOURCE_CANCEL};

	cmd.cancel.link = f->id;
	cmd.cancel.tag = tag;
	cmd.cancel.incoming = incoming != NULL;
	if (incoming != NULL)
		cmd.cancel.hash = *incoming;
	must(c, rns_submit(r, &cmd, mono_here()), "cancel");
}

/* How far says that what it was given has ended; -1: it does not. */
static int
taken_end(struct far *f)
{
	struct rns_event ev;
	int status = -1;

	while (rns_next_event(f->far, &ev))
		if (ev.type == RNS_EV_RESOURCE_DONE)
			status = (int)ev.resource.status;
	return status;
}

/* Of nothing that far knows: it is counted as that, and not answered. */
static bool
unknown(struct far *f, struct bytes raw)
{
	uint64_t before = rns_drops(f->far, RNS_DROP_RESOURCE);
	struct rns_tx tx;

	while (rns_next_tx(f->far, &tx)) /* what it said before */
		;
	far_hear(f->far, raw);
	return rns_drops(f->far, RNS_DROP_RESOURCE) == before + 1 &&
	    !rns_next_tx(f->far, &tx);
}

/* A part and a piece of the map for one that was refused on the way. */
static void
late_receiver(struct call *c)
{
	uint32_t received, height;
	struct bytes late, map, raw;
	struct sent s;

	begin(c, &s, 81);
	late = part(c, &s, RES_HASHMAP_MAX - 1);
	for (;;) { /* until far asks for more of the map, which is kept back */
		raw = far_next(c, s.f.far, PACKET_DATA, CTX_RESOURCE_REQ);
		if (raw.n == 0)
			fail(c, "RuntimeError: far does not ask");
		far_hear(s.f.near, raw);
		if (far_open(c, &s.f, raw).p[0] == 0xff)
			break;
		while ((raw = far_next(c, s.f.near, PACKET_DATA,
		    CTX_RESOURCE)).n > 0)
			far_hear(s.f.far, raw);
	}
	map = far_next(c, s.f.near, PACKET_DATA, CTX_RESOURCE_HMU);
	if (map.n == 0)
		fail(c, "RuntimeError: near sends no map");
	received = s.in->received;
	height = s.in->height;
	cancel_end(c, s.f.far, &s.f, 0, &s.in->hash);
	put_str(c, "receiver_status", res_name(receives(&s) ?
	    (int)s.in->status : taken_end(&s.f)));
	put_int(c, "receiver_received_before", received);
	put_int(c, "receiver_height_before", height);
	/* there is nothing left that could count them */
	if (!unknown(&s.f, late) || receives(&s))
		fail(c, "RuntimeError: far takes a late part");
	put_int(c, "receiver_received_after_late_part", received);
	if (!unknown(&s.f, map) || receives(&s))
		fail(c, "RuntimeError: far takes a late piece of the map");
	put_int(c, "receiver_height_after_late_hmu", height);
}

/* A request and a proof for one that was taken back, or was not. */
static int
late_sender(struct call *c, bool cancelled)
{
	struct bytes request, proof, raw;
	struct sent s;
	int status, more;
	int64_t sent = 0;

	begin(c, &s, 4); /* the first request is for all of them */
	request = far_next(c, s.f.far, PACKET_DATA, CTX_RESOURCE_REQ);
	far_hear(s.f.near, request);
	while ((raw = far_next(c, s.f.near, PACKET_DATA,
	    CTX_RESOURCE)).n > 0) {
		far_hear(s.f.far, raw);
		sent++;
	}
	proof = far_next(c, s.f.far, PACKET_PROOF, CTX_RESOURCE_PRF);
	if (proof.n == 0)
		fail(c, "RuntimeError: it was not proved");
	if (!cancelled) {
		far_hear(s.f.near, proof);
		return concluded(&s.f);
	}
	cancel_end(c, s.f.near, &s.f, TAG, NULL);
	status = concluded(&s.f);
	put_str(c, "sender_status", res_name(status));
	put_int(c, "sender_sent_before", sent);
	far_hear(s.f.near, request);
	while (far_next(c, s.f.near, PACKET_DATA, CTX_RESOURCE).n > 0)
		sent++;
	put_int(c, "sender_sent_after_late_request", sent);
	far_hear(s.f.near, proof);
	more = concluded(&s.f);
	return more >= 0 ? more : status;
}

void
cmd_wire_resource_late_after_cancel(struct call *c)
{
	(void)peer_of(c);
	late_receiver(c);
	put_str(c, "sender_status_after_late_proof", res_name(late_sender(c,
	    true)));
	put_str(c, "control_status_after_proof", res_name(late_sender(c,
	    false)));
}
