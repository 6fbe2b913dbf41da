/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/groups.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "sandbox/base/devfilter.h"
#include "sandbox/base/limits.h"
#include "sandbox/jail/jail.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/runner/terms.h"
#include "common/layers.h"
#include "common/util.h"
#include "node/parent/groupdir.h"
#include "node/parent/parent.h"

/*
 * warren-<8 hex>/ below the parent's own group, in v2 and in each v1 hierarchy
 * that has a controller which v2 does not give us (THREATS.md 4):
 *   relay/ parent and transport, house/ the others, watchdog/ its child, jobs/
 *   given to node.
 */
#define V2 0
#define HIERARCHY(c) (1 + (int)(c))
#define MIB (1ull << 20)
#define HOUSE_MEMORY (1024 * MIB) /* ours: all programs but the relay's */
#define RELAY_LOW (64 * MIB)	  /* ours: kept for the relay under pressure */
#define DOG_MEMORY (128 * MIB)	  /* ours: klp.md 10 wants a cap */
#define DOG_PIDS 4
#define DOG_CPU_US 25000	  /* of 100000 */
#define JOBS_SLACK (64 * MIB)	  /* ours: the jail itself */

static const char *const group_names[GROUP_COUNT] = {"relay", "house",
    "watchdog", "jobs"};

/*
 * A setting of a group. One that this hierarchy has no file for is another's;
 * every other failure is said: what was to be bounded is not.
 */
static bool
put(int dir, const char *group, const char *file, const char *text)
{
	if (file_put(dir, file, text) == 0)
		return true;
	if (errno != ENOENT)
		log_warn("groups", "%s/%s: %s is not set", group, file, text);
	return false;
}

static bool
put_number(int dir, const char *group, const char *file, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	return put(dir, group, file, text);
}

static bool
has_controller(int dir, const char *file, const char *name)
{
	char list[512] = "";
	_cleanup_fd_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, list, sizeof(list) - 1) : -1;

	return n > 0 && cg_listed(list, name);
}

