/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/slot.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sandbox/base/caps.h"
#include "common/cleanup.h"
#include "sandbox/base/group.h"
#include "sandbox/base/idmap.h"
#include "sandbox/jail/birth.h"
#include "sandbox/jail/clocks.h"
#include "sandbox/jail/init.h"
#include "sandbox/jail/kind.h"
#include "sandbox/jail/member.h"
#include "sandbox/jail/sysv.h"
#include "common/ipc_msg.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"
#include "common/priv.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tree.h"
#include "sandbox/base/upper.h"
#include "sandbox/base/userns.h"
#include "common/util.h"

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
#define SCHED_CORE_CREATE 1
#define HOSTNAME "burrow"

/* a mount is attached once: packing can be asked again by another node */
enum { TREE_JOB, TREE_FILL, TREE_PACK, TREES = TREE_PACK + 4 };

struct slot {
	const struct slot_setup *s;
	int ctl;
	struct init_env env;
	bool have_plan;
	struct plan plan;
	int args, filter, group;
	struct estate estate;
	int trees[TREES][PLAN_VOLUMES_ALL];
	bool staged[PLAN_VOLUMES_ALL];
	bool upper; /* what a writable root is written to */
	struct sysv_home home; /* jail's, or the operator's */
	int told;              /* what jobs say of their pid namespace */
	struct member member;
	enum member_how how;   /* the present job's */
	uint32_t layers;       /* LAYERS_INHERITED that it has */
};

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

/*
 * Into groups of our own, beside the job's. What is opened of the job's as root
 * lets our children join them later, and us see when they are empty.
 */
static int
enter_groups(struct slot *sl)
{
	const struct slot_setup *s = sl->s;
	struct estate *e = &sl->estate;

	for (unsigned i = 0; i < s->nv1; i++) {
		_cleanup_fd_ int fd = openat(s->own[i], "cgroup.procs",
		    O_WRONLY | O_CLOEXEC);

		e->dirs[i] = s->v1[i];
		e->tasks[i] = openat(s->v1[i], "tasks", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1 || e->tasks[i] < 0)
			return -1;
		if (e->usage < 0)
			e->usage = openat(s->v1[i], "memory.usage_in_bytes",
			    O_RDONLY | O_CLOEXEC);
		if (e->reclaim < 0)
			e->reclaim = openat(s->v1[i], "memory.force_empty",
			    O_WRONLY | O_CLOEXEC);
	}
	if (s->blkio >= 0 && (e->tasks[JOB_TASKS - 1] = openat(s->blkio,
	    "tasks", O_WRONLY | O_CLOEXEC)) < 0)
		return -1;
	return 0;
}

static int
enter_user_ns(struct slot *sl, int sync)
{
	const struct slot_setup *s = sl->s;
	uint32_t uid = s->base + JAIL_UID;
	gid_t node = (gid_t)(s->base + JAIL_NODE_UID);
	char c = 'U';

	if (enter_groups(sl) < 0)
		return -1;
	/* else our own files in /proc are root's; set_up() ends it */
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	/* a core is not shared with another job, where the machine knows how */
	if (prctl(PR_SCHED_CORE, SCHED_CORE_CREATE, 0, 0, 0) == 0)
		sl->layers |= LAYER_CORE;
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

	/* where it cannot be had, what an image brings is nobody's to change */
	*what = "mount namespace";
	if (s->root && unshare(CLONE_NEWNS) < 0)
		return -1;
	if (s->root)
		(void)idmap_images(s->base + JAIL_SLOT_UID,
		    s->base + JAIL_SLOT_UID + s->number);
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
	if (limits_namespace(s->kind->userns) < 0 && s->root)
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
	caps_drop_bounding(1ull << CAP_DAC_READ_SEARCH |
	    1ull << CAP_SYS_PTRACE);
	/* once now, to know; then for each job */
	if (clocks_fresh() == 0)
		sl->layers |= LAYER_TIME;
	*what = "filter";
	return filter_load(s->never);
}

