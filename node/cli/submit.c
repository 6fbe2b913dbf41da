/* SPDX-License-Identifier: BSD-2-Clause */
/* warren submit JOB.yaml [--to NODE], and what `run` shares with it. */
#include "node/cli/submit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/units.h"
#include "common/util.h"

#include "node/cli/begun.h"
#include "node/cli/contact.h"
#include "node/cli/folders.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/leftout.h"
#include "node/cli/mail.h"
#include "node/cli/nodes.h"
#include "node/cli/outdir.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"

/*
 * ours: the node must admit the job until its deadline, at most within a week,
 * for which it knows what it has admitted anyhow: it may be far away for hours
 */
#define NOT_AFTER_S (7 * 86400)
#define CLOCK_NEAR_S 5 /* ours: what an answer may have been under way */
/*
 * Where nothing is said. Over a slow link, and by letter, a day may pass before
 * the node has the job at all.
 */
#define DEADLINE_S 86400
#define DEADLINE_FAR_S (3 * 86400)

struct submit *
submit_new(struct cli *c)
{
	struct submit *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->c = c;
	s->timeout_ms = SESSION_CONTACT_MS;
	s->person.dir = s->job.dir = s->begun_mark = -1;
	jobdir_init(&s->talk.dir);
	for (size_t i = 0; i < NELEM(s->packs); i++)
		s->packs[i].fd = -1;
	return s;
}

void
submit_free(struct submit *s)
{
	if (s == NULL)
		return;
	session_close(s->session);
	jobdir_close(&s->talk.dir);
	close_fd(&s->begun_mark);
	job_file_clear(&s->job);
	for (size_t i = 0; i < NELEM(s->packs); i++)
		if (s->packs[i].fd >= 0)
			(void)close(s->packs[i].fd);
	for (size_t i = 0; i < NELEM(s->chunks); i++)
		pack_chunks_free(&s->chunks[i]);
	person_clear(&s->person);
	free(s->envelope);
	free(s->envelope_json);
	free(s);
}

bool
submit_option(struct submit *s, int option, const char *value)
{
	const char *bad = NULL;

	switch (option) {
	case OPT_TO:
		s->to = value;
		break;
	case OPT_OUT:
		s->out = value;
		break;
	case OPT_IN_PLACE:
		s->in_place = true;
		break;
	case OPT_VIA_LXMF:
		s->by_mail = true;
		return mail_via(s->c, value, &s->via);
	case OPT_DETACH:
		s->detach = true;
		break;
	case OPT_NAME:
		bad = job_name_bad(value);
		s->name = value;
		break;
	case OPT_LABEL:
		bad = s->nlabels == JOB_LABELS ? "there are more than 16" :
						 job_label_bad(value);
		if (bad == NULL)
			s->label[s->nlabels++] = value;
		break;
	case OPT_PRINT:
		s->print = true;
		break;
	case OPT_FRESH:
		s->fresh = true;
		break;
	case OPT_STRICT:
		s->strict = true;
		break;
	case OPT_TIMEOUT:
		if (!units_time_ms(value, &s->timeout_ms) ||
		    s->timeout_ms == 0) {
			cli_error(s->c, "--timeout: %s is no time from 1ms on "
					"(like 30s, 2m)", value);
			return false;
		}
		break;
	}
	if (bad != NULL)
		cli_error(s->c, "--%s: %s: %s",
		    option == OPT_NAME ? "name" : "label", value, bad);
	return bad == NULL;
}

/* ---- the signed payload ---- */

static bool
pack_blob(struct submit *s, const char *path, unsigned i, struct blob_ref *ref)
{
	if (!pack_file(s->c, s->job.dir, path, &s->packs[i]))
		return false;
	ref->sha256 = s->packs[i].sha256;
	ref->size = s->packs[i].size;
	return true;
}

