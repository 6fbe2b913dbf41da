/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_FAKEHOST_H
#define WARREN_TESTS_UNIT_FAKEHOST_H

#include <rns/hash.h>

#include "common/fp.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"
#include "node/work/node.h"
#include "trust/doc/chunks.h"

/*
 * A node with everything around it pretended, in virtual time: trust believes
 * an envelope that is a manifest record, jail only waits, keys do not sign,
 * the ledger is a list of records. Nothing has a descriptor.
 */
#define FAKE_BLOBS 512
#define FAKE_REPLIES 1100
#define FAKE_VOLUMES 8
#define FAKE_JOBS 256 /* that outlive a restart */

struct fake_blob {
	struct fp fp;
	struct id32 sha;
	uint8_t *data;
	uint64_t have, size;
	bool whole;
};

/* A volume in chunks: whole when all of them are blobs. */
struct fake_volume {
	struct fp fp;
	struct id32 sha;
	struct chunk_list list; /* in the list's blob */
	bool over;
};

struct fake_event {
	TAILQ_ENTRY(fake_event) link;
	struct mono at;
	enum ipc_type type;
	size_t len;
	uint8_t msg[8192];
	uint8_t *data;
	size_t data_len;
};
TAILQ_HEAD(fake_events, fake_event);

struct fake_reply {
	struct hash16 request;
	uint8_t *data;
	size_t len;
	struct proto_ans a;
};

struct world {
	struct node n;
	struct policy policy;
	struct mono now;
	int64_t wall_us;
	struct fake_events events; /* on their way to the node, by time */
	struct fake_reply replies[FAKE_REPLIES];
	unsigned nreplies;
	uint32_t next_request;
	uint32_t took_ms; /* that what is asked next needed on its link */
	struct fake_blob blobs[FAKE_BLOBS];
	unsigned nblobs;
	struct fake_volume volumes[FAKE_VOLUMES];
	unsigned nvolumes;
	bool volumes_later; /* what lacks is not known yet */
	uint64_t disk_free;
	bool disk_readonly;

	/* what the others do */
	int level;		/* trust's verdict on everybody */
	int verdict_status;
	uint8_t verdict_jobs;
	bool verdict_pinned;
	bool live_needed;
	bool needs_binding, has_binding; /* trust: must be shown one; it was */
	bool trust_silent, keys_silent, audit_silent, jail_silent;
	bool steps_silent, forgets_silent; /* of jail's answers, these */
	bool cannot_freeze;
	uint32_t slowed_to; /* thousandths of a processor; 0: it is not */
	bool frozen, jail_frozen; /* a group, jail's clock of it */
	struct msg_J_WARM warm; /* the last, and how many */
	unsigned warms;
	struct mono frozen_at;
	int64_t held_ms; /* until the exit of the frozen job */
	bool jail_deaf;		/* does not hear J_KILL */
	bool seal_slow;		/* a log is hashed later */
	bool audit_full;		/* HEAD with seq 0 */
	bool watch_silent, watch_refuses; /* W_JOB, W_OVER; W_JOB */
	bool verifies, check_silent; /* J_RUN waits for I_CHECK; no answer */
	uint8_t check_end; /* of enum read_end: what is answered */
	unsigned checks, passes;
	unsigned watches, overs; /* W_JOB of one that runs, W_OVER */
	struct msg_K_RECEIPT last_receipt; /* that keys was asked for */
	uint32_t run_ms;	/* jail: how long a job runs; 0: until killed */
	uint8_t exit_how;
	int32_t exit_code;
	bool oom;
	const char *fail_code;	/* J_FAILED with it */
	uint64_t output_size;	/* of each packed volume */
	struct left output_left; /* what each lacks */
	bool output_fails;
	uint64_t prints;	/* bytes of stdout that a job writes */
	enum image_state image;
	/* whose word counts, by the first byte of the identity */
	bool reviewer[256], member[256], revoked[256];
	unsigned threshold; /* of every board */
	/* what trust says of every contract; NULL: it does not hold */
	const struct contract *contract;
	int contract_level;
	bool contract_revoked, contract_silent;
	uint64_t cpu_ms;    /* of a running job */
	bool pids_hit;
	uint32_t image_rules; /* of image_policy that are about each image */
	uint8_t cosigner;   /* has signed each envelope too; 0: nobody */
	const char *volume_code; /* the image has no place for the volumes */
	/* what a pack step gives, by node_packed(); NULL: output_size of it */
	void (*pack)(struct world *, const struct msg_J_STEP *);
	/* the functions that a test gives itself; after each restart too */
	void (*own)(struct world *, struct host *);

