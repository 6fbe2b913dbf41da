/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "sandbox/plan/seccomp_cache.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

static const struct seccomp_host host = {"amd64", 6, 1};

#define ALLOW_ALL "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
#define RULE(x) ALLOW_ALL x "]}"

/* Which profiles are taken, and what is wrong with the others. */
static const struct {
	const char *json, *err;
} forms[] = {
	{"{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", NULL},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"}"), NULL},
	{RULE("{\"name\":\"mount\",\"action\":\"SCMP_ACT_KILL\"}"), NULL},
	{RULE("{\"names\":[\"no_such_call\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
	    NULL},
	{"\xef\xbb\xbf{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", NULL},
	{"\xef\xbb\xbf", "line 1"},
	{"{\"defaultAction\":\"ALLOW\"}", "SCMP_ACT_ALLOW, "},
	{"", "line 1"},
	{"[]", "not an object"},
	{"{\"defaultAction\":\"SCMP_ACT_ALLOW\"} x", "line 1"},
	{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultAction\":"
	    "\"SCMP_ACT_LOG\"}", "duplicate"},
	{"{}", "missing"},
	{"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", "not possible"},
	{"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"oops\":1}", "unknown member"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"X\"}"), "not possible"},
	{RULE("{\"names\":[\"mount\"]}"), "missing"},
	{RULE("{\"names\":\"mount\",\"action\":\"SCMP_ACT_KILL\"}"), "names"},
	{RULE("{\"names\":[1],\"action\":\"SCMP_ACT_KILL\"}"), "names"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\","
	    "\"acton\":1}"), "unknown member"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\","
	    "\"errnoRet\":-1}"), "errnoRet"},
	{RULE("{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":"
	    "[{\"index\":6,\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}"), "index"},
	{RULE("{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":"
	    "[{\"index\":0,\"value\":1,\"op\":\"EQ\"}]}"), "unknown op"},
	{RULE("{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":"
	    "[{\"index\":0,\"op\":\"SCMP_CMP_EQ\"}]}"), "value"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"},"
	    "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\"}"),
	    "contradict"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"},"
	    "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\"}"),
	    "contradict"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\"},"
	    "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_KILL\",\"includes\":"
	    "{\"caps\":[\"CAP_SYS_ADMIN\"]}}"), NULL},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\","
	    "\"includes\":{\"minKernel\":\"six\"}}"), "minKernel"},
	{RULE("{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ERRNO\","
	    "\"includes\":{\"capz\":[]}}"), "unknown member"},
};

static void
test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(forms); i++) {
		struct seccomp_program p;
		char err[256];
		int rv = seccomp_gen(&p, forms[i].json, strlen(forms[i].json),
		    &host, err, sizeof(err));

		if ((rv == 0) != (forms[i].err == NULL))
			fail_msg("%s: %s", forms[i].json, err);
		if (rv == 0) {
			assert_true(p.len > 0);
			free(p.insns);
		} else if (strstr(err, forms[i].err) == NULL) {
			fail_msg("%s: %s", forms[i].json, err);
		}
	}
}

/* What a program does: errno of these calls under the profile, in a child. */
static int
probe(const struct seccomp_program *p, long (*call)(void))
{
	struct sock_fprog prog = {p->len, p->insns};
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		long rv;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) !=
		    0)
			_exit(200);
		errno = 0;
		rv = call();
		_exit(rv == -1 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    1000 + WTERMSIG(status);
}

static long
call_getppid(void)
{
	return syscall(SYS_getppid);
}

static long
call_socket_unix(void)
{
	return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long
call_socket_inet(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long
call_socket_netlink(void)
{
	return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0);
}

static long
call_mount(void)
{
	return syscall(SYS_mount, "", "/nowhere", "tmpfs", 0, NULL);
}

static long
call_clone_user(void)
{
	long rv = syscall(SYS_clone, 0x10000000 | 17, 0, 0, 0, 0);

	if (rv == 0)
		_exit(0);
	return rv;
}

static long
call_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0);
}

static long
call_personality(void)
{
	return syscall(SYS_personality, 0x400000);
}

