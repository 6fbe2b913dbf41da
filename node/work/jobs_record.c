/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/jobs.h"

#include <stdlib.h>
#include <string.h>

/*
 * The job's row of the ledger as bytes: written and read here only, checked
 * when read, since a disk is a stranger too.
 */
#define RECORD_VERSION 3
#define RECORD_VERSION_2 2 /* without limits of the disk, doubts of its deadline */
#define RECORD_VERSION_1 1 /* ... and what packing left out */

static void
put_left(struct wr *w, const struct left *l)
{
	wr_u32(w, l != NULL ? l->count : 0);
	if (l == NULL || l->count == 0)
		return;
	wr_u16(w, l->len);
	wr_bytes(w, l->buf, l->len);
}

size_t
job_encode(uint8_t *out, size_t cap, const struct job *j)
{
	struct wr w = wr_make(out, cap);

	wr_u8(&w, RECORD_VERSION);
	wr_bytes(&w, HASH_BYTES(j->id));
	wr_bytes(&w, HASH_BYTES(j->owner));
	wr_bytes(&w, j->rns_public, 64);
	wr_bytes(&w, HASH_BYTES(j->rns_hash));
	wr_bytes(&w, j->nonce, 16);
	wr_u64(&w, j->order);
	wr_u32(&w, j->not_after);
	wr_u32(&w, j->deadline);
	wr_u32(&w, j->admitted_at);
	wr_u8(&w, j->retries);
	wr_i32(&w, j->level);
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		wr_u64(&w, j->limits.v[i]);
	wr_bytes(&w, HASH_BYTES(j->image));
	wr_u8(&w, (uint8_t)j->state);
	wr_str(&w, j->reason);
	wr_u8(&w, j->outcome);
	wr_i32(&w, j->code);
	wr_u64(&w, j->seq);
	wr_u32(&w, j->attempts);
	wr_u32(&w, j->at);
	wr_u32(&w, j->started);
	wr_u64(&w, j->wall_ms);
	wr_u64(&w, j->cpu_ms);
	wr_u64(&w, j->memory_kb);
	wr_u64(&w, j->cpu_before);
	wr_u64(&w, j->oom_before);
	wr_u32(&w, j->layers);
	wr_bytes(&w, HASH_BYTES(j->policy));
	wr_bytes(&w, HASH_BYTES(j->trail));
	wr_u64(&w, j->bytes_in);
	for (unsigned i = 0; i < 3; i++)
		wr_u64(&w, j->log[i]);
	wr_bytes(&w, j->log_sha, sizeof(j->log_sha));
	wr_bool(&w, j->expired);
	wr_bool(&w, j->has_receipt);
	if (j->has_receipt)
		wr_bytes(&w, j->receipt, job_receipt_len(j->receipt));
	wr_u8(&w, (uint8_t)j->nouts);
	for (unsigned i = 0; i < j->nouts; i++) {
		const struct job_out *o = &j->outs[i];

		wr_u8(&w, o->volume);
		wr_bool(&w, o->packed);
		wr_bytes(&w, HASH_BYTES(o->sha256));
		wr_u64(&w, o->size);
		wr_str(&w, o->target);
	}
	put_left(&w, j->left);
	wr_u32(&w, j->doubted);
	/* nothing is there of the node's own jail, as before there were others */
	if (j->runner != RUNNER_NATIVE) {
		wr_u8(&w, j->runner);
		for (unsigned i = 0; i < RUNNER_PARTS; i++)
			wr_u16(&w, j->runner_version[i]);
	}
	return wr_ok(&w) ? w.len : 0;
}

static bool
get_who(struct rd *r, uint8_t version, struct job *j)
{
	int32_t level;

	if (!rd_copy(r, HASH_BYTES(j->id)) ||
	    !rd_copy(r, HASH_BYTES(j->owner)) ||
	    !rd_copy(r, j->rns_public, 64) ||
	    !rd_copy(r, HASH_BYTES(j->rns_hash)) || !rd_copy(r, j->nonce, 16) ||
	    !rd_u64(r, &j->order) || !rd_u32(r, &j->not_after) ||
	    !rd_u32(r, &j->deadline) || !rd_u32(r, &j->admitted_at) ||
	    !rd_u8(r, &j->retries) || !rd_i32(r, &level) || level < 0 ||
	    level > LEVEL_MAX)
		return false;
	j->level = level;
	for (unsigned i = 0; i < (version < RECORD_VERSION ? LIMITS_BEFORE_IO :
	    LIMIT_COUNT); i++) {
		if (!rd_u64(r, &j->limits.v[i]))
			return false;
	}
	return rd_copy(r, HASH_BYTES(j->image));
}

