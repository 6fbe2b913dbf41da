/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_RPC_PICKLE_H
#define WARREN_TRANSPORT_ENGINE_RPC_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/*
 * Programs on RNS up to 1.3.3 say as Python pickles what later ones say as
 * MessagePack (reticulum-transport.md 13.7). Pure. A pickle is a program; of
 * its language only what such a request is made of is known here: one map of
 * texts to plain values. Everything else is refused, nothing is evaluated.
 */
bool pickle_is(const uint8_t *, size_t);
/* The same request packed; false: refused, or it does not fit. */
bool pickle_to_mpk(const uint8_t *, size_t, struct wr *);
/* One packed value as a pickle; false: malformed, or it does not fit. */
bool pickle_from_mpk(struct rd *, struct wr *);
/* Bytes that the pickle of n packed bytes can need at most. */
size_t pickle_max(size_t n);

#endif
