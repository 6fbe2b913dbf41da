/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/absence_others.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/host/logs.h"
#include "sandbox/plan/plan.h"
#include "tests/sim/absence.h"
#include "trust/doc/manifest_record.h"
#include "trust/verdict.h"

/* Jail, which counts; trust, keys and audit, as good as they must be. */
#define CELLS 4
#define KEYS 16
#define BUILD_US (2 * MONO_SECOND)

struct cell {
	enum { EMPTY, BUILT, RUNS, ENDED } is;
	struct id32 job;
	unsigned number;
	uint32_t slot;
	struct mono began, ends;
	uint64_t ran_ms;
	uint8_t how, kill;
	int32_t code;
	int pipe[2][2];
};

static TAILQ_HEAD(, other_event) events = TAILQ_HEAD_INITIALIZER(events);
static struct cell cells[CELLS + 1];
static struct {
	struct id32 job;
	unsigned number;
} names[4 * ABSENCE_JOBS];
static unsigned nnames;
static struct id32 outputs[ABSENCE_JOBS], inputs[ABSENCE_JOBS];
static struct { /* bindings that were seen */
	uint8_t rns[RNS_KEY];
	struct klp_key key;
	uint32_t not_after;
} known[KEYS];
static unsigned nknown;

static void
post(enum ipc_type type, const void *msg, size_t len, const uint8_t *data,
    size_t data_len)
{
	struct other_event *e = calloc(1, sizeof(*e));

	MUST(e != NULL && len <= sizeof(e->msg), "no memory");
	e->type = type;
	memcpy(e->msg, msg, len);
	if (data_len > 0) {
		e->data = malloc(data_len);
		MUST(e->data != NULL, "no memory");
		memcpy(e->data, data, data_len);
		e->data_len = data_len;
	}
	TAILQ_INSERT_TAIL(&events, e, link);
	away.wake = true;
}
#define POST(TYPE, m) post(IPC_##TYPE, m, sizeof(*(m)), NULL, 0)

struct other_event *
others_next(void)
{
	struct other_event *e = TAILQ_FIRST(&events);

	if (e != NULL)
		TAILQ_REMOVE(&events, e, link);
	return e;
}

void
others_free(struct other_event *e)
{
	free(e->data);
	free(e);
}

bool
others_waiting(void)
{
	return !TAILQ_EMPTY(&events);
}

void
others_deaf(void)
{
	struct other_event *e;

	while ((e = others_next()) != NULL)
		others_free(e);
}

/* ---- jail ---- */

unsigned
jail_number(const struct id32 *job)
{
	for (unsigned i = 0; i < nnames; i++)
		if (id32_eq(&names[i].job, job))
			return names[i].number;
	away_broken("a job that never started");
}

static struct cell *
cell_of(const struct id32 *job)
{
	for (unsigned i = 1; i <= CELLS; i++)
		if (cells[i].is != EMPTY && id32_eq(&cells[i].job, job))
			return &cells[i];
	return NULL;
}

static void
cell_clear(struct cell *c)
{
	for (unsigned k = 0; k < 4 && c->is != EMPTY; k++)
		if (c->pipe[k / 2][k % 2] >= 0)
			(void)close(c->pipe[k / 2][k % 2]);
	c->is = EMPTY;
	c->ends = MONO_NEVER;
}

static void
jail_run(const struct msg_J_RUN *m)
{
	struct plan plan;
	struct cell *c;

	MUST(plan_decode(rd_make(m->plan, m->plan_len), &plan) &&
	    plan.slot >= 1 && plan.slot <= CELLS, "a plan");
	c = &cells[plan.slot];
	MUST(c->is == EMPTY && cell_of(&plan.job) == NULL,
	    "started while jail has it still");
	*c = (struct cell){.is = BUILT, .job = plan.job, .slot = plan.slot};
	c->number = jail_number(&plan.job);
	c->ends = mono_add(sim_now(away.sim), BUILD_US);
	for (unsigned k = 0; k < 2; k++)
		MUST(pipe2(c->pipe[k], O_CLOEXEC | O_NONBLOCK) == 0, "a pipe");
}

