/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/baits.h"

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
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "tests/escape/setup.h"

static char env_text[12][400];
static const char *env[13];
static unsigned envc;
static int shm_id = -1, sem_id = -1, msg_id = -1;
static int sockets[3] = {-1, -1, -1};
static char bare_at[300], shown[300], program[600];

static void
bait(const char *name, const char *value)
{
	(void)snprintf(env_text[envc], sizeof(env_text[0]), "%s=%s", name,
	    value);
	env[envc] = env_text[envc];
	envc++;
}

static bool
listening(int fd, const void *a, socklen_t len)
{
	return fd != -1 && bind(fd, a, len) == 0 && listen(fd, 64) == 0;
}

/* A stream on loopback, one with an abstract name, one with a path. */
static bool
bait_sockets(const struct drive *d)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int abstract = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int path = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[300];

	(void)snprintf(text, sizeof(text), "warren-bait-%d", (int)getpid());
	memcpy(un.sun_path + 1, text, strlen(text));
	if (!listening(tcp, &in, sizeof(in)) ||
	    getsockname(tcp, (struct sockaddr *)&in, &len) == -1 ||
	    !listening(abstract, &un, (socklen_t)(offsetof(struct sockaddr_un,
	    sun_path) + 1 + strlen(text))))
		return false;
	bait("HOST_ABSTRACT", text);
	(void)snprintf(text, sizeof(text), "%d", ntohs(in.sin_port));
	bait("HOST_PORT", text);
	(void)snprintf(text, sizeof(text), "%s/socket", d->folder);
	memset(un.sun_path, 0, sizeof(un.sun_path));
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", text);
	if (!listening(path, &un, sizeof(un)) || chmod(text, 0777) == -1)
		return false;
	bait("HOST_SOCKET", text);
	sockets[0] = tcp;
	sockets[1] = abstract;
	sockets[2] = path;
	return true;
}

static bool
bait_ipc(void)
{
	key_t key = 0x77000000 + (getpid() & 0xffffff);
	char text[32];

	shm_id = shmget(key, 4096, IPC_CREAT | 0666);
	sem_id = semget(key, 1, IPC_CREAT | 0666);
	msg_id = msgget(key, IPC_CREAT | 0666);
	(void)snprintf(text, sizeof(text), "%d", (int)key);
	bait("HOST_SHM", text);
	return shm_id != -1 && sem_id != -1 && msg_id != -1;
}

static bool
set_baits(const struct drive *d)
{
	struct utsname u;
	char text[300];
	int fd;

	envc = 0;
	memset(env, 0, sizeof(env));
	(void)snprintf(text, sizeof(text), "%s/secret", d->folder);
	fd = open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, "secret", 6) != 6 || uname(&u) == -1 ||
	    fchmod(fd, 0644) == -1 || !bait_sockets(d) || !bait_ipc())
		return false;
	(void)close(fd);
	bait("HOST_FILE", text);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	bait("HOST_PID", text);
	bait("HOST_NAME", u.nodename);
	bait("HOST_PATH", strrchr(d->folder, '/') + 1);
	if ((d->posture.layers & LAYER_CGROUP) != 0)
		bait("HOST_CGROUP", "1");
	if ((d->posture.layers & LAYER_MEMORY) != 0)
		bait("HOST_MEMORY", "1");
	(void)snprintf(bare_at, sizeof(bare_at), "%s/bare", d->folder);
	(void)snprintf(shown, sizeof(shown), "%s/shown", d->folder);
	return mkdir(bare_at, 0755) == 0 && mkdir(shown, 0755) == 0;
}

void
baits_remove(void)
{
	for (size_t i = 0; i < NELEM(sockets); i++)
		close_fd(&sockets[i]);
	if (shm_id != -1)
		(void)shmctl(shm_id, IPC_RMID, NULL);
	if (sem_id != -1)
		(void)semctl(sem_id, 0, IPC_RMID);
	if (msg_id != -1)
		(void)msgctl(msg_id, IPC_RMID, NULL);
}

static const uint8_t empty_tar[1024];

void
baits_job(struct drive_job *j, const struct id32 *image, const char *name)
{
	static const char *argv[] = {"/bin/probe", NULL, NULL};

	argv[1] = name;
	drive_job_init(j);
	j->image = *image;
	j->argv = argv;
	j->env = env;
	j->pids = 64;
	/* volumes, so that their mounts are seen as well */
	j->nvolumes = 2;
	j->volumes[0].kind = PLAN_VOL_RO;
	j->volumes[0].target = "/in/ro";
	j->volumes[0].blob = setup_blob(empty_tar, sizeof(empty_tar));
	j->volumes[1].kind = PLAN_VOL_RW;
	j->volumes[1].target = "/in/rw";
	j->volumes[1].blob = setup_blob(empty_tar, sizeof(empty_tar));
}

void
baits_job_done(struct drive_job *j)
{
	if (j->volumes[0].blob != -1)
		(void)close(j->volumes[0].blob);
	if (j->volumes[1].blob != -1)
		(void)close(j->volumes[1].blob);
	drive_job_clear(j);
}


void
baits_bare(struct bare *b)
{
	*b = (struct bare){program, bare_at, shown, env};
}

bool
baits_set(const struct drive *d, const char *root, const char *folder)
{
	char setid[600];

	(void)snprintf(program, sizeof(program), "%s/warren-probe", folder);
	(void)snprintf(setid, sizeof(setid), "%s/bin/setid", root);
	return setup_program(root, "probe", program) &&
	    setup_program(root, "setid", program) &&
	    chmod(setid, 06755) == 0 && set_baits(d);
}

static bool
row_parse(struct bait_row *r, char *line)
{
	char *why = strrchr(line, ' '), *layers;

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

unsigned
baits_list(struct drive *d, const struct id32 *image,
    struct bait_row rows[BAIT_ROWS])
{
	struct drive_job j;
	char *save = NULL;
	unsigned n = 0;

	baits_job(&j, image, "list");
	if (drive_run(d, &j) == 0 && j.started)
		for (char *l = strtok_r(j.out, "\n", &save);
		    l != NULL && n < BAIT_ROWS; l = strtok_r(NULL, "\n", &save))
			n = row_parse(&rows[n], l) ? n + 1 : BAIT_ROWS;
	else
		fprintf(stderr, "list: %s %s\n", j.code, j.why);
	baits_job_done(&j);
	return n == BAIT_ROWS ? 0 : n;
}

bool
baits_stops(const struct bait_row *r, const char *layer)
{
	size_t n = strlen(layer);

	for (const char *p = r->layers; (p = strstr(p, layer)) != NULL; p += n)
		if ((p == r->layers || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}
