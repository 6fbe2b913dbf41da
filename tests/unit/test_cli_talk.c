/* SPDX-License-Identifier: BSD-2-Clause */
/* Exactly once: what a submitter makes of answers that do not come. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/cli/begun.h"
#include "node/cli/jobdir.h"
#include "node/cli/converse.h"
#include "node/proto/proto_put.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/cli_session.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"

#define JOBS 2
#define NOW ((uint32_t)1800000000)

/* What the node says of a job. */
struct says {
	int rc; /* not CLI_OK: it does not come to an answer */
	uint8_t status;
	const char *state;
};

struct bench {
	struct cli c;
	struct person me;
	const char *base;
	struct session s;
	struct manifest m;
	struct hash16 dest;
	struct id32 job[JOBS];
	char folder[JOBS][300];
	uint8_t envelope[8192];
	size_t envelope_len;
	struct says says[JOBS];
	bool asked[JOBS];
	uint32_t now;
	bool late, no_link;
};

static int
answer_status(struct wr *out, const struct says *v, const struct id32 *job)
{
	struct proto_meta refused = {.code = pstr_of("load"),
	    .has_step = true, .step = 1};
	struct proto_job_status s = {.id = job->b, .seq = 1,
	    .state = pstr_of(v->state), .outcome = {.kind = OUT_NONE}};

	if (v->rc != CLI_OK)
		return v->rc;
	if (v->status == ST_OK) {
		proto_ans_head(out, ST_OK, NULL);
		proto_put_status(out, &s);
	} else {
		proto_ans_put(out, v->status,
		    v->status == ST_REFUSED ? &refused : NULL);
	}
	return CLI_OK;
}

static int
status_of(void *arg, const struct proto_req *q, struct wr *out)
{
	struct bench *t = arg;

	assert_int_equal(q->path, PATH_STATUS);
	for (size_t i = 0; i < JOBS; i++)
		if (id32_eq(id32_at(q->id), &t->job[i])) {
			t->asked[i] = true;
			return answer_status(out, &t->says[i], &t->job[i]);
		}
	fail_msg("a question for a job that nobody noted");
	return CLI_FAILED;
}

/* t->m becomes the job of that nonce; its envelope is t's. */
static void
sign(struct bench *t, uint8_t nonce)
{
	struct env_signed sig = {.fp = t->me.fp};
	char why[MANIFEST_WHY], *payload;
	size_t len;

	memset(t->m.nonce, nonce, sizeof(t->m.nonce));
	t->m.not_after = NOW + 60 + nonce;
	t->m.deadline = NOW + 120 + nonce;
	payload = manifest_build(&t->m, &len, why);
	if (payload == NULL)
		fail_msg("%s", why);
	assert_true(pae_sign(sig.sig, &t->me.secret, TYPE_MANIFEST, payload,
	    len, NULL));
	t->envelope_len = env_build_json(t->envelope, sizeof(t->envelope),
	    TYPE_MANIFEST, payload, len, &sig, 1);
	assert_true(t->envelope_len > 0 &&
	    t->envelope_len < sizeof(t->envelope));
	t->envelope[t->envelope_len] = '\0';
	free(payload);
}

static struct bench *
make(void)
{
	struct bench *t = calloc(1, sizeof(*t));
	struct manifest *m;

	assert_non_null(t);
	t->now = NOW;
	t->base = temp_dir();
	t->c = (struct cli){.verb = "test", .identity = t->base};
	assert_int_equal(person_load(&t->c, &t->me), CLI_OK);
	m = &t->m;
	manifest_init(m);
	(void)snprintf(m->image, sizeof(m->image), "x");
	m->submitter = m->node = t->me.fp;
	(void)snprintf(m->submitter_urn, sizeof(m->submitter_urn), "%s",
	    t->me.urn);
	assert_true(urn_make(m->node_urn, "kindai", "device", &m->node));
	m->has |= HAS_NODE;
	memset(&t->dest, 0x3c, sizeof(t->dest));
	t->s = (struct session){.answer = status_of, .arg = t};
	for (size_t i = 0; i < JOBS; i++) {
		struct job_note note = {.dest = t->dest, .node_fp = t->me.fp};

		sign(t, (uint8_t)(i + 1));
		(void)snprintf(t->folder[i], sizeof(t->folder[i]), "%s/job%zu",
		    t->base, i);
		assert_int_equal(mkdir(t->folder[i], 0755), 0);
		write_text(t->folder[i], "manifest",
		    (const char *)t->envelope);
		write_text(t->folder[i], JOBDIR_UPLOAD, "");
		t->job[i] = note.job = m->job;
		(void)snprintf(note.folder, sizeof(note.folder), "%s",
		    t->folder[i]);
		assert_true(person_note_job(&t->me, &note));
	}
	sign(t, 9);
	return t;
}

