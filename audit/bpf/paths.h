/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_PATHS_H
#define WARREN_AUDIT_BPF_PATHS_H

/* Files, and their paths through the mounts. Included by watch.bpf.c. */

static __always_inline struct mount *
real_mount(struct vfsmount *vfs)
{
	return (void *)vfs - bpf_core_field_offset(struct mount, mnt);
}

/*
 * Nothing, which the verifier does not know: older kernels look at the body of
 * a bpf_loop once, and take away what that first turn does not come to.
 */
#define UNKNOWN_ZERO(x) bpf_probe_read_kernel(&(x), sizeof(x), NULL)

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

	UNKNOWN_ZERO(w.n);
	UNKNOWN_ZERO(w.over);
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
	if (file == NULL) {
		no_file(out);
		return;
	}
	put_inode(out, BPF_CORE_READ(file, f_inode));
	put_path(out, (void *)file + bpf_core_field_offset(struct file, f_path));
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

#endif