static bool
pack_volume(struct submit *s, unsigned i)
{
	const char *local = s->job.local[i];

	cli_progress(s->c, "packing %s ...", local);
	/* where a job is to write need not be there before it has */
	if (s->job.m.volume[i].rw && faccessat(s->job.dir, local, F_OK,
	    AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
		cli_note(s->c, "volume %s: not there yet, taken as empty",
		    local);
		return pack_empty(s->c, &s->packs[i]);
	}
	if (pack_folder(s->c, s->job.dir, local, TREE_DROP, &s->packs[i]))
		return true;
	if (faccessat(s->job.dir, local, F_OK, 0) != 0 && errno == ENOENT)
		cli_hint(s->c, "Folders of volumes are looked for beside the "
			       "job's file; those of `run` where it is run.");
	return false;
}

/* A large one goes in chunks, so that of a changed one only those go. */
static bool
cut_input(struct submit *s, unsigned i, const char *name, bool *has_chunks,
    struct blob_ref *chunks)
{
	struct pack_chunks *c = &s->chunks[i];

	if (!pack_cut(c, &s->packs[i])) {
		cli_error(s->c, "%s: cannot be cut into chunks: %s", name,
		    strerror(errno));
		return false;
	}
	*has_chunks = c->list != NULL;
	if (*has_chunks) {
		chunks->sha256 = c->sha256;
		chunks->size = c->len;
	}
	return true;
}

/* What cannot travel is told; with --strict it is a refusal. */
static int
tell_left(struct submit *s, const struct left *l)
{
	if (l->count == 0)
		return CLI_OK;
	if (s->c->json)
		cli_json(json_pack("{s:s,s:s,s:o}", "event", "left_out", "of",
		    "inputs", "left_out", leftout_json(l, &s->job.m)));
	leftout_say(s->c, "inputs", l, &s->job.m,
	    (const char(*)[CLI_PATH])s->job.local);
	if (!s->strict)
		return CLI_OK;
	cli_error(s->c, "not submitted: --strict wants the inputs whole");
	return CLI_FAILED;
}

static int
pack_volumes(struct submit *s)
{
	struct manifest *m = &s->job.m;
	struct left left = {0};

	for (unsigned i = 0; i < m->nvolumes; i++) {
		if (!pack_volume(s, i))
			return CLI_FAILED;
		left_join(&left, i, &s->packs[i].left);
		m->volume[i].blob.sha256 = s->packs[i].sha256;
		m->volume[i].blob.size = s->packs[i].size;
		if (!cut_input(s, i, s->job.local[i],
		    &m->volume[i].has_chunks, &m->volume[i].chunks))
			return CLI_FAILED;
	}
	if (tell_left(s, &left) != CLI_OK)
		return CLI_FAILED;
	if ((m->has & HAS_WASM) != 0 &&
	    (!pack_blob(s, s->job.wasm, MANIFEST_VOLUMES, &m->wasm) ||
		!cut_input(s, MANIFEST_VOLUMES, s->job.wasm,
		    &m->module.has_chunks, &m->module.chunks)))
		return CLI_FAILED;
	if ((m->has & HAS_CONTRACT) != 0 &&
	    !pack_blob(s, s->job.contract, MANIFEST_VOLUMES + 1, &m->contract))
		return CLI_FAILED;
	cli_progress_end(s->c);
	return CLI_OK;
}

static void
set_fresh(struct submit *s)
{
	struct manifest *m = &s->job.m;

	/* of two with one nonce a node runs one, whatever becomes of the first */
	if (!s->again)
		randombytes_buf(m->nonce, sizeof(m->nonce));
	if (!s->deadline_stands)
		m->deadline = (uint32_t)((int64_t)s->node.time +
		    (s->job.deadline_s > 0 ? s->job.deadline_s :
		    s->by_mail || s->node.slow ? DEADLINE_FAR_S : DEADLINE_S));
	/* a message may lie long before the node reads it */
	m->not_after = s->by_mail ? m->deadline :
	    (uint32_t)MIN_OF((int64_t)m->deadline,
		(int64_t)s->node.time + NOT_AFTER_S);
}

/* Another job takes its place: its note, its folder. */
static void
take_place(struct submit *s)
{
	if (s->begun[0] != '\0' &&
	    !person_get_job(&s->person, &s->job.m.job, &s->carried))
		memset(&s->carried, 0, sizeof(s->carried));
	if (s->begun[0] != '\0')
		jobdir_void(&s->talk.dir);
	else
		jobdir_discard(&s->talk.dir);
	person_forget_job(&s->person, &s->job.m.job);
	jobdir_close(&s->talk.dir);
	jobdir_init(&s->talk.dir);
	s->begun[0] = '\0';
}

/*
 * Nobody can be asked whether the node had it: by its nonce it runs once,
 * whichever comes. With a folder that was named the new one takes its place;
 * else it is still there for an answer, and not gone on with any more.
 */
static void
leave_late(struct submit *s)
{
	jobdir_begun(&s->talk.dir, s->c, s->begun,
	    open(s->begun, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    steal_fd(&s->begun_mark));
	cli_note(s->c, "the job was not handed over whole, and is too late now: "
	    "it is signed anew");
	s->again = true;
	if (s->out != NULL) {
		take_place(s);
		return;
	}
	jobdir_unmark(&s->talk.dir);
	jobdir_close(&s->talk.dir);
	jobdir_init(&s->talk.dir);
	s->begun[0] = '\0';
}

/* What is signed; NULL: said, *rc. Without a node, when it is only shown. */
static char *
build_payload(struct submit *s, size_t *len, int *rc)
{
	struct manifest *m = &s->job.m;
	char why[MANIFEST_WHY] = "";
	bool late = false;
	char *payload;

	m->submitter = s->person.fp;
	memcpy(m->submitter_urn, s->person.urn, sizeof(m->submitter_urn));
	if (s->node.urn[0] != '\0') {
		m->node = s->node.fp;
		memcpy(m->node_urn, s->node.urn, sizeof(m->node_urn));
		m->has |= HAS_NODE;
	} else {
		s->node.time = (uint32_t)time(NULL);
	}
	*rc = s->print || s->again ? CLI_OK :
	    begun_find(s->c, &s->person, s->by_mail ? NULL : s->session,
		&s->node.dest, s->node.time, s->out, m, s->begun,
		&s->begun_mark, &late);
	if (*rc != CLI_OK)
		return NULL;
	if (late)
		leave_late(s);
	if (s->begun[0] == '\0')
		set_fresh(s);
	*rc = CLI_USAGE;
	payload = manifest_build(m, len, why);
	if (payload == NULL)
		cli_error(s->c, "the job cannot be written: %s", why);
	return payload;
}

/* For a person in lines; else, and with --json, the very bytes. */
static int
print_manifest(struct submit *s)
{
	_cleanup_free_ char *payload = NULL;
	size_t len;
	json_t *o;
	int rc;

	payload = build_payload(s, &len, &rc);
	if (payload == NULL)
		return rc;
	o = s->c->out_tty && !s->c->json ? json_loadb(payload, len, 0, NULL) :
					   NULL;
	if (o == NULL)
		(void)fwrite(payload, 1, len, stdout);
	else
		(void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	(void)fputc('\n', stdout);
	json_decref(o);
	return CLI_OK;
}

static int
sign_manifest(struct submit *s)
{
	_cleanup_free_ char *payload = NULL;
	struct env_signed sig;
	uint8_t aux[32];
	size_t len;
	int rc;

	payload = build_payload(s, &len, &rc);
	if (payload == NULL)
		return rc;
	randombytes_buf(aux, sizeof(aux));
	sig.fp = s->person.fp;
	if (!pae_sign(sig.sig, &s->person.secret, TYPE_MANIFEST, payload, len,
		aux)) {
		cli_error(s->c, "the job could not be signed");
		return CLI_FAILED;
	}
	free(s->envelope);
	free(s->envelope_json);
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

/* Where an input lies: a file, and from where on; -1: in memory, or none. */
static int
input_file(const struct submit *s, const struct id32 *sha256, uint64_t *at)
{
	uint32_t k;

	*at = 0;
	for (size_t i = 0; i < NELEM(s->packs); i++)
		if (s->packs[i].fd >= 0 &&
		    id32_eq(&s->packs[i].sha256, sha256))
			return s->packs[i].fd;
	for (size_t i = 0; i < NELEM(s->chunks); i++) {
		const struct chunk_table *t = &s->chunks[i].t;

		if (s->chunks[i].list == NULL || !chunk_find(t, sha256, &k))
			continue;
		*at = t->at[t->order[k]];
		return s->packs[i].fd;
	}
	return -1;
}

static bool
read_input(void *arg, const struct id32 *sha256, uint64_t offset, uint8_t *out,
    size_t n)
{
	struct submit *s = arg;
	uint64_t at;
	int fd;

	for (size_t i = 0; i < NELEM(s->chunks); i++) {
		const struct pack_chunks *c = &s->chunks[i];

		if (c->list == NULL || !id32_eq(&c->sha256, sha256))
			continue;
		if (offset > c->len || n > c->len - offset)
			return false;
		memcpy(out, c->list + offset, n);
		return true;
	}
	fd = input_file(s, sha256, &at);
	while (fd >= 0 && n > 0) {
		ssize_t k = pread(fd, out, n, (off_t)(at + offset));

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
fill_mail(const struct submit *s, struct mail *m)
{
	*m = (struct mail){.c = s->c, .person = &s->person,
	    .session = s->session, .via = &s->via,
	    .timeout_us = (int64_t)s->timeout_ms * 1000};
}

static int
trust_node(struct submit *s)
{
	return remote_trust(s->c, &s->person, &s->node, s->by);
}

static int
find_by_announce(struct submit *s)
{
	struct mail m;
	int rc;

	fill_mail(s, &m);
	rc = mail_node(&m, &s->node);
	return rc == CLI_OK ? trust_node(s) : rc;
}

/* Whom it is for; CLI_OK with s->session connected, s->node known. */
static int
find_node(struct submit *s)
{
	struct session_opts o = {.contact_us = (int64_t)s->timeout_ms * 1000,
	    .identify = true};
	int rc;

	s->by = NODE_BY_NAME;
	if ((rc = session_open(&s->session, s->c, &s->person)) != CLI_OK)
		return rc;
	rc = s->to != NULL ?
	    nodes_resolve(s->c, s->session, &s->person, s->to, o.contact_us,
		&s->node.dest, &s->by) :
	    remote_pick(s->c, s->session, &s->person, o.contact_us,
		&s->node.dest);
	if (rc == CLI_OK && s->by_mail)
		return find_by_announce(s);
	if (rc != CLI_OK ||
	    (rc = session_connect(s->session, &s->node.dest, &o)) != CLI_OK ||
	    (rc = remote_meet(s->c, s->session, &s->person, &s->node,
		 s->fresh)) != CLI_OK)
		return rc;
	return trust_node(s);
}

static void
stamp(struct job_note *note)
{
	int64_t us = clock_wall_us();

	note->at = us / 1000000;
	note->at_us = (uint32_t)(us % 1000000);
}

/* For `show`, `jobs` and the like: where the job is. */
static void
note_job(struct submit *s)
{
	struct job_note note = {0};
	const struct jobdir *dir = &s->talk.dir;
	char hex[65];

	hex_encode(hex, HASH_BYTES(s->job.m.job));
	/* one that is gone on with keeps what was noted of it */
	if (s->begun[0] == '\0' || person_find_job(&s->person, hex, &note) != 1) {
		note = s->carried;
		stamp(&note);
	}
	note.job = s->job.m.job;
	note.dest = s->node.dest;
	note.node_fp = s->node.fp;
	if (dir->path[0] == '/') {
		memcpy(note.folder, dir->path, sizeof(note.folder));
	} else {
		char cwd[CLI_PATH];

		if (getcwd(cwd, sizeof(cwd)) == NULL ||
		    !cli_path(note.folder, cwd, dir->path))
			note.folder[0] = '\0';
	}
	if (s->name != NULL)
		(void)snprintf(note.name, sizeof(note.name), "%s", s->name);
	for (size_t i = 0; i < s->nlabels; i++)
		(void)snprintf(note.label[i], sizeof(note.label[i]), "%s",
		    s->label[i]);
	(void)snprintf(note.image, sizeof(note.image), "%.255s",
	    s->job.m.image[0] != '\0' ? s->job.m.image : s->job.wasm);
	(void)person_note_job(&s->person, &note);
	nodes_note(&s->person, &s->node.dest, &s->node.fp, s->node.name);
}

/* What the submit carried the node has from now on. */
static void
note_shown(struct submit *s)
{
	if (s->node.told.at == 0 || s->talk.sub.shown)
		return;
	rns_sha256(&s->node.told.shown, s->person.binding, BINDING_LEN);
	contact_keep(&s->person, &s->node);
}

/*
 * Not handed over. What was sent may have arrived all the same, or lie at the
 * propagation node: another job would run besides it.
 */
static void
keep_or_forget(struct submit *s, bool sent)
{
	char hex[65];

	if (!sent && s->begun[0] == '\0') {
		jobdir_discard(&s->talk.dir);
		person_forget_job(&s->person, &s->job.m.job);
		return;
	}
	hex_encode(hex, HASH_BYTES(s->job.m.job));
	cli_hint(s->c, "The node may get the job all the same. The same command "
		       "sends the same job again (it is kept in %s); `warren "
		       "result --via-lxmf ... %.16s` looks for its answer.",
	    s->talk.dir.path, hex);
}

/* Handed over as a message; then its answer, unless that is not waited for. */
static int
run_by_mail(struct submit *s)
{
	struct talk *t = &s->talk;
	struct mail m;
	char hex[65];
	int rc;

	fill_mail(s, &m);
	jobdir_uploading(&t->dir, true);
	rc = mail_submit(&m, t);
	if (rc != CLI_OK) {
		keep_or_forget(s, m.sent);
		return rc;
	}
	if (m.whole)
		jobdir_unmark(&t->dir);
	hex_encode(hex, HASH_BYTES(s->job.m.job));
	if (s->detach && !s->c->json)
		printf("%s\n", hex);
	if (s->detach)
		return CLI_OK;
	rc = mail_result(&m, t);
	if (session_interrupted(s->session))
		cli_hint(s->c, "The job goes on. `warren result --via-lxmf ... "
			       "%.16s` asks for its answer again.", hex);
	talk_note(t);
	return rc;
}

static void
fill_talk(struct submit *s)
{
	struct talk *t = &s->talk;

	memset(&t->sub, 0, sizeof(t->sub));
	t->c = s->c;
	t->person = &s->person;
	t->session = s->session;
	t->node = &s->node;
	t->manifest = &s->job.m;
	t->in_place = s->in_place;
	t->strict = s->strict;
	t->by_old = s->node.kept && s->begun[0] == '\0';
	t->renews = !s->again && !s->by_mail;
	t->sent = t->unsure = t->there = false;
	t->base = s->job.dir;
	t->local = (const char(*)[CLI_PATH])s->job.local;
	t->sub.envelope = s->envelope;
	t->sub.envelope_len = s->envelope_len;
	t->sub.binding = s->person.binding;
	t->sub.shown = contact_shown(&s->person, &s->node);
	t->sub.detach = s->detach;
	t->sub.store.input = read_input;
	t->sub.store.input_arg = s;
	for (size_t i = 0; i < NELEM(s->chunks); i++)
		if (s->chunks[i].list != NULL)
			t->sub.chunks[i] = &s->chunks[i].t;
}

/* Signed, and followed to its end; TALK_OLD and _LATE are talk_run()'s. */
static int
hand_over(struct submit *s)
{
	struct talk *t = &s->talk;
	int rc;

	if ((rc = sign_manifest(s)) != CLI_OK ||
	    (s->begun[0] == '\0' && s->out != NULL &&
	    (rc = outdir_take(s->c, &s->person, s->out, &s->job.m.job)) !=
		CLI_OK) ||
	    (rc = jobdir_open(&t->dir, s->c,
		 s->begun[0] != '\0' ? s->begun : s->out, &s->job.m,
		 s->envelope_json, s->envelope_json_len)) != CLI_OK)
		return rc;
	t->dir.mark = steal_fd(&s->begun_mark);
	note_job(s);
	fill_talk(s);
	if (s->by_mail)
		return run_by_mail(s);
	rc = talk_run(t);
	if (talk_admitted(t))
		note_shown(s);
	/* one that was begun before is there, whatever was answered now */
	if (rc != CLI_OK && !talk_admitted(t) && s->begun[0] == '\0')
		person_forget_job(&s->person, &s->job.m.job);
	else
		talk_note(t);
	return rc;
}

/*
 * Of a job that came too late the author's own deadline stands; false: it has
 * passed, and the job is worth nothing any more.
 */
static bool
still_worth(struct submit *s)
{
	s->deadline_stands = s->job.deadline_s > 0;
	return !s->deadline_stands || s->job.m.deadline > s->node.time;
}

/*
 * The node has refused what was signed by what is kept of it, or what has come
 * too late and never was there (late). Where the node is not what it was, or by
 * its clock, the job is signed anew.
 */
static int
again(struct submit *s, bool late)
{
	const struct fp fp = s->node.fp;
	const int64_t ahead_s = s->node.told.ahead_s;
	const bool slow = s->node.slow; /* how long a deadline is */
	int64_t off;
	bool same;
	int rc = remote_describe(s->c, s->session, &s->person, &s->node);

	if (rc != CLI_OK) {
		jobdir_discard(&s->talk.dir);
		return rc;
	}
	off = s->node.told.ahead_s - ahead_s;
	same = fp_eq(&fp, &s->node.fp) && off <= CLOCK_NEAR_S &&
	    off >= -CLOCK_NEAR_S;
	if (same && late && !still_worth(s)) {
		/* the same command is another job then */
		jobdir_unmark(&s->talk.dir);
		return talk_refused(&s->talk);
	}
	if (same && !late && slow == s->node.slow)
		return talk_refused(&s->talk);
	take_place(s);
	if ((rc = trust_node(s)) != CLI_OK)
		return rc;
	cli_note(s->c, same && late ? "the job came too late, and the node "
	    "never had it: it is signed anew" : "what was kept of the node "
	    "does not hold any more: the job is signed anew");
	s->again = true;
	return hand_over(s);
}

int
submit_run(struct submit *s)
{
	int rc;

	if (s->out != NULL && s->in_place) {
		cli_error(s->c, "--out and --in-place exclude each other");
		return CLI_USAGE;
	}
	if ((rc = person_load(s->c, &s->person)) != CLI_OK ||
	    (rc = pack_volumes(s)) != CLI_OK)
		return rc;
	/* shown without a node, it is what any node would get */
	if (s->print && s->to == NULL)
		return print_manifest(s);
	if ((rc = find_node(s)) != CLI_OK)
		return rc;
	if (s->print)
		return print_manifest(s);
	rc = hand_over(s);
	return rc == TALK_OLD || rc == TALK_LATE ? again(s, rc == TALK_LATE) :
						   rc;
}

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	(void)c;
	return submit_option(ctx, option, value);
}

int
verb_submit(struct cli *c, int argc, char **argv)
{
	struct submit *s = submit_new(c);
	int rc;

	if (s == NULL)
		return CLI_FAILED;
	rc = cli_options(c, VERB_SUBMIT, argc, argv, set_option, s);
	if (rc == CLI_OK &&
	    (rc = job_file_read(c, argv[c->arg], &s->job)) == CLI_OK)
		rc = submit_run(s);
	submit_free(s);
	return rc < 0 ? CLI_OK : rc;
}
