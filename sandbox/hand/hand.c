/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-hand: every parser that meets files of strangers (THREATS.md 3). It
 * runs as a step in a job's slot, as strong as a job and believed as little:
 * archive on descriptor 0 or 1, one report on 2, the folder in /v.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "sandbox/hand/hand_import.h"
#include "sandbox/hand/snap.h"
#include "sandbox/base/report.h"
#include "sandbox/base/tree.h"
#include "common/util.h"

#define FOLDER "/v"
#define SOURCE "/s"

static int
write_out(void *arg, const void *p, size_t n)
{
	return write_full(*(const int *)arg, p, n);
}

static int
folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static int
say(int rv, const struct tree_report *t)
{
	struct report r = {.kind = REPORT_HAND, .ok = rv == 0,
	    .members = t->members, .left = t->left};

	(void)snprintf(r.why, sizeof(r.why), "%s", t->why);
	report_send(STDERR_FILENO, &r);
	return rv == 0 ? 0 : 1;
}

static int
cannot(const char *what)
{
	struct tree_report t = {.members = 0};

	(void)snprintf(t.why, sizeof(t.why), "%s: %s", what, strerror(errno));
	return say(-1, &t);
}

/* "fill MEMBERS BYTES": what is left of the job's share. */
static int
fill(const char *members, const char *bytes)
{
	struct tree_bounds b = {.members = (uint32_t)strtoul(members, NULL, 10),
	    .bytes = strtoull(bytes, NULL, 10)};
	_cleanup_fd_ int v = folder(FOLDER);
	struct tree_report t;

	if (v < 0)
		return cannot("folder");
	return say(tree_unpack_within(STDIN_FILENO, v, &b, &t), &t);
}

static int
pack(void)
{
	_cleanup_fd_ int v = folder(FOLDER);
	int out = STDOUT_FILENO;
	struct tree_report t;

	if (v < 0)
		return cannot("folder");
	return say(tree_pack(v, TREE_DROP, write_out, &out, &t), &t);
}

static int
clean(void)
{
	_cleanup_fd_ int v = folder(FOLDER);
	struct tree_report t = {.members = 0};

	if (v < 0 || tree_empty(v) < 0)
		return cannot("folder");
	return say(0, &t);
}

/* Jail's trial: what matters is that it came this far. */
static int
try(void)
{
	struct tree_report t = {.members = 0};

	return say(0, &t);
}

/* A private copy of a profile volume, as much of it as we may read. */
static int
copy(void)
{
	_cleanup_fd_ int s = folder(SOURCE), v = folder(FOLDER);
	_cleanup_fd_ int tar = memfd_create("copy", MFD_CLOEXEC);
	struct tree_report t;

	if (s < 0 || v < 0 || tar < 0)
		return cannot("folder");
	if (tree_pack(s, TREE_DROP, write_out, &tar, &t) < 0)
		return say(-1, &t);
	return say(tree_unpack(tar, v, &t), &t);
}

static int
import(void)
{
	return hand_import(NULL, false);
}

static int
import_plain(void)
{
	return hand_import_plain(false);
}

/* What other nodes need of it is kept. */
static int
import_shared(int argc, char *argv[])
{
	if (strcmp(argv[2], "import-plain") == 0)
		return hand_import_plain(true);
	return hand_import(argc == 4 ? argv[3] : NULL, true);
}

int
main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int (*run)(void);
	} steps[] = {{"pack", pack}, {"clean", clean},
	    {"copy", copy}, {"try", try}, {"import", import},
	    {"import-plain", import_plain}};
	static const char whose[] = "warren-hand is a part of warrend and "
				    "warren, which start it.\n"
				    "See `man warren-hand`.\n";

	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
	if (argc == 4 && strcmp(argv[1], "fill") == 0)
		return fill(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "import") == 0)
		return hand_import(argv[2], false);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "share") == 0)
		return import_shared(argc, argv);
	if (argc == 4 && strcmp(argv[1], "snapshot") == 0)
		return hand_snapshot(argv[2], argv[3]);
	for (size_t i = 0; argc == 2 && i < NELEM(steps); i++)
		if (strcmp(argv[1], steps[i].name) == 0)
			return steps[i].run();
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 ||
			     strcmp(argv[1], "-h") == 0)) {
		(void)!write(STDOUT_FILENO, whose, sizeof(whose) - 1);
		return 0;
	}
	(void)!write(STDERR_FILENO, whose, sizeof(whose) - 1);
	return 2;
}
