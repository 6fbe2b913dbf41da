/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "transport/engine/engine.h"
#include "transport/engine/views.h"

#define CONTROL_CLIENTS 16   /* ours: at a time */
#define CONTROL_IDLE_S 300.0 /* ours: longer than a page is read */

/* Takes o; one line of the answer. false: no memory, or too long. */
static bool
put_line(struct asker *k, json_t *o, bool end)
{
	char *text;
	bool ok;

	if (o == NULL)
		return false;
	if (json_object_get(o, "ok") == NULL)
		(void)json_object_set_new(o, "ok", json_true());
	if (end)
		(void)json_object_set_new(o, "end", json_true());
	text = json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(o);
	ok = text != NULL && asker_put(k, text, strlen(text));
	free(text);
	return ok;
}

static bool
put_error(struct asker *k, int exit_code, const char *why)
{
	return put_line(k, json_pack("{s:b, s:i, s:s}", "ok", 0, "exit",
	    exit_code, "why", why), true);
}

/* The next line of the open answer. */
static bool
more(void *ctx, struct asker *k)
{
	struct view *v = asker_state(k);
	bool end = true;
	json_t *o;

	(void)ctx;
	if (v->next == NULL)
		return true;
	o = v->next(v, &end);
	if (end)
		v->next = NULL;
	return put_line(k, o, end);
}

static bool
question(void *ctx, struct asker *k, const uint8_t *line, size_t len)
{
	json_error_t err;
	json_t *req;
	bool known;

	req = json_loadb((const char *)line, len, JSON_REJECT_DUPLICATES,
	    &err);
	if (!json_is_object(req)) {
		json_decref(req);
		return put_error(k, 2, "not a JSON object");
	}
	known = view_open(asker_state(k), ctx, req);
	json_decref(req);
	return known || put_error(k, 2, "no such verb here (status, peers, "
	    "paths, interfaces, discovered, explain), or no id");
}

/*
 * uid 0, or the owner of the configuration: rootless, that is us
 * (THREATS.md 5.1).
 */
static bool
may(void *ctx, uid_t uid)
{
	(void)ctx;
	return uid == 0 || uid == geteuid();
}

static const struct asksock_rules rules = {
	.name = "mesh.sock",
	.framing = ASKSOCK_LINES,
	.question_max = CONTROL_LINE_MAX - 1,
	.waiting_max = CONTROL_LINE_MAX,
	.clients_max = CONTROL_CLIENTS,
	.idle_s = CONTROL_IDLE_S,
	.state_size = sizeof(struct view),
	.may = may,
	.question = question,
	.more = more,
};

struct asksock *
control_new(struct engine *e, int fd)
{
	return asksock_new(e->loop, fd, &rules, e);
}
