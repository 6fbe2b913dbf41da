/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/vtime.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "common/util.h"
#include "tests/sim/sim.h"

#define LOOK_US 20
#define AHEAD_US INT64_C(777000000) /* of its monotonic clock */

static int talk = -1; /* to the simulation; -1: the machine's own time */
static bool set; /* ... or vtime_set()'s */
static int64_t now_us; /* the simulation's, or a little ahead of it */
static int64_t mono_us = AHEAD_US, wall_us;
static uint64_t rng;

void
vtime_set(int64_t mono, int64_t wall)
{
	set = true;
	mono_us = mono;
	wall_us = wall;
}

static bool
real(void)
{
	return talk < 0 && !set;
}

/* Waits until then, or until something has come; who asked looks. */
static void
meet(int64_t until)
{
	int64_t now;
	ssize_t n;

	if (write(talk, &until, sizeof(until)) != sizeof(until))
		_exit(99);
	do
		n = read(talk, &now, sizeof(now));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(now))
		_exit(99);
	now_us = MAX_OF(now_us, now);
}

/* Who only looks takes time as well: a loop to a moment comes to its end. */
static bool
look_again(int64_t end)
{
	if (now_us < end) {
		meet(end);
		return true;
	}
	now_us += LOOK_US;
	return false;
}

static int64_t
end_of(int ms)
{
	return ms < 0 ? INT64_MAX : now_us + (int64_t)ms * 1000;
}

static void
pass(int64_t us)
{
	int64_t end = now_us + us;

	while (now_us < end)
		meet(end);
}

static const char *
random_name(void)
{
	return "seeded";
}

static void
random_buf(void *const p, const size_t n)
{
	sim_random_bytes(&rng, p, n);
}

static uint32_t
random_word(void)
{
	uint32_t v;

	random_buf(&v, sizeof(v));
	return v;
}

static struct randombytes_implementation seeded = {
    .implementation_name = random_name,
    .random = random_word,
    .buf = random_buf,
};

static void __attribute__((constructor))
begin(void)
{
	const char *text = getenv(VTIME_ENV);
	unsigned long long seed;
	long long ahead;

	if (text == NULL ||
	    sscanf(text, "%d %llu %lld", &talk, &seed, &ahead) != 3)
		return;
	rng = seed;
	wall_us = SIM_WALL_US + ahead * 1000000;
	(void)randombytes_set_implementation(&seeded);
	if (read(talk, &now_us, sizeof(now_us)) != sizeof(now_us))
		_exit(99);
}

/* ---- what stands before the C library's ---- */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t us = now_us;

	if (real() || id == CLOCK_PROCESS_CPUTIME_ID ||
	    id == CLOCK_THREAD_CPUTIME_ID)
		return (int)syscall(SYS_clock_gettime, id, ts);
	us += id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? wall_us :
	    mono_us;
	ts->tv_sec = us / 1000000;
	ts->tv_nsec = us % 1000000 * 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

int
epoll_wait(int fd, struct epoll_event *ev, int max, int ms)
{
	int64_t end = end_of(ms);

	for (;;) {
		int n = (int)syscall(SYS_epoll_pwait, fd, ev, max,
		    real() ? ms : 0, NULL, (size_t)(_NSIG / 8));

		if (talk < 0 || n != 0 || !look_again(end))
			return n;
	}
}

int
poll(struct pollfd *fds, nfds_t nfds, int ms)
{
	int64_t end = end_of(ms);
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L}, none = {0};

	for (;;) {
		int n = (int)syscall(SYS_ppoll, fds, nfds,
		    !real() ? &none : ms < 0 ? NULL : &ts, NULL,
		    (size_t)(_NSIG / 8));

		if (talk < 0 || n != 0 || !look_again(end))
			return n;
	}
}

int
nanosleep(const struct timespec *t, struct timespec *left)
{
	if (talk < 0)
		return (int)syscall(SYS_nanosleep, t, left);
	pass((int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000);
	return 0;
}
