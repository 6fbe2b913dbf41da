/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that has become read-only and a clock that was set, for every program
 * of a node at once. A file system with files open for writing cannot be
 * remounted read-only but by the kernel itself, and a clock cannot be set for
 * one test: so this stands between the programs and their C library, by an
 * /etc/ld.so.preload of the test's own mount namespace. What holds at the
 * moment stands in a page that all of them map at their start, before any of
 * them has confined itself.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct weather {
	volatile uint64_t readonly; /* st_dev of the disk; 0: none */
	volatile int64_t clock_s;   /* added to the clock of the wall */
};

static const struct weather fair;
static const struct weather *now = &fair;

static void __attribute__((constructor))
look_out(void)
{
	int fd = open(WEATHER, O_RDONLY | O_CLOEXEC);
	void *p = fd < 0 ? MAP_FAILED :
	    mmap(NULL, sizeof(*now), PROT_READ, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		now = p;
	if (fd >= 0)
		(void)close(fd);
}

/* The C library's own. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* ---- the disk ---- */

static int
refused(int is)
{
	if (is)
		errno = EROFS;
	return is;
}

static int
fd_there(int fd)
{
	struct stat st;

	return now->readonly != 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && st.st_dev == now->readonly;
}

/* The folder in which the name is, since the name itself need not be there. */
static int
name_there(int dir, const char *path)
{
	char up[4096];
	const char *slash = strrchr(path, '/');
	struct stat st;
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);

	if (now->readonly == 0 || n + 2 > sizeof(up))
		return 0;
	memcpy(up, slash == NULL ? "." : path, slash == NULL ? 1 : n);
	up[slash == NULL ? 1 : n] = '\0';
	if (slash == path)
		memcpy(up, "/", 2);
	return fstatat(dir, up, &st, 0) == 0 && st.st_dev == now->readonly;
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

	if (now->readonly != 0 && fstat(fd, &st) == 0 &&
	    st.st_dev == now->readonly)
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
