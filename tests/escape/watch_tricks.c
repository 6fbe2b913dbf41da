/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways around each single look, and beside them what programs do. */
#define _GNU_SOURCE
#include "watch_acts.h"

#include <elf.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

static char *const no_env[] = {NULL};
static char word_self[] = "test_watch", word_act[] = "act";
static char word_nothing[] = "nothing";
static char *const argv_nothing[] = {word_self, word_act, word_nothing, NULL};

/* ---- code ---- */

static char *
map_at(char *at, int prot, int flags, int fd)
{
	char *p = mmap(at, PAGE, prot, flags | (at != NULL ? MAP_FIXED : 0),
	    fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Room for n pages, of which each is mapped anew. */
static char *
room(size_t n)
{
	char *p = mmap(NULL, n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int
file_of(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0755);

	return fd >= 0 && ftruncate(fd, PAGE) == 0 ? fd : -1;
}

static int
own_exe(void)
{
	return open("/proc/self/exe", O_RDONLY);
}

/* It fails, and has changed what lies before the hole. */
static int
a_half(void)
{
	char *p = room(2);

	(void)map_at(p, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	p[0] = 'x';
	(void)munmap(p + PAGE, PAGE);
	return mprotect(p, 2 * (size_t)PAGE, RX) == 0;
}
static int
q_half(void)
{
	char *p = room(2);
	int fd = own_exe();

	(void)map_at(p, PROT_READ, MAP_PRIVATE, fd);
	(void)munmap(p + PAGE, PAGE);
	(void)mprotect(p + PAGE, PAGE, RX);
	(void)mprotect(p, 0, RX);
	(void)mprotect(p + 1, PAGE, RX);
	return mprotect(p, 2 * (size_t)PAGE, RX) == 0;
}
static int
a_second_deleted(void)
{
	char *p = room(2);
	int fd = file_of("/tmp/code");

	(void)unlink("/tmp/code");
	(void)map_at(p, PROT_READ, MAP_PRIVATE, own_exe());
	(void)map_at(p + PAGE, PROT_READ, MAP_PRIVATE, fd);
	return mprotect(p, 2 * (size_t)PAGE, RX);
}
static int
a_second_alias(void)
{
	char *p = room(2);
	int fd = file_of("/tmp/code");

	(void)map_at(NULL, RW, MAP_SHARED, fd);
	(void)map_at(p, PROT_READ, MAP_PRIVATE, own_exe());
	(void)map_at(p + PAGE, PROT_READ, MAP_PRIVATE, fd);
	return mprotect(p, 2 * (size_t)PAGE, RX);
}
/* The later one of two is found by its second call. */
static int
a_second_known(void)
{
	char *p = room(2);
	int fd = file_of("/tmp/code");

	(void)map_at(p, PROT_READ, MAP_PRIVATE, own_exe());
	(void)map_at(p + PAGE, PROT_READ, MAP_PRIVATE, fd);
	(void)mprotect(p, 2 * (size_t)PAGE, RX);
	return map_at(NULL, RW, MAP_SHARED, fd) == NULL;
}
/* One shared mapping, which turns. */
static int
a_turn(void)
{
	char *p = map_at(NULL, RW, MAP_SHARED, file_of("/tmp/code"));

	p[0] = 'x';
	return mprotect(p, PAGE, RX);
}
static int
a_shared_anon(void)
{
	char *p = map_at(NULL, RW, MAP_SHARED | MAP_ANONYMOUS, -1);

	p[0] = 'x';
	return mprotect(p, PAGE, RX);
}
static int
a_segment(void)
{
	int id = shmget(IPC_PRIVATE, PAGE, 0700);
	char *p = shmat(id, NULL, 0);

	(void)shmctl(id, IPC_RMID, NULL);
	p[0] = 'x';
	return mprotect(p, PAGE, RX);
}
/* Code first, and what is shared becomes writable last. */
static int
a_alias_late(void)
{
	int fd = file_of("/tmp/code");
	char *p;

	(void)map_at(NULL, RX, MAP_PRIVATE, fd);
	p = map_at(NULL, PROT_READ, MAP_SHARED, fd);
	return mprotect(p, PAGE, RW);
}
/* Shared code, which is written to by the child's mapping of it. */
static int
a_shared_child(void)
{
	char *p = map_at(NULL, RX, MAP_SHARED, file_of("/tmp/code"));
	pid_t pid = fork();
	int st;

	if (pid == 0) {
		if (mprotect(p, PAGE, RW) != 0)
			_exit(1);
		p[0] = 'x';
		_exit(0);
	}
	return waitpid(pid, &st, 0) < 0 || st != 0 || p[0] != 'x';
}
/* ... or by a second one of its own. */
static int
a_shared_again(void)
{
	char *p = map_at(NULL, RX, MAP_SHARED, file_of("/tmp/code"));
	char *q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);

	if (q == MAP_FAILED || mprotect(q, PAGE, RW) != 0)
		return -1;
	q[0] = 'x';
	return p[0] != 'x';
}
/* Of what is open to read alone nobody can write to what is shared. */
static int
q_shared(void)
{
	char *p = map_at(NULL, PROT_READ, MAP_SHARED, own_exe());

	return map_at(NULL, RX, MAP_SHARED, own_exe()) == NULL ||
	    mprotect(p, PAGE, RX);
}
/* Of an overlay the descriptor is not the file that is mapped. */
static void
b_overlay(void)
{
	(void)mkdir("/tmp/low", 0755);
	(void)mkdir("/tmp/up", 0777);
	(void)mkdir("/tmp/work", 0777);
	(void)mkdir("/tmp/over", 0777);
	(void)mount("o", "/tmp/over", "overlay", 0,
	    "lowerdir=/tmp/low,upperdir=/tmp/up,workdir=/tmp/work");
}
static int
a_overlay(void)
{
	int fd = file_of("/tmp/over/code");

	return map_at(NULL, RX, MAP_PRIVATE, fd) == NULL ||
	    map_at(NULL, RW, MAP_SHARED, fd) == NULL;
}
static int
q_overlay(void)
{
	int fd = file_of("/tmp/over/data");

	return map_at(NULL, PROT_READ, MAP_PRIVATE, fd) == NULL ||
	    map_at(NULL, RW, MAP_SHARED, fd) == NULL;
}
/* More mappings of one file than anybody looks at. */
#define MAPPINGS 5000
static int
mappings(int fd)
{
	for (int i = 0; i < MAPPINGS; i++)
		if (map_at(NULL, PROT_READ, MAP_PRIVATE, fd) == NULL)
			return -1;
	return map_at(NULL, RW, MAP_SHARED, fd) == NULL;
}
static int
a_mappings(void)
{
	int fd = file_of("/tmp/code");

	return map_at(NULL, RX, MAP_PRIVATE, fd) == NULL || mappings(fd);
}
static int q_mappings(void) { return mappings(file_of("/tmp/data")); }
/* More code than anybody keeps in mind. */
#define CROWD 1500
static int
crowd(unsigned n)
{
	char name[32];
	int fd;

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "/tmp/c%u", i);
		if ((fd = file_of(name)) < 0)
			return -1;
		(void)munmap(map_at(NULL, RX, MAP_PRIVATE, fd), PAGE);
		(void)close(fd);
	}
	return 0;
}
static int
a_crowd(void)
{
	int fd = file_of("/tmp/code");

	(void)map_at(NULL, RX, MAP_PRIVATE, fd);
	return crowd(CROWD) < 0 || map_at(NULL, RW, MAP_SHARED, fd) == NULL;
}
static int
q_crowd(void)
{
	return crowd(100) < 0 ||
	    map_at(NULL, RW, MAP_SHARED, file_of("/tmp/data")) == NULL;
}
/* Code that is gone, and data where the kernel had it. */
static int
q_reused(void)
{
	for (int i = 0; i < 50; i++) {
		int fd = file_of("/tmp/code");

		(void)munmap(map_at(NULL, RX, MAP_PRIVATE, fd), PAGE);
		(void)close(fd);
		(void)unlink("/tmp/code");
		fd = file_of("/tmp/data");
		(void)munmap(map_at(NULL, RW, MAP_SHARED, fd), PAGE);
		(void)close(fd);
		(void)unlink("/tmp/data");
	}
	return 0;
}

/* ---- programs ---- */

static int
copy_to(int fd)
{
	char buf[65536];
	int from = own_exe();
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			return -1;
	(void)close(from);
	return 0;
}

/* In no folder, and no memfd, which the filter of a job has none of. */
static int
nowhere(const char *text)
{
	char path[64];
	int w = open("/tmp", O_TMPFILE | O_RDWR, 0755), r;

	if (text == NULL)
		(void)copy_to(w);
	else if (write(w, text, strlen(text)) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", w);
	r = open(path, O_RDONLY);
	(void)close(w);
	return r;
}
static int
a_child(void)
{
	int fd = nowhere(NULL);
	pid_t pid = fork();

	if (pid == 0) {
		(void)syscall(SYS_execveat, fd, "", argv_nothing, no_env,
		    AT_EMPTY_PATH);
		_exit(1);
	}
	return waitpid(pid, NULL, 0) < 0;
}

/* A program in a folder, whose loader is memory. */
static int
with_loader(const char *path, const char *loader)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[2];
		char loader[64], code[64];
	} f = {.e = {.e_type = ET_EXEC, .e_version = 1,
		   .e_phoff = sizeof(Elf64_Ehdr), .e_phnum = 2,
		   .e_ehsize = sizeof(Elf64_Ehdr),
		   .e_phentsize = sizeof(Elf64_Phdr)}};
	Elf64_Ehdr own;
	int fd = open(path, O_WRONLY | O_CREAT, 0755), from = own_exe();

	if (pread(from, &own, sizeof(own), 0) != sizeof(own))
		return -1;
	(void)close(from);
	memcpy(f.e.e_ident, own.e_ident, sizeof(own.e_ident));
	f.e.e_machine = own.e_machine;
	f.e.e_entry = 0x400000 + offsetof(typeof(f), code);
	(void)snprintf(f.loader, sizeof(f.loader), "%s", loader);
	f.p[0] = (Elf64_Phdr){.p_type = PT_INTERP,
	    .p_offset = offsetof(typeof(f), loader),
	    .p_filesz = strlen(loader) + 1, .p_memsz = strlen(loader) + 1,
	    .p_flags = PF_R, .p_align = 1};
	f.p[1] = (Elf64_Phdr){.p_type = PT_LOAD, .p_vaddr = 0x400000,
	    .p_paddr = 0x400000, .p_filesz = sizeof(f), .p_memsz = sizeof(f),
	    .p_flags = PF_R | PF_X, .p_align = PAGE};
	if (write(fd, &f, sizeof(f)) != sizeof(f))
		return -1;
	return close(fd);
}
static int
a_loader(void)
{
	char path[64];
	pid_t pid;
	int st;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", nowhere(NULL));
	if (with_loader("/tmp/prog", path) != 0)
		return -1;
	if ((pid = fork()) == 0) {
		(void)execve("/tmp/prog", argv_nothing, no_env);
		_exit(77);
	}
	/* how it ends says nothing, but that it was run */
	return waitpid(pid, &st, 0) < 0 ||
	    (WIFEXITED(st) && WEXITSTATUS(st) == 77);
}
static int
q_loader(void)
{
	int fd = open("/tmp/loader", O_WRONLY | O_CREAT, 0755);

	(void)copy_to(fd);
	(void)close(fd);
	return with_loader("/tmp/prog", "/tmp/loader") != 0 ||
	    execve("/tmp/prog", argv_nothing, no_env);
}

