/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_MEMORY_H
#define WARREN_AUDIT_BPF_MEMORY_H

/*
 * Memory that becomes executable. Included by watch.bpf.c behind its struct
 * act.
 */
struct look {
	__u64 next;
	unsigned long flags;
	struct file *file;
	__u32 what;
};

/*
 * Memory that several have in common is a file as well, which is in no folder
 * and was none's: of mmap, of shmget.
 */
static __always_inline bool
is_memory(struct file *file)
{
	struct dentry *d = BPF_CORE_READ(file, f_path.dentry);
	char t[5] = {0};

	if (BPF_CORE_READ(file, f_inode, i_nlink) != 0 ||
	    BPF_CORE_READ(d, d_parent) != d)
		return false;
	bpf_probe_read_kernel_str(t, sizeof(t), BPF_CORE_READ(d, d_name.name));
	/* dev/zero, SYSV0000abcd, anon_hugepage */
	return (t[0] == 'd' && t[1] == 'e' && t[2] == 'v') ||
	    (t[0] == 'S' && t[1] == 'Y' && t[2] == 'S' && t[3] == 'V') ||
	    (t[0] == 'a' && t[1] == 'n' && t[2] == 'o' && t[3] == 'n');
}

static long
look_at(struct task_struct *task, struct vm_area_struct *vma, struct look *l)
{
	unsigned long flags = BPF_CORE_READ(vma, vm_flags);
	struct file *file = BPF_CORE_READ(vma, vm_file);

	(void)task;
	l->next = BPF_CORE_READ(vma, vm_end);
	l->flags = flags;
	l->file = file;
	/* without a jump: the verifier follows each way of each look */
	l->what = (flags & VM_WRITE) * (MEM_WRITE / VM_WRITE);
	if (file == NULL || BPF_CORE_READ(vma, vm_ops) == NULL)
		l->what |= MEM_ANON;
	else if (BPF_CORE_READ(vma, anon_vma) != NULL)
		l->what |= MEM_WRITTEN;
	return 0;
}

#define LOOKS 4 /* mappings of one call; more are MEM_UNKNOWN */

static __always_inline void
tell_memory(struct watch_group *g, const struct act *a, __u32 what,
    struct file *file)
{
	struct rec_memory *r = BEGIN(g, a->id, REC_MEMORY, rec_memory, a->call,
	    0);

	if (r == NULL)
		return;
	r->addr = a->addr;
	r->len = a->len;
	r->align = 0;
	r->what = what;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

/*
 * Files whose code a job has mapped: a contract's are told once, and of one
 * with too many mappings it is known by this whether one of them is code.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	/* group, inode, and which of those that had its place */
	__uint(key_size, 3 * sizeof(__u64));
	__uint(value_size, sizeof(__u32));
} code SEC(".maps");

static __always_inline void
code_key(__u64 k[3], __u64 id, struct file *file)
{
	k[0] = id;
	k[1] = (__u64)BPF_CORE_READ(file, f_inode);
	k[2] = BPF_CORE_READ(file, f_inode, i_ino) ^
	    (__u64)BPF_CORE_READ(file, f_inode, i_generation) << 32;
}

/* true: for the first time. */
static __always_inline bool
keep_code(__u64 id, struct file *file)
{
	__u64 k[3];
	__u32 yes = 1;

	code_key(k, id, file);
	return bpf_map_update_elem(&code, k, &yes, BPF_NOEXIST) == 0;
}

static __always_inline bool
was_code(__u64 id, struct file *file)
{
	__u64 k[3];

	code_key(k, id, file);
	return bpf_map_lookup_elem(&code, k) != NULL;
}

