/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes of the raw-tracepoint tier: they need no trampoline, so they load
 * where the kernel's text may not be patched. They watch and cannot deny.
 *
 * Of somebody else's task they look at whether its stack is marked, then at the
 * depth of its pid namespace and its group's id, and no further. A job's
 * process is one in a group of the map that is not the first of its pid
 * namespace: those are the house's own, jail's init and warren-hand.
 *
 * What is looked at is what the call did, at its end: the arguments are still
 * in the registers, and the result names the file and not a text that the job
 * may change meanwhile.
 */
#include "audit/bpf/kernel.h"
#include "audit/bpf/watch_rec.h"

#include <asm/unistd.h>

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_setxattrat
#define __NR_setxattrat 463
#define __NR_removexattrat 466
#endif
#ifndef __NR_file_setattr
#define __NR_file_setattr 469
#endif

/* Some of the helpers below are for programs under this licence only. */
char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WATCH_GROUPS);
	__type(key, __u64);
	__type(value, struct watch_group);
} groups SEC(".maps");

/*
 * Is there a watched group with these low bits? An array is read in a few
 * instructions, where the hash costs a call: that is what foreign tasks pay.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WATCH_HINTS);
	__type(key, __u32);
	__type(value, __u32);
} hints SEC(".maps");

/*
 * Whose calls are looked at: a mark for the kernel's stack of a task, on which
 * the registers of its call stand. A task of a job is marked when it is made
 * and when it runs a program, and stays so; who has its stack or its slot
 * later is found to be nobody's by its group. So others pay two looks at memory
 * whose place is known when this is loaded: a helper costs ten times as much,
 * and an element of a map the way to it.
 */
volatile struct watch_looked at_whom SEC(".bss");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WATCH_RING);
} ring SEC(".maps");

#define O_WRONLY 01
#define O_RDWR 02
#define O_CREAT 0100
#define O_TRUNC 01000
#define O_PATH 010000000
#define O_WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
#define AT_FDCWD -100
#define AT_SYMLINK_FOLLOW 0x400
#define AF_UNIX 1
#define SUN_PATH 108
#define FS_IOC_SETFLAGS 0x40086602u
#define FS_IOC_FSSETXATTR 0x401c5820u
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EACCES 13
#define EROFS 30
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define EAGAIN 11
#define SHM_EXEC 0100000
#define READ_IMPLIES_EXEC 0x0400000
#define MAP_SHARED 0x01
#define MAP_ANONYMOUS 0x20
#define CLONE_NEWUSER 0x10000000
#define SIGSYS 31
#define NSEC 1000000000ull

/* ---- whose ---- */

/*
 * Filters that a process has more than the first one of its pid namespace. A
 * job's command has; what another runner does around it, in the same group, has
 * not. What is none of the job's counts as that first process does.
 */
static __always_inline bool
filtered(struct task_struct *task, struct pid *pid, __u32 level)
{
	struct pid_namespace *ns = NULL;
	struct task_struct *first;

	if (!bpf_core_field_exists(task->seccomp.filter_count) || level > 32)
		return true;
	bpf_probe_read_kernel(&ns, sizeof(ns), (void *)pid +
	    bpf_core_field_offset(struct pid, numbers) +
	    level * bpf_core_type_size(struct upid) +
	    bpf_core_field_offset(struct upid, ns));
	first = BPF_CORE_READ(ns, child_reaper);
	return BPF_CORE_READ(task, seccomp.filter_count.counter) >
	    BPF_CORE_READ(first, seccomp.filter_count.counter);
}

/* In the job's namespace, not in one below it that a process may make. */
static __always_inline __u32
inner_pid(const struct watch_group *g, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	const void *at = pid;
	int nr = 0;

	if (g->nested && !filtered(task, pid, level))
		return 1;
	if (g->ready && g->level <= level)
		level = g->level;
	if (level > 32) /* the kernel's own bound on nesting */
		return 1;
	at += bpf_core_field_offset(struct pid, numbers) +
	    level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), at);
	return (__u32)nr;
}

static __always_inline bool
hinted(__u64 id)
{
	__u32 *hint, slot = id % WATCH_HINTS;

	hint = bpf_map_lookup_elem(&hints, &slot);
	return hint != NULL && *hint != 0;
}

