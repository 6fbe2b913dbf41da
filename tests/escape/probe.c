/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs inside the sandbox and tries to get out. `probe NAME` ends with 0 when
 * the sandbox held, with 1 and a line when it did not; `probe list` prints the
 * names. The environment tells what there is to find: HOST_PID, HOST_PORT,
 * HOST_ABSTRACT, HOST_SHM, HOST_NAME, HOST_PATH.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/until.h"

static char note[256];
extern char **environ;

#define HELD return true
#define ESCAPED(...)                                                           \
	do {                                                                   \
		(void)snprintf(note, sizeof(note), __VA_ARGS__);               \
		return false;                                                  \
	} while (0)
/* The call must fail. */
#define MUST_FAIL(call)                                                        \
	do {                                                                   \
		if ((call) != -1)                                              \
			ESCAPED("%s worked", #call);                           \
	} while (0)

#define PROBE(name) static bool p_##name(void)

#include <stdbool.h>

static const char *
host(const char *name)
{
	const char *v = getenv(name);

	return v == NULL ? "" : v;
}

static bool
readable(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	bool r = fd != -1 && read(fd, &c, 1) >= 0;

	if (fd != -1)
		(void)close(fd);
	return r;
}

/* ---- files ---- */

PROBE(write_root) { MUST_FAIL(open("/new", O_CREAT | O_WRONLY, 0644)); HELD; }
PROBE(write_image) { MUST_FAIL(open("/bin/probe", O_WRONLY)); HELD; }
PROBE(unlink_image) { MUST_FAIL(unlink("/bin/probe")); HELD; }
PROBE(chmod_image) { MUST_FAIL(chmod("/bin/probe", 0777)); HELD; }
PROBE(chown_image) { MUST_FAIL(chown("/bin/probe", 1000, 1000)); HELD; }
PROBE(link_image) { MUST_FAIL(link("/bin/probe", "/tmp/x")); HELD; }
PROBE(xattr_image)
{
	MUST_FAIL(setxattr("/bin/probe", "user.x", "1", 1, 0));
	HELD;
}
PROBE(remount) { MUST_FAIL(mount("", "/", NULL, MS_REMOUNT, NULL)); HELD; }
PROBE(remount_bind)
{
	MUST_FAIL(mount("", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	HELD;
}
PROBE(mount_tmpfs) { MUST_FAIL(mount("x", "/tmp", "tmpfs", 0, "")); HELD; }
PROBE(mount_proc) { MUST_FAIL(mount("x", "/tmp", "proc", 0, "")); HELD; }
PROBE(umount) { MUST_FAIL(umount2("/proc", MNT_DETACH)); HELD; }
PROBE(fsopen) { MUST_FAIL(syscall(SYS_fsopen, "tmpfs", 0)); HELD; }
PROBE(open_tree) { MUST_FAIL(syscall(SYS_open_tree, AT_FDCWD, "/", 1)); HELD; }
PROBE(move_mount)
{
	MUST_FAIL(syscall(SYS_move_mount, AT_FDCWD, "/tmp", AT_FDCWD, "/proc",
	    0));
	HELD;
}
PROBE(mount_setattr)
{
	MUST_FAIL(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
	HELD;
}
PROBE(pivot_root) { MUST_FAIL(syscall(SYS_pivot_root, ".", ".")); HELD; }
PROBE(chroot) { MUST_FAIL(chroot("/tmp")); HELD; }
PROBE(mknod_block) { MUST_FAIL(mknod("/tmp/b", S_IFBLK | 0600, 0xfe00)); HELD; }
PROBE(mknod_mem) { MUST_FAIL(mknod("/tmp/c", S_IFCHR | 0600, 0x101)); HELD; }

PROBE(dotdot)
{
	struct stat a, b;

	if (stat("/", &a) != 0 || stat("/../../..", &b) != 0 ||
	    a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		ESCAPED("/.. is not /");
	HELD;
}

PROBE(cwd)
{
	char buf[4096];

	if (getcwd(buf, sizeof(buf)) == NULL || buf[0] != '/')
		ESCAPED("cwd is outside: %.100s", buf);
	HELD;
}

PROBE(open_fds)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			ESCAPED("descriptor %d is open", fd);
	HELD;
}

PROBE(stdin_null)
{
	struct stat st;

	if (fstat(0, &st) != 0 || !S_ISCHR(st.st_mode) || st.st_rdev != 0x103)
		ESCAPED("stdin is not /dev/null");
	HELD;
}

PROBE(stdout_pipe)
{
	struct stat st;

	if (fstat(1, &st) != 0 || !S_ISFIFO(st.st_mode))
		ESCAPED("stdout is no pipe");
	MUST_FAIL(ftruncate(1, 0));
	MUST_FAIL(lseek(1, 0, SEEK_SET));
	MUST_FAIL(open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK));
	HELD;
}

PROBE(dev_nodes)
{
	static const char *const known[] = {".", "..", "null", "zero", "full",
	    "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr",
	    "shm"};
	DIR *d = opendir("/dev");
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL) {
		bool ok = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			ok |= strcmp(de->d_name, known[i]) == 0;
		if (!ok)
			ESCAPED("/dev/%.100s", de->d_name);
	}
	MUST_FAIL(open("/dev/new", O_CREAT | O_WRONLY, 0600));
	MUST_FAIL(unlink("/dev/null"));
	HELD;
}

PROBE(tty) { MUST_FAIL(open("/dev/tty", O_RDWR)); HELD; }
PROBE(sys) { MUST_FAIL(access("/sys/kernel", F_OK)); HELD; }

PROBE(full_tmp)
{
	static char buf[1 << 16];
	int fd = open("/tmp/f", O_CREAT | O_WRONLY, 0600);
	void (*xfsz)(int) = signal(SIGXFSZ, SIG_IGN);
	uint64_t n = 0;
	ssize_t k;

	(void)xfsz;
	if (fd == -1)
		ESCAPED("/tmp cannot be written");
	(void)unlink("/tmp/f"); /* deleted but open */
	while ((k = write(fd, buf, sizeof(buf))) > 0)
		if ((n += (uint64_t)k) > 64u << 20)
			ESCAPED("more than the memory limit in /tmp");
	MUST_FAIL(fallocate(fd, 0, 0, 1l << 40));
	HELD;
}

PROBE(tmp_inodes)
{
	char path[32];

	for (int i = 0; i < 20000; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "/tmp/%d", i);
		if ((fd = open(path, O_CREAT | O_WRONLY, 0600)) == -1)
			HELD;
		(void)close(fd);
	}
	ESCAPED("20000 files in /tmp");
}

PROBE(fsize)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_FSIZE, &r) != 0 || r.rlim_max == RLIM_INFINITY)
		ESCAPED("no limit of a file's size");
	HELD;
}

