/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/slot.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/base/caps.h"
#include "common/cleanup.h"
#include "sandbox/jail/init.h"
#include "common/ipc_msg.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"
#include "common/priv.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"
#include "common/util.h"

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
#define SCHED_CORE_CREATE 1
#define HOSTNAME "burrow"
#define TRIAL_MS 10000
/*
 * A job goes before anything of the house, and before its slot's process, also
 * in a group so small that this one is half of it.
 */
#define OOM_SLOT "200"
#define OOM_JOB "700"

/* a mount is attached once: packing can be asked again by another node */
enum { TREE_JOB, TREE_FILL, TREE_PACK, TREES = TREE_PACK + 4 };

struct slot {
	const struct slot_setup *s;
	int ctl;
	struct init_env env;
	bool have_plan;
	struct plan plan;
	int args, filter, group;
	int oom; /* our own oom_score_adj, which a child inherits */
	int trees[TREES][PLAN_VOLUMES_ALL];
	bool staged[PLAN_VOLUMES_ALL];
};

int
slot_send(int ctl, const void *p, size_t n, const int *fds, unsigned nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * SLOT_FDS_MAX)];
	} u;
	struct iovec iov = {(void *)(uintptr_t)p, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > 0) {
		struct cmsghdr *c;

		memset(&u, 0, sizeof(u));
		m.msg_control = u.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * nfds);
	}
	return sendmsg(ctl, &m, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

ssize_t
slot_recv(int ctl, void *p, size_t cap, int fds[SLOT_FDS_MAX])
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * SLOT_FDS_MAX)];
	} u;
	struct iovec iov = {p, cap};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = u.bytes, .msg_controllen = sizeof(u.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	for (int i = 0; i < SLOT_FDS_MAX; i++)
		fds[i] = -1;
	while ((n = recvmsg(ctl, &m, MSG_CMSG_CLOEXEC)) < 0 &&
	    errno == EINTR)
		;
	if (n < 0)
		return -1;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		size_t k = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_RIGHTS && k <= SLOT_FDS_MAX)
			memcpy(fds, CMSG_DATA(c), k * sizeof(int));
	}
	return n;
}

static void
answer(struct slot *sl, enum slot_answer a, const char *text, int fd)
{
	uint8_t buf[257];
	size_t n = strnlen(text, sizeof(buf) - 1);

	buf[0] = (uint8_t)a;
	memcpy(buf + 1, text, n);
	if (slot_send(sl->ctl, buf, n + 1, &fd, fd < 0 ? 0 : 1) < 0)
		_exit(1);
}

/* ---- setting up ---- */

/* The next job's namespaces, made while nobody waits for them. */
static int
fresh_namespaces(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return -1;
	return sethostname(HOSTNAME, strlen(HOSTNAME));
}

static int
enter_user_ns(struct slot *sl, int sync)
{
	const struct slot_setup *s = sl->s;
	uint32_t uid = s->base + JAIL_UID;
	gid_t node = (gid_t)(s->base + JAIL_NODE_UID);
	char c = 'U';

	for (unsigned i = 0; i < s->nv1; i++) {
		_cleanup_fd_ int fd = openat(s->v1[i], "cgroup.procs",
		    O_WRONLY | O_CLOEXEC);

		if (fd < 0 || write(fd, "0", 1) != 1)
			return -1;
	}
	/* else our own files in /proc are root's; set_up() ends it */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	sl->oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (sl->oom >= 0)
		(void)!write(sl->oom, OOM_SLOT, strlen(OOM_SLOT));
	/* a core is not shared with another job, where the machine knows how */
	(void)prctl(PR_SCHED_CORE, SCHED_CORE_CREATE, 0, 0, 0);
	if (s->root) {
		if (setgroups(1, &node) < 0 ||
		    setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0 ||
		    unshare(CLONE_NEWUSER) < 0)
			return -1;
		if (write(sync, &c, 1) != 1 || read(sync, &c, 1) != 1)
			return -1;
	} else {
		/* asked before: inside, no id is mapped yet */
		gid_t gid = getegid();

		uid = geteuid();
		if (unshare(CLONE_NEWUSER) < 0 ||
		    userns_map(getpid(), uid, gid, true) < 0)
			return -1;
	}
	return 0;
}

