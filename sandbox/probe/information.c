/* SPDX-License-Identifier: BSD-2-Clause */
/* What a job can learn of the machine and of where it runs. */
#include "sandbox/probe/probe.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static bool
there(const char *path)
{
	char c;
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	bool r = fd >= 0 && read(fd, &c, 1) >= 0;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

#define PROC(name, path)                                                       \
	PROBE(name)                                                            \
	{                                                                      \
		if (there(path))                                               \
			ESCAPED("%s is there", path);                          \
		HELD;                                                          \
	}
PROC(kallsyms, "/proc/kallsyms")
PROC(kcore, "/proc/kcore")
PROC(kmsg, "/proc/kmsg")
PROC(proc_keys, "/proc/keys")
PROC(modules_list, "/proc/modules")
PROC(boot_line, "/proc/cmdline")
PROC(kernel_config, "/proc/config.gz")
PROC(interrupts, "/proc/interrupts")
PROC(iomem, "/proc/iomem")
PROC(timer_list, "/proc/timer_list")
PROC(load, "/proc/loadavg")
PROC(partitions, "/proc/partitions")
PROC(disks, "/proc/diskstats")
PROC(slabs, "/proc/slabinfo")
PROC(locks, "/proc/locks")
PROC(pagetypes, "/proc/pagetypeinfo")
PROC(sysctls, "/proc/sys/kernel/hostname")
PROC(cpu_debug, "/sys/kernel/debug/sched/debug")
PROC(trace, "/sys/kernel/tracing/trace")

PROBE(sysrq) { MUST_FAIL(open("/proc/sysrq-trigger", O_WRONLY)); HELD; }
PROBE(core_pattern)
{
	MUST_FAIL(open("/proc/sys/kernel/core_pattern", O_RDWR));
	MUST_FAIL(open("/proc/sys/kernel/modprobe", O_RDWR));
	HELD;
}
PROBE(syslog)
{
	MUST_FAIL(syscall(SYS_syslog, 3, probe_note, 10));
	MUST_FAIL(syscall(SYS_syslog, 10, NULL, 0));
	HELD;
}

PROBE(host_paths)
{
	char line[4096];
	FILE *f = fopen("/proc/self/mountinfo", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (host("HOST_PATH")[0] != '\0' &&
		    strstr(line, host("HOST_PATH")) != NULL)
			ESCAPED("mountinfo tells: %.180s", line);
	HELD;
}

PROBE(environment)
{
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "HOST_", 5) != 0 && strncmp(*e, "PATH=", 5))
			ESCAPED("variable %.100s", *e);
	HELD;
}

PROBE(hostname)
{
	struct utsname u;

	if (uname(&u) != 0 || strcmp(u.nodename, host("HOST_NAME")) == 0)
		ESCAPED("the host's name is seen");
	MUST_FAIL(sethostname("x", 1));
	HELD;
}

PROBE(uptime)
{
	struct timespec boot, mono;
	struct sysinfo s;

	if (getenv("HOST_UPTIME") == NULL)
		NOTHING_HERE("there is no time namespace");
	if (clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
	    clock_gettime(CLOCK_MONOTONIC, &mono) != 0 || sysinfo(&s) != 0)
		ESCAPED("no clock can be read");
	/* a job's own clock is behind, unless the machine has just begun */
	if (boot.tv_sec >= (time_t)host_number("HOST_UPTIME"))
		ESCAPED("boot clock %lld", (long long)boot.tv_sec);
	if (s.uptime > boot.tv_sec + 1 || mono.tv_sec > boot.tv_sec + 1)
		ESCAPED("uptime %ld, monotonic %lld", s.uptime,
		    (long long)mono.tv_sec);
	HELD;
}

PROBE(cgroup_paths)
{
	char line[512];
	FILE *f = fopen("/proc/self/cgroup", "r");

	/* without a group of its own there is none to hide */
	if (getenv("HOST_CGROUP") == NULL)
		NOTHING_HERE("there is no v2 group");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "0::", 3) == 0 && strcmp(line, "0::/\n") != 0)
			ESCAPED("cgroup %.100s", line);
	HELD;
}

#define SEEN "mount pid"
#define KERNEL "where_the_kernel_has_it_and_shows_it"
static const struct probe list[] = {
	DOOR(kallsyms, SEEN, KERNEL), DOOR(kcore, SEEN, KERNEL),
	DOOR(kmsg, SEEN, KERNEL), DOOR(proc_keys, SEEN, KERNEL),
	DOOR(modules_list, SEEN, KERNEL), DOOR(boot_line, SEEN, NULL),
	DOOR(kernel_config, SEEN, KERNEL), DOOR(interrupts, SEEN, NULL),
	DOOR(iomem, SEEN, KERNEL), DOOR(timer_list, SEEN, KERNEL),
	DOOR(load, SEEN, NULL), DOOR(partitions, SEEN, KERNEL),
	DOOR(disks, SEEN, KERNEL), DOOR(slabs, SEEN, KERNEL),
	DOOR(locks, SEEN, KERNEL), DOOR(pagetypes, SEEN, KERNEL),
	DOOR(sysctls, SEEN, NULL), DOOR(cpu_debug, "mount", KERNEL),
	DOOR(trace, "mount", KERNEL),
	DOOR(sysrq, SEEN, KERNEL), DOOR(core_pattern, SEEN, KERNEL),
	DOOR(syslog, "caps seccomp", "closed_to_users_by_a_sysctl_of_many"),
	DOOR(host_paths, "mount", NULL),
	DOOR(environment, "mount", NULL), DOOR(hostname, "uts", NULL),
	DOOR(uptime, "time", NULL),
	DOOR(cgroup_paths, "cgroup", "where_the_caller_is_in_a_group"),
};
PROBES(information);
