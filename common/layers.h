/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LAYERS_H
#define WARREN_COMMON_LAYERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Layers of the sandbox: bits of plans, receipts, describe and require_layers
 * (compute.md 7).
 */
enum layer {
	LAYER_USER = 1u << 0,
	LAYER_PID = 1u << 1,
	LAYER_MOUNT = 1u << 2,
	LAYER_NET = 1u << 3,
	LAYER_IPC = 1u << 4,
	LAYER_UTS = 1u << 5,
	LAYER_CGROUP = 1u << 6,
	LAYER_CAPS = 1u << 7,
	LAYER_NNP = 1u << 8,
	LAYER_SECCOMP = 1u << 9,
	LAYER_LANDLOCK = 1u << 10,
	LAYER_MEMORY = 1u << 11,
	LAYER_CPU = 1u << 12,
	LAYER_PIDS = 1u << 13,
	LAYER_RLIMITS = 1u << 14,
	LAYER_READONLY = 1u << 15,
	LAYER_LSM = 1u << 16,
	LAYER_BPF = 1u << 17,
	LAYER_IO = 1u << 18,
	LAYER_ANCHORED = 1u << 19, /* the image: klp.md 8 */
	LAYER_WASM = 1u << 20,
	LAYER_INTERPRETED = 1u << 21, /* wasm, without machine code of its own */
	LAYER_DEVICES = 1u << 22, /* a filter of its groups, whatever nodes are */
	LAYER_TIME = 1u << 23,	  /* clocks that say nothing of the machine's */
	LAYER_CORE = 1u << 24,	  /* threads of a core are one job's */
};
#define LAYER_COUNT 25u
/* Those of a module, which say what ran and are nothing to require. */
#define LAYERS_WASM (LAYER_WASM | LAYER_INTERPRETED)
#define LAYERS_KNOWN (((1u << LAYER_COUNT) - 1) & ~LAYERS_WASM)
/*
 * What every process of a slot has from what made it, whatever contains its
 * jobs; where the machine has it.
 */
#define LAYERS_INHERITED (LAYER_IO | LAYER_DEVICES | LAYER_TIME | LAYER_CORE)
/* What jail cannot give: audit does, and trust. */
#define LAYERS_OTHERS (LAYER_BPF | LAYER_ANCHORED)
/* In every mode and whatever require_layers says (THREATS.md 2.2). */
#define LAYERS_FLOOR                                                           \
	(LAYER_USER | LAYER_PID | LAYER_MOUNT | LAYER_NET | LAYER_IPC |        \
	    LAYER_CAPS | LAYER_NNP | LAYER_SECCOMP)
/* "user", "no_new_privs", ...; NULL: no such bit. 0: no such name. */
const char *layer_name(unsigned bit);
uint32_t layer_bit(const char *name);
/* Names of the bits, separated by spaces; cut where they do not fit. */
void layers_text(char *out, size_t cap, uint32_t layers);

#endif
