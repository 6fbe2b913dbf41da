/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

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
