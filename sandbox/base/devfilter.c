/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/devfilter.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "sandbox/base/sys.h"
#include "sandbox/plan/devices.h"

static int
bpf(int cmd, union bpf_attr *a)
{
	return (int)syscall(SYS_bpf, cmd, a, sizeof(*a));
}

int
devfilter_attach(int group)
{
	static const char license[] = "BSD";
	struct bpf_insn insns[DEVICES_INSNS];
	_cleanup_fd_ int prog = -1;
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	a.insn_cnt = devices_program(insns);
	a.insns = (uint64_t)(uintptr_t)insns;
	a.license = (uint64_t)(uintptr_t)license;
	(void)snprintf(a.prog_name, sizeof(a.prog_name), "warren_devices");
	if ((prog = bpf(BPF_PROG_LOAD, &a)) < 0)
		return -1;
	memset(&a, 0, sizeof(a));
	a.target_fd = (uint32_t)group;
	a.attach_bpf_fd = (uint32_t)prog;
	a.attach_type = BPF_CGROUP_DEVICE;
	/* beside what others have put there or put beneath: all must agree */
	a.attach_flags = BPF_F_ALLOW_MULTI;
	return bpf(BPF_PROG_ATTACH, &a);
}

static int
make_node(const char *dir, const char *name, unsigned major, unsigned minor)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return mknod(path, S_IFCHR | 0600, makedev(major, minor));
}

bool
devfilter_holds(const char *dir)
{
	bool holds;

	/* its nodes are nobody's to open: nodev */
	if (mount("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    "size=4k,nr_inodes=4,mode=0700") < 0)
		return false;
	holds = make_node(dir, "null", 1, 3) == 0 &&
	    make_node(dir, "mem", 1, 1) < 0 && errno == EPERM;
	(void)umount2(dir, MNT_DETACH);
	return holds;
}
