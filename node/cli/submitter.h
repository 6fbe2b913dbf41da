/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_SUBMITTER_H
#define WARREN_NODE_CLI_SUBMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "node/cli/refusal.h"
#include "node/cli/upload.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_req.h"
#include "trust/doc/manifest.h"
#include "trust/doc/receipt.h"

/*
 * The submitter's half of the job protocol (compute.md 3) as a state machine:
 * it says what to ask next and is fed with answers, bytes of streams and time.
 * Pure: blobs are read and results written through struct sub_store.
 */
enum sub_phase {
	SUB_SUBMIT,  /* hand the envelope over */
	SUB_UPLOAD,  /* blobs that the node lacks */
	SUB_WATCH,   /* follow and wait */
	SUB_RESULT,  /* the receipt */
	SUB_OUTPUTS, /* rw volumes */
	SUB_LOGS,    /* what the streams did not bring */
	SUB_END,     /* see end */
};
const char *sub_phase_name(enum sub_phase); /* for progress: "upload", ... */

enum sub_end {
	SUB_DONE,     /* receipt verified; everything is here */
	SUB_DETACHED, /* the node has everything; not waited for */
	SUB_REFUSED,  /* code, step, why */
	SUB_NO_RECEIPT, /* ended without one (refused after admission) */
	SUB_BAD_RECEIPT, /* why */
	SUB_BAD_NODE, /* an answer that breaks the protocol: why */
	SUB_LOCAL,    /* sub_store failed: why */
};

struct sub_store {
	void *input_arg;
	/* bytes of an input blob or chunk, exactly n; false: cannot be read */
	bool (*input)(void *input_arg, const struct id32 *sha256,
	    uint64_t offset, uint8_t *out, size_t n);
	void *arg; /* of the others */
	/*
	 * How many bytes of this output are here from before: a beginning of
	 * it, as far as anybody can tell before its digest. NULL: none.
	 */
	uint64_t (*output_here)(void *arg, unsigned volume,
	    const struct id32 *sha256, uint64_t size);
	/* bytes of rw volume i of the manifest, in order; offset 0: from the
	 * beginning, whatever came before is void; false: cannot */
	bool (*output)(void *arg, unsigned volume, uint64_t offset,
	    const uint8_t *, size_t n);
	/* bytes of stdout (1) or stderr (2), in order; offset 0: from the
	 * beginning, whatever came before is void */
	bool (*log)(void *arg, unsigned stream, uint64_t offset,
	    const uint8_t *, size_t n);
	/* SHA-256 of what was written so; false: cannot */
	bool (*output_digest)(void *arg, unsigned volume, struct id32 *out);
	bool (*log_digest)(void *arg, unsigned stream, struct id32 *out);
};

struct sub_output {
	unsigned volume; /* index in the manifest */
	struct id32 sha256;
	uint64_t size, have;
	bool here; /* a beginning was here from before, and may be wrong */
};

struct submitter {
	/* set before sub_init() */
	const struct manifest *manifest; /* job set */
	const uint8_t *envelope;
	size_t envelope_len;
	const uint8_t *binding; /* BINDING_LEN */
	bool shown; /* ... the node has it: left out until it says otherwise */
	struct klp_key node_key;
	/* of inputs that go in chunks (compute.md 3.3): manifest_input() */
	const struct chunk_table *chunks[MANIFEST_INPUTS];
	bool detach;
	/*
	 * How long the answer to submit may wait for a job that ends soon, so
	 * that it brings all of it: seconds, by the link; 0: not at all.
	 */
	uint32_t hold_s;
	bool unsure; /* ... may have it: a submit without an answer; kept so
		      * by the caller as it goes */
	bool resume; /* the node has the job: begin with SUB_WATCH; log_have
		      * may say how much of its logs is here */
	uint32_t slice_max; /* of describe; 0: PROTO_SLICE */
	int64_t rtt_us; /* of the link, as it was made; 0: not known */
	/*
	 * Bytes that the job may write: what it asked, else what describe
	 * offered; 0: no bound. A node that sends more is left, before it has
	 * filled the disk.
	 */
	uint64_t max_log, max_output;
	/*
	 * ... which describe offered some time ago: what is more than that is
	 * not judged before taken_bounds() has said what it offers now.
	 */
	bool bounds_old;
	struct sub_store store;
	uint8_t *buf; /* PROTO_SLICE bytes for requests, the caller's */

	/* for people: what is going on */
	enum sub_phase phase;
	enum sub_end end;
	char code[64], why[PROTO_TEXT_MAX + 1];
	int step;
	struct cli_refusal refusal; /* of the node, with all that it said */
	uint64_t status; /* SUB_REFUSED: which */
	char state[16], reason[160]; /* of the job; "" none */
	uint64_t attempts, wait_s, airtime_s, airtime_p90_s, wall_ms, cpu_ms, memory_kb, kept[3];
	struct id32 image;
	uint64_t done_bytes, total_bytes; /* of this phase */
	uint64_t here_bytes; /* of done_bytes, from an earlier call */
	bool state_changed; /* set here, cleared by the caller */

	/* results */
	uint8_t receipt[JOB_RECEIPT_MAX];
	struct job_receipt r;
	struct sub_output out[MANIFEST_VOLUMES];
	unsigned nout;
	struct left left; /* what they lack; volume: of the manifest */
	struct id32 log_sha[2];
	uint64_t log_size[2];

	/* inner */
	uint64_t seq;
	bool has_seq;
	uint64_t lacks_from; /* seq from which on lacking inputs are news */
	struct upload up;
	uint32_t slice;
	struct mono sent_at, poll_at;
	int64_t poll_us;
	int64_t way_us; /* the quickest answer yet; 0: none */
	uint32_t held_s; /* of the request under way */
	bool asked_whole; /* ... all of an ended job is taken in one */
	bool following[2], eof[2], follow_asked[2];
	uint64_t log_have[2], follow_from[2];
	bool log_again[2]; /* fetched whole once more */
	enum proto_path asked;
	bool waiting; /* for the answer to it */
	uint32_t shut_s; /* a repeat came to a door that is shut (repeat.h) */
	unsigned asked_stream;
	unsigned iout, ilog;
	uint8_t proof_n[32];
	bool proof_wanted;
	uint8_t proof[PROTO_PROOF_LEN];
	bool has_proof;
	unsigned proofs; /* given so far */
	bool bounds_wanted;
	unsigned unwanted; /* slices that were */
};

/* After the fields that are the caller's are set; begins the first phase. */
void sub_init(struct submitter *, struct mono now);
/*
 * What to send now: true and *req (borrows from the machine until the answer),
 * or false: nothing until *at (MONO_NEVER: the end, or a proof or bounds are
 * wanted).
 * Before PATH_FOLLOW is sent the caller opens its reader of that stream.
 */
bool sub_next(struct submitter *, struct mono now, struct proto_req *req,
    struct mono *at);
/* The answer to the request of sub_next(). */
void sub_answer(struct submitter *, struct mono now, const struct proto_ans *);
/* Bytes of a followed stream; eof may come with or without bytes. */
void sub_stream(struct submitter *, unsigned stream, const uint8_t *, size_t,
    bool eof);
/*
 * The link was made anew: streams must be asked for again, proofs made anew. A
 * request that has no answer yet is given up; the next slice is a smaller one.
 */
void sub_link_lost(struct submitter *);
/* The slice that went has arrived, its answer has not: what is there now? */
void sub_unanswered(struct submitter *);
/* A live proof is wanted over proof_n (klp.md 5): s, m. */
void sub_prove(struct submitter *, const uint8_t proof[PROTO_PROOF_LEN]);

#endif
