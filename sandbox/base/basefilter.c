/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/basefilter.h"

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"
#include "common/util.h"

#define NS_FLAGS                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/*
 * Calls that a packaged libseccomp may not know by name yet, and would leave
 * open with it. All of them have one number on every architecture that Warren
 * runs on. tests/syscalls.sh holds this to the kernel's own table.
 */
static const struct {
	const char *name;
	int nr;
} newer[] = {
#ifdef __x86_64__
    /* of the kernel's own trampolines */
    {"uretprobe", 335}, {"uprobe", 336},
#endif
    {"set_mempolicy_home_node", 450}, {"cachestat", 451},
    {"fchmodat2", 452}, {"map_shadow_stack", 453}, {"futex_wake", 454},
    {"futex_wait", 455}, {"futex_requeue", 456}, {"statmount", 457},
    {"listmount", 458}, {"lsm_get_self_attr", 459},
    {"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
    {"setxattrat", 463}, {"getxattrat", 464}, {"listxattrat", 465},
    {"removexattrat", 466}, {"open_tree_attr", 467}, {"file_getattr", 468},
    {"file_setattr", 469}, {"listns", 470}};
/* beyond it no call is known, and none is there */
#define HIGHEST 470
#define X32 0x40000000u /* another architecture's: killed, not unknown */

static const char *const never[] = {"acct", "add_key", "adjtimex", "afs_syscall",
    "bpf", "clock_adjtime", "clock_settime", "create_module",
    "delete_module", "fanotify_init", "finit_module", "get_kernel_syms",
    "getpmsg", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load",
    "kexec_load", "keyctl", "lookup_dcookie", "lsm_set_self_attr",
    "memfd_secret", "migrate_pages",
    "modify_ldt", "move_pages", "name_to_handle_at", "nfsservctl",
    "open_by_handle_at", "perf_event_open", "pidfd_getfd",
    "process_madvise", "process_vm_writev", "putpmsg", "query_module", "quotactl", "quotactl_fd", "reboot",
    "request_key", "security", "settimeofday", "stime", "swapoff", "swapon",
    "sysfs", "syslog", "tuxcall", "uselib", "userfaultfd", "ustat", "vhangup",
    "vm86", "vm86old", "vserver", "_sysctl"};
/* programs try these and go on without */
static const char *const never_there[] = {"cachestat", "file_setattr",
    "io_setup" /* fs.aio-max-nr is the host's */, "io_uring_enter",
    "io_uring_register", "io_uring_setup", "lsm_get_self_attr",
    "lsm_list_modules"};
static const char *const job_never[] = {"chroot", "fsconfig", "fsmount",
    "fsopen", "fspick", "listmount", "listns", "mount", "mount_setattr",
    "move_mount", "open_tree", "open_tree_attr", "pivot_root", "setns",
    "statmount", "umount", "umount2", "unshare"};
/* What only a snapshot does; the calls of ptrace that it has are below. */
static const char *const traces[] = {"process_vm_readv", "ptrace"};
/* What a job writes lasts as long as it does: nothing is to be waited for. */
static const char *const job_done[] = {"sync", "syncfs"};
static const char *const jail_may[] = {"brk", "clock_gettime",
    "clock_nanosleep", "close", "close_range", "dup", "epoll_ctl",
    "epoll_pwait", "epoll_wait", "exit", "exit_group", "fchmod",
    "fstat", "fstatfs", "futex", "getpid", "gettid", "getrandom", "getsockopt", "gettimeofday",
    "lseek", "madvise", "memfd_create", "munmap", "newfstatat",
    "openat2", "pidfd_send_signal", "pipe2", "poll", "ppoll", "pread64", "read", "readv",
    "recvfrom", "recvmsg", "restart_syscall", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sendmsg", "sendto", "sigaltstack",
    "statx", "time", "wait4", "waitid", "write", "writev"};
/* not F_SETOWN and F_SETSIG, which send signals (common/filter.c) */
static const int jail_fcntl[] = {F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, F_GETFD,
    F_SETFD, F_GET_SEALS};
/* Options of SOL_SOCKET that bring a program into the kernel. */
static const int programs[] = {26 /* SO_ATTACH_FILTER */, 50 /* _BPF */,
    51 /* _REUSEPORT_CBPF */, 52 /* _REUSEPORT_EBPF */};

int
base_number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; nr == __NR_SCMP_ERROR && i < NELEM(newer); i++)
		if (strcmp(newer[i].name, name) == 0)
			nr = newer[i].nr;
	return nr == __NR_SCMP_ERROR || nr < 0 ? -1 : nr;
}

