/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The probes of the tier that may deny: all that fentry's see, and before it
 * happens. What a rule of the house whose action is to kill forbids is refused
 * with EPERM at once; that it was tried is told as it is by the other tiers.
 */
#include "audit/bpf/fentry.bpf.c"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} denied SEC(".maps");

static __always_inline bool
denies(__u32 what)
{
	__u32 zero = 0, *is = bpf_map_lookup_elem(&denied, &zero);

	return is != NULL && (*is & what) != 0;
}

/* ---- files ---- */

/* As rules_builtin.c has them: null zero full random urandom tty ptmx. */
static __always_inline bool
plain_device(__u32 rdev)
{
	__u32 major = rdev >> 20, minor = rdev & 0xfffff;

	if (major == 5)
		return minor == 0 || minor == 2;
	return major == 1 && (minor == 3 || minor == 5 || minor == 7 ||
	    minor == 8 || minor == 9);
}

/* What a process may set of itself: comm, oom_score_adj, ... */
static __always_inline bool
own_setting(struct dentry *d)
{
	static const char names[6][16] = {"comm", "oom_score_adj", "oom_adj",
	    "coredump_filter", "timerslack_ns", "autogroup"};
	char t[16] = {0};

	bpf_probe_read_kernel_str(t, sizeof(t), BPF_CORE_READ(d, d_name.name));
	for (int i = 0; i < 6; i++) {
		bool same = true;

		for (int k = 0; k < 15; k++)
			same &= t[k] == names[i][k];
		if (same)
			return true;
	}
	return false;
}

static __always_inline bool
below_boot(struct path *path)
{
	char t[6] = {0};

	top_of(path, t);
	return t[0] == 'b' && t[1] == 'o' && t[2] == 'o' && t[3] == 't' &&
	    t[4] == 0;
}

static __always_inline bool
deny_file(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	__u32 kind = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	__u64 magic = BPF_CORE_READ(inode, i_sb, s_magic);
	struct path *path = path_of(file);

	if (kind == S_IFCHR || kind == S_IFBLK)
		return denies(DENY_DEV) && magic != 0x1cd1 /* devpts */ &&
		    !plain_device(BPF_CORE_READ(inode, i_rdev));
	if (near_inode(inode))
		return denies(DENY_PROC) &&
		    !own_setting(BPF_CORE_READ(path, dentry));
	return denies(DENY_BOOT) && below_boot(path);
}

SEC("lsm/file_open")
int
lsm_file_open(__u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];
	__u64 id;

	if (!opens_to_write(file) || of_job(&id) == NULL || !deny_file(file))
		return 0;
	file_opened(file, -EPERM);
	return -EPERM;
}

/* Names below /boot; fentry's tell of them, with the result. */
#define DENY_NAME(hook, dir)                                                   \
	SEC("lsm/path_" #hook)                                                 \
	int lsm_##hook(__u64 *ctx)                                             \
	{                                                                      \
		__u64 id;                                                      \
                                                                               \
		return denies(DENY_BOOT) && of_job(&id) != NULL &&             \
		    below_boot((struct path *)ctx[dir]) ? -EPERM : 0;          \
	}
DENY_NAME(mkdir, 0)
DENY_NAME(rmdir, 0)
DENY_NAME(unlink, 0)
DENY_NAME(mknod, 0)
DENY_NAME(symlink, 0)
DENY_NAME(link, 1)
DENY_NAME(truncate, 0)
DENY_NAME(chmod, 0)

SEC("lsm/path_rename")
int
lsm_rename(__u64 *ctx)
{
	__u64 id;

	if (!denies(DENY_BOOT) || of_job(&id) == NULL)
		return 0;
	return below_boot((struct path *)ctx[0]) ||
	    below_boot((struct path *)ctx[2]) ? -EPERM : 0;
}

/* ---- code ---- */

/* A script comes by first, then its interpreter. */
SEC("lsm/bprm_check_security")
int
lsm_bprm_check(__u64 *ctx)
{
	struct linux_binprm *bprm = (struct linux_binprm *)ctx[0];
	struct file *file = BPF_CORE_READ(bprm, file);
	struct watch_group *g;
	struct rec_exec *r;
	__u64 id;

	if (BPF_CORE_READ(file, f_inode, i_nlink) != 0 ||
	    !denies(DENY_RUN) || (g = of_job(&id)) == NULL)
		return 0;
	r = BEGIN(g, id, REC_EXEC, rec_exec, CALL_NONE, -EPERM);
	if (r == NULL)
		return -EPERM;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
	return -EPERM;
}

static __always_inline int
deny_memory(struct watch_group *g, __u64 id, __u32 what, struct file *file,
    bool protects)
{
	struct act a;
	bool deny;

	deny = ((what & MEM_ANON) != 0 && denies(DENY_ANON)) ||
	    ((what & (MEM_WRITE | MEM_WRITTEN)) != 0 && denies(DENY_WX)) ||
	    (protects && (what & MEM_ANON) != 0 && denies(DENY_WX)) ||
	    ((what & MEM_ANON) == 0 && file != NULL && denies(DENY_DELETED) &&
		BPF_CORE_READ(file, f_inode, i_nlink) == 0);
	if (!deny)
		return 0;
	a = act_now(id, -EPERM);
	if (!protects) /* fentry's tells of the others */
		tell_memory(g, &a, what, file);
	return -EPERM;
}

SEC("lsm/mmap_file")
int
lsm_mmap(__u64 *ctx)
{
	struct file *file = (struct file *)ctx[0];
	__u32 what = (ctx[2] & PROT_WRITE) != 0 ? MEM_WRITE : 0;
	struct watch_group *g;
	__u64 id;

	if ((ctx[2] & PROT_EXEC) == 0 || (g = of_job(&id)) == NULL)
		return 0;
	if (file == NULL)
		what |= MEM_ANON;
	else if ((ctx[3] & MAP_SHARED) != 0 &&
	    (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) != 0)
		what |= MEM_WRITE; /* whenever it is asked for */
	return deny_memory(g, id, what, file, false);
}

SEC("lsm/file_mprotect")
int
lsm_mprotect(__u64 *ctx)
{
	struct vm_area_struct *vma = (struct vm_area_struct *)ctx[0];
	struct watch_group *g;
	__u64 id;

	if ((ctx[2] & PROT_EXEC) == 0 || (g = of_job(&id)) == NULL)
		return 0;
	return deny_memory(g, id, mapping_is(vma, ctx[2]),
	    BPF_CORE_READ(vma, vm_file), true);
}

/* ---- rights ---- */

SEC("lsm/task_fix_setuid")
int
lsm_setuid(__u64 *ctx)
{
	return denies(DENY_CRED) && becomes((const struct cred *)ctx[0],
	    -EPERM) ? -EPERM : 0;
}

/* A user namespace of its own: all rights, in there. */
SEC("?lsm/userns_create")
int
lsm_userns(__u64 *ctx)
{
	const struct cred *c = (const struct cred *)ctx[0];
	static const __u64 none[3];
	struct watch_group *g;
	struct rec_ids is;
	__u64 id;

	if (!denies(DENY_CRED) || (g = of_job(&id)) == NULL)
		return 0;
	put_ids(&is, c);
	tell_cred(g, id, act_now(id, 0).call, -EPERM, &is, 1, 1, none);
	return -EPERM;
}
