/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/asksock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/acceptor.h"
#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"

#define PREFIX 4 /* bytes of a length */

struct asker {
	TAILQ_ENTRY(asker) entry;
	struct asksock *s;
	int fd;
	uid_t uid;
	bool ending, known;
	ev_io rd, wr;
	ev_timer idle, whole;
	size_t limit;
	uint8_t *in; /* what has come of the next questions */
	size_t in_len;
	uint8_t *out; /* what has not left of the answer */
	size_t out_len, out_from;
	void *state;
};

struct asksock {
	struct ev_loop *loop;
	const struct asksock_rules *rules;
	void *ctx;
	int fd;
	struct acceptor accept;
	TAILQ_HEAD(, asker) clients;
	unsigned nclients;
	uint64_t counts[ASKSOCK_COUNTS];
};

static size_t
in_cap(const struct asksock *s)
{
	return s->rules->question_max +
	    (s->rules->framing == ASKSOCK_LINES ? 1 : PREFIX);
}

static void
asker_free(struct asker *k)
{
	struct asksock *s = k->s;

	ev_io_stop(s->loop, &k->rd);
	ev_io_stop(s->loop, &k->wr);
	ev_timer_stop(s->loop, &k->idle);
	ev_timer_stop(s->loop, &k->whole);
	(void)close(k->fd);
	TAILQ_REMOVE(&s->clients, k, entry);
	s->nclients--;
	explicit_bzero(k->state, s->rules->state_size);
	free(k->state);
	free(k->in);
	free(k->out);
	free(k);
}

bool
asker_put(struct asker *k, const void *data, size_t n)
{
	const struct asksock_rules *r = k->s->rules;
	size_t waiting = k->out_len - k->out_from, head = 0, need;
	uint8_t *buf;

	if (r->framing == ASKSOCK_PREFIXED)
		head = PREFIX;
	need = waiting + n + (head != 0 ? head : 1);
	if (n > r->waiting_max || need > r->waiting_max) {
		k->s->counts[ASKSOCK_TOO_MUCH]++;
		return false;
	}
	if (k->out_from > 0) {
		memmove(k->out, k->out + k->out_from, waiting);
		k->out_from = 0;
		k->out_len = waiting;
	}
	if ((buf = realloc(k->out, need)) == NULL)
		return false;
	k->out = buf;
	if (head != 0)
		put_u32(buf + waiting, (uint32_t)n);
	else
		buf[need - 1] = '\n';
	memcpy(buf + waiting + head, data, n);
	k->out_len = need;
	return true;
}

void
asker_end(struct asker *k)
{
	k->ending = true;
}

void
asker_known(struct asker *k)
{
	k->known = true;
}

void
asker_limit(struct asker *k, size_t question_max)
{
	k->limit = MIN_OF(question_max, k->s->rules->question_max);
}

void *
asker_state(struct asker *k)
{
	return k->state;
}

/* ---- one client ---- */

enum step { GO_ON, WAIT_WRITE, WAIT_READ, CLOSE };

/* It moved: its time begins again. */
static void
touch(struct asker *k)
{
	if (k->s->rules->idle_s > 0)
		ev_timer_again(k->s->loop, &k->idle);
}

