/* SPDX-License-Identifier: BSD-2-Clause */
/* More than a job's share, in each kind of memory and of table. */
#include "sandbox/probe/probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The job of these probes has 64 MiB, 64 processes, 1 MiB of output. */
#define SHARE (64u << 20)
#define TWICE (2 * (size_t)SHARE)

static bool
no_memory_group(void)
{
	return getenv("HOST_MEMORY") == NULL;
}
#define NEEDS_GROUP()                                                          \
	do {                                                                   \
		if (no_memory_group())                                         \
			NOTHING_HERE("there is no memory group");              \
	} while (0)

PROBE(heap)
{
	size_t n = 0;
	char *p;

	for (; n < TWICE; n += 1 << 20) {
		p = malloc(1 << 20);
		if (p == NULL)
			HELD;
		memset(p, 1, 1 << 20);
		/* else a compiler does without all of it */
		(void)*(volatile char *)p;
	}
	ESCAPED("%zu MiB of memory", n >> 20);
}
PROBE(shared_memory)
{
	char *p = mmap(NULL, TWICE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	NEEDS_GROUP();
	if (p == MAP_FAILED)
		HELD;
	memset(p, 1, TWICE);
	ESCAPED("128 MiB of shared memory");
}
PROBE(sysv_memory)
{
	int id = shmget(IPC_PRIVATE, TWICE, IPC_CREAT | 0600);
	char *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	(void)shmctl(id, IPC_RMID, NULL);
	NEEDS_GROUP();
	if (p == (void *)-1)
		HELD;
	memset(p, 1, TWICE);
	ESCAPED("128 MiB of System V memory");
}
PROBE(memory_files)
{
	static char buf[1 << 20];
	int fd = memfd_create("x", 0);

	NEEDS_GROUP();
	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t n = 0; n < TWICE; n += sizeof(buf)) {
		/* another one where a file has its bound */
		if (n % (32u << 20) == 0)
			fd = memfd_create("x", 0);
		memset(buf, (int)n, sizeof(buf));
		if (fd < 0 || write(fd, buf, sizeof(buf)) !=
		    (ssize_t)sizeof(buf))
			HELD;
	}
	ESCAPED("128 MiB in memfds");
}
PROBE(pipes)
{
	static char buf[1 << 20];
	size_t n = 0;

	NEEDS_GROUP();
	for (int i = 0; i < 2000 && n < TWICE; i++) {
		int p[2];
		ssize_t k;

		if (pipe2(p, O_NONBLOCK) != 0)
			HELD;
		(void)fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
		while ((k = write(p[1], buf, sizeof(buf))) > 0)
			n += (size_t)k;
	}
	if (n >= TWICE)
		ESCAPED("%zu MiB in pipes", n >> 20);
	HELD;
}
PROBE(socket_buffers)
{
	static char buf[1 << 16];
	size_t n = 0;

	NEEDS_GROUP();
	for (int i = 0; i < 2000 && n < TWICE; i++) {
		int sv[2], most = 1 << 20;
		ssize_t k;

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) !=
		    0)
			HELD;
		(void)setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &most,
		    sizeof(most));
		while ((k = write(sv[0], buf, sizeof(buf))) > 0)
			n += (size_t)k;
	}
	if (n >= TWICE)
		ESCAPED("%zu MiB in sockets", n >> 20);
	HELD;
}

static bool
fill(const char *path, size_t most)
{
	static char buf[1 << 16];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	size_t n = 0;
	ssize_t k;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (fd < 0)
		HELD;
	(void)unlink(path); /* deleted but open */
	memset(buf, 1, sizeof(buf));
	while ((k = write(fd, buf, sizeof(buf))) > 0)
		if ((n += (size_t)k) > most)
			ESCAPED("more than %zu MiB in %s", most >> 20, path);
	HELD;
}
PROBE(full_tmp) { return fill("/tmp/f", SHARE); }
PROBE(full_volume) { return fill("/in/rw/f", 4u << 20); }
PROBE(full_shm) { return fill("/dev/shm/f", SHARE); }
PROBE(reserve)
{
	int fd = open("/tmp/f", O_CREAT | O_WRONLY, 0600);

	(void)signal(SIGXFSZ, SIG_IGN);
	if (fd < 0 || fallocate(fd, 0, 0, TWICE) != 0)
		HELD;
	ESCAPED("128 MiB reserved in /tmp");
}
PROBE(sparse)
{
	int fd = open("/in/rw/f", O_CREAT | O_WRONLY, 0600);

	(void)signal(SIGXFSZ, SIG_IGN);
	MUST_FAIL(ftruncate(fd, 1l << 40));
	HELD;
}

