/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/units.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/nodes.h"
#include "trust/doc/envelope.h"
#include "node/cli/say.h"
#include "trust/doc/manifest_parse.h"

#define ID_DIGITS_MIN 4

void
target_init(struct target *t, struct cli *c)
{
	memset(t, 0, sizeof(*t));
	t->cli = c;
	t->timeout_ms = SESSION_CONTACT_MS;
	t->person.dir = -1;
}

bool
target_option(struct target *t, int option, const char *value)
{
	switch (option) {
	case OPT_TO:
		t->to = value;
		return true;
	case OPT_HERE:
		t->want_here = true;
		return true;
	case OPT_TIMEOUT:
		if (units_time_ms(value, &t->timeout_ms) && t->timeout_ms > 0)
			return true;
		cli_error(t->cli, "--timeout: %s is no time from 1ms on (like "
			     "30s, 2m)",
		    value);
		return false;
	}
	return false;
}

static bool
is_hex(const char *s)
{
	return s[strspn(s, "0123456789abcdefABCDEF")] == '\0';
}

int
target_manifest(struct target *t, struct manifest *m, char **envelope,
    size_t *len)
{
	_cleanup_fd_ int dir = -1;
	char why[MANIFEST_WHY] = "no manifest is there";
	const char *bad = NULL;
	struct env e;
	int rc = CLI_FAILED;

	manifest_init(m);
	*envelope = NULL;
	if (t->folder[0] == '\0') {
		cli_error(t->cli, "the folder of this job is not known; name "
				  "it in place of the id");
		return CLI_FAILED;
	}
	dir = open(t->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		*envelope = file_load(dir, "manifest", 2 * ENV_MANIFEST_MAX,
		    len);
	if (*envelope == NULL) {
		cli_error(t->cli, "%s/manifest: %s", t->folder,
		    strerror(errno));
		return CLI_FAILED;
	}
	if (env_parse(&e, *envelope, *len, 2 * ENV_MANIFEST_MAX,
		ENV_MANIFEST_PAYLOAD, &bad) == 0 &&
	    manifest_parse(m, e.payload, e.payload_len, why) == 0) {
		rns_sha256(&m->job, e.payload, e.payload_len);
		rc = CLI_OK;
	}
	env_clear(&e);
	if (rc != CLI_OK)
		cli_error(t->cli, "%s/manifest: %s", t->folder,
		    bad != NULL ? bad : why);
	return rc;
}

static int
from_folder(struct target *t, const char *path)
{
	bool signed_for = false;
	struct manifest m;
	char *envelope;
	size_t len;
	int rc;

	if (realpath(path, t->folder) == NULL) {
		cli_error(t->cli, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	rc = target_manifest(t, &m, &envelope, &len);
	if (rc == CLI_OK) {
		t->job = m.job;
		hex_encode(t->id, HASH_BYTES(m.job));
		signed_for = (m.has & HAS_NODE) != 0;
		if (signed_for)
			t->pin = m.node;
	}
	manifest_clear(&m);
	free(envelope);
	if (rc != CLI_OK)
		return rc;
	if (!person_get_job(&t->person, &t->job, &t->note))
		memset(&t->note, 0, sizeof(t->note));
	else if (!signed_for)
		t->pin = t->note.node_fp;
	if (t->to != NULL)
		return CLI_OK;
	if (!id32_eq(&t->note.job, &t->job)) {
		cli_error(t->cli, "which node has this job is not noted; say "
				  "it with --to NODE");
		return CLI_USAGE;
	}
	t->dest = t->note.dest;
	t->node.fp = t->pin;
	return CLI_OK;
}

static void
take_note(struct target *t, const struct job_note *note)
{
	t->note = *note;
	t->job = note->job;
	hex_encode(t->id, HASH_BYTES(note->job));
	if (t->want_here)
		return;
	t->dest = note->dest;
	t->node.fp = t->pin = note->node_fp;
	memcpy(t->folder, note->folder, sizeof(t->folder));
}

/* A name or an id. */
static int
from_text(struct target *t, const char *text)
{
	struct job_note note;
	int found = person_find_job(&t->person, text, &note);
	size_t n = strlen(text);

	/* the node has jobs that nobody noted: it knows what is ambiguous */
	if (found < 0 && !t->want_here) {
		cli_error(t->cli, "more than one job begins with %s", text);
		cli_hint(t->cli, "`warren jobs --mine --wide` shows ids whole.");
		return CLI_USAGE;
	}
	if (found == 1)
		take_note(t, &note);
	if (found == 1 && (!t->want_here || !is_hex(text))) {
		t->here = t->want_here;
		return CLI_OK;
	}
	if (is_hex(text) && n > 0 && n < ID_DIGITS_MIN) {
		cli_error(t->cli, "no job is called %s, and of an id at least "
				  "%d digits are needed", text, ID_DIGITS_MIN);
		cli_hint(t->cli, "`warren jobs` lists them.");
		return CLI_USAGE;
	}
	if (!is_hex(text) || n < ID_DIGITS_MIN || n > 64) {
		cli_error(t->cli, "no job %s: it is no folder of a job, no "
				  "name and no id",
		    text);
		cli_hint(t->cli, "`warren jobs` lists them.");
		return CLI_USAGE;
	}
	for (size_t i = 0; i <= n; i++)
		t->id[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ?
			text[i] + 'a' - 'A' :
			text[i]);
	if (t->to == NULL && !t->want_here && !ask_possible(t->cli, ASK_NODE)) {
		cli_error(t->cli, "no job %s was submitted from here, and no "
				  "node computes here", text);
		cli_hint(t->cli, "`warren jobs --mine` lists yours; --to NODE "
				 "asks a node.");
		return CLI_UNREACHABLE;
	}
	t->here = t->to == NULL;
	/* a short one is looked for among the jobs of that node */
	t->is_short = !t->here && !hex_decode(HASH_BYTES(t->job), text, n);
	return CLI_OK;
}

/* The folder that submit left; another one may be called like a job. */
static bool
is_job_folder(const char *path)
{
	char manifest[CLI_PATH];
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	    (strchr(path, '/') != NULL ||
		(cli_path(manifest, path, "manifest") &&
		    access(manifest, F_OK) == 0));
}

int
target_find(struct target *t, const char *text)
{
	if (t->want_here && t->to != NULL) {
		cli_error(t->cli, "--to and --here exclude each other");
		return CLI_USAGE;
	}
	person_peek(t->cli, &t->person);
	if (text == NULL) {
		t->here = t->to == NULL;
		return CLI_OK;
	}
	if (!t->want_here && is_job_folder(text))
		return from_folder(t, text);
	return from_text(t, text);
}

/* t->id is the beginning of one job's id, of those that the node has. */
static int
find_short(struct target *t)
{
	struct proto_req req = {.path = PATH_LIST, .n = PROTO_LIST_MAX};
	size_t n = strlen(t->id);
	unsigned found = 0;
	bool more = true;

	while (more) {
		struct proto_list l;
		struct proto_ans a;
		int rc = session_ask(t->session, &req, &a, NULL, NULL);

		if (rc != CLI_OK)
			return rc;
		if (a.status != ST_OK)
			return session_refused(t->cli, &a);
		if (!proto_get_list(&l, &a)) {
			cli_error(t->cli, "malformed list");
			return CLI_FAILED;
		}
		for (size_t i = 0; i < l.njobs; i++) {
			char hex[65];

			hex_encode(hex, l.jobs[i].id, 32);
			if (strncmp(hex, t->id, n) != 0)
				continue;
			found++;
			t->job = *id32_at(l.jobs[i].id);
		}
		more = l.has_next && l.next > req.after;
		req.after = l.next;
	}
	if (found == 1) {
		hex_encode(t->id, HASH_BYTES(t->job));
		return CLI_OK;
	}
	cli_error(t->cli, found > 1 ? "more than one job begins with %s" :
				      "no job of yours begins with %s there",
	    t->id);
	return found > 1 ? CLI_USAGE : CLI_FAILED;
}

int
target_connect(struct target *t)
{
	struct session_opts o = {.identify = true,
	    .contact_us = (int64_t)t->timeout_ms * 1000};
	enum node_by by;
	int rc;

	person_clear(&t->person);
	if ((rc = person_load(t->cli, &t->person)) != CLI_OK)
		return rc;
	if ((rc = session_open(&t->session, t->cli, &t->person)) != CLI_OK)
		return rc;
	if (t->to != NULL &&
	    (rc = nodes_resolve(t->cli, t->session, &t->person, t->to,
		 o.contact_us, &t->dest, &by)) != CLI_OK)
		return rc;
	if ((rc = session_connect(t->session, &t->dest, &o)) != CLI_OK)
		return rc;
	t->node.dest = t->dest;
	rc = remote_meet(t->cli, t->session, &t->person, &t->node, false);
	/* wherever it is looked for: another node cannot speak for that one */
	if (rc == CLI_OK)
		rc = remote_pinned(t->cli, &t->node, &t->pin);
	return rc == CLI_OK && t->is_short ? find_short(t) : rc;
}

int
target_attach(struct target *t)
{
	int rc;

	person_clear(&t->person);
	if ((rc = person_load(t->cli, &t->person)) != CLI_OK ||
	    (rc = session_open(&t->session, t->cli, &t->person)) != CLI_OK)
		return rc;
	t->node.dest = t->dest;
	return CLI_OK;
}

void
target_close(struct target *t)
{
	session_close(t->session);
	t->session = NULL;
	person_clear(&t->person);
}
