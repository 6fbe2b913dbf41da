/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/client/attach_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "transport/client/state.h"

#define REQUEST_TIMEOUT_US (60 * MONO_SECOND)
/* ours: where a lost request for parts is noticed after some 20 RTT */
#define REQUEST_TIMEOUT_RTTS 60
#define RESPONSE_MAX (1u << 20)
#define AGAIN_MIN_US (2 * MONO_SECOND) /* compute.md 3: max(2 s, 8 RTT) */
#define AGAIN_RTTS 8
/* time, path hash and heads of reticulum-endpoint.md 7.1 */
#define REQUEST_OVERHEAD 32

/* An answer to another copy of it would be brought for nobody. */
static void
cancel_copies(const struct attach_request *q)
{
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST_CANCEL};

	cmd.cancel.link = q->l->id;
	for (unsigned i = 0; i < q->ntags; i++) {
		cmd.cancel.tag = q->tags[i];
		(void)attach_submit(q->l->a, &cmd);
	}
}

static void
request_end(struct attach_request *q, const struct attach_response *resp)
{
	if (q->dead)
		return;
	q->dead = true;
	if (q->l->have_id && q->l->state == ATTACH_LINK_UP)
		cancel_copies(q);
	ev_timer_stop(q->l->a->loop, &q->timer);
	if (resp != NULL)
		q->fn(q->arg, resp);
}

static void
request_fail(struct attach_request *q, enum attach_result result)
{
	struct attach_response resp = {
		.result = result,
		.copies = q->ntags,
		.took_us = mono_sub(clock_mono(), q->started),
	};

	request_end(q, &resp);
}

void
attach_request_cancel(struct attach_request *q)
{
	request_end(q, NULL);
}

void
arequests_end(struct attach_link *l, bool tell)
{
	struct attach_request *q;

	TAILQ_FOREACH(q, &l->requests, entry) {
		if (tell)
			request_fail(q, ATTACH_LINK_LOST);
		else
			request_end(q, NULL);
	}
}

void
arequests_reap(struct attach_link *l)
{
	struct attach_request *q, *next;

	for (q = TAILQ_FIRST(&l->requests); q != NULL; q = next) {
		next = TAILQ_NEXT(q, entry);
		if (!q->dead)
			continue;
		TAILQ_REMOVE(&l->requests, q, entry);
		free(q->path);
		free(q->data);
		free(q);
	}
}

/* ---- sending, and sending again ---- */

static void
set_timer(struct attach_request *q)
{
	struct mono at = q->until;
	double s;

	if (q->opts.repeat && !q->alive && q->ntags < REQUEST_TRIES)
		at = mono_min(at, q->again);
	s = (double)mono_sub(at, clock_mono()) / 1e6;
	ev_timer_stop(q->l->a->loop, &q->timer);
	ev_timer_set(&q->timer, s > 0 ? s : 0, 0);
	ev_timer_start(q->l->a->loop, &q->timer);
}

/* A copy that needs a resource is not sent while another may be under way. */
static bool
fits_packet(const struct attach_request *q)
{
	struct rns_link_info info;

	return attach_link_info(q->l, &info) &&
	    q->len + REQUEST_OVERHEAD <= info.mdu;
}

static int
send_copy(struct attach_request *q)
{
	struct rns_cmd cmd = {.type = RNS_CMD_REQUEST};
	uint64_t tag = attach_tag(q->l->a);
	int err;

	cmd.request.link = q->l->id;
	cmd.request.path = q->path;
	cmd.request.data = q->data;
	cmd.request.len = q->len;
	/* of a resource: from when it has arrived */
	cmd.request.timeout_us = q->opts.repeat && !fits_packet(q) ?
	    MIN_OF(q->opts.timeout_us, q->wait_us + q->opts.patience_us) :
	    q->opts.timeout_us;
	cmd.request.max_response = q->opts.max_response;
	cmd.request.tag = tag;
	err = attach_submit(q->l->a, &cmd);
	if (err == RNS_OK)
		q->tags[q->ntags++] = tag;
	q->again = mono_add(clock_mono(), q->wait_us + q->opts.patience_us);
	q->wait_us *= 2;
	return err;
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct attach_request *q = w->data;
	struct mono now = clock_mono();

	(void)loop;
	(void)revents;
	if (q->dead)
		return;
	if (mono_reached(now, q->until)) {
		request_fail(q, q->sending && q->failed == q->ntags ?
		    ATTACH_REJECTED : ATTACH_TIMEOUT);
		return;
	}
	if (q->opts.repeat && !q->alive && mono_reached(now, q->again) &&
	    q->ntags < REQUEST_TRIES) {
		if (fits_packet(q) || q->failed == q->ntags)
			(void)send_copy(q);
		else
			q->again = mono_add(now, q->wait_us);
	}
	set_timer(q);
}

