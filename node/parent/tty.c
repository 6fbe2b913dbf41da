/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/tty.h"

#include <asm/termbits.h> /* termios2: any speed; not together with termios.h */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "node/check/ttylook.h"
#include "transport/config/rnsconf.h"

/* ours: a UART divides its clock; what is further off garbles a frame */
#define SPEED_OFF_PERCENT 3
#define LEAVE_STEP_MS 10

/*
 * Of two locks one is enough for those who ask: flock(2) for other programs
 * that lock so, exclusive mode for all that are not root's.
 */
static int
take(int fd)
{
	int taken = 0;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			errno = EBUSY;
		return -1;
	}
	if (ioctl(fd, TIOCGEXCL, &taken) == 0 && taken != 0) {
		errno = EBUSY;
		return -1;
	}
	return ioctl(fd, TIOCEXCL);
}

/*
 * What a usual speed is called: some drivers, and who looks at the other end of
 * a pseudo-terminal, know no other form.
 */
static tcflag_t
speed_flag(uint32_t speed)
{
	static const struct {
		uint32_t speed;
		tcflag_t flag;
	} usual[] = {
		{300, B300}, {600, B600}, {1200, B1200}, {2400, B2400},
		{4800, B4800}, {9600, B9600},
		{19200, B19200}, {38400, B38400}, {57600, B57600},
		{115200, B115200}, {230400, B230400}, {460800, B460800},
		{500000, B500000}, {921600, B921600}, {1000000, B1000000},
		{1500000, B1500000}, {2000000, B2000000},
		{3000000, B3000000},
	};

	for (size_t i = 0; i < NELEM(usual); i++)
		if (usual[i].speed == speed)
			return usual[i].flag;
	return BOTHER;
}

static tcflag_t
control_flags(const struct rnsconf_if *c, tcflag_t was)
{
	static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};

	/* HUPCL stays as the machine has it */
	was &= ~(tcflag_t)(CSIZE | CSTOPB | PARENB | PARODD | CMSPAR |
	    CRTSCTS | CBAUD | CBAUD << IBSHIFT);
	was |= CLOCAL | CREAD | speed_flag(c->speed) |
	    speed_flag(c->speed) << IBSHIFT;
	if (c->databits >= 5 && c->databits <= 8)
		was |= sizes[c->databits - 5];
	if (c->stopbits == 2)
		was |= CSTOPB;
	if (c->parity != 'N')
		was |= PARENB | (c->parity == 'O' ? PARODD : 0u);
	return was;
}

static int
set_up(int fd, const struct rnsconf_if *c, char *why, size_t cap)
{
	struct termios2 t;
	uint64_t off;

	if (ioctl(fd, TCGETS2, &t) < 0)
		return -1;
	t.c_iflag = 0;
	t.c_oflag = 0;
	t.c_lflag = 0;
	t.c_cflag = control_flags(c, t.c_cflag);
	t.c_ispeed = t.c_ospeed = c->speed;
	for (size_t i = 0; i < NELEM(t.c_cc); i++)
		t.c_cc[i] = 0;
	t.c_cc[VMIN] = 1; /* nothing there is EAGAIN, and 0 its end */
	if (ioctl(fd, TCSETS2, &t) < 0 || ioctl(fd, TCGETS2, &t) < 0)
		return -1;
	off = t.c_ospeed > c->speed ? t.c_ospeed - c->speed :
	    c->speed - t.c_ospeed;
	if (off * 100 > (uint64_t)c->speed * SPEED_OFF_PERCENT) {
		(void)snprintf(why, cap, "the port cannot do %u baud (%u is "
		    "the nearest)", c->speed, t.c_ospeed);
		errno = EINVAL;
		return -1;
	}
	/* what came before us is nobody's frame */
	return ioctl(fd, TCFLSH, TCIFLUSH);
}

int
tty_open(const struct rnsconf_if *c, char *why, size_t cap)
{
	char self[40];
	_cleanup_fd_ int place = -1, fd = -1;
	struct stat was, is;

	why[0] = '\0';
	if ((errno = tty_look(c->tty, why, cap)) != 0)
		return -1;
	/* what is looked at is what is opened */
	place = open(c->tty, O_PATH | O_CLOEXEC);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", place);
	if (place < 0 || fstat(place, &was) < 0 ||
	    (errno = tty_look(self, why, cap)) != 0)
		goto failed;
	fd = open(self, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &is) < 0)
		goto failed;
	if (is.st_rdev != was.st_rdev) {
		errno = ENODEV;
		goto failed;
	}
	if (take(fd) < 0)
		goto failed;
	if (set_up(fd, c, why, cap) < 0)
		goto failed;
	return steal_fd(&fd);
failed:
	if (why[0] == '\0') {
		int error = errno;

		tty_why(c->tty, error, why, cap);
		errno = error;
	}
	return -1;
}

void
tty_leave(int fd, int ms)
{
	int left = 0;

	for (; ms > 0 && ioctl(fd, TIOCOUTQ, &left) == 0 && left > 0;
	     ms -= LEAVE_STEP_MS)
		(void)poll(NULL, 0, LEAVE_STEP_MS);
	(void)ioctl(fd, TCFLSH, TCOFLUSH);
	(void)ioctl(fd, TIOCNXCL);
}
