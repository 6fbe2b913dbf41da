#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "link_int.h"
#include "link_pair.h"

/* Two live cores: what each side sees of the other. */

#define MS INT64_C(1000)

static uint8_t *
filler(size_t n, unsigned salt)
{
	uint8_t *b = malloc(n > 0 ? n : 1), h[RNS_FULL_HASH];

	for (size_t i = 0; i < n; i += sizeof(h)) {
		uint64_t seed[2] = {i, salt};

		rns_sha256(h, seed, sizeof(seed));
		memcpy(b + i, h, MIN_OF(sizeof(h), n - i));
	}
	return b;
}

static struct rns_cmd
on_link(const struct pair *p, enum rns_cmd_type type)
{
	struct rns_cmd c = {.type = type};

	/* the link id is the first field of each command on a link */
	memcpy(c.hash, p->link, RNS_HASH);
	return c;
}

static void
test_up_data_close(void **state)
{
	struct pair p;
	struct rns_cmd c;
	const struct rns_event *ev;
	struct rns_link_info info;

	(void)state;
	pair_new(&p, &(struct pair_opts){.delay_us = 50 * MS,
	    .prove = RNS_PROVE_ALL, .hw_mtu = 8192});
	pair_up(&p);
	assert_true(rns_link_get(p.n[0].r, p.link, &info));
	assert_int_equal(info.mtu, 8192);
	assert_int_equal(info.status, LINK_ACTIVE);
	assert_int_equal(info.rtt_us, 100 * MS);
	c = on_link(&p, RNS_CMD_LINK_SEND);
	c.packet.data = (const uint8_t *)"hello";
	c.packet.len = 5;
	c.packet.receipt = true;
	c.packet.tag = 7;
	assert_int_equal(pair_submit(&p, 0, &c), RNS_OK);
	pair_wait(&p, 200 * MS);
	ev = pair_take(&p, 1, RNS_EV_LINK_DATA);
	assert_non_null(ev);
	assert_int_equal(ev->packet.len, 5);
	ev = pair_take(&p, 0, RNS_EV_RECEIPT);
	assert_non_null(ev);
	assert_int_equal(ev->receipt.tag, 7);
	assert_int_equal(ev->receipt.status, RNS_RECEIPT_DELIVERED);
	assert_int_equal(ev->receipt.rtt_us, 100 * MS);
	c = on_link(&p, RNS_CMD_LINK_CLOSE);
	assert_int_equal(pair_submit(&p, 1, &c), RNS_OK);
	pair_wait(&p, 100 * MS);
	for (int i = 0; i < 2; i++) {
		ev = pair_take(&p, i, RNS_EV_LINK_CLOSED);
		assert_non_null(ev);
		assert_int_equal(ev->link.reason, RNS_CLOSE_DESTINATION);
		assert_false(rns_link_get(p.n[i].r, p.link, &info));
	}
	pair_free(&p);
}

static int
ask(struct pair *p, const char *path, const uint8_t *data, size_t n,
    uint64_t max)
{
	struct rns_cmd c = on_link(p, RNS_CMD_REQUEST);

	c.request.path = path;
	c.request.data = data;
	c.request.len = n;
	c.request.tag = 9;
	c.request.max_response = max;
	return pair_submit(p, 0, &c);
}

static uint8_t *
packed_bin(size_t n, unsigned salt, size_t *len)
{
	uint8_t *body = filler(n, salt), *b = malloc(n + 8);
	struct wr w = wr_make(b, n + 8);

	mpk_put_bin(&w, body, n);
	free(body);
	*len = w.len;
	return b;
}

static void
exchange(struct pair *p, size_t ask_n, size_t answer_n)
{
	size_t qn, an;
	uint8_t *q = packed_bin(ask_n, 1, &qn), *a = packed_bin(answer_n, 2, &an);
	const struct rns_event *ev;
	struct rns_cmd c = on_link(p, RNS_CMD_RESPOND);
	bool resource = false;

	assert_int_equal(ask(p, "/echo", q, qn, 0), RNS_OK);
	ev = pair_until(p, 1, RNS_EV_REQUEST, 9 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->request.len, qn);
	assert_memory_equal(ev->request.data, q, qn);
	memcpy(c.respond.request_id, ev->request.request_id, RNS_HASH);
	c.respond.data = a;
	c.respond.len = an;
	c.respond.tag = 77;
	c.respond.as_resource = &resource;
	assert_int_equal(pair_submit(p, 1, &c), RNS_OK);
	ev = pair_until(p, 0, RNS_EV_RESPONSE, 9 * MONO_SECOND);
	assert_non_null(ev);
	assert_int_equal(ev->response.tag, 9);
	assert_int_equal(ev->response.len, an);
	assert_memory_equal(ev->response.data, a, an);
	pair_wait(p, 100 * MS);
	ev = pair_take(p, 1, RNS_EV_SENT);
	assert_int_equal(ev != NULL, resource);
	assert_int_equal(pair_submit(p, 1, &c), RNS_ENOENT);
	assert_int_equal(p->n[0].r->resource_bytes, 0);
	assert_int_equal(p->n[1].r->resource_bytes, 0);
	free(q);
	free(a);
	pair_forget(p);
}

static void
test_requests(void **state)
{
	static const uint32_t mtus[] = {0, 1064, 16384};
	static const size_t sizes[] = {0, 100, 396, 420, 20000, 1048575,
	    2500000};
	struct pair p;

	(void)state;
	for (size_t m = 0; m < NELEM(mtus); m++) {
		pair_new(&p, &(struct pair_opts){.hw_mtu = mtus[m],
		    .delay_us = MS});
		pair_handler(&p, "/echo", RNS_ALLOW_ALL, NULL, 0, 0);
		pair_up(&p);
		for (size_t i = 0; i < NELEM(sizes); i++) {
			exchange(&p, 10, sizes[i]);
			exchange(&p, sizes[i], 10);
		}
		pair_free(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_up_data_close),
	    cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
