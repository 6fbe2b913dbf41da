/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fsverity.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "common/log.h"
#include "common/util.h"

/*
 * The system-call filters, one table. Names, because a call that an
 * architecture does not have is skipped there.
 */
enum {
	F_FILES = 1 << 0,    /* beneath its folder: THREATS.md 1 */
	F_ACCEPT = 1 << 1,   /* on listeners that it was handed */
	F_SPLICE = 1 << 2,   /* pipes of jobs to files */
	F_SOCKET = 1 << 3,   /* socket and connect: IPv4 and IPv6 */
	F_LOCK_MEM = 1 << 4, /* one page of keys */
	F_READ = 1 << 5,     /* files, to read only */
	F_LIBRARIES = 1 << 6, /* code of files: the resolver's modules */
	F_CLASS = 1 << 7,     /* its own scheduling class, down */
	F_ANY_SOCKET = 1 << 8, /* of every family, and bind */
	F_PROBES = 1 << 9,    /* maps and links of probes that are loaded */
	F_VERITY = 1 << 10,   /* the digest that a file system keeps */
	F_LOCAL = 1 << 11,    /* sockets of the unix family, and to listen */
	F_CHILDREN = 1 << 12, /* forks, and reaps them */
};

static const unsigned filter_of[PROGRAM_COUNT] = {
    [PROGRAM_TRANSPORT] = F_FILES | F_ACCEPT | F_SPLICE |
	F_CLASS,
    [PROGRAM_NODE] = F_FILES | F_ACCEPT | F_SPLICE,
    [PROGRAM_TRUST] = F_FILES,
    [PROGRAM_KEYS] = F_LOCK_MEM,
    [PROGRAM_EGRESS] = F_SOCKET,
    [PROGRAM_AUDIT] = F_FILES | F_PROBES,
};

static const char *const basic[] = {"read", "readv", "write", "writev",
    "recvmsg", "recvfrom", "recvmmsg", "sendmsg", "sendto", "sendmmsg",
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "signalfd4",
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep",
    "nanosleep", "gettimeofday", "time", "getrandom", "brk", "munmap",
    "mremap", "madvise", "futex", "membarrier", "rseq", "set_robust_list",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "restart_syscall", "exit", "exit_group", "getpid", "getppid", "gettid",
    "getuid", "geteuid", "getgid", "getegid", "getrusage", "sched_yield",
    "sysinfo", "uname", "close", "close_range", "dup", "fstat", "fstat64",
    "lseek", "_llseek", "pread64", "pwrite64", "ftruncate", "ftruncate64",
    "memfd_create", "getsockopt", "setsockopt", "getsockname", "getpeername",
    "shutdown", "pipe2", "getcwd"};

/* fstat(3) of newer libcs; with a path it needs Landlock's and chroot's leave */
static const char *const stats[] = {"newfstatat", "fstatat64", "statx"};

static const char *const readers[] = {"open", "openat", "openat2", "stat",
    "lstat", "stat64", "lstat64", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents64", "fstatfs", "fstatfs64",
    "statfs", "statfs64", "fadvise64", "chdir", "fchdir"};

static const char *const files[] = {"fsync", "fdatasync", "sync_file_range",
    "fallocate", "unlink", "unlinkat", "rename", "renameat", "renameat2",
    "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlinkat", "flock",
    "fchmod", "fchmodat", "fchown", "fchown32", "utimensat", "pwritev",
    "preadv", "copy_file_range", "msync"};

static const char *const accepts[] = {"accept", "accept4"};
static const char *const splices[] = {"splice", "tee", "sendfile"};
static const char *const any_sockets[] = {"socket", "connect", "bind"};
static const char *const locks[] = {"mlock", "mlock2", "munlock"};

