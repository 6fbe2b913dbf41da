/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/sorting.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

bool
sorting_begin(struct sorting *s, void *v, size_t n, size_t size,
    sorting_cmp *cmp, void *arg)
{
	*s = (struct sorting){.v = v, .n = n, .size = size, .cmp = cmp,
	    .arg = arg};
	s->tmp = calloc(n + 1, size);
	s->from = s->v;
	s->to = s->tmp;
	return s->tmp != NULL;
}

void
sorting_free(struct sorting *s)
{
	free(s->tmp);
	s->tmp = NULL;
}

/* A short one at once, from the bottom up. */
static void
sort_run(struct sorting *s, size_t first, size_t n)
{
	char *a = s->v + first * s->size, *b = s->tmp + first * s->size;

	if (n < 2)
		return;
	for (size_t run = 1; run < n; run *= 2) {
		for (size_t at = 0; at < n; at += 2 * run) {
			size_t i = at, mid = MIN_OF(at + run, n);
			size_t j = mid, end = MIN_OF(at + 2 * run, n);

			for (size_t k = at; k < end; k++) {
				bool left = i < mid && (j >= end ||
				    s->cmp(a + i * s->size, a + j * s->size,
					s->arg) <= 0);

				memcpy(b + k * s->size,
				    a + (left ? i++ : j++) * s->size, s->size);
			}
		}
		memcpy(a, b, n * s->size);
	}
}

/* One element of the pair of runs at `at`; false: that pair is merged. */
static bool
merge_one(struct sorting *s)
{
	size_t mid = MIN_OF(s->at + s->run, s->n);
	size_t end = MIN_OF(s->at + 2 * s->run, s->n);
	size_t i = s->at + s->left, j = mid + s->right;
	bool left;

	if (i >= mid && j >= end)
		return false;
	left = i < mid && (j >= end || s->cmp(s->from + i * s->size,
	    s->from + j * s->size, s->arg) <= 0);
	memcpy(s->to + (s->at + s->left + s->right) * s->size,
	    s->from + (left ? i : j) * s->size, s->size);
	s->left += left;
	s->right += !left;
	return true;
}

/* Everything is merged once: the next pairs are of twice the length. */
static void
next_pass(struct sorting *s)
{
	char *was = s->from;

	s->from = s->to;
	s->to = was;
	s->run *= 2;
	s->at = 0;
}

static size_t
step_runs(struct sorting *s, size_t budget)
{
	size_t n = MIN_OF((size_t)SORTING_RUN, s->n - s->at);

	sort_run(s, s->at, n);
	s->at += n;
	if (s->at >= s->n) {
		s->run = SORTING_RUN;
		s->at = 0;
	}
	return budget - MIN_OF(budget, n);
}

bool
sorting_step(struct sorting *s, size_t budget)
{
	while (s->run == 0 && budget > 0)
		budget = step_runs(s, budget);
	while (budget > 0 && s->run < s->n) {
		if (merge_one(s)) {
			budget--;
			continue;
		}
		s->left = s->right = 0;
		s->at += 2 * s->run;
		if (s->at >= s->n)
			next_pass(s);
	}
	if (s->run == 0 || s->run < s->n)
		return true;
	if (s->from != s->v)
		memcpy(s->v, s->from, s->n * s->size);
	s->from = s->v;
	return false;
}
