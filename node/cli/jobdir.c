/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/jobdir.h"
#include "node/cli/jobdir_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/fileat.h"
#include "common/jsonhex.h"
#include "common/util.h"

#include "node/cli/leftout.h"
#include "node/cli/pack.h"
#include "trust/doc/binding.h"
#include "trust/doc/envelope.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"

#define PART ".part" /* behind the digest of an output */

static const char *const log_name[2] = {"stdout", "stderr"};

static bool
same_job(int dir, const struct id32 *job)
{
	_cleanup_free_ char *text = NULL;
	struct id32 there;
	size_t len;

	text = file_load(dir, "manifest", ENV_MANIFEST_MAX * 2, &len);
	return text != NULL && jobdir_envelope_job(text, len, &there) &&
	    id32_eq(&there, job);
}

void
jobdir_init(struct jobdir *j)
{
	memset(j, 0, sizeof(*j));
	j->dir = j->mark = j->log[0] = j->log[1] = -1;
	for (size_t i = 0; i < NELEM(j->out); i++)
		j->out[i] = -1;
}

int
jobdir_open(struct jobdir *j, struct cli *c, const char *path,
    const struct manifest *m, const uint8_t *envelope, size_t len)
{
	char hex[65];

	jobdir_init(j);
	j->cli = c;
	j->manifest = m;
	hex_encode(hex, HASH_BYTES(m->job));
	if (path == NULL)
		(void)snprintf(j->path, sizeof(j->path), "%.16s", hex);
	else if (!cli_path(j->path, path, ".")) {
		cli_error(c, "--out: the path is too long");
		return CLI_USAGE;
	} else {
		j->path[strlen(path)] = '\0';
	}
	j->made = mkdir(j->path, 0777) == 0;
	if (!j->made && errno != EEXIST) {
		cli_error(c, "%s: %s", j->path, strerror(errno));
		return CLI_FAILED;
	}
	j->dir = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0) {
		cli_error(c, "%s: %s", j->path, strerror(errno));
		return CLI_FAILED;
	}
	if (!j->made && !same_job(j->dir, &m->job)) {
		cli_error(c, "%s exists and is not this job's", j->path);
		cli_hint(c, "Name another folder with --out.");
		return CLI_USAGE;
	}
	if (file_replace(j->dir, "manifest", envelope, len, 0644) != 0) {
		cli_error(c, "%s/manifest: %s", j->path, strerror(errno));
		return CLI_FAILED;
	}
	for (int i = 0; i < 2; i++) {
		j->log[i] = openat(j->dir, log_name[i],
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (j->log[i] < 0) {
			cli_error(c, "%s/%s: %s", j->path, log_name[i],
			    strerror(errno));
			return CLI_FAILED;
		}
	}
	return CLI_OK;
}

void
jobdir_close(struct jobdir *j)
{
	for (int i = 0; i < 2; i++)
		if (j->log[i] >= 0)
			(void)close(j->log[i]);
	for (size_t i = 0; i < NELEM(j->out); i++)
		if (j->out[i] >= 0)
			(void)close(j->out[i]);
	if (j->mark >= 0)
		(void)close(j->mark);
	if (j->dir >= 0)
		(void)close(j->dir);
	j->dir = j->mark = -1;
}

void
jobdir_begun(struct jobdir *j, struct cli *c, const char *path, int dir,
    int mark)
{
	jobdir_init(j);
	j->cli = c;
	(void)snprintf(j->path, sizeof(j->path), "%s", path);
	j->dir = dir;
	j->mark = mark;
}

void
jobdir_discard(struct jobdir *j)
{
	if (j->made && j->dir >= 0)
		jobdir_void(j);
}

