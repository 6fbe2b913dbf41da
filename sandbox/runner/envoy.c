/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/envoy.h"

#include <sys/mman.h>
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
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/libc.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/program.h"
#include "common/util.h"
#include "sandbox/base/caps.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/slot.h"
#include "sandbox/runner/errand.h"

#define PLACE_TEXT (2 * ENVOY_PATH + DOCKER_NODE + 3)
/*
 * Ours. A slot has some at once, a job's and those that are being taken away, and
 * more of what all slots share: a container of which nothing was heard is waited
 * for, and one slot may start several jobs meanwhile.
 */
#define ERRANDS_OWN 4u
#define ERRANDS_SHARED 12u
#define ERRANDS (ERRANDS_OWN + ERRANDS_SHARED)
#define AGAIN_MS 1000 /* ours: until one that fell is started again */

/*
 * Jail's word, in memory that it shares with this one alone: no line that could
 * be full, and there for each that follows one that has fallen. A slot's job is
 * written before anything of the job is there that could ask.
 */
struct told {
	bool begun; /* a job has: nobody is tried for any more */
	bool over;  /* the node ends in order */
	struct id32 job[JAIL_SLOTS_MAX];
	atomic_uint turn[JAIL_SLOTS_MAX]; /* another at each begin and end */
};
static struct told *told;

/* Who forks errands. */
struct worker {
	const struct envoy *k;
	struct pollfd p[JAIL_SLOTS_MAX + 1]; /* slots' lines, then of children */
};

/* In memory that its keeper shares: they go on behind one that falls. 0: none */
static pid_t (*errands)[ERRANDS];
#define ERRANDS_SIZE (JAIL_SLOTS_MAX * ERRANDS * sizeof(pid_t))

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
	if (dirs[0].fd < 0 || priv_session(JAIL_SLOTS_MAX + 64) < 0)
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

static void
forget(pid_t pid)
{
	for (size_t i = 0; i < JAIL_SLOTS_MAX; i++)
		for (size_t k = 0; k < ERRANDS; k++)
			if (errands[i][k] == pid)
				errands[i][k] = 0;
}

static void
reap(int signals)
{
	struct signalfd_siginfo si;
	pid_t pid;

	(void)!read(signals, &si, sizeof(si));
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		forget(pid);
}

