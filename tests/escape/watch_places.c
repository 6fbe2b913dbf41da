/* SPDX-License-Identifier: BSD-2-Clause */
/* Acts at the places that the rules watch, by whatever way. */
#define _GNU_SOURCE
#include "watch_acts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"

int
put(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)close(fd);
	return 0;
}

static int a_proc(void) { return put("/proc/self/mem", O_RDWR); }
static int a_proc_sys(void)
{
	return put("/proc/sys/kernel/core_pattern", O_WRONLY);
}
static int
a_proc_link(void)
{
	/* the opened file, not the path */
	(void)!symlink("/proc/self/environ", "/tmp/link");
	(void)!symlink("/proc/self/mem", "/tmp/link2");
	return put("/tmp/link2", O_RDWR);
}
static int
a_proc_at(void)
{
	int dir = open("/proc/sys", O_RDONLY | O_DIRECTORY);

	(void)openat(dir, "kernel/hostname", O_WRONLY);
	return 0;
}
static int
a_proc_cwd(void)
{
	(void)!chdir("/proc/sys/vm");
	return put("overcommit_memory", O_WRONLY);
}
static int q_proc(void)
{
	(void)put("/proc/self/comm", O_WRONLY);
	(void)put("/proc/self/oom_score_adj", O_WRONLY);
	(void)put("/proc/self/status", O_RDONLY);
	return put("/proc/self/maps", O_RDONLY);
}
static int a_dev(void) { return put("/dev/secret", O_WRONLY); }
static int a_dev_elsewhere(void) { return put("/tmp/kmsg", O_WRONLY); }
static int a_dev_new(void) { return put("/dev/new", O_WRONLY | O_CREAT); }
static int q_dev(void)
{
	(void)put("/dev/null", O_RDWR);
	(void)put("/dev/zero", O_RDWR);
	(void)put("/dev/tty", O_RDWR);
	(void)put("/dev/secret", O_RDONLY);
	return put("/dev/urandom", O_RDONLY);
}
static int a_boot(void) { return put("/boot/x", O_WRONLY | O_CREAT); }
static int a_boot_trunc(void) { return put("/boot/there", O_RDONLY | O_TRUNC); }
static int a_boot_dots(void)
{
	return put("/tmp/../proc/self/root//boot/./x", O_WRONLY | O_CREAT);
}
static int a_boot_mkdir(void) { return mkdir("/boot/d", 0755) * 0; }
static int q_boot(void)
{
	(void)mkdir("/tmp/boot", 0755);
	(void)put("/tmp/boot/x", O_WRONLY | O_CREAT);
	(void)put("/boot/there", O_RDONLY);
	return put("/boot/nothere", O_RDONLY);
}

/* ---- the opened file, and not the path ---- */

