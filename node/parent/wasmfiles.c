/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/wasmfiles.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "config.h"

#if defined(HAVE_WASM) && defined(__GLIBC__)
#ifdef __x86_64__
#define LOADER "ld-linux-x86-64.so.2"
#else
#define LOADER "ld-linux-aarch64.so.1"
#endif

/* As the loader would find it for a program of ours. */
static int
open_library(const char *name)
{
	void *lib = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	struct link_map *map = NULL;
	int fd = -1;

	if (lib == NULL)
		return -1;
	if (dlinfo(lib, RTLD_DI_LINKMAP, &map) == 0 && map->l_name[0] == '/')
		fd = open(map->l_name, O_RDONLY | O_CLOEXEC);
	(void)dlclose(lib);
	return fd;
}

bool
wasmfiles_open(int at, int fds[WASM_FILES], const char **lacks)
{
	bool all = true;

	for (unsigned i = 0; i < WASM_FILES; i++) {
		fds[i] = i == WASM_LOADER ? open_library(LOADER) :
		    i == WASM_RUNNER || i == WASM_LIBRARY ?
		    openat(at, wasm_files[i], O_RDONLY | O_CLOEXEC) :
		    open_library(wasm_files[i]);
		if (fds[i] >= 0)
			continue;
		*lacks = wasm_files[i];
		all = false;
	}
	for (unsigned i = 0; i < WASM_FILES && !all; i++)
		close_fd(&fds[i]);
	return all;
}

#else

bool
wasmfiles_open(int at, int fds[WASM_FILES], const char **lacks)
{
	(void)at;
	for (unsigned i = 0; i < WASM_FILES; i++)
		fds[i] = -1;
	*lacks = NULL; /* it was built without */
	return false;
}

#endif

/* Jail looks it up by its path as well: what lies there is that file. */
static bool
is_there(int fd)
{
	char link[32], path[4096];
	struct stat a, b;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool
wasmfiles_gone(int fds[WASM_FILES], const char **which)
{
	bool gone = false;

	for (unsigned i = 0; i < WASM_FILES && !gone; i++) {
		gone = fds[i] >= 0 && !is_there(fds[i]);
		*which = wasm_files[i];
	}
	for (unsigned i = 0; i < WASM_FILES && gone; i++)
		close_fd(&fds[i]);
	return gone;
}
