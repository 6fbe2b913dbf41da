/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <rns/rns.h>

#include "node/proto/letter.h"
#include "node/proto/proto_req.h"
#include "node/work/mail.h"
#include "tests/unit/nodekit.h"
#include "transport/lxmf/lxmf.h"

/* Letters: asked of the node's own door, answered, never lost nor doubled. */

#define BIG 70000

struct sender {
	uint8_t priv[64], pub[64];
	struct hash16 rns, address;
	uint8_t who; /* of the pretended world: first byte of the key */
};
static struct sender alice, bob;
static unsigned handle;

static void
make(struct sender *s, uint8_t seed)
{
	memset(s->priv, seed, sizeof(s->priv));
	assert_int_equal(rns_identity_derive(s->pub, &s->rns, s->priv), 0);
	lxmf_address(&s->address, s->pub);
	s->who = s->pub[0];
}

/* Real keys: trust's verdict is for their own hash. */
static void
trust(void *ctx, const struct msg_V_ASK *m)
{
	struct world *x = ctx;
	struct msg_V_VERDICT v = {.qid = m->qid,
	    .status = (uint8_t)x->verdict_status, .level = x->level,
	    .key_kind = KEY_SECP256K1, .key_len = 33,
	    .valid_until = x->n.unix_now + 3600};

	x->asks++;
	if (x->trust_silent)
		return;
	rns_identity_hash_of(&v.rns_hash, m->rns_public);
	world_fp(&v.fp, m->rns_public[0]);
	fake_post(x, 0, IPC_V_VERDICT, &v, sizeof(v), NULL, 0);
}

static void
own(struct world *x, struct host *h)
{
	(void)x;
	h->send_V_ASK = trust;
}

static int
set_up(void **state)
{
	make(&alice, 0x11);
	make(&bob, 0x22);
	assert_int_not_equal(alice.who, bob.who);
	(void)setup(state);
	world_clear(&w);
	world_init(&w);
	w.own = own;
	world_restart(&w); /* with own() */
	w.n.policy.mail = w.policy.mail = true;
	world_up(&w, 1);
	world_run(&w, 0);
	return 0;
}

/* ---- letters ---- */

static uint8_t msg[262144];
static size_t msg_len;
static struct id32 msg_id;

static void
pack(const struct sender *s, const struct letter *l, double time)
{
	static uint8_t data[262144];
	struct wr wr = wr_make(data, sizeof(data));
	struct lxmf m = {.time = time, .has_type = true, .has_data = true};

	letter_put(&wr, l);
	assert_true(wr_ok(&wr));
	m.dest = w.n.dest; /* any: transport has looked */
	m.source = s->address;
	m.type = (struct lxmf_text){(const uint8_t *)LETTER_TYPE,
	    strlen(LETTER_TYPE)};
	m.data = (struct lxmf_text){data, wr.len};
	assert_int_equal(lxmf_pack(msg, &msg_len, sizeof(msg), &msg_id, &m,
		NULL, s->priv), 0);
}

/* The letter of a request. */
static void
letter_of(const struct sender *s, const struct proto_req *q,
    const struct pbin *blobs, unsigned n, double time)
{
	static uint8_t buf[PROTO_REQUEST_MAX];
	struct wr wr = wr_make(buf, sizeof(buf));
	struct letter l = {.path = q->path, .give = LETTER_GIVE};

	proto_req_put(&wr, q);
	assert_true(wr_ok(&wr));
	l.value = (struct pbin){buf, wr.len};
	for (; l.nblobs < n; l.nblobs++)
		l.blob[l.nblobs] = blobs[l.nblobs];
	pack(s, &l, time);
}

/* It comes, known or not; whether it is not lost any more. */
static bool
come(const struct sender *s, bool known)
{
	struct msg_T_MAIL m = {.handle = ++handle, .known = known,
	    .len = (uint32_t)msg_len};
	unsigned said = w.mail_said;

	if (known)
		memcpy(m.pub, s->pub, 64);
	node_time(&w.n, w.now, w.wall_us);
	mail_came(&w.n, &m, msg, msg_len);
	assert_int_equal(w.mail_said, said + 1);
	assert_int_equal(w.mail_taken.handle, handle);
	return w.mail_taken.kept;
}