static void
generate(struct seccomp_program *p, const char *json)
{
	struct seccomp_host native;
	char err[256];

	assert_true(seccomp_host_native(&native));
	if (seccomp_gen(p, json, strlen(json), &native, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void
test_meaning(void **state)
{
	static const struct {
		const char *json;
		long (*call)(void);
		int want;
	} t[] = {
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\"}"),
		    call_getppid, EPERM},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"errnoRet\":38}"), call_getppid, ENOSYS},
		/* two conditions on one argument: either */
		{RULE("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"},"
		    "{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"}]}"),
		    call_socket_inet, EPERM},
		{RULE("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"},"
		    "{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"}]}"),
		    call_socket_netlink, EPERM},
		{RULE("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"},"
		    "{\"index\":0,\"value\":16,\"op\":\"SCMP_CMP_EQ\"}]}"),
		    call_socket_unix, 0},
		/* on two arguments: both */
		{RULE("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"},"
		    "{\"index\":1,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]}"),
		    call_socket_inet, 0},
		/* entries that want a capability are dropped */
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"includes\":{\"caps\":[\"CAP_SYS_PTRACE\"]}}"),
		    call_getppid, 0},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"excludes\":{\"caps\":[\"CAP_SYS_PTRACE\"]}}"),
		    call_getppid, EPERM},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"includes\":{\"arches\":[\"s390x\"]}}"), call_getppid, 0},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"excludes\":{\"arches\":[\"amd64\",\"arm64\"]}}"),
		    call_getppid, 0},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"includes\":{\"minKernel\":\"99.0\"}}"), call_getppid, 0},
		{RULE("{\"names\":[\"getppid\"],\"action\":\"SCMP_ACT_ERRNO\","
		    "\"includes\":{\"minKernel\":\"4.8\"}}"), call_getppid,
		    EPERM},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(t); i++) {
		struct seccomp_program p;

		generate(&p, t[i].json);
		if (probe(&p, t[i].call) != t[i].want)
			fail_msg("%zu: %d", i, probe(&p, t[i].call));
		free(p.insns);
	}
}

/* Our own two profiles: found beside the vectors in the source tree. */
static char *
own_profile(const char *name, size_t *len)
{
	const char *dir = getenv("VECTORS");
	char path[1024];

	(void)snprintf(path, sizeof(path), "%s/../../etc/seccomp/%s",
	    dir == NULL ? "tests/vectors" : dir, name);
	return file_load(AT_FDCWD, path, SECCOMP_JSON_MAX, len);
}

/* ---- what a behaviour contract takes away ---- */

