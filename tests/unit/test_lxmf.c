/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mpk.h"
#include "common/util.h"
#include "tests/unit/vec.h"
#include "transport/core/base/crypt.h"
#include "transport/lxmf/lxmf.h"
#include "transport/lxmf/lxmf_node.h"

#define BUF 8192

static uint8_t source_priv[RNS_KEY], dest_priv[RNS_KEY];
static uint8_t source_pub[RNS_KEY], dest_pub[RNS_KEY];

static json_t *
load(void)
{
	json_t *v = vec_load("lxmf.json");
	struct hash16 hash, want;

	vec_exact(v, "source_private", source_priv, RNS_KEY);
	vec_exact(v, "dest_private", dest_priv, RNS_KEY);
	assert_int_equal(rns_identity_derive(source_pub, &hash, source_priv),
	    0);
	assert_int_equal(rns_identity_derive(dest_pub, &hash, dest_priv), 0);
	lxmf_address(&hash, source_pub);
	vec_exact(v, "source", &want, sizeof(want));
	assert_true(hash16_eq(&hash, &want));
	lxmf_address(&hash, dest_pub);
	vec_exact(v, "dest", &want, sizeof(want));
	assert_true(hash16_eq(&hash, &want));
	return v;
}

static void
text_is(const struct lxmf_text *t, bool has, const json_t *v, const char *key)
{
	uint8_t *want;
	size_t n;

	assert_int_equal(has, !vec_is_null(v, key));
	want = vec_bytes(v, key, &n);
	if (has)
		vec_equal(t->p, t->n, want, n);
}

/* ---- messages of the reference ---- */

static void
repacks(const json_t *v, const struct lxmf *m, const uint8_t *p, size_t n)
{
	uint8_t *out = vec_alloc(n + sizeof(struct id32));
	uint8_t scratch[BUF];
	struct id32 id;
	size_t len;

	if (!vec_bool(v, "ours"))
		return;
	assert_int_equal(lxmf_pack(out, &len, n + sizeof(id), &id, m,
			     m->has_stamp ? m->stamp.p : NULL, source_priv),
	    RNS_OK);
	vec_equal(out, len, p, n);
	assert_true(id32_eq(&id, &m->id));
	assert_int_equal(lxmf_id(&id, m, scratch, sizeof(scratch)), RNS_OK);
	assert_true(id32_eq(&id, &m->id));
	for (size_t cap = 0; cap < n; cap++)
		assert_int_equal(lxmf_pack(scratch, &len, cap, NULL, m,
				     m->has_stamp ? m->stamp.p : NULL,
				     source_priv),
		    RNS_EBIG);
}

static void
is_message(const json_t *v)
{
	unsigned cost = (unsigned)vec_int(v, "cost");
	struct id32 id;
	struct lxmf m;
	uint8_t *p;
	size_t n;

	p = vec_bytes(v, "packed", &n);
	assert_int_equal(lxmf_parse(&m, p, n), RNS_OK);
	text_is(&m.title, true, v, "title");
	text_is(&m.content, true, v, "content");
	text_is(&m.type, m.has_type, v, "type");
	text_is(&m.data, m.has_data, v, "data");
	text_is(&m.stamp, m.has_stamp, v, "stamp");
	assert_true(m.time == vec_number(v, "time"));
	vec_exact(v, "id", &id, sizeof(id));
	assert_true(id32_eq(&id, &m.id));
	assert_true(lxmf_signed_by(&m, source_pub));
	assert_false(lxmf_signed_by(&m, dest_pub));
	assert_true(lxmf_stamp_ok(&m, cost));
	assert_int_equal(lxmf_stamp_ok(&m, cost + 20), false);
	repacks(v, &m, p, n);
}

static void
no_message(void *arg, const uint8_t *p, size_t n)
{
	struct lxmf m;

	(void)arg;
	assert_int_equal(lxmf_parse(&m, p, n), RNS_EPARSE);
}

/* What a bit of it was turned in is nobody's word. */
static void
nobodys(void *arg, const uint8_t *p, size_t n)
{
	const size_t *stamp_at = arg;
	struct lxmf m;

	if (lxmf_parse(&m, p, n) != RNS_OK)
		return;
	/* the stamp is not signed, and may as well be missing */
	if (lxmf_signed_by(&m, source_pub))
		assert_true(*stamp_at < n && m.payload.n == *stamp_at);
}

