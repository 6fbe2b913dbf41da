/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/contracts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "common/util.h"
#include "sandbox/plan/plan.h"

/*
 * What a contract comes to on this node. Each thing that it declares is kept,
 * or refused, or named: nothing is taken in silence.
 */

#define CAN(action) (1u << ACTION_##action)
#define COUNTED (CAN(NOTE) | CAN(THROTTLE) | CAN(FREEZE) | CAN(KILL))
#define REFUSED (CAN(DENY) | CAN(FREEZE) | CAN(KILL))
static const uint8_t DOES[RULE_COUNT] = {
    [RULE_APIS] = CAN(NOTE) | CAN(DENY) | CAN(THROTTLE) | CAN(FREEZE) |
	CAN(KILL), /* there is no way out at all */
    [RULE_APIS_RATE] = CAN(NOTE) | CAN(DENY) | CAN(THROTTLE) | CAN(FREEZE) |
	CAN(KILL),
    /* the kernel refuses, and tells nobody */
    [RULE_DISK_READ] = CAN(DENY),
    [RULE_DISK_WRITE] = CAN(DENY),
    [RULE_DISK_EXEC] = CAN(DENY),
    [RULE_DISK_MAX_BYTES] = CAN(DENY),
    [RULE_DISK_MAX_FILES] = CAN(DENY),
    [RULE_MEMORY_MAX] = CAN(KILL),
    [RULE_MAX_PIDS] = REFUSED,
    [RULE_ANONYMOUS_EXEC] = CAN(DENY) | CAN(KILL),
    [RULE_CPU_SECONDS] = COUNTED,
    [RULE_CPU_BURST] = COUNTED,
    [RULE_SYSCALLS] = CAN(DENY) | CAN(KILL),
};
/* Where the probes tell of it besides. */
static const uint8_t TOLD[RULE_COUNT] = {
    [RULE_DISK_READ] = REFUSED,
    [RULE_DISK_WRITE] = REFUSED,
    [RULE_DISK_EXEC] = REFUSED,
    [RULE_DISK_MAX_BYTES] = REFUSED,
    [RULE_DISK_MAX_FILES] = REFUSED,
    [RULE_DISK_READ_BYTES] = CAN(NOTE) | CAN(FREEZE) | CAN(KILL),
    [RULE_DISK_WRITE_RATE] = COUNTED,
    [RULE_ANONYMOUS_EXEC] = REFUSED,
    [RULE_SYSCALLS] = REFUSED,
};

static unsigned
can(unsigned rule, bool probes)
{
	return rule >= RULE_COUNT ? 0 : DOES[rule] | (probes ? TOLD[rule] : 0u);
}

/* Asked for what it cannot do, it does what is stricter, else what it can. */
enum contract_action
contract_does(unsigned rule, enum contract_action asked, bool probes)
{
	unsigned may = can(rule, probes);

	for (unsigned a = asked; a < ACTION_COUNT; a++) {
		if ((may & (1u << a)) != 0)
			return (enum contract_action)a;
	}
	for (unsigned a = asked; a > 0; a--) {
		if ((may & (1u << (a - 1))) != 0)
			return (enum contract_action)(a - 1);
	}
	return ACTION_NOTE;
}

static bool
has_limits(const struct contract_paths *p, bool files)
{
	for (unsigned i = 0; i < p->n; i++) {
		if ((files ? p->v[i].max_files : p->v[i].max_bytes) != 0)
			return true;
	}
	return false;
}

bool
contract_declares(const struct contract *c, unsigned rule)
{
	switch (rule) {
	case RULE_DISK_READ:
		return c->read.given;
	case RULE_DISK_WRITE:
		return c->write.given;
	case RULE_DISK_EXEC:
		return c->exec.given;
	case RULE_DISK_MAX_BYTES:
		return has_limits(&c->write, false);
	case RULE_DISK_MAX_FILES:
		return has_limits(&c->write, true);
	case RULE_DISK_READ_BYTES:
		return c->max_read_bytes != 0;
	case RULE_DISK_WRITE_RATE:
		return c->max_write_rate != 0;
	case RULE_MEMORY_MAX:
		return c->memory != 0;
	case RULE_MAX_PIDS:
		return c->max_pids != 0;
	case RULE_ANONYMOUS_EXEC:
		return !c->anonymous_exec;
	case RULE_CPU_SECONDS:
		return c->max_seconds != 0;
	case RULE_CPU_BURST:
		return c->burst_seconds != 0;
	case RULE_SYSCALLS:
		return c->ndeny != 0;
	default:
		return false;
	}
}