static const char script[] = "#!/bin/sh\nexit 0\n";
/* By the descriptor of somebody else. */
static int
a_script_parent(void)
{
	char path[64];
	int fd = nowhere(script);
	pid_t pid;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(),
	    fd);
	if ((pid = fork()) == 0) {
		(void)close(fd);
		(void)execve(path, argv_nothing, no_env);
		_exit(1);
	}
	return waitpid(pid, NULL, 0) < 0;
}
static int
a_script_cwd(void)
{
	char path[16];

	(void)snprintf(path, sizeof(path), "%d", nowhere(script));
	return chdir("/proc/self/fd") != 0 ? -1 :
	    execve(path, argv_nothing, no_env);
}
static int
a_script_link(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d",
	    nowhere(script));
	(void)!symlink(path, "/tmp/run");
	return execve("/tmp/run", argv_nothing, no_env);
}
static int
q_scripts(void)
{
	int fd = open("/tmp/script", O_WRONLY | O_CREAT, 0755);
	pid_t pid;

	if (write(fd, script, sizeof(script) - 1) < 0)
		return -1;
	(void)close(fd);
	(void)!symlink("/proc/self/status", "/tmp/status");
	(void)!symlink("script", "/tmp/run");
	if ((pid = fork()) == 0) {
		(void)execve("/tmp/run", argv_nothing, no_env);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	if ((pid = fork()) == 0) {
		(void)execve("/proc/self/root/tmp/script", argv_nothing,
		    no_env);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	if (chdir("/tmp") != 0)
		return -1;
	return execve("/proc/self/cwd/script", argv_nothing, no_env);
}

/* ---- places ---- */

static int
bound(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	return bind(fd, (void *)&to, sizeof(to));
}
/* Its name ends before what stands behind it. */
static int
bound_before(const char *path, const char *behind)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s%s", path, behind);
	return bind(fd, (void *)&to, (socklen_t)(offsetof(struct sockaddr_un,
	    sun_path) + strlen(path)));
}
static int
a_boot_socket_short(void)
{
	return bound_before("/boot/s", "/../../tmp/s");
}
static int a_boot_socket(void) { return bound("/boot/s"); }
static int a_dev_socket(void) { return bound("/dev/log"); }
static int
q_socket(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(to.sun_path, "\0/boot/s", 8); /* in no folder */
	(void)bind(fd, (void *)&to, offsetof(struct sockaddr_un, sun_path) + 8);
	(void)!chdir("/tmp");
	return bound("boot.s") + bound("/tmp/s") +
	    bound_before("/tmp/t", "/../../boot/t");
}
/* What may be written to is not to be taken away. */
static int a_dev_unlink(void) { return unlink("/dev/null"); }
/* ... nor to have something else in its place. */
static int
a_dev_folder(void)
{
	(void)mkdir("/dev/stdin", 0755);
	return 0;
}
static int
a_dev_over(void)
{
	(void)put("/tmp/f", O_WRONLY | O_CREAT);
	(void)rename("/tmp/f", "/dev/zero");
	return 0;
}
static int
q_dev_times(void)
{
	(void)utimensat(AT_FDCWD, "/dev/null", NULL, 0);
	(void)!chown("/dev/null", JOB, JOB);
	(void)chmod("/dev/null", 0666);
	(void)put("/dev/stdout", O_WRONLY);
	return put("/dev/null", O_WRONLY | O_CREAT | O_TRUNC);
}
/* Another name of what is there, by which it is written to later. */
static int
a_boot_alias(void)
{
	(void)!link("/boot/there", "/tmp/alias");
	return 0;
}
static int
a_boot_alias_link(void)
{
	(void)!symlink("/boot/there", "/tmp/l");
	(void)!linkat(AT_FDCWD, "/tmp/l", AT_FDCWD, "/tmp/alias",
	    AT_SYMLINK_FOLLOW);
	return 0;
}
static int
q_appears(void)
{
	char path[64];
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0644);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/appears",
	    AT_SYMLINK_FOLLOW) + link("/tmp/appears", "/tmp/boot") != 0)
		return -1;
	/* the same by the number of the process */
	fd = open("/tmp", O_TMPFILE | O_RDWR, 0644);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(),
	    fd);
	return linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/numbered",
	    AT_SYMLINK_FOLLOW);
}
static int
a_proc_alias(void)
{
	(void)!link("/proc/sys/kernel/core_pattern", "/tmp/alias");
	return 0;
}
static int
a_boot_flags(void)
{
	int flags = FS_NODUMP_FL, fd = open("/boot/there", O_RDONLY);

	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	return 0;
}
static int
q_flags(void)
{
	int flags = 0, fd = open("/boot/there", O_RDONLY);

	(void)ioctl(fd, FS_IOC_GETFLAGS, &flags);
	fd = file_of("/tmp/f");
	(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	return 0;
}
/* Through links of its own that lead to where it is anyway. */
static int
q_own_links(void)
{
	(void)put("/tmp/f", O_WRONLY | O_CREAT);
	if (chdir("/tmp") != 0)
		return -1;
	(void)unlink("/proc/self/root/tmp/f");
	(void)put("/proc/self/cwd/g", O_WRONLY | O_CREAT);
	(void)chmod("/proc/self/cwd/g", 0600);
	(void)unlink("/proc/self/cwd/g");
	return mkdir("/proc/self/cwd/d", 0755);
}
static int
q_settings(void)
{
	char path[64];
	pid_t pid = fork();

	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/comm",
	    (int)syscall(SYS_gettid));
	(void)put(path, O_RDWR);
	(void)put("/proc/thread-self/comm", O_WRONLY);
	(void)put("/proc/self/coredump_filter", O_WRONLY);
	(void)put("/proc/self/timerslack_ns", O_WRONLY);
	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	(void)put(path, O_WRONLY);
	(void)kill(pid, 9);
	return waitpid(pid, NULL, 0) < 0;
}

