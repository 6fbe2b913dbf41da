/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A whole node, without descriptors and in virtual time, among peers and
 * strangers: a byte of what happens, one with its particulars, a length of two
 * bytes, so many bytes. Requests as they are; requests of jobs and blobs that
 * there are, with any numbers in them; letters; links, time, a restart. However
 * it goes on, who is at home here is answered in the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/proto/letter.h"
#include "node/work/mail.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"
#include "transport/lxmf/lxmf.h"
#include "trust/doc/manifest_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

/* A job of a stranger that has run, a letter that was taken. */
static void
took(unsigned form)
{
	static unsigned forms;

	forms |= 1u << form;
	fuzz_taken = forms == 3;
}

#define STEPS 48
#define HOME 1 /* the link of 0x41, which nothing happens to */
#define LINKS 4
#define KNOWN 4

static struct id32 known[KNOWN];
static unsigned nknown;
static uint32_t nonce;

static void (*const changes[])(struct manifest *) = {NULL, with_volumes, review,
    with_contract};

static uint64_t
number(struct rd *r)
{
	static const uint64_t ends[] = {0, 1, 2, 511, 512, 2999, 3000, 3001,
	    PROTO_SLICE, PROTO_SLICE + 1, UINT64_C(1) << 32,
	    (UINT64_C(1) << 53) - 1, UINT64_C(1) << 53, UINT64_MAX};
	uint64_t v = 0;
	uint8_t b = 0;

	(void)rd_u8(r, &b);
	if (b < NELEM(ends))
		return ends[b];
	if (b < 128)
		return b;
	(void)rd_u64(r, &v);
	return v;
}

static const struct id32 *
some_id(uint8_t how)
{
	return how == 7 ? &tar_sha : &known[how % KNOWN];
}

static uint8_t
link_of(uint8_t how)
{
	return (uint8_t)(10 + how % LINKS);
}

/* An envelope of this peer in env; 0: it is none. */
static size_t
envelope_of(uint8_t who, uint8_t how, struct rd *r)
{
	struct manifest m;
	struct id32 id;
	size_t n = world_manifest(&m, who, (uint8_t)++nonce, unix_now(), env,
	    sizeof(env));

	if (changes[how >> 2 & 3] != NULL)
		changes[how >> 2 & 3](&m);
	if ((how & 16) != 0) {
		m.has |= HAS_LIMITS;
		for (unsigned i = 0; i < LIMIT_COUNT; i++)
			m.limit[i] = number(r);
	}
	if ((how & 32) != 0)
		m.deadline = unix_now() + (uint32_t)number(r);
	n = manifest_record_put(env, sizeof(env), &m);
	manifest_clear(&m);
	if (n == 0)
		return 0;
	crypt_sha256(&id, env, n);
	known[nknown++ % KNOWN] = id;
	return n;
}

static void
submits(uint8_t how, struct rd *r)
{
	static const uint8_t proof[96] = {1};
	struct proto_req q = {.path = PATH_SUBMIT};
	size_t n = envelope_of((uint8_t)(0x60 + how % LINKS), how, r);

	if (n == 0)
		return;
	q.envelope = (struct pbin){env, n};
	q.proof = (how & 64) != 0 ? proof : NULL;
	q.wait_s = number(r) % 64;
	q.whole = number(r);
	q.outputs = number(r);
	(void)world_ask(&w, link_of(how), &q);
}

static void
have(uint8_t link)
{
	uint8_t buf[KNOWN * 40 + 64];
	struct wr to = wr_make(buf, sizeof(buf));
	struct id32 d[KNOWN];

	memcpy(d, known, sizeof(d));
	d[0] = tar_sha;
	proto_req_put_have(&to, d, KNOWN);
	(void)world_send_bytes(&w, link, PATH_BLOB_HAVE, buf, to.len);
}