static struct id32 job;
static size_t env_len;
/* The envelope that is there, in a message of that time. */
static void
same_letter(const struct sender *s, bool with_input, double time)
{
	struct proto_req q = {.path = PATH_SUBMIT, .envelope = {env, env_len}};
	const struct pbin input = {tar, sizeof(tar)};

	letter_of(s, &q, &input, with_input, time);
}

static void
submit_letter(const struct sender *s, uint8_t nonce,
    void (*change)(struct manifest *), bool with_input)
{
	env_len = envelope(s->who, nonce, change, &job);
	same_letter(s, with_input, 1800000000. + nonce);
}

static void
handed(enum mail_end end)
{
	struct msg_T_MAIL_END m = {.tag = w.mail.tag, .end = (uint8_t)end};

	node_time(&w.n, w.now, w.wall_us);
	mail_ended(&w.n, &m);
}

static uint64_t
counted(const char *what)
{
	for (unsigned i = 0; i < w.n.mail.count.n; i++)
		if (strcmp(w.n.mail.count.of[i].code, what) == 0)
			return w.n.mail.count.of[i].times;
	return 0;
}

/* The last answer: to whom, about what. */
static struct proto_ans
answer_is(const struct sender *s, enum proto_path path, struct letter *l)
{
	struct proto_ans a;

	assert_true(hash16_eq(&w.mail.dest, &s->address));
	assert_memory_equal(w.mail.pub, s->pub, 64);
	assert_true(letter_get(l, w.mail_bytes, w.mail_len));
	assert_true(l->answer);
	assert_int_equal(l->path, path);
	assert_true(proto_ans_get(&a, l->value.p, l->value.n));
	return a;
}

/* ---- tests ---- */

static void
test_job(void **state)
{
	struct proto_result r;
	struct proto_ans a;
	struct letter l;
	struct id32 id;

	(void)state;
	w.prints = 40;
	submit_letter(&alice, 1, NULL, false);
	id = msg_id;
	assert_true(come(&alice, true));
	world_run(&w, 2000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 1); /* nothing was said before it ended */
	a = answer_is(&alice, PATH_RESULT, &l);
	assert_int_equal(a.status, ST_OK);
	assert_true(proto_get_result(&r, &a));
	assert_memory_equal(l.re, id.b, 32);
	assert_memory_equal(l.id, job.b, 32);
	assert_int_equal(w.mail.wrote, w.n.mail.bag.open.tqh_first->wrote);
	/* not handed over: the same again, with the same time */
	handed(MAIL_FAILED);
	world_run(&w, 1000);
	assert_int_equal(w.mails, 1);
	world_run(&w, 61000);
	assert_int_equal(w.mails, 2);
	handed(MAIL_STORED);
	world_run(&w, 7200000);
	assert_int_equal(w.mails, 2);
	assert_int_equal(w.n.mail.bag.nopen, 0);
	/* the same message is known; another with the same job runs nothing */
	assert_true(come(&alice, true));
	assert_int_equal(counted("again"), 1);
	same_letter(&alice, false, 1800009999.);
	assert_true(come(&alice, true));
	world_run(&w, 1000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 3);
	(void)answer_is(&alice, PATH_RESULT, &l);
}

static void
test_inputs(void **state)
{
	struct proto_submitted s;
	struct proto_ans a;
	struct letter l;
	const uint8_t *d;

	(void)state;
	/* they came along */
	submit_letter(&alice, 1, with_volumes, true);
	assert_true(come(&alice, true));
	world_run(&w, 2000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 1);
	(void)answer_is(&alice, PATH_RESULT, &l);
	handed(MAIL_DELIVERED);
	/* they did not: which, and that is all until a link brings them */
	submit_letter(&bob, 2, with_volumes, false);
	assert_true(come(&bob, true));
	world_run(&w, 100000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 2);
	a = answer_is(&bob, PATH_SUBMIT, &l);
	assert_true(proto_get_submitted(&s, &a));
	assert_int_equal(s.nmissing, 1);
	assert_true(plist_next(&s.missing, &d));
	assert_memory_equal(d, tar_sha.b, 32);
	handed(MAIL_STORED);
	world_run(&w, 100000);
	assert_int_equal(w.mails, 2);
	assert_int_equal(w.n.mail.bag.nopen, 1);
	/* a second letter brings them: the answer goes to that one */
	same_letter(&bob, true, 1800009999.);
	assert_true(come(&bob, true));
	world_run(&w, 2000);
	assert_int_equal(w.starts, 2);
	assert_int_equal(w.mails, 3);
	(void)answer_is(&bob, PATH_RESULT, &l);
	assert_memory_equal(l.re, msg_id.b, 32);
	assert_int_equal(counted("superseded"), 1);
	handed(MAIL_STORED);
	assert_int_equal(w.n.mail.bag.nopen, 0);
}

