/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a module may do, and what it must not: one act a run, by its first
 * argument. Made by tests/wasm/make.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile int sink;
static char *volatile kept;

__attribute__((noinline)) static int
deeper(int n)
{
	volatile char room[512];

	room[n % 512] = (char)n;
	return deeper(n + 1) + room[(n + 1) % 512];
}

static int
number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

static int
cat(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		(void)write(1, buf, (size_t)n);
	return n < 0;
}

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

static int
list(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (d == NULL) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			printf("%s\n", e->d_name);
	return closedir(d);
}

/* How many MiB it gets before the first refusal. */
static int
grow(int most)
{
	int n = 0;

	for (; n < most; n++) {
		char *p = malloc(1 << 20);

		if (p == NULL)
			break;
		memset(p, n + 1, 1 << 20);
		kept = p;
	}
	printf("%d MiB\n", n);
	return 0;
}

static int
fill(const char *path)
{
	static char block[65536];
	long long sum = 0;
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	ssize_t n;

	while (fd >= 0 && sum < 1LL << 30 &&
	    (n = write(fd, block, sizeof(block))) > 0)
		sum += n;
	printf("%lld: %s\n", sum, strerror(errno));
	return 0;
}

/* So many files of a byte; how many there are at the first refusal. */
static int
many(const char *path, int n)
{
	char name[256];
	int i = 0, fd;

	for (; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%s/%d", path, i);
		fd = open(name, O_WRONLY | O_CREAT, 0644);
		if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0)
			break;
	}
	printf("%d: %s\n", i, strerror(i < n ? errno : 0));
	return 0;
}

/* What of time is seen: by a file, and by waiting. */
static int
times(const char *path)
{
	struct timespec a, b;
	struct stat st;

	if (put(path, "x") != 0 || stat(path, &st) != 0 ||
	    clock_gettime(CLOCK_MONOTONIC, &a) != 0 ||
	    poll(NULL, 0, 50) != 0 || clock_gettime(CLOCK_MONOTONIC, &b) != 0)
		return 1;
	printf("%lld %lld.%09ld\n", (long long)st.st_mtim.tv_sec,
	    (long long)(b.tv_sec - a.tv_sec), b.tv_nsec - a.tv_nsec);
	return 0;
}

static int
chance(void)
{
	unsigned char b[16];
	struct timespec t;

	if (getentropy(b, sizeof(b)) != 0 ||
	    clock_gettime(CLOCK_REALTIME, &t) != 0)
		return 1;
	for (unsigned i = 0; i < sizeof(b); i++)
		printf("%02x", b[i]);
	printf(" %lld.%09ld\n", (long long)t.tv_sec, t.tv_nsec);
	return 0;
}

static int
traps(const char *what)
{
	if (strcmp(what, "unreachable") == 0)
		__builtin_trap();
	if (strcmp(what, "abort") == 0)
		abort();
	if (strcmp(what, "stack") == 0)
		return deeper(sink);
	if (strcmp(what, "outside") == 0)
		return *(volatile int *)(uintptr_t)0xfffffff0u;
	if (strcmp(what, "zero") == 0)
		return 100 / sink;
	if (strcmp(what, "call") == 0)
		return ((int (*)(void))(uintptr_t)(unsigned)sink)();
	for (;;)
		sink++;
}

static int
run(int argc, char *argv[])
{
	const char *act = argc > 1 ? argv[1] : "hello";
	const char *a = argc > 2 ? argv[2] : "", *b = argc > 3 ? argv[3] : "";

	if (strcmp(act, "hello") == 0) {
		printf("hello %s\n", getenv("WHO") ? getenv("WHO") : "?");
		return 0;
	}
	if (strcmp(act, "args") == 0) {
		for (int i = 0; i < argc; i++)
			printf("[%s]", argv[i]);
		return printf("\n") < 0;
	}
	if (strcmp(act, "exit") == 0)
		exit(number(a));
	if (strcmp(act, "cat") == 0)
		return cat(a);
	if (strcmp(act, "put") == 0)
		return put(a, b);
	if (strcmp(act, "copy") == 0) {
		char text[4096] = "";
		int fd = open(a, O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
			return cat(a);
		return put(b, text);
	}
	if (strcmp(act, "list") == 0)
		return list(a);
	if (strcmp(act, "grow") == 0)
		return grow(number(a));
	if (strcmp(act, "fill") == 0)
		return fill(a);
	if (strcmp(act, "many") == 0)
		return many(a, number(b));
	if (strcmp(act, "move") == 0) {
		if (rename(a, b) != 0) {
			printf("%s: %s\n", b, strerror(errno));
			return 1;
		}
		return cat(b);
	}
	if (strcmp(act, "times") == 0)
		return times(a);
	/* a file, and then what stands behind */
	if (strcmp(act, "keep") == 0)
		return put(a, "kept\n") != 0 ? 1 : run(argc - 2, argv + 2);
	if (strcmp(act, "chance") == 0)
		return chance();
	if (strcmp(act, "sleep") == 0)
		return poll(NULL, 0, 1000 * number(a));
	if (strcmp(act, "link") == 0) {
		if (symlink(a, b) != 0) {
			printf("%s: %s\n", b, strerror(errno));
			return 1;
		}
		return cat(b);
	}
	return traps(act);
}

int
main(int argc, char *argv[])
{
	setvbuf(stdout, NULL, _IONBF, 0);
	return run(argc, argv);
}
