/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "node/cli/mailread.h"
#include "node/proto/proto_put.h"
#include "transport/lxmf/lxmf.h"
#include "trust/doc/binding.h"

static uint8_t node_priv[RNS_KEY], node_pub[RNS_KEY], me_pub[RNS_KEY];
static uint8_t binding[BINDING_LEN];
static uint8_t packed[65536];
static struct hash16 dest;
static const struct id32 job = {{7}};
static const uint8_t re[32] = {1}, receipt[JOB_RECEIPT_LEN];

static void
keys(void)
{
	struct binding b = {.secp = {2}, .not_after = 1};
	uint8_t other[RNS_KEY];
	struct hash16 hash;

	memset(node_priv, 0x51, sizeof(node_priv));
	memset(other, 0x52, sizeof(other));
	(void)rns_identity_derive(me_pub, &hash, other);
	(void)rns_identity_derive(node_pub, &hash, node_priv);
	(void)rns_dest_hash(&dest, "klp.node", &hash);
	memcpy(b.rns, node_pub, sizeof(b.rns));
	binding_put(binding, &b);
}

/* A letter of the node: an answer of that path. */
static size_t
letter(enum proto_path path, const uint8_t *value, size_t n, bool bound,
    const char *blob)
{
	static uint8_t data[32768];
	struct letter l = {.path = path, .answer = true, .value = {value, n},
	    .re = re, .id = job.b, .binding = bound ? binding : NULL};
	struct wr w = wr_make(data, sizeof(data));
	struct lxmf m = {.time = 1, .has_type = true, .has_data = true,
	    .type = {(const uint8_t *)LETTER_TYPE, strlen(LETTER_TYPE)}};
	size_t len;

	if (blob != NULL)
		l.blob[l.nblobs++] = (struct pbin){(const uint8_t *)blob,
		    strlen(blob)};
	letter_put(&w, &l);
	assert_true(wr_ok(&w));
	m.data = (struct lxmf_text){data, w.len};
	lxmf_address(&m.source, node_pub);
	lxmf_address(&m.dest, me_pub);
	assert_int_equal(lxmf_pack(packed, &len, sizeof(packed), NULL, &m,
			     NULL, node_priv),
	    RNS_OK);
	return len;
}

static size_t
result(bool bound)
{
	static uint8_t value[2048];
	struct wr w = wr_make(value, sizeof(value));
	struct proto_result v = {.receipt = receipt, .log_size = {5, 0}};
	struct id32 out, err;

	rns_sha256(&out, "hello", 5);
	rns_sha256(&err, "", 0);
	v.log_sha[0] = out.b;
	v.log_sha[1] = err.b;
	proto_ans_head(&w, ST_OK, NULL);
	proto_put_result(&w, &v);
	assert_true(wr_ok(&w));
	return letter(PATH_RESULT, value, w.len, bound, "hello");
}

static void
ranks(void **state)
{
	static const uint8_t ok[] = {0x93, 0x00, 0x80, 0xc0};
	static const struct {
		enum proto_path path;
		enum mail_rank rank;
	} t[] = {{PATH_SUBMIT, MAIL_SUBMITTED}, {PATH_STATUS, MAIL_STATUS},
	    {PATH_RESULT, MAIL_RESULT}, {PATH_DESCRIBE, MAIL_NONE}};
	struct id32 of;
	size_t n;

	(void)state;
	keys();
	for (size_t i = 0; i < NELEM(t); i++) {
		n = letter(t[i].path, ok, sizeof(ok), false, NULL);
		assert_int_equal(mail_rank(packed, n, &of), t[i].rank);
		if (t[i].rank != MAIL_NONE)
			assert_true(id32_eq(&of, &job));
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(mail_rank(packed, cut, &of),
			    MAIL_NONE);
	}
}

/* Whose word it is. */
static void
words(void **state)
{
	static const uint8_t ok[] = {0x93, 0x00, 0x80, 0xc0};
	struct mail_read r;
	struct hash16 other = {{9}};
	size_t n;

	(void)state;
	keys();
	n = result(true);
	/* the binding brings the key, if it is that of the node */
	assert_null(mail_read(&r, packed, n, &dest, NULL));
	mail_read_free(&r);
	assert_non_null(mail_read(&r, packed, n, &other, NULL));
	mail_read_free(&r);
	assert_null(mail_read(&r, packed, n, &dest, node_pub));
	mail_read_free(&r);
	assert_non_null(mail_read(&r, packed, n, &dest, me_pub));
	mail_read_free(&r);
	/* a receipt without what it is verified under */
	n = result(false);
	assert_non_null(mail_read(&r, packed, n, &dest, node_pub));
	mail_read_free(&r);
	/* without a binding the key must be known */
	n = letter(PATH_SUBMIT, ok, sizeof(ok), false, NULL);
	assert_non_null(mail_read(&r, packed, n, &dest, NULL));
	mail_read_free(&r);
	assert_null(mail_read(&r, packed, n, &dest, node_pub));
	mail_read_free(&r);
	packed[n - 1] ^= 1; /* the value */
	assert_non_null(mail_read(&r, packed, n, &dest, node_pub));
	mail_read_free(&r);
}

static void
bytes(struct mail_read *r, const struct proto_req *q, const char *want)
{
	struct proto_ans a;
	struct pbin got;

	assert_true(mail_ask(r, q, &a));
	assert_true(proto_get_bytes(&got, &a));
	assert_int_equal(got.n, strlen(want));
	if (got.n > 0)
		assert_memory_equal(got.p, want, got.n);
}

static void
answers(void **state)
{
	struct proto_req q = {.path = PATH_STATUS, .id = job.b};
	struct proto_job_status st;
	struct proto_result v;
	struct mail_read r;
	struct proto_ans a;
	struct id32 sha;

	(void)state;
	keys();
	assert_null(mail_read(&r, packed, result(true), &dest, NULL));
	assert_true(mail_ask(&r, &q, &a));
	assert_true(proto_get_status(&st, &a));
	assert_true(pstr_is(st.state, "done"));
	q.path = PATH_RESULT;
	assert_true(mail_ask(&r, &q, &a) && proto_get_result(&v, &a));
	q = (struct proto_req){.path = PATH_LOG, .id = job.b, .stream = 1,
	    .n = 100};
	bytes(&r, &q, "hello");
	q.offset = 3;
	q.n = 1;
	bytes(&r, &q, "l");
	q.offset = UINT32_MAX;
	bytes(&r, &q, "");
	q.stream = 2;
	bytes(&r, &q, "");
	rns_sha256(&sha, "hello", 5);
	q = (struct proto_req){.path = PATH_BLOB_GET, .digest = sha.b, .n = 9};
	bytes(&r, &q, "hello");
	q.digest = job.b; /* one that did not fit */
	assert_false(mail_ask(&r, &q, &a));
	q.path = PATH_CANCEL;
	assert_false(mail_ask(&r, &q, &a));
	mail_read_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ranks),
	    cmocka_unit_test(words),
	    cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
