/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_CLI_CAPTURE_H
#define WARREN_TESTS_UNIT_CLI_CAPTURE_H

/*
 * What a verb prints: between begin and end standard output and error go to
 * files. The texts live until the next begin.
 */
struct captured {
	char out[65536], err[65536];
};
void capture_begin(void);
const struct captured *capture_end(void);

/* A fresh folder under TMPDIR, 0700; remove it with everything in it. */
const char *temp_dir(void);
void temp_remove(const char *);
void write_text(const char *dir, const char *name, const char *text);

#endif
