/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_MAX 10000

static bool
is_set(const char *name)
{
	const char *s = getenv(name);

	return s != NULL && *s != '\0';
}

static size_t
width(void)
{
	struct winsize w;
	const char *s = getenv("COLUMNS");
	char *end;
	long n = s != NULL ? strtol(s, &end, 10) : 0;

	if (n > 0 && n <= WIDTH_MAX && *end == '\0')
		return (size_t)n;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

void
cli_terminal(struct cli *c)
{
	const char *term = getenv("TERM");

	c->out_tty = isatty(STDOUT_FILENO) == 1;
	c->err_tty = isatty(STDERR_FILENO) == 1;
	c->columns = c->out_tty ? width() : 0;
	c->colour = c->out_tty && !is_set("NO_COLOR") && term != NULL &&
	    *term != '\0' && strcmp(term, "dumb") != 0;
}
