/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What jail's filters answer, call by call: the programs are run here, not
 * loaded. With the argument `names` the kernel's table of calls is compared
 * (tests/syscalls.sh): lines "NAME NUMBER" on standard input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common/util.h"
#include "sandbox/base/basefilter.h"
#include "sandbox/base/limits.h"

static struct filter never, job, seal, jail;

/* What the kernel would do: the classic instructions that filters have. */
static uint32_t
run(const struct filter *f, int nr, const uint64_t args[6])
{
	struct seccomp_data d = {.nr = nr,
	    .arch = seccomp_arch_native()};
	uint32_t a = 0;

	memcpy(d.args, args, sizeof(d.args));
	for (size_t pc = 0; pc < f->len; pc++) {
		const struct sock_filter *i = &f->insns[pc];
		bool jump = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + 4 <= sizeof(d));
			memcpy(&a, (const char *)&d + i->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			jump = (a & i->k) != 0;
			break;
		default:
			fail_msg("instruction %#x", i->code);
		}
		pc += jump ? i->jt : i->jf;
	}
	fail_msg("no end");
	return 0;
}

/* errno of a call; -1: it is let through, -2: it ends the process */
static int
says(const struct filter *f, int nr, uint64_t a0, uint64_t a1, uint64_t a2,
    uint64_t a3)
{
	uint32_t r = run(f, nr, (const uint64_t[6]){a0, a1, a2, a3, 0, 0});

	if ((r & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW)
		return -1;
	if ((r & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		return (int)(r & SECCOMP_RET_DATA);
	return -2;
}

/* As a job has them, one behind the other: the stricter one wins. */
static int
to_job(int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	int v[] = {says(&never, nr, a0, a1, a2, a3),
	    says(&job, nr, a0, a1, a2, a3), says(&seal, nr, a0, a1, a2, a3)};

	for (size_t i = 0; i < NELEM(v); i++)
		if (v[i] != -1)
			return v[i];
	return -1;
}

static int
named(const char *name)
{
	int nr = base_number(name);

	assert_true(nr >= 0);
	return to_job(nr, 0, 0, 0, 0);
}

static int
setup(void **state)
{
	(void)state;
	return base_build_filter(BASE_NEVER, &never) |
	    base_build_filter(BASE_JOB, &job) |
	    base_build_filter(BASE_SEAL, &seal) |
	    base_build_filter(BASE_JAIL, &jail);
}

static int
teardown(void **state)
{
	(void)state;
	free(never.insns);
	free(job.insns);
	free(seal.insns);
	free(jail.insns);
	return 0;
}

static void
test_names(void **state)
{
	static const char *const eperm[] = {"listmount", "statmount", "listns",
	    "open_tree_attr", "lsm_set_self_attr", "mount", "setns", "bpf",
	    "ptrace", "keyctl", "add_key"};
	static const char *const absent[] = {"io_setup", "io_uring_setup",
	    "cachestat", "lsm_list_modules", "file_setattr", "clone3"};
	static const char *const free_to[] = {"read", "mseal", "futex_wait",
	    "fchmodat2", "getxattrat", "setxattrat", "map_shadow_stack",
	    "inotify_init1", "timer_create"};

	(void)state;
	for (size_t i = 0; i < NELEM(eperm); i++)
		if (named(eperm[i]) != EPERM)
			fail_msg("%s", eperm[i]);
	for (size_t i = 0; i < NELEM(absent); i++)
		if (named(absent[i]) != ENOSYS)
			fail_msg("%s", absent[i]);
	for (size_t i = 0; i < NELEM(free_to); i++)
		if (named(free_to[i]) != -1)
			fail_msg("%s", free_to[i]);
	assert_int_equal(named("sync"), 0);
	assert_int_equal(named("syncfs"), 0);
}

/* A call that a later kernel will have is not there, with any filter. */
static void
test_unknown(void **state)
{
	int last = base_number("listns");

	(void)state;
	assert_int_equal(last, 470);
	for (int nr = last + 1; nr < last + 2000; nr++) {
		assert_int_equal(says(&never, nr, 0, 0, 0, 0), ENOSYS);
		assert_int_equal(says(&job, nr, 0, 0, 0, 0), ENOSYS);
		assert_int_equal(says(&jail, nr, 0, 0, 0, 0), ENOSYS);
	}
	assert_int_equal(says(&never, 0x3fffffff, 0, 0, 0, 0), ENOSYS);
#ifdef __x86_64__
	/* x32: another architecture's, and an attack */
	assert_int_equal(says(&never, 0x40000000, 0, 0, 0, 0), -2);
	assert_int_equal(says(&never, 0x40000000 + 520, 0, 0, 0, 0), -2);
#endif
}

static void
test_sockets(void **state)
{
	static const int options[] = {26, 50, 51, 52};

	(void)state;
	for (uint64_t family = 0; family < 64; family++) {
		int want = family == AF_UNIX ? -1 : EAFNOSUPPORT;

		assert_int_equal(to_job(SYS_socket, family, SOCK_STREAM, 0, 0),
		    want);
		assert_int_equal(to_job(SYS_socketpair, family, SOCK_STREAM, 0,
		    0), want);
	}
	/* what the kernel cuts off is no way around */
	assert_int_equal(to_job(SYS_socket, (1ull << 32) | AF_INET, 0, 0, 0),
	    EAFNOSUPPORT);
	for (size_t i = 0; i < NELEM(options); i++)
		for (uint64_t high = 0; high < 2; high++)
			assert_int_equal(to_job(SYS_setsockopt, 3,
			    (high << 32) | SOL_SOCKET,
			    (high << 40) | (uint64_t)options[i], 0), EPERM);
	assert_int_equal(to_job(SYS_setsockopt, 3, SOL_SOCKET, SO_SNDBUF, 0),
	    -1);
}

/* A snapshot may look, not touch; whoever else is behind the same doors. */
static void
test_snapshot(void **state)
{
	static const uint64_t may[] = {PTRACE_SEIZE, PTRACE_INTERRUPT,
	    PTRACE_GETREGSET, PTRACE_GETSIGINFO, PTRACE_DETACH};
	struct filter f;

	(void)state;
	assert_int_equal(base_build_filter(BASE_SNAPSHOT, &f), 0);
	for (uint64_t r = 0; r < 0x4300; r++) {
		bool look = false;

		for (size_t i = 0; i < NELEM(may); i++)
			look = look || r == may[i];
		if (says(&f, SYS_ptrace, r, 1, 0, 0) != (look ? -1 : EPERM))
			fail_msg("ptrace %#llx", (unsigned long long)r);
		if (to_job(SYS_ptrace, r, 1, 0, 0) != EPERM)
			fail_msg("a job: ptrace %#llx", (unsigned long long)r);
	}
	assert_int_equal(says(&f, SYS_process_vm_readv, 1, 0, 0, 0), -1);
	assert_int_equal(to_job(SYS_process_vm_readv, 1, 0, 0, 0), EPERM);
	assert_int_equal(says(&never, SYS_process_vm_writev, 1, 0, 0, 0),
	    EPERM);
	assert_int_equal(says(&f, SYS_mount, 0, 0, 0, 0), EPERM);
	assert_int_equal(says(&f, SYS_socket, AF_INET, 0, 0, 0),
	    EAFNOSUPPORT);
	assert_int_equal(says(&f, 471, 0, 0, 0, 0), ENOSYS);
	free(f.insns);
}

static void
test_host_pools(void **state)
{
	(void)state;
	assert_int_equal(to_job(SYS_mmap, 0, 4096, PROT_READ, MAP_ANONYMOUS |
	    MAP_PRIVATE), -1);
	assert_int_equal(to_job(SYS_mmap, 0, 4096, PROT_READ, MAP_ANONYMOUS |
	    MAP_PRIVATE | MAP_HUGETLB), ENOMEM);
	assert_int_equal(to_job(SYS_memfd_create, 0, MFD_CLOEXEC, 0, 0), -1);
	assert_int_equal(to_job(SYS_memfd_create, 0, MFD_HUGETLB, 0, 0),
	    ENOMEM);
	assert_int_equal(to_job(SYS_shmget, 0, 4096, SHM_HUGETLB | 0600, 0),
	    ENOMEM);
	assert_int_equal(to_job(SYS_shmget, 0, 4096, 0600, 0), -1);
	assert_int_equal(to_job(SYS_seccomp, 1, 0, 0, 0), ENOSYS);
	assert_int_equal(to_job(SYS_prctl, PR_SET_SECCOMP, 2, 0, 0), EINVAL);
	assert_int_equal(to_job(SYS_prctl, (5ull << 32) | PR_SET_SECCOMP, 2, 0,
	    0), EINVAL);
	assert_int_equal(to_job(SYS_prctl, PR_SET_NAME, 0, 0, 0), -1);
}

static void
test_jail(void **state)
{
	static const int never_jail[] = {SYS_socket, SYS_execve, SYS_clone,
	    SYS_openat, SYS_kill, SYS_ptrace, SYS_mount, SYS_seccomp};

	(void)state;
	for (size_t i = 0; i < NELEM(never_jail); i++)
		assert_int_equal(says(&jail, never_jail[i], 0, 0, 0, 0),
		    EPERM);
	for (uint64_t prot = 0; prot < 8; prot++) {
		int want = (prot & PROT_EXEC) != 0 ? EPERM : -1;

		assert_int_equal(says(&jail, SYS_mmap, 0, 4096, prot, 2), want);
		assert_int_equal(says(&jail, SYS_mprotect, 0, 4096, prot, 0),
		    want);
	}
	assert_int_equal(says(&jail, SYS_fcntl, 3, F_SETFL, O_NONBLOCK, 0), -1);
	assert_int_equal(says(&jail, SYS_fcntl, 3, F_DUPFD_CLOEXEC, 0, 0), -1);
	assert_int_equal(says(&jail, SYS_fcntl, 3, F_SETOWN, 1, 0), EPERM);
	assert_int_equal(says(&jail, SYS_fcntl, 3, F_SETSIG, 9, 0), EPERM);
	assert_int_equal(says(&jail, SYS_fcntl, 3, F_SETOWN_EX, 1, 0), EPERM);
}

/* All slots together stay below a quarter of the host's table of files. */
static void
test_files(void **state)
{
	(void)state;
	assert_int_equal(limits_files(0, 4, 64, true), 4096);
	assert_int_equal(limits_files(UINT64_MAX / 2, 4, 64, true), 4096);
	assert_int_equal(limits_files(UINT64_MAX / 2, 4, 64, false),
	    LIMITS_FILES_USER);
	for (uint32_t slots = 1; slots <= 16; slots++) {
		uint64_t n = limits_files(2000000, slots, 64, true);

		assert_true(n > 256 && n * 66 * slots <= 500000);
	}
	assert_int_equal(limits_files(1000, 256, 4096, true), 256);
	assert_int_equal(limits_files(2000000, 0, 0, true), 4096);
}

/* "NAME NUMBER" of the kernel's headers: each is known here by that number. */
static int
compare(void)
{
	char name[64];
	int nr, bad = 0, seen = 0;

	while (scanf("%63s %d", name, &nr) == 2) {
		seen++;
		if (base_number(name) == nr && nr <= base_number("listns"))
			continue;
		printf("%s is %d, and %d here: sandbox/base/basefilter.c\n",
		    name, nr, base_number(name));
		bad = 1;
	}
	if (seen < 100) {
		printf("only %d calls were given\n", seen);
		bad = 1;
	}
	return bad;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names), cmocka_unit_test(test_unknown),
	    cmocka_unit_test(test_sockets), cmocka_unit_test(test_snapshot),
	    cmocka_unit_test(test_host_pools),
	    cmocka_unit_test(test_jail), cmocka_unit_test(test_files)};

	if (argc > 1 && strcmp(argv[1], "names") == 0)
		return compare();
	return cmocka_run_group_tests(tests, setup, teardown);
}