static struct attach_request *
request_new(struct attach_link *l, const char *path, const uint8_t *data,
    size_t len)
{
	struct attach_request *q;

	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->path = strdup(path);
	if (data != NULL && (q->data = malloc(len > 0 ? len : 1)) != NULL)
		memcpy(q->data, data, len);
	if (q->path == NULL || (data != NULL && q->data == NULL)) {
		free(q->path);
		free(q->data);
		free(q);
		return NULL;
	}
	q->l = l;
	q->len = len;
	return q;
}

struct attach_request *
attach_request(struct attach_link *l, const char *path, const uint8_t *data,
    size_t len, const struct attach_request_opts *opts,
    void (*fn)(void *, const struct attach_response *), void *arg)
{
	struct attach_request *q;

	/* no id: it closes, and its requests are being told */
	if (l->dead || !l->have_id || l->state != ATTACH_LINK_UP) {
		errno = ENOTCONN;
		return NULL;
	}
	if ((q = request_new(l, path, data, len)) == NULL)
		return NULL;
	if (opts != NULL)
		q->opts = *opts;
	if (q->opts.timeout_us <= 0)
		q->opts.timeout_us = MAX_OF(REQUEST_TIMEOUT_US,
		    REQUEST_TIMEOUT_RTTS * attach_link_rtt_us(l)) +
		    q->opts.patience_us;
	if (q->opts.max_response == 0)
		q->opts.max_response = RESPONSE_MAX;
	q->fn = fn;
	q->arg = arg;
	q->started = clock_mono();
	q->until = mono_add(q->started, q->opts.timeout_us);
	q->wait_us = MAX_OF(AGAIN_MIN_US,
	    AGAIN_RTTS * attach_link_rtt_us(l));
	ev_init(&q->timer, on_timer);
	q->timer.data = q;
	TAILQ_INSERT_TAIL(&l->requests, q, entry);
	if (send_copy(q) != RNS_OK)
		/* too big, or no memory: told from the loop */
		q->until = q->started;
	set_timer(q);
	return q;
}

void
attach_request_hurry(struct attach_request *q)
{
	if (q->dead || q->opts.patience_us == 0)
		return;
	q->opts.timeout_us -= q->opts.patience_us;
	q->opts.patience_us = 0;
	q->until = mono_add(clock_mono(), q->opts.timeout_us);
	q->again = mono_add(clock_mono(), q->wait_us / 2);
	set_timer(q);
}

/* ---- events ---- */

static struct attach_request *
by_tag(struct attach_link *l, uint64_t tag)
{
	struct attach_request *q;

	TAILQ_FOREACH(q, &l->requests, entry)
		for (unsigned i = 0; !q->dead && i < q->ntags; i++)
			if (q->tags[i] == tag)
				return q;
	return NULL;
}

/* A copy: the event's bytes end with the first command of the callback. */
static uint8_t *
copy_of(const uint8_t *p, size_t n)
{
	uint8_t *c = p == NULL ? NULL : malloc(n > 0 ? n : 1);

	if (c != NULL)
		memcpy(c, p, n);
	return c;
}