/* What no program of the house does: an attempt is an attack or a defect. */
static const char *const never[] = {"ptrace", "process_vm_readv",
    "process_vm_writev", "process_madvise", "pidfd_getfd", "keyctl",
    "add_key", "request_key", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "userfaultfd", "perf_event_open",
    "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "swapon", "swapoff", "reboot", "open_by_handle_at"};
/* ... and only the jail does. */
static const char *const jailers[] = {"execve", "execveat", "mount",
    "umount2", "pivot_root", "chroot", "setns", "unshare", "kill", "tkill",
    "pidfd_send_signal", "clone3", "fork", "vfork"};

static int
add_rule(scmp_filter_ctx ctx, uint32_t action, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr < 0)
		return 0;
	return seccomp_rule_add(ctx, action, nr, 0);
}

static int
add(scmp_filter_ctx ctx, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = add_rule(ctx, action, names[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

#define ADD(ctx, action, list) add(ctx, action, list, NELEM(list))

/*
 * Of fcntl what files, locks, pipes and memfds need. Not F_SETOWN and F_SETSIG:
 * together they send any signal to any process of the same user, and rootless
 * all programs are one user's.
 */
static const int fcntls[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
    F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK,
    F_OFD_SETLKW, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS};

static int
add_fcntl(scmp_filter_ctx ctx)
{
	static const char *const names[] = {"fcntl", "fcntl64"};
	int r = 0;

	for (size_t i = 0; i < NELEM(names) && r >= 0; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		for (size_t k = 0; nr >= 0 && k < NELEM(fcntls) && r >= 0; k++)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
			    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[k], 0));
	}
	return r;
}

/* Memory is never executable; a signal goes to this process only. */
static int
add_bounded(scmp_filter_ctx ctx, bool libraries)
{
	struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	struct scmp_arg_cmp self =
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
	static const char *const maps[] = {"mmap", "mmap2", "mprotect"};
	int r = 0;

	for (size_t i = 0; i < NELEM(maps) && r >= 0; i++) {
		int nr = seccomp_syscall_resolve_name(maps[i]);

		if (nr >= 0 && libraries)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
		else if (nr >= 0)
			r = seccomp_rule_add(
			    ctx, SCMP_ACT_ALLOW, nr, 1, no_exec);
	}
	if (r >= 0)
		r = seccomp_rule_add(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, self);
	return r;
}

static int
add_class(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
	    SCMP_SYS(sched_setscheduler), 1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
}

/*
 * Not of the unix family: rootless its peer would be the operator to
 * warren/run/node.sock, and the shared instance to Reticulum's programs.
 */
static int
add_sockets(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_INET, AF_INET6};
	int r = add_rule(ctx, SCMP_ACT_ALLOW, "connect");

	for (size_t i = 0; i < NELEM(families) && r >= 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return r;
}

static int
add_local(scmp_filter_ctx ctx)
{
	static const char *const more[] = {"connect", "bind", "listen",
	    "accept4"};
	int r = ADD(ctx, SCMP_ACT_ALLOW, more);

	return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
	    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
}

/* A process, as fork(3) makes one, and in no other way. */
static int
add_children(scmp_filter_ctx ctx)
{
	int r = add_rule(ctx, SCMP_ACT_ALLOW, "wait4");

	return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
	    SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ,
	    ~(scmp_datum_t)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID),
	    SIGCHLD));
}

/*
 * Of bpf(2) what needs no right and a descriptor that is there already: to
 * read and write a map, to hang a program on its tracepoint. Nothing is
 * loaded or made.
 */
static int
add_probes(scmp_filter_ctx ctx, bool probes)
{
	static const int commands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM,
	    BPF_MAP_DELETE_ELEM, BPF_RAW_TRACEPOINT_OPEN};
	int r = 0;

	if (!probes)
		return seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS,
		    SCMP_SYS(bpf), 0);
	for (size_t i = 0; i < NELEM(commands) && r >= 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)commands[i], 0));
	return r;
}

