/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_MEASURE_H
#define WARREN_AUDIT_BPF_MEASURE_H

/*
 * What a job does in sum: which calls, how many bytes of files. And for one
 * under a contract what was refused it that nobody else tells. Included by
 * watch.bpf.c behind its begin() and file_of(), for all tiers of sys_exit.
 */
#define ENOSPC 28
#define EDQUOT 122
#define S_IFREG 0100000
#define SB_NOUSER (1ul << 31) /* memfd and its kin: no file system's */
#define PROC_MAGIC 0x9fa0
#define SYS_MAGIC 0x62656572

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WATCH_GROUPS);
	__type(key, __u64);
	__type(value, struct watch_bounds);
} bounds SEC(".maps");

/*
 * By value: Linux 6.1 takes a key from the stack or a map, and none from a
 * struct that a function was given.
 */
static __always_inline bool
is_bound(__u64 id)
{
	return bpf_map_lookup_elem(&bounds, &id) != NULL;
}

/* A file that is mapped counts once, whole: nobody sees what is read of it. */
typedef __u64 mapped_key[2]; /* its group; the inode, and 1 to write */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, mapped_key);
	__type(value, __u32);
} mapped SEC(".maps");

static __always_inline __u64 *
word_of(__u64 *set, __u32 call)
{
	__u64 at = call / 64;

	/* the verifier wants to see it, which the compiler knows */
	asm volatile("%0 &= 7" : "+r"(at));
	return &set[at];
}
_Static_assert(WATCH_CALLS == 8, "word_of() masks by it");

static __always_inline bool
in_set(__u64 *set, __u32 call)
{
	return call < WATCH_CALLS * 64 &&
	    (*word_of(set, call) & 1ull << (call & 63)) != 0;
}

/* true: it was not there. */
static __always_inline bool
into_set(__u64 *set, __u32 call)
{
	if (call >= WATCH_CALLS * 64 || in_set(set, call))
		return false;
	__sync_fetch_and_or(word_of(set, call), 1ull << (call & 63));
	return true;
}

/* A file of a file system that has a place; NULL: a pipe, memory, /proc. */
static __always_inline struct file *
disk_file(__u64 fd)
{
	struct file *file = file_of((int)fd);
	struct super_block *sb;
	__u64 magic;

	if (file == NULL ||
	    (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFREG)
		return NULL;
	sb = BPF_CORE_READ(file, f_inode, i_sb);
	magic = BPF_CORE_READ(sb, s_magic);
	if ((BPF_CORE_READ(sb, s_flags) & SB_NOUSER) != 0 ||
	    magic == PROC_MAGIC || magic == SYS_MAGIC)
		return NULL;
	return file;
}

static __always_inline void
tell_full(struct watch_group *g, __u64 id, __u32 call, long ret,
    struct file *file)
{
	struct rec_full *r;

	if (!is_bound(id))
		return;
	r = BEGIN(g, id, REC_FULL, rec_full, call, ret);
	if (r == NULL)
		return;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
}

/* From one file to another, or to and from the job; -1: no file there. */
static __always_inline void
moved(struct watch_group *g, __u64 id, __u32 call, long ret, __u64 from,
    __u64 to)
{
	struct file *file = NULL;

	if (ret > 0 && from != ~0ull && disk_file(from) != NULL)
		__sync_fetch_and_add(&g->read_bytes, ret);
	if (to == ~0ull || ret == 0 || (ret < 0 && ret != -ENOSPC &&
		ret != -EDQUOT))
		return;
	file = disk_file(to);
	if (file != NULL && ret > 0)
		__sync_fetch_and_add(&g->written_bytes, ret);
	else if (file != NULL)
		tell_full(g, id, call, ret, file);
}

static __always_inline void
map_once(struct watch_group *g, __u64 id, struct file *file, __u64 len,
    bool write)
{
	mapped_key k = {id, (__u64)BPF_CORE_READ(file, f_inode) | write};
	__u64 size = BPF_CORE_READ(file, f_inode, i_size);
	__u32 yes = 1;

	if (bpf_map_update_elem(&mapped, &k, &yes, BPF_NOEXIST) != 0)
		return;
	if (size < len)
		len = size;
	__sync_fetch_and_add(write ? &g->written_bytes : &g->read_bytes, len);
}

static __always_inline void
mapping(struct watch_group *g, __u64 id, struct pt_regs *regs, long ret)
{
	__u64 flags = ARG3(regs), prot = ARG2(regs);
	struct file *file;

	if ((__u64)ret >= -4095ull || (flags & MAP_ANONYMOUS) != 0 ||
	    (file = disk_file(ARG4(regs))) == NULL)
		return;
	if ((flags & 1) != 0 && (BPF_CORE_READ(file, f_mode) & FMODE_WRITE))
		map_once(g, id, file, ARG1(regs), true);
	else if ((prot & PROT_EXEC) == 0) /* code is run, not read */
		map_once(g, id, file, ARG1(regs), false);
}

static __always_inline void
tell_call(struct watch_group *g, __u64 id, __u32 call, long ret)
{
	struct watch_bounds *b = bpf_map_lookup_elem(&bounds, &id);
	struct rec_call *r;

	if (b == NULL || !in_set(b->denied, call) ||
	    !into_set(g->refused, call))
		return;
	r = BEGIN(g, id, REC_CALL, rec_call, call, ret);
	if (r != NULL)
		bpf_ringbuf_submit(r, 0);
}

/* In a frame of its own: what is behind it needs the room. */
static __noinline void
measure(struct watch_group *g, __u64 id, struct pt_regs *regs, __u32 call,
    long ret)
{
	(void)into_set(g->calls, call);
	if (ret == -EPERM)
		tell_call(g, id, call, ret);
	switch (call) {
#ifdef __NR_open
	case __NR_open:
	case __NR_creat:
#endif
	case __NR_openat:
	case __NR_openat2:
		if (ret >= 0)
			__sync_fetch_and_add(&g->opened, 1);
		break;
	case __NR_read:
	case __NR_pread64:
	case __NR_readv:
	case __NR_preadv:
	case __NR_preadv2:
		moved(g, id, call, ret, ARG0(regs), ~0ull);
		break;
	case __NR_write:
	case __NR_pwrite64:
	case __NR_writev:
	case __NR_pwritev:
	case __NR_pwritev2:
	case __NR_fallocate: /* 0, or no room */
		moved(g, id, call, ret, ~0ull, ARG0(regs));
		break;
	case __NR_sendfile:
		moved(g, id, call, ret, ARG1(regs), ARG0(regs));
		break;
	case __NR_splice:
	case __NR_copy_file_range:
		moved(g, id, call, ret, ARG0(regs), ARG2(regs));
		break;
	case __NR_mmap:
		mapping(g, id, regs, ret);
		break;
	default:
		break;
	}
}

#endif
