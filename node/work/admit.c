/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/admit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/ipc_msg.h"
#include "common/layers.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/wasm.h"
#include "trust/doc/contract.h"
#include "common/util.h"
#include "node/work/verified.h"

static bool refuse(struct refusal *r, const char *code, uint8_t step,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static bool
refuse(struct refusal *r, const char *code, uint8_t step, const char *fmt, ...)
{
	va_list ap;

	memset(r, 0, sizeof(*r));
	r->code = code;
	r->step = step;
	if (fmt != NULL) {
		va_start(ap, fmt);
		(void)vsnprintf(r->why, sizeof(r->why), fmt, ap);
		va_end(ap);
	}
	return false;
}

/* What it is about. */
static bool
named(struct refusal *r, const char *which)
{
	r->which = which;
	return false;
}

static bool
bounded(struct refusal *r, uint64_t limit, uint64_t value)
{
	r->has_limit = true;
	r->limit = limit;
	r->value = value;
	return false;
}

/* step 1 */
bool
admit_accepting(struct refusal *r, const struct admit_node *n)
{
	if (n->policy->accept && n->shut == NULL)
		return true;
	(void)refuse(r, "not_accepting", 1, "%s",
	    n->shut == NULL ? "" : n->shut);
	r->s = n->again_s;
	return false;
}

bool
admit_posture(struct refusal *r, const struct admit_node *n)
{
	uint32_t lacking = n->policy->required & ~n->layers;
	char names[120];

	if (lacking == 0)
		return true;
	/* jail's word has the names, the reason and the remedy */
	if (n->missing != NULL && n->missing[0] != '\0')
		return refuse(r, "posture", 1, "%s", n->missing);
	layers_text(names, sizeof(names), lacking);
	return refuse(r, "posture", 1, "%s", names);
}

/* step 2 */
bool
admit_identified(struct refusal *r, const struct admit_peer *p)
{
	/* auth_required: false waives the level alone (klp.md 0) */
	if (!p->identified)
		return refuse(r, "not_identified", 2, NULL);
	return true;
}

/* step 3 */
bool
admit_revoked(struct refusal *r, const struct admit_peer *p)
{
	if (!p->revoked)
		return true;
	(void)refuse(r, "revoked", 3, NULL);
	r->which = "key";
	return false;
}

/* the same step, of what only the payload names */
bool
admit_artifacts(struct refusal *r, const struct admit_job *j)
{
	if (j->revoked == NULL)
		return true;
	(void)refuse(r, "revoked", 3, NULL);
	return named(r, j->revoked);
}

/* step 4 */
bool
admit_binding(struct refusal *r, const struct admit_node *n,
    const struct admit_peer *p)
{
	if (p->bad_binding)
		return refuse(r, "binding", 4, "%s",
		    p->why == NULL ? "not valid" : p->why);
	if (!p->has_binding)
		return refuse(r, "binding", 4,
		    "no key is known for this identity: send b");
	/* above_2 is judged where +3 is asked for: admit_limits() */
	if (p->live_needed && !p->live_done &&
	    n->policy->live == PROOF_ALWAYS) {
		(void)refuse(r, "binding", 4, "a live proof is asked for");
		r->live = true;
		return false;
	}
	return true;
}

/* step 5 */
bool
admit_trust(struct refusal *r, const struct admit_node *n,
    const struct admit_peer *p)
{
	/* below 0 there is no job, whatever the operator's floor says */
	int floor = MAX_OF(n->policy->floor, 0);

	if (p->level >= floor && p->jobs == VJOBS_TAKEN)
		return true;
	if (p->level >= floor)
		return refuse(r, "trust", 5, "%s",
		    p->why == NULL ? "a list of the node is too old" : p->why);
	return refuse(r, "trust", 5, "level %d, needed %d%s%s", p->level,
	    floor, p->why == NULL || *p->why == '\0' ? "" : ": ",
	    p->why == NULL ? "" : p->why);
}

/* step 6 */
bool
admit_quota(struct refusal *r, const struct quota_answer *q)
{
	if (q->kind == QUOTA_FITS)
		return true;
	(void)refuse(r, "quota", 6, "%s", quota_name(q->kind));
	r->s = q->s;
	return bounded(r, q->limit, q->value);
}

bool
admit_first(struct refusal *r, const struct admit_node *n,
    const struct admit_peer *p)
{
	memset(r, 0, sizeof(*r));
	return admit_accepting(r, n) && admit_posture(r, n) &&
	    admit_identified(r, p) && admit_revoked(r, p) &&
	    admit_binding(r, n, p) && admit_trust(r, n, p);
}

int
admit_level(const struct admit_node *n, const struct admit_peer *p)
{
	if (p->level > 2 && p->live_needed && !p->live_done &&
	    n->policy->live == PROOF_ABOVE_2)
		return 2;
	return p->level;
}

/* The time that does not fit, what it had to be before or behind, our own. */
static bool
refuse_times(struct refusal *r, const struct admit_job *j)
{
	const struct manifest *m = j->m;
	const char *when = manifest_times(m, j->now);
	/* it may have been here before all that is known: never our time */
	uint64_t unknown = j->created == 0 ? 0 :
	    (uint64_t)j->created + MANIFEST_AHEAD;

	(void)refuse(r, "manifest", 7, "%s", when);
	r->time = j->now;
	if (m->not_after > j->now && m->not_after - j->now > MANIFEST_AHEAD)
		return bounded(r, (uint64_t)j->now + MANIFEST_AHEAD,
		    m->not_after);
	if (m->not_after <= j->now && m->not_after <= unknown)
		return bounded(r, unknown + (unknown == j->now),
		    m->not_after);
	return bounded(r, j->now, m->not_after <= j->now ? m->not_after :
		m->deadline);
}

/* step 7 */
bool
admit_manifest(struct refusal *r, const struct admit_node *n,
    const struct admit_job *j)
{
	const struct manifest *m = j->m;

	if (!j->signer_is_peer)
		return refuse(r, "manifest", 7, "submitter");
	/*
	 * It may have run before, and is forgotten: a limit that is not our
	 * time says so (compute.md 3.1)
	 */
	if (m->not_after <= j->forgotten) {
		(void)refuse(r, "manifest", 7, "not_after");
		r->time = j->now;
		return bounded(r, (uint64_t)j->forgotten +
		    (j->forgotten == j->now), m->not_after);
	}
	if (j->nonce_used)
		return refuse(r, "manifest", 7, "nonce");
	if (manifest_times(m, j->now) != NULL)
		return refuse_times(r, j);
	if ((m->has & HAS_NODE) != 0 &&
	    !fp_eq(&m->node, &n->policy->fp)) {
		(void)refuse(r, "manifest", 7, "node");
		return named(r, m->node_urn);
	}
	return true;
}

/* A module: what it wants is known when it is here and compiled. */
static bool
admit_module(struct refusal *r, const struct admit_node *n,
    const struct manifest *m)
{
	if ((n->layers & LAYER_WASM) == 0)
		return refuse(r, "image", 8,
		    "wasm is not a runtime of this node");
	if (m->wasm.size == 0)
		return refuse(r, "image", 8, "its module is empty");
	if (m->wasm.size <= n->policy->module_bytes)
		return true;
	(void)refuse(r, "image", 8, "its module is too large");
	return bounded(r, n->policy->module_bytes, m->wasm.size);
}

/* step 8 */
bool
admit_image(struct refusal *r, const struct admit_node *n,
    const struct admit_job *j)
{
	if ((j->m->has & HAS_WASM) != 0 && !admit_module(r, n, j->m))
		return false;
	if (j->image != IMAGE_HERE) {
		(void)refuse(r, "image", 8, j->image == IMAGE_CHANGED ?
			VERIFIED_REFUSED : j->image == IMAGE_BROKEN ?
			"is not complete on the node" : "is not on the node");
		return named(r, j->m->image);
	}
	if (j->unanchored) {
		(void)refuse(r, "anchor", 8, "no log vouches for it");
		return named(r, (j->m->has & HAS_WASM) != 0 ? "module" :
		    j->m->image);
	}
	if (j->unsigned_) {
		(void)refuse(r, "signature", 8, "nobody whom the node's "
		    "operator names has signed for it as he wants it");
		return named(r, (j->m->has & HAS_WASM) != 0 ? "module" :
		    j->m->image);
	}
	if (j->volume_code != NULL)
		return refuse(r, j->volume_code, 8, "%s", j->volume_why);
	return true;
}

bool
admit_contract(struct refusal *r, const struct admit_job *j)
{
	if ((j->m->has & HAS_CONTRACT) == 0)
		return true;
	if (j->m->contract.size == 0)
		return refuse(r, "contract", 8, "its envelope is empty");
	/* what it says is known when it is here: contracts.c */
	if (j->m->contract.size <= CONTRACT_BYTES)
		return true;
	(void)refuse(r, "contract", 8, "its envelope is too large");
	return bounded(r, CONTRACT_BYTES, j->m->contract.size);
}

/* What can never start is not taken: limit is the least then. */
static bool
admit_least(struct refusal *r, const struct admitted *a,
    const struct admit_node *n, const struct manifest *m)
{
	uint64_t memory = plan_memory_least(m->nvolumes +
	    n->policy->profile_volumes, (m->has & HAS_WASM) != 0), output;
	unsigned packed = 0;

	if (a->limits.v[LIMIT_MEMORY] < memory) {
		(void)refuse(r, "limits", 9, "memory: too little to start in");
		return bounded(r, memory, a->limits.v[LIMIT_MEMORY]);
	}
	for (unsigned i = 0; i < m->nvolumes; i++)
		packed += m->volume[i].rw;
	output = plan_output_least(packed);
	if (a->limits.v[LIMIT_OUTPUT] < output) {
		(void)refuse(r, "limits", 9,
		    "output: too little for empty volumes");
		return bounded(r, output, a->limits.v[LIMIT_OUTPUT]);
	}
	for (unsigned i = LIMIT_IO_READ; i <= LIMIT_IO_WRITE; i++)
		if (a->limits.v[i] != 0 && a->limits.v[i] < LIMIT_IO_LEAST) {
			(void)refuse(r, "limits", 9, "%s: too little to end by",
			    manifest_limit_name(i));
			return bounded(r, LIMIT_IO_LEAST, a->limits.v[i]);
		}
	return true;
}

/* step 9, and the floor under what the manifest itself claims (klp.md 6.1) */
bool
admit_limits(struct refusal *r, struct admitted *out,
    const struct admit_node *n, const struct admit_peer *p,
    const struct admit_job *j)
{
	const struct manifest *m = j->m;
	struct limits asked, row, high;
	unsigned k;

	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		asked.v[i] = m->limit[i];
	out->level = level_granted(admit_level(n, p), m->trust_level);
	if (out->level < 1 && n->policy->floor > 0)
		return refuse(r, "trust", 5, "the manifest asks for level %d",
		    m->trust_level);
	/* a floor of 0 gives the row of +1 */
	(void)level_row(&row, n->policy, MAX_OF(out->level, 1));
	if (m->network == NET_BROKER) {
		(void)refuse(r, "limits", 9, "network");
		return named(r, "broker");
	}
	if (j->seccomp_why != NULL) {
		(void)refuse(r, "limits", 9, "seccomp_profile: %s",
		    j->seccomp_why);
		return named(r, m->seccomp);
	}
	k = level_exceeds(&row, &asked);
	if (k == LIMIT_COUNT) {
		level_grant(&out->limits, &row, &asked, &n->policy->profile);
		/* the engine's own threads, of which the module has none */
		if ((m->has & HAS_WASM) != 0)
			out->limits.v[LIMIT_PIDS] = MAX_OF(
			    out->limits.v[LIMIT_PIDS],
			    (uint64_t)WASM_PIDS_LEAST);
		return admit_least(r, out, n, m);
	}
	/* a live proof would make the difference */
	if (admit_level(n, p) < p->level &&
	    level_row(&high, n->policy,
		level_granted(p->level, m->trust_level)) &&
	    level_exceeds(&high, &asked) == LIMIT_COUNT) {
		(void)refuse(r, "binding", 4, "a live proof is asked for");
		r->live = true;
		return false;
	}
	(void)refuse(r, "limits", 9, "%s", manifest_limit_name(k));
	return bounded(r, row.v[k], asked.v[k]);
}

/* step 10 */
bool
admit_fits(struct refusal *r, const struct admitted *a,
    const struct admit_node *n, const struct admit_job *j)
{
	uint64_t memory = n->policy->ceiling.v[LIMIT_MEMORY];
	uint64_t cpu = n->policy->ceiling.v[LIMIT_CPU];

	if (n->policy->machine_memory != 0)
		memory = memory == 0 ? n->policy->machine_memory :
		    MIN_OF(memory, n->policy->machine_memory);
	if (n->policy->machine_cpu_milli != 0)
		cpu = cpu == 0 ? n->policy->machine_cpu_milli :
		    MIN_OF(cpu, n->policy->machine_cpu_milli);
	if (memory != 0 && a->limits.v[LIMIT_MEMORY] > memory) {
		(void)refuse(r, "too_large", 10, "memory");
		return bounded(r, memory, a->limits.v[LIMIT_MEMORY]);
	}
	if (cpu != 0 && a->limits.v[LIMIT_CPU] > cpu) {
		(void)refuse(r, "too_large", 10, "cpu");
		return bounded(r, cpu, a->limits.v[LIMIT_CPU]);
	}
	if (j->spool_more > j->disk_free) {
		(void)refuse(r, "too_large", 10, "disk");
		return bounded(r, j->disk_free, j->spool_more);
	}
	return true;
}

void
refusal_text(char *out, size_t cap, const struct refusal *r)
{
	(void)snprintf(out, cap, "%s%s%s", r->which == NULL ? "" : r->which,
	    r->which == NULL || r->why[0] == '\0' ? "" : ": ", r->why);
}

/* step 11 */
bool
admit_airtime(struct refusal *r, struct admitted *out,
    const struct admit_node *n, const struct admit_job *j)
{
	uint32_t come = forecast_s(forecast(&j->path, j->bytes_to_come, 0).us);
	struct forecast f = forecast(&j->path, j->bytes_to_come,
	    j->bytes_to_go);
	uint64_t start;

	out->airtime_s = forecast_s(f.us);
	out->airtime_p90_s = forecast_s(f.p90_us);
	if (n->policy->max_airtime_s != 0 &&
	    out->airtime_s > n->policy->max_airtime_s) {
		(void)refuse(r, "airtime", 11, "max_airtime");
		return bounded(r, n->policy->max_airtime_s, out->airtime_s);
	}
	start = (uint64_t)j->now + come + j->wait_s;
	if (start >= j->m->deadline) {
		(void)refuse(r, "airtime", 11, "deadline");
		r->time = j->now;
		return bounded(r, j->m->deadline, start);
	}
	return true;
}

bool
admit_review(const struct admit_node *n, const struct manifest *m)
{
	if (m->requires_review)
		return true;
	/* a mapped board must have signed; none has until it approves */
	return (m->has & HAS_APPROVED_BY) != 0 &&
	    policy_board(n->policy, m->approved_by);
}

bool
admit_second(struct refusal *r, struct admitted *out,
    const struct admit_node *n, const struct admit_peer *p,
    const struct quota_caps *caps, const struct admit_job *j)
{
	struct quota_answer spool;

	memset(r, 0, sizeof(*r));
	memset(out, 0, sizeof(*out));
	if (!admit_manifest(r, n, j) || !admit_artifacts(r, j))
		return false;
	spool = quota_spool(caps, j->spool_held, j->spool_more);
	if (!admit_quota(r, &spool) || !admit_image(r, n, j) ||
	    !admit_contract(r, j) || !admit_limits(r, out, n, p, j) ||
	    !admit_fits(r, out, n, j) || !admit_airtime(r, out, n, j))
		return false;
	out->held = admit_review(n, j->m);
	return true;
}

bool
admit_again(struct refusal *r, const struct admit_node *n,
    const struct admit_peer *p, const struct admit_job *j)
{
	struct admit_peer again = *p;

	memset(r, 0, sizeof(*r));
	/* what takes no new job takes this one still */
	if (again.jobs != VJOBS_NOT_STARTED)
		again.jobs = VJOBS_TAKEN;
	return admit_revoked(r, p) && admit_artifacts(r, j) &&
	    admit_trust(r, n, &again) && admit_image(r, n, j) &&
	    admit_contract(r, j);
}