/* ---- what is seen ---- */

PROBE(proc_1)
{
	static const char *const files[] = {"environ", "cmdline", "maps",
	    "mem", "status", "fd", "root", "cwd", "exe", "ns/mnt"};
	char path[64];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/1/%s", files[i]);
		if (access(path, F_OK) == 0 || readable(path))
			ESCAPED("%s is there", path);
	}
	HELD;
}

PROBE(proc_host_files)
{
	static const char *const files[] = {"/proc/kcore", "/proc/kallsyms",
	    "/proc/kmsg", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger",
	    "/proc/timer_list", "/proc/sched_debug", "/proc/keys",
	    "/proc/modules", "/proc/cmdline", "/proc/config.gz",
	    "/proc/interrupts", "/proc/iomem", "/proc/mounts/../../1"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (readable(files[i]))
			ESCAPED("%s is there", files[i]);
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
	pid_t pid = (pid_t)strtol(host("HOST_PID"), NULL, 10);

	if (pid > 100 && kill(pid, 0) != -1)
		ESCAPED("pid %d of the host can be signalled", (int)pid);
	HELD;
}

PROBE(host_paths)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (host("HOST_PATH")[0] != '\0' &&
		    strstr(line, host("HOST_PATH")) != NULL)
			ESCAPED("mountinfo tells: %.180s", line);
	HELD;
}

PROBE(environment)
{
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "HOST_", 5) != 0 && strncmp(*e, "PATH=", 5))
			ESCAPED("variable %.100s", *e);
	HELD;
}

