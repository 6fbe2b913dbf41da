/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/logseen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"

#define FOLDER "logs"
#define NAME_MAX_LEN 64

/* Of a log: whom its key signs as. */
static void
name_of(char out[NAME_MAX_LEN], const struct vkey *k)
{
	char text[VKEY_TEXT_MAX], hex[17];
	struct id32 digest;

	(void)crypto_hash_sha256(digest.b, (const uint8_t *)text,
	    vkey_put(text, k));
	hex_encode(hex, digest.b, 8);
	(void)snprintf(out, NAME_MAX_LEN, "%s.checkpoint", hex);
}

/* logs/ of the person, made when it is not there; -1 with errno. */
static int
folder(struct cli *c, char path[CLI_PATH])
{
	_cleanup_fd_ int dir = -1;

	if (!cli_person_dir(c, path)) {
		errno = 0; /* said */
		return -1;
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : dir_open(dir, FOLDER, true, 0700);
}

/* The two that cannot both be true. */
static int
split(struct cli *c, int dir, const char *path, const char *name,
    const struct seen_log *l, const char *old, size_t old_len,
    const char *why)
{
	char both[2 * SNOTE_MAX], evidence[NAME_MAX_LEN + 16];
	size_t n = old_len;

	memcpy(both, old, old_len);
	memcpy(both + n, l->note, l->note_len);
	n += l->note_len;
	(void)snprintf(evidence, sizeof(evidence), "%.16s.split-%" PRIu64, name,
	    l->head->size);
	cli_error(c, "the log %s %s", l->head->origin, why);
	if (file_replace(dir, evidence, both, n, 0600) == 0)
		cli_hint(c, "Both checkpoints, signed by it, are in %s/"
		    FOLDER "/%s: show them to others.", path, evidence);
	return CLI_REFUSED;
}

static int
compare(struct cli *c, int dir, const char *path, const char *name,
    const struct seen_log *l, const char *old, size_t old_len, bool *note)
{
	struct id32 proof[TLOG_PROOF_MAX];
	struct tlog_head was;
	struct snote n;
	unsigned np;

	*note = true;
	if (!snote_parse(&n, old, old_len) ||
	    !tlog_head_parse(&was, n.text, n.text_len) ||
	    snote_signed(&n, l->key, NULL) != SNOTE_GOOD) {
		cli_note(c, "%s/" FOLDER "/%s was damaged and is written anew",
		    path, name);
		return CLI_OK;
	}
	if (was.size == l->head->size)
		return id32_eq(&was.root, &l->head->root) ? CLI_OK
		    : split(c, dir, path, name, l, old, old_len,
			  "shows two different things of the same size");
	*note = false;
	if (was.size > l->head->size) {
		cli_note(c, "an older state of the log: %" PRIu64
		    " entries, of %" PRIu64 " that were seen here",
		    l->head->size, was.size);
		return CLI_OK;
	}
	if (l->tree == NULL)
		return CLI_OK;
	*note = true;
	if (!tlog_prove_growth(l->tree, was.size, l->head->size, proof, &np))
		return CLI_FAILED; /* said by who reads the tiles */
	return tlog_extends(&was, l->head, proof, np) ? CLI_OK
	    : split(c, dir, path, name, l, old, old_len,
		  "is not what was seen of it before, with more behind it");
}

int
logseen_check(struct cli *c, const struct seen_log *l, bool must)
{
	char name[NAME_MAX_LEN], old[SNOTE_MAX], path[CLI_PATH] = "";
	_cleanup_fd_ int dir = folder(c, path);
	bool note = true;
	int rc = CLI_OK;
	ssize_t n;

	if (dir < 0 && !must)
		return CLI_OK;
	if (dir < 0) {
		if (errno != 0)
			cli_error(c, "%s/" FOLDER ": %s", path,
			    strerror(errno));
		return CLI_FAILED;
	}
	name_of(name, l->key);
	n = file_read(dir, name, old, sizeof(old));
	if (n > 0)
		rc = compare(c, dir, path, name, l, old, (size_t)n, &note);
	else if (l->tree == NULL)
		note = false; /* one proof does not show the log */
	if (rc == CLI_OK && note && file_replace(dir, name, l->note,
		l->note_len, 0600) != 0) {
		cli_error(c, "%s/" FOLDER "/%s: %s", path, name,
		    strerror(errno));
		return CLI_FAILED;
	}
	return rc;
}