static void
add_name(char *out, size_t cap, unsigned rule)
{
	size_t n = strlen(out);

	(void)snprintf(out + n, cap - n, "%s%s", n > 0 ? " " : "",
	    contract_rule_name(rule));
}

static void
name_what_is_not_kept(struct contract_out *out, const struct contract *c,
    bool probes)
{
	for (unsigned rule = 1; rule < RULE_COUNT; rule++) {
		enum contract_action asked =
		    (enum contract_action)c->action[rule];

		if (!contract_declares(c, rule))
			continue;
		if (can(rule, probes) == 0)
			add_name(out->absent, sizeof(out->absent), rule);
		else if (contract_does(rule, asked, probes) < asked)
			add_name(out->weaker, sizeof(out->weaker), rule);
	}
}

static const char *no(char why[CONTRACT_WHY], const char *code,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static const char *
no(char why[CONTRACT_WHY], const char *code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, CONTRACT_WHY, fmt, ap);
	va_end(ap);
	return code;
}

/* Volume limits are of whole volumes, and of /tmp. */
static bool
is_volume(const struct manifest *m, const struct contract_path *p)
{
	if (!p->beneath)
		return false;
	if (strcmp(p->path, "/tmp") == 0)
		return true;
	for (unsigned i = 0; i < m->nvolumes; i++) {
		if (m->volume[i].rw && strcmp(m->volume[i].target, p->path) == 0)
			return true;
	}
	return false;
}

static const char *
paths_fit(const struct contract_in *in, char why[CONTRACT_WHY])
{
	const struct contract *c = in->c;

	if ((c->read.given || c->write.given || c->exec.given) &&
	    (in->layers & LAYER_LANDLOCK) == 0)
		return no(why, "contract", "disk: this machine has no Landlock "
		    "to hold a job to its paths");
	for (unsigned i = 0; i < c->write.n; i++) {
		const struct contract_path *p = &c->write.v[i];
		size_t folder;

		if (contract_path_open(p, &folder) && contract_does(
			RULE_DISK_WRITE, (enum contract_action)
			c->action[RULE_DISK_WRITE],
			(in->layers & LAYER_BPF) != 0) <= ACTION_DENY)
			return no(why, "contract", "disk.write: %.60s means "
			    "files that are not there yet: that wants probes "
			    "(bpf) here, and freeze or kill", p->path);
		if ((p->max_bytes != 0 || p->max_files != 0) &&
		    !is_volume(in->m, p))
			return no(why, "contract", "disk.write: %.60s is no rw "
			    "volume as a whole", p->path);
	}
	return NULL;
}

static const char *
lower(struct contract_out *out, const struct contract_in *in,
    char why[CONTRACT_WHY])
{
	const struct contract *c = in->c;
	const uint64_t says[LIMIT_COUNT] = {[LIMIT_MEMORY] = c->memory,
	    [LIMIT_CPU] = c->cpu_milli, [LIMIT_PIDS] = c->max_pids};
	struct limits row;

	(void)level_row(&row, in->policy, MAX_OF(out->level, 1));
	out->limits = *in->granted;
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		uint64_t most = says[i] == 0 ? row.v[i] :
		    MIN_OF(row.v[i], says[i]);

		if (level_least(i, in->m->limit[i], most) !=
		    in->m->limit[i])
			return no(why, "limits", "%s: asked for %llu, %s %llu",
			    manifest_limit_name(i),
			    (unsigned long long)in->m->limit[i],
			    most == row.v[i] ? "the contract's signer gives" :
				"the contract says",
			    (unsigned long long)most);
		out->limits.v[i] = level_least(i, out->limits.v[i], most);
	}
	if (out->limits.v[LIMIT_MEMORY] < plan_memory_least(in->m->nvolumes +
		in->policy->profile_volumes, (in->m->has & HAS_WASM) != 0))
		return no(why, "limits", "memory: the contract leaves too "
		    "little to start in");
	return NULL;
}

const char *
contract_terms(struct contract_out *out, const struct contract_in *in,
    char why[CONTRACT_WHY])
{
	const struct contract *c = in->c;
	char profile[MANIFEST_TEXT + 1];
	const char *code;

	memset(out, 0, sizeof(*out));
	out->level = MIN_OF(in->level, in->signer);
	if (in->signer < 1 && in->policy->floor > 0)
		return no(why, "contract", "its signer has level %d for "
		    "contract.sign", in->signer);
	if (!id32_eq(&c->image, in->image))
		return no(why, "contract", "it is for another image");
	if (c->napis > 0)
		return no(why, "contract",
		    "external_apis: this node has no broker");
	manifest_seccomp(profile, in->m);
	if (c->profile[0] != '\0' && profile[0] != '\0' &&
	    strcmp(c->profile, profile) != 0)
		return no(why, "contract", "syscalls.profile: %.30s, and the "
		    "manifest names %.30s", c->profile, profile);
	if ((code = paths_fit(in, why)) != NULL ||
	    (code = lower(out, in, why)) != NULL)
		return code;
	name_what_is_not_kept(out, c, (in->layers & LAYER_BPF) != 0);
	return NULL;
}

