/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/init.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/base/caps.h"
#include "sandbox/base/command.h"
#include "common/cleanup.h"
#include "common/ipc_msg.h"
#include "sandbox/jail/init_label.h"
#include "sandbox/jail/jail.h"
#include "sandbox/jail/member.h"
#include "sandbox/base/group.h"
#include "sandbox/base/handstart.h"
#include "sandbox/base/landlock.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/report.h"
#include "sandbox/base/root.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/userns.h"
#include "sandbox/plan/wasm.h"
#include "common/util.h"

void
stage_path(char *out, uint32_t slot, unsigned volume)
{
	(void)snprintf(out, STAGE_PATH_MAX, "/stage/%u/v%u", slot, volume);
}

static void
refuse(int report, const char *code, const char *why)
{
	struct report r = {.kind = REPORT_FAIL};

	(void)snprintf(r.code, sizeof(r.code), "%s", code);
	(void)snprintf(r.why, sizeof(r.why), "%s", why);
	report_send(report, &r);
	_exit(1);
}

static void
fail(int report, const char *code, const char *what, int err)
{
	char why[256];

	(void)snprintf(why, sizeof(why), "%s: %s", what, strerror(err));
	refuse(report, code, why);
}

/*
 * From here on the ids are those of the job, all capabilities reach no further
 * than the slot's user namespace, and our end is jail's end.
 */
static void
take_ids(const struct init_env *e, int report)
{
	struct pollfd p = {.fd = report, .events = 0};
	int rv = 0;

	/* rootless the user's groups cannot be left (setgroups is denied) */
	if (e->root)
		rv = (int)syscall(SYS_setgroups, 0, NULL);
	if (rv < 0 || userns_take_id() < 0)
		fail(report, "internal", "ids", errno);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		fail(report, "internal", "prctl", errno);
	/* jail may have died before that: then nobody reads */
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0)
		_exit(1);
	/* after the clone, so that its root is our own group */
	if (e->grouped && unshare(CLONE_NEWCGROUP) < 0)
		fail(report, "internal", "cgroup namespace", errno);
	(void)umask(022);
}

/* ---- pid 1 ---- */

/* The descriptor is a sealed memfd: nobody changes it under us. */
static void *
map_fd(int fd, size_t len)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	if ((uint64_t)st.st_size != len) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static void
find_places(int report, const struct plan_args *a, const char *hex,
    struct place *out)
{
	char path[96], why[PLACES_WHY];
	const char *code;
	int root;

	/* a module has no image: an empty folder is as good as one */
	(void)snprintf(path, sizeof(path), "%s%s", hex == NULL ? "/hold" :
	    "/images/roots/", hex == NULL ? "" : hex);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (root < 0)
		fail(report, "image", "image", errno);
	code = places_find(out, root, a->targets, a->ntargets, why);
	if (code != NULL)
		refuse(report, code, why);
	(void)close(root);
}

void
init_root(const struct shape *s, int report, const struct plan_args *a,
    char *hex, struct place *places, struct root_plan *r)
{
	hex_encode(hex, HASH_BYTES(s->image));
	*r = (struct root_plan){.hex = s->wasm ? NULL : hex, .wasm = s->wasm,
	    .read_only = s->read_only, .tmp_bytes = s->tmp_bytes,
	    .tmp_inodes = s->tmp_inodes, .noexec = s->noexec,
	    .places = places, .n = a->ntargets};
	find_places(report, a, r->hex, places);
}

/* Where a job's volumes are, in the base or as trees. */
struct sources {
	struct root_volume v[PLAN_VOLUMES_ALL];
	char paths[PLAN_VOLUMES_ALL][STAGE_PATH_MAX];
};

static void
find_sources(const struct init_env *e, const struct init_job *j,
    struct sources *s, struct root_plan *r)
{
	const struct plan *p = &j->plan;

	for (uint32_t i = 0; i < p->nvolumes; i++) {
		s->v[i].tree = j->trees[i];
		s->v[i].path = s->paths[i];
		if (p->volumes[i].kind == PLAN_VOL_PROFILE)
			(void)snprintf(s->paths[i], sizeof(s->paths[i]),
			    "/vol/%u", p->volumes[i].index);
		else
			stage_path(s->paths[i], e->slot, i);
	}
	r->volumes = s->v;
	r->n = p->nvolumes;
}

static const char *
code_of(const char *what)
{
	return strcmp(what, "volume") == 0 ? "volume" :
	    strcmp(what, "image") == 0 ? "image" : "internal";
}

static void
build_root(const struct init_env *e, const struct init_job *j,
    const struct plan_args *a, struct place *places, bool outside)
{
	struct sources sources;
	struct root_plan r;
	struct shape shape;
	const char *what;
	char hex[65];

	shape_of(&shape, &j->plan);
	init_root(&shape, j->report, a, hex, places, &r);
	r.outside = outside;
	find_sources(e, j, &sources, &r);
	if (root_build(&r, &what) == 0)
		return;
	if (errno == ENOENT && strchr(what, '/') == NULL &&
	    strcmp(what, "root") != 0)
		refuse(j->report, "image", "it lacks the folder of a mount, and "
		    "this kernel has no overlay to add it");
	fail(j->report, code_of(what), what, errno);
}