static void
drop(struct bench *t)
{
	manifest_clear(&t->m);
	person_clear(&t->me);
	temp_remove(t->base);
	free(t);
}

/* ---- what was begun ---- */

/* What was found is held: nobody else finds it. */
static int
find(struct bench *t, char folder[CLI_PATH])
{
	int rc, mark, dir;

	capture_begin();
	rc = begun_find(&t->c, &t->me, t->no_link ? NULL : &t->s,
	    &t->dest, t->now, NULL, &t->m, folder, &mark, &t->late);
	(void)capture_end();
	assert_true((mark >= 0) == (folder[0] != '\0'));
	if (mark < 0)
		return rc;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(jobdir_hold(dir, false), -1);
	assert_int_equal(jobdir_hold(dir, true), -1);
	(void)close(mark);
	mark = jobdir_hold(dir, false);
	assert_true(mark >= 0);
	(void)close(mark);
	(void)close(dir);
	return rc;
}

static void
test_begun(void **state)
{
	static const struct {
		struct says a, b;
		int rc, found; /* which; -1: none */
		uint32_t past; /* after NOW; 61: too late for the first */
		bool no_link, late;
	} t[] = {
	    {{.status = ST_OK, .state = "running"},
		{.status = ST_OK, .state = "cancelled"}, CLI_OK, 0, .past = 0},
	    {{.status = ST_OK, .state = "cancelled"},
		{.status = ST_OK, .state = "lost"}, CLI_OK, -1, .past = 0},
	    /* it has ended while its answer was lost: its result is wanted */
	    {{.status = ST_OK, .state = "done"},
		{.status = ST_OK, .state = "cancelled"}, CLI_OK, 0, .past = 0},
	    /* the one that is there, in whatever order they are looked at */
	    {{.status = ST_NOT_FOUND}, {.status = ST_OK, .state = "queued"},
		CLI_OK, 1, .past = 0},
	    {{.status = ST_OK, .state = "queued"}, {.status = ST_NOT_FOUND},
		CLI_OK, 0, .past = 0},
	    {{.status = ST_NOT_FOUND}, {.status = ST_OK, .state = "lost"},
		CLI_OK, 0, .past = 0},
	    {{.status = ST_OK, .state = "lost"}, {.status = ST_NOT_FOUND},
		CLI_OK, 1, .past = 0},
	    /* nothing is known: no other job is to be signed */
	    {{.rc = CLI_FAILED}, {.rc = CLI_FAILED}, CLI_FAILED, -1, .past = 0},
	    {{.rc = CLI_UNREACHABLE}, {.rc = CLI_UNREACHABLE},
		CLI_UNREACHABLE, -1, .past = 0},
	    {{.rc = CLI_FAILED}, {.status = ST_NOT_FOUND}, CLI_FAILED, -1, .past = 0},
	    {{.status = ST_NOT_FOUND}, {.rc = CLI_FAILED}, CLI_FAILED, -1, .past = 0},
	    {{.status = ST_REFUSED}, {.status = ST_NOT_FOUND}, CLI_REFUSED,
		-1, .past = 0},
	    /* too late: the node says of the very one whether it ever came */
	    {{.status = ST_NOT_FOUND}, {.status = ST_OK, .state = "lost"},
		CLI_OK, 0, .past = 90},
	    {{.status = ST_NOT_FOUND}, {.status = ST_OK, .state = "done"},
		CLI_OK, 1, .past = 90},
	    {{.status = ST_NOT_FOUND}, {.status = ST_NOT_FOUND}, CLI_OK, 1,
		.past = 61},
	    {{.status = ST_OK, .state = "lost"}, {.status = ST_NOT_FOUND},
		CLI_OK, 1, .past = 90},
	    /* nobody can be asked */
	    {{.rc = CLI_FAILED}, {.rc = CLI_FAILED}, CLI_OK, 1, .past = 61,
		.no_link = true},
	    {{.rc = CLI_FAILED}, {.rc = CLI_FAILED}, CLI_OK, -2, .past = 90,
		.no_link = true, .late = true},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct bench *k = make();
		char folder[CLI_PATH];
		int rc;

		k->says[0] = t[i].a;
		k->says[1] = t[i].b;
		k->now = NOW + t[i].past;
		k->no_link = t[i].no_link;
		rc = find(k, folder);
		if (k->late != t[i].late)
			fail_msg("%zu: late", i);
		if (t[i].found == -2) {
			/* either, the nonce with it */
			assert_true(folder[0] != '\0' && k->m.nonce[0] < 3);
			drop(k);
			continue;
		}
		if (rc != t[i].rc)
			fail_msg("%zu: %d", i, rc);
		if (t[i].found < 0) {
			if (folder[0] != '\0')
				fail_msg("%zu: %s", i, folder);
		} else if (strcmp(folder, k->folder[t[i].found]) != 0 ||
		    !id32_eq(&k->m.job, &k->job[t[i].found]) ||
		    k->m.nonce[3] != t[i].found + 1 ||
		    k->m.deadline != NOW + 121 + (uint32_t)t[i].found) {
			fail_msg("%zu: %s", i, folder);
		}
		drop(k);
	}
}

