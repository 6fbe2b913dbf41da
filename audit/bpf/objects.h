/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_OBJECTS_H
#define WARREN_AUDIT_BPF_OBJECTS_H

/*
 * What the tiers with trampolines see: the objects that the kernel works on,
 * at the moment when it decides. No second thread can put others in their
 * place, and no link leads elsewhere. Included by fentry.bpf.c and lsm.bpf.c.
 */

/* Of a job's process whose program runs; NULL: nobody's business. */
static __always_inline struct watch_group *
of_job(__u64 *id)
{
	struct watch_group *g = watched(id);

	if (g == NULL || !g->ready ||
	    inner_pid(g, (void *)bpf_get_current_task()) == 1)
		return NULL;
	return g;
}

static __always_inline struct act
act_now(__u64 id, long ret)
{
	struct act a = {.id = id, .ret = ret};

	a.call = CALL_OF((struct pt_regs *)bpf_task_pt_regs(
	    bpf_get_current_task_btf()));
	return a;
}

static __always_inline bool
opens_to_write(struct file *file)
{
	return (BPF_CORE_READ(file, f_mode) & (FMODE_WRITE | FMODE_CREATED)) !=
	    0 || (BPF_CORE_READ(file, f_flags) & O_TRUNC) != 0;
}

static __always_inline int
file_opened(struct file *file, long ret)
{
	struct watch_group *g;
	struct act a;
	__u64 id, which = 0;

	if (!opens_to_write(file) || (g = of_job(&id)) == NULL)
		return 0;
	a = act_now(id, ret);
	a.flags = BPF_CORE_READ(file, f_flags);
	/* a function that is verified by itself takes it as a number alone */
	bpf_probe_read_kernel(&which, sizeof(which), &file);
	return tell_open(g, &a, which);
}

/* A name in a folder: as a record of a path, which begins there. */
static __always_inline int
name_changed(struct path *dir, struct dentry *d, long ret)
{
	struct watch_group *g;
	struct rec_path *r;
	__u64 id;
	long n;

	if ((g = of_job(&id)) == NULL || !near_path(dir))
		return 0;
	r = BEGIN_NEAR(g, id, REC_PATH, rec_path, act_now(id, 0).call, ret,
	    true);
	if (r == NULL)
		return 0;
	r->flags = r->dev = r->align = 0;
	n = bpf_probe_read_kernel_str(r->text, REC_TEXT,
	    BPF_CORE_READ(d, d_name.name));
	if (n < 0)
		r->text[0] = 0;
	r->cut = n == REC_TEXT;
	put_inode(&r->at, BPF_CORE_READ(dir, dentry, d_inode));
	put_path(&r->at, dir);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* What is there is cut, or its mode or owner changed. */
static __always_inline int
place_changed(struct path *path, long ret)
{
	struct watch_group *g;
	struct rec_open *r;
	__u64 id;

	if ((g = of_job(&id)) == NULL || !near_path(path))
		return 0;
	r = BEGIN_NEAR(g, id, REC_OPEN, rec_open, act_now(id, 0).call, ret,
	    true);
	if (r == NULL)
		return 0;
	r->flags = r->align = 0;
	put_inode(&r->file, BPF_CORE_READ(path, dentry, d_inode));
	put_path(&r->file, path);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* MEM_ of a mapping that is to become code. */
static __always_inline __u32
mapping_is(struct vm_area_struct *vma, __u64 prot)
{
	struct file *file = BPF_CORE_READ(vma, vm_file);
	__u32 what = (prot & PROT_WRITE) != 0 ? MEM_WRITE : 0;

	if (file == NULL || BPF_CORE_READ(vma, vm_ops) == NULL)
		return what | MEM_ANON;
	if (is_memory(file))
		what |= MEM_ANON;
	/* of what is shared nobody keeps which pages were written */
	if (BPF_CORE_READ(vma, anon_vma) != NULL ||
	    shared_to_write(BPF_CORE_READ(vma, vm_flags)))
		what |= MEM_WRITTEN;
	return what;
}

static __always_inline int
protected(struct vm_area_struct *vma, __u64 prot, long ret)
{
	__u32 what;
	struct watch_group *g;
	struct act a;
	__u64 id;

	if ((prot & PROT_EXEC) == 0 || (g = of_job(&id)) == NULL ||
	    (what = mapping_is(vma, prot)) == 0)
		return 0;
	a = act_now(id, ret);
	a.addr = BPF_CORE_READ(vma, vm_start);
	a.len = BPF_CORE_READ(vma, vm_end) - a.addr;
	tell_memory(g, &a, what, BPF_CORE_READ(vma, vm_file));
	return 0;
}

/* What a process is about to be, before it is. */
static __always_inline int
becomes(const struct cred *c, long ret)
{
	static const __u64 none[3];
	struct watch_group *g;
	struct rec_ids is;
	__u64 id;
	__u32 ns;

	if ((g = of_job(&id)) == NULL)
		return 0;
	put_ids(&is, c);
	ns = (__u64)BPF_CORE_READ(c, user_ns) != g->user_ns;
	if (ids_same(&g->ids, &is) && ns == 0)
		return 0;
	tell_cred(g, id, act_now(id, 0).call, ret, &is, 1, ns, none);
	return 1;
}

#endif
