/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/wasmcache.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#ifdef __x86_64__
#include <cpuid.h>
#else
#include <sys/auxv.h>
#endif

#include "common/cleanup.h"
#include "common/log.h"
#include "common/util.h"
#include "config.h"
#include "sandbox/jail/jail.h"

#define FOLDER "wasm"
#define NEW "new-" /* then the slot */
#ifndef WASM_LIBRARY_SHA256
#define WASM_LIBRARY_SHA256 "none"
#endif

struct wasmcache {
	int dir;
	struct id32 key[JAIL_SLOTS_MAX + 1]; /* zeros: nothing is made */
};

/* ---- names ---- */

/* Code takes what the processor has, and is refused by one that has less. */
static void
machine(char *out, size_t cap)
{
#ifdef __x86_64__
	unsigned a = 0, b = 0, c = 0, d = 0, b7 = 0, c7 = 0, x = 0;

	(void)__get_cpuid(1, &a, &b, &c, &d);
	(void)__get_cpuid_count(7, 0, &x, &b7, &c7, &x);
	(void)snprintf(out, cap, "x86_64 %x %x %x", c, b7, c7);
#else
	(void)snprintf(out, cap, "%lx %lx", getauxval(AT_HWCAP),
	    getauxval(AT_HWCAP2));
#endif
}

void
wasmcache_key(struct id32 *key, const struct id32 *module, bool interpreted,
    bool fuel)
{
	struct sha256_ctx c;
	char cpu[96], text[256];
	int n;

	machine(cpu, sizeof(cpu));
	n = snprintf(text, sizeof(text), "warren/wasm/v2 %s %s%s %s",
	    WASM_LIBRARY_SHA256, interpreted ? "interpreted" : "native",
	    fuel ? " fuel" : "", cpu);
	sha256_init(&c);
	sha256_update(&c, sizeof(module->b), module->b);
	sha256_update(&c, (size_t)n, (const uint8_t *)text);
	sha256_digest(&c, sizeof(key->b), key->b);
}

static void
new_name(char out[16], uint32_t slot)
{
	(void)snprintf(out, 16, NEW "%u", slot);
}

/* ---- the folder ---- */

static DIR *
list(const struct wasmcache *w)
{
	int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL && fd >= 0)
		(void)close(fd);
	return d;
}

/* Beyond the bound the one that was not used for the longest goes. */
static void
trim(const struct wasmcache *w)
{
	char oldest[65];
	uint64_t sum;
	struct timespec when = {0, 0};

	for (;;) {
		struct dirent *de;
		struct stat st;
		DIR *d = list(w);

		sum = 0;
		oldest[0] = '\0';
		while (d != NULL && (de = readdir(d)) != NULL) {
			if (strlen(de->d_name) != 64 || fstatat(w->dir,
			    de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			sum += (uint64_t)st.st_size;
			if (oldest[0] != '\0' &&
			    (st.st_mtim.tv_sec > when.tv_sec ||
			    (st.st_mtim.tv_sec == when.tv_sec &&
			    st.st_mtim.tv_nsec >= when.tv_nsec)))
				continue;
			when = st.st_mtim;
			memcpy(oldest, de->d_name, sizeof(oldest));
		}
		if (d != NULL)
			(void)closedir(d);
		if (sum <= WASM_CACHE_BYTES || oldest[0] == '\0')
			return;
		if (unlinkat(w->dir, oldest, 0) < 0)
			return;
		log_info(NULL, FOLDER "/%s goes: %llu MiB are too many", oldest,
		    (unsigned long long)(sum >> 20));
	}
}

struct wasmcache *
wasmcache_open(int dir)
{
	struct wasmcache *w = calloc(1, sizeof(*w));
	struct dirent *de;
	DIR *d;

	if (w == NULL)
		return NULL;
	if (mkdirat(dir, FOLDER, 0700) < 0 && errno != EEXIST)
		log_warn(NULL, FOLDER "/");
	w->dir = openat(dir, FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (w->dir < 0) {
		free(w);
		return NULL;
	}
	d = list(w);
	while (d != NULL && (de = readdir(d)) != NULL)
		if (strncmp(de->d_name, NEW, strlen(NEW)) == 0)
			(void)unlinkat(w->dir, de->d_name, 0);
	if (d != NULL)
		(void)closedir(d);
	return w;
}

void
wasmcache_close(struct wasmcache *w)
{
	if (w == NULL)
		return;
	(void)close(w->dir);
	free(w);
}

/* ---- codes ---- */

int
wasmcache_find(struct wasmcache *w, const struct id32 *key, uint64_t *size)
{
	char name[65];
	struct stat st;
	int fd;

	hex_encode(name, HASH_BYTES(*key));
	fd = openat(w->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		(void)close(fd);
		return -1;
	}
	(void)futimens(fd, NULL); /* it was used */
	*size = (uint64_t)st.st_size;
	return fd;
}

int
wasmcache_begin(struct wasmcache *w, uint32_t slot, const struct id32 *key,
    int *write, int *read)
{
	char name[16];

	if (slot > JAIL_SLOTS_MAX)
		return -1;
	new_name(name, slot);
	(void)unlinkat(w->dir, name, 0);
	*write = openat(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	*read = *write < 0 ? -1 : openat(w->dir, name, O_RDONLY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (*read < 0) {
		close_fd(write);
		(void)unlinkat(w->dir, name, 0);
		return -1;
	}
	w->key[slot] = *key;
	return 0;
}

void
wasmcache_keep(struct wasmcache *w, uint32_t slot)
{
	static const struct id32 none;
	char from[16], to[65];

	if (slot > JAIL_SLOTS_MAX || id32_eq(&w->key[slot], &none))
		return;
	new_name(from, slot);
	hex_encode(to, HASH_BYTES(w->key[slot]));
	w->key[slot] = none;
	/* the compilation has synced it, and nobody writes on it any more */
	if (renameat(w->dir, from, w->dir, to) < 0)
		log_warn(NULL, FOLDER "/%s", to);
	trim(w);
}

void
wasmcache_drop(struct wasmcache *w, uint32_t slot)
{
	static const struct id32 none;
	char name[16];

	if (slot > JAIL_SLOTS_MAX || id32_eq(&w->key[slot], &none))
		return;
	new_name(name, slot);
	w->key[slot] = none;
	(void)unlinkat(w->dir, name, 0);
}