static int
rules(scmp_filter_ctx c, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = base_number(names[i]);

		if (nr >= 0 && seccomp_rule_add(c, action, nr, 0) != 0)
			return -1;
	}
	return 0;
}

static int
never_rules(scmp_filter_ctx c)
{
	uint32_t no = SCMP_ACT_ERRNO(EPERM);

	if (rules(c, no, never, NELEM(never)) < 0 ||
	    rules(c, SCMP_ACT_ERRNO(ENOSYS), never_there,
	    NELEM(never_there)) < 0)
		return -1;
	/* would turn data into code; a mere question is refused with it */
	return seccomp_rule_add(c, no, SCMP_SYS(personality), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, READ_IMPLIES_EXEC,
	    READ_IMPLIES_EXEC)) == 0 ? 0 : -1;
}

/*
 * Only sockets of the unix family. The buffers of all others are the host's
 * to pay on v1, and one limit for the whole host (net.ipv4.udp_mem, tcp_mem):
 * a job that filled them would leave none to the relay.
 */
static int
socket_rules(scmp_filter_ctx c)
{
	const int calls[] = {SCMP_SYS(socket), SCMP_SYS(socketpair)};

	for (size_t i = 0; i < NELEM(calls); i++)
		if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), calls[i],
		    1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) != 0)
			return -1;
	/* what they are translated to is the host's as well (bpf_jit_limit) */
	for (size_t i = 0; i < NELEM(programs); i++)
		if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM),
		    SCMP_SYS(setsockopt), 2,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, SOL_SOCKET),
		    SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffff,
		    (scmp_datum_t)programs[i])) != 0)
			return -1;
	return 0;
}

/* Huge pages are a pool of the host that no group of ours bounds. */
static int
memory_rules(scmp_filter_ctx c)
{
	if (seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(mmap), 1,
	    SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_HUGETLB, MAP_HUGETLB)) != 0 ||
	    seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(memfd_create),
	    1, SCMP_A1(SCMP_CMP_MASKED_EQ, MFD_HUGETLB, MFD_HUGETLB)) != 0 ||
	    seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(shmget), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, SHM_HUGETLB, SHM_HUGETLB)) != 0)
		return -1;
	return 0;
}

static int
job_rules(scmp_filter_ctx c, bool snapshot)
{
	uint32_t no = SCMP_ACT_ERRNO(EPERM);
	static const unsigned long tty[] = {0x5412, 0x541c}; /* STI, LINUX */

	if (!snapshot && rules(c, no, traces, NELEM(traces)) < 0)
		return -1;
	if (rules(c, no, job_never, NELEM(job_never)) < 0 ||
	    rules(c, SCMP_ACT_ERRNO(0), job_done, NELEM(job_done)) < 0)
		return -1;
	for (unsigned bit = 0; bit < 32; bit++)
		if ((NS_FLAGS & 1u << bit) != 0 && bit != 7 &&
		    seccomp_rule_add(c, no, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, 1u << bit, 1u << bit)) != 0)
			return -1;
	/* its flags lie in memory: libc falls back to clone */
	if (seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3),
	    0) != 0)
		return -1;
	if (socket_rules(c) < 0 || memory_rules(c) < 0)
		return -1;
	for (size_t i = 0; i < NELEM(tty); i++)
		if (seccomp_rule_add(c, no, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, tty[i])) != 0)
			return -1;
	return 0;
}

/*
 * No filter behind the last one: each is translated at the host's cost. To a
 * job it is a kernel that has none.
 */