static void
starts(struct cell *c)
{
	struct msg_J_STARTED s = {.slot = c->slot, .layers = 0x3ff};
	uint8_t b[AWAY_LOG_LEN];

	c->is = RUNS;
	c->began = sim_now(away.sim);
	/* from ten seconds to a quarter of an hour */
	c->ends = mono_add(c->began, (10 + c->number * 7919 % 890) *
	    MONO_SECOND);
	away.job[c->number].starts++;
	s.job = c->job;
	away_bytes(c->number, AWAY_LOG, b, AWAY_LOG_LEN);
	MUST(write(c->pipe[0][1], b, AWAY_LOG_LEN) == AWAY_LOG_LEN, "a pipe");
	away_bytes(c->number, AWAY_ERR, b, AWAY_ERR_LEN);
	MUST(write(c->pipe[1][1], b, AWAY_ERR_LEN) == AWAY_ERR_LEN, "a pipe");
	if (away_node_lives())
		POST(J_STARTED, &s);
}

static void
ends(struct cell *c, uint8_t how, int32_t code)
{
	struct msg_J_EXITED x = {.how = how, .code = code, .kill = c->kill};

	c->is = ENDED;
	away.job[c->number].exited = sim_now(away.sim).us;
	c->how = how;
	c->code = code;
	c->ends = MONO_NEVER;
	for (unsigned k = 0; k < 2; k++) {
		(void)close(c->pipe[k][1]);
		c->pipe[k][1] = -1;
	}
	x.job = c->job;
	x.ran_ms = c->ran_ms = (uint64_t)mono_sub(sim_now(away.sim),
	    c->began) / 1000;
	if (away_node_lives())
		POST(J_EXITED, &x);
}

void
jail_works(void)
{
	for (unsigned i = 1; i <= CELLS; i++) {
		struct cell *c = &cells[i];

		if (c->is == EMPTY || c->ends.us > sim_now(away.sim).us)
			continue;
		if (c->is == BUILT)
			starts(c);
		else if (c->is == RUNS)
			ends(c, EXIT_CODE, 0);
	}
}

void
jail_kill(const struct id32 *job, uint8_t why)
{
	struct cell *c = cell_of(job);

	if (c == NULL || (c->is != RUNS && c->is != BUILT))
		return;
	if (c->kill == 0)
		c->kill = why;
	if (c->is == BUILT)
		c->began = sim_now(away.sim);
	ends(c, EXIT_SIGNAL, 9);
}

static void
jail_forget(const struct msg_J_FORGET *m)
{
	struct msg_J_FORGOTTEN f = {.job = m->job};
	struct cell *c = cell_of(&m->job);

	if (c != NULL) {
		f.slot = c->slot;
		cell_clear(c);
	}
	POST(J_FORGOTTEN, &f);
}

static void
jail_hello(void)
{
	const struct msg_J_POSTURE p = {.layers = 0x3ff, .slots = CELLS};

	for (unsigned i = 1; i <= CELLS; i++) {
		const struct cell *c = &cells[i];
		struct msg_J_STAGING s = {.slot = c->slot, .kill = c->kill};
		struct msg_J_RUNNING r = {.slot = c->slot, .layers = 0x3ff,
		    .exited = c->is == ENDED, .how = c->how, .code = c->code,
		    .kill = c->kill, .ran_ms = c->ran_ms};

		s.job = r.job = c->job;
		if (c->is == BUILT)
			POST(J_STAGING, &s);
		else if (c->is != EMPTY)
			POST(J_RUNNING, &r);
	}
	POST(J_POSTURE, &p);
}

void
jail_pipes(struct warren_node *wn, struct id32 job)
{
	struct job *j = job_find(&wn->node.jobs, &job);
	const struct cell *c = cell_of(&job);

	if (j == NULL || c == NULL || !job_active(j))
		return;
	MUST(logs_attach(wn->logs, j, dup(c->pipe[0][0]),
	    dup(c->pipe[1][0])) == 0, "a job's pipes");
}

void
jail_output(unsigned number, const struct id32 *sha)
{
	outputs[number] = *sha;
}

