/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/jail.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/jail/cell.h"
#include "sandbox/jail/cell_snap.h"
#include "sandbox/jail/cell_tell.h"
#include "sandbox/jail/cell_warm.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "sandbox/base/devfilter.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"
#include "common/log.h"
#include "sandbox/base/basefilter.h"
#include "common/priv.h"
#include "common/program.h"
#include "sandbox/base/root.h"
#include "sandbox/base/report.h"
#include "sandbox/jail/kind.h"
#include "sandbox/jail/jail_io.h"
#include "sandbox/jail/jail_lsm.h"
#include "sandbox/jail/polls.h"
#include "sandbox/jail/remedy.h"
#include "sandbox/jail/slot.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

/*
 * warren-jail: builds the sandbox of every job and holds no right outside it
 * (THREATS.md 2). It starts with whatever rights its parent has, makes its
 * slots, and gives them up before it reads a message.
 */
struct start {
	struct process program;
	struct jail jail;
	struct jail_kind *kind;
	struct base_dirs dirs;
	int hand, stage, blkio;
	struct filter never, job, snapshot, seal, own;
	int landlock_abi;
	struct lsm lsm;
	uint64_t file_max; /* fs.file-max */
	uint32_t lacking;  /* layers that were tried and cannot be had */
	char trouble[240]; /* why no job can run; "": one can */
	char groups[JAIL_IO_TEXT];
	bool joins; /* jobs join blkio's by themselves */
};

/* ours: a step's room, the slot's process, a child before it has joined */
#define SLOT_PIDS (HAND_PIDS + 8)

static const char *const controllers[] = {"memory", "cpu", "pids"};
static const uint32_t controller_layers[] = {LAYER_MEMORY, LAYER_CPU,
    LAYER_PIDS};

static void
take_arguments(struct start *s, int argc, char *argv[])
{
	struct process *p = &s->program;
	char name[16];

	program_connect(p, PROGRAM_JAIL, argc, argv);
	/* what could be read in /proc/1/cmdline of a job */
	for (int i = 1; i < argc; i++)
		memset(argv[i], 0, strlen(argv[i]));
	if (p->slots < 1 || p->slots > JAIL_SLOTS_MAX)
		fatalx("slots: 1 to %d", JAIL_SLOTS_MAX);
	s->jail.root = p->root;
	s->jail.nslots = p->slots;
	s->hand = program_fd(p, "hand");
	s->stage = program_fd(p, "stage");
	s->dirs.stage = s->stage;
	s->dirs.images = settings_take(p, SET_DIR_IMAGES, "");
	if (s->hand < 0 || s->stage < 0 || s->dirs.images < 0)
		fatalx("images, stage and hand are needed");
	s->jail.groups.jobs = settings_take(p, SET_CG_JOBS, "");
	for (size_t i = 0; i < NELEM(controllers); i++)
		s->jail.groups.v1[i] = settings_take(p, SET_CG_V1,
		    controllers[i]);
	s->blkio = settings_take(p, SET_CG_V1, "blkio");
	for (unsigned i = 0; i < JAIL_VOLUMES_MAX; i++) {
		int fd;

		(void)snprintf(name, sizeof(name), "%u", i);
		if ((fd = settings_take(p, SET_VOLUME, name)) < 0)
			break;
		s->dirs.volumes[s->dirs.nvolumes++] = fd;
	}
	s->jail.limits.wasm = true;
	for (unsigned i = 0; i < WASM_FILES; i++)
		s->jail.limits.wasm &= (s->dirs.wasm[i] = settings_take(p,
		    SET_WASM, wasm_files[i])) >= 0;
	jail_lsm(&s->lsm, program_fd(p, "lsm"));
	s->jail.enforce = program_fd(p, "enforce");
	if (s->kind->take != NULL)
		s->kind->take(s->kind, p, s->jail.groups.jobs);
	s->dirs.tools = s->kind->tools;
	s->jail.groups.pids_more = s->kind->pids;
	s->jail.groups.memory_more = s->kind->memory;
}

