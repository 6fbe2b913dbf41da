/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/bundle_name.h"
#include "audit/trail_compact.h"
#include "audit/trail_file.h"
#include "audit/trail_line.h"
#include "audit/zipout.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/snapshot.h"
#include "common/util.h"
#include "trust/doc/bundle.h"
#include "trust/doc/digest.h"

#define NAMES 65536u /* places: more than twice the members */
#define TMP ".part"
#define SUFFIX ".zip"
#define ABOUT_MAX (1u << 20)

/* What is done next; each takes turns of the loop until it is over. */
enum stage {
	STAGE_NONE,
	STAGE_ABOUT,
	STAGE_STDOUT,
	STAGE_STDERR,
	STAGE_SNAPSHOT,
	STAGE_TRAIL,
	STAGE_CLOSE,
	STAGE_SIGN, /* keys are asked */
};

/* A descriptor on its way into a member. */
struct copy {
	bool on;
	int fd;
	uint64_t at, left;
};

struct bundles {
	struct ev_loop *loop;
	struct process *prog;
	int dir, trail_dir;
	struct trail *trail;
	bool has_binding;
	struct msg_K_BINDING binding;
	ev_timer turn, late;
	uint64_t serial;

	enum stage stage;
	struct msg_W_BUNDLE want;
	struct msg_W_BUNDLED out;
	struct msg_K_BUNDLE sign;
	int fds[4], file;
	struct zipout *zip;
	struct copy copy;
	char job[65];
	/* the snapshot */
	uint8_t *table;
	uint64_t snap_size, snap_left;
	struct rd members;
	struct snapshot_member member;
	uint64_t *names;
	uint32_t refused; /* members that are none, or come twice */
	/* the trail */
	struct trail_segs segs;
	size_t seg;
	uint64_t last;
	struct id32 last_digest;
	uint8_t buf[BUNDLE_MADE_OF];
};

/* ---- ends ---- */

static void
put_down(struct bundles *b)
{
	ev_timer_stop(b->loop, &b->turn);
	ev_timer_stop(b->loop, &b->late);
	for (int i = 0; i < 4; i++)
		close_fd(&b->fds[i]);
	if (b->file >= 0 && !b->out.ok)
		(void)unlinkat(b->dir, TMP, 0);
	close_fd(&b->file);
	if (b->copy.on && b->stage == STAGE_TRAIL)
		close_fd(&b->copy.fd);
	b->copy.on = false;
	zipout_free(b->zip);
	b->zip = NULL;
	free(b->table);
	free(b->names);
	b->table = NULL;
	b->names = NULL;
	trail_segs_free(&b->segs);
	b->stage = STAGE_NONE;
}

static void
over(struct bundles *b, const char *why)
{
	b->out.qid = b->want.qid;
	b->out.ok = why == NULL;
	if (why != NULL) {
		b->out.name[0] = '\0';
		(void)snprintf(b->out.why, sizeof(b->out.why), "%s", why);
		log_warnx("forensics", "no bundle: %s", why);
	} else {
		log_notice("forensics", "bundle name=%s bytes=%llu "
		    "members=%u", b->out.name,
		    (unsigned long long)b->out.size, b->out.members);
	}
	put_down(b);
	(void)program_send_W_BUNDLED(b->prog, &b->out, NULL, 0);
}

static void
failed(struct bundles *b, const char *what)
{
	char why[160];

	if (errno == EFBIG)
		(void)snprintf(why, sizeof(why), "it would be larger than "
		    "what is left of forensics.total");
	else
		(void)snprintf(why, sizeof(why), "%s: %s", what,
		    strerror(errno));
	over(b, why);
}

/* ---- one descriptor after the other ---- */

static bool
copy_begin(struct bundles *b, const char *name, int fd, uint64_t at,
    uint64_t size)
{
	if (zipout_begin(b->zip, name, size) < 0) {
		failed(b, "archive");
		return false;
	}
	b->copy = (struct copy){true, fd, at, size};
	return true;
}

