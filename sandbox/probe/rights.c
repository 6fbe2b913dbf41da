/* SPDX-License-Identifier: BSD-2-Clause */
/* Privileges: ids, capabilities, namespaces, and calls that no job needs. */
#include "sandbox/probe/probe.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

PROBE(caps)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{0, 0, 0}, {0, 0, 0}};

	if (syscall(SYS_capget, &h, d) != 0)
		ESCAPED("capget");
	for (int i = 0; i < 2; i++)
		if (d[i].effective | d[i].permitted | d[i].inheritable)
			ESCAPED("capabilities %x", d[i].permitted);
	HELD;
}
PROBE(bounding_set)
{
	for (int c = 0; c < 41; c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			ESCAPED("capability %d in the bounding set", c);
	HELD;
}
PROBE(new_privs)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		ESCAPED("no_new_privs is not set");
	HELD;
}
PROBE(filters)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2)
		ESCAPED("there is no filter");
	HELD;
}

/* A process has 16 domains at most; the sandbox's own is one of them. */
PROBE(domain)
{
	uint64_t handled = 1; /* to execute */
	int n = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		ESCAPED("no_new_privs");
	for (; n < 20; n++) {
		int fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
		    sizeof(handled), 0);

		if (fd < 0)
			NOTHING_HERE("this kernel has no Landlock");
		if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
			break;
		(void)close(fd);
	}
	if (n >= 16)
		ESCAPED("%d domains of its own: the sandbox has none", n);
	HELD;
}

PROBE(setuid) { MUST_FAIL(setuid(0)); HELD; }
PROBE(setgid) { MUST_FAIL(setgid(0)); HELD; }
PROBE(setgroups)
{
	gid_t g = 0;

	MUST_FAIL(syscall(SYS_setgroups, 1, &g));
	HELD;
}
PROBE(ids)
{
	if (getuid() != 1000 || geteuid() != 1000 || getgid() != 1000)
		ESCAPED("uid %d gid %d", (int)getuid(), (int)getgid());
	HELD;
}

/* The image has a set-id copy of this program that belongs to another id. */
PROBE(setid_image)
{
	char name[] = "/bin/setid", word[] = "caps", env[] = "HOST_PID=0";
	char *argv[] = {name, word, NULL}, *envp[] = {env, NULL};
	int status = 0;
	pid_t pid;

	if (access(name, X_OK) != 0)
		NOTHING_HERE("this image has no set-id program");
	pid = fork();
	if (pid == 0) {
		(void)execve(name, argv, envp);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != PROBE_HELD)
		ESCAPED("a set-id program has capabilities");
	HELD;
}

