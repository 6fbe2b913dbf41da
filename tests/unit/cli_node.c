/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/taken.h"
#include "tests/unit/cli_node.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "common/mpk.h"
#include "common/util.h"
#include "node/proto/proto_put.h"

static void
put_text(struct cn_bytes *b, const char *text)
{
	b->n = strlen(text);
	memcpy(b->b, text, b->n);
}

/* ---- our side ---- */

static bool
store_input(void *arg, const struct id32 *sha, uint64_t offset, uint8_t *out,
    size_t n)
{
	struct world *w = arg;

	for (int i = 0; i < 2; i++)
		if (id32_eq(&w->m.volume[i].blob.sha256, sha)) {
			assert_true(offset + n <= w->input[i].n);
			memcpy(out, w->input[i].b + offset, n);
			return !w->input_fails;
		}
	return false;
}

static bool
store_at(struct world *w, struct cn_bytes *b, uint64_t offset,
    const uint8_t *p, size_t n)
{
	if (w->store_fails)
		return false;
	assert_true(offset + n <= CN_BLOB);
	if (offset == 0)
		b->n = 0;
	if (n > 0)
		memcpy(b->b + offset, p, n);
	b->n = MAX_OF(b->n, offset + n);
	return true;
}

static uint64_t
output_here(void *arg, unsigned volume, const struct id32 *sha, uint64_t size)
{
	const struct world *w = arg;

	(void)sha->b;
	assert_int_equal(volume, 1);
	assert_int_equal(size, w->node_out.n);
	return w->here;
}

static bool
store_output(void *arg, unsigned volume, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct world *w = arg;

	return store_at(w, &w->out[volume], offset, p, n);
}

static bool
store_log(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct world *w = arg;

	w->written[stream - 1] += n;
	return store_at(w, &w->log[stream - 1], offset, p, n);
}

static bool
output_digest(void *arg, unsigned volume, struct id32 *out)
{
	const struct world *w = arg;

	rns_sha256(out, w->out[volume].b, w->out[volume].n);
	return true;
}

static bool
log_digest(void *arg, unsigned stream, struct id32 *out)
{
	const struct world *w = arg;

	rns_sha256(out, w->log[stream - 1].b, w->log[stream - 1].n);
	return true;
}

struct world *
world_new(void)
{
	static const uint8_t seed[32] = {7};
	struct world *w = calloc(1, sizeof(*w));
	struct manifest *m;
	struct klp_key key;

	assert_non_null(w);
	assert_true(secp_init(seed));
	w->secret = (struct klp_secret){.kind = KEY_SECP256K1};
	memset(w->secret.raw, 5, 32);
	assert_true(secret_public(&key, &w->secret));
	m = &w->m;
	manifest_init(m);
	memset(&m->job, 0x4a, sizeof(m->job));
	m->nvolumes = 2;
	(void)snprintf(m->volume[0].target, sizeof(m->volume[0].target),
	    "/agent/data");
	(void)snprintf(m->volume[1].target, sizeof(m->volume[1].target),
	    "/agent/tmp");
	m->volume[1].rw = true;
	for (int i = 0; i < 2; i++) {
		w->input[i].n = i == 0 ? 100000 : 1024;
		for (size_t k = 0; k < w->input[i].n; k++)
			w->input[i].b[k] = (uint8_t)(k * 31 + (size_t)i);
		rns_sha256(&m->volume[i].blob.sha256, w->input[i].b,
		    w->input[i].n);
		m->volume[i].blob.size = w->input[i].n;
	}
	put_text(&w->node_log[0], "first line\nsecond line\n");
	put_text(&w->node_log[1], "careful\n");
	w->node_out.n = 70000;
	memset(w->node_out.b, 'o', w->node_out.n);
	w->end_state = "done";
	w->attempts = 1;
	w->rtt_us = 10000;
	w->running_polls = 3;
	w->follow_cut = UINT64_MAX;
	w->slice_min = UINT32_MAX;
	w->s.manifest = m;
	w->s.envelope = (const uint8_t *)"envelope";
	w->s.envelope_len = 8;
	w->s.binding = w->buf; /* not looked at here */
	w->s.node_key = key;
	w->s.buf = w->buf;
	w->s.store = (struct sub_store){w, store_input, w, output_here,
	    store_output, store_log, output_digest, log_digest};
	return w;
}