/* A slot's staging folder: its id's own, and ours by the group. */
static void
make_stage(struct start *s, uint32_t slot)
{
	_cleanup_fd_ int fd = -1;
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", slot);
	if (mkdirat(s->stage, name, 0770) < 0 && errno != EEXIST)
		fatal("stage/%s", name);
	fd = sys_openat2(s->stage, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		fatal("stage/%s", name);
	/* no job of an earlier jail lives: the parent has seen to that */
	if (tree_empty(fd) < 0)
		fatal("stage/%s: cannot be emptied", name);
	if (s->program.root && fchown(fd, s->program.base + JAIL_SLOT_UID +
	    slot, s->program.base + JAIL_UID) < 0)
		fatal("stage/%s", name);
	if (fchmod(fd, 0770) < 0)
		fatal("stage/%s", name);
}

/*
 * An earlier jail's last job has left its limits, and the slot's own process
 * is to fit. Files that this controller has not are not there.
 */
static void
no_limits(int fd)
{
	static const char *const files[][2] = {
	    {"memory.memsw.limit_in_bytes", "-1"},
	    {"memory.limit_in_bytes", "-1"}, {"cpu.cfs_quota_us", "-1"},
	    {"pids.max", "max"}};

	for (size_t i = 0; i < NELEM(files); i++)
		(void)file_put(fd, files[i][0], files[i][1]);
}

/* slot-K of a v1 controller; its limits are node's to set. */
static int
make_v1_slot(struct start *s, int dir, uint32_t slot)
{
	uid_t node = s->program.base + JAIL_NODE_UID;
	char name[16];
	struct dirent *de;
	int fd;
	DIR *d;

	(void)snprintf(name, sizeof(name), "slot-%u", slot);
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		no_limits(fd);
	/* mkdir obeyed the umask; node and jail's main process read in it */
	if (fd < 0 || fchmod(fd, 0755) < 0 || !s->program.root)
		return fd;
	if ((d = dir_take(dup(fd))) != NULL) {
		while ((de = readdir(d)) != NULL)
			if (de->d_name[0] != '.')
				(void)!fchownat(fd, de->d_name, node, node,
				    AT_SYMLINK_NOFOLLOW);
		(void)closedir(d);
	}
	(void)!fchown(fd, node, node);
	return fd;
}

/*
 * step-K of a v1 controller: where the slot's process lives, and what packs and
 * cleans behind a job. Its limits are jail's own.
 */
static int
make_v1_own(const struct jail_kind *k, int dir, uint32_t slot)
{
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "step-%u", slot);
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* files that this controller has not are not there */
	(void)file_put_number(fd, "memory.limit_in_bytes",
	    JAIL_SLOT_MEMORY + k->memory);
	(void)file_put_number(fd, "memory.memsw.limit_in_bytes",
	    JAIL_SLOT_MEMORY + k->memory);
	(void)file_put_number(fd, "pids.max", SLOT_PIDS + k->pids);
	return fd;
}

/* Each v1 controller's two groups of a slot; what cannot be had is left out. */
static void
v1_groups(struct start *s, struct slot_setup *set, uint32_t slot)
{
	const struct group_dirs *g = &s->jail.groups;

	for (size_t i = 0; i < NELEM(controllers); i++) {
		int fd = g->v1[i] < 0 ? -1 : make_v1_slot(s, g->v1[i], slot);
		int own = fd < 0 ? -1 : make_v1_own(s->kind, g->v1[i], slot);

		if (own < 0) {
			close_fd(&fd);
			continue;
		}
		set->own[set->nv1] = own;
		set->v1[set->nv1++] = fd;
	}
}

/*
 * Jail lives in the leaf jobs/jail: CLONE_INTO_CGROUP wants to write on the
 * common ancestor's cgroup.procs, which is then jobs/ itself.
 */
