/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/verifier.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/priv.h"
#include "common/util.h"
#include "node/parent/groups.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"
#include "trust/doc/attest.h"

#define NICE 10
/* Why it is not executed: what is on the pipe that closes when it is. */
#define NOT_CONFINED 'c'
#define NOT_STARTED 's'

struct verifier {
	struct parent *parent;
	uint32_t seq;
	pid_t pid;
	int fd; /* the end of its output that is read; -1: it has closed it */
	int failed; /* NOT_CONFINED, NOT_STARTED; nothing: it was executed */
	ev_io said;
	ev_timer late;
	ev_child exited;
	bool silent; /* nobody is told */
	bool long_;  /* it said more */
	char text[VERIFIER_MAX];
	size_t len;
	/* trust waits for one answer alone: this is asked when it has ended */
	struct msg_V_VERIFY next;
	int next_fd; /* the signature; -1: nothing is */
};

static void verify(struct parent *, const struct msg_V_VERIFY *, int fd);

/* ---- what comes of it ---- */

static void
answer(struct parent *p, uint32_t seq, enum verify_end end, const char *why,
    const char *text, size_t len)
{
	struct child *t = &p->child[PROGRAM_TRUST];
	struct msg_V_VERIFIED m = {.seq = seq, .end = (uint8_t)end,
	    .len = (uint32_t)len};
	_cleanup_fd_ int fd = end == VERIFY_SAID ? memfd_sealed("verified",
	    text, len) : -1;

	if (end == VERIFY_SAID && fd < 0) {
		m.end = VERIFY_FAILED;
		why = "no memory";
	}
	(void)snprintf(m.why, sizeof(m.why), "%s", why);
	if (t->ev != NULL && ipc_send_V_VERIFIED(ipc_ev_channel(t->ev), &m,
		fd >= 0 ? &fd : NULL, fd >= 0) < 0)
		log_debug("trust", "V_VERIFIED");
}

static void
over(struct verifier *v)
{
	struct parent *p = v->parent;

	p->verifier = NULL;
	ev_io_stop(p->loop, &v->said);
	ev_timer_stop(p->loop, &v->late);
	ev_child_stop(p->loop, &v->exited);
	close_fd(&v->fd);
	close_fd(&v->failed);
	if (v->next_fd >= 0)
		verify(p, &v->next, v->next_fd);
	close_fd(&v->next_fd);
	free(v);
}

static void
read_some(struct verifier *v)
{
	char rest[256], *at = v->text + v->len;
	size_t room = sizeof(v->text) - v->len;
	ssize_t n = read(v->fd, room > 0 ? at : rest, room > 0 ? room :
	    sizeof(rest));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ev_io_stop(v->parent->loop, &v->said);
		close_fd(&v->fd);
	} else if (room == 0) {
		v->long_ = true;
		(void)kill(v->pid, SIGKILL);
	} else {
		v->len += (size_t)n;
	}
}

static void
on_said(struct ev_loop *loop, ev_io *w, int revents)
{
	(void)loop;
	(void)revents;
	read_some(w->data);
}

/* It is the first of its pid namespace: what it has started goes with it. */
static void
on_late(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct verifier *v = w->data;

	(void)loop;
	(void)revents;
	(void)kill(v->pid, SIGKILL);
}

