/* SPDX-License-Identifier: BSD-2-Clause */
/* Files: the image, mounts, devices, descriptors, volumes. */
#include "sandbox/probe/probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define IMAGE "readonly_root mount landlock"
#define MOUNTS "caps seccomp landlock"

PROBE(write_root) { MUST_FAIL(open("/new", O_CREAT | O_WRONLY, 0644)); HELD; }
PROBE(write_image) { MUST_FAIL(open("/bin/setid", O_WRONLY)); HELD; }
PROBE(unlink_image) { MUST_FAIL(unlink("/bin/probe")); HELD; }
PROBE(rename_image) { MUST_FAIL(rename("/bin/probe", "/bin/x")); HELD; }
PROBE(truncate_image) { MUST_FAIL(truncate("/bin/setid", 0)); HELD; }
PROBE(chmod_image) { MUST_FAIL(chmod("/bin/probe", 0777)); HELD; }
PROBE(chown_image)
{
	MUST_FAIL(chown("/bin/probe", getuid(), getgid()));
	HELD;
}
PROBE(link_image) { MUST_FAIL(link("/bin/probe", "/bin/x")); HELD; }
PROBE(link_into_volume) { MUST_FAIL(link("/bin/setid", "/in/rw/x")); HELD; }
PROBE(xattr_image)
{
	MUST_FAIL(setxattr("/bin/probe", "user.x", "1", 1, 0));
	HELD;
}

/* A descriptor for looking only, opened anew for writing by its link. */
PROBE(fd_reopen_write)
{
	char path[64];
	int fd = open("/bin/setid", O_PATH);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	MUST_FAIL(open(path, O_RDWR));
	HELD;
}

/* The program that runs is not another one when it runs the next time. */
PROBE(own_exe)
{
	char path[64];
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fchmod(fd, 0777) == 0)
		ESCAPED("the mode of /proc/self/exe");
	if (open(path, O_WRONLY) >= 0 || errno == ETXTBSY)
		ESCAPED("/proc/self/exe could be written");
	HELD;
}

PROBE(volume_ro_write)
{
	MUST_FAIL(open("/in/ro/new", O_CREAT | O_WRONLY, 0644));
	MUST_FAIL(mkdir("/in/ro/folder", 0755));
	MUST_FAIL(symlink("/etc", "/in/ro/link"));
	HELD;
}

/* Everything that a job can write to gives no ids and no devices. */
PROBE(volume_flags)
{
	static const char *const at[] = {"/", "/in/ro", "/in/rw", "/tmp",
	    "/dev/shm"};

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		struct statvfs st;

		if (statvfs(at[i], &st) != 0)
			continue;
		if ((st.f_flag & ST_NOSUID) == 0 || (st.f_flag & ST_NODEV) == 0)
			ESCAPED("%s is mounted without nosuid or nodev",
			    at[i]);
	}
	HELD;
}

PROBE(remount) { MUST_FAIL(mount("", "/", NULL, MS_REMOUNT, NULL)); HELD; }
PROBE(remount_bind)
{
	MUST_FAIL(mount("", "/", NULL, MS_REMOUNT | MS_BIND, NULL));
	HELD;
}
PROBE(mount_tmpfs) { MUST_FAIL(mount("x", "/tmp", "tmpfs", 0, "")); HELD; }
PROBE(mount_proc) { MUST_FAIL(mount("x", "/tmp", "proc", 0, "")); HELD; }
PROBE(mount_cgroup) { MUST_FAIL(mount("x", "/tmp", "cgroup2", 0, "")); HELD; }
PROBE(mount_overlay)
{
	MUST_FAIL(mount("x", "/tmp", "overlay", 0, "lowerdir=/bin:/in"));
	HELD;
}
PROBE(mount_bind) { MUST_FAIL(mount("/bin", "/tmp", NULL, MS_BIND, 0)); HELD; }
PROBE(umount) { MUST_FAIL(umount2("/proc", MNT_DETACH)); HELD; }
PROBE(fsopen) { MUST_FAIL(syscall(SYS_fsopen, "tmpfs", 0)); HELD; }
PROBE(open_tree) { MUST_FAIL(syscall(SYS_open_tree, AT_FDCWD, "/", 1)); HELD; }
PROBE(move_mount)
{
	MUST_FAIL(syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp",
	    0));
	HELD;
}
PROBE(mount_setattr)
{
	/* set, clear, propagation, userns: clear read-only */
	unsigned long long attr[4] = {0, 1, 0, 0};

	MUST_FAIL(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, attr,
	    sizeof(attr)));
	HELD;
}
/* Every mount of the namespace, and where each comes from. */
PROBE(listmount)
{
	/* size, spare, mnt_id (the root), param */
	struct {
		unsigned size, spare;
		unsigned long long id, param;
	} ask = {24, 0, ~0ull, 0};
	unsigned long long ids[16];

	MUST_FAIL(syscall(458, &ask, ids, 16, 0));
	HELD;
}
PROBE(pivot_root)
{
	MUST_FAIL(syscall(SYS_pivot_root, "/proc", "/proc"));
	HELD;
}
PROBE(chroot) { MUST_FAIL(chroot("/tmp")); HELD; }