/* One that nobody was cut off from is a person's to run again. */
static void
test_seen(void **state)
{
	struct bench *k = make();
	char folder[CLI_PATH], mark[400];

	(void)state;
	for (size_t i = 0; i < JOBS; i++) {
		k->says[i] = (struct says){.status = ST_OK, .state = "done"};
		(void)snprintf(mark, sizeof(mark), "%s/" JOBDIR_UPLOAD,
		    k->folder[i]);
		assert_int_equal(unlink(mark), 0);
	}
	assert_int_equal(find(k, folder), CLI_OK);
	assert_string_equal(folder, "");
	assert_int_equal(k->s.asked, 0);
	drop(k);
}

/* ---- another key ---- */

struct describes {
	const struct person *node;
};

static int
describe(void *arg, const struct proto_req *q, struct wr *out)
{
	const struct describes *n = arg;
	struct proto_describe d = {.brief = true, .name = pstr_of("burrow"),
	    .time = (uint64_t)time(NULL), .limits = {.slice = 4096},
	    .binding = n->node->binding};

	assert_int_equal(q->path, PATH_DESCRIBE);
	proto_ans_head(out, ST_OK, NULL);
	proto_put_describe(out, &d);
	return CLI_OK;
}

static void
test_renewed(void **state)
{
	struct bench *k = make();
	struct person node, other;
	struct describes n = {&node};
	struct remote r = {0}, before;
	const char *dir = temp_dir();
	struct cli there = {.verb = "test", .identity = dir};
	const struct captured *said;
	char path[400];
	int rc;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/mesh", dir);
	assert_int_equal(person_load(&there, &node), CLI_OK);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/binding", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(person_load(&there, &other), CLI_OK);
	assert_memory_equal(node.rns_pub, other.rns_pub, RNS_KEY);
	k->s.answer = describe;
	k->s.arg = &n;
	memcpy(k->s.node_pub, node.rns_pub, RNS_KEY);
	assert_int_equal(remote_describe(&k->c, &k->s, &k->me, &r), CLI_OK);
	assert_true(fp_eq(&r.fp, &node.fp));
	r.kept = true;
	assert_int_equal(remote_renew(&k->c, &k->s, &k->me, &r), CLI_OK);
	assert_false(r.kept);
	/* nothing of it is taken */
	before = r;
	n.node = &other;
	capture_begin();
	rc = remote_renew(&k->c, &k->s, &k->me, &r);
	said = capture_end();
	assert_int_equal(rc, CLI_REFUSED);
	assert_non_null(strstr(said->err, "another mesh key"));
	assert_memory_equal(r.binding, before.binding, BINDING_LEN);
	assert_true(fp_eq(&r.fp, &node.fp));
	assert_string_equal(r.urn, before.urn);
	person_clear(&node);
	person_clear(&other);
	temp_remove(dir);
	drop(k);
}

/* ---- refused, and perhaps there ---- */

