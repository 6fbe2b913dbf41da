/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes of the raw-tracepoint tier: they need no trampoline, so they load
 * where the kernel's text may not be patched. They watch and cannot deny.
 *
 * Of somebody else's task they look at the depth of its pid namespace and its
 * group's id, and no further. A job's process is one in a group of the map that is not
 * the first of its pid namespace: those are the house's own, jail's init and
 * warren-hand.
 *
 * What is looked at is what the call did, at its end: the arguments are still
 * in the registers, and the result names the file and not a text that the job
 * may change meanwhile.
 */
#include "audit/bpf/kernel.h"
#include "audit/bpf/watch_rec.h"

#include <asm/unistd.h>

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
#define EPERM 1
#define EINTR 4
#define EACCES 13
#define EROFS 30
#define S_IFMT 0170000
#define S_IFCHR 0020000
#define S_IFBLK 0060000
#define SHM_EXEC 0100000
#define MAP_ANONYMOUS 0x20
#define CLONE_NEWUSER 0x10000000
#define SIGSYS 31
#define NSEC 1000000000ull

/* ---- whose ---- */

static __always_inline __u32
inner_pid(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	const void *at = pid;
	int nr = 0;

	if (level > 32) /* the kernel's own bound on nesting */
		return 1;
	at += bpf_core_field_offset(struct pid, numbers) +
	    level * bpf_core_type_size(struct upid);
	bpf_probe_read_kernel(&nr, sizeof(nr), at);
	return (__u32)nr;
}

/*
 * The group of a job's process; NULL: nobody's business. A job has a pid
 * namespace beneath the machine's: who has none is let go by two loads, where
 * the group's id costs a call.
 */
static __always_inline struct watch_group *
watched(__u64 *id)
{
	__u32 *hint, slot;

	if (bpf_get_current_task_btf()->thread_pid->level == 0)
		return NULL;
	*id = bpf_get_current_cgroup_id();
	slot = *id % WATCH_HINTS;
	hint = bpf_map_lookup_elem(&hints, &slot);
	if (hint == NULL || *hint == 0)
		return NULL;
	return bpf_map_lookup_elem(&groups, id);
}

/* ---- telling ---- */

static __always_inline bool
may_tell(struct watch_group *g, __u32 type)
{
	__u64 second = bpf_ktime_get_ns() / NSEC;

	if (type >= REC_TYPES)
		return false;
	__sync_fetch_and_add(&g->seen[type], 1);
	/* two CPUs at the turn of a second may both begin it: a few more */
	if (g->second[type] != second) {
		g->second[type] = second;
		g->in_second[type] = 0;
	}
	if (__sync_fetch_and_add(&g->in_second[type], 1) < WATCH_PER_SECOND)
		return true;
	__sync_fetch_and_add(&g->lost, 1);
	return false;
}

static __always_inline void *
begin(struct watch_group *g, __u64 id, __u32 type, __u32 size, __u32 call,
    long ret)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct rec_head *h;

	if (!may_tell(g, type))
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
	h->pid = inner_pid(task);
	h->tid = (__u32)bpf_get_current_pid_tgid();
	h->ret = ret;
	bpf_get_current_comm(h->comm, sizeof(h->comm));
	return h;
}
#define BEGIN(g, id, T, what, call, ret)                                       \
	((struct what *)begin(g, id, T, sizeof(struct what), call, ret))

/* ---- files ---- */

static __always_inline struct mount *
real_mount(struct vfsmount *vfs)
{
	return (void *)vfs - bpf_core_field_offset(struct mount, mnt);
}

struct walk {
	struct rec_file *out;
	struct dentry *d;
	struct mount *m;
	__u32 n, over;
};

/* One step up; 1: there is no more. */
static long
step(__u32 i, struct walk *w)
{
	struct dentry *d = w->d;
	struct mount *m = w->m, *above;
	struct dentry *up = BPF_CORE_READ(d, d_parent);
	struct rec_file *out = w->out;
	__u64 at = w->n == 0 ? 0 : 1 + (w->n - 1) % (REC_NAMES - 1);

	(void)i;
	if (d == BPF_CORE_READ(m, mnt.mnt_root)) {
		above = BPF_CORE_READ(m, mnt_parent);
		if (above == m || above == NULL) {
			w->over = 1;
			return 1;
		}
		w->d = BPF_CORE_READ(m, mnt_mountpoint);
		w->m = above;
		return 0;
	}
	/* the verifier wants to see it, which the compiler knows */
	asm volatile("%0 &= 15" : "+r"(at));
	bpf_probe_read_kernel_str(out->names[at], REC_NAME,
	    BPF_CORE_READ(d, d_name.name));
	w->n++;
	w->d = up;
	if (d != up)
		return 0;
	/* in no folder: memory, a pipe */
	w->over = 1;
	return 1;
}

