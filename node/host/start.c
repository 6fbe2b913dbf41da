/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/runner.h"
#include "node/host/blobs.h"
#include "node/host/host.h"
#include "node/host/outbox.h"
#include "node/host/wasmcache.h"
#include "node/work/verified.h"
#include "node/work/watched.h"
#include "sandbox/base/limits.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/compile.h"
#include "sandbox/plan/seccomp_cache.h"
#include "sandbox/plan/wasm.h"

/*
 * An admitted job becomes one message to jail: the plan, its arguments and its
 * filter as sealed memfds, a read-only descriptor for each input. Node has no
 * path, directory or id to give (THREATS.md 2).
 */
static bool
fail(const char **code, char why[128], const char *c, const char *fmt,
    const char *arg)
{
	*code = c;
	(void)snprintf(why, 128, fmt, arg);
	return false;
}

const struct seccomp_text *
start_seccomp(struct warren_node *wn, const char *name)
{
	char own[PROFILE_NAME_MAX + 1];

	if (name[0] == '\0' && wn->nseccomp > 0 &&
	    wn->seccomp[0].name[0] == '\0')
		return &wn->seccomp[0]; /* the file that the profile names */
	if (name[0] == '\0') {
		name = "default";
		if (wn->profile->seccomp != NULL &&
		    profile_seccomp_name(own, wn->profile->seccomp))
			name = own;
	}
	for (unsigned i = 0; i < wn->nseccomp; i++) {
		if (strcmp(wn->seccomp[i].name, name) == 0)
			return &wn->seccomp[i];
	}
	return NULL;
}

/* Does the contract take calls away? */
static bool
contract_less(struct seccomp_less *l, const struct contract *c, bool probes)
{
	*l = (struct seccomp_less){.deny = c->deny, .ndeny = c->ndeny,
	    .no_anonymous_exec = !c->anonymous_exec,
	    .deny_kills = contract_does(RULE_SYSCALLS, (enum contract_action)
		c->action[RULE_SYSCALLS], probes) == ACTION_KILL,
	    .exec_kills = contract_does(RULE_ANONYMOUS_EXEC,
		(enum contract_action)c->action[RULE_ANONYMOUS_EXEC],
		probes) == ACTION_KILL};
	return l->ndeny > 0 || l->no_anonymous_exec;
}

/* A sealed memfd of the filter; *len: instructions. -1. */
static int
filter_fd(struct warren_node *wn, const struct job *j, uint32_t *len,
    const char **code, char why[128])
{
	char name[MANIFEST_TEXT + 1];
	const struct seccomp_text *t;
	struct seccomp_host here;
	struct seccomp_program p;
	char err[160];
	int fd;

	const struct contract *c = j->contract;
	struct seccomp_less less;
	int rv;

	manifest_seccomp(name, j->m);
	if (c != NULL && name[0] == '\0')
		(void)snprintf(name, sizeof(name), "%s", c->profile);
	if ((t = start_seccomp(wn, name)) == NULL) {
		(void)fail(code, why, "limits", "seccomp_profile: %s",
		    "not here");
		return -1;
	}
	if (!seccomp_host_native(&here)) {
		(void)fail(code, why, "internal", "%s", "architecture");
		return -1;
	}
	if (c != NULL && contract_less(&less, c, j->probed)) {
		rv = seccomp_gen_less(&p, t->text, t->len, &here, &less, err,
		    sizeof(err));
		if (rv != 0) {
			(void)fail(code, why, "contract", "%.100s", err);
			return -1;
		}
	} else {
		rv = seccomp_cached(&p, wn->cache, t->text, t->len, &here, err,
		    sizeof(err));
	}
	if (rv != 0) {
		const char *said = t->name[0] != '\0' ? t->name :
		    wn->profile->seccomp;

		log_errx("seccomp", "profile %s: %s", said, err);
		(void)fail(code, why, "limits", "seccomp_profile: %s", said);
		return -1;
	}
	*len = p.len;
	fd = memfd_sealed("filter", p.insns, p.len * sizeof(*p.insns));
	free(p.insns);
	if (fd < 0)
		(void)fail(code, why, "internal", "%s", "no memory");
	return fd;
}

