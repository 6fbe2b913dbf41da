/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/begun.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/jobdir.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "trust/doc/envelope.h"
#include "trust/doc/manifest_build.h"
#include "trust/doc/manifest_parse.h"

/* What makes ours the same job. */
struct same {
	uint8_t nonce[16];
	uint32_t deadline, not_after;
	struct id32 job;
	char folder[CLI_PATH];
};

enum alive {
	NOT_ALIVE,
	LATE,	  /* it is not there, and the node would not take it any more */
	MAY_COME, /* it is not there, and the node would take it */
	ALIVE,
};

struct begun {
	struct cli *cli;
	struct session *session;
	const struct hash16 *dest;
	const char *out;
	uint32_t now; /* by the node's clock */
	struct manifest *m;
	struct same found;
	enum alive is; /* what it is: the first of those that are most */
	int mark; /* of that one, held */
	int rc; /* CLI_OK, or a question failed: what it is worth */
};

/*
 * Does the node still wait for this job, or run it, or has it what nobody has
 * seen of it? Or has it never come there, and still may: then it is the one
 * that comes, lest two of them run. Without an answer nothing is known.
 */
static enum alive
alive(struct begun *b, const struct id32 *job)
{
	char state[16];
	struct proto_req req = {.path = PATH_STATUS, .id = job->b};
	struct proto_job_status v;
	struct proto_ans a;

	if (b->session != NULL) {
		b->rc = session_ask(b->session, &req, &a, NULL, NULL);
		if (b->rc != CLI_OK)
			return NOT_ALIVE;
	}
	if (b->session == NULL || a.status == ST_NOT_FOUND)
		return b->m->not_after > b->now ? MAY_COME : LATE;
	if (a.status != ST_OK) {
		b->rc = session_refused(b->cli, &a);
		return NOT_ALIVE;
	}
	if (!proto_get_status(&v, &a)) {
		cli_error(b->cli, "malformed status");
		b->rc = CLI_FAILED;
		return NOT_ALIVE;
	}
	pstr_copy(state, sizeof(state), v.state);
	return cli_job_goes_on(state) || strcmp(state, "done") == 0 ? ALIVE :
								      NOT_ALIVE;
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

static void
keep(struct begun *b, const struct job_note *n)
{
	struct same *s = &b->found;

	memcpy(s->nonce, b->m->nonce, sizeof(s->nonce));
	s->deadline = b->m->deadline;
	s->not_after = b->m->not_after;
	s->job = n->job;
	memcpy(s->folder, n->folder, sizeof(s->folder));
}

/* true: no other is looked at. */
static bool
take(void *arg, const struct job_note *n)
{
	struct begun *b = arg;
	_cleanup_fd_ int dir = -1, mark = -1;
	enum alive is;

	if (!hash16_eq(&n->dest, b->dest) ||
	    n->folder[0] == '\0')
		return false;
	dir = open(n->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || (mark = jobdir_hold(dir, false)) < 0 ||
	    (b->out != NULL && !is_folder(dir, b->out)) ||
	    !same_payload(b->m, dir, &n->job))
		return false;
	is = alive(b, &n->job);
	if (is > b->is) {
		keep(b, n);
		b->is = is;
		close_fd(&b->mark);
		b->mark = steal_fd(&mark);
	}
	return is == ALIVE || b->rc != CLI_OK;
}

int
begun_find(struct cli *c, const struct person *p, struct session *s,
    const struct hash16 *dest, uint32_t now, const char *out,
    struct manifest *m, char folder[CLI_PATH], int *mark, bool *late)
{
	struct begun b = {.cli = c, .session = s, .dest = dest, .out = out,
	    .now = now, .m = m, .mark = -1};

	folder[0] = '\0';
	*mark = -1;
	*late = false;
	(void)person_each_job(p, take, &b);
	if (b.rc != CLI_OK || b.is == NOT_ALIVE) {
		close_fd(&b.mark);
		return b.rc;
	}
	*mark = b.mark;
	*late = b.is == LATE && s == NULL;
	memcpy(m->nonce, b.found.nonce, sizeof(m->nonce));
	m->deadline = b.found.deadline;
	m->not_after = b.found.not_after;
	m->job = b.found.job;
	memcpy(folder, b.found.folder, sizeof(b.found.folder));
	if (b.is == LATE)
		return CLI_OK;
	cli_note(c, "going on with the %s; results go to %s",
	    s != NULL ? "upload that was cut off" :
			"job that was not handed over whole", folder);
	return CLI_OK;
}