	/* what was seen */
	unsigned approvals, reviews, contracts;
	bool no_roots; /* no image's files are here */
	bool no_group_kill; /* as without cgroup v2 */
	unsigned starts, kills, packs, forgets, asks, lives, envelopes, receipts,
	    announces, closes, blackholes, follows, holds, unfollows;
	unsigned events_seen[128];
	unsigned snaps, snap_goes, bundles; /* J_SNAP, J_SNAP_GO, W_BUNDLE */
	struct msg_J_SNAP last_snap;
	struct msg_EVENT refused; /* the last */
	unsigned lifted; /* N_BLACKHOLE off */
	struct hash16 last_closed, last_hole;
	unsigned buries; /* N_BURY */
	struct msg_N_BURY last_bury;
	struct id32 kept; /* digest of the last envelope that was kept */
	unsigned mails, mail_said; /* N_MAIL, N_MAIL_TAKEN, and the last */
	struct msg_N_MAIL mail;
	uint8_t mail_bytes[200000];
	size_t mail_len;
	struct msg_N_MAIL_TAKEN mail_taken;
	unsigned alerts, alerts_taken; /* V_ALERT, N_ALERT_TAKEN, the last */
	struct msg_V_ALERT alert;
	struct msg_N_ALERT_TAKEN alert_taken;
	struct msg_N_NUMBER numbers[128];
	unsigned nnumbers;
	bool last_accepting;
	struct mono last_announce;
	struct msg_N_APP_DATA last_app_data;
	unsigned running; /* jobs that jail has, never more than its slots */
	struct id32 running_id[NODE_SLOTS_MAX + 1];
	struct mono began[NODE_SLOTS_MAX + 1];
	uint8_t killed_for[NODE_SLOTS_MAX + 1]; /* the first reason */
};

void world_init(struct world *);
void world_clear(struct world *);
/* Siblings say hello; the posture with so many slots. */
void world_up(struct world *, uint32_t slots);
/* Time passes; everything that is due happens. */
void world_run(struct world *, int64_t ms);
/* The node program dies and comes back with its ledger; jail lives. */
void world_restart(struct world *);

void world_link(struct world *, uint8_t link, uint64_t bitrate);
void world_identify(struct world *, uint8_t link, uint8_t who);
void world_close(struct world *, uint8_t link);
/* Sends; the answer is there when it has come (run first): NULL if not. */
uint32_t world_ask(struct world *, uint8_t link, const struct proto_req *);
struct proto_ans *world_answer(struct world *, uint32_t request);
/* Ask and run until the answer is here, at most 1 s. */
struct proto_ans *world_call(struct world *, uint8_t link,
    const struct proto_req *);

/* Answers until now are forgotten. */
void world_drop_answers(struct world *);
/* The request's bytes as they are; the number of its answer. */
uint32_t world_send_bytes(struct world *, uint8_t link, enum proto_path,
    const uint8_t *, size_t);
/* The same with the bytes as they are. */
struct proto_ans *world_call_bytes(struct world *, uint8_t link,
    enum proto_path, const uint8_t *, size_t);

/* The frame of an approval here: see fake_V_APPROVAL(). */
size_t world_frame(struct world *, uint8_t out[64], const struct id32 *job,
    bool approve, const uint8_t *who, size_t n);

/* A manifest of peer `who`; its record, which is its envelope here. */
size_t world_manifest(struct manifest *, uint8_t who, uint8_t nonce,
    uint32_t now, uint8_t *out, size_t cap);
void world_fp(struct fp *fp, uint8_t who);

/* A message on its way to the node, there in so many ms. */
void fake_post(struct world *, int64_t ms, enum ipc_type, const void *msg,
    size_t len, const uint8_t *data, size_t data_len);
/* fakehost_watch.c, for fakehost.c, and back */
void fake_W_OVER(void *ctx, const struct msg_W_OVER *);
void fake_I_CHECK(void *ctx, const struct msg_I_CHECK *);
void fake_I_PASS(void *ctx, const struct msg_I_PASS *);
bool fake_start_job(void *ctx, struct job *, const char **code, char why[128]);
void fake_watch(void *ctx, struct job *);
void fake_D_LOG(void *ctx, const struct msg_D_LOG *);
void fake_slow(void *ctx, struct job *, uint32_t milli);
void fake_J_SNAP(void *ctx, const struct msg_J_SNAP *);
void fake_J_SNAP_GO(void *ctx, const struct msg_J_SNAP_GO *);
void fake_bundle(void *ctx, struct job *, int snapshot);
void fake_run(void *ctx, struct job *);
/* fakehost_review.c, for fakehost.c */
void fake_V_APPROVAL(void *ctx, const struct msg_V_APPROVAL *);
void fake_V_REVIEW(void *ctx, const struct msg_V_REVIEW *);
/* fakehost_documents.c */
#define WORLD_DOCUMENT 40000u
void fake_V_GIVE(void *ctx, const struct msg_V_GIVE *);
void fake_V_LOWER(void *ctx, const struct msg_V_LOWER *m);
void fake_V_WHY(void *ctx, const struct msg_V_WHY *);
void fake_K_APPROVE(void *ctx, const struct msg_K_APPROVE *);
void fake_contract(void *ctx, const struct msg_V_CONTRACT *,
    const uint8_t *envelope, size_t len);
