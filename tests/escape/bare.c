/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/bare.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/until.h"

#define NOBODY 65534
#define CANNOT 100 /* exit code; the words are in the file */
#define VICTIM 3   /* its pid: a job's own are 1 and 2 */

static void
cannot(const char *what)
{
	dprintf(1, "%s: %s", what, strerror(errno));
	_exit(CANNOT);
}

static void
bind_one(const char *from, const char *to, bool folder)
{
	char path[256];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "./%s", to);
	if (folder ? mkdir(path, 0755) == -1 :
	    (fd = open(path, O_CREAT | O_WRONLY, 0666)) == -1)
		cannot(to);
	if (fd != -1)
		(void)close(fd);
	if (mount(from, path, NULL, MS_BIND | MS_REC, NULL) == -1 && !folder)
		(void)unlink(path);
}

static void
copy_program(int from, const char *to)
{
	static char buf[65536];
	int out = open(to, O_CREAT | O_WRONLY, 0755);
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buf, sizeof(buf), at)) > 0) {
		if (write(out, buf, (size_t)n) != n)
			cannot(to);
		at += n;
	}
	(void)close(out);
}

/* Root inside is this user outside. */
static bool
map_ids(uid_t uid, gid_t gid)
{
	static const char *const files[] = {"setgroups", "uid_map", "gid_map"};
	char text[3][32] = {"deny"}, path[64];

	(void)snprintf(text[1], sizeof(text[1]), "0 %u 1", uid);
	(void)snprintf(text[2], sizeof(text[2]), "0 %u 1", gid);
	for (int i = 0; i < 3; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd == -1 || write(fd, text[i], strlen(text[i])) == -1)
			return false;
		(void)close(fd);
	}
	return true;
}

/* All of a job's places, all of them open. */
static void
make_root(const struct bare *b, int program)
{
	static const char *const folders[] = {"bin", "tmp", "in", "in/ro",
	    "in/rw", "dev", "dev/shm", "proc", "boot", "old"};
	static const char *const nodes[] = {"/dev/null", "/dev/kmsg",
	    "/dev/mem", "/dev/kvm", "/dev/tty"};

	if (mount("bare", b->at, "tmpfs", 0, "size=300m,mode=0755") == -1 ||
	    chdir(b->at) == -1)
		cannot("tmpfs");
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdir(folders[i], 0777) == -1)
			cannot(folders[i]);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (access(nodes[i], F_OK) == 0)
			bind_one(nodes[i], nodes[i] + 1, false);
	if (mkdir("sys", 0755) == -1)
		cannot("sys");
	(void)mount("/sys", "./sys", NULL, MS_BIND | MS_REC, NULL);
	bind_one(b->shown, "in/shown", true);
	copy_program(program, "bin/probe");
	copy_program(program, "bin/setid");
	if (mount("proc", "proc", "proc", 0, NULL) == -1 &&
	    mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == -1)
		cannot("proc");
}

/* Pid 1 of the place: a neighbour that is asleep, and the probe. */
static void
in_place(const struct bare *b, int program, const char *probe)
{
	char name[] = "/bin/probe", own[64], *argv[] = {name, NULL, NULL};
	const char *env[16] = {"HOME=/root", "HOST_MEMORY=1", "HOST_CPU=1",
	    own};
	int root = open("/", O_RDONLY | O_DIRECTORY), status, n = 4, in[2];
	pid_t pid;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 1);
	(void)snprintf(own, sizeof(own), "HOST_PID=%d", VICTIM);
	for (int i = 0; b->env[i] != NULL && n < 15; i++)
		if (strncmp(b->env[i], "HOST_PID=", 9) != 0)
			env[n++] = b->env[i];
	make_root(b, program);
	/* not a chroot: there the kernel refuses new user namespaces */
	if (syscall(SYS_pivot_root, ".", "./old") == -1 || chdir("/") == -1)
		cannot("pivot_root");
	for (int i = 0; i < 2; i++)
		if (fork() == 0) {
			(void)pause();
			_exit(0);
		}
	argv[1] = (char *)(uintptr_t)probe;
	pid = fork();
	if (pid == 0) {
		/* what is left open is a way out */
		(void)dup2(root, 5);
		if (pipe(in) == -1 || dup2(in[0], 0) == -1)
			cannot("pipe");
		(void)execve(name, argv, (char **)(uintptr_t)env);
		cannot("execve");
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 101);
}

static void
outer(const struct bare *b, const char *probe, int out)
{
	int program = open(b->program, O_RDONLY), status;
	bool was_root = geteuid() == 0;
	uid_t uid;
	gid_t gid;
	pid_t pid;

	(void)dup2(out, 1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)!chdir("/");
	/* as a user's own namespace has no NOBODY, it stays who it is */
	if (was_root && setgroups(0, NULL) == 0 &&
	    setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	    setresuid(NOBODY, NOBODY, NOBODY) == -1)
		cannot("setresuid");
	(void)prctl(PR_SET_DUMPABLE, 1);
	uid = geteuid();
	gid = getegid();
	if (unshare(CLONE_NEWUSER) == -1)
		cannot("user namespace");
	if (!map_ids(uid, gid))
		cannot("maps");
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) == -1)
		cannot("mount and pid namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		cannot("private mounts");
	pid = fork();
	if (pid == 0)
		in_place(b, program, probe);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 101);
}

int
bare_run(const struct bare *b, const char *probe, char *said, size_t cap)
{
	/* a file: what a job's stream must not be */
	int out = memfd_create("said", 0), status = 0;
	struct until u = until_begin("a probe without a sandbox", 20000);
	ssize_t n;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		outer(b, probe, out);
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (!until_step(&u)) {
			/* the first process of the place ends with it */
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			break;
		}
	n = pread(out, said, cap - 1, 0);
	said[n < 0 ? 0 : n] = '\0';
	said[strcspn(said, "\n")] = '\0';
	(void)close(out);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 101)
		return -1;
	return WEXITSTATUS(status) == CANNOT ? -2 : WEXITSTATUS(status);
}
