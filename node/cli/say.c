/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/layers.h"
#include "common/util.h"
#include "common/ydoc.h"

static bool progress_shown;

void
cli_error_json(const char *code, int step, const char *why)
{
	cli_json(json_pack("{s:s,s:s?,s:i,s:s}", "event", "error", "code", code,
	    "step", step, "why", why));
}

/*
 * One line without control characters, names in it escaped by whoever has
 * them; safe has room for it, for JSON.
 */
static void __attribute__((format(printf, 3, 0)))
say(struct cli *c, char safe[2048], const char *fmt, va_list ap)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	c->interrupted = false;
	cli_progress_end(c);
	text_printable(safe, 2048, text, strlen(text));
	fprintf(stderr, "warren %s: %s\n", c->verb, safe);
}

void
cli_error(struct cli *c, const char *fmt, ...)
{
	char safe[2048];
	va_list ap;

	va_start(ap, fmt);
	say(c, safe, fmt, ap);
	va_end(ap);
	if (c->json)
		cli_error_json(NULL, 0, safe);
}

void
cli_error_code(struct cli *c, const char *code, int step, const char *why)
{
	char safe_code[128], safe[2048];

	cli_progress_end(c);
	text_escape(safe_code, sizeof(safe_code), code, strlen(code));
	text_printable(safe, sizeof(safe), why, strlen(why));
	fprintf(stderr, "warren %s: refused: %s", c->verb, safe_code);
	if (step > 0)
		fprintf(stderr, " (step %d)", step);
	if (safe[0] != '\0')
		fprintf(stderr, ": %s", safe);
	fputc('\n', stderr);
	if (c->json)
		cli_error_json(safe_code, step, safe);
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
	char safe[2048];
	va_list ap;

	va_start(ap, fmt);
	say(c, safe, fmt, ap);
	va_end(ap);
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
			if (write_full(fd, p, 1) < 0)
				return false;
		} else if (write_full(fd, safe, text_escape(safe,
		    sizeof(safe), p, line)) < 0) {
			return false;
		}
		p += line;
		n -= line;
	}
	return true;
}
