/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/begun.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "node/cli/jobdir.h"
#include "node/cli/say.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"
#include "trust/doc/manifest_parse.h"

struct begun {
	struct session *session;
	const struct hash16 *dest;
	const char *out;
	uint32_t now; /* by the node's clock */
	struct manifest *m;
	char *folder;
};

/*
 * Does the node still wait for this job, or run it? Or has it never come there,
 * and still may: then it is the one that comes, lest two of them run.
 */
static bool
alive(const struct begun *b, const struct id32 *job)
{
	struct proto_req req = {.path = PATH_STATUS, .id = job->b};
	struct proto_job_status v;
	struct proto_ans a;

	if (b->session == NULL)
		return b->m->not_after > b->now;
	if (session_ask(b->session, &req, &a, NULL, NULL) != CLI_OK)
		return false;
	if (a.status == ST_NOT_FOUND)
		return b->m->not_after > b->now;
	return a.status == ST_OK && proto_get_status(&v, &a) &&
	    (pstr_is(v.state, "held") || pstr_is(v.state, "queued") ||
		pstr_is(v.state, "staging") || pstr_is(v.state, "running"));
}

/* Nonce and times of a folder's manifest make ours the same job, or do not. */
static bool
same_payload(struct manifest *m, int dir, const struct id32 *job)
{
	_cleanup_free_ char *text = NULL, *payload = NULL;
	char why[MANIFEST_WHY];
	struct manifest old;
	const char *bad;
	struct env e;
	size_t len;

	text = file_load(dir, "manifest", 2 * ENV_MANIFEST_MAX, &len);
	if (text == NULL)
		return false;
	manifest_init(&old);
	if (env_parse(&e, text, len, 2 * ENV_MANIFEST_MAX,
		ENV_MANIFEST_PAYLOAD, &bad) == 0 &&
	    manifest_parse(&old, e.payload, e.payload_len, why) == 0) {
		memcpy(m->nonce, old.nonce, sizeof(m->nonce));
		m->deadline = old.deadline;
		m->not_after = old.not_after;
		payload = manifest_build(m, &len, why);
	}
	manifest_clear(&old);
	env_clear(&e);
	return payload != NULL && id32_eq(&m->job, job);
}

static bool
is_folder(int dir, const char *path)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool
take(void *arg, const struct job_note *n)
{
	struct begun *b = arg;
	_cleanup_fd_ int dir = -1;

	if (!hash16_eq(&n->dest, b->dest) ||
	    n->folder[0] == '\0')
		return false;
	dir = open(n->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || !jobdir_cut_off(dir) ||
	    (b->out != NULL && !is_folder(dir, b->out)) ||
	    !same_payload(b->m, dir, &n->job) || !alive(b, &n->job))
		return false;
	memcpy(b->folder, n->folder, sizeof(n->folder));
	return true;
}

bool
begun_find(struct cli *c, const struct person *p, struct session *s,
    const struct hash16 *dest, uint32_t now, const char *out,
    struct manifest *m, char folder[CLI_PATH])
{
	struct begun b = {s, dest, out, now, m, folder};

	if (!person_each_job(p, take, &b))
		return false;
	cli_note(c, "going on with the %s; results go to %s",
	    s != NULL ? "upload that was cut off" :
			"job that was not handed over whole", folder);
	return true;
}
