/* warren submit JOB.yaml --to NODE */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "cleanup.h"
#include "clock.h"
#include "units.h"
#include "util.h"

#include "node/cli/cli.h"
#include "node/cli/jobdir.h"
#include "node/cli/jobfile.h"
#include "node/cli/nodes.h"
#include "node/cli/pack.h"
#include "node/cli/remote.h"
#include "node/cli/session.h"
#include "node/cli/submitter.h"
#include "trust/envelope.h"

#define CONTACT_MS (2 * 60 * 1000)
#define NOT_AFTER_S 3600 /* ours: the node must admit the job within an hour */
#define PROGRESS_US MONO_SECOND

struct submit {
	struct cli *c;
	const char *to, *out;
	bool in_place, detach;
	uint64_t timeout_ms;

	struct person person;
	struct session *session;
	struct remote node;
	struct job_file job;
	/* of each volume, then the module and the contract */
	struct pack packs[MANIFEST_VOLUMES + 2];
	uint8_t *envelope, *envelope_json;
	size_t envelope_len, envelope_json_len;
	struct jobdir dir;
	struct submitter sub;
	uint8_t buf[PROTO_SLICE];

	unsigned generation;
	struct mono progress_at, phase_since;
	enum sub_phase shown_phase;
};

enum submit_option { OPT_TO, OPT_OUT, OPT_IN_PLACE, OPT_DETACH, OPT_TIMEOUT };
static const struct cli_option options[] = {
    {"to", 't', true},
    {"out", 'o', true},
    {"in-place", 0, false},
    {"detach", 'd', false},
    {"timeout", 0, true},
};

static bool
set_option(struct cli *c, void *ctx, int index, const char *value)
{
	struct submit *s = ctx;

	switch (index) {
	case OPT_TO:
		s->to = value;
		break;
	case OPT_OUT:
		s->out = value;
		break;
	case OPT_IN_PLACE:
		s->in_place = true;
		break;
	case OPT_DETACH:
		s->detach = true;
		break;
	case OPT_TIMEOUT:
		if (!units_time_ms(value, &s->timeout_ms) ||
		    s->timeout_ms == 0) {
			cli_error(c, "--timeout: %s is no time (like 30s, 2m)",
			    value);
			return false;
		}
		break;
	}
	return true;
}

/* ---- the signed payload ---- */

static bool
pack_blob(struct submit *s, const char *path, unsigned i, struct blob_ref *ref)
{
	if (!pack_file(s->c, s->job.dir, path, &s->packs[i]))
		return false;
	memcpy(ref->sha256, s->packs[i].sha256, 32);
	ref->size = s->packs[i].size;
	return true;
}

static int
pack_volumes(struct submit *s)
{
	struct manifest *m = &s->job.m;

	for (unsigned i = 0; i < m->nvolumes; i++) {
		cli_progress(s->c, "packing %s ...", s->job.local[i]);
		if (!pack_folder(s->c, s->job.dir, s->job.local[i],
			&s->packs[i]))
			return CLI_FAILED;
		memcpy(m->volume[i].blob.sha256, s->packs[i].sha256, 32);
		m->volume[i].blob.size = s->packs[i].size;
	}
	if ((m->has & HAS_WASM) != 0 &&
	    !pack_blob(s, s->job.wasm, MANIFEST_VOLUMES, &m->wasm))
		return CLI_FAILED;
	if ((m->has & HAS_CONTRACT) != 0 &&
	    !pack_blob(s, s->job.contract, MANIFEST_VOLUMES + 1, &m->contract))
		return CLI_FAILED;
	cli_progress_end(s->c);
	return CLI_OK;
}