/* Out of a root that is only a chroot. */
PROBE(chroot_up)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)mkdir("/tmp/c", 0755);
	MUST_FAIL(chroot("/tmp/c"));
	(void)fchdir(fd);
	for (int i = 0; i < 64; i++)
		(void)!chdir("..");
	HELD;
}

PROBE(mknod_block) { MUST_FAIL(mknod("/tmp/b", S_IFBLK | 0600, 0xfe00)); HELD; }
PROBE(mknod_mem) { MUST_FAIL(mknod("/tmp/c", S_IFCHR | 0600, 0x101)); HELD; }
PROBE(mknod_volume)
{
	MUST_FAIL(mknod("/in/rw/c", S_IFCHR | 0600, 0x101));
	HELD;
}

PROBE(dotdot)
{
	struct stat a, b;

	if (stat("/", &a) != 0 || stat("/../../..", &b) != 0 ||
	    a.st_ino != b.st_ino || a.st_dev != b.st_dev)
		ESCAPED("/.. is not /");
	HELD;
}

PROBE(cwd)
{
	char buf[4096];

	if (getcwd(buf, sizeof(buf)) == NULL || buf[0] != '/')
		ESCAPED("cwd is outside: %.100s", buf);
	HELD;
}

PROBE(open_fds)
{
	for (int fd = 3; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			ESCAPED("descriptor %d is open", fd);
	HELD;
}

static bool
secret_at(const char *from)
{
	char path[1024];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", from, host("HOST_FILE"));
	fd = open(path, O_RDONLY);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

/* A file of the host, by every way that is not a mount. */
PROBE(host_file)
{
	static const char *const from[] = {"", "/proc/self/cwd",
	    "/proc/self/root", "/proc/1/root", "/proc/1/cwd", "/proc/2/root",
	    "/../../../../../../..", "/in/rw/up", "/proc/thread-self/root"};
	char path[64];

	(void)symlink("/../../../../../../../..", "/in/rw/up");
	for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
		if (secret_at(from[i]))
			ESCAPED("a file of the host by %s", from[i]);
	for (int fd = 0; fd < 64; fd++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (secret_at(path))
			ESCAPED("a file of the host by %s", path);
	}
	HELD;
}

PROBE(host_folders)
{
	static const char *const at[] = {"/boot", "/root", "/home", "/srv",
	    "/etc/shadow", "/var/lib", "/run/systemd", "/lib/modules"};

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		if (access(at[i], F_OK) == 0)
			ESCAPED("%s is there", at[i]);
	HELD;
}

PROBE(stdin_null)
{
	struct stat st;

	if (fstat(0, &st) != 0 || !S_ISCHR(st.st_mode) || st.st_rdev != 0x103)
		ESCAPED("stdin is not /dev/null");
	HELD;
}

PROBE(stdout_pipe)
{
	struct stat st;

	if (fstat(1, &st) != 0 || !S_ISFIFO(st.st_mode))
		ESCAPED("stdout is no pipe");
	HELD;
}
PROBE(stdout_truncate) { MUST_FAIL(ftruncate(1, 0)); HELD; }
PROBE(stdout_rewind) { MUST_FAIL(lseek(1, 0, SEEK_SET)); HELD; }
PROBE(stdout_grow) { MUST_FAIL(pwrite(1, "x", 1, 1l << 40)); HELD; }
PROBE(stdout_read)
{
	MUST_FAIL(open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK));
	HELD;
}

PROBE(dev_nodes)
{
	static const char *const known[] = {".", "..", "null", "zero", "full",
	    "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr",
	    "shm"};
	DIR *d = opendir("/dev");
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL) {
		bool ok = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			ok |= strcmp(de->d_name, known[i]) == 0;
		if (!ok)
			ESCAPED("/dev/%.100s", de->d_name);
	}
	HELD;
}
PROBE(dev_write)
{
	MUST_FAIL(open("/dev/new", O_CREAT | O_WRONLY, 0600));
	MUST_FAIL(unlink("/dev/null"));
	/* the mode it has: a sandbox that lets it shall not cost the host */
	MUST_FAIL(chmod("/dev/null", 0666));
	HELD;
}

