/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One program of the house at a time is a hostile one with exactly its rights
 * (THREATS.md 1): what none of them may do fails, and succeeds without the
 * drop.
 * test_standin BUILD-FOLDER BUSYBOX [PROGRAM]
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/program.h"
#include "common/util.h"
#include "tests/escape/attack.h"
#include "tests/escape/setup.h"
#include "tests/until.h"

static const char *who;
static char work[] = "/tmp/warren-standin-XXXXXX", other[64], exe[PATH_MAX];
static char set[128];
static pid_t neighbour;
static bool root;

static const enum program programs[] = {PROGRAM_TRANSPORT, PROGRAM_NODE,
	PROGRAM_TRUST, PROGRAM_KEYS, PROGRAM_EGRESS, PROGRAM_AUDIT};

/* Somebody else of the house, asleep: rootless they are of one user. */
static pid_t
make_neighbour(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
}

static bool
make_other(void)
{
	int fd;

	if (mkdtemp(work) == NULL || chmod(work, 0755) == -1)
		return false;
	(void)snprintf(other, sizeof(other), "%s/other", work);
	fd = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	if (fd == -1 || fchmod(fd, 0666) == -1)
		return false;
	(void)close(fd);
	return true;
}

static int
own_folder(uid_t id)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/own-%u", work, id);
	if (mkdir(path, 0700) == -1 && errno != EEXIST)
		return -1;
	if (root && chown(path, id, id) == -1)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY);
	return fd;
}

static void
start(enum program self, const char *attack)
{
	char number[16], base[32], folder[32];
	char *argv[6] = {exe, number}, *env[] = {set, NULL};
	const struct program_row *row = program_row(self);
	const char *name = row == NULL || row->folder == 0 ? NULL :
	    program_dir_name(row->folder);
	int n = 2, sv[2], dir = -1, null = open("/dev/null", O_RDWR);

	(void)snprintf(number, sizeof(number), "%d", (int)self);
	(void)snprintf(set, sizeof(set), "ATTACK=%s %d %s", attack,
	    (int)neighbour, other);
	if (root) {
		(void)snprintf(base, sizeof(base), "base=%u", DRIVE_BASE);
		argv[n++] = base;
	}
	if (name != NULL && (dir = own_folder(root ? DRIVE_BASE + row->number :
	    geteuid())) == -1)
		_exit(ATTACK_UNKNOWN);
	if (name != NULL) {
		(void)dup2(dir, 20);
		(void)snprintf(folder, sizeof(folder), "%s=20", name);
		argv[n++] = folder;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) == -1)
		_exit(ATTACK_UNKNOWN);
	(void)dup2(sv[1], 100);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(100, PROGRAM_CHANNEL);
	if (chdir("/") == -1)
		_exit(ATTACK_UNKNOWN);
	(void)execve(exe, argv, env);
	_exit(ATTACK_UNKNOWN);
}

/* What the row says is open: no more, and no less. */
static bool
expected(enum program self, const struct attack *a, int rv)
{
	/* the way out is egress's one right */
	if (self == PROGRAM_EGRESS && (strcmp(a->name, "socket_inet") == 0 ||
		strcmp(a->name, "socket_udp") == 0))
		return rv == ATTACK_DONE;
	if (a->open != NULL && !root)
		return rv == ATTACK_DONE;
	return rv == ATTACK_HELD;
}

/* ATTACK_HELD, ATTACK_DONE, or what else came of it. */
static int
outcome(int status)
{
	/* the filter's own answer to what no program of the house does */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return ATTACK_HELD;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
attempt(enum program self, const char *attack)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		start(self, attack);
	(void)waitpid(pid, &status, 0);
	return outcome(status);
}

static int
attempt_jail(const char *folder, const char *attack)
{
	static char jail[600];
	struct drive_options o = {.slots = 1, .level = 0, .jail = jail,
	    .env = set, .quiet = true};
	struct drive d;
	struct id32 image;
	char path[512];

	(void)snprintf(jail, sizeof(jail), "%s/standin_jail", folder);
	(void)snprintf(set, sizeof(set), "ATTACK=%s %d %s", attack,
	    (int)neighbour, other);
	if (setup_drive(&d, &o, folder, path, sizeof(path), &image) == 0) {
		drive_stop(&d);
		return -1;
	}
	return outcome(d.status);
}

static bool
all(const char *name, enum program self, const char *folder)
{
	unsigned held = 0;
	bool ok = true;

	for (size_t i = 0; i < attack_count; i++) {
		int rv = self == PROGRAM_JAIL ?
		    attempt_jail(folder, attacks[i].name) :
		    attempt(self, attacks[i].name);

		held += rv == ATTACK_HELD;
		if (expected(self, &attacks[i], rv))
			continue;
		printf("not ok stand-in for %s (%s): %s %s (%d)\n", name, who,
		    attacks[i].name, rv == ATTACK_DONE ? "succeeded" :
		    rv == ATTACK_HELD ? "failed" : "did not run", rv);
		ok = false;
	}
	if (ok)
		printf("ok stand-in for %s (%s): %u attacks fail\n", name, who,
		    held);
	(void)fflush(stdout);
	return ok;
}

/* Without the drop they work: else they would prove nothing. */
static bool
proved(void)
{
	unsigned done = 0;
	bool ok = true;

	for (size_t i = 0; i < attack_count; i++) {
		int rv = attempt(PROGRAM_PARENT, attacks[i].name);

		done += rv == ATTACK_DONE;
		if (rv == ATTACK_DONE || attacks[i].unproved != NULL)
			continue;
		printf("not ok stand-ins (%s): %s fails without the drop too "
		    "(%d)\n", who, attacks[i].name, rv);
		ok = false;
	}
	(void)unlink("/tmp/warren-standin");
	(void)unlink("/tmp/warren-standin-l");
	if (ok)
		printf("ok stand-ins without the drop (%s): %u of %zu attacks "
		    "succeed\n", who, done, attack_count);
	return ok;
}

int
main(int argc, char *argv[])
{
	char path[600];
	bool good;

	if (argc < 2)
		return 2;
	who = setup_who();
	root = strcmp(who, "root") == 0;
	(void)snprintf(path, sizeof(path), "%s/standin", argv[1]);
	if (realpath(path, exe) == NULL || !make_other() ||
	    (neighbour = make_neighbour()) == -1) {
		printf("not ok stand-ins (%s): %s\n", who, strerror(errno));
		return 1;
	}
	good = proved();
	for (size_t i = 0; i < NELEM(programs); i++)
		if (argc < 4 || strcmp(argv[3],
		    program_name(programs[i])) == 0)
			good &= all(program_name(programs[i]),
			    programs[i], argv[1]);
	good = all("jail", PROGRAM_JAIL, argv[1]) && good;
	(void)kill(neighbour, SIGKILL);
	(void)waitpid(neighbour, NULL, 0);
	setup_remove(work);
	return !good;
}
