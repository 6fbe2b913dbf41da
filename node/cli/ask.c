/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/where.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"

#define LINE_MAX_BYTES 65536

static const char *const socket_name[] = {"mesh.sock", "node.sock"};

/* A long path goes by /proc/self/fd: sun_path has 108 bytes. */
static int
connect_to(const char *dir, const char *name)
{
	_cleanup_fd_ int run = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (run < 0)
		return -1;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path),
	    "/proc/self/fd/%d/%s", run, name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) != 0)
		return -1;
	return steal_fd(&fd);
}

static bool
run_dir(struct cli *c, char out[CLI_PATH])
{
	char dir[CLI_PATH];

	return cli_config_dir(c, dir) && cli_path(out, dir, "warren/run");
}

bool
ask_possible(struct cli *c, enum ask_whom whom)
{
	char dir[CLI_PATH], run[CLI_PATH], path[CLI_PATH];
	struct stat st;

	/* root and the owner of the folder, as the daemon has it */
	return cli_config_dir(c, dir) && stat(dir, &st) == 0 &&
	    (geteuid() == 0 || geteuid() == st.st_uid) && run_dir(c, run) &&
	    cli_path(path, run, socket_name[whom]) && stat(path, &st) == 0 &&
	    S_ISSOCK(st.st_mode);
}

bool
ask_answers(struct cli *c, enum ask_whom whom)
{
	_cleanup_fd_ int fd = -1;
	char run[CLI_PATH];

	if (!ask_possible(c, whom) || !run_dir(c, run))
		return false;
	fd = connect_to(run, socket_name[whom]);
	return fd >= 0;
}

bool
ask_hint_service(struct cli *c, const char *service)
{
	_cleanup_fd_ int fd = -1;
	char run[CLI_PATH];

	if (c->config != NULL || !cli_path(run, service, "warren/run"))
		return false;
	fd = connect_to(run, socket_name[ASK_MESH]);
	if (fd < 0 && errno != EACCES)
		return false;
	cli_hint(c, "The service has the folder %s%s: warren %s --config %s",
	    service, fd < 0 ? ", and answers root" : "", c->verb, service);
	return true;
}

/* 1: go on; 0: the last; -1: refused, with *rc. */
static int
take_line(struct cli *c, const char *line, size_t len, int *rc,
    bool (*each)(void *, const json_t *), void *arg)
{
	json_error_t e;
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &e);
	int more = 1;

	if (o == NULL || !json_is_object(o)) {
		cli_error(c, "the daemon's answer is malformed: %s", e.text);
		*rc = CLI_FAILED;
		more = -1;
	} else if (!json_is_true(json_object_get(o, "ok"))) {
		const char *why = json_string_value(
		    json_object_get(o, "why"));
		json_int_t code = json_integer_value(
		    json_object_get(o, "exit"));

		cli_error(c, "%s", why != NULL ? why : "refused");
		*rc = code >= 1 && code <= 5 ? (int)code : CLI_FAILED;
		more = -1;
	} else if (!each(arg, o) || json_is_true(json_object_get(o, "end"))) {
		more = 0;
	}
	json_decref(o);
	return more;
}

int
ask(struct cli *c, enum ask_whom whom, json_t *request,
    bool (*each)(void *, const json_t *), void *arg)
{
	_cleanup_free_ char *text = NULL, *buf = NULL;
	_cleanup_fd_ int fd = -1;
	char dir[CLI_PATH];
	size_t have = 0;
	int rc = CLI_OK;

	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	buf = malloc(LINE_MAX_BYTES);
	if (text == NULL || buf == NULL || !run_dir(c, dir))
		return CLI_FAILED;
	fd = connect_to(dir, socket_name[whom]);
	if (fd < 0) {
		cli_error(c, "%s/%s: %s", dir, socket_name[whom],
		    strerror(errno));
		if (errno == EACCES)
			cli_hint(c, "It answers root and the owner of the "
				    "folder only.");
		else if (!ask_hint_service(c, WHERE_SERVICE))
			cli_hint(c, "Is `warrend` running on this folder%s?",
			    whom == ASK_NODE ? " with compute switched on" :
					       "");
		return CLI_UNREACHABLE;
	}
	/* in one piece: a daemon that refuses may close at once */
	have = strlen(text);
	text[have++] = '\n'; /* where the NUL was */
	if (write_full(fd, text, have) != 0) {
		cli_error(c, "the daemon hung up: %s", strerror(errno));
		return CLI_UNREACHABLE;
	}
	have = 0;
	for (;;) {
		char *nl;
		ssize_t n;

		while ((nl = memchr(buf, '\n', have)) != NULL) {
			size_t len = (size_t)(nl - buf);
			int more = take_line(c, buf, len, &rc, each, arg);

			if (more <= 0)
				return more < 0 ? rc : CLI_OK;
			have -= len + 1;
			memmove(buf, nl + 1, have);
		}
		if (have == LINE_MAX_BYTES) {
			cli_error(c, "the daemon's answer is too long");
			return CLI_FAILED;
		}
		n = read(fd, buf + have, LINE_MAX_BYTES - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			cli_error(c, "the daemon hung up");
			return CLI_UNREACHABLE;
		}
		have += (size_t)n;
	}
}

/* Several lines of one list: put together again. */
static bool
join(void *arg, const json_t *o)
{
	json_t *all = arg;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)o, key, v) {
		json_t *old = json_object_get(all, key);

		if (strcmp(key, "ok") == 0 || strcmp(key, "end") == 0)
			continue;
		if (json_is_array(old) && json_is_array(v))
			(void)json_array_extend(old, v);
		else
			(void)json_object_set(all, key, v);
	}
	return true;
}

int
ask_whole(struct cli *c, enum ask_whom whom, const char *verb, json_t *into)
{
	return ask(c, whom, json_pack("{s:s}", "verb", verb), join, into);
}

int
ask_whole_of(struct cli *c, enum ask_whom whom, json_t *request, json_t *into)
{
	return ask(c, whom, request, join, into);
}

bool
ask_print(void *arg, const json_t *o)
{
	struct cli *c = arg;
	json_t *copy = json_copy((json_t *)o), *v;
	const char *key;

	(void)json_object_del(copy, "ok");
	(void)json_object_del(copy, "end");
	if (c->json) {
		cli_json(copy);
		return true;
	}
	json_object_foreach(copy, key, v) {
		char *text = NULL, safe[1024];
		const char *s = json_string_value(v);

		if (s == NULL)
			s = text = json_dumps(v, JSON_ENCODE_ANY);
		text_printable(safe, sizeof(safe), s != NULL ? s : "",
		    s != NULL ? strlen(s) : 0);
		printf("%-12s %s\n", key, safe);
		free(text);
	}
	json_decref(copy);
	return true;
}

const char *
ask_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

const char *
ask_shown(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "-";
}

json_int_t
ask_int(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}
