/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/probes_impl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

const char *
probes_tier_name(enum probes_tier tier)
{
	static const char *const names[PROBES_TIERS] = {"lsm", "fentry",
	    "raw tracepoints", "counters"};

	return tier < PROBES_TIERS ? names[tier] : "none";
}

#ifdef HAVE_BPF

static void
explain(char why[PROBES_WHY], int error)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		(void)snprintf(why, PROBES_WHY, "this kernel does not tell its "
		    "types (/sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF)");
	else if ((error == EPERM || error == EACCES) && geteuid() != 0)
		(void)snprintf(why, PROBES_WHY, "probes in the kernel need "
		    "root (CAP_BPF and CAP_PERFMON)");
	else
		(void)snprintf(why, PROBES_WHY, "the kernel refuses the "
		    "probes: %s (they need Linux 5.19, CAP_BPF and "
		    "CAP_PERFMON)", strerror(error));
}

#else

struct probes *
probes_bpf_load(enum probes_tier tier, int *error)
{
	(void)tier;
	*error = ENOSYS;
	return NULL;
}

static void
explain(char why[PROBES_WHY], int error)
{
	(void)error;
	(void)snprintf(why, PROBES_WHY, "this build has no probes in the "
	    "kernel (configure names what was missing: clang, libbpf-dev)");
}

#endif

struct probes *
probes_load_tier(enum probes_tier tier, char why[PROBES_WHY])
{
	int error = ENOMEM;
	struct probes *p = tier == PROBES_COUNTERS ? counters_new() :
	    probes_bpf_load(tier, &error);

	why[0] = '\0';
	if (p == NULL)
		explain(why, error);
	return p;
}

struct probes *
probes_load(enum probes_tier best, char why[PROBES_WHY])
{
	struct probes *p = NULL;
	size_t len = 0;
	int error = 0;

	why[0] = '\0';
	if (best >= PROBES_COUNTERS)
		(void)snprintf(why, PROBES_WHY, "node.yaml says probes: "
		    "counters");
	for (unsigned i = best; p == NULL && i < PROBES_COUNTERS; i++) {
		p = probes_bpf_load((enum probes_tier)i, &error);
		if (p == NULL && len < PROBES_WHY)
			len += (size_t)snprintf(why + len, PROBES_WHY - len,
			    "%s%s: %s", len > 0 ? ", " : "",
			    probes_tier_name((enum probes_tier)i),
			    strerror(error));
	}
	if (p != NULL)
		return p;
	if (best < PROBES_COUNTERS)
		explain(why, error);
	return counters_new();
}

enum probes_tier
probes_tier(const struct probes *p)
{
	return p->tier;
}

int
probes_deny(struct probes *p, uint32_t what)
{
	return p->ops->deny(p, what);
}

int
probes_attach(struct probes *p)
{
	return p->ops->attach(p);
}

void
probes_detach(struct probes *p)
{
	p->ops->detach(p);
}

int
probes_watch(struct probes *p, uint64_t group, unsigned how)
{
	return p->ops->watch(p, group, how);
}

int
probes_bound(struct probes *p, uint64_t group, const struct watch_bounds *b)
{
	return p->ops->bound(p, group, b);
}

void
probes_count(struct probes *p, uint64_t group, int memory, int pids)
{
	if (p->ops->count != NULL) {
		p->ops->count(p, group, memory, pids);
		return;
	}
	if (memory >= 0)
		(void)close(memory);
	if (pids >= 0)
		(void)close(pids);
}

void
probes_over(struct probes *p, uint64_t group, uint32_t status)
{
	if (p->ops->over != NULL)
		p->ops->over(p, group, status);
}

bool
probes_group(struct probes *p, uint64_t group, struct watch_group *out)
{
	return p->ops->group(p, group, out);
}

void
probes_forget(struct probes *p, uint64_t group)
{
	p->ops->forget(p, group);
}

int
probes_fd(const struct probes *p)
{
	return p->ops->fd(p);
}

int
probes_read(struct probes *p, probes_fn *fn, void *ctx)
{
	return p->ops->read(p, fn, ctx);
}

void
probes_free(struct probes *p)
{
	if (p != NULL)
		p->ops->free(p);
}