/*
 * The group of a job's process; NULL: nobody's business. A job has a pid
 * namespace beneath the machine's: who has none is let go by two loads, where
 * the group's id costs a call.
 */
static __always_inline struct watch_group *
watched(__u64 *id)
{
	if (bpf_get_current_task_btf()->thread_pid->level == 0)
		return NULL;
	*id = bpf_get_current_cgroup_id();
	return hinted(*id) ? bpf_map_lookup_elem(&groups, id) : NULL;
}

static __always_inline __u64
stack_slot(__u64 at)
{
	return (at >> STACK_BITS) % WATCH_STACKS;
}

static __always_inline void
mark(struct task_struct *task)
{
	void *regs = (void *)bpf_task_pt_regs(task);
	__u64 at = 0;

	bpf_probe_read_kernel(&at, sizeof(at), &regs); /* as a number */
	at_whom.mark[stack_slot(at)] = 1;
}

/* ---- telling ---- */

static __always_inline bool
may_tell(struct watch_group *g, __u32 type, bool near)
{
	__u64 second = bpf_ktime_get_ns() / NSEC;
	__u64 *begun;
	__u32 *n;

	if (type >= REC_TYPES)
		return false;
	begun = near ? &g->near_second[type] : &g->second[type];
	n = near ? &g->near_in_second[type] : &g->in_second[type];
	__sync_fetch_and_add(&g->seen[type], 1);
	/* two CPUs at the turn of a second may both begin it: a few more */
	if (*begun != second) {
		*begun = second;
		*n = 0;
	}
	if (__sync_fetch_and_add(n, 1) < WATCH_PER_SECOND)
		return true;
	__sync_fetch_and_add(&g->lost, 1);
	return false;
}

static __always_inline void *
begin(struct watch_group *g, __u64 id, __u32 type, __u32 size, __u32 call,
    long ret, bool near)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct rec_head *h;

	if (!may_tell(g, type, near))
		return NULL;
	h = bpf_ringbuf_reserve(&ring, size, 0);
	if (h == NULL) {
		__sync_fetch_and_add(&g->lost, 1);
		return NULL;
	}
	h->type = type;
	h->size = size;
	h->call = call;
	h->group = id;
	h->when_ns = bpf_ktime_get_ns();
	h->pid = inner_pid(g, task);
	h->tid = (__u32)bpf_get_current_pid_tgid();
	h->ret = ret;
	bpf_get_current_comm(h->comm, sizeof(h->comm));
	return h;
}
#define BEGIN(g, id, T, what, call, ret)                                       \
	((struct what *)begin(g, id, T, sizeof(struct what), call, ret, false))
/* Of a place that is watched: what else it does hides it not. */
#define BEGIN_NEAR(g, id, T, what, call, ret, near)                            \
	((struct what *)begin(g, id, T, sizeof(struct what), call, ret, near))

#include "audit/bpf/paths.h"
#include "audit/bpf/measure.h"
#include "audit/bpf/places.h"
#include "audit/bpf/files.h"
#include "audit/bpf/memory.h"
#include "audit/bpf/cred.h"
#include "audit/bpf/scripts.h"

/* ---- the probes ---- */

static __always_inline void
opens(struct act *a, int dir, __u64 text, __u64 flags)
{
	if ((flags & O_PATH) != 0)
		return;
	a->kind = (flags & O_WRITES) == 0 ? ASKS : OPENS;
	a->dir = dir;
	a->text = (const void *)text;
	a->flags = flags;
}

static __always_inline void
names(struct act *a, int dir, __u64 text)
{
	a->kind = NAMES;
	a->dir = dir;
	a->text = (const void *)text;
}

static __always_inline void
runs(struct act *a, int dir, __u64 text)
{
	a->kind = ASKS;
	a->dir = dir;
	a->text = (const void *)text;
}

static __always_inline void
renames(struct act *a, int dir, __u64 text, int from_dir, __u64 from)
{
	names(a, dir, text);
	a->from_dir = from_dir;
	a->from = (const void *)from;
}