size_t
contract_watched(uint8_t *out, size_t cap, const struct contract *c,
    const struct limits *l)
{
	static struct contract copy;
	size_t n = contract_record_put(out, cap, c);

	if (n == 0 || !contract_record_get(&copy, out, n))
		return 0;
	for (unsigned i = 0; i < copy.write.n; i++) {
		struct contract_path *p = &copy.write.v[i];
		bool tmp = strcmp(p->path, "/tmp") == 0;
		uint64_t bytes = tmp ? l->v[LIMIT_MEMORY] / 4 :
		    l->v[LIMIT_OUTPUT];
		uint64_t files = tmp ? PLAN_TMP_INODES : PLAN_RW_INODES;

		if (p->max_bytes >= bytes)
			p->max_bytes = 0;
		if (p->max_files >= files)
			p->max_files = 0;
	}
	return contract_record_put(out, cap, &copy);
}

/* ---- while it runs ---- */

bool
contract_tell(struct contract_watch *w, unsigned rule)
{
	if ((w->noted & (1u << rule)) != 0)
		return false;
	w->noted |= 1u << rule;
	return true;
}

static bool
tell(struct contract_watch *w, unsigned rule, bool broken)
{
	return broken && contract_tell(w, rule);
}

/* Is that nine tenths of what it may have, but for so many ms of use? */
static bool
is_all(uint64_t used, uint64_t wall, uint32_t cpu_milli, uint64_t slack)
{
	return (used + slack) * 10000 >= wall * cpu_milli * 9;
}

/*
 * The kernel gives what a job may have in portions, one each tenth of a second:
 * between two looks there is one more or less of them. A pause shows all the
 * same, and behind a second or more a portion is less than the tenth.
 */
static bool
bursts(struct contract_watch *w, uint64_t used, uint64_t wall,
    uint32_t cpu_milli, uint32_t seconds)
{
	uint64_t portion = cpu_milli / 10;

	if (wall == 0)
		return false;
	w->burst_ms += wall;
	w->burst_used += used;
	if (!is_all(used, wall, cpu_milli, portion) ||
	    !is_all(w->burst_used, w->burst_ms, cpu_milli, portion))
		w->burst_ms = w->burst_used = 0;
	return w->burst_ms > (uint64_t)seconds * 1000 &&
	    is_all(w->burst_used, w->burst_ms, cpu_milli, 0);
}

unsigned
contract_broken(struct contract_watch *w, const struct contract *c,
    struct mono now, uint64_t cpu_ms, uint32_t cpu_milli, bool pids_hit)
{
	uint64_t wall = w->at.us == 0 || now.us <= w->at.us ? 0 :
	    (uint64_t)mono_sub(now, w->at) / 1000;
	uint64_t used = cpu_ms > w->cpu_ms ? cpu_ms - w->cpu_ms : 0;
	bool burst = bursts(w, used, wall, cpu_milli, c->burst_seconds);

	w->at = now;
	w->cpu_ms = cpu_ms;
	if (tell(w, RULE_MAX_PIDS, c->max_pids != 0 && pids_hit))
		return RULE_MAX_PIDS;
	if (tell(w, RULE_CPU_SECONDS, c->max_seconds != 0 &&
		cpu_ms > (uint64_t)c->max_seconds * 1000))
		return RULE_CPU_SECONDS;
	if (tell(w, RULE_CPU_BURST, c->burst_seconds != 0 && burst))
		return RULE_CPU_BURST;
	return RULE_NONE;
}

unsigned
contract_sigsys(const struct contract *c, bool probes)
{
	if (c->ndeny > 0 && contract_does(RULE_SYSCALLS, (enum contract_action)
		c->action[RULE_SYSCALLS], probes) == ACTION_KILL)
		return RULE_SYSCALLS;
	if (!c->anonymous_exec && contract_does(RULE_ANONYMOUS_EXEC,
		(enum contract_action)c->action[RULE_ANONYMOUS_EXEC],
		probes) == ACTION_KILL)
		return RULE_ANONYMOUS_EXEC;
	return RULE_NONE;
}
