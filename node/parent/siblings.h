/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_SIBLINGS_H
#define WARREN_NODE_PARENT_SIBLINGS_H

#include "common/ipc_msg.h"

/* Where the other programs lie (ARCHITECTURE.md 12.3). */

/*
 * Their folder, an O_PATH descriptor: ours when transport lies there; -1 with
 * errno. Its path is written in any case.
 */
int siblings_open(char path[4096]);
/* Its file; where another runner contains jobs, jail's is warren-runner. */
const char *siblings_file(enum program, unsigned runner);
/* A program as a sealed memfd; -1: not there, or no memory. */
int siblings_sealed(int at, const char *name);

#endif
