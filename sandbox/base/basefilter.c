/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/basefilter.h"

#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"
#include "common/util.h"

#define NS_FLAGS                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

static const char *const never[] = {"acct", "add_key", "adjtimex", "afs_syscall",
    "bpf", "clock_adjtime", "clock_settime", "create_module",
    "delete_module", "fanotify_init", "finit_module", "get_kernel_syms",
    "getpmsg", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load",
    "kexec_load", "keyctl", "lookup_dcookie", "memfd_secret", "migrate_pages",
    "modify_ldt", "move_pages", "name_to_handle_at", "nfsservctl",
    "open_by_handle_at", "perf_event_open", "pidfd_getfd",
    "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace",
    "putpmsg", "query_module", "quotactl", "quotactl_fd", "reboot",
    "request_key", "security", "settimeofday", "stime", "swapoff", "swapon",
    "sysfs", "syslog", "tuxcall", "uselib", "userfaultfd", "ustat", "vhangup",
    "vm86", "vm86old", "vserver", "_sysctl"};
/* programs try these and go on without */
static const char *const never_there[] = {"io_uring_enter", "io_uring_register",
    "io_uring_setup"};
static const char *const job_never[] = {"chroot", "fsconfig", "fsmount",
    "fsopen", "fspick", "listmount", "mount", "mount_setattr", "move_mount",
    "open_tree", "open_tree_attr", "pivot_root", "setns", "umount", "umount2",
    "unshare"};
static const char *const jail_may[] = {"brk", "clock_gettime",
    "clock_nanosleep", "close", "close_range", "dup", "epoll_ctl",
    "epoll_pwait", "epoll_wait", "exit", "exit_group", "fchmod", "fcntl",
    "fstat", "fstatfs", "futex", "getpid", "gettid", "getrandom", "getsockopt", "gettimeofday",
    "lseek", "madvise", "memfd_create", "mmap", "mprotect", "munmap", "newfstatat",
    "openat2", "pidfd_send_signal", "pipe2", "poll", "ppoll", "pread64", "read", "readv",
    "recvfrom", "recvmsg", "restart_syscall", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "sendmsg", "sendto", "sigaltstack",
    "statx", "time", "wait4", "waitid", "write", "writev"};

static int
deny(scmp_filter_ctx c, uint32_t action, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_syscall_resolve_name(names[i]);

		/* not known to this library, or not on this machine */
		if (nr == __NR_SCMP_ERROR || nr < 0)
			continue;
		if (seccomp_rule_add(c, action, nr, 0) != 0)
			return -1;
	}
	return 0;
}

static int
never_rules(scmp_filter_ctx c)
{
	uint32_t no = SCMP_ACT_ERRNO(EPERM);

	if (deny(c, no, never, NELEM(never)) < 0 ||
	    deny(c, SCMP_ACT_ERRNO(ENOSYS), never_there,
	    NELEM(never_there)) < 0)
		return -1;
	/* would turn data into code; a mere question is refused with it */
	return seccomp_rule_add(c, no, SCMP_SYS(personality), 1,
	    SCMP_A0(SCMP_CMP_MASKED_EQ, READ_IMPLIES_EXEC,
	    READ_IMPLIES_EXEC)) == 0 ? 0 : -1;
}

static int
job_rules(scmp_filter_ctx c)
{
	uint32_t no = SCMP_ACT_ERRNO(EPERM);
	static const unsigned long tty[] = {0x5412, 0x541c}; /* STI, LINUX */

	if (deny(c, no, job_never, NELEM(job_never)) < 0)
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
	/* unix, inet and inet6 end in the job's own namespace */
	if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket),
	    1, SCMP_A0(SCMP_CMP_GT, AF_INET6, 0)) != 0 ||
	    seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT),
	    SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) != 0)
		return -1;
	for (uint64_t family = 3; family < AF_INET6; family++)
		if (seccomp_rule_add(c, SCMP_ACT_ERRNO(EAFNOSUPPORT),
		    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family, 0)) != 0)
			return -1;
	for (size_t i = 0; i < NELEM(tty); i++)
		if (seccomp_rule_add(c, no, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, tty[i])) != 0)
			return -1;
	return 0;
}

/* libseccomp gives its program to a descriptor only. */
static int
export(scmp_filter_ctx c, struct filter *out)
{
	_cleanup_fd_ int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;
	size_t n;

	if (fd < 0 || seccomp_export_bpf(c, fd) != 0 ||
	    fstat(fd, &st) < 0)
		return -1;
	n = (size_t)st.st_size;
	if (n == 0 || n % sizeof(*out->insns) != 0 ||
	    n / sizeof(*out->insns) > BPF_MAXINSNS)
		return -1;
	if ((out->insns = malloc(n)) == NULL)
		return -1;
	if (pread(fd, out->insns, n, 0) != (ssize_t)n) {
		free(out->insns);
		out->insns = NULL;
		return -1;
	}
	out->len = (unsigned short)(n / sizeof(*out->insns));
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
			rv = job_rules(c);
			break;
		case BASE_JAIL:
			rv = deny(c, SCMP_ACT_ALLOW, jail_may,
			    NELEM(jail_may));
			break;
		}
	}
	if (rv == 0)
		rv = export(c, out);
	seccomp_release(c);
	return rv;
}

int
filter_load(const struct filter *f)
{
	struct sock_fprog prog = {.len = f->len, .filter = f->insns};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}
