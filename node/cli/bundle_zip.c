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

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/wire.h"
#include "node/cli/bundle_walk.h"
#include "sandbox/base/basefilter.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/landlock.h"

#define CHILD_MEMORY (1ull << 30)
#define CHILD_SECONDS 3600
#ifdef WARREN_SANITIZED
#define UNBOUNDED true
#else
#define UNBOUNDED false
#endif

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
child(int fd, int out)
{
	confine();
	_exit(bundle_walk(fd, out) < 0 ? 1 : 0);
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
	most = head[0] == SAID_SUMS ? BUNDLE_ZIP_SUMS : BUNDLE_NAME_MAX;
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

void
bundle_zip_take(struct bundle_zip *z, int in)
{
	while (take(z, in))
		continue;
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
	bundle_zip_take(z, p[0]);
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
