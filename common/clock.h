/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_CLOCK_H
#define WARREN_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

#include <rns/mono.h>

/* The only places where a program reads a clock; call once a loop turn. */
static inline struct mono
clock_mono(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){
	    (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000};
}

/* Microseconds since the Unix epoch. */
static inline int64_t
clock_wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

#endif
