/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_SIM_WEEK_H
#define WARREN_TESTS_SIM_WEEK_H

#include "node/cli/submitter.h"
#include "tests/sim/sim.h"
#include "tests/unit/fakehost.h"
#include "trust/doc/secp.h"

/*
 * A node and whoever gives it jobs, on two ends of a bad mesh: cores on
 * simulated links, the pretended world of a node behind one, the submitter's
 * own machine behind the other, all by one clock.
 */
#define WEEK_JOBS 100
#define WEEK_WHO 0x41  /* the submitter, to the pretended trust */
#define WEEK_SLOTS 3   /* programs of the submitter at one time */
#define WEEK_LOG 900   /* bytes of stdout */
#define WEEK_ERR 60
#define WEEK_IN_MAX 40000
#define WEEK_OUT_MAX 20000
/* what the node's clock is ahead of the simulator's */
#define WEEK_AHEAD (1000 * MONO_SECOND)

enum { WEEK_A, WEEK_R, WEEK_B }; /* the submitter, the relay, the node */

struct week_job {
	uint8_t env[4096];
	size_t len;
	struct manifest m;
	uint32_t in[2], out; /* bytes of the volumes, of the output */
	unsigned starts, exits, deaths; /* of the program that waits for it */
	bool sealed, done;
	int64_t begun, ended; /* virtual us */
	struct job_receipt r;
};

struct week {
	struct sim *sim;
	struct world w;
	unsigned njobs;
	struct week_job job[WEEK_JOBS];
	struct hash16 dest; /* klp.node of the node */
	struct klp_secret secret; /* the node's, for receipts */
	struct klp_key key;
	uint8_t person[RNS_KEY]; /* the submitter's Reticulum identity */
	struct hash16 person_hash;
	/* faults that are planted, to see that they are noticed */
	bool anew;   /* a program that begins again signs another envelope */
	bool forget; /* the node comes back without its ledger */
	bool online; /* what the ends think of the bad link */
	/* what was seen */
	unsigned links, breaks, requests, copies, busy, node_deaths, wrong;
	unsigned streams, largest_slice, identified;
};
extern struct week week;

/* Byte i of what job `job` has in volume 0 or 1, gives (2), prints (3, 4). */
uint8_t week_byte(unsigned job, unsigned kind, uint64_t i);
void week_bytes(unsigned job, unsigned kind, uint64_t at, uint8_t *out,
    size_t n);
/* The job with this id; WEEK_JOBS: none of ours. */
unsigned week_find(const struct id32 *id);
/* Its envelope; signed once more it is another job. */
void week_sign(unsigned job, uint8_t again);

/* The node's end. */
void week_node_open(void);
void week_node_event(const struct rns_event *);
/* Its time is the simulator's. */
void week_node_turn(void);
/* The program dies, and is back when week_node_back() is called. */
void week_node_die(void);
void week_node_back(void);
bool week_node_waits(void); /* somebody waits for its answer */
void week_node_close(void);

/* The submitter's. */
void week_person_open(void);
void week_person_event(const struct rns_event *);
void week_person_turn(void);
/* One of its programs dies and begins anew with its envelope. */
void week_person_die(unsigned slot);
bool week_person_done(void);

#endif