static void
asks(uint8_t how, struct rd *r)
{
	struct proto_req q = {.path = (enum proto_path)(how % PATH_COUNT)};
	uint8_t at = 0, more = 0;
	const uint8_t *rest;
	size_t n;

	(void)rd_u8(r, &at);
	(void)rd_u8(r, &more);
	q.id = q.digest = q.atag = q.ptag = q.nonce = some_id(at & 7)->b;
	q.n = number(r);
	q.offset = number(r);
	q.stream = more & 3;
	q.has_since = (more & 4) != 0;
	q.has_have = (more & 8) != 0;
	q.has_runs = (more & 16) != 0;
	q.since = q.version = q.runs = number(r);
	q.wait_s = number(r) % 64;
	q.whole = q.outputs = number(r);
	q.after = number(r);
	q.id16 = (more & 32) != 0 ? q.id : NULL;
	q.uri = pstr_of((more & 64) != 0 ? "klp://trust.kos/graph.json" : "");
	q.image = pstr_of("alpine");
	n = rd_left(r);
	(void)rd_ref(r, &rest, n);
	if (q.path == PATH_BLOB_PUT && (more & 128) != 0)
		q.body = (struct pbin){tar, MIN_OF(n * 16, sizeof(tar))};
	else
		q.body = q.frame = q.envelope = (struct pbin){rest, n};
	q.digests_put = known;
	q.ndigests = KNOWN;
	if (q.path == PATH_BLOB_HAVE)
		have(link_of(at >> 4));
	else
		(void)world_ask(&w, link_of(at >> 4), &q);
}

/* ---- letters, of two senders with real keys ---- */

static uint8_t sender[2][64], sender_pub[2][64];

/* Trust's verdict is for their own hash. */
static void
verdict(void *ctx, const struct msg_V_ASK *m)
{
	struct world *x = ctx;
	struct msg_V_VERDICT v = {.qid = m->qid,
	    .status = (uint8_t)x->verdict_status, .level = x->level,
	    .key_kind = KEY_SECP256K1, .key_len = 33,
	    .valid_until = x->n.unix_now + 3600, .jobs = x->verdict_jobs,
	    .live_needed = x->live_needed};

	x->asks++;
	if (x->trust_silent)
		return;
	if (memcmp(m->rns_public, sender_pub[0], sizeof(m->rns_public)) == 0 ||
	    memcmp(m->rns_public, sender_pub[1], sizeof(m->rns_public)) == 0)
		rns_identity_hash_of(&v.rns_hash, m->rns_public);
	else /* as world_identify() has it */
		v.rns_hash.b[0] = m->rns_public[0];
	world_fp(&v.fp, m->rns_public[0]);
	fake_post(x, 0, IPC_V_VERDICT, &v, sizeof(v), NULL, 0);
}

static void
own(struct world *x, struct host *h)
{
	(void)x;
	h->send_V_ASK = verdict;
}

static size_t
request_of(uint8_t *out, size_t cap, uint8_t how, struct rd *r)
{
	struct wr to = wr_make(out, cap);
	struct proto_req q = {.path = PATH_SUBMIT};

	switch (how >> 2 & 3) {
	case 0: /* any bytes */
		wr_bytes(&to, r->p, MIN_OF(rd_left(r), cap));
		return to.len;
	case 1:
		q.path = (how & 64) != 0 ? PATH_CANCEL : PATH_RESULT;
		q.id = some_id(how >> 4)->b;
		break;
	default:
		q.envelope = (struct pbin){env, envelope_of(
		    sender_pub[how & 1][0], how & 8 ? 4 : 0, r)};
	}
	proto_req_put(&to, &q);
	return to.len;
}

static void
letter(uint8_t how, struct rd *r)
{
	static uint8_t value[PROTO_REQUEST_MAX], data[PROTO_REQUEST_MAX + 8192],
	    packed[PROTO_REQUEST_MAX + 16384];
	static uint64_t handle;
	struct letter l = {.path = (how & 12) == 0 ? (enum proto_path)((how >>
	    4) % PATH_COUNT) : (how & 12) != 4 ? PATH_SUBMIT : (how & 64) != 0 ?
	    PATH_CANCEL : PATH_RESULT, .give = LETTER_GIVE};
	struct lxmf m = {.time = (how & 32) != 0 ? 1 : nonce + 2,
	    .has_type = true, .has_data = true};
	struct msg_T_MAIL t = {.handle = ++handle, .known = (how & 2) != 0};
	struct wr to = wr_make(data, sizeof(data));
	size_t len;

	l.value = (struct pbin){value, request_of(value, sizeof(value), how,
	    r)};
	if ((how & 128) != 0)
		l.blob[l.nblobs++] = (struct pbin){tar, sizeof(tar)};
	letter_put(&to, &l);
	if (!wr_ok(&to))
		return;
	lxmf_address(&m.source, sender_pub[how & 1]);
	m.dest = w.n.dest;
	m.type = (struct lxmf_text){(const uint8_t *)LETTER_TYPE,
	    strlen(LETTER_TYPE)};
	m.data = (struct lxmf_text){data, to.len};
	if (lxmf_pack(packed, &len, sizeof(packed), NULL, &m, NULL,
		sender[how & 1]) != RNS_OK)
		return;
	t.len = (uint32_t)len;
	memcpy(t.pub, sender_pub[how & 1], t.known ? sizeof(t.pub) : 0);
	node_time(&w.n, w.now, w.wall_us);
	mail_came(&w.n, &t, packed, len);
}