void
jail_moved(const struct id32 *sha, uint64_t size, size_t n, bool in)
{
	for (unsigned i = 0; i < away.njobs; i++) {
		struct away_job *j = &away.job[i];

		if (!in && id32_eq(&outputs[i], sha))
			j->out_moved += n;
		if (!in || !id32_eq(&inputs[i], sha))
			continue;
		j->in_moved += n;
		j->in_blob = size;
	}
}

/* Which of ours it is stands in its command. */
static void
know_job(const struct id32 *id, const uint8_t *record, size_t len)
{
	struct manifest m;
	unsigned i;

	MUST(manifest_record_get(&m, record, len) && m.command.n == 2 &&
	    m.nvolumes == 2 && (i = (unsigned)strtoul(m.command.v[1], NULL,
	    10)) < away.njobs, "a job that nobody has");
	inputs[i] = m.volume[0].blob.sha256;
	for (unsigned k = 0; k < nnames; k++)
		if (id32_eq(&names[k].job, id))
			goto out;
	MUST(nnames < NELEM(names), "too many jobs");
	names[nnames].job = *id;
	names[nnames++].number = i;
	away.job[i].ids++;
out:
	manifest_clear(&m);
}

/* ---- trust ---- */

static void
trust_ask(const struct msg_V_ASK *m)
{
	struct msg_V_VERDICT v = {.qid = m->qid, .status = VERDICT_NO_BINDING,
	    .level = 0, .valid_until = others_unix() + VERDICT_VALID};
	struct binding b;
	unsigned i = 0;

	rns_identity_hash_of(&v.rns_hash, m->rns_public);
	while (i < nknown && memcmp(known[i].rns, m->rns_public, RNS_KEY) != 0)
		i++;
	if (m->binding_len > 0) {
		const char *why = "form";

		MUST(binding_parse(&b, m->binding, m->binding_len) &&
		    (why = binding_check(&b, m->rns_public, others_unix())) ==
		    NULL && i < KEYS, "a binding that does not hold: %s", why);
		memcpy(known[i].rns, m->rns_public, RNS_KEY);
		MUST(binding_key(&known[i].key, &b), "a key");
		known[i].not_after = b.not_after;
		nknown = MAX_OF(nknown, i + 1);
	}
	if (i < nknown) {
		v.status = VERDICT_OK;
		v.level = 2;
		v.pinned = true;
		key_fp(&v.fp, &known[i].key);
		v.key_kind = (uint8_t)known[i].key.kind;
		v.bip340 = known[i].key.bip340;
		v.key_len = 33;
		memcpy(v.key, known[i].key.raw, 33);
	}
	POST(V_VERDICT, &v);
}

static void
trust_envelope(const struct msg_V_ENVELOPE *m, int fd)
{
	static uint8_t record[MANIFEST_RECORD_MAX];
	const struct verdicts v = {0};
	struct msg_V_MANIFEST out;
	uint8_t *env = malloc(m->len);
	size_t n;

	MUST(env != NULL && pread(fd, env, m->len, 0) == (ssize_t)m->len,
	    "an envelope");
	n = verdict_envelope(&v, record, sizeof(record), &out, m, env, m->len);
	MUST(n > 0, "an envelope that does not hold: %s", out.why);
	know_job(&out.job, record, n);
	post(IPC_V_MANIFEST, &out, sizeof(out), record, n);
	free(env);
}

static void
trust_live(const struct msg_V_LIVE *m)
{
	struct msg_V_LIVE_OK ok = {.qid = m->qid, .ok = verdict_live(m)};

	POST(V_LIVE_OK, &ok);
}

/* ---- keys, audit ---- */

static void
keys_receipt(const struct msg_K_RECEIPT *m)
{
	struct msg_K_SIGNED s = {.qid = m->qid, .ok = true};
	struct job_receipt r = {.outcome = m->outcome, .code = m->code,
	    .attempts = m->attempts, .layers = m->layers,
	    .started = m->started, .wall_ms = m->wall_ms,
	    .cpu_ms = m->cpu_ms, .memory_kb = m->memory_kb,
	    .bytes_in = m->bytes_in, .bytes_out = m->bytes_out};

	r.job = m->job;
	r.image = m->image;
	r.outputs = m->outputs;
	r.logs = m->logs;
	r.policy = m->policy;
	r.trail = m->trail;
	MUST(job_receipt_sign(&r, &others.secret, NULL), "a receipt");
	(void)job_receipt_put(s.receipt, &r);
	POST(K_SIGNED, &s);
}

