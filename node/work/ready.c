/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/ready.h"

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "common/log.h"
#include "node/work/anchored.h"
#include "node/work/imagepolicy.h"
#include "node/work/event.h"
#include "trust/doc/tlv.h"

/* The operator wants one for every new job, and it is not there. */
static bool
watchdog_missed(const struct node *n)
{
	return n->policy.watchdog_required && !n->dog_ok;
}

const char *
node_shut(const struct node *n)
{
	if (!n->policy.accept)
		return "compute is switched off on this node";
	if (n->stopping)
		return "the node is stopping";
	if (n->self_listed)
		return "the key of the node itself is revoked or suspended";
	/* what ails the disk says more than what cannot be written on it */
	if (n->disk_readonly)
		return "the disk of the node is read-only";
	if (n->ledger_fails && !n->disk_low)
		return "the node cannot write its ledger: its disk may be full";
	if (n->disk_low)
		return "the disk of the node is full";
	if (n->trail_fails)
		return "the node cannot write its trail: its disk may be full";
	if (watchdog_missed(n))
		return "the watchdog that its operator requires is absent";
	if (!n->has_posture)
		return "the sandbox of the node is not up";
	return NULL;
}

bool
node_accepting(const struct node *n)
{
	return node_shut(n) == NULL && n->lends &&
	    n->has_binding && n->up[PROGRAM_TRUST] &&
	    !anchored_unknown(n) && !imagepolicy_unknown(n) &&
	    (n->policy.required & ~n->layers) == 0;
}

uint16_t
node_runtimes(const struct node *n)
{
	return (uint16_t)(RUNTIME_OCI | ((n->layers & LAYER_WASM) != 0 ?
	    RUNTIME_WASM : 0));
}

void
node_why(const struct node *n, char why[NODE_READY_WHY])
{
	const char *shut = node_shut(n);
	char names[160];

	if (shut == NULL && !n->has_binding)
		shut = "the binding of the node is not made yet";
	else if (shut == NULL && !n->up[PROGRAM_TRUST])
		shut = "the judge of the node is not up";
	else if (shut == NULL && imagepolicy_unknown(n))
		shut = "the judge of the node still looks at the signatures of "
		       "images";
	if (shut == NULL && (n->policy.required & ~n->layers) != 0) {
		layers_text(names, sizeof(names),
		    n->policy.required & ~n->layers);
		(void)snprintf(why, NODE_READY_WHY,
		    "the machine of the node lacks what its operator requires "
		    "for every job: %s", names);
		return;
	}
	if (shut == NULL && !n->lends) {
		(void)snprintf(why, NODE_READY_WHY, "%s: jobs are taken and "
		    "wait until then", n->lent.why);
		return;
	}
	(void)snprintf(why, NODE_READY_WHY, "%s", shut == NULL ? "" : shut);
}

struct admit_node
node_admit(const struct node *n)
{
	return (struct admit_node){.policy = &n->policy,
	    .shut = node_shut(n), .again_s = n->disk_low ? NODE_DISK_S :
		n->policy.accept && !n->stopping ? NODE_READY_S : 0,
	    .layers = n->has_posture ? n->layers : 0,
	    .missing = n->has_posture ? n->missing : NULL};
}

struct mono
node_known_at(const struct node *n)
{
	return n->greeted ? mono_add(n->greeted_at,
	    NODE_KNOWN_S * MONO_SECOND) : MONO_NEVER;
}

bool
node_known(const struct node *n)
{
	return !n->policy.accept || n->stopping ||
	    (n->has_posture && n->has_binding && n->up[PROGRAM_TRUST] &&
		(n->has_watch || (n->policy.required & LAYER_BPF) == 0) &&
		!watchdog_missed(n)) ||
	    mono_reached(n->now, node_known_at(n));
}

/* ---- what shuts it ---- */

void
node_disk(struct node *n)
{
	uint64_t room = n->host.disk_free(n->host.ctx);
	bool low = n->disk_low ? room < NODE_DISK_ROOM : room == 0;

	n->disk_readonly = low && n->host.disk_readonly(n->host.ctx);
	n->disk_at = mono_add(n->now, MONO_SECOND *
		(low ? NODE_DISK_FULL_S : NODE_DISK_S));
	if (low == n->disk_low)
		return;
	n->disk_low = low;
	if (low)
		node_event(n, EVK_DISK_LOW, 3, NULL, NULL, n->disk_readonly ?
		    "read-only" : "disk", NULL, 0, 0);
}

void
node_trail(struct node *n, bool fails)
{
	bool news = fails && !n->trail_fails;

	n->trail_fails = fails;
	n->trail_at = mono_add(n->now, NODE_DISK_S * MONO_SECOND);
	if (news)
		node_disk(n); /* often that is why */
}

/* Does the trail take a line again? When to ask, whoever else looks meanwhile. */
static struct mono
trail_again(struct node *n)
{
	if (!n->trail_fails || !n->up[PROGRAM_AUDIT])
		return MONO_NEVER;
	if (mono_reached(n->now, n->trail_at)) {
		n->trail_at = mono_add(n->now, NODE_DISK_S * MONO_SECOND);
		node_event_head(n, EVK_DISK_LOW, NULL, "trail", 0, 0,
		    node_qid(n));
	}
	return n->trail_at;
}

/* What the operator can do about layers that are missing. */
static const char *
layers_remedy(uint32_t missing)
{
	if ((missing & ~(uint32_t)(LAYER_MEMORY | LAYER_CPU | LAYER_PIDS)) == 0)
		return "start it by systemd with Delegate=yes, or as root; or "
		       "take them out of require_layers in node.yaml, and no "
		       "job is limited in them";
	return "see require_layers in warren.yaml(5)";
}

/* The operator hears of it once, with what to do where that is known. */
static void
say(struct node *n)
{
	uint32_t missing = n->policy.required & ~n->layers;
	char why[NODE_READY_WHY];

	node_why(n, why);
	if (why[0] == '\0')
		log_notice("jobs", "are taken");
	else if (n->stopping || (node_shut(n) == NULL && missing == 0 &&
	    n->has_binding && n->up[PROGRAM_TRUST]))
		log_notice("jobs", "are not taken: %s", why);
	else if (n->has_posture && node_shut(n) == NULL && missing != 0)
		log_errx("jobs", "are not taken: %s%s%s: %s", why,
		    n->missing[0] != '\0' ? "; " : "", n->missing,
		    layers_remedy(missing));
	else
		log_errx("jobs", "are not taken: %s", why);
}

struct mono
ready_tick(struct node *n)
{
	struct mono next;
	bool now;

	if (mono_reached(n->now, n->disk_at))
		node_disk(n);
	next = mono_min(trail_again(n), n->disk_at);
	now = node_accepting(n);
	/* until all have spoken there is nothing to say */
	if (n->ready_said ? now != n->ready_was : node_known(n)) {
		n->ready_said = true;
		n->ready_was = now;
		say(n);
	}
	return n->ready_said ? next : mono_min(next, node_known_at(n));
}