/*
 * From the leaf up, through the mounts, to the root of the namespace. Not a
 * plain loop: the verifier would follow each of its ways to the end.
 */
static __always_inline void
put_path(struct rec_file *out, struct path *path)
{
	struct walk w = {.out = out, .d = BPF_CORE_READ(path, dentry),
	    .m = real_mount(BPF_CORE_READ(path, mnt))};

	bpf_loop(REC_WALK, step, &w, 0);
	out->depth = w.n;
	out->deep = w.over == 0;
}

static __always_inline void
no_file(struct rec_file *out)
{
	out->magic = 0;
	out->mode = out->major = out->minor = out->links = 0;
	out->depth = out->deep = 0;
}

static __always_inline void
put_inode(struct rec_file *out, struct inode *inode)
{
	__u32 rdev = BPF_CORE_READ(inode, i_rdev);

	out->magic = BPF_CORE_READ(inode, i_sb, s_magic);
	out->mode = BPF_CORE_READ(inode, i_mode);
	out->major = rdev >> 20;
	out->minor = rdev & 0xfffff;
	out->links = BPF_CORE_READ(inode, i_nlink);
}

static __always_inline void
put_file(struct rec_file *out, struct file *file)
{
	struct path *path;

	if (file == NULL) {
		no_file(out);
		return;
	}
	path = (void *)file + bpf_core_field_offset(struct file, f_path);
	put_inode(out, BPF_CORE_READ(file, f_inode));
	put_path(out, path);
}

static __always_inline struct file *
file_of(long fd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);
	struct file **list = BPF_CORE_READ(t, fd), *file = NULL;

	if (fd < 0 || fd >= BPF_CORE_READ(t, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), &list[fd]);
	return file;
}

#include "audit/bpf/measure.h"

/* ---- opened for writing, and refused ---- */

/* What a call is about: one place for each kind below, which keeps it short. */
enum kind { NOTHING, OPENS, NAMES, MAPS, ASKS };
struct act {
	enum kind kind;
	int dir;
	const void *text;
	__u64 flags, addr, len;
};

static __always_inline void
opened(struct watch_group *g, __u64 id, __u32 call, long fd, __u64 flags)
{
	struct file *file = file_of(fd);
	struct rec_open *r;

	/* a second thread may have closed it: then its path is all there is */
	if (file == NULL || (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) == 0) {
		if ((flags & O_TRUNC) == 0 || file == NULL)
			return;
	}
	r = BEGIN(g, id, REC_OPEN, rec_open, call, fd);
	if (r == NULL)
		return;
	r->flags = (__u32)flags;
	r->align = 0;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void
by_path(struct watch_group *g, __u64 id, __u32 call, long ret,
    const struct act *a)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct rec_path *r = BEGIN(g, id, a->kind == ASKS ? REC_REFUSED :
	    REC_PATH, rec_path, call, ret);
	struct fs_struct *fs;
	long n;

	if (r == NULL)
		return;
	r->flags = (__u32)a->flags;
	n = bpf_probe_read_user_str(r->text, REC_TEXT, a->text);
	if (n < 0)
		r->text[0] = 0;
	r->cut = n == REC_TEXT;
	no_file(&r->at);
	if (n > 0 && r->text[0] != '/') {
		if (a->dir == AT_FDCWD) {
			fs = BPF_CORE_READ(task, fs);
			struct path *pwd = (void *)fs +
			    bpf_core_field_offset(struct fs_struct, pwd);

			put_inode(&r->at, BPF_CORE_READ(pwd, dentry, d_inode));
			put_path(&r->at, pwd);
		} else {
			put_file(&r->at, file_of(a->dir));
		}
	}
	bpf_ringbuf_submit(r, 0);
}

