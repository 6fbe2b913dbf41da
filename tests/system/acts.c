/* SPDX-License-Identifier: BSD-2-Clause */
/* What no shell can do, for contract.py: acts NAME [FILE]; 0: it was done. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
map(int prot, int flags, int fd, size_t len)
{
	return mmap(NULL, len, prot, flags, fd, 0) == MAP_FAILED;
}

/* A copy of ourselves that is in no folder, run. */
static int
memory_run(void)
{
	char *const argv[] = {(char *)"acts", (char *)"nothing", NULL};
	char *const none[] = {NULL};
	int from = open("/proc/self/exe", O_RDONLY);
	int fd = (int)syscall(SYS_memfd_create, "x", 0);
	char buf[65536];
	ssize_t n;

	if (fd < 0)
		return 1;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return 1;
	return (int)syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH) +
	    2;
}

/* Read or written without a call that says so. */
static int
mapped(const char *path, int write)
{
	int fd = open(path, write ? O_RDWR : O_RDONLY);
	volatile char *p;
	struct stat st;
	char sum = 0;

	if (fd < 0 || fstat(fd, &st) != 0)
		return 1;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | (write ? PROT_WRITE : 0),
	    write ? MAP_SHARED : MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	for (off_t i = 0; i < st.st_size; i += 4096) {
		sum ^= p[i];
		if (write)
			p[i] = sum;
	}
	return 0;
}

static int
act(const char *name, const char *file)
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	void *p;

	if (strcmp(name, "map") == 0)
		return map(PROT_READ | PROT_EXEC, anon, -1, 4096);
	if (strcmp(name, "protect") == 0) {
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, anon, -1, 0);
		return mprotect(p, 4096, PROT_READ | PROT_EXEC) != 0;
	}
	if (strcmp(name, "data") == 0)
		return map(PROT_READ | PROT_WRITE, anon, -1, 1 << 20);
	if (strcmp(name, "code") == 0)
		return map(PROT_READ | PROT_EXEC, MAP_PRIVATE,
		    open(file, O_RDONLY), 4096);
	if (strcmp(name, "memfd") == 0)
		return memory_run();
	if (strcmp(name, "read") == 0 || strcmp(name, "write") == 0)
		return mapped(file, name[0] == 'w');
	return strcmp(name, "nothing") != 0;
}

int
main(int argc, char *argv[])
{
	int r = argc < 2 ? 2 : act(argv[1], argc > 2 ? argv[2] : "");

	if (r != 0)
		(void)printf("%s\n", strerror(errno));
	return r;
}
