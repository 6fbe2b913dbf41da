/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each attack of warren-probe as a job of its own, with a seccomp program of
 * node that allows everything: what holds is jail's own. Host-side baits are
 * set first, so that "not found" is not "not there", and each attack is seen
 * to succeed without a sandbox.
 * test_probes BUILD-FOLDER BUSYBOX [NAME]
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
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

#include "common/file.h"
#include "common/util.h"
#include "tests/escape/bare.h"
#include "tests/escape/setup.h"

static struct drive d;
static char env_text[12][300];
static const char *env[13];
static unsigned envc;
static int shm_id = -1, sem_id = -1, msg_id = -1;
static char bare_at[300], shown[300], program[600];
static const char *who;

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
bait_sockets(void)
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
	(void)snprintf(text, sizeof(text), "%s/socket", d.folder);
	memset(un.sun_path, 0, sizeof(un.sun_path));
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", text);
	if (!listening(path, &un, sizeof(un)) || chmod(text, 0777) == -1)
		return false;
	bait("HOST_SOCKET", text);
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
set_baits(void)
{
	struct utsname u;
	char text[300];
	int fd;

	(void)snprintf(text, sizeof(text), "%s/secret", d.folder);
	fd = open(text, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	if (fd == -1 || write(fd, "secret", 6) != 6 || uname(&u) == -1 ||
	    fchmod(fd, 0644) == -1 || !bait_sockets() || !bait_ipc())
		return false;
	(void)close(fd);
	bait("HOST_FILE", text);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	bait("HOST_PID", text);
	bait("HOST_NAME", u.nodename);
	bait("HOST_PATH", strrchr(d.folder, '/') + 1);
	if ((d.posture.layers & LAYER_CGROUP) != 0)
		bait("HOST_CGROUP", "1");
	if ((d.posture.layers & LAYER_MEMORY) != 0)
		bait("HOST_MEMORY", "1");
	(void)snprintf(bare_at, sizeof(bare_at), "%s/bare", d.folder);
	(void)snprintf(shown, sizeof(shown), "%s/shown", d.folder);
	return mkdir(bare_at, 0755) == 0 && mkdir(shown, 0755) == 0;
}

static void
remove_baits(void)
{
	if (shm_id != -1)
		(void)shmctl(shm_id, IPC_RMID, NULL);
	if (sem_id != -1)
		(void)semctl(sem_id, 0, IPC_RMID);
	if (msg_id != -1)
		(void)msgctl(msg_id, IPC_RMID, NULL);
}

static const uint8_t empty_tar[1024];

static void
job(struct drive_job *j, const struct id32 *image, const char *name)
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

static void
job_done(struct drive_job *j)
{
	if (j->volumes[0].blob != -1)
		(void)close(j->volumes[0].blob);
	if (j->volumes[1].blob != -1)
		(void)close(j->volumes[1].blob);
	drive_job_clear(j);
}

struct row {
	char name[48], kind[8], layers[80], unproved[80];
};

static int skipped, proved, unproved;

/* It gets through where nothing is in its way. */
static bool
proves(const struct row *r)
{
	struct bare b = {program, bare_at, shown, env};
	char said[256];
	int rv = bare_run(&b, r->name, said, sizeof(said));

	if (rv == 1) {
		proved++;
		return true;
	}
	if (rv == -2) {
		if (skipped++ == 0)
			printf("skip probes-proved (%s): no place without a "
			    "sandbox: %s\n", who, said);
		return true;
	}
	if (strcmp(r->unproved, "-") != 0) {
		unproved++;
		return true;
	}
	printf("not ok %s (%s): it does not succeed without a sandbox either "
	    "(%d %s), and so proves nothing\n", r->name, who, rv, said);
	return false;
}

static bool
one(const struct id32 *image, const struct row *r)
{
	bool bomb = strcmp(r->kind, "bomb") == 0, ok, killed;
	struct drive_job j;

	job(&j, image, r->name);
	ok = drive_run(&d, &j) == 0 || (j.started && bomb);
	j.out[strcspn(j.out, "\n")] = '\0';
	/* the group's word for what took too much of it */
	killed = bomb && j.how == EXIT_SIGNAL && j.status == SIGKILL &&
	    j.usage.oom_kills > 0;
	if (!ok || !j.started)
		printf("not ok %s (%s): the job did not run: %s %s\n", r->name,
		    who, j.code, j.why);
	else if (j.how == EXIT_CODE && j.status == 3)
		printf("skip %s (%s): %s\n", r->name, who, j.out);
	else if ((j.how == EXIT_CODE && j.status == 0) || killed)
		printf("ok %s (%s)\n", r->name, who);
	else {
		printf("not ok %s (%s): %s (%u, %d)\n", r->name, who, j.out,
		    j.how, j.status);
		ok = false;
	}
	ok = ok && j.started;
	job_done(&j);
	(void)fflush(stdout);
	return ok;
}

static bool
all(const struct id32 *image, char *lines, const char *only)
{
	char *save = NULL;
	bool good = true;

	for (char *n = strtok_r(lines, "\n", &save); n != NULL;
	    n = strtok_r(NULL, "\n", &save)) {
		struct row r;
		char *why = strrchr(n, ' '), *layers = NULL;

		memset(&r, 0, sizeof(r));
		if (why != NULL && sscanf(n, "%47s %7s", r.name, r.kind) == 2)
			layers = strstr(n, r.kind) + strlen(r.kind) + 1;
		if (layers == NULL) {
			printf("not ok probes-list (%s): %s\n", who, n);
			return false;
		}
		(void)snprintf(r.unproved, sizeof(r.unproved), "%s", why + 1);
		(void)snprintf(r.layers, sizeof(r.layers), "%.*s",
		    (int)(why - layers), layers);
		if (only != NULL && strcmp(only, r.name) != 0)
			continue;
		good &= one(image, &r);
		if (getenv("WARREN_PROVED") == NULL)
			good &= proves(&r);
	}
	if (proved > 0)
		printf("# %d attacks succeed without the sandbox, %d cannot on "
		    "this machine\n", proved, unproved);
	return good;
}

static bool
prepare(char path[512], struct id32 *image, const char *folder)
{
	struct drive_options o = {.slots = 1, .level = 2};
	char setid[600];

	if (setup_drive(&d, &o, folder, path, 512, image) == -1) {
		printf("not ok jail-start (%s)\n", who);
		return false;
	}
	(void)snprintf(program, sizeof(program), "%s/warren-probe", folder);
	(void)snprintf(setid, sizeof(setid), "%s/bin/setid", path);
	if (setup_program(path, "probe", program) &&
	    setup_program(path, "setid", program) &&
	    chmod(setid, 06755) == 0 && set_baits())
		return true;
	printf("not ok probes-setup (%s)\n", who);
	drive_stop(&d);
	return false;
}

int
main(int argc, char *argv[])
{
	char path[512];
	struct drive_job j;
	struct id32 image;
	bool good = false;

	if (argc < 2)
		return 2;
	who = setup_who();
	if (!prepare(path, &image, argv[1]))
		return 1;
	job(&j, &image, "list");
	if (drive_run(&d, &j) == 0 && j.started)
		good = all(&image, j.out, argc < 4 ? NULL : argv[3]);
	else
		printf("not ok probes-list (%s): %s %s\n", who, j.code, j.why);
	job_done(&j);
	remove_baits();
	drive_stop(&d);
	return !good;
}