static void
enter_leaf(struct start *s)
{
	uid_t node = s->program.base + JAIL_NODE_UID;
	int jobs = s->jail.groups.jobs;
	_cleanup_fd_ int procs = -1;

	if (jobs < 0)
		return;
	if (mkdirat(jobs, "jail", 0755) < 0 && errno != EEXIST)
		fatal("jobs/jail");
	procs = openat(jobs, "jail/cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs < 0 || write(procs, "0", 1) != 1)
		fatal("jobs/jail");
	if (!s->program.root)
		return;
	if (fchownat(jobs, "cgroup.procs", node, node, 0) < 0 ||
	    fchmodat(jobs, "cgroup.procs", 0664, 0) < 0)
		log_warn("jail", "jobs/cgroup.procs");
}

/*
 * step-K beneath jobs/: where what packs and cleans after a job lives, with
 * room of its own. The job's group may be full, or was killed, and what is
 * cloned into a killed one dies (groups_kill_jobs()).
 */
static int
make_step_group(struct start *s, uint32_t slot)
{
	uid_t me = s->program.base + JAIL_UID;
	int jobs = s->jail.groups.jobs, fd;
	char name[16];

	if (jobs < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "step-%u", slot);
	if (mkdirat(jobs, name, 0755) < 0 && errno != EEXIST)
		fatal("jobs/%s", name);
	fd = openat(jobs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) < 0 || (s->program.root &&
	    fchownat(fd, "cgroup.procs", me, me, 0) < 0))
		fatal("jobs/%s", name);
	/* a controller that is not given has no file */
	(void)file_put_number(fd, "memory.max", HAND_ROOM + s->kind->memory);
	(void)file_put(fd, "memory.swap.max", "0");
	(void)file_put_number(fd, "pids.max", HAND_PIDS + s->kind->pids);
	return fd;
}

static int
make_slots(struct start *s, const char **what)
{
	static const struct slot_setup none;
	struct jail *j = &s->jail;
	const struct group_dirs *g = &j->groups;
	static struct report said;
	uint32_t inherited = ~0u, layers;

	if ((j->cells = calloc(j->nslots, sizeof(*j->cells))) == NULL)
		fatal("slots");
	for (uint32_t k = 1; k <= j->nslots; k++) {
		struct slot_setup set = none;
		int ctl;

		set.number = k;
		set.root = s->program.root;
		set.base = s->program.base;
		set.stage = s->stage;
		set.hand = s->hand;
		set.blkio = s->kind->afar ? s->blkio : -1;
		set.never = &s->never;
		set.job = &s->job;
		set.seal = &s->seal;
		set.snapshot = &s->snapshot;
		set.dirs = &s->dirs;
		set.kind = s->kind;
		set.lsm = &s->lsm;
		set.file_max = s->file_max;
		set.slots = j->nslots;
		set.memory_group = g->jobs >= 0 || g->v1[0] >= 0;
		set.step_group = make_step_group(s, k);
		make_stage(s, k);
		v1_groups(s, &set, k);
		cell_snap_init(&j->cells[k - 1], &set);
		if (s->kind->slot != NULL)
			s->kind->slot(s->kind, k);
		if (slot_start(&set, &ctl, &layers, what) < 0)
			return -1;
		/* they are all alike; if not, what all have */
		inherited &= layers;
		for (unsigned i = 0; i < set.nv1; i++) {
			(void)close(set.v1[i]);
			(void)close(set.own[i]);
		}
		close_fd(&set.step_group);
		cell_warm_init(&j->cells[k - 1]);
		cell_init(&j->cells[k - 1], k, ctl);
		/* they are all alike */
		if (k == 1 && slot_try(ctl, s->kind->trial_ms, &said,
		    what) < 0)
			return -1;
		if (said.kind == REPORT_TOOL) {
			s->kind->layers = said.layers;
			memcpy(s->kind->version, said.version,
			    sizeof(said.version));
		}
		if (fcntl(ctl, F_SETFL, O_NONBLOCK) < 0)
			fatal("slot %u", k);
	}
	j->inherited |= inherited & (LAYER_TIME | LAYER_CORE);
	return 0;
}

