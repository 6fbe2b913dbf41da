/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/devices.h"

#include <stddef.h>

#include "common/util.h"

static const struct {
	uint32_t major, minor;
} nodes[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}};

/* Five before, three for each, a jump, two for each answer. */
_Static_assert(5 + 3 * NELEM(nodes) + 1 + 4 <= DEVICES_INSNS, "devices");

bool
devices_allowed(bool character, uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < NELEM(nodes); i++)
		if (nodes[i].major == major && nodes[i].minor == minor)
			return character;
	return false;
}

static struct bpf_insn
load(uint8_t to, size_t offset)
{
	return (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
	    .dst_reg = to & 15, .src_reg = BPF_REG_1, .off = (int16_t)offset};
}

/* Over so many instructions unless the register is this. */
static struct bpf_insn
unless(uint8_t reg, uint32_t is, size_t over)
{
	return (struct bpf_insn){.code = BPF_JMP | BPF_JNE | BPF_K,
	    .dst_reg = reg & 15, .off = (int16_t)over, .imm = (int32_t)is};
}

static unsigned
answer(struct bpf_insn *out, int32_t what)
{
	out[0] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K,
	    .dst_reg = BPF_REG_0, .imm = what};
	out[1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return 2;
}

unsigned
devices_program(struct bpf_insn out[DEVICES_INSNS])
{
	const uint8_t type = BPF_REG_2, major = BPF_REG_3, minor = BPF_REG_4;
	unsigned n = 0, left;

	out[n++] = load(type,
	    offsetof(struct bpf_cgroup_dev_ctx, access_type));
	/* the upper half is what is asked for: all of it, or nothing */
	out[n++] = (struct bpf_insn){.code = BPF_ALU | BPF_AND | BPF_K,
	    .dst_reg = type & 15, .imm = 0xffff};
	out[n++] = load(major, offsetof(struct bpf_cgroup_dev_ctx, major));
	out[n++] = load(minor, offsetof(struct bpf_cgroup_dev_ctx, minor));
	/* to the refusal, behind all nodes and the other answer */
	out[n++] = unless(type, BPF_DEVCG_DEV_CHAR, 3 * NELEM(nodes) + 3);
	for (size_t i = 0; i < NELEM(nodes); i++) {
		left = (unsigned)(NELEM(nodes) - i - 1);
		out[n++] = unless(major, nodes[i].major, 2);
		out[n++] = unless(minor, nodes[i].minor, 1);
		/* to the first answer, behind the nodes that are left and the jump */
		out[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_JA,
		    .off = (int16_t)(3 * left + 1)};
	}
	/* none of them: over the first answer */
	out[n++] = (struct bpf_insn){.code = BPF_JMP | BPF_JA, .off = 2};
	n += answer(out + n, 1);
	n += answer(out + n, 0);
	return n;
}
