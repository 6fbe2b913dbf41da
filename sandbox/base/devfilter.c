/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/devfilter.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
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

/* 1: opens, 0: is refused by its number, -1: tells nothing. */
static int
opens(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK |
	    O_CLOEXEC);

	return fd >= 0 ? 1 : errno == EPERM ? 0 : -1;
}

bool
devfilter_holds(void)
{
	/* a right to make nodes may be gone: a unit of systemd takes it */
	static const char *const closed[] = {"/dev/ptmx", "/dev/console",
	    "/dev/tty0"};
	int is = -1;

	for (size_t i = 0; i < NELEM(closed) && is < 0; i++)
		is = opens(closed[i]);
	return is == 0 && opens("/dev/null") == 1;
}
