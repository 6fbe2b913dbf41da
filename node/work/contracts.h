/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_CONTRACTS_H
#define WARREN_NODE_WORK_CONTRACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "node/work/levels.h"
#include "node/work/policy.h"
#include "trust/doc/contract.h"
#include "trust/doc/manifest.h"

struct job;
struct node;

/*
 * Behaviour contracts (klp.md 6). The envelope comes as a blob; trust reads it
 * when it is here and says what its signer is worth; what it says then lowers
 * what the job gets, and is watched while the job runs. A contract is not in
 * the ledger: after a restart trust is asked again.
 */
#define CONTRACT_WATCH_MS 250 /* ours: how often counters are looked at */

/* ---- what it comes to, pure ---- */

struct contract_in {
	const struct contract *c;
	const struct manifest *m;
	const struct policy *policy;
	const struct limits *granted; /* at admission */
	const struct id32 *image;
	int level;  /* granted at admission */
	int signer; /* of the contract, for contract.sign */
	uint32_t layers; /* that this machine gives */
};
struct contract_out {
	int level;
	struct limits limits;
	char weaker[160]; /* rules whose action is not carried out as asked */
	char absent[80];  /* declarations that nobody keeps here */
};
/*
 * NULL: in force. Else the code of compute.md 4 and why: it does not hold, or
 * asks for what this node would not keep.
 */
const char *contract_terms(struct contract_out *, const struct contract_in *,
    char why[CONTRACT_WHY]);
/*
 * What is really done when a rule is broken; action is what was asked. probes:
 * those of warren-audit tell of it.
 */
enum contract_action contract_does(unsigned rule, enum contract_action,
    bool probes);
bool contract_declares(const struct contract *, unsigned rule);
/*
 * The record for audit: without limits of places that the job's own are below,
 * which no contract's are then. 0: it does not fit.
 */
size_t contract_watched(uint8_t *out, size_t cap, const struct contract *,
    const struct limits *);

/* Counters of a running job between two looks. */
struct contract_watch {
	struct mono at; /* of the last look; 0: none yet */
	uint64_t cpu_ms;
	/* that it has been at its cpu limit, and what it used in that time */
	uint64_t burst_ms, burst_used;
	uint32_t noted;	   /* rules that were told, 1 << rule */
};
/* Is it told now for the first time? */
bool contract_tell(struct contract_watch *, unsigned rule);
/* The rule that is broken now and was not told before; RULE_NONE. */
unsigned contract_broken(struct contract_watch *, const struct contract *,
    struct mono now, uint64_t cpu_ms, uint32_t cpu_milli, bool pids_hit);

/* ---- in the node ---- */

/* Has it none, or one in force? Else trust is asked, or the job refused. */
bool contract_ready(struct node *, struct job *);
void contract_answer(struct node *, const struct msg_V_CONTRACTED *);
/* Verdicts are void, or trust is there again: who has a contract is asked for. */
void contract_again(struct node *);
/* A running job's counters are looked at; when again. */
struct mono contract_tick(struct node *);
/* The rule that a death by SIGSYS has broken, if it is to kill; RULE_NONE. */
unsigned contract_sigsys(const struct contract *, bool probes);

#endif