/* A blob for each volume of the manifest, in its order. */
static bool
blob_fds(struct warren_node *wn, const struct job *j, int *fds, unsigned *n)
{
	for (unsigned i = 0; i < j->m->nvolumes; i++) {
		int fd = blobs_fd(wn->blobs, &j->owner,
		    &j->m->volume[i].blob.sha256);

		if (fd < 0)
			return false;
		fds[(*n)++] = fd;
	}
	return true;
}

static bool
make_group(struct warren_node *wn, struct job *j, const char **code,
    char why[128])
{
	const struct node_runner *r = &wn->node.runner;
	const struct limits own = level_own(&wn->node.policy, &j->limits);
	struct cgroup_limits l = {
	    .memory = j->limits.v[LIMIT_MEMORY] + r->memory,
	    .cpu_milli = (uint32_t)j->limits.v[LIMIT_CPU],
	    .pids = (uint32_t)j->limits.v[LIMIT_PIDS] + r->pids,
	    .io_read = own.v[LIMIT_IO_READ],
	    .io_write = own.v[LIMIT_IO_WRITE]};
	const uint32_t kinds = LAYER_MEMORY | LAYER_CPU | LAYER_PIDS;
	const char *what = "";
	uint32_t layers = 0;

	if (cgroup_job_make(&wn->group[j->slot], &wn->groups, &j->id, j->slot,
		&l, &layers, &what) != 0) {
		log_warn("cgroup", "%s", what);
		return fail(code, why, "internal", "cgroup: %s", what);
	}
	wn->has_group[j->slot] = true;
	/* with the commit that lets J_RUN out: a later program needs them */
	j->cpu_before = wn->group[j->slot].cpu_before;
	j->oom_before = wn->group[j->slot].oom_before;
	if ((wn->node.policy.required & kinds & ~layers) == 0)
		return true;
	start_free_slot(wn, j);
	return fail(code, why, "posture", "%s",
	    "memory, cpu or pids of its group cannot be limited");
}

static void
close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		(void)close(fds[i]);
}

/* ---- a module ---- */

/* What of it goes to jail: it and the place of its code, or its code. */
struct module {
	uint8_t flags;
	uint64_t size;
	int fds[3];
	unsigned n;
};

static bool
is_module(const struct job *j)
{
	return (j->m->has & HAS_WASM) != 0;
}

static uint8_t
module_flags(const struct warren_node *wn, const struct job *j)
{
	const struct wasm_ask *a = &j->m->module;
	uint8_t flags = 0;

	if (job_in_memory(j))
		flags |= WASM_EMULATED;
	if (a->deterministic)
		flags |= WASM_FIXED;
	/* machine code is memory without a file */
	if (wn->conf->wasm_interpreted ||
	    (j->contract != NULL && !j->contract->anonymous_exec))
		flags |= WASM_INTERPRETED;
	return flags;
}

static bool
module_open(struct warren_node *wn, const struct job *j, struct module *w,
    const char **code, char why[128])
{
	struct id32 key;
	int fd;

	memset(w, 0, sizeof(*w));
	if (!is_module(j))
		return true;
	w->flags = module_flags(wn, j);
	wasmcache_key(&key, &j->m->wasm.sha256,
	    (w->flags & WASM_INTERPRETED) != 0, j->m->module.fuel != 0);
	if ((fd = wasmcache_find(wn->wasm, &key, &w->size)) >= 0) {
		w->fds[w->n++] = fd;
		return true;
	}
	/* ... or it is to be read first, and is compiled meanwhile */
	if (!wasmcache_idle(wn->wasm))
		ev_timer_start(wn->loop, &wn->work);
	w->flags |= WASM_COMPILE;
	w->size = j->m->wasm.size;
	fd = blobs_fd(wn->blobs, &j->owner, &j->m->wasm.sha256);
	if (fd < 0)
		return fail(code, why, "volume", "%s",
		    "its module is not in the spool any more");
	w->fds[w->n++] = fd;
	if (wasmcache_begin(wn->wasm, j->slot, &key, &w->fds[1],
	    &w->fds[2]) < 0) {
		(void)close(fd);
		w->n = 0;
		return fail(code, why, "internal", "%s",
		    "no file for its code");
	}
	w->n = 3;
	return true;
}

