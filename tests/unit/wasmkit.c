/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/wasmkit.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/wasm.h"

#define RUNNER "./warren-wasm"

char wasm_folder[] = "/tmp/warren-wasm-XXXXXX";

int
wasm_memfd(const void *p, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

int
wasm_file(const char *name)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/../wasm/%s",
	    getenv("VECTORS") != NULL ? getenv("VECTORS") : "../tests/vectors",
	    name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

size_t
wasm_slurp(int fd, void *out, size_t cap)
{
	size_t got = 0;
	ssize_t n;

	while (got < cap && (n = read(fd, (char *)out + got, cap - got)) > 0)
		got += (size_t)n;
	return got;
}

/* fds: what 0 to 4 become; -1: /dev/null. */
static int
start(char *const *argv, const int *fds, unsigned n)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit cpu = {20, 20}, none = {0, 0};
		int null = open("/dev/null", O_RDWR);
		int high[5];

		for (unsigned i = 0; i < n; i++)
			high[i] = fcntl(fds[i] < 0 ? null : fds[i], F_DUPFD,
			    32);
		for (unsigned i = 0; i < n; i++)
			(void)dup2(high[i], (int)i);
		(void)setrlimit(RLIMIT_CPU, &cpu);
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)execv(RUNNER, argv);
		_exit(99);
	}
	assert_true(pid > 0);
	return pid;
}

int
wasm_status(pid_t pid, struct rusage *u)
{
	int status;

	assert_int_equal(wait4(pid, &status, 0, u), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void
wasm_compile_to(int code, int module, unsigned flags, unsigned long fuel,
    struct ended *e)
{
	char a[8], b[24], name[] = RUNNER, verb[] = "compile";
	char *argv[] = {name, verb, a, b, NULL};
	int said[2];
	uint8_t buf[REPORT_MAX];
	struct rusage u;
	size_t n;
	pid_t pid;

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	(void)snprintf(a, sizeof(a), "%u", flags);
	(void)snprintf(b, sizeof(b), "%lu", fuel);
	pid = start(argv, (int[]){module, code, said[1]}, 3);
	(void)close(said[1]);
	n = wasm_slurp(said[0], buf, sizeof(buf));
	(void)close(said[0]);
	e->status = wasm_status(pid, &u);
	memset(&e->report, 0, sizeof(e->report));
	if (n > 0)
		assert_true(report_parse(buf, n, &e->report) > 0);
	assert_true(u.ru_maxrss < (long)(WASM_COMPILE_MEMORY >> 10));
}

/* To a memfd of its code; *e what was said. */
int
wasm_compile(int module, unsigned flags, unsigned long fuel, struct ended *e)
{
	int code = wasm_memfd("", 0);

	wasm_compile_to(code, module, flags, fuel, e);
	return code;
}


void
wasm_run(int code, const struct how *how, const char *const *words,
    struct ended *e)
{
	static uint8_t buf[65536];
	struct plan_args args = {.targets = {wasm_folder}, .ntargets = 1,
	    .cwd = "/", .env = {"WHO=test"}, .envc = 1};
	char text[4][24], name[] = RUNNER, verb[] = "run", ro[] = "0:0",
	    rw[] = "1048576:1000";
	char *argv[] = {name, verb, text[0], text[1], text[2], text[3],
	    how->writable ? rw : ro, NULL};
	unsigned long long v[4] = {how->flags, how->fuel, 64u << 20, how->ms};
	struct wr w = wr_make(buf, sizeof(buf));
	int out[2], fd;
	size_t n;
	pid_t pid;

	args.argv[args.argc++] = "acts";
	for (; *words != NULL; words++)
		args.argv[args.argc++] = *words;
	plan_args_encode(&w, &args);
	assert_true(wr_ok(&w));
	for (unsigned i = 0; i < NELEM(v); i++)
		(void)snprintf(text[i], sizeof(text[i]), "%llu", v[i]);
	fd = wasm_memfd(buf, w.len);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	if (how->unheard)
		pid = start(argv, (int[]){-1, -1, -1, code, fd}, 5);
	else
		pid = start(argv, (int[]){-1, out[1], out[1], code, fd}, 5);
	(void)close(out[1]);
	n = wasm_slurp(out[0], e->out, sizeof(e->out) - 1);
	e->out[n] = '\0';
	(void)close(out[0]);
	(void)close(fd);
	e->status = wasm_status(pid, NULL);
}

/* ---- what ends how ---- */

const char *
wasm_in_folder(const char *name)
{
	static char path[2][128];
	static unsigned turn;
	char *p = path[turn++ % 2];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", wasm_folder, name);
	return p;
}

void
wasm_write_file(const char *name, const char *text)
{
	FILE *f = fopen(wasm_in_folder(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

int
wasm_make_folder(void **state)
{
	(void)state;
	return mkdtemp(wasm_folder) == NULL ? -1 : 0;
}

int
wasm_remove_folder(void **state)
{
	(void)state;
	return rmdir(wasm_folder);
}
