/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/lock.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <unistd.h>

#include "common/util.h"

#define NR offsetof(struct seccomp_data, nr)
/* the low half, as a little-endian machine has it */
#define ARG(n) (offsetof(struct seccomp_data, args) + 8u * (n))

/* Seen of engine and WASI, and what their libraries may take instead. */
static const int engine_calls[] = {SYS_brk, SYS_clock_getres,
    SYS_clock_gettime, SYS_clock_nanosleep, SYS_clone, SYS_close, SYS_dup,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_exit,
    SYS_exit_group, SYS_fcntl, SYS_fstat, SYS_futex, SYS_getcpu, SYS_getpid,
    SYS_getrandom, SYS_getrusage, SYS_gettid, SYS_gettimeofday, SYS_ioctl,
    SYS_lseek, SYS_madvise, SYS_membarrier, SYS_mremap, SYS_munmap,
    SYS_nanosleep, SYS_ppoll, SYS_pread64, SYS_preadv, SYS_prlimit64,
    SYS_pwrite64, SYS_pwritev, SYS_read, SYS_readv, SYS_restart_syscall,
    SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_sched_getaffinity, SYS_sched_yield, SYS_set_robust_list,
    SYS_sigaltstack, SYS_tgkill, SYS_wait4, SYS_write, SYS_writev,
#ifdef SYS_arch_prctl
    SYS_arch_prctl,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_poll
    SYS_poll,
#endif
};
static const int path_calls[] = {SYS_fadvise64, SYS_fallocate, SYS_fchmod,
    SYS_fdatasync, SYS_fsync, SYS_ftruncate, SYS_getdents64, SYS_linkat,
    SYS_mkdirat, SYS_newfstatat, SYS_openat, SYS_openat2, SYS_readlinkat,
    SYS_renameat, SYS_renameat2, SYS_statx, SYS_symlinkat, SYS_unlinkat,
    SYS_utimensat,
#ifdef SYS_readlink
    SYS_readlink,
#endif
#ifdef SYS_access
    SYS_access,
#endif
    SYS_faccessat};

struct program {
	struct sock_filter f[256];
	unsigned short n;
};

static void
add(struct program *p, struct sock_filter f)
{
	if (p->n < NELEM(p->f))
		p->f[p->n++] = f;
}

static void
allow(struct program *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		    (uint32_t)calls[i], 0, 1));
		add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ALLOW));
	}
}

/* ... but for memory that is to be executable. */
static void
allow_data(struct program *p, int call)
{
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
	    (uint32_t)call, 0, 4));
	add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG(2)));
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
	    PROT_EXEC, 1, 0));
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ALLOW));
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ERRNO | EPERM));
}

int
lock_down(bool paths)
{
	static struct program p;
	struct sock_fprog prog;

	/* jail's own filters have looked at the architecture */
	p.n = 0;
	add(&p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR));
	allow_data(&p, SYS_mmap);
	allow_data(&p, SYS_mprotect);
	allow(&p, engine_calls, NELEM(engine_calls));
	if (paths)
		allow(&p, path_calls, NELEM(path_calls));
	/* libraries try newer ones, and go on without */
	add(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
	    SECCOMP_RET_ERRNO | ENOSYS));
	if (p.n == NELEM(p.f)) {
		errno = E2BIG;
		return -1;
	}
	prog = (struct sock_fprog){.len = p.n, .filter = p.f};
	/* a thread that cannot take it is told as its number: none has it then */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0 ? 0 : -1;
}