/* A piece; false: it is over with b. *whole: nothing is left of it. */
static bool
copy_more(struct bundles *b, bool *whole)
{
	struct copy *c = &b->copy;
	ssize_t n = 0;

	if (c->left > 0)
		n = pread(c->fd, b->buf, MIN_OF(c->left, sizeof(b->buf)),
		    (off_t)c->at);
	/* what was promised and is not there stays zeros: the size stands */
	if (n <= 0 && c->left > 0) {
		n = (ssize_t)MIN_OF(c->left, sizeof(b->buf));
		memset(b->buf, 0, (size_t)n);
	}
	if (zipout_data(b->zip, b->buf, (size_t)n) < 0) {
		failed(b, "archive");
		return false;
	}
	c->at += (uint64_t)n;
	c->left -= (uint64_t)n;
	*whole = c->left == 0;
	return true;
}

static bool
copy_end(struct bundles *b)
{
	b->copy.on = false;
	if (zipout_end(b->zip) == 0)
		return true;
	failed(b, "archive");
	return false;
}

/* A whole descriptor as one member; true: go on with the next stage. */
static bool
whole_fd(struct bundles *b, int fd, const char *name)
{
	struct stat st;
	bool whole;

	if (fd < 0)
		return true;
	if (!b->copy.on) {
		if (fstat(fd, &st) < 0 || st.st_size < 0)
			return true;
		if (!copy_begin(b, name, fd, 0, (uint64_t)st.st_size))
			return false;
	}
	if (!copy_more(b, &whole) || !whole)
		return false;
	return copy_end(b);
}

/* ---- what it is ---- */

static bool
about(struct bundles *b)
{
	char text[1024], fp[65], made[32];
	time_t now = (time_t)(clock_wall_us() / 1000000);
	struct tm tm;
	int n;

	hex_encode(fp, HASH_BYTES(b->binding.fp));
	(void)gmtime_r(&now, &tm);
	(void)strftime(made, sizeof(made), "%Y-%m-%dT%H:%M:%SZ", &tm);
	n = snprintf(text, sizeof(text), "{\"bundle\":1,\"kind\":\"%s\","
	    "\"node\":\"%s\",\"made\":\"%s\",\"job\":%s%s%s,"
	    "\"pause_us\":%u,\"untrusted\":\"job/ was delivered from inside "
	    "the sandbox of the job: data of a stranger. Cores may hold "
	    "secrets of the job.\"}\n",
	    b->want.kind == BUNDLE_JOB ? "job" : "trail", fp, made,
	    b->want.kind == BUNDLE_JOB ? "\"" : "",
	    b->want.kind == BUNDLE_JOB ? b->job : "null",
	    b->want.kind == BUNDLE_JOB ? "\"" : "", b->out.pause_us);
	if (zipout_put(b->zip, "bundle.json", text, (size_t)n) < 0) {
		failed(b, "archive");
		return false;
	}
	return true;
}

/* ---- the snapshot ---- */

/* Has this name been there? */
static bool
twice(struct bundles *b, const char *name)
{
	struct id32 d;
	uint64_t v;
	uint32_t i;

	digest_of(&d, name, strlen(name));
	v = get_u64(d.b) | 1;
	for (i = (uint32_t)(v >> 8) % NAMES; b->names[i] != 0;
	     i = (i + 1) % NAMES)
		if (b->names[i] == v)
			return true;
	b->names[i] = v;
	return false;
}

static bool
snapshot_open(struct bundles *b)
{
	uint8_t head[SNAPSHOT_HEAD];
	struct snapshot_head h;
	int fd = b->fds[1];
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < 0 ||
	    pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    !snapshot_head_get(&h, head, sizeof(head), (uint64_t)st.st_size))
		return false;
	b->table = malloc(h.table_len + 1);
	b->names = calloc(NAMES, sizeof(*b->names));
	if (b->table == NULL || b->names == NULL ||
	    pread(fd, b->table, h.table_len, (off_t)h.table) !=
		(ssize_t)h.table_len)
		return false;
	b->snap_size = b->snap_left = (uint64_t)st.st_size;
	b->members = rd_make(b->table, h.table_len);
	b->out.pause_us = h.pause_us;
	return true;
}

