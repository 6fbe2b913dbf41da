/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tests/escape/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/memfd.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static pid_t victim;
static char file[512];

#define TRY(name) static bool t_##name(void)
#define OPENS(name, path, flags)                                               \
	TRY(name) { return open(path, flags, 0600) >= 0; }
#define CALL(name, ...)                                                        \
	TRY(name) { return syscall(__VA_ARGS__) >= 0; }

/* ---- files ---- */

OPENS(passwd, "/etc/passwd", O_RDONLY)
OPENS(passwd_up, "../../../../../../etc/passwd", O_RDONLY)
OPENS(other_file, file, O_RDONLY)
OPENS(other_write, file, O_WRONLY)
OPENS(tmp_new, "/tmp/warren-standin", O_CREAT | O_WRONLY)
OPENS(own_exe, "/proc/self/exe", O_RDONLY)
OPENS(device, "/dev/urandom", O_RDONLY)
TRY(other_stat)
{
	struct stat st;

	return stat(file, &st) == 0;
}
TRY(other_link) { return symlink(file, "/tmp/warren-standin-l") == 0; }
TRY(handle)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char id[128];
	} h = {sizeof(h.id), 0, {0}};
	int m;

	return syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &h, &m, 0) == 0;
}

/* ---- sockets ---- */

TRY(socket_inet) { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }
TRY(socket_udp) { return socket(AF_INET, SOCK_DGRAM, 0) >= 0; }
TRY(socket_unix) { return socket(AF_UNIX, SOCK_STREAM, 0) >= 0; }
TRY(socket_netlink) { return socket(AF_NETLINK, SOCK_RAW, 0) >= 0; }
TRY(socket_pair)
{
	int sv[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, sv) == 0;
}

/* ---- programs ---- */

TRY(exec)
{
	char name[] = "/bin/true", *argv[] = {name, NULL}, *env[] = {NULL};

	(void)execve(name, argv, env);
	return errno == ENOENT; /* as far as the file system lets it look */
}
TRY(exec_memory)
{
	/* the smallest thing that the kernel would run: a script */
	char name[] = "x", *argv[] = {name, NULL}, *env[] = {NULL};
	int fd = memfd_create("x", 0);

	if (fd < 0 || write(fd, "#!/bin/true\n", 12) != 12)
		return false;
	(void)fexecve(fd, argv, env);
	return errno == ENOENT;
}
TRY(fork)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}
CALL(clone_user, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)
TRY(code)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
TRY(data_to_code)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}

/* ---- a neighbour ---- */

TRY(signal) { return kill(victim, SIGCONT) == 0; }
CALL(signal_thread, SYS_tgkill, victim, victim, SIGCONT)
TRY(signal_queue)
{
	union sigval v = {0};

	return sigqueue(victim, SIGCONT, v) == 0;
}
TRY(signal_pidfd)
{
	int fd = (int)syscall(SYS_pidfd_open, victim, 0);

	return fd >= 0 &&
	    syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0) == 0;
}
TRY(signal_owner)
{
	int p[2];

	return pipe2(p, O_NONBLOCK) == 0 && fcntl(p[0], F_SETOWN, victim) == 0;
}
TRY(trace) { return ptrace(PTRACE_SEIZE, victim, 0, 0) == 0; }
TRY(read_memory)
{
	char here[8];
	struct iovec l = {here, 8}, r = {(void *)(uintptr_t)0x1000, 8};

	/* EFAULT: nothing is at that address, and it was looked for */
	return process_vm_readv(victim, &l, 1, &r, 1, 0) >= 0 ||
	    errno == EFAULT;
}
TRY(proc_memory)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	return open(path, O_RDONLY) >= 0;
}
TRY(steal_descriptor)
{
	int fd = (int)syscall(SYS_pidfd_open, victim, 0);

	return fd >= 0 && syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
}
TRY(limits) { return syscall(SYS_prlimit64, victim, 7, NULL, file) == 0; }

/* ---- rights ---- */