PROBE(hostname)
{
	struct utsname u;

	if (uname(&u) != 0 || strcmp(u.nodename, host("HOST_NAME")) == 0)
		ESCAPED("the host's name is seen");
	MUST_FAIL(sethostname("x", 1));
	HELD;
}

PROBE(cgroup_paths)
{
	char line[512];
	FILE *f = fopen("/proc/self/cgroup", "r");

	/* without a group of its own there is none to hide */
	if (getenv("HOST_CGROUP") == NULL)
		HELD;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "0::", 3) == 0 && strcmp(line, "0::/\n"))
			ESCAPED("cgroup %.100s", line);
	HELD;
}

PROBE(syslog) { MUST_FAIL(syscall(SYS_syslog, 3, note, 10)); HELD; }

/* ---- rights ---- */

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

PROBE(unshare_user) { MUST_FAIL(unshare(CLONE_NEWUSER)); HELD; }
PROBE(unshare_mount) { MUST_FAIL(unshare(CLONE_NEWNS)); HELD; }
PROBE(unshare_net) { MUST_FAIL(unshare(CLONE_NEWNET)); HELD; }
PROBE(clone_user)
{
	long rv = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (rv == 0)
		_exit(0);
	if (rv != -1)
		ESCAPED("a new user namespace");
	HELD;
}
PROBE(clone3)
{
	uint64_t args[11] = {CLONE_NEWUSER};
	long rv = syscall(SYS_clone3, args, sizeof(args));

	if (rv == 0)
		_exit(0);
	if (rv != -1 || errno != ENOSYS)
		ESCAPED("clone3: %ld %s", rv, strerror(errno));
	HELD;
}
PROBE(setns)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY);

	if (fd != -1)
		MUST_FAIL(setns(fd, 0));
	HELD;
}

PROBE(ptrace) { MUST_FAIL(syscall(SYS_ptrace, 0, 0, 0, 0)); HELD; }
PROBE(ptrace_init) { MUST_FAIL(syscall(SYS_ptrace, 16, 1, 0, 0)); HELD; }
PROBE(vm_read_init)
{
	MUST_FAIL(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
	HELD;
}
PROBE(pidfd_getfd)
{
	int fd = (int)syscall(SYS_pidfd_open, 1, 0);

	if (fd != -1)
		MUST_FAIL(syscall(SYS_pidfd_getfd, fd, 0, 0));
	HELD;
}
PROBE(kill_init)
{
	(void)kill(1, SIGKILL);
	(void)kill(1, SIGSTOP);
	(void)kill(1, SIGSEGV);
	quiet(20000, "a signal that works would come within that");
	HELD; /* the driver sees whether the exit came as it should */
}

PROBE(io_uring) { MUST_FAIL(syscall(425, 1, note)); HELD; }
PROBE(add_key)
{
	MUST_FAIL(syscall(SYS_add_key, "user", "x", "y", 1, -3));
	HELD;
}
PROBE(keyctl) { MUST_FAIL(syscall(SYS_keyctl, 0, -3, 0)); HELD; }
PROBE(bpf) { MUST_FAIL(syscall(SYS_bpf, 0, NULL, 0)); HELD; }
PROBE(perf_event)
{
	uint64_t attr[16] = {1 | (uint64_t)112 << 32};

	MUST_FAIL(syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
	HELD;
}
PROBE(userfaultfd) { MUST_FAIL(syscall(SYS_userfaultfd, 1)); HELD; }
PROBE(personality) { MUST_FAIL(syscall(SYS_personality, 0x400000)); HELD; }
PROBE(memfd_secret) { MUST_FAIL(syscall(447, 0)); HELD; }
PROBE(fanotify) { MUST_FAIL(syscall(SYS_fanotify_init, 0x200, 0)); HELD; }
PROBE(handle)
{
	MUST_FAIL(syscall(SYS_open_by_handle_at, AT_FDCWD, note, O_RDONLY));
	MUST_FAIL(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", note, note, 0));
	HELD;
}
PROBE(reboot)
{
	MUST_FAIL(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, 0));
	HELD;
}
PROBE(modules)
{
	MUST_FAIL(syscall(SYS_init_module, note, 0, ""));
	MUST_FAIL(syscall(SYS_finit_module, 0, "", 0));
	MUST_FAIL(syscall(SYS_kexec_load, 0, 0, NULL, 0));
	HELD;
}
PROBE(swap) { MUST_FAIL(syscall(SYS_swapon, "/tmp/x", 0)); HELD; }
PROBE(clock)
{
	struct timespec ts = {1000000000, 0};

	MUST_FAIL(syscall(SYS_clock_settime, 0, &ts));
	HELD;
}
PROBE(acct) { MUST_FAIL(syscall(SYS_acct, "/tmp/x")); HELD; }
PROBE(quota) { MUST_FAIL(syscall(SYS_quotactl, 0, "/dev/x", 0, note)); HELD; }

#ifdef __x86_64__
PROBE(ioperm)
{
	MUST_FAIL(syscall(SYS_ioperm, 0, 1, 1));
	MUST_FAIL(syscall(SYS_iopl, 3));
	HELD;
}
PROBE(modify_ldt) { MUST_FAIL(syscall(SYS_modify_ldt, 0, note, 8)); HELD; }

static bool
in_child_killed(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

static void
int80(void)
{
	long rv;

	__asm__ volatile("int $0x80" : "=a"(rv) : "a"(20) : "memory");
}

static void
x32(void)
{
	(void)syscall(0x40000000 | SYS_getpid);
}
PROBE(call_32bit)
{
	if (!in_child_killed(int80))
		ESCAPED("32-bit calls work");
	HELD;
}
PROBE(call_x32)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		x32();
		_exit(errno == ENOSYS ? 3 : 0);
	}
	(void)waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 3)
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

PROBE(realtime)
{
	struct sched_param p = {.sched_priority = 1};

	MUST_FAIL(sched_setscheduler(0, SCHED_FIFO, &p));
	MUST_FAIL(setpriority(PRIO_PROCESS, 0, -5));
	HELD;
}

PROBE(rlimits)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max != 1)
		ESCAPED("core limit is not 1");
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_max > 4096)
		ESCAPED("files are not limited");
	r.rlim_cur = r.rlim_max = r.rlim_max + 1;
	MUST_FAIL(setrlimit(RLIMIT_NOFILE, &r));
	HELD;
}