/* The old name as well: by the new one it is written to at another place. */
static __always_inline void
makes_link(struct act *a, int dir, __u64 text, int from_dir, __u64 from,
    __u64 flags)
{
	renames(a, dir, text, from_dir, from);
	a->alias = true;
	a->follows = (flags & AT_SYMLINK_FOLLOW) != 0;
}

/* A socket has a name as a file has. */
static __always_inline void
binds(struct act *a, __u64 addr, __u64 len)
{
	__u16 family = 0;
	char first = 0;

	bpf_probe_read_user(&family, sizeof(family), (void *)addr);
	bpf_probe_read_user(&first, 1, (void *)addr + sizeof(family));
	if (family != AF_UNIX || first == 0 || len <= sizeof(family))
		return;
	names(a, AT_FDCWD, addr + sizeof(family));
	len -= sizeof(family);
	a->end = (__u64)a->text + (len < SUN_PATH ? len : SUN_PATH);
}

static __always_inline void
makes(struct act *a, int dir, __u64 text, __u64 mode, __u64 dev)
{
	names(a, dir, text);
	a->flags = (__u32)mode;
	a->dev = (__u32)dev;
}

static __always_inline void
links(struct act *a, __u64 to, int dir, __u64 text)
{
	names(a, dir, text);
	a->kind = LINKS;
	a->to = (const void *)to;
}

static __always_inline void
holds(struct act *a, __u64 fd)
{
	a->kind = HOLDS;
	a->fd = (int)fd;
}

static __always_inline void
maps(struct act *a, __u64 addr, __u64 len, __u64 flags)
{
	a->kind = MAPS;
	/* without the tag that the kernel takes off as well */
	a->addr = (__u64)((__s64)(addr << 8) >> 8);
	a->len = len;
	a->flags = flags;
}

static __always_inline void
maps_file(struct act *a, struct pt_regs *regs, const __u64 args[3], long ret)
{
	__u64 flags = ARG3(regs);

	if ((__u64)ret >= -4095ull)
		return;
	a->fd = (flags & MAP_ANONYMOUS) != 0 ? -1 : (int)ARG4(regs);
	a->write = (args[2] & PROT_WRITE) != 0;
	if ((args[2] & PROT_EXEC) != 0) {
		maps(a, (__u64)ret, args[1], flags);
	} else if (a->fd >= 0 && (flags & MAP_SHARED) != 0) {
		maps(a, (__u64)ret, args[1], 0);
		a->kind = WRITES;
	}
}

