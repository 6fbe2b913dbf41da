/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/probes_impl.h"

#include "config.h"

#ifdef HAVE_BPF

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "common/util.h"

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
} tiers[PROBES_COUNTERS] = {[PROBES_LSM] = {AT(lsm)},
    [PROBES_FENTRY] = {AT(fentry)}, [PROBES_RAW] = {AT(watch)}};

#define HOOKS_MAX 48 /* programs of a tier */

struct hook {
	int program;
	const char *point; /* of a raw tracepoint; NULL: by its types */
	int link;	   /* -1: not attached */
};

struct bpf {
	struct probes p; /* first */
	struct bpf_object *object;
	struct ring_buffer *ring;
	int groups, hints, bounds, denied;
	volatile struct watch_looked *looked; /* shared with the kernel */
	unsigned late; /* groups that were found running */
	__u32 hint[WATCH_HINTS]; /* watched groups by their low bits */
	struct hook hook[HOOKS_MAX];
	size_t nhooks;
	probes_fn *fn;
	void *ctx;
};

static struct bpf *
of(struct probes *q)
{
	return (struct bpf *)q; /* its first member */
}

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
	struct bpf *p = ctx;

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
find_hooks(struct bpf *p)
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

/*
 * The kernel's own memory of the program's variables, by its descriptor: what
 * bpf_map__initial_value() has is with older releases of libbpf a
 * copy that no probe reads.
 */
static int
map_globals(struct bpf *p)
{
	struct bpf_map *globals = bpf_object__find_map_by_name(p->object,
	    ".bss");
	void *at;

	if (globals == NULL ||
	    bpf_map__value_size(globals) < sizeof(*p->looked))
		return -ENOENT;
	at = mmap(NULL, sizeof(*p->looked), PROT_READ | PROT_WRITE, MAP_SHARED,
	    bpf_map__fd(globals), 0);
	if (at == MAP_FAILED)
		return -errno;
	p->looked = at;
	return 0;
}