PROBE(oom_score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd != -1)
		MUST_FAIL(write(fd, "-1000", 5));
	HELD;
}

PROBE(fork_bomb)
{
	int n = 0;

	for (; n < 2000; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)pause();
			_exit(0);
		}
		if (pid == -1)
			break;
	}
	if (n >= 200)
		ESCAPED("%d children", n);
	HELD;
}

/* ---- network ---- */

PROBE(sockets)
{
	static const struct {
		const char *name;
		int family, type, protocol;
	} s[] = {{"vsock", 40, SOCK_STREAM, 0}, {"packet", 17, SOCK_RAW, 0},
	    {"netlink route", 16, SOCK_RAW, 0}, {"netlink audit", 16, 3, 9},
	    {"netlink uevent", 16, 3, 15}, {"netlink generic", 16, 3, 16},
	    {"netlink diag", 16, 3, 4}, {"netlink netfilter", 16, 3, 12},
	    {"alg", 38, 5, 0}, {"bluetooth", 31, 3, 1}, {"can", 29, 3, 1},
	    {"tipc", 30, 1, 0}, {"rds", 21, 5, 0}, {"kcm", 41, 2, 0},
	    {"xdp", 44, 3, 0}, {"raw", AF_INET, SOCK_RAW, 1},
	    {"ax25", 3, 5, 0}, {"x25", 9, 5, 0}};

	for (size_t i = 0; i < sizeof(s) / sizeof(*s); i++)
		if (socket(s[i].family, s[i].type, s[i].protocol) != -1)
			ESCAPED("a socket of %s", s[i].name);
	HELD;
}

PROBE(host_tcp)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)strtol(host("HOST_PORT"), NULL, 10)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd != -1)
		MUST_FAIL(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	HELD;
}

PROBE(outside)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53),
	    .sin_addr.s_addr = htonl(0xc0000201)}; /* 192.0.2.1 */
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd != -1)
		MUST_FAIL(sendto(fd, "x", 1, 0, (struct sockaddr *)&a,
		    sizeof(a)));
	HELD;
}