/* The next member of the table that may be one. false: there is none. */
static bool
snapshot_next(struct bundles *b, char name[BUNDLE_NAME_MAX])
{
	for (uint32_t i = 0; i < SNAPSHOT_MEMBERS_MAX; i++) {
		if (rd_left(&b->members) == 0)
			return false;
		if (!snapshot_member_get(&b->members, &b->member,
			b->snap_size, &b->snap_left)) {
			b->refused++;
			return false;
		}
		bundle_name(name, b->member.kind == SNAPSHOT_FILE ?
		    "job/files" : "job", b->member.name,
		    b->member.name_len);
		if (!twice(b, name))
			return true;
		b->refused++;
	}
	return false;
}

/* true: go on with the next stage. */
static bool
snapshot(struct bundles *b)
{
	char name[BUNDLE_NAME_MAX];
	uint64_t off, len;
	bool whole;

	if (b->fds[1] < 0)
		return true;
	if (!b->copy.on) {
		if (!snapshot_next(b, name))
			return true;
		if (!copy_begin(b, name, b->fds[1], 0, b->member.size))
			return false;
		b->copy.left = 0;
	}
	/* of a member with many small pieces as many as one turn takes */
	for (uint64_t did = 0; did < BUNDLE_MADE_OF;) {
		if (b->copy.left == 0) {
			if (!snapshot_extent(&b->member, &off, &len)) {
				(void)copy_end(b);
				return false;
			}
			b->copy.at = off;
			b->copy.left = len;
		}
		did += MIN_OF(b->copy.left, (uint64_t)BUNDLE_MADE_OF) + 64;
		if (!copy_more(b, &whole))
			return false;
	}
	return false;
}

/* ---- the trail ---- */

static bool
keep_line(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	const struct bundles *b = arg;

	if (b->want.kind == BUNDLE_TRAIL)
		return l->seq >= b->want.from && l->seq <= b->want.to;
	return memmem(text, len, b->job, 64) != NULL;
}

/* What is there now: lines that come while we read are not in it. */
static bool
trail_open_parts(struct bundles *b)
{
	static const char *const files[] = {TRAIL_CHECKPOINT, TRAIL_KEY};
	char text[1024], name[40];
	bool there;

	if (trail_sync(b->trail) < 0 ||
	    trail_segs_list(b->trail_dir, &b->segs) < 0)
		return false;
	if (!trail_head_get(b->trail_dir, &b->last, &b->last_digest, &there))
		b->last = 0;
	trail_head_put(text, b->last, &b->last_digest);
	if (b->last > 0 && zipout_put(b->zip, "trail/" TRAIL_HEAD, text,
	    TRAIL_HEAD_LEN) < 0)
		return false;
	for (size_t i = 0; i < NELEM(files); i++) {
		ssize_t n = file_read(b->trail_dir, files[i], text,
		    sizeof(text));

		(void)snprintf(name, sizeof(name), "trail/%s", files[i]);
		if (n > 0 && zipout_put(b->zip, name, text, (size_t)n) < 0)
			return false;
	}
	return true;
}

