/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/receipt.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "trust/doc/envelope.h"
#include "common/util.h"
#include "common/wire.h"

static const char *const outcomes[JOB_OUTCOMES] = {
	[JOB_EXITED] = "exited",
	[JOB_SIGNALLED] = "signalled",
	[JOB_KILLED] = "killed",
	[JOB_LOST] = "lost",
	[JOB_CANCELLED] = "cancelled",
};

static const char *const kills[KILL_REASONS] = {
	[KILL_MEMORY] = "memory",
	[KILL_TIME] = "time",
	[KILL_PIDS] = "pids",
	[KILL_OUTPUT] = "output",
	[KILL_REVOKED] = "revoked",
	[KILL_VIOLATION] = "violation",
	[KILL_CANCELLED] = "cancelled",
	[KILL_OPERATOR] = "operator",
	[KILL_WATCHDOG] = "watchdog",
	[KILL_DEADLINE] = "deadline",
};

const char *
outcome_name(unsigned outcome)
{
	return outcome < JOB_OUTCOMES ? outcomes[outcome] : NULL;
}

const char *
kill_name(unsigned reason)
{
	return reason < KILL_REASONS ? kills[reason] : NULL;
}

uint32_t
saturate_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void
hash_entry(crypto_hash_sha256_state *st, const char *path, size_t n,
    const struct id32 *sha, uint64_t size)
{
	uint8_t b[8];

	put_u16(b, (uint16_t)n);
	(void)crypto_hash_sha256_update(st, b, 2);
	(void)crypto_hash_sha256_update(st, (const uint8_t *)path, n);
	(void)crypto_hash_sha256_update(st, HASH_BYTES(*sha));
	put_u64(b, size);
	(void)crypto_hash_sha256_update(st, b, 8);
}

static int
output_cmp(const void *a, const void *b)
{
	const struct job_output *x = a, *y = b;

	return strcmp(x->path, y->path);
}

bool
outputs_root(struct id32 *out, const struct job_output *o, size_t n)
{
	static const char tag[] = "klp/outputs/v1";
	struct job_output sorted[JOB_OUTPUTS_MAX];
	crypto_hash_sha256_state st;

	if (n > JOB_OUTPUTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strlen(o[i].path) > UINT16_MAX)
			return false;
		sorted[i] = o[i];
	}
	qsort(sorted, n, sizeof(sorted[0]), output_cmp);
	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)tag,
	    sizeof(tag) - 1);
	for (size_t i = 0; i < n; i++)
		hash_entry(&st, sorted[i].path, strlen(sorted[i].path),
		    &sorted[i].sha256, sorted[i].size);
	(void)crypto_hash_sha256_final(&st, out->b);
	return true;
}

void
logs_root(struct id32 *out, const struct id32 *stdout_sha, uint64_t stdout_size,
    const struct id32 *stderr_sha, uint64_t stderr_size)
{
	static const char tag[] = "klp/logs/v1";
	crypto_hash_sha256_state st;

	(void)crypto_hash_sha256_init(&st);
	(void)crypto_hash_sha256_update(&st, (const uint8_t *)tag,
	    sizeof(tag) - 1);
	hash_entry(&st, "stderr", 6, stderr_sha, stderr_size);
	hash_entry(&st, "stdout", 6, stdout_sha, stdout_size);
	(void)crypto_hash_sha256_final(&st, out->b);
}

/* Places in the frame: job id, image, roots of outputs and logs, the rest. */
enum { AT_JOB = 13, AT_IMAGE = 45, AT_ROOTS = 77, AT_POLICY = 141,
	AT_NODE = 237 };

/* What is signed: the first 253 bytes. */
static void
job_receipt_frame(uint8_t out[JOB_RECEIPT_FRAME], const struct job_receipt *r)
{
	struct wr w = wr_make(out, JOB_RECEIPT_FRAME);

	wr_bytes(&w, "KR", 2);
	wr_u8(&w, JOB_RECEIPT_VERSION);
	wr_u8(&w, r->outcome);
	wr_i32(&w, r->code);
	wr_u8(&w, r->attempts);
	wr_u32(&w, r->layers);
	wr_bytes(&w, HASH_BYTES(r->job));
	wr_bytes(&w, HASH_BYTES(r->image));
	wr_bytes(&w, HASH_BYTES(r->outputs));
	wr_bytes(&w, HASH_BYTES(r->logs));
	wr_bytes(&w, HASH_BYTES(r->policy));
	wr_bytes(&w, HASH_BYTES(r->trail));
	wr_u32(&w, r->started);
	wr_u32(&w, r->wall_ms);
	wr_u32(&w, r->cpu_ms);
	wr_u32(&w, r->memory_kb);
	wr_u32(&w, r->bytes_in);
	wr_u32(&w, r->bytes_out);
	wr_u32(&w, r->bpf_events);
	wr_u32(&w, r->bpf_lost);
	wr_bytes(&w, r->node, FP16_LEN);
}