static int
sysctl_number(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd < 0 || read(fd, &c, 1) != 1 ? -1 : c - '0';
}

/*
 * No job can run here, as long as this machine is as it is. Jail stays, and
 * says so: the parent has it look again from time to time.
 */
static void
set_trouble(struct start *s, const char *step)
{
	struct jail *j = &s->jail;
	int error = errno;
	struct remedy_facts f = {.root = s->program.root,
	    .userns_clone =
		sysctl_number("/proc/sys/kernel/unprivileged_userns_clone"),
	    .apparmor = sysctl_number("/proc/sys/kernel/"
		"apparmor_restrict_unprivileged_userns")};

	/* a process of ours was killed: that is no word of the machine */
	if (error == EIO)
		fatal("slot: %s", step);
	s->lacking = remedy_layers(step);
	remedy_text(s->trouble, sizeof(s->trouble), step, error, &f);
	for (uint32_t i = 0; j->cells != NULL && i < j->nslots; i++)
		close_fd(&j->cells[i].ctl);
	j->nslots = 0;
}

/* All that wants rights; -1 with errno, and the step that was refused. */
static int
build(struct start *s, const char **step)
{
	jail_io_look(s->groups);
	s->joins = s->blkio >= 0;
	*step = "private mounts";
	if (s->program.root && priv_namespaces(true) < 0)
		return -1;
	enter_leaf(s);
	/* the parent's word is not enough; here /dev is still the machine's */
	if (s->program.root && devfilter_holds())
		s->jail.inherited |= LAYER_DEVICES;
	if (s->program.root && base_build(&s->dirs, true, step) < 0)
		return -1;
	return make_slots(s, step);
}

/* From here on: a number of its own, no capability, no way to open a file. */
static void
give_up(struct start *s)
{
	struct jail *j = &s->jail;
	int dirs[4];
	unsigned n = 0;

	(void)close(s->hand);
	(void)close(s->stage);
	close_fd(&s->blkio);
	for (size_t i = 0; i < NELEM(s->kind->keep); i++)
		close_fd(&s->kind->keep[i]);
	(void)close(s->dirs.images);
	for (unsigned i = 0; i < s->dirs.nvolumes; i++)
		(void)close(s->dirs.volumes[i]);
	for (unsigned i = 0; i < WASM_FILES; i++)
		close_fd(&s->dirs.wasm[i]);
	if (j->groups.jobs >= 0)
		dirs[n++] = j->groups.jobs;
	for (size_t i = 0; i < NELEM(controllers); i++)
		if (j->groups.v1[i] >= 0)
			dirs[n++] = j->groups.v1[i];
	if (priv_ids(s->program.root ? s->program.base + JAIL_UID : 0) < 0)
		fatal("giving up root");
	if (s->landlock_abi > 0 &&
	    landlock_read_only(s->landlock_abi, dirs, n) < 0)
		fatal("Landlock");
	if (filter_load(&s->own) < 0)
		fatal("system-call filter");
}

/* What others give is node's to look for. */
static uint32_t
jail_required(const struct msg_JAIL_LIMITS *l)
{
	return l->required & ~(uint32_t)LAYERS_OTHERS;
}