static void
refuse(int reply, const char *why)
{
	struct envoy_answer a = {.ok = false};
	uint8_t buf[ENVOY_ANSWER_MAX];

	(void)snprintf(a.why, sizeof(a.why), "%s", why);
	(void)slot_send_now(reply, buf, envoy_answer_write(buf, &a), NULL, 0);
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

static unsigned
used(const pid_t of[ERRANDS])
{
	unsigned n = 0;

	for (size_t i = 0; i < ERRANDS; i++)
		n += of[i] != 0;
	return n;
}

/* Where another one of this slot is remembered; NULL: it has its share. */
static pid_t *
place_for(uint32_t slot)
{
	pid_t *of = errands[slot - 1];
	unsigned shared = 0;

	for (size_t i = 0; i < JAIL_SLOTS_MAX; i++) {
		unsigned n = used(errands[i]);

		shared += n > ERRANDS_OWN ? n - ERRANDS_OWN : 0;
	}
	if (used(of) >= ERRANDS_OWN && shared >= ERRANDS_SHARED)
		return NULL;
	while (*of != 0)
		of++;
	return of;
}

static void
send_out(struct worker *w, const struct errand_of *o, int reply)
{
	pid_t *place = place_for(o->slot), pid;

	if (o->ask.trial && told->begun) {
		refuse(reply, "it was made ready before");
	} else if (place == NULL) {
		refuse(reply, "the daemon has too many containers of this slot "
		    "that it does not take away");
	} else if ((pid = fork()) == 0) {
		*place = getpid(); /* who forks may fall before it writes */
		for (size_t i = 0; i < NELEM(w->p); i++)
			close_fd(&w->p[i].fd);
		errand(w->k, o, reply);
	} else if (pid < 0) {
		refuse(reply, "fork");
	} else {
		*place = pid;
	}
}

/* What a slot says; false: no job says that, and it is heard no more. */
static bool
serve(struct worker *w, uint32_t slot)
{
	uint8_t buf[ENVOY_ASK + 1];
	struct errand_of o = {.slot = slot, .turn = &told->turn[slot - 1],
	    .was = atomic_load(&told->turn[slot - 1]),
	    .job = told->job[slot - 1]};
	int fds[SLOT_FDS_MAX];
	ssize_t n = slot_recv(w->p[slot - 1].fd, buf, sizeof(buf), fds);
	bool ok;

	/* a second descriptor could be its own end of that pair */
	ok = n > 0 && fds[0] >= 0 && fds[1] < 0 && envoy_ask_read(&o.ask, buf, (size_t)n) &&
	    of_slot(w->k, fds[0], slot);
	if (ok)
		send_out(w, &o, fds[0]);
	else if (n > 0)
		log_warnx("docker", "slot %u asks what no job does", slot);
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
	return ok;
}

static __attribute__((noreturn)) void
keep(const struct envoy *k, const int lines[])
{
	static struct worker w;
	const uint32_t n = k->setup.slots;
	struct pollfd *children = &w.p[n];
	uint32_t left = n;
	sigset_t child;

	w.k = k;
	for (uint32_t i = 0; i < NELEM(w.p); i++)
		w.p[i] = (struct pollfd){.fd = i < n ? lines[i] : -1,
		    .events = POLLIN};
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	children->fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (children->fd < 0)
		fatal("docker: signalfd");
	while (left > 0) {
		if (poll(w.p, n + 1, -1) < 0)
			continue;
		if (children->revents != 0)
			reap(children->fd);
		for (uint32_t i = 0; i < n; i++) {
			if (w.p[i].fd < 0 || w.p[i].revents == 0 ||
			    serve(&w, i + 1))
				continue;
			/* whoever holds the other end sees it */
			(void)shutdown(w.p[i].fd, SHUT_RDWR);
			close_fd(&w.p[i].fd);
			left--;
		}
	}
	if (told->over)
		farewell(k);
	_exit(0); /* errands see it, and do not take long */
}

/*
 * A worker that falls is followed by another, which hears the same lines: else
 * no job would start until all slots are made anew. Its errands go on, as
 * children of ours.
 */
static void
watch_over(const struct envoy *k, const int lines[])
{
	for (;;) {
		pid_t worker = fork(), pid;
		int status = 0;

		if (worker == 0)
			keep(k, lines);
		while (worker > 0 && (pid = waitpid(-1, &status, 0)) != worker)
			if (pid > 0)
				forget(pid);
			else if (errno != EINTR)
				break;
		if (worker > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			_exit(0);
		log_errx("docker", "who asks its daemon has ended%s: starting "
		    "it anew", WIFSIGNALED(status) ? " by a signal" : "");
		(void)poll(NULL, 0, AGAIN_MS);
	}
}

static __attribute__((noreturn)) void
be_envoy(struct envoy *k, int lines[])
{
	const struct envoy_setup *s = &k->setup;
	int kept[JAIL_SLOTS_MAX + 2];

	_Static_assert(NELEM(kept) <= PRIV_FDS_MAX, "priv_fds() has room");
	(void)prctl(PR_SET_NAME, "warren-envoy", 0, 0, 0);
	memcpy(kept, lines, s->slots * sizeof(*kept));
	kept[s->slots] = s->inner;
	kept[s->slots + 1] = s->jobs;
	if (chdir(k->place.meet) < 0)
		fatal("%s", k->place.meet);
	if (priv_fds(kept, s->slots + 2) < 0)
		fatal("docker: descriptors");
	k->keeper = getpid();
	errands = mmap(NULL, ERRANDS_SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (errands == MAP_FAILED)
		fatal("docker");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ||
	    mprotect(told, sizeof(*told), PROT_READ) < 0)
		fatal("docker");
	confine(s);
	watch_over(k, lines);
	_exit(1);
}

void
envoy_start(const struct envoy_setup *s, int lines[])
{
	static struct envoy k;
	int theirs[JAIL_SLOTS_MAX];
	char text[PLACE_TEXT + 1];
	ssize_t n = pread(s->place, text, sizeof(text), 0);
	pid_t pid;

	k.setup = *s;
	if (n < 0 || !envoy_place_read(&k.place, text, (size_t)n))
		fatalx("docker: where its daemon is");
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		fatal("docker");
	for (uint32_t i = 0; i < s->slots; i++) {
		int sv[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    sv) < 0)
			fatal("docker");
		lines[i] = sv[0];
		theirs[i] = sv[1];
	}
	if ((pid = fork()) < 0)
		fatal("docker");
	if (pid == 0)
		be_envoy(&k, theirs);
	for (uint32_t i = 0; i < s->slots; i++)
		(void)close(theirs[i]);
	/* a slot has no word in it */
	if (madvise(told, sizeof(*told), MADV_DONTFORK) < 0)
		fatal("docker");
}

void
envoy_begins(uint32_t slot, const struct id32 *job)
{
	told->begun = true;
	told->job[slot - 1] = *job;
	(void)atomic_fetch_add(&told->turn[slot - 1], 1);
}

void
envoy_ends(uint32_t slot)
{
	(void)atomic_fetch_add(&told->turn[slot - 1], 1);
}

void
envoy_over(void)
{
	told->over = true;
}
