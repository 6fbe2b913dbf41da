/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* struct ucred */

#include "transport/engine/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>
#include <jansson.h>

#include "common/acceptor.h"
#include "transport/engine/engine.h"
#include "transport/engine/views.h"

#define CONTROL_CLIENTS 16 /* ours: at a time */

struct client {
	TAILQ_ENTRY(client) entry;
	struct control *c;
	int fd;
	ev_io rd, wr;
	char *in; /* the line that is coming */
	size_t in_len;
	char *out; /* the line that is going, or NULL */
	size_t out_len, out_from;
	struct view view; /* .next NULL: none open */
};

struct control {
	struct engine *e;
	int fd;
	struct acceptor accept;
	TAILQ_HEAD(, client) clients;
	unsigned nclients;
};

static void
client_free(struct client *k)
{
	struct control *c = k->c;

	ev_io_stop(c->e->loop, &k->rd);
	ev_io_stop(c->e->loop, &k->wr);
	(void)close(k->fd);
	TAILQ_REMOVE(&c->clients, k, entry);
	c->nclients--;
	free(k->in);
	free(k->out);
	free(k);
}

/* Takes o; one line of it waits to be written. false: no memory. */
static bool
put_line(struct client *k, json_t *o, bool end)
{
	char *text;

	if (o == NULL)
		return false;
	if (json_object_get(o, "ok") == NULL)
		(void)json_object_set_new(o, "ok", json_true());
	if (end)
		(void)json_object_set_new(o, "end", json_true());
	text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	if (text == NULL)
		return false;
	free(k->out);
	k->out = text;
	k->out_len = strlen(text);
	k->out_from = 0;
	text[k->out_len++] = '\n'; /* in place of the NUL */
	return true;
}

static bool
put_error(struct client *k, int exit_code, const char *why)
{
	return put_line(k, json_pack("{s:b, s:i, s:s}", "ok", 0, "exit",
	    exit_code, "why", why), true);
}

/* The next line of the open answer. false: there is none, or no memory. */
static bool
put_next(struct client *k)
{
	bool end = true;
	json_t *o;

	if (k->view.next == NULL)
		return false;
	o = k->view.next(&k->view, &end);
	if (end)
		k->view.next = NULL;
	return put_line(k, o, end);
}

static bool
handle_line(struct client *k, const char *line, size_t len)
{
	json_error_t err;
	json_t *req;
	bool known;

	req = json_loadb(line, len, JSON_REJECT_DUPLICATES, &err);
	if (!json_is_object(req)) {
		json_decref(req);
		return put_error(k, 2, "not a JSON object");
	}
	known = view_open(&k->view, k->c->e, req);
	json_decref(req);
	if (!known)
		return put_error(k, 2, "no such verb here: status, peers, "
		    "paths or interfaces");
	return put_next(k);
}

/* Write until the socket is full or the answer at its end. false: gone. */
static bool
client_write(struct client *k)
{
	ssize_t n;

	for (;;) {
		if (k->out_from == k->out_len) {
			free(k->out);
			k->out = NULL;
			k->out_from = k->out_len = 0;
			if (k->view.next == NULL)
				break;
			if (!put_next(k))
				return false;
		}
		n = send(k->fd, k->out + k->out_from, k->out_len - k->out_from,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* one answer at a time: read no further question */
			ev_io_start(k->c->e->loop, &k->wr);
			ev_io_stop(k->c->e->loop, &k->rd);
			return true;
		}
		if (n < 0)
			return false;
		k->out_from += (size_t)n;
	}
	ev_io_stop(k->c->e->loop, &k->wr);
	ev_io_start(k->c->e->loop, &k->rd);
	return true;
}

/* Answer the whole lines that are there, one after the other. */
static bool
client_lines(struct client *k)
{
	char *nl;
	size_t len;

	while (k->out == NULL &&
	    (nl = memchr(k->in, '\n', k->in_len)) != NULL) {
		len = (size_t)(nl - k->in);
		if (!handle_line(k, k->in, len) || !client_write(k))
			return false;
		k->in_len -= len + 1;
		memmove(k->in, nl + 1, k->in_len);
	}
	return true;
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *k = w->data;
	ssize_t n;

	(void)loop;
	(void)revents;
	n = read(k->fd, k->in + k->in_len, CONTROL_LINE_MAX - k->in_len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_free(k);
		return;
	}
	k->in_len += (size_t)n;
	if (!client_lines(k) || (k->in_len == CONTROL_LINE_MAX &&
	    memchr(k->in, '\n', k->in_len) == NULL))
		client_free(k);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct client *k = w->data;

	(void)loop;
	(void)revents;
	if (!client_write(k) || !client_lines(k))
		client_free(k);
}

/* uid 0, or the owner of the configuration: rootless, that is us (8.5). */
static bool
may_ask(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    (cred.uid == 0 || cred.uid == geteuid());
}

static void
on_accept(void *ctx, int fd, const struct sockaddr_storage *peer)
{
	struct control *c = ctx;
	struct client *k;

	(void)peer;
	if (c->nclients >= CONTROL_CLIENTS || !may_ask(fd) ||
	    (k = calloc(1, sizeof(*k))) == NULL) {
		(void)close(fd);
		return;
	}
	if ((k->in = malloc(CONTROL_LINE_MAX)) == NULL) {
		free(k);
		(void)close(fd);
		return;
	}
	k->c = c;
	k->fd = fd;
	ev_io_init(&k->rd, on_readable, fd, EV_READ);
	ev_io_init(&k->wr, on_writable, fd, EV_WRITE);
	k->rd.data = k->wr.data = k;
	ev_io_start(c->e->loop, &k->rd);
	TAILQ_INSERT_TAIL(&c->clients, k, entry);
	c->nclients++;
}

struct control *
control_new(struct engine *e, int fd)
{
	struct control *c;

	if ((c = calloc(1, sizeof(*c))) == NULL) {
		(void)close(fd);
		return NULL;
	}
	c->e = e;
	c->fd = fd;
	TAILQ_INIT(&c->clients);
	acceptor_start(&c->accept, e->loop, fd, on_accept, c);
	return c;
}

void
control_free(struct control *c)
{
	struct client *k;

	if (c == NULL)
		return;
	while ((k = TAILQ_FIRST(&c->clients)) != NULL)
		client_free(k);
	acceptor_stop(&c->accept);
	(void)close(c->fd);
	free(c);
}
