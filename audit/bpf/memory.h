/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_MEMORY_H
#define WARREN_AUDIT_BPF_MEMORY_H

/*
 * Memory that becomes executable. Included by watch.bpf.c behind its struct
 * act.
 */
struct look {
	__u64 next;
	__u32 what;
	int own; /* mappings that are shared, and might become writable */
	struct file *file;
};

/* Somebody else has it mapped to write through. */
static __always_inline bool
shared_writable(struct file *file, int own)
{
	return BPF_CORE_READ(file, f_mapping, i_mmap_writable.counter) > own;
}

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
	l->own += (flags & (VM_SHARED | VM_MAYWRITE)) ==
	    (VM_SHARED | VM_MAYWRITE);
	if (l->file == NULL)
		l->file = file;
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

/* Files whose code a job has mapped: who may write to them later? */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__uint(key_size, 2 * sizeof(__u64)); /* group, inode */
	__uint(value_size, sizeof(__u32));
} code SEC(".maps");

/* A contract may say which programs are run: their code, that is. */
static __always_inline void
tell_code(struct watch_group *g, const struct act *a, struct file *file)
{
	struct rec_full *r;

	if (!is_bound(a->id))
		return;
	r = BEGIN(g, a->id, REC_CODE, rec_full, a->call, 0);
	if (r == NULL)
		return;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

__noinline int
executable(struct watch_group *g, struct act *a)
{
	struct look l = {.next = 0};
	__u64 k[2] = {0, 0};
	__u32 links = 1, yes = 1;
	bool busy = false;
	struct file *file;
	__u64 end;

	if (g == NULL || a == NULL)
		return 0;
	l.next = a->addr;
	end = a->addr + a->len;
	for (int i = 0; i < LOOKS && l.next < end; i++) {
		if (bpf_find_vma(bpf_get_current_task_btf(), l.next, look_at,
		    &l, 0) != 0) {
			busy = true;
			break;
		}
	}
	/*
	 * Another thread holds the lock of the mappings: what a new one is the
	 * call says itself.
	 */
	if (busy && a->call == __NR_mmap && a->fd >= 0) {
		l.file = file_of(a->fd);
		l.what |= a->write ? MEM_WRITE : 0;
		l.what |= l.file == NULL ? MEM_UNKNOWN : 0;
	} else if (busy || l.next < end) {
		l.what |= MEM_UNKNOWN;
	}
	if ((a->flags & MAP_ANONYMOUS) != 0)
		l.what = (l.what | MEM_ANON) & ~MEM_UNKNOWN;
	file = l.file;
	if (file != NULL) {
		links = BPF_CORE_READ(file, f_inode, i_nlink);
		if (shared_writable(file, l.own))
			l.what |= MEM_WRITE;
		k[0] = a->id;
		k[1] = (__u64)BPF_CORE_READ(file, f_inode);
	}
	if (l.what != 0 || links == 0)
		tell_memory(g, a, l.what, file);
	else if (file != NULL && /* what each program does */
	    bpf_map_update_elem(&code, k, &yes, BPF_NOEXIST) == 0)
		tell_code(g, a, file);
	return 0;
}

/* A file that is mapped to be written through, and is code elsewhere. */
static __always_inline void
writable_too(struct watch_group *g, const struct act *a)
{
	struct file *file = file_of(a->fd);
	__u64 k[2] = {a->id, 0};

	if (file == NULL)
		return;
	k[1] = (__u64)BPF_CORE_READ(file, f_inode);
	if (bpf_map_lookup_elem(&code, k) != NULL)
		tell_memory(g, a, MEM_WRITE, file);
}

/* A program whose header asks for a stack that is code as well. */
static __always_inline void
stack_code(struct watch_group *g, __u64 id, struct task_struct *task)
{
	struct act a = {.id = id, .call = __NR_execve,
	    .addr = BPF_CORE_READ(task, mm, start_stack)};
	struct look l = {.next = 0};

	if (bpf_find_vma(bpf_get_current_task_btf(), a.addr, look_at, &l, 0) ==
		0 && l.what != 0)
		tell_memory(g, &a, l.what, NULL);
}

#endif
