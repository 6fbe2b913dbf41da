/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_put.h"
#include "node/proto/proto_req.h"

static uint8_t buf[1 << 20];
static uint8_t d32[32] = {1, 2, 3}, d64[64], d242[242], d96[96], d317[317];
static const struct id32 lots[3] = {{{1}}, {{2}}, {{3}}};

static int
get(struct proto_req *q, enum proto_path path, const void *p, size_t n)
{
	const char *why;
	uint64_t max;

	return proto_req_get(q, path, p, n, &why, &max);
}

/* One good request of each path. */
static size_t
good_request(enum proto_path path, uint8_t *out, size_t cap)
{
	struct proto_req q = {.path = path, .binding = d242, .nonce = d32,
	    .envelope = {(const uint8_t *)"envelope", 8}, .proof = d96,
	    .digest = d32, .id = d32, .offset = 7, .n = 60, .stream = 2,
	    .body = {(const uint8_t *)"slice", 5}, .has_since = true,
	    .since = 9, .wait_s = 600, .whole = 1024, .outputs = 8192, .after = 11,
	    .frame = {(const uint8_t *)"frame", 5}, .has_time = true, .time = 1800000000,
	    .atag = d32, .ptag = d32, .uri = {"klp://test.kos/x", 16},
	    .has_have = true, .version = 4, .has_max = true, .max = 9,
	    .id16 = d32};
	struct wr w = wr_make(out, cap);

	if (path == PATH_BLOB_HAVE)
		proto_req_put_have(&w, lots, 3);
	else
		proto_req_put(&w, &q);
	assert_true(wr_ok(&w));
	return w.len;
}

static void
test_paths(void **state)
{
	struct hash16 h;
	enum proto_path p;

	(void)state;
	for (unsigned i = 0; i < PATH_COUNT; i++) {
		proto_path_hash(&h, (enum proto_path)i);
		assert_true(proto_path_find(&p, &h));
		assert_int_equal(p, i);
		h.b[3] ^= 1;
		assert_false(proto_path_find(&p, &h));
	}
}

static void
test_requests(void **state)
{
	struct proto_req q;
	uint8_t again[4096];
	const uint8_t *d;

	(void)state;
	for (unsigned i = 0; i < PATH_COUNT; i++) {
		size_t n = good_request((enum proto_path)i, buf, sizeof(buf));
		struct wr w = wr_make(again, sizeof(again));

		assert_int_equal(get(&q, (enum proto_path)i, buf, n), 0);
		proto_req_put(&w, &q);
		assert_true(wr_ok(&w));
		assert_int_equal(w.len, n);
		assert_memory_equal(again, buf, n);
	}
	assert_int_equal(get(&q, PATH_BLOB_HAVE, buf,
		good_request(PATH_BLOB_HAVE, buf, sizeof(buf))), 0);
	assert_int_equal(q.digests.n, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(plist_next(&q.digests, &d));
		assert_memory_equal(d, lots[i].b, 32);
	}
	assert_false(plist_next(&q.digests, &d));
}

