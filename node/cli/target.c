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
		cli_error(t->cli, "--timeout: %s is no time (like 30s, 2m)",
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
		rns_sha256(m->job, e.payload, e.payload_len);
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
	struct manifest m;
	char *envelope;
	size_t len;
	struct job_note note;
	int rc;

	if (realpath(path, t->folder) == NULL) {
		cli_error(t->cli, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	rc = target_manifest(t, &m, &envelope, &len);
	if (rc == CLI_OK) {
		memcpy(t->job, m.job, 32);
		hex_encode(t->id, m.job, 32);
		t->has_id = true;
	}
	manifest_clear(&m);
	free(envelope);
	if (rc != CLI_OK || t->to != NULL)
		return rc;
	if (person_find_job(&t->person, t->id, &note) != 1) {
		cli_error(t->cli, "which node has this job is not noted; say "
				  "it with --to NODE");
		return CLI_USAGE;
	}
	memcpy(t->dest, note.dest, 16);
	memcpy(t->node.fp, note.node_fp, FP_LEN);
	return CLI_OK;
}

static int
from_id(struct target *t, const char *id)
{
	struct job_note note;
	int found;

	if (!is_hex(id) || strlen(id) < ID_DIGITS_MIN || strlen(id) > 64) {
		cli_error(t->cli, "%s is no folder and no job id", id);
		return CLI_USAGE;
	}
	for (size_t i = 0; i <= strlen(id); i++)
		t->id[i] = (char)(id[i] >= 'A' && id[i] <= 'F' ?
			id[i] + 'a' - 'A' :
			id[i]);
	t->has_id = true;
	found = t->want_here ? 0 : person_find_job(&t->person, id, &note);
	if (found < 0) {
		cli_error(t->cli, "more than one job begins with %s", id);
		return CLI_USAGE;
	}
	if (found == 0 && t->to == NULL) {
		t->here = true;
		return CLI_OK;
	}
	if (found == 0 && !hex_decode(t->job, 32, id, strlen(id))) {
		cli_error(t->cli, "with --to a job not noted here needs its "
				  "whole id of 64 digits");
		return CLI_USAGE;
	}
	if (found == 1) {
		memcpy(t->job, note.job, 32);
		hex_encode(t->id, note.job, 32);
		memcpy(t->dest, note.dest, 16);
		memcpy(t->node.fp, note.node_fp, FP_LEN);
		memcpy(t->folder, note.folder, sizeof(t->folder));
	}
	return CLI_OK;
}

int
target_find(struct target *t, const char *text)
{
	struct stat st;

	if (t->want_here && t->to != NULL) {
		cli_error(t->cli, "--to and --here exclude each other");
		return CLI_USAGE;
	}
	if (!t->want_here)
		person_peek(t->cli, &t->person);
	if (text == NULL) {
		t->here = t->to == NULL;
		return CLI_OK;
	}
	if (!t->want_here && stat(text, &st) == 0 && S_ISDIR(st.st_mode))
		return from_folder(t, text);
	return from_id(t, text);
}

int
target_connect(struct target *t)
{
	static const uint8_t unknown[FP_LEN];
	struct session_opts o = {.identify = true,
	    .contact_us = (int64_t)t->timeout_ms * 1000};
	uint8_t noted[FP_LEN];
	enum node_by by;
	int rc;

	memcpy(noted, t->node.fp, FP_LEN);
	person_clear(&t->person);
	if ((rc = person_load(t->cli, &t->person)) != CLI_OK)
		return rc;
	if ((rc = session_open(&t->session, t->cli, &t->person)) != CLI_OK)
		return rc;
	if (t->to != NULL &&
	    (rc = nodes_resolve(t->cli, t->session, &t->person, t->to,
		 o.contact_us, t->dest, &by)) != CLI_OK)
		return rc;
	if ((rc = session_connect(t->session, t->dest, &o)) != CLI_OK)
		return rc;
	memcpy(t->node.dest, t->dest, 16);
	rc = remote_describe(t->cli, t->session, &t->person, &t->node);
	if (rc == CLI_OK && t->to == NULL &&
	    memcmp(noted, unknown, FP_LEN) != 0 &&
	    memcmp(noted, t->node.fp, FP_LEN) != 0) {
		cli_error(t->cli, "the node has another mesh key than when "
				  "the job was submitted");
		return CLI_FAILED;
	}
	return rc;
}

void
target_close(struct target *t)
{
	session_close(t->session);
	t->session = NULL;
	person_clear(&t->person);
}
