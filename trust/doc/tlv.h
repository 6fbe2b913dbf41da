/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_TLV_H
#define WARREN_TRUST_DOC_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/binding.h"

/* app_data of a klp.node announce: type u8, length u16, value (compute.md 1). */
#define TLV_APP_DATA_MAX 280 /* what we write (klp.md 1.6) */
#define APP_HEADS_MAX 8	 /* kept of TLV 5 */
#define APP_NAME_MAX 32

enum tlv_type {
	TLV_BINDING = 1,
	TLV_HEAD = 2,
	TLV_DELTA = 3,
	TLV_CAPABILITIES = 4,
	TLV_HEADS = 5,
	TLV_NAME = 6,
};

enum app_role { ROLE_COMPUTE = 0x1, ROLE_MIRROR = 0x2, ROLE_HUB = 0x4 };
enum app_runtime {
	RUNTIME_NATIVE = 0x1,
	RUNTIME_WASM = 0x2,
	RUNTIME_OCI = 0x4,
};
enum app_arch {
	ARCH_X86_64 = 1,
	ARCH_AARCH64 = 2,
	ARCH_ARMV7 = 3,
	ARCH_RISCV64 = 4,
	ARCH_MIPS = 5,
};
#define APP_ACCEPTING 0x1

struct app_caps {
	uint16_t roles, runtimes;
	uint8_t arch, flags;
	uint32_t cpu_milli, memory_mib;
	uint16_t queue;
};

struct app_head {
	uint8_t atag[8];
	uint32_t version;
};

struct app_data {
	bool has_binding, has_caps;
	uint8_t binding[BINDING_ANNOUNCE_LEN];
	struct app_caps caps;
	unsigned nheads; /* all that this node holds */
	struct app_head heads[APP_HEADS_MAX];
	/* TLV 2, 3: frames that nobody has looked at; borrowed; NULL: none */
	const uint8_t *head, *delta;
	size_t head_len, delta_len;
	char name[APP_NAME_MAX + 1]; /* "": none; UTF-8, escape it to show */
};

/*
 * false: a TLV twice or beyond the end, or a known one of the wrong form: then
 * the app_data is invalid as a whole (the announce is not).
 */
bool app_data_parse(struct app_data *, const uint8_t *buf, size_t len);
/* Its length; 0: does not fit. */
size_t app_data_build(uint8_t *out, size_t cap, const struct app_data *);
/* This machine's, 0: not in the list. */
uint8_t app_arch_here(void);

#endif
