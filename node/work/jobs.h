/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_JOBS_H
#define WARREN_NODE_WORK_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/fp.h"
#include "common/left.h"
#include "node/work/contracts.h"
#include "node/work/levels.h"
#include "node/proto/proto.h"
#include "node/work/sched.h"
#include "trust/doc/receipt.h"
#include "common/util.h"
#include "common/wire.h"

/*
 * The life of a job (compute.md 5). Pure: job_set() is the only writer of a
 * state and job_set_phase() of a phase. Each has one table of the legal edges;
 * any other is refused, counted and said in the log. job_set() counts seq and
 * tells the owner of the table, who writes it to the ledger before anybody
 * else hears of it.
 *
 *   held -> queued -> staging -> running -> done
 *      \________\________\__________\-----> cancelled, refused, lost
 *   lost -> queued, only with retries left
 */
enum job_state {
	JS_HELD,
	JS_QUEUED,
	JS_STAGING,
	JS_RUNNING,
	JS_DONE,
	JS_REFUSED,
	JS_CANCELLED,
	JS_LOST,
	JS_COUNT
};
const char *job_state_name(unsigned);

#define JOB_REASON_MAX 176
#define JOB_INPUT_IDLE_S 129600 /* compute.md 5: 36 hours without a new byte */
#define JOB_REVIEW_S 86400     /* klp.md 6.1 */
#define JOB_LOG_FACTOR 256     /* compute.md 5: more than that is killed */
#define JOB_LOG_LEAST (UINT64_C(16) << 20)
#define JOB_ATTEMPTS_MAX 255   /* u8 of a receipt */
#define JOB_GEN_NONE UINT32_MAX /* of no table of verdicts */

struct job_out {
	RB_ENTRY(job_out) by_digest; /* of an expired job: jobs.gone */
	const struct fp *owner;	     /* ... its job's, and its order */
	uint64_t order;
	uint8_t volume; /* index in the manifest */
	bool packed;
	struct id32 sha256;
	uint64_t size;
	char target[MANIFEST_TEXT + 1];
};

/*
 * Where a job that holds a slot stands; not in the ledger.
 *
 *   none -> filling -> running -> packing -> sealing -> none
 *
 * and from each to none, when the job or its jail is lost; from none to
 * running, when a jail is found with it after a restart.
 */
enum job_phase {
	PHASE_NONE,
	PHASE_FILLING,	/* J_RUN is out */
	PHASE_RUNNING,	/* J_STARTED came */
	PHASE_PACKING,	/* exited; outputs are packed, volume by volume */
	PHASE_SEALING,	/* trail head and receipt are asked for */
	PHASE_COUNT
};
const char *job_phase_name(unsigned);

struct job {
	RB_ENTRY(job) by_id, by_owner, by_nonce, by_live, by_peer;
	TAILQ_ENTRY(job) link; /* live, or ended in order of their end */
	TAILQ_ENTRY(job) active_link;
	struct id32 id;
	struct fp owner;
	uint8_t rns_public[64];
	struct hash16 rns_hash;
	uint8_t nonce[16];
	uint64_t order;
	uint32_t not_after, deadline, admitted_at;
	/*
	 * stepped.c: so many seconds later its deadline has become at a start
	 * whose clock may be wrong; it does not start meanwhile. 0: it may
	 */
	uint32_t doubted;
	uint8_t retries;
	int level; /* granted */
	struct limits limits;
	struct id32 image;

	enum job_state state;
	char reason[JOB_REASON_MAX]; /* "": nil */
	uint8_t outcome;	     /* of enum proto_outcome */
	int32_t code;		     /* killed: reason + 256 * rule */
	uint64_t seq;
	uint32_t attempts;
	uint32_t at; /* unix seconds of the last transition */

	/* the last attempt */
	uint32_t started; /* unix seconds */
	uint64_t wall_ms, cpu_ms, memory_kb;
	uint32_t compile_ms; /* of cpu_ms: its module, in this attempt */
	/* counters of its group at the start (a v1 group serves many jobs) */
	uint64_t cpu_before, oom_before;
	uint32_t layers;
	uint8_t runner; /* enum runner, and its version */
	uint16_t runner_version[RUNNER_PARTS];
	struct id32 policy, trail;
	uint64_t bytes_in;
	uint64_t log[3]; /* kept of stdout, stderr; discarded */
	struct id32 log_sha[2];
	unsigned nouts;
	struct job_out *outs; /* rw volumes, in manifest order */
	struct left *left; /* what they lack; NULL: nothing */
	bool has_receipt, expired;
	uint8_t receipt[JOB_RECEIPT_MAX];