static int
sign_manifest(struct submit *s)
{
	struct manifest *m = &s->job.m;
	_cleanup_free_ char *payload = NULL;
	char why[MANIFEST_WHY] = "";
	struct env_signed sig;
	uint8_t aux[32];
	size_t len;

	memcpy(m->submitter, s->person.fp, FP_LEN);
	memcpy(m->submitter_urn, s->person.urn, sizeof(m->submitter_urn));
	memcpy(m->node, s->node.fp, FP_LEN);
	memcpy(m->node_urn, s->node.urn, sizeof(m->node_urn));
	m->has |= HAS_NODE;
	randombytes_buf(m->nonce, sizeof(m->nonce));
	m->deadline = (uint32_t)((int64_t)s->node.time + s->job.deadline_s);
	m->not_after = (uint32_t)MIN_OF((int64_t)m->deadline,
	    (int64_t)s->node.time + NOT_AFTER_S);
	payload = manifest_build(m, &len, why);
	if (payload == NULL) {
		cli_error(s->c, "the job cannot be written: %s", why);
		return CLI_USAGE;
	}
	randombytes_buf(aux, sizeof(aux));
	memcpy(sig.fp, s->person.fp, FP_LEN);
	if (!pae_sign(sig.sig, &s->person.secret, TYPE_MANIFEST, payload, len,
		aux)) {
		cli_error(s->c, "the job could not be signed");
		return CLI_FAILED;
	}
	s->envelope = malloc(ENV_MANIFEST_MAX);
	s->envelope_json = malloc(2 * ENV_MANIFEST_MAX);
	if (s->envelope == NULL || s->envelope_json == NULL)
		return CLI_FAILED;
	s->envelope_len = env_build_binary(s->envelope, ENV_MANIFEST_MAX,
	    TYPE_MANIFEST, payload, len, &sig, 1);
	s->envelope_json_len = env_build_json(s->envelope_json,
	    2 * ENV_MANIFEST_MAX, TYPE_MANIFEST, payload, len, &sig, 1);
	if (s->envelope_len == 0 || s->envelope_json_len == 0) {
		cli_error(s->c, "the signed job is larger than 96 KiB");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* ---- what the machine asks of us ---- */

static bool
read_input(void *arg, const uint8_t sha256[32], uint64_t offset, uint8_t *out,
    size_t n)
{
	struct submit *s = arg;
	int fd = -1;

	for (size_t i = 0; i < NELEM(s->packs) && fd < 0; i++)
		if (s->packs[i].fd >= 0 &&
		    memcmp(s->packs[i].sha256, sha256, 32) == 0)
			fd = s->packs[i].fd;
	while (fd >= 0 && n > 0) {
		ssize_t k = pread(fd, out, n, (off_t)offset);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		out += k;
		n -= (size_t)k;
		offset += (uint64_t)k;
	}
	return fd >= 0;
}

static void
on_stream1(void *arg, const uint8_t *p, size_t n, bool eof)
{
	struct submit *s = arg;

	sub_stream(&s->sub, 1, p, n, eof);
	if (eof)
		session_wake(s->session);
}

static void
on_stream2(void *arg, const uint8_t *p, size_t n, bool eof)
{
	struct submit *s = arg;

	sub_stream(&s->sub, 2, p, n, eof);
	if (eof)
		session_wake(s->session);
}

/* ---- what people see ---- */

static void
say_state(struct submit *s)
{
	struct submitter *m = &s->sub;
	char hex[65];

	if (!m->state_changed)
		return;
	m->state_changed = false;
	hex_encode(hex, s->job.m.job, 32);
	if (s->c->json)
		cli_json(json_pack("{s:s,s:s,s:s,s:s?,s:I}", "event", "state",
		    "id", hex, "state", m->state, "reason",
		    m->reason[0] != '\0' ? m->reason : NULL, "wait_s",
		    (json_int_t)m->wait_s));
	else if (m->reason[0] != '\0')
		cli_progress(s->c, "%.16s %s (%s)", hex, m->state, m->reason);
	else
		cli_progress(s->c, "%.16s %s", hex, m->state);
}

static void
say_progress(struct submit *s, uint64_t more)
{
	struct submitter *m = &s->sub;
	struct mono now = clock_mono();
	uint64_t done = m->done_bytes + more;
	char a[24], b[24], r[24], left[24];
	double secs, rate;

	if (m->phase != s->shown_phase) {
		s->shown_phase = m->phase;
		s->phase_since = now;
		s->progress_at = mono_add(now, PROGRESS_US / 4);
	}
	if (m->total_bytes == 0 || !mono_reached(now, s->progress_at))
		return;
	s->progress_at = mono_add(now, PROGRESS_US);
	if (s->c->json) {
		cli_json(json_pack("{s:s,s:s,s:I,s:I}", "event", "progress",
		    "phase", sub_phase_name(m->phase), "bytes",
		    (json_int_t)done, "total", (json_int_t)m->total_bytes));
		return;
	}
	secs = (double)mono_sub(now, s->phase_since) / 1e6;
	rate = secs > 0 ? (double)done / secs : 0;
	cli_progress(s->c, "%s %s of %s, %s/s, %s left",
	    sub_phase_name(m->phase), cli_bytes(a, done),
	    cli_bytes(b, m->total_bytes), cli_bytes(r, (uint64_t)rate),
	    rate > 0 ? cli_duration(left,
			   (int64_t)((double)(m->total_bytes -
					 MIN_OF(done, m->total_bytes)) /
			       rate * 1000)) :
		       "?");
}

static void
on_progress(void *arg, bool sending, uint64_t done, uint64_t total)
{
	struct submit *s = arg;

	(void)sending;
	(void)total;
	say_progress(s, done);
}

/* ---- the conversation ---- */

static int
prove(struct submit *s)
{
	uint8_t proof[PROTO_PROOF_LEN], digest[32], aux[32];
	const uint8_t *link = session_link_id(s->session);

	if (link == NULL)
		return CLI_UNREACHABLE;
	randombytes_buf(proof + 64, 32);
	randombytes_buf(aux, sizeof(aux));
	challenge_digest(digest, link, s->sub.proof_n, proof + 64,
	    s->person.rns_pub, s->node.rns_pub);
	if (!secp_sign(proof, &s->person.secret, digest, aux))
		return CLI_FAILED;
	sub_prove(&s->sub, proof);
	return CLI_OK;
}

static int
converse(struct submit *s)
{
	struct proto_req req;
	struct proto_ans ans;
	struct mono at;

	sub_init(&s->sub, clock_mono());
	s->generation = session_generation(s->session);
	while (s->sub.phase != SUB_END) {
		int rc = CLI_OK;

		if (session_generation(s->session) != s->generation) {
			s->generation = session_generation(s->session);
			sub_link_lost(&s->sub);
		}
		if (!sub_next(&s->sub, clock_mono(), &req, &at)) {
			if (s->sub.proof_wanted && !s->sub.has_proof)
				rc = prove(s);
			else if (at.us != INT64_MAX)
				session_run(s->session,
				    mono_sub(at, clock_mono()));
			if (rc != CLI_OK)
				return rc;
			if (session_interrupted(s->session))
				return CLI_FAILED;
			continue;
		}
		if (req.path == PATH_FOLLOW &&
		    session_stream(s->session, req.stream,
			req.stream == 1 ? on_stream1 : on_stream2, s) != 0) {
			/* the link is down: the call below makes it anew */
			req.path = PATH_STATUS;
			req.stream = 0;
		}
		rc = session_ask(s->session, &req, &ans, on_progress, s);
		if (rc != CLI_OK)
			return rc;
		if (session_generation(s->session) != s->generation) {
			s->generation = session_generation(s->session);
			sub_link_lost(&s->sub);
			if (req.path == PATH_FOLLOW)
				continue; /* its reader went with the link */
		}
		sub_answer(&s->sub, clock_mono(), &ans);
		say_state(s);
		say_progress(s, 0);
	}
	return CLI_OK;
}

static json_t *
layers_json(uint32_t layers)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < RLAYER_COUNT; i++)
		if ((layers >> i & 1) != 0)
			json_array_append_new(a,
			    json_string(receipt_layer_name(i)));
	return a;
}