/* As it is mostly written; written otherwise it is found when refused. */
static __always_inline bool
plain_place(const void *text)
{
	char t[6] = {0};

	if (bpf_probe_read_user(t, 5, text) < 0)
		return false;
	return t[0] == '/' &&
	    ((t[1] == 'p' && t[2] == 'r' && t[3] == 'o' && t[4] == 'c') ||
		(t[1] == 'b' && t[2] == 'o' && t[3] == 'o' && t[4] == 't') ||
		(t[1] == 'd' && t[2] == 'e' && t[3] == 'v') ||
		(t[1] == 's' && t[2] == 'y' && t[3] == 's'));
}

/* A call that makes, removes or changes what has a name: no file to look at. */
static __always_inline bool
named(long ret, const void *text)
{
	return ret == -EACCES || ret == -EPERM || ret == -EROFS ||
	    ret == -ENOSPC || ret == -EDQUOT || plain_place(text);
}

/* ---- memory that becomes executable ---- */

struct look {
	__u64 next;
	__u32 what;
	struct file *file;
};

static long
look_at(struct task_struct *task, struct vm_area_struct *vma, struct look *l)
{
	unsigned long flags = BPF_CORE_READ(vma, vm_flags);
	struct file *file = BPF_CORE_READ(vma, vm_file);

	(void)task;
	l->next = BPF_CORE_READ(vma, vm_end);
	if ((flags & VM_EXEC) == 0)
		return 0;
	/* without a jump: the verifier follows each way of each look */
	l->what |= (flags & VM_WRITE) * (MEM_WRITE / VM_WRITE);
	if (file == NULL || BPF_CORE_READ(vma, vm_ops) == NULL)
		l->what |= MEM_ANON;
	else if (BPF_CORE_READ(vma, anon_vma) != NULL)
		l->what |= MEM_WRITTEN;
	if (l->file == NULL)
		l->file = file;
	return 0;
}

#define LOOKS 4 /* mappings of one call; more are MEM_UNKNOWN */

static __always_inline void
executable(struct watch_group *g, __u64 id, __u32 call, const struct act *a)
{
	struct look l = {.next = a->addr};
	__u64 end = a->addr + a->len;
	struct rec_memory *r;
	struct file *file;
	__u32 links = 1;

	for (int i = 0; i < LOOKS && l.next < end; i++) {
		if (bpf_find_vma(bpf_get_current_task_btf(), l.next, look_at,
		    &l, 0) != 0) {
			/* another thread holds the lock of the mappings */
			l.what |= MEM_UNKNOWN;
			break;
		}
	}
	if (l.next < end)
		l.what |= MEM_UNKNOWN;
	if ((a->flags & MAP_ANONYMOUS) != 0)
		l.what = (l.what | MEM_ANON) & ~MEM_UNKNOWN;
	file = l.file;
	if (file != NULL)
		links = BPF_CORE_READ(file, f_inode, i_nlink);
	/* code of a file that is still there: what each program does */
	if (l.what == 0 && links > 0)
		return;
	r = BEGIN(g, id, REC_MEMORY, rec_memory, call, 0);
	if (r == NULL)
		return;
	r->addr = a->addr;
	r->len = a->len;
	r->align = 0;
	r->what = l.what;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

/* ---- credentials ---- */

static __always_inline void
put_ids(struct rec_ids *out, const struct cred *c)
{
	__u64 eff = 0, perm = 0;

	out->uid = BPF_CORE_READ(c, uid.val);
	out->euid = BPF_CORE_READ(c, euid.val);
	out->suid = BPF_CORE_READ(c, suid.val);
	out->gid = BPF_CORE_READ(c, gid.val);
	out->egid = BPF_CORE_READ(c, egid.val);
	out->sgid = BPF_CORE_READ(c, sgid.val);
	bpf_core_read(&eff, sizeof(eff), &c->cap_effective);
	bpf_core_read(&perm, sizeof(perm), &c->cap_permitted);
	out->caps = eff | perm;
}

static __always_inline void
set_ready(struct watch_group *g, struct task_struct *task)
{
	const struct cred *c = BPF_CORE_READ(task, cred);

	put_ids(&g->ids, c);
	g->user_ns = (__u64)BPF_CORE_READ(c, user_ns);
	g->ready = 1;
}

static __always_inline bool
ids_same(const struct rec_ids *a, const struct rec_ids *b)
{
	return a->uid == b->uid && a->euid == b->euid && a->suid == b->suid &&
	    a->gid == b->gid && a->egid == b->egid && a->sgid == b->sgid &&
	    (b->caps & ~a->caps) == 0;
}

static __always_inline void
tell_cred(struct watch_group *g, __u64 id, __u32 call, long ret,
    const struct rec_ids *is, __u32 changed, __u32 user_ns,
    const __u64 args[3])
{
	struct rec_cred *r = BEGIN(g, id, REC_CRED, rec_cred, call, ret);

	if (r == NULL)
		return;
	r->changed = changed;
	r->user_ns = user_ns;
	r->was = g->ids;
	r->is = *is;
	for (int i = 0; i < 3; i++)
		r->args[i] = args[i];
	bpf_ringbuf_submit(r, 0);
}

/* At each call that is looked at: an exploit of the kernel says nothing. */
static __always_inline bool
cred_over(struct watch_group *g, __u64 id, __u32 call, long ret,
    const __u64 args[3], bool asked)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *c = BPF_CORE_READ(task, cred);
	__u32 ns = (__u64)BPF_CORE_READ(c, user_ns) != g->user_ns;
	struct rec_ids is;
	bool same;

	put_ids(&is, c);
	same = ids_same(&g->ids, &is) && ns == 0;
	if (!same || asked)
		tell_cred(g, id, call, ret, &is, !same, ns, args);
	return same;
}

