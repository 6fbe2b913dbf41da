/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "node/parent/parent.h"

#define NAME "logfile"
#define LOOK_S 60.
#define MOST (5 << 20) /* bytes; reticulum-transport.md 11.5 */

int
logfile_open(struct parent *p)
{
	_cleanup_fd_ int fd = openat(p->dir, NAME, O_WRONLY | O_APPEND |
	    O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		log_err(p->path, NAME);
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		log_errx(p->path, NAME " is no file: move it away, or start "
		    "without -s");
		return -1;
	}
	log_notice(p->path, "all else is logged to " NAME);
	if (dup2(fd, STDERR_FILENO) < 0) {
		log_err(p->path, NAME);
		return -1;
	}
	log_set_journal(false);
	return 0;
}

/*
 * Every program has the file open, to append: it is copied and cut, not moved.
 * A line that comes between the two is lost.
 */
static bool
turn_over(const struct parent *p, off_t size)
{
	_cleanup_fd_ int from = openat(p->dir, NAME, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	_cleanup_fd_ int to = openat(p->dir, NAME ".1", O_WRONLY | O_CREAT |
	    O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	while (from >= 0 && to >= 0 && size > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)size);

		if (n <= 0)
			return false;
		size -= n;
	}
	return from >= 0 && to >= 0 && ftruncate(STDERR_FILENO, 0) == 0;
}

static void
on_look(struct ev_loop *loop, ev_timer *t, int revents)
{
	struct stat st;

	(void)loop;
	(void)revents;
	if (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_size > MOST && !turn_over(t->data, st.st_size))
		log_warn(NAME, "cannot be turned over, and grows");
}

void
logfile_watch(struct parent *p)
{
	ev_timer_init(&p->log_timer, on_look, LOOK_S, LOOK_S);
	p->log_timer.data = p;
	ev_timer_start(p->loop, &p->log_timer);
}
