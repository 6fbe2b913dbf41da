/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_VEC_MPK_H
#define WARREN_TESTS_UNIT_VEC_MPK_H

#include <stddef.h>

#include <jansson.h>

#include "common/wire.h"

/*
 * Fails the test when the packed value behind the cursor is not the one that
 * `want` writes as rpc-*.json do: {"$bin": hex}, {"$map": [[k, v], ...]}.
 * Integers equal floats of the same value. Members that a packed map has and
 * `want` has not are counted in *extra.
 */
void vec_mpk_same(struct rd *, const json_t *want, size_t *extra);
/* Packs such a value. */
void vec_mpk_put(struct wr *, const json_t *);

#endif
