/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "node/parent/parent.h"
#include "node/parent/reader.h"


static int
listen_abstract(const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	_cleanup_fd_ int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || n + 1 > sizeof(sa.sun_path))
		return -1;
	/*
	 * no NUL behind it: the length is part of the name
	 * (reticulum-transport.md 12.1)
	 */
	memcpy(sa.sun_path + 1, name, n);
	if (bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)) <
		0 ||
	    listen(fd, LISTEN_BACKLOG) < 0)
		return -1;
	return steal_fd(&fd);
}

static int
listen_loopback(uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	_cleanup_fd_ int fd =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0)
		return -1;
	return steal_fd(&fd);
}

static int
instance_socket(struct parent *p, bool rpc)
{
	const struct rnsconf *c = p->rns;
	char name[128];
	uint16_t port =
	    rpc ? c->instance_control_port : c->shared_instance_port;
	int fd;

	if (c->shared_instance_type == RNSCONF_UNIX) {
		if (rnsconf_socket_name(c, rpc, name, sizeof(name)) == 0) {
			log_errx("config", "instance_name is too long");
			return -1;
		}
		fd = listen_abstract(name);
	} else {
		(void)snprintf(name, sizeof(name), "127.0.0.1:%u", port);
		fd = listen_loopback(port);
	}
	if (fd >= 0)
		return fd;
	if (errno == EADDRINUSE)
		log_errx("config", "instance \"%s\" is taken: %s is in use by "
				   "another Reticulum program. Stop it, or set "
				   "another %s",
		    c->instance_name, name,
		    c->shared_instance_type == RNSCONF_UNIX ? "instance_name" :
		    rpc ? "instance_control_port" : "shared_instance_port");
	else
		log_err("config", "shared instance at %s", name);
	return -1;
}

int
listen_instance(struct parent *p)
{
	if (!p->rns->share_instance)
		return 0;
	p->listen_data = instance_socket(p, false);
	if (p->listen_data < 0)
		return -1;
	p->listen_rpc = instance_socket(p, true);
	return p->listen_rpc < 0 ? -1 : 0;
}

/* warren/run/NAME: 0600, so root and we alone can connect. */
static int
control_socket(struct parent *p, const char *name)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;
	_cleanup_fd_ int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* the folder's path may be longer than an address */
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s",
	    p->run, name);
	if (unlinkat(p->run, name, 0) < 0 && errno != ENOENT) {
		log_err(p->path, "warren/run/%s", name);
		return -1;
	}
	mask = umask(0177);
	r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (r < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		log_err(p->path, "warren/run/%s", name);
		return -1;
	}
	return steal_fd(&fd);
}

int
listen_control(struct parent *p)
{
	p->listen_mesh = control_socket(p, "mesh.sock");
	if (p->listen_mesh < 0)
		return -1;
	if (!p->compute) {
		(void)unlinkat(p->run, "node.sock", 0); /* an older run's */
		return 0;
	}
	p->listen_node = control_socket(p, "node.sock");
	return p->listen_node < 0 ? -1 : 0;
}

int
listen_watchdog(struct parent *p)
{
	return control_socket(p, WATCHDOG_SOCK);
}

/*
 * A socket that a run before this one left is in the way; nothing else is.
 * group may be NULL: then who owns it is left as it is.
 */
static int
unix_at(const char *path, mode_t without, const char *group)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int r;
	_cleanup_fd_ int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(sa.sun_path))
		return -1;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	mask = umask(without);
	r = bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	(void)umask(mask);
	if (r == 0 && group != NULL)
		reader_group(path, group);
	return r < 0 || listen(fd, LISTEN_BACKLOG) < 0 ? -1 : steal_fd(&fd);
}

/* Whoever reaches it may connect: who he is, is asked then. */
int
listen_watchdog_at(const char *path)
{
	return unix_at(path, 0111, NULL);
}

/* ---- metrics ---- */

static int
metrics_tcp(const char *text)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int on = 1;
	_cleanup_fd_ int fd = -1;

	if (!metrics_address(text, &sa, &len))
		return -1;
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0)
		return -1;
	return steal_fd(&fd);
}

void
listen_metrics(struct parent *p)
{
	const char *at = p->node->metrics;

	if (at == NULL)
		return;
	/* us, root, and the group that the operator names */
	p->listen_metrics = strncmp(at, "unix:", 5) == 0 ?
	    unix_at(at + 5, 0117, p->node->metrics_group) : metrics_tcp(at);
	if (p->listen_metrics < 0)
		log_err("node.yaml", "metrics: %s; there are none until the "
		    "next start", at);
	else
		log_info("node.yaml", "metrics: %s", at);
}
