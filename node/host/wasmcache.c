/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/wasmcache.h"

#include <bsd/sys/queue.h>
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
#include "common/clock.h"
#include "common/log.h"
#include "common/util.h"
#include "config.h"
#include "sandbox/jail/jail.h"

#define FOLDER "wasm"
#define NEW "new-" /* then the slot */
#ifndef WASM_LIBRARY_SHA256
#define WASM_LIBRARY_SHA256 "none"
#endif

/* ours: of what is made so much is read at once, or in each turn */
#define PIECE (1u << 20)
/* ours: of what is asked for; to compile it would take seconds */
#define AT_ONCE (16u << 20)
#define KNOWN_MAX 1024u /* ours: beyond it the first is read again */

/* One that was read in this life, and has not been written since. */
struct code {
	TAILQ_ENTRY(code) link;
	struct id32 key;
	struct stat is;
	int64_t used_us; /* the file bears only when it was read */
};

/* One that is being read: to see that it is whole, or to say so. */
struct reading {
	STAILQ_ENTRY(reading) link;
	struct id32 key;
	bool made; /* the sum is not there yet */
	int fd;	   /* -1: it is not its turn yet */
	struct stat was; /* when it was made, or is begun */
	uint64_t at;
	struct sha256_ctx sum;
};

/* What errno says of a code that could be read, but is not whole. */
#define CHANGED EINVAL
#define UNREAD EAGAIN /* a node ended before it had made the sum */

