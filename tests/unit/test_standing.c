/* SPDX-License-Identifier: BSD-2-Clause */
/* How somebody stands: pins, revocation, a graph, and their age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trust/standing.h"
#include "common/util.h"

#define T0 UINT32_C(1800000000)
#define DAY 86400u

static struct standing s;
static struct standing_of o;
static struct level_anchor anchors[] = {{{{1}}, 3, 1u << SCOPE_ALL},
    {{{2}}, 3, 1u << SCOPE_ALL}, {{{3}}, 3, 1u << SCOPE_ALL}};
static struct level_pin pins[3];
static struct graph *g;
static struct edge edges[64];
static size_t nedges;

static struct fp
fp_of(unsigned who)
{
	struct fp fp = {{(uint8_t)who}};

	return fp;
}

static void
says(unsigned who, unsigned whom, int level, uint32_t expires)
{
	edges[nedges++] = (struct edge){.source = fp_of(who),
	    .target = fp_of(whom), .scopes = 1u << SCOPE_ALL,
	    .issued = T0 - DAY, .expires = expires, .conf = 950,
	    .level = (int8_t)level};
}

static bool
revoked(void *ctx, const struct fp *fp)
{
	(void)ctx;
	return revset_state(&s.revoked, REV_KEY, fp->b) != REV_NONE;
}

static int
clean(void **state)
{
	(void)state;
	kte1_free(s.now);
	kte1_free(s.then);
	graph_free(g);
	revset_clear(&s.revoked);
	memset(&s, 0, sizeof(s));
	memset(pins, 0, sizeof(pins));
	g = NULL;
	nedges = 0;
	return 0;
}

static void
make(void)
{
	const struct graph_head h = {.version = 1, .issued = T0 - DAY,
	    .expires = T0 + 30 * DAY};

	g = graph_make(&h, edges, nedges);
	assert_non_null(g);
	s.levels = (struct level_conf){pins, 0, anchors, NELEM(anchors)};
	s.g = g;
	assert_non_null(s.now = kte1_new(g, anchors, NELEM(anchors)));
	assert_non_null(s.then = kte1_new(g, anchors, NELEM(anchors)));
	s.graph = (struct standing_age){true, true, T0 + DAY, T0 + 30 * DAY,
	    7 * DAY};
}

static int
ask(unsigned who, uint32_t now)
{
	struct fp fp = fp_of(who);

	standing_ask(&s, &o, &fp, NULL, SCOPE_JOB_SUBMIT, now);
	assert_non_null(o.why);
	return o.level;
}

static void
revoke(unsigned who, bool suspended)
{
	struct rev_entry e = {.kind = REV_KEY, .id = {(uint8_t)who},
	    .suspended = suspended, .reason = 1};

	assert_int_equal(revset_add(&s.revoked, &e, 1), 0);
	revset_sort(&s.revoked);
	if (s.now != NULL) {
		kte1_revoked(s.now, revoked, NULL);
		kte1_revoked(s.then, revoked, NULL);
	}
}

/* klp.md 1.8, the column of the graph. */
static void
test_graph_age(void **state)
{
	(void)state;
	for (unsigned a = 1; a <= 3; a++) {
		says(a, 10, 3, T0 + 100 * DAY);
		says(a, 11, a < 3 ? 2 : 0, T0 + 100 * DAY);
		/* distrust that runs out while the graph is stale */
		says(a, 12, a == 1 ? -2 : 2, T0 + (a == 1 ? 2 : 100) * DAY);
	}
	make();
	assert_int_equal(ask(10, T0), 3);
	assert_int_equal(ask(11, T0), 2);
	assert_int_equal(ask(12, T0), -2);
	assert_int_equal(ask(13, T0), 0);
	assert_int_equal(o.valid_until, T0 + 300);
	assert_int_equal(ask(1, T0), 3); /* an anchor */
	/* fresh to the last second, and a verdict is not good beyond it */
	assert_int_equal(ask(10, T0 + DAY - 1), 3);
	assert_int_equal(o.valid_until, T0 + DAY);
	/* stale */
	assert_int_equal(ask(10, T0 + DAY), 2);
	assert_int_equal(ask(11, T0 + DAY), 2);
	assert_int_equal(ask(13, T0 + DAY), 0);
	assert_int_equal(ask(12, T0 + DAY), -2);
	assert_int_equal(ask(12, T0 + 3 * DAY), -2); /* does not rise */
	assert_int_equal(ask(1, T0 + 3 * DAY), 3);
	/* beyond its grace */
	assert_int_equal(ask(10, T0 + 8 * DAY), 0);
	assert_int_equal(ask(12, T0 + 8 * DAY), -2);
	assert_int_equal(ask(1, T0 + 8 * DAY), 3);
	assert_int_equal(standing_next(&s, T0), T0 + DAY);
	assert_int_equal(standing_next(&s, T0 + DAY), T0 + 8 * DAY);
	assert_int_equal(standing_next(&s, T0 + 8 * DAY), UINT32_MAX);
}

