/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/doctor_rows.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* Exit codes of warren-probe. */
enum { CODE_HELD = 0, CODE_ESCAPED = 1, CODE_NOTHING = 3 };

#define UNUSED_LAYERS ((uint32_t)LAYERS_WASM)
#define DELEGATE                                                               \
	"Delegate=yes in the unit of warrend; by hand: systemd-run --user "    \
	"--scope -p Delegate=yes warrend"

static const struct {
	uint32_t layer;
	const char *text;
} remedies[] = {
    {LAYER_CGROUP, DELEGATE},
    {LAYER_MEMORY, DELEGATE ". On Raspberry Pi OS also cgroup_enable=memory "
	"on the kernel's command line"},
    {LAYER_CPU, DELEGATE},
    {LAYER_PIDS, DELEGATE},
    {LAYER_SECCOMP, "kernel option CONFIG_SECCOMP_FILTER"},
    {LAYER_LANDLOCK, "kernel option CONFIG_SECURITY_LANDLOCK (Linux 5.13 or "
	"later), and landlock in lsm= of its command line"},
    {LAYER_BPF, "a node that runs as root has it, on Linux 5.19 or later "
	"with BTF (CONFIG_DEBUG_INFO_BTF), built with clang and libbpf"},
    {LAYER_ANCHORED, "a node has it that knows a log: put proofs into "
	"klp/anchors, warren-trust(8)"},
    {LAYER_IO, "limits.io_read and io_write of node.yaml, and the controller io "
	"(version 2) or blkio"},
    {LAYER_DEVICES, "a node that runs as root has it, with control groups of "
	"version 2 mounted and CONFIG_CGROUP_BPF"},
    {LAYER_TIME, "kernel option CONFIG_TIME_NS"},
    {LAYER_CORE, "kernel option CONFIG_SCHED_CORE, on a processor whose cores "
	"have more than one thread"},
    {LAYER_LSM, "a kernel that enforces AppArmor, with the package apparmor, "
	"and warrend started by root; or SELinux with the module of "
	"warrend(8)"},
    {LAYER_READONLY, "the image's own folder cannot be mounted read-only"},
};

enum doctor_outcome
doctor_outcome(const struct probe_row *r, bool by_signal, int status,
    uint64_t oom_kills)
{
	/* a bomb may end by its group's hand: that is the limit at work */
	if (by_signal)
		return strcmp(r->kind, "bomb") == 0 && oom_kills > 0 ?
		    DOCTOR_HELD : DOCTOR_NOT_RUN;
	switch (status) {
	case CODE_HELD:
		return DOCTOR_HELD;
	case CODE_ESCAPED:
		return DOCTOR_THROUGH;
	case CODE_NOTHING:
		return DOCTOR_NOTHING_HERE;
	default:
		return DOCTOR_NOT_RUN;
	}
}

void
doctor_count(struct doctor *d, const struct probe_row *r,
    enum doctor_outcome how)
{
	struct doctor_layer *l = NULL;
	size_t n;

	for (const char *p = r->layers; l == NULL && *p != '\0'; p += n) {
		char word[32];

		p += strspn(p, " ");
		n = strcspn(p, " ");
		(void)snprintf(word, sizeof(word), "%.*s", (int)n, p);
		for (unsigned i = 0; i < LAYER_COUNT; i++)
			if ((d->posture & 1u << i) != 0 &&
			    layer_bit(word) == 1u << i)
				l = &d->layer[i];
	}
	/* all that would stop it is missing here, and said to be */
	if (l == NULL || how == DOCTOR_NOTHING_HERE) {
		d->skipped++;
		if (l != NULL)
			l->skipped++;
		return;
	}
	d->attacks++;
	l->attacks++;
	if (how == DOCTOR_HELD)
		return;
	d->through++;
	l->through++;
	n = strlen(l->names);
	(void)snprintf(l->names + n, sizeof(l->names) - n, "%s%s%s",
	    n == 0 ? "" : " ", r->name, how == DOCTOR_NOT_RUN ?
	    " (did not run)" : "");
}

enum doctor_state
doctor_state(const struct doctor *d, unsigned layer)
{
	uint32_t bit = 1u << layer;

	if ((bit & UNUSED_LAYERS) != 0)
		return DOCTOR_UNUSED;
	if ((d->posture & bit) == 0)
		return d->has_node && (d->node & bit) != 0 ? DOCTOR_NODE_HAS :
		    DOCTOR_MISSING;
	return d->layer[layer].through > 0 ? DOCTOR_OPEN : DOCTOR_HOLDS;
}

const char *
doctor_state_name(enum doctor_state s)
{
	static const char *const names[] = {[DOCTOR_HOLDS] = "holds",
	    [DOCTOR_MISSING] = "missing", [DOCTOR_NODE_HAS] = "node only",
	    [DOCTOR_OPEN] = "OPEN", [DOCTOR_UNUSED] = "not used"};

	return names[s];
}

const char *
doctor_remedy(unsigned layer)
{
	for (size_t i = 0; i < NELEM(remedies); i++)
		if (remedies[i].layer == 1u << layer)
			return remedies[i].text;
	return "";
}

const char *
doctor_modules(const struct doctor *d)
{
	if (d->modules)
		return "";
#ifdef HAVE_WASM
	return d->has_node ? "the node runs none: wasm_engine of node.yaml "
	    "says so, or a runner that is not native, or its log which file "
	    "is not there" : "";
#else
	return "this build runs none: third-party/wasmtime/get BUILD fetches "
	    "the engine, then configure and make again";
#endif
}

uint32_t
doctor_lacking(const struct doctor *d)
{
	return d->required & ~(d->posture | (d->has_node ? d->node : 0));
}
