/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_COMPILE_H
#define WARREN_SANDBOX_WASM_COMPILE_H

#include "sandbox/wasm/engine.h"

/*
 * A module of a stranger on descriptor `in` to machine code on `out`, both
 * files. true; or false and why, which names what is wanted and not offered
 * here (compute.md 4.1).
 */
bool compile_module(const struct engine_conf *, int in, int out,
    char why[ENGINE_WHY]);

#endif