struct refusing {
	const char *code;
	bool clock;
	uint64_t limit, value; /* 0: none */
	struct says says;
	unsigned submits, statuses;
	/* ... or it takes the job, and a stream ends it under `describe` */
	struct talk *ends;
};

static int
refuse(void *arg, const struct proto_req *q, struct wr *out)
{
	struct refusing *r = arg;
	struct proto_meta refused = {.code = pstr_of(r->code),
	    .has_step = true, .step = 2, .has_time = r->clock, .time = NOW,
	    .has_limit = r->limit != 0, .limit = r->limit,
	    .has_value = r->value != 0, .value = r->value};
	const struct id32 *job = id32_at(q->id);

	switch (q->path) {
	case PATH_SUBMIT:
		r->submits++;
		if (r->ends == NULL) {
			proto_ans_put(out, ST_REFUSED, &refused);
			return CLI_OK;
		}
		proto_ans_head(out, ST_OK, NULL);
		proto_put_submitted(out, &(struct proto_submitted){
		    .id = r->ends->manifest->job.b,
		    .state = pstr_of("running")});
		return CLI_OK;
	case PATH_STATUS:
		r->statuses++;
		return answer_status(out, &r->says, job);
	case PATH_FOLLOW:
		assert_non_null(r->ends);
		r->ends->sub.bounds_wanted = true;
		proto_ans_head(out, ST_OK, NULL);
		proto_put_offset(out, 0);
		return CLI_OK;
	case PATH_DESCRIBE:
		assert_non_null(r->ends);
		r->ends->sub.phase = SUB_END;
		r->ends->sub.end = SUB_BAD_NODE;
		return SESSION_BROKEN;
	default:
		fail_msg("an unexpected request: %s", proto_path(q->path));
	}
	return CLI_FAILED;
}

static struct talk *
talk_of(struct bench *k, struct remote *node, struct refusing *r)
{
	struct talk *t = calloc(1, sizeof(*t));
	char path[400];

	assert_non_null(t);
	k->s.answer = refuse;
	k->s.arg = r;
	t->c = &k->c;
	t->person = &k->me;
	t->session = &k->s;
	t->node = node;
	t->manifest = &k->m;
	t->base = AT_FDCWD;
	t->by_old = true;
	t->sub.envelope = k->envelope;
	t->sub.envelope_len = k->envelope_len;
	t->sub.binding = k->me.binding;
	jobdir_init(&t->dir);
	(void)snprintf(path, sizeof(path), "%s/now", k->base);
	assert_int_equal(jobdir_open(&t->dir, &k->c, path, &k->m,
	    k->envelope, k->envelope_len), CLI_OK);
	return t;
}

static void
test_refused(void **state)
{
	static const struct {
		bool unsure, clock;
		struct says says;
		int rc;
		bool stays;
		uint64_t limit;
		bool other;
	} t[] = {
	    /* too late, and never there: whatever was kept */
	    {false, true, {.rc = CLI_FAILED}, TALK_LATE, true,
		.limit = NOW},
	    {true, true, {.status = ST_NOT_FOUND}, TALK_LATE, true,
		.limit = NOW},
	    /* ... there; of a time that is forgotten; of another job's */
	    {true, true, {.status = ST_OK, .state = "queued"}, CLI_REFUSED,
		true, .limit = NOW},
	    {true, true, {.rc = CLI_UNREACHABLE}, CLI_REFUSED, true,
		.limit = NOW},
	    {false, true, {.rc = CLI_FAILED}, TALK_OLD, true,
		.limit = NOW + 1},
	    {false, true, {.rc = CLI_FAILED}, TALK_OLD, true,
		.limit = NOW - 1},
	    {false, true, {.rc = CLI_FAILED}, TALK_OLD, true,
		.limit = NOW, .other = true},
	    {false, false, {.rc = CLI_FAILED}, CLI_REFUSED, false,
		.limit = NOW},
	    /* it came once: what it was refused for is all */
	    {false, false, {.rc = CLI_FAILED}, CLI_REFUSED,
		false, .limit = 0},
	    {false, true, {.rc = CLI_FAILED}, TALK_OLD,
		true, .limit = 0},
	    /* another copy came perhaps before */
	    {true, false, {.status = ST_NOT_FOUND}, CLI_REFUSED,
		false, .limit = 0},
	    {true, false, {.status = ST_OK, .state = "queued"}, CLI_REFUSED,
		true, .limit = 0},
	    {true, false, {.status = ST_REFUSED}, CLI_REFUSED,
		true, .limit = 0},
	    {true, false, {.rc = CLI_UNREACHABLE}, CLI_REFUSED,
		true, .limit = 0},
	    /* and is not signed anew then */
	    {true, true, {.status = ST_NOT_FOUND}, TALK_OLD,
		true, .limit = 0},
	    {true, true, {.status = ST_OK, .state = "queued"}, CLI_REFUSED,
		true, .limit = 0},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct bench *k = make();
		struct remote node = {.slice = 4096, .fp = k->me.fp};
		struct refusing r = {.code = t[i].clock ? "manifest" : "load",
		    .clock = t[i].clock, .says = t[i].says,
		    .limit = t[i].limit};
		struct talk *talk = talk_of(k, &node, &r);
		const struct captured *said;
		bool there = t[i].rc == CLI_REFUSED && t[i].stays;
		int rc;

		/* signed so long ago, for what the node's clock says */
		k->m.not_after = NOW - 100;
		r.value = t[i].limit != 0 ? k->m.not_after + t[i].other : 0;
		talk->renews = true;
		k->s.unsure = t[i].unsure;
		capture_begin();
		rc = talk_run(talk);
		said = capture_end();
		if (rc != t[i].rc || talk_admitted(talk) != there ||
		    (access(talk->dir.path, F_OK) == 0) != t[i].stays ||
		    (strstr(said->err, "goes on with it") != NULL) != there)
			fail_msg("%zu: %d: %s", i, rc, said->err);
		assert_int_equal(r.submits, 1);
		assert_int_equal(r.statuses, t[i].unsure);
		jobdir_close(&talk->dir);
		free(talk);
		drop(k);
	}
}

