/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

struct pack {
	TAILQ_ENTRY(pack) entry;
	struct outputs *outputs;
	struct id32 job;
	struct fp owner;
	unsigned volume;
	int fd; /* -1: at its end */
	uint64_t most, came; /* came: too much */
	uint64_t looked;     /* at the disk, when so many had come */
	ev_io io;
	struct blob_writer *w;
	bool eof, step, ok;
	struct left left;
	char why[128];
};
TAILQ_HEAD(packs, pack);

struct outputs {
	struct ev_loop *loop;
	struct blobs *blobs;
	struct outputs_ops ops;
	struct packs packs;
	uint8_t buf[OUTPUTS_TURN];
};

struct outputs *
outputs_new(struct ev_loop *loop, struct blobs *b,
    const struct outputs_ops *ops)
{
	struct outputs *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->loop = loop;
	o->blobs = b;
	o->ops = *ops;
	TAILQ_INIT(&o->packs);
	return o;
}

static void
pack_free(struct pack *p)
{
	if (p->fd >= 0) {
		ev_io_stop(p->outputs->loop, &p->io);
		(void)close(p->fd);
	}
	blob_writer_abort(p->w);
	TAILQ_REMOVE(&p->outputs->packs, p, entry);
	free(p);
}

void
outputs_free(struct outputs *o)
{
	struct pack *p;

	if (o == NULL)
		return;
	while ((p = TAILQ_FIRST(&o->packs)) != NULL)
		pack_free(p);
	free(o);
}

static void
fail(struct pack *p, const char *why)
{
	if (!p->ok)
		return;
	p->ok = false;
	(void)snprintf(p->why, sizeof(p->why), "%s", why);
	blob_writer_abort(p->w);
	p->w = NULL;
}

/* Both ends are here: name it, and say so. */
static void
settle(struct pack *p)
{
	struct outputs *o = p->outputs;
	struct id32 sha = {0};
	uint64_t size = p->came;

	if (!p->eof || !p->step)
		return;
	if (p->ok) {
		if (blob_writer_finish(p->w, &p->owner,
			o->ops.own_now(o->ops.ctx), &sha, &size) != 0) {
			p->ok = false;
			(void)snprintf(p->why, sizeof(p->why), "%s",
			    errno == EDQUOT ? "the spool is full of results "
			    "and inputs that are kept" : strerror(errno));
		}
		p->w = NULL;
	}
	o->ops.done(o->ops.ctx, &p->job, p->volume, p->ok, &sha, size, &p->left,
	    p->why);
	pack_free(p);
}

static void
at_end(struct pack *p)
{
	ev_io_stop(p->outputs->loop, &p->io);
	(void)close(p->fd);
	p->fd = -1;
	p->eof = true;
	settle(p);
}

/* Others have less room with each byte: the relay's storage comes first. */
static bool
fills_disk(struct pack *p)
{
	uint64_t size = blob_writer_size(p->w);

	if (size < p->looked + OUTPUTS_LOOK)
		return false;
	p->looked = size;
	return p->outputs->ops.disk_full(p->outputs->ops.ctx);
}

static void
on_bytes(struct ev_loop *loop, ev_io *io, int revents)
{
	struct pack *p = io->data;
	struct outputs *o = p->outputs;
	ssize_t n = read(p->fd, o->buf, sizeof(o->buf));

	(void)loop;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (n < 0)
			fail(p, "it cannot be read");
		at_end(p);
		return;
	}
	if (p->ok && blob_writer_size(p->w) + (uint64_t)n > p->most) {
		p->came = blob_writer_size(p->w) + (uint64_t)n;
		fail(p, "larger than limits.output");
	} else if (p->ok && blob_writer_add(p->w, o->buf, (size_t)n) != 0)
		fail(p, strerror(errno));
	else if (p->ok && fills_disk(p))
		fail(p, "the disk of the node is full");
	/*
	 * Nobody waits for the rest, which may be terabytes of a few links: the
	 * step ends by its next write.
	 */
	if (!p->ok)
		at_end(p);
}

static struct pack *
find(struct outputs *o, const struct id32 *job, unsigned volume)
{
	struct pack *p;

	TAILQ_FOREACH(p, &o->packs, entry) {
		if (p->volume == volume && id32_eq(&p->job, job))
			return p;
	}
	return NULL;
}

void
outputs_open(struct outputs *o, const struct id32 *job,
    const struct fp *owner, unsigned volume, int fd, uint64_t most)
{
	struct pack *p = find(o, job, volume) == NULL ?
	    calloc(1, sizeof(*p)) : NULL;

	if (p == NULL) {
		(void)close(fd);
		return;
	}
	p->outputs = o;
	p->job = *job;
	p->owner = *owner;
	p->volume = volume;
	p->most = most;
	p->fd = fd;
	p->ok = true;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	ev_io_init(&p->io, on_bytes, fd, EV_READ);
	p->io.data = p;
	TAILQ_INSERT_TAIL(&o->packs, p, entry);
	if ((p->w = blob_writer_open(o->blobs)) == NULL) {
		int e = errno;

		log_warn("parts/", "no file for an output: it is lost");
		p->ok = false;
		(void)snprintf(p->why, sizeof(p->why), "%s", strerror(e));
	}
	ev_io_start(o->loop, &p->io);
}

void
outputs_step(struct outputs *o, const struct id32 *job, unsigned volume,
    bool ok, const struct left *left, const char *why)
{
	struct pack *p = find(o, job, volume);
	const struct id32 none = {0};

	if (p == NULL) {
		/* it failed before it could open anything */
		o->ops.done(o->ops.ctx, job, volume, false, &none, 0, left,
		    ok ? "nothing came" : why);
		return;
	}
	p->step = true;
	p->left = *left;
	if (!ok)
		fail(p, why);
	settle(p);
}

void
outputs_drop(struct outputs *o, const struct id32 *job)
{
	struct pack *p, *next;

	for (p = TAILQ_FIRST(&o->packs); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (id32_eq(&p->job, job))
			pack_free(p);
	}
}
