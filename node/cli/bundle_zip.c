/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"
#include "node/cli/bundle_zip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <sodium.h>

#include "audit/zipout.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/wire.h"
#include "sandbox/base/basefilter.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/landlock.h"

#define NAME_MAX_BYTES 4096u
#define CHILD_MEMORY (1ull << 30)
#define CHILD_SECONDS 3600
#define BLOCK 65536u
#ifdef WARREN_SANITIZED
#define UNBOUNDED true
#else
#define UNBOUNDED false
#endif

/* What the child says: a record each. */
enum said { SAID_MEMBER = 'M', SAID_SUMS = 'S', SAID_WHY = 'W', SAID_END = 'E' };

/* ---- the child ---- */

static void
confine(void)
{
	const struct rlimit memory = {CHILD_MEMORY, CHILD_MEMORY},
	    cpu = {CHILD_SECONDS, CHILD_SECONDS}, none = {0, 0};
	int abi = landlock_abi();
	struct filter f;

	/* a sanitizer has set aside more than that before */
	if (!UNBOUNDED)
		(void)setrlimit(RLIMIT_AS, &memory);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	if (no_new_privs() < 0)
		_exit(1);
	if (abi > 0)
		(void)landlock_apply(abi, NULL, 0);
	/* where a filter cannot be had, the rest holds */
	if (base_build_filter(BASE_NEVER, &f) == 0 && filter_load(&f) == 0 &&
	    base_build_filter(BASE_JOB, &f) == 0)
		(void)filter_load(&f);
	/* last: filters are made by way of a file in memory */
	(void)setrlimit(RLIMIT_FSIZE, &none);
}

static void
say(int out, enum said kind, const void *p, size_t n,
    const struct id32 *digest)
{
	uint8_t head[5 + 32] = {(uint8_t)kind};

	put_u32(head + 1, (uint32_t)n);
	if (digest != NULL)
		memcpy(head + 5, digest->b, 32);
	if (write_full(out, head, sizeof(head)) < 0 ||
	    write_full(out, p, n) < 0)
		_exit(1);
}

static bool
member(struct archive *a, struct archive_entry *e, int out)
{
	const char *name = archive_entry_pathname(e);
	crypto_hash_sha256_state s;
	static uint8_t buf[BLOCK];
	struct id32 d;
	char *sums = NULL;
	size_t nsums = 0;
	la_ssize_t n;
	bool list;

	if (name == NULL || strlen(name) > NAME_MAX_BYTES)
		return false;
	list = strcmp(name, ZIPOUT_SUMS) == 0;
	(void)crypto_hash_sha256_init(&s);
	while ((n = archive_read_data(a, buf, sizeof(buf))) > 0) {
		(void)crypto_hash_sha256_update(&s, buf, (size_t)n);
		if (!list || nsums + (size_t)n > BUNDLE_ZIP_SUMS)
			continue;
		if ((sums = realloc(sums, nsums + (size_t)n)) == NULL)
			_exit(1);
		memcpy(sums + nsums, buf, (size_t)n);
		nsums += (size_t)n;
	}
	(void)crypto_hash_sha256_final(&s, d.b);
	/* what does not unpack is not what was packed: no such digest */
	if (n < 0)
		memset(&d, 0, sizeof(d));
	say(out, SAID_MEMBER, name, strlen(name), &d);
	if (list)
		say(out, SAID_SUMS, sums, nsums, NULL);
	free(sums);
	return n >= 0 || n == ARCHIVE_WARN || n == ARCHIVE_FAILED;
}

static void
child(int fd, int out)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	const char *why = "";
	int rv;

	confine();
	if (a == NULL || archive_read_support_format_zip_seekable(a) !=
	    ARCHIVE_OK || archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
		why = a != NULL && archive_error_string(a) != NULL ?
		    archive_error_string(a) : "no zip archive";
	for (unsigned i = 0; *why == '\0' && i < BUNDLE_ZIP_MEMBERS; i++) {
		rv = archive_read_next_header(a, &e);
		if (rv == ARCHIVE_EOF)
			break;
		if ((rv != ARCHIVE_OK && rv != ARCHIVE_WARN) ||
		    !member(a, e, out))
			why = archive_error_string(a) != NULL ?
			    archive_error_string(a) : "malformed";
	}
	if (*why != '\0')
		say(out, SAID_WHY, why, strlen(why), NULL);
	say(out, SAID_END, "", 0, NULL);
	_exit(0);
}

/* ---- what it says is a stranger's word as well ---- */

static bool
read_full(int fd, void *p, size_t n)
{
	size_t done = 0;
	ssize_t k;

	while (done < n) {
		k = read(fd, (uint8_t *)p + done, n - done);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		done += (size_t)k;
	}
	return true;
}

static bool
add(struct bundle_zip *z, char *name, const uint8_t *digest)
{
	if ((z->n & (z->n - 1)) == 0) {
		void *p = reallocarray(z->members, MAX_OF(z->n * 2, 1u),
		    sizeof(*z->members));

		if (p == NULL)
			return false;
		z->members = p;
	}
	z->members[z->n].name = name;
	memcpy(z->members[z->n].digest.b, digest, 32);
	z->n++;
	return true;
}

/* One record; false: no more. */
static bool
take(struct bundle_zip *z, int in)
{
	uint8_t head[5 + 32];
	uint32_t n, most;
	char *text;

	if (!read_full(in, head, sizeof(head)) || head[0] == SAID_END)
		return false;
	n = get_u32(head + 1);
	most = head[0] == SAID_SUMS ? BUNDLE_ZIP_SUMS : NAME_MAX_BYTES;
	if (n > most || z->n >= BUNDLE_ZIP_MEMBERS ||
	    (text = malloc(n + 1)) == NULL)
		return false;
	text[n] = '\0';
	if (!read_full(in, text, n)) {
		free(text);
		return false;
	}
	if (head[0] == SAID_MEMBER && add(z, text, head + 5))
		return true;
	if (head[0] == SAID_SUMS && z->sums == NULL) {
		z->sums = text;
		z->sums_len = n;
		return true;
	}
	if (head[0] == SAID_WHY)
		(void)text_printable(z->why, sizeof(z->why), text,
		    MIN_OF(strlen(text), sizeof(z->why) / 4));
	free(text);
	return true;
}

bool
bundle_zip_read(struct bundle_zip *z, int fd)
{
	int p[2], st;
	pid_t pid;

	memset(z, 0, sizeof(*z));
	if (lseek(fd, 0, SEEK_SET) < 0 || pipe2(p, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		(void)close(p[0]);
		child(fd, p[1]);
	}
	(void)close(p[1]);
	if (pid < 0) {
		(void)close(p[0]);
		return false;
	}
	while (take(z, p[0]))
		;
	(void)close(p[0]);
	while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
		;
	if ((!WIFEXITED(st) || WEXITSTATUS(st) != 0) && z->why[0] == '\0')
		(void)snprintf(z->why, sizeof(z->why),
		    "who reads it was ended by its bounds");
	return true;
}

void
bundle_zip_clear(struct bundle_zip *z)
{
	for (size_t i = 0; i < z->n; i++)
		free(z->members[i].name);
	free(z->members);
	free(z->sums);
	memset(z, 0, sizeof(*z));
}