static void
messages(void **state)
{
	json_t *list = vec_array(load(), "messages"), *v;
	size_t i, n;
	uint8_t *p;

	(void)state;
	json_array_foreach(list, i, v)
	{
		struct lxmf m;
		size_t stamp_at;

		is_message(v);
		p = vec_bytes(v, "packed", &n);
		vec_each_prefix(p, n, no_message, NULL);
		assert_int_equal(lxmf_parse(&m, p, n), RNS_OK);
		stamp_at = m.has_stamp ? m.payload.n : SIZE_MAX;
		if (n < 400)
			vec_each_flip(p, n, nobodys, &stamp_at);
	}
}

/* ---- what nobody may send ---- */

static void
head(struct wr *w)
{
	wr_zero(w, LXMF_HEAD);
}

static void
refused(struct wr *w)
{
	struct lxmf m;

	assert_true(wr_ok(w));
	assert_int_equal(lxmf_parse(&m, w->buf, w->len), RNS_EPARSE);
}

static void
hostile(void **state)
{
	uint8_t buf[BUF];
	struct wr w;

	(void)state;
	for (unsigned n = 0; n < 8; n++) { /* of other lengths */
		if (n == 4)
			continue;
		w = wr_make(buf, sizeof(buf));
		head(&w);
		mpk_put_array(&w, n);
		for (unsigned i = 0; i < n; i++)
			i == 0 ? mpk_put_double(&w, 1) :
			i == 3 ? mpk_put_map(&w, 0) :
			i == 4 ? mpk_put_nil(&w) :
				 mpk_put_bin(&w, NULL, 0);
		refused(&w);
	}
	for (unsigned bad = 0; bad < 5; bad++) { /* of other types */
		w = wr_make(buf, sizeof(buf));
		head(&w);
		mpk_put_array(&w, 4);
		bad == 0 ? mpk_put_nil(&w) : mpk_put_double(&w, 1);
		bad == 1 ? mpk_put_uint(&w, 1) : mpk_put_bin(&w, NULL, 0);
		bad == 2 ? mpk_put_nil(&w) : mpk_put_bin(&w, NULL, 0);
		bad == 3 ? mpk_put_array(&w, 0) : mpk_put_map(&w, 0);
		if (bad == 4)
			wr_u8(&w, 0); /* bytes behind it */
		refused(&w);
	}
	for (unsigned twice = 0; twice < 2; twice++) { /* a key twice */
		struct lxmf m;

		w = wr_make(buf, sizeof(buf));
		head(&w);
		mpk_put_array(&w, 4);
		mpk_put_double(&w, 1);
		mpk_put_bin(&w, NULL, 0);
		mpk_put_bin(&w, NULL, 0);
		mpk_put_map(&w, 2);
		mpk_put_uint(&w, LXMF_FIELD_DATA);
		mpk_put_bin(&w, "a", 1);
		mpk_put_uint(&w, twice ? LXMF_FIELD_DATA : LXMF_FIELD_TYPE);
		mpk_put_uint(&w, 7); /* no text: as if it were not there */
		if (twice) {
			refused(&w);
			continue;
		}
		assert_int_equal(lxmf_parse(&m, w.buf, w.len), RNS_OK);
		assert_true(m.has_data && !m.has_type);
	}
}

/* ---- sealed ---- */

/* The one message in what goes to a node, and its stamp. */
static const uint8_t *
sealed_of(const uint8_t *put, size_t n, size_t *len, const uint8_t **stamp)
{
	struct rd r = rd_make(put, n);
	const uint8_t *p;
	double time;

	assert_true(mpk_get_array(&r, &n) && n == 2);
	assert_true(mpk_get_number(&r, &time));
	assert_true(mpk_get_array(&r, &n) && n == 1);
	assert_true(mpk_get_bin(&r, &p, len) && rd_end(&r));
	*len -= STAMP_LEN;
	*stamp = p + *len;
	return p;
}

struct other {
	const uint8_t *sealed, *packed;
	size_t n;
};

/*
 * Nothing but the highest bit of the ephemeral key may be another: X25519 does
 * not look at it. So one message has more than one transient id.
 */
static void
closed(void *arg, const uint8_t *p, size_t n)
{
	const struct other *o = arg;
	uint8_t out[BUF];
	struct id32 id;
	size_t len;

	if (lxmf_unseal(out, &len, sizeof(out), &id, p, n, dest_priv, NULL,
		0) != RNS_OK)
		return;
	assert_int_equal(p[47] ^ o->sealed[47], 0x80);
	assert_memory_equal(p + 48, o->sealed + 48, n - 48);
	vec_equal(out, len, o->packed, o->n);
}

