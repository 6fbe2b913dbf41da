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
 *   BASE_JOB    behind it for jobs and steps: namespaces, mounts, sockets but
 *               of the unix family, and what the kernel counts for the whole
 *               host (THREATS.md 7.17)
 *   BASE_SNAPSHOT  in its place for a snapshot: it may stop and read what it may
 *               trace (THREATS.md 3), and change nothing of it
 *   BASE_SEAL   last, behind node's program too: no further filter
 *   BASE_JAIL   jail itself, an allow-list: it answers messages, waits and
 *               sends signals by descriptor
 *
 * In all of them a number above the highest that is known here is ENOSYS.
 */
enum base_filter {
	BASE_NEVER,
	BASE_JOB,
	BASE_SNAPSHOT,
	BASE_SEAL,
	BASE_JAIL
};

struct filter {
	struct sock_filter *insns;
	unsigned short len;
};

/* 0, or -1. The instructions are the caller's, to be freed. */
int base_build_filter(enum base_filter, struct filter *);
/* A call's number by its name, as they have it; -1: not known here. */
int base_number(const char *name);
/* Load; the caller has no_new_privs. 0 or -1 with errno. */
int filter_load(const struct filter *);

#endif
