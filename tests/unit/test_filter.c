/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fsverity.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "common/priv.h"
#include "common/util.h"

static int sv[2];

static int
set_owner(void)
{
	return fcntl(sv[0], F_SETOWN, getppid());
}

static int
set_owner_ex(void)
{
	struct f_owner_ex o = {F_OWNER_PID, getppid()};

	return fcntl(sv[0], F_SETOWN_EX, &o);
}

static int
set_signal(void)
{
	return fcntl(sv[0], F_SETSIG, SIGKILL);
}

static int
set_owner_ioctl(void)
{
	pid_t pid = getppid();

	return ioctl(sv[0], FIOSETOWN, &pid);
}

static int
push_input(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

/* Of the two families of the internet, one program may make them. */
static bool dials;

static int
make_internet_socket(void)
{
	int a = socket(AF_INET, SOCK_STREAM, 0);
	int b = socket(AF_INET6, SOCK_STREAM, 0);

	/* as allowed as it should be */
	return (a >= 0 && (b >= 0 || errno == EAFNOSUPPORT)) == dials ? 0 : -1;
}

static int
queue_signal(void)
{
	siginfo_t si = {.si_code = SI_QUEUE};

	return (int)syscall(SYS_rt_sigqueueinfo, getppid(), SIGTERM, &si);
}

static int
nonblocking(void)
{
	return fcntl(sv[0], F_SETFL, fcntl(sv[0], F_GETFL) | O_NONBLOCK);
}

static int
duplicate(void)
{
	return fcntl(sv[0], F_DUPFD_CLOEXEC, 10);
}

/* No program of the house may signal another, not even by way of a socket. */
static const struct {
	const char *name;
	int (*fn)(void);
	int error; /* 0: allowed */
} cases[] = {
    {"F_SETOWN", set_owner, EPERM},
    {"F_SETOWN_EX", set_owner_ex, EPERM},
    {"F_SETSIG", set_signal, EPERM},
    {"FIOSETOWN", set_owner_ioctl, EPERM},
    {"TIOCSTI", push_input, EPERM},
    {"socket", make_socket, EPERM},
    {"socket of the internet", make_internet_socket, 0},
    {"rt_sigqueueinfo", queue_signal, EPERM},
    {"F_SETFL", nonblocking, 0},
    {"F_DUPFD_CLOEXEC", duplicate, 0},
};

/* 0, or the number of the case that failed and one more. */
static int
in_child(enum program who)
{
	dials = who == PROGRAM_EGRESS;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || priv_filter(who) < 0)
		return 100;
	for (size_t i = 0; i < NELEM(cases); i++) {
		int r;

		errno = 0;
		r = cases[i].fn();
		if (cases[i].error == 0 ? r < 0 :
		    r >= 0 || errno != cases[i].error)
			return (int)i + 1;
	}
	return 0;
}

static void
refusals(void **state)
{
	static const enum program programs[] = {PROGRAM_TRANSPORT, PROGRAM_NODE,
	    PROGRAM_TRUST, PROGRAM_KEYS, PROGRAM_EGRESS, PROGRAM_AUDIT};

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	for (size_t i = 0; i < NELEM(programs); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(in_child(programs[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			print_message("%s: status %x\n",
			    program_name(programs[i]), (unsigned)status);
		assert_int_equal(status, 0);
	}
}

/* The jail's filter is its own; nobody runs without one by mistake. */
static void
no_row(void **state)
{
	static const enum program programs[] = {PROGRAM_JAIL, PROGRAM_COUNT};

	(void)state;
	for (size_t i = 0; i < NELEM(programs); i++) {
		errno = 0;
		assert_int_equal(priv_filter(programs[i]), -1);
		assert_int_equal(errno, EINVAL);
	}
}

/* Who looks up names does that, and neither starts nor makes anything. */
static int
looking_up(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    priv_filter_lookup() < 0)
		return 100;
	if (getaddrinfo("localhost", NULL, &hints, &list) != 0 || list == NULL)
		return 1;
	freeaddrinfo(list);
	if (syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) >= 0)
		return 2;
	if (mkdir("/tmp/warren-test-never", 0700) == 0 || errno != EPERM)
		return 3;
	if (unlink("/tmp/warren-test-never") == 0 || errno != EPERM)
		return 4;
	if (queue_signal() == 0 || set_owner() == 0)
		return 5;
	(void)execl("/bin/true", "true", (char *)NULL);
	return 6;
}

static void
look_up(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(looking_up());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* the attempt to execute ends it */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* The watchdog has what it was given: it opens, connects and starts nothing. */
static int
watching(void)
{
	static const struct sockaddr_in to = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    priv_filter_watchdog() < 0)
		return 100;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
	    errno != EPERM)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (open("/dev/null", O_RDONLY) >= 0 || errno != EPERM)
		return 3;
	if (queue_signal() == 0 || set_owner() == 0)
		return 4;
	(void)execl("/bin/true", "true", (char *)NULL);
	return 5;
}

