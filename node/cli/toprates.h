/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TOPRATES_H
#define WARREN_NODE_CLI_TOPRATES_H

#include <jansson.h>

/*
 * What passed between two looks at a node. Pure: a look is an object with
 * "status" and "interfaces" as mesh.sock answers them, and "node" where jobs
 * run. The result has "seconds", and a second: "interfaces" with rx_bps, tx_bps,
 * rx_pps, tx_pps, drops; "drops" by reason; "packets"; and as they are now
 * "counts", "jobs". NULL: no memory. A counter that went back (the program was
 * started again) counts from 0.
 */
json_t *toprates(const json_t *before, const json_t *now, double seconds);

#endif
