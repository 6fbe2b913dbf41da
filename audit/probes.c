/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"

const char *
probes_tier_name(enum probes_tier tier)
{
	static const char *const names[PROBES_TIERS] = {"lsm", "fentry",
	    "raw tracepoints"};

	return tier < PROBES_TIERS ? names[tier] : "none";
}

#ifdef HAVE_BPF

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* audit/bpf/NAME.bpf.o, as the linker brings it */
#define IMAGE(name)                                                            \
	extern const char _binary_audit_bpf_##name##_bpf_o_start[];            \
	extern const char _binary_audit_bpf_##name##_bpf_o_end[];
IMAGE(lsm)
IMAGE(fentry)
IMAGE(watch)
#define AT(name)                                                               \
	_binary_audit_bpf_##name##_bpf_o_start,                                \
	    _binary_audit_bpf_##name##_bpf_o_end

static const struct {
	const char *image, *end;
} tiers[PROBES_TIERS] = {[PROBES_LSM] = {AT(lsm)},
    [PROBES_FENTRY] = {AT(fentry)}, [PROBES_RAW] = {AT(watch)}};

#define HOOKS_MAX 48 /* programs of a tier */

struct hook {
	int program;
	const char *point; /* of a raw tracepoint; NULL: by its types */
	int link;	   /* -1: not attached */
};

struct probes {
	enum probes_tier tier;
	struct bpf_object *object;
	struct ring_buffer *ring;
	int groups, hints, bounds, every, stacks, denied;
	unsigned late; /* groups that were found running */
	__u32 hint[WATCH_HINTS]; /* watched groups by their low bits */
	struct hook hook[HOOKS_MAX];
	size_t nhooks;
	probes_fn *fn;
	void *ctx;
};

/* libbpf speaks by the line; what is wrong comes back as an errno. */
static int
said(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[400];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	if (level == LIBBPF_WARN)
		log_debug("bpf", "%s", line);
	return 0;
}

static int
on_record(void *ctx, void *rec, size_t len)
{
	struct probes *p = ctx;

	return p->fn(p->ctx, rec, len) ? 0 : -ECANCELED;
}

/* What this kernel may not have, and is fine without: "?" of its section. */
static void
leave_out(struct bpf_object *o)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, o) {
		const char *section = bpf_program__section_name(prog);
		char hook[80];

		if (bpf_program__autoload(prog) || btf == NULL)
			continue;
		(void)snprintf(hook, sizeof(hook), "bpf_lsm_%s",
		    strchr(section, '/') + 1);
		if (btf__find_by_name_kind(btf, hook, BTF_KIND_FUNC) > 0)
			(void)bpf_program__set_autoload(prog, true);
	}
	btf__free(btf);
}

static int
find_hooks(struct probes *p)
{
	static const char raw[] = "raw_tp/";
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, p->object) {
		const char *section = bpf_program__section_name(prog);
		struct hook *h = &p->hook[p->nhooks];

		if (!bpf_program__autoload(prog))
			continue;
		if (p->nhooks == HOOKS_MAX)
			return -E2BIG;
		h->program = bpf_program__fd(prog);
		h->link = -1;
		if (strncmp(section, raw, sizeof(raw) - 1) == 0)
			h->point = section + sizeof(raw) - 1;
		p->nhooks++;
	}
	return 0;
}

static int
find_maps(struct probes *p)
{
	int ring = bpf_object__find_map_fd_by_name(p->object, "ring");

	p->groups = bpf_object__find_map_fd_by_name(p->object, "groups");
	p->hints = bpf_object__find_map_fd_by_name(p->object, "hints");
	p->bounds = bpf_object__find_map_fd_by_name(p->object, "bounds");
	p->every = bpf_object__find_map_fd_by_name(p->object, "every");
	p->stacks = bpf_object__find_map_fd_by_name(p->object, "stacks");
	p->denied = bpf_object__find_map_fd_by_name(p->object, "denied");
	if (p->groups < 0 || p->hints < 0 || p->bounds < 0 || p->every < 0 ||
	    p->stacks < 0 || ring < 0 || (p->tier == PROBES_LSM && p->denied < 0))
		return -ENOENT;
	p->ring = ring_buffer__new(ring, on_record, p, NULL);
	return p->ring == NULL ? -errno : 0;
}

