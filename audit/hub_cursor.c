/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/hub_cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/file.h"

#define TEXT_MAX 128 /* three words, in one form alone */

static int
put(char text[TEXT_MAX], const struct hub_cursor *c)
{
	return snprintf(text, TEXT_MAX, "%s %llu %llu\n", c->id,
	    (unsigned long long)c->acked, (unsigned long long)c->sent);
}

void
hub_cursor_read(struct hub_cursor *c, int dir, const char *id)
{
	char text[TEXT_MAX], again[TEXT_MAX];
	ssize_t n = file_read(dir, TRAIL_HUB, text, sizeof(text) - 1);
	struct hub_cursor is = {.acked = 0};
	char *end;

	(void)snprintf(c->id, sizeof(c->id), "%s", id);
	c->acked = c->sent = 0;
	if (n <= HUB_ID || strncmp(text, c->id, HUB_ID) != 0)
		return;
	text[n] = '\0';
	is = *c;
	is.acked = strtoull(text + HUB_ID, &end, 10);
	is.sent = strtoull(end, NULL, 10);
	if (put(again, &is) == n && memcmp(text, again, (size_t)n) == 0 &&
	    is.sent >= is.acked)
		*c = is;
}

int
hub_cursor_write(const struct hub_cursor *c, int dir)
{
	char text[TEXT_MAX];
	int n = put(text, c);

	return file_replace(dir, TRAIL_HUB, text, (size_t)n, 0600);
}

uint64_t
hub_ack(const char *text, size_t len, const uint64_t *last, unsigned n,
    const char **why)
{
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ack = json_object_get(o, "ack");
	json_int_t v = json_integer_value(ack);
	bool is = json_is_integer(ack) && v >= 0;

	json_decref(o);
	if (!is) {
		*why = "its answer is no {\"ack\":NUMBER}";
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		if (last[i] == (uint64_t)v)
			return (uint64_t)v;
	*why = n > 0 && (uint64_t)v < last[0] ?
	    "it has taken nothing of what was sent" :
	    "it says that it has taken a line that was not sent";
	return 0;
}
