/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-watchdog: lines of klp.md 10 in and out, by rules or by a model on
 * this machine. It has no file, no network and no key; to the one server that
 * node.yaml names its parent connects for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "audit/watchdog_hound.h"
#include "audit/watchdog_http.h"
#include "audit/watchdog_model.h"
#include "common/clock.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/util.h"
#include "config.h"

#define CONF_BYTES (64u * 1024)
#define MEMORY (128ul << 20)
#define WAIT_MS 1000   /* at most, in the loop */
#define ASK_AGAIN_S 5  /* after a server that does not answer */
#define FD_LOW 3

struct dog_program {
	struct hound hound;
	struct model model;
	bool has_model;
	char url[DOG_HTTP_URL];
	long timeout_ms;
	int asks; /* to the parent: a connection; -1 */
	char line[HOUND_LINE];
	size_t have;
	bool skip;
	/* the question that is out */
	enum { IDLE, ASKED, CONNECTING, POSTING, POSTED } state;
	int server;
	char *question, head[DOG_HTTP_URL + 256];
	size_t nhead, sent;
	char answer[DOG_HTTP_HEAD + MODEL_ANSWER];
	size_t nanswer;
	struct mono not_before;
	struct mono asked_at;
};

/* ---- what it says ---- */

static void
say(void *ctx, const char *line, size_t n)
{
	struct iovec iov[2] = {{(void *)(uintptr_t)line, n},
	    {(void *)(uintptr_t)"\n", 1}};

	(void)ctx;
	if (writev(STDOUT_FILENO, iov, 2) != (ssize_t)n + 1)
		exit(0); /* nobody listens */
}

/* ---- the model server ---- */

/* Over, one way or another; the next one later where it was no good. */
static void
over(struct dog_program *d, bool good, const char *why)
{
	if (d->server >= 0)
		(void)close(d->server);
	d->server = -1;
	free(d->question);
	d->question = NULL;
	d->state = IDLE;
	if (good)
		return;
	log_warnx("watchdog.model", "%s: tried again in %d s", why,
	    ASK_AGAIN_S);
	d->not_before = mono_add(clock_mono(), ASK_AGAIN_S * MONO_SECOND);
}

/* The head, then the body, as far as they are taken. */
static void
post(struct dog_program *d)
{
	size_t body = strlen(d->question), all = d->nhead + body;
	struct iovec iov[2] = {{d->head, d->nhead}, {d->question, body}};
	ssize_t n;

	if (d->sent < d->nhead) {
		iov[0].iov_base = d->head + d->sent;
		iov[0].iov_len = d->nhead - d->sent;
	} else {
		iov[0].iov_len = 0;
		iov[1].iov_base = d->question + (d->sent - d->nhead);
		iov[1].iov_len = all - d->sent;
	}
	n = writev(d->server, iov, 2);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		over(d, false, strerror(errno));
		return;
	}
	if (n > 0)
		d->sent += (size_t)n;
	if (d->sent == all)
		d->state = POSTED;
}

static void
begin(struct dog_program *d)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(d->server, SOL_SOCKET, SO_ERROR, &error, &n) < 0 ||
	    error != 0) {
		over(d, false, strerror(error));
		return;
	}
	d->nanswer = d->sent = 0;
	d->nhead = dog_http_head(d->head, sizeof(d->head), d->url,
	    strlen(d->question));
	d->state = POSTING;
	post(d);
}

static void
answered(struct dog_program *d)
{
	ssize_t n = read(d->server, d->answer + d->nanswer,
	    sizeof(d->answer) - d->nanswer);
	const char *body;
	unsigned code = 0;
	size_t len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	d->nanswer += n > 0 ? (size_t)n : 0;
	switch (dog_http_read(d->answer, d->nanswer, n <= 0, MODEL_ANSWER,
	    &code, &body, &len)) {
	case DOG_HTTP_MORE:
		if (d->nanswer == sizeof(d->answer))
			over(d, false, "an answer without end");
		return;
	case DOG_HTTP_WHOLE:
		if (code == 200)
			model_answer(&d->model, &d->hound, body, len);
		over(d, code == 200, "the server refuses");
		return;
	case DOG_HTTP_BAD:
		over(d, false, "an answer that is none");
		return;
	}
}

/* Its answer to our byte: a connection, or none. */
static void
given(struct dog_program *d)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c)};
	ssize_t n = recvmsg(d->asks, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *h = n < 0 ? NULL : CMSG_FIRSTHDR(&m);

	if (n == 0)
		exit(0);
	if (n < 0 || d->state != ASKED)
		return;
	if (h == NULL || h->cmsg_level != SOL_SOCKET ||
	    h->cmsg_type != SCM_RIGHTS || h->cmsg_len < CMSG_LEN(sizeof(int))) {
		over(d, false, "nobody listens there");
		return;
	}
	memcpy(&d->server, CMSG_DATA(h), sizeof(int));
	d->state = CONNECTING;
}

static void
ask(struct dog_program *d)
{
	if (d->state != IDLE ||
	    !mono_reached(clock_mono(), d->not_before) ||
	    (d->question = model_question(&d->model)) == NULL)
		return;
	d->asked_at = clock_mono();
	d->state = ASKED;
	if (write(d->asks, "", 1) != 1)
		over(d, false, "the daemon does not hear");
}

/* ---- what it hears ---- */