/* Before anything that a stranger has said is read. */
static void
join_root(const struct init_env *e, const struct init_job *j,
    struct place *places)
{
	struct root_plan r = {.places = places};
	struct sources sources;
	const char *what;

	memcpy(places, j->member->places, sizeof(j->member->places));
	find_sources(e, j, &sources, &r);
	if (root_join(j->member->ns, &r, &what) < 0)
		fail(j->report, code_of(what), what, errno);
}

static uint32_t
layers_of(const struct init_env *e, const struct plan *p)
{
	uint32_t l = LAYERS_FLOOR | LAYER_UTS | LAYER_RLIMITS;

	if (e->grouped)
		l |= LAYER_CGROUP;
	if (e->landlock_abi > 0)
		l |= LAYER_LANDLOCK;
	if (p->read_only)
		l |= LAYER_READONLY;
	if (p->runtime == PLAN_WASM)
		l |= LAYER_WASM;
	if ((p->wasm & WASM_INTERPRETED) != 0)
		l |= LAYER_INTERPRETED;
	return l;
}

void
init_prepare(const struct init_env *e, const struct init_job *j, bool outside,
    struct init_ready *out)
{
	size_t filter_bytes = j->plan.filter_len * sizeof(struct sock_filter);
	struct plan_args *args = &out->args;
	const char *why;
	uint8_t *buf;

	take_ids(e, j->report);
	if (j->member != NULL)
		join_root(e, j, out->places);
	if ((buf = map_fd(j->args, j->plan.args_len)) == NULL ||
	    (out->filter.insns = map_fd(j->filter, filter_bytes)) == NULL)
		fail(j->report, "internal", "memfd", errno);
	out->filter.len = (unsigned short)j->plan.filter_len;
	if ((why = plan_args_parse(buf, j->plan.args_len, args)) != NULL ||
	    args->ntargets != j->plan.nvolumes ||
	    plan_targets_len(args) != j->plan.targets_len)
		fail(j->report, why != NULL && strncmp(why, "a target", 8) == 0
		    ? "volume" : "internal", why == NULL ? "targets" : why,
		    EINVAL);
	if (j->member == NULL)
		build_root(e, j, args, out->places, outside);
}

void
init_job(const struct init_env *e, const struct init_job *j)
{
	static struct init_ready ready;
	static struct command c;
	struct report r = {.kind = REPORT_READY};
	const char *why;
	pid_t pid;

	init_prepare(e, j, false, &ready);
	c = (struct command){.plan = &j->plan, .args = &ready.args,
	    .out = j->out, .err = j->err, .code = j->code,
	    .words = j->args, .root = e->root,
	    .file_max = e->file_max, .slots = e->slots,
	    .no_memory_group = e->no_memory_group,
	    .landlock_abi = e->landlock_abi, .job = e->job_filter,
	    .seal = e->seal_filter, .own = ready.filter};
	command_paths(&c, ready.places);
	if ((why = init_label(e, j, ready.places, &c)) != NULL)
		refuse(j->report, "posture", why);
	/* until it is the command, the child runs in our memory: no copy */
	pid = vfork();
	if (pid == 0)
		command_run(&c);
	if (pid < 0)
		fail(j->report, "internal", "fork", errno);
	if ((why = init_unlabelled(&c)) != NULL)
		refuse(j->report, "posture", why);
	if (c.failed != NULL)
		fail(j->report, "internal", (const char *)c.failed, c.error);
	if ((why = init_labelled(&c, pid, &r.layers)) != NULL)
		refuse(j->report, "posture", why);
	/* what the child gave up is ours as well; its copy of our memory too */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (caps_drop_all() < 0)
		fail(j->report, "internal", "capabilities", errno);
	r.layers |= layers_of(e, &j->plan);
	report_send(j->report, &r);
	if (dup2(j->report, 0) < 0 || sys_close_range(1, ~0u) < 0)
		_exit(1);
	report_reap(pid, 0, j->plan.runtime == PLAN_WASM);
	_exit(1);
}

/* ---- the trial ---- */

static void
trial_fail(int report, const char *what, int err)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", err);
	refuse(report, number, what);
}

void
init_take_ids(const struct init_env *e, int report)
{
	take_ids(e, report);
}

void
init_fail(int report, const char *code, const char *what, int err)
{
	fail(report, code, what, err);
	_exit(1);
}

