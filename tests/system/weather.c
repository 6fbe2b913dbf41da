/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that has become read-only, is full or fails, and a clock that was set,
 * for every program of a node at once. A file system with files open for
 * writing cannot be remounted read-only but by the kernel itself, no disk fails
 * at the act that a test wants, and a clock cannot be set for one test: so this
 * stands between the programs and their C library, by an /etc/ld.so.preload of
 * the test's own mount namespace. What holds at the moment stands in a page
 * that all of them map at their start, before any of them has confined itself.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct weather {
	volatile uint64_t disk;   /* st_dev of it; 0: all is well */
	volatile int64_t clock_s; /* added to the clock of the wall */
	volatile int64_t error;   /* errno of what changes the disk */
	_Atomic int64_t pass;     /* so many acts go well before */
	_Atomic int64_t fail;     /* so many fail then */
	_Atomic int64_t failed;   /* have failed */
	char who[32], what[32];   /* the last one that did */
};

static struct weather fair;
static struct weather *now = &fair;

static void __attribute__((constructor))
look_out(void)
{
	int fd = open(WEATHER, O_RDWR | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*now),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		now = p;
	if (fd >= 0)
		(void)close(fd);
}

/* The C library's own. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the disk ---- */

/* An act that would change the disk: whether it fails, with errno. */
static int
fails(int there, const char *what)
{
	if (!there)
		return 0;
	if (atomic_fetch_sub(&now->pass, 1) > 0 ||
	    atomic_fetch_sub(&now->fail, 1) <= 0)
		return 0;
	(void)snprintf(now->who, sizeof(now->who), "%s",
	    program_invocation_short_name);
	(void)snprintf(now->what, sizeof(now->what), "%s", what);
	atomic_fetch_add(&now->failed, 1);
	errno = (int)now->error;
	return 1;
}

#define refused(there) fails((there), __func__)

static int
fd_there(int fd)
{
	struct stat st;

	return now->disk != 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_dev == now->disk;
}

/* The folder in which the name is, since the name itself need not be there. */
static int
name_there(int dir, const char *path)
{
	char up[4096];
	const char *slash = strrchr(path, '/');
	struct stat st;
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (now->disk == 0 || n + 2 > sizeof(up))
		return 0;
	memcpy(up, slash == NULL ? "." : path, slash == NULL ? 1 : n);
	up[slash == NULL ? 1 : n] = '\0';
	if (slash == path)
		memcpy(up, "/", 2);
	return fstatat(dir, up, &st, 0) == 0 && st.st_dev == now->disk;
}

static int
opened(int dir, const char *path, int flags, mode_t mode)
{
	struct stat st;
	int there = fstatat(dir, path, &st, 0) == 0;
	int writes = (flags & O_ACCMODE) != O_RDONLY ||
	    (flags & (O_CREAT | O_TRUNC)) != 0;

	if (writes && (flags & O_PATH) == 0 && (!there || S_ISREG(st.st_mode)) &&
	    !(there && (flags & O_ACCMODE) == O_RDONLY &&
	    (flags & O_TRUNC) == 0) && refused(name_there(dir, path)))
		return -1;
	return REAL(openat)(dir, path, flags, mode);
}

/* openat2(2) has no function of the C library's. */
long
syscall(long number, ...)
{
	long a[6];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2) {
		const struct open_how *how = (const void *)a[2];
		struct stat st;

		if ((how->flags & O_CREAT) != 0 && fstatat((int)a[0],
		    (const char *)a[1], &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    fails(name_there((int)a[0], (const char *)a[1]),
		    "openat2"))
			return -1;
	}
	return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#define OPENS(name, ...)						\
	va_list ap;							\
	mode_t mode;							\
									\
	va_start(ap, flags);						\
	mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ?			\
	    va_arg(ap, mode_t) : 0;					\
	va_end(ap);							\
	return opened(__VA_ARGS__, flags, mode)

int
open(const char *path, int flags, ...)
{
	OPENS(open, AT_FDCWD, path);
}

int
open64(const char *path, int flags, ...)
{
	OPENS(open64, AT_FDCWD, path);
}

int
openat(int dir, const char *path, int flags, ...)
{
	OPENS(openat, dir, path);
}

int
openat64(int dir, const char *path, int flags, ...)
{
	OPENS(openat64, dir, path);
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return refused(fd_there(fd)) ? -1 : REAL(write)(fd, p, n);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	return refused(fd_there(fd)) ? -1 : REAL(writev)(fd, v, n);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return refused(fd_there(fd)) ? -1 : REAL(pwrite)(fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return refused(fd_there(fd)) ? -1 : REAL(pwrite64)(fd, p, n, at);
}

int
ftruncate(int fd, off_t n)
{
	return refused(fd_there(fd)) ? -1 : REAL(ftruncate)(fd, n);
}

int
ftruncate64(int fd, off64_t n)
{
	return refused(fd_there(fd)) ? -1 : REAL(ftruncate64)(fd, n);
}

ssize_t
splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
    unsigned flags)
{
	return refused(fd_there(out)) ? -1 :
	    REAL(splice)(in, in_at, out, out_at, n, flags);
}

ssize_t
copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
    unsigned flags)
{
	return refused(fd_there(out)) ? -1 :
	    REAL(copy_file_range)(in, in_at, out, out_at, n, flags);
}

