/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_WASMFILES_H
#define WARREN_NODE_PARENT_WASMFILES_H

#include "sandbox/plan/wasm.h"

/*
 * What jail builds the runner of modules from: the files of wasm_files[], read
 * from where this build is installed and from where the system's loader finds
 * the libraries of C. at: the folder of our programs. All of them; or false and
 * none (-1), with what is not there in *lacks.
 */
bool wasmfiles_open(int at, int fds[WASM_FILES], const char **lacks);

#endif