/* Outputs as far as they fit what was asked. */
static void
test_give(void **state)
{
	struct letter l;

	(void)state;
	w.output_size = 5000;
	w.prints = 100;
	submit_letter(&alice, 1, with_volumes, true);
	assert_true(come(&alice, true));
	world_run(&w, 2000);
	assert_int_equal(w.mails, 1);
	(void)answer_is(&alice, PATH_RESULT, &l);
	assert_in_range(l.nblobs, 1, 2);
	assert_true(l.blob[0].n == 100 || l.blob[0].n == 5000);
}

static void
test_refused(void **state)
{
	struct proto_ans a;
	struct letter l;

	(void)state;
	w.level = 0; /* below the floor */
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, true));
	world_run(&w, 1000);
	assert_int_equal(w.starts, 0);
	assert_int_equal(w.mails, 1);
	a = answer_is(&alice, PATH_SUBMIT, &l);
	refused(&a, "trust", 5);
	assert_null(l.id);
	handed(MAIL_DELIVERED);
	assert_int_equal(w.n.mail.bag.nopen, 0);
	/* who is kept out hears nothing */
	w.level = -3;
	node_verdicts_void(&w.n);
	submit_letter(&alice, 2, NULL, false);
	assert_true(come(&alice, true));
	world_run(&w, 10000);
	assert_int_equal(w.mails, 1);
	assert_int_equal(w.n.mail.bag.nopen, 0);
	assert_int_equal(counted("kept out"), 1);
	assert_int_equal(w.closes, 0);
}

/* Not somebody's word: nothing is kept, asked or answered. */
static void
test_not_taken(void **state)
{
	struct letter l = {.path = PATH_LIST, .give = LETTER_GIVE,
	    .value = {(const uint8_t *)"\x80", 1}};
	struct lxmf m;

	(void)state;
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, false)); /* whose key is not known */
	assert_int_equal(counted("unknown"), 1);
	assert_true(come(&bob, true)); /* another's key */
	assert_int_equal(counted("signature"), 1);
	/* each byte of it */
	for (size_t n = 0; n < msg_len; n++) {
		struct msg_T_MAIL t = {.known = true};

		memcpy(t.pub, alice.pub, 64);
		msg[n] ^= 1;
		w.n.mail.room.level = 120;
		mail_came(&w.n, &t, msg, msg_len);
		msg[n] ^= 1;
		assert_int_equal(w.n.mail.bag.nopen, 0);
	}
	for (size_t n = 0; n < msg_len; n++) {
		struct msg_T_MAIL t = {.known = true};

		memcpy(t.pub, alice.pub, 64);
		w.n.mail.room.level = 120;
		mail_came(&w.n, &t, msg, n);
		assert_int_equal(w.n.mail.bag.nopen, 0);
	}
	w.n.mail.room.level = 120;
	pack(&alice, &l, 5.); /* a path that is for links */
	assert_true(come(&alice, true));
	assert_int_equal(lxmf_parse(&m, msg, msg_len), 0);
	assert_int_equal(w.n.mail.bag.nopen, 0);
	w.n.policy.mail_cost = 8;
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, true));
	assert_int_equal(counted("stamp"), 1);
	world_run(&w, 1000);
	assert_int_equal(w.mails, 0);
	assert_int_equal(w.asks, 0);
	assert_int_equal(fake_mail_rows(), 0);
}

/* A person's message is nobody's job. */
static void
test_other(void **state)
{
	struct lxmf m = {.time = 1.};

	(void)state;
	m.source = alice.address;
	m.content = (struct lxmf_text){(const uint8_t *)"hello", 5};
	assert_int_equal(lxmf_pack(msg, &msg_len, sizeof(msg), &msg_id, &m,
		NULL, alice.priv), 0);
	assert_true(come(&alice, true));
	assert_int_equal(counted("other"), 1);
	assert_int_equal(w.n.mail.bag.nopen, 0);
}

