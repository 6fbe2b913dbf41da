/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/table.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/util.h"

#define GAP 2	       /* between two columns */
#define ID_LEAST 8     /* digits that a short id has at least */
#define ID_LONG 16
#define CUT_LEAST 12   /* columns that a text keeps while others can go */
#define CUT_LAST 6     /* ... when none can */
#define CUT_SIGN "\xe2\x80\xa6"

struct cell {
	char *text; /* escaped; NULL: no memory */
	enum cli_colour colour;
};

struct cli_table {
	const struct cli *c;
	const struct cli_column *col;
	size_t columns, rows, cap;
	struct cell *cells; /* the first row is the heads */
	/* while it is printed */
	size_t width[TABLE_COLUMNS];
	bool shown[TABLE_COLUMNS];
};

/* ---- columns of a terminal ---- */

/* Bytes of the character at s, and the columns that it takes. */
static size_t
character(const char *s, size_t *columns)
{
	size_t n = 1;
	wchar_t wide;
	mbstate_t st = {0};
	int w = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	if (mbrtowc(&wide, s, n, &st) == n)
		w = wcwidth(wide);
	*columns = w < 0 ? 1 : (size_t)w;
	return n;
}

static size_t
text_width(const char *s)
{
	size_t sum = 0, w;

	while (*s != '\0') {
		s += character(s, &w);
		sum += w;
	}
	return sum;
}

/* How many bytes of s fit into so many columns; *used: those that they take. */
static size_t
fitting(const char *s, size_t columns, size_t *used)
{
	size_t n = 0, w, k;

	*used = 0;
	while (s[n] != '\0') {
		k = character(s + n, &w);
		if (*used + w > columns)
			break;
		*used += w;
		n += k;
	}
	return n;
}

/* ---- a table ---- */

struct cli_table *
cli_table_make(const struct cli *c, const struct cli_column *col, size_t columns)
{
	struct cli_table *t;
	const char *heads[TABLE_COLUMNS];

	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->c = c;
	t->col = col;
	t->columns = columns;
	for (size_t i = 0; i < columns; i++)
		heads[i] = col[i].head;
	cli_table_row(t, heads);
	return t;
}

static struct cell *
cell(const struct cli_table *t, size_t row, size_t column)
{
	return &t->cells[row * t->columns + column];
}

void
cli_table_row(struct cli_table *t, const char *const *cells)
{
	if (t == NULL)
		return;
	if ((t->rows + 1) * t->columns > t->cap) {
		size_t cap = t->cap == 0 ? 64 * t->columns : 2 * t->cap;
		struct cell *grown = realloc(t->cells, cap * sizeof(*grown));

		if (grown == NULL)
			return;
		t->cells = grown;
		t->cap = cap;
	}
	for (size_t i = 0; i < t->columns; i++) {
		const char *s = cells[i] != NULL ? cells[i] : "";
		char safe[1024];

		text_printable(safe, sizeof(safe), s, strlen(s));
		/* what words of a script would run together without */
		if (safe[0] == '\0' && !t->c->out_tty)
			(void)snprintf(safe, sizeof(safe), "-");
		*cell(t, t->rows, i) = (struct cell){.text = strdup(safe)};
	}
	t->rows++;
}

void
cli_table_colour(struct cli_table *t, size_t column, enum cli_colour colour)
{
	if (t != NULL && t->rows > 0 && column < t->columns)
		cell(t, t->rows - 1, column)->colour = colour;
}

/* ---- what fits ---- */

static size_t
common_digits(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The ids of a column, cut where each two that differ still do. */
static void
shorten_ids(struct cli_table *t, size_t column)
{
	size_t keep = (t->col[column].how & COL_LONG) != 0 ? ID_LONG :
							     ID_LEAST;
	size_t n = 0;
	const char **sorted = calloc(t->rows, sizeof(*sorted));

	if (sorted == NULL)
		return;
	for (size_t i = 1; i < t->rows; i++)
		if (cell(t, i, column)->text != NULL)
			sorted[n++] = cell(t, i, column)->text;
	qsort(sorted, n, sizeof(*sorted), by_text);
	for (size_t i = 1; i < n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) != 0)
			keep = MAX_OF(keep,
			    common_digits(sorted[i - 1], sorted[i]) + 1);
	free(sorted);
	for (size_t i = 1; i < t->rows; i++) {
		char *s = cell(t, i, column)->text;

		if (s != NULL && strlen(s) > keep &&
		    strspn(s, "0123456789abcdef") == strlen(s))
			s[keep] = '\0';
	}
}

static bool
is_empty(const struct cli_table *t, size_t column)
{
	for (size_t r = 1; r < t->rows; r++) {
		const char *s = cell(t, r, column)->text;

		if (s != NULL && s[0] != '\0')
			return false;
	}
	return true;
}

static void
measure(struct cli_table *t)
{
	bool narrow = t->c->out_tty && !t->c->wide;

	for (size_t i = 0; i < t->columns; i++) {
		t->shown[i] = (t->col[i].how & COL_WIDE) == 0 || t->c->wide;
		if ((t->col[i].how & COL_SPARSE) != 0 && narrow &&
		    is_empty(t, i))
			t->shown[i] = false;
		if (narrow && (t->col[i].how & COL_ID) != 0)
			shorten_ids(t, i);
		t->width[i] = 0;
		for (size_t r = 0; r < t->rows; r++) {
			const char *s = cell(t, r, i)->text;

			if (s != NULL)
				t->width[i] = MAX_OF(t->width[i],
				    text_width(s));
		}
	}
}

