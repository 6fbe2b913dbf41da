/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/probes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"

#ifdef HAVE_BPF

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* of watch.bpf.c: which function hangs on which tracepoint */
static const struct {
	const char *function, *point;
} hooks[] = {
    {"watch_sys_exit", NULL}, /* by its types, it knows its own */
    {"watch_exec", "sched_process_exec"},
    {"watch_fork", "sched_process_fork"},
    {"watch_exit", "sched_process_exit"},
};

/* audit/bpf/watch.bpf.o, as the linker brings it */
extern const char _binary_watch_image_tmp_start[];
extern const char _binary_watch_image_tmp_end[];

struct probes {
	struct bpf_object *object;
	struct ring_buffer *ring;
	int groups, hints, bounds, every;
	unsigned bounded; /* groups under a contract */
	__u32 hint[WATCH_HINTS]; /* watched groups by their low bits */
	int program[NELEM(hooks)];
	int link[NELEM(hooks)]; /* -1: not attached */
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

static int
load(struct probes *p)
{
	size_t len = (size_t)(_binary_watch_image_tmp_end -
	    _binary_watch_image_tmp_start);
	void *copy = malloc(len); /* aligned, which the linker's is not */
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "warren");
	int ring;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, _binary_watch_image_tmp_start, len);
	p->object = bpf_object__open_mem(copy, len, &opts);
	free(copy);
	if (p->object == NULL)
		return -errno;
	if (bpf_object__load(p->object) != 0)
		return -errno;
	for (size_t i = 0; i < NELEM(hooks); i++) {
		struct bpf_program *prog = bpf_object__find_program_by_name(
		    p->object, hooks[i].function);

		p->program[i] = prog == NULL ? -1 : bpf_program__fd(prog);
		if (p->program[i] < 0)
			return -ENOENT;
	}
	p->groups = bpf_object__find_map_fd_by_name(p->object, "groups");
	p->hints = bpf_object__find_map_fd_by_name(p->object, "hints");
	p->bounds = bpf_object__find_map_fd_by_name(p->object, "bounds");
	p->every = bpf_object__find_map_fd_by_name(p->object, "every");
	ring = bpf_object__find_map_fd_by_name(p->object, "ring");
	if (p->groups < 0 || p->hints < 0 || p->bounds < 0 || p->every < 0 ||
	    ring < 0)
		return -ENOENT;
	p->ring = ring_buffer__new(ring, on_record, p, NULL);
	return p->ring == NULL ? -errno : 0;
}

static void
explain(char why[PROBES_WHY], int error)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		(void)snprintf(why, PROBES_WHY, "this kernel does not tell its "
		    "types (/sys/kernel/btf/vmlinux: CONFIG_DEBUG_INFO_BTF)");
	else if (error == EPERM || error == EACCES)
		(void)snprintf(why, PROBES_WHY, "probes in the kernel need "
		    "root (CAP_BPF and CAP_PERFMON)");
	else
		(void)snprintf(why, PROBES_WHY, "this kernel does not take the "
		    "probes: %s (Linux 5.19 or later does)", strerror(error));
}

struct probes *
probes_load(char why[PROBES_WHY])
{
	struct probes *p = calloc(1, sizeof(*p));
	int r;

	(void)libbpf_set_print(said);
	for (size_t i = 0; p != NULL && i < NELEM(hooks); i++)
		p->link[i] = -1;
	r = p == NULL ? -ENOMEM : load(p);
	/* that all of them can be attached is known now, not with a job */
	if (r == 0 && probes_attach(p) < 0)
		r = -errno;
	if (r == 0) {
		probes_detach(p);
		return p;
	}
	explain(why, -r);
	probes_free(p);
	return NULL;
}

int
probes_attach(struct probes *p)
{
	for (size_t i = 0; i < NELEM(hooks); i++) {
		if (p->link[i] < 0)
			p->link[i] = bpf_raw_tracepoint_open(hooks[i].point,
			    p->program[i]);
		if (p->link[i] < 0) {
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
	for (size_t i = 0; i < NELEM(hooks); i++) {
		if (p->link[i] >= 0)
			(void)close(p->link[i]);
		p->link[i] = -1;
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

int
probes_watch(struct probes *p, uint64_t group, bool late)
{
	const struct watch_group g = {.late = late};

	if (bpf_map_update_elem(p->groups, &group, &g, BPF_NOEXIST) != 0)
		return errno == EEXIST ? 0 : -1;
	if (hint(p, group, 1) == 0)
		return 0;
	(void)bpf_map_delete_elem(p->groups, &group);
	return -1;
}

/* All calls are looked at while one is under a contract: that costs more. */
static int
look_at_all(struct probes *p)
{
	__u32 zero = 0, all = p->bounded > 0;

	return bpf_map_update_elem(p->every, &zero, &all, BPF_ANY);
}

int
probes_bound(struct probes *p, uint64_t group, const struct watch_bounds *b)
{
	if (bpf_map_update_elem(p->bounds, &group, b, BPF_NOEXIST) != 0)
		return bpf_map_update_elem(p->bounds, &group, b, BPF_ANY) == 0 ?
		    0 : -1;
	p->bounded++;
	return look_at_all(p) == 0 ? 0 : -1;
}

bool
probes_group(struct probes *p, uint64_t group, struct watch_group *out)
{
	return bpf_map_lookup_elem(p->groups, &group, out) == 0;
}

void
probes_forget(struct probes *p, uint64_t group)
{
	if (bpf_map_delete_elem(p->groups, &group) == 0)
		(void)hint(p, group, -1);
	if (bpf_map_delete_elem(p->bounds, &group) != 0)
		return;
	p->bounded--;
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
probes_load(char why[PROBES_WHY])
{
	(void)snprintf(why, PROBES_WHY, "this build has no probes in the "
	    "kernel (configure names what was missing: clang, libbpf-dev)");
	return NULL;
}

/* There is none of these, so nobody calls them. */
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