static __always_inline void
classify(struct act *a, struct pt_regs *regs, __u32 call, long ret,
    const __u64 args[3])
{
	__u64 how = 0;
	char first = 0;

	switch (call) {
#ifdef __NR_open
	case __NR_open:
		opens(a, AT_FDCWD, args[0], args[1]);
		break;
	case __NR_creat:
		opens(a, AT_FDCWD, args[0], O_WRONLY | O_CREAT | O_TRUNC);
		break;
	case __NR_mkdir:
	case __NR_rmdir:
	case __NR_unlink:
	case __NR_chmod:
	case __NR_chown:
	case __NR_lchown:
	case __NR_utime:
	case __NR_utimes:
		names(a, AT_FDCWD, args[0]);
		break;
	case __NR_mknod:
		makes(a, AT_FDCWD, args[0], args[1], args[2]);
		break;
	case __NR_rename:
		renames(a, AT_FDCWD, args[1], AT_FDCWD, args[0]);
		break;
	case __NR_link:
		makes_link(a, AT_FDCWD, args[1], AT_FDCWD, args[0], 0);
		break;
	case __NR_symlink:
		links(a, args[0], AT_FDCWD, args[1]);
		break;
	case __NR_futimesat:
		names(a, (int)args[0], args[1]);
		break;
	case __NR_fork:
	case __NR_vfork:
#endif
	case __NR_clone:
	case __NR_clone3:
		if (ret == -EAGAIN)
			a->kind = FORKS;
		break;
	case __NR_openat:
		opens(a, (int)args[0], args[1], args[2]);
		break;
	case __NR_openat2:
		bpf_probe_read_user(&how, sizeof(how), (void *)args[2]);
		opens(a, (int)args[0], args[1], how);
		break;
	case __NR_truncate:
	case __NR_setxattr:
	case __NR_lsetxattr:
	case __NR_removexattr:
	case __NR_lremovexattr:
		names(a, AT_FDCWD, args[0]);
		break;
	case __NR_mkdirat:
	case __NR_unlinkat:
	case __NR_fchmodat:
	case __NR_fchmodat2:
		names(a, (int)args[0], args[1]);
		break;
	case __NR_fchownat:
	case __NR_utimensat:
	case __NR_setxattrat:
	case __NR_removexattrat:
	case __NR_file_setattr:
		names(a, (int)args[0], args[1]);
		bpf_probe_read_user(&first, 1, a->text);
		if (a->text == NULL || first == 0)
			holds(a, args[0]);
		break;
	case __NR_fchmod:
	case __NR_fchown:
	case __NR_fsetxattr:
	case __NR_fremovexattr:
		holds(a, args[0]);
		break;
	case __NR_ioctl:
		if ((__u32)args[1] == FS_IOC_SETFLAGS ||
		    (__u32)args[1] == FS_IOC_FSSETXATTR)
			holds(a, args[0]);
		break;
	case __NR_open_by_handle_at:
		if (ret >= 0)
			opens(a, (int)args[0], 0, args[2]);
		break;
	case __NR_mknodat:
		makes(a, (int)args[0], args[1], args[2], ARG3(regs));
		break;
	case __NR_renameat2:
	case __NR_renameat:
		renames(a, (int)args[2], ARG3(regs), (int)args[0], args[1]);
		break;
	case __NR_linkat:
		makes_link(a, (int)args[2], ARG3(regs), (int)args[0], args[1],
		    ARG4(regs));
		break;
	case __NR_bind:
		binds(a, args[1], args[2]);
		break;
	case __NR_symlinkat:
		links(a, args[0], (int)args[1], args[2]);
		break;
	case __NR_execve:
		runs(a, AT_FDCWD, args[0]);
		break;
	case __NR_execveat:
		runs(a, (int)args[0], args[1]);
		break;
	case __NR_mmap:
		maps_file(a, regs, args, ret);
		break;
	case __NR_personality:
		if (args[0] != 0xffffffff && (args[0] & READ_IMPLIES_EXEC) != 0)
			maps(a, 0, 0, MAP_ANONYMOUS);
		break;
	case __NR_mprotect:
	case __NR_pkey_mprotect:
		if ((args[2] & PROT_EXEC) != 0)
			maps(a, args[0], args[1], 0);
		break;
	case __NR_shmat:
		if ((args[2] & SHM_EXEC) != 0 && (__u64)ret < -4095ull)
			maps(a, (__u64)ret, 1, MAP_ANONYMOUS);
		break;
	default:
		break;
	}
}

/* The calls of a job that may break a rule. */
#define LOOKED 512
static const volatile __u8 looked[LOOKED] = {
#ifdef __NR_open
    [__NR_open] = 1, [__NR_creat] = 1, [__NR_mkdir] = 1, [__NR_rmdir] = 1,
    [__NR_unlink] = 1, [__NR_mknod] = 1, [__NR_chmod] = 1, [__NR_chown] = 1,
    [__NR_lchown] = 1, [__NR_rename] = 1, [__NR_link] = 1, [__NR_symlink] = 1,
    [__NR_utime] = 1, [__NR_utimes] = 1, [__NR_futimesat] = 1, [__NR_fork] = 1,
    [__NR_vfork] = 1,
#endif
    [__NR_openat] = 1, [__NR_openat2] = 1, [__NR_truncate] = 1,
    [__NR_execve] = 1, [__NR_execveat] = 1,
    [__NR_setxattr] = 1, [__NR_lsetxattr] = 1, [__NR_fsetxattr] = 1,
    [__NR_removexattr] = 1, [__NR_lremovexattr] = 1, [__NR_fremovexattr] = 1,
    [__NR_fchmod] = 1, [__NR_fchown] = 1, [__NR_fchmodat2] = 1,
    [__NR_setxattrat] = 1, [__NR_removexattrat] = 1, [__NR_file_setattr] = 1,
    [__NR_bind] = 1, [__NR_ioctl] = 1, [__NR_open_by_handle_at] = 1,
    [__NR_utimensat] = 1, [__NR_personality] = 1, [__NR_prctl] = 1,
    [__NR_mkdirat] = 1, [__NR_unlinkat] = 1, [__NR_mknodat] = 1,
    [__NR_fchmodat] = 1, [__NR_fchownat] = 1, [__NR_renameat2] = 1,
    [__NR_renameat] = 1, [__NR_linkat] = 1, [__NR_symlinkat] = 1,
    [__NR_mmap] = 1, [__NR_mprotect] = 1, [__NR_pkey_mprotect] = 1,
    [__NR_shmat] = 1, [__NR_setuid] = 1, [__NR_setgid] = 1,
    [__NR_setreuid] = 1, [__NR_setregid] = 1, [__NR_setresuid] = 1,
    [__NR_setresgid] = 1, [__NR_setfsuid] = 1, [__NR_setfsgid] = 1,
    [__NR_setgroups] = 1, [__NR_capset] = 1, [__NR_setns] = 1,
    [__NR_unshare] = 1, [__NR_clone] = 1, [__NR_clone3] = 1};

