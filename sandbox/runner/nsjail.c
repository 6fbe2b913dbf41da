/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include <stdio.h>

#include "common/util.h"

#define CONFIG TERMS_BUNDLE "/config.json" /* whatever is in it */

/*
 * nsjail, 3.0 and later: a configuration in text form of protobuf. Limits of
 * its own are off, since those of the job's group and of warren-inner are there
 * (3.x would set a job's files to 32 and its memory to 4 GB), and so is its
 * clock: jail has one.
 */
bool
nsjail_terms(struct terms *t, const struct terms_in *in)
{
	int n = snprintf(t->text, sizeof(t->text),
	    "mode: ONCE\n"
	    "hostname: \"burrow\"\n"
	    "cwd: \"/\"\n"
	    "time_limit: 0\n"
	    "log_fd: 2\n"
	    "log_level: WARNING\n"
	    "keep_env: false\n"
	    "keep_caps: false\n"
	    "disable_no_new_privs: false\n"
	    "disable_rl: true\n"
	    "clone_newnet: true\n"
	    "clone_newuser: true\n"
	    "clone_newns: true\n"
	    "clone_newpid: true\n"
	    "clone_newipc: true\n"
	    "clone_newuts: true\n"
	    "clone_newcgroup: true\n"
	    "iface_no_lo: true\n"
	    "mount_proc: false\n"
	    "uidmap { inside_id: \"1000\" outside_id: \"%u\" count: 1 }\n"
	    "gidmap { inside_id: \"1000\" outside_id: \"%u\" count: 1 }\n"
	    "mount { src: \"" TERMS_ROOT "\" dst: \"/\" is_bind: true rw: %s "
	    "nosuid: true nodev: true }\n"
	    "mount { dst: \"/proc\" fstype: \"proc\" "
	    "options: \"hidepid=4,subset=pid\" rw: true nosuid: true "
	    "nodev: true noexec: true }\n",
	    in->uid, in->gid, in->read_only ? "false" : "true");

	if (n < 0 || (size_t)n >= sizeof(t->text))
		return false;
	for (int fd = TERMS_FIRST_FD; fd <= TERMS_LAST_FD; fd++) {
		int k = snprintf(t->text + n, sizeof(t->text) - (size_t)n,
		    "pass_fd: %d\n", fd);

		if (k < 0 || (n += k) >= (int)sizeof(t->text))
			return false;
	}
	n += snprintf(t->text + n, sizeof(t->text) - (size_t)n,
	    "exec_bin { path: \"" TERMS_INNER "\" }\n");
	terms_word(t, "nsjail");
	/*
	 * Not that the root may be written: the mount above says whether. It
	 * would set the flags of its last mount anew, without those of ours.
	 */
	terms_word(t, "--rw");
	terms_word(t, "--config");
	terms_word(t, CONFIG);
	return t->argc <= TERMS_ARGS && n < (int)sizeof(t->text);
}