static __always_inline bool
asks_cred(__u32 call, const __u64 args[3])
{
	switch (call) {
	case __NR_setuid:
	case __NR_setgid:
	case __NR_setreuid:
	case __NR_setregid:
	case __NR_setresuid:
	case __NR_setresgid:
	case __NR_setfsuid:
	case __NR_setfsgid:
	case __NR_setgroups:
	case __NR_capset:
	case __NR_setns:
		return true;
	case __NR_unshare:
		return (args[0] & CLONE_NEWUSER) != 0;
	case __NR_clone:
		return (args[0] & CLONE_NEWUSER) != 0;
	default:
		return false;
	}
}

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
maps(struct act *a, __u64 addr, __u64 len, __u64 flags)
{
	a->kind = MAPS;
	a->addr = addr;
	a->len = len;
	a->flags = flags;
}

static __always_inline void
classify(struct act *a, struct pt_regs *regs, __u32 call, long ret,
    const __u64 args[3])
{
	__u64 how = 0;

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
	case __NR_mknod:
	case __NR_chmod:
	case __NR_chown:
	case __NR_lchown:
		names(a, AT_FDCWD, args[0]);
		break;
	case __NR_rename:
	case __NR_link:
	case __NR_symlink:
		names(a, AT_FDCWD, args[1]);
		break;
#endif
	case __NR_openat:
		opens(a, (int)args[0], args[1], args[2]);
		break;
	case __NR_openat2:
		bpf_probe_read_user(&how, sizeof(how), (void *)args[2]);
		opens(a, (int)args[0], args[1], how);
		break;
	case __NR_truncate:
		names(a, AT_FDCWD, args[0]);
		break;
	case __NR_mkdirat:
	case __NR_unlinkat:
	case __NR_mknodat:
	case __NR_fchmodat:
	case __NR_fchownat:
		names(a, (int)args[0], args[1]);
		break;
	case __NR_renameat2:
	case __NR_renameat:
	case __NR_linkat:
		names(a, (int)args[2], ARG3(regs));
		break;
	case __NR_symlinkat:
		names(a, (int)args[1], args[2]);
		break;
	case __NR_execve:
		runs(a, AT_FDCWD, args[0]);
		break;
	case __NR_execveat:
		runs(a, (int)args[0], args[1]);
		break;
	case __NR_mmap:
		if ((args[2] & PROT_EXEC) != 0 && (__u64)ret < -4095ull)
			maps(a, (__u64)ret, args[1], ARG3(regs));
		break;
	case __NR_mprotect:
	case __NR_pkey_mprotect:
		if ((args[2] & PROT_EXEC) != 0 && ret == 0)
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

/* The calls that are looked at, of a job's process. */
static __always_inline bool
looked_at(__u32 call)
{
	switch (call) {
#ifdef __NR_open
	case __NR_open:
	case __NR_creat:
	case __NR_mkdir:
	case __NR_rmdir:
	case __NR_unlink:
	case __NR_mknod:
	case __NR_chmod:
	case __NR_chown:
	case __NR_lchown:
	case __NR_rename:
	case __NR_link:
	case __NR_symlink:
#endif
	case __NR_openat:
	case __NR_openat2:
	case __NR_truncate:
	case __NR_mkdirat:
	case __NR_unlinkat:
	case __NR_mknodat:
	case __NR_fchmodat:
	case __NR_fchownat:
	case __NR_renameat2:
	case __NR_renameat:
	case __NR_linkat:
	case __NR_symlinkat:
	case __NR_execve:
	case __NR_execveat:
	case __NR_mmap:
	case __NR_mprotect:
	case __NR_pkey_mprotect:
	case __NR_shmat:
	case __NR_setuid:
	case __NR_setgid:
	case __NR_setreuid:
	case __NR_setregid:
	case __NR_setresuid:
	case __NR_setresgid:
	case __NR_setfsuid:
	case __NR_setfsgid:
	case __NR_setgroups:
	case __NR_capset:
	case __NR_setns:
	case __NR_unshare:
	case __NR_clone:
		return true;
	default:
		return false;
	}
}

SEC("tp_btf/sys_exit")
int
watch_sys_exit(__u64 *ctx)
{
	struct pt_regs *regs = (void *)ctx[0];
	__u32 call = CALL_OF(regs);
	struct watch_group *g;
	__u64 id;
	struct act a = {.kind = NOTHING};
	__u64 args[3];
	long ret;

	g = watched(&id);
	if (g == NULL || (!g->ready && !g->late) ||
	    inner_pid((void *)bpf_get_current_task()) == 1)
		return 0;
	if (!g->ready)
		set_ready(g, (void *)bpf_get_current_task());
	ret = (long)ctx[1];
	measure(g, id, regs, call, ret);
	if (!looked_at(call))
		return 0;
	args[0] = ARG0(regs);
	args[1] = ARG1(regs);
	args[2] = ARG2(regs);
	(void)cred_over(g, id, call, ret, args, asks_cred(call, args));
	classify(&a, regs, call, ret, args);
	if (a.kind == MAPS)
		executable(g, id, call, &a);
	else if (a.kind == OPENS && ret >= 0)
		opened(g, id, call, ret, a.flags);
	else if ((a.kind == OPENS && ret != -EINTR) ||
	    (a.kind == NAMES && named(ret, a.text)) ||
	    (a.kind == ASKS && (ret == -EACCES || ret == -EPERM) &&
		bpf_map_lookup_elem(&bounds, &id) != NULL))
		by_path(g, id, call, ret, &a);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int
watch_exec(struct bpf_raw_tracepoint_args *ctx)
{
	static const __u64 none[3];
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *bprm = (void *)ctx->args[2];
	__u64 id;
	struct watch_group *g = watched(&id);
	struct rec_exec *r;

	if (g == NULL || inner_pid(task) == 1)
		return 0;
	if (!g->ready)
		set_ready(g, task);
	else
		(void)cred_over(g, id, __NR_execve, 0, none, false);
	r = BEGIN(g, id, REC_EXEC, rec_exec, CALL_NONE, 0);
	if (r == NULL)
		return 0;
	put_file(&r->file, BPF_CORE_READ(bprm, file));
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int
watch_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (void *)ctx->args[1];
	__u64 id;
	struct watch_group *g = watched(&id);
	struct rec_fork *r;

	if (g == NULL || !g->ready ||
	    inner_pid((void *)bpf_get_current_task()) == 1)
		return 0;
	r = BEGIN(g, id, REC_FORK, rec_fork, CALL_NONE, 0);
	if (r == NULL)
		return 0;
	r->child = inner_pid(child);
	r->align = 0;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int
watch_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u64 id;
	struct watch_group *g = watched(&id);
	struct rec_exit *r;

	/* of a process its first thread's end is told */
	if (g == NULL || !g->ready || inner_pid(task) == 1 ||
	    BPF_CORE_READ(task, pid) != BPF_CORE_READ(task, tgid))
		return 0;
	r = BEGIN(g, id, REC_EXIT, rec_exit, CALL_NONE, 0);
	if (r == NULL)
		return 0;
	r->code = (__u32)BPF_CORE_READ(task, exit_code);
	if ((r->code & 0x7f) == SIGSYS)
		r->h.call = CALL_OF((struct pt_regs *)bpf_task_pt_regs(
		    bpf_get_current_task_btf()));
	r->oom = BPF_CORE_READ(task, signal, oom_mm) != NULL;
	bpf_ringbuf_submit(r, 0);
	return 0;
}