struct wasmcache {
	int dir;
	struct id32 key[JAIL_SLOTS_MAX + 1]; /* zeros: nothing is made */
	TAILQ_HEAD(codes, code) known;
	size_t nknown;
	STAILQ_HEAD(readings, reading) readings;
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
	n = snprintf(text, sizeof(text), "warren/wasm/v3 %s %s%s %s",
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

/* ---- what is known of them ---- */

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int64_t
modified_us(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 +
	    st->st_mtim.tv_nsec / 1000;
}

static struct code *
code_of(const struct wasmcache *w, const struct id32 *key)
{
	struct code *c;

	TAILQ_FOREACH(c, &w->known, link)
		if (id32_eq(&c->key, key))
			return c;
	return NULL;
}

static void
forget(struct wasmcache *w, const struct id32 *key)
{
	struct code *c = code_of(w, key);

	if (c == NULL)
		return;
	TAILQ_REMOVE(&w->known, c, link);
	w->nknown--;
	free(c);
}

static void
know(struct wasmcache *w, const struct id32 *key, const struct stat *st)
{
	struct code *c = calloc(1, sizeof(*c));

	forget(w, key);
	if (c == NULL)
		return;
	*c = (struct code){.key = *key, .is = *st,
	    .used_us = modified_us(st)};
	TAILQ_INSERT_HEAD(&w->known, c, link);
	if (++w->nknown > KNOWN_MAX)
		forget(w, &TAILQ_LAST(&w->known, codes)->key);
}

static bool
known(const struct wasmcache *w, const struct id32 *key, const struct stat *st)
{
	const struct code *c = code_of(w, key);

	return c != NULL && same(&c->is, st);
}

/* It still has its name, and no other. */
static bool
named(const struct wasmcache *w, const struct id32 *key, const struct stat *is,
    char name[65])
{
	struct stat st;

	hex_encode(name, HASH_BYTES(*key));
	return fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == is->st_ino;
}

/* Gone, unless another has its name already; and a word on it, by errno. */
static void
discard(struct wasmcache *w, const struct id32 *key, const struct stat *was)
{
	int why = errno;
	char name[65];

	if (!named(w, key, was, name) || unlinkat(w->dir, name, 0) < 0)
		return;
	forget(w, key);
	errno = why;
	if (why == UNREAD)
		log_info(NULL, FOLDER "/%s was not read to its end when it "
		    "was made: it is removed, and compiled again when it is "
		    "asked for", name);
	else if (why != CHANGED)
		log_warn(NULL, FOLDER "/%s is removed, and compiled again "
		    "when it is asked for", name);
	else
		log_warnx(NULL, FOLDER "/%s is not the code that was "
		    "compiled: it is removed, and compiled again when it is "
		    "asked for", name);
}

/* ---- reading them ---- */

/* What is made is read as it was left, all other as it is now. */
static int
sum_begin(struct reading *r)
{
	struct stat st;
	bool changed;

	/* ... which is its use; that changes it, and so not while it is read */
	if (!r->made)
		(void)futimens(r->fd, NULL);
	if (fstat(r->fd, &st) < 0)
		return -1;
	changed = !S_ISREG(st.st_mode) || (r->made && !same(&r->was, &st));
	r->was = st;
	errno = CHANGED;
	if (changed)
		return -1;
	sha256_init(&r->sum);
	sha256_update(&r->sum, sizeof(r->key.b), r->key.b);
	r->at = 0;
	return 0;
}

/* About so many bytes more of it: 1, or 0 at its end; -1 with errno. */
static int
sum_more(struct reading *r, size_t budget)
{
	static uint8_t buf[64 * 1024];

	for (size_t done = 0; done < budget;) {
		size_t head = r->at == 0 ? WASM_CODE_HEAD : 0;
		ssize_t n = pread(r->fd, buf, sizeof(buf), (off_t)r->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (head > 0 && (size_t)n < head)) {
			errno = n < 0 ? errno : CHANGED;
			return -1;
		}
		if (n == 0)
			return 0;
		if (head > 0)
			sha256_update(&r->sum, WASM_CODE_MARK, buf);
		sha256_update(&r->sum, (size_t)n - head, buf + head);
		r->at += (uint64_t)n;
		done += (size_t)n;
	}
	return 1;
}

/* All is read: 0 when its head says the same, or says so now; it is as r->was. */
static int
sum_end(struct reading *r)
{
	static const struct id32 none;
	struct id32 is, said;
	struct stat st;
	ssize_t n;

	if (fstat(r->fd, &st) < 0)
		return -1;
	errno = CHANGED;
	/* what changed while it was read may have changed behind the reader */
	if (!same(&r->was, &st))
		return -1;
	sha256_digest(&r->sum, sizeof(is.b), is.b);
	if (r->made) {
		/* lost with the power, it is compiled again: not waited for */
		n = pwrite(r->fd, is.b, sizeof(is.b), WASM_CODE_MARK);
		if (n == (ssize_t)sizeof(is.b))
			return fstat(r->fd, &r->was);
		errno = n < 0 ? errno : EIO;
		return -1;
	}
	if ((n = pread(r->fd, said.b, sizeof(said.b), WASM_CODE_MARK)) < 0)
		return -1;
	if (n == (ssize_t)sizeof(said.b) && id32_eq(&is, &said))
		return 0;
	errno = n == (ssize_t)sizeof(said.b) && id32_eq(&said, &none) ?
	    UNREAD : CHANGED;
	return -1;
}

static int
code_open(const struct wasmcache *w, const struct id32 *key, bool write)
{
	char name[65];

	hex_encode(name, HASH_BYTES(*key));
	return openat(w->dir, name, (write ? O_RDWR : O_RDONLY) | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
}

static void
reading_free(struct wasmcache *w, struct reading *r)
{
	STAILQ_REMOVE(&w->readings, r, reading, link);
	close_fd(&r->fd);
	free(r);
}

static struct reading *
reading_of(const struct wasmcache *w, const struct id32 *key)
{
	struct reading *r;

	STAILQ_FOREACH(r, &w->readings, link)
		if (id32_eq(&r->key, key))
			return r;
	return NULL;
}

/* Next, or as the last when it is made; what was made is as it says. NULL. */
static struct reading *
queue(struct wasmcache *w, const struct id32 *key, const struct stat *made)
{
	struct reading *r = reading_of(w, key);

	/* of the one before, which has lost its name */
	if (r != NULL && made != NULL) {
		reading_free(w, r);
		r = NULL;
	}
	if (r != NULL)
		STAILQ_REMOVE(&w->readings, r, reading, link);
	else if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	else
		*r = (struct reading){.key = *key, .fd = -1};
	if (made == NULL) {
		STAILQ_INSERT_HEAD(&w->readings, r, link);
		return r;
	}
	r->made = true;
	r->was = *made;
	STAILQ_INSERT_TAIL(&w->readings, r, link);
	return r;
}

static void
read_over(struct wasmcache *w, struct reading *r, bool good)
{
	if (good)
		know(w, &r->key, &r->was);
	else
		discard(w, &r->key, &r->was);
	reading_free(w, r);
}

static void
read_on(struct wasmcache *w, struct reading *r, size_t budget)
{
	int more = 1;

	if (r->fd < 0) {
		if ((r->fd = code_open(w, &r->key, r->made)) < 0) {
			reading_free(w, r);
			return;
		}
		more = sum_begin(r);
	}
	if (more >= 0)
		more = sum_more(r, budget);
	if (more <= 0)
		read_over(w, r, more == 0 && sum_end(r) == 0);
}

bool
wasmcache_work(struct wasmcache *w)
{
	struct reading *r = STAILQ_FIRST(&w->readings);

	if (r != NULL)
		read_on(w, r, PIECE);
	return !wasmcache_idle(w);
}

bool
wasmcache_idle(const struct wasmcache *w)
{
	return w == NULL || STAILQ_EMPTY(&w->readings);
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

static int64_t
used_us(const struct wasmcache *w, const char *name, const struct stat *st)
{
	const struct code *c = NULL;
	struct id32 key;

	if (hex_decode(HASH_BYTES(key), name, 64))
		c = code_of(w, &key);
	return c == NULL ? modified_us(st) : c->used_us;
}

/* Beyond the bound the one that was not used for the longest goes. */
static void
trim(struct wasmcache *w)
{
	char oldest[65];
	struct id32 key;
	uint64_t sum;
	int64_t when = 0, at;

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
			at = used_us(w, de->d_name, &st);
			if (oldest[0] != '\0' && at >= when)
				continue;
			when = at;
			memcpy(oldest, de->d_name, sizeof(oldest));
		}
		if (d != NULL)
			(void)closedir(d);
		if (sum <= WASM_CACHE_BYTES || oldest[0] == '\0')
			return;
		if (unlinkat(w->dir, oldest, 0) < 0)
			return;
		if (hex_decode(HASH_BYTES(key), oldest, 64))
			forget(w, &key);
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
	TAILQ_INIT(&w->known);
	STAILQ_INIT(&w->readings);
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
	struct reading *r;
	struct code *c;

	if (w == NULL)
		return;
	while ((r = STAILQ_FIRST(&w->readings)) != NULL)
		reading_free(w, r);
	while ((c = TAILQ_FIRST(&w->known)) != NULL)
		forget(w, &c->key);
	(void)close(w->dir);
	free(w);
}

/* ---- codes ---- */

/* It is what was compiled, or is so large that others find it out first. */
static bool
whole(struct wasmcache *w, const struct id32 *key, int fd, struct stat *st)
{
	struct reading *r;

	if (fstat(fd, st) < 0)
		return false;
	if (known(w, key, st))
		return true;
	if ((r = queue(w, key, NULL)) == NULL ||
	    st->st_size > (off_t)AT_ONCE)
		return false;
	read_on(w, r, AT_ONCE + PIECE);
	return fstat(fd, st) == 0 && known(w, key, st);
}

int
wasmcache_find(struct wasmcache *w, const struct id32 *key, uint64_t *size)
{
	int fd = code_open(w, key, false);
	struct code *c;
	struct stat st;

	if (fd < 0)
		return -1;
	if (!whole(w, key, fd, &st)) {
		(void)close(fd);
		return -1;
	}
	*size = (uint64_t)st.st_size;
	/* a change of ours to the file would hide one of others */
	if ((c = code_of(w, key)) != NULL)
		c->used_us = clock_wall_us();
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

/* What is small is read now, and the rest in its turn. */
static void
made(struct wasmcache *w, const struct id32 *key, const char *name)
{
	struct reading *r;
	struct stat st;

	forget(w, key);
	if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (r = queue(w, key, &st)) == NULL)
		log_warn(NULL, FOLDER "/%s", name);
	else if (st.st_size <= (off_t)PIECE)
		read_on(w, r, 2 * PIECE);
}

void
wasmcache_keep(struct wasmcache *w, uint32_t slot)
{
	static const struct id32 none;
	char from[16], to[65];
	const struct reading *r;
	struct id32 key;

	if (slot > JAIL_SLOTS_MAX || id32_eq(&w->key[slot], &none))
		return;
	new_name(from, slot);
	key = w->key[slot];
	w->key[slot] = none;
	/* asked for more often than it can be read, it would never be whole */
	r = reading_of(w, &key);
	if (r != NULL && r->made && named(w, &key, &r->was, to)) {
		(void)unlinkat(w->dir, from, 0);
		return;
	}
	hex_encode(to, HASH_BYTES(key));
	/* the compilation has synced it, and nobody writes on it any more */
	if (renameat(w->dir, from, w->dir, to) < 0)
		log_warn(NULL, FOLDER "/%s", to);
	else
		made(w, &key, to);
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
