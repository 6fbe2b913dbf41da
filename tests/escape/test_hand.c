/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-hand replaced by a hostile one, in the real jail (THREATS.md 3): it is
 * as strong as a job and is believed as little.
 * test_hand BUILD-FOLDER BUSYBOX
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

static struct drive d;
static struct id32 image;
static const char *who;
static bool bad;

static void
said(const char *name, bool ok, const struct drive_job *j)
{
	printf("%s hostile hand: %s (%s): %s %s %s\n", ok ? "ok" : "not ok",
	    name, who, j->started ? "ran" : "refused", j->code, j->why);
	(void)fflush(stdout);
	bad |= !ok;
}

/* A job whose one volume hand is told by what to do. */
static int
run(struct drive_job *j, uint8_t kind, const char *what)
{
	static const char *const argv[] = {"/bin/busybox", "ls", "/v", NULL};

	drive_job_init(j);
	j->image = image;
	j->argv = argv;
	j->nvolumes = 1;
	j->volumes[0].kind = kind;
	j->volumes[0].target = "/v";
	j->volumes[0].blob = setup_blob(what, strlen(what));
	return drive_run(&d, j);
}

static void
end(struct drive_job *j)
{
	(void)close(j->volumes[0].blob);
	drive_job_clear(j);
}

/* What a job may as well; nothing of it is outside. */
static bool
a_job_may(const char *name)
{
	static const char *const may[] = {"fork", "code", "data_to_code",
	    "socket_unix", "socket_pair", "exec_memory", "exec",
	    "signal_owner"};

	for (size_t i = 0; i < NELEM(may); i++)
		if (strcmp(may[i], name) == 0)
			return true;
	return false;
}

static void
attacks_of_hand(pid_t victim)
{
	char what[200], *save = NULL, text[257];
	struct drive_job j;
	bool ok;

	(void)snprintf(what, sizeof(what), "attack %d /etc/hostname",
	    (int)victim);
	ok = run(&j, PLAN_VOL_RW, what) == 0 && j.failed &&
	    strncmp(j.why, "through:", 8) == 0;
	memcpy(text, j.why, sizeof(text));
	for (char *w = ok ? strtok_r(text + 8, " ", &save) : NULL; w != NULL;
	    w = strtok_r(NULL, " ", &save))
		ok = ok && a_job_may(w);
	said("its attacks", ok, &j);
	end(&j);
}

/* The slot takes the next job, and that one is an honest one's. */
static bool
goes_on(void)
{
	struct drive_job j;
	bool ok = run(&j, PLAN_VOL_RW, "honest") == 0 && j.started &&
	    j.how == EXIT_CODE && j.status == 0;

	end(&j);
	return ok;
}

static void
lies(void)
{
	static const struct {
		const char *what;
		bool starts;
	} t[] = {{"junk", false}, {"others", false}, {"silent", false},
	    {"text", false}, {"full", true}};
	struct drive_job j;

	for (size_t i = 0; i < NELEM(t); i++) {
		bool ok = run(&j, PLAN_VOL_RW, t[i].what) == 0 &&
		    j.started == t[i].starts;

		/* its words are shown as they may be */
		for (const char *p = j.why; *p != '\0'; p++)
			ok = ok && (unsigned char)*p >= 0x20;
		ok = goes_on() && ok;
		said(t[i].what, ok, &j);
		end(&j);
	}
}

/* An output without end ends where its reader stops; one without a word. */
static void
packs(void)
{
	struct drive_job j;
	bool ok;

	ok = run(&j, PLAN_VOL_RW, "endless") == 0 && j.started;
	ok = ok && j.packed_len[0] > 1u << 20;
	said("an output without end", goes_on() && ok, &j);
	end(&j);
	ok = run(&j, PLAN_VOL_RW, "mute") == -1 && j.started &&
	    j.how == EXIT_CODE && j.status == 0;
	said("an output without a word is lost, not the job", goes_on() && ok,
	    &j);
	end(&j);
}

/* It says that it has emptied a volume: jail looks, and begins anew. */
static void
unclean(void)
{
	struct until u = until_begin("the end of jail", PATIENCE_MS);
	struct drive_job j;
	bool ok;
	int status = 0;

	ok = run(&j, PLAN_VOL_RO, "honest") == -1 && j.started;
	while (waitpid(d.pid, &status, WNOHANG) != d.pid && until_step(&u))
		continue;
	d.pid = 0;
	ok = ok && WIFEXITED(status) && WEXITSTATUS(status) != 0;
	said("a volume that it did not empty is no next job's", ok, &j);
	end(&j);
}

int
main(int argc, char *argv[])
{
	char root[512], hand[600];
	struct drive_options o = {.slots = 1, .level = 0, .hand = hand};
	pid_t victim;

	if (argc < 3)
		return 2;
	who = setup_who();
	(void)snprintf(hand, sizeof(hand), "%s/hand_hostile", argv[1]);
	victim = fork();
	if (victim == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	if (setup_drive(&d, &o, argv[1], root, sizeof(root), &image) == -1 ||
	    !setup_program(root, "busybox", argv[2])) {
		printf("not ok hostile hand: start (%s)\n", who);
		return 1;
	}
	attacks_of_hand(victim);
	lies();
	packs();
	unclean();
	drive_stop(&d);
	(void)kill(victim, SIGKILL);
	(void)waitpid(victim, NULL, 0);
	return bad;
}
