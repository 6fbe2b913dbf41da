/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_COMPILE_H
#define WARREN_SANDBOX_WASM_COMPILE_H

#include "sandbox/wasm/engine.h"

/*
 * A module of a stranger on descriptor `in` to machine code on `out`, both
 * files. Else why, which of a module names what is wanted and not offered here
 * (compute.md 4.1).
 */
enum compiled {
	COMPILED,
	COMPILE_MODULE, /* it is the module's fault, and stays so */
	COMPILE_HERE,	/* ... this machine's: no engine, a full disk */
};
enum compiled compile_module(const struct engine_conf *, int in, int out,
    char why[ENGINE_WHY]);

#endif