static int
set_up(struct slot *sl, int sync, const char **what)
{
	const struct slot_setup *s = sl->s;

	*what = "user namespace";
	if (enter_user_ns(sl, sync) < 0)
		return -1;
	*what = "mount namespace";
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	if (!s->root && base_build(s->dirs, false, what) < 0)
		return -1;
	*what = "limits of the namespace";
	/* rootless /proc/sys may be read-only; the filter refuses as well */
	if (limits_namespace() < 0 && s->root)
		return -1;
	*what = "namespaces";
	if (fresh_namespaces() < 0)
		return -1;
	*what = "rights";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    no_new_privs() < 0)
		return -1;
	/* here once, and not at each start */
	caps_drop_bounding(1ull << CAP_DAC_READ_SEARCH);
	*what = "filter";
	return filter_load(s->never);
}

/* ---- work ---- */

/* Its parent is jail, so that jail reaps it and its end is jail's. */
static pid_t
clone_child(struct slot *sl, int group, int *pidfd)
{
	struct clone_args a = {
		.flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_PARENT |
		    CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
	};
	int saved;
	pid_t pid;

	if (group >= 0) {
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (uint64_t)group;
	}
	sl->env.grouped = group >= 0;
	if (sl->oom >= 0)
		(void)!pwrite(sl->oom, OOM_JOB, strlen(OOM_JOB), 0);
	pid = sys_clone3(&a);
	if (pid == 0)
		return 0;
	saved = errno;
	if (sl->oom >= 0)
		(void)!pwrite(sl->oom, OOM_SLOT, strlen(OOM_SLOT), 0);
	errno = saved;
	return pid;
}

static void
started(struct slot *sl, pid_t pid, int pidfd)
{
	char why[128];

	if (pid < 0) {
		(void)snprintf(why, sizeof(why), "clone: %s", strerror(errno));
		answer(sl, SLOT_FAILED, why, -1);
		return;
	}
	answer(sl, SLOT_CHILD, "", pidfd);
	(void)close(pidfd);
}

static void
take_plan(struct slot *sl, const uint8_t *p, size_t n, int fds[3])
{
	const char *what = "plan";
	char why[128];

	if (sl->have_plan || fds[0] < 0 || fds[1] < 0 ||
	    !plan_decode(rd_make(p, n), &sl->plan)) {
		answer(sl, SLOT_FAILED, "plan", -1);
		return;
	}
	sl->have_plan = true;
	sl->args = fds[0];
	sl->filter = fds[1];
	sl->group = fds[2];
	fds[0] = fds[1] = fds[2] = -1;
	for (uint32_t i = 0; i < sl->plan.nvolumes; i++) {
		uint8_t kind = sl->plan.volumes[i].kind;
		int t[TREES];

		if (kind != PLAN_VOL_RW && kind != PLAN_VOL_PROFILE_RW)
			continue;
		if (tmpfs_make(t, TREES, sl->plan.output, PLAN_RW_INODES,
		    &what) < 0) {
			(void)snprintf(why, sizeof(why), "%s: %s", what,
			    strerror(errno));
			sl->have_plan = false;
			answer(sl, SLOT_FAILED, why, -1);
			return;
		}
		for (int k = 0; k < TREES; k++)
			sl->trees[k][i] = t[k];
	}
}

static void
do_go(struct slot *sl, const int fds[3])
{
	struct init_job j = {.plan = sl->plan, .args = sl->args,
	    .filter = sl->filter, .report = fds[0], .out = fds[1],
	    .err = fds[2], .trees = sl->trees[TREE_JOB]};
	int pidfd = -1;
	pid_t pid;

	if (!sl->have_plan || fds[2] < 0) {
		answer(sl, SLOT_FAILED, "no plan", -1);
		return;
	}
	pid = clone_child(sl, sl->group, &pidfd);
	if (pid == 0) {
		/* who holds a group beside the job's could leave the job's */
		(void)close(sl->ctl);
		if (sl->s->step_group >= 0)
			(void)close(sl->s->step_group);
		init_job(&sl->env, &j);
	}
	started(sl, pid, pidfd);
}

static void
do_try(struct slot *sl, const int fds[3])
{
	struct init_trial t = {.hand = sl->s->hand, .report = fds[0]};
	char why[32];
	int pidfd = -1;
	pid_t pid = clone_child(sl, sl->s->step_group, &pidfd);

	if (pid == 0) {
		(void)close(sl->ctl);
		init_trial(&sl->env, &t);
	}
	(void)snprintf(why, sizeof(why), "%d clone", errno);
	if (pid < 0)
		answer(sl, SLOT_FAILED, why, -1);
	else
		started(sl, pid, pidfd);
}

/* What nobody asks for any more is no more charged to the job. */
static void
drop_trees(struct slot *sl)
{
	for (uint32_t i = 0; i < PLAN_VOLUMES_ALL; i++)
		for (int k = 0; k < TREES; k++)
			close_fd(&sl->trees[k][i]);
}