static int
build_allow(scmp_filter_ctx ctx, unsigned sets)
{
	int r = ADD(ctx, SCMP_ACT_ALLOW, basic);

	if (r >= 0)
		r = ADD(ctx, SCMP_ACT_ALLOW, stats);
	if (r >= 0)
		r = add_fcntl(ctx);
	if (r >= 0)
		r = add_bounded(ctx, (sets & F_LIBRARIES) != 0);
	if (r >= 0 && sets & (F_FILES | F_READ))
		r = ADD(ctx, SCMP_ACT_ALLOW, readers);
	if (r >= 0 && sets & F_FILES)
		r = ADD(ctx, SCMP_ACT_ALLOW, files);
	if (r >= 0 && sets & F_ACCEPT)
		r = ADD(ctx, SCMP_ACT_ALLOW, accepts);
	if (r >= 0 && sets & F_SPLICE)
		r = ADD(ctx, SCMP_ACT_ALLOW, splices);
	if (r >= 0 && sets & F_SOCKET)
		r = add_sockets(ctx);
	if (r >= 0 && sets & F_ANY_SOCKET)
		r = ADD(ctx, SCMP_ACT_ALLOW, any_sockets);
	if (r >= 0 && sets & F_LOCAL)
		r = add_local(ctx);
	if (r >= 0 && sets & F_CHILDREN)
		r = add_children(ctx);
	if (r >= 0 && sets & F_CLASS)
		r = add_class(ctx);
	if (r >= 0 && sets & F_LOCK_MEM)
		r = ADD(ctx, SCMP_ACT_ALLOW, locks);
	if (r >= 0 && sets & F_VERITY)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_EQ, FS_IOC_MEASURE_VERITY, 0));
	if (r >= 0)
		r = add_probes(ctx, (sets & F_PROBES) != 0);
	if (r >= 0)
		r = ADD(ctx, SCMP_ACT_KILL_PROCESS, never);
	if (r >= 0)
		r = ADD(ctx, SCMP_ACT_KILL_PROCESS, jailers);
	return r;
}

/* Takes ctx, whose rules were added with r. */
static int
set(scmp_filter_ctx ctx, int r)
{
	if (r >= 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	if (r < 0) {
		errno = -r;
		return -1;
	}
	return 0;
}

static int
load(unsigned sets)
{
	scmp_filter_ctx ctx;
	int r;

#ifdef WARREN_SANITIZED
	/* the sanitizers' own runtime opens, maps and traces */
	log_debug(NULL, "no system-call filter in a build with sanitizers");
	return 0;
#endif
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (ctx == NULL) {
		errno = ENOMEM;
		return -1;
	}
	/* 2: a tree by call number; the default walks the list each time */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	r = build_allow(ctx, sets);
	return set(ctx, r);
}

int
priv_filter(enum program who)
{
	if (who == PROGRAM_PARENT)
		return 0;
	if (who >= PROGRAM_COUNT || filter_of[who] == 0) {
		errno = EINVAL;
		return -1;
	}
	return load(filter_of[who]);
}

int
priv_filter_lookup(void)
{
	return load(F_READ | F_ANY_SOCKET | F_LIBRARIES);
}

int
priv_filter_reader(void)
{
	return load(F_READ | F_VERITY);
}

int
priv_filter_envoy(void)
{
	return load(F_FILES | F_READ | F_LOCAL | F_CHILDREN);
}

int
priv_filter_watchdog(void)
{
	return load(0);
}

/* Not known before it runs: what it must not is named, and it is told no. */
int
priv_filter_verifier(void)
{
	static const char *const more[] = {"socket", "connect", "bind",
	    "listen", "accept", "accept4", "mount", "umount2", "pivot_root",
	    "chroot", "setns", "unshare", "move_mount", "fsopen", "fsmount",
	    "open_tree", "mount_setattr", "bpf", "personality", "quotactl",
	    "acct", "syslog", "pidfd_open", "pidfd_send_signal", "tkill"};
	scmp_filter_ctx ctx;
	int r;

#ifdef WARREN_SANITIZED
	return 0;
#endif
	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS);
	r = ADD(ctx, SCMP_ACT_ERRNO(EPERM), never);
	if (r >= 0)
		r = ADD(ctx, SCMP_ACT_ERRNO(EPERM), more);
	/* libcs ask for the older one then, whose flags can be looked at */
	if (r >= 0)
		r = add_rule(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3");
	if (r >= 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ,
			CLONE_NEWUSER, CLONE_NEWUSER));
	return set(ctx, r);
}
