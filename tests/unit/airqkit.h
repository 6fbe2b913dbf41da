/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_AIRQKIT_H
#define WARREN_TESTS_UNIT_AIRQKIT_H

#include "transport/modem/airq.h"

#define SECOND MONO_SECOND

/* A slow interface: 1,000 bit/s, a byte is 8 ms. Queues are made for it. */
extern const struct airtime slow;
struct mono at(double s);
struct airq *make(const struct airq_conf *);
/* A packet of that many bytes. */
bool put(struct airq *, enum rns_kind, unsigned from, uint8_t dest, size_t len,
    struct mono now);
/* Lets time pass until one goes; false: none will. */
bool next(struct airq *, struct airq_packet *, struct mono *now);

#endif
