/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial ports: what is one, what opening it sets, whose it is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/check/ttylook.h"
#include "node/parent/tty.h"
#include "transport/config/rnsconf.h"

struct pair {
	int master;
	char path[64];
	struct rnsconf_if conf;
};

static void
open_pair(struct pair *p)
{
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(p->master >= 0);
	assert_int_equal(grantpt(p->master), 0);
	assert_int_equal(unlockpt(p->master), 0);
	assert_int_equal(ptsname_r(p->master, p->path, sizeof(p->path)), 0);
	p->conf = (struct rnsconf_if){.tty = p->path, .speed = 9600,
	    .databits = 8, .stopbits = 1, .parity = 'N'};
}

static void
look(const char *path, int error, const char *says)
{
	char why[200] = "";

	assert_int_equal(tty_look(path, why, sizeof(why)), error);
	if (strstr(why, says) == NULL)
		fail_msg("%s: %s, not %s", path, why, says);
}

/* What is no serial port is told from it without being opened. */
static void
looks(void **state)
{
	char dir[] = "/tmp/test-ttylook-XXXXXX", name[64], link[64];
	struct pair p;
	FILE *f;

	(void)state;
	open_pair(&p);
	assert_non_null(mkdtemp(dir));
	look("/no/such/port", ENOENT, "plugged in");
	look(dir, ENOTTY, "a folder");
	(void)snprintf(name, sizeof(name), "%s/file", dir);
	f = fopen(name, "we");
	assert_non_null(f);
	(void)fclose(f);
	look(name, ENOTTY, "a file");
	(void)unlink(name);
	assert_int_equal(mkfifo(name, 0600), 0);
	look(name, ENOTTY, "a pipe");
	(void)unlink(name);
	look("/dev/null", ENOTTY, "another kind of device");
	if (access("/dev/ptmx", F_OK) == 0)
		look("/dev/ptmx", ENOTTY, "another kind of device");
	if (access("/dev/tty", F_OK) == 0)
		look("/dev/tty", ENOTTY, "another kind of device");
	look(p.path, 0, "");
	/* as /dev/serial/by-id has it */
	(void)snprintf(link, sizeof(link), "%s/by-id", dir);
	assert_int_equal(symlink(p.path, link), 0);
	look(link, 0, "");
	(void)unlink(link);
	(void)rmdir(dir);
	(void)close(p.master);
}

static int
open_fails(const struct rnsconf_if *c, const char *says)
{
	char why[200];
	int fd = tty_open(c, why, sizeof(why)), error = errno;

	assert_true(fd < 0);
	if (strstr(why, says) == NULL)
		fail_msg("%s: %s, not %s", c->tty, why, says);
	return error;
}

/* Any speed, raw, and nothing of what came before. */
static void
settings(void **state)
{
	static const struct {
		uint32_t baud;
		speed_t named; /* 0: it has no name */
	} speeds[] = {{300, B300}, {9600, B9600}, {31250, 0},
	    {115200, B115200}, {3000000, B3000000}};
	char why[200], buf[16];
	struct termios t;
	struct pair p;
	int fd;

	(void)state;
	open_pair(&p);
	for (size_t i = 0; i < sizeof(speeds) / sizeof(*speeds); i++) {
		p.conf.speed = speeds[i].baud;
		fd = tty_open(&p.conf, why, sizeof(why));
		assert_true(fd >= 0);
		assert_int_equal(tcgetattr(fd, &t), 0);
		if (speeds[i].named != 0)
			assert_int_equal(cfgetospeed(&t), speeds[i].named);
		assert_int_equal(t.c_lflag, 0);
		assert_int_equal(t.c_iflag, 0);
		assert_int_equal(t.c_oflag, 0);
		assert_int_equal(t.c_cflag & (CSTOPB | CRTSCTS), 0);
		assert_int_equal(t.c_cflag & (CLOCAL | CREAD), CLOCAL | CREAD);
		assert_int_equal(t.c_cflag & CSIZE, CS8);
		/* nothing to read is no end of it */
		assert_int_equal(read(fd, buf, sizeof(buf)), -1);
		assert_int_equal(errno, EAGAIN);
		/* no byte is changed or kept on its way */
		assert_int_equal(write(p.master, "\r\n\x03\x11\x13\x7f\x04z",
		    8), 8);
		assert_int_equal(read(fd, buf, sizeof(buf)), 8);
		assert_memory_equal(buf, "\r\n\x03\x11\x13\x7f\x04z", 8);
		assert_int_equal(write(fd, "\n\x03", 2), 2);
		assert_int_equal(read(p.master, buf, sizeof(buf)), 2);
		assert_memory_equal(buf, "\n\x03", 2);
		assert_int_equal(write(p.master, "old", 3), 3);
		tty_leave(fd, 0);
		(void)close(fd);
	}
	p.conf.stopbits = 2;
	fd = tty_open(&p.conf, why, sizeof(why));
	assert_int_equal(tcgetattr(fd, &t), 0);
	assert_int_equal(t.c_cflag & CSTOPB, CSTOPB);
	tty_leave(fd, 0);
	(void)close(fd);
	(void)close(p.master);
}

/* It is ours alone, and then anybody's again. */
static void
alone(void **state)
{
	char why[200];
	struct pair p;
	int fd, other, set = 1;

	(void)state;
	open_pair(&p);
	fd = tty_open(&p.conf, why, sizeof(why));
	assert_true(fd >= 0);
	assert_int_equal(open_fails(&p.conf, "another program"), EBUSY);
	tty_leave(fd, 0);
	(void)close(fd);
	other = open(p.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(ioctl(other, TIOCGEXCL, &set), 0);
	assert_int_equal(set, 0);
	/* somebody else's lock, of either kind */
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(open_fails(&p.conf, "another program"), EBUSY);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(ioctl(other, TIOCEXCL), 0);
	assert_int_equal(open_fails(&p.conf, "another program"), EBUSY);
	assert_int_equal(ioctl(other, TIOCNXCL), 0);
	(void)close(other);
	fd = tty_open(&p.conf, why, sizeof(why));
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(p.master);
	assert_int_equal(open_fails(&p.conf, "no such port"), ENOENT);
	p.conf.tty = "/dev/null";
	assert_int_equal(open_fails(&p.conf, "not a serial port"), ENOTTY);
}

static void
words(void **state)
{
	static const struct {
		int error;
		const char *says;
	} all[] = {
		{ENOENT, "by-id"}, {EBUSY, "fuser -v /dev/ttyX"},
		{EACCES, "no right"}, {EPERM, "no right"},
		{EIO, "no device answers"}, {ENODEV, "no device answers"},
		{EINVAL, "Invalid"},
	};
	char why[200];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		tty_why("/dev/ttyX", all[i].error, why, sizeof(why));
		if (strstr(why, all[i].says) == NULL)
			fail_msg("%d: %s", all[i].error, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks),
		cmocka_unit_test(settings),
		cmocka_unit_test(alone),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
