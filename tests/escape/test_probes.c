/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each probe of probe.c as a job of its own, with a seccomp program of node
 * that allows everything: what holds is jail's own. Host-side baits are set
 * first, so that "not found" is not "not there".
 * test_probes BUILD-FOLDER BUSYBOX [NAME]
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/escape/setup.h"

static struct drive d;
static char env_text[8][200];
static const char *env[9];
static unsigned envc;
static int shm_id = -1;

static void
bait(const char *name, const char *value)
{
	(void)snprintf(env_text[envc], sizeof(env_text[0]), "%s=%s", name,
	    value);
	env[envc] = env_text[envc];
	envc++;
}

static bool
set_baits(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(in);
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ux = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	key_t key = 0x77000000 + (getpid() & 0xffffff);
	struct utsname u;
	char text[64];

	(void)snprintf(text, sizeof(text), "warren-bait-%d", (int)getpid());
	memcpy(un.sun_path + 1, text, strlen(text));
	shm_id = shmget(key, 4096, IPC_CREAT | 0666);
	if (bind(tcp, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(tcp, 4) == -1 ||
	    getsockname(tcp, (struct sockaddr *)&in, &len) == -1 ||
	    bind(ux, (struct sockaddr *)&un, (socklen_t)(offsetof(
	    struct sockaddr_un, sun_path) + 1 + strlen(text))) == -1 ||
	    listen(ux, 4) == -1 || shm_id == -1 || uname(&u) == -1)
		return false;
	bait("HOST_ABSTRACT", text);
	(void)snprintf(text, sizeof(text), "%d", ntohs(in.sin_port));
	bait("HOST_PORT", text);
	(void)snprintf(text, sizeof(text), "%d", (int)key);
	bait("HOST_SHM", text);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	bait("HOST_PID", text);
	bait("HOST_NAME", u.nodename);
	bait("HOST_PATH", strrchr(d.folder, '/') + 1);
	if ((d.posture.layers & LAYER_CGROUP) != 0)
		bait("HOST_CGROUP", "1");
	return true;
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

static bool
one(const struct id32 *image, const char *name, const char *who)
{
	struct drive_job j;
	bool ok;

	job(&j, image, name);
	ok = drive_run(&d, &j) == 0 && j.started;
	if (!ok)
		printf("not ok %s (%s): the job did not run: %s %s\n", name,
		    who, j.code, j.why);
	else if (j.how == EXIT_CODE && j.status == 0)
		printf("ok %s (%s)\n", name, who);
	else {
		j.out[strcspn(j.out, "\n")] = '\0';
		printf("not ok %s (%s): %s (%u, %d)\n", name, who, j.out,
		    j.how, j.status);
		ok = false;
	}
	ok = ok && j.how == EXIT_CODE && j.status == 0;
	job_done(&j);
	(void)fflush(stdout);
	return ok;
}

int
main(int argc, char *argv[])
{
	struct drive_options o = {.slots = 1, .level = 2};
	const char *who = geteuid() == 0 ? "root" : "user";
	char path[512], from[600];
	char *names = NULL, *save = NULL;
	struct drive_job j;
	struct id32 image;
	int bad = 0;

	if (argc < 2)
		return 2;
	if (setup_drive(&d, &o, argv[1], path, sizeof(path), &image) == -1) {
		printf("not ok jail-start (%s)\n", who);
		return 1;
	}
	(void)snprintf(from, sizeof(from), "%s/probe", argv[1]);
	if (!setup_program(path, "probe", from) || !set_baits()) {
		printf("not ok probes-setup (%s)\n", who);
		drive_stop(&d);
		return 1;
	}
	job(&j, &image, "list");
	if (drive_run(&d, &j) == 0 && j.started)
		names = strdup(j.out);
	else
		printf("not ok probes-list (%s): %s %s\n", who, j.code, j.why);
	job_done(&j);
	bad = names == NULL;
	for (char *n = names == NULL ? NULL : strtok_r(names, "\n", &save);
	    n != NULL; n = strtok_r(NULL, "\n", &save))
		if (argc < 4 || strcmp(argv[3], n) == 0)
			bad |= !one(&image, n, who);
	free(names);
	if (shm_id != -1)
		(void)shmctl(shm_id, IPC_RMID, NULL);
	drive_stop(&d);
	return bad;
}
