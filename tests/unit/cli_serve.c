/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cli_serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a pretend daemon: one answer for each connection, in order ---- */

pid_t
serve(const char *dir, const char *name, const char *const *answers, size_t n)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char path[400];
	pid_t pid;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/warren", dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/warren/run", dir);
	(void)mkdir(path, 0755);
	assert_true((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path),
			"%s/warren/run/%s", dir, name) <
	    sizeof(sun.sun_path));
	(void)unlink(sun.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		(void)close(fd);
		return pid;
	}
	/* it never outlives the test, nor holds its output open */
	(void)alarm(20);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
	for (size_t i = 0; i < n; i++) {
		int c = accept(fd, NULL, NULL);
		char line[4096];
		ssize_t got = c < 0 ? -1 : read(c, line, sizeof(line));

		if (got < 0)
			_exit(1);
		/* somebody only looked whether it answers */
		if (got == 0) {
			(void)close(c);
			i--;
			continue;
		}
		if (write(c, answers[i], strlen(answers[i])) < 0)
			_exit(1);
		(void)close(c);
	}
	_exit(0);
}

int
call(cli_verb_fn *verb, const char *dir, const struct captured **said,
    bool json, const char *a, const char *b)
{
	struct cli me = {.verb = "test", .json = json, .config = dir,
	    .identity = dir};
	char name[] = "verb", one[400], two[400];
	char *argv[4] = {name};
	int argc = 1, rc;

	if (a != NULL) {
		(void)snprintf(one, sizeof(one), "%s", a);
		argv[argc++] = one;
	}
	if (b != NULL) {
		(void)snprintf(two, sizeof(two), "%s", b);
		argv[argc++] = two;
	}
	capture_begin();
	rc = verb(&me, argc, argv);
	*said = capture_end();
	return rc;
}
