/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/puller.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/lookup.h"
#include "common/numbers.h"
#include "common/program.h"
#include "common/util.h"
#include "node/cli/house.h"

#define LOOK_UPS 4
#define HIGH_FD 10

struct looking {
	pid_t pid; /* 0: free */
	int fd;
	uint32_t seq;
	int64_t until_us;
};

struct run {
	const struct puller *of;
	struct ipc *ch;
	pid_t pid;
	bool root;
	struct looking look[LOOK_UPS];
	struct msg_PULL_END *end;
	bool ended, stopped;
};

/* ---- names ---- */

static void
look_up_end(struct looking *l)
{
	(void)kill(l->pid, SIGKILL);
	(void)waitpid(l->pid, NULL, 0);
	close_fd(&l->fd);
	l->pid = 0;
}

static void
refuse(struct run *r, uint32_t seq, const char *why)
{
	struct msg_LOOKED_UP m = {.seq = seq};

	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	(void)ipc_send_LOOKED_UP(r->ch, &m, NULL, 0);
}

static void
look_up(struct run *r, const struct msg_LOOK_UP *m)
{
	struct looking *l = r->look;

	while (l < r->look + LOOK_UPS && l->pid != 0)
		l++;
	if (l == r->look + LOOK_UPS) {
		refuse(r, m->seq, "too many names are looked up at once");
		return;
	}
	l->pid = lookup_start(m->host, r->root ? WARREN_UID_BASE + LOOKUP_UID :
	    0, &l->fd);
	if (l->pid < 0) {
		l->pid = 0;
		refuse(r, m->seq, strerror(errno));
		return;
	}
	l->seq = m->seq;
	l->until_us = clock_mono().us + LOOKUP_SECONDS * 1000000ll;
}

static void
look_up_answer(struct run *r, struct looking *l)
{
	struct msg_LOOKED_UP m = {.seq = l->seq};
	struct lookup_answer a;
	const char *why = lookup_read(l->fd, &a);

	if (why == NULL && a.count == 0)
		return; /* not yet */
	for (unsigned i = 0; why == NULL && i < a.count; i++) {
		uint8_t *at = m.addrs + m.addrs_len;

		at[0] = a.list[i].family;
		memcpy(at + 1, a.list[i].addr, sizeof(a.list[i].addr));
		m.addrs_len = (uint16_t)(m.addrs_len + IPC_ADDR);
	}
	look_up_end(l);
	(void)snprintf(m.why, sizeof(m.why), "%s", why == NULL ? "" : why);
	(void)ipc_send_LOOKED_UP(r->ch, &m, NULL, 0);
}

/* ---- what egress says ---- */

static void
give_file(struct run *r, const struct msg_PULL_WANT *m)
{
	struct msg_PULL_FILE f = {.digest = m->digest};
	_cleanup_fd_ int fd = r->of->file(r->of->ctx, m);

	if (fd < 0 || ipc_send_PULL_FILE(r->ch, &f, &fd, 1) < 0)
		r->stopped = true;
}

/* false: it does not fit, which nobody of the house sends. */
static bool
heard(struct run *r, struct ipc_in *in)
{
	struct msg_LOOK_UP look;
	struct msg_PULL_WANT want;
	struct msg_PULL_AT at;

	switch (in->type) {
	case IPC_LOOK_UP:
		if (!msg_get_LOOK_UP(in->body, &look))
			return false;
		look_up(r, &look);
		return true;
	case IPC_PULL_WANT:
		if (!msg_get_PULL_WANT(in->body, &want))
			return false;
		give_file(r, &want);
		return true;
	case IPC_PULL_AT:
		if (!msg_get_PULL_AT(in->body, &at))
			return false;
		r->stopped = r->stopped || !r->of->at(r->of->ctx, &at);
		return true;
	case IPC_PULL_END:
		r->ended = true;
		return msg_get_PULL_END(in->body, r->end);
	default:
		return true; /* HELLO, READY, GOT, ... */
	}
}

static int
hear(struct run *r)
{
	struct ipc_in in;
	int n = 0;

	while (!r->ended && !r->stopped && (n = ipc_recv(r->ch, &in)) == 1) {
		bool fits = heard(r, &in);

		ipc_in_done(&in);
		if (!fits)
			return -1;
	}
	return n < 0 ? -1 : ipc_flush(r->ch);
}