static void
say_end_json(struct submit *s, bool verified)
{
	const struct submitter *m = &s->sub;
	json_t *outs = json_array();
	const char *kind = outcome_name(m->r.outcome);
	json_t *detail = m->r.outcome == JOB_KILLED ?
	    json_string(kill_name((unsigned)m->r.code & 0xff)) :
	    json_integer(m->r.code);
	char hex[65];

	for (unsigned i = 0; i < m->nout; i++) {
		hex_encode(hex, m->out[i].sha256, 32);
		json_array_append_new(outs,
		    json_pack("{s:s,s:s,s:I}", "target",
			s->job.m.volume[m->out[i].volume].target, "sha256", hex,
			"size", (json_int_t)m->out[i].size));
	}
	hex_encode(hex, s->job.m.job, 32);
	cli_json(json_pack("{s:s,s:s,s:s,s:[s,o],s:I,s:b,s:o,s:s,s:o,s:[I,I,I],"
			   "s:{s:I,s:I,s:I}}",
	    "event", "end", "id", hex, "state", m->state, "outcome", kind,
	    detail, "attempts", (json_int_t)m->r.attempts, "verified",
	    verified ? 1 : 0, "layers", layers_json(m->r.layers), "folder",
	    s->dir.path, "outputs", outs, "log", (json_int_t)m->kept[0],
	    (json_int_t)m->kept[1], (json_int_t)m->kept[2], "usage", "wall_ms",
	    (json_int_t)m->r.wall_ms, "cpu_ms", (json_int_t)m->r.cpu_ms,
	    "memory_kb", (json_int_t)m->r.memory_kb));
}

