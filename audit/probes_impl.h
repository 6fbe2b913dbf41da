/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_PROBES_IMPL_H
#define WARREN_AUDIT_PROBES_IMPL_H

#include "audit/probes.h"

/* Inside of the probes: what each kind of them does. */
struct probes_ops {
	int (*attach)(struct probes *);
	void (*detach)(struct probes *);
	int (*deny)(struct probes *, uint32_t what);
	int (*watch)(struct probes *, uint64_t group, unsigned how);
	int (*bound)(struct probes *, uint64_t group,
	    const struct watch_bounds *);
	/* NULL: what they would say it knows by itself */
	void (*count)(struct probes *, uint64_t group, int memory, int pids);
	void (*over)(struct probes *, uint64_t group, uint32_t status);
	bool (*group)(struct probes *, uint64_t group, struct watch_group *);
	void (*forget)(struct probes *, uint64_t group);
	int (*fd)(const struct probes *);
	int (*read)(struct probes *, probes_fn *, void *ctx);
	void (*free)(struct probes *);
};

/* The first member of each kind's own. */
struct probes {
	enum probes_tier tier;
	const struct probes_ops *ops;
};

/* A tier of the kernel's; NULL and its errno. */
struct probes *probes_bpf_load(enum probes_tier, int *error);
/* The last tier; NULL: no memory. */
struct probes *counters_new(void);

#endif
