/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include <stdio.h>

#include "common/util.h"

#define STORE TERMS_STATE "/store"

/* Locks in files: the others want a /dev/shm of the machine. No hooks. */
static const char config[] =
    "[engine]\n"
    "lock_type = \"file\"\n"
    "hooks_dir = []\n"
    "num_locks = 16\n"
    "[containers]\n"
    "keyring = false\n";

/*
 * podman 4 and later, with crun: of those that it can use only that one leaves
 * groups alone. It has no image, no store, no containers.conf and no
 * mounts.conf of the machine's or of the user's: its folders begin empty and
 * end with the job, and so do conmon and what it starts when a container ends,
 * in pid 1's namespace. storage.conf it reads, since none is an error to it;
 * root, runroot and driver that are said above go before what is in there.
 *
 * --ulimit host: else it sets limits that its user may not raise
 * (linux-sandbox.md 1.1). CAP_SETFCAP as for crun (oci.c). Its masks of /proc
 * are not wanted, since who sees a masked one may mount no other: with
 * CAP_SYS_ADMIN of the tool's namespace, which is none outside, warren-inner
 * mounts one that has no such files at all (stub.h). Of its filter there is
 * nothing, nor of its label of SELinux, from which no way would lead to a job's:
 * warren-inner adds those of every job. All that is gone before anything of a
 * stranger starts.
 */
bool
podman_terms(struct terms *t, const struct terms_in *in)
{
	static const char *const words[] = {"podman", "--root", STORE,
	    "--runroot", TERMS_STATE "/run", "--tmpdir", TERMS_STATE "/tmp",
	    "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs",
	    "--events-backend", "none", "--runtime", "crun", "--runtime-flag",
	    "root=" TERMS_STATE "/crun", "--log-level", "error",
	    "--default-mounts-file", "/dev/null", "run", "--rm", "--rootfs", "--pull", "never", "--cgroups",
	    "disabled", "--network", "none", "--no-hosts", "--ipc", "none",
	    "--log-driver", "none", "--read-only", "--read-only-tmpfs=false",
	    "--cap-drop", "all", "--cap-add", "SETFCAP", "--cap-add",
	    "SYS_ADMIN", "--security-opt", "unmask=ALL", "--security-opt",
	    "no-new-privileges", "--security-opt", "seccomp=unconfined",
	    "--security-opt", "label=disable",
	    "--systemd", "false", "--image-volume", "ignore",
	    "--passwd=false", "--http-proxy=false", "--unsetenv-all",
	    "--hostname", "burrow", "--ulimit", "host", "--mount",
	    "type=bind,src=/dev,dst=/dev,ro=true", "--preserve-fds"};
	static const char *const last[] = {"--user", "0:0", "--workdir", "/",
	    "--entrypoint", TERMS_INNER, TERMS_STUB};

	/* of the job's own root: it is a folder in the one that is said here */
	(void)in->read_only;
	for (size_t i = 0; i < NELEM(words); i++)
		terms_word(t, words[i]);
	(void)snprintf(t->buf, sizeof(t->buf), "%d",
	    TERMS_LAST_FD - TERMS_FIRST_FD + 1);
	terms_word(t, t->buf);
	for (size_t i = 0; i < NELEM(last); i++)
		terms_word(t, last[i]);
	(void)snprintf(t->text, sizeof(t->text), "%s", config);
	return t->argc <= TERMS_ARGS;
}