static __always_inline void
forks(struct watch_group *g, __u64 id, long ret)
{
	struct rec_fork *r = BEGIN(g, id, REC_FORK, rec_fork, CALL_NONE, ret);

	if (r == NULL)
		return;
	r->child = r->align = 0;
	bpf_ringbuf_submit(r, 0);
}

/* Of what has a name; a rename has two, and a link. */
static __always_inline void
names_over(struct watch_group *g, struct act *a)
{
	if (named(g, a))
		by_path(g, a);
	if (a->from == NULL)
		return;
	a->text = a->from;
	a->dir = a->from_dir;
	a->flags = a->follows ? REC_OLD_FOLLOWED : REC_OLD;
	/* what a link is refused is about its new name */
	if (a->alias ? near_name(g, a) : named(g, a) != 0)
		by_path(g, a);
}

/* Frames of their own: what is called behind them needs the room. */
static __noinline void
rights_over(struct watch_group *g, __u64 id, struct pt_regs *regs, __u32 call,
    long ret)
{
	__u64 args[3] = {ARG0(regs), ARG1(regs), ARG2(regs)};

	if (!g->ready)
		set_ready(g, (void *)bpf_get_current_task());
	if (call == __NR_capset)
		args[1] = caps_asked(args[0], args[1]);
	(void)cred_over(g, id, call, ret, args, asks_cred(call, ret, args));
}

static __noinline void
call_over(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (void *)ctx->args[0];
	__u32 call = CALL_READ(regs);
	long ret = (long)ctx->args[1];
	struct task_struct *task = (void *)bpf_get_current_task();
	struct act a = {.kind = NOTHING, .call = call, .ret = ret};
	struct watch_group *g;
	__u64 args[3], id;

	g = watched(&id);
	if (g == NULL || (!g->ready && !g->late) || inner_pid(g, task) == 1)
		return;
	rights_over(g, id, regs, call, ret);
	measure(g, id, regs, call, ret);
	if (call >= LOOKED || !looked[call & (LOOKED - 1)])
		return;
	args[0] = ARG0(regs);
	args[1] = ARG1(regs);
	args[2] = ARG2(regs);
	a.id = id;
	classify(&a, regs, call, ret, args);
	if (a.kind == MAPS)
		executable(g, &a);
	else if (a.kind == WRITES)
		writable_too(g, &a);
	else if (a.kind == HOLDS)
		held(g, &a);
	else if (a.kind == FORKS)
		forks(g, id, ret);
	else if (a.kind == OPENS && ret >= 0)
		opened(g, &a);
	else if ((a.kind == OPENS && ret != -EINTR) ||
	    (a.kind == ASKS && (ret == -EACCES || ret == -EPERM) &&
		is_bound(id)))
		by_path(g, &a);
	else if (a.kind == ASKS && ret >= 0 && g->scripts != 0)
		script_read(g, &a);
	if (a.kind == LINKS)
		linked(g, &a);
	if (a.kind == NAMES || a.kind == LINKS)
		names_over(g, &a);
}