void
world_free(struct world *w)
{
	manifest_clear(&w->m);
	free(w);
}

/* ---- the node ---- */

static void make_result(struct world *, struct proto_result *,
    struct job_receipt *);

/* All of the job in one, as it was asked for. */
static bool
answer_whole(struct world *w, struct wr *out, const struct proto_req *q)
{
	static uint8_t shorter[JOB_RECEIPT_SHORT_MAX];
	struct proto_whole f = {.receipt = shorter};
	struct proto_result v = {0};
	struct job_receipt r;

	if (q->whole == 0)
		return false;
	make_result(w, &v, &r);
	(void)job_receipt_shorten(shorter, v.receipt);
	for (int i = 0; i < 2; i++)
		f.log[i] = (struct pbin){w->node_log[i].b, w->node_log[i].n};
	f.log[1].n -= w->lie == LIE_LOG_SHORT;
	if (!w->no_outputs && w->node_out.n > q->outputs)
		return false;
	f.noutputs = !w->no_outputs + (size_t)(w->lie == LIE_RO_OUTPUT);
	for (size_t i = 0; i < f.noutputs; i++)
		f.output[i] = (struct pbin){w->node_out.b, w->node_out.n -
			(w->lie == LIE_OUTPUT_SHORT)};
	if (w->lie == LIE_OUTPUTS)
		f.output[0].p = NULL;
	proto_ans_head(out, ST_OK, NULL);
	proto_put_whole(out, &f);
	w->wholes++;
	return true;
}

