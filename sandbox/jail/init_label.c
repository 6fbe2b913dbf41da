/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/init_label.h"

#include <sys/random.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/layers.h"
#include "sandbox/base/attr.h"

const char *
init_label(const struct init_env *e, const struct init_job *j,
    const struct place *places, struct command *c)
{
	static char label[LSM_LABEL_MAX], proc[PLACE_PATH_MAX + 2];
	struct apparmor_places at = {.dev = places[PLACE_DEV].path,
	    .tmp = places[PLACE_TMP].path, .proc = places[PLACE_PROC].path};

	for (uint32_t i = 0; i < j->plan.nvolumes; i++)
		at.volumes[i] = places[PLACE_FIXED + i].path;
	if (lsm_label(label, e->lsm, &j->plan, &at)) {
		(void)snprintf(proc, sizeof(proc), "/%s", at.proc);
		c->lsm = e->lsm->kind;
		c->label = label;
		c->proc = proc;
	} else if ((j->plan.layers & LAYER_LSM) != 0)
		return "no profile of AppArmor fits an image whose /dev or "
		    "/proc leads elsewhere";
	return NULL;
}

const char *
init_unlabelled(const struct command *c)
{
	if (c->failed == NULL || strcmp((const char *)c->failed,
	    COMMAND_LABEL) != 0)
		return NULL;
	if (c->lsm == LSM_SELINUX)
		return c->error == EINVAL ? "SELinux's policy has no "
		    SELINUX_JOB " any more: semodule -i warren.cil" : NULL;
	return c->error == ENOENT ? "the profile of AppArmor is not loaded any "
	    "more: warren reload" : c->error == EOPNOTSUPP ? "the profile of "
	    "AppArmor only warns now: aa-enforce" : NULL;
}

/*
 * vfork() comes back when the child is about to leave our memory, which is
 * before it has its new rights. Until it has left, what is read of its memory
 * is ours; from then on the kernel lets whoever asks wait until the exec is
 * whole (exec_update_lock), and what becomes of the question is nothing to us.
 */
static void
await_exec(pid_t pid)
{
	struct timespec pause = {0, 20000};
	uint8_t mark[16], seen[16] = {0};
	struct iovec here = {seen, sizeof(seen)}, there = {mark, sizeof(mark)};

	if (getrandom(mark, sizeof(mark), 0) != sizeof(mark))
		return;
	while (process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(seen) &&
	    memcmp(mark, seen, sizeof(mark)) == 0)
		(void)nanosleep(&pause, NULL);
}

/* Ended already, and not yet reaped. */
static bool
is_dead(pid_t pid)
{
	siginfo_t si = {.si_pid = 0};

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
	    0 && si.si_pid == pid;
}

const char *
init_labelled(const struct command *c, pid_t pid, uint32_t *layers)
{
	int is;

	*layers = 0;
	if (c->label == NULL)
		return NULL;
	await_exec(pid);
	is = attr_is(c->lsm, c->proc, pid, c->label);
	if (is == 1)
		*layers = LAYER_LSM;
	/* nothing of a stranger has run in what never became its command */
	if (is == 1 || c->unstarted || is_dead(pid))
		return NULL;
	if (is == 0)
		return "the command is not under the label that it was "
		    "started with";
	return (c->plan->layers & LAYER_LSM) != 0 ? "the label of the command "
	    "cannot be read" : NULL;
}