/* A program out of memory is as confined as the one that made it. */
PROBE(memfd_exec)
{
	char name[] = "x", word[] = "caps", env[] = "HOST_PID=0";
	char *argv[] = {name, word, NULL}, *envp[] = {env, NULL};
	int in = open("/proc/self/exe", O_RDONLY), status = 0;
	int fd = memfd_create("x", 0);
	static char buf[65536];
	ssize_t n;
	pid_t pid;

	while (fd >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			break;
	pid = fork();
	if (pid == 0) {
		(void)fexecve(fd, argv, envp);
		_exit(PROBE_HELD);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != PROBE_HELD)
		ESCAPED("a program in memory has capabilities");
	HELD;
}

PROBE(unshare_user) { MUST_FAIL(unshare(CLONE_NEWUSER)); HELD; }
PROBE(unshare_mount) { MUST_FAIL(unshare(CLONE_NEWNS)); HELD; }
PROBE(unshare_net) { MUST_FAIL(unshare(CLONE_NEWNET)); HELD; }
PROBE(unshare_cgroup) { MUST_FAIL(unshare(CLONE_NEWCGROUP)); HELD; }
PROBE(clone_user)
{
	long rv = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (rv == 0)
		_exit(0);
	if (rv >= 0)
		ESCAPED("a new user namespace");
	HELD;
}
PROBE(clone3)
{
	uint64_t args[11] = {CLONE_NEWUSER};
	long rv = syscall(SYS_clone3, args, sizeof(args));

	if (rv == 0)
		_exit(0);
	if (rv >= 0 || errno != ENOSYS)
		ESCAPED("clone3: %ld %s", rv, strerror(errno));
	HELD;
}
/* All capabilities in a namespace of one's own, and with them a mount. */
PROBE(nested_root)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			_exit(0);
		_exit(mount("x", "/tmp", "tmpfs", 0, "") == 0 ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		ESCAPED("a mount as the root of a namespace of its own");
	HELD;
}

PROBE(io_uring)
{
	static unsigned char params[256];

	MUST_FAIL(syscall(425, 1, params));
	HELD;
}
PROBE(add_key)
{
	MUST_FAIL(syscall(SYS_add_key, "user", "x", "y", 1, -3));
	HELD;
}
PROBE(keyctl) { MUST_FAIL(syscall(SYS_keyctl, 0, -3, 1)); HELD; }
PROBE(request_key)
{
	MUST_FAIL(syscall(SYS_request_key, "user", "x", NULL, -3));
	if (errno != EPERM)
		ESCAPED("request_key: %s", strerror(errno));
	HELD;
}
PROBE(bpf)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_type = BPF_MAP_TYPE_ARRAY;
	a.key_size = a.value_size = 4;
	a.max_entries = 1;
	MUST_FAIL(syscall(SYS_bpf, 0, &a, sizeof(a)));
	HELD;
}
PROBE(perf_event)
{
	/* a software clock of this process, user mode only */
	uint64_t attr[16] = {1 | (uint64_t)128 << 32, 0, 0, 0, 0, 3u << 5};

	MUST_FAIL(syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
	HELD;
}
PROBE(userfaultfd) { MUST_FAIL(syscall(SYS_userfaultfd, 1)); HELD; }
PROBE(personality) { MUST_FAIL(syscall(SYS_personality, 0x400000)); HELD; }
PROBE(memfd_secret) { MUST_FAIL(syscall(447, 0)); HELD; }
PROBE(fanotify) { MUST_FAIL(syscall(SYS_fanotify_init, 0x200, 0)); HELD; }
PROBE(reboot)
{
	MUST_FAIL(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0));
	HELD;
}
PROBE(modules)
{
	MUST_FAIL(syscall(SYS_init_module, probe_note, 0, ""));
	MUST_FAIL(syscall(SYS_finit_module, 0, "", 0));
	HELD;
}
PROBE(kexec) { MUST_FAIL(syscall(SYS_kexec_load, 0, 0, NULL, 0)); HELD; }
PROBE(swap) { MUST_FAIL(syscall(SYS_swapon, "/tmp/x", 0)); HELD; }
PROBE(clock)
{
	struct timespec ts = {1000000000, 0};

	MUST_FAIL(syscall(SYS_clock_settime, 0, &ts));
	HELD;
}
PROBE(clock_tune)
{
	/* struct timex, modes ADJ_OFFSET */
	static uint64_t t[32] = {1};

	MUST_FAIL(syscall(SYS_adjtimex, t));
	HELD;
}
PROBE(acct) { MUST_FAIL(syscall(SYS_acct, "/tmp/x")); HELD; }
PROBE(quota)
{
	MUST_FAIL(syscall(SYS_quotactl, 0, "/dev/x", 0, probe_note));
	HELD;
}
PROBE(hang_up) { MUST_FAIL(syscall(SYS_vhangup)); HELD; }
PROBE(pages_move)
{
	MUST_FAIL(syscall(SYS_migrate_pages, 0, 0, NULL, NULL));
	MUST_FAIL(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
	HELD;
}

#ifdef __x86_64__
PROBE(ioperm)
{
	MUST_FAIL(syscall(SYS_ioperm, 0, 1, 1));
	MUST_FAIL(syscall(SYS_iopl, 3));
	HELD;
}
PROBE(modify_ldt) { MUST_FAIL(syscall(SYS_modify_ldt, 0, probe_note, 8)); HELD; }

PROBE(call_32bit)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		long rv;

		__asm__ volatile("int $0x80" : "=a"(rv) : "a"(20) : "memory");
		_exit(rv > 0 ? 1 : 0);
	}
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 1)
		ESCAPED("32-bit calls work");
	HELD;
}
PROBE(call_x32)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(syscall(0x40000000 | SYS_getpid) > 0 ? 1 : 0);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 1)
		ESCAPED("x32 calls work");
	HELD;
}
#endif