/* Ends of the node at every place: one run, one answer. */
static void
test_restarts(void **state)
{
	struct letter l;

	(void)state;
	submit_letter(&alice, 1, with_volumes, true);
	assert_true(come(&alice, true));
	world_restart(&w); /* kept, not asked */
	w.n.policy.mail = true;
	world_up(&w, 1);
	assert_true(come(&alice, true)); /* transport was not told */
	assert_int_equal(counted("again"), 1);
	world_run(&w, 2);
	world_restart(&w); /* it is asked, or runs */
	world_up(&w, 1);
	world_run(&w, 2000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 1);
	world_restart(&w); /* answered, not handed over */
	world_up(&w, 1);
	world_run(&w, 2000);
	assert_int_equal(w.mails, 2);
	(void)answer_is(&alice, PATH_RESULT, &l);
	handed(MAIL_STORED);
	world_restart(&w);
	world_up(&w, 1);
	assert_true(come(&alice, true));
	world_run(&w, 100000);
	assert_int_equal(w.mails, 2);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.n.mail.bag.nopen, 0);
	assert_int_equal(fake_mail_rows(), 1);
}

/* Another transport has nothing of what the last one had. */
static void
test_transport(void **state)
{
	struct msg_T_HELLO h = {.dest = {{9}}};

	(void)state;
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, true));
	node_down(&w.n, PROGRAM_TRANSPORT);
	world_run(&w, 5000);
	assert_int_equal(w.starts, 1);
	assert_int_equal(w.mails, 0);
	node_up(&w.n, PROGRAM_TRANSPORT);
	node_hello(&w.n, &h);
	world_run(&w, 1000);
	assert_int_equal(w.mails, 1);
	node_down(&w.n, PROGRAM_TRANSPORT);
	node_up(&w.n, PROGRAM_TRANSPORT);
	node_hello(&w.n, &h);
	world_run(&w, 1000);
	assert_int_equal(w.mails, 2);
	handed(MAIL_STORED);
	assert_int_equal(w.n.mail.bag.nopen, 0);
}

/* An answer that nobody takes goes when the result itself would. */
static void
test_given_up(void **state)
{
	unsigned before;

	(void)state;
	w.n.policy.keep_results_s = w.policy.keep_results_s = 4 * 3600;
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, true));
	world_run(&w, 2000);
	for (unsigned i = 0; i < 600 && w.n.mail.bag.nopen > 0; i++) {
		handed(MAIL_FAILED);
		world_run(&w, 60000);
	}
	assert_int_equal(counted("given up"), 1);
	/* further and further apart: six in the first two hours, then hourly */
	assert_in_range(w.mails, 6, 12);
	before = w.mails;
	world_run(&w, 7200000);
	assert_int_equal(w.mails, before);
}

/* status, result and cancel may be asked too; once each. */
static void
test_asks(void **state)
{
	struct proto_req q = {.path = PATH_STATUS, .id = job.b};
	struct proto_job_status s;
	struct proto_ans a;
	struct letter l;

	(void)state;
	w.run_ms = 0; /* until it is killed */
	submit_letter(&alice, 1, NULL, false);
	assert_true(come(&alice, true));
	world_run(&w, 2000);
	assert_int_equal(w.mails, 0);
	letter_of(&alice, &q, NULL, 0, 7.);
	assert_true(come(&alice, true));
	world_run(&w, 1000);
	assert_int_equal(w.mails, 1);
	a = answer_is(&alice, PATH_STATUS, &l);
	assert_true(proto_get_status(&s, &a));
	assert_true(pstr_is(s.state, "running"));
	handed(MAIL_STORED);
	/* nobody else's */
	q.path = PATH_CANCEL;
	letter_of(&bob, &q, NULL, 0, 8.);
	assert_true(come(&bob, true));
	world_run(&w, 1000);
	a = answer_is(&bob, PATH_CANCEL, &l);
	assert_int_equal(a.status, ST_NOT_FOUND);
	handed(MAIL_STORED);
	letter_of(&alice, &q, NULL, 0, 9.);
	assert_true(come(&alice, true));
	world_run(&w, 0);
	a = answer_is(&alice, PATH_CANCEL, &l);
	assert_int_equal(a.status, ST_OK);
	handed(MAIL_STORED);
	/* and the submit's letter gets the end */
	world_run(&w, 60000);
	assert_int_equal(w.mails, 4);
	(void)answer_is(&alice, PATH_RESULT, &l);
}

