/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What jobs do under the probes, in a process of its own: hostile acts, and
 * quiet ones that look like them.
 */
#define _GNU_SOURCE
#include "watch_acts.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"

static void *
map(int prot, int flags, int fd)
{
	void *p = mmap(NULL, 8192, prot, flags, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}
static int a_anon(void)
{
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1) ==
	    NULL;
}
static int a_wx(void)
{
	return map(PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1) == NULL;
}
static int
a_w_then_x(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	p[0] = 'x';
	return mprotect(p, 8192, PROT_READ | PROT_EXEC);
}
static int
a_file_w_then_x(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);

	p[0] = 'x';
	return mprotect(p, 8192, PROT_READ | PROT_EXEC);
}
static int
a_second_page(void)
{
	/* a harmless mapping before it in one call */
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = map(PROT_READ, MAP_PRIVATE, fd);
	char *q = mmap(p + 4096, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	q[0] = 'x';
	return mprotect(p, 8192, PROT_READ | PROT_EXEC);
}
static int
a_map_memfd(void)
{
	int fd = memfd_create("code", 0);

	(void)!ftruncate(fd, 8192);
	return map(PROT_READ | PROT_EXEC, MAP_SHARED, fd) == NULL;
}
static int
q_map(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = map(PROT_READ, MAP_PRIVATE, fd);

	(void)mprotect(p, 8192, PROT_READ | PROT_WRITE);
	p[0] = 'x';
	(void)map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fd = memfd_create("data", 0);
	(void)!ftruncate(fd, 8192);
	(void)map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fd = open("/proc/self/exe", O_RDONLY);
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd) == NULL;
}

/* ---- code that is no file's ---- */

static int
a_zero(void)
{
	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE,
	    open("/dev/zero", O_RDONLY)) == NULL;
}
static int
a_heap(void)
{
	char *p = sbrk(16384);

	p = (char *)(((uintptr_t)p + 4095) & ~(uintptr_t)4095);
	*p = 'x';
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static int
a_shm(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0700);
	void *p = shmat(id, NULL, SHM_EXEC);

	(void)shmctl(id, IPC_RMID, NULL);
	return p == (void *)-1;
}
static int
a_implied(void)
{
	return personality(READ_IMPLIES_EXEC) < 0;
}
static int
q_personality(void)
{
	(void)personality(0xffffffff);
	return personality(ADDR_NO_RANDOMIZE) < 0;
}
static int
code_file(void)
{
	int fd = open("/tmp/code", O_RDWR | O_CREAT, 0755);

	return ftruncate(fd, 8192) == 0 ? fd : -1;
}
static int
a_twice(void)
{
	int fd = code_file();

	return map(PROT_READ | PROT_WRITE, MAP_SHARED, fd) == NULL ||
	    map(PROT_READ | PROT_EXEC, MAP_SHARED, fd) == NULL;
}
static int
a_twice_other(void)
{
	int fd = code_file();

	return map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd) == NULL ||
	    map(PROT_READ | PROT_WRITE, MAP_SHARED, fd) == NULL;
}
static int
q_twice(void)
{
	int fd = code_file();

	return map(PROT_READ | PROT_WRITE, MAP_SHARED, fd) == NULL ||
	    map(PROT_READ, MAP_SHARED, fd) == NULL ||
	    map(PROT_READ | PROT_EXEC, MAP_PRIVATE,
		open("/proc/self/exe", O_RDONLY)) == NULL;
}

static atomic_bool over;
static void *
maps_on(void *arg)
{
	while (!over) {
		void *p = map(PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1);

		if (p != NULL)
			(void)munmap(p, 8192);
	}
	return arg;
}
/* Threads that hold the lock of the mappings do not make code a secret. */
static int
q_busy(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	pthread_t t[3];

	for (size_t i = 0; i < NELEM(t); i++)
		if (pthread_create(&t[i], NULL, maps_on, NULL) != 0)
			return -1;
	for (int i = 0; i < 2000; i++)
		(void)munmap(map(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd), 8192);
	over = true;
	for (size_t i = 0; i < NELEM(t); i++)
		(void)pthread_join(t[i], NULL);
	return 0;
}

static char *const no_env[] = {NULL};
static char word_self[] = "test_watch", word_act[] = "act";
static char word_nothing[] = "nothing", word_gone[] = "gone_quiet";
static char *const argv_nothing[] = {word_self, word_act, word_nothing, NULL};