static int
find_maps(struct bpf *p)
{
	int ring = bpf_object__find_map_fd_by_name(p->object, "ring");
	int r;

	p->groups = bpf_object__find_map_fd_by_name(p->object, "groups");
	p->hints = bpf_object__find_map_fd_by_name(p->object, "hints");
	p->bounds = bpf_object__find_map_fd_by_name(p->object, "bounds");
	p->denied = bpf_object__find_map_fd_by_name(p->object, "denied");
	if (p->groups < 0 || p->hints < 0 || p->bounds < 0 || ring < 0 ||
	    (p->p.tier == PROBES_LSM && p->denied < 0))
		return -ENOENT;
	if ((r = map_globals(p)) != 0)
		return r;
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
load(struct bpf *p)
{
	const char *image = tiers[p->p.tier].image;
	size_t len = (size_t)(tiers[p->p.tier].end - image);
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

static int
deny(struct probes *q, uint32_t what)
{
	struct bpf *p = of(q);
	__u32 zero = 0;

	if (q->tier != PROBES_LSM)
		return 0;
	return bpf_map_update_elem(p->denied, &zero, &what, BPF_ANY) == 0 ? 0 :
	    -1;
}

static void
detach(struct probes *q)
{
	struct bpf *p = of(q);

	for (size_t i = 0; i < p->nhooks; i++) {
		if (p->hook[i].link >= 0)
			(void)close(p->hook[i].link);
		p->hook[i].link = -1;
	}
}

/* Of the jobs before. */
static void
clear_marks(struct bpf *p)
{
	for (unsigned i = 0; i < WATCH_STACKS; i++)
		p->looked->mark[i] = 0;
}

static int
attach(struct probes *q)
{
	struct bpf *p = of(q);

	if (p->nhooks > 0 && p->hook[0].link < 0)
		clear_marks(p);
	for (size_t i = 0; i < p->nhooks; i++) {
		struct hook *h = &p->hook[i];

		if (h->link < 0)
			h->link = bpf_raw_tracepoint_open(h->point, h->program);
		if (h->link < 0) {
			int saved = errno;

			detach(q);
			errno = saved;
			return -1;
		}
	}
	return 0;
}

static int
hint(struct bpf *p, uint64_t group, int by)
{
	__u32 slot = (__u32)(group % WATCH_HINTS), *n = &p->hint[slot];

	*n = by > 0 ? *n + 1 : *n - 1;
	if (bpf_map_update_elem(p->hints, &slot, n, BPF_ANY) == 0)
		return 0;
	*n = by > 0 ? *n - 1 : *n + 1;
	return -1;
}

/* Of a job that was found running no task is marked: all are looked at. */
static void
look_at_all(struct bpf *p)
{
	p->looked->everybody = p->late > 0;
}

static int
watch(struct probes *q, uint64_t group, unsigned how)
{
	struct bpf *p = of(q);
	const unsigned late = (how & WATCH_LATE) != 0;
	const struct watch_group g = {.late = late,
	    .nested = (how & WATCH_NESTED) != 0};

	if (bpf_map_update_elem(p->groups, &group, &g, BPF_NOEXIST) != 0)
		return errno == EEXIST ? 0 : -1;
	p->late += late;
	if (hint(p, group, 1) == 0) {
		look_at_all(p);
		return 0;
	}
	p->late -= late;
	(void)bpf_map_delete_elem(p->groups, &group);
	return -1;
}

static int
bound(struct probes *q, uint64_t group, const struct watch_bounds *b)
{
	struct bpf *p = of(q);

	return bpf_map_update_elem(p->bounds, &group, b, BPF_ANY) == 0 ? 0 :
	    -1;
}

static bool
sums(struct probes *q, uint64_t group, struct watch_group *out)
{
	struct bpf *p = of(q);

	return bpf_map_lookup_elem(p->groups, &group, out) == 0;
}

static void
forget(struct probes *q, uint64_t group)
{
	struct bpf *p = of(q);
	struct watch_group g;

	(void)bpf_map_delete_elem(p->bounds, &group);
	if (!sums(q, group, &g) ||
	    bpf_map_delete_elem(p->groups, &group) != 0)
		return;
	(void)hint(p, group, -1);
	p->late -= g.late;
	look_at_all(p);
}

static int
ring_fd(const struct probes *q)
{
	return ring_buffer__epoll_fd(((const struct bpf *)q)->ring);
}

static int
records(struct probes *q, probes_fn *fn, void *ctx)
{
	struct bpf *p = of(q);
	int r;

	p->fn = fn;
	p->ctx = ctx;
	r = ring_buffer__consume(p->ring);
	return r >= 0 || r == -ECANCELED ? 0 : -1;
}

static void
destroy(struct probes *q)
{
	struct bpf *p = of(q);

	detach(q);
	ring_buffer__free(p->ring);
	if (p->looked != NULL)
		(void)munmap((void *)p->looked, sizeof(*p->looked));
	bpf_object__close(p->object);
	free(p);
}

static const struct probes_ops bpf_ops = {.attach = attach, .detach = detach,
    .deny = deny, .watch = watch, .bound = bound, .group = sums,
    .forget = forget, .fd = ring_fd, .read = records, .free = destroy};

struct probes *
probes_bpf_load(enum probes_tier tier, int *error)
{
	struct bpf *p = calloc(1, sizeof(*p));
	int r = -ENOMEM;

	(void)libbpf_set_print(said);
	if (p != NULL) {
		p->p = (struct probes){tier, &bpf_ops};
		r = load(p);
	}
	/* that all of them can be attached is known now, not with a job */
	if (r == 0 && attach(&p->p) < 0)
		r = -errno;
	if (r == 0) {
		detach(&p->p);
		return &p->p;
	}
	if (p != NULL)
		destroy(&p->p);
	*error = -r;
	return NULL;
}

#endif
