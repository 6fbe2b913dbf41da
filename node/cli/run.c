/* SPDX-License-Identifier: BSD-2-Clause */
/* warren run IMAGE [OPTION...] [--] [COMMAND...]: a job without a file. */
#include "node/cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/units.h"
#include "common/util.h"

#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/submit.h"
#include "node/cli/verb.h"
#include "trust/doc/manifest_form.h"

/* ---- options as a job ---- */

/* NAME=VALUE; NAME alone: as it is in our own environment. */
static bool
add_env(struct cli *c, struct manifest *m, const char *text)
{
	const char *eq = strchr(text, '=');
	const char *value = eq != NULL ? eq + 1 : getenv(text);
	size_t name = eq != NULL ? (size_t)(eq - text) : strlen(text);
	char pair[MANIFEST_ENV_NAME + MANIFEST_ENV_VALUE + 2];

	if (name == 0 || value == NULL) {
		cli_error(c, name == 0 ? "--env: %s has no name before =" :
			     "--env: %s is not set here; write it as "
			     "NAME=VALUE", text);
		return false;
	}
	if (name > MANIFEST_ENV_NAME || strlen(value) > MANIFEST_ENV_VALUE) {
		cli_error(c, "--env: %.*s is too long: names have at most %d "
			     "bytes, values %d",
		    (int)MIN_OF(name, 64u), text, MANIFEST_ENV_NAME,
		    (int)MANIFEST_ENV_VALUE);
		return false;
	}
	if (!env_name_ok(text, name)) {
		cli_error(c, "--env: %.*s is no name of a variable: letters, "
			     "digits and _, no digit first",
		    (int)name, text);
		return false;
	}
	(void)snprintf(pair, sizeof(pair), "%.*s=%s", (int)name, text, value);
	m->has |= HAS_ENV;
	/* the last one counts */
	for (unsigned i = 0; i < m->env.n; i++)
		if (strncmp(m->env.v[i], pair, name + 1) == 0) {
			char *other = strdup(pair);

			if (other == NULL)
				break;
			free(m->env.v[i]);
			m->env.v[i] = other;
			return true;
		}
	if (m->env.n == MANIFEST_ENV_MAX) {
		cli_error(c, "--env: there are more than %d",
		    MANIFEST_ENV_MAX);
		return false;
	}
	if (text_list_add(&m->env, pair, strlen(pair)))
		return true;
	cli_error(c, "out of memory");
	return false;
}

static bool
set_size(struct cli *c, struct manifest *m, enum manifest_limit which,
    const char *text)
{
	if (!units_size(text, &m->limit[which]) || m->limit[which] == 0 ||
	    m->limit[which] > INT64_MAX) {
		cli_error(c, "--%s: %s is no size from 1B on (like "
			     "64kB, 256MB, 2GB)",
		    manifest_limit_name(which), text);
		return false;
	}
	m->has |= HAS_LIMITS;
	return true;
}

static bool
set_number(struct cli *c, const char *name, const char *text, long least,
    long most, uint64_t *out)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || errno != 0 || n < least ||
	    n > most) {
		cli_error(c, "--%s: %s is no number from %ld to %ld", name,
		    text, least, most);
		return false;
	}
	*out = (uint64_t)n;
	return true;
}

static bool
set_time(struct cli *c, const char *name, const char *text, uint64_t least,
    uint64_t *ms)
{
	char from[24], to[24];

	if (units_time_ms(text, ms) && *ms >= least && *ms <= JOB_FILE_TIME_MAX)
		return true;
	units_time_text(from, sizeof(from), least);
	units_time_text(to, sizeof(to), JOB_FILE_TIME_MAX);
	cli_error(c, "--%s: %s is no time from %s to %s (like 30s, 10m, 24h)",
	    name, text, from, to);
	return false;
}

static bool
set_limit(struct cli *c, struct job_file *f, int option, const char *value)
{
	struct manifest *m = &f->m;
	uint32_t milli;
	uint64_t v = 0;

	switch (option) {
	case OPT_MEMORY:
		return set_size(c, m, LIMIT_MEMORY, value);
	case OPT_OUTPUT:
		return set_size(c, m, LIMIT_OUTPUT, value);
	case OPT_LOG:
		return set_size(c, m, LIMIT_LOG, value);
	case OPT_TIME:
		m->has |= HAS_LIMITS;
		return set_time(c, "time", value, 1, &m->limit[LIMIT_TIME]);
	case OPT_PIDS:
		m->has |= HAS_LIMITS;
		return set_number(c, "pids", value, 1, 1 << 22,
		    &m->limit[LIMIT_PIDS]);
	case OPT_CPU:
		if (!units_cpu_milli(value, &milli)) {
			cli_error(c, "--cpu: %s is no number of cores from "
				     "0.001 on (like 0.5, 2)", value);
			return false;
		}
		m->limit[LIMIT_CPU] = milli;
		m->has |= HAS_LIMITS;
		return true;
	case OPT_DEADLINE:
		if (!set_time(c, "deadline", value, 1000, &v))
			return false;
		f->deadline_s = (int64_t)(v / 1000);
		return true;
	case OPT_RETRIES:
		if (!set_number(c, "retries", value, 0, MANIFEST_RETRIES,
			&v))
			return false;
		m->retries = (unsigned)v;
		m->has |= HAS_RETRIES;
		return true;
	}
	return false;
}