static void
say_end(struct submit *s)
{
	const struct submitter *m = &s->sub;
	char wall[24];

	cli_progress_end(s->c);
	if (s->c->json) {
		say_end_json(s, true);
		return;
	}
	if (m->kept[2] > 0)
		fprintf(stderr,
		    "warren submit: %" PRIu64
		    " bytes of output were over the log limit and are lost\n",
		    m->kept[2]);
	if (m->r.outcome == JOB_EXITED && m->r.code == 0 && !s->c->err_tty)
		return;
	if (m->r.outcome == JOB_KILLED)
		fprintf(stderr, "killed (%s)",
		    kill_name((unsigned)m->r.code & 0xff));
	else
		fprintf(stderr, "%s %d", outcome_name(m->r.outcome), m->r.code);
	fprintf(stderr, " after %s; receipt verified; results in %s\n",
	    cli_duration(wall, m->r.wall_ms), s->dir.path);
}

/* ---- the way to the end ---- */

static int
conclude(struct submit *s)
{
	struct submitter *m = &s->sub;
	struct jobdir_end e = {.s = m, .binding = s->node.binding,
	    .node_urn = s->node.urn, .in_place = s->in_place,
	    .base = s->job.dir,
	    .local = (const char(*)[CLI_PATH])s->job.local};
	char hex[65];

	memcpy(e.dest, s->node.dest, 16);
	hex_encode(hex, s->job.m.job, 32);
	switch (m->end) {
	case SUB_DONE:
		if (jobdir_finish(&s->dir, &e) != CLI_OK)
			return CLI_FAILED;
		say_end(s);
		return m->r.outcome == JOB_EXITED && m->r.code == 0 ? CLI_OK :
								      CLI_JOB;
	case SUB_DETACHED:
		cli_progress_end(s->c);
		if (!s->c->json)
			printf("%s\n", hex);
		return CLI_OK;
	case SUB_REFUSED:
		cli_error_code(s->c, m->code, m->step, m->why);
		return CLI_REFUSED;
	case SUB_NO_RECEIPT:
		cli_error_code(s->c, m->code, 0, "after it was admitted");
		return CLI_REFUSED;
	case SUB_BAD_RECEIPT:
		cli_error(s->c, "the receipt is NOT valid: %s", m->why);
		return CLI_FAILED;
	case SUB_BAD_NODE:
		cli_error(s->c, "the node breaks the protocol: %s", m->why);
		return CLI_FAILED;
	case SUB_LOCAL:
		cli_error(s->c, "%s", m->why);
		return CLI_FAILED;
	}
	return CLI_FAILED;
}

