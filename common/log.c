/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_LINE_MAX 4096

static const char *log_program = "warren";
static int log_level = LOG_NOTICE;
static bool log_journal;

static const char *const level_name[] = {
    "fatal", "error", "warning", "notice", "info", "verbose", "debug"};
/* syslog priorities for the journal */
static const char level_priority[] = "2345667";

void
log_init(const char *program, int level)
{
	log_program = program;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
	log_set_level(level);
}

void
log_set_level(int level)
{
	log_level = level < 0 ? 0 : level > 8 ? 8 : level;
}

void
log_set_journal(bool on)
{
	log_journal = on;
}

bool
log_get_journal(void)
{
	return log_journal;
}

int
log_get_level(void)
{
	return log_level;
}

bool
log_wants(enum log_level level)
{
	return (int)level <= log_level;
}

struct line {
	char text[LOG_LINE_MAX];
	size_t len; /* below sizeof(text) - 1: room for the newline */
};

static void
line_vadd(struct line *l, const char *fmt, va_list ap)
{
	size_t room = sizeof(l->text) - 1 - l->len;
	int n = vsnprintf(l->text + l->len, room, fmt, ap);

	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
}

static void line_add(struct line *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
line_add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_vadd(l, fmt, ap);
	va_end(ap);
}

static void
line_stamp(struct line *l)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (gmtime_r(&ts.tv_sec, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	line_add(l, "%s.%03ldZ ", stamp, ts.tv_nsec / 1000000);
}

static void
log_write(enum log_level level, const char *object, const char *error,
    const char *fmt, va_list ap)
{
	struct line l = {.len = 0};

	if (log_journal)
		line_add(&l, "<%c>", level_priority[level]);
	else
		line_stamp(&l);
	line_add(&l, "%s[%ld] %s%s%s: ", log_program, (long)getpid(),
	    level_name[level], object != NULL ? " " : "",
	    object != NULL ? object : "");
	line_vadd(&l, fmt, ap);
	if (error != NULL)
		line_add(&l, ": %s", error);
	for (size_t i = 0; i < l.len; i++)
		if ((unsigned char)l.text[i] < 0x20 || l.text[i] == 0x7f)
			l.text[i] = '?';
	l.text[l.len++] = '\n';
	/* nowhere to report to when standard error is gone */
	if (write(STDERR_FILENO, l.text, l.len) < 0)
		return;
}

void
log_at(enum log_level level, const char *object, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_write(level, object, NULL, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_errno_at(enum log_level level, const char *object, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	log_write(level, object, strerror(saved), fmt, ap);
	va_end(ap);
	errno = saved;
}

void
fatal(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_FATAL, NULL, strerror(saved), fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_FATAL, NULL, NULL, fmt, ap);
	va_end(ap);
	exit(1);
}
