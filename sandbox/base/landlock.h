/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_LANDLOCK_H
#define WARREN_SANDBOX_BASE_LANDLOCK_H

/*
 * Landlock (linux-sandbox.md 1.4): rights and the attribute's size are
 * cut to the kernel's version.
 */

/* The kernel's version, 0: none. */
int landlock_abi(void);

struct landlock_path {
	const char *path;
	int may; /* LANDLOCK_MAY_* */
};
#define LANDLOCK_MAY_READ 1 /* and execute */
#define LANDLOCK_MAY_WRITE 2
#define LANDLOCK_MAY_NODES 4 /* write to files that exist, devices too */
/* of a contract: taken away from the above, or alone */
#define LANDLOCK_NOT_READ 8
#define LANDLOCK_NOT_WRITE 16
#define LANDLOCK_NOT_EXEC 32
#define LANDLOCK_READ 64
#define LANDLOCK_WRITE 128
#define LANDLOCK_EXEC 256 /* which needs to read the file as well */
#define LANDLOCK_FILE 512 /* a folder there is not meant */
/* its names may be patterns (common/pattern.h): what there is of them now */
#define LANDLOCK_PATTERN 1024
/*
 * Nothing but these; the network and other domains not at all. 0 or -1 (E2BIG:
 * patterns in folders of more names than are looked at).
 */
int landlock_apply(int abi, const struct landlock_path *, unsigned n);

/*
 * For jail itself: nothing but reading beneath these. It is not scoped, since
 * jobs lie outside its domain and it must send them signals.
 */
int landlock_read_only(int abi, const int *dirs, unsigned n);

#endif