/* Where the parent was started. -1: no such hierarchy, or not to be opened. */
static int
own_open(const struct groups *g, int h)
{
	if (h == V2 ? !g->place.v2 : !g->place.v1[h - 1])
		return -1;
	return open(h == V2 ? g->place.v2_path : g->place.v1_path[h - 1],
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* warren-<8 hex>/ and its groups in one hierarchy. */
static bool
make_hierarchy(struct groups *g, int h)
{
	_cleanup_fd_ int at = own_open(g, h);

	g->top[h] = at >= 0 ? group_make(at, g->name) : -1;
	if (g->top[h] < 0)
		return false;
	group_sweep(g->top[h]);
	for (unsigned i = 0; i < GROUP_COUNT; i++) {
		g->dir[h][i] = group_make(g->top[h], group_names[i]);
		if (g->dir[h][i] < 0)
			return false;
	}
	g->on[h] = true;
	return true;
}

static uint32_t
layer_of(enum cg_controller c)
{
	static const uint32_t bits[CG_CONTROLLERS] = {
	    LAYER_MEMORY, LAYER_CPU, LAYER_PIDS};

	return bits[c];
}

/*
 * Hands controllers down: own group, ours, jobs. The own group must hold no
 * process, so we leave it first; another one in it keeps us from it.
 */
static void
enable_v2(struct groups *g)
{
	_cleanup_fd_ int own =
	    open(g->place.v2_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int jobs = g->dir[V2][GROUP_JOBS];

	for (unsigned c = 0; own >= 0 && c < CG_CONTROLLERS; c++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "+%s", cg_name(c));
		if (!has_controller(own, "cgroup.controllers", cg_name(c)))
			continue;
		if (!has_controller(own, "cgroup.subtree_control", cg_name(c)))
			g->handed |= layer_of(c);
		if (file_put(own, "cgroup.subtree_control", text) == 0 &&
		    file_put(g->top[V2], "cgroup.subtree_control", text) == 0 &&
		    file_put(jobs, "cgroup.subtree_control", text) == 0)
			g->v2_layers |= layer_of(c);
	}
}

/*
 * Where groups share out real-time (RT_GROUP_SCHED, v1), one without a share
 * keeps its programs out of the class. 30 %: more than transport takes
 * (transport/engine/promptness.h); what is left is others'. Not had: transport
 * says so.
 */
#define RELAY_RT_US 300000

static void
share_realtime(const struct groups *g)
{
	int h = HIERARCHY(CG_CPU);

	if (file_put_number(g->top[h], "cpu.rt_runtime_us", RELAY_RT_US) == 0)
		(void)file_put_number(g->dir[h][GROUP_RELAY],
		    "cpu.rt_runtime_us", RELAY_RT_US);
}

/*
 * Idle: any other program of ours goes before a job, in mid-slice (Linux
 * 5.15); a kernel without it has the weights.
 */
static void
jobs_last(int jobs)
{
	(void)file_put(jobs, "cpu.idle", "1");
}

/* What jobs print makes it work: never more than a quarter of a processor. */
static void
limit_dog(const struct groups *g)
{
	int d = g->dir[V2][GROUP_DOG], h = HIERARCHY(CG_CPU);

	if (g->on[V2]) {
		(void)put_number(d, "watchdog", "memory.max", DOG_MEMORY);
		(void)put_number(d, "watchdog", "pids.max", DOG_PIDS);
		(void)put(d, "watchdog", "cpu.max", "25000 100000");
	}
	if (g->on[h]) {
		d = g->dir[h][GROUP_DOG];
		(void)put_number(d, "watchdog", "cpu.cfs_period_us", 100000);
		(void)put_number(d, "watchdog", "cpu.cfs_quota_us", DOG_CPU_US);
	}
	if (g->on[HIERARCHY(CG_MEMORY)])
		(void)put_number(g->dir[HIERARCHY(CG_MEMORY)][GROUP_DOG],
		    "watchdog", "memory.limit_in_bytes", DOG_MEMORY);
	if (g->on[HIERARCHY(CG_PIDS)])
		(void)put_number(g->dir[HIERARCHY(CG_PIDS)][GROUP_DOG],
		    "watchdog", "pids.max", DOG_PIDS);
}

/* What cannot be set is said, and costs what it says: the rest holds. */
void
groups_limits(struct parent *p)
{
	struct groups *g = &p->groups;
	const struct node_config *n = p->node;
	uint64_t memory = n->memory + JOBS_SLACK + n->jobs_running *
		(HAND_ROOM + (p->runner != RUNNER_NATIVE ? TERMS_MEMORY : 0) +
		    (p->fd_wasm[WASM_RUNNER] >= 0 ? WASM_COMPILE_LEAST : 0));
	uint64_t pids = (uint64_t)n->jobs_running * 1024 + 64;
	char quota[48];
	int d;

	(void)snprintf(quota, sizeof(quota), "%" PRIu64 " 100000",
	    (uint64_t)n->cpu_milli * 100);
	limit_dog(g);
	if (g->on[V2]) {
		(void)put_number(g->dir[V2][GROUP_RELAY], "relay",
		    "cpu.weight", 1000);
		(void)put_number(g->dir[V2][GROUP_HOUSE], "house",
		    "cpu.weight", 200);
		(void)put_number(g->dir[V2][GROUP_RELAY], "relay",
		    "memory.low", RELAY_LOW);
		(void)put_number(g->dir[V2][GROUP_HOUSE], "house",
		    "memory.max", HOUSE_MEMORY);
		d = g->dir[V2][GROUP_JOBS];
		(void)put_number(d, "jobs", "memory.max", memory);
		(void)put_number(d, "jobs", "pids.max", pids);
		(void)put(d, "jobs", "cpu.max", quota);
		jobs_last(d);
		(void)put_number(d, "jobs", "cgroup.max.descendants",
		    (uint64_t)n->jobs_running * 4 + 16);
	}
	if (g->on[HIERARCHY(CG_MEMORY)]) {
		(void)put_number(g->dir[HIERARCHY(CG_MEMORY)][GROUP_HOUSE],
		    "house", "memory.limit_in_bytes", HOUSE_MEMORY);
		(void)put_number(g->dir[HIERARCHY(CG_MEMORY)][GROUP_JOBS],
		    "jobs", "memory.limit_in_bytes", memory);
	}
	if (g->on[HIERARCHY(CG_PIDS)])
		(void)put_number(
		    g->dir[HIERARCHY(CG_PIDS)][GROUP_JOBS], "jobs", "pids.max", pids);
	if (g->on[HIERARCHY(CG_CPU)]) {
		d = g->dir[HIERARCHY(CG_CPU)][GROUP_JOBS];
		(void)put_number(
		    g->dir[HIERARCHY(CG_CPU)][GROUP_RELAY], "relay", "cpu.shares", 8192);
		share_realtime(g);
		jobs_last(d);
		(void)put_number(d, "jobs", "cpu.cfs_period_us", 100000);
		(void)put_number(
		    d, "jobs", "cpu.cfs_quota_us", (uint64_t)n->cpu_milli * 100);
	}
}

/*
 * jobs/ becomes node's: the directory, cgroup.procs and subtree_control; its
 * limits stay ours. Jail is in node's group of ids.
 */
static void
give_jobs(struct parent *p, int h)
{
	static const char *const files[] = {
	    "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"};
	int d = p->groups.dir[h][GROUP_JOBS];
	uint32_t id = p->base + JAIL_NODE_UID;

	/* jail finds a job's group in it by name: whatever the umask */
	if ((p->root && fchown(d, id, id) < 0) || fchmod(d, 0755) < 0)
		log_warn("groups", "jobs/");
	for (size_t i = 0; i < NELEM(files); i++) {
		if (p->root && fchownat(d, files[i], id, id, 0) < 0 &&
		    errno != ENOENT)
			log_warn("groups", "jobs/%s", files[i]);
		if (i == 0 && fchmodat(d, files[i], 0664, 0) < 0)
			log_warn("groups", "jobs/%s", files[i]);
	}
}

/* The layers as the value of require_layers. */
static void
layers_list(char *out, size_t cap, uint32_t layers)
{
	char text[256];
	size_t n = 0;

	layers_text(text, sizeof(text), layers);
	for (const char *p = text; *p != '\0' && n + 2 < cap; p++) {
		if (*p == ' ')
			out[n++] = ',';
		out[n++] = *p;
	}
	out[n] = '\0';
}

static void
say_missing(const struct parent *p)
{
	const struct groups *g = &p->groups;
	uint32_t all = LAYER_MEMORY | LAYER_CPU | LAYER_PIDS;
	uint32_t missing = all & ~(g->v2_layers | g->v1_layers);
	uint32_t required = p->node->require_layers;
	char text[64], list[300];

	if (missing == 0)
		return;
	layers_list(text, sizeof(text), missing);
	if (!p->compute || (missing & required) == 0) {
		log_warnx("groups", "no control group of ours limits: %s. "
				    "Under systemd: Delegate=yes, or "
				    "systemd-run --user --scope -p "
				    "Delegate=yes warrend",
		    text);
		return;
	}
	layers_list(list, sizeof(list), required & ~missing);
	log_errx("groups", "NO job will be taken: require_layers asks for %s, "
			   "and no control group of ours limits that. Either "
			   "have groups delegated (Delegate=yes in the unit, "
			   "or systemd-run --user --scope -p Delegate=yes "
			   "warrend), or do without, in node.yaml: "
			   "require_layers: [%s]",
	    text, list);
}

/* A file of /proc, which has no size beforehand. */
static char *
proc_read(const char *path)
{
	enum { MOST = 256 * 1024 };
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? malloc(MOST) : NULL;
	size_t done = 0;
	ssize_t n;

	if (text == NULL)
		return NULL;
	while (done < MOST - 1 &&
	    (n = read(fd, text + done, MOST - 1 - done)) > 0)
		done += (size_t)n;
	text[done] = '\0';
	return text;
}

/* This process, and transport where it runs already (a reload). */
static void
enter_relay(const struct parent *p, int h)
{
	int dir = p->groups.dir[h][GROUP_RELAY];
	pid_t transport = p->child[PROGRAM_TRANSPORT].pid;

	(void)put(dir, "relay", "cgroup.procs", "0");
	if (transport > 0)
		(void)put_number(dir, "relay", "cgroup.procs",
		    (uint64_t)transport);
}

/* Programs that people named, which run beside the relay. */
static bool
runs_programs(const struct parent *p)
{
	const struct rnsconf_if *i;

	for (unsigned n = 0; n < p->ifs->nifs; n++) {
		i = &p->ifs->ifs[n];
		if (i->enabled && (i->type == RNSCONF_PIPE || (i->offer.on &&
		    (i->offer.reachable_cmd != NULL ||
		    i->offer.location_cmd != NULL))))
			return true;
	}
	return false;
}

static void
make_all(struct parent *p)
{
	struct groups *g = &p->groups;

	g->made = true;
	iolimit_init(&g->io);
	iolimit_sweep(g);
	if (make_hierarchy(g, V2)) {
		enter_relay(p, V2);
		enable_v2(g);
		/* jail looks whether it holds, and says so when it does not */
		g->devices = p->root && p->compute &&
		    devfilter_attach(g->dir[V2][GROUP_JOBS]) == 0;
		give_jobs(p, V2);
	}
	for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
		if (g->v2_layers & layer_of(c) ||
		    !make_hierarchy(g, HIERARCHY(c)))
			continue;
		enter_relay(p, HIERARCHY(c));
		give_jobs(p, HIERARCHY(c));
		g->v1_layers |= layer_of(c);
	}
	groups_limits(p);
	iolimit_make(p);
	if (p->compute)
		say_missing(p);
}

/* An earlier daemon did not end well: jobs of its may live. */
static bool
left_over(const struct groups *g)
{
	for (int h = 0; h < GROUP_HIERARCHIES; h++) {
		_cleanup_fd_ int at = own_open(g, h);

		if (at >= 0 && faccessat(at, g->name, F_OK, 0) == 0)
			return true;
	}
	return false;
}

static void
find_place(struct parent *p)
{
	struct groups *g = &p->groups;
	_cleanup_free_ char *cgroup = proc_read("/proc/self/cgroup");
	_cleanup_free_ char *mounts = proc_read("/proc/self/mountinfo");
	char hex[9];

	hex_encode(hex, p->identity_hash.b, 4);
	(void)snprintf(g->name, sizeof(g->name), "warren-%s", hex);
	if (cgroup != NULL && mounts != NULL)
		cgdetect(&g->place, cgroup, mounts);
}

void
groups_need(struct parent *p)
{
	if (p->groups.made)
		return;
	find_place(p);
	if (p->compute || runs_programs(p) || left_over(&p->groups))
		make_all(p);
}

void
groups_make(struct parent *p)
{
	find_place(p);
	make_all(p);
}

bool
groups_join(const struct groups *g, enum group group)
{
	bool all = true;

	for (int h = 0; h < GROUP_HIERARCHIES; h++)
		if (g->on[h] &&
		    file_put(g->dir[h][group], "cgroup.procs", "0") < 0)
			all = false;
	return all;
}

/*
 * The groups beneath go as well, jail's own included: on Linux 6.18 a process
 * that is cloned between a group that was killed once and one that was not is
 * killed on the spot.
 */
/* A number at the beginning of a file, or behind a word that begins it. */
static bool
get_number(int dir, const char *file, const char *word, uint64_t *v)
{
	char text[128] = "", *end;
	_cleanup_fd_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	size_t skip = strlen(word);

	if (n <= 0 || strncmp(text, word, skip) != 0)
		return false;
	*v = strtoull(text + skip, &end, 10);
	return end != text + skip;
}

bool
groups_jobs_use(const struct groups *g, uint64_t *cpu_us, uint64_t *memory)
{
	int memory_v1 = HIERARCHY(CG_MEMORY), cpu_v1 = HIERARCHY(CG_CPU);

	*cpu_us = *memory = 0;
	if ((!g->on[V2] || !get_number(g->dir[V2][GROUP_JOBS],
	    "memory.current", "", memory)) && g->on[memory_v1])
		(void)get_number(g->dir[memory_v1][GROUP_JOBS],
		    "memory.usage_in_bytes", "", memory);
	if (g->on[V2] && get_number(g->dir[V2][GROUP_JOBS], "cpu.stat",
	    "usage_usec ", cpu_us))
		return true;
	/* where cpu and cpuacct are mounted together */
	if (!g->on[cpu_v1] || !get_number(g->dir[cpu_v1][GROUP_JOBS],
	    "cpuacct.usage", "", cpu_us))
		return false;
	*cpu_us /= 1000;
	return true;
}

void
groups_kill_jobs(const struct groups *g)
{
	for (int h = 0; h < GROUP_HIERARCHIES; h++)
		if (g->on[h])
			(void)group_end(g->dir[h][GROUP_JOBS], "jobs");
}

/*
 * The own group as it was: one that hands controllers down takes no process,
 * and we must leave ours before it can go.
 */
static void
take_back(const struct groups *g, int own)
{
	iolimit_take_back(g, own);
	for (unsigned c = 0; c < CG_CONTROLLERS; c++) {
		char text[16];

		if (!(g->handed & layer_of(c)))
			continue;
		(void)snprintf(text, sizeof(text), "-%s", cg_name(c));
		(void)put(g->top[V2], g->name, "cgroup.subtree_control", text);
		(void)put(own, "own", "cgroup.subtree_control", text);
	}
}

void
groups_remove(struct groups *g)
{
	int ms = GROUP_REMOVE_MS;

	if (!g->made)
		return;
	for (int h = 0; h < GROUP_HIERARCHIES; h++) {
		_cleanup_fd_ int at = g->on[h] ? own_open(g, h) : -1;

		if (at < 0)
			continue;
		(void)group_end(g->dir[h][GROUP_JOBS], "jobs");
		for (size_t i = GROUP_COUNT; i-- > 0;) {
			/* jobs/ is gone: from here on `at` takes processes */
			if (i == GROUP_HOUSE && h == V2)
				take_back(g, at);
			/* a container that may yet come is waited for longer */
			if (i == GROUP_HOUSE)
				group_move(g->dir[h][i], at);
			if (i == GROUP_RELAY)
				(void)put(at, "own", "cgroup.procs", "0");
			(void)close(g->dir[h][i]);
			if (group_remove(g->top[h], group_names[i], &ms) < 0)
				log_warn("groups", "%s/%s stays", g->name,
				    group_names[i]);
		}
		(void)close(g->top[h]);
		if (group_remove(at, g->name, &ms) < 0)
			log_warn("groups", "%s stays", g->name);
		g->on[h] = false;
	}
	iolimit_remove(g);
}