/* Every truncation is mute; a flip is read, or refused, never worse. */
static void
test_damage(void **state)
{
	struct proto_req q;

	(void)state;
	for (unsigned i = 0; i < PATH_COUNT; i++) {
		size_t n = good_request((enum proto_path)i, buf, sizeof(buf));

		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy, buf, cut);
			assert_int_equal(get(&q, (enum proto_path)i, copy, cut),
			    PROTO_MUTE);
			free(copy);
		}
		for (size_t bit = 0; bit < 8 * n; bit++) {
			buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
			(void)get(&q, (enum proto_path)i, buf, n);
			buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

#define S(x) x, sizeof(x) - 1
static const struct {
	enum proto_path path;
	const char *bytes;
	size_t n;
	int expect;
} FORMS[] = {
    /* nil and a list are no map; nothing but it behind it */
    {PATH_DESCRIBE, S("\xc0"), PROTO_BAD},
    {PATH_DESCRIBE, S("\x90"), PROTO_BAD},
    {PATH_DESCRIBE, S("\x80"), 0},
    {PATH_DESCRIBE, S("\x80\x80"), PROTO_MUTE},
    {PATH_DESCRIBE, S(""), PROTO_MUTE},
    /* unknown members are ignored, also of other paths, also int keys */
    {PATH_DESCRIBE, S("\x82\xa1z\xc3\x05\x91\x01"), 0},
    {PATH_DESCRIBE, S("\x81\x91\x01\x02"), 0},
    {PATH_LIST, S("\x81\xa2id\xc0"), 0},
    /* absent is not nil */
    {PATH_DESCRIBE, S("\x81\xa1" "b\xc0"), PROTO_BAD},
    {PATH_LIST, S("\x81\xa5" "after\xc0"), PROTO_BAD},
    /* no float, bool, negative; at most 2^53-1 */
    {PATH_LIST, S("\x81\xa5" "after\xca\x3f\x80\x00\x00"), PROTO_BAD},
    {PATH_LIST, S("\x81\xa5" "after\xc3"), PROTO_BAD},
    {PATH_LIST, S("\x81\xa5" "after\xff"), PROTO_BAD},
    {PATH_LIST, S("\x81\xa5" "after\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
	PROTO_BAD},
    {PATH_LIST, S("\x81\xa5" "after\xcf\x00\x1f\xff\xff\xff\xff\xff\xff"), 0},
    {PATH_LIST, S("\x81\xa5" "after\xd0\x05"), 0},
    {PATH_LIST, S("\x81\xa1n\x00"), PROTO_BAD},
    {PATH_LIST, S("\x81\xa1n\xcd\x01\x00"), 0},
    /* a repeated member does not decode */
    {PATH_LIST, S("\x82\xa1n\x01\xa1n\x01"), PROTO_MUTE},
    /* ids are bin, never str */
    {PATH_RESULT, S("\x81\xa2id\xa3" "abc"), PROTO_BAD},
    {PATH_RESULT, S("\x81\xa2id\xc4\x03" "abc"), PROTO_BAD},
    {PATH_RESULT, S("\x80"), PROTO_BAD},
    {PATH_BLOB_HAVE, S("\x81\xa1" "d\x90"), 0},
    {PATH_BLOB_HAVE, S("\x81\xa1" "d\x91\xc4\x01x"), PROTO_BAD},
};

static void
test_forms(void **state)
{
	struct proto_req q;

	(void)state;
	for (size_t i = 0; i < NELEM(FORMS); i++) {
		int got = get(&q, FORMS[i].path, FORMS[i].bytes, FORMS[i].n);

		if (got != FORMS[i].expect)
			fail_msg("form %zu: %d", i, got);
	}
	assert_int_equal(get(&q, PATH_LIST, S("\x81\xa1n\xcd\x01\x00")), 0);
	assert_int_equal(q.n, 64);
	assert_int_equal(get(&q, PATH_LIST, S("\x80")), 0);
	assert_int_equal(q.n, 64);
	assert_int_equal(q.after, 0);
}

/* A map of more pairs than mpk searches for repeats. */
static void
test_repeat_in_large_map(void **state)
{
	struct wr w = wr_make(buf, sizeof(buf));
	struct proto_req q;

	(void)state;
	mpk_put_map(&w, 102);
	for (unsigned i = 0; i < 100; i++) {
		mpk_put_uint(&w, i);
		mpk_put_nil(&w);
	}
	for (unsigned i = 0; i < 2; i++) {
		mpk_put_str(&w, "n");
		mpk_put_uint(&w, 3);
	}
	assert_int_equal(get(&q, PATH_LIST, buf, w.len), PROTO_BAD);
}

static void
test_bounds(void **state)
{
	struct proto_req q = {.path = PATH_SUBMIT};
	struct wr w = wr_make(buf, sizeof(buf));
	const char *why;
	uint64_t max;

	(void)state;
	q.envelope = (struct pbin){buf + 500000, PROTO_ENVELOPE_MAX};
	proto_req_put(&w, &q);
	assert_int_equal(get(&q, PATH_SUBMIT, buf, w.len), 0);
	q = (struct proto_req){.path = PATH_SUBMIT,
	    .envelope = {buf + 500000, PROTO_ENVELOPE_MAX + 1}};
	w = wr_make(buf, sizeof(buf));
	proto_req_put(&w, &q);
	/* admission refuses it at its step */
	assert_int_equal(get(&q, PATH_SUBMIT, buf, w.len), 0);
	assert_int_equal(q.envelope.n, PROTO_ENVELOPE_MAX + 1);
	q = (struct proto_req){.path = PATH_BLOB_PUT, .digest = d32,
	    .n = 2 * PROTO_SLICE, .body = {buf + 500000, PROTO_SLICE + 1}};
	w = wr_make(buf, sizeof(buf));
	proto_req_put(&w, &q);
	assert_int_equal(proto_req_get(&q, PATH_BLOB_PUT, buf, w.len, &why,
	    &max), PROTO_LARGE);
	assert_int_equal(max, PROTO_SLICE);
	/* a slice may not go beyond the blob's size */
	q = (struct proto_req){.path = PATH_BLOB_PUT, .digest = d32,
	    .offset = 3, .n = 7, .body = {(const uint8_t *)"12345", 5}};
	w = wr_make(buf, sizeof(buf));
	proto_req_put(&w, &q);
	assert_int_equal(get(&q, PATH_BLOB_PUT, buf, w.len), PROTO_BAD);
	q = (struct proto_req){.path = PATH_BLOB_PUT, .digest = d32,
	    .offset = PROTO_INT_MAX, .n = 7};
	w = wr_make(buf, sizeof(buf));
	proto_req_put(&w, &q);
	assert_int_equal(get(&q, PATH_BLOB_PUT, buf, w.len), PROTO_BAD);
	/* 1025 digests are too many */
	w = wr_make(buf, sizeof(buf));
	mpk_put_map(&w, 1);
	mpk_put_str(&w, "d");
	mpk_put_array(&w, 1025);
	for (int i = 0; i < 1025; i++)
		mpk_put_bin(&w, d32, 32);
	assert_int_equal(get(&q, PATH_BLOB_HAVE, buf, w.len), PROTO_BAD);
}

/* ---- answers ---- */

static size_t
answer(int which, uint8_t *out, size_t cap)
{
	struct wr w = wr_make(out, cap);
	struct proto_meta refused = {.code = pstr_of("quota"), .has_step = true,
	    .step = 6, .has_limit = true, .limit = 5, .has_value = true,
	    .value = 6, .why = pstr_of("jobs_queued"), .has_s = true, .s = 30,
	    .n = d32, .of = pstr_of("peer"), .has_left = true, .left = 8,
	    .has_full_s = true, .full_s = 60, .has_time = true,
	    .time = 1800000000};
	struct proto_describe de = {.name = pstr_of("n"), .urn = pstr_of("u"),
	    .key = pstr_of("k"), .profile = pstr_of("default"), .level = -2,
	    .accepting = true, .binding = d242, .nimages = 1,
	    .images = {{pstr_of("a:b"), d32}}, .layers = 0x7ffff,
	    .budget = {5, 4, 3}, .air = {1200, 20, 3000, 11000, 160000, 600,
	    17000, 190000},
	    .runner = {RUNNER_PODMAN, 4, 3, UINT16_MAX},
	    .why = pstr_of("full")};
	struct proto_submitted su = {.id = d32, .state = pstr_of("queued"),
	    .reason = pstr_of("inputs"), .missing_put = lots, .nmissing = 3,
	    .image = d32, .wait_s = 4, .airtime_s = 40, .airtime_p90_s = 70,
	    .lease = 1800000000};
	struct proto_job_status js = {.id = d32, .seq = 3,
	    .state = pstr_of("done"), .outcome = {.kind = OUT_KILLED,
	    .reason = pstr_of("memory")}, .attempts = 1, .progress = 1000,
	    .log = {1, 2, 3}};
	struct proto_result re = {.receipt = d317, .noutputs = 1,
	    .outputs = {{pstr_of("/agent/tmp"), d32, 1024}},
	    .log_sha = {d32, d32}, .log_size = {5, 0}};
	static struct proto_review rv;
	static struct proto_list li;

	proto_ans_head(&w, ST_OK, NULL);
	switch (which) {
	case 0:
		proto_put_describe(&w, &de);
		break;
	case 1:
		proto_put_challenge(&w,
		    &(struct proto_challenge){d242, d64, d32});
		break;
	case 2:
		proto_put_submitted(&w, &su);
		break;
	case 3:
		proto_put_status(&w, &js);
		break;
	case 4:
		left_add(&re.left, 0, LEFT_NAME, "x\xff", 2);
		left_add(&re.left, 0, LEFT_SETID, "su", 2);
		re.left.count = 7;
		proto_put_result(&w, &re);
		break;
	case 5:
		li.njobs = 2;
		li.jobs[0] = (struct proto_job_line){.id = d32,
		    .state = pstr_of("done"), .at = 5,
		    .outcome = {.kind = OUT_EXITED, .code = 3}};
		li.jobs[1] = (struct proto_job_line){.id = d32,
		    .state = pstr_of("running"), .outcome = {.kind = OUT_NONE}};
		li.has_next = true;
		li.next = 77;
		proto_put_list(&w, &li);
		break;
	case 6:
		proto_put_cancelled(&w, pstr_of("cancelled"), pstr_of("x"));
		break;
	case 7:
		proto_put_offset(&w, 12);
		break;
	case 8:
		mpk_put_bin(&w, "bytes", 5);
		break;
	case 9:
		rv.njobs = 2;
		rv.jobs[0] = (struct proto_review_line){d32,
		    {(const uint8_t *)"envelope", 8}, 5};
		rv.jobs[1] = (struct proto_review_line){d32, {d64, 0}, 6};
		rv.has_next = true;
		rv.next = 78;
		proto_put_review(&w, &rv);
		break;
	case 10:
		proto_put_approved(&w, d32, pstr_of("held"), pstr_of("review"));
		break;
	case 11:
		proto_put_whole(&w, &(struct proto_whole){d317,
		    {{d64, 64}, {d32, 0}}, 0, {{NULL, 0}}});
		break;
	case 12:
		proto_put_whole(&w, &(struct proto_whole){d317,
		    {{d64, 64}, {d32, 0}}, 2, {{d242, 242}, {NULL, 0}}});
		break;
	case 13:
		de = (struct proto_describe){.brief = true,
		    .name = pstr_of("n"), .time = 1800000000,
		    .limits = {.slice = 7, .log = 6, .output = 5},
		    .budget = {.bytes = 4, .left = 3}, .binding = d242,
		    .air = {.bitrate = 1200}};
		proto_put_describe(&w, &de);
		break;
	default:
		w = wr_make(out, cap);
		proto_ans_put(&w, ST_REFUSED, &refused);
	}
	assert_true(wr_ok(&w));
	return w.len;
}
#define ANSWERS 15

static bool
lacks(const struct left *l)
{
	struct left_item a, b;
	size_t at = 0;

	return l->count == 7 && left_next(l, &at, &a) &&
	    left_next(l, &at, &b) && !left_next(l, &at, &b) &&
	    a.reason == LEFT_NAME && a.len == 2 &&
	    memcmp(a.name, "x\xff", 2) == 0 && b.reason == LEFT_SETID;
}

static bool
read_answer(int which, const uint8_t *p, size_t n)
{
	static struct proto_describe de;
	static struct proto_list li;
	static struct proto_review rv;
	static struct proto_result re;
	struct proto_challenge ch;
	struct proto_submitted su;
	struct proto_job_status js;
	struct proto_whole f;
	struct proto_ans a;
	struct pstr s, r;
	const uint8_t *id;
	struct pbin b;
	uint64_t v;

	if (!proto_ans_get(&a, p, n))
		return false;
	switch (which) {
	case 0:
		return proto_get_describe(&de, &a) && de.level == -2 &&
		    de.accepting && de.nimages == 1 && de.layers == 0x7ffff &&
		    de.budget.bytes == 5 && de.budget.left == 4 &&
		    de.budget.full_s == 3 && de.air.bitrate == 1200 &&
		    de.air.loss == 20 && de.air.rtt_ms == 3000 &&
		    de.air.kib_ms == 11000 && de.air.kib16_ms == 160000 &&
		    de.air.max_s == 600 && de.air.kib_p90_ms == 17000 &&
		    de.air.kib16_p90_ms == 190000 &&
		    de.runner[0] == RUNNER_PODMAN && de.runner[1] == 4 &&
		    de.runner[2] == 3 && de.runner[3] == UINT16_MAX &&
		    pstr_is(de.why, "full");
	case 1:
		return proto_get_challenge(&ch, &a);
	case 2:
		return proto_get_submitted(&su, &a) && su.missing.n == 3 &&
		    pstr_is(su.reason, "inputs") && su.lease == 1800000000 &&
		    su.airtime_s == 40 && su.airtime_p90_s == 70;
	case 3:
		return proto_get_status(&js, &a) && js.reason.p == NULL &&
		    pstr_is(js.outcome.reason, "memory") && js.log[2] == 3;
	case 4:
		return proto_get_result(&re, &a) && re.noutputs == 1 &&
		    re.log_size[0] == 5 && lacks(&re.left);
	case 5:
		return proto_get_list(&li, &a) && li.njobs == 2 &&
		    li.jobs[0].outcome.code == 3 && li.next == 77;
	case 6:
		return proto_get_cancelled(&s, &r, &a) && pstr_is(r, "x");
	case 7:
		return proto_get_offset(&v, &a) && v == 12;
	case 8:
		return proto_get_bytes(&b, &a) && b.n == 5;
	case 9:
		return proto_get_review(&rv, &a) && rv.njobs == 2 &&
		    rv.jobs[0].envelope.n == 8 && rv.jobs[1].at == 6 &&
		    rv.has_next && rv.next == 78;
	case 10:
		return proto_get_approved(&id, &s, &r, &a) &&
		    pstr_is(s, "held") && memcmp(id, d32, 32) == 0;
	case 13:
		return proto_get_describe(&de, &a) && de.brief &&
		    pstr_is(de.name, "n") && de.time == 1800000000 &&
		    de.limits.slice == 7 && de.limits.log == 6 &&
		    de.limits.output == 5 && de.budget.bytes == 4 &&
		    de.budget.left == 3 && de.binding != NULL && de.slow;
	case 12:
		return proto_get_whole(&f, &a) && f.noutputs == 2 &&
		    f.output[0].n == 242 && f.output[1].p == NULL;
	case 11:
		return proto_get_whole(&f, &a) && f.log[0].n == 64 &&
		    f.log[1].n == 0 && f.noutputs == 0 &&
		    memcmp(f.receipt, d317, JOB_RECEIPT_SHORT) == 0;
	default:
		return a.status == ST_REFUSED && mpk_get_nil(&a.body) &&
		    pstr_is(a.meta.code, "quota") && a.meta.step == 6 &&
		    a.meta.limit == 5 && a.meta.value == 6 && a.meta.s == 30 &&
		    a.meta.n != NULL && pstr_is(a.meta.of, "peer") &&
		    a.meta.left == 8 && a.meta.full_s == 60 &&
		    a.meta.time == 1800000000;
	}
}

static void
test_answers(void **state)
{
	(void)state;
	for (int i = 0; i < ANSWERS; i++) {
		size_t n = answer(i, buf, sizeof(buf));

		if (!read_answer(i, buf, n))
			fail_msg("answer %d", i);
		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *copy = malloc(cut + 1);

			assert_non_null(copy);
			memcpy(copy, buf, cut);
			assert_false(read_answer(i, copy, cut));
			free(copy);
		}
		for (size_t bit = 0; bit < 8 * n; bit++) {
			buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
			(void)read_answer(i, buf, n);
			buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/*
 * compute.md 3.4: without outputs, and with the logs that a row allows: 431
 * bytes.
 */
static void
test_result_fits(void **state)
{
	struct proto_result re = {.receipt = d317, .log_sha = {d32, d32},
	    .log_size = {16u << 20, 16u << 20}};
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	mpk_put_array(&w, 2);
	mpk_put_bin(&w, d32, 16);
	proto_ans_head(&w, ST_OK, NULL);
	proto_put_result(&w, &re);
	assert_true(wr_ok(&w));
	assert_true(w.len <= 431);
}

/* compute.md 3.1: in short, with the longest name and numbers: one packet. */
static void
test_brief_fits(void **state)
{
	struct proto_describe d = {.brief = true,
	    .name = pstr_of("a name of thirty-two characters."),
	    .time = UINT32_MAX, .limits = {.slice = PROTO_SLICE,
	    .log = PROTO_INT_MAX, .output = PROTO_INT_MAX},
	    .budget = {.bytes = PROTO_INT_MAX, .left = PROTO_INT_MAX},
	    .binding = d242};
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	mpk_put_array(&w, 2);
	mpk_put_bin(&w, d32, 16);
	proto_ans_head(&w, ST_OK, NULL);
	proto_put_describe(&w, &d);
	assert_true(wr_ok(&w));
	assert_true(w.len <= 431);
}

/* ... of a node that does not say whether the link is slow, and of no other. */
static void
test_brief_shorter(void **state)
{
	static struct proto_describe d;
	struct proto_ans a;

	(void)state;
	for (size_t n = 7; n <= 10; n++) {
		struct wr w = wr_make(buf, sizeof(buf));

		proto_ans_head(&w, ST_OK, NULL);
		mpk_put_map(&w, 1);
		mpk_put_str(&w, "k");
		mpk_put_array(&w, n);
		mpk_put_str(&w, "n");
		for (size_t i = 1; i < 7; i++)
			mpk_put_uint(&w, i);
		if (n > 7)
			mpk_put_nil(&w);
		for (size_t i = 8; i < n; i++)
			mpk_put_bool(&w, true);
		assert_true(wr_ok(&w));
		assert_true(proto_ans_get(&a, buf, w.len));
		assert_int_equal(proto_get_describe(&d, &a), n == 8 || n == 9);
		if (n == 8 || n == 9)
			assert_int_equal(d.slow, n == 9);
	}
}

/* compute.md 3.4: with 190 bytes of logs all of a job is one link packet. */
static void
test_whole_fits(void **state)
{
	struct proto_whole f = {d317, {{d242, 100}, {d242, 90}}, 0,
	    {{NULL, 0}}};
	struct wr w = wr_make(buf, sizeof(buf));

	(void)state;
	mpk_put_array(&w, 2);
	mpk_put_bin(&w, d32, 16);
	proto_ans_head(&w, ST_OK, NULL);
	proto_put_whole(&w, &f);
	assert_true(wr_ok(&w));
	assert_true(w.len <= 431);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_repeat_in_large_map),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_answers),
	    cmocka_unit_test(test_result_fits),
	    cmocka_unit_test(test_brief_fits),
	    cmocka_unit_test(test_brief_shorter),
	    cmocka_unit_test(test_whole_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