	/* ---- not in the ledger ---- */
	struct manifest *m; /* while it lives */
	uint64_t air_ms;    /* that links needed for what came of its inputs */
	enum job_phase phase;
	uint32_t slot;	    /* 0: none */
	bool forgetting;    /* J_FORGET is out: the slot is not free yet */
	unsigned nvolumes;  /* of the manifest */
	struct mono answer_at; /* jail's to J_RUN, J_STEP or J_FORGET: late.c */
	bool late;	       /* it is over, but for what is to be read */
	bool given;	    /* ... because the machine is lent no more */
	bool suspended;	    /* who or what it is of: it is to stand still */
	bool frozen;	    /* stands still since frozen_at, its clock too */
	struct mono frozen_at;
	uint8_t kill;	    /* of enum kill_reason: asked for; 0: not */
	uint8_t exit_how;
	int32_t exit_code;
	bool oom;
	char lost_output[JOB_REASON_MAX]; /* the first of them, and why */
	uint32_t verdict_gen; /* of the peers' table, at admission */
	struct contract *contract; /* in force; NULL */
	uint32_t contract_gen;	   /* of the verdicts that it was judged by */
	uint64_t contract_qid;	   /* of V_CONTRACT; 0: none is out */
	struct mono contract_asked, review_asked;
	struct contract_watch watch;
	struct mono watch_at;
	/* watched.c: J_RUN waits for audit, until then; it was watched */
	bool unwatched, watched;
	bool probed; /* its filter leaves it to audit to stop it */
	bool watch_asked; /* W_OVER is out, the answer has the same time */
	struct mono unwatched_at;
	bool unverified; /* verified.c: J_RUN waits for its image */
	struct mono unverified_at;
	/* a rule's freeze, or its kill that came before J_STARTED; 0: none */
	struct mono ruled_until;
	bool ruled_kill;
	uint8_t ruled; /* its number */
	char ruled_by[49];
	struct mono paused_until; /* throttle.c; 0: it is not */
	bool slowed;
	uint32_t watch_events, watch_lost;
	/* watchdog.c: frozen, slowed until then; 0: not */
	struct mono dog_until, dog_slow;
	bool dog_flagged;
	bool pids_hit;	/* a fork was refused for its pids */
	uint8_t rule;	/* of the contract, that it was killed for */
	uint32_t review_gen; /* ... when its approvals were enough */
	uint64_t review_qid; /* of V_REVIEW; 0: none is out */
	uint64_t approve_qid; /* of K_APPROVE, the operator's word; 0 */
	bool approve_is, approved; /* which; it was signed and counted */
	struct mono approve_until; /* it is asked for again then */
	struct mono since; /* admission, or its end; by the loop's clock */
	struct mono unbound_at; /* turn.c: no binding holds since; 0: one does */
	struct mono queued_at, input_at, started_at, sealed_at, killed_at;
	bool signing; /* the trail has answered, or has had its time */
	bool overtaken;	   /* jail had its time to kill it */
	bool group_killed; /* the kill was carried out through the group */
	bool dropped;	   /* expired, and its files are gone */
	bool log_open;	   /* its log has no digests yet: node_log_sealed() */
	bool seal_waits;   /* for them, before it is sealed */
	uint64_t seal_qid;  /* of EVENT or K_RECEIPT; 0: none is out */
	struct sched_job turn; /* run.c */
	bool asleep;	       /* ... its peer is asked for first */
	bool dirty, live, active;
	bool kept;  /* the ledger has a row of it */
	bool told_aside;
	bool aside; /* dirty, and its row cannot be written: jobs.aside */
	bool lazy; /* dirty, and nothing depends on it yet: jobs_lazy() */
	TAILQ_ENTRY(job) dirty_link;
};

RB_HEAD(job_ids, job);
RB_HEAD(job_owners, job);
RB_HEAD(job_nonces, job);
RB_HEAD(job_lives, job);
RB_HEAD(job_gone, job_out);
RB_HEAD(job_peers, job);
TAILQ_HEAD(job_list, job);

struct jobs {
	struct job_ids ids;
	struct job_owners owners;
	struct job_nonces nonces; /* remembered as long as the job is */
	struct job_list live;	 /* may still change, by order */
	struct job_lives lives;	 /* the same, by owner */
	struct job_gone gone;	 /* outputs of expired jobs, by owner, digest */
	struct job_list active;	 /* of them: staging or running */
	size_t n[JS_COUNT];	 /* in each state */
	struct job_list ended;	 /* by the time of their end */
	struct job_list dirty;	 /* to be written at the end of this turn */
	struct job_list aside;	 /* what the ledger takes no row of */
	uint64_t last_order;
	size_t count;
	uint64_t edges; /* illegal ones, of states and of phases */
	/* after each change, before anybody else sees it */
	void (*changed)(void *ctx, struct job *, enum job_state old);
	void *ctx;
};

void jobs_init(struct jobs *, void (*changed)(void *, struct job *,
    enum job_state), void *ctx);
void jobs_clear(struct jobs *);

/* A new one, in no state yet: job_admit(). NULL: out of memory. */
struct job *job_new(const struct id32 *id, const struct fp *owner);
void job_free(struct job *);
/* Takes j; gives it its order. held, or queued with that reason. */
void job_admit(struct jobs *, struct job *, bool held, const char *reason,
    uint32_t unix_now, struct mono now);
