/* SPDX-License-Identifier: BSD-2-Clause */
/* Other processes: the sandbox's first one, the host's, namespaces. */
#include "sandbox/probe/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INIT "pid mount"
#define TRACE "seccomp pid"

static bool
readable(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	bool r = fd >= 0 && read(fd, &c, 1) >= 0;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* Its id is the job's own: only that it was never executed keeps it closed. */
PROBE(proc_1)
{
	static const char *const files[] = {"environ", "cmdline", "maps",
	    "mem", "status", "fd", "root", "cwd", "exe", "ns/mnt", "auxv",
	    "mountinfo", "stack", "syscall"};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/1/%s", files[i]);
		if (access(path, F_OK) == 0 || readable(path))
			ESCAPED("%s is there", path);
	}
	HELD;
}
PROBE(proc_1_mem) { MUST_FAIL(open("/proc/1/mem", O_RDWR)); HELD; }
PROBE(proc_1_task)
{
	MUST_FAIL(access("/proc/1/task/1/status", F_OK));
	MUST_FAIL(open("/proc/1/task/1/mem", O_RDWR));
	HELD;
}

PROBE(other_processes)
{
	DIR *d = opendir("/proc");
	struct dirent *de;
	int n = 0;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] >= '0' && de->d_name[0] <= '9')
			n++;
	if (n > 2)
		ESCAPED("%d processes are seen", n);
	HELD;
}

PROBE(host_pid)
{
	pid_t pid = (pid_t)host_number("HOST_PID");

	if (pid > 2 && kill(pid, 0) >= 0)
		ESCAPED("pid %d of the host can be signalled", (int)pid);
	HELD;
}
PROBE(host_pidfd)
{
	pid_t pid = (pid_t)host_number("HOST_PID");

	if (pid > 2)
		MUST_FAIL(syscall(SYS_pidfd_open, pid, 0));
	HELD;
}
PROBE(host_priority)
{
	pid_t pid = (pid_t)host_number("HOST_PID");

	if (pid > 2)
		MUST_FAIL(sched_getscheduler(pid));
	HELD;
}

PROBE(ptrace) { MUST_FAIL(syscall(SYS_ptrace, 0, 0, 0, 0)); HELD; }
/* SEIZE, which does not stop it */
PROBE(ptrace_init) { MUST_FAIL(syscall(SYS_ptrace, 0x4206, 1, 0, 0)); HELD; }
PROBE(vm_read_init)
{
	MUST_FAIL(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
	HELD;
}
PROBE(vm_write_init)
{
	MUST_FAIL(syscall(SYS_process_vm_writev, 1, NULL, 0, NULL, 0, 0));
	HELD;
}
PROBE(pidfd_getfd)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (fd >= 0)
		MUST_FAIL(syscall(SYS_pidfd_getfd, fd, 0, 0));
	HELD;
}
PROBE(process_madvise)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	static char page[8192];
	struct iovec v = {page, sizeof(page)};

	MUST_FAIL(syscall(SYS_process_madvise, fd, &v, 1, 20, 0));
	HELD;
}
PROBE(kcmp)
{
	MUST_FAIL(syscall(SYS_kcmp, getpid(), getpid(), 1, 0, 0));
	HELD;
}
PROBE(kill_init)
{
	struct timespec t = {0, 20000000}; /* one that works comes within it */

	(void)kill(1, SIGKILL);
	(void)kill(1, SIGSTOP);
	(void)kill(1, SIGSEGV);
	(void)nanosleep(&t, NULL);
	HELD; /* the driver sees whether the exit came as it should */
}

PROBE(setns)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	if (fd < 0)
		HELD;
	MUST_FAIL(setns(fd, 0));
	HELD;
}
PROBE(setns_pidfd)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (fd >= 0)
		MUST_FAIL(setns(fd, CLONE_NEWNS));
	HELD;
}
PROBE(ns_parent)
{
	int fd = open("/proc/self/ns/user", O_RDONLY);

	/* NS_GET_PARENT, NS_GET_USERNS: a descriptor of the outer one */
	if (fd >= 0) {
		MUST_FAIL(syscall(SYS_ioctl, fd, 0xb702));
		MUST_FAIL(syscall(SYS_ioctl, fd, 0xb701));
	}
	fd = open("/proc/self/ns/net", O_RDONLY);
	if (fd >= 0) {
		int user = (int)syscall(SYS_ioctl, fd, 0xb701);

		if (user >= 0 && setns(user, CLONE_NEWUSER) == 0)
			ESCAPED("the user namespace's owner rights");
	}
	HELD;
}

PROBE(thread_self)
{
	struct stat a, b;

	/* a thread's view is not another root */
	if (stat("/proc/thread-self/root/", &a) == 0 &&
	    stat("/", &b) == 0 && (a.st_ino != b.st_ino ||
	    a.st_dev != b.st_dev))
		ESCAPED("/proc/thread-self/root is another");
	HELD;
}

#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE 62
#endif
PROBE(core_cookie)
{
	/* share the core with the first process again: SHARE_TO */
	MUST_FAIL(prctl(PR_SCHED_CORE, 2, 1, 0, 0));
	HELD;
}

static const struct probe list[] = {
	DOOR(proc_1, INIT, NULL), DOOR(proc_1_mem, INIT, NULL),
	DOOR(proc_1_task, INIT, NULL),
	DOOR(other_processes, INIT, NULL), DOOR(host_pid, "pid user", NULL),
	DOOR(host_pidfd, "pid", NULL), DOOR(host_priority, "pid", NULL),
	CALL(ptrace, TRACE, NULL), DOOR(ptrace_init, TRACE, NULL),
	CALL(vm_read_init, TRACE, NULL), CALL(vm_write_init, TRACE, NULL),
	DOOR(pidfd_getfd, TRACE, NULL),
	CALL(process_madvise, "seccomp", "where_the_kernel_has_it"),
	CALL(kcmp, "seccomp", "where_the_kernel_has_it"),
	DOOR(kill_init, "pid", "a_first_process_hears_no_signal_from_inside"),
	DOOR(setns, "caps seccomp", NULL),
	DOOR(setns_pidfd, "caps seccomp", NULL),
	DOOR(ns_parent, "user", "the_parent_is_never_shown_to_a_child"),
	DOOR(thread_self, "mount", "the_kernel's_own_promise"),
	DOOR(core_cookie, "pid seccomp", "where_the_machine_has_such_cores"),
};
PROBES(processes);