static bool
many(const char *at, int most)
{
	char path[64];

	for (int i = 0; i < most; i++) {
		int fd;

		(void)snprintf(path, sizeof(path), "%s/%d", at, i);
		if ((fd = open(path, O_CREAT | O_WRONLY, 0600)) < 0)
			HELD;
		(void)close(fd);
	}
	ESCAPED("%d files in %s", most, at);
}
PROBE(tmp_inodes) { return many("/tmp", 20000); }
PROBE(volume_inodes) { return many("/in/rw", 100000); }
PROBE(open_files)
{
	for (int i = 0; i < 8192; i++)
		if (dup(0) < 0)
			HELD;
	ESCAPED("8192 open files");
}

PROBE(fork_bomb)
{
	int n = 0;

	for (; n < 300; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			(void)pause();
			_exit(0);
		}
		if (pid < 0)
			break;
	}
	if (n >= 200)
		ESCAPED("%d children", n);
	HELD;
}

static void *
idle(void *arg)
{
	(void)pause();
	return arg;
}
PROBE(thread_bomb)
{
	pthread_attr_t a;
	pthread_t t;
	int n = 0;

	if (pthread_attr_init(&a) != 0 ||
	    pthread_attr_setstacksize(&a, 65536) != 0)
		ESCAPED("attributes");
	while (n < 300 && pthread_create(&t, &a, idle, NULL) == 0)
		n++;
	if (n >= 200)
		ESCAPED("%d threads", n);
	HELD;
}

/* Two that never rest get what one processor gives, and no more. */
PROBE(processor)
{
	struct timespec begin, now;
	struct tms used;
	long tick = sysconf(_SC_CLK_TCK);
	double wall, cpu;
	pid_t pid;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || getenv("HOST_CPU") == NULL)
		NOTHING_HERE("there is no cpu group, or one processor");
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	pid = fork();
	do {
		for (volatile int i = 0; i < 100000; i++)
			continue;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		wall = (double)(now.tv_sec - begin.tv_sec) +
		    (double)(now.tv_nsec - begin.tv_nsec) / 1e9;
	} while (wall < 0.6);
	if (pid == 0)
		_exit(0);
	(void)waitpid(pid, NULL, 0);
	(void)times(&used);
	cpu = (double)(used.tms_utime + used.tms_stime + used.tms_cutime +
	    used.tms_cstime) / (double)tick;
	if (cpu > 1.6 * wall)
		ESCAPED("%.2f s of processor in %.2f s", cpu, wall);
	HELD;
}

PROBE(core_dump)
{
	struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)chdir("/tmp");
		(void)setrlimit(RLIMIT_CORE, &r);
		(void)getrlimit(RLIMIT_CORE, &r);
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_CORE, &r);
		abort();
	}
	if (waitpid(pid, &status, 0) == pid && WCOREDUMP(status))
		ESCAPED("a core was written, or handed to a handler");
	HELD;
}

PROBE(rlimits)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max != 1)
		ESCAPED("core limit is not 1");
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_max > 4096)
		ESCAPED("files are not limited");
	if (getrlimit(RLIMIT_FSIZE, &r) != 0 || r.rlim_max == RLIM_INFINITY)
		ESCAPED("no limit of a file's size");
	if (getrlimit(RLIMIT_MEMLOCK, &r) != 0 || r.rlim_max > 1 << 20)
		ESCAPED("locked memory is not limited");
	HELD;
}
PROBE(rlimits_raise)
{
	struct rlimit r;

	(void)getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max = r.rlim_max + 1;
	MUST_FAIL(setrlimit(RLIMIT_NOFILE, &r));
	HELD;
}

PROBE(oom_score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd >= 0)
		MUST_FAIL(write(fd, "-1000", 5));
	HELD;
}

#define BYTES "memory"
static const struct probe list[] = {
	BOMB(heap, "memory rlimits", NULL),
	BOMB(shared_memory, BYTES, NULL), BOMB(sysv_memory, BYTES, NULL),
	BOMB(memory_files, BYTES, NULL),
	BOMB(pipes, BYTES, "a_user's_share_of_pipes_may_be_less"),
	BOMB(socket_buffers, BYTES, NULL),
	BOMB(full_tmp, "mount memory", NULL),
	BOMB(full_volume, "mount memory", NULL),
	BOMB(full_shm, "mount memory", NULL),
	BOMB(reserve, "mount rlimits", NULL),
	BOMB(sparse, "rlimits", NULL),
	BOMB(tmp_inodes, "mount", NULL), BOMB(volume_inodes, "mount", NULL),
	BOMB(open_files, "rlimits", NULL),
	BOMB(fork_bomb, "pids rlimits", NULL),
	BOMB(thread_bomb, "pids rlimits", NULL),
	BOMB(processor, "cpu", "not_where_the_machine_is_busy"),
	DOOR(core_dump, "rlimits", "where_a_core_may_be_written"),
	RIGHT(rlimits, "rlimits", NULL),
	RIGHT(rlimits_raise, "rlimits caps", "only_the_host's_own_root_may"),
	RIGHT(oom_score, "caps", "only_the_host's_own_root_may"),
};
PROBES(resources);
