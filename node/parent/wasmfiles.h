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
/*
 * Has one of them been removed or replaced since, as by an upgrade? Jail finds
 * them by their paths, and its base is built of all of them or not at all: they
 * are closed, and *which is the first that is gone.
 */
bool wasmfiles_gone(int fds[WASM_FILES], const char **which);

#endif