static bool
get_state(struct rd *r, struct job *j)
{
	uint8_t state;

	if (!rd_u8(r, &state) || state >= JS_COUNT ||
	    !rd_str(r, j->reason, sizeof(j->reason)) ||
	    !rd_u8(r, &j->outcome) || !rd_i32(r, &j->code) ||
	    !rd_u64(r, &j->seq) || !rd_u32(r, &j->attempts) ||
	    !rd_u32(r, &j->at))
		return false;
	j->state = (enum job_state)state;
	return j->outcome <= OUT_KILLED || j->outcome == OUT_NONE;
}

static bool
get_receipt(struct rd *r, uint8_t *out)
{
	return rd_copy(r, out, JOB_RECEIPT_LEN) && rd_copy(r, out +
	    JOB_RECEIPT_LEN, job_receipt_len(out) - JOB_RECEIPT_LEN);
}

static bool
get_runner(struct rd *r, struct job *j)
{
	if (rd_left(r) == 0)
		return true;
	if (!rd_u8(r, &j->runner) || j->runner == RUNNER_NATIVE)
		return false;
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		if (!rd_u16(r, &j->runner_version[i]))
			return false;
	return true;
}

static bool
get_run(struct rd *r, struct job *j)
{
	if (!rd_u32(r, &j->started) || !rd_u64(r, &j->wall_ms) ||
	    !rd_u64(r, &j->cpu_ms) || !rd_u64(r, &j->memory_kb) ||
	    !rd_u64(r, &j->cpu_before) || !rd_u64(r, &j->oom_before) ||
	    !rd_u32(r, &j->layers) || !rd_copy(r, HASH_BYTES(j->policy)) ||
	    !rd_copy(r, HASH_BYTES(j->trail)) || !rd_u64(r, &j->bytes_in))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!rd_u64(r, &j->log[i]))
			return false;
	}
	return rd_copy(r, j->log_sha, sizeof(j->log_sha)) &&
	    rd_bool(r, &j->expired) && rd_bool(r, &j->has_receipt) &&
	    (!j->has_receipt || get_receipt(r, j->receipt));
}

static bool
get_outs(struct rd *r, struct job *j)
{
	uint8_t n;

	if (!rd_u8(r, &n) || n > MANIFEST_VOLUMES)
		return false;
	if (n == 0)
		return true;
	if ((j->outs = calloc(n, sizeof(*j->outs))) == NULL)
		return false;
	j->nouts = n;
	for (unsigned i = 0; i < n; i++) {
		struct job_out *o = &j->outs[i];

		if (!rd_u8(r, &o->volume) || o->volume >= MANIFEST_VOLUMES ||
		    !rd_bool(r, &o->packed) ||
		    !rd_copy(r, HASH_BYTES(o->sha256)) ||
		    !rd_u64(r, &o->size) ||
		    !rd_str(r, o->target, sizeof(o->target)))
			return false;
	}
	return true;
}

static bool
get_left(struct rd *r, uint8_t version, struct job *j)
{
	const uint8_t *bytes;
	uint32_t count = 0;
	uint16_t len;

	if (version == RECORD_VERSION_1)
		return true;
	if (!rd_u32(r, &count))
		return false;
	if (count == 0)
		return true;
	if (!rd_u16(r, &len) || len > LEFT_BYTES || !rd_ref(r, &bytes, len) ||
	    (j->left = malloc(sizeof(*j->left))) == NULL)
		return false;
	left_set(j->left, count, bytes, len);
	return true;
}

struct job *
job_decode(const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	struct job *j = calloc(1, sizeof(*j));
	uint8_t version;

	if (j == NULL)
		return NULL;
	if (!rd_u8(&r, &version) ||
	    version < RECORD_VERSION_1 || version > RECORD_VERSION ||
	    !get_who(&r, version, j) || !get_state(&r, j) || !get_run(&r, j) ||
	    !get_outs(&r, j) || !get_left(&r, version, j) ||
	    (version > RECORD_VERSION_2 && !rd_u32(&r, &j->doubted)) ||
	    !get_runner(&r, j) || !rd_end(&r)) {
		job_free(j);
		return NULL;
	}
	j->review_gen = JOB_GEN_NONE;
	return j;
}
