/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_NODE_H
#define WARREN_NODE_WORK_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/mono.h>

#include "common/ipc_msg.h"
#include "node/work/admit.h"
#include "node/host/blobs.h"
#include "node/work/jobs.h"
#include "node/work/policy.h"
#include "node/proto/proto.h"
#include "node/work/park.h"
#include "node/work/peers.h"
#include "node/work/quota.h"
#include "common/util.h"

/*
 * The node without a descriptor: messages of the other programs and time go
 * in, messages come out through `struct host`, which also keeps what is on
 * disk. The program puts descriptors, SQLite and files behind it (host.c), a
 * test or a simulation pretends (tests/unit/fakehost.c).
 *
 *   peers.c   links, identities and their verdicts, budgets
 *   serve.c   requests: describe, challenge, blobs
 *   submit.c  job/submit through its stages
 *   query.c   the other paths of a job
 *   run.c     whose turn it is, and the start
 *   finish.c  a job from its start to its receipt
 *   node.c    what ties them: time, asks, announces, events
 */
#define NODE_SLOTS_MAX 64
#define NODE_KILL_MS 2000    /* for jail to end a job, then its group is */
#define NODE_TRAIL_MS 1000   /* for the trail's head, then zeros */
#define NODE_SIGN_MS 2000    /* then done without, the receipt follows */
#define NODE_FILL_S 1        /* look at free space while a job is filled */
#define NODE_RECEIPT_S 30    /* ask for missing receipts again */

struct node;

/*
 * What the node needs done. Messages go out behind the ledger's next commit,
 * in order; everything else happens at once.
 */
struct host {
	void *ctx;
	/*
	 * msg: struct msg_TYPE. blob, len: what travels as a descriptor
	 * (V_ENVELOPE) or beside the fields (N_REPLY).
	 */
	void (*send)(void *ctx, enum ipc_type, const void *msg,
	    const uint8_t *blob, size_t len);
	void (*random)(void *ctx, uint8_t *, size_t);

	/* compile the plan, make the group, J_RUN: false with code and why */
	bool (*start)(void *ctx, struct job *, const char **code,
	    char why[128]);
	/* its whole group; nothing can be packed after it */
	void (*kill)(void *ctx, struct job *);
	/* cpu_ms, memory_kb, oom of the job's group */
	void (*usage)(void *ctx, struct job *);
	/* room for the packer (design.md 8.3) */
	void (*packing)(void *ctx, struct job *);
	/* the slot is free: its group can go */
	void (*free_slot)(void *ctx, struct job *);

	/* take the rest, sync, digests into log_sha */
	void (*log_seal)(void *ctx, struct job *);
	ssize_t (*log_read)(void *ctx, const struct job *, unsigned stream,
	    uint64_t offset, uint8_t *buf, size_t n);
	void (*log_drop)(void *ctx, const struct job *);
	/* a pipe fed from the log: N_FOLLOW. false: cannot */
	bool (*follow)(void *ctx, const uint8_t link[16], unsigned stream,
	    const struct job *, uint64_t offset);
	void (*unfollow)(void *ctx, const uint8_t link[16], unsigned stream);
	/* followers of a job that has ended get their end */
	void (*log_end)(void *ctx, const struct job *);

	bool (*blob_has)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32], uint64_t *size);
	/* bytes of it, whole or partial */
	uint64_t (*blob_have)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32]);
	enum blob_put (*blob_put)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32], uint64_t size, uint64_t offset,
	    const uint8_t *, size_t, uint64_t *have);
	ssize_t (*blob_get)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32], uint64_t offset, uint8_t *buf, size_t n,
	    uint64_t *size);
	uint64_t (*blob_held)(void *ctx, const uint8_t fp[FP_LEN]);
	bool (*blob_room)(void *ctx, const uint8_t fp[FP_LEN], uint64_t more);
	void (*blob_use)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32]);
	void (*blob_drop)(void *ctx, const uint8_t fp[FP_LEN],
	    const uint8_t sha[32]);
	/* bytes of disk above the reserve (design.md 8.4) */
	uint64_t (*disk_free)(void *ctx);

	bool (*keep_body)(void *ctx, const struct job *, const uint8_t *record,
	    size_t rlen, const uint8_t *envelope, size_t elen);
	bool (*load_body)(void *ctx, struct job *); /* sets j->m */
	void (*drop_body)(void *ctx, const struct job *);
	void (*forget)(void *ctx, const struct job *);

	enum image_state (*image)(void *ctx, const struct manifest *,
	    uint8_t digest[32]);
	enum image_state (*image_here)(void *ctx, const uint8_t digest[32]);
	unsigned (*images)(void *ctx, struct proto_image *, unsigned max);
	/* is this profile here ("": the one without a name)? why not, NULL */
	const char *(*seccomp)(void *ctx, const char *name);
};

struct node_counters {
	uint64_t requests, mute, malformed, refused, busy, admitted, edges;
	uint64_t links_closed, events, blobs_bad, parked_out;
};