static bool
compile(struct warren_node *wn, const struct job *j, struct compiled *c,
    uint32_t filter_len, const struct module *w, const char **code,
    char why[128])
{
	static uint8_t buf[IMAGE_RECORD_MAX];
	const struct limits own = level_own(&wn->node.policy, &j->limits);
	struct image_record rec = {.cwd = "/"};
	struct compile_in in = {.m = j->m, .profile = wn->profile,
	    .granted = own.v, .image = &j->image, .rec = &rec,
	    .slot = j->slot, .required = wn->node.policy.required &
		~(uint32_t)LAYERS_OTHERS, /* jail cannot give it */
	    .filter_len = filter_len, .contract = j->contract,
	    .wasm = w->flags, .module = w->size};
	const char *bad, *text = "";

	if (!is_module(j) &&
	    store_record(wn->images, &j->image, buf, &rec) != 0)
		return fail(code, why, "image", "%.80s is not on the node "
		    "any more", j->m->image);
	if ((bad = plan_compile(c, &in, &text)) != NULL)
		return fail(code, why, bad, "%s", text);
	return true;
}

/* ---- under watch ---- */

static void
drop_held(struct held_run *h)
{
	if (h->m == NULL)
		return;
	close_all(h->fds, h->n);
	free(h->m);
	h->m = NULL;
}

static void
hold(struct warren_node *wn, const struct job *j, const struct msg_J_RUN *m,
    const int *fds, unsigned n)
{
	struct held_run *h = &wn->held[j->slot];

	drop_held(h);
	if ((h->m = malloc(sizeof(*h->m))) == NULL)
		fatal("out of memory");
	*h->m = *m;
	memcpy(h->fds, fds, n * sizeof(*fds));
	h->n = n;
}

void
start_run(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;
	struct held_run *h = &wn->held[j->slot];

	if (j->slot == 0 || h->m == NULL)
		return;
	outbox_J_RUN(wn, h->m, h->fds, h->n);
	free(h->m);
	h->m = NULL;
}

static void
say_watch(struct warren_node *wn, const struct job *j, bool late)
{
	const struct cgroup_job *g = &wn->group[j->slot];
	struct msg_W_JOB m = {.job = j->id, .late = late,
	    .nested = wn->node.runner.number != RUNNER_NATIVE,
	    .group = cgroup_job_id(g),
	    .cpu_milli = (uint32_t)j->limits.v[LIMIT_CPU]};
	const struct contract *c = j->contract;
	int fds[WATCH_FILES];
	unsigned n = 0;

	for (unsigned i = 0; i < WATCH_FILES; i++) {
		fds[n] = cgroup_counter(g, (enum watch_file)i);
		if (fds[n] < 0)
			continue;
		m.files |= (uint8_t)(1u << i);
		n++;
	}
	if (c != NULL) {
		m.record_len = (uint16_t)contract_watched(m.record,
		    sizeof(m.record), c, &j->limits);
		seccomp_calls(m.denied, c->deny, c->ndeny);
	}
	outbox_W_JOB(wn, &m, fds, n);
}

void
start_watch(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	if (j->slot != 0 && wn->has_group[j->slot])
		say_watch(wn, j, true);
}

bool
start_job(void *ctx, struct job *j, const char **code, char why[128])
{
	struct warren_node *wn = ctx;
	struct compiled c;
	struct msg_J_RUN m;
	struct wr w = wr_make(m.plan, sizeof(m.plan));
	struct module module;
	int fds[2 + MANIFEST_VOLUMES + NELEM(module.fds)];
	unsigned n = 0;
	uint32_t filter_len = 0;
	int filter, args;

	j->probed = wn->node.watch_layers != 0;
	filter = filter_fd(wn, j, &filter_len, code, why);
	if (filter < 0)
		return false;
	if (!module_open(wn, j, &module, code, why) ||
	    !compile(wn, j, &c, filter_len, &module, code, why)) {
		close_all(module.fds, module.n);
		(void)close(filter);
		return false;
	}
	args = memfd_sealed("args", c.args, c.plan.args_len);
	free(c.args);
	plan_encode(&w, &c.plan);
	if (args < 0 || !wr_ok(&w)) {
		(void)close(filter);
		if (args >= 0)
			(void)close(args);
		close_all(module.fds, module.n);
		return fail(code, why, "internal", "%s",
		    "no memory for its plan");
	}
	m.plan_len = (uint16_t)w.len;
	fds[n++] = args;
	fds[n++] = filter;
	if (!blob_fds(wn, j, fds, &n)) {
		close_all(module.fds, module.n);
		close_all(fds, n);
		return fail(code, why, "volume", "%s",
		    "an input is not in the spool any more");
	}
	for (unsigned i = 0; i < module.n; i++)
		fds[n++] = module.fds[i];
	if (!make_group(wn, j, code, why)) {
		close_all(fds, n);
		return false;
	}
	hold(wn, j, &m, fds, n);
	if (wn->node.watches) {
		say_watch(wn, j, false);
		watched_waits(&wn->node, j);
	}
	/* a module has come as an input does, by its digest */
	if (is_module(j))
		verified_go(&wn->node, j);
	else
		verified_waits(&wn->node, j);
	return true;
}

