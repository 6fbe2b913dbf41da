/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_WATCH_REC_H
#define WARREN_AUDIT_BPF_WATCH_REC_H

#include <linux/types.h>

/*
 * What the probes in the kernel tell warren-audit: one record a ring-buffer
 * entry, whatever the tier of the probe, in this machine's byte order, read by
 * audit/decode.c alone. Numbers are never reused; members are aligned, never
 * packed. Included by the kernel side too, so plain C and fixed sizes only.
 */
enum rec_type {
	REC_FORK = 1,
	REC_EXEC = 2,
	REC_EXIT = 3,
	REC_OPEN = 4,	/* opened for writing: the file, not a path */
	REC_PATH = 5,	/* refused, or a call that has a path only */
	REC_MEMORY = 6, /* memory became executable */
	REC_CRED = 7,	/* credentials: changed, or a call that would */
	/* of a job under a contract alone */
	REC_REFUSED = 8, /* a file that it may not read or run; a rec_path */
	REC_CALL = 9,	 /* a call that its filter refuses, once each */
	REC_FULL = 10,	 /* a write that found no room */
	REC_LINK = 11,	/* a symbolic link that leads near a watched place */
	REC_CODE = 12,	/* of a contract's: a file's code is mapped, once each */
	REC_KEPT = 13,	/* a rec_path of a contract's that was refused */
	REC_TYPES
};

#define REC_COMM 16
#define REC_NAMES 16 /* the leaf, and as many folders from the top */
#define REC_NAME 32  /* longer ones are cut */
#define REC_WALK 64  /* steps of a path, the mounts included */
#define REC_TEXT 512 /* of a path that the job gave */

struct rec_head {
	__u16 type, size;
	__u32 call;  /* number of the system call, or ~0 */
	__u64 group; /* v2 group's id */
	__u64 when_ns; /* CLOCK_MONOTONIC */
	__u32 pid;   /* of the job's own namespace */
	__u32 tid;   /* of the host */
	__s64 ret;   /* of the call */
	char comm[REC_COMM];
};

/* names[0] is the leaf; its folder is next, then from the leaf to the root. */
struct rec_file {
	__u64 magic; /* of its file system */
	__u32 mode;  /* st_mode */
	__u32 major, minor; /* of a device */
	__u32 links;
	__u32 depth; /* names of the whole path; over REC_NAMES: a ring */
	__u32 deep;  /* its path has more than REC_WALK names */
	char names[REC_NAMES][REC_NAME];
};

struct rec_fork {
	struct rec_head h;
	__u32 child, align;
};

struct rec_exec {
	struct rec_head h;
	struct rec_file file;
};

struct rec_exit {
	struct rec_head h;
	__u32 code; /* as wait(2) has it; h.call: when SIGSYS ended it */
	__u32 oom;  /* the kernel chose it when memory was short */
};

struct rec_open {
	struct rec_head h;
	__u32 flags, align;
	struct rec_file file;
};

/*
 * at: the folder that a relative path starts from. flags: of open; what mknod
 * makes, with dev; REC_OLD for the name that rename takes away and link has.
 */
#define REC_OLD 1u
#define REC_OLD_FOLLOWED 2u /* link follows it, when that is a link itself */
struct rec_path {
	struct rec_head h;
	__u32 flags;
	__u32 cut; /* the text is longer */
	__u32 dev, align;
	struct rec_file at;
	char text[REC_TEXT];
};

struct rec_call {
	struct rec_head h;
};

struct rec_full {
	struct rec_head h;
	struct rec_file file;
};

/* path: the link, as that of rec_path; to: where it leads, as it says */
struct rec_link {
	struct rec_path path;
	char to[REC_TEXT];
};

#define MEM_ANON 1u    /* no file is behind it */
#define MEM_WRITE 2u   /* it is writable as well */
#define MEM_WRITTEN 4u /* a private copy of the file's page was made */
#define MEM_UNKNOWN 8u /* the mapping could not be looked at */
struct rec_memory {
	struct rec_head h;
	__u64 addr, len;
	__u32 what, align; /* MEM_ of all mappings that were looked at */
	struct rec_file file; /* of the first one that has a file */
};

struct rec_ids {
	__u32 uid, euid, suid, gid, egid, sgid; /* of the host */
	__u64 caps; /* effective and permitted, together */
};

struct rec_cred {
	struct rec_head h;
	__u32 changed; /* against what it had when its command started */
	__u32 user_ns; /* ... and that is its user namespace */
	struct rec_ids was, is;
	__u64 args[3]; /* of the call; the second of capset: all rights in it */
};

#define WATCH_CALLS 8 /* words of a set of system calls, a bit for each */

/* What a group has done, by rec_type; and what was not told. */
struct watch_group {
	__u64 seen[REC_TYPES];
	__u64 lost; /* the ring was full, or too many of a type in a second */
	/*
	 * credentials when its first program started, or of a job that runs
	 * already (late) at its next call; ready: they are set
	 */
	__u32 ready, late;
	__u64 nested; /* another program contains it, from within the group */
	__u64 user_ns;
	struct rec_ids ids;
	/* per type: second, and records in it */
	__u64 second[REC_TYPES];
	__u32 in_second[REC_TYPES];
	/* in sum: measure.h */
	__u64 calls[WATCH_CALLS], refused[WATCH_CALLS];
	__u64 opened, read_bytes, written_bytes;
	/* ... and of those near a watched place, which others do not hide */
	__u32 near_in_second[REC_TYPES];
	__u64 near_second[REC_TYPES];
	__u32 level;  /* of its pid namespace */
	__u32 linked; /* it has made a link that leads near one */
	__u32 scripts, align; /* it runs some by such a way: scripts.h */
};

/* Of a group under a contract: which calls are told when they are refused. */
struct watch_bounds {
	__u64 denied[WATCH_CALLS];
};

/* What the tier that may deny refuses: by the house's rule of this name. */
#define DENY_PROC 1u	/* write_proc */
#define DENY_DEV 2u	/* write_dev, of devices */
#define DENY_BOOT 4u	/* write_boot */
#define DENY_ANON 8u	/* anonymous_exec */
#define DENY_WX 16u	/* write_then_exec */
#define DENY_DELETED 32u /* map_deleted */
#define DENY_RUN 64u	/* run_memory */
#define DENY_CRED 128u	/* credentials_changed */

/* ours: of one type, job and second; a flood of one hides no other */
#define WATCH_PER_SECOND 128
#define WATCH_GROUPS 256 /* jobs at once */
#define WATCH_LINKS 16 /* of a job under a contract that are told */
#define WATCH_HINTS 256
#define WATCH_STACKS 65536u /* marks of tasks: watch.bpf.c */
struct watch_looked {
	__u32 everybody; /* while a job runs that was found running */
	__u8 mark[WATCH_STACKS];
};
#define WATCH_RING (512u * 1024)

#endif