/* One sender, or all together, fill no memory: the rest comes again. */
static void
test_bounds(void **state)
{
	unsigned taken = 0;

	(void)state;
	w.trust_silent = true;
	for (uint8_t i = 1; i < 40; i++) {
		submit_letter(&alice, i, NULL, false);
		taken += come(&alice, true);
	}
	assert_int_equal(taken, MAIL_OPEN_OF);
	submit_letter(&bob, 1, NULL, false);
	assert_true(come(&bob, true));
	/* more than so many of a minute are not even looked at */
	for (unsigned i = 0; i < 200; i++) {
		submit_letter(&bob, (uint8_t)i, NULL, false);
		msg[40] ^= 1;
		(void)come(&bob, true);
	}
	assert_in_range(counted("signature"), 50, 100);
	assert_true(counted("later") > 100);
}

/* As on a link: a used-up budget is waited for, and nobody hears of it. */
static void
test_busy(void **state)
{
	(void)state;
	w.n.policy.requests_per_minute = w.policy.requests_per_minute = 2;
	for (uint8_t i = 1; i <= 4; i++) {
		submit_letter(&alice, i, NULL, false);
		assert_true(come(&alice, true));
	}
	world_run(&w, 1000);
	assert_true(w.starts < 4);
	world_run(&w, 600000);
	assert_int_equal(w.starts, 4);
	assert_int_equal(w.mails, 4);
	assert_true(w.n.count.busy > 0);
}

/* What is remembered is bounded, oldest first. */
static void
test_seen(void **state)
{
	struct mailbag *b = &w.n.mail.bag;
	struct id32 id = {{0}};
	struct mail *m;

	(void)state;
	for (uint32_t i = 0; i < MAIL_SEEN + 10; i++) {
		put_u32(id.b, i + 1);
		m = mailbag_add(b, &id, "x", 1);
		assert_non_null(m);
		mailbag_over(b, m);
		if ((m = mailbag_old(b)) != NULL)
			mailbag_remove(b, m);
	}
	assert_int_equal(b->nover, MAIL_SEEN);
	assert_int_equal(b->bytes, 0);
	put_u32(id.b, 5);
	assert_null(mailbag_find(b, &id));
	put_u32(id.b, 12);
	assert_non_null(mailbag_find(b, &id));
}

/* Rows of the ledger: each cut, each other form. */
static void
test_record(void **state)
{
	static uint8_t rec[400];
	struct mailbag a, b;
	struct id32 id = {{7}};
	struct mail *m, *back;
	size_t n;

	(void)state;
	mailbag_init(&a);
	mailbag_init(&b);
	m = mailbag_add(&a, &id, "letter", 6);
	assert_non_null(m);
	m->source = alice.address;
	memcpy(m->pub, alice.pub, 64);
	m->came = 3;
	m->wrote = 4;
	m->give = 5;
	m->path = PATH_RESULT;
	m->has_job = m->last = true;
	m->job.b[31] = 9;
	m->state = MAIL_DUE;
	n = mail_encode(rec, sizeof(rec), m);
	assert_in_range(n, 7, MAIL_RECORD + 6);
	assert_int_equal(mail_encode(rec, n - 1, m), 0);
	for (size_t i = 0; i < n; i++)
		assert_false(mail_decode(&b, &id, rec, i));
	rec[n] = 0;
	assert_false(mail_decode(&b, &id, rec, n + 1));
	assert_true(mail_decode(&b, &id, rec, n));
	assert_false(mail_decode(&b, &id, rec, n));
	back = mailbag_find(&b, &id);
	assert_non_null(back);
	assert_int_equal(back->state, MAIL_DUE);
	assert_int_equal(back->path, PATH_RESULT);
	assert_int_equal(back->wrote, 4);
	assert_int_equal(back->give, 5);
	assert_true(back->has_job && back->last);
	assert_true(id32_eq(&back->job, &m->job));
	assert_memory_equal(back->data, "letter", 6);
	assert_int_equal(b.bytes, 6);
	for (unsigned v = 0; v < 256; v++) {
		id.b[1] = (uint8_t)(v + 1);
		rec[1] = (uint8_t)v;
		assert_true(mail_decode(&b, &id, rec, n) ==
		    (v == MAIL_ASKS || v == MAIL_WAITS || v == MAIL_DUE));
	}
	mailbag_clear(&a);
	mailbag_clear(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_job), T(test_inputs), T(test_give), T(test_refused),
	    T(test_not_taken), T(test_other), T(test_restarts),
	    T(test_transport), T(test_given_up), T(test_asks),
	    T(test_bounds), T(test_busy), T(test_seen), T(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
