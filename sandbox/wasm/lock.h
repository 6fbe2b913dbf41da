/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_WASM_LOCK_H
#define WARREN_SANDBOX_WASM_LOCK_H

#include <stdbool.h>

/*
 * The last filter, which warren-wasm loads itself before the module's first
 * instruction: the calls that the engine makes and no others, no memory that
 * becomes executable, no filter behind it. Jail leaves out the one that would
 * refuse it (BASE_SEAL). paths: calls that name files too, which WASI of the
 * library makes beneath the volumes. 0, or -1 with errno.
 */
int lock_down(bool paths);

#endif