PROBE(interfaces)
{
	struct ifreq list[16];
	struct ifconf c = {.ifc_len = sizeof(list)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	c.ifc_req = list;
	if (fd == -1)
		HELD;
	if (ioctl(fd, SIOCGIFCONF, &c) != 0)
		HELD;
	for (size_t i = 0; i < (size_t)c.ifc_len / sizeof(*list); i++)
		if (strcmp(list[i].ifr_name, "lo") != 0)
			ESCAPED("interface %.16s", list[i].ifr_name);
	(void)memset(&list[0], 0, sizeof(list[0]));
	(void)memcpy(list[0].ifr_name, "lo", 3);
	MUST_FAIL(ioctl(fd, SIOCSIFFLAGS, &list[0]));
	HELD;
}

PROBE(host_abstract)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t n = strlen(host("HOST_ABSTRACT"));

	(void)memcpy(a.sun_path + 1, host("HOST_ABSTRACT"), n);
	if (fd != -1)
		MUST_FAIL(connect(fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
		    n)));
	HELD;
}

PROBE(host_shm)
{
	key_t key = (key_t)strtol(host("HOST_SHM"), NULL, 10);

	MUST_FAIL(shmget(key, 0, 0));
	HELD;
}

PROBE(mqueue) { MUST_FAIL(mq_open("/x", O_CREAT | O_RDWR, 0600, NULL)); HELD; }

/* ---- memory of others ---- */

PROBE(dev_mem)
{
	MUST_FAIL(open("/dev/mem", O_RDWR));
	MUST_FAIL(open("/dev/kmsg", O_RDWR));
	MUST_FAIL(open("/dev/kvm", O_RDWR));
	HELD;
}

PROBE(tiocsti)
{
	char c = 'x';

	MUST_FAIL(ioctl(0, TIOCSTI, &c));
	HELD;
}

#define P(name) {#name, p_##name}
static const struct {
	const char *name;
	bool (*run)(void);
} probes[] = {P(write_root), P(write_image), P(unlink_image), P(chmod_image),
	P(chown_image), P(link_image), P(xattr_image), P(remount),
	P(remount_bind), P(mount_tmpfs), P(mount_proc), P(umount), P(fsopen),
	P(open_tree), P(move_mount), P(mount_setattr), P(pivot_root),
	P(chroot), P(mknod_block), P(mknod_mem), P(dotdot), P(cwd),
	P(open_fds), P(stdin_null), P(stdout_pipe), P(dev_nodes), P(tty),
	P(sys), P(full_tmp), P(tmp_inodes), P(fsize), P(proc_1),
	P(proc_host_files), P(other_processes), P(host_pid), P(host_paths),
	P(environment), P(hostname), P(cgroup_paths), P(syslog), P(caps),
	P(new_privs), P(setuid), P(setgid), P(setgroups), P(ids),
	P(unshare_user), P(unshare_mount), P(unshare_net), P(clone_user),
	P(clone3), P(setns), P(ptrace), P(ptrace_init), P(vm_read_init),
	P(pidfd_getfd), P(kill_init), P(io_uring), P(add_key), P(keyctl),
	P(bpf), P(perf_event), P(userfaultfd), P(personality),
	P(memfd_secret), P(fanotify), P(handle), P(reboot), P(modules),
	P(swap), P(clock), P(acct), P(quota), P(loosen_filter), P(realtime),
	P(rlimits), P(oom_score), P(fork_bomb), P(sockets), P(host_tcp),
	P(outside), P(interfaces), P(host_abstract), P(host_shm), P(mqueue),
	P(dev_mem), P(tiocsti),
#ifdef __x86_64__
	P(ioperm), P(modify_ldt), P(call_32bit), P(call_x32),
#endif
};

int
main(int argc, char *argv[])
{
	if (argc != 2)
		return 2;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		if (strcmp(argv[1], "list") == 0) {
			printf("%s\n", probes[i].name);
		} else if (strcmp(argv[1], probes[i].name) == 0) {
			if (probes[i].run())
				return 0;
			printf("%s\n", note);
			return 1;
		}
	}
	return strcmp(argv[1], "list") == 0 ? 0 : 2;
}
