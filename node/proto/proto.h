/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PROTO_PROTO_H
#define WARREN_NODE_PROTO_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/left.h"
#include "common/runner.h"
#include "common/wire.h"
#include "node/proto/paths.h"
#include "trust/doc/binding.h"
#include "trust/doc/receipt.h"

/*
 * Requests and answers of compute.md 3, both sides: what a node reads a
 * submitter writes, and the other way round. Pure: msgpack in, structs out.
 * What both sides share is here; requests are in proto_req.h, answers are
 * written by proto_put.h and read by proto_get.h. Everything decoded borrows
 * from the input; nothing allocates. Texts that come from the other side are
 * not NUL-terminated (struct pstr).
 */
#define PROTO_SLICE 262144u	  /* most bytes of a blob in one message */
#define PROTO_ENVELOPE_MAX (96u * 1024)
#define PROTO_HAVE_MAX 1024    /* digests of a blob/have */
#define PROTO_RUNS_MAX 512 /* ... of `runs`, 4 bytes each */
#define PROTO_MISSING_MAX 1024 /* ... of `missing` */
#define PROTO_LIST_MAX 64
#define PROTO_IMAGES_MAX 32
#define PROTO_OUTPUTS_MAX 16
#define PROTO_DELTAS_MAX 32 /* frames of an answer to delta */
#define PROTO_SET_MAX 1024  /* entries of a page of set ... */
#define PROTO_SET_ENTRY 17  /* ... and the bytes of one */
#define PROTO_TEXT_MAX 256 /* `why`, textual `value` */
#define PROTO_ID_LEN 32
#define PROTO_PROOF_LEN 96 /* s, m */
#define PROTO_INT_MAX ((UINT64_C(1) << 53) - 1)

const char *proto_path(enum proto_path); /* "/klp/v1/describe", ... */
void proto_path_hash(struct hash16 *out, enum proto_path);
/* false: none of ours, which gets no answer at all. */
bool proto_path_find(enum proto_path *, const struct hash16 *hash);

enum proto_status {
	ST_OK = 0,
	ST_NOT_MODIFIED = 1,
	ST_NOT_FOUND = 2,
	ST_TOO_LARGE = 3,
	ST_BUSY = 4,
	ST_REFUSED = 5,
	ST_MALFORMED = 6,
	ST_NOT_YET = 7,
	ST_GONE = 8,
};
const char *proto_status_name(uint64_t); /* "ok", ...; "unknown" */

struct pstr {
	const char *p; /* NULL: nil */
	size_t n;
};
struct pbin {
	const uint8_t *p;
	size_t n;
};
struct pstr pstr_of(const char *); /* NULL is fine */

/* Members that both readers know; false: of another kind, size or range. */
bool proto_int(struct rd *, uint64_t *);
bool proto_exact(struct rd *, const uint8_t **p, size_t want);
bool pstr_is(struct pstr, const char *);
/* A copy with a NUL, cut to cap; "" for nil. */
void pstr_copy(char *dst, size_t cap, struct pstr);

/* Digests behind one another; n left. */
struct plist {
	struct rd r;
	size_t n;
};
bool plist_next(struct plist *, const uint8_t **digest);

/* ---- answers: [status, meta, body] ---- */

/* What a meta may hold; 0 and NULL are left out when written. */
struct proto_meta {
	bool has_max, has_s, has_size, has_end, end;
	uint64_t max, s, size;
	struct pstr code; /* refused */
	bool has_step;
	uint64_t step;
	bool has_limit;
	uint64_t limit;
	bool has_value;
	uint64_t value;	    /* when value_text is nil */
	struct pstr value_text; /* which key, which image, ... */
	struct pstr why;
	struct pstr state;  /* not yet */
	const uint8_t *n;   /* 32 bytes: a live proof is asked for */
	/* busy for a budget: whose, what is left, seconds until it is full */
	struct pstr of;
	bool has_left, has_full_s;
	uint64_t left, full_s;
	/* refused for a time: what the node's clock says */
	bool has_time;
	uint64_t time;
	struct pbin runs; /* of job/log, when they were asked for; p NULL */
	/* of documents (klp.md 1.6): version, bytes, digest of the whole */
	bool has_v, has_len;
	uint64_t v, len;
	const uint8_t *sha; /* 32 */
};

/* ---- bodies; written by proto_put.h, read by proto_get.h ---- */