static int
copy_to(int fd)
{
	char buf[65536];
	int from = open("/proc/self/exe", O_RDONLY);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return -1;
	return 0;
}
static int
a_memfd(void)
{
	int fd = memfd_create("evil", 0);

	(void)copy_to(fd);
	return (int)syscall(SYS_execveat, fd, "", argv_nothing, no_env,
	    AT_EMPTY_PATH);
}
static int
a_deleted(void)
{
	int w = open("/tmp/prog", O_WRONLY | O_CREAT, 0755), r;

	(void)copy_to(w);
	r = open("/tmp/prog", O_RDONLY);
	(void)close(w);
	(void)unlink("/tmp/prog");
	return (int)syscall(SYS_execveat, r, "", argv_nothing, no_env,
	    AT_EMPTY_PATH);
}
static int
q_exec(void)
{
	int w = open("/tmp/prog", O_WRONLY | O_CREAT, 0755);

	(void)copy_to(w);
	(void)close(w);
	return execve("/tmp/prog", argv_nothing, no_env);
}
static int
a_setuid(void)
{
	(void)!setresuid(0, 0, 0);
	return 0;
}
static int
a_newuser(void)
{
	/* it gets all rights, in there */
	return unshare(CLONE_NEWUSER);
}
static int
q_setuid(void)
{
	(void)!setresuid(JOB, JOB, JOB);
	(void)!setuid(getuid());
	return prctl(PR_SET_NAME, "other", 0, 0, 0);
}
static int
a_memfd_path(void)
{
	char path[64];
	int fd = memfd_create("evil", 0);

	(void)copy_to(fd);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return execve(path, argv_nothing, no_env);
}
static int
a_tmpfile(void)
{
	char path[64];
	int w = open("/tmp", O_TMPFILE | O_RDWR, 0755), r;

	(void)copy_to(w);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", w);
	r = open(path, O_RDONLY);
	(void)close(w);
	return (int)syscall(SYS_execveat, r, "", argv_nothing, no_env,
	    AT_EMPTY_PATH);
}
static const char script[] = "#!/bin/true\n";
static int
a_script(void)
{
	int fd = memfd_create("script", 0);

	if (write(fd, script, sizeof(script) - 1) < 0)
		return -1;
	return (int)syscall(SYS_execveat, fd, "", argv_nothing, no_env,
	    AT_EMPTY_PATH);
}
static int
q_script(void)
{
	int w = open("/tmp/script", O_WRONLY | O_CREAT, 0755), fd;

	if (write(w, script, sizeof(script) - 1) < 0)
		return -1;
	(void)close(w);
	fd = open("/tmp/script", O_RDONLY);
	return (int)syscall(SYS_execveat, fd, "", argv_nothing, no_env,
	    AT_EMPTY_PATH);
}
/* A program that takes itself away once it runs. */
static int
q_gone(void)
{
	char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0 && strncmp(path, "/tmp/prog", (size_t)n) == 0) {
		path[n] = '\0';
		return unlink(path);
	}
	n = open("/tmp/prog", O_WRONLY | O_CREAT, 0755);
	(void)copy_to((int)n);
	(void)close((int)n);
	return execve("/tmp/prog", (char *[]){word_self, word_act, word_gone,
	    NULL}, no_env);
}
/* Its header asks for a stack that is code. */
static int
a_stack(void)
{
	int fd = open("/tmp/prog", O_RDWR | O_CREAT, 0755);
	Elf64_Ehdr e;
	Elf64_Phdr p;

	(void)copy_to(fd);
	if (pread(fd, &e, sizeof(e), 0) != sizeof(e))
		return -1;
	for (unsigned i = 0; i < e.e_phnum; i++) {
		off_t at = (off_t)(e.e_phoff + i * sizeof(p));

		if (pread(fd, &p, sizeof(p), at) != sizeof(p))
			return -1;
		p.p_flags |= PF_X;
		if (p.p_type == PT_GNU_STACK &&
		    pwrite(fd, &p, sizeof(p), at) != sizeof(p))
			return -1;
	}
	(void)close(fd);
	return execve("/tmp/prog", argv_nothing, no_env);
}

/* ---- rights ---- */