/* It is read once, and would stay as large as the rest of the program. */
static void
let_go(const char *image, const char *end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = ((uintptr_t)image + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)end & ~(page - 1);

	if (to > from)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

static int
load(struct probes *p)
{
	const char *image = tiers[p->tier].image;
	size_t len = (size_t)(tiers[p->tier].end - image);
	void *copy = malloc(len); /* aligned, which the linker's is not */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "warren");
	int r;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, image, len);
	let_go(image, image + len);
	p->object = bpf_object__open_mem(copy, len, &opts);
	free(copy);
	if (p->object == NULL)
		return -errno;
	leave_out(p->object);
	if (bpf_object__load(p->object) != 0)
		return -errno;
	r = find_hooks(p);
	return r != 0 ? r : find_maps(p);
}

static void
explain(char why[PROBES_WHY], int error)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		(void)snprintf(why, PROBES_WHY, "this kernel does not tell its "
		    "types (/sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF)");
	else if ((error == EPERM || error == EACCES) && geteuid() != 0)
		(void)snprintf(why, PROBES_WHY, "probes in the kernel need "
		    "root (CAP_BPF and CAP_PERFMON)");
	else
		(void)snprintf(why, PROBES_WHY, "the kernel refuses the "
		    "probes: %s (they need Linux 5.19, CAP_BPF and "
		    "CAP_PERFMON)", strerror(error));
}

static struct probes *
try_tier(enum probes_tier tier, int *error)
{
	struct probes *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	(void)libbpf_set_print(said);
	if (p != NULL) {
		p->tier = tier;
		r = load(p);
	}
	/* that all of them can be attached is known now, not with a job */
	if (r == 0 && probes_attach(p) < 0)
		r = -errno;
	if (r == 0) {
		probes_detach(p);
		return p;
	}
	probes_free(p);
	*error = -r;
	return NULL;
}

struct probes *
probes_load_tier(enum probes_tier tier, char why[PROBES_WHY])
{
	int error = 0;
	struct probes *p = try_tier(tier, &error);

	why[0] = '\0';
	if (p == NULL)
		explain(why, error);
	return p;
}

struct probes *
probes_load(char why[PROBES_WHY])
{
	struct probes *p = NULL;
	size_t len = 0;
	int error = 0;

	why[0] = '\0';
	for (unsigned i = 0; p == NULL && i < PROBES_TIERS; i++) {
		p = try_tier((enum probes_tier)i, &error);
		if (p == NULL && len < PROBES_WHY)
			len += (size_t)snprintf(why + len, PROBES_WHY - len,
			    "%s%s: %s", len > 0 ? ", " : "",
			    probes_tier_name((enum probes_tier)i),
			    strerror(error));
	}
	if (p == NULL)
		explain(why, error);
	return p;
}

enum probes_tier
probes_tier(const struct probes *p)
{
	return p->tier;
}

int
probes_deny(struct probes *p, uint32_t what)
{
	__u32 zero = 0;

	if (p->tier != PROBES_LSM)
		return 0;
	return bpf_map_update_elem(p->denied, &zero, &what, BPF_ANY) == 0 ? 0 :
	    -1;
}

/* Of the jobs before; where that fails, others pay a little more. */
static void
clear_marks(struct probes *p)
{
	void *none = calloc(1, WATCH_STACKS);
	__u32 zero = 0;

	if (none != NULL)
		(void)bpf_map_update_elem(p->stacks, &zero, none, BPF_ANY);
	free(none);
}

int
probes_attach(struct probes *p)
{
	if (p->nhooks > 0 && p->hook[0].link < 0)
		clear_marks(p);
	for (size_t i = 0; i < p->nhooks; i++) {
		struct hook *h = &p->hook[i];

		if (h->link < 0)
			h->link = bpf_raw_tracepoint_open(h->point, h->program);
		if (h->link < 0) {
			int saved = errno;

			probes_detach(p);
			errno = saved;
			return -1;
		}
	}
	return 0;
}

void
probes_detach(struct probes *p)
{
	for (size_t i = 0; i < p->nhooks; i++) {
		if (p->hook[i].link >= 0)
			(void)close(p->hook[i].link);
		p->hook[i].link = -1;
	}
}

