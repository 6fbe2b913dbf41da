/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CORE_BASE_KIND_H
#define WARREN_TRANSPORT_CORE_BASE_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/iface.h>

/*
 * Of a packet by its first byte and its context. passed: it did not begin here
 * (an announce: it comes from another node); program: it came from an attached
 * program.
 */
enum rns_kind packet_kind(uint8_t flags, uint8_t context, bool passed,
    bool program);

#endif