/* ---- steps ---- */

/* A part of the blob, maybe not as it should be. */
static void
part(uint8_t how, struct rd *r)
{
	static uint8_t bad[sizeof(tar)];
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .offset = number(r)};
	uint64_t len = number(r);

	memcpy(bad, tar, sizeof(bad));
	bad[0] ^= how >> 7;
	q.offset = MIN_OF(q.offset, sizeof(tar));
	q.body = (struct pbin){bad + q.offset, MIN_OF(len, sizeof(tar) -
	    q.offset)};
	(void)world_ask(&w, link_of(how), &q);
}

static void
step(uint8_t what, uint8_t how, struct rd *r)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};

	switch (what % 13) {
	case 0:
		(void)world_send_bytes(&w, link_of(what >> 4),
		    (enum proto_path)(how % PATH_COUNT), r->p, rd_left(r));
		break;
	case 1:
		submits(how, r);
		break;
	case 2:
	case 3:
		asks(how, r);
		break;
	case 4:
		world_run(&w, how);
		break;
	case 5:
		world_run(&w, (how & 63) * 1000);
		break;
	case 6:
		world_close(&w, link_of(how));
		break;
	case 7:
		world_link(&w, link_of(how), 1 + (uint64_t)how * 1000);
		if ((how & 128) == 0)
			world_identify(&w, link_of(how),
			    (uint8_t)(0x60 + how % LINKS));
		break;
	case 8: /* so that jobs run */
		(void)world_ask(&w, link_of(how), &q);
		break;
	case 9:
		letter(how, r);
		break;
	case 10:
		part(how, r);
		break;
	case 11:
		w.live_needed = (how & 1) != 0;
		w.prints = how & 0xf0;
		w.oom = (how & 2) != 0;
		w.output_size = (how & 4) != 0 ? 5000 : 0;
		w.level = 1 + (how >> 3 & 1);
		break;
	default:
		w.verdict_jobs = how & 1;
		w.jail_silent = (how & 2) != 0;
		w.trust_silent = (how & 4) != 0;
		w.run_ms = (how >> 4) * 100u;
		if ((how & 12) == 8) {
			world_restart(&w);
			world_up(&w, 2);
			world_link(&w, HOME, 10000000);
			world_identify(&w, HOME, 0x41);
		}
	}
	if (w.nreplies > FAKE_REPLIES / 2)
		world_drop_answers(&w);
}

/* Whatever the others have done. */
static void
at_home(void)
{
	struct proto_req q = {.path = PATH_LIST, .n = 10};
	struct proto_ans *a;

	w.jail_silent = w.trust_silent = false;
	world_run(&w, 120000);
	a = world_call(&w, HOME, &q);
	if (a == NULL || a->status != ST_OK)
		abort();
}

static void
begin(void)
{
	struct hash16 hash;

	for (int i = 0; i < 2; i++) {
		memset(sender[i], 0x11 + i, sizeof(sender[i]));
		(void)rns_identity_derive(sender_pub[i], &hash, sender[i]);
	}
	world_init(&w);
	w.own = own;
	world_restart(&w); /* with own() */
	w.n.policy.mail = w.policy.mail = true;
	world_up(&w, 2);
	world_link(&w, HOME, 10000000);
	world_identify(&w, HOME, 0x41);
	world_run(&w, 1);
	w.run_ms = 50;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd all = rd_make(p, n), r;
	uint8_t what, how;
	uint16_t len;

	log_set_level(-1);
	crypt_sha256(&tar_sha, tar, sizeof(tar));
	memset(known, 0, sizeof(known));
	nknown = nonce = 0;
	begin();
	for (uint8_t i = 0; i < LINKS; i++) {
		world_link(&w, link_of(i), 1000000);
		if (i > 0)
			world_identify(&w, link_of(i), (uint8_t)(0x60 + i));
	}
	for (int i = 0; i < STEPS && rd_u8(&all, &what) && rd_u8(&all, &how) &&
	    rd_u16(&all, &len); i++) {
		(void)rd_sub(&all, MIN_OF((size_t)len, rd_left(&all)), &r);
		step(what, how, &r);
	}
	if (w.n.jobs.n[JS_DONE] > 0)
		took(0);
	if (w.n.mail.bag.nopen + w.n.mail.bag.nover > 0)
		took(1);
	at_home();
	(void)teardown(NULL);
	return 0;
}
