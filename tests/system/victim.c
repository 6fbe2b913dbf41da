/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A job that has something to find (tests/system/forensics.py), and some that
 * make it hard: victim WORD [NUMBER]. It says "ready" when it is so.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static volatile int depth;

static void
ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

__attribute__((noinline)) static void
innermost_frame(const char *secret)
{
	depth = (int)strlen(secret);
	ready();
	for (;;)
		pause();
}

__attribute__((noinline)) static void
middle_frame(const char *secret)
{
	innermost_frame(secret);
	depth++;
}

static void *
idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void
threads(int n)
{
	pthread_attr_t a;
	pthread_t t;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 65536);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t, &a, idle, NULL) != 0)
			printf("only %d\n", i);
	ready();
	(void)idle(NULL);
}

static void
processes(int n)
{
	for (int i = 0; i < n; i++)
		if (fork() == 0)
			(void)idle(NULL);
	ready();
	(void)idle(NULL);
}

/* Addresses without end, and what may not be read. */
static void
huge(void)
{
	const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	static const char needle[] = "needle in eight gigabytes";
	char *p = mmap(NULL, 1ul << 40, PROT_NONE, how, -1, 0);
	char *q = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE, how, -1, 0);
	char *r = mmap(NULL, 1ul << 33, PROT_READ | PROT_WRITE, how, -1, 0);

	if (p == MAP_FAILED)
		printf("no room for addresses\n");
	if (q != MAP_FAILED)
		q[1ul << 39] = 'x';
	if (r != MAP_FAILED)
		memcpy(r + (1ul << 32), needle, sizeof(needle));
	ready();
	(void)idle(NULL);
}

static void
names(void)
{
	static const char *const bad[] = {"/tmp/a\nb", "/tmp/\x1b[31mred",
	    "/tmp/..b", "/tmp/%2e%2e", "/tmp/back\\slash", "/tmp/\xff\xfe"};
	int fd;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fd = open(bad[i], O_CREAT | O_WRONLY, 0);
		if (write(fd, "x", 1) != 1)
			printf("%zu\n", i);
	}
	(void)symlink("/etc/passwd", "/tmp/link");
	(void)prctl(PR_SET_NAME, "\x1b[2J\nevil", 0, 0, 0);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	ready();
	(void)idle(NULL);
}

static void
fill(size_t mib)
{
	size_t n = mib << 20;
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < n; i += 8)
		*(size_t *)(void *)(p + i) = i * 2654435761u;
}

static void
memory(size_t mib)
{
	fill(mib);
	ready();
	(void)idle(NULL);
}

/* Says how long it did not run, in milliseconds, when that is long. */
static void
gaps(size_t mib)
{
	struct timespec t;
	double last = 0, now;

	fill(mib);
	ready();
	for (;;) {
		(void)clock_gettime(CLOCK_MONOTONIC, &t);
		now = (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
		if (last != 0 && now - last > 5)
			printf("gap %.2f\n", now - last);
		fflush(stdout);
		last = now;
		(void)poll(NULL, 0, 1);
	}
}

/* Processes that come and go all the time. */
static void
dying(void)
{
	ready();
	for (;;) {
		if (fork() == 0)
			_exit(0);
		if (vfork() == 0)
			_exit(0);
		(void)poll(NULL, 0, 1);
	}
}

/* Its first thread ends before the others: a zombie that is a process. */
static void *
behind(void *arg)
{
	char state = 0;

	while (state != 'Z') {
		FILE *f = fopen("/proc/self/stat", "re");

		if (f == NULL || fscanf(f, "%*s %*s %c", &state) != 1)
			state = 0;
		if (f != NULL)
			(void)fclose(f);
		(void)poll(NULL, 0, 1);
	}
	middle_frame("the secret");
	return arg;
}

static void
leaderless(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, behind, NULL) == 0)
		pthread_exit(NULL);
}

int
main(int argc, char *argv[])
{
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;

	if (argc < 2)
		return 2;
	switch (argv[1][0]) {
	case 'b':
		middle_frame("the secret");
		break;
	case 't':
		threads(n);
		break;
	case 'p':
		processes(n);
		break;
	case 'h':
		huge();
		break;
	case 'n':
		names();
		break;
	case 'm':
		memory((size_t)n);
		break;
	case 'g':
		gaps((size_t)n);
		break;
	case 'd':
		dying();
		break;
	case 'l':
		leaderless();
		break;
	}
	return 0;
}