void
init_trial(const struct init_env *e, const struct init_trial *t)
{
	static struct place places[PLACES_ALL] = {[PLACE_DEV] = {.path = "dev"},
	    [PLACE_TMP] = {.path = "tmp"}, [PLACE_PROC] = {.path = "proc"}};
	struct root_plan r = {.read_only = true, .tmp_bytes = 65536,
	    .tmp_inodes = PLAN_TMP_INODES,
	    .places = places};
	struct landlock_path paths[] = {{"/", LANDLOCK_MAY_READ},
	    {"/proc", LANDLOCK_MAY_NODES}};
	char name[] = "warren-hand", word[] = "try", *argv[] = {name, word, NULL};
	struct hand_start h = {.in = t->report, .out = t->report,
	    .report = t->report, .hand = t->hand,
	    .limits = {.pids = HAND_PIDS, .data = HAND_DATA_STEP},
	    .landlock_abi = e->landlock_abi, .paths = paths,
	    .npaths = NELEM(paths), .argv = argv,
	    .filters = {e->job_filter, e->seal_filter}};
	const char *what;

	take_ids(e, t->report);
	if (root_build(&r, &what) < 0)
		trial_fail(t->report, what, errno);
	what = hand_start(&h);
	trial_fail(h.report, what, errno);
	_exit(1);
}

/* ---- steps ---- */

static void
compile(const struct init_env *e, const struct init_step *s)
{
	char loader[] = WASM_PLACE, option[] = "--library-path",
	    place[] = "/" WASM_PLACE, runner[] = "/" WASM_PLACE "/warren-wasm",
	    verb[] = "compile", flags[8], fuel[24];
	char *argv[] = {loader, option, place, runner, verb, flags, fuel, NULL};
	struct landlock_path paths[] = {{"/", LANDLOCK_MAY_READ}};
	struct hand_start h = {.in = s->in, .out = s->out,
	    .report = s->report,
	    .limits = {.pids = HAND_PIDS, .fsize = s->bytes,
		.data = s->data, .cpu_s = s->cpu_s},
	    .landlock_abi = e->landlock_abi, .paths = paths,
	    .npaths = NELEM(paths), .argv = argv,
	    .filters = {e->job_filter, e->seal_filter}};
	const char *what;

	(void)snprintf(flags, sizeof(flags), "%u", s->wasm);
	(void)snprintf(fuel, sizeof(fuel), "%llu", (unsigned long long)s->fuel);
	if (root_compile_build(&what) < 0)
		fail(s->report, "internal", what, errno);
	h.hand = open("/" WASM_PLACE "/ld.so", O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (h.hand < 0)
		fail(s->report, "internal", "the runner of modules", errno);
	what = hand_start(&h);
	fail(h.report, "internal", what, errno);
	_exit(1);
}

void
init_step(const struct init_env *e, const struct init_step *s)
{
	static const char *const names[] = {[STEP_FILL] = "fill",
	    [STEP_PACK] = "pack", [STEP_CLEAN] = "clean"};
	char path[STAGE_PATH_MAX], src[STAGE_PATH_MAX];
	struct root_step root = {.tree = s->tree, .path = path,
	    .read_only = s->step == STEP_PACK};
	struct landlock_path paths[] = {
		{"/v", s->step == STEP_PACK ? LANDLOCK_MAY_READ :
		    LANDLOCK_MAY_READ | LANDLOCK_MAY_WRITE},
		{"/s", LANDLOCK_MAY_READ},
	};
	const char *what;
	char name[] = "warren-hand", members[16], content[24];
	char *argv[] = {name, NULL, NULL, NULL, NULL};
	struct hand_start h = {.in = s->in, .out = s->out,
	    .report = s->report, .hand = s->hand,
	    .limits = {.pids = HAND_PIDS, .fsize = s->bytes,
		.data = HAND_DATA_STEP},
	    /* a job may have taken its own right to read what it left */
	    .read_all = s->pack_all, .landlock_abi = e->landlock_abi,
	    .paths = paths, .npaths = NELEM(paths), .argv = argv,
	    .filters = {e->job_filter, e->seal_filter}};

	take_ids(e, s->report);
	if (s->step == STEP_COMPILE)
		compile(e, s);
	argv[1] = (char *)(uintptr_t)(s->profile >= 0 ? "copy" :
	    names[s->step]);
	if (s->step == STEP_FILL && s->profile < 0) {
		(void)snprintf(members, sizeof(members), "%u", s->members);
		(void)snprintf(content, sizeof(content), "%llu",
		    (unsigned long long)s->content);
		argv[2] = members;
		argv[3] = content;
	}
	stage_path(path, e->slot, (unsigned)s->volume);
	if (s->tree < 0 && s->step == STEP_FILL && mkdir(path, 0755) < 0)
		fail(s->report, "volume", "staging folder", errno);
	if (s->profile >= 0) {
		(void)snprintf(src, sizeof(src), "/vol/%d", s->profile);
		root.src = src;
	}
	if (root_step_build(&root, &what) < 0)
		fail(s->report, "volume", what, errno);
	what = hand_start(&h);
	fail(h.report, "internal", what, errno);
	_exit(1);
}
