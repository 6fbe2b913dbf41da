/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_BASEFILTER_H
#define WARREN_SANDBOX_BASE_BASEFILTER_H

#include <linux/filter.h>
#include <stddef.h>

/*
 * Jail's own filters, whatever node sends (THREATS.md 2.10). Built once at the
 * start, in memory.
 *
 *   BASE_NEVER  what neither a slot's process nor a job ever needs: other
 *               architectures, tracing, keys, io_uring, bpf, modules, ...
 *   BASE_JOB    behind it for jobs and steps: namespaces, mounts, sockets of
 *               families that reach past the network namespace
 *   BASE_JAIL   jail itself, an allow-list: it answers messages, waits and
 *               sends signals by descriptor
 */
enum base_filter { BASE_NEVER, BASE_JOB, BASE_JAIL };

struct filter {
	struct sock_filter *insns;
	unsigned short len;
};

/* 0, or -1. The instructions are the caller's, to be freed. */
int base_build_filter(enum base_filter, struct filter *);
/* Load; the caller has no_new_privs. 0 or -1 with errno. */
int filter_load(const struct filter *);

#endif
