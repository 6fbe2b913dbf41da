/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"

#define HASH_STEP 65536

/* One stream of a job that runs. */
struct tap {
	ev_io io;
	struct source *source;
	unsigned stream; /* 0 stdout, 1 stderr */
	int pipe, file;	 /* -1: at its end */
};

struct source {
	TAILQ_ENTRY(source) link;
	struct logs *logs;
	struct job *job;
	struct tap tap[2];
};

struct follower {
	TAILQ_ENTRY(follower) entry;
	struct logs *logs;
	struct hash16 link;
	struct id32 job;
	unsigned stream; /* 1, 2 */
	int file, pipe;
	uint64_t offset;
	bool ended; /* no more is written */
	ev_io io;   /* the pipe has room again */
	ev_timer wait; /* the peer's budget has */
};

TAILQ_HEAD(sources, source);
TAILQ_HEAD(followers, follower);

struct logs {
	struct ev_loop *loop;
	int dir, discard;
	struct logs_ops ops;
	struct sources sources;
	struct followers followers;
};

static void feed(struct follower *);

#define NAME_LEN 68
static void
file_name(char out[NAME_LEN], const struct id32 *id, unsigned stream)
{
	hex_encode(out, HASH_BYTES(*id));
	out[64] = '.';
	out[65] = (char)('0' + stream);
	out[66] = '\0';
}

