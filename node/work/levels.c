/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/levels.h"

#include <string.h>

#include "common/util.h"
#include "sandbox/plan/wasm.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)

/* compute.md 4; 0: the operator's ceiling */
static const struct limits TABLE[LEVEL_MAX + 1] = {
    [1] = {{[LIMIT_MEMORY] = 64 * MIB, [LIMIT_CPU] = 250,
	[LIMIT_TIME] = 60 * 1000, [LIMIT_PIDS] = 32,
	[LIMIT_OUTPUT] = 16 * MIB, [LIMIT_LOG] = 64 * KIB}},
    [2] = {{[LIMIT_MEMORY] = 256 * MIB, [LIMIT_CPU] = 500,
	[LIMIT_TIME] = 3600 * 1000, [LIMIT_PIDS] = 64,
	[LIMIT_OUTPUT] = 64 * MIB, [LIMIT_LOG] = MIB}},
    [3] = {{[LIMIT_PIDS] = 256, [LIMIT_LOG] = 16 * MIB}},
};

void
policy_init(struct policy *p, unsigned cpus, uint64_t memory)
{
	memset(p, 0, sizeof(*p));
	p->machine_memory = memory;
	p->machine_cpu_milli = 1000u * (uint64_t)cpus;
	p->floor = 1;
	p->live = PROOF_ABOVE_2;
	p->jobs_running = cpus > 0 ? cpus : 1;
	p->ceiling.v[LIMIT_MEMORY] = memory / 2;
	p->ceiling.v[LIMIT_CPU] = 1000u * p->jobs_running;
	p->ceiling.v[LIMIT_TIME] = 3600 * 1000;
	p->ceiling.v[LIMIT_OUTPUT] = 256 * MIB;
	p->spool = 1024 * MIB;
	p->bytes_per_minute = 5 * MIB;
	p->requests_per_minute = 600;
	p->jobs_queued = 16;
	p->jobs_per_hour = 120;
	p->cpu_seconds_per_day = 86400;
	p->peer_spool = 256 * MIB;
	p->module_bytes = WASM_MODULE_USUAL;
	memcpy(p->profile_name, "default", sizeof("default"));
	p->max_airtime_s = 600;
	p->announce_every_s = 1800;
	p->keep_results_s = 7 * 86400;
	p->keep_warm_s = 600;
}

int
policy_pinned(const struct policy *p, const struct hash16 *rns_hash,
    const struct fp *fp)
{
	int level = 1;

	for (unsigned i = 0; i < p->npins; i++) {
		const struct policy_pin *pin = &p->pins[i];
		bool meant = pin->by_rns ? rns_hash != NULL &&
			hash16_eq(rns_hash, hash16_at(pin->id.b)) :
		    fp != NULL && fp_eq(fp, &pin->id);

		if (meant && pin->level < level)
			level = pin->level;
	}
	return level;
}

bool
policy_board(const struct policy *p, const char *approved_by)
{
	for (unsigned i = 0; i < p->nboards; i++) {
		if (strcmp(p->boards[i], approved_by) == 0)
			return true;
	}
	return false;
}

bool
level_row(struct limits *row, const struct policy *p, int level)
{
	if (level < 1 || level > LEVEL_MAX)
		return false;
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		uint64_t v = p->level[level].v[i];
		uint64_t ceiling = p->ceiling.v[i];

		if (v == 0)
			v = TABLE[level].v[i];
		if (v == 0 || (ceiling != 0 && v > ceiling))
			v = ceiling;
		row->v[i] = v;
	}
	return true;
}

static bool
unbound(unsigned i, uint64_t v)
{
	return v == 0 && (i == LIMIT_IO_READ || i == LIMIT_IO_WRITE);
}

uint64_t
level_least(unsigned i, uint64_t a, uint64_t b)
{
	return unbound(i, a) ? b : unbound(i, b) ? a : MIN_OF(a, b);
}

void
level_grant(struct limits *out, const struct limits *row,
    const struct limits *asked, const struct limits *profile)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		uint64_t v = asked->v[i];

		if (v == 0)
			v = profile->v[i] == 0 ? row->v[i] :
			    level_least(i, profile->v[i], row->v[i]);
		out->v[i] = v;
	}
}

struct limits
level_own(const struct policy *p, const struct limits *granted)
{
	struct limits own = *granted;

	for (unsigned i = LIMIT_IO_READ; i <= LIMIT_IO_WRITE; i++)
		if (p->ceiling.v[i] != 0 && own.v[i] >= p->ceiling.v[i])
			own.v[i] = 0;
	return own;
}

unsigned
level_exceeds(const struct limits *row, const struct limits *asked)
{
	unsigned i;

	for (i = 0; i < LIMIT_COUNT; i++) {
		if (asked->v[i] > row->v[i] && !unbound(i, row->v[i]))
			break;
	}
	return i;
}

int
level_granted(int peer, int claimed)
{
	return MIN_OF(peer, claimed);
}
