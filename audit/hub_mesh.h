/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_HUB_MESH_H
#define WARREN_AUDIT_HUB_MESH_H

#include <stddef.h>
#include <stdint.h>

#include "audit/hub_batch.h"
#include "common/ipc_msg.h"

/*
 * The same over the mesh (klp.md 7): a batch as a request of a klp.node, an
 * alarm as one that fits a frame of a radio. Pure.
 */
#define HUB_PATH_EVENTS "/klp/v1/events"
#define HUB_PATH_ALERT "/klp/v1/alert"
#define HUB_MESH_BODY (HUB_BYTES + 16)

/* {b: bytes}; what it takes, 0: does not fit. */
size_t hub_mesh_body(uint8_t *out, size_t cap, const void *bytes, size_t len);
/*
 * [0, meta, N], where N is one of last[n]: N. Else 0: why, and whether it asks
 * for some time; status as it has it.
 */
uint64_t hub_mesh_ack(const void *text, size_t len, const uint64_t *last,
    unsigned n, const char **why, uint32_t *wait_s, uint64_t *status);
/* How a request ended, as of egress. */
enum fetch_end hub_mesh_end(enum mesh_end);

#endif