/* Takes one that the ledger had, in the order of the ledger. */
void job_restore(struct jobs *, struct job *);
/* Out of the tables, and freed. */
void job_remove(struct jobs *, struct job *);
/* Its row cannot be written, and holds up nobody else's. */
void job_set_aside(struct jobs *, struct job *);
/* They are tried again. */
void jobs_try_aside(struct jobs *);
/* Rows of the job's record changed, not its state. */
void job_touch(struct jobs *, struct job *);
/* It has ended, and what it gave is kept no longer: once. */
void job_expire(struct jobs *, struct job *);
/* What was of a job of this owner, and kept as long as it was promised. */
bool jobs_had(const struct jobs *, const struct fp *owner,
    const struct id32 *sha);

/*
 * Only `running` is to be written. A job that is found running or not is
 * treated alike whether the ledger says staging or running, so this write may
 * wait for the next that somebody depends on.
 */
bool jobs_lazy(const struct jobs *);

struct job *job_find(struct jobs *, const struct id32 *id);
/*
 * May jail forget it while the ledger cannot be written? One that never ran:
 * the ledger promises nothing of it, and what was laid out for it may be what
 * fills the disk.
 */
bool job_makes_room(struct jobs *, const struct id32 *id);
/* The job of this owner that used the nonce; NULL. */
struct job *job_by_nonce(struct jobs *, const struct fp *owner,
    const uint8_t nonce[16]);
/* The owner's next job behind this order; NULL. */
struct job *job_next_of(struct jobs *, const struct fp *owner,
    uint64_t after);
/* The same of those that live: held, queued, staging or running. */
struct job *job_next_live(const struct jobs *, const struct fp *owner,
    uint64_t after);
/* How many of the owner's jobs are held or queued: what jobs_queued bounds. */
uint32_t jobs_waiting_of(const struct jobs *, const struct fp *owner);

bool job_ended(const struct job *);	/* can no more change but by expiry */
bool job_waiting(const struct job *);	/* held or queued */
bool job_active(const struct job *);	/* staging or running */
bool job_edge(enum job_state from, enum job_state to);
/*
 * The transition; reason "" or NULL: none. false: an illegal edge, which is
 * counted and changes nothing. The same state with another reason is a change
 * too; with the same reason nothing happens.
 */
bool job_set(struct jobs *, struct job *, enum job_state, const char *reason,
    uint32_t unix_now);
bool job_phase_edge(enum job_phase from, enum job_phase to);
/* The same for a phase. */
bool job_set_phase(struct jobs *, struct job *, enum job_phase);
/* done, with an outcome; the reason says which outputs are lost. */
bool job_done(struct jobs *, struct job *, uint8_t outcome, int32_t code,
    const char *reason, uint32_t unix_now);
/*
 * Would it be queued again, were it lost? When retries and deadline allow; one
 * that was being killed only if that was the machine's trouble, not its own.
 */
bool job_again(const struct job *, uint32_t unix_now);
/* lost; and queued again (true), or not. */
bool job_lose(struct jobs *, struct job *, const char *reason,
    uint32_t unix_now, struct mono now);

/*
 * What a job that has exited ended as: how it exited, what it was killed for,
 * whether the kernel's memory limit killed any of its processes, how much it
 * wrote. Withholding reasons (output, revoked, violation) come before others.
 */
void job_verdict(uint8_t *outcome, int32_t *code, const struct job *);
/* Are its outputs given out? (compute.md 3.4) */
bool job_keeps_outputs(uint8_t outcome, int32_t code);
/* What a volume's packing left out is kept with the job; NULL: forget all. */
void job_left(struct job *, unsigned volume, const struct left *);
/* Has it written more than a job may? */
bool job_floods(const struct job *);

/*
 * Are its volumes trees in its runner's memory? Who is hardly trusted sees no
 * folder of a kernel at all; and a kernel's times are not the same in each run.
 */
bool job_in_memory(const struct job *);
/*
 * Such a module is ended by its runner, which then writes its volumes: the kill
 * comes so much later, and before jail's own (JAIL_GRACE_MS).
 */
#define JOB_SAVE_MS 8000

/* What time does to a job. */
enum job_due {
	DUE_NOTHING,
	DUE_DEADLINE, /* cancel, or kill */
	DUE_INPUTS,   /* no byte for JOB_INPUT_IDLE_S: cancel */
	DUE_REVIEW,   /* cancel */
	DUE_TIME,     /* kill */
};
/* *next: when to look again at the latest. missing: inputs are not here. */
enum job_due job_due(const struct job *, bool missing, uint32_t unix_now,
    struct mono now, struct mono *next);
/* 0 to 1000, of the time limit. */
uint64_t job_progress(const struct job *, struct mono now);

/* As answers have it. */
void job_outcome_of(struct proto_outcome_v *, const struct job *);
struct pstr job_reason_of(const struct job *);

/* The record of the ledger; 0: does not fit. */
#define JOB_RECORD_MAX 8192
size_t job_encode(uint8_t *out, size_t cap, const struct job *);
/* NULL: malformed, or out of memory. */
struct job *job_decode(const uint8_t *buf, size_t len);

#endif