/* ---- rights ---- */

static int
caps(uint32_t what)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2] = {{.effective = what,
	    .permitted = what}};

	(void)syscall(SYS_capset, &h, d);
	return 0;
}
static int a_caps(void) { return caps(1u << 21); }
static int
q_caps(void)
{
	gid_t own = JOB;

	(void)caps(0);
	(void)setgroups(0, &own);
	return setregid((gid_t)-1, JOB) + setreuid(JOB, (uid_t)-1);
}

static const struct act acts[] = {
    {"half", a_half, "anonymous_exec write_then_exec", false, NULL},
    {"half_quiet", q_half, "", false, NULL},
    {"second_deleted", a_second_deleted, "map_deleted", false, NULL},
    {"second_alias", a_second_alias, "write_then_exec", false, NULL},
    {"second_known", a_second_known, "write_then_exec", false, NULL},
    {"turn", a_turn, "write_then_exec", false, NULL},
    {"shared_anon", a_shared_anon, "anonymous_exec write_then_exec", false,
	NULL},
    {"segment", a_segment, "anonymous_exec write_then_exec", false, NULL},
    {"alias_late", a_alias_late, "write_then_exec", false, NULL},
    {"shared_child", a_shared_child, "write_then_exec", false, NULL},
    {"shared_again", a_shared_again, "write_then_exec", false, NULL},
    {"shared_quiet", q_shared, "", false, NULL},
    {"overlay", a_overlay, "write_then_exec", false, b_overlay},
    {"overlay_quiet", q_overlay, "", false, b_overlay},
    {"mappings", a_mappings, "write_then_exec", false, NULL},
    {"mappings_quiet", q_mappings, "", false, NULL},
    {"crowd", a_crowd, "write_then_exec", true, NULL},
    {"crowd_quiet", q_crowd, "", false, NULL},
    {"reused_quiet", q_reused, "", false, NULL},
    {"child", a_child, "run_memory", false, NULL},
    {"loader", a_loader, "run_memory", false, NULL},
    {"loader_quiet", q_loader, "", false, NULL},
    {"script_parent", a_script_parent, "run_memory", false, NULL},
    {"script_cwd", a_script_cwd, "run_memory", false, NULL},
    {"script_link", a_script_link, "run_memory", false, NULL},
    {"scripts_quiet", q_scripts, "", false, NULL},
    {"boot_socket", a_boot_socket, "write_boot", false, NULL},
    {"boot_socket_short", a_boot_socket_short, "write_boot", false, NULL},
    {"dev_socket", a_dev_socket, "write_dev", false, NULL},
    {"socket_quiet", q_socket, "", false, NULL},
    {"dev_unlink", a_dev_unlink, "write_dev", false, NULL},
    {"dev_folder", a_dev_folder, "write_dev", false, NULL},
    {"dev_over", a_dev_over, "write_dev", false, NULL},
    {"dev_times_quiet", q_dev_times, "", false, NULL},
    {"boot_alias", a_boot_alias, "write_boot", false, NULL},
    {"boot_alias_link", a_boot_alias_link, "write_boot", false, NULL},
    {"appears_quiet", q_appears, "", false, NULL},
    {"proc_alias", a_proc_alias, "write_proc", false, NULL},
    {"boot_flags", a_boot_flags, "write_boot", false, NULL},
    {"flags_quiet", q_flags, "", false, NULL},
    {"own_links_quiet", q_own_links, "", false, NULL},
    {"settings_quiet", q_settings, "", false, NULL},
    {"caps", a_caps, "credentials_asked", false, NULL},
    {"caps_quiet", q_caps, "", false, NULL},
};
const struct acts acts_tricks = {acts, NELEM(acts)};