/* Only the node that the job was signed for has a word about it. */
static void
test_pinned(void **state)
{
	struct bench *k = make();
	struct remote node = {.slice = 4096};
	struct refusing r = {.code = "load"};
	struct talk *talk = talk_of(k, &node, &r);
	const struct captured *said;
	struct fp any = {0};
	int rc;

	(void)state;
	memset(&node.fp, 0x5a, sizeof(node.fp));
	assert_true(urn_make(node.urn, "kindai", "device", &node.fp));
	for (int resume = 0; resume < 2; resume++) {
		talk->sub.resume = resume;
		capture_begin();
		rc = talk_run(talk);
		said = capture_end();
		assert_int_equal(rc, CLI_REFUSED);
		assert_non_null(strstr(said->err, "signed for"));
		assert_non_null(strstr(said->err, node.urn));
		assert_non_null(strstr(said->err, k->m.node_urn));
		assert_int_equal(k->s.asked, 0);
	}
	/* a job that names none may be anybody's, but who was noted */
	talk->sub.resume = false;
	k->m.has &= ~(unsigned)HAS_NODE;
	capture_begin();
	rc = talk_run(talk);
	assert_int_equal(remote_pinned(&k->c, &node, &any), CLI_OK);
	assert_int_equal(remote_pinned(&k->c, &node, &node.fp), CLI_OK);
	assert_int_equal(remote_pinned(&k->c, &node, &k->me.fp), CLI_REFUSED);
	(void)capture_end();
	assert_int_equal(rc, CLI_REFUSED);
	assert_int_equal(r.submits, 1);
	jobdir_close(&talk->dir);
	free(talk);
	drop(k);
}

/* What ends under a question of ours is no success in silence. */
static void
test_ended(void **state)
{
	struct bench *k = make();
	struct remote node = {.slice = 4096, .fp = k->me.fp};
	struct refusing r = {.code = "load"};
	struct talk *talk = talk_of(k, &node, &r);
	const struct captured *said;
	int rc;

	(void)state;
	r.ends = talk;
	capture_begin();
	rc = talk_run(talk);
	said = capture_end();
	assert_int_equal(rc, CLI_FAILED);
	assert_non_null(strstr(said->err, "breaks the protocol"));
	assert_true(SESSION_BROKEN != TALK_OLD &&
	    SESSION_UNANSWERED != TALK_OLD);
	jobdir_close(&talk->dir);
	free(talk);
	drop(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_begun),
	    cmocka_unit_test(test_seen),
	    cmocka_unit_test(test_renewed),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_pinned),
	    cmocka_unit_test(test_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