static void
find_out(struct start *s)
{
	struct jail *j = &s->jail;
	const struct msg_JAIL_LIMITS *l = &s->program.limits;
	uint32_t groups = s->program.params.cg_v2 | s->program.params.cg_v1;
	uint32_t missing;
	char names[256];

	if (!s->program.have_limits)
		fatalx("no ceilings from the parent");
	j->limits = (struct plan_limits){.required = jail_required(l),
	    .memory = l->memory, .cpu_milli = l->cpu_milli, .pids = l->pids,
	    .time_ms = l->time_ms, .output = l->output, .slots = j->nslots,
	    .nvolumes = s->dirs.nvolumes, .wasm = j->limits.wasm};
	j->limits.available = LAYERS_FLOOR | LAYER_UTS | LAYER_RLIMITS |
	    LAYER_READONLY | (groups & (LAYER_MEMORY | LAYER_CPU |
	    LAYER_PIDS));
	if (j->groups.jobs >= 0)
		j->limits.available |= LAYER_CGROUP;
	for (size_t i = 0; i < NELEM(controllers); i++)
		if (j->groups.jobs < 0 && j->groups.v1[i] < 0)
			j->limits.available &= ~controller_layers[i];
	if (s->landlock_abi > 0)
		j->limits.available |= LAYER_LANDLOCK;
	j->limits.available |= j->limits.wasm ? LAYERS_WASM : 0;
	j->inherited &= groups | ~(uint32_t)LAYER_DEVICES;
	j->inherited |= jail_io(s->groups, &s->program.params, s->kind->afar &&
	    !s->joins);
	j->inherited &= ~s->kind->apart;
	j->limits.available |= j->inherited | (s->kind->layers & s->kind->apart);
	if (s->lsm.kind != LSM_NONE)
		j->limits.available |= LAYER_LSM;
	j->limits.available &= ~s->lacking & (s->kind->layers | LAYER_CGROUP |
	    LAYER_MEMORY | LAYER_CPU | LAYER_PIDS | LAYERS_INHERITED);
	missing = LAYERS_KNOWN & ~j->limits.available &
	    ~(uint32_t)(LAYER_LSM | LAYERS_OTHERS | LAYERS_INHERITED);
	if (s->lacking != 0)
		missing = s->lacking;
	layers_text(names, sizeof(names), missing);
	if (s->lacking != 0)
		(void)snprintf(j->missing, sizeof(j->missing), "%s: %s", names,
		    s->trouble);
	else if (missing != 0)
		(void)snprintf(j->missing, sizeof(j->missing),
		    "%s: %s", names, (missing & LAYER_LANDLOCK) != 0 ?
		    "this kernel has no Landlock, or no cgroup was delegated" :
		    "no cgroup with these controllers was delegated");
	if (s->lacking == 0)
		remedy_inherited(j->missing, sizeof(j->missing),
		    jail_required(l) & ~j->limits.available);
	jail_lsm_missing(&s->lsm, (s->kind->layers & LAYER_LSM) != 0,
	    j->missing, sizeof(j->missing));
}

static void
say_trouble(struct start *s)
{
	struct msg_ALARM m = {.severity = 4};

	(void)snprintf(m.text, sizeof(m.text), "no job can run here: %s",
	    s->trouble);
	if (ipc_send_ALARM(s->jail.parent, &m, NULL, 0) < 0)
		fatal("ALARM");
}

/* ---- messages ---- */

static void
greet(struct jail *j, struct ipc_in *in)
{
	struct msg_HELLO h;
	struct id32 build;

	program_build_id(&build);
	if (in->type != IPC_HELLO || !msg_get_HELLO(in->body, &h) ||
	    !id32_eq(&h.build, &build)) {
		log_errx("jail", "node is of another build");
		ipc_free(j->node);
		j->node = NULL;
		return;
	}
	j->node_greeted = true;
	cells_tell(j);
}

#define IPC_ME JAIL
#define IPC_CTX struct jail
#include "common/ipc_dispatch.h"

/* The operator's, as the parent said them last. */
static void
take_ceilings(struct jail *j)
{
	const struct msg_JAIL_LIMITS *l = &j->program->limits;

	j->limits.required = jail_required(l);
	j->limits.memory = l->memory;
	j->limits.cpu_milli = l->cpu_milli;
	j->limits.pids = l->pids;
	j->limits.time_ms = l->time_ms;
	j->limits.output = l->output;
}