static size_t
total(const struct cli_table *t)
{
	size_t sum = 0;

	for (size_t i = 0; i < t->columns; i++)
		if (t->shown[i])
			sum += t->width[i] + (sum > 0 ? GAP : 0);
	return sum;
}

/* The widest text that may still be cut; t->columns: none. */
static size_t
widest(const struct cli_table *t, size_t least)
{
	size_t at = t->columns;

	for (size_t i = 0; i < t->columns; i++)
		if (t->shown[i] && (t->col[i].how & COL_CUT) != 0 &&
		    t->width[i] > least &&
		    (at == t->columns || t->width[i] > t->width[at]))
			at = i;
	return at;
}

static void
cut(struct cli_table *t, size_t least)
{
	size_t at;

	while (total(t) > t->c->columns &&
	    (at = widest(t, least)) < t->columns)
		t->width[at]--;
}

static void
fit(struct cli_table *t)
{
	size_t at;

	if (!t->c->out_tty || t->c->wide || t->c->columns == 0)
		return;
	cut(t, CUT_LEAST);
	for (at = t->columns; at-- > 0 && total(t) > t->c->columns;)
		if ((t->col[at].how & COL_DROP) != 0)
			t->shown[at] = false;
	cut(t, CUT_LAST);
}

/* ---- print ---- */

static const char *
colour_on(const struct cli_table *t, size_t row, const struct cell *c)
{
	static const char *const codes[] = {[COLOUR_NONE] = "",
	    [COLOUR_GOOD] = "\033[32m", [COLOUR_WAIT] = "\033[33m",
	    [COLOUR_BAD] = "\033[31m"};

	if (!t->c->colour)
		return "";
	return row == 0 ? "\033[1m" : codes[c->colour];
}

static void
print_cell(const struct cli_table *t, size_t row, size_t column, bool last)
{
	const struct cell *c = cell(t, row, column);
	const char *s = c->text != NULL ? c->text : "";
	const char *on = colour_on(t, row, c);
	size_t room = t->width[column], used = text_width(s);
	bool cut = used > room;
	bool right = (t->col[column].how & COL_RIGHT) != 0;
	size_t n = fitting(s, cut ? room - 1 : room, &used);

	if (cut)
		used++;
	if (right)
		printf("%*s", (int)(room - used), "");
	printf("%s%.*s%s%s", on, (int)n, s, cut ? CUT_SIGN : "",
	    on[0] != '\0' ? "\033[0m" : "");
	if (!last)
		printf("%*s", (int)((right ? 0 : room - used) + GAP), "");
}

void
cli_table_print(struct cli_table *t)
{
	locale_t ours, before;
	size_t last = 0;

	if (t == NULL)
		return;
	/* text_escape() leaves UTF-8 as it is, whatever the locale says */
	ours = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	before = ours != (locale_t)0 ? uselocale(ours) : (locale_t)0;
	measure(t);
	fit(t);
	for (size_t i = 0; i < t->columns; i++)
		if (t->shown[i])
			last = i;
	for (size_t r = 0; r < t->rows; r++) {
		for (size_t i = 0; i < t->columns; i++)
			if (t->shown[i])
				print_cell(t, r, i, i == last);
		fputc('\n', stdout);
	}
	if (ours != (locale_t)0) {
		(void)uselocale(before);
		freelocale(ours);
	}
	cli_table_free(t);
}

void
cli_table_free(struct cli_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->rows * t->columns; i++)
		free(t->cells[i].text);
	free(t->cells);
	free(t);
}

const char *
cli_age(char out[24], int64_t s)
{
	/* clocks of two machines differ: what is to come is now */
	long long v = MAX_OF(s, INT64_C(0));

	if (v < 120)
		(void)snprintf(out, 24, "%lld s", v);
	else if (v < 120 * 60)
		(void)snprintf(out, 24, "%lld min", v / 60);
	else if (v < 48 * 3600)
		(void)snprintf(out, 24, "%lld h", v / 3600);
	else
		(void)snprintf(out, 24, "%lld d", v / 86400 % 1000000);
	return out;
}

enum cli_colour
cli_job_colour(const char *state, const char *outcome)
{
	static const struct {
		const char *word;
		enum cli_colour colour;
	} t[] = {
	    {"running", COLOUR_GOOD}, {"frozen", COLOUR_WAIT},
	    {"queued", COLOUR_WAIT},
	    {"held", COLOUR_WAIT}, {"staging", COLOUR_WAIT},
	    {"refused", COLOUR_BAD}, {"lost", COLOUR_BAD},
	    {"cancelled", COLOUR_BAD},
	};

	if (strcmp(state, "done") == 0)
		return strcmp(outcome, "exited 0") == 0 ? COLOUR_NONE :
							  COLOUR_BAD;
	for (size_t i = 0; i < NELEM(t); i++)
		if (strcmp(t[i].word, state) == 0)
			return t[i].colour;
	return COLOUR_NONE;
}

bool
cli_job_goes_on(const char *state)
{
	static const char *const names[] = {"held", "queued", "staging",
	    "running"};

	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(state, names[i]) == 0)
			return true;
	return false;
}
