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
enum { AT_VERSION = 2, AT_JOB = 13, AT_IMAGE = 45, AT_ROOTS = 77,
	AT_POLICY = 141, AT_RUNNER = 237 };
#define VERSION_NATIVE 1
#define VERSION_RUNNER 2

/* Bytes that a version has more than the first. */
static size_t
more(const uint8_t *p)
{
	return p[AT_VERSION] == VERSION_RUNNER ? JOB_RECEIPT_RUNNER : 0;
}

size_t
job_receipt_len(const uint8_t *whole)
{
	return JOB_RECEIPT_LEN + more(whole);
}

size_t
job_receipt_short_len(const uint8_t *shorter)
{
	return JOB_RECEIPT_SHORT + more(shorter);
}

/* What is signed: its first 253 bytes, or 260. */
static size_t
job_receipt_frame(uint8_t out[JOB_RECEIPT_FRAME_MAX],
    const struct job_receipt *r)
{
	struct wr w = wr_make(out, JOB_RECEIPT_FRAME_MAX);

	wr_bytes(&w, "KR", 2);
	wr_u8(&w, r->runner == RUNNER_NATIVE ? VERSION_NATIVE : VERSION_RUNNER);
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
	if (r->runner != RUNNER_NATIVE) {
		wr_u8(&w, r->runner);
		for (unsigned i = 0; i < RUNNER_PARTS; i++)
			wr_u16(&w, r->version[i]);
	}
	wr_bytes(&w, r->node, FP16_LEN);
	return w.len;
}

size_t
job_receipt_put(uint8_t out[JOB_RECEIPT_MAX], const struct job_receipt *r)
{
	size_t n = job_receipt_frame(out, r);

	memcpy(out + n, r->sig, SIG_LEN);
	return n + SIG_LEN;
}

size_t
job_receipt_shorten(uint8_t out[JOB_RECEIPT_SHORT_MAX], const uint8_t *whole)
{
	struct wr w = wr_make(out, JOB_RECEIPT_SHORT_MAX);
	size_t node = AT_RUNNER + more(whole);

	wr_bytes(&w, whole, AT_JOB);
	wr_bytes(&w, whole + AT_IMAGE, AT_ROOTS - AT_IMAGE);
	wr_bytes(&w, whole + AT_POLICY, node - AT_POLICY);
	wr_bytes(&w, whole + node + FP16_LEN, SIG_LEN);
	return w.len;
}

size_t
job_receipt_restore(uint8_t out[JOB_RECEIPT_MAX], const uint8_t *shorter,
    const struct id32 *job, const struct id32 *outputs, const struct id32 *logs,
    const uint8_t node[FP16_LEN])
{
	struct wr w = wr_make(out, JOB_RECEIPT_MAX);
	size_t rest = AT_RUNNER + more(shorter) - AT_POLICY;
	const uint8_t *p = shorter;

	wr_bytes(&w, p, AT_JOB);
	wr_bytes(&w, HASH_BYTES(*job));
	p += AT_JOB;
	wr_bytes(&w, p, AT_ROOTS - AT_IMAGE);
	wr_bytes(&w, HASH_BYTES(*outputs));
	wr_bytes(&w, HASH_BYTES(*logs));
	p += AT_ROOTS - AT_IMAGE;
	wr_bytes(&w, p, rest);
	wr_bytes(&w, node, FP16_LEN);
	p += rest;
	wr_bytes(&w, p, SIG_LEN);
	return w.len;
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

static bool
get_runner(struct rd *r, struct job_receipt *v, uint8_t version)
{
	v->runner = RUNNER_NATIVE;
	memset(v->version, 0, sizeof(v->version));
	if (version == VERSION_NATIVE)
		return true;
	if (version != VERSION_RUNNER || !rd_u8(r, &v->runner) ||
	    v->runner == RUNNER_NATIVE)
		return false;
	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		if (!rd_u16(r, &v->version[i]))
			return false;
	return true;
}

bool
job_receipt_parse(struct job_receipt *out, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	struct job_receipt v;
	uint8_t magic[2], ver;

	if (!rd_copy(&r, magic, 2) || memcmp(magic, "KR", 2) != 0 ||
	    !rd_u8(&r, &ver) ||
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
	    !rd_u32(&r, &v.bpf_lost) || !get_runner(&r, &v, ver) ||
	    !rd_copy(&r, v.node, FP16_LEN) ||
	    !rd_copy(&r, v.sig, SIG_LEN) || !rd_end(&r) || !code_ok(&v))
		return false;
	*out = v;
	return true;
}

bool
job_receipt_sign(struct job_receipt *r, const struct klp_secret *s,
    const uint8_t aux[32])
{
	uint8_t frame[JOB_RECEIPT_FRAME_MAX];
	struct fp fp;
	struct klp_key k;
	size_t n;

	if (!secret_public(&k, s))
		return false;
	key_fp(&fp, &k);
	memcpy(r->node, fp.b, FP16_LEN);
	n = job_receipt_frame(frame, r);
	return pae_sign(r->sig, s, TYPE_RECEIPT, frame, n, aux);
}

bool
job_receipt_verify(const struct job_receipt *r, const struct klp_key *k)
{
	uint8_t frame[JOB_RECEIPT_FRAME_MAX];
	struct fp fp;
	size_t n;

	key_fp(&fp, k);
	if (memcmp(fp.b, r->node, FP16_LEN) != 0)
		return false;
	n = job_receipt_frame(frame, r);
	return pae_verify(k, r->sig, TYPE_RECEIPT, frame, n);
}