static enum step
write_out(struct asker *k)
{
	ssize_t n;

	while (k->out_from < k->out_len) {
		n = send(k->fd, k->out + k->out_from, k->out_len - k->out_from,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? WAIT_WRITE : CLOSE;
		k->out_from += (size_t)n;
		touch(k);
	}
	free(k->out);
	k->out = NULL;
	k->out_from = k->out_len = 0;
	return GO_ON;
}

static enum step
too_long(struct asker *k)
{
	k->s->counts[ASKSOCK_TOO_LONG]++;
	return CLOSE;
}

/* Where the next whole question is, and how much is gone with it. */
static enum step
find_question(struct asker *k, const uint8_t **q, size_t *len, size_t *used)
{
	const uint8_t *nl;

	if (k->s->rules->framing == ASKSOCK_LINES) {
		nl = k->in_len == 0 ? NULL : memchr(k->in, '\n', k->in_len);
		if (nl == NULL)
			return k->in_len > k->limit ? too_long(k) : WAIT_READ;
		*q = k->in;
		*len = (size_t)(nl - k->in);
		*used = *len + 1;
	} else {
		if (k->in_len < PREFIX)
			return WAIT_READ;
		*q = k->in + PREFIX;
		*len = get_u32(k->in);
		*used = PREFIX + *len;
	}
	if (*len > k->limit)
		return too_long(k);
	return k->in_len < *used ? WAIT_READ : GO_ON;
}

static enum step
take_question(struct asker *k)
{
	struct asksock *s = k->s;
	const uint8_t *q = NULL;
	size_t len = 0, used = 0;
	enum step next = find_question(k, &q, &len, &used);

	if (next != GO_ON)
		return next;
	s->counts[ASKSOCK_QUESTIONS]++;
	if (!s->rules->question(s->ctx, k, q, len)) {
		s->counts[ASKSOCK_BROKEN_OFF]++;
		return CLOSE;
	}
	k->in_len -= used;
	memmove(k->in, k->in + used, k->in_len);
	return GO_ON;
}

/* The answer's next piece, when it has one. */
static enum step
take_more(struct asker *k)
{
	struct asksock *s = k->s;

	if (s->rules->more == NULL || s->rules->more(s->ctx, k))
		return GO_ON;
	s->counts[ASKSOCK_BROKEN_OFF]++;
	return CLOSE;
}

/* All that can be done now: an answer leaves before the next question. */
static void
serve(struct asker *k)
{
	struct ev_loop *loop = k->s->loop;
	enum step next;

	do {
		if ((next = write_out(k)) != GO_ON)
			break;
		if (k->ending)
			next = CLOSE;
		else if ((next = take_more(k)) == GO_ON && k->out_len == 0)
			next = take_question(k);
	} while (next == GO_ON);
	switch (next) {
	case WAIT_WRITE:
		ev_io_stop(loop, &k->rd);
		ev_io_start(loop, &k->wr);
		break;
	case WAIT_READ:
		ev_io_stop(loop, &k->wr);
		ev_io_start(loop, &k->rd);
		break;
	default:
		asker_free(k);
	}
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int revents)
{
	struct asker *k = w->data;
	ssize_t n = recv(k->fd, k->in + k->in_len,
	    in_cap(k->s) - k->in_len, MSG_DONTWAIT);

	(void)loop;
	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		asker_free(k);
		return;
	}
	k->in_len += (size_t)n;
	touch(k);
	serve(k);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	serve(w->data);
}

static void
on_slow(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct asker *k = w->data;

	(void)loop;
	(void)revents;
	k->s->counts[ASKSOCK_TOO_SLOW]++;
	asker_free(k);
}

void
asker_go(struct asker *k)
{
	serve(k);
}

void
asksock_each(struct asksock *s, void (*fn)(void *, struct asker *), void *ctx)
{
	struct asker *k, *next;

	for (k = TAILQ_FIRST(&s->clients); k != NULL; k = next) {
		next = TAILQ_NEXT(k, entry);
		fn(ctx, k);
	}
}

/* ---- who comes ---- */

/* Whom nobody can tell apart, nobody can share among. */
static bool
has_share(const struct asksock *s, uid_t uid)
{
	const struct asker *k;
	unsigned same = 0;

	if (s->rules->user_max == 0 || uid == 0 || uid == (uid_t)-1)
		return false;
	TAILQ_FOREACH(k, &s->clients, entry)
		same += k->uid == uid;
	return same >= s->rules->user_max;
}