void
job_receipt_put(uint8_t out[JOB_RECEIPT_LEN], const struct job_receipt *r)
{
	job_receipt_frame(out, r);
	memcpy(out + JOB_RECEIPT_FRAME, r->sig, SIG_LEN);
}

void
job_receipt_shorten(uint8_t out[JOB_RECEIPT_SHORT],
    const uint8_t whole[JOB_RECEIPT_LEN])
{
	struct wr w = wr_make(out, JOB_RECEIPT_SHORT);

	wr_bytes(&w, whole, AT_JOB);
	wr_bytes(&w, whole + AT_IMAGE, AT_ROOTS - AT_IMAGE);
	wr_bytes(&w, whole + AT_POLICY, AT_NODE - AT_POLICY);
	wr_bytes(&w, whole + JOB_RECEIPT_FRAME, SIG_LEN);
}

void
job_receipt_restore(uint8_t out[JOB_RECEIPT_LEN],
    const uint8_t shorter[JOB_RECEIPT_SHORT], const struct id32 *job,
    const struct id32 *outputs, const struct id32 *logs,
    const uint8_t node[FP16_LEN])
{
	struct wr w = wr_make(out, JOB_RECEIPT_LEN);
	const uint8_t *p = shorter;

	wr_bytes(&w, p, AT_JOB);
	wr_bytes(&w, HASH_BYTES(*job));
	p += AT_JOB;
	wr_bytes(&w, p, AT_ROOTS - AT_IMAGE);
	wr_bytes(&w, HASH_BYTES(*outputs));
	wr_bytes(&w, HASH_BYTES(*logs));
	p += AT_ROOTS - AT_IMAGE;
	wr_bytes(&w, p, AT_NODE - AT_POLICY);
	wr_bytes(&w, node, FP16_LEN);
	p += AT_NODE - AT_POLICY;
	wr_bytes(&w, p, SIG_LEN);
}

static bool
code_ok(const struct job_receipt *r)
{
	switch (r->outcome) {
	case JOB_EXITED:
	case JOB_SIGNALLED:
		return true;
	case JOB_KILLED:
		/* a rule's number goes with a violation only */
		return r->code > 0 && (r->code & 0xff) < KILL_REASONS &&
		    (r->code & 0xff) != 0 &&
		    (r->code < 256 || (r->code & 0xff) == KILL_VIOLATION);
	case JOB_LOST:
	case JOB_CANCELLED:
		return r->code == 0;
	default:
		return false;
	}
}

bool
job_receipt_parse(struct job_receipt *out, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	struct job_receipt v;
	uint8_t magic[2], ver;

	if (!rd_copy(&r, magic, 2) || memcmp(magic, "KR", 2) != 0 ||
	    !rd_u8(&r, &ver) || ver != JOB_RECEIPT_VERSION ||
	    !rd_u8(&r, &v.outcome) || !rd_i32(&r, &v.code) ||
	    !rd_u8(&r, &v.attempts) || !rd_u32(&r, &v.layers) ||
	    !rd_copy(&r, HASH_BYTES(v.job)) ||
	    !rd_copy(&r, HASH_BYTES(v.image)) ||
	    !rd_copy(&r, HASH_BYTES(v.outputs)) ||
	    !rd_copy(&r, HASH_BYTES(v.logs)) ||
	    !rd_copy(&r, HASH_BYTES(v.policy)) ||
	    !rd_copy(&r, HASH_BYTES(v.trail)) || !rd_u32(&r, &v.started) ||
	    !rd_u32(&r, &v.wall_ms) || !rd_u32(&r, &v.cpu_ms) ||
	    !rd_u32(&r, &v.memory_kb) || !rd_u32(&r, &v.bytes_in) ||
	    !rd_u32(&r, &v.bytes_out) || !rd_u32(&r, &v.bpf_events) ||
	    !rd_u32(&r, &v.bpf_lost) || !rd_copy(&r, v.node, FP16_LEN) ||
	    !rd_copy(&r, v.sig, SIG_LEN) || !rd_end(&r) || !code_ok(&v))
		return false;
	*out = v;
	return true;
}

bool
job_receipt_sign(struct job_receipt *r, const struct klp_secret *s,
    const uint8_t aux[32])
{
	uint8_t frame[JOB_RECEIPT_FRAME];
	struct fp fp;
	struct klp_key k;

	if (!secret_public(&k, s))
		return false;
	key_fp(&fp, &k);
	memcpy(r->node, fp.b, FP16_LEN);
	job_receipt_frame(frame, r);
	return pae_sign(r->sig, s, TYPE_RECEIPT, frame, sizeof(frame), aux);
}

bool
job_receipt_verify(const struct job_receipt *r, const struct klp_key *k)
{
	uint8_t frame[JOB_RECEIPT_FRAME];
	struct fp fp;

	key_fp(&fp, k);
	if (memcmp(fp.b, r->node, FP16_LEN) != 0)
		return false;
	job_receipt_frame(frame, r);
	return pae_verify(k, r->sig, TYPE_RECEIPT, frame, sizeof(frame));
}