static int
file_open(struct logs *l, const struct id32 *id, unsigned stream, int flags)
{
	char name[NAME_LEN];

	file_name(name, id, stream);
	return openat(l->dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

struct logs *
logs_open(struct ev_loop *loop, int dir, int discard,
    const struct logs_ops *ops)
{
	struct logs *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->discard = discard;
	l->ops = *ops;
	TAILQ_INIT(&l->sources);
	TAILQ_INIT(&l->followers);
	if (mkdirat(dir, "logs", 0700) != 0 && errno != EEXIST)
		goto bad;
	l->dir = openat(dir, "logs",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->dir >= 0)
		return l;
bad:
	free(l);
	return NULL;
}

/* ---- from the job to its file ---- */

static void
tap_close(struct tap *t)
{
	if (t->pipe >= 0) {
		ev_io_stop(t->source->logs->loop, &t->io);
		(void)close(t->pipe);
	}
	if (t->file >= 0)
		(void)close(t->file);
	t->pipe = t->file = -1;
}

static struct source *
source_of(struct logs *l, const struct job *j)
{
	struct source *s;

	TAILQ_FOREACH(s, &l->sources, link) {
		if (s->job == j)
			return s;
	}
	return NULL;
}

static void
source_free(struct source *s)
{
	tap_close(&s->tap[0]);
	tap_close(&s->tap[1]);
	TAILQ_REMOVE(&s->logs->sources, s, link);
	free(s);
}

static void
feed_all(struct logs *l, const struct job *j, unsigned stream)
{
	struct follower *f, *next;

	for (f = TAILQ_FIRST(&l->followers); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (f->stream == stream && id32_eq(&f->job, &j->id))
			feed(f);
	}
}

/*
 * Move at most n bytes: to the file up to the job's limit, the rest nowhere.
 * What was moved; 0: end of the stream; -1: nothing now.
 */
static ssize_t
move(struct tap *t, size_t n)
{
	struct job *j = t->source->job;
	uint64_t limit = j->limits.v[LIMIT_LOG], kept = j->log[0] + j->log[1];
	ssize_t got;

	if (kept < limit && t->file >= 0) {
		loff_t at = (loff_t)j->log[t->stream];

		got = splice(t->pipe, NULL, t->file, &at,
		    (size_t)MIN_OF((uint64_t)n, limit - kept),
		    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (got > 0)
			j->log[t->stream] += (uint64_t)got;
		if (got >= 0 || errno == EAGAIN || errno == EINTR)
			return got;
		/* a full disk costs log, not the job */
		log_warn("logs/", "what jobs print cannot be kept and is discarded");
		(void)close(t->file);
		t->file = -1;
	}
	got = splice(t->pipe, NULL, t->source->logs->discard, NULL, n,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (got > 0)
		j->log[2] += (uint64_t)got;
	return got;
}

static void
on_output(struct ev_loop *loop, ev_io *io, int revents)
{
	struct tap *t = io->data;
	struct source *s = t->source;
	ssize_t got = move(t, LOGS_TURN);

	(void)loop;
	(void)revents;
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		tap_close(t);
		return;
	}
	if (got > 0) {
		feed_all(s->logs, s->job, t->stream + 1);
		s->logs->ops.grew(s->logs->ops.ctx, s->job);
	}
}

int
logs_attach(struct logs *l, struct job *j, int out, int err, bool again)
{
	struct source *s = calloc(1, sizeof(*s));
	const int pipes[2] = {out, err};

	if (s == NULL) {
		(void)close(out);
		(void)close(err);
		return -1;
	}
	s->logs = l;
	s->job = j;
	TAILQ_INSERT_TAIL(&l->sources, s, link);
	for (unsigned i = 0; i < 2; i++) {
		struct tap *t = &s->tap[i];

		t->source = s;
		t->stream = i;
		t->pipe = pipes[i];
		(void)fcntl(t->pipe, F_SETFL, O_NONBLOCK);
		t->file = file_open(l, &j->id, i + 1,
		    O_WRONLY | O_CREAT | (again ? 0 : O_TRUNC));
		if (t->file < 0)
			log_warn("logs/", "no file for what a job prints: it "
			    "is discarded");
		ev_io_init(&t->io, on_output, t->pipe, EV_READ);
		t->io.data = t;
		ev_io_start(l->loop, &t->io);
	}
	return 0;
}

void
logs_recount(struct logs *l, struct job *j)
{
	struct stat st;

	for (unsigned i = 0; i < 2; i++) {
		_cleanup_fd_ int fd = file_open(l, &j->id, i + 1, O_RDONLY);

		j->log[i] = 0;
		if (fd >= 0 && fstat(fd, &st) == 0)
			j->log[i] = (uint64_t)st.st_size;
	}
}

static void
digest(struct logs *l, struct job *j, unsigned stream)
{
	_cleanup_free_ uint8_t *buf = malloc(HASH_STEP);
	_cleanup_fd_ int fd = -1;
	uint64_t left = j->log[stream];
	struct sha256_ctx c;

	sha256_init(&c);
	if (left > 0 && buf != NULL)
		fd = file_open(l, &j->id, stream + 1, O_RDONLY);
	while (left > 0 && fd >= 0) {
		ssize_t n = read(fd, buf,
		    (size_t)MIN_OF(left, (uint64_t)HASH_STEP));

		if (n <= 0)
			break;
		sha256_update(&c, (size_t)n, buf);
		left -= (uint64_t)n;
	}
	if (left > 0) {
		/* what is not on the disk has not been kept */
		j->log[2] += left;
		j->log[stream] -= left;
	}
	/* a result that is promised must survive */
	if (fd >= 0 && fdatasync(fd) != 0)
		log_warn("logs/", "what a job printed may not survive a power cut");
	sha256_digest(&c, 32, j->log_sha[stream].b);
}

void
logs_seal(struct logs *l, struct job *j)
{
	struct source *s = source_of(l, j);

	if (s != NULL) {
		/* its processes are gone: the pipes hold a little, then EOF */
		for (unsigned i = 0; i < 2; i++) {
			while (s->tap[i].pipe >= 0 &&
			    move(&s->tap[i], LOGS_TURN) > 0)
				continue;
		}
		source_free(s);
	}
	digest(l, j, 0);
	digest(l, j, 1);
	feed_all(l, j, 1);
	feed_all(l, j, 2);
}

ssize_t
logs_read(struct logs *l, const struct job *j, unsigned stream,
    uint64_t offset, uint8_t *buf, size_t n)
{
	_cleanup_fd_ int fd = file_open(l, &j->id, stream, O_RDONLY);
	size_t got = 0;

	if (fd < 0)
		return -1;
	while (got < n) {
		ssize_t r = pread(fd, buf + got, n - got,
		    (off_t)(offset + got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

void
logs_drop(struct logs *l, const struct job *j)
{
	char name[NAME_LEN];

	for (unsigned i = 1; i <= 2; i++) {
		file_name(name, &j->id, i);
		(void)unlinkat(l->dir, name, 0);
	}
}

void
logs_sweep(struct logs *l, bool (*known)(void *ctx, const struct id32 *id),
    void *ctx)
{
	int fd = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de;
	struct id32 id;

	if (d == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		if (strlen(de->d_name) != 66 ||
		    !hex_decode(HASH_BYTES(id), de->d_name, 64) ||
		    !known(ctx, &id))
			(void)unlinkat(l->dir, de->d_name, 0);
	}
	(void)closedir(d);
}

/* ---- from the file to followers ---- */

static void
follower_free(struct follower *f)
{
	ev_io_stop(f->logs->loop, &f->io);
	ev_timer_stop(f->logs->loop, &f->wait);
	TAILQ_REMOVE(&f->logs->followers, f, entry);
	if (f->pipe >= 0)
		(void)close(f->pipe);
	if (f->file >= 0)
		(void)close(f->file);
	free(f);
}

/* Until the pipe is full, the file at its end, or the budget used up. */
static void
feed(struct follower *f)
{
	struct logs *l = f->logs;
	uint32_t wait_ms;

	ev_io_stop(l->loop, &f->io);
	if (ev_is_active(&f->wait))
		return;
	if (f->file < 0)
		f->file = file_open(l, &f->job, f->stream, O_RDONLY);
	for (;;) {
		uint64_t room = l->ops.room(l->ops.ctx, &f->link, &wait_ms);
		loff_t at = (loff_t)f->offset;
		ssize_t got = 0;

		if (room == 0) {
			ev_timer_set(&f->wait, wait_ms / 1e3, 0.);
			ev_timer_start(l->loop, &f->wait);
			return;
		}
		if (f->file >= 0)
			got = splice(f->file, &at, f->pipe, NULL,
			    (size_t)MIN_OF(room, (uint64_t)LOGS_TURN),
			    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (got > 0) {
			f->offset += (uint64_t)got;
			l->ops.sent(l->ops.ctx, &f->link, (uint64_t)got);
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			ev_io_start(l->loop, &f->io);
			return;
		}
		/* all that there is; or nobody reads any more */
		if (got < 0 || f->ended)
			follower_free(f);
		return;
	}
}

static void
on_room(struct ev_loop *loop, ev_io *io, int revents)
{
	(void)loop;
	(void)revents;
	feed(io->data);
}

static void
on_budget(struct ev_loop *loop, ev_timer *t, int revents)
{
	(void)loop;
	(void)revents;
	feed(t->data);
}

int
logs_follow(struct logs *l, const struct hash16 *link, unsigned stream,
    const struct job *j, uint64_t offset)
{
	struct follower *f = calloc(1, sizeof(*f));
	int ends[2];

	if (f == NULL)
		return -1;
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
		free(f);
		return -1;
	}
	f->logs = l;
	f->link = *link;
	f->job = j->id;
	f->stream = stream;
	f->file = -1;
	f->pipe = ends[1];
	f->offset = offset;
	f->ended = job_ended(j);
	ev_io_init(&f->io, on_room, f->pipe, EV_WRITE);
	f->io.data = f;
	ev_timer_init(&f->wait, on_budget, 0., 0.);
	f->wait.data = f;
	TAILQ_INSERT_TAIL(&l->followers, f, entry);
	feed(f);
	return ends[0];
}

void
logs_unfollow(struct logs *l, const struct hash16 *link, unsigned stream)
{
	struct follower *f, *next;

	for (f = TAILQ_FIRST(&l->followers); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (f->stream == stream && hash16_eq(&f->link, link))
			follower_free(f);
	}
}

void
logs_end(struct logs *l, const struct job *j)
{
	struct follower *f, *next;

	for (f = TAILQ_FIRST(&l->followers); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (!id32_eq(&f->job, &j->id))
			continue;
		f->ended = true;
		feed(f);
	}
}

void
logs_close(struct logs *l)
{
	struct source *s;
	struct follower *f;

	if (l == NULL)
		return;
	while ((s = TAILQ_FIRST(&l->sources)) != NULL)
		source_free(s);
	while ((f = TAILQ_FIRST(&l->followers)) != NULL)
		follower_free(f);
	(void)close(l->dir);
	free(l);
}