static int a_boot_creat(void) { return put("/boot/n", O_RDONLY | O_CREAT); }
static int a_boot_tmpfile(void) { return put("/boot", O_TMPFILE | O_RDWR); }
static int
a_boot_openat2(void)
{
	struct open_how how = {.flags = O_WRONLY | O_CREAT, .mode = 0644,
	    .resolve = RESOLVE_BENEATH};
	int dir = open("/boot", O_PATH);

	return syscall(SYS_openat2, dir, "x", &how, sizeof(how)) < 0;
}
static int
again(const char *path, int flags)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/proc/self/fd/%d",
	    open(path, O_PATH));
	return put(text, flags);
}
static int a_boot_opath(void) { return again("/boot/there", O_RDWR); }
static int a_proc_opath(void)
{
	return again("/proc/sys/kernel/core_pattern", O_WRONLY);
}
static int
a_boot_opath_below(void)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/proc/self/fd/%d/d",
	    open("/boot", O_PATH));
	return mkdir(text, 0755);
}
static int
q_opath(void)
{
	char text[64];

	(void)put("/tmp/f", O_WRONLY | O_CREAT);
	(void)snprintf(text, sizeof(text), "/proc/self/fd/%d",
	    open("/tmp/f", O_PATH));
	(void)chmod(text, 0600);
	return put(text, O_RDWR) + again("/tmp/f", O_WRONLY);
}
static int
a_proc_link_refused(void)
{
	(void)!symlink("/proc/sys/kernel/core_pattern", "/tmp/t");
	return put("/tmp/t", O_WRONLY);
}
static int
a_proc_link_chain(void)
{
	(void)!symlink("/proc", "/tmp/a");
	(void)!symlink("a/sys", "/tmp/c");
	(void)rename("/tmp/c", "/tmp/d");
	return put("/tmp/d/kernel/hostname", O_WRONLY);
}
static int
a_boot_link_mkdir(void)
{
	(void)!symlink("../boot", "/tmp/b");
	return mkdir("/tmp/b/d", 0755);
}
static int
a_root_link(void)
{
	(void)!symlink("/", "/tmp/r");
	return mkdir("/tmp/r/boot/d", 0755);
}
static int
q_link(void)
{
	(void)!symlink("/proc/self/status", "/tmp/s");
	(void)!symlink("/dev/null", "/tmp/history");
	(void)!symlink("/boot", "/tmp/b");
	(void)put("/tmp/s", O_RDONLY);
	(void)put("/tmp/history", O_WRONLY);
	(void)unlink("/tmp/b");
	(void)mkdir("/tmp/b", 0755);
	return mkdir("/tmp/b/d", 0755);
}
static int a_boot_cwd(void) { return chdir("/boot") + mkdir("d", 0755); }
static int
a_boot_dotdot(void)
{
	return mkdir("/tmp/d", 0755) + chdir("/tmp/d") +
	    mkdir("../../boot/d", 0755);
}
static int
a_boot_at(void)
{
	return mkdirat(open("/boot", O_PATH), "d", 0755);
}
static int a_boot_unlink(void) { return chdir("/boot") + unlink("there"); }
static int
a_boot_away(void)
{
	/* taken away, even where it cannot be brought to */
	(void)!chdir("/boot");
	(void)rename("there", "/tmp/there");
	return 0;
}
static int
a_boot_over(void)
{
	(void)put("/tmp/f", O_WRONLY | O_CREAT);
	(void)rename("/tmp/f", "/boot/there");
	return 0;
}
static int
a_boot_hard(void)
{
	(void)!chdir("/boot");
	(void)!link("there", "other");
	return 0;
}
static int a_boot_symlink(void) { return symlink("x", "/boot/l"); }
static int a_boot_fifo(void) { return mkfifo("/boot/p", 0600); }
static int a_boot_cut(void) { return chdir("/boot") + truncate("there", 0); }
static int
a_boot_held(void)
{
	return fchmod(open("/boot/there", O_RDONLY), 0) * 0;
}
static int
a_boot_times(void)
{
	return futimens(open("/boot/there", O_RDONLY), NULL);
}
static int
a_boot_xattr(void)
{
	(void)!chdir("/boot");
	return setxattr("there", "user.x", "x", 1, 0) * 0;
}
static int
q_names(void)
{
	(void)mkdir("/tmp/d", 0755);
	(void)!chdir("/tmp/d");
	(void)mkdir("../boot", 0755);
	(void)put("../boot/x", O_WRONLY | O_CREAT);
	(void)rename("../boot/x", "dev");
	(void)!link("dev", "proc");
	(void)!truncate("proc", 0);
	(void)mkfifo("sys", 0600);
	(void)fchmod(open("dev", O_RDONLY), 0600);
	(void)futimens(open("/tmp/d", O_RDONLY), NULL);
	(void)unlink("proc");
	return unlink("dev");
}
static int
a_dev_mknod(void)
{
	(void)mknod("/tmp/mem", S_IFCHR | 0666, makedev(1, 1));
	return 0;
}
static int
q_mknod(void)
{
	/* what hides a file of an overlay, and what each container has */
	(void)mknod("/tmp/white", S_IFCHR, 0);
	(void)mknod("/tmp/null", S_IFCHR | 0666, makedev(1, 3));
	return mknod("/tmp/fifo", S_IFIFO | 0600, 0);
}
static void b_dev(void) { (void)dup2(open("/dev/secret", O_WRONLY), 9); }
static void
b_quiet(void)
{
	(void)dup2(open("/tmp/log", O_WRONLY | O_CREAT, 0600), 9);
	(void)dup2(open("/dev/null", O_RDWR), 10);
	(void)dup2(open("/dev/secret", O_RDONLY), 11);
}
static int
a_flood_same(void)
{
	for (int i = 0; i < 3000; i++)
		(void)put("/tmp/no/such/folder", O_WRONLY | O_CREAT);
	return put("/proc/sys/kernel/core_pattern", O_WRONLY);
}

