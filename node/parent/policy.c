/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/util.h"
#include "node/check/lsmlook.h"
#include "node/parent/parent.h"
#include "node/parent/rank.h"
#include "sandbox/image/store.h"
#include "sandbox/plan/lsm.h"

#define PARSER_MS 30000 /* ours: it takes a second on a small machine */

/*
 * Of this node, and of the same node's next start: what a parent that fell has
 * left is replaced.
 */
static void
own_prefix(char *out, size_t cap, const struct parent *p)
{
	char hex[9];

	hex_encode(hex, p->identity_hash.b, 4);
	(void)snprintf(out, cap, "warren-%s", hex);
}

static void
become_parser(int exe, int in, int err)
{
	char name[] = "apparmor_parser", quiet[] = "--quiet",
	    no_cache[] = "--skip-cache", verb[] = "--replace", *env[] = {NULL};
	char *argv[] = {name, quiet, no_cache, verb, NULL};
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	rank_before_relay(RANK_HOUSE);
	if (lseek(in, 0, SEEK_SET) == 0 && dup2(in, 0) >= 0 &&
	    dup2(err, 1) >= 0 && dup2(err, 2) >= 0)
		(void)fexecve(exe, argv, env);
	_exit(127);
}

/* Its end; -1: it took too long, and was ended. */
static int
await(pid_t pid)
{
	_cleanup_fd_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd f = {.fd = fd, .events = POLLIN};
	bool late = fd < 0 || poll(&f, 1, PARSER_MS) != 1;
	int status = -1;

	if (late)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return late ? -1 : status;
}

/* The first line of what it said, for people. */
static void
first_line(int fd, char *out, size_t cap)
{
	ssize_t n = pread(fd, out, cap - 1, 0);

	out[n < 0 ? 0 : n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	for (char *c = out; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* 0, or -1 and why. */
static int
load(const char *prefix, char why[LSM_WHY_MAX])
{
	_cleanup_free_ char *text = malloc(APPARMOR_TEXT_MAX);
	_cleanup_fd_ int exe = lsmlook_parser(), in = -1, err = -1;
	char said[100];
	int n, status;
	pid_t pid;

	if (exe < 0) {
		(void)snprintf(why, LSM_WHY_MAX, "AppArmor is on, and there is "
		    "no apparmor_parser: install the package apparmor");
		return -1;
	}
	n = text == NULL ? -1 : apparmor_text(text, APPARMOR_TEXT_MAX, prefix);
	in = n < 0 ? -1 : memfd_sealed("profiles", text, (size_t)n);
	err = memfd_unsealed("said");
	pid = in < 0 || err < 0 ? -1 : fork();
	if (pid == 0)
		become_parser(exe, in, err);
	status = pid < 0 ? -1 : await(pid);
	if (status == 0)
		return 0;
	first_line(err, said, sizeof(said));
	(void)snprintf(why, LSM_WHY_MAX, "AppArmor: apparmor_parser %s",
	    pid < 0 ? "was not started" : status < 0 ? "took too long" :
	    said[0] != '\0' ? said : "failed; may warrend load policy "
	    "(CAP_MAC_ADMIN)?");
	return -1;
}

static void
apparmor(struct parent *p, struct lsm *l)
{
	const char *own = p->profile->apparmor;

	if (own != NULL && strcmp(own, "auto") != 0) {
		l->whole = true;
		(void)snprintf(l->name, sizeof(l->name), "%s", own);
	} else if (!p->root) {
		(void)snprintf(l->why, sizeof(l->why), "AppArmor is on: only "
		    "root loads profiles; name one that is loaded by "
		    "`apparmor` of the container profile");
	} else {
		own_prefix(l->name, sizeof(l->name), p);
		p->policy_loaded = load(l->name, l->why) == 0;
	}
	if (l->why[0] == '\0')
		l->kind = LSM_APPARMOR;
}

void
policy_load(struct parent *p)
{
	const char *own = p->profile->apparmor;
	enum lsm_kind here = lsmlook("/sys");
	char text[LSM_TEXT_MAX];
	struct lsm l = {.kind = LSM_NONE};

	if (here == LSM_SELINUX) {
		l.kind = LSM_SELINUX;
		if (own != NULL && strcmp(own, "auto") != 0)
			log_notice(NULL, "apparmor: %s of the container "
			    "profile is not used: this kernel enforces SELinux",
			    own);
		if (store_label(p->images_dir) < 0)
			log_warn("images", "label of SELinux");
		p->fd_enforce = lsmlook_enforce("/sys");
	} else if (own != NULL && strcmp(own, "off") == 0) {
		if (here == LSM_APPARMOR)
			(void)snprintf(l.why, sizeof(l.why), "AppArmor is off "
			    "in the container profile");
	} else if (here == LSM_APPARMOR) {
		apparmor(p, &l);
	} else if (own != NULL && strcmp(own, "auto") != 0) {
		(void)snprintf(l.why, sizeof(l.why), "this kernel enforces no "
		    "AppArmor");
	}
	if (l.why[0] != '\0')
		log_notice(NULL, "layer lsm: %s", l.why);
	lsm_write(text, &l);
	p->fd_lsm = memfd_sealed("lsm", text, strlen(text));
}

void
policy_again(struct parent *p)
{
	char name[APPARMOR_NAME_MAX], prefix[APPARMOR_PREFIX_MAX];
	char why[LSM_WHY_MAX];
	struct apparmor_shape s;
	bool whole = true;

	if (!p->policy_loaded)
		return;
	own_prefix(prefix, sizeof(prefix), p);
	for (unsigned i = 0; i < APPARMOR_SHAPES && whole; i++) {
		apparmor_shape(i, &s);
		apparmor_name(name, prefix, &s);
		whole = lsmlook_enforced("/sys", name);
	}
	if (whole)
		return;
	if (load(prefix, why) < 0)
		log_warnx(NULL, "layer lsm: %s", why);
	else
		log_notice(NULL, "layer lsm: AppArmor's profiles were gone, "
		    "and are loaded again");
}

void
policy_remove(struct parent *p)
{
	char name[APPARMOR_NAME_MAX], prefix[APPARMOR_PREFIX_MAX];
	_cleanup_fd_ int fd = -1;
	struct apparmor_shape s;

	if (!p->policy_loaded)
		return;
	own_prefix(prefix, sizeof(prefix), p);
	fd = open("/sys/kernel/security/apparmor/.remove", O_WRONLY |
	    O_CLOEXEC);
	for (unsigned i = 0; i < APPARMOR_SHAPES; i++) {
		apparmor_shape(i, &s);
		apparmor_name(name, prefix, &s);
		if (fd < 0 || write(fd, name, strlen(name)) < 0)
			log_warn(NULL, "profile %s is left", name);
	}
	p->policy_loaded = false;
}