static void
test_revoked(void **state)
{
	const struct hash16 rns = {{77}};
	struct fp fp = fp_of(10);
	struct rev_entry e = {.kind = REV_RNS, .id = {77}};

	(void)state;
	for (unsigned a = 1; a <= 3; a++)
		says(a, 10, 3, T0 + 100 * DAY);
	make();
	pins[0] = (struct level_pin){.id = fp_of(20), .level = 2};
	s.levels.npins = 1;
	revoke(10, true);
	revoke(20, false);
	assert_int_equal(ask(10, T0), -2);
	assert_int_equal(o.revoked, REV_SUSPENDED);
	assert_int_equal(ask(20, T0), -3);
	assert_int_equal(o.revoked, REV_REVOKED);
	/* his identity is listed: the worse of both counts */
	assert_int_equal(revset_add(&s.revoked, &e, 1), 0);
	revset_sort(&s.revoked);
	standing_ask(&s, &o, &fp, &rns, SCOPE_JOB_SUBMIT, T0);
	assert_int_equal(o.revoked, REV_REVOKED);
	standing_ask(&s, &o, NULL, &rns, SCOPE_JOB_SUBMIT, T0);
	assert_int_equal(o.level, -3);
	/* the operator knows better */
	pins[0].ignore_revocation = true;
	assert_int_equal(ask(20, T0), 2);
	assert_int_equal(o.revoked, REV_NONE);
	assert_true(o.pinned);
	assert_true(standing_exempt(&s.levels, &pins[0].id, NULL));
	assert_false(standing_exempt(&s.levels, &fp, &rns));
}

/* klp.md 1.8, the column of the list. */
static void
test_list_age(void **state)
{
	(void)state;
	for (unsigned a = 1; a <= 3; a++)
		says(a, 10, 3, T0 + 100 * DAY);
	make();
	s.graph.head_expires = T0 + 100 * DAY;
	s.graph.doc_expires = T0 + 100 * DAY;
	pins[0] = (struct level_pin){.id = fp_of(20), .level = 2};
	pins[1] = (struct level_pin){.id = fp_of(21), .level = 3};
	s.levels.npins = 2;
	/* none is named */
	assert_int_equal(ask(20, T0), 2);
	assert_int_equal(o.jobs, JOBS_TAKEN);
	assert_null(o.why_jobs);
	/* one is, and has never come */
	s.list.wanted = true;
	(void)ask(20, T0);
	assert_int_equal(o.jobs, JOBS_NOT_NEW);
	assert_non_null(o.why_jobs);
	(void)ask(10, T0);
	assert_int_equal(o.jobs, JOBS_NOT_NEW); /* +3, and not pinned */
	(void)ask(21, T0);
	assert_int_equal(o.jobs, JOBS_TAKEN);
	/* it comes, and gets old */
	s.list = (struct standing_age){true, true, T0 + DAY, T0 + 2 * DAY,
	    DAY};
	(void)ask(20, T0 + DAY - 1);
	assert_int_equal(o.jobs, JOBS_TAKEN);
	(void)ask(20, T0 + DAY);
	assert_int_equal(o.jobs, JOBS_NOT_NEW);
	(void)ask(10, T0 + DAY);
	assert_int_equal(o.jobs, JOBS_TAKEN);
	s.on_stale = STALE_REFUSE_ALL;
	(void)ask(20, T0 + DAY);
	assert_int_equal(o.jobs, JOBS_NOT_STARTED);
	s.on_stale = STALE_WARN;
	(void)ask(20, T0 + DAY);
	assert_int_equal(o.jobs, JOBS_TAKEN);
	(void)ask(20, T0 + 2 * DAY);
	assert_int_equal(o.jobs, JOBS_NOT_NEW);
	(void)ask(21, T0 + 2 * DAY);
	assert_int_equal(o.jobs, JOBS_TAKEN);
}

static bool
hit(void *ctx, const struct fp *fp, const struct hash16 *rns)
{
	const unsigned *below = ctx;

	return fp != NULL ? fp->b[0] < *below : rns->b[0] < *below;
}

/* Who is known by two ways is one, and a pin beats the graph. */
static void
test_count(void **state)
{
	unsigned below = 12;
	uint64_t positive, hits;

	(void)state;
	for (unsigned who = 10; who < 20; who++)
		says(1, who, 1, T0 + 100 * DAY);
	make();
	standing_count(&s, T0, hit, &below, &positive, &hits);
	assert_int_equal(positive, 13); /* ten, and three anchors */
	assert_int_equal(hits, 5);
	pins[0] = (struct level_pin){.id = fp_of(10), .level = 2};
	pins[1] = (struct level_pin){.id = fp_of(11), .level = 0};
	pins[2] = (struct level_pin){.id = {{5}}, .is_rns = true, .level = 1};
	s.levels.npins = 3;
	standing_count(&s, T0, hit, &below, &positive, &hits);
	assert_int_equal(positive, 13);
	assert_int_equal(hits, 5);
	/* beyond its grace the graph says nothing of anybody */
	standing_count(&s, T0 + 9 * DAY, hit, &below, &positive, &hits);
	assert_int_equal(positive, 5);
	assert_int_equal(hits, 5);
	kte1_free(s.now);
	kte1_free(s.then);
	s.now = s.then = NULL;
	s.g = NULL;
	standing_count(&s, T0, hit, &below, &positive, &hits);
	assert_int_equal(positive, 5);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, clean, clean)
	const struct CMUnitTest tests[] = {T(test_graph_age), T(test_revoked),
	    T(test_list_age), T(test_count)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
