/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_RECEIPT_H
#define WARREN_TRUST_DOC_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/hash.h>

#include "common/runner.h"
#include "trust/doc/keytext.h"
#include "trust/doc/secp.h"

/* The signed receipt of a job (compute.md 7). */
#define JOB_RECEIPT_FRAME 253 /* version 1: what is signed */
#define JOB_RECEIPT_LEN 317
/* version 2 says which runner contained it, when that was not the node's own */
#define JOB_RECEIPT_RUNNER 7
#define JOB_RECEIPT_FRAME_MAX (JOB_RECEIPT_FRAME + JOB_RECEIPT_RUNNER)
#define JOB_RECEIPT_MAX (JOB_RECEIPT_LEN + JOB_RECEIPT_RUNNER)
/* without job id, roots and node fp, which who reads it knows */
#define JOB_RECEIPT_SHORT 205
#define JOB_RECEIPT_SHORT_MAX (JOB_RECEIPT_SHORT + JOB_RECEIPT_RUNNER)

enum job_outcome {
	JOB_EXITED = 0,	   /* code: exit code */
	JOB_SIGNALLED = 1, /* code: signal */
	JOB_KILLED = 2,	   /* code: reason + 256 * rule */
	JOB_LOST = 3,
	JOB_CANCELLED = 4, /* before it started */
	JOB_OUTCOMES
};

enum kill_reason {
	KILL_MEMORY = 1,
	KILL_TIME = 2,
	KILL_PIDS = 3,
	KILL_OUTPUT = 4,
	KILL_REVOKED = 5,
	KILL_VIOLATION = 6, /* with its rule's number */
	KILL_CANCELLED = 7,
	KILL_OPERATOR = 8,
	KILL_WATCHDOG = 9,
	KILL_DEADLINE = 10,
	KILL_REASONS
};

struct job_receipt {
	uint8_t outcome;
	int32_t code;
	uint8_t attempts;
	uint32_t layers; /* common/layers.h */
	struct id32 job, image;
	struct id32 outputs, logs; /* roots, below */
	struct id32 policy, trail; /* zeros: not available */
	uint32_t started;	       /* unix seconds */
	uint32_t wall_ms, cpu_ms, memory_kb;
	uint32_t bytes_in, bytes_out;
	uint32_t bpf_events, bpf_lost;
	uint8_t runner; /* enum runner: 0 is version 1, else version 2 */
	uint16_t version[RUNNER_PARTS]; /* of it; zeros: it says none */
	uint8_t node[FP16_LEN];
	uint8_t sig[SIG_LEN];
};

/* "exited", "signalled", "killed", "lost", "cancelled"; NULL. */
const char *outcome_name(unsigned outcome);
/* "memory", ...; NULL. */
const char *kill_name(unsigned reason);

/* Counters of the frame saturate. */
uint32_t saturate_u32(uint64_t);

/*
 * Roots. An output is its path, digest and size; outputs_root() sorts a copy
 * of at most JOB_OUTPUTS_MAX; false: more than that, or a path over 65,535.
 */
#define JOB_OUTPUTS_MAX 16
struct job_output {
	const char *path;
	struct id32 sha256;
	uint64_t size;
};
/* Over outputs by path; false: too many, or a path too long. */
bool outputs_root(struct id32 *out, const struct job_output *, size_t n);
/* The root over the two streams. */
void logs_root(struct id32 *out, const struct id32 *stdout_sha,
    uint64_t stdout_size, const struct id32 *stderr_sha, uint64_t stderr_size);

/* All of it, signature included: how many bytes. */
size_t job_receipt_put(uint8_t out[JOB_RECEIPT_MAX], const struct job_receipt *);
/* How many bytes a receipt has, or a shorter one, by the version in it. */
size_t job_receipt_len(const uint8_t *whole);
size_t job_receipt_short_len(const uint8_t *shorter);
/*
 * What of it nobody can know who has the job, its logs, its outputs and the
 * node's key (compute.md 3.4), and the whole again.
 */
size_t job_receipt_shorten(uint8_t out[JOB_RECEIPT_SHORT_MAX],
    const uint8_t *whole);
size_t job_receipt_restore(uint8_t out[JOB_RECEIPT_MAX],
    const uint8_t *shorter, const struct id32 *job,
    const struct id32 *outputs, const struct id32 *logs,
    const uint8_t node[FP16_LEN]);
/*
 * Form: length, magic, version, outcome and code; a version 2 that could be a
 * version 1 is none. The signature is not read.
 */
bool job_receipt_parse(struct job_receipt *, const uint8_t *buf, size_t len);
/* Sets node to the key's fp16, and sig. */
bool job_receipt_sign(struct job_receipt *, const struct klp_secret *,
    const uint8_t aux[32]);
/* Under the node's key and scheme, whose fp16 must be the frame's. */
bool job_receipt_verify(const struct job_receipt *, const struct klp_key *);

#endif