TRY(root) { return setresuid(0, 0, 0) == 0 && geteuid() == 0; }
TRY(groups)
{
	gid_t g = 0;

	return setgroups(1, &g) == 0;
}
TRY(namespace) { return unshare(CLONE_NEWUSER) == 0; }
TRY(mount_new)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	    mount("x", "/tmp", "tmpfs", 0, "") == 0;
}
TRY(change_root) { return chroot("/") == 0; }
CALL(keyring, SYS_keyctl, 0, -3, 1)
CALL(key, SYS_add_key, "user", "x", "y", 1, -3)
TRY(uring)
{
	static unsigned char params[256];

	return syscall(425, 1, params) >= 0;
}
CALL(faults, SYS_userfaultfd, 1)
TRY(bpf)
{
	uint32_t a[32] = {2, 4, 4, 1};

	return syscall(SYS_bpf, 0, a, sizeof(a)) >= 0;
}
TRY(perf)
{
	uint64_t a[16] = {1 | (uint64_t)128 << 32, 0, 0, 0, 0, 3u << 5};

	return syscall(SYS_perf_event_open, a, 0, -1, -1, 0) >= 0;
}

#define ROOT "needs root"
#define KERNEL "where the kernel has it and lets"
#define A(name, unproved) {#name, unproved, NULL}
const struct attack attacks[] = {A(passwd, NULL), A(passwd_up, NULL),
	A(other_file, NULL), A(other_write, NULL), A(tmp_new, NULL),
	A(own_exe, NULL), A(device, NULL),
	{"other_stat", NULL, "Landlock leaves stat alone"},
	A(other_link, NULL), A(handle, NULL), A(socket_inet, NULL),
	A(socket_udp, NULL), A(socket_unix, NULL), A(socket_netlink, NULL),
	A(socket_pair, NULL), A(exec, "it does not come back"),
	A(exec_memory, "it does not come back"), A(fork, NULL),
	A(clone_user, NULL), A(code, NULL), A(data_to_code, NULL),
	A(signal, NULL), A(signal_thread, NULL), A(signal_queue, NULL),
	A(signal_pidfd, NULL), A(signal_owner, NULL), A(trace, NULL),
	A(read_memory, NULL), A(proc_memory, NULL), A(steal_descriptor, NULL),
	A(limits, NULL), A(root, ROOT), A(groups, ROOT), A(namespace, NULL),
	A(mount_new, KERNEL), A(change_root, ROOT), A(keyring, NULL),
	A(key, NULL), A(uring, KERNEL), A(faults, KERNEL), A(bpf, KERNEL),
	A(perf, KERNEL)};
const size_t attack_count = sizeof(attacks) / sizeof(*attacks);

#define T(name) t_##name
static bool (*const tries[])(void) = {T(passwd), T(passwd_up), T(other_file),
	T(other_write), T(tmp_new), T(own_exe), T(device), T(other_stat),
	T(other_link), T(handle), T(socket_inet), T(socket_udp),
	T(socket_unix), T(socket_netlink), T(socket_pair), T(exec),
	T(exec_memory), T(fork), T(clone_user), T(code), T(data_to_code),
	T(signal), T(signal_thread), T(signal_queue), T(signal_pidfd),
	T(signal_owner), T(trace), T(read_memory), T(proc_memory),
	T(steal_descriptor), T(limits), T(root), T(groups), T(namespace),
	T(mount_new), T(change_root), T(keyring), T(key), T(uring), T(faults),
	T(bpf), T(perf)};
_Static_assert(sizeof(tries) / sizeof(*tries) ==
    sizeof(attacks) / sizeof(*attacks), "a function for each name");

int
attack_run(void)
{
	char name[32] = "";
	const char *text = getenv("ATTACK");
	int pid = 0;

	if (text == NULL || sscanf(text, "%31s %d %511s", name, &pid, file) !=
	    3)
		return ATTACK_UNKNOWN;
	victim = pid;
	for (size_t i = 0; i < attack_count; i++)
		if (strcmp(attacks[i].name, name) == 0)
			return tries[i]() ? ATTACK_DONE : ATTACK_HELD;
	return ATTACK_UNKNOWN;
}
