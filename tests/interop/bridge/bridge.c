/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bridge for a conformance suite of Reticulum stacks: drives librns by
 * commands, one JSON object a line on standard input, one answer a line on
 * standard output. It decides nothing of the protocol by itself.
 *
 *   bridge           serve
 *   bridge --list    its commands, "NAME yes" or "NAME no" for each
 */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/peer.h"

#define READ_SIZE 65536

struct command {
	const char *name;
	command_fn *run; /* NULL: not built */
	const char *why;
};

static const struct command table[] = {
#define BUILT(name) {#name, cmd_##name, NULL},
#define MISSING(name, why) {#name, NULL, why},
	BRIDGE_COMMANDS(BUILT)
	BRIDGE_MISSING(MISSING)
#undef BUILT
#undef MISSING
};
#define TABLE_LEN (sizeof(table) / sizeof(table[0]))

static json_t *
refuse(const char *fmt, const char *what)
{
	return json_pack("{s:b, s:o}", "success", 0, "error",
	    json_sprintf(fmt, what));
}

static json_t *
answer(const json_t *request)
{
	const char *name = json_string_value(json_object_get(request,
	    "command"));
	const json_t *params = json_object_get(request, "params");
	json_t *none, *a;

	if (name == NULL)
		return refuse("KeyError: '%s'", "command");
	for (size_t i = 0; i < TABLE_LEN; i++) {
		if (strcmp(table[i].name, name) != 0 || table[i].run == NULL)
			continue;
		none = json_object();
		a = call_run(table[i].run, json_is_object(params) ? params :
		    none);
		json_decref(none);
		return a;
	}
	return refuse("Unknown command: %s", name);
}

static bool
say(json_t *a, json_t *id)
{
	bool ok;

	if (a == NULL) /* out of memory, or a text that is no UTF-8 */
		a = refuse("%s", "no answer could be made");
	(void)json_object_set_new(a, "id", id);
	ok = json_dumpf(a, stdout, JSON_COMPACT) == 0 &&
	    putchar('\n') != EOF && fflush(stdout) == 0;
	json_decref(a);
	return ok;
}

static bool
serve_line(const char *line, size_t len)
{
	json_error_t e;
	json_t *request = json_loadb(line, len, 0, &e);
	json_t *id;
	bool ok;

	if (!json_is_object(request)) {
		json_decref(request);
		return say(refuse("no JSON object: %s", e.text),
		    json_string("parse_error"));
	}
	id = json_object_get(request, "id");
	ok = say(answer(request), id != NULL ? json_incref(id) : json_null());
	json_decref(request);
	return ok;
}

static void
list(void)
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		printf("%s %s%s\n", table[i].name, table[i].run != NULL ?
		    "yes" : "no ", table[i].run != NULL ? "" :
		    table[i].why);
}

/* Lines of standard input; while none is there, the live peer runs. */
static void
serve(void)
{
	char *buf = NULL, *end, *more;
	size_t len = 0, cap = 0, n;
	ssize_t got;

	for (;;) {
		while (len > 0 && (end = memchr(buf, '\n', len)) != NULL) {
			n = (size_t)(end - buf) + 1;
			if (!serve_line(buf, n))
				goto out;
			len -= n;
			memmove(buf, buf + n, len);
		}
		while (!peer_run(MONO_NEVER, STDIN_FILENO))
			;
		if (cap - len < READ_SIZE) {
			more = realloc(buf, 2 * cap + READ_SIZE);
			if (more == NULL)
				goto out;
			buf = more;
			cap = 2 * cap + READ_SIZE;
		}
		got = read(STDIN_FILENO, buf + len, cap - len);
		if (got <= 0)
			goto out;
		len += (size_t)got;
	}
out:
	peer_stop();
	free(buf);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (argc != 1 || sodium_init() < 0) {
		fprintf(stderr, "usage: bridge [--list]\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	printf("READY\n");
	(void)fflush(stdout);
	serve();
	return 0;
}