/* A contract may say which programs are run: their code, that is. */
static __always_inline void
tell_code(struct watch_group *g, const struct act *a, struct file *file)
{
	struct rec_full *r;

	if (!keep_code(a->id, file) || !is_bound(a->id))
		return;
	r = BEGIN(g, a->id, REC_CODE, rec_full, a->call, 0);
	if (r == NULL)
		return;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

/* Of a mapping that is shared, and may be made writable at any time. */
static __always_inline bool
shared_to_write(unsigned long flags)
{
	return (flags & (VM_SHARED | VM_MAYWRITE)) ==
	    (VM_SHARED | VM_MAYWRITE);
}

/* What one mapping is that the call has made code. */
__noinline int
is_code(struct watch_group *g, struct act *a, struct look *l)
{
	struct file *file;
	__u32 what;
	bool shared;

	if (g == NULL || a == NULL || l == NULL)
		return 0;
	file = l->file;
	what = l->what;
	shared = shared_to_write(l->flags);
	if ((a->flags & MAP_ANONYMOUS) != 0)
		what = (what | MEM_ANON) & ~MEM_UNKNOWN;
	if (file != NULL) {
		/*
		 * Somebody has it mapped to write through. That may be this
		 * mapping: a second one of it, or a child's, is made writable
		 * by calls that are not looked at.
		 */
		if (shared ||
		    BPF_CORE_READ(file, f_mapping, i_mmap_writable.counter) > 0)
			what |= MEM_WRITE;
		/* nobody keeps which of its pages were written */
		if (shared && a->call != __NR_mmap)
			what |= MEM_WRITTEN;
		if (is_memory(file))
			what |= MEM_ANON;
	}
	if (what != 0 ||
	    (file != NULL && BPF_CORE_READ(file, f_inode, i_nlink) == 0))
		tell_memory(g, a, what, file);
	else if (file != NULL) /* what each program does */
		tell_code(g, a, file);
	return 0;
}

/*
 * A call that failed has done what it could: some of its mappings are code,
 * and behind them there may be none.
 */
__noinline int
executable(struct watch_group *g, struct act *a)
{
	struct look l = {.next = 0};
	struct file *file;
	long no = 0;
	__u64 end;

	if (g == NULL || a == NULL)
		return 0;
	if (a->len == 0 && (a->flags & MAP_ANONYMOUS) != 0)
		return is_code(g, a, &l); /* whatever will be mapped */
	l.next = a->addr;
	end = a->addr + a->len;
	for (int i = 0; i < LOOKS && l.next < end; i++) {
		no = bpf_find_vma(bpf_get_current_task_btf(), l.next, look_at,
		    &l, 0);
		if (no != 0)
			break;
		if ((l.flags & VM_EXEC) != 0)
			is_code(g, a, &l);
	}
	if (l.next >= end || (no == -ENOENT && a->ret != 0))
		return 0;
	/*
	 * Another thread holds the lock of the mappings: what a new one is the
	 * call says itself.
	 */
	l.flags = 0;
	l.file = NULL;
	l.what = MEM_UNKNOWN;
	if (no != 0 && a->call == __NR_mmap && a->fd >= 0) {
		file = file_of(a->fd);
		l.file = file;
		l.what = a->write ? MEM_WRITE : 0;
		if (file == NULL)
			l.what |= MEM_UNKNOWN;
		else if ((a->flags & MAP_SHARED) != 0 &&
		    (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) != 0)
			l.flags = VM_SHARED | VM_MAYWRITE;
	}
	return is_code(g, a, &l);
}

/* All mappings of a file, by the way of one who walks around its tree. */
struct around {
	struct rb_node *at, *from;
	__u64 code, over;
};
/* Steps, of which a mapping takes two: nothing else runs here meanwhile. */
#define AROUND 1024

static long
step_around(__u32 i, struct around *w)
{
	struct rb_node *at = w->at, *up, *left, *right, *to;
	struct vm_area_struct *vma;

	(void)i;
	if (at == NULL) {
		w->over = 1;
		return 1;
	}
	up = (struct rb_node *)(BPF_CORE_READ(at, __rb_parent_color) & ~3ul);
	left = BPF_CORE_READ(at, rb_left);
	right = BPF_CORE_READ(at, rb_right);
	to = up;
	if (w->from == up) {
		vma = (void *)at - bpf_core_field_offset(struct vm_area_struct,
		    shared.rb);
		w->code |= BPF_CORE_READ(vma, vm_flags) & VM_EXEC;
		to = left != NULL ? left : right != NULL ? right : up;
	} else if (w->from == left && right != NULL) {
		to = right;
	}
	w->from = at;
	w->at = to;
	return w->code != 0;
}

/* A file that is mapped to be written through, and is code elsewhere. */
__noinline int
writable_too(struct watch_group *g, struct act *a)
{
	struct around w = {.from = NULL};
	struct look l = {.next = 0};
	struct file *file;
	bool may;

	if (g == NULL || a == NULL)
		return 0;
	/*
	 * The mapping's own: a descriptor may be another's by now, and of an
	 * overlay it is not the file that the mappings hang on. What may become
	 * writable later counts.
	 */
	if (bpf_find_vma(bpf_get_current_task_btf(), a->addr, look_at, &l,
		0) == 0) {
		file = l.file;
		may = shared_to_write(l.flags);
	} else {
		file = file_of(a->fd);
		may = file == NULL ||
		    (BPF_CORE_READ(file, f_mode) & FMODE_WRITE) != 0;
	}
	if (!may)
		return 0;
	if (file == NULL) {
		tell_memory(g, a, MEM_UNKNOWN, NULL);
		return 0;
	}
	w.at = BPF_CORE_READ(file, f_mapping, i_mmap.rb_root.rb_node);
	UNKNOWN_ZERO(w.code);
	UNKNOWN_ZERO(w.over);
	bpf_loop(AROUND, step_around, &w, 0);
	if (w.code != 0 || (w.over == 0 && was_code(a->id, file)))
		tell_memory(g, a, MEM_WRITE, file);
	return 0;
}

/* A program whose header asks for a stack that is code as well. */
static __always_inline void
stack_code(struct watch_group *g, __u64 id, struct task_struct *task)
{
	struct act a = {.id = id, .call = __NR_execve,
	    .addr = BPF_CORE_READ(task, mm, start_stack)};
	struct look l = {.next = 0};

	if (bpf_find_vma(bpf_get_current_task_btf(), a.addr, look_at, &l, 0) ==
		0 && (l.flags & VM_EXEC) != 0 && l.what != 0)
		tell_memory(g, &a, l.what, NULL);
}

/*
 * Where a program begins: its own file, or the loader that it names and the
 * kernel has mapped, with no call of anybody's.
 */
static __always_inline struct file *
begins_in(struct file *file)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(
	    bpf_get_current_task_btf());
	struct look l = {.next = 0};
	struct file *loader;

	if (bpf_find_vma(bpf_get_current_task_btf(), NEXT_OF(regs), look_at,
		&l, 0) != 0)
		return file;
	loader = l.file;
	return loader == NULL || BPF_CORE_READ(loader, f_inode, i_nlink) != 0 ?
	    file : loader;
}

#endif