PROBE(loosen_filter)
{
	struct sock_filter all = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog prog = {1, &all};

	(void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
	MUST_FAIL(mount("x", "/tmp", "tmpfs", 0, ""));
	MUST_FAIL(unshare(CLONE_NEWUSER));
	HELD;
}
/* A supervisor of one's own would answer in place of the filter before it. */
PROBE(own_supervisor)
{
	struct sock_filter ask = {BPF_RET | BPF_K, 0, 0,
	    SECCOMP_RET_USER_NOTIF};
	struct sock_fprog prog = {1, &ask};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		/* no listener: what asks gets ENOSYS; a refusal stays one */
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0)
			(void)syscall(SYS_exit, mount("x", "/tmp", "tmpfs", 0,
			    "") == 0 ? 1 : 0);
		(void)kill(getpid(), SIGKILL);
	}
	(void)waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		ESCAPED("a mount under a filter of its own");
	HELD;
}

PROBE(realtime)
{
	struct sched_param p = {.sched_priority = 1};

	MUST_FAIL(sched_setscheduler(0, SCHED_FIFO, &p));
	MUST_FAIL(setpriority(PRIO_PROCESS, 0, -5));
	HELD;
}

#define HOST_ROOT "only_the_host's_own_root_may"
#define NS "caps seccomp"
static const struct probe list[] = {
	RIGHT(caps, "caps", NULL), RIGHT(bounding_set, "caps", NULL),
	RIGHT(new_privs, "no_new_privs", NULL), RIGHT(filters, "seccomp", NULL),
	RIGHT(domain, "landlock", "where_the_kernel_has_it"),
	DOOR(setuid, "user caps", NULL), DOOR(setgid, "user caps", NULL),
	DOOR(setgroups, "user caps", "denied_in_a_user's_own_namespace"),
	RIGHT(ids, "user", NULL),
	RIGHT(setid_image, "user mount no_new_privs caps", NULL),
	RIGHT(memfd_exec, "caps no_new_privs", NULL),
	CALL(unshare_user, "seccomp", NULL), DOOR(unshare_mount, NS, NULL),
	DOOR(unshare_net, NS, NULL), DOOR(unshare_cgroup, NS, NULL),
	CALL(clone_user, "seccomp", NULL), CALL(clone3, "seccomp", NULL),
	DOOR(nested_root, "seccomp landlock", NULL),
	CALL(io_uring, "seccomp", "where_the_kernel_has_it_and_lets"),
	CALL(add_key, "seccomp", NULL), CALL(keyctl, "seccomp", NULL),
	CALL(request_key, "seccomp", NULL),
	CALL(bpf, "caps seccomp", "closed_to_users_by_a_sysctl_of_most"),
	CALL(perf_event, "seccomp", "closed_to_users_by_a_sysctl_of_many"),
	CALL(userfaultfd, "seccomp", "where_the_kernel_has_it"),
	CALL(personality, "seccomp", NULL),
	CALL(memfd_secret, "seccomp", "where_the_kernel_has_it"),
	CALL(fanotify, "seccomp", "where_the_kernel_has_it"),
	DOOR(reboot, NS, "would_end_who_asks"), DOOR(modules, NS, HOST_ROOT),
	DOOR(kexec, NS, HOST_ROOT), DOOR(swap, NS, HOST_ROOT),
	DOOR(clock, NS, HOST_ROOT), DOOR(clock_tune, NS, HOST_ROOT),
	DOOR(acct, NS, HOST_ROOT), DOOR(quota, NS, HOST_ROOT),
	DOOR(hang_up, NS, HOST_ROOT),
	CALL(pages_move, "seccomp", "where_the_kernel_has_it"),
	CALL(loosen_filter, "seccomp", NULL),
	DOOR(own_supervisor, "caps seccomp landlock",
	    "asked_without_a_listener_it_is_refused"),
	DOOR(realtime, "caps rlimits", HOST_ROOT),
#ifdef __x86_64__
	DOOR(ioperm, NS, HOST_ROOT),
	CALL(modify_ldt, "seccomp", "where_the_kernel_has_it"),
	CALL(call_32bit, "seccomp", "where_the_kernel_has_them"),
	CALL(call_x32, "seccomp", "where_the_kernel_has_them"),
#endif
};
PROBES(rights);
