/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person or a script sees: errors, tables, progress, streams. */
#include "node/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/layers.h"
#include "common/util.h"
#include "common/ydoc.h"
#include "common/where.h"

#define OPTIONS_MAX 24

enum shared_option { OPT_JSON = 1000, OPT_RAW, OPT_CONFIG, OPT_IDENTITY, OPT_HELP };

static bool progress_shown;

static void
print_help(const struct cli *c, const struct cli_option *own, size_t count)
{
	printf("usage: warren %s %s\n", c->verb,
	    c->args != NULL ? c->args : "");
	for (size_t i = 0; i < count; i++) {
		char letter[8] = "    ";

		if (own[i].letter != 0)
			(void)snprintf(letter, sizeof(letter), "-%c, ",
			    own[i].letter);
		printf("  %s--%s%s\n", letter, own[i].name,
		    own[i].takes ? " VALUE" : "");
	}
	printf("      --json, --raw, --config DIR, --identity DIR\n"
	       "See `man warren`.\n");
}

int
cli_options(struct cli *c, int argc, char **argv, const struct cli_option *own,
    size_t count, cli_set_fn *set, void *ctx)
{
	static const struct option shared[] = {
	    {"json", no_argument, NULL, OPT_JSON},
	    {"raw", no_argument, NULL, OPT_RAW},
	    {"config", required_argument, NULL, OPT_CONFIG},
	    {"identity", required_argument, NULL, OPT_IDENTITY},
	    {"help", no_argument, NULL, OPT_HELP},
	};
	struct option list[OPTIONS_MAX + NELEM(shared) + 1];
	char letters[2 * OPTIONS_MAX + 2] = "";
	size_t n = 0, k = 0;
	int o;

	if (count > OPTIONS_MAX)
		return CLI_USAGE;
	for (size_t i = 0; i < NELEM(shared); i++)
		list[n++] = shared[i];
	for (size_t i = 0; i < count; i++) {
		list[n++] = (struct option){own[i].name,
		    own[i].takes ? required_argument : no_argument, NULL,
		    2000 + (int)i};
		if (own[i].letter != 0) {
			letters[k++] = own[i].letter;
			if (own[i].takes)
				letters[k++] = ':';
		}
	}
	list[n] = (struct option){0};
	letters[k] = '\0';
	optind = 0; /* glibc: from the beginning, whatever was read before */
	while ((o = getopt_long(argc, argv, letters, list, NULL)) != -1) {
		int index = -1;

		switch (o) {
		case OPT_JSON:
			c->json = true;
			continue;
		case OPT_RAW:
			c->raw = true;
			continue;
		case OPT_CONFIG:
			c->config = optarg;
			continue;
		case OPT_IDENTITY:
			c->identity = optarg;
			continue;
		case OPT_HELP:
			print_help(c, own, count);
			return -1;
		case '?':
			return CLI_USAGE; /* getopt has said which */
		default:
			break;
		}
		if (o >= 2000)
			index = o - 2000;
		for (size_t i = 0; index < 0 && i < count; i++)
			if (own[i].letter == o)
				index = (int)i;
		if (index < 0 || !set(c, ctx, index, optarg))
			return CLI_USAGE;
	}
	c->arg = optind;
	return CLI_OK;
}

static void
error_json(const char *code, int step, const char *why)
{
	cli_json(json_pack("{s:s,s:s?,s:i,s:s}", "event", "error", "code", code,
	    "step", step, "why", why));
}

void
cli_error(struct cli *c, const char *fmt, ...)
{
	char text[1024], safe[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_progress_end(c);
	text_escape(safe, sizeof(safe), text, strlen(text));
	fprintf(stderr, "warren %s: %s\n", c->verb, safe);
	if (c->json)
		error_json(NULL, 0, safe);
}

void
cli_error_code(struct cli *c, const char *code, int step, const char *why)
{
	char safe_code[128], safe[2048];

	cli_progress_end(c);
	text_escape(safe_code, sizeof(safe_code), code, strlen(code));
	text_escape(safe, sizeof(safe), why, strlen(why));
	fprintf(stderr, "warren %s: refused: %s", c->verb, safe_code);
	if (step > 0)
		fprintf(stderr, " (step %d)", step);
	if (safe[0] != '\0')
		fprintf(stderr, ": %s", safe);
	fputc('\n', stderr);
	if (c->json)
		error_json(safe_code, step, safe);
}

int
cli_mistakes(struct cli *c, const char *path, const struct mistakes *bad)
{
	for (unsigned i = 0; i < bad->n; i++) {
		char line[1024];

		mistake_line(line, sizeof(line), path, &bad->v[i]);
		cli_error(c, "%s", line);
	}
	if (bad->more > 0)
		cli_error(c, "%s: %u more", path, bad->more);
	return CLI_USAGE;
}

void
cli_note(struct cli *c, const char *fmt, ...)
{
	char text[1024], safe[2048];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_progress_end(c);
	text_escape(safe, sizeof(safe), text, strlen(text));
	fprintf(stderr, "warren %s: %s\n", c->verb, safe);
}

void
cli_hint(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	cli_progress_end(c);
	fputs("  ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
cli_json(json_t *o)
{
	if (o == NULL)
		return;
	if (json_dumpf(o, stdout, JSON_COMPACT) == 0)
		fputc('\n', stdout);
	(void)fflush(stdout);
	json_decref(o);
}

json_t *
cli_layers_json(uint32_t layers)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < LAYER_COUNT; i++)
		if ((layers >> i & 1) != 0)
			(void)json_array_append_new(a,
			    json_string(layer_name(i)));
	return a;
}

/* ---- tables ---- */

#define TABLE_COLUMNS 12

struct cli_table {
	size_t columns, rows, cap;
	size_t width[TABLE_COLUMNS];
	char **cells;
};

/* Characters, not bytes: continuation bytes take no column. */
static size_t
text_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			n++;
	return n;
}