static void
on_J_RUN(struct jail *j, const struct msg_J_RUN *m, struct ipc_in *in)
{
	take_ceilings(j);
	cells_run(j, m, in);
}

static void
on_J_STEP(struct jail *j, const struct msg_J_STEP *m, struct ipc_in *in)
{
	(void)in;
	cells_step(j, m);
}

static void
on_J_KILL(struct jail *j, const struct msg_J_KILL *m, struct ipc_in *in)
{
	(void)in;
	cells_kill(j, &m->job, m->why);
}

static void
on_J_FREEZE(struct jail *j, const struct msg_J_FREEZE *m, struct ipc_in *in)
{
	(void)in;
	cells_freeze(j, &m->job, m->on);
}

static void
on_J_SNAP(struct jail *j, const struct msg_J_SNAP *m, struct ipc_in *in)
{
	(void)in;
	cells_snap(j, m);
}

static void
on_J_SNAP_GO(struct jail *j, const struct msg_J_SNAP_GO *m, struct ipc_in *in)
{
	(void)in;
	cells_snap_go(j, &m->job);
}

static void
on_J_WARM(struct jail *j, const struct msg_J_WARM *m, struct ipc_in *in)
{
	(void)in;
	cells_warm(j, m);
}

static void
on_J_FORGET(struct jail *j, const struct msg_J_FORGET *m, struct ipc_in *in)
{
	(void)in;
	cells_forget(j, &m->job);
}

static void
from_node(struct jail *j, struct ipc_in *in)
{
	if (!j->node_greeted)
		greet(j, in);
	else if (in->type != IPC_HELLO)
		program_message(j->program, in);
}

/* What the last node has said before its end still counts: a kill, a start. */
static void
drain_node(struct jail *j)
{
	struct ipc_in in;

	while (j->node != NULL && ipc_recv(j->node, &in) == 1) {
		from_node(j, &in);
		ipc_in_done(&in);
	}
	cells_orphan(j);
}

static void
new_node(struct jail *j, int fd)
{
	struct msg_HELLO h;

	drain_node(j);
	cells_warm(j, &(struct msg_J_WARM){.on = false});
	ipc_free(j->node);
	j->node_greeted = false;
	j->node = ipc_new(fd, PROGRAM_JAIL, PROGRAM_NODE);
	if (j->node == NULL) {
		(void)close(fd);
		return;
	}
	memset(&h, 0, sizeof(h));
	program_build_id(&h.build);
	(void)ipc_send_HELLO(j->node, &h, NULL, 0);
}

static void
on_neighbour(struct process *p, enum program who, int fd)
{
	(void)who; /* node is all that jail has to do with */
	new_node(p->ctx, fd);
}

static void
on_stop(void *ctx)
{
	const struct jail *j = ctx;

	if (j->kind->over != NULL)
		j->kind->over();
	/* jobs end with us (PDEATHSIG), node has called them lost */
	exit(0);
}

static const struct program_ops ops = {
    .message = ipc_dispatch, .stop = on_stop};

static void
serve_parent(struct jail *j)
{
	struct ipc_in in;
	int rv;

	while ((rv = ipc_recv(j->parent, &in)) == 1) {
		program_message(j->program, &in);
		ipc_in_done(&in);
	}
	if (rv < 0)
		exit(0);
}

/* A few at a time: a node that floods must not keep us from our clock. */
#define NODE_BATCH 32

static void
serve_node(struct jail *j)
{
	struct ipc_in in;
	int rv = 0;

	for (int i = 0; i < NODE_BATCH && j->node != NULL &&
	     (rv = ipc_recv(j->node, &in)) == 1; i++) {
		from_node(j, &in);
		ipc_in_done(&in);
	}
	if (rv < 0) {
		/* jobs go on; a new one is told */
		cells_orphan(j);
		cells_warm(j, &(struct msg_J_WARM){.on = false});
		ipc_free(j->node);
		j->node = NULL;
	}
}