struct proto_limits {
	uint64_t memory, cpu, time, pids, output, log, slice, spool;
};
struct proto_image {
	struct pstr name;
	const uint8_t *digest; /* 32 */
};
struct proto_describe {
	/*
	 * k: name, time, slice, log and output of limits, bytes and left of
	 * budget, binding and slow are all that there is
	 */
	bool brief;
	bool slow; /* read of a brief one; written is whether there is air */
	struct pstr name, urn, key, profile;
	uint64_t roles, runtimes, arch;
	bool accepting;
	struct pstr why; /* it does not accept; nil: it does, or not said */
	int level;
	struct proto_limits limits;
	struct {
		uint64_t jobs_queued, jobs_per_hour, spool;
	} left;
	/* bytes a minute (0: no limit, or not said), left now, s until full */
	struct {
		uint64_t bytes, left, full_s;
	} budget;
	/*
	 * of a slow link: bit/s (0: not said), frames lost of thousand, there
	 * and back, what 1 KiB and 16 KiB of inputs take, and what a job may;
	 * what nine of ten do not go beyond (0: not said)
	 */
	struct {
		uint64_t bitrate, loss, rtt_ms, kib_ms, kib16_ms, max_s;
		uint64_t kib_p90_ms, kib16_p90_ms;
	} air;
	uint64_t queued, running, layers, time;
	/* its number and version (common/runner.h); 0, as absent: native */
	uint64_t runner[1 + RUNNER_PARTS];
	const uint8_t *binding; /* 242; NULL (written as absent): none yet */
	size_t nimages;
	struct proto_image images[PROTO_IMAGES_MAX];
};

struct proto_challenge {
	const uint8_t *binding, *s, *m; /* 242, 64, 32 */
};

struct proto_submitted {
	const uint8_t *id;
	struct pstr state, reason;
	struct plist missing;		      /* read */
	const struct id32 *missing_put;     /* written */
	size_t nmissing;
	bool more;
	const uint8_t *image; /* 32; NULL: nil, none is fixed */
	/* airtime_p90_s: 0 (written as absent): not said, or no other */
	uint64_t wait_s, airtime_s, airtime_p90_s, lease;
};

enum proto_outcome { /* as receipts number them (compute.md 7) */
	OUT_EXITED = 0,
	OUT_SIGNALLED = 1,
	OUT_KILLED = 2,
	OUT_NONE = 0xff, /* nil */
};
struct proto_outcome_v {
	uint8_t kind;
	int64_t code;	    /* exited, signalled */
	struct pstr reason; /* killed */
};
struct proto_job_status {
	const uint8_t *id;
	uint64_t seq;
	struct pstr state, reason;
	struct proto_outcome_v outcome;
	uint64_t attempts, at, progress;
	uint64_t wall_ms, cpu_ms, memory_kb;
	uint64_t log[3]; /* kept of stdout, of stderr; discarded */
};

struct proto_output {
	struct pstr target;
	const uint8_t *sha256;
	uint64_t size;
};
struct proto_result {
	const uint8_t *receipt; /* job_receipt_len() */
	size_t noutputs;
	struct proto_output outputs[PROTO_OUTPUTS_MAX];
	const uint8_t *log_sha[2];
	uint64_t log_size[2];
	struct left left; /* what they lack; volume: which of outputs */
};

/* A job that has ended with little, whole: f of submit and status. */
struct proto_whole {
	const uint8_t *receipt; /* job_receipt_short_len() */
	struct pbin log[2];
	/* of each rw volume, as packed; p NULL: it has none. 0: none has */
	size_t noutputs;
	struct pbin output[PROTO_OUTPUTS_MAX];
};

struct proto_job_line {
	const uint8_t *id;
	struct pstr state, reason;
	struct proto_outcome_v outcome;
	uint64_t at;
};
struct proto_list {
	size_t njobs;
	struct proto_job_line jobs[PROTO_LIST_MAX];
	bool has_next;
	uint64_t next;
};

struct proto_deltas {
	size_t n;
	struct pbin frame[PROTO_DELTAS_MAX];
};

struct proto_review_line {
	const uint8_t *id;
	struct pbin envelope;
	uint64_t at;
};
struct proto_review {
	size_t njobs;
	struct proto_review_line jobs[PROTO_LIST_MAX];
	bool has_next;
	uint64_t next;
};

#endif