static int
attend(struct run *r)
{
	while (!r->ended && !r->stopped) {
		struct pollfd p[1 + LOOK_UPS] = {{ipc_fd(r->ch), POLLIN, 0}};
		int64_t now = clock_mono().us;

		if (ipc_pending(r->ch))
			p[0].events |= POLLOUT;
		for (unsigned i = 0; i < LOOK_UPS; i++)
			p[i + 1] = (struct pollfd){r->look[i].pid > 0 ?
			    r->look[i].fd : -1, POLLIN, 0};
		if (poll(p, NELEM(p), 1000) < 0 && errno != EINTR)
			return -1;
		if (p[0].revents != 0 && hear(r) < 0)
			return -1;
		for (unsigned i = 0; i < LOOK_UPS; i++) {
			struct looking *l = &r->look[i];

			if (l->pid > 0 && p[i + 1].revents != 0) {
				look_up_answer(r, l);
			} else if (l->pid > 0 && now > l->until_us) {
				look_up_end(l);
				refuse(r, l->seq, "no answer in 10 s");
			}
		}
	}
	return 0;
}

/* ---- its life ---- */

static void
become_egress(int exe, int channel, const struct run *r)
{
	char name[] = "warren-egress", level[16], base[32], *env[] = {NULL};
	char *argv[] = {name, level, r->root ? base : NULL, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)snprintf(level, sizeof(level), "level=%d", LOG_WARN);
	(void)snprintf(base, sizeof(base), "base=%u", WARREN_UID_BASE);
	channel = fcntl(channel, F_DUPFD, HIGH_FD);
	exe = fcntl(exe, F_DUPFD_CLOEXEC, HIGH_FD);
	if (dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(channel, PROGRAM_CHANNEL) < 0 || chdir("/") < 0)
		_exit(1);
	(void)fexecve(exe, argv, env);
	_exit(127);
}

static int
send_text(struct run *r, enum setting what, const char *text)
{
	struct msg_SETTING m = {.what = (uint8_t)what};
	/* none: an empty memfd is no setting */
	_cleanup_fd_ int fd = memfd_sealed("setting", text[0] == '\0' ? "\n" :
	    text, text[0] == '\0' ? 1 : strlen(text));

	return fd < 0 ? -1 : ipc_send_SETTING(r->ch, &m, &fd, 1);
}

static int
begin(struct run *r)
{
	struct msg_PARAMS p;
	struct msg_START_DONE done = {.end_ = 0};
	int secret = r->of->secret;

	memset(&p, 0, sizeof(p));
	p.loglevel = LOG_WARN;
	p.root = r->root;
	if (ipc_send_PARAMS(r->ch, &p, NULL, 0) < 0 ||
	    send_text(r, SET_WEB_HOSTS, r->of->hosts) < 0 ||
	    send_text(r, SET_WEB_CA, r->of->ca) < 0 ||
	    ipc_send_START_DONE(r->ch, &done, NULL, 0) < 0 ||
	    ipc_send_PULL(r->ch, &r->of->ask, secret >= 0 ? &secret : NULL,
		secret >= 0) < 0)
		return -1;
	return 0;
}

static int
spawn(struct run *r)
{
	_cleanup_fd_ int exe = house_sealed("warren-egress");
	int sv[2];

	if (exe < 0 || ipc_pair(sv) < 0)
		return -1;
	r->pid = fork();
	if (r->pid == 0)
		become_egress(exe, sv[1], r);
	(void)close(sv[1]);
	r->ch = ipc_new(sv[0], PROGRAM_PARENT, PROGRAM_EGRESS);
	return r->pid < 0 || r->ch == NULL ? -1 : 0;
}

int
puller_run(const struct puller *of, struct msg_PULL_END *end, char *why,
    size_t cap)
{
	struct run r = {.of = of, .end = end,
	    .root = numbers_usable(WARREN_UID_BASE)};
	int rv = spawn(&r);

	if (rv < 0)
		(void)snprintf(why, cap, "warren-egress: %s", strerror(errno));
	else if ((rv = begin(&r)) < 0 || (rv = attend(&r)) < 0)
		(void)snprintf(why, cap, "warren-egress has ended early (its "
		    "last words are above)");
	for (unsigned i = 0; i < LOOK_UPS; i++)
		if (r.look[i].pid > 0)
			look_up_end(&r.look[i]);
	ipc_free(r.ch); /* its end is egress's */
	if (r.pid > 0) {
		(void)kill(r.pid, SIGKILL); /* it holds nothing to be kept */
		(void)waitpid(r.pid, NULL, 0);
	}
	return rv < 0 ? -1 : r.stopped ? 1 : 0;
}