static void
heard(struct dog_program *d, const char *line, size_t n)
{
	json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	struct mono now = clock_mono();

	hound_hears(&d->hound, o, now);
	if (d->has_model)
		model_hears(&d->model, o, now);
	json_decref(o);
}

static void
hear(struct dog_program *d)
{
	ssize_t n = read(STDIN_FILENO, d->line + d->have,
	    sizeof(d->line) - d->have);
	char *nl;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		exit(0);
	d->have += (size_t)n;
	while ((nl = memchr(d->line, '\n', d->have)) != NULL) {
		size_t used = (size_t)(nl - d->line) + 1;

		if (!d->skip)
			heard(d, d->line, used - 1);
		d->skip = false;
		d->have -= used;
		memmove(d->line, d->line + used, d->have);
	}
	if (d->have == sizeof(d->line)) {
		d->skip = true;
		d->have = 0;
	}
}

/* The server has its time; what is done by then counts. */
static void
turn(struct dog_program *d, short revents)
{
	if (d->state == CONNECTING && revents != 0)
		begin(d);
	else if (d->state == POSTING && revents != 0)
		post(d);
	else if (d->state == POSTED && revents != 0)
		answered(d);
	if (d->state != IDLE && mono_sub(clock_mono(), d->asked_at) / 1000 >
	    d->timeout_ms)
		over(d, false, "no answer in its time");
	ask(d);
}

static void
loop(struct dog_program *d)
{
	for (;;) {
		struct pollfd p[3] = {{STDIN_FILENO, POLLIN, 0},
		    {d->asks, POLLIN, 0}, {d->server,
			d->state == POSTED ? POLLIN : POLLOUT, 0}};

		if (poll(p, 3, WAIT_MS) < 0 && errno != EINTR)
			return;
		if (p[0].revents != 0)
			hear(d);
		if (d->asks >= 0 && p[1].revents != 0)
			given(d);
		if (d->has_model)
			turn(d, p[2].revents);
	}
}

/* ---- start ---- */

static void
words(int argc, char **argv, uint32_t *base, int *conf, int *asks)
{
	for (int i = 1; i < argc; i++) {
		const char *eq = strchr(argv[i], '=');
		unsigned long v = eq == NULL ? 0 : strtoul(eq + 1, NULL, 10);

		if (strncmp(argv[i], "base=", 5) == 0)
			*base = (uint32_t)v;
		else if (strncmp(argv[i], "conf=", 5) == 0)
			*conf = (int)v;
		else if (strncmp(argv[i], "asks=", 5) == 0)
			*asks = (int)v;
		else if (strncmp(argv[i], "level=", 6) == 0)
			log_set_level((int)v);
		else if (strcmp(argv[i], "journal=1") == 0)
			log_set_journal(true);
	}
}

/* All that it could do and does not need, for good. */
static void
confine(uint32_t base, int conf, int asks)
{
	const int keep[2] = {conf, asks};
	int abi;

	if (priv_fds(keep, asks < 0 ? 1 : 2) < 0 || priv_session(32) < 0)
		fatal("descriptors");
	if (base != 0 && (priv_namespaces(true) < 0 || priv_root(-1) < 0))
		fatal("namespaces");
	if (priv_ids(base == 0 ? 0 : base + WATCHDOG_UID) < 0 ||
	    priv_landlock(NULL, 0, false, &abi) < 0)
		fatal("rights");
#ifndef WARREN_SANITIZED
	{
		struct rlimit memory = {MEMORY, MEMORY};

		if (setrlimit(RLIMIT_AS, &memory) < 0)
			fatal("memory limit");
	}
#endif
	if (priv_filter_watchdog() < 0)
		fatal("system-call filter");
}

static json_t *
conf_of(int fd)
{
	size_t len = 0;
	const uint8_t *map = memfd_map(fd, &len, CONF_BYTES);
	json_t *o = map == NULL ? NULL : json_loadb((const char *)map, len, 0,
	    NULL);

	memfd_unmap(map, len);
	(void)close(fd);
	return o;
}

static bool
open_model(struct dog_program *d, const json_t *conf)
{
	const char *url = json_string_value(json_object_get(conf, "url"));

	if (conf == NULL)
		return true;
	if (d->asks < 0 || url == NULL || strlen(url) >= sizeof(d->url) ||
	    !model_init(&d->model, conf))
		return false;
	memcpy(d->url, url, strlen(url) + 1);
	d->timeout_ms = (long)json_integer_value(json_object_get(conf,
	    "timeout_ms"));
	d->has_model = dog_http_head(d->head, sizeof(d->head), url,
	    1u << 20) > 0;
	return d->has_model;
}

int
main(int argc, char *argv[])
{
	static struct dog_program d;
	uint32_t base = 0;
	int conf = -1;
	json_t *o;

	d.asks = d.server = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	words(argc, argv, &base, &conf, &d.asks);
	if (conf < FD_LOW) {
		(void)fprintf(stderr, "warren-watchdog is started by warrend\n");
		return 2;
	}
	/* these want random bytes and files, so before there are none */
	if (sodium_init() < 0)
		return 1;
	json_object_seed(randombytes_random());
	confine(base, conf, d.asks);
	o = conf_of(conf);
	if (!hound_init(&d.hound, o, say, NULL) ||
	    !open_model(&d, json_object_get(o, "model")))
		fatalx("rules that do not read");
	json_decref(o);
	say(NULL, "{\"t\":\"alive\"}", 13);
	loop(&d);
	return 1;
}