bool
start_kill(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	if (j->slot == 0 || !wn->has_group[j->slot])
		return false;
	/*
	 * A step that is cloned from jail's group into one that was killed is
	 * killed on the spot (seen on Linux 6.18): nothing can be packed or
	 * cleaned after this.
	 */
	if (cgroup_kill(&wn->group[j->slot]) == 0)
		return true;
	log_warn("cgroup", "a job's group is not killed");
	return false;
}

bool
start_freeze(void *ctx, struct job *j, bool on)
{
	struct warren_node *wn = ctx;

	return j->slot != 0 && wn->has_group[j->slot] &&
	    cgroup_freeze(&wn->group[j->slot], on) == 0;
}

void
start_slow(void *ctx, struct job *j, uint32_t milli)
{
	struct warren_node *wn = ctx;

	if (j->slot != 0 && wn->has_group[j->slot] &&
	    cgroup_slow(&wn->group[j->slot], milli) != 0)
		log_warn("cgroup", "a job is not slowed down");
}

void
start_usage(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;
	struct cgroup_usage u = {0};

	if (j->slot == 0 || !wn->has_group[j->slot])
		return;
	cgroup_usage(&wn->group[j->slot], &u);
	j->cpu_ms = u.cpu_us / 1000 + j->compile_ms;
	j->memory_kb = u.memory_peak / 1024;
	j->oom = u.oom_kills > 0;
	j->pids_hit = u.pids_hit > 0;
}

void
start_ending(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;

	if (j->slot != 0 && wn->has_group[j->slot])
		(void)cgroup_job_ease(&wn->group[j->slot], HAND_ROOM);
}

void
start_free_slot(void *ctx, struct job *j)
{
	struct warren_node *wn = ctx;
	struct cgroup_job *g = &wn->group[j->slot];

	drop_held(&wn->held[j->slot]);
	wasmcache_drop(wn->wasm, j->slot);
	if (j->slot == 0 || !wn->has_group[j->slot])
		return;
	if (cgroup_job_remove(g) != 0) {
		/* what a dead jail has left ends soon: start_sweep() */
		cgroup_job_close(g);
		wn->sweep = true;
	}
	wn->has_group[j->slot] = false;
}

static bool
in_use(const struct warren_node *wn, const char *name)
{
	for (unsigned i = 1; i <= NODE_SLOTS_MAX; i++) {
		if (wn->has_group[i] && strcmp(wn->group[i].name, name) == 0)
			return true;
	}
	return false;
}

void
start_sweep(struct warren_node *wn)
{
	int fd = wn->groups.v2 < 0 ? -1 : openat(wn->groups.v2, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	char path[100];

	wn->sweep = false;
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	while ((de = readdir(d)) != NULL) {
		if (strncmp(de->d_name, "job-", 4) == 0 &&
		    !in_use(wn, de->d_name) &&
		    unlinkat(wn->groups.v2, de->d_name, AT_REMOVEDIR) != 0 &&
		    errno == EBUSY) {
			/* whoever is left in it ends now */
			(void)snprintf(path, sizeof(path), "%.80s/cgroup.kill",
			    de->d_name);
			if (file_put(wn->groups.v2, path, "1") < 0)
				log_warn("cgroup", "%.80s", path);
			wn->sweep = true;
		}
	}
	(void)closedir(d);
}

void
start_found(struct warren_node *wn, struct job *j, uint32_t slot)
{
	if (slot == 0 || slot > NODE_SLOTS_MAX || wn->has_group[slot])
		return;
	wn->has_group[slot] = cgroup_job_find(&wn->group[slot], &wn->groups,
	    &j->id, slot) == 0;
	wn->group[slot].cpu_before = j->cpu_before;
	wn->group[slot].oom_before = j->oom_before;
	/* of what contained it too: of its own there is no more */
	wn->group[slot].limits.memory = j->limits.v[LIMIT_MEMORY];
}