static void
on_response(struct attach_request *q, const struct rns_event *ev)
{
	struct attach_response resp = {
		.result = ATTACH_ANSWERED,
		.len = ev->response.len,
		.metadata_len = ev->response.metadata_len,
		.copies = q->ntags,
		.took_us = mono_sub(clock_mono(), q->started),
	};
	uint8_t *data = copy_of(ev->response.data, ev->response.len);
	uint8_t *meta = copy_of(ev->response.metadata,
	    ev->response.metadata_len);

	if (data == NULL && ev->response.data != NULL)
		resp.result = ATTACH_TOO_LARGE;
	resp.data = data;
	resp.metadata = meta;
	request_end(q, &resp);
	free(data);
	free(meta);
}

static void
on_failed(struct attach_request *q, const struct rns_event *ev)
{
	q->failed++;
	if (ev->response.too_large) {
		request_fail(q, ATTACH_TOO_LARGE);
		return;
	}
	if (q->failed < q->ntags)
		return; /* another copy may be answered yet */
	if (ev->response.delivered && q->opts.repeat) {
		request_fail(q, ATTACH_UNANSWERED);
		return;
	}
	q->alive = false;
	if (!q->opts.repeat || q->ntags >= REQUEST_TRIES) {
		request_fail(q, q->sending ? ATTACH_REJECTED :
		    ATTACH_TIMEOUT);
		return;
	}
	set_timer(q);
}

static void
on_progress(struct attach_request *q, const struct rns_event *ev)
{
	q->until = mono_add(clock_mono(), q->opts.timeout_us);
	if (ev->progress.incoming)
		q->alive = true;
	else
		q->sending = true;
	set_timer(q);
	if (q->opts.progress != NULL)
		q->opts.progress(q->arg, !ev->progress.incoming,
		    ev->progress.done, ev->progress.total);
}

bool
arequests_stream(struct attach_link *l, const struct rns_event *ev)
{
	struct attach_stream_in *s;
	size_t len = ev->channel.len;
	uint8_t *data = copy_of(ev->channel.data, len);
	uint16_t stream = ev->channel.msgtype;
	bool eof = ev->channel.eof;

	if (ev->channel.err != RNS_OK || (len > 0 && data == NULL)) {
		free(data);
		return false;
	}
	SLIST_FOREACH(s, &l->streams, entry)
		if (s->stream == stream) {
			s->fn(s->arg, data, len, eof);
			break;
		}
	free(data);
	return true;
}

void
arequests_event(struct attach_link *l, const struct rns_event *ev)
{
	struct attach_request *q;

	switch (ev->type) {
	case RNS_EV_RESPONSE:
		if ((q = by_tag(l, ev->response.tag)) != NULL)
			on_response(q, ev);
		break;
	case RNS_EV_REQUEST_FAILED:
		if ((q = by_tag(l, ev->response.tag)) != NULL)
			on_failed(q, ev);
		break;
	case RNS_EV_PROGRESS:
		if ((q = by_tag(l, ev->progress.tag)) != NULL)
			on_progress(q, ev);
		break;
	default:
		break;
	}
}

int
attach_stream(struct attach_link *l, uint16_t stream,
    void (*fn)(void *, const uint8_t *, size_t, bool), void *arg)
{
	struct rns_cmd cmd = {.type = RNS_CMD_STREAM_OPEN};
	struct attach_stream_in *s;
	int err;

	if (l->dead || l->state != ATTACH_LINK_UP) {
		errno = ENOTCONN;
		return -1;
	}
	SLIST_FOREACH(s, &l->streams, entry)
		if (s->stream == stream) { /* the new reader takes over */
			s->fn = fn;
			s->arg = arg;
			return 0;
		}
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	*s = (struct attach_stream_in){.stream = stream, .fn = fn, .arg = arg};
	cmd.stream.link = l->id;
	cmd.stream.stream = stream;
	err = attach_submit(l->a, &cmd);
	if (err != RNS_OK && err != RNS_EEXIST) {
		free(s);
		errno = err == RNS_ENOMEM ? ENOMEM : ENOTCONN;
		return -1;
	}
	SLIST_INSERT_HEAD(&l->streams, s, entry);
	return 0;
}