static void
on_exited(struct ev_loop *loop, ev_child *w, int revents)
{
	struct verifier *v = w->data;
	enum verify_end end = VERIFY_FAILED;
	char why[120] = "", failed = '\0';

	(void)revents;
	ev_child_stop(loop, w);
	for (unsigned i = 0; i < VERIFIER_MAX && v->fd >= 0 && !v->long_; i++) {
		size_t before = v->len;

		read_some(v);
		if (v->len == before)
			break;
	}
	(void)!read(v->failed, &failed, 1);
	if (v->long_) {
		end = VERIFY_NO;
		(void)snprintf(why, sizeof(why), "it says more than %d bytes",
		    VERIFIER_MAX);
	} else if (!ev_is_active(&v->late)) {
		end = VERIFY_SLOW;
		(void)snprintf(why, sizeof(why), "it runs for more than %d s",
		    (int)VERIFIER_S);
	} else if (WIFSIGNALED(w->rstatus)) {
		(void)snprintf(why, sizeof(why), "ended by signal %d",
		    WTERMSIG(w->rstatus));
	} else if (failed == NOT_CONFINED) {
		(void)snprintf(why, sizeof(why), "it cannot be kept from the "
		    "network and the files of this node here");
	} else if (failed == NOT_STARTED) {
		(void)snprintf(why, sizeof(why), "it cannot be started");
	} else if (WEXITSTATUS(w->rstatus) != 0) {
		end = VERIFY_NO;
		(void)snprintf(why, sizeof(why), "says no: status %d",
		    WEXITSTATUS(w->rstatus));
	} else {
		end = VERIFY_SAID;
	}
	if (!v->silent)
		answer(v->parent, v->seq, end, why, v->text, v->len);
	over(v);
}

/* ---- its rights ---- */

/* An empty folder in its place, for this one alone. */
static int
hide(const char *path)
{
	return mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    "size=4096,nr_inodes=1,mode=0555");
}

/* In namespaces of its own, and with all rights over them still. */
static int
narrow_files(const struct parent *p)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY |
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
	struct mount_attr null = {.attr_clr = MOUNT_ATTR_NODEV};
	char link[40], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", p->dir);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 1)
		return -1;
	path[n] = '\0';
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    hide(path) < 0 || hide("/proc") < 0)
		return -1;
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr,
		sizeof(attr)) < 0)
		return -1;
	/* one device is let, by a mount of its own; without it, it goes too */
	if (mount("/dev/null", "/dev/null", NULL, MS_BIND, NULL) == 0)
		(void)mount_setattr(AT_FDCWD, "/dev/null", 0, &null,
		    sizeof(null));
	return 0;
}

/* A mount that is read-only lets pipes with a name be written to. */
static int
narrow_names(void)
{
	struct priv_dir may[] = {{-1, PRIV_EXECUTE}, {-1, PRIV_WRITE_FILE}};
	int abi;

	may[0].fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	may[1].fd = open("/dev/null", O_PATH | O_CLOEXEC);
	return may[0].fd < 0 || may[1].fd < 0 ? -1 :
	    priv_landlock(may, NELEM(may), false, &abi);
}

static int
narrow(const struct parent *p)
{
	return narrow_files(p) < 0 || priv_session(VERIFIER_FILES) < 0 ||
		narrow_names() < 0 ||
		priv_limit(RLIMIT_AS, VERIFIER_MEMORY) < 0 ||
		priv_limit(RLIMIT_CPU, (uint64_t)VERIFIER_S) < 0 ||
		priv_limit(RLIMIT_FSIZE, VERIFIER_MAX) < 0 ||
		/* of a number of its own alone: a person's are all counted */
		(p->root && priv_limit(RLIMIT_NPROC,
		VERIFIER_PROCESSES) < 0) ||
		priv_ids(p->root ? p->base + VERIFIER_UID : 0) < 0 ||
		priv_filter_verifier() < 0 ? -1 : 0;
}

static _Noreturn void
fail(int to, char what)
{
	(void)!write(to, &what, 1);
	_exit(EXIT_FAILURE);
}

