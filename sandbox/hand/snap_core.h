/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_SNAP_CORE_H
#define WARREN_SANDBOX_HAND_SNAP_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/procfs.h>
#include <sys/types.h>

/*
 * The front of an ELF core: header, program headers, notes. Pure: what is known
 * of a process in, bytes out. The contents of memory follow as the segments say,
 * in their order, from the next page on.
 */
#define CORE_SEGS_MAX 60000u /* PN_XNUM is 65535 */
#define CORE_PAGE 4096u

struct core_seg {
	uint64_t start, memsz, filesz;
	uint32_t flags; /* PF_R | PF_W | PF_X */
};

struct core_blob {
	void *p;
	size_t n;
};

struct core_thread {
	pid_t tid;
	elf_gregset_t regs;	 /* zeros: they could not be had */
	struct core_blob fp, xstate, siginfo;
};

struct core_file { /* of NT_FILE */
	uint64_t start, end, offset;
	const char *name;
	size_t name_len;
};

struct core_of {
	pid_t pid, ppid, pgrp, sid;
	char state;
	uint32_t uid, gid;
	char name[16];	/* no NUL needed */
	char args[80];
	struct core_thread *threads; /* the first is whom a debugger shows */
	size_t nthreads;
	const struct core_seg *segs;
	size_t nsegs;
	const struct core_file *files;
	size_t nfiles;
	struct core_blob auxv;
};

/* How long the front is, up to where contents begin: whole pages. */
size_t core_front_size(const struct core_of *);
/* out has that many bytes. */
void core_front(uint8_t *out, const struct core_of *);

#endif