struct cli_table *
cli_table_new(const char *const *heads, size_t columns)
{
	struct cli_table *t = calloc(1, sizeof(*t));

	if (t == NULL || columns > TABLE_COLUMNS) {
		free(t);
		return NULL;
	}
	t->columns = columns;
	cli_table_row(t, heads);
	return t;
}

void
cli_table_row(struct cli_table *t, const char *const *cells)
{
	if (t == NULL)
		return;
	if ((t->rows + 1) * t->columns > t->cap) {
		size_t cap = t->cap == 0 ? 64 * t->columns : 2 * t->cap;
		char **grown = realloc(t->cells, cap * sizeof(*grown));

		if (grown == NULL)
			return;
		t->cells = grown;
		t->cap = cap;
	}
	for (size_t i = 0; i < t->columns; i++) {
		const char *s = cells[i] != NULL ? cells[i] : "-";
		char safe[1024];

		text_escape(safe, sizeof(safe), s, strlen(s));
		t->cells[t->rows * t->columns + i] = strdup(safe);
		t->width[i] = MAX_OF(t->width[i], text_width(safe));
	}
	t->rows++;
}

void
cli_table_print(struct cli_table *t)
{
	if (t == NULL)
		return;
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t i = 0; i < t->columns; i++) {
			char *s = t->cells[r * t->columns + i];

			if (s != NULL)
				fputs(s, stdout);
			if (i + 1 < t->columns)
				printf("%*s",
				    (int)(t->width[i] + 2 -
					text_width(s != NULL ? s : "")),
				    "");
		}
		fputc('\n', stdout);
	}
	cli_table_free(t);
}

void
cli_table_free(struct cli_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

/* ---- numbers ---- */

const char *
cli_bytes(char out[24], uint64_t b)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double v = (double)b;
	size_t i = 0;

	while (v >= 1024 && i + 1 < NELEM(unit)) {
		v /= 1024;
		i++;
	}
	(void)snprintf(out, 24, i == 0 || v >= 100 ? "%.0f %s" : "%.1f %s", v,
	    unit[i]);
	return out;
}

const char *
cli_duration(char out[24], int64_t ms)
{
	long long s = ms / 1000;

	if (ms < 0)
		(void)snprintf(out, 24, "-");
	else if (ms < 1000)
		(void)snprintf(out, 24, "%d ms", (int)ms);
	else if (s < 60)
		(void)snprintf(out, 24, "%.1f s", (double)ms / 1000);
	else if (s < 3600)
		(void)snprintf(out, 24, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		(void)snprintf(out, 24, "%lld h %lld min", s / 3600,
		    s % 3600 / 60);
	else
		(void)snprintf(out, 24, "%lld d %lld h", s / 86400 % 1000000,
		    s % 86400 / 3600);
	return out;
}

const char *
cli_time(char out[24], int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (unix_s == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(out, 24, "-");
	return out;
}

/* ---- progress and streams ---- */

void
cli_progress(struct cli *c, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (!c->err_tty || c->json)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "\r\033[K%s", text);
	(void)fflush(stderr);
	progress_shown = true;
}

void
cli_progress_end(struct cli *c)
{
	(void)c;
	if (!progress_shown)
		return;
	fputs("\r\033[K", stderr);
	(void)fflush(stderr);
	progress_shown = false;
}

bool
cli_write_stream(struct cli *c, int fd, const void *data, size_t n)
{
	const char *p = data;
	bool tty = fd == STDOUT_FILENO ? c->out_tty : c->err_tty;

	cli_progress_end(c);
	if (!tty || c->raw)
		return write_full(fd, p, n) == 0;
	while (n > 0) {
		/* newline and tab stay; \r would let a job repaint the line */
		size_t line = 0;
		char safe[4096];

		while (line < MIN_OF(n, 1000) && p[line] != '\n' &&
		    p[line] != '\t')
			line++;
		if (line == 0) {
			line = 1;
			if (write_full(fd, p, 1) == -1)
				return false;
		} else if (write_full(fd, safe, text_escape(safe,
		    sizeof(safe), p, line)) == -1) {
			return false;
		}
		p += line;
		n -= line;
	}
	return true;
}

/* ---- folders ---- */

bool
cli_path(char out[CLI_PATH], const char *a, const char *b)
{
	int n = snprintf(out, CLI_PATH, "%s/%s", a, b);

	return n > 0 && n < CLI_PATH;
}

bool
cli_config_dir(struct cli *c, char out[CLI_PATH])
{
	if (c->config != NULL) {
		if (strlen(c->config) >= CLI_PATH) {
			cli_error(c, "--config: the path is too long");
			return false;
		}
		memcpy(out, c->config, strlen(c->config) + 1);
		return true;
	}
	if (where_config(out, CLI_PATH))
		return true;
	cli_error(c, "no configuration folder; name one with --config DIR");
	return false;
}

bool
cli_person_dir(struct cli *c, char out[CLI_PATH])
{
	const char *h = where_home();
	const char *xdg = getenv("XDG_CONFIG_HOME");

	if (c->identity != NULL && strlen(c->identity) < CLI_PATH) {
		memcpy(out, c->identity, strlen(c->identity) + 1);
		return true;
	}
	if (c->identity == NULL && xdg != NULL && xdg[0] == '/' &&
	    cli_path(out, xdg, "warren"))
		return true;
	if (c->identity == NULL && h != NULL &&
	    cli_path(out, h, ".config/warren"))
		return true;
	cli_error(c, "no folder for your keys; name one with --identity DIR");
	return false;
}
