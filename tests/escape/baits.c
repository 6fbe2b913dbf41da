/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/baits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/escape/setup.h"

static struct baits baits;
static char bare_at[300], shown[300], program[600];

static const uint8_t empty_tar[1024];

void
baits_job(struct drive_job *j, const struct id32 *image, const char *name)
{
	static const char *argv[] = {"/bin/probe", NULL, NULL};

	argv[1] = name;
	drive_job_init(j);
	j->image = *image;
	j->argv = argv;
	j->env = baits.env;
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
	*b = (struct bare){program, bare_at, shown, baits.env};
}

bool
baits_set(const struct drive *d, const char *root, const char *folder)
{
	char setid[600];

	(void)snprintf(program, sizeof(program), "%s/warren-probe", folder);
	(void)snprintf(setid, sizeof(setid), "%s/bin/setid", root);
	(void)snprintf(bare_at, sizeof(bare_at), "%s/bare", d->folder);
	(void)snprintf(shown, sizeof(shown), "%s/shown", d->folder);
	return mkdir(bare_at, 0755) == 0 && mkdir(shown, 0755) == 0 &&
	    setup_program(root, "probe", program) &&
	    setup_program(root, "setid", program) &&
	    chmod(setid, 06755) == 0 &&
	    baits_lay(&baits, d->folder, d->posture.layers) == 0;
}

void
baits_remove(void)
{
	baits_lift(&baits);
}

bool
baits_sysv(void)
{
	struct shmid_ds shm;
	struct msqid_ds msg;

	return shmctl(baits.shm, IPC_STAT, &shm) == 0 &&
	    semctl(baits.sem, 0, GETVAL) >= 0 &&
	    msgctl(baits.msg, IPC_STAT, &msg) == 0;
}

unsigned
baits_list(struct drive *d, const struct id32 *image,
    struct probe_row rows[BAIT_ROWS])
{
	struct drive_job j;
	char *save = NULL;
	unsigned n = 0;

	baits_job(&j, image, "list");
	if (drive_run(d, &j) == 0 && j.started)
		for (char *l = strtok_r(j.out, "\n", &save);
		    l != NULL && n < BAIT_ROWS; l = strtok_r(NULL, "\n", &save))
			n = probe_row_parse(&rows[n], l) ? n + 1 : BAIT_ROWS;
	else
		fprintf(stderr, "list: %s %s\n", j.code, j.why);
	baits_job_done(&j);
	return n == BAIT_ROWS ? 0 : n;
}
