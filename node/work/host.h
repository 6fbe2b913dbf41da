/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_HOST_H
#define WARREN_NODE_WORK_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/fp.h"
#include "common/ipc_msg.h"
#include "node/proto/proto.h"
#include "node/work/admit.h"

struct job;
struct mail;
struct vote;

/* ours: an empty folder is 1 kB of tar, but a file and rows cost more */
#define BLOB_CHARGE_LEAST 4096 /* of a peer's spool, for each blob */

/* What a slice of a blob did. */
enum blob_put {
	BLOB_MORE,   /* *have bytes are here */
	BLOB_WHOLE,  /* and it is checked */
	BLOB_BAD,    /* wrong digest: all of it is gone */
	BLOB_FULL,   /* a spool limit */
	BLOB_FAILED, /* the disk: errno, logged */
	BLOB_LATER,  /* what is here is being looked at: come again */
};

/* Where a volume that comes in chunks stands (compute.md 3.3). */
enum volume_is {
	VOLUME_NONE,  /* its list has not come */
	VOLUME_LATER, /* what is here of it is being looked at: ask again */
	VOLUME_LACKS, /* chunks, and they are known */
	VOLUME_ALL,   /* nothing: it is being put together */
	VOLUME_BAD,   /* the list is none, or another's */
	VOLUME_FULL,  /* a spool limit, or the disk */
};

/*
 * NODE_PLAIN(senders, most descriptors): 1 for a row of IPC_MESSAGES that node
 * sends and that takes no descriptor, else 0 (how: IPC_FOUND in ipc_msg.h).
 */
