/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/attr.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

/* A folder of its own since Linux 5.8; before, there was one for all. */
static int
open_attr(enum lsm_kind kind, const char *proc, pid_t pid, const char *file,
    int flags)
{
	char who[24] = "self", path[320];
	int fd = -1;

	if (pid != 0)
		(void)snprintf(who, sizeof(who), "%ld", (long)pid);
	if (kind == LSM_APPARMOR) {
		(void)snprintf(path, sizeof(path), "%s/%s/attr/apparmor/%s",
		    proc, who, file);
		fd = open(path, flags | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			return fd;
	}
	(void)snprintf(path, sizeof(path), "%s/%s/attr/%s", proc, who, file);
	return open(path, flags | O_CLOEXEC);
}

/* The file's text without what ends it; -1 with errno. */
static int
read_text(int fd, char *out, size_t cap)
{
	ssize_t n = read(fd, out, cap - 1);

	if (n < 0)
		return -1;
	out[n] = '\0';
	while (n > 0 && (out[n - 1] == '\n' || out[n - 1] == '\0'))
		out[--n] = '\0';
	return 0;
}

/* "NAME (enforce)": the mode is cut off, and is it that one? */
static bool
cut_mode(char *text)
{
	char *mode = strrchr(text, ' ');
	bool enforced;

	if (mode == NULL || mode[1] != '(')
		return false; /* "unconfined" */
	enforced = strcmp(mode, " (enforce)") == 0;
	*mode = '\0';
	return enforced;
}

static int
current_of(enum lsm_kind kind, const char *proc, pid_t pid, char *out,
    size_t cap, bool *enforced)
{
	_cleanup_fd_ int fd = open_attr(kind, proc, pid, "current", O_RDONLY);

	if (fd < 0 || read_text(fd, out, cap) < 0)
		return -1;
	*enforced = kind != LSM_APPARMOR || cut_mode(out);
	return 0;
}

int
attr_current(enum lsm_kind kind, const char *proc, pid_t pid, char *out,
    size_t cap)
{
	bool enforced;

	return current_of(kind, proc, pid, out, cap, &enforced);
}

int
attr_exec(enum lsm_kind kind, const char *proc, const char *label)
{
	char said[LSM_LABEL_MAX + 16], text[LSM_LABEL_MAX + 16];
	/* of the one that opens it: after its last change of rights */
	_cleanup_fd_ int fd = open_attr(kind, proc, 0, "exec", O_RDWR);
	int n = snprintf(text, sizeof(text), "%s%s", kind == LSM_APPARMOR ?
	    "exec " : "", label);
	bool enforced = true;

	if (fd < 0 || write(fd, text, (size_t)n) != n)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0 || read_text(fd, said, sizeof(said)) < 0)
		return -1;
	/* what it says of AppArmor has a mode, and in some kernels a word */
	if (kind == LSM_APPARMOR && strstr(said, " (") != NULL)
		enforced = cut_mode(said);
	if (enforced && (strcmp(said, label) == 0 || strcmp(said, text) == 0))
		return 0;
	errno = enforced ? EBADMSG : EOPNOTSUPP;
	return -1;
}

int
attr_is(enum lsm_kind kind, const char *proc, pid_t pid, const char *label)
{
	char said[LSM_LABEL_MAX + 16];
	bool enforced = false;

	if (current_of(kind, proc, pid, said, sizeof(said), &enforced) < 0)
		return -1;
	return enforced && strcmp(said, label) == 0 ? 1 : 0;
}

int
attr_try(enum lsm_kind kind, const char *proc, const char *label)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(attr_exec(kind, proc, label) == 0 ? 0 :
		    errno & 0xff ? errno & 0xff : 255);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return errno == 0 ? 0 : -1;
}
