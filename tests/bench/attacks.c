/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attacks of warren-probe, as its list on standard input names them, under
 * another sandbox: attacks FOLDER COMMAND..., where COMMAND starts `/bin/probe
 * NAME` of its root when that is put behind it. Prints a line each: "NAME KIND
 * held|through|nothing|killed".
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/layers.h"
#include "sandbox/probe/baits.h"
#include "tests/until.h"

#define MORE 2
#define SECONDS 20000 /* ms; an attack that hangs has not got through */

static struct baits baits;

static void
start(char **command, int n, char *name)
{
	char program[] = "/bin/probe", *argv[64];
	int null = open("/dev/null", O_RDWR);

	if (n + MORE >= 64)
		_exit(126);
	memcpy(argv, command, (size_t)n * sizeof(*argv));
	argv[n] = program;
	argv[n + 1] = name;
	argv[n + 2] = NULL;
	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(null, 0);
	(void)dup2(null, 2);
	(void)execve(argv[0], argv, (char **)(uintptr_t)baits.env);
	_exit(126);
}

static const char *
outcome(char **command, int n, char *name)
{
	struct until u = until_begin(name, SECONDS);
	int out[2], status = 0;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) == -1)
		exit(1);
	pid = fork();
	if (pid == 0) {
		(void)dup2(out[1], 1);
		start(command, n, name);
	}
	(void)close(out[1]);
	while (waitpid(pid, &status, WNOHANG) == 0)
		if (!until_step(&u)) {
			(void)kill(-pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
		}
	(void)close(out[0]);
	if (!WIFEXITED(status))
		return "killed";
	switch (WEXITSTATUS(status)) {
	case 0:
		return "held";
	case 1:
		return "through";
	case 3:
		return "nothing";
	default:
		return "killed";
	}
}

int
main(int argc, char **argv)
{
	char line[256];
	struct probe_row r;

	if (argc < 3 || baits_lay(&baits, argv[1], LAYER_MEMORY | LAYER_CPU) ==
	    -1)
		return 2;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (!probe_row_parse(&r, line))
			continue;
		printf("%s %s %s\n", r.name, r.kind, outcome(argv + 2,
		    argc - 2, r.name));
		(void)fflush(stdout);
	}
	baits_lift(&baits);
	return 0;
}