static bool
segment_begin(struct bundles *b)
{
	char file[TRAIL_NAME_MAX], name[48];
	int fd = memfd_create("trail", MFD_CLOEXEC), own;
	uint32_t number = b->segs.number[b->seg++];
	struct stat st;

	if (fd < 0 || (own = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		close_fd(&fd);
		failed(b, "trail");
		return false;
	}
	if (trail_export_seg(b->trail, number, b->last, keep_line, b, own) <
		0 || fstat(fd, &st) < 0) {
		close_fd(&fd);
		failed(b, "trail");
		return false;
	}
	trail_seg_name(file, number);
	(void)snprintf(name, sizeof(name), "trail/%s", file);
	if (copy_begin(b, name, fd, 0, (uint64_t)st.st_size))
		return true;
	close_fd(&fd);
	return false;
}

/* true: go on with the next stage. */
static bool
trail(struct bundles *b)
{
	bool whole;

	if (b->segs.number == NULL && !trail_open_parts(b)) {
		failed(b, "trail");
		return false;
	}
	if (!b->copy.on) {
		if (b->seg >= b->segs.n || b->last == 0)
			return true;
		if (!segment_begin(b))
			return false;
	}
	if (!copy_more(b, &whole) || !whole)
		return false;
	close_fd(&b->copy.fd);
	(void)copy_end(b);
	return false;
}

/* ---- the end of the archive ---- */

static void
close_zip(struct bundles *b)
{
	struct zipout_sum s;

	if (zipout_close(b->zip, &s) < 0) {
		failed(b, "archive");
		return;
	}
	b->out.members = s.members;
	b->sign = (struct msg_K_BUNDLE){.qid = ++b->serial,
	    .kind = b->want.kind, .size = s.size};
	b->sign.job = b->want.job;
	b->sign.digest = s.digest;
	b->sign.sums = s.sums;
	b->stage = STAGE_SIGN;
	ev_timer_set(&b->late, BUNDLE_SIGN_S, 0.);
	ev_timer_start(b->loop, &b->late);
	(void)program_send_K_BUNDLE(b->prog, &b->sign, NULL, 0);
}

static void
name_it(struct bundles *b, char out[128], unsigned again)
{
	time_t now = (time_t)(clock_wall_us() / 1000000);
	char when[32], more[16] = "";
	struct tm tm;

	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	if (again > 0)
		(void)snprintf(more, sizeof(more), "-%u", again);
	if (b->want.kind == BUNDLE_JOB)
		(void)snprintf(out, 128, "agent-%.16s-%s%s" SUFFIX, b->job,
		    when, more);
	else
		(void)snprintf(out, 128, "trail-%llu-%llu-%s%s" SUFFIX,
		    (unsigned long long)b->want.from,
		    (unsigned long long)MIN_OF(b->want.to, b->last), when,
		    more);
}

void
bundles_signed(struct bundles *b, const struct msg_K_BUNDLED *m)
{
	char text[BUNDLE_COMMENT_MAX];
	struct stat st;
	size_t n;
	int rv = -1;

	if (b->stage != STAGE_SIGN || m->qid != b->sign.qid)
		return;
	if (!m->ok) {
		over(b, "warren-keys does not sign it, and says why in the "
		    "log");
		return;
	}
	n = bundle_comment(text, m->frame, b->binding.binding);
	if (zipout_comment(b->zip, text, n) < 0 || fsync(b->file) < 0 ||
	    fstat(b->file, &st) < 0) {
		failed(b, "archive");
		return;
	}
	b->out.size = (uint64_t)st.st_size;
	for (unsigned i = 0; i < 100 && rv < 0; i++) {
		name_it(b, b->out.name, i);
		rv = renameat2(b->dir, TMP, b->dir, b->out.name,
		    RENAME_NOREPLACE);
		if (rv < 0 && errno != EEXIST)
			break;
	}
	if (rv < 0) {
		failed(b, "name");
		return;
	}
	(void)fsync(b->dir);
	over(b, NULL);
}

static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	over(w->data, "warren-keys does not answer");
}

/* ---- turns ---- */

static void
on_turn(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct bundles *b = w->data;
	bool next = false;

	(void)revents;
	switch (b->stage) {
	case STAGE_ABOUT:
		next = whole_fd(b, b->fds[0], "node.json") && about(b);
		break;
	case STAGE_STDOUT:
		next = whole_fd(b, b->fds[2], "logs/stdout");
		break;
	case STAGE_STDERR:
		next = whole_fd(b, b->fds[3], "logs/stderr");
		break;
	case STAGE_SNAPSHOT:
		next = snapshot(b);
		break;
	case STAGE_TRAIL:
		next = trail(b);
		break;
	case STAGE_CLOSE:
		close_zip(b);
		return;
	case STAGE_NONE:
	case STAGE_SIGN:
		return;
	}
	if (next)
		b->stage++;
	if (b->stage != STAGE_NONE) {
		ev_timer_set(&b->turn, 0., 0.);
		ev_timer_start(loop, &b->turn);
	}
}