struct node {
	struct policy policy;
	struct host host;
	struct quota_caps caps;
	struct jobs jobs;
	struct peers peers;
	struct callers callers;
	struct owners owners;
	struct idle_callers idle;
	unsigned npeers, ncallers, nidle, nowners;
	struct parked_list parked;
	unsigned nparked;
	size_t parked_bytes;
	struct bucket unidentified; /* bytes of all such links */

	struct mono now; /* of this call */
	uint32_t unix_now;
	int64_t wall_us;

	bool up[PROGRAM_COUNT]; /* channels that have said hello */
	bool stopping;
	bool ledger_fails;
	bool trail_fails; /* klp.md 7: no new jobs then */
	const char *why_stopping;
	uint32_t verdict_gen;
	uint64_t last_qid;

	bool has_posture;
	uint32_t layers;
	uint32_t slots;
	char missing[257];
	struct job *slot[NODE_SLOTS_MAX + 1]; /* 1 ... slots */
	bool ghost[NODE_SLOTS_MAX + 1]; /* of a job that is not ours any more */
	bool has_binding;
	uint8_t binding[PROTO_BINDING_LEN], fp[FP_LEN];
	char urn[URN_MAX], key_text[KEY_TEXT_MAX];
	bool has_rns;
	uint8_t rns_public[64], dest[16];
	uint8_t app_data[316];
	size_t app_len;
	struct mono announce_at, receipts_at, expire_at, fill_at;
	uint64_t machine_memory;
	uint32_t machine_cpu_milli;
	bool scheduling; /* run_schedule() is at work */
	struct node_counters count;
	uint8_t *answer; /* NODE_ANSWER_MAX */
};

/* ---- node.c ---- */

/* The policy is copied; host->ctx stays the caller's. false: out of memory. */
bool node_init(struct node *, const struct policy *, const struct host *);
void node_clear(struct node *);
/* At the beginning of each call below: what time it is. */
void node_time(struct node *, struct mono now, int64_t wall_us);
/* After the ledger was loaded: manifests, budgets, what was under way. */
void node_restore(struct node *);
/* Timers: does what is due; when to call again. */
struct mono node_tick(struct node *);
/* A channel to a sibling: its HELLO has come, or it is gone. */
void node_up(struct node *, enum program);
void node_down(struct node *, enum program);
/*
 * A message of a sibling; msg: struct msg_TYPE. data, len: T_REQUEST's bytes,
 * V_MANIFEST's record; taken by the handler only while it runs.
 */
void node_message(struct node *, enum ipc_type, const void *msg,
    const uint8_t *data, size_t len);
/* What jail's pack step gave: the volume's blob, or why not. */
void node_packed(struct node *, const uint8_t job[32], unsigned volume,
    bool ok, const uint8_t sha[32], uint64_t size, uint32_t dropped,
    const char *why);
/* A job's output grew: true: it must be killed. */
void node_output(struct node *, struct job *);
/* Admission stops, jobs that run are lost (design.md 7, SIGTERM). */
void node_stop(struct node *);

uint64_t node_qid(struct node *);
void node_event(struct node *, enum event_kind, unsigned severity,
    const struct job *, const struct peer *, const char *code,
    const char *text, int64_t a, int64_t b);
/* The same, of a job, with an answer HEAD. */
void node_event_head(struct node *, enum event_kind, const struct job *,
    const char *code, int64_t a, int64_t b, uint64_t qid);
/* Is compute on, complete and not stopping? (TLV 4, describe) */
bool node_accepting(const struct node *);
/* app_data anew: announced when it differs, or when `always`. */
void node_announce(struct node *, bool always);
struct admit_node node_admit(const struct node *);

/* What audit said last of a line of ours: could it not be written? */
void node_trail(struct node *, bool fails);

/* ---- run.c, finish.c ---- */

void run_changed(struct node *, struct job *, enum job_state old);
/* A blob of this owner is whole: jobs may be ready now. */
void run_inputs(struct node *, const uint8_t fp[FP_LEN],
    const uint8_t sha[32], bool whole);
void run_schedule(struct node *);
void run_kill(struct node *, struct job *, enum kill_reason);
void run_refuse(struct node *, struct job *, const char *code,
    const char *why);
/* Jail is gone, and with it what ran in it. */
void run_jail_down(struct node *);
struct mono run_tick(struct node *);
void run_jail(struct node *, enum ipc_type, const void *msg);
void run_head(struct node *, const struct msg_HEAD *);
void run_signed(struct node *, const struct msg_K_SIGNED *);
/* Ask for receipts that are missing. */
void run_receipts(struct node *);
void run_packed(struct node *, struct job *, unsigned volume, bool ok,
    const uint8_t sha[32], uint64_t size, uint32_t dropped, const char *why);
/* Jobs of an owner whose level fell or who was revoked. */
void run_owner(struct node *, const uint8_t fp[FP_LEN], int level,
    bool revoked);
bool run_needs_blob(struct node *, const uint8_t fp[FP_LEN],
    const uint8_t sha[32]);
/* An estimate for one more job. */
uint32_t run_wait_s(struct node *, const struct limits *);

/* ---- receipts.c ---- */

/* The fields of a receipt, from what the ledger knows of the job. */
void receipt_fill(struct msg_K_RECEIPT *, const struct job *);

#endif
