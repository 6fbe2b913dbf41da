/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_CLI_NODE_H
#define WARREN_TESTS_UNIT_CLI_NODE_H

#include "node/cli/submitter.h"
#include "trust/doc/secp.h"

/*
 * A pretend node, and the world around a submitter: virtual time, blobs and
 * logs in memory, and switches for everything that a node may do wrong. What
 * passes between the two is encoded and decoded as on the wire.
 */
#define CN_BLOB 300000

struct cn_bytes {
	size_t n;
	uint8_t b[CN_BLOB];
};

/* Lies and troubles. */
enum cn_lie {
	LIE_NONE,
	LIE_OTHER_KEY,	  /* the receipt is signed by another key */
	LIE_OTHER_JOB,	  /* ... is for another job */
	LIE_SIGNATURE,	  /* one bit of it */
	LIE_OUTPUTS,	  /* listed otherwise than signed */
	LIE_OUTPUT_BYTES, /* other bytes than signed */
	LIE_OUTPUT_SHORT, /* fewer */
	LIE_RO_OUTPUT,	  /* an output where a ro volume was */
	LIE_LOGS,	  /* listed otherwise than signed */
	LIE_LOG_BYTES,
	LIE_LOG_SHORT,
	LIE_STRANGE_BLOB, /* asks for what the job does not name */
	LIE_OTHER_ANSWER, /* submit answers for another job */
	LIE_HAVE,	  /* has more than the blob's size */
};

struct world {
	struct submitter s;
	struct mono now;
	int64_t rtt_us;
	uint64_t bytes_per_s; /* of the link; 0: as fast as you like */
	struct manifest m;
	struct klp_secret secret;
	uint8_t buf[PROTO_SLICE];
	/* ours */
	struct cn_bytes input[2], log[2], out[2];
	bool input_fails, store_fails;
	uint64_t here; /* of out[1], from an earlier fetch */
	/* the node's */
	enum cn_lie lie;
	struct cn_bytes has[2];	     /* uploaded */
	struct cn_bytes node_log[2]; /* of the job's last attempt */
	struct cn_bytes node_out;    /* of volume 1 */
	struct left node_left;	     /* what it lacks */
	uint8_t outcome;
	int32_t code;
	unsigned attempts;
	const char *refuse_code, *refuse_why; /* submit is refused */
	int refuse_step;
	unsigned submits, shut;	  /* so many repeats come to a shut door */
	unsigned shut_waits;	  /* ... whose job waits for its inputs then */
	bool never_had;		  /* the job, says status */
	bool shut_silent;	  /* shut says no seconds */
	const char *end_state;	  /* "done", "refused", ... */
	bool over;		  /* ... as the answer to submit has it too */
	const char *end_reason;
	bool digest_error;
	unsigned proofs_wanted;	  /* so many submits are refused for one */
	unsigned proofs_seen;
	bool forgets;		  /* who asks, until a binding is shown */
	unsigned bound;		  /* submits with a binding */
	uint64_t log_now, output_now; /* what describe offers by now */
	unsigned bounds;	  /* how often that was asked */
	bool whole_at_submit, whole_at_status;
	bool no_outputs;	  /* the job has made none */
	uint64_t written[2];	  /* bytes of logs, each time that they were */
	bool late_stream;	  /* bytes come under the question for the end */
	bool late_other;	  /* ... of an attempt before */
	bool holds;		  /* waits as it is asked to */
	bool no_follow, no_stream; /* refused; accepted and silent */
	bool early_stream;	  /* bytes and end come before the answer */
	uint64_t follow_cut;	  /* answers with at most this offset */
	unsigned running_polls;	  /* status answers "running" so often */
	unsigned not_yet;	  /* result answers 7 so often */
	const char *not_yet_state;
	unsigned break_at;	  /* the link breaks before this request */
	uint64_t break_over;	  /* ... under each slice over so many bytes */
	uint64_t drops_over;	  /* ... which arrives and is not answered */
	unsigned unwanted;	  /* so many blob/puts are refused */
	/* what happened */
	unsigned wholes;
	unsigned requests, puts, statuses, follows[2];
	uint64_t got; /* bytes of outputs that were asked for */
	uint32_t slice_max, slice_min;
	uint8_t answer[PROTO_SLICE + 4096]; /* the last, encoded */
	size_t answer_len;
	void (*on_answer)(struct world *);
};

struct world *world_new(void);
void world_free(struct world *);
/* To the end of the machine, or until `steps` requests. */
void world_run(struct world *, unsigned steps);
/* It is over, and all of the job is here. */
void assert_whole(const struct world *);

#endif