static int
seal_rules(scmp_filter_ctx c)
{
	if (seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp),
	    0) != 0)
		return -1;
	return seccomp_rule_add(c, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, PR_SET_SECCOMP)) == 0 ? 0 :
	    -1;
}

/* Memory is never executable; descriptors send no signals. */
static int
jail_rules(scmp_filter_ctx c)
{
	const int maps[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};

	if (rules(c, SCMP_ACT_ALLOW, jail_may, NELEM(jail_may)) < 0)
		return -1;
	for (size_t i = 0; i < NELEM(maps); i++)
		if (seccomp_rule_add(c, SCMP_ACT_ALLOW, maps[i], 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
			return -1;
	for (size_t i = 0; i < NELEM(jail_fcntl); i++)
		if (seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)jail_fcntl[i],
			0)) != 0)
			return -1;
	return 0;
}

/*
 * Before the rest: what no table knows is not there. libseccomp has no rule
 * about numbers themselves.
 */
static const struct sock_filter unknown[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, HIGHEST, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
};

/*
 * Of ptrace: hold, look, let go. libseccomp cannot say "none but these" of an
 * argument. The low half of it, as a little-endian machine has it.
 */
#define REQUEST offsetof(struct seccomp_data, args)
#define ALLOWED(request, on) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, request, on, 0)
static const struct sock_filter tracing[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 7),
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, REQUEST),
	ALLOWED(PTRACE_SEIZE, 5),
	ALLOWED(PTRACE_INTERRUPT, 4),
	ALLOWED(PTRACE_GETREGSET, 3),
	ALLOWED(PTRACE_GETSIGINFO, 2),
	ALLOWED(PTRACE_DETACH, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
};

/* libseccomp gives its program to a descriptor only. */
static int
export(scmp_filter_ctx c, struct filter *out, bool snapshot)
{
	const size_t more = snapshot ? sizeof(tracing) : 0;
	const size_t head = sizeof(unknown) + more;

	_cleanup_fd_ int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	size_t n;

	if (fd < 0 || seccomp_export_bpf(c, fd) != 0 ||
	    fstat(fd, &st) < 0)
		return -1;
	n = (size_t)st.st_size;
	if (n == 0 || n % sizeof(*out->insns) != 0 ||
	    (head + n) / sizeof(*out->insns) > BPF_MAXINSNS)
		return -1;
	if ((out->insns = malloc(head + n)) == NULL)
		return -1;
	memcpy(out->insns, unknown, sizeof(unknown));
	memcpy(out->insns + NELEM(unknown), tracing, more);
	if (pread(fd, (uint8_t *)out->insns + head, n, 0) != (ssize_t)n) {
		free(out->insns);
		out->insns = NULL;
		return -1;
	}
	out->len = (unsigned short)((head + n) / sizeof(*out->insns));
	return 0;
}

int
base_build_filter(enum base_filter which, struct filter *out)
{
	uint32_t def = which == BASE_JAIL ? SCMP_ACT_ERRNO(EPERM) :
	    SCMP_ACT_ALLOW;
	scmp_filter_ctx c = seccomp_init(def);
	int rv = -1;

	memset(out, 0, sizeof(*out));
	if (c == NULL)
		return -1;
	/* another architecture has other numbers: no way around by it */
	if (seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS) == 0) {
		(void)seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		switch (which) {
		case BASE_NEVER:
			rv = never_rules(c);
			break;
		case BASE_JOB:
		case BASE_SNAPSHOT:
			rv = job_rules(c, which == BASE_SNAPSHOT);
			break;
		case BASE_SEAL:
			rv = seal_rules(c);
			break;
		case BASE_JAIL:
			rv = jail_rules(c);
			break;
		}
	}
	if (rv == 0)
		rv = export(c, out, which == BASE_SNAPSHOT);
	seccomp_release(c);
	return rv;
}

int
filter_load(const struct filter *f)
{
	struct sock_fprog prog = {.len = f->len, .filter = f->insns};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}
