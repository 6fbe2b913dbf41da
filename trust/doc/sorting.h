/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SORTING_H
#define WARREN_TRUST_DOC_SORTING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A large array put in order in turns: short runs first, then runs merged two
 * by two. Equal elements keep their order.
 */
#define SORTING_RUN 2048

typedef int sorting_cmp(const void *, const void *, void *arg);

struct sorting {
	char *v, *from, *to, *tmp;
	size_t n, size;
	sorting_cmp *cmp;
	void *arg;
	size_t run;	   /* length of what is in order; 0: nothing yet */
	size_t at;	   /* begin of the pair that is merged */
	size_t left, right; /* taken of its two runs */
};

/* v is the caller's, and in disorder until the end. false: no memory. */
bool sorting_begin(struct sorting *, void *v, size_t n, size_t size,
    sorting_cmp *, void *arg);
/* About so many elements; true: there is more to do. */
bool sorting_step(struct sorting *, size_t budget);
/* At its end, or before it. */
void sorting_free(struct sorting *);

#endif
