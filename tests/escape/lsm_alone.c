/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's policy stops by itself: acts of a process of root with all
 * of its capabilities, in no namespace but its own mounts and name, behind no
 * filter. Each one succeeds without the label, and is tried again with it.
 *
 * lsm_alone text PREFIX        profiles of AppArmor, to be loaded
 * lsm_alone run KIND PREFIX    apparmor, or selinux; prints results
 *
 * Static, so that a label that may read nothing but an image can start it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/attr.h"
#include "sandbox/plan/lsm.h"

#define AT "/lsm-alone" /* a tmpfs of the test's: the image */
#define ETC "system_u:object_r:etc_t:s0"
#define DONE 0
#define CANNOT 90 /* exit code: the label was not to be had */
#define OTHER 91  /* ... or is not what it runs under */

/* The word of an act's exit code: 0, or the error. */
static int
say(int rv)
{
	return rv < 0 ? errno : DONE;
}

static pid_t
outsider(void)
{
	const char *v = getenv("OUTSIDER");

	return v == NULL ? -1 : (pid_t)strtol(v, NULL, 10);
}

static int
opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return DONE;
}

static int
writes(const char *path)
{
	return opens(path, O_WRONLY | O_CREAT);
}

static int
act_mount(void)
{
	return say(mount("x", AT "/mnt", "tmpfs", 0, NULL));
}

static int
act_umount(void)
{
	return say(umount2(AT "/mounted", MNT_DETACH));
}

static int
act_remount(void)
{
	return say(mount(NULL, AT "/mounted", NULL, MS_REMOUNT | MS_BIND |
	    MS_NOEXEC, NULL));
}

static int
act_chroot(void)
{
	return say(chroot(AT "/mnt"));
}

static int
act_userns_mount(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return errno;
	return say(mount("x", AT "/mnt", "tmpfs", 0, NULL));
}

static int
act_name(void)
{
	return say(sethostname("taken", 5));
}

static int
act_chown(void)
{
	return say(chown(AT "/tmp/own", 7, 7));
}

static int
act_setuid(void)
{
	return say(setresuid(7, 7, 7));
}

static int
act_mknod(void)
{
	return say(mknod(AT "/tmp/node", S_IFCHR | 0666, makedev(1, 1)));
}

static int
act_ptrace(void)
{
	long rv = ptrace(PTRACE_ATTACH, outsider(), NULL, NULL);

	if (rv == 0) {
		(void)waitpid(outsider(), NULL, __WALL);
		(void)ptrace(PTRACE_DETACH, outsider(), NULL, NULL);
	}
	return say((int)rv);
}

static int
act_memory(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/mem", (long)outsider());
	return opens(path, O_RDWR);
}

static int
act_signal(void)
{
	return say(kill(outsider(), SIGUSR1));
}

static int
socket_of(int family, int type)
{
	int fd = socket(family, type, 0);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return DONE;
}

static int
act_inet(void)
{
	return socket_of(AF_INET, SOCK_STREAM);
}

static int
act_inet6(void)
{
	return socket_of(AF_INET6, SOCK_DGRAM);
}

static int
act_netlink(void)
{
	return socket_of(AF_NETLINK, SOCK_RAW);
}

/* bound by its maker in the abstract, and not the job's */
static int
act_abstract(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(a.sun_path, "\0lsm-alone", 10);
	return fd < 0 ? errno : say(connect(fd, (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 10)));
}

static int
act_write_system(void)
{
	return writes("/etc/lsm-alone");
}

static int
act_write_etc(void)
{
	return opens("/run/lsm-alone", O_WRONLY);
}

static int
act_write_run(void)
{
	return writes("/run/lsm-alone-file");
}

static int
act_write_root(void)
{
	return writes("/lsm-alone-file");
}

static int
act_write_image(void)
{
	return opens(AT "/file", O_WRONLY);
}

static int
act_write_other(void)
{
	return opens(AT "/other", O_WRONLY);
}