/* ---- loop ---- */

static bool
idle_and_broken(const struct jail *j)
{
	bool any = false;

	for (uint32_t i = 0; i < j->nslots; i++) {
		if (j->cells[i].life.state == CELL_BROKEN)
			any = true;
		else if (j->cells[i].life.state != CELL_FREE)
			return false;
	}
	return any;
}

static void
turn(struct jail *j)
{
	static struct polls ps;
	struct mono now;
	nfds_t first;

	first = polls_fill(&ps, j);
	if (poll(ps.p, ps.n, polls_timeout_ms(j)) < 0) {
		if (errno == EINTR)
			return;
		fatal("poll");
	}
	for (nfds_t i = first; i < ps.n; i++) {
		struct cell *c = ps.who[i].cell;

		/* an earlier handler of the turn may have closed it */
		if (ps.p[i].revents != 0 && (ps.p[i].fd == c->ctl ||
		    ps.p[i].fd == c->report || ps.p[i].fd == c->pidfd ||
		    ps.p[i].fd == c->snap.report ||
		    ps.p[i].fd == c->snap.pidfd ||
		    ps.p[i].fd == c->warm.report ||
		    ps.p[i].fd == c->warm.pidfd))
			ps.who[i].on(j, c);
	}
	now = clock_mono();
	for (uint32_t i = 0; i < j->nslots; i++)
		cell_tick(j, &j->cells[i], now);
	/* its ceilings come before the jobs that are judged by them */
	if ((ps.p[0].revents & POLLOUT) != 0)
		(void)ipc_flush(j->parent);
	if (ps.p[0].revents != 0)
		serve_parent(j);
	if (first == 2 && ps.p[1].revents != 0 && j->node != NULL &&
	    ipc_fd(j->node) == ps.p[1].fd) {
		if ((ps.p[1].revents & POLLOUT) != 0)
			(void)ipc_flush(j->node);
		serve_node(j);
	}
	if (j->node != NULL && ipc_held(j->node))
		(void)ipc_flush(j->node);
	/* the parent starts another one, with all its slots */
	if (idle_and_broken(j))
		fatalx("a slot is lost and no job runs: starting anew");
}

int
jail_main(struct jail_kind *kind, int argc, char *argv[])
{
	static struct start s;
	const char *step = "";
	struct msg_READY ready = {.end_ = 0};

	s.kind = kind;
	s.jail.kind = kind;
	take_arguments(&s, argc, argv);
	if (priv_session(program_row(PROGRAM_JAIL)->nofile) < 0)
		fatal("session");
	if (base_build_filter(BASE_NEVER, &s.never) < 0 ||
	    base_build_filter(BASE_JOB, &s.job) < 0 ||
	    base_build_filter(BASE_SNAPSHOT, &s.snapshot) < 0 ||
	    base_build_filter(BASE_SEAL, &s.seal) < 0 ||
	    base_build_filter(BASE_JAIL, &s.own) < 0)
		fatalx("filters");
	s.landlock_abi = landlock_abi();
	s.file_max = limits_file_max();
	if (build(&s, &step) < 0)
		set_trouble(&s, step);
	give_up(&s);
	program_receive(&s.program, NULL, NULL);
	s.jail.parent = s.program.parent;
	s.jail.program = &s.program;
	s.program.ops = &ops;
	s.program.ctx = &s.jail;
	s.program.neighbour = on_neighbour;
	find_out(&s);
	if (s.trouble[0] != '\0')
		say_trouble(&s);
	if (ipc_send_READY(s.jail.parent, &ready, NULL, 0) < 0)
		fatal("READY");
	for (;;)
		turn(&s.jail);
}