static int
a_ambient(void)
{
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0);
	return 0;
}
static int
a_newuser3(void)
{
	struct clone_args c = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
	pid_t pid = (pid_t)syscall(SYS_clone3, &c, sizeof(c));

	if (pid == 0)
		_exit(0);
	return pid < 0 ? 0 : waitpid(pid, NULL, 0) < 0;
}
static int
a_nested(void)
{
	/* the first of a namespace of its own is not the house's */
	pid_t pid;

	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
		return -1;
	if ((pid = fork()) == 0)
		_exit(put("/proc/self/mem", O_RDWR));
	return waitpid(pid, NULL, 0) < 0;
}
static int
q_rights(void)
{
	(void)prctl(PR_CAPBSET_READ, 21, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 21, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return unshare(CLONE_FS | CLONE_FILES);
}
static int
a_forks(void)
{
	struct rlimit r = {1, 1};

	(void)setrlimit(RLIMIT_NPROC, &r);
	if (fork() == 0)
		_exit(0);
	return 0;
}
static void *
late(void *arg)
{
	(void)poll(NULL, 0, 30);
	(void)raise(SIGSYS);
	return arg;
}
/* Its first thread is gone by then. */
static int
a_late(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, late, NULL) != 0)
		return -1;
	pthread_exit(NULL);
}
static int
q_threads(void)
{
	pthread_t t[8];

	over = true;
	for (size_t i = 0; i < NELEM(t); i++)
		if (pthread_create(&t[i], NULL, maps_on, NULL) != 0)
			return -1;
	for (size_t i = 0; i < NELEM(t); i++)
		(void)pthread_join(t[i], NULL);
	return 0;
}
static int
a_signal(void)
{
	return raise(SIGSYS);
}
static int
q_flood(void)
{
	for (int i = 0; i < 3000; i++)
		(void)put("/tmp/no/such/folder", O_WRONLY | O_CREAT);
	return 0;
}
static int
a_hides(void)
{
	(void)q_flood();
	return a_memfd();
}
static int
q_children(void)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		(void)waitpid(pid, NULL, 0);
	}
	return 0;
}
static int
q_often(void)
{
	for (int i = 0; i < 200; i++) {
		(void)put("/proc/self/mem", O_RDWR);
		(void)poll(NULL, 0, 9); /* as many as are told in a second */
	}
	return 0;
}
static int nothing(void) { return 0; }

static const struct act acts[] = {
    {"anonymous", a_anon, "anonymous_exec", false, NULL},
    {"write_exec", a_wx, "anonymous_exec write_then_exec", false, NULL},
    {"write_then_exec", a_w_then_x, "anonymous_exec write_then_exec",
	false, NULL},
    {"file_written", a_file_w_then_x, "write_then_exec", false, NULL},
    {"second_page", a_second_page, "anonymous_exec write_then_exec",
	false, NULL},
    {"map_memfd", a_map_memfd, "write_then_exec map_deleted", false, NULL},
    {"map_quiet", q_map, "", false, NULL},
    {"memfd", a_memfd, "run_memory", false, NULL},
    {"deleted", a_deleted, "run_memory", false, NULL},
    {"exec_quiet", q_exec, "", false, NULL},
    {"setuid", a_setuid, "credentials_asked", false, NULL},
    {"newuser", a_newuser, "credentials_changed", false, NULL},
    {"setuid_quiet", q_setuid, "", false, NULL},
    {"sigsys", a_signal, "forbidden_call", false, NULL},
    {"flood", q_flood, "", true, NULL},
    {"flood_hides", a_hides, "run_memory", true, NULL},
    {"children", q_children, "", false, NULL},
    {"nothing", nothing, "", false, NULL},
    {"zero", a_zero, "anonymous_exec", false, NULL},
    {"heap", a_heap, "anonymous_exec write_then_exec", false, NULL},
    {"shm", a_shm, "anonymous_exec write_then_exec", false, NULL},
    {"implied", a_implied, "anonymous_exec", false, NULL},
    {"personality_quiet", q_personality, "", false, NULL},
    {"twice", a_twice, "write_then_exec", false, NULL},
    {"twice_other", a_twice_other, "write_then_exec", false, NULL},
    {"twice_quiet", q_twice, "", false, NULL},
    {"busy_quiet", q_busy, "", false, NULL},
    {"memfd_path", a_memfd_path, "run_memory", false, NULL},
    {"tmpfile", a_tmpfile, "run_memory", false, NULL},
    {"script", a_script, "run_memory", false, NULL},
    {"script_quiet", q_script, "", false, NULL},
    {"gone_quiet", q_gone, "", false, NULL},
    {"stack", a_stack, "anonymous_exec write_then_exec", false, NULL},
    {"ambient", a_ambient, "credentials_asked", false, NULL},
    {"newuser3", a_newuser3, "credentials_changed credentials_asked",
	false, NULL},
    {"nested", a_nested, "write_proc credentials_changed", false, NULL},
    {"rights_quiet", q_rights, "", false, NULL},
    {"forks", a_forks, "fork_refused", false, NULL},
    {"late", a_late, "forbidden_call", false, NULL},
    {"threads_quiet", q_threads, "", false, NULL},
    {"often", q_often, NULL, false, NULL}, /* of bench */
};
const struct acts acts_code = {acts, NELEM(acts)};

const struct act *
act_at(size_t i)
{
	static const struct acts *const all[] = {&acts_places, &acts_code,
	    &acts_tricks};

	for (size_t k = 0; k < NELEM(all); k++) {
		if (i < all[k]->n)
			return &all[k]->v[i];
		i -= all[k]->n;
	}
	return NULL;
}

const struct act *
act_named(const char *name)
{
	const struct act *a;

	for (size_t i = 0; (a = act_at(i)) != NULL; i++) {
		if (strcmp(a->name, name) == 0)
			return a;
	}
	return NULL;
}

int
act(const char *name)
{
	const struct act *a = act_named(name);

	if (a == NULL)
		return 4;
	return a->fn() == 0 ? 0 : 3;
}