static int
act_write_proc(void)
{
	return opens("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int
act_write_sys(void)
{
	return opens("/sys/kernel/mm/transparent_hugepage/enabled", O_WRONLY);
}

static int
act_kmsg(void)
{
	return opens("/dev/kmsg", O_WRONLY);
}

static int
act_label(void)
{
	int fd = open("/proc/self/attr/current", O_WRONLY);
	const char *text = getenv("UNLABEL");

	if (fd < 0 || text == NULL)
		return errno;
	return say(write(fd, text, strlen(text)) < 0 ? -1 : 0);
}

static int
runs(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execl(path, path, "nothing", (char *)NULL);
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int
act_exec_tmp(void)
{
	return runs("/tmp/lsm-alone-program");
}

/* ---- what a job may go on doing ---- */

static int
may_write(void)
{
	return writes("/tmp/lsm-alone-file");
}

static int
may_volume(void)
{
	return writes(AT "/tmp/x");
}

static int
may_read(void)
{
	return opens(AT "/file", O_RDONLY);
}

static int
may_null(void)
{
	return opens("/dev/null", O_RDWR);
}

static int
may_run(void)
{
	return runs(AT "/program");
}

static int
may_pair(void)
{
	int sv[2];

	return say(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
}

static int
may_signal(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	if (kill(pid, SIGKILL) < 0)
		return errno;
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) ? DONE :
	    EIO;
}

static int
may_look(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)getpid());
	return opens(path, O_RDONLY);
}

#define APPARMOR 1
#define SELINUX 2
#define BOTH (APPARMOR | SELINUX)
static const struct act {
	const char *name;
	int (*fn)(void);
	bool may;        /* it is allowed */
	unsigned where;  /* APPARMOR, SELINUX: who decides it */
	unsigned shape;  /* of AppArmor's */
} acts[] = {
    {"a mount", act_mount, false, BOTH, 0},
    {"an unmount", act_umount, false, BOTH, 0},
    {"another way to mount what is mounted", act_remount, false, BOTH, 0},
    {"another root", act_chroot, false, BOTH, 0},
    {"a mount in a user namespace", act_userns_mount, false, BOTH, 0},
    {"the name of the machine", act_name, false, BOTH, 0},
    {"a file's owner", act_chown, false, BOTH, 0},
    {"another user", act_setuid, false, BOTH, 0},
    {"a device", act_mknod, false, BOTH, 0},
    {"tracing what is outside", act_ptrace, false, BOTH, 0},
    {"the memory of what is outside", act_memory, false, BOTH, 0},
    {"a signal to what is outside", act_signal, false, BOTH, 0},
    {"a socket of IP", act_inet, false, BOTH, 0},
    {"a socket of IPv6", act_inet6, false, BOTH, 0},
    {"a socket of netlink", act_netlink, false, BOTH, 0},
    {"an abstract socket outside", act_abstract, false, SELINUX, 0},
    {"a new file of the system", act_write_system, false, APPARMOR, 0},
    {"a file of the system", act_write_etc, false, BOTH, 0},
    {"a new file in memory of the machine's", act_write_run, false, BOTH, 0},
    {"a file of the system, with volumes", act_write_system, false, APPARMOR,
	1},
    {"a file of the image", act_write_image, false, BOTH, 0},
    {"a file at the root", act_write_root, false, BOTH, 0},
    {"somebody else's file, with volumes", act_write_other, false, APPARMOR, 1},
    {"somebody else's file, with a volume in the system", act_write_other,
	false, APPARMOR, 2},
    {"the kernel's settings", act_write_proc, false, BOTH, 0},
    {"the kernel's settings, with its own root", act_write_proc, false,
	APPARMOR, 3},
    {"the kernel's objects", act_write_sys, false, BOTH, 0},
    {"the kernel's objects, with its own root", act_write_sys, false,
	APPARMOR, 3},
    {"the kernel's log", act_kmsg, false, BOTH, 0},
    {"another label", act_label, false, BOTH, 0},
    {"a program in /tmp, under noexec", act_exec_tmp, false, APPARMOR, 4},
    {"may write to /tmp", may_write, true, APPARMOR, 0},
    {"may write to its volume", may_volume, true, APPARMOR, 1},
    {"may write to a volume in the system", act_write_system, true, APPARMOR,
	2},
    {"may write to its own root", act_write_system, true, APPARMOR, 3},
    {"may write to what is its own", may_volume, true, SELINUX, 0},
    {"may read its image", may_read, true, BOTH, 0},
    {"may write to /dev/null", may_null, true, BOTH, 0},
    {"may run a program", may_run, true, BOTH, 0},
    {"may run a program in /tmp", act_exec_tmp, true, APPARMOR, 0},
    {"may pair sockets", may_pair, true, BOTH, 0},
    {"may end its own", may_signal, true, BOTH, 0},
    {"may look at itself", may_look, true, BOTH, 0},
};

static enum lsm_kind kind;
static char label[LSM_LABEL_MAX];

static void
copy_self(const char *to)
{
	char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			n = 0;
	(void)close(in);
	(void)close(out);
}

static void
make_file(const char *path, uid_t owner)
{
	(void)close(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
	(void)!chown(path, owner, owner);
}

static bool
make_place(void)
{
	const char *opts = kind == LSM_SELINUX ?
	    "mode=0755,rootcontext=" SELINUX_IMAGE : "mode=0755";

	(void)mkdir(AT, 0755);
	if (mount("image", AT, "tmpfs", 0, opts) < 0)
		return false;
	(void)mkdir(AT "/mnt", 0755);
	(void)mkdir(AT "/mounted", 0755);
	copy_self(AT "/program");
	make_file(AT "/file", 0);
	make_file(AT "/other", 7);
	if (mkdir(AT "/tmp", 01777) < 0 ||
	    (kind == LSM_SELINUX && mount("tmp", AT "/tmp", "tmpfs", 0,
	    "rootcontext=" SELINUX_FILE) < 0))
		return false;
	make_file("/run/lsm-alone", 0);
	if (kind == LSM_SELINUX && setxattr("/run/lsm-alone",
	    "security.selinux", ETC, sizeof(ETC), 0) < 0)
		return false;
	make_file(AT "/tmp/own", 0);
	copy_self("/tmp/lsm-alone-program");
	return mount("x", AT "/mounted", "tmpfs", 0, NULL) == 0;
}

/* In a child: itself as that act, with the label or without. */
static int
try(unsigned i, bool labelled)
{
	char number[16];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)snprintf(number, sizeof(number), "%u", i);
		if (unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(CANNOT);
		if (labelled && attr_exec(kind, "/proc", label) < 0)
			_exit(CANNOT);
		(void)setenv("LABEL", labelled ? label : "", 1);
		(void)execl(AT "/program", "program", "act", number,
		    kind == LSM_SELINUX ? "selinux" : "apparmor",
		    (char *)NULL);
		_exit(CANNOT);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
clear(void)
{
	static const char *const files[] = {"/etc/lsm-alone", "/lsm-alone-file",
	    "/run/lsm-alone-file", AT "/tmp/node"};

	for (size_t i = 0; i < NELEM(files); i++)
		(void)unlink(files[i]);
}

static bool
judge(unsigned i)
{
	const struct act *a = &acts[i];
	const char *who = kind == LSM_SELINUX ? "selinux" : "apparmor";
	int without, with;

	/* each leaves what the next one must not find */
	clear();
	without = try(i, false);
	clear();
	with = try(i, true);
	if (without != DONE) {
		printf("not ok %s alone: %s: nor without it (%s)\n", who,
		    a->name, strerror(without));
		return false;
	}
	if (a->may ? with == DONE : with == EACCES || with == EPERM) {
		printf("ok %s alone: %s%s\n", who, a->may ? "a job " : "stops ",
		    a->name);
		return true;
	}
	printf("not ok %s alone: %s: %d %s\n", who, a->name, with,
	    with == CANNOT ? "no label" : with == OTHER ? "another label" :
	    strerror(with));
	return false;
}

static int
listen_outside(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, "\0lsm-alone", 10);
	return fd < 0 || bind(fd, (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 10)) < 0 ||
	    listen(fd, 64) < 0 ? -1 : fd;
}

static int
run(const char *prefix)
{
	char current[LSM_LABEL_MAX], number[24];
	struct apparmor_shape s;
	bool good = true;
	pid_t out;

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    attr_current(kind, "/proc", 0, current, sizeof(current)) < 0 ||
	    !make_place() || listen_outside() < 0) {
		printf("not ok alone: %s\n", strerror(errno));
		return 1;
	}
	out = fork();
	if (out == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)signal(SIGUSR1, SIG_IGN);
		for (;;)
			(void)pause();
	}
	(void)snprintf(number, sizeof(number), "%ld", (long)out);
	(void)setenv("OUTSIDER", number, 1);
	(void)setenv("UNLABEL", kind == LSM_SELINUX ? current :
	    "changeprofile unconfined", 1);
	for (unsigned i = 0; i < NELEM(acts); i++) {
		if ((acts[i].where & (kind == LSM_SELINUX ? SELINUX :
		    APPARMOR)) == 0)
			continue;
		apparmor_shape(acts[i].shape, &s);
		if (kind == LSM_APPARMOR)
			apparmor_name(label, prefix, &s);
		else if (!selinux_context(label, current, 1))
			good = false;
		good &= judge(i);
		(void)fflush(stdout);
	}
	(void)kill(out, SIGKILL);
	return good ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	static char text[APPARMOR_TEXT_MAX];
	const char *mine;
	unsigned i;

	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	if (argc == 3 && strcmp(argv[1], "text") == 0)
		return apparmor_text(text, sizeof(text), argv[2]) < 0 ||
		    fputs(text, stdout) < 0;
	if (argc != 4)
		return 2;
	kind = strcmp(argv[strcmp(argv[1], "act") == 0 ? 3 : 2], "selinux") ==
	    0 ? LSM_SELINUX : LSM_APPARMOR;
	if (strcmp(argv[1], "act") != 0)
		return run(argv[3]);
	mine = getenv("LABEL");
	if (mine != NULL && mine[0] != '\0' && attr_is(kind, "/proc", 0,
	    mine) != 1)
		return OTHER;
	i = (unsigned)strtoul(argv[2], NULL, 10);
	return i < NELEM(acts) ? acts[i].fn() : 2;
}
