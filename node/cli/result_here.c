/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/result_here.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nettle/sha2.h>
#include <sodium.h>

#include "common/b64.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/jobdir.h"
#include "node/cli/pack.h"
#include "node/cli/say.h"
#include "trust/doc/manifest_form.h"
#include "trust/doc/receipt.h"

#define SLICE 32768 /* of one answer of node.sock, which has lines of 64 KiB */

struct here {
	struct cli *c;
	const char *id, *out;
	int dir;
	json_t *result;
	/* the file that is fetched */
	int fd;
	uint64_t have, size;
	bool bad;
};

static bool
take_result(void *arg, const json_t *o)
{
	struct here *h = arg;

	h->result = json_deep_copy(o);
	return true;
}

static bool
take_bytes(void *arg, const json_t *o)
{
	struct here *h = arg;
	const json_t *text = json_object_get(o, "base64");
	uint8_t bytes[SLICE];
	size_t n = 0;

	h->bad = !json_is_string(text) ||
	    !b64_get(bytes, sizeof(bytes), json_string_value(text),
		json_string_length(text), &n,
		sodium_base64_VARIANT_ORIGINAL) ||
	    n > h->size - h->have;
	if (!h->bad && write_full(h->fd, bytes, n) != 0) {
		cli_error(h->c, "%s: %s", h->out, strerror(errno));
		h->bad = true;
	}
	h->have += n;
	return n > 0 && !h->bad;
}

/* A file of this size and digest, slice by slice; false: said. */
static bool
fetch(struct here *h, const char *verb, const char *what, json_t *which,
    const json_t *entry)
{
	json_int_t size = json_integer_value(json_object_get(entry, "size"));
	const char *hex = json_string_value(json_object_get(entry, "sha256"));
	struct id32 want, got;
	uint64_t n, before;

	h->have = 0;
	h->size = (uint64_t)MAX_OF(size, 0);
	h->bad = hex == NULL ||
	    !hex_decode(HASH_BYTES(want), hex, strlen(hex));
	while (h->have < h->size && !h->bad) {
		json_t *q = json_pack("{s:s,s:s,s:I,s:i,s:O}", "verb", verb,
		    "id", h->id, "offset", (json_int_t)h->have, "n", SLICE,
		    what, which);

		before = h->have;
		if (ask(h->c, ASK_NODE, q, take_bytes, h) != CLI_OK)
			h->bad = true;
		h->bad = h->bad || h->have == before;
	}
	json_decref(which);
	if (!h->bad && pack_digest(h->fd, &got, &n) && n == h->size &&
	    id32_eq(&got, &want))
		return true;
	cli_error(h->c, "%s: not all of it came from the node", h->out);
	return false;
}

static bool
fetch_log(struct here *h, unsigned i)
{
	const char *name = i == 0 ? "stdout" : "stderr";
	_cleanup_fd_ int fd = openat(h->dir, name,
	    O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);

	h->fd = fd;
	if (fd >= 0)
		return fetch(h, "logs", "stream", json_string(name),
		    json_array_get(json_object_get(h->result, "logs"), i));
	cli_error(h->c, "%s/%s: %s", h->out, name, strerror(errno));
	return false;
}

static bool
fetch_output(struct here *h, size_t i, const json_t *entry)
{
	const char *target = json_string_value(json_object_get(entry,
	    "target"));
	_cleanup_fd_ int fd = pack_temp();

	h->fd = fd;
	if (fd < 0 || target == NULL ||
	    manifest_target_bad(target, strlen(target)) != NULL) {
		cli_error(h->c, "%s: an output cannot be fetched", h->out);
		return false;
	}
	return fetch(h, "output", "output", json_integer((json_int_t)i),
		   entry) &&
	    jobdir_unpack(h->c, h->dir, h->out, target, fd);
}

static bool
is_empty(int dir)
{
	DIR *d = dir_take(openat(dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;
	bool empty = d != NULL;

	while (empty && (e = readdir(d)) != NULL)
		empty = strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0;
	if (d != NULL)
		(void)closedir(d);
	return empty;
}

/* A new folder, or that of the same job again; false: said. */
static bool
open_folder(struct here *h, const uint8_t *receipt)
{
	uint8_t old[JOB_RECEIPT_MAX];
	struct job_receipt mine, theirs;
	ssize_t n;

	if (mkdir(h->out, 0777) != 0 && errno != EEXIST) {
		cli_error(h->c, "%s: %s", h->out, strerror(errno));
		return false;
	}
	h->dir = open(h->out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->dir < 0) {
		cli_error(h->c, "%s: %s", h->out, strerror(errno));
		return false;
	}
	if (is_empty(h->dir))
		return true;
	n = file_read(h->dir, "receipt", old, sizeof(old));
	if (n > 0 && job_receipt_parse(&theirs, old, (size_t)n) &&
	    job_receipt_parse(&mine, receipt, job_receipt_len(receipt)) &&
	    id32_eq(&mine.job, &theirs.job))
		return true;
	cli_error(h->c, "%s exists and is not this job's", h->out);
	return false;
}

static bool
fetch_all(struct here *h)
{
	const char *hex = json_string_value(json_object_get(h->result,
	    "receipt"));
	uint8_t receipt[JOB_RECEIPT_MAX];
	size_t n = hex == NULL ? 0 : strlen(hex) / 2;
	_cleanup_free_ char *text = NULL;
	const json_t *one;
	size_t i;

	if (hex == NULL ||
	    n < JOB_RECEIPT_LEN || n > sizeof(receipt) ||
	    !hex_decode(receipt, n, hex, strlen(hex)) ||
	    n != job_receipt_len(receipt)) {
		cli_error(h->c, "the node's answer has no receipt");
		return false;
	}
	if (!open_folder(h, receipt))
		return false;
	/* first, so that a fetch that breaks can be taken up */
	text = json_dumps(h->result, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (text == NULL ||
	    file_replace(h->dir, "receipt", receipt, n,
		0644) != 0 ||
	    file_replace(h->dir, "result.json", text, strlen(text),
		0644) != 0) {
		cli_error(h->c, "%s: %s", h->out, strerror(errno));
		return false;
	}
	json_array_foreach(json_object_get(h->result, "outputs"), i, one)
		if (!fetch_output(h, i, one))
			return false;
	return fetch_log(h, 0) && fetch_log(h, 1);
}

int
result_here(struct cli *c, const char *id, const char *out)
{
	struct here h = {.c = c, .id = id, .out = out, .dir = -1, .fd = -1};
	const json_t *outcome;
	int rc = ask(c, ASK_NODE,
	    json_pack("{s:s,s:s}", "verb", "result", "id", id), take_result,
	    &h);

	if (rc == CLI_OK && h.result == NULL)
		rc = CLI_FAILED;
	if (rc == CLI_OK && !fetch_all(&h))
		rc = CLI_FAILED;
	if (rc == CLI_OK) {
		outcome = json_object_get(h.result, "outcome");
		(void)json_object_set_new(h.result, "folder",
		    json_string(out));
		if (c->json)
			cli_json(json_incref(h.result));
		else
			fprintf(stderr, "results in %s\n", out);
		if (strcmp(json_is_array(outcome) ? json_string_value(
			json_array_get(outcome, 0)) : "", "exited") != 0 ||
		    json_integer_value(json_array_get(outcome, 1)) != 0)
			rc = CLI_JOB;
	}
	if (h.dir >= 0)
		(void)close(h.dir);
	json_decref(h.result);
	return rc;
}
