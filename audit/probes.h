/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_PROBES_H
#define WARREN_AUDIT_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/bpf/watch_rec.h"

/*
 * The probes in the kernel (audit/bpf/). Loaded while the program still has its
 * rights and the machine's files; everything after that needs none: attaching,
 * the map of groups and the ring are descriptors and memory that it holds.
 */
struct probes;

/*
 * Tiers, the best first: each is loaded to find out whether the kernel takes
 * it. Their records have one format; LSM may deny as well. The last one needs
 * nothing of the kernel: it reads what control groups count (counters.h).
 */
enum probes_tier {
	PROBES_LSM,
	PROBES_FENTRY,
	PROBES_RAW,
	PROBES_COUNTERS,
	PROBES_TIERS
};
const char *probes_tier_name(enum probes_tier);

#define PROBES_WHY 160
/*
 * This tier or the best one behind it. PROBES_COUNTERS and why, for people: not
 * built, no BTF, not allowed, not wanted. Else why has the tiers that were
 * refused, with their errors; "": none. All but the last need CAP_BPF and
 * CAP_PERFMON (or CAP_SYS_ADMIN), and /sys. NULL: no memory.
 */
struct probes *probes_load(enum probes_tier best, char why[PROBES_WHY]);
/* This tier or NULL; for tests. */
struct probes *probes_load_tier(enum probes_tier, char why[PROBES_WHY]);
enum probes_tier probes_tier(const struct probes *);
/* DENY_ of what is refused with EPERM, where the tier can. */
int probes_deny(struct probes *, uint32_t what);
/* Attached or not: only then other programs' system calls cost something. */
int probes_attach(struct probes *);
void probes_detach(struct probes *);

#define WATCH_LATE 1u	 /* it runs already */
#define WATCH_NESTED 2u /* another program contains it (sandbox/runner/) */
/*
 * Records of this v2 group from now on: of a job from its first program on, or
 * at once (late: it runs). 0 or -1 (errno; E2BIG: too many).
 */
int probes_watch(struct probes *, uint64_t group, unsigned how);
/* It is under a contract: what is refused it is told too. 0 or -1 (errno). */
int probes_bound(struct probes *, uint64_t group, const struct watch_bounds *);
/*
 * For the last tier: the files of its group that count (-1: there is none),
 * which are taken by all; and how its first process has ended, by wait(2).
 */
void probes_count(struct probes *, uint64_t group, int memory, int pids);
void probes_over(struct probes *, uint64_t group, uint32_t status);
/* What it has done so far; false: it is not watched. */
bool probes_group(struct probes *, uint64_t group, struct watch_group *);
void probes_forget(struct probes *, uint64_t group);

/* Readable when there are records; -1: they are looked for (probes_read). */
int probes_fd(const struct probes *);
/*
 * Each record that is there, in order; as many as there are or until fn says
 * false. For who stops early, call again.
 */
typedef bool probes_fn(void *ctx, const void *rec, size_t len);
int probes_read(struct probes *, probes_fn *, void *ctx);

void probes_free(struct probes *); /* NULL is fine */

#endif