PROBE(tty) { MUST_FAIL(open("/dev/tty", O_RDWR)); HELD; }
PROBE(tiocsti)
{
	char c = 'x';

	MUST_FAIL(ioctl(0, TIOCSTI, &c));
	HELD;
}
PROBE(sys) { MUST_FAIL(access("/sys/kernel", F_OK)); HELD; }
PROBE(dev_mem)
{
	MUST_FAIL(open("/dev/mem", O_RDWR));
	MUST_FAIL(open("/dev/kmsg", O_RDWR));
	MUST_FAIL(open("/dev/kvm", O_RDWR));
	HELD;
}

PROBE(handle)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char id[128];
	} h = {sizeof(h.id), 0, {0}};
	int mount_id;

	MUST_FAIL(syscall(SYS_name_to_handle_at, AT_FDCWD, "/bin", &h,
	    &mount_id, 0));
	HELD;
}
PROBE(open_handle)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char id[8];
	} root = {8, 1, {2}};

	MUST_FAIL(syscall(SYS_open_by_handle_at, AT_FDCWD, &root, O_RDONLY));
	HELD;
}

#define NEEDS_HOST "the_host's_own_capability_is_needed"
static const struct probe list[] = {
	DOOR(write_root, IMAGE, NULL), DOOR(write_image, IMAGE, NULL),
	DOOR(unlink_image, IMAGE, NULL), DOOR(rename_image, IMAGE, NULL),
	DOOR(truncate_image, IMAGE, NULL), DOOR(chmod_image, IMAGE, NULL),
	DOOR(chown_image, IMAGE, NULL), DOOR(link_image, IMAGE, NULL),
	DOOR(link_into_volume, IMAGE, NULL),
	DOOR(xattr_image, IMAGE, "tmpfs_has_them_since_Linux_6.6"),
	DOOR(fd_reopen_write, IMAGE, NULL), DOOR(own_exe, IMAGE, NULL),
	DOOR(volume_ro_write, "mount landlock", NULL),
	DOOR(volume_flags, "mount", NULL),
	DOOR(remount, MOUNTS, NULL), DOOR(remount_bind, MOUNTS, NULL),
	DOOR(mount_tmpfs, MOUNTS, NULL),
	DOOR(mount_proc, MOUNTS, "not_where_the_host's_own_is_masked"),
	DOOR(mount_cgroup, MOUNTS, "needs_a_cgroup_namespace"),
	DOOR(mount_overlay, MOUNTS, "where_the_kernel_has_overlay"),
	DOOR(mount_bind, MOUNTS, NULL),
	DOOR(umount, MOUNTS, NULL), DOOR(fsopen, MOUNTS, NULL),
	DOOR(open_tree, MOUNTS, NULL), DOOR(move_mount, MOUNTS, NULL),
	DOOR(mount_setattr, MOUNTS, NULL), DOOR(pivot_root, MOUNTS, NULL),
	CALL(listmount, "seccomp", "where_the_kernel_has_it"),
	DOOR(chroot, "caps seccomp", NULL), DOOR(chroot_up, "caps seccomp", NULL),
	DOOR(mknod_block, "caps user mount", NEEDS_HOST),
	DOOR(mknod_mem, "caps user mount", NEEDS_HOST),
	DOOR(mknod_volume, "caps user mount", NEEDS_HOST),
	DOOR(dotdot, "mount", "the_kernel's_own_promise"),
	DOOR(cwd, "mount", "the_folder_is_one_of_the_job's"),
	DOOR(open_fds, "mount", NULL),
	DOOR(host_file, "mount landlock", NULL),
	DOOR(host_folders, "mount", NULL),
	DOOR(stdin_null, "mount", NULL), DOOR(stdout_pipe, "mount", NULL),
	DOOR(stdout_truncate, "mount", NULL),
	DOOR(stdout_rewind, "mount", NULL), DOOR(stdout_grow, "mount", NULL),
	DOOR(stdout_read, "mount landlock", NULL),
	DOOR(dev_nodes, "mount", NULL), DOOR(dev_write, "mount landlock", NULL),
	DOOR(tty, "mount", "needs_a_terminal"),
	DOOR(tiocsti, "seccomp", "needs_a_terminal"),
	DOOR(sys, "mount", NULL),
	DOOR(dev_mem, "mount", "where_the_machine_has_one_that_is_open"),
	CALL(handle, "seccomp", NULL),
	DOOR(open_handle, "caps seccomp", NEEDS_HOST),
};
PROBES(files);
