/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/outdir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/jobdir.h"
#include "node/cli/jobdir_read.h"
#include "node/cli/say.h"
#include "trust/doc/envelope.h"
#include "trust/doc/receipt.h"

static bool
job_of(int dir, struct id32 *job)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	text = file_load(dir, "manifest", 2 * ENV_MANIFEST_MAX, &len);
	return text != NULL && jobdir_envelope_job(text, len, job);
}

/* A log that was begun; one that is not there is empty. */
static bool
has_bytes(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (!S_ISREG(st.st_mode) || st.st_size > 0);
}

/* Only what `submit` makes before a job runs: of the rest nothing is ours. */
static bool
only_frame(int dir)
{
	static const char *const frame[] = {".", "..", "manifest", "stdout",
	    "stderr", "receipt", "result.json", JOBDIR_UPLOAD};
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	bool only = d != NULL;

	while (only && (e = readdir(d)) != NULL) {
		only = false;
		for (size_t i = 0; i < NELEM(frame); i++)
			only = only || strcmp(e->d_name, frame[i]) == 0;
	}
	if (d != NULL)
		(void)closedir(d);
	return only;
}

/* Nothing but its frame is there. */
static bool
is_bare(int dir)
{
	return !has_bytes(dir, "stdout") && !has_bytes(dir, "stderr") &&
	    only_frame(dir);
}

/* What the folder itself says goes before what was seen last. */
static bool
never_ran(int dir, const char *state)
{
	_cleanup_free_ char *receipt = NULL;
	struct job_receipt r;
	size_t len;

	receipt = file_load(dir, "receipt", JOB_RECEIPT_MAX, &len);
	if (receipt != NULL)
		return job_receipt_parse(&r, (const uint8_t *)receipt, len) &&
		    r.outcome == JOB_CANCELLED;
	return strcmp(state, "cancelled") == 0 || strcmp(state, "refused") == 0;
}

/* It is a folder by this very name, and whoever asks may take it away. */
static bool
can_go(int dir, const char *out)
{
	struct stat named, opened;
	char path[CLI_PATH], *base;
	size_t n = strlen(out);

	if (n >= sizeof(path))
		return false;
	memcpy(path, out, n + 1);
	while (n > 1 && path[n - 1] == '/') /* a link is followed behind one */
		path[--n] = '\0';
	base = strrchr(path, '/');
	base = base != NULL ? base + 1 : path;
	return strcmp(base, ".") != 0 && strcmp(base, "..") != 0 &&
	    lstat(path, &named) == 0 && S_ISDIR(named.st_mode) &&
	    fstat(dir, &opened) == 0 && named.st_dev == opened.st_dev &&
	    named.st_ino == opened.st_ino &&
	    faccessat(dir, "..", W_OK | X_OK, AT_EACCESS) == 0;
}

/*
 * False: another program is at work in it, or was meanwhile. From here until it
 * is gone the mark of an upload is ours.
 */
static bool
empty(struct cli *c, int dir, const char *path)
{
	const bool marked = faccessat(dir, JOBDIR_UPLOAD, F_OK,
	    AT_SYMLINK_NOFOLLOW) == 0;
	_cleanup_fd_ int mark = jobdir_hold(dir, true);
	struct jobdir j;
	bool bare = mark >= 0 && is_bare(dir);

	if (mark >= 0 && !bare && !marked)
		(void)unlinkat(dir, JOBDIR_UPLOAD, 0);
	if (!bare)
		return false;
	(void)unlinkat(dir, "receipt", 0);
	(void)unlinkat(dir, "result.json", 0);
	jobdir_begun(&j, c, path, fcntl(dir, F_DUPFD_CLOEXEC, 0),
	    steal_fd(&mark));
	jobdir_void(&j);
	jobdir_close(&j);
	return true;
}

int
outdir_take(struct cli *c, const struct person *p, const char *out,
    const struct id32 *job)
{
	_cleanup_fd_ int dir = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct job_note note = {0};
	struct id32 there;
	bool known;
	char hex[65];

	if (dir < 0 || !job_of(dir, &there) || id32_eq(&there, job))
		return CLI_OK;
	known = person_get_job(p, &there, &note);
	hex_encode(hex, HASH_BYTES(there));
	if (known && is_bare(dir) && never_ran(dir, note.state) &&
	    can_go(dir, out) && empty(c, dir, out)) {
		note.folder[0] = '\0'; /* what comes there is another's */
		(void)person_note_job(p, &note);
		cli_note(c, "%s was that of job %.16s, which never ran: it is "
		    "used again", out, hex);
		return CLI_OK;
	}
	cli_error(c, "%s exists and is not this job's: it holds job %.16s%s%s",
	    out, hex, note.state[0] != '\0' ? ", when last seen " : "",
	    note.state);
	cli_hint(c, "`warren result %s` fetches what that one made, and `warren "
	    "show %.16s` says how far it is.", out, hex);
	cli_hint(c, "For this one name another folder with --out, or move that "
	    "one away.");
	return CLI_USAGE;
}
