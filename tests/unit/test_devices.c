/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter of devices, node by node: the program is run here, not loaded.
 * That the kernel takes it, and holds root with all rights to it, is seen by
 * tests/escape/test_devices.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/util.h"
#include "sandbox/plan/devices.h"

/* What the kernel would do with the instructions that it has. */
static uint64_t
run(const struct bpf_insn *insns, unsigned n,
    const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t r[11] = {0};
	unsigned steps = 0;

	for (unsigned pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insns[pc];
		uint32_t v;

		assert_true(++steps <= n); /* it never goes back */
		assert_true(i->off >= 0);
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			assert_int_equal(i->src_reg, BPF_REG_1);
			assert_true((size_t)i->off + 4 <= sizeof(*ctx));
			memcpy(&v, (const char *)ctx + i->off, 4);
			r[i->dst_reg] = v;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] &= (uint32_t)i->imm;
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = (uint64_t)(int64_t)i->imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			if (r[i->dst_reg] != (uint64_t)(int64_t)i->imm)
				pc += (unsigned)i->off;
			break;
		case BPF_JMP | BPF_JA:
			pc += (unsigned)i->off;
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			fail_msg("instruction %02x", i->code);
		}
	}
	fail_msg("it runs past its end");
	return 0;
}

static void
test_nodes(void **state)
{
	static const uint32_t odd[] = {0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 64, 128,
	    136, 200, 202, 229, 254, 255, 256, 0x10001, 0x10003, UINT32_MAX};
	struct bpf_insn insns[DEVICES_INSNS];
	unsigned n = devices_program(insns), allowed = 0;

	(void)state;
	assert_true(n <= DEVICES_INSNS);
	for (size_t a = 0; a < NELEM(odd); a++)
		for (size_t b = 0; b < NELEM(odd); b++)
			for (uint32_t type = 0; type < 4; type++)
				for (uint32_t acc = 0; acc < 8; acc++) {
					struct bpf_cgroup_dev_ctx c = {
					    acc << 16 | type, odd[a], odd[b]};
					bool is = type == BPF_DEVCG_DEV_CHAR;
					bool may = devices_allowed(is, odd[a],
					    odd[b]);

					assert_int_equal(run(insns, n, &c),
					    may ? 1 : 0);
					allowed += may;
				}
	/* each of six nodes with each kind of access, and nothing else */
	assert_int_equal(allowed, 6 * 8);
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(devices_allowed(true, 1, 3));   /* null */
	assert_true(devices_allowed(true, 1, 5));   /* zero */
	assert_true(devices_allowed(true, 1, 7));   /* full */
	assert_true(devices_allowed(true, 1, 8));   /* random */
	assert_true(devices_allowed(true, 1, 9));   /* urandom */
	assert_true(devices_allowed(true, 5, 0));   /* tty */
	assert_false(devices_allowed(true, 1, 1));  /* mem */
	assert_false(devices_allowed(true, 1, 11)); /* kmsg */
	assert_false(devices_allowed(true, 5, 1));  /* console */
	assert_false(devices_allowed(true, 5, 2));  /* ptmx */
	assert_false(devices_allowed(false, 1, 3)); /* a RAM disk */
	assert_false(devices_allowed(false, 8, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nodes), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
