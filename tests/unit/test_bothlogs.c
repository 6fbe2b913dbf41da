/* SPDX-License-Identifier: BSD-2-Clause */
/* Both streams of a job in their order, from a node that tells it or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "common/wire.h"
#include "node/cli/bothlogs.h"

#define MOST 200000u

/* What a job writes, byte by byte, and how far it has come. */
static struct {
	uint8_t stream[MOST], byte[MOST];
	unsigned n, now;
	uint8_t log[2][MOST];
	unsigned len[2];
	uint8_t runs[4 * MOST];
	unsigned nruns, cut; /* runs up to here are told and grow no more */
	bool tells, over;
	unsigned grows; /* bytes with every question */
} job;

/* What was printed. */
static struct {
	uint8_t stream[MOST], byte[MOST];
	unsigned n;
	uint64_t at[2];
} seen;

static struct both b;
static uint64_t rng;

static unsigned
dice(unsigned sides)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng >> 33) % sides;
}

static void
write_on(unsigned bytes)
{
	for (; bytes > 0 && job.now < job.n; bytes--, job.now++) {
		unsigned s = job.stream[job.now];
		uint8_t *last = job.nruns > 0 ? job.runs + 4 * (job.nruns - 1) : NULL;

		job.log[s][job.len[s]++] = job.byte[job.now];
		if (job.nruns > job.cut && (get_u32(last) >> 31) == s) {
			put_u32(last, get_u32(last) + 1);
		} else {
			put_u32(job.runs + 4 * job.nruns++, 1u | s << 31);
		}
	}
	job.over = job.now == job.n;
}

static bool
fetch(void *arg, unsigned stream, uint64_t offset, bool want, uint64_t from,
    struct both_got *g)
{
	unsigned s = stream - 1;
	uint64_t most = 1 + dice(BOTH_SLICE);
	uint64_t most_runs = 1 + dice(PROTO_RUNS_MAX);

	assert_ptr_equal(arg, &job);
	write_on(job.grows);
	assert_true(offset <= job.len[s]);
	g->p = job.log[s] + offset;
	g->n = MIN_OF(job.len[s] - offset, most);
	g->end = job.over && offset + g->n == job.len[s];
	if (!want || !job.tells)
		return true;
	job.cut = job.nruns;
	assert_true(from <= job.nruns);
	g->runs = job.runs + 4 * from;
	g->nruns = MIN_OF(job.nruns - from, most_runs);
	return true;
}

static bool
print(void *arg, unsigned stream, uint64_t offset, const uint8_t *p, size_t n)
{
	assert_ptr_equal(arg, &job);
	assert_int_equal(offset, seen.at[stream - 1]);
	for (size_t i = 0; i < n; i++) {
		seen.stream[seen.n] = (uint8_t)(stream - 1);
		seen.byte[seen.n++] = p[i];
	}
	seen.at[stream - 1] += n;
	return true;
}

/* Pieces of at most so many bytes, of either stream. */
static void
begin(uint64_t seed, unsigned n, unsigned piece)
{
	memset(&job, 0, sizeof(job));
	memset(&seen, 0, sizeof(seen));
	memset(&b, 0, sizeof(b));
	b.fetch = fetch;
	b.print = print;
	b.arg = &job;
	rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	job.tells = true;
	while (job.n < n) {
		unsigned k = 1 + dice(piece), s = dice(2);

		for (; k > 0 && job.n < n; k--) {
			job.stream[job.n] = (uint8_t)s;
			job.byte[job.n++] = (uint8_t)dice(256);
		}
	}
}

/* Each stream as it was written, whatever the order of the two. */
static void
whole(void)
{
	unsigned at[2] = {0, 0};

	assert_int_equal(seen.n, job.n);
	for (unsigned i = 0; i < seen.n; i++) {
		unsigned s = seen.stream[i];

		assert_int_equal(seen.byte[i], job.log[s][at[s]++]);
	}
}

static void
test_order(void **state)
{
	static const unsigned pieces[] = {1, 7, 300, 60000};

	(void)state;
	for (unsigned k = 0; k < NELEM(pieces); k++) {
		begin(k + 1, k == 0 ? 20000 : MOST, pieces[k]);
		write_on(MOST);
		assert_true(both_drain(&b));
		assert_true(both_ended(&b));
		whole();
		assert_memory_equal(seen.stream, job.stream, job.n);
		assert_memory_equal(seen.byte, job.byte, job.n);
	}
}

/* It writes while it is read, and what comes by itself is mixed in. */
static void
test_grows(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 40; k++) {
		unsigned turns = 0;

		begin(100 + k, 60000, 1 + k * 13);
		job.grows = 1 + k * 17;
		while (!both_ended(&b)) {
			assert_true(++turns < 100000);
			assert_true(both_drain(&b));
			if (dice(2) == 0)
				write_on(dice(500));
			for (unsigned s = 0; s < 2; s++) {
				uint64_t at = b.printed[s], some = dice(300);
				size_t n = (size_t)MIN_OF(job.len[s] - at,
				    some);

				if (dice(3) == 0)
					assert_true(both_came(&b, s + 1,
					    job.log[s] + at, n));
			}
		}
		whole();
	}
}

static void
test_not_told(void **state)
{
	(void)state;
	begin(7, 50000, 100);
	job.tells = false;
	write_on(30000);
	assert_true(both_drain(&b));
	assert_false(both_ended(&b));
	write_on(MOST);
	assert_true(both_drain(&b));
	whole();
	/* runs of more than there is, from a node that lies */
	begin(8, 50000, 100);
	write_on(MOST);
	put_u32(job.runs, 0x7fffffff);
	assert_true(both_drain(&b));
	whole();
}

static bool
no_fetch(void *arg, unsigned stream, uint64_t offset, bool want, uint64_t from,
    struct both_got *g)
{
	(void)arg;
	(void)stream;
	(void)offset;
	(void)want;
	(void)from;
	(void)g;
	return false;
}

static bool
no_print(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	(void)arg;
	(void)stream;
	(void)offset;
	(void)p;
	return n == 0;
}

static void
test_fails(void **state)
{
	(void)state;
	begin(9, 5000, 100);
	write_on(MOST);
	b.fetch = no_fetch;
	assert_false(both_drain(&b));
	begin(9, 5000, 100);
	write_on(MOST);
	b.print = no_print;
	assert_false(both_drain(&b));
	assert_int_equal(seen.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_grows),
	    cmocka_unit_test(test_not_told),
	    cmocka_unit_test(test_fails),
	};

	return cmocka_run_group_tests_name("bothlogs", tests, NULL, NULL);
}