/* ---- what is there already ---- */

static bool
counted(struct bundles *b, uint32_t *count, uint64_t *bytes)
{
	int fd = openat(b->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;
	struct stat st;

	*count = 0;
	*bytes = 0;
	if (d == NULL)
		return false;
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name), k = strlen(SUFFIX);

		if (n <= k || strcmp(e->d_name + n - k, SUFFIX) != 0 ||
		    fstatat(b->dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		(*count)++;
		*bytes += (uint64_t)st.st_size;
	}
	(void)closedir(d);
	return true;
}

/* Room for it, and a file; NULL, or why not. */
static const char *
begin(struct bundles *b)
{
	static char why[160];
	uint64_t bytes;
	uint32_t count;

	if (b->dir < 0 || !counted(b, &count, &bytes))
		return "warren/forensics cannot be read";
	if (!b->has_binding)
		return "warren-keys has no binding yet: nobody could sign it";
	if (count >= b->want.count || bytes >= b->want.bytes) {
		(void)snprintf(why, sizeof(why), "%u bundles of %llu bytes are "
		    "in warren/forensics, which is all that forensics.bundles "
		    "and forensics.total allow: move some away", count,
		    (unsigned long long)bytes);
		return why;
	}
	b->file = openat(b->dir, TMP, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (b->file < 0)
		return "no file in warren/forensics";
	b->zip = zipout_new(b->file, b->want.bytes - bytes,
	    (uint32_t)(clock_wall_us() / 1000000), bundle_comment(
		(char[BUNDLE_COMMENT_MAX]){0}, (uint8_t[BUNDLE_LEN]){0},
		(uint8_t[BINDING_LEN]){0}));
	return b->zip == NULL ? "out of memory" : NULL;
}

void
bundles_make(struct bundles *b, const struct msg_W_BUNDLE *m,
    struct ipc_in *in)
{
	struct msg_W_BUNDLED busy = {.qid = m->qid};
	const char *why;

	if (b->stage != STAGE_NONE) {
		(void)snprintf(busy.why, sizeof(busy.why),
		    "another bundle is being made");
		(void)program_send_W_BUNDLED(b->prog, &busy, NULL, 0);
		return;
	}
	b->want = *m;
	memset(&b->out, 0, sizeof(b->out));
	hex_encode(b->job, HASH_BYTES(m->job));
	for (unsigned i = 0, k = 0; i < 4 && k < in->nfds; i++)
		if ((m->fds >> i & 1) != 0)
			b->fds[i] = ipc_in_take(in, k++);
	b->seg = 0;
	b->last = 0;
	b->refused = 0;
	b->members = rd_make(NULL, 0);
	b->stage = STAGE_ABOUT;
	why = begin(b);
	if (why == NULL && b->fds[1] >= 0 && !snapshot_open(b))
		why = "the snapshot is not of its form";
	if (why != NULL) {
		over(b, why);
		return;
	}
	ev_timer_set(&b->turn, 0., 0.);
	ev_timer_start(b->loop, &b->turn);
}

void
bundles_binding(struct bundles *b, const struct msg_K_BINDING *m)
{
	b->binding = *m;
	b->has_binding = true;
}

struct bundles *
bundles_new(struct ev_loop *loop, struct process *p, int trail_dir,
    struct trail *t)
{
	struct bundles *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->loop = loop;
	b->prog = p;
	b->dir = settings_take(p, SET_DIR_FORENSICS, "");
	b->trail_dir = trail_dir;
	b->trail = t;
	b->file = -1;
	for (int i = 0; i < 4; i++)
		b->fds[i] = -1;
	ev_timer_init(&b->turn, on_turn, 0., 0.);
	ev_timer_init(&b->late, on_late, BUNDLE_SIGN_S, 0.);
	b->turn.data = b->late.data = b;
	if (b->dir >= 0)
		(void)unlinkat(b->dir, TMP, 0);
	return b;
}
