/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-hand as somebody else wrote it. Jail executes it in its place; what it
 * does in a step stands in the first line of what it is given: "attack PID
 * PATH" and others below. It can tell of itself by its report only.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/base/report.h"
#include "tests/escape/attack.h"

static void
report(bool ok, const char *why)
{
	static struct report r;

	r.kind = REPORT_HAND;
	r.ok = ok;
	(void)snprintf(r.why, sizeof(r.why), "%s", why);
	report_send(2, &r);
}

/* Each in a child, since the filter ends who tries some of them. */
static void
attack_all(const char *on)
{
	char why[257] = "through:", set[300];

	for (size_t i = 0; i < attack_count; i++) {
		int status = 0;
		size_t n = strlen(why);
		pid_t pid;

		(void)snprintf(set, sizeof(set), "%s %s", attacks[i].name, on);
		(void)setenv("ATTACK", set, 1);
		pid = fork();
		if (pid == 0)
			_exit(attack_run());
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		    WEXITSTATUS(status) == ATTACK_DONE)
			(void)snprintf(why + n, sizeof(why) - n, " %s",
			    attacks[i].name);
	}
	report(false, why);
}

static void
junk(void)
{
	char buf[REPORT_MAX];

	memset(buf, 0xff, sizeof(buf));
	for (int i = 0; i < 20; i++)
		(void)!write(2, buf, sizeof(buf));
}

/* Records that a job's first process writes, and no step. */
static void
others_words(void)
{
	static struct report r = {.kind = REPORT_READY, .layers = ~0u};

	report_send(2, &r);
	r.kind = REPORT_EXIT;
	r.how = 0;
	report_send(2, &r);
}

static void
fill_all(void)
{
	static char buf[65536];
	int fd = open("/v/all", O_CREAT | O_WRONLY, 0644);
	char path[64];

	(void)signal(SIGXFSZ, SIG_IGN);
	while (fd >= 0 && write(fd, buf, sizeof(buf)) > 0)
		continue;
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(path, sizeof(path), "/v/%d", i);
		if ((fd = open(path, O_CREAT | O_WRONLY, 0644)) < 0)
			break;
		(void)close(fd);
	}
	report(true, "");
}

static void
endless(void)
{
	static char buf[65536];

	(void)signal(SIGPIPE, SIG_IGN);
	while (write(1, buf, sizeof(buf)) > 0)
		continue;
	report(true, "");
}

static int
do_fill(const char *what)
{
	/* for the packer, which is given nothing */
	int fd = open("/v/do", O_CREAT | O_WRONLY, 0644);

	if (fd >= 0) {
		(void)!write(fd, what, strlen(what));
		(void)close(fd);
	}
	if (strncmp(what, "attack ", 7) == 0)
		attack_all(what + 7);
	else if (strcmp(what, "junk") == 0)
		junk();
	else if (strcmp(what, "others") == 0)
		others_words();
	else if (strcmp(what, "text") == 0)
		report(false, "\033[2J\nok: all is well\r\001");
	else if (strcmp(what, "full") == 0)
		fill_all();
	else if (strcmp(what, "silent") != 0)
		report(true, "");
	return 0;
}

int
main(int argc, char **argv)
{
	char what[256] = "";
	ssize_t n;
	int fd;

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "fill") == 0) {
		n = read(0, what, sizeof(what) - 1);
		what[n < 0 ? 0 : n] = '\0';
		return do_fill(what);
	}
	fd = open("/v/do", O_RDONLY);
	n = fd < 0 ? 0 : read(fd, what, sizeof(what) - 1);
	what[n < 0 ? 0 : n] = '\0';
	if (strcmp(argv[1], "pack") == 0 && strcmp(what, "endless") == 0)
		endless();
	else if (strcmp(argv[1], "pack") != 0 || strcmp(what, "mute") != 0)
		report(true, "");
	return 0;
}
