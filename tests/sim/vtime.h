/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_VTIME_H
#define WARREN_TESTS_SIM_VTIME_H

#include <stdint.h>

/*
 * A whole program in a simulation's time. It is linked with vtime.c, whose
 * clocks and waits stand before those of the C library: wherever it would wait,
 * it says until when on a socket and gets the time at which it goes on. One
 * program runs at a time, so the same seed gives the same run.
 *
 * VTIME in its environment: descriptor, seed of its random numbers, and what
 * its wall clock is ahead of the simulation's, in seconds: "3 17 -7200".
 */
#define VTIME_ENV "VTIME"

/*
 * For the simulation itself, where it has such programs inside: its own clocks
 * stand still at this time until they are set again, and its waits wait for
 * nothing.
 */
void vtime_set(int64_t mono_us, int64_t wall_us);

/* On the socket both ways one int64_t of microseconds; INT64_MAX: for ever. */

#endif
