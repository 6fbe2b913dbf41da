/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_STATE_H
#define WARREN_NODE_WORK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "node/proto/proto.h"
#include "node/config/hubconf.h"
#include "node/work/admit.h"
#include "node/work/forensics.h"
#include "node/work/host.h"
#include "node/work/jobs.h"
#include "node/work/mailbag.h"
#include "node/work/numbers.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/policy.h"
#include "node/work/quota.h"
#include "node/work/sched.h"
#include "node/work/verified.h"
#include "node/work/votes.h"
#include "node/work/watchdog.h"
#include "node/work/when.h"

/* What all files of this room share. */
#define NODE_SLOTS_MAX 64

/* edges: messages for which no job is in the state; jobs.edges has the rest */
struct node_counters {
	uint64_t requests, mute, malformed, refused, busy, admitted, edges;
	uint64_t links_closed, events, blobs_bad, parked_out, unanswered;
	uint64_t alarms, alarms_refused; /* that came as packets */
	uint64_t images_given; /* bytes of images */
	uint64_t contents_bad; /* of images: not as they are listed */
};

/* What contains jobs here, and what it takes beside a job's own limits. */
struct node_runner {
	uint8_t number; /* enum runner */
	uint16_t version[RUNNER_PARTS];
	uint32_t pids;
	uint64_t memory;
};

struct node {
	struct policy policy;
	struct host host;
	struct quota_caps caps;
	struct jobs jobs;
	struct peers peers;
	struct callers callers;
	struct owners owners;
	struct votes votes; /* review.c */
	struct mono votes_at;
	struct idle_callers idle;
	unsigned npeers, ncallers, nidle, nowners;
	struct parked_list parked;
	unsigned nparked;
	size_t parked_bytes;
	struct parked_list held; /* hold.c: answers that wait for a job */
	unsigned nheld;
	/* budgets.c: something is not kept yet; when it will be */
	bool budgets_changed;
	struct mono budgets_at, clock_at; /* at the latest while jobs wait */
	uint32_t budgets_saved; /* at the start: unix seconds of what was kept */
	struct bucket unidentified; /* bytes of all such links */

	struct mono now; /* of this call */
	uint32_t unix_now;
	int64_t wall_us;
	/* seconds of the clock at the start and since, which nobody sets */
	uint32_t own_now;
	int64_t own_apart;
	int64_t wall_apart; /* of the clock that nobody sets, in us */
	struct {
		uint32_t from, to; /* unix seconds */
		struct mono at;	   /* of the last one */
		uint64_t count;
		bool untold;
	} step; /* stepped.c: the clock of the wall was set */

	bool up[PROGRAM_COUNT]; /* channels that have said hello */
	bool stopping;
	bool ledger_fails;
	bool trail_fails; /* klp.md 7: no new jobs then */
	bool disk_low;	  /* ready.c */
	bool disk_readonly;
	struct mono disk_at;
	struct mono trail_at; /* while it fails: asked again then */
	bool ready_said, ready_was; /* whether jobs are taken, as was said */
	uint32_t verdict_gen;
	uint32_t trust_life; /* how often it has come */
	/* revoke.c: what trust said, whom transport drops for us */
	struct listed *listed;
	size_t nlisted, nholes;
	struct hash16 *holes;
	bool self_listed;
	bool buries; /* bury.c: an image or another artifact is revoked */
	struct mono bury_at;
	uint64_t last_qid;

	bool has_posture;
	struct node_runner runner;
	uint32_t layers;
	uint32_t slots;
	char missing[460];
	/* watched.c: of these two are layers and missing */
	uint32_t jail_layers, watch_layers;
	/* anchored.c: images that a log vouches for, sorted */
	struct anchored *anchored;
	size_t nanchored;
	bool anchored_known;
	/* imagepolicy.c: rules of image_policy that hold, by image */
	struct attested *attested;
	size_t nattested;
	uint64_t attested_serial;
	char jail_missing[257], watch_missing[201];
	/* by which probes jobs are watched, or counters: as audit says, and all */
	char watch_said[401], watch_by[450];
	bool has_watch;
	bool watches; /* audit watches jobs, if only by their counters */
	struct mono watch_hour;
	struct verified verified; /* files of images */
	struct {
		bool on; /* as jail was told */
		uint32_t idle_s;
		struct msg_J_POOL pool; /* as it has told */
	} warm; /* roots that are prepared (warm.h) */
	unsigned watch_kills; /* in it */
	/* watchdog.c */
	uint8_t dog_there; /* of enum dog_there */
	bool dog_ok;
	struct mono dog_hour;
	unsigned dog_kills; /* in it */
	struct bucket dog_room;
	struct watchdog_feed dog_feed[NODE_SLOTS_MAX + 1];
	struct job *slot[NODE_SLOTS_MAX + 1]; /* 1 ... slots */
	bool ghost[NODE_SLOTS_MAX + 1]; /* of a job that is not ours any more */
	bool has_binding;
	uint8_t binding[BINDING_LEN];
	struct fp fp;
	char urn[URN_MAX], key_text[KEY_TEXT_MAX];
	uint8_t rns_public[64];
	struct hash16 dest;
	/* announce.c: what was announced last, when, and when again */
	uint8_t app_data[316];
	size_t app_len;
	bool greeted, announced; /* transport is there; it has announced */
	struct mono greeted_at, announced_at, changed_at, announce_at;
	uint32_t announced_unix;
	uint8_t heads[96]; /* of authorities: V_SPREAD */
	size_t heads_len;
	/* of jobs that could be sent until then nothing is known any more */
	uint32_t forgotten;
	uint32_t created; /* of jobs that were admitted before, either; or 0 */
	struct mono aside_at; /* rows that failed are tried again */
	struct mono receipts_at, expire_at, fill_at;
	struct mono said_until, said_strangers; /* said.c */
	unsigned said, said_out;
	struct node_counters count;
	struct code_counts refusals, busy; /* numbers.c */
	struct {
		struct mailbag bag;
		struct mono at; /* when mail_tick() has something to do */
		uint64_t tag;	/* the last that transport got */
		struct bucket room; /* letters of all */
		struct code_counts count; /* what became of them */
	} mail;
	struct msg_HUB_STATE hub; /* of audit; zeros: there is none */
	/* events.c: the last alarm of each that came as a packet */
	struct {
		struct hash16 who;
		uint32_t time, line;
		uint8_t chain[8]; /* of the line's digest */
	} alarm[HUB_PEERS_MAX];
	unsigned nalarm;
	/* turn.c: whose turn it is, and who sleeps until trust has spoken */
	struct sched sched;
	struct job_peers asleep;
	struct mono sleep_at;
	/* lend.c: is the machine lent now, as was decided, and by what */
	bool lends, unsaid; /* unsaid: who waits does not say for what yet */
	struct when_answer lent;
	struct when_facts facts;
	struct mono lent_at, lend_at, lend_hold, facts_at;
	struct forensics forensics;
	struct mono waiting_at; /* finish.c: when a waiting job is due */
	uint8_t *answer; /* NODE_ANSWER_MAX */
};

/* A number that an answer of another program comes back with; never 0. */
uint64_t node_qid(struct node *);

#endif
