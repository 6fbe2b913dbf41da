/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/work/forecast.h"
#include "tests/sim/sim.h"
#include "common/util.h"

/*
 * What was said of a transfer before, and how long it takes two real cores on
 * a slow link that both ways share, under virtual time.
 */
#define SECOND 1000000
#define MOST 300000

struct pass {
	struct sim *sim;
	struct hash16 dest, link;
	bool announced, up, done, failed;
	size_t answer; /* bytes, packed */
	uint32_t rtt_us;
};
static uint8_t bytes[MOST + 5];
static unsigned bad;

/* A packed byte string of n bytes in all. */
static void
pack(size_t n)
{
	bytes[0] = 0xc6;
	for (unsigned i = 0; i < 4; i++)
		bytes[1 + i] = (uint8_t)((n - 5) >> (24 - 8 * i));
}

static void
on_event(struct sim *sim, unsigned node, const struct rns_event *ev,
    void *arg)
{
	struct rns_cmd c = {.type = RNS_CMD_RESPOND};
	struct pass *p = arg;

	switch (ev->type) {
	case RNS_EV_ANNOUNCE:
		p->announced = true;
		break;
	case RNS_EV_LINK_UP:
		if (node != 0)
			break;
		p->link = ev->link.id;
		p->rtt_us = (uint32_t)ev->link.rtt_us;
		p->up = true;
		break;
	case RNS_EV_REQUEST:
		pack(p->answer);
		c.respond.link = ev->request.link;
		c.respond.request_id = ev->request.request_id;
		c.respond.data = bytes;
		c.respond.len = p->answer;
		(void)sim_submit(sim, node, &c);
		break;
	case RNS_EV_RESPONSE:
		p->done = true;
		break;
	case RNS_EV_REQUEST_FAILED:
		p->failed = true;
		break;
	default:
		break;
	}
}

static bool
announced(void *arg)
{
	return ((struct pass *)arg)->announced;
}

static bool
up(void *arg)
{
	return ((struct pass *)arg)->up;
}

static bool
done(void *arg)
{
	const struct pass *p = arg;

	return p->done || p->failed;
}

static void
pass_open(struct pass *p, uint64_t seed, const struct sim_link_opts *o)
{
	struct sim_node_opts end = {0};
	struct rns_cmd c = {.type = RNS_CMD_DEST_ADD,
	    .dest = {.type = RNS_SINGLE, .name = "warren.sim",
		.has_identity = true, .accept_links = true}};
	struct rns_cmd h = {.type = RNS_CMD_HANDLER_ADD,
	    .handler = {.path = "echo", .allow = RNS_ALLOW_ALL}};
	struct rns_cmd say = {.type = RNS_CMD_ANNOUNCE};
	struct rns_cmd open = {.type = RNS_CMD_LINK_OPEN};
	uint8_t pub[RNS_KEY];
	struct hash16 id;

	memset(p, 0, sizeof(*p));
	sim_random_bytes(&seed, bytes, sizeof(bytes));
	p->sim = sim_new(seed, on_event, p);
	(void)sim_node(p->sim, &end);
	(void)sim_node(p->sim, &end);
	(void)sim_link(p->sim, 0, 1, o);
	sim_random_bytes(&seed, c.dest.identity, RNS_KEY);
	assert_int_equal(sim_submit(p->sim, 1, &c), RNS_OK);
	assert_int_equal(rns_identity_derive(pub, &id, c.dest.identity), 0);
	assert_int_equal(rns_dest_hash(&p->dest, "warren.sim", &id), 0);
	h.handler.dest = say.announce.dest = open.link_open.dest = p->dest;
	assert_int_equal(sim_submit(p->sim, 1, &h), RNS_OK);
	for (unsigned i = 0; i < 20 && !p->announced; i++) {
		assert_int_equal(sim_submit(p->sim, 1, &say), RNS_OK);
		(void)sim_run(p->sim, 60 * (int64_t)SECOND, announced, p);
	}
	for (unsigned i = 0; i < 20 && !p->up; i++) {
		assert_int_equal(sim_submit(p->sim, 0, &open), RNS_OK);
		(void)sim_run(p->sim, 120 * (int64_t)SECOND, up, p);
	}
	assert_true(p->up);
	(void)sim_run(p->sim, 30 * (int64_t)SECOND, NULL, NULL);
}