static void
opens(const json_t *v)
{
	uint8_t out[BUF], again[BUF], random[LXMF_SEAL_RANDOM] = {7};
	const uint8_t *sealed, *stamp;
	struct id32 id, want, product;
	struct stamp_work work;
	uint8_t *packed, *put;
	size_t np, n, ns, len;
	struct rd r;
	double time;

	packed = vec_bytes(v, "packed", &np);
	put = vec_bytes(v, "node_put", &n);
	sealed = sealed_of(put, n, &ns, &stamp);
	assert_int_equal(lxmf_unseal(out, &len, sizeof(out), &id, sealed, ns,
			     dest_priv, NULL, 0),
	    RNS_OK);
	vec_equal(out, len, packed, np);
	vec_exact(v, "transient", &want, sizeof(want));
	assert_true(id32_eq(&id, &want));
	/* its stamp is over that */
	stamp_work(&work, &id, sizeof(id), LXMF_NODE_ROUNDS);
	stamp_product(&product, &work, stamp, STAMP_LEN);
	assert_true(stamp_valid(&product,
	    (uint32_t)vec_int(v, "cost") * STAMP_BIT));
	/* we put the same bytes around it */
	r = rd_make(put, n);
	assert_true(mpk_get_array(&r, &len));
	assert_true(mpk_get_number(&r, &time));
	assert_int_equal(lxmf_node_put(again, &len, sizeof(again), time, sealed,
			     ns, stamp),
	    RNS_OK);
	vec_equal(again, len, put, n);
	assert_int_equal(lxmf_node_put(again, &len, n - 1, time, sealed, ns,
			     stamp),
	    RNS_EBIG);
	/* and what we seal opens */
	assert_int_equal(lxmf_seal(again, &len, sizeof(again), &want, packed,
			     np, dest_pub, NULL, random),
	    RNS_OK);
	assert_int_equal(len, ns);
	assert_true(len <= LXMF_SEALED(np));
	assert_int_equal(lxmf_unseal(out, &len, sizeof(out), &id, again, ns,
			     dest_priv, NULL, 0),
	    RNS_OK);
	vec_equal(out, len, packed, np);
	assert_true(id32_eq(&id, &want));
	/* by nobody else, and for nobody else */
	assert_int_equal(lxmf_unseal(out, &len, sizeof(out), &id, again, ns,
			     source_priv, NULL, 0),
	    RNS_ENOENT);
	assert_int_equal(lxmf_seal(again, &len, sizeof(again), &want, packed,
			     np, source_pub, NULL, random),
	    RNS_EINVAL);
	if (ns < 400) {
		struct other o = {sealed, packed, np};

		vec_each_prefix(sealed, ns, closed, &o);
		vec_each_flip(sealed, ns, closed, &o);
	}
}

static void
sealed(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(load(), "propagated"), i, v)
		opens(v);
}

/* With a ratchet only who has it opens it. */
static void
ratchets(void **state)
{
	uint8_t priv[1][RNS_RATCHET] = {{9}}, pub[RNS_RATCHET];
	uint8_t out[BUF], buf[BUF], random[LXMF_SEAL_RANDOM] = {3};
	struct lxmf m = {.time = 1};
	size_t n, len, plain;
	struct id32 id;

	(void)state;
	(void)load();
	crypt_x25519_public(pub, priv[0]);
	lxmf_address(&m.source, source_pub);
	lxmf_address(&m.dest, dest_pub);
	assert_int_equal(lxmf_pack(buf, &n, sizeof(buf), NULL, &m, NULL,
			     source_priv),
	    RNS_OK);
	assert_int_equal(lxmf_seal(out, &len, sizeof(out), &id, buf, n,
			     dest_pub, pub, random),
	    RNS_OK);
	assert_int_equal(lxmf_unseal(buf, &plain, sizeof(buf), &id, out, len,
			     dest_priv, NULL, 0),
	    RNS_EAUTH);
	assert_int_equal(lxmf_unseal(buf, &plain, sizeof(buf), &id, out, len,
			     dest_priv, (const uint8_t(*)[RNS_RATCHET])priv, 1),
	    RNS_OK);
	assert_int_equal(plain, n);
}

/* ---- announces ---- */

static void
no_cost(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	(void)lxmf_delivery_cost(p, n);
}

static void
deliveries(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(load(), "announces"), i, v)
	{
		unsigned cost = (unsigned)vec_int(v, "cost");
		uint8_t out[64];
		char name[32];
		size_t n, len;
		uint8_t *p = vec_bytes(v, "name", &n);

		memcpy(name, p, n);
		name[n] = '\0';
		assert_int_equal(lxmf_delivery_pack(out, &len, sizeof(out),
				     name, cost),
		    RNS_OK);
		p = vec_bytes(v, "app_data", &n);
		vec_equal(out, len, p, n);
		assert_int_equal(lxmf_delivery_cost(p, n), cost);
		assert_int_equal(lxmf_delivery_pack(out, &len, n - 1, name,
				     cost),
		    RNS_EBIG);
		vec_each_prefix(p, n, no_cost, NULL);
		vec_each_flip(p, n, no_cost, NULL);
	}
	/* a name alone, as it was before there were stamps */
	assert_int_equal(lxmf_delivery_cost((const uint8_t *)"bob", 3), 0);
}

