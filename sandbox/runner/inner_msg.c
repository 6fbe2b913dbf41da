/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/inner.h"

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "common/runner.h"

const char *const inner_ns_names[INNER_NS] = {"user", "pid", "mnt", "net",
    "ipc", "uts"};

void
inner_encode(struct wr *w, const struct inner *m)
{
	wr_bool(w, m->trial);
	wr_bool(w, m->stub);
	wr_bool(w, m->proc);
	wr_bool(w, m->root);
	wr_bool(w, m->no_memory_group);
	wr_bool(w, m->grouped);
	wr_u8(w, m->landlock_abi);
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		wr_u16(w, m->version[i]);
	wr_u32(w, m->slots);
	wr_u32(w, m->required);
	wr_u64(w, m->file_max);
	wr_u8(w, m->lsm);
	wr_str(w, m->label);
	for (unsigned i = 0; i < INNER_NS; i++)
		wr_u64(w, m->ns[i]);
	for (unsigned i = 0; i < INNER_NS; i++)
		wr_u64(w, m->outer[i]);
	wr_u32(w, m->njob);
	wr_u32(w, m->nseal);
	wr_u32(w, m->nnever);
	wr_u32(w, m->nplaces);
	for (uint32_t i = 0; i < m->nplaces; i++) {
		wr_str(w, m->places[i].path);
		wr_bool(w, m->places[i].in_tmp);
	}
	/* to the end */
	plan_encode(w, &m->plan);
}

bool
inner_decode(struct rd r, struct inner *m)
{
	memset(m, 0, sizeof(*m));
	if (!rd_bool(&r, &m->trial) || !rd_bool(&r, &m->stub) ||
	    !rd_bool(&r, &m->proc) ||
	    !rd_bool(&r, &m->root) ||
	    !rd_bool(&r, &m->no_memory_group) || !rd_bool(&r, &m->grouped) ||
	    !rd_u8(&r, &m->landlock_abi))
		return false;
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		if (!rd_u16(&r, &m->version[i]))
			return false;
	if (!rd_u32(&r, &m->slots) || !rd_u32(&r, &m->required) ||
	    !rd_u64(&r, &m->file_max) || !rd_u8(&r, &m->lsm) ||
	    !rd_str(&r, m->label, sizeof(m->label)) ||
	    m->lsm > LSM_SELINUX ||
	    (m->lsm == LSM_NONE) != (m->label[0] == '\0'))
		return false;
	for (unsigned i = 0; i < INNER_NS; i++)
		if (!rd_u64(&r, &m->ns[i]))
			return false;
	for (unsigned i = 0; i < INNER_NS; i++)
		if (!rd_u64(&r, &m->outer[i]))
			return false;
	if (!rd_u32(&r, &m->njob) || !rd_u32(&r, &m->nseal) ||
	    !rd_u32(&r, &m->nnever) || m->nnever > PLAN_FILTER_MAX ||
	    m->njob > PLAN_FILTER_MAX || m->nseal > PLAN_FILTER_MAX ||
	    !rd_u32(&r, &m->nplaces) || m->nplaces > PLACES_ALL ||
	    m->nplaces < PLACE_FIXED)
		return false;
	for (uint32_t i = 0; i < m->nplaces; i++)
		if (!rd_str(&r, m->places[i].path, sizeof(m->places[i].path)) ||
		    !rd_bool(&r, &m->places[i].in_tmp))
			return false;
	if (m->trial)
		return true;
	return plan_decode(r, &m->plan) &&
	    m->nplaces == PLACE_FIXED + m->plan.nvolumes;
}

uint32_t
inner_layers(const struct inner *m, const struct inner_seen *s)
{
	static const uint32_t bits[INNER_NS] = {LAYER_USER, LAYER_PID,
	    LAYER_MOUNT, LAYER_NET, LAYER_IPC, LAYER_UTS};
	uint32_t l = LAYER_CAPS | LAYER_NNP | LAYER_SECCOMP | LAYER_RLIMITS;

	for (unsigned i = 0; i < INNER_NS; i++)
		if (s->ns[i] != 0 && m->ns[i] != 0 && s->ns[i] != m->ns[i] &&
		    s->ns[i] != m->outer[i])
			l |= bits[i];
	if (m->landlock_abi > 0)
		l |= LAYER_LANDLOCK;
	if (m->grouped)
		l |= LAYER_CGROUP;
	if (s->time)
		l |= LAYER_TIME;
	if (s->core)
		l |= LAYER_CORE;
	if (s->label)
		l |= LAYER_LSM;
	if (s->read_only)
		l |= LAYER_READONLY;
	return l;
}
