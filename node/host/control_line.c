/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/asksock.h"
#include "node/host/control_impl.h"

bool
client_line(struct client *c, json_t *steal)
{
	char *text = json_dumps(steal, JSON_COMPACT);
	size_t n = text == NULL ? 0 : strlen(text);
	bool ok;

	json_decref(steal);
	ok = text != NULL && n < CONTROL_LINE &&
	    asker_put(c->asker, text, n);
	free(text);
	return ok;
}

json_t *
client_good(bool end)
{
	json_t *o = json_pack("{s:b}", "ok", 1);

	if (end)
		(void)json_object_set_new(o, "end", json_true());
	return o;
}

bool
client_refuse(struct client *c, int code, const char *why)
{
	return client_line(c, json_pack("{s:b,s:i,s:s}", "ok", 0, "exit", code,
		"why", why));
}