static void
answer_submit(struct world *w, struct wr *out, const struct proto_req *q)
{
	struct proto_submitted v =
	    {.id = w->m.job.b, .state = pstr_of(w->over ? w->end_state :
		"queued")};
	static const uint8_t n[32] = {9};
	struct id32 missing[3];

	if (w->refuse_code != NULL) {
		struct proto_meta meta = {.code = pstr_of(w->refuse_code),
		    .has_step = true,
		    .step = (uint64_t)w->refuse_step,
		    .why = pstr_of(w->refuse_why)};

		proto_ans_put(out, ST_REFUSED, &meta);
		return;
	}
	if (w->submits++ > 0 && w->shut > 0) {
		struct proto_meta meta = {.code = pstr_of("not_accepting"),
		    .has_step = true, .step = 1, .has_s = true, .s = 30,
		    .why = pstr_of("the disk of the node is full")};

		meta.has_s = !w->shut_silent;
		w->shut--;
		proto_ans_put(out, ST_REFUSED, &meta);
		return;
	}
	w->bound += q->binding != NULL;
	if (w->forgets && w->bound == 0) {
		struct proto_meta meta = {.code = pstr_of("binding"),
		    .has_step = true,
		    .step = 4};

		proto_ans_put(out, ST_REFUSED, &meta);
		return;
	}
	w->proofs_seen += q->proof != NULL;
	if (w->proofs_wanted > w->proofs_seen) {
		struct proto_meta meta = {.code = pstr_of("binding"),
		    .has_step = true,
		    .step = 4,
		    .n = n};

		proto_ans_put(out, ST_REFUSED, &meta);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (w->has[i].n < w->input[i].n)
			missing[v.nmissing++] = w->m.volume[i].blob.sha256;
	if (w->whole_at_submit && v.nmissing == 0 && answer_whole(w, out, q))
		return;
	if (w->lie == LIE_STRANGE_BLOB)
		memset(&missing[v.nmissing++], 0x11, sizeof(struct id32));
	if (w->lie == LIE_OTHER_ANSWER)
		v.id = w->secret.raw;
	v.reason = pstr_of(v.nmissing > 0 ? "inputs" : "slots");
	v.missing_put = missing;
	proto_ans_head(out, ST_OK, NULL);
	proto_put_submitted(out, &v);
}

static void
answer_put(struct world *w, struct wr *out, const struct proto_req *q)
{
	int i = !id32_eq(id32_at(q->digest), &w->m.volume[0].blob.sha256);
	struct cn_bytes *b = &w->has[i];

	if (w->unwanted > 0) {
		struct proto_meta meta = {.code = pstr_of("not_wanted"),
		    .has_step = true};

		w->unwanted--;
		proto_ans_put(out, ST_REFUSED, &meta);
		return;
	}
	w->puts++;
	assert_int_equal(q->n, w->input[i].n);
	if (q->body.n > 0) {
		w->slice_max = MAX_OF(w->slice_max, (uint32_t)q->body.n);
		w->slice_min = MIN_OF(w->slice_min, (uint32_t)q->body.n);
	}
	assert_true(q->offset + q->body.n <= q->n);
	if (q->offset <= b->n && q->offset + q->body.n > b->n) {
		memcpy(b->b + q->offset, q->body.p, q->body.n);
		b->n = q->offset + q->body.n;
	}
	if (b->n == q->n && w->digest_error) {
		struct proto_meta meta = {.code = pstr_of("digest"),
		    .has_step = true};

		b->n = 0;
		proto_ans_head(out, ST_REFUSED, &meta);
		proto_put_have(out, 0);
		return;
	}
	proto_ans_head(out, ST_OK, NULL);
	proto_put_have(out, w->lie == LIE_HAVE ? q->n + 1 : b->n);
}

static void
answer_status(struct world *w, struct wr *out, const struct proto_req *q)
{
	bool waits = w->shut_waits > 0 && w->shut_waits-- > 0;
	bool over = !waits && w->statuses++ >= w->running_polls;
	struct proto_job_status v = {.id = w->m.job.b,
	    .seq = (over ? 3 : 2) + 10 * w->attempts,
	    .state = pstr_of(over ? w->end_state : "running"),
	    .reason = pstr_of(over ? w->end_reason : NULL),
	    .outcome = {.kind = OUT_NONE},
	    .attempts = w->attempts};

	if (w->never_had) {
		proto_ans_put(out, ST_NOT_FOUND, NULL);
		return;
	}
	if (waits) {
		v.state = pstr_of("queued");
		v.reason = pstr_of("inputs");
	}
	if (w->late_stream && over && q->whole > 0)
		for (unsigned i = 0; i < 2; i++)
			sub_stream(&w->s, i + 1, w->late_other ?
			    w->node_out.b : w->node_log[i].b,
			    w->node_log[i].n / (i + 1), false);
	if (w->whole_at_status && over && answer_whole(w, out, q))
		return;
	if (q->has_since && q->since == v.seq) {
		if (w->holds)
			w->now = mono_add(w->now,
			    (int64_t)q->wait_s * MONO_SECOND);
		proto_ans_put(out, ST_NOT_MODIFIED, NULL);
		return;
	}
	proto_ans_head(out, ST_OK, NULL);
	proto_put_status(out, &v);
}

static void
answer_bytes(struct world *w, struct wr *out, const struct cn_bytes *b,
    const struct proto_req *q, bool other, bool shorter)
{
	size_t size = shorter ? b->n - 1 : b->n;
	size_t o = MIN_OF(q->offset, size);
	size_t n = MIN_OF(MIN_OF(q->n, PROTO_SLICE), size - o);
	struct proto_meta meta = {.has_size = true, .size = size};
	static uint8_t copy[CN_BLOB];

	(void)w;
	memcpy(copy, b->b + o, n);
	if (other && n > 0)
		copy[0] ^= 1;
	proto_ans_head(out, ST_OK, &meta);
	mpk_put_bin(out, copy, n);
}

static void
make_result(struct world *w, struct proto_result *v, struct job_receipt *r)
{
	static struct id32 sha[3];
	static uint8_t raw[JOB_RECEIPT_MAX];
	struct job_output o = {.path = "/agent/tmp", .size = w->node_out.n};
	struct klp_secret secret = w->secret;

	rns_sha256(&sha[0], w->node_log[0].b, w->node_log[0].n);
	rns_sha256(&sha[1], w->node_log[1].b, w->node_log[1].n);
	rns_sha256(&sha[2], w->node_out.b, w->node_out.n);
	o.sha256 = sha[2];
	*r = (struct job_receipt){.outcome = w->outcome,
	    .code = w->code,
	    .attempts = (uint8_t)w->attempts,
	    .started = 1800000000};
	r->job = w->m.job;
	r->job.b[0] ^= w->lie == LIE_OTHER_JOB;
	assert_true(outputs_root(&r->outputs, &o,
	    w->no_outputs ? 0 : 1));
	logs_root(&r->logs, &sha[0], w->node_log[0].n, &sha[1],
	    w->node_log[1].n);
	secret.raw[31] ^= w->lie == LIE_OTHER_KEY;
	assert_true(job_receipt_sign(r, &secret, NULL));
	(void)job_receipt_put(raw, r);
	raw[300] ^= w->lie == LIE_SIGNATURE;
	v->receipt = raw;
	v->noutputs = 1;
	v->left = w->node_left;
	v->outputs[0].target = pstr_of(
	    w->lie == LIE_RO_OUTPUT ? "/agent/data" : "/agent/tmp");
	v->outputs[0].sha256 = sha[2].b;
	v->outputs[0].size = w->node_out.n + (w->lie == LIE_OUTPUTS);
	for (int i = 0; i < 2; i++) {
		v->log_sha[i] = sha[i].b;
		v->log_size[i] = w->node_log[i].n + (w->lie == LIE_LOGS);
	}
}

static void
answer_result(struct world *w, struct wr *out)
{
	struct proto_result v = {0};
	struct job_receipt r;

	if (w->not_yet > 0) {
		struct proto_meta meta = {.state = pstr_of(
					      w->not_yet_state != NULL ?
						  w->not_yet_state :
						  "done")};

		w->not_yet--;
		proto_ans_put(out, ST_NOT_YET, &meta);
		return;
	}
	make_result(w, &v, &r);
	proto_ans_head(out, ST_OK, NULL);
	proto_put_result(out, &v);
}

/* The stream in pieces, then its end. */
static void
stream(struct world *w, unsigned i, uint64_t from)
{
	const struct cn_bytes *b = &w->node_log[i];
	uint64_t at = MIN_OF(from, b->n);

	while (at < b->n) {
		size_t n = MIN_OF(b->n - at, 7);

		sub_stream(&w->s, i + 1, b->b + at, n, false);
		at += n;
	}
	sub_stream(&w->s, i + 1, NULL, 0, true);
}

static void
answer_follow(struct world *w, struct wr *out, const struct proto_req *q)
{
	unsigned i = q->stream - 1u;

	w->follows[i]++;
	if (w->no_follow) {
		struct proto_meta meta = {.has_s = true, .s = 1};

		proto_ans_put(out, ST_NOT_FOUND, &meta);
		return;
	}
	if (w->early_stream)
		stream(w, i, MIN_OF(q->offset, w->follow_cut));
	proto_ans_head(out, ST_OK, NULL);
	proto_put_offset(out, MIN_OF(q->offset, w->follow_cut));
}

static void
answer(struct world *w, struct wr *out, const struct proto_req *q)
{
	switch (q->path) {
	case PATH_SUBMIT:
		answer_submit(w, out, q);
		break;
	case PATH_BLOB_PUT:
		answer_put(w, out, q);
		break;
	case PATH_STATUS:
		answer_status(w, out, q);
		break;
	case PATH_FOLLOW:
		answer_follow(w, out, q);
		break;
	case PATH_RESULT:
		answer_result(w, out);
		break;
	case PATH_BLOB_GET:
		w->got += MIN_OF(q->n, w->node_out.n - q->offset);
		answer_bytes(w, out, &w->node_out, q,
		    w->lie == LIE_OUTPUT_BYTES, w->lie == LIE_OUTPUT_SHORT);
		break;
	case PATH_LOG:
		answer_bytes(w, out, &w->node_log[q->stream - 1], q,
		    w->lie == LIE_LOG_BYTES, w->lie == LIE_LOG_SHORT);
		break;
	default:
		fail_msg("an unexpected request: %s", proto_path(q->path));
	}
}

static void
exchange(struct world *w, const struct proto_req *req)
{
	static uint8_t wire[PROTO_REQUEST_MAX];
	struct wr out = wr_make(wire, sizeof(wire));
	struct proto_req got;
	struct proto_ans ans;
	const char *why;
	uint64_t max;
	bool stream_after;

	proto_req_put(&out, req);
	assert_true(wr_ok(&out));
	assert_int_equal(proto_req_get(&got, req->path, wire, out.len, &why,
			     &max), 0);
	w->now = mono_add(w->now, w->rtt_us);
	if (w->bytes_per_s > 0)
		w->now = mono_add(w->now,
		    (int64_t)(out.len * 1000000 / w->bytes_per_s));
	out = wr_make(w->answer, sizeof(w->answer));
	answer(w, &out, &got);
	assert_true(wr_ok(&out));
	w->answer_len = out.len;
	if (w->on_answer != NULL)
		w->on_answer(w);
	assert_true(proto_ans_get(&ans, w->answer, w->answer_len));
	stream_after = req->path == PATH_FOLLOW && ans.status == ST_OK &&
	    !w->early_stream && !w->no_stream;
	sub_answer(&w->s, w->now, &ans);
	if (stream_after)
		stream(w, got.stream - 1u, MIN_OF(got.offset, w->follow_cut));
}

/* Bytes that move with this request, or with its answer. */
static uint64_t
slice_of(const struct proto_req *q)
{
	if (q->path == PATH_BLOB_PUT)
		return q->body.n;
	return q->path == PATH_BLOB_GET || q->path == PATH_LOG ? q->n : 0;
}

static bool
breaks_under(const struct world *w, const struct proto_req *q)
{
	return w->break_over != 0 && slice_of(q) > w->break_over;
}

void
world_run(struct world *w, unsigned steps)
{
	static const uint8_t proof[PROTO_PROOF_LEN] = {3};
	struct proto_req req;
	struct mono at;

	if (w->requests == 0)
		sub_init(&w->s, w->now);
	for (unsigned i = 0; i < steps && w->s.phase != SUB_END; i++) {
		if (!sub_next(&w->s, w->now, &req, &at)) {
			if (w->s.phase == SUB_END)
				break;
			if (w->s.bounds_wanted) {
				w->bounds++;
				taken_bounds(&w->s, w->log_now, w->output_now);
				continue;
			}
			if (at.us == INT64_MAX) {
				assert_true(w->s.proof_wanted);
				sub_prove(&w->s, proof);
				continue;
			}
			assert_true(at.us > w->now.us);
			w->now = at;
			continue;
		}
		w->requests++;
		if ((w->break_at != 0 && w->requests == w->break_at) ||
		    breaks_under(w, &req)) {
			/* the session asks again on a new link, but not for a
			 * stream or a slice */
			sub_link_lost(&w->s);
			if (req.path == PATH_FOLLOW || slice_of(&req) > 0)
				continue;
		}
		if (w->drops_over != 0 && req.path == PATH_BLOB_PUT &&
		    slice_of(&req) > w->drops_over)
			sub_unanswered(&w->s);
		else
			exchange(w, &req);
	}
}

void
assert_whole(const struct world *w)
{
	assert_int_equal(w->s.phase, SUB_END);
	assert_int_equal(w->s.end, SUB_DONE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(w->log[i].n, w->node_log[i].n);
		assert_memory_equal(w->log[i].b, w->node_log[i].b,
		    w->log[i].n);
	}
	assert_int_equal(w->out[1].n, w->node_out.n);
	assert_memory_equal(w->out[1].b, w->node_out.b, w->node_out.n);
}
