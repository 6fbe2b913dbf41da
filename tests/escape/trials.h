/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_ESCAPE_TRIALS_H
#define WARREN_TESTS_ESCAPE_TRIALS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/escape/drive.h"

struct trial {
	const char *name;
	bool (*run)(void);
	bool slow; /* only when asked for, or with LONG set */
};

/* Of the trial that runs: its jail, why it failed, or "skip: " and why. */
extern struct drive d;
extern char note[600];
/* The words of main. */
extern const char *folder, *busybox;

/* In a trial with a job j. */
#define CHECK(c)                                                               \
	do {                                                                   \
		if (!(c)) {                                                    \
			(void)snprintf(note, sizeof(note), "line %d: %s: %s",  \
			    __LINE__, #c, j.why);                              \
			return false;                                          \
		}                                                              \
	} while (0)

/*
 * main of "PROGRAM BUILD-FOLDER BUSYBOX [NAME]": each trial, or that of this
 * name, has a jail of its own, which begin() starts (-1: it did not start).
 */
int trials_main(int argc, char *argv[], const struct trial *t, size_t n,
    int (*begin)(void));

#endif
