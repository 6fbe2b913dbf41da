/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_KERNEL_H
#define WARREN_AUDIT_BPF_KERNEL_H

#include <linux/types.h>
#include <stdbool.h>
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * What the probes read of the kernel's own structures: these members, wherever
 * the running kernel has them (CO-RE). By hand rather than a dump of one
 * kernel's types: nothing of the machine that builds goes into the program.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	unsigned val;
} kuid_t;
typedef struct {
	unsigned val;
} kgid_t;

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct super_block {
	unsigned long s_magic, s_flags;
};

typedef struct {
	int counter;
} atomic_t;

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right, *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct address_space {
	atomic_t i_mmap_writable;
	struct rb_root_cached i_mmap;
};

struct inode {
	__u16 i_mode;
	__u32 i_nlink;
	__u32 i_generation;
	unsigned long i_ino;
	__u32 i_rdev;
	long long i_size;
	struct super_block *i_sb;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	unsigned f_mode, f_flags;
	struct path f_path;
	struct inode *f_inode;
	struct address_space *f_mapping;
};

struct fdtable {
	unsigned max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path pwd;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid_namespace {
	struct task_struct *child_reaper;
};

struct pid {
	unsigned level;
	struct upid numbers[1];
};

/* one of 64 bits or two of 32, by the kernel's age: read whole */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct cred {
	kuid_t uid, suid, euid;
	kgid_t gid, sgid, egid;
	kernel_cap_t cap_permitted, cap_effective;
	void *user_ns;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	void *oom_mm;
};

struct mm_struct {
	unsigned long start_stack;
};

struct filter_count {
	int counter;
};

struct seccomp {
	struct filter_count filter_count;
};

struct task_struct {
	int pid, tgid, exit_code, exit_state;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct files_struct *files;
	struct fs_struct *fs;
	const struct cred *cred;
	struct signal_struct *signal;
	struct seccomp seccomp;
};

struct linux_binprm {
	struct file *file;
	const char *filename, *interp, *fdpath;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags;
	struct file *vm_file;
	void *vm_ops, *anon_vma;
	struct {
		struct rb_node rb;
	} shared;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10, r8, di, si, dx, orig_ax, ip;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 pc;
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "no system calls are known for this machine"
#endif

#pragma clang attribute pop

#define CALL_NONE 0xffffffffu
#define STACK_BITS 14 /* a task's stack in the kernel has at least as many */

#if defined(__TARGET_ARCH_x86)
/* of a pointer that the verifier knows: a plain load */
#define CALL_OF(r) ((__u32)(r)->orig_ax)
#define CALL_READ(r) ((__u32)BPF_CORE_READ(r, orig_ax))
#define ARG0(r) BPF_CORE_READ(r, di)
#define ARG1(r) BPF_CORE_READ(r, si)
#define ARG2(r) BPF_CORE_READ(r, dx)
#define ARG3(r) BPF_CORE_READ(r, r10)
#define ARG4(r) BPF_CORE_READ(r, r8)
#define NEXT_OF(r) ((r)->ip)
#else
#define CALL_OF(r) ((__u32)(r)->syscallno)
#define CALL_READ(r) ((__u32)BPF_CORE_READ(r, syscallno))
#define ARG0(r) BPF_CORE_READ(r, orig_x0)
#define ARG1(r) BPF_CORE_READ(r, regs[1])
#define ARG2(r) BPF_CORE_READ(r, regs[2])
#define ARG3(r) BPF_CORE_READ(r, regs[3])
#define ARG4(r) BPF_CORE_READ(r, regs[4])
#define NEXT_OF(r) ((r)->pc)
#endif

#define VM_WRITE 0x2ul
#define VM_EXEC 0x4ul
#define VM_SHARED 0x8ul
#define VM_MAYWRITE 0x20ul
#define FMODE_WRITE 0x2u
#define FMODE_CREATED 0x100000u
#define PROT_WRITE 0x2u
#define PROT_EXEC 0x4u

#endif