static long
call_anonymous(void)
{
	return (long)(intptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long
map_self(int prot)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return (long)(intptr_t)mmap(NULL, 4096, prot, MAP_PRIVATE, fd, 0);
}

static long
call_library(void)
{
	return map_self(PROT_READ | PROT_EXEC) == -1 ? -1 : 0;
}

static long
call_written_code(void)
{
	return map_self(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long
call_data(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long
call_mprotect(void)
{
	static _Alignas(4096) char page[4096];

	return mprotect(page, sizeof(page), PROT_READ | PROT_EXEC);
}

static long
call_mprotect_data(void)
{
	static _Alignas(4096) char page[4096];

	return mprotect(page, sizeof(page), PROT_READ);
}

static long
call_memfd(void)
{
	return syscall(SYS_memfd_create, "x", 0) < 0 ? -1 : 0;
}

static long
call_shm_exec(void)
{
	return syscall(SYS_shmat, -1, NULL, SHM_EXEC);
}

/* Calls as bits; what this machine has not has none. */
static void
test_calls(void **state)
{
	static const char *const names[] = {"mkdirat", "opensesame", "read"};
	uint8_t bits[64], want[64] = {0};
	static const int at[] = {SYS_mkdirat, SYS_read};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		want[at[i] / 8] |= (uint8_t)(1u << at[i] % 8);
	memset(bits, 0xff, sizeof(bits));
	seccomp_calls(bits, names, 3);
	assert_memory_equal(bits, want, sizeof(bits));
	seccomp_calls(bits, NULL, 0);
	memset(want, 0, sizeof(want));
	assert_memory_equal(bits, want, sizeof(bits));
}

static void
test_less(void **state)
{
	static const char *const deny[] = {"getppid", "mkdir"};
	static const struct {
		long (*call)(void);
		bool made; /* executable memory, or denied by name */
		int else_;
	} t[] = {{call_anonymous, true, 0}, {call_library, false, 0},
	    {call_written_code, true, 0}, {call_data, false, 0},
	    {call_mprotect, true, 0}, {call_mprotect_data, false, 0},
	    {call_memfd, true, 0}, {call_shm_exec, true, 0},
	    {call_getppid, true, 0}, {call_socket_unix, false, 0},
	    {call_mount, false, ENOSYS}};
	struct seccomp_host native;
	struct seccomp_program p;
	char err[256];
	size_t len;
	char *json[2] = {own_profile("default.json", &len), NULL};

	(void)state;
	json[1] = strdup(RULE("{\"names\":[\"mount\"],\"action\":"
	    "\"SCMP_ACT_ERRNO\",\"errnoRet\":38}"));
	assert_true(json[0] != NULL && json[1] != NULL);
	assert_true(seccomp_host_native(&native));
	for (int i = 0; i < 4; i++) {
		bool kills = i % 2 != 0;
		const struct seccomp_less less = {.deny = deny, .ndeny = 2,
		    .deny_kills = kills, .no_anonymous_exec = true,
		    .exec_kills = kills};

		if (seccomp_gen_less(&p, json[i / 2], strlen(json[i / 2]),
			&native, &less, err, sizeof(err)) != 0)
			fail_msg("%s", err);
		for (size_t k = 0; k < NELEM(t); k++) {
			int want = !t[k].made ? t[k].else_ : kills ?
			    1000 + SIGSYS : EPERM;

			if (probe(&p, t[k].call) != want)
				fail_msg("%d %zu: %d", i, k,
				    probe(&p, t[k].call));
		}
		free(p.insns);
	}
	{
		static const char *const none[] = {"no_such_call"};
		const struct seccomp_less less = {.deny = none, .ndeny = 1};

		assert_int_equal(seccomp_gen_less(&p, json[1],
		    strlen(json[1]), &native, &less, err, sizeof(err)), -1);
		assert_non_null(strstr(err, "no call no_such_call"));
	}
	free(json[0]);
	free(json[1]);
}

static void
test_own(void **state)
{
	static const struct {
		long (*call)(void);
		int dflt, kai;
	} t[] = {{call_getppid, 0, 0}, {call_socket_unix, 0, 0},
	    {call_socket_inet, 0, ENOSYS}, {call_socket_netlink, ENOSYS, ENOSYS},
	    {call_mount, ENOSYS, ENOSYS}, {call_clone_user, ENOSYS, ENOSYS},
	    {call_clone3, ENOSYS, ENOSYS}, {call_personality, ENOSYS, ENOSYS}};

	(void)state;
	for (int kai = 0; kai < 2; kai++) {
		struct seccomp_program p;
		size_t len;
		char *json = own_profile(kai ? "kai-default.json" :
		    "default.json", &len);

		assert_non_null(json);
		generate(&p, json);
		for (size_t i = 0; i < NELEM(t); i++)
			if (probe(&p, t[i].call) != (kai ? t[i].kai : t[i].dflt))
				fail_msg("%s %zu: %d", kai ? "kai" : "default",
				    i, probe(&p, t[i].call));
		free(p.insns);
		free(json);
	}
}

static void
test_cache(void **state)
{
	char dir[] = "/tmp/warren-bpf-XXXXXX", err[256];
	const char *json = RULE("{\"names\":[\"getppid\"],\"action\":"
	    "\"SCMP_ACT_ERRNO\"}");
	struct seccomp_program a, b;
	struct dirent *de;
	DIR *d;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(seccomp_cached(&a, fd, json, strlen(json), &host, err,
	    sizeof(err)), 0);
	assert_int_equal(seccomp_cached(&b, fd, json, strlen(json), &host, err,
	    sizeof(err)), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.insns, b.insns, a.len * sizeof(*a.insns));
	free(b.insns);
	/* a torn file is made anew */
	d = opendir(dir);
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.') {
			int torn = openat(fd, de->d_name, O_WRONLY | O_TRUNC);

			assert_int_equal(write(torn, "junk", 4), 4);
			(void)close(torn);
		}
	(void)closedir(d);
	assert_int_equal(seccomp_cached(&b, fd, json, strlen(json), &host, err,
	    sizeof(err)), 0);
	assert_int_equal(a.len, b.len);
	free(b.insns);
	assert_int_equal(tree_empty(fd), 0);
	assert_int_equal(seccomp_cached(&b, fd, json, strlen(json), &host, err,
	    sizeof(err)), 0);
	free(a.insns);
	free(b.insns);
	/* without a cache, and a bad one */
	assert_int_equal(seccomp_cached(&a, -1, json, strlen(json), &host, err,
	    sizeof(err)), 0);
	free(a.insns);
	assert_int_equal(seccomp_cached(&a, fd, "{", 1, &host, err,
	    sizeof(err)), -1);
	assert_int_equal(tree_empty(fd), 0);
	(void)close(fd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_meaning),
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_less), cmocka_unit_test(test_own),
		cmocka_unit_test(test_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
