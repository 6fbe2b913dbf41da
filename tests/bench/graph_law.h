/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_BENCH_GRAPH_LAW_H
#define WARREN_TESTS_BENCH_GRAPH_LAW_H

#include <stdbool.h>
#include <stddef.h>

#include "trust/doc/secp.h"

/*
 * The judge's whole way with a graph, klp://bench/mesh-overlay.json, version 1
 * of the time 1800000000: files in a folder of their own, then from the file to
 * its verdicts. That prints its longest slice in ms of CPU time and by the
 * clock, and how many there are; then the same for a restart, which finds it
 * kept. The files are gone afterwards.
 */
bool graph_law_files(const struct klp_secret *role, const void *payload,
    size_t len);
void graph_law_lives(void);

#endif