static void
watchdog(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(watching());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* Of bpf(2): what reads a map and attaches is audit's, and no more of it. */
static int
probing(enum program who)
{
	static const int made[] = {BPF_MAP_CREATE, BPF_PROG_LOAD, BPF_OBJ_GET,
	    BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_LINK_CREATE};
	static const int used[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM,
	    BPF_MAP_DELETE_ELEM, BPF_RAW_TRACEPOINT_OPEN};
	union bpf_attr a;

	memset(&a, 0xff, sizeof(a)); /* of no map and no program */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || priv_filter(who) < 0)
		return 100;
	for (size_t i = 0; i < NELEM(used); i++) {
		if (syscall(SYS_bpf, used[i], &a, sizeof(a)) >= 0 ||
		    (errno == EPERM && geteuid() == 0))
			return 1;
	}
	for (size_t i = 0; i < NELEM(made); i++) {
		if (syscall(SYS_bpf, made[i], &a, sizeof(a)) >= 0 ||
		    errno != EPERM)
			return 2;
	}
	return 0;
}

static void
probes(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(probing(PROGRAM_AUDIT));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if ((pid = fork()) == 0)
		_exit(probing(PROGRAM_TRUST));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* Who reads the disk for audit: files to read, and one question of ioctl. */
static int
reading(void)
{
	struct fsverity_digest d = {.digest_size = 0};
	int fd = open("/", O_RDONLY | O_DIRECTORY), n = 0;

	if (priv_filter_reader() < 0)
		return 1;
	if (openat(fd, ".", O_RDONLY | O_DIRECTORY) < 0)
		return 2;
	/* no file of a file system that keeps one */
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &d) == 0 || errno == EPERM)
		return 3;
	if (ioctl(fd, FIONREAD, &n) == 0 || errno != EPERM)
		return 4;
	if (unlinkat(fd, "nothing", 0) == 0 || errno != EPERM)
		return 5;
	if (mkdirat(fd, "nothing", 0700) == 0 || errno != EPERM)
		return 6;
	if (fchmod(fd, 0755) == 0 || errno != EPERM)
		return 7;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 8;
	return 0;
}

static void
reader(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(reading());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	if ((pid = fork()) == 0) {
		char *none[] = {NULL};

		if (priv_filter_reader() == 0)
			(void)execve("/bin/true", none, none);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

/* A program that verifies: files, threads and processes, nothing else. */
static int
verifying(void)
{
	pid_t pid;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    priv_filter_verifier() < 0)
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM ||
	    socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
		return 3;
	if (syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL,
		NULL) >= 0 || errno != EPERM)
		return 4;
	if (mount("none", "/", "tmpfs", 0, NULL) == 0 || errno != EPERM)
		return 5;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
		return 6;
	if ((pid = fork()) == 0) {
		char *none[] = {NULL};

		(void)execve("/bin/true", none, none);
		_exit(1);
	}
	return pid < 0 ? 7 : waitpid(pid, NULL, 0) != pid ? 8 : 0;
}

static void
verifier(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(verifying());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Who asks Docker's daemon: processes as fork(3) makes them, no others. */
static int
asking(void)
{
	static const unsigned long others[] = {CLONE_VM | SIGCHLD,
	    CLONE_PARENT | SIGCHLD, CLONE_FILES | SIGCHLD, 0,
	    CLONE_NEWUSER | SIGCHLD, CLONE_UNTRACED | SIGCHLD};
	siginfo_t si;
	int status;
	pid_t pid;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    priv_filter_envoy() < 0)
		return 1;
	for (size_t i = 0; i < NELEM(others); i++) {
		pid = (pid_t)syscall(SYS_clone, others[i], NULL, NULL, NULL,
		    NULL);
		if (pid == 0)
			syscall(SYS_exit_group, 0);
		if (pid > 0 || errno != EPERM)
			return 2;
	}
	if ((pid = fork()) == 0)
		_exit(3);
	if (waitid(P_ALL, 0, &si, WEXITED) == 0 || errno != EPERM)
		return 3;
	return pid < 0 || waitpid(pid, &status, 0) != pid ? 4 :
	    WEXITSTATUS(status) == 3 ? 0 : 5;
}

static void
envoy(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(asking());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(refusals), cmocka_unit_test(look_up),
	    cmocka_unit_test(watchdog),
	    cmocka_unit_test(no_row), cmocka_unit_test(probes),
	    cmocka_unit_test(reader),
	    cmocka_unit_test(verifier), cmocka_unit_test(envoy),
	};

#ifdef WARREN_SANITIZED
	puts("skipped: priv_filter() loads no filter beside sanitizers");
	return 77;
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
