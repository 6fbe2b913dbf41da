/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_IMAGE_SOURCE_H
#define WARREN_SANDBOX_IMAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What is imported, opened by the command with the rights of its user. Names
 * are looked at here, contents are warren-hand's to read.
 */
enum source_kind {
	SOURCE_FILE,  /* an archive */
	SOURCE_PLAIN, /* a root folder */
	SOURCE_DOCS,  /* a folder of an image's documents and layers */
};
struct source {
	int fd;
	enum source_kind kind;
};

/* 0, or -1 and why for people. */
int source_open(struct source *, const char *path, char *why, size_t cap);
/*
 * One question on the socket: a path beneath the folder, links inside it
 * followed. The answer: an errno as int32, and with 0 the descriptor of a
 * regular file, for reading. 0, or -1: nobody asks any more.
 */
int source_answer(const struct source *, int sock);

#endif