int
fallocate(int fd, int mode, off_t at, off_t n)
{
	return refused(fd_there(fd)) ? -1 : REAL(fallocate)(fd, mode, at, n);
}

int
fallocate64(int fd, int mode, off64_t at, off64_t n)
{
	return refused(fd_there(fd)) ? -1 : REAL(fallocate64)(fd, mode, at, n);
}

int
posix_fallocate(int fd, off_t at, off_t n)
{
	return refused(fd_there(fd)) ? errno :
	    REAL(posix_fallocate)(fd, at, n);
}

/* A disk that is read-only has nothing to be written. */
static int
sync_there(int fd)
{
	struct stat st;

	return now->error != EROFS && now->disk != 0 && fstat(fd, &st) == 0 &&
	    st.st_dev == now->disk;
}

int
fsync(int fd)
{
	return refused(sync_there(fd)) ? -1 : REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	return refused(sync_there(fd)) ? -1 : REAL(fdatasync)(fd);
}

int
linkat(int a, const char *from, int b, const char *to, int flags)
{
	return refused(name_there(b, to)) ? -1 :
	    REAL(linkat)(a, from, b, to, flags);
}

int
rename(const char *from, const char *to)
{
	return refused(name_there(AT_FDCWD, from)) ? -1 :
	    REAL(rename)(from, to);
}

int
renameat(int a, const char *from, int b, const char *to)
{
	return refused(name_there(a, from)) ? -1 :
	    REAL(renameat)(a, from, b, to);
}

int
unlink(const char *path)
{
	return refused(name_there(AT_FDCWD, path)) ? -1 : REAL(unlink)(path);
}

int
unlinkat(int dir, const char *path, int flags)
{
	return refused(name_there(dir, path)) ? -1 :
	    REAL(unlinkat)(dir, path, flags);
}

int
mkdir(const char *path, mode_t mode)
{
	return refused(name_there(AT_FDCWD, path)) ? -1 :
	    REAL(mkdir)(path, mode);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
	return refused(name_there(dir, path)) ? -1 :
	    REAL(mkdirat)(dir, path, mode);
}

static void
flagged(int fd, unsigned long *flags)
{
	struct stat st;

	if (now->error == EROFS && now->disk != 0 && fstat(fd, &st) == 0 &&
	    st.st_dev == now->disk)
		*flags |= ST_RDONLY;
}

int
fstatvfs(int fd, struct statvfs *s)
{
	int rc = REAL(fstatvfs)(fd, s);

	if (rc == 0)
		flagged(fd, &s->f_flag);
	return rc;
}

int
fstatvfs64(int fd, struct statvfs64 *s)
{
	int rc = REAL(fstatvfs64)(fd, s);

	if (rc == 0)
		flagged(fd, &s->f_flag);
	return rc;
}

/* ---- the clock ---- */

int
clock_gettime(clockid_t which, struct timespec *t)
{
	int rc = REAL(clock_gettime)(which, t);

	if (rc == 0 && (which == CLOCK_REALTIME ||
	    which == CLOCK_REALTIME_COARSE))
		t->tv_sec += now->clock_s;
	return rc;
}

int
gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	int rc = REAL(gettimeofday)(t, zone);

	if (rc == 0)
		t->tv_sec += now->clock_s;
	return rc;
}

time_t
time(time_t *out)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	if (out != NULL)
		*out = t.tv_sec;
	return t.tv_sec;
}