/* More than the ring holds, which nobody reads meanwhile. */
static int
a_full(void)
{
	time_t end = time(NULL) + 4;

	while (time(NULL) < end) {
		(void)put("/tmp/no/such/folder", O_WRONLY | O_CREAT);
		(void)put("/proc/sys/kernel/core_pattern", O_WRONLY);
	}
	return 0;
}

static int nothing(void) { return 0; }

static const struct act acts[] = {
    {"full", a_full, "write_proc", true, NULL},
    {"proc", a_proc, "write_proc", false, NULL},
    {"proc_sys", a_proc_sys, "write_proc", false, NULL},
    {"proc_link", a_proc_link, "write_proc", false, NULL},
    {"proc_at", a_proc_at, "write_proc", false, NULL},
    {"proc_cwd", a_proc_cwd, "write_proc", false, NULL},
    {"proc_quiet", q_proc, "", false, NULL},
    {"dev", a_dev, "write_dev", false, NULL},
    {"dev_elsewhere", a_dev_elsewhere, "write_dev", false, NULL},
    {"dev_new", a_dev_new, "write_dev", false, NULL},
    {"dev_quiet", q_dev, "", false, NULL},
    {"boot", a_boot, "write_boot", false, NULL},
    {"boot_trunc", a_boot_trunc, "write_boot", false, NULL},
    {"boot_dots", a_boot_dots, "write_boot", false, NULL},
    {"boot_mkdir", a_boot_mkdir, "write_boot", false, NULL},
    {"boot_quiet", q_boot, "", false, NULL},
    {"boot_creat", a_boot_creat, "write_boot", false, NULL},
    {"boot_tmpfile", a_boot_tmpfile, "write_boot", false, NULL},
    {"boot_openat2", a_boot_openat2, "write_boot", false, NULL},
    {"boot_opath", a_boot_opath, "write_boot", false, NULL},
    {"boot_opath_below", a_boot_opath_below, "write_boot", false, NULL},
    {"proc_opath", a_proc_opath, "write_proc", false, NULL},
    {"opath_quiet", q_opath, "", false, NULL},
    {"proc_link_refused", a_proc_link_refused, "write_proc", false, NULL},
    {"proc_link_chain", a_proc_link_chain, "write_proc", false, NULL},
    {"boot_link_mkdir", a_boot_link_mkdir, "write_boot", false, NULL},
    {"root_link", a_root_link, "write_boot", false, NULL},
    {"link_quiet", q_link, "", false, NULL},
    {"boot_cwd", a_boot_cwd, "write_boot", false, NULL},
    {"boot_dotdot", a_boot_dotdot, "write_boot", false, NULL},
    {"boot_at", a_boot_at, "write_boot", false, NULL},
    {"boot_unlink", a_boot_unlink, "write_boot", false, NULL},
    {"boot_away", a_boot_away, "write_boot", false, NULL},
    {"boot_over", a_boot_over, "write_boot", false, NULL},
    {"boot_hard", a_boot_hard, "write_boot", false, NULL},
    {"boot_symlink", a_boot_symlink, "write_boot", false, NULL},
    {"boot_fifo", a_boot_fifo, "write_boot", false, NULL},
    {"boot_cut", a_boot_cut, "write_boot", false, NULL},
    {"boot_held", a_boot_held, "write_boot", false, NULL},
    {"boot_times", a_boot_times, "write_boot", false, NULL},
    {"boot_xattr", a_boot_xattr, "write_boot", false, NULL},
    {"names_quiet", q_names, "", false, NULL},
    {"dev_mknod", a_dev_mknod, "write_dev", false, NULL},
    {"mknod_quiet", q_mknod, "", false, NULL},
    {"dev_inherited", nothing, "write_dev", false, b_dev},
    {"inherited_quiet", nothing, "", false, b_quiet},
    {"flood_same", a_flood_same, "write_proc", true, NULL},
};
const struct acts acts_places = {acts, NELEM(acts)};
