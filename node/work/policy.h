/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_POLICY_H
#define WARREN_NODE_WORK_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fp.h"
#include "node/config/forensicsconf.h"
#include "node/config/profile.h" /* enum anchor_policy */
#include "node/config/whenconf.h"
#include "trust/doc/manifest.h"

/*
 * What node.yaml says, as far as the decisions of this room need it, in their
 * own units; main.c fills it from nodeconf.h and profile.h. Nothing in it points
 * elsewhere but the lists, which the filler owns.
 */
enum proof_policy { PROOF_ABOVE_2, PROOF_ALWAYS, PROOF_NEVER };

struct policy_pin {
	bool by_rns; /* id is a Reticulum identity hash, 16 bytes */
	struct fp id;
	int level;
};

/* Asked limits in the order of enum manifest_limit; 0: not given. */
struct limits {
	uint64_t v[LIMIT_COUNT];
};

struct policy {
	bool accept;	    /* accept_computation_requests */
	struct fp fp; /* of the mesh key */
	char name[33];
	int floor;
	enum proof_policy live;
	uint32_t required;  /* layers */
	/* what there is, whatever the operator's ceilings say; 0: not known */
	uint64_t machine_memory, machine_cpu_milli;
	/* ceilings; pids 0: the rows' own */
	uint32_t jobs_running;
	struct limits ceiling;
	uint64_t spool;
	/* per peer */
	uint64_t bytes_per_minute;
	uint32_t requests_per_minute;
	uint32_t jobs_queued, jobs_per_hour;
	uint64_t cpu_seconds_per_day;
	uint64_t peer_spool;
	uint64_t module_bytes; /* of a module at most */
	/* image_serve: images for others, from that level on */
	bool image_serve;
	int image_level;
	uint64_t image_bytes_per_day;
	/* rows +1 to +3 of node.yaml's `levels`; 0: not overridden */
	struct limits level[4];
	/* what the container profile fills in; 0: nothing */
	struct limits profile;
	unsigned profile_volumes;
	char profile_name[65];
	enum anchor_policy anchor;
	unsigned anchor_logs; /* that must have the image; 0: 1 */
	uint64_t image_policy; /* attest_conf.serial; 0: none */
	uint32_t max_airtime_s;
	uint32_t announce_every_s;
	uint32_t keep_results_s;
	uint32_t keep_warm_s; /* roots of jobs to come; 0: none */
	bool watchdog_required; /* no new jobs without one (klp.md 10) */
	struct when_conf when;
	struct forensics_conf forensics;
	bool mail; /* jobs by letter (lxmf of node.yaml) */
	unsigned mail_cost; /* bits of the stamp that each must have */
	const struct policy_pin *pins; /* those of levels below 0 */
	unsigned npins;
	const struct hub_peer *hub; /* whose events are kept here */
	unsigned nhub;
	const char *const *boards; /* texts of approved_by that are mapped */
	unsigned nboards;
};

/* The defaults of compute.md 10 for a machine of so many cores and bytes. */
void policy_init(struct policy *, unsigned cpus, uint64_t memory);

/*
 * The level that a pin of the operator gives: the lowest of those that name
 * this identity or fingerprint (either may be NULL), 1 when none does.
 */
int policy_pinned(const struct policy *, const struct hash16 *rns_hash,
    const struct fp *fp);
bool policy_board(const struct policy *, const char *approved_by);

#endif
