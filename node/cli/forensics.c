/* SPDX-License-Identifier: BSD-2-Clause */
/* warren forensics JOB; warren audit export FILE: bundles of evidence. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/target.h"
#include "node/cli/verb.h"

#define LOOK_MS 50

struct wanted {
	const char *then;
	int64_t from, to;
	json_t *last;
};

static bool
keep(void *arg, const json_t *o)
{
	struct wanted *w = arg;

	json_decref(w->last);
	w->last = json_deep_copy(o);
	return true;
}

/* Until it is made; CLI_OK with what it is in w->last, or said. */
static int
made(struct cli *c, struct wanted *w, json_t *steal_request)
{
	const struct timespec pause = {0, LOOK_MS * 1000000L};
	const char *verb = strdup(json_string_value(json_object_get(
	    steal_request, "verb")));
	int rc = verb == NULL ? CLI_FAILED : ask(c, ASK_NODE, steal_request,
	    keep, w);
	json_int_t number = ask_int(w->last, "bundle");

	while (rc == CLI_OK) {
		rc = ask(c, ASK_NODE, json_pack("{s:s,s:I}", "verb", verb,
			"bundle", number), keep, w);
		if (rc != CLI_OK ||
		    json_object_get(w->last, "pending") == NULL)
			break;
		(void)nanosleep(&pause, NULL);
	}
	free((void *)(uintptr_t)verb);
	return rc;
}

static bool
path_of(struct cli *c, const struct wanted *w, char out[CLI_PATH])
{
	char dir[CLI_PATH], folder[CLI_PATH];

	return cli_config_dir(c, dir) &&
	    cli_path(folder, dir, "warren/forensics") &&
	    cli_path(out, folder, ask_text(w->last, "name"));
}

static void
print(struct cli *c, const struct wanted *w, const char *path)
{
	char size[24];

	if (c->json) {
		cli_json(json_pack("{s:s,s:O,s:O,s:O}", "file", path, "size",
		    json_object_get(w->last, "size"), "members",
		    json_object_get(w->last, "members"), "pause_us",
		    json_object_get(w->last, "pause_us")));
		return;
	}
	printf("%s  %s, %lld members\n", path, cli_bytes(size,
	    (uint64_t)ask_int(w->last, "size")), ask_int(w->last, "members"));
}

static bool
set_then(struct cli *c, void *ctx, int option, const char *value)
{
	struct wanted *w = ctx;

	(void)option; /* there is one */
	if (strcmp(value, "resume") != 0 && strcmp(value, "kill") != 0 &&
	    strcmp(value, "stay") != 0) {
		cli_error(c, "--then: resume, kill or stay");
		return false;
	}
	w->then = value;
	return true;
}

int
verb_forensics(struct cli *c, int argc, char **argv)
{
	struct wanted w = {.then = "resume"};
	struct target t;
	char path[CLI_PATH];
	int rc = cli_options(c, VERB_FORENSICS, argc, argv, set_then, &w);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	target_init(&t, c);
	t.want_here = true;
	rc = target_find(&t, argv[c->arg]);
	if (rc == CLI_OK)
		rc = made(c, &w, json_pack("{s:s,s:s,s:s}", "verb",
			"forensics", "id", t.id, "then", w.then));
	target_close(&t);
	if (rc == CLI_OK && !path_of(c, &w, path))
		rc = CLI_FAILED;
	if (rc == CLI_OK)
		print(c, &w, path);
	json_decref(w.last);
	return rc;
}

/* ---- audit export ---- */

static bool
set_span(struct cli *c, void *ctx, int option, const char *value)
{
	struct wanted *w = ctx;
	char *end;
	long long n = strtoll(value, &end, 10);

	if (*value == '\0' || *end != '\0' || n < 1) {
		cli_error(c, "%s: %s is no number of a line (`warren audit "
		    "tail` shows them)", option == OPT_FROM ? "--from" : "--to",
		    value);
		return false;
	}
	*(option == OPT_FROM ? &w->from : &w->to) = n;
	return true;
}

static int
copy(int in, int out)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write_full(out, buf, (size_t)n) < 0)
			return -1;
	return n < 0 ? -1 : fsync(out);
}

/* From warren/forensics to where it is wanted; what lay there stays. */
static int
carry(struct cli *c, const char *from, const char *to)
{
	_cleanup_fd_ int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_fd_ int out = -1;

	if (in < 0) {
		cli_error(c, "%s: %s", from, strerror(errno));
		return CLI_FAILED;
	}
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || copy(in, out) < 0) {
		cli_error(c, "%s: %s", to, strerror(errno));
		cli_hint(c, "It is kept as %s.", from);
		return CLI_FAILED;
	}
	(void)unlink(from);
	return CLI_OK;
}

int
verb_audit_export(struct cli *c, int argc, char **argv)
{
	struct wanted w = {.from = 1, .to = INT64_MAX};
	char path[CLI_PATH];
	int rc = cli_options(c, VERB_AUDIT_EXPORT, argc, argv, set_span, &w);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (w.to < w.from) {
		cli_error(c, "--to lies before --from");
		return CLI_USAGE;
	}
	if (access(argv[c->arg], F_OK) == 0) {
		cli_error(c, "%s: is there already", argv[c->arg]);
		return CLI_FAILED;
	}
	rc = made(c, &w, json_pack("{s:s,s:I,s:I}", "verb", "export", "from",
		(json_int_t)w.from, "to", (json_int_t)w.to));
	if (rc == CLI_OK && !path_of(c, &w, path))
		rc = CLI_FAILED;
	if (rc == CLI_OK)
		rc = carry(c, path, argv[c->arg]);
	if (rc == CLI_OK)
		print(c, &w, argv[c->arg]);
	json_decref(w.last);
	return rc;
}