static void
do_step(struct slot *sl, int step, unsigned v, const int fds[3])
{
	struct init_step st = {.step = step, .volume = (int)v, .tree = -1,
	    .profile = -1, .hand = sl->s->hand, .report = fds[0],
	    .in = fds[1], .out = fds[2], .pack_all = step == STEP_PACK};
	int pidfd = -1, tree = TREE_PACK;
	uint8_t kind;
	pid_t pid;

	if (!sl->have_plan || fds[2] < 0 || v >= sl->plan.nvolumes) {
		answer(sl, SLOT_FAILED, "no such volume", -1);
		return;
	}
	kind = sl->plan.volumes[v].kind;
	st.bytes = MAX_OF(sl->plan.volumes[v].size, sl->plan.output);
	if (step == STEP_PACK)
		while (tree < TREES - 1 && sl->trees[tree][v] < 0)
			tree++;
	else
		tree = TREE_FILL;
	if (kind != PLAN_VOL_RO)
		st.tree = sl->trees[tree][v];
	if (kind == PLAN_VOL_PROFILE_RW)
		st.profile = sl->plan.volumes[v].index;
	if (kind == PLAN_VOL_RO && step == STEP_FILL)
		sl->staged[v] = true;
	if (kind == PLAN_VOL_PROFILE ||
	    (kind == PLAN_VOL_RO) == (st.tree >= 0) ||
	    (step == STEP_CLEAN && !sl->staged[v])) {
		answer(sl, SLOT_FAILED, "no such step", -1);
		return;
	}
	if (step == STEP_CLEAN)
		drop_trees(sl);
	/* only what fills a volume is the job's to pay */
	pid = clone_child(sl, step == STEP_FILL ? sl->group :
	    sl->s->step_group, &pidfd);
	if (pid == 0) {
		(void)close(sl->ctl);
		init_step(&sl->env, &st);
	}
	/* a mount is attached once */
	if (st.tree >= 0)
		close_fd(&sl->trees[tree][v]);
	started(sl, pid, pidfd);
}

static bool
folder_empty(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *de;
	bool empty = true;

	if (d == NULL)
		return false;
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			empty = false;
	(void)closedir(d);
	return empty;
}

static void
forget(struct slot *sl)
{
	char path[STAGE_PATH_MAX];
	const char *why = "";

	drop_trees(sl);
	for (uint32_t i = 0; i < PLAN_VOLUMES_ALL; i++) {
		if (!sl->staged[i])
			continue;
		stage_path(path, sl->s->number, i);
		if (rmdir(path) < 0 && errno != ENOENT)
			why = "a volume is left";
		else
			sl->staged[i] = false;
	}
	(void)snprintf(path, sizeof(path), "/stage/%u", sl->s->number);
	if (why[0] == '\0' && !folder_empty(path))
		why = "the staging folder is not empty";
	close_fd(&sl->args);
	close_fd(&sl->filter);
	close_fd(&sl->group);
	sl->have_plan = false;
	answer(sl, SLOT_FREE, why, -1);
	/* off the hot path: whatever the job left in them goes with them */
	if (fresh_namespaces() < 0)
		_exit(1);
}

static void
serve(struct slot *sl)
{
	uint8_t buf[SLOT_MSG_MAX];
	int fds[SLOT_FDS_MAX];
	ssize_t n;

	for (;;) {
		n = slot_recv(sl->ctl, buf, sizeof(buf), fds);
		if (n < 3)
			_exit(0);
		switch (buf[0]) {
		case SLOT_PLAN:
			take_plan(sl, buf + 3, (size_t)n - 3, fds);
			break;
		case SLOT_STEP:
			do_step(sl, buf[1], buf[2], fds);
			break;
		case SLOT_GO:
			do_go(sl, fds);
			break;
		case SLOT_FORGET:
			forget(sl);
			break;
		case SLOT_TRY:
			do_try(sl, fds);
			break;
		default:
			_exit(1);
		}
		for (int i = 0; i < SLOT_FDS_MAX; i++)
			close_fd(&fds[i]);
	}
}

