/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/ifacelook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/check/ttylook.h"

static void note(struct check *, const struct rnsconf_if *, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
note(struct check *c, const struct rnsconf_if *n, const char *hint,
    const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	check_tell(c, true, "config", n->line, 1, hint, "interface \"%.80s\" "
	    "%s", n->name, text);
}

static void
look_at_port(struct check *c, const struct rnsconf_if *n)
{
	char why[200];

	if (tty_look(n->tty, why, sizeof(why)) == 0) {
		if (access(n->tty, R_OK | W_OK) == 0)
			return;
		tty_why(n->tty, errno, why, sizeof(why));
	}
	check_tell(c, true, "config", n->line, 1, NULL, "interface \"%.80s\" "
	    "cannot use %.120s now: %s", n->name, n->tty, why);
}

/* Digits and dots alone are no name: none ends in a number. */
static bool
bad_address(const char *host)
{
	struct in_addr raw;

	return host[0] != '\0' && host[strspn(host, "0123456789.")] == '\0' &&
	    inet_aton(host, &raw) == 0;
}

static void
look_at_host(struct check *c, const struct rnsconf_if *n, const char *key,
    const char *host)
{
	if (host != NULL && bad_address(host))
		note(c, n, "four numbers from 0 to 255 with dots between them, "
		    "or a name", "has a %s that is none: %.60s", key, host);
}

/* Whether it is an address of this machine: only then a port of it is given. */
static bool
is_ours(const char *host)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	bool six = inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
	_cleanup_fd_ int fd = -1;

	if (!six && inet_pton(AF_INET, host, &v4.sin_addr) != 1)
		return true; /* a name */
	fd = socket(six ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, six ? (void *)&v6 : (void *)&v4,
	    six ? sizeof(v6) : sizeof(v4)) == 0 || errno != EADDRNOTAVAIL;
}

static void
look_at_listener(struct check *c, const struct rnsconf_if *n)
{
	look_at_host(c, n, "listen_ip", n->listen_ip);
	if (n->listen_ip != NULL && n->device == NULL && !is_ours(n->listen_ip))
		note(c, n, "`ip address` shows those that there are; 0.0.0.0 "
		    "and :: are all", "cannot listen now: this machine has no "
		    "address %.60s", n->listen_ip);
}

static void
look_at_device(struct check *c, const struct rnsconf_if *n, const char *device)
{
	if (if_nametoindex(device) == 0 && errno == ENODEV)
		note(c, n, "`ip link` shows those that there are", "names the "
		    "device %.60s, which is not there now", device);
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

/* As execvp(3) looks for it, by the PATH of who asks. */
static bool
in_path(const char *name)
{
	const char *path = getenv("PATH");
	char at[4096];

	for (const char *p = path != NULL ? path : "/bin:/usr/bin"; *p != '\0';) {
		size_t n = strcspn(p, ":");

		if (snprintf(at, sizeof(at), "%.*s/%s", (int)n, p, name) <
		    (int)sizeof(at) && is_program(at))
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

/* warrend may have another PATH and folder, and its command another user. */
static void
look_at_command(struct check *c, const struct rnsconf_if *n, const char *name)
{
	static const char whole[] = "the whole path of a program";

	if (strchr(name, '/') == NULL) {
		if (!in_path(name))
			note(c, n, whole, "may not run its command: %.80s was "
			    "not found in this PATH", name);
	} else if (c->root && name[0] != '/') {
		note(c, n, whole, "runs its command in /: %.80s is looked for "
		    "there", name);
	} else if (!is_program(name)) {
		note(c, n, whole, "cannot run its command: there is no "
		    "program %.80s", name);
	}
}

void
check_interfaces(struct check *c, const struct rnsconf *conf)
{
	for (unsigned i = 0; i < conf->nifs; i++) {
		const struct rnsconf_if *n = &conf->ifs[i];

		if (!n->enabled)
			continue;
		if (n->tty != NULL)
			look_at_port(c, n);
		look_at_listener(c, n);
		look_at_host(c, n, "target_host", n->target_host);
		look_at_host(c, n, "forward_ip", n->forward_ip);
		if (n->device != NULL)
			look_at_device(c, n, n->device);
		for (unsigned k = 0; k < n->ndevices; k++)
			look_at_device(c, n, n->devices[k]);
		if (n->argv != NULL && n->argv[0] != NULL)
			look_at_command(c, n, n->argv[0]);
	}
}
