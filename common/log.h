/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_LOG_H
#define WARREN_COMMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>

/*
 * Log lines go to standard error, each by one write(2) of at most 4,096
 * bytes: `TIME PROGRAM[PID] LEVEL OBJECT: text key=value`; under the journal
 * `<N>` in place of the time. Text of strangers must pass text_escape() first;
 * a control character that comes this far is written as '?'.
 */
enum log_level {
	LOG_FATAL = 0,
	LOG_ERR = 1,
	LOG_WARN = 2,
	LOG_NOTICE = 3,
	LOG_INFO = 4,
	LOG_VERBOSE = 5,
	LOG_DEBUG = 6,
};

/*
 * program: a literal; level: Reticulum's loglevel, 0 to 8
 * (ARCHITECTURE.md 12.26).
 */
void log_init(const char *program, int level);
void log_set_level(int level);
/* Priority in place of the time; log_init() asks $JOURNAL_STREAM. */
void log_set_journal(bool);
bool log_get_journal(void);
int log_get_level(void);
bool log_wants(enum log_level);

/* object: whom it is about, or NULL. None changes errno. */
void log_at(enum log_level, const char *object, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void log_errno_at(enum log_level, const char *object, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* log_warn adds strerror(errno); log_warnx does not. */
#define log_warn(obj, ...) log_errno_at(LOG_WARN, obj, __VA_ARGS__)
#define log_warnx(obj, ...) log_at(LOG_WARN, obj, __VA_ARGS__)
#define log_err(obj, ...) log_errno_at(LOG_ERR, obj, __VA_ARGS__)
#define log_errx(obj, ...) log_at(LOG_ERR, obj, __VA_ARGS__)
#define log_notice(obj, ...) log_at(LOG_NOTICE, obj, __VA_ARGS__)
#define log_info(obj, ...) log_at(LOG_INFO, obj, __VA_ARGS__)
#define log_debug(obj, ...) log_at(LOG_DEBUG, obj, __VA_ARGS__)

/*
 * Only at start-up, on lost or malformed internal IPC, or out of memory
 * outside the core: logs and exits with 1. Never reached by network input.
 */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void fatalx(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
