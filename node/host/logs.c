/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "node/host/order.h"

#define HOLE (1u << 20)	/* what is discarded is given back so much at a time */
#define ORDER 3		/* the file of struct order */
#define HASH_S 0.001	/* between two steps of hashing */

/* One stream of a job that runs. */
struct tap {
	ev_io io;
	struct source *source;
	unsigned stream; /* 0 stdout, 1 stderr */
	int pipe;	 /* -1: at its end */
	int file;	 /* -1: there is none yet */
	struct sha256_ctx hash;
	uint64_t hashed; /* of the file */
};

struct source {
	TAILQ_ENTRY(source) link;
	struct logs *logs;
	struct job *job;
	struct tap tap[2];
	int waste;	/* as long as what was discarded; -1 */
	uint64_t hollow; /* of it is a hole */
	bool no_holes;	/* not on this file system */
	bool sealing;	/* its pipes have ended */
	struct order order;
};

struct follower {
	TAILQ_ENTRY(follower) entry;
	struct logs *logs;
	struct hash16 link;
	struct id32 job;
	struct fp owner;
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
	ev_timer hash;
};

static void feed(struct follower *);
static void on_hash(struct ev_loop *, ev_timer *, int revents);

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

int
logs_file(struct logs *l, const struct job *j, unsigned stream)
{
	return file_open(l, &j->id, stream, O_RDONLY);
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
	ev_timer_init(&l->hash, on_hash, HASH_S, HASH_S);
	l->hash.data = l;
	if (mkdirat(dir, "logs", 0700) != 0 && errno != EEXIST)
		goto bad;
	l->dir = openat(dir, "logs",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* a folder that is new must survive as what lies in it */
	if (l->dir >= 0 && fsync(dir) == 0)
		return l;
	if (l->dir >= 0)
		(void)close(l->dir);
bad:
	free(l);
	return NULL;
}

/* ---- from the job to its file ---- */

static void
pipe_close(struct tap *t)
{
	if (t->pipe < 0)
		return;
	ev_io_stop(t->source->logs->loop, &t->io);
	(void)close(t->pipe);
	t->pipe = -1;
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
	for (unsigned i = 0; i < 2; i++) {
		pipe_close(&s->tap[i]);
		if (s->tap[i].file >= 0)
			(void)close(s->tap[i].file);
	}
	if (s->waste >= 0)
		(void)close(s->waste);
	order_end(&s->order);
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

/* What lies in the file of the discarded gives its room back. */
static void
hollow(struct source *s)
{
	uint64_t end = s->job->log[2];

	if (end - s->hollow < HOLE)
		return;
	if (fallocate(s->waste, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		(off_t)s->hollow, (off_t)(end - s->hollow)) != 0)
		s->no_holes = true;
	s->hollow = end;
}

/*
 * Into the file whose size counts it: one step of the kernel does both. Where
 * there is no room, or are no holes, it goes nowhere and is counted after that.
 */
static ssize_t
discard(struct tap *t, size_t n)
{
	struct source *s = t->source;
	struct job *j = s->job;
	loff_t at = (loff_t)j->log[2];
	ssize_t got;

	if (s->waste < 0)
		s->waste = file_open(s->logs, &j->id, 0, O_WRONLY | O_CREAT);
	if (s->waste >= 0 && !s->no_holes) {
		got = splice(t->pipe, NULL, s->waste, &at, n,
		    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (got > 0) {
			j->log[2] += (uint64_t)got;
			hollow(s);
		}
		if (got >= 0 || errno == EAGAIN || errno == EINTR)
			return got;
	}
	got = splice(t->pipe, NULL, s->logs->discard, NULL, n,
	    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (got > 0) {
		j->log[2] += (uint64_t)got;
		if (s->waste >= 0)
			(void)!ftruncate(s->waste, (off_t)j->log[2]);
	}
	return got;
}

/* 1: something is in the pipe; 0: its end; -1: nothing now. */
static int
waiting(const struct tap *t)
{
	struct pollfd p = {.fd = t->pipe, .events = POLLIN};
	int n = poll(&p, 1, 0);

	if (n > 0)
		return (p.revents & POLLIN) != 0;
	if (n == 0)
		errno = EAGAIN;
	return -1;
}

/* One that exists was there before, and could not be opened then. */
static bool
have_file(struct tap *t)
{
	const struct source *s = t->source;

	if (t->file < 0)
		t->file = file_open(s->logs, &s->job->id, t->stream + 1,
		    O_RDWR | O_CREAT | O_EXCL);
	if (t->file < 0)
		log_warn("logs/", "no file for what a job prints: it is "
		    "discarded");
	return t->file >= 0;
}

/*
 * Move at most n bytes: to the file up to the job's limit, the rest nowhere.
 * What was moved; 0: end of the stream; -1: nothing now. Most jobs print
 * little, many nothing: a file is made for its first byte.
 */
static ssize_t
move(struct tap *t, size_t n)
{
	struct job *j = t->source->job;
	uint64_t limit = j->limits.v[LIMIT_LOG], kept = j->log[0] + j->log[1];
	ssize_t got;

	if (t->file < 0 && (got = waiting(t)) <= 0)
		return got;
	if (kept < limit && j->log[2] == 0 && have_file(t)) {
		loff_t at = (loff_t)j->log[t->stream];

		got = splice(t->pipe, NULL, t->file, &at,
		    (size_t)MIN_OF((uint64_t)n, limit - kept),
		    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
		if (got > 0) {
			j->log[t->stream] += (uint64_t)got;
			order_add(&t->source->order, t->stream,
			    (uint64_t)got);
		}
		if (got >= 0 || errno == EAGAIN || errno == EINTR)
			return got;
		/* a full disk costs log, not the job; a log has no gaps */
		log_warn("logs/", "what jobs print cannot be kept and is discarded");
	}
	return discard(t, n);
}

/* ---- digests ---- */

/* At most *room bytes more of the file; takes them from *room. */
static void
hash_more(struct tap *t, size_t *room)
{
	static uint8_t buf[LOGS_TURN];
	struct source *s = t->source;
	uint64_t end = s->job->log[t->stream];

	while (*room > 0 && t->hashed < end && t->file >= 0) {
		ssize_t n = pread(t->file, buf, (size_t)MIN_OF(end - t->hashed,
		    (uint64_t)MIN_OF(*room, sizeof(buf))), (off_t)t->hashed);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			/* what is not on the disk has not been kept */
			s->job->log[2] += end - t->hashed;
			s->job->log[t->stream] = t->hashed;
			return;
		}
		sha256_update(&t->hash, (size_t)n, buf);
		t->hashed += (uint64_t)n;
		*room -= (size_t)n;
	}
}

static bool
hashed(const struct source *s)
{
	return s->tap[0].hashed >= s->job->log[0] &&
	    s->tap[1].hashed >= s->job->log[1];
}

/* All is hashed: a result that is promised must survive. */
static void
sealed(struct source *s)
{
	struct logs *l = s->logs;
	struct job *j = s->job;
	bool any = false;

	for (unsigned i = 0; i < 2; i++) {
		struct tap *t = &s->tap[i];

		any |= j->log[i] > 0;
		if (j->log[i] > 0 && fdatasync(t->file) != 0)
			log_warn("logs/", "what a job printed may not survive "
			    "a power cut");
		sha256_digest(&t->hash, 32, j->log_sha[i].b);
	}
	if (any && fsync(l->dir) != 0)
		log_warn("logs/", "what a job printed may not survive a power "
		    "cut");
	source_free(s);
	feed_all(l, j, 1);
	feed_all(l, j, 2);
}

/* Files that were here before this program are hashed in small steps. */
static void
on_hash(struct ev_loop *loop, ev_timer *timer, int revents)
{
	struct logs *l = timer->data;
	size_t room = LOGS_HASH;
	struct source *s;

	(void)revents;
	TAILQ_FOREACH(s, &l->sources, link) {
		struct job *j = s->job;

		hash_more(&s->tap[0], &room);
		hash_more(&s->tap[1], &room);
		if (!hashed(s))
			return; /* the step is used up */
		if (!s->sealing)
			continue;
		sealed(s);
		l->ops.sealed(l->ops.ctx, j);
		return; /* the list may be another now */
	}
	ev_timer_stop(loop, timer);
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
		pipe_close(t);
		return;
	}
	if (got > 0) {
		size_t room = LOGS_TURN;

		hash_more(t, &room);
		feed_all(s->logs, s->job, t->stream + 1);
		s->logs->ops.grew(s->logs->ops.ctx, s->job);
	}
}

static uint64_t
size_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int
make_order(void *arg)
{
	const struct source *s = arg;

	return file_open(s->logs, &s->job->id, ORDER,
	    O_RDWR | O_CREAT | O_EXCL);
}

/* Its files as they are, and their sizes as the counts. */
static struct source *
source_new(struct logs *l, struct job *j, int flags)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->logs = l;
	s->job = j;
	for (unsigned i = 0; i < 2; i++) {
		struct tap *t = &s->tap[i];

		t->source = s;
		t->stream = i;
		t->pipe = -1;
		t->file = file_open(l, &j->id, i + 1, flags);
		j->log[i] = size_of(t->file);
		sha256_init(&t->hash);
		ev_io_init(&t->io, on_output, 0, EV_READ);
		t->io.data = t;
	}
	order_begin(&s->order, file_open(l, &j->id, ORDER, O_RDWR),
	    flags == O_RDWR ? make_order : NULL, s, j->log);
	s->waste = file_open(l, &j->id, 0, O_WRONLY);
	s->hollow = j->log[2] = size_of(s->waste);
	TAILQ_INSERT_TAIL(&l->sources, s, link);
	if (j->log[0] + j->log[1] > 0 && !ev_is_active(&l->hash))
		ev_timer_again(l->loop, &l->hash);
	return s;
}

int
logs_attach(struct logs *l, struct job *j, int out, int err)
{
	struct source *s = source_of(l, j) == NULL ?
	    source_new(l, j, O_RDWR) : NULL;
	const int pipes[2] = {out, err};

	if (s == NULL) {
		(void)close(out);
		(void)close(err);
		return -1;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct tap *t = &s->tap[i];

		t->pipe = pipes[i];
		(void)fcntl(t->pipe, F_SETFL, O_NONBLOCK);
		ev_io_set(&t->io, t->pipe, EV_READ);
		ev_io_start(l->loop, &t->io);
	}
	return 0;
}

bool
logs_seal(struct logs *l, struct job *j)
{
	struct source *s = source_of(l, j);
	size_t room = LOGS_HASH;

	if (s == NULL && (s = source_new(l, j, O_RDONLY)) == NULL)
		fatal("out of memory");
	/* its processes are gone: the pipes hold a little, then EOF */
	for (unsigned i = 0; i < 2; i++) {
		struct tap *t = &s->tap[i];

		while (t->pipe >= 0 && move(t, LOGS_TURN) > 0)
			continue;
		pipe_close(t);
		hash_more(t, &room);
	}
	s->sealing = true;
	if (hashed(s)) {
		sealed(s);
		return true;
	}
	if (!ev_is_active(&l->hash))
		ev_timer_again(l->loop, &l->hash);
	return false;
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

size_t
logs_runs(struct logs *l, const struct job *j, uint64_t from, uint8_t *out,
    size_t max)
{
	struct source *s = source_of(l, j);
	_cleanup_fd_ int fd = -1;

	/* whoever has it counts on its length */
	if (s != NULL)
		order_cut(&s->order);
	fd = file_open(l, &j->id, ORDER, O_RDONLY);
	return order_read(fd, from, out, max);
}

void
logs_drop(struct logs *l, const struct job *j)
{
	struct source *s = source_of(l, j);
	struct follower *f, *next;
	char name[NAME_LEN];

	if (s != NULL)
		source_free(s);
	for (f = TAILQ_FIRST(&l->followers); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		if (!id32_eq(&f->job, &j->id) || f->file < 0)
			continue;
		if (f->offset > 0) {
			f->ended = true;
			feed(f);
		} else {
			(void)close(f->file);
			f->file = -1;
		}
	}
	for (unsigned i = 0; i <= ORDER; i++) {
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

/* Each is two descriptors of ours, and who has many links could ask for all. */
static bool
may_follow(const struct logs *l, const struct fp *owner)
{
	const struct follower *f;
	unsigned all = 0, his = 0;

	TAILQ_FOREACH(f, &l->followers, entry) {
		all++;
		his += fp_eq(&f->owner, owner);
	}
	return all < LOGS_FOLLOWERS && his < LOGS_FOLLOWERS_OF_ONE;
}

int
logs_follow(struct logs *l, const struct hash16 *link, unsigned stream,
    const struct job *j, uint64_t offset)
{
	struct follower *f = may_follow(l, &j->owner) ?
	    calloc(1, sizeof(*f)) : NULL;
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
	f->owner = j->owner;
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
	ev_timer_stop(l->loop, &l->hash);
	while ((s = TAILQ_FIRST(&l->sources)) != NULL)
		source_free(s);
	while ((f = TAILQ_FIRST(&l->followers)) != NULL)
		follower_free(f);
	(void)close(l->dir);
	free(l);
}
