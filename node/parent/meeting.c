/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/meeting.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/ipc.h"
#include "common/log.h"
#include "common/util.h"
#include "node/check/tool.h"
#include "node/parent/parent.h"
#include "sandbox/runner/envoy.h"

#define FOLDER "docker"

/* What goes by itself is gone too; of a socket that went Docker makes a folder. */
static int
take_away(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

/* Sockets of a life that was cut off: nobody listens there. */
static int
empty(int dir)
{
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	int rv = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rv |= take_away(dir, e->d_name);
	(void)closedir(d);
	return rv;
}

int
meeting_make(struct parent *p)
{
	struct envoy_place m = {{0}, {0}, {0}};
	const char *socket = p->node->runner_path;
	char text[sizeof(m) + 3];
	_cleanup_fd_ int dir = -1;
	int n;

	if (mkdirat(p->run, FOLDER, 0700) < 0 && errno != EEXIST) {
		log_err(p->path, "cannot make the folder run/" FOLDER);
		return -1;
	}
	dir = openat(p->run, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (dir < 0 || fchown(dir, 0, 0) < 0 || fchmod(dir, 0700) < 0 ||
	    empty(dir) < 0) {
		log_err(p->path, "folder run/" FOLDER);
		return -1;
	}
	hex_encode(m.node, p->identity_hash.b, (DOCKER_NODE - 1) / 2);
	n = snprintf(m.meet, sizeof(m.meet), "%s/warren/run/" FOLDER, p->path);
	if (n < 0 || (size_t)n >= sizeof(m.meet)) {
		log_errx(p->path, "runner: the folder's path is too long for "
		    "docker");
		return -1;
	}
	n = snprintf(m.socket, sizeof(m.socket), "%s",
	    socket == NULL ? TOOL_SOCKET : socket);
	/* it is told in JSON */
	if (!utf8_valid(m.meet, strlen(m.meet))) {
		log_errx(p->path, "runner: the folder's path is no UTF-8");
		return -1;
	}
	if ((size_t)n >= sizeof(m.socket) ||
	    !envoy_place_write(text, sizeof(text), &m)) {
		log_errx(p->path, "runner: a path that docker cannot be told");
		return -1;
	}
	close_fd(&p->fd_tool);
	p->fd_tool = memfd_sealed("docker", text, strlen(text));
	if (p->fd_tool < 0)
		log_err(p->path, "runner");
	return p->fd_tool < 0 ? -1 : 0;
}