static void
run(const struct parent *p, const char *path, int in, int out, int failed)
{
	char *argv[] = {(char *)(uintptr_t)path, NULL};
	char *envp[] = {(char *)(uintptr_t)"PATH=/usr/bin:/bin",
	    (char *)(uintptr_t)"HOME=/", (char *)(uintptr_t)"LC_ALL=C", NULL};
	const int keep[] = {p->dir, failed};
	sigset_t none;
	int null;

	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)groups_join(&p->groups, GROUP_HOUSE);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	rank_before_relay(RANK_JOB);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    (null = open("/dev/null", O_WRONLY)) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || chdir("/") < 0 ||
	    lseek(STDIN_FILENO, 0, SEEK_SET) < 0 ||
	    priv_fds(keep, NELEM(keep)) < 0 || narrow(p) < 0)
		fail(failed, NOT_CONFINED);
	(void)close(p->dir);
	/* after the ids changed, which clears it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)execve(path, argv, envp);
	fail(failed, NOT_STARTED);
}

static int
start(struct verifier *v, const char *path, int in)
{
	int flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS |
	    CLONE_NEWUTS | (v->parent->root ? 0 : CLONE_NEWUSER) | SIGCHLD;
	int out[2], failed[2];

	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	v->fd = out[0];
	if (pipe2(failed, O_CLOEXEC | O_NONBLOCK) < 0) {
		(void)close(out[1]);
		return -1;
	}
	v->failed = failed[0];
	/* a fork, but for its namespaces */
	if (fcntl(out[1], F_SETFL, 0) == 0 &&
	    (v->pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL,
		NULL)) == 0)
		run(v->parent, path, in, out[1], failed[1]);
	(void)close(out[1]);
	(void)close(failed[1]);
	return v->pid > 0 ? 0 : -1;
}

/* ---- asked ---- */

/* Trust may be anybody's: what is not sealed could change, and wait. */
static bool
is_sealed(int fd)
{
	size_t n = 0;
	const uint8_t *p = memfd_map(fd, &n, ATTEST_TEXT_MAX);

	memfd_unmap(p, n);
	return p != NULL;
}

static void
begin(struct parent *p, uint32_t seq, const char *path, int in)
{
	struct verifier *v = calloc(1, sizeof(*v));

	if (v == NULL) {
		answer(p, seq, VERIFY_FAILED, "no memory", NULL, 0);
		return;
	}
	*v = (struct verifier){.parent = p, .seq = seq, .fd = -1,
	    .failed = -1, .next_fd = -1};
	p->verifier = v;
	ev_init(&v->said, on_said);
	ev_init(&v->exited, on_exited);
	ev_timer_init(&v->late, on_late, VERIFIER_S, 0.);
	v->said.data = v->exited.data = v->late.data = v;
	if (start(v, path, in) < 0) {
		answer(p, seq, VERIFY_FAILED, "it cannot be kept from the "
		    "network here", NULL, 0);
		over(v);
		return;
	}
	ev_io_set(&v->said, v->fd, EV_READ);
	ev_io_start(p->loop, &v->said);
	ev_child_set(&v->exited, v->pid, 0);
	ev_child_start(p->loop, &v->exited);
	ev_timer_start(p->loop, &v->late);
}

static void
verify(struct parent *p, const struct msg_V_VERIFY *m, int in)
{
	const char *path = p->node->attest.serial == m->serial ?
	    attest_conf_verifier(&p->node->attest, m->index) : NULL;

	if (path == NULL || in < 0)
		answer(p, m->seq, VERIFY_FAILED, "node.yaml has changed", NULL,
		    0);
	else if (!is_sealed(in))
		answer(p, m->seq, VERIFY_FAILED, "the signature is not sealed",
		    NULL, 0);
	else if (p->stopping)
		answer(p, m->seq, VERIFY_FAILED, "the node stops", NULL, 0);
	else
		begin(p, m->seq, path, in);
}

/* Its end is told to nobody; the next one begins when it is reaped. */
static void
give_up(struct verifier *v)
{
	v->silent = true;
	close_fd(&v->next_fd);
	(void)kill(v->pid, SIGKILL);
}

void
verifier_ask(struct child *t, const struct msg_V_VERIFY *m, int fd)
{
	_cleanup_fd_ int in = fd;
	struct verifier *v = t->parent->verifier;

	if (v == NULL) {
		verify(t->parent, m, in);
		return;
	}
	/* trust looks anew, and has forgotten what it asked before */
	give_up(v);
	v->next = *m;
	v->next_fd = in;
	in = -1;
}

void
verifier_clear(struct parent *p)
{
	if (p->verifier != NULL)
		give_up(p->verifier);
}