static bool
set_option(struct cli *c, void *ctx, int option, const char *value)
{
	struct submit *s = ctx;
	const char *bad;

	switch (option) {
	case OPT_VOLUME:
		bad = job_file_volume(&s->job, value);
		if (bad != NULL)
			cli_error(c, "--volume: %s: %s", value, bad);
		return bad == NULL;
	case OPT_ENV:
		return add_env(c, &s->job.m, value);
	case OPT_WASM:
		if (value[0] == '\0' || strlen(value) >= CLI_PATH) {
			cli_error(c, "--wasm: %.64s is no path of a file",
			    value);
			return false;
		}
		memcpy(s->job.wasm, value, strlen(value) + 1);
		s->job.m.has |= HAS_WASM;
		return true;
	case OPT_FUEL:
		return set_number(c, "fuel", value, 1, INT64_C(1) << 53,
		    &s->job.m.module.fuel);
	case OPT_DETERMINISTIC:
		s->job.m.module.deterministic = true;
		return true;
	case OPT_FILES:
		s->job.m.module.files = wasm_files_word(value);
		if (s->job.m.module.files == WASM_FILES_AS_NODE)
			cli_error(c, "--files: %.16s is none of memory and "
			    "folders", value);
		return s->job.m.module.files != WASM_FILES_AS_NODE;
	case OPT_WRITABLE:
		s->job.m.read_only_fs = false;
		s->job.m.has |= HAS_READ_ONLY_FS;
		return true;
	case OPT_MEMORY:
	case OPT_CPU:
	case OPT_TIME:
	case OPT_PIDS:
	case OPT_OUTPUT:
	case OPT_LOG:
	case OPT_DEADLINE:
	case OPT_RETRIES:
		return set_limit(c, &s->job, option, value);
	}
	return submit_option(s, option, value);
}

/* A module's first argument is its name, as a program's is. */
static bool
module_words(struct submit *s, char **words, int n)
{
	struct text_list *l = &s->job.m.command;
	const char *name = strrchr(s->job.wasm, '/');

	name = name == NULL ? s->job.wasm : name + 1;
	if (n >= MANIFEST_ARGS_MAX) {
		cli_error(s->c, "there are %d arguments, and may be %d", n,
		    MANIFEST_ARGS_MAX - 1);
		return false;
	}
	s->job.m.has |= HAS_COMMAND;
	if (!text_list_add(l, name, strlen(name))) {
		cli_error(s->c, "out of memory");
		return false;
	}
	for (int i = 0; i < n; i++)
		if (!text_list_add(l, words[i], strlen(words[i]))) {
			cli_error(s->c, "out of memory");
			return false;
		}
	return true;
}

/* IMAGE and the command's words. */
static bool
take_words(struct submit *s, char **words, int n)
{
	struct manifest *m = &s->job.m;
	const struct wasm_ask *a = &m->module;

	if ((m->has & HAS_WASM) != 0)
		return module_words(s, words, n);
	if (a->fuel != 0 || a->deterministic ||
	    a->files != WASM_FILES_AS_NODE) {
		cli_error(s->c, "--fuel, --deterministic and --files are for "
		    "modules: --wasm FILE");
		return false;
	}
	if (n == 0) {
		cli_error(s->c, "IMAGE is missing, or --wasm FILE in its "
		    "place");
		return false;
	}
	if (strlen(words[0]) > MANIFEST_TEXT || words[0][0] == '\0') {
		cli_error(s->c, "%.64s is no name of an image", words[0]);
		return false;
	}
	memcpy(m->image, words[0], strlen(words[0]) + 1);
	if (n - 1 > MANIFEST_ARGS_MAX) {
		cli_error(s->c, "COMMAND has %d words, and may have %d", n - 1,
		    MANIFEST_ARGS_MAX);
		return false;
	}
	for (int i = 1; i < n; i++)
		if (!text_list_add(&m->command, words[i], strlen(words[i]))) {
			cli_error(s->c, "out of memory");
			return false;
		}
	if (n > 1)
		m->has |= HAS_COMMAND;
	return true;
}

/* ---- how it ended ---- */

int
run_status(int rc, bool interrupted, const struct submitter *s)
{
	if (interrupted)
		return RUN_SIGNAL + SIGINT;
	switch (rc) {
	case CLI_OK:
		return CLI_OK;
	case CLI_REFUSED:
		return RUN_REFUSED;
	case CLI_UNREACHABLE:
		return RUN_UNREACHABLE;
	case CLI_JOB:
		break;
	default:
		return RUN_FAILED;
	}
	switch (s->r.outcome) {
	case JOB_EXITED:
		return s->r.code & 0xff;
	case JOB_SIGNALLED:
		return RUN_SIGNAL + (s->r.code & 0x7f);
	case JOB_LOST:
		return RUN_LOST;
	default: /* killed, or cancelled before it started */
		return RUN_KILLED;
	}
}

int
verb_run(struct cli *c, int argc, char **argv)
{
	struct submit *s = submit_new(c);
	bool interrupted = false;
	int rc;

	if (s == NULL)
		return RUN_FAILED;
	job_file_init(&s->job);
	rc = cli_options(c, VERB_RUN, argc, argv, set_option, s);
	if (rc == CLI_OK && !take_words(s, argv + c->arg, argc - c->arg))
		rc = CLI_USAGE;
	if (rc == CLI_OK) {
		s->job.dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = submit_run(s);
		interrupted = s->session != NULL &&
		    session_interrupted(s->session);
	}
	if (rc >= 0)
		rc = run_status(rc, interrupted && rc != CLI_OK,
		    &s->talk.sub);
	submit_free(s);
	return rc < 0 ? CLI_OK : rc;
}