static bool
is_named(int fd, int dir, const char *name)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 &&
	    fstatat(dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * The open folder, when it is empty and still has the last name of path, in
 * the folder that it lies in now: the path may lead elsewhere meanwhile.
 */
static void
remove_folder(int dir, const char *path)
{
	_cleanup_fd_ int parent = openat(dir, "..",
	    O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[CLI_PATH];
	const char *base;
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	base = memrchr(path, '/', n);
	base = base != NULL ? base + 1 : path;
	n -= (size_t)(base - path);
	if (parent < 0 || n == 0 || n >= sizeof(name))
		return;
	memcpy(name, base, n);
	name[n] = '\0';
	if (is_named(dir, parent, name))
		(void)unlinkat(parent, name, AT_REMOVEDIR);
}

void
jobdir_void(struct jobdir *j)
{
	(void)unlinkat(j->dir, "manifest", 0);
	for (int i = 0; i < 2; i++)
		(void)unlinkat(j->dir, log_name[i], 0);
	(void)unlinkat(j->dir, JOBDIR_UPLOAD, 0); /* last: it is ours till then */
	remove_folder(j->dir, j->path);
}

/*
 * -1: there is none, or another program has it. Who had it has taken it away
 * meanwhile, perhaps: then a lock on it means nothing.
 */
static int
lock_mark(int dir, int flags)
{
	_cleanup_fd_ int fd = openat(dir, JOBDIR_UPLOAD,
	    O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0644);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ||
	    !is_named(fd, dir, JOBDIR_UPLOAD))
		return -1;
	return steal_fd(&fd);
}

void
jobdir_unmark(struct jobdir *j)
{
	(void)unlinkat(j->dir, JOBDIR_UPLOAD, 0);
	if (j->mark >= 0)
		(void)close(j->mark);
	j->mark = -1;
}

void
jobdir_uploading(struct jobdir *j, bool yes)
{
	if (yes == (j->mark >= 0))
		return;
	if (yes) { /* best effort: without it the next call begins anew */
		j->mark = lock_mark(j->dir, O_CREAT);
		return;
	}
	jobdir_unmark(j);
}

int
jobdir_hold(int dir, bool make)
{
	return lock_mark(dir, make ? O_CREAT : 0);
}

/* ---- struct sub_store ---- */

static bool
cannot_write(struct jobdir *j)
{
	j->err = errno;
	return false;
}

void
jobdir_trouble(const struct jobdir *j, const char *what)
{
	if (j->err != 0)
		cli_error(j->cli, "%s: %s: %s", j->path, what,
		    strerror(j->err));
	else
		cli_error(j->cli, "%s", what);
}

static bool
store_log(void *arg, unsigned stream, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct jobdir *j = arg;
	unsigned i = stream - 1;

	if (offset == 0 && j->shown[i] > 0) {
		/* another attempt: logs begin anew */
		j->shown[i] = 0;
		if (ftruncate(j->log[i], 0) != 0)
			return cannot_write(j);
	}
	if (!write_at(j->log[i], p, n, offset))
		return cannot_write(j);
	if (j->show && n > 0 && offset + n > j->shown[i]) {
		size_t skip = (size_t)(j->shown[i] - MIN_OF(j->shown[i], offset));

		/* a closed pipe of ours does not end the job */
		(void)cli_write_stream(j->cli,
		    i == 0 ? STDOUT_FILENO : STDERR_FILENO, p + skip,
		    n - skip);
	}
	j->shown[i] = MAX_OF(j->shown[i], offset + n);
	return true;
}

static int
open_part(const struct jobdir *j, unsigned volume, int flags)
{
	return openat(j->dir, j->part[volume],
	    flags | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0644);
}

/* Fetched whole before, and unpacked: its archive can be made anew. */
static bool
unpacked_here(struct jobdir *j, unsigned volume, const struct id32 *sha256)
{
	char path[CLI_PATH];
	struct pack p;
	int k = snprintf(path, sizeof(path), "volumes%s",
	    j->manifest->volume[volume].target);

	if (k < 0 || (size_t)k >= sizeof(path) ||
	    pack_quiet(j->dir, path, TREE_STRICT, &p, NULL) < 0)
		return false;
	if (!id32_eq(&p.sha256, sha256)) {
		(void)close(p.fd);
		return false;
	}
	j->out[volume] = p.fd;
	return true;
}

static uint64_t
store_output_here(void *arg, unsigned volume, const struct id32 *sha256,
    uint64_t size)
{
	struct jobdir *j = arg;
	struct stat st;
	char hex[65];

	if (j->out[volume] >= 0)
		(void)close(j->out[volume]);
	hex_encode(hex, HASH_BYTES(*sha256));
	(void)snprintf(j->part[volume], sizeof(j->part[volume]), "%s" PART,
	    hex);
	j->out[volume] = open_part(j, volume, 0);
	if (j->out[volume] < 0)
		return unpacked_here(j, volume, sha256) ? size : 0;
	if (fstat(j->out[volume], &st) != 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > size)
		return 0;
	return (uint64_t)st.st_size;
}

static bool
store_output(void *arg, unsigned volume, uint64_t offset, const uint8_t *p,
    size_t n)
{
	struct jobdir *j = arg;

	if (j->out[volume] < 0)
		j->out[volume] = open_part(j, volume, O_CREAT);
	if (j->out[volume] < 0 ||
	    (offset == 0 && ftruncate(j->out[volume], 0) != 0) ||
	    !write_at(j->out[volume], p, n, offset))
		return cannot_write(j);
	return true;
}

static bool
store_output_digest(void *arg, unsigned volume, struct id32 *out)
{
	const struct jobdir *j = arg;
	uint64_t size;

	return j->out[volume] >= 0 && pack_digest(j->out[volume], out, &size);
}

static bool
store_log_digest(void *arg, unsigned stream, struct id32 *out)
{
	const struct jobdir *j = arg;
	int fd = j->log[stream - 1];
	uint64_t size;

	/* an earlier fetch may have left more */
	return ftruncate(fd, (off_t)j->shown[stream - 1]) == 0 &&
	    pack_digest(fd, out, &size);
}

void
jobdir_logs_here(struct jobdir *j, uint64_t have[2])
{
	uint8_t buf[65536];

	for (unsigned i = 0; i < 2; i++) {
		ssize_t n;

		have[i] = 0;
		while ((n = pread(j->log[i], buf, sizeof(buf),
			    (off_t)have[i])) > 0) {
			if (j->show)
				(void)cli_write_stream(j->cli, i == 0 ?
				    STDOUT_FILENO : STDERR_FILENO, buf,
				    (size_t)n);
			have[i] += (uint64_t)n;
		}
		j->shown[i] = have[i];
	}
}

void
jobdir_store(struct jobdir *j, struct sub_store *st)
{
	st->arg = j;
	st->log = store_log;
	st->output_here = store_output_here;
	st->output = store_output;
	st->log_digest = store_log_digest;
	st->output_digest = store_output_digest;
}

/* ---- the end ---- */

/* Make every folder of a target (without its first slash) below dir. */
static int
make_target(int dir, const char *target)
{
	_cleanup_fd_ int at = dir_open(dir, "volumes", true, 0777);
	char part[MANIFEST_TEXT + 1];
	const char *p = target + 1;

	while (at >= 0 && *p != '\0') {
		size_t n = strcspn(p, "/");
		int next;

		memcpy(part, p, n);
		part[n] = '\0';
		next = dir_open(at, part, true, 0777);
		(void)close(at);
		at = next;
		p += n;
		if (*p == '/')
			p++;
	}
	return steal_fd(&at);
}

static bool
unpack_into(struct cli *c, int fd, int dir, const char *what)
{
	struct tree_report rep = {0};

	/* tree_empty(): left from an earlier fetch of the same job */
	if (tree_empty(dir) == 0 && tree_unpack(fd, dir, &rep) == 0)
		return true;
	cli_error(c, "%s: %s", what,
	    rep.why[0] != '\0' ? rep.why : strerror(errno));
	return false;
}

bool
jobdir_unpack(struct cli *c, int dir, const char *path, const char *target,
    int fd)
{
	_cleanup_fd_ int at = make_target(dir, target);

	if (at >= 0)
		return unpack_into(c, fd, at, target);
	cli_error(c, "%s/volumes%s: %s", path, target, strerror(errno));
	return false;
}

/* Folders above a path; one that cannot be made is missed by who needs it. */
static void
make_parents(int base, const char *path)
{
	char part[CLI_PATH];

	for (const char *p = path; (p = strchr(p + 1, '/')) != NULL;) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(p - path),
		    path);
		(void)mkdirat(base, part, 0777);
	}
}