static void
slot_main(const struct slot_setup *s, int ctl)
{
	static struct slot sl;
	const char *what = "slot";
	int keep[4] = {ctl, s->hand, -1, s->step_group};
	char why[200];

	sl.s = s;
	sl.ctl = ctl;
	sl.args = sl.filter = sl.group = -1;
	for (int k = 0; k < TREES; k++)
		for (int i = 0; i < PLAN_VOLUMES_ALL; i++)
			sl.trees[k][i] = -1;
	sl.env = (struct init_env){.slot = s->number, .root = s->root,
	    .landlock_abi = landlock_abi(), .job_filter = s->job,
	    .seal_filter = s->seal,
	    .file_max = s->file_max, .slots = s->slots,
	    .no_memory_group = !s->memory_group};
	if (set_up(&sl, ctl, &what) < 0) {
		(void)snprintf(why, sizeof(why), "%d %s", errno, what);
		answer(&sl, SLOT_FAILED, why, -1);
		_exit(1);
	}
	/*
	 * Not the sockets of the slots before this one, the channel to the
	 * parent, the control groups or the folders of the host: pid 1 of a
	 * job is a copy of us while it reads what node sent.
	 */
	keep[2] = sl.oom;
	if (priv_fds(keep, NELEM(keep)) < 0)
		_exit(1);
	answer(&sl, SLOT_FREE, "", -1);
	serve(&sl);
	_exit(0);
}

/* "NUMBER WHAT" of a slot that failed: errno is the number; what is in out. */
static const char *
slot_why(const uint8_t *text, size_t n, char out[257])
{
	char *end;

	memcpy(out, text, n);
	out[n] = '\0';
	errno = (int)strtol(out, &end, 10);
	return *end == ' ' ? end + 1 : out;
}

/* The trial's word, and its end. */
static int
trial_result(int report, int pidfd, const char **what)
{
	static struct report r;
	uint8_t buf[REPORT_MAX];
	struct pollfd p = {.fd = report, .events = POLLIN};
	siginfo_t si;
	ssize_t n = -1;

	if (poll(&p, 1, TRIAL_MS) == 1)
		n = read(report, buf, sizeof(buf));
	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	(void)waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED);
	*what = "trial";
	errno = n < 0 ? ETIMEDOUT : EIO;
	if (n <= 0 || report_parse(buf, (size_t)n, &r) == 0)
		return -1;
	if (r.kind == REPORT_HAND && r.ok)
		return 0;
	*what = r.why;
	errno = (int)strtol(r.code, NULL, 10);
	return -1;
}

int
slot_try(int ctl, const char **what)
{
	static const uint8_t msg[3] = {SLOT_TRY};
	static char why[257];
	uint8_t buf[257];
	int p[2], fds[SLOT_FDS_MAX], rv;
	ssize_t n;

	*what = "pipe";
	if (pipe2(p, O_CLOEXEC) < 0)
		return -1;
	*what = "control socket";
	rv = slot_send(ctl, msg, sizeof(msg), p + 1, 1);
	(void)close(p[1]);
	n = rv < 0 ? -1 : slot_recv(ctl, buf, sizeof(buf) - 1, fds);
	if (n < 1) {
		(void)close(p[0]);
		return -1;
	}
	if (buf[0] == SLOT_CHILD && fds[0] >= 0) {
		rv = trial_result(p[0], fds[0], what);
	} else {
		*what = slot_why(buf + 1, (size_t)n - 1, why);
		rv = -1;
	}
	n = errno;
	for (int i = 0; i < SLOT_FDS_MAX; i++)
		close_fd(&fds[i]);
	(void)close(p[0]);
	errno = (int)n;
	return rv;
}

pid_t
slot_start(const struct slot_setup *s, int *ctl, const char **what)
{
	static char why[257];
	uint8_t buf[257];
	int sv[2], fds[SLOT_FDS_MAX];
	ssize_t n;
	pid_t pid;

	*what = "socketpair";
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -1;
	*what = "fork";
	pid = fork();
	if (pid == 0) {
		(void)close(sv[0]);
		slot_main(s, sv[1]);
		_exit(1);
	}
	(void)close(sv[1]);
	if (pid < 0) {
		(void)close(sv[0]);
		return -1;
	}
	*what = "ended";
	n = slot_recv(sv[0], buf, sizeof(buf) - 1, fds);
	if (n == 1 && buf[0] == 'U') {
		uint32_t id = s->base + JAIL_SLOT_UID + s->number;

		*what = "maps";
		if (userns_map(pid, id, id, false) < 0) {
			(void)close(sv[0]);
			return -1;
		}
		(void)slot_send(sv[0], "M", 1, NULL, 0);
		n = slot_recv(sv[0], buf, sizeof(buf) - 1, fds);
	}
	if (n < 1 || buf[0] != SLOT_FREE) {
		(void)close(sv[0]);
		if (n < 1)
			errno = EIO;
		else
			*what = slot_why(buf + 1, (size_t)n - 1, why);
		return -1;
	}
	*ctl = sv[0];
	return pid;
}