static int
run(struct submit *s, const char *file)
{
	struct session_opts o = {.contact_us = (int64_t)s->timeout_ms * 1000,
	    .identify = true};
	struct job_note note = {0};
	enum node_by by;
	int rc;

	if ((rc = person_load(s->c, &s->person)) != CLI_OK ||
	    (rc = job_file_read(s->c, file, &s->job)) != CLI_OK ||
	    (rc = pack_volumes(s)) != CLI_OK ||
	    (rc = session_open(&s->session, s->c, &s->person)) != CLI_OK ||
	    (rc = nodes_resolve(s->c, s->session, &s->person, s->to,
		 o.contact_us, s->node.dest, &by)) != CLI_OK ||
	    (rc = session_connect(s->session, s->node.dest, &o)) != CLI_OK ||
	    (rc = remote_describe(s->c, s->session, &s->person, &s->node)) !=
		CLI_OK ||
	    (rc = remote_trust(s->c, &s->person, &s->node, by)) != CLI_OK ||
	    (rc = sign_manifest(s)) != CLI_OK ||
	    (rc = jobdir_open(&s->dir, s->c, s->out, &s->job.m,
		 s->envelope_json, s->envelope_json_len)) != CLI_OK)
		return rc;
	memcpy(note.job, s->job.m.job, 32);
	memcpy(note.dest, s->node.dest, 16);
	memcpy(note.node_fp, s->node.fp, FP_LEN);
	if (s->dir.path[0] == '/') {
		memcpy(note.folder, s->dir.path, sizeof(note.folder));
	} else {
		char cwd[CLI_PATH];

		if (getcwd(cwd, sizeof(cwd)) == NULL ||
		    !cli_path(note.folder, cwd, s->dir.path))
			note.folder[0] = '\0';
	}
	(void)person_note_job(&s->person, &note);
	nodes_note(&s->person, s->node.dest, s->node.fp, s->node.name);

	s->sub.manifest = &s->job.m;
	s->sub.envelope = s->envelope;
	s->sub.envelope_len = s->envelope_len;
	s->sub.binding = s->person.binding;
	s->sub.node_key = s->node.key;
	s->sub.detach = s->detach;
	s->sub.slice_max = s->node.slice;
	s->sub.buf = s->buf;
	jobdir_store(&s->dir, &s->sub.store);
	s->sub.store.input = read_input;
	s->sub.store.input_arg = s;
	s->dir.show = !s->c->json;
	rc = converse(s);
	if (rc == CLI_OK)
		return conclude(s);
	if (session_interrupted(s->session)) {
		char hex[65];

		hex_encode(hex, s->job.m.job, 32);
		cli_progress_end(s->c);
		fprintf(stderr,
		    "\nThe job goes on. `warren result %.16s` fetches what it "
		    "made, `warren cancel %.16s` ends it.\n",
		    hex, hex);
	}
	return rc;
}

int
verb_submit(struct cli *c, int argc, char **argv)
{
	struct submit *s = calloc(1, sizeof(*s));
	int rc;

	if (s == NULL)
		return CLI_FAILED;
	s->c = c;
	s->timeout_ms = CONTACT_MS;
	s->person.dir = s->job.dir = s->dir.dir = -1;
	s->dir.log[0] = s->dir.log[1] = -1;
	for (size_t i = 0; i < NELEM(s->packs); i++)
		s->packs[i].fd = -1;
	for (size_t i = 0; i < NELEM(s->dir.out); i++)
		s->dir.out[i] = -1;
	rc = cli_options(c, argc, argv, options, NELEM(options), set_option, s);
	if (rc == CLI_OK && (argc - c->arg != 1 || s->to == NULL)) {
		cli_error(c, "usage: warren submit JOB.yaml --to NODE");
		rc = CLI_USAGE;
	} else if (rc == CLI_OK && s->out != NULL && s->in_place) {
		cli_error(c, "--out and --in-place exclude each other");
		rc = CLI_USAGE;
	} else if (rc == CLI_OK) {
		rc = run(s, argv[c->arg]);
	}
	session_close(s->session);
	jobdir_close(&s->dir);
	job_file_clear(&s->job);
	for (size_t i = 0; i < NELEM(s->packs); i++)
		if (s->packs[i].fd >= 0)
			(void)close(s->packs[i].fd);
	person_clear(&s->person);
	free(s->envelope);
	free(s->envelope_json);
	free(s);
	return rc < 0 ? CLI_OK : rc;
}
