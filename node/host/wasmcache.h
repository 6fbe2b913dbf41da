/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_WASMCACHE_H
#define WARREN_NODE_HOST_WASMCACHE_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "sandbox/plan/wasm.h"

/*
 * Compiled modules in warren/node/wasm: what runs of a module is native code,
 * so nobody but this node's own compilations fills it, and jobs only read.
 * Names are digests of all that a code depends on (compute.md 4.1). A module is
 * named by its digest, so one entry serves all who bring it. None is run that
 * was not seen to be, byte for byte, what was compiled under its name: it is read
 * once in each life of node, and when its inode, size or time of change are not
 * as they were. What is very large is read in turns; until then it is not found,
 * and compiled again. Its sum has no key: a disk that lies is found, not who
 * writes there as node's own user and makes the sum too.
 */
/* ours: the oldest go beyond it; whatever one takes, three others fit beside */
#define WASM_CACHE_BYTES (4ull * WASM_CODE_MAX)

struct wasmcache;

/* Beneath node's folder; what an earlier life left half is removed. NULL. */
struct wasmcache *wasmcache_open(int dir);
void wasmcache_close(struct wasmcache *);

/*
 * How a compiled module is named: by what compiled it, for this processor.
 */
void wasmcache_key(struct id32 *key, const struct id32 *module,
    bool interpreted, bool fuel);

/*
 * Its code to read, and how many bytes; -1: it is not here, or is not seen to be
 * whole. One that is something else is removed. Caller closes.
 */
int wasmcache_find(struct wasmcache *, const struct id32 *key,
    uint64_t *size);

/*
 * A new file that the compilation of a slot's job writes: to write, and to
 * read. 0 or -1. Then keep it, when it is whole, or drop it.
 */
int wasmcache_begin(struct wasmcache *, uint32_t slot, const struct id32 *key,
    int *write, int *read);
void wasmcache_keep(struct wasmcache *, uint32_t slot);
void wasmcache_drop(struct wasmcache *, uint32_t slot);

/* Reads a piece of what is to be read; false: there is no more. */
bool wasmcache_work(struct wasmcache *);
/* Nothing is to be read; also of a node that has no such folder (NULL). */
bool wasmcache_idle(const struct wasmcache *);

#endif