static void
audit_event(const struct msg_EVENT *m)
{
	struct msg_HEAD h = {.qid = m->qid, .seq = 1, .digest = {{0x77}}};

	if (m->qid != 0)
		POST(HEAD, &h);
}

/* ---- the channels ---- */

struct ipc *__wrap_program_channel(const struct process *, enum program);
int __wrap_ipc_send(struct ipc *, const uint8_t *, size_t, const int *,
    unsigned);

struct ipc *
__wrap_program_channel(const struct process *p, enum program who)
{
	static char tokens[PROGRAM_COUNT];

	(void)p;
	return (struct ipc *)(void *)&tokens[who];
}

int
__wrap_ipc_send(struct ipc *c, const uint8_t *bytes, size_t len,
    const int *fds, unsigned nfds)
{
	struct rd r = rd_make(bytes, len), body = rd_make(bytes + 2, len - 2);
	uint16_t type = 0;

	(void)c;
	MUST(rd_u16(&r, &type) && type < IPC_TYPES, "a message");
#define HEAR(T, call)                                                          \
	case IPC_##T: {                                                        \
		struct msg_##T m;                                              \
                                                                               \
		MUST(msg_get_##T(body, &m), "a message that does not read");   \
		call;                                                          \
		break;                                                         \
	}
	switch ((enum ipc_type)type) {
		HEAR(J_RUN, jail_run(&m))
		HEAR(J_KILL, jail_kill(&m.job, m.why))
		HEAR(J_FORGET, jail_forget(&m))
		HEAR(J_STEP, POST(J_STEP, &m))
		HEAR(K_RECEIPT, keys_receipt(&m))
		HEAR(V_ASK, trust_ask(&m))
		HEAR(V_ENVELOPE, trust_envelope(&m, fds[0]))
		HEAR(V_LIVE, trust_live(&m))
		HEAR(EVENT, audit_event(&m))
		HEAR(N_REPLY, others_reply(&m, fds, nfds))
		HEAR(N_FOLLOW, others_follow(&m, fds[0]))
		HEAR(N_CLOSE, others_close(&m))
		HEAR(N_APP_DATA, others_app_data(&m))
	default:
		break;
	}
	return 0;
}

/* ---- life ---- */

static void
make_keys(void)
{
	const uint32_t now = others_unix();
	struct binding b = {.serial = 1, .not_before = now - 10 * 86400,
	    .not_after = now + BINDING_LIFE};
	uint8_t aux[32] = {1};
	struct hash16 id;

	MUST(secp_init(aux), "secp256k1");
	others.secret = (struct klp_secret){.kind = KEY_SECP256K1};
	memset(others.secret.raw, 5, 32);
	memset(others.rns, 0x5e, RNS_KEY);
	MUST(secret_public(&others.key, &others.secret) &&
	    rns_identity_derive(others.rns_pub, &id, others.rns) == RNS_OK,
	    "keys");
	memcpy(b.secp, others.key.raw, sizeof(b.secp));
	memcpy(b.rns, others.rns_pub, RNS_KEY);
	MUST(binding_sign_secp(&b, &others.secret, aux) &&
	    binding_sign_rns(&b, others.rns + 32), "a binding");
	binding_put(others.binding, &b);
}

void
others_hello(void)
{
	struct msg_T_HELLO t = {.dest = away.dest};
	struct msg_K_BINDING k;

	memcpy(t.rns_public, others.rns_pub, sizeof(t.rns_public));
	memcpy(k.binding, others.binding, BINDING_LEN);
	key_fp(&k.fp, &others.key);
	POST(T_HELLO, &t);
	POST(K_BINDING, &k);
	jail_hello();
}

void
others_open(void)
{
	nnames = nknown = 0;
	memset(outputs, 0, sizeof(outputs));
	for (unsigned i = 1; i <= CELLS; i++)
		cells[i] = (struct cell){.ends = MONO_NEVER};
	make_keys();
}

void
others_end(void)
{
	others_deaf();
	for (unsigned i = 1; i <= CELLS; i++)
		cell_clear(&cells[i]);
}
