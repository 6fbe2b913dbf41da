/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/envoy.h"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/libc.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/program.h"
#include "sandbox/base/caps.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/slot.h"

#define PLACE_TEXT (2 * ENVOY_PATH + DOCKER_NODE + 3)
/* ours: those of jobs, and as many again that are being taken away */
#define ERRANDS(slots) (4u * (slots) + 4u)
#define AGAIN_MS 1000 /* ours: until one that fell is started again */

/*
 * A number of its own, and one right: over the modes of files, for the daemon's
 * socket and a group's cgroup.procs, which count what may be done by who opened
 * them. Landlock leaves it two folders to open anything in.
 */
static void
confine(const struct envoy_setup *s)
{
	uint32_t id = s->base + ENVOY_UID;
	struct priv_dir dirs[2] = {
	    {open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), PRIV_WRITE},
	    {s->jobs, PRIV_WRITE}};
	int abi;

	/* the sockets that it makes are for slots, in a folder of root's */
	if (dirs[0].fd < 0 || priv_session(256) < 0)
		fatal("docker: session");
	(void)umask(0);
	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    setresuid(id, id, id) < 0 || caps_keep(1ull << CAP_DAC_OVERRIDE) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		fatal("docker: giving up root");
	if (priv_landlock(dirs, s->jobs < 0 ? 1 : 2, false, &abi) < 0)
		fatal("docker: Landlock");
	if (abi == 0)
		log_info("docker", "this kernel has no Landlock");
	(void)close(dirs[0].fd);
	if (priv_filter_envoy() < 0)
		fatal("docker: system-call filter");
}

static unsigned
reaped(int signals)
{
	struct signalfd_siginfo si;
	unsigned n = 0;

	(void)!read(signals, &si, sizeof(si));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		n++;
	return n;
}

static void
refuse(int reply, const char *why)
{
	struct envoy_answer a = {.ok = false};
	uint8_t buf[ENVOY_ANSWER_MAX];

	(void)snprintf(a.why, sizeof(a.why), "%s", why);
	(void)slot_send(reply, buf, envoy_answer_write(buf, &a), NULL, 0);
}

/* Only who is in that slot can have made this socket pair. */
static bool
of_slot(const struct envoy *k, int reply, uint32_t slot)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(reply, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    who.uid == k->setup.base + JAIL_SLOT_UID + slot;
}

/* What is waiting; false: nobody is left that could ask. */
static bool
serve(const struct envoy *k, int ask, bool last, int signals,
    unsigned *errands)
{
	uint8_t buf[ENVOY_ASK + 1];
	struct envoy_ask a;
	int fds[SLOT_FDS_MAX];
	ssize_t n = slot_recv(ask, buf, sizeof(buf), fds);
	pid_t pid;

	/* an empty word, which anybody can send, is no end */
	if (n <= 0 && last)
		return false;
	if (n <= 0 || fds[0] < 0 || !envoy_ask_read(&a, buf, (size_t)n,
	    k->setup.slots) || !of_slot(k, fds[0], a.slot)) {
		log_warnx("docker", "a question that no job of ours has");
	} else if (*errands >= ERRANDS(k->setup.slots)) {
		refuse(fds[0], "the daemon has too many containers of ours that "
		    "it does not take away");
	} else if ((pid = fork()) == 0) {
		(void)close(ask);
		(void)close(signals);
		envoy_errand(k, &a, fds[0]);
	} else if (pid < 0) {
		refuse(fds[0], "fork");
	} else {
		++*errands;
	}
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
	return true;
}

static __attribute__((noreturn)) void
keep(const struct envoy *k, int ask)
{
	struct pollfd p[2] = {{.fd = ask, .events = POLLIN}, {.events = POLLIN}};
	unsigned errands = 0;
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	p[1].fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p[1].fd < 0)
		fatal("docker: signalfd");
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents != 0)
			errands -= reaped(p[1].fd);
		if (p[0].revents != 0 && !serve(k, ask,
		    (p[0].revents & POLLHUP) != 0, p[1].fd, &errands))
			_exit(0); /* errands see it, and do not take long */
	}
}

/*
 * A worker that falls is followed by another, which is asked at the same socket:
 * else no job would start until jail's next start, and nobody would know. Its
 * errands go on, as children of ours.
 */
static void
watch_over(const struct envoy *k, int ask)
{
	for (;;) {
		pid_t worker = fork(), pid;
		int status = 0;

		if (worker == 0)
			keep(k, ask);
		while (worker > 0 && (pid = waitpid(-1, &status, 0)) != worker)
			if (pid < 0 && errno != EINTR)
				break;
		if (worker > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			_exit(0);
		log_errx("docker", "who asks its daemon has ended%s: starting "
		    "it anew", WIFSIGNALED(status) ? " by a signal" : "");
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

int
envoy_start(const struct envoy_setup *s)
{
	static struct envoy k;
	char text[PLACE_TEXT + 1];
	ssize_t n = pread(s->place, text, sizeof(text), 0);
	int sv[2], kept[3];
	pid_t pid;

	k.setup = *s;
	if (n < 0 || !envoy_place_read(&k.place, text, (size_t)n))
		fatalx("docker: where its daemon is");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    (pid = fork()) < 0)
		fatal("docker");
	if (pid > 0) {
		(void)close(sv[1]);
		return sv[0];
	}
	(void)prctl(PR_SET_NAME, "warren-envoy", 0, 0, 0);
	kept[0] = sv[1];
	kept[1] = s->inner;
	kept[2] = s->jobs;
	if (chdir(k.place.meet) < 0)
		fatal("%s", k.place.meet);
	if (priv_fds(kept, 3) < 0)
		fatal("docker: descriptors");
	k.keeper = getpid();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		fatal("docker");
	confine(s);
	watch_over(&k, sv[1]);
	_exit(1);
}