static void
no_node(void *arg, const uint8_t *p, size_t n)
{
	struct lxmf_node node;

	(void)arg;
	assert_false(lxmf_node_parse(&node, p, n));
}

static void
nodes(void **state)
{
	struct lxmf_node node;
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(vec_array(load(), "nodes"), i, v)
	{
		size_t n;
		uint8_t *p = vec_bytes(v, "app_data", &n);

		assert_true(lxmf_node_parse(&node, p, n));
		assert_int_equal(node.active, vec_bool(v, "active"));
		assert_int_equal(node.message_kb, vec_int(v, "message_kb"));
		assert_int_equal(node.sync_kb, vec_int(v, "sync_kb"));
		assert_int_equal(node.cost, vec_int(v, "cost"));
		vec_each_prefix(p, n, no_node, NULL);
	}
	assert_false(lxmf_node_parse(&node, NULL, 0));
}

/* ---- what is asked of a node, and said ---- */

static void
no_answer(void *arg, const uint8_t *p, size_t n)
{
	struct lxmf_list list;
	enum lxmf_said said;
	uint64_t code;

	(void)arg;
	assert_false(lxmf_got(&said, &code, &list, p, n));
}

static void
says(unsigned number, bool good, enum lxmf_said want)
{
	struct lxmf_list list;
	enum lxmf_said said;
	uint8_t buf[16];
	struct wr w = wr_make(buf, sizeof(buf));
	uint64_t code;

	mpk_put_uint(&w, number);
	assert_int_equal(lxmf_got(&said, &code, &list, buf, w.len), good);
	if (good)
		assert_int_equal(said, want);
	if (good)
		assert_int_equal(code, number);
}

static void
asked(void **state)
{
	static const uint8_t nothing[] = {0x92, 0xc0, 0xc0};
	struct id32 id[2];
	struct lxmf_list list;
	enum lxmf_said said;
	uint8_t buf[256];
	const uint8_t *p;
	uint64_t code;
	struct wr w;
	size_t n;

	(void)state;
	memset(id, 5, sizeof(id));
	assert_int_equal(lxmf_get_list(buf, &n, sizeof(buf)), RNS_OK);
	vec_equal(buf, n, nothing, sizeof(nothing));
	assert_int_equal(lxmf_get_list(buf, &n, 2), RNS_EBIG);
	assert_int_equal(lxmf_get_pack(buf, &n, sizeof(buf), id, 2, NULL, 0,
			     1000),
	    RNS_OK);
	assert_int_equal(n, 1 + 1 + 2 * 34 + 1 + 3);
	assert_int_equal(buf[0], 0x93);
	assert_int_equal(lxmf_get_pack(buf, &n, sizeof(buf), NULL, 0, id, 1, 0),
	    RNS_OK);
	assert_int_equal(buf[0], 0x92);
	assert_int_equal(buf[1], 0xc0);
	assert_int_equal(lxmf_get_pack(buf, &n, 35, NULL, 0, id, 1, 0),
	    RNS_EBIG);

	w = wr_make(buf, sizeof(buf));
	mpk_put_array(&w, 2);
	mpk_put_bin(&w, &id[0], sizeof(id[0]));
	mpk_put_bin(&w, "abc", 3);
	assert_true(lxmf_got(&said, &code, &list, buf, w.len));
	assert_int_equal(said, LXMF_SAID_LIST);
	assert_true(lxmf_list_next(&list, &p, &n) && n == sizeof(id[0]));
	assert_true(lxmf_list_next(&list, &p, &n) && n == 3);
	assert_false(lxmf_list_next(&list, &p, &n));
	vec_each_prefix(buf, w.len, no_answer, NULL);
	buf[1 + 34] = 0xa3; /* a text is no bin */
	assert_false(lxmf_got(&said, &code, &list, buf, w.len));
	says(0xf0, true, LXMF_SAID_IDENTITY);
	says(0xf1, true, LXMF_SAID_ACCESS);
	says(0xf6, true, LXMF_SAID_OTHER);
	says(3, false, LXMF_SAID_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages),
	    cmocka_unit_test(hostile),
	    cmocka_unit_test(sealed),
	    cmocka_unit_test(ratchets),
	    cmocka_unit_test(deliveries),
	    cmocka_unit_test(nodes),
	    cmocka_unit_test(asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