/* us of a request of so many bytes, with its answer; -1: it failed. */
static int64_t
measure(struct pass *p, size_t request, size_t response)
{
	struct rns_cmd c = {.type = RNS_CMD_REQUEST,
	    .request = {.path = "echo", .data = bytes, .len = request,
		.timeout_us = INT64_C(100000) * SECOND}};
	struct mono from = sim_now(p->sim);

	pack(request);
	c.request.link = p->link;
	p->answer = response;
	p->done = p->failed = false;
	assert_int_equal(sim_submit(p->sim, 0, &c), RNS_OK);
	(void)sim_run(p->sim, INT64_C(100000) * SECOND, done, p);
	return p->done ? mono_sub(sim_now(p->sim), from) : -1;
}

static const size_t sizes[][2] = {{100, 100}, {2048, 60}, {4096, 60},
    {20000, 60}, {60, 2048}, {60, 20000}, {100000, 60}, {60, 262144}};

static void
within_a_tenth(void **state)
{
	static const struct {
		uint64_t bitrate;
		int64_t delay_us;
	} rows[] = {{1200, 0}, {1200, 300000}, {3125, 50000}, {9600, 0},
	    {62500, 100000}};
	struct pass p;

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct sim_link_opts o = {.bitrate = rows[i].bitrate,
		    .delay_us = rows[i].delay_us, .half_duplex = true,
		    .queue_us = INT64_C(100000) * SECOND};

		for (size_t k = 0; k < NELEM(sizes); k++) {
			struct forecast_path f = {.bitrate = o.bitrate};
			int64_t took, said;

			pass_open(&p, 7 + i, &o);
			f.rtt_us = p.rtt_us;
			took = measure(&p, sizes[k][0], sizes[k][1]);
			assert_true(took > 0);
			/* path hash, time: what a request has besides */
			said = forecast_request_us(&f, sizes[k][0] + 30,
			    sizes[k][1] + 20);
			print_message("# %llu bit/s, rtt %.2f s, %zu there, "
			    "%zu back: %.1f s, said %.1f s (%+.1f %%)\n",
			    (unsigned long long)o.bitrate, p.rtt_us / 1e6,
			    sizes[k][0], sizes[k][1], (double)took / 1e6,
			    (double)said / 1e6,
			    100.0 * (double)(said - took) / (double)took);
			if (said * 10 > took * 11 || said * 10 < took * 9)
				bad++;
			sim_free(p.sim);
		}
	}
	assert_int_equal(bad, 0);
}

/* With losses one run says little: the mean of many. */
static void
with_loss(void **state)
{
	static const uint32_t losses[] = {20, 50, 100};
	struct pass p;

	(void)state;
	for (size_t i = 0; i < NELEM(losses); i++)
		for (unsigned way = 0; way < 2; way++) {
			struct sim_link_opts o = {.bitrate = 1200,
			    .loss_permille = losses[i], .half_duplex = true,
			    .queue_us = INT64_C(100000) * SECOND};
			size_t there = way == 0 ? 8192 : 60;
			size_t back = way == 0 ? 60 : 8192;
			struct forecast_path f = {.bitrate = o.bitrate,
			    .loss_permille = losses[i]};
			double took = 0, said = 0;
			unsigned n = 0;

			for (unsigned k = 0; k < 40; k++) {
				int64_t us;

				pass_open(&p, 100 + k, &o);
				f.rtt_us = p.rtt_us;
				us = measure(&p, there, back);
				if (us > 0) {
					took += (double)us;
					said += (double)forecast_request_us(&f,
					    there + 30, back + 20);
					n++;
				}
				sim_free(p.sim);
			}
			print_message("# loss %.1f %%, %zu there, %zu back: "
			    "%u of 40 ended, %.1f s, said %.1f s (%+.1f %%)\n",
			    losses[i] / 10.0, there, back, n, took / n / 1e6,
			    said / n / 1e6, 100.0 * (said - took) / took);
			if (said > took * 1.1 || said < took * 0.9)
				bad++;
		}
	assert_int_equal(bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(within_a_tenth),
	    cmocka_unit_test(with_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