/* The local folder of an rw volume becomes the output, by rename. */
static bool
replace_local(struct jobdir *j, const struct jobdir_end *e, unsigned volume)
{
	const char *local = e->local[volume];
	char fresh[CLI_PATH], kept[CLI_PATH], hex[65];
	_cleanup_fd_ int dir = -1;
	int a, b;

	hex_encode(hex, HASH_BYTES(j->manifest->job));
	a = snprintf(fresh, sizeof(fresh), "%s.new-%.16s", local, hex);
	b = snprintf(kept, sizeof(kept), "%s.before-%.16s", local, hex);
	if (a < 0 || b < 0 || (size_t)a >= sizeof(fresh) ||
	    (size_t)b >= sizeof(kept)) {
		cli_error(j->cli, "%s: the path is too long", local);
		return false;
	}
	make_parents(e->base, fresh);
	if (mkdirat(e->base, fresh, 0777) != 0 && errno != EEXIST) {
		cli_error(j->cli, "%s: %s", fresh, strerror(errno));
		return false;
	}
	dir = openat(e->base, fresh,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || !unpack_into(j->cli, j->out[volume], dir, fresh))
		return false;
	/* it need not have been there: submit took it as empty */
	if ((renameat(e->base, local, e->base, kept) != 0 &&
		errno != ENOENT) ||
	    renameat(e->base, fresh, e->base, local) != 0) {
		cli_error(j->cli, "%s: %s", local, strerror(errno));
		return false;
	}
	return true;
}