void fake_keep_vote(void *ctx, const struct vote *);
void fake_drop_vote(void *ctx, const struct vote *);
void fake_votes_none(void);
void fake_votes_restore(struct world *);
/* fakehost_mail.c, for fakehost.c */
bool fake_keep_mail(void *ctx, const struct mail *);
void fake_drop_mail(void *ctx, const struct id32 *);
void fake_mail(void *ctx, struct msg_N_MAIL *, const uint8_t *, size_t);
void fake_N_MAIL_TAKEN(void *ctx, const struct msg_N_MAIL_TAKEN *);
void fake_V_ALERT(void *ctx, const struct msg_V_ALERT *);
void fake_N_ALERT_TAKEN(void *ctx, const struct msg_N_ALERT_TAKEN *);
void fake_mail_none(void);
void fake_mail_restore(struct world *);
unsigned fake_mail_rows(void);
/* fakehost_blobs.c, for fakehost.c */
bool fake_has(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t *size);
uint64_t fake_to_come(void *ctx, const struct fp *fp,
    const struct blob_ref *whole, const struct blob_ref *list);
uint64_t fake_claimed(void *ctx, const struct fp *fp, const struct id32 *sha);
enum volume_is fake_begin(void *ctx, const struct fp *fp,
    const struct blob_ref *whole, const struct blob_ref *list,
    const char **why);
enum volume_is fake_lacks(void *ctx, const struct fp *fp,
    const struct id32 *whole, struct id32 *out, unsigned max, unsigned *n,
    bool *more);
bool fake_chunk_of(void *ctx, const struct fp *fp, const struct id32 *chunk,
    struct id32 *whole, uint64_t *size);
void fake_chunks_here(void *ctx, const struct fp *fp, const struct id32 *,
    unsigned n, bool *here);
enum blob_put fake_chunk_put(void *ctx, const struct fp *fp,
    const struct id32 *sha, uint64_t size, uint64_t offset,
    const uint8_t *data, size_t n, uint64_t *have);
enum blob_put fake_put(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t size, uint64_t offset, const uint8_t *data, size_t n,
    uint64_t *have);
ssize_t fake_get(void *ctx, const struct fp *fp, const struct id32 *sha,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size);
uint64_t fake_held(void *ctx, const struct fp *fp);
bool fake_room(void *ctx, const struct fp *fp, uint64_t more);
/* Bodies of jobs; a new world has none. */
void fake_bodies_none(void);
bool fake_keep(void *ctx, const struct job *, const uint8_t *record,
    size_t rlen, const uint8_t *envelope, size_t elen);
bool fake_load(void *ctx, struct job *);
size_t fake_envelope_of(void *ctx, const struct id32 *job, uint8_t *out,
    size_t cap);
void fake_blob_fn(void *ctx, const struct fp *fp, const struct id32 *sha);
uint64_t fake_disk(void *ctx);
bool fake_readonly(void *ctx);
enum image_state fake_image(void *ctx, const struct manifest *m,
    struct id32 *digest);
uint32_t fake_image_rules(void *ctx, const struct id32 *digest);
bool fake_image_named(void *ctx, struct pstr name, struct id32 *digest);
ssize_t fake_image_part(void *ctx, const struct id32 *image, uint64_t part,
    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size);
ssize_t fake_image_contents(void *ctx, const struct id32 *image,
    struct plist digests, uint8_t *buf, size_t n);
enum image_state fake_image_here(void *ctx, const struct id32 *digest);
void fake_roots(void *ctx, bool (*fn)(void *, const struct id32 *),
    void *arg);
unsigned fake_images(void *ctx, struct proto_image *out, unsigned max);
const char *fake_seccomp(void *ctx, const char *name);
const char *fake_volumes(void *ctx, const struct manifest *m,
    const struct id32 *image, char why[HOST_WHY]);
ssize_t fake_log_read(void *ctx, const struct job *, unsigned stream,
    uint64_t offset, uint8_t *buf, size_t n);
bool fake_follow(void *ctx, const struct hash16 *link, unsigned stream,
    const struct job *, uint64_t offset);
void fake_unfollow(void *ctx, const struct hash16 *link, unsigned stream);
size_t fake_runs(void *ctx, const struct job *, uint64_t from, uint8_t *out,
    size_t max);

#endif