/* ---- work ---- */

static int
carry_out(struct slot *sl, const struct order *o, int *pidfd)
{
	pid_t pid = o->job.member != NULL ? birth_within(o->group, pidfd) :
	    birth(o->group, pidfd);

	if (pid == 0)
		order_run(&sl->estate, &sl->env, o);
	return pid < 0 ? -1 : 0;
}

static void
started_as(struct slot *sl, int rv, int pidfd, const char *how)
{
	char why[128];

	if (rv < 0) {
		(void)snprintf(why, sizeof(why), "clone: %s", strerror(errno));
		answer(sl, SLOT_FAILED, why, -1);
		return;
	}
	answer(sl, SLOT_CHILD, how, pidfd);
	(void)close(pidfd);
}

static void
started(struct slot *sl, int rv, int pidfd)
{
	started_as(sl, rv, pidfd, "");
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
	if ((sl->layers & LAYER_TIME) != 0 && clocks_fresh() < 0) {
		(void)snprintf(why, sizeof(why), "clocks: %s", strerror(errno));
		sl->have_plan = false;
		answer(sl, SLOT_FAILED, why, -1);
		return;
	}
	if (!sl->plan.read_only && upper_make(MAX_OF(sl->plan.memory / 4,
	    65536u), PLAN_RW_INODES, root_labelled()) < 0) {
		(void)snprintf(why, sizeof(why), "root: %s", strerror(errno));
		sl->have_plan = false;
		answer(sl, SLOT_FAILED, why, -1);
		return;
	}
	sl->upper = !sl->plan.read_only;
	sl->how = member_take(&sl->member, &sl->plan, sl->args);
	for (uint32_t i = 0; i < sl->plan.nvolumes; i++) {
		uint8_t kind = sl->plan.volumes[i].kind;
		uint64_t bytes;
		uint32_t inodes;
		int t[TREES];

		if (kind != PLAN_VOL_RW && kind != PLAN_VOL_PROFILE_RW)
			continue;
		plan_volume_room(&sl->plan, i, &bytes, &inodes);
		if (tmpfs_make(t, TREES, bytes, inodes, sl->plan.noexec,
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
do_go(struct slot *sl, const int fds[SLOT_FDS_MAX])
{
	struct order o = {.is_job = true, .charged = true,
	    .group = sl->group,
	    .job = {.plan = sl->plan, .args = sl->args, .filter = sl->filter,
		.report = fds[0], .out = fds[1], .err = fds[2],
		.code = fds[3]}};
	char how[2] = "";
	int pidfd = -1, rv;

	if (!sl->have_plan || fds[2] < 0 ||
	    (sl->plan.runtime == PLAN_WASM) != (fds[3] >= 0)) {
		answer(sl, SLOT_FAILED, "no plan", -1);
		return;
	}
	memcpy(o.trees, sl->trees[TREE_JOB], sizeof(o.trees));
	/* it may have become void while the module was compiled */
	if (sl->how == MEMBER_TAKEN && sl->member.ns < 0)
		sl->how = MEMBER_NONE;
	if (sl->how == MEMBER_TAKEN)
		o.job.member = &sl->member;
	how[0] = (char)sl->how;
	rv = carry_out(sl, &o, &pidfd);
	started_as(sl, rv, pidfd, how);
}

static void
do_try(struct slot *sl, const int fds[3])
{
	struct init_trial t = {.hand = sl->s->hand, .report = fds[0]};
	struct init_env env = sl->env;
	char why[32];
	int pidfd = -1;
	pid_t pid;

	env.grouped = sl->s->step_group >= 0;
	pid = birth(sl->s->step_group, &pidfd);
	if (pid == 0) {
		(void)born(&sl->estate, false);
		sl->s->kind->trial(&env, &t);
	}
	(void)snprintf(why, sizeof(why), "%d clone", errno);
	if (pid < 0)
		answer(sl, SLOT_FAILED, why, -1);
	else
		started(sl, 0, pidfd);
}

/*
 * What nobody asks for any more is no more charged to the job, nor in the way of
 * what is emptied; while nobody waits for its end.
 */
static void
drop_mounts(struct slot *sl)
{
	member_drop(&sl->member, false);
	for (uint32_t i = 0; i < PLAN_VOLUMES_ALL; i++)
		for (int k = 0; k < TREES; k++)
			close_fd(&sl->trees[k][i]);
}

/* As a step that packs: in the slot's own groups, which jail gives room. */
static void
do_compile(struct slot *sl, const int fds[SLOT_FDS_MAX])
{
	struct order o = {.group = sl->s->step_group,
	    .step = {.step = STEP_COMPILE, .volume = -1, .tree = -1,
		.profile = -1, .wasm = sl->plan.wasm, .fuel = sl->plan.fuel,
		.data = wasm_compile_memory(sl->plan.memory),
		.cpu_s = (uint32_t)(wasm_compile_ms(sl->plan.module) / 1000),
		.hand = -1, .report = fds[0], .in = fds[1], .out = fds[2],
		.bytes = WASM_CODE_MAX}};
	int pidfd = -1, rv;

	if (!sl->have_plan || fds[2] < 0 || sl->plan.runtime != PLAN_WASM) {
		answer(sl, SLOT_FAILED, "no module", -1);
		return;
	}
	rv = carry_out(sl, &o, &pidfd);
	started(sl, rv, pidfd);
}

/* Of a job whose processes are not ours to reap. */
static bool
quiet(const struct slot *sl)
{
	return !sl->s->kind->afar ||
	    estate_quiet(&sl->estate, sl->s->nv1, sl->group);
}

static void
do_step(struct slot *sl, int step, unsigned v, uint32_t members,
    const int fds[3])
{
	/* only what fills a volume is the job's to pay */
	struct order o = {.charged = step == STEP_FILL,
	    .group = step == STEP_FILL ? sl->group : sl->s->step_group,
	    .step = {.step = step, .volume = (int)v, .tree = -1, .profile = -1,
		.hand = sl->s->hand, .report = fds[0], .in = fds[1],
		.out = fds[2], .pack_all = step == STEP_PACK}};
	struct init_step *st = &o.step;
	int pidfd = -1, tree = TREE_PACK, rv;
	uint8_t kind;

	if (!sl->have_plan || fds[2] < 0 || v >= sl->plan.nvolumes) {
		answer(sl, SLOT_FAILED, "no such volume", -1);
		return;
	}
	if (step != STEP_FILL && !quiet(sl)) {
		answer(sl, SLOT_FAILED, "a process of the job is left", -1);
		return;
	}
	kind = sl->plan.volumes[v].kind;
	/* a tmpfs has a bound of its own */
	st->members = kind == PLAN_VOL_RO ? members : UINT32_MAX;
	st->content = sl->plan.volumes[v].size;
	st->bytes = MAX_OF(sl->plan.volumes[v].size, sl->plan.output);
	if (step == STEP_PACK)
		while (tree < TREES - 1 && sl->trees[tree][v] < 0)
			tree++;
	else
		tree = TREE_FILL;
	if (kind != PLAN_VOL_RO)
		st->tree = sl->trees[tree][v];
	if (kind == PLAN_VOL_PROFILE_RW)
		st->profile = sl->plan.volumes[v].index;
	if (kind == PLAN_VOL_RO && step == STEP_FILL)
		sl->staged[v] = true;
	if (kind == PLAN_VOL_PROFILE ||
	    (kind == PLAN_VOL_RO) == (st->tree >= 0) ||
	    (step == STEP_CLEAN && !sl->staged[v])) {
		answer(sl, SLOT_FAILED, "no such step", -1);
		return;
	}
	if (step == STEP_CLEAN)
		drop_mounts(sl);
	rv = carry_out(sl, &o, &pidfd);
	/* a mount is attached once */
	if (st->tree >= 0)
		close_fd(&sl->trees[tree][v]);
	started(sl, rv, pidfd);
}

/* The last that came, which is the present job's; -1: none. */
static int
namespace_told(struct slot *sl)
{
	int fds[SLOT_FDS_MAX], last = -1;
	uint8_t c;

	while (slot_recv(sl->told, &c, 1, fds) == 1) {
		close_fd(&last);
		last = steal_fd(&fds[0]);
	}
	return last;
}

static void
do_snap(struct slot *sl, const uint8_t *buf, const int fds[3])
{
	_cleanup_fd_ int ns = namespace_told(sl);
	struct init_snapshot s = {.what = buf[1], .bytes = get_u64(buf + 3),
	    .ns = ns, .hand = sl->s->hand, .report = fds[0], .in = fds[1],
	    .out = fds[2]};
	int pidfd = -1;
	char why[128];
	pid_t pid;

	if (sl->s->kind->afar) {
		answer(sl, SLOT_FAILED, "a container of docker's is not looked "
		    "into", -1);
		return;
	}
	if (ns < 0 || fds[2] < 0) {
		answer(sl, SLOT_FAILED, "no namespace of it is known", -1);
		return;
	}
	/* the next one of this job needs it too */
	(void)slot_send(sl->estate.namespaces, "N", 1, &ns, 1);
	pid = birth_beside(sl->s->step_group, &pidfd);
	if (pid == 0) {
		(void)born(&sl->estate, false);
		init_snapshot(&sl->env, &s);
	}
	(void)snprintf(why, sizeof(why), "clone: %s", strerror(errno));
	if (pid < 0)
		answer(sl, SLOT_FAILED, why, -1);
	else
		started(sl, 0, pidfd);
}

static void
do_warm(struct slot *sl, const int fds[SLOT_FDS_MAX])
{
	struct init_member m;
	int pidfd = -1;
	pid_t pid;

	if (sl->have_plan || fds[0] < 0) {
		answer(sl, SLOT_FAILED, "it has a job", -1);
		return;
	}
	pid = member_begin(&sl->member, sl->s->step_group, &pidfd, &m);
	if (pid == 0) {
		m.report = fds[0];
		/* where it tells is not of what it must not have */
		m.told = dup(m.told);
		(void)born(&sl->estate, false);
		init_member(&sl->env, &m);
	}
	if (pid < 0)
		/* no shape is known: that is no failure, and has no words */
		answer(sl, SLOT_FAILED, errno == 0 ? "" : strerror(errno), -1);
	else
		started(sl, 0, pidfd);
}

/* Nobody hears what its jobs ask for: none would start. */
static bool
unheard(const struct slot *sl)
{
	struct pollfd p = {.fd = sl->s->kind->keep[0], .events = 0};

	return sl->s->kind->slot != NULL && poll(&p, 1, 0) == 1;
}

static void
forget(struct slot *sl)
{
	char path[STAGE_PATH_MAX];
	const char *why = sl->have_plan && !quiet(sl) ?
	    "a process of the job is left" : "";
	int ns = namespace_told(sl);

	close_fd(&ns);
	drop_mounts(sl);
	if (sl->upper && upper_drop() < 0)
		why = "what it wrote to its root is left";
	sl->upper = false;
	/* where it may not, groups_clean() sees what is charged still */
	(void)sysv_drop(&sl->home);
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
	if (why[0] == '\0' && !tree_is_empty(path))
		why = "the staging folder is not empty";
	close_fd(&sl->args);
	close_fd(&sl->filter);
	close_fd(&sl->group);
	sl->have_plan = false;
	if (why[0] == '\0' && unheard(sl))
		why = "who asks its daemon does not hear it any more";
	if (why[0] == '\0')
		why = estate_clean(&sl->estate, sl->s->nv1);
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
			if (buf[1] == STEP_COMPILE)
				do_compile(sl, fds);
			else
				do_step(sl, buf[1], buf[2], n < SLOT_ASK ? 0 :
				    get_u32(buf + 3), fds);
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
		case SLOT_SNAP:
			if (n == SLOT_SNAP_LEN)
				do_snap(sl, buf, fds);
			break;
		case SLOT_WARM:
			do_warm(sl, fds);
			break;
		case SLOT_COOL:
			member_drop(&sl->member, buf[1] != 0);
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
	int keep[18] = {ctl, s->hand, s->step_group};
	int told[2] = {-1, -1};
	char why[200];

	sl.s = s;
	sl.ctl = ctl;
	sysv_here(&sl.home);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, told) < 0)
		_exit(1);
	if (member_init(&sl.member) < 0)
		_exit(1);
	sl.told = told[0];
	sl.estate = (struct estate){ctl, s->step_group, {-1, -1, -1},
	    {-1, -1, -1, -1}, -1, -1, told[1], sl.member.told[1], s->kind->afar};
	sl.args = sl.filter = sl.group = -1;
	for (int k = 0; k < TREES; k++)
		for (int i = 0; i < PLAN_VOLUMES_ALL; i++)
			sl.trees[k][i] = -1;
	sl.env = (struct init_env){.slot = s->number, .root = s->root,
	    .landlock_abi = landlock_abi(), .job_filter = s->job,
	    .seal_filter = s->seal, .snapshot_filter = s->snapshot,
	    .never_filter = s->never,
	    .file_max = s->file_max, .slots = s->slots,
	    .no_memory_group = !s->memory_group, .job = s->kind->job,
	    .lsm = s->lsm};
	if (s->lsm->kind == LSM_SELINUX)
		root_label(SELINUX_FILE);
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
	for (int i = 0; i < 3; i++) {
		keep[3 + i] = sl.estate.tasks[i];
		keep[6 + i] = sl.estate.dirs[i];
	}
	keep[9] = sl.estate.usage;
	keep[10] = sl.estate.reclaim;
	keep[11] = told[0];
	keep[12] = told[1];
	keep[13] = s->kind->keep[0];
	keep[14] = s->kind->keep[1];
	keep[15] = sl.member.told[0];
	keep[16] = sl.member.told[1];
	keep[17] = sl.estate.tasks[JOB_TASKS - 1];
	if (priv_fds(keep, NELEM(keep)) < 0)
		_exit(1);
	(void)snprintf(why, sizeof(why), "%u", sl.layers);
	answer(&sl, SLOT_FREE, why, -1);
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
trial_result(int report, int pidfd, uint64_t ms, struct report *out,
    const char **what)
{
	static struct report r;
	uint8_t buf[REPORT_MAX];
	struct pollfd p = {.fd = report, .events = POLLIN};
	siginfo_t si;
	ssize_t n = -1;

	if (poll(&p, 1, (int)ms) == 1)
		n = read(report, buf, sizeof(buf));
	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	(void)waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED);
	*what = "trial";
	errno = n < 0 ? ETIMEDOUT : EIO;
	if (n <= 0 || report_parse(buf, (size_t)n, &r) == 0)
		return -1;
	*out = r;
	if (r.kind == REPORT_TOOL || (r.kind == REPORT_HAND && r.ok))
		return 0;
	*what = r.why;
	errno = (int)strtol(r.code, NULL, 10);
	return -1;
}

int
slot_try(int ctl, uint64_t ms, struct report *said, const char **what)
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
		rv = trial_result(p[0], fds[0], ms, said, what);
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
slot_start(const struct slot_setup *s, int *ctl, uint32_t *layers,
    const char **what)
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
	buf[n] = '\0';
	*layers = (uint32_t)strtoul((const char *)buf + 1, NULL, 10);
	*ctl = sv[0];
	return pid;
}
