/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_ORDER_H
#define WARREN_NODE_HOST_ORDER_H

#include <stddef.h>
#include <stdint.h>

/*
 * In which order a job wrote to its two streams, as they were read: runs of
 * bytes of one of them (compute.md 3.6), each a u32 in a file beside the logs.
 * It is a help for readers: what is not in it comes behind, stdout first.
 */
#define ORDER_MAX 65536u /* ours: runs of one job; what follows has no order */

struct order {
	int fd; /* -1: there is none yet */
	int (*make)(void *arg);
	void *arg;
	uint32_t runs; /* in the file */
	unsigned stream; /* 0, 1: of the run that still grows */
	uint32_t bytes;	 /* ... 0: none does */
};

/*
 * Takes the file, or -1: then make(arg) gives one when the first run ends; its
 * -1, or NULL: none is kept. kept: what the logs hold. What the file lacks of
 * that, as after a kill, is added as two runs.
 */
void order_begin(struct order *, int fd, int (*make)(void *), void *arg,
    const uint64_t kept[2]);
void order_add(struct order *, unsigned stream, uint64_t bytes);
/* The run that grows is as long as it is: the next bytes are another. */
void order_cut(struct order *);
/* Closes it. One run alone has no order: it is not worth a file. */
void order_end(struct order *);
/* Runs of a file from the given one on, at most max; how many. fd may be -1. */
size_t order_read(int fd, uint64_t from, uint8_t *out, size_t max);

#endif
