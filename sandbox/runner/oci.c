/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/terms.h"

#include <stdio.h>

#include "common/util.h"

/*
 * crun and runc by the OCI runtime specification 1.0. Both want to be root of
 * their user namespace, which they are where they start: so the container has
 * the ids that they have, and warren-inner makes the last namespace, where the
 * job's user is the usual one (whose map of root wants CAP_SETFCAP of it, until
 * then: user_namespaces(7)). Groups are the slot's: nothing here sets one.
 */
static const char config[] =
    "{\"ociVersion\":\"1.0.2\","
    "\"process\":{\"terminal\":false,\"user\":{\"uid\":%u,\"gid\":%u},"
    "\"args\":[\"" TERMS_INNER "\"],\"env\":[],\"cwd\":\"/\","
    "\"capabilities\":{\"bounding\":[\"CAP_SETFCAP\"],"
    "\"effective\":[\"CAP_SETFCAP\"],\"permitted\":[\"CAP_SETFCAP\"],"
    "\"inheritable\":[],\"ambient\":[]},\"noNewPrivileges\":true},"
    "\"root\":{\"path\":\"" TERMS_ROOT "\",\"readonly\":%s},"
    "\"hostname\":\"burrow\","
    "\"mounts\":["
    "{\"destination\":\"/dev\",\"type\":\"bind\",\"source\":\"/dev\","
    "\"options\":[\"rbind\",\"ro\",\"nosuid\",\"noexec\"]},"
    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
    "\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"hidepid=4\",\"subset=pid\"]}],"
    "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},"
    "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}%s]}}\n";

static bool
oci(struct terms *t, const struct terms_in *in, const char *more)
{
	int n = snprintf(t->text, sizeof(t->text), config, in->uid, in->gid,
	    in->read_only ? "true" : "false", more);
	static const char *const words[] = {"run", "--bundle", TERMS_BUNDLE,
	    "--no-new-keyring", "--preserve-fds"};

	for (size_t i = 0; i < NELEM(words); i++)
		terms_word(t, words[i]);
	(void)snprintf(t->buf, sizeof(t->buf), "%d",
	    TERMS_LAST_FD - TERMS_FIRST_FD + 1);
	terms_word(t, t->buf);
	terms_word(t, "job");
	return n > 0 && n < (int)sizeof(t->text) && t->argc <= TERMS_ARGS;
}

bool
crun_terms(struct terms *t, const struct terms_in *in)
{
	terms_word(t, "crun");
	terms_word(t, "--root");
	terms_word(t, TERMS_STATE);
	terms_word(t, "--cgroup-manager=disabled");
	return oci(t, in, ",{\"type\":\"cgroup\"}");
}

bool
runc_terms(struct terms *t, const struct terms_in *in)
{
	terms_word(t, "runc");
	terms_word(t, "--root");
	terms_word(t, TERMS_STATE);
	return oci(t, in, "");
}
