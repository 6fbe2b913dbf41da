/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/probe/baits.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/layers.h"
#include "common/util.h"

static void
bait(struct baits *b, const char *name, const char *value)
{
	if (b->n >= BAITS_MAX)
		return;
	(void)snprintf(b->text[b->n], sizeof(b->text[0]), "%s=%s", name,
	    value);
	b->env[b->n] = b->text[b->n];
	b->n++;
}

static bool
listening(int fd, const void *a, socklen_t len)
{
	return fd >= 0 && bind(fd, a, len) == 0 && listen(fd, 64) == 0;
}

/* A stream on loopback, one with an abstract name, one with a path. */
static int
lay_sockets(struct baits *b, const char *folder)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);
	char text[300];

	b->sockets[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b->sockets[1] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b->sockets[2] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(text, sizeof(text), "warren-bait-%d", (int)getpid());
	memcpy(un.sun_path + 1, text, strlen(text));
	if (!listening(b->sockets[0], &in, sizeof(in)) ||
	    getsockname(b->sockets[0], (struct sockaddr *)&in, &len) < 0 ||
	    !listening(b->sockets[1], &un, (socklen_t)(offsetof(
	    struct sockaddr_un, sun_path) + 1 + strlen(text))))
		return -1;
	bait(b, "HOST_ABSTRACT", text);
	(void)snprintf(text, sizeof(text), "%d", ntohs(in.sin_port));
	bait(b, "HOST_PORT", text);
	(void)snprintf(text, sizeof(text), "%s/socket", folder);
	memset(un.sun_path, 0, sizeof(un.sun_path));
	if ((size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s", text) >=
	    sizeof(un.sun_path))
		return -1;
	if (!listening(b->sockets[2], &un, sizeof(un)) ||
	    chmod(text, 0777) < 0)
		return -1;
	bait(b, "HOST_SOCKET", text);
	return 0;
}

static int
lay_ipc(struct baits *b)
{
	key_t key = 0x77000000 + (getpid() & 0xffffff);
	char text[32];

	b->shm = shmget(key, 4096, IPC_CREAT | 0666);
	b->sem = semget(key, 1, IPC_CREAT | 0666);
	b->msg = msgget(key, IPC_CREAT | 0666);
	(void)snprintf(text, sizeof(text), "%d", (int)key);
	bait(b, "HOST_SHM", text);
	return b->shm < 0 || b->sem < 0 || b->msg < 0 ? -1 : 0;
}

int
baits_lay(struct baits *b, const char *folder, uint32_t layers)
{
	const char *last = strrchr(folder, '/');
	_cleanup_fd_ int fd = -1;
	struct utsname u;
	struct timespec up;
	char text[300];

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < NELEM(b->sockets); i++)
		b->sockets[i] = -1;
	b->shm = b->sem = b->msg = -1;
	(void)snprintf(text, sizeof(text), "%s/secret", folder);
	fd = open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "secret", 6) != 6 || fchmod(fd, 0644) < 0 ||
	    uname(&u) < 0 || clock_gettime(CLOCK_BOOTTIME, &up) < 0 || lay_sockets(b, folder) < 0 || lay_ipc(b) < 0)
		return -1;
	bait(b, "HOST_FILE", text);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	bait(b, "HOST_PID", text);
	bait(b, "HOST_NAME", u.nodename);
	(void)snprintf(text, sizeof(text), "%lld", (long long)up.tv_sec);
	if ((layers & LAYER_TIME) != 0)
		bait(b, "HOST_UPTIME", text);
	bait(b, "HOST_PATH", last == NULL ? folder : last + 1);
	if ((layers & LAYER_CGROUP) != 0)
		bait(b, "HOST_CGROUP", "1");
	if ((layers & LAYER_CPU) != 0)
		bait(b, "HOST_CPU", "1");
	if ((layers & LAYER_MEMORY) != 0)
		bait(b, "HOST_MEMORY", "1");
	return 0;
}

void
baits_lift(struct baits *b)
{
	for (size_t i = 0; i < NELEM(b->sockets); i++)
		close_fd(&b->sockets[i]);
	if (b->shm >= 0)
		(void)shmctl(b->shm, IPC_RMID, NULL);
	if (b->sem >= 0)
		(void)semctl(b->sem, 0, IPC_RMID);
	if (b->msg >= 0)
		(void)msgctl(b->msg, IPC_RMID, NULL);
	b->shm = b->sem = b->msg = -1;
}

bool
probe_row_parse(struct probe_row *r, const char *line)
{
	const char *why = strrchr(line, ' '), *layers;

	memset(r, 0, sizeof(*r));
	if (why == NULL || sscanf(line, "%47s %7s", r->name, r->kind) != 2 ||
	    (layers = strchr(line, ' ')) == NULL ||
	    (layers = strchr(layers + 1, ' ')) == NULL || layers == why)
		return false;
	(void)snprintf(r->unproved, sizeof(r->unproved), "%s", why + 1);
	(void)snprintf(r->layers, sizeof(r->layers), "%.*s",
	    (int)(why - layers - 1), layers + 1);
	return true;
}

bool
probe_row_stops(const struct probe_row *r, const char *layer)
{
	size_t n = strlen(layer);

	for (const char *p = r->layers; (p = strstr(p, layer)) != NULL; p += n)
		if ((p == r->layers || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}