static int
hint(struct probes *p, uint64_t group, int by)
{
	__u32 slot = (__u32)(group % WATCH_HINTS), *n = &p->hint[slot];

	*n = by > 0 ? *n + 1 : *n - 1;
	if (bpf_map_update_elem(p->hints, &slot, n, BPF_ANY) == 0)
		return 0;
	*n = by > 0 ? *n - 1 : *n + 1;
	return -1;
}

/* Of a job that was found running no task is marked: all are looked at. */
static int
look_at_all(struct probes *p)
{
	__u32 zero = 0, all = p->late > 0;

	return bpf_map_update_elem(p->every, &zero, &all, BPF_ANY);
}

int
probes_watch(struct probes *p, uint64_t group, bool late)
{
	const struct watch_group g = {.late = late};

	if (bpf_map_update_elem(p->groups, &group, &g, BPF_NOEXIST) != 0)
		return errno == EEXIST ? 0 : -1;
	p->late += late;
	if (hint(p, group, 1) == 0 && look_at_all(p) == 0)
		return 0;
	p->late -= late;
	(void)bpf_map_delete_elem(p->groups, &group);
	return -1;
}

int
probes_bound(struct probes *p, uint64_t group, const struct watch_bounds *b)
{
	return bpf_map_update_elem(p->bounds, &group, b, BPF_ANY) == 0 ? 0 :
	    -1;
}

bool
probes_group(struct probes *p, uint64_t group, struct watch_group *out)
{
	return bpf_map_lookup_elem(p->groups, &group, out) == 0;
}

void
probes_forget(struct probes *p, uint64_t group)
{
	struct watch_group g;

	(void)bpf_map_delete_elem(p->bounds, &group);
	if (!probes_group(p, group, &g) ||
	    bpf_map_delete_elem(p->groups, &group) != 0)
		return;
	(void)hint(p, group, -1);
	p->late -= g.late;
	(void)look_at_all(p);
}

int
probes_fd(const struct probes *p)
{
	return ring_buffer__epoll_fd(p->ring);
}

int
probes_read(struct probes *p, probes_fn *fn, void *ctx)
{
	int r;

	p->fn = fn;
	p->ctx = ctx;
	r = ring_buffer__consume(p->ring);
	return r >= 0 || r == -ECANCELED ? 0 : -1;
}

void
probes_free(struct probes *p)
{
	if (p == NULL)
		return;
	probes_detach(p);
	ring_buffer__free(p->ring);
	bpf_object__close(p->object);
	free(p);
}

#else

struct probes *
probes_load_tier(enum probes_tier tier, char why[PROBES_WHY])
{
	(void)tier;
	return probes_load(why);
}

struct probes *
probes_load(char why[PROBES_WHY])
{
	(void)snprintf(why, PROBES_WHY, "this build has no probes in the "
	    "kernel (configure names what was missing: clang, libbpf-dev)");
	return NULL;
}

/* There is none of these, so nobody calls them. */
enum probes_tier
probes_tier(const struct probes *p)
{
	(void)p;
	return PROBES_TIERS;
}

int
probes_deny(struct probes *p, uint32_t what)
{
	(void)p;
	(void)what;
	errno = ENOSYS;
	return -1;
}

int
probes_attach(struct probes *p)
{
	(void)p;
	errno = ENOSYS;
	return -1;
}

void
probes_detach(struct probes *p)
{
	(void)p;
}

int
probes_watch(struct probes *p, uint64_t group, bool late)
{
	(void)p;
	(void)group;
	(void)late;
	errno = ENOSYS;
	return -1;
}

int
probes_bound(struct probes *p, uint64_t group, const struct watch_bounds *b)
{
	(void)p;
	(void)group;
	(void)b;
	errno = ENOSYS;
	return -1;
}

bool
probes_group(struct probes *p, uint64_t group, struct watch_group *out)
{
	(void)p;
	(void)group;
	(void)out;
	return false;
}

void
probes_forget(struct probes *p, uint64_t group)
{
	(void)p;
	(void)group;
}

int
probes_fd(const struct probes *p)
{
	(void)p;
	return -1;
}

int
probes_read(struct probes *p, probes_fn *fn, void *ctx)
{
	(void)p;
	(void)fn;
	(void)ctx;
	errno = ENOSYS;
	return -1;
}

void
probes_free(struct probes *p)
{
	(void)p;
}

#endif
