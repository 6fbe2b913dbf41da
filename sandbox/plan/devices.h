/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PLAN_DEVICES_H
#define WARREN_SANDBOX_PLAN_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>

/*
 * Which device nodes a process of a job may open or make (compute.md 7, bit
 * 24): character devices null, zero, full, random, urandom and tty, and no
 * block device. Pure.
 */
bool devices_allowed(bool character, uint32_t major, uint32_t minor);

/*
 * The same as a program of type BPF_PROG_TYPE_CGROUP_DEVICE: it reads struct
 * bpf_cgroup_dev_ctx and answers 1 (allowed, to read, write and make) or 0.
 * out has DEVICES_INSNS; how many are used.
 */
#define DEVICES_INSNS 32
unsigned devices_program(struct bpf_insn out[DEVICES_INSNS]);

#endif
