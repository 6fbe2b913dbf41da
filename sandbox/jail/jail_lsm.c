/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/jail_lsm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/layers.h"
#include "common/log.h"
#include "sandbox/base/attr.h"

/* By the error that the kernel answers an unknown or a forbidden label with. */
static const char *
remedy(const struct lsm *l, int error)
{
	if (l->kind == LSM_SELINUX)
		return error == EINVAL ? "the policy has no " SELINUX_JOB
		    ": semodule -i warren.cil" : "the domain of warrend may "
		    "not start jobs as " SELINUX_JOB;
	if (error == ENOENT)
		return "the profile is not loaded";
	if (error == EOPNOTSUPP)
		return "the profile only warns: aa-enforce";
	return error == EACCES || error == EPERM ? "warrend has a profile "
	    "itself, which lacks change_profile" : "";
}

void
jail_lsm(struct lsm *out, int fd)
{
	char text[LSM_TEXT_MAX], label[LSM_LABEL_MAX];
	ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);
	struct lsm l;
	int error;

	memset(out, 0, sizeof(*out));
	if (n <= 0)
		return;
	text[n] = '\0';
	if (!lsm_read(&l, text))
		fatalx("the parent's word on labels: %s", text);
	if (l.kind == LSM_SELINUX && attr_current(l.kind, "/proc", 0,
	    l.current, sizeof(l.current)) < 0)
		l.current[0] = '\0';
	if (l.kind == LSM_NONE || (lsm_label_any(label, &l) &&
	    attr_try(l.kind, "/proc", label) == 0)) {
		*out = l;
		return;
	}
	error = errno;
	(void)snprintf(out->why, sizeof(out->why), "%s: %s. %s",
	    l.kind == LSM_SELINUX ? "SELinux" : "AppArmor", strerror(error),
	    remedy(&l, error));
}

uint32_t
jail_lsm_now(uint32_t layers, int enforce)
{
	char c = '\0';

	if (enforce < 0 || (pread(enforce, &c, 1, 0) == 1 && c == '1'))
		return layers;
	return layers & ~(uint32_t)LAYER_LSM;
}

void
jail_lsm_missing(const struct lsm *l, bool sets, char *text, size_t cap)
{
	size_t n = strlen(text);
	const char *why = l->why;

	if (why[0] == '\0' && l->kind != LSM_NONE && !sets)
		why = "in its container the runner's jobs cannot get a label";
	if (why[0] != '\0')
		(void)snprintf(text + n, cap - n, "%slsm: %s", n == 0 ? "" :
		    "; ", why);
}