#define NODE_PLAIN_NODE_0 ~,
#define NODE_PLAIN_WITNESS_0 ~,
#define NODE_PLAIN(from, most) IPC_FOUND(NODE_PLAIN_##from##_##most)
#define NODE_HOST_SEND(name, from, to, least, most)                            \
	IPC_IF(NODE_PLAIN(from, most))                                         \
	(void (*send_##name)(void *ctx, const struct msg_##name *);)

/*
 * What the node needs done. Messages go out behind the ledger's next commit,
 * in order; everything else happens at once.
 */
#define HOST_WHY 200
struct host {
	void *ctx;
	/* each message that node sends without descriptors: send_V_ASK, ... */
	IPC_MESSAGES(NODE_HOST_SEND)
	/* the answer goes into m when it fits, else along; m->len is set */
	void (*reply)(void *ctx, struct msg_N_REPLY *m, const uint8_t *answer,
	    size_t len);
	/* the letter goes along; m->len is set */
	void (*mail)(void *ctx, struct msg_N_MAIL *m, const uint8_t *letter,
	    size_t len);
	/* the envelope goes along */
	void (*envelope)(void *ctx, const struct msg_V_ENVELOPE *,
	    const uint8_t *envelope, size_t len);
	/* the contract's envelope goes along */
	void (*contract)(void *ctx, const struct msg_V_CONTRACT *,
	    const uint8_t *envelope, size_t len);
	void (*random)(void *ctx, uint8_t *, size_t);

	/* compile the plan, make the group, J_RUN: false with code and why */
	bool (*start)(void *ctx, struct job *, const char **code,
	    char why[128]);
	/* ... or W_JOB, and then J_RUN by this */
	void (*run)(void *ctx, struct job *);
	/* W_JOB of one that runs already */
	void (*watch)(void *ctx, struct job *);
	/* its whole group; nothing can be packed after it. false: it lives */
	bool (*kill)(void *ctx, struct job *);
	/* its group stands still, or goes on. false: this machine cannot */
	bool (*freeze)(void *ctx, struct job *, bool on);
	/* so much processor from now on, in thousandths */
	void (*slow)(void *ctx, struct job *, uint32_t milli);
	/* W_BUNDLE with what is known of this one, and its snapshot; taken */
	void (*bundle)(void *ctx, struct job *, int snapshot);
	/* cpu_ms, memory_kb, oom, pids_hit of the job's group */
	void (*usage)(void *ctx, struct job *);
	/* its limits hold up no more what ends or packs it (THREATS.md 3) */
	void (*ending)(void *ctx, struct job *);
	/* the slot is free: its group can go */
	void (*free_slot)(void *ctx, struct job *);

	/* take the rest, sync, digests into log_sha; false: node_log_sealed() */
	bool (*log_seal)(void *ctx, struct job *);
	ssize_t (*log_read)(void *ctx, const struct job *, unsigned stream,
	    uint64_t offset, uint8_t *buf, size_t n);
	/* of an attempt that is over, or for good */
	/* runs of both streams, u32s (compute.md 3.6); how many */
	size_t (*log_runs)(void *ctx, const struct job *, uint64_t from,
	    uint8_t *out, size_t max);
	void (*log_drop)(void *ctx, const struct job *);
	/* a pipe fed from the log: N_FOLLOW. false: cannot */
	bool (*follow)(void *ctx, const struct hash16 *link, unsigned stream,
	    const struct job *, uint64_t offset);
	void (*unfollow)(void *ctx, const struct hash16 *link, unsigned stream);
	/* followers of a job that has ended get their end */
	void (*log_end)(void *ctx, const struct job *);

	bool (*blob_has)(void *ctx, const struct fp *fp,
	    const struct id32 *sha, uint64_t *size);
	/* bytes that have still to be sent of it, where that is known; list:
	 * its chunks', NULL: it has none */
	uint64_t (*blob_to_come)(void *ctx, const struct fp *fp,
	    const struct blob_ref *whole, const struct blob_ref *list);
	/* bytes that the spool counts for it, whole or begun; 0: none */
	uint64_t (*blob_claimed)(void *ctx, const struct fp *fp,
	    const struct id32 *sha);
	enum blob_put (*blob_put)(void *ctx, const struct fp *fp,
	    const struct id32 *sha, uint64_t size, uint64_t offset,
	    const uint8_t *, size_t, uint64_t *have);
	/* its list is here: begin; BAD with a literal why */
	enum volume_is (*volume_begin)(void *ctx, const struct fp *fp,
	    const struct blob_ref *whole, const struct blob_ref *list,
	    const char **why);
	/* digests of chunks that it lacks, each once, in their order */
	enum volume_is (*volume_lacks)(void *ctx, const struct fp *fp,
	    const struct id32 *whole, struct id32 *out, unsigned max,
	    unsigned *n, bool *more);
	/* of which volume that is under way is it a chunk, of which size? */
	bool (*chunk_of)(void *ctx, const struct fp *fp,
	    const struct id32 *chunk, struct id32 *whole, uint64_t *size);
	/* which of these has this owner sent as chunks: here[i] is set */
	void (*chunks_here)(void *ctx, const struct fp *fp,
	    const struct id32 *, unsigned n, bool *here);
	enum blob_put (*chunk_put)(void *ctx, const struct fp *fp,
	    const struct id32 *sha, uint64_t size, uint64_t offset,
	    const uint8_t *, size_t, uint64_t *have);
	ssize_t (*blob_get)(void *ctx, const struct fp *fp,
	    const struct id32 *sha, uint64_t offset, uint8_t *buf, size_t n,
	    uint64_t *size);
	uint64_t (*blob_held)(void *ctx, const struct fp *fp);
	bool (*blob_room)(void *ctx, const struct fp *fp, uint64_t more);
	void (*blob_use)(void *ctx, const struct fp *fp,
	    const struct id32 *sha);
	void (*blob_drop)(void *ctx, const struct fp *fp,
	    const struct id32 *sha);
	/* bytes of disk above the reserve (THREATS.md 4) */
	uint64_t (*disk_free)(void *ctx);
	bool (*disk_readonly)(void *ctx); /* then nothing is free */

	bool (*keep_body)(void *ctx, const struct job *, const uint8_t *record,
	    size_t rlen, const uint8_t *envelope, size_t elen);
	bool (*load_body)(void *ctx, struct job *); /* sets j->m */
	void (*drop_body)(void *ctx, const struct job *);
	/* the envelope of a job's body; its length, 0: not here. Over cap: nothing
	 * was copied */
	size_t (*envelope_of)(void *ctx, const struct id32 *job, uint8_t *out,
	    size_t cap);
	/* its row, or none any more; false: no memory */
	bool (*keep_mail)(void *ctx, const struct mail *);
	void (*drop_mail)(void *ctx, const struct id32 *);
	void (*keep_vote)(void *ctx, const struct vote *);
	void (*drop_vote)(void *ctx, const struct vote *);
	void (*forget)(void *ctx, const struct job *);

	/* events of another node, who: the last line of it that is here */
	bool (*events_last)(void *ctx, const struct hash16 *who, uint64_t *seq,
	    struct id32 *digest);
	/* lines, the last of which is this one: on the disk, or false */
	bool (*events_keep)(void *ctx, const struct hash16 *who,
	    const uint8_t *, size_t, uint64_t seq, const struct id32 *digest);

	enum image_state (*image)(void *ctx, const struct manifest *,
	    struct id32 *digest);
	enum image_state (*image_here)(void *ctx, const struct id32 *digest);
	/* Rules of image_policy, a bit each, that are about its names. */
	uint32_t (*image_rules)(void *ctx, const struct id32 *digest);
	unsigned (*images)(void *ctx, struct proto_image *, unsigned max);
	/* what it is called here, or sha256:...; false: nothing is */
	bool (*image_named)(void *ctx, struct pstr, struct id32 *digest);
	/* of one that is shared (sandbox/image/parts.h): bytes of a part, as
	 * parts_part(); contents one behind the other, as many of the first
	 * ones as there are and n has room for. -1: not here */
	ssize_t (*image_part)(void *ctx, const struct id32 *image, uint64_t part,
	    uint64_t offset, uint8_t *buf, size_t n, uint64_t *size);
	ssize_t (*image_contents)(void *ctx, const struct id32 *image,
	    struct plist digests, uint8_t *buf, size_t n);
	/* each whose files are here, with or without a name */
	void (*roots)(void *ctx, bool (*fn)(void *, const struct id32 *),
	    void *arg);
	/* the code by which its volumes do not fit into the image; NULL */
	const char *(*volumes)(void *ctx, const struct manifest *,
	    const struct id32 *image, char why[HOST_WHY]);
	/* is this profile here ("": the one without a name)? why not, NULL */
	const char *(*seccomp)(void *ctx, const char *name);
};

#endif
