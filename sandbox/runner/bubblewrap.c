/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include "common/util.h"

/*
 * bwrap(1), 0.6 and later. --dev-bind takes the root as it was built: --ro-bind
 * would make volumes read-only that are not, --bind takes the devices away.
 * Its /proc is a whole one: with CAP_SYS_ADMIN of the tool's namespace, which is
 * none outside, warren-inner lays one over it that has no files of the machine,
 * and with CAP_SETPCAP it takes both out of the job's bounding set.
 * --as-pid-1: else its own first process has the job's user, and what a job may
 * do to one of its own user (linux-sandbox.md 9).
 */
bool
bubblewrap_terms(struct terms *t, const struct terms_in *in)
{
	static const char *const words[] = {"bwrap", "--unshare-user", "--uid",
	    "1000", "--gid", "1000", "--unshare-pid", "--unshare-net",
	    "--unshare-ipc", "--unshare-uts", "--unshare-cgroup", "--hostname",
	    "burrow", "--die-with-parent", "--new-session", "--clearenv",
	    "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN", "--cap-add",
	    "CAP_SETPCAP", "--dev-bind", TERMS_ROOT, "/", "--proc", "/proc"};

	for (size_t i = 0; i < NELEM(words); i++)
		terms_word(t, words[i]);
	if (in->read_only) {
		terms_word(t, "--remount-ro");
		terms_word(t, "/");
	}
	terms_word(t, "--chdir");
	terms_word(t, "/");
	terms_word(t, "--as-pid-1");
	terms_word(t, "--");
	terms_word(t, TERMS_INNER);
	return t->argc <= TERMS_ARGS;
}
