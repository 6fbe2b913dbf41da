/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/leftout.h"

#include <inttypes.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/say.h"

/* A name of at most 255 bytes, each of which may become four. */
#define NAME_SHOWN (4 * LEFT_NAME_MAX + 5)

#define LINES_MAX 16 /* ours: result.json and --json have more */

static const char *
target(const struct manifest *m, unsigned volume)
{
	return volume < m->nvolumes ? m->volume[volume].target : "?";
}

json_t *
leftout_json(const struct left *l, const struct manifest *m)
{
	json_t *items = json_array();
	struct left_item it;
	size_t at = 0;

	while (left_next(l, &at, &it)) {
		char name[NAME_SHOWN];

		(void)text_escape(name, sizeof(name), it.name, it.len);
		(void)json_array_append_new(items,
		    json_pack("{s:s,s:s,s:s}", "target", target(m, it.volume),
			"name", name, "reason", left_word(it.reason)));
	}
	return json_pack("{s:I,s:o}", "count", (json_int_t)l->count, "items",
	    items);
}

void
leftout_say(struct cli *c, const char *what, const struct left *l,
    const struct manifest *m, const char (*local)[CLI_PATH])
{
	struct left_item it;
	uint32_t shown = 0;
	size_t at = 0;

	if (l->count == 0)
		return;
	cli_note(c, "the %s lack %" PRIu32 " of what was there:", what,
	    l->count);
	while (shown < LINES_MAX && left_next(l, &at, &it)) {
		const char *where = target(m, it.volume);
		char name[NAME_SHOWN], safe[4 * CLI_PATH];

		if (local != NULL && it.volume < m->nvolumes)
			where = local[it.volume];
		(void)text_printable(safe, sizeof(safe), where, strlen(where));
		(void)text_escape(name, sizeof(name), it.name, it.len);
		cli_hint(c, "%s/%s: %s", safe, name, left_text(it.reason));
		shown++;
	}
	if (shown < l->count)
		cli_hint(c, "and %" PRIu32 " more", l->count - shown);
}