/*
 * Everybody's calls come here; what follows is in a function of its own, whose
 * frame others do not pay for, nor for registers that outlive a call.
 */
SEC("raw_tp/sys_exit")
int
watch_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	if (at_whom.mark[stack_slot(ctx->args[0])] != 0 ||
	    at_whom.everybody != 0)
		call_over(ctx);
	return 0;
}

/* What a job's first program was started with, and may write to. */
struct fds {
	struct watch_group *g;
	__u64 id;
};

static long
inherited(__u32 i, struct fds *f)
{
	struct act a = {.id = f->id, .call = __NR_execve, .flags = O_WRONLY};
	struct file *file = file_of(i);

	if (file != NULL && (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) != 0 &&
	    near_path(path_of(file)))
		tell_open(f->g, &a, (__u64)file);
	return 0;
}
#define INHERITED 64 /* descriptors that are looked at */

SEC("raw_tp/sched_process_exec")
int
watch_exec(struct bpf_raw_tracepoint_args *ctx)
{
	static const __u64 none[3];
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	struct file *file;
	struct fds f;

	f.g = watched(&f.id);
	if (f.g != NULL)
		mark(bpf_get_current_task_btf());
	if (f.g == NULL || inner_pid(f.g, task) == 1)
		return 0;
	if (!f.g->ready) {
		set_ready(f.g, task);
		bpf_loop(INHERITED, inherited, &f, 0);
	} else {
		(void)cred_over(f.g, f.id, __NR_execve, 0, none, false);
	}
	stack_code(f.g, f.id, task);
	file = begins_in(script_of(f.g, f.id, bprm));
	tell_run(f.g, f.id, file);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int
watch_fork(__u64 *ctx)
{
	struct task_struct *child = (void *)ctx[1];
	__u64 id;
	struct watch_group *g = watched(&id);
	struct rec_fork *r;

	if (g != NULL)
		mark(child);
	if (g == NULL || !g->ready ||
	    inner_pid(g, (void *)bpf_get_current_task()) == 1)
		return 0;
	r = BEGIN(g, id, REC_FORK, rec_fork, CALL_NONE, 0);
	if (r == NULL)
		return 0;
	r->child = inner_pid(g, child);
	r->align = 0;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/*
 * Of a process its first thread's end is told; and the last one's, when that
 * ends otherwise and the first has gone before.
 */
static __always_inline bool
process_over(struct task_struct *task, __u32 *code)
{
	struct task_struct *first = BPF_CORE_READ(task, group_leader);
	__u32 all = (__u32)BPF_CORE_READ(task, signal, group_exit_code);

	*code = (__u32)BPF_CORE_READ(task, exit_code);
	if (BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
		return true;
	if (all != 0)
		*code = all;
	return BPF_CORE_READ(task, signal, live.counter) == 0 &&
	    BPF_CORE_READ(first, exit_state) != 0 &&
	    (__u32)BPF_CORE_READ(first, exit_code) != *code;
}

SEC("raw_tp/sched_process_exit")
int
watch_exit(struct bpf_raw_tracepoint_args *ctx)
{
	static const __u64 none[3];
	struct task_struct *task = (void *)ctx->args[0];
	__u64 id;
	struct watch_group *g = watched(&id);
	struct rec_exit *r;
	__u32 code;

	if (g == NULL || !g->ready || inner_pid(g, task) == 1)
		return 0;
	(void)cred_over(g, id, __NR_exit, 0, none, false);
	if (!process_over(task, &code))
		return 0;
	/* nor a crowd of ends one by a call that its filter kills for */
	r = BEGIN_NEAR(g, id, REC_EXIT, rec_exit, CALL_NONE, 0,
	    (code & 0x7f) == SIGSYS);
	if (r == NULL)
		return 0;
	r->code = code;
	if ((r->code & 0x7f) == SIGSYS)
		r->h.call = CALL_OF((struct pt_regs *)bpf_task_pt_regs(
		    bpf_get_current_task_btf()));
	r->oom = BPF_CORE_READ(task, signal, oom_mm) != NULL;
	bpf_ringbuf_submit(r, 0);
	return 0;
}
