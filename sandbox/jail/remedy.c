/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/remedy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "common/util.h"

static const struct {
	const char *step;
	uint32_t layers;
} steps[] = {
    /* every other namespace lies in it */
    {"user namespace", LAYER_USER | LAYER_PID | LAYER_MOUNT | LAYER_NET |
	LAYER_IPC | LAYER_UTS},
    {"maps", LAYER_USER}, {"ids", LAYER_USER},
    /* jail's own namespaces: none of the slots' could be had either */
    {"private mounts", LAYER_MOUNT | LAYER_NET | LAYER_IPC},
    {"rights", LAYER_CAPS | LAYER_NNP},
    {"mount namespace", LAYER_MOUNT}, {"namespaces", LAYER_NET | LAYER_IPC |
	LAYER_UTS},
    {"clone", LAYER_PID | LAYER_MOUNT}, {"/proc", LAYER_PID | LAYER_MOUNT},
    {"cgroup namespace", LAYER_CGROUP | LAYER_MOUNT},
    {"capabilities", LAYER_CAPS}, {"no_new_privs", LAYER_NNP},
    {"filter", LAYER_SECCOMP}, {"base filter", LAYER_SECCOMP},
    {"landlock", LAYER_LANDLOCK | LAYER_MOUNT},
    {"rlimits", LAYER_RLIMITS | LAYER_MOUNT},
};

uint32_t
remedy_layers(const char *step)
{
	for (size_t i = 0; i < NELEM(steps); i++)
		if (strcmp(step, steps[i].step) == 0)
			return steps[i].layers;
	/* whatever else there is, is a mount */
	return LAYER_MOUNT;
}

static const char *
refused(const char *step, int error, const struct remedy_facts *f)
{
	if (strcmp(step, "/proc") == 0)
		return "masked, as in a container: --security-opt unmask=ALL "
		    "(docker: systempaths=unconfined)";
	if (!f->root && f->userns_clone == 0)
		return "sysctl kernel.unprivileged_userns_clone=1";
	if (!f->root && f->apparmor == 1)
		return "AppArmor: sysctl kernel.apparmor_restrict_"
		    "unprivileged_userns=0, or a profile with userns";
	if (error == EACCES)
		return "AppArmor or SELinux: a profile for warrend, or "
		    "--security-opt apparmor=unconfined";
	return "a filter: --security-opt seccomp=unconfined, or systemd's "
	    "RestrictNamespaces=no";
}

static const char *
advice(const char *step, int error, const struct remedy_facts *f)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return refused(step, error, f);
	case ENOSPC:
		/* the kernel's word for a sysctl that is 0 or used up */
		return "sysctl user.max_user_namespaces (max_mnt_, max_pid_, "
		    "max_net_) is too low";
	case ENOSYS:
		return "this kernel lacks it: Linux 5.12 or later is needed";
	case EINVAL:
		if (strcmp(step, "pivot_root") == 0)
			return "the root is an initramfs, which cannot be "
			    "left";
		return "";
	default:
		return "";
	}
}

void
remedy_text(char *out, size_t cap, const char *step, int error,
    const struct remedy_facts *f)
{
	const char *a = advice(step, error, f);

	/* a tool's own words, which say what there is to say */
	if (error == ECANCELED) {
		(void)snprintf(out, cap, "%s", step);
		return;
	}
	(void)snprintf(out, cap, "%s: %s%s%s", step, strerror(error),
	    a[0] == '\0' ? "" : ". ", a);
}

void
remedy_inherited(char *text, size_t cap, uint32_t lacking)
{
	static const struct {
		uint32_t layer;
		const char *why;
	} t[] = {{LAYER_IO, "no limit of the disk is set"},
	    {LAYER_DEVICES, "no root, or no cgroup of version 2 with BPF"},
	    {LAYER_TIME, "this kernel has no time namespaces"},
	    {LAYER_CORE, "no core scheduling: none in this kernel, or its "
		"cores have one thread"}};

	for (size_t i = 0; i < NELEM(t); i++) {
		size_t n = strlen(text);

		if ((lacking & t[i].layer) != 0)
			(void)snprintf(text + n, cap - n, "%s%s: %s", n == 0 ?
			    "" : "; ",
			    layer_name((unsigned)__builtin_ctz(t[i].layer)),
			    t[i].why);
	}
}