/* Of a user who has his share one of his own goes; false: nobody does. */
static bool
make_place(struct asksock *s, uid_t uid)
{
	bool share = has_share(s, uid);
	struct asker *k;

	if (!share && s->nclients < s->rules->clients_max)
		return true;
	TAILQ_FOREACH(k, &s->clients, entry)
		if (!k->known && (!share || k->uid == uid))
			break;
	if (k == NULL || !s->rules->makes_room)
		return false;
	s->counts[ASKSOCK_PUT_OUT]++;
	asker_free(k);
	return true;
}

static struct asker *
asker_new(struct asksock *s, int fd, uid_t uid)
{
	const struct asksock_rules *r = s->rules;
	struct asker *k;

	if ((k = calloc(1, sizeof(*k))) == NULL)
		return NULL;
	k->in = malloc(in_cap(s));
	k->state = calloc(1, r->state_size > 0 ? r->state_size : 1);
	if (k->in == NULL || k->state == NULL) {
		free(k->in);
		free(k->state);
		free(k);
		return NULL;
	}
	k->s = s;
	k->fd = fd;
	k->uid = uid;
	k->limit = r->question_max;
	ev_io_init(&k->rd, on_readable, fd, EV_READ);
	ev_io_init(&k->wr, on_writable, fd, EV_WRITE);
	ev_timer_init(&k->idle, on_slow, 0, r->idle_s);
	ev_timer_init(&k->whole, on_slow, r->whole_s, 0);
	k->rd.data = k->wr.data = k->idle.data = k->whole.data = k;
	TAILQ_INSERT_TAIL(&s->clients, k, entry);
	s->nclients++;
	return k;
}

static void
on_accept(void *ctx, int fd, const struct sockaddr_storage *peer)
{
	struct asksock *s = ctx;
	struct asker *k;
	uid_t uid;
	pid_t pid;

	(void)peer;
	acceptor_who(fd, &uid, &pid);
	if (s->rules->may != NULL && !s->rules->may(s->ctx, uid)) {
		/* the first time only: the rest is in the count */
		if (s->counts[ASKSOCK_NOT_ALLOWED]++ == 0)
			log_warnx(s->rules->name, "refused: uid %ld pid %ld",
			    (long)(int)uid, (long)pid);
		(void)close(fd);
		return;
	}
	if (!make_place(s, uid) || (k = asker_new(s, fd, uid)) == NULL) {
		s->counts[ASKSOCK_NO_PLACE]++;
		(void)close(fd);
		return;
	}
	touch(k);
	if (s->rules->whole_s > 0)
		ev_timer_start(s->loop, &k->whole);
	if (s->rules->opened != NULL && !s->rules->opened(s->ctx, k)) {
		s->counts[ASKSOCK_BROKEN_OFF]++;
		asker_free(k);
		return;
	}
	serve(k);
}

struct asksock *
asksock_new(struct ev_loop *loop, int fd, const struct asksock_rules *rules,
    void *ctx)
{
	struct asksock *s;

	if ((s = calloc(1, sizeof(*s))) == NULL) {
		(void)close(fd);
		return NULL;
	}
	s->loop = loop;
	s->rules = rules;
	s->ctx = ctx;
	s->fd = fd;
	TAILQ_INIT(&s->clients);
	acceptor_start(&s->accept, loop, fd, on_accept, s);
	return s;
}

void
asksock_free(struct asksock *s)
{
	struct asker *k;

	if (s == NULL)
		return;
	while ((k = TAILQ_FIRST(&s->clients)) != NULL)
		asker_free(k);
	acceptor_stop(&s->accept);
	(void)close(s->fd);
	free(s);
}

const char *
asksock_count_name(enum asksock_count n)
{
	static const char *const names[] = {"questions", "not_allowed",
	    "no_place", "put_out", "too_long", "too_much", "too_slow",
	    "broken_off", "pauses"};

	_Static_assert(NELEM(names) == ASKSOCK_COUNTS, "a name for each");
	return names[n];
}

uint64_t
asksock_count(const struct asksock *s, enum asksock_count n)
{
	return n == ASKSOCK_PAUSES ? s->accept.refused : s->counts[n];
}