static json_t *
result_json(const struct jobdir_end *e)
{
	const struct submitter *s = e->s;
	json_t *outs = json_array();
	char key[KEY_TEXT_MAX];
	json_t *o;

	for (unsigned i = 0; i < s->nout; i++)
		json_array_append_new(outs,
		    json_pack("{s:s,s:o,s:I}", "target",
			s->manifest->volume[s->out[i].volume].target, "sha256",
			json_hex(HASH_BYTES(s->out[i].sha256)), "size",
			(json_int_t)s->out[i].size));
	key_text(key, e->submitter);
	o = json_pack("{s:o,s:s,s:s,s:I,s:s,s:o,s:o,s:o,s:{s:s,s:o,s:o}}", "id",
	    json_hex(HASH_BYTES(s->manifest->job)), "state", s->state,
	    "outcome", outcome_name(s->r.outcome), "code",
	    (json_int_t)s->r.code, "submitter", key, "image",
	    json_hex(HASH_BYTES(s->r.image)), "outputs", outs, "left_out",
	    leftout_json(&s->left, s->manifest), "node", "urn", e->node_urn,
	    "destination", json_hex(HASH_BYTES(e->dest)), "binding",
	    json_hex(e->binding, BINDING_LEN));
	return o;
}

static bool
append_newline(char **text)
{
	size_t n = strlen(*text);
	char *grown = realloc(*text, n + 2);

	if (grown == NULL)
		return false;
	memcpy(grown + n, "\n", 2);
	*text = grown;
	return true;
}

/* Of this fetch, and of attempts before whose outputs were others. */
static void
remove_parts(int dir)
{
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	const struct dirent *e;
	struct id32 sha;

	(void)unlinkat(dir, JOBDIR_UPLOAD, 0);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (strlen(e->d_name) == 64 + strlen(PART) &&
		    strcmp(e->d_name + 64, PART) == 0 &&
		    hex_decode(HASH_BYTES(sha), e->d_name, 64))
			(void)unlinkat(dir, e->d_name, 0);
	(void)closedir(d);
}

int
jobdir_finish(struct jobdir *j, const struct jobdir_end *e)
{
	const struct submitter *s = e->s;
	_cleanup_free_ char *text = NULL;
	json_t *o;

	(void)unlinkat(j->dir, "result.json", 0); /* never of two fetches */
	for (unsigned i = 0; i < s->nout; i++) {
		unsigned v = s->out[i].volume;
		const char *target = j->manifest->volume[v].target;

		if (!jobdir_unpack(j->cli, j->dir, j->path, target, j->out[v]))
			return CLI_FAILED;
		if (e->in_place && !replace_local(j, e, v))
			return CLI_FAILED;
	}
	remove_parts(j->dir);
	o = result_json(e);
	text = o != NULL ? json_dumps(o, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	json_decref(o);
	if (text == NULL ||
	    !append_newline(&text) ||
	    file_replace(j->dir, "result.json", text, strlen(text), 0644) != 0 ||
	    file_replace(j->dir, "receipt", s->receipt, job_receipt_len(s->receipt),
		0644) != 0) {
		cli_error(j->cli, "%s: %s", j->path, strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}
