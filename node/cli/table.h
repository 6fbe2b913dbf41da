/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TABLE_H
#define WARREN_NODE_CLI_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/util.h"
#include "node/cli/cli.h"

/*
 * Columns on standard output: rows of cells, aligned when printed. Text of
 * strangers is escaped here. On a terminal a table fits its width: ids are as
 * short as still tells them apart, then long texts are cut, then columns go.
 * Elsewhere, and with --wide, every value is whole. One row is one line.
 */
enum cli_column_how {
	COL_ID = 0x01,	   /* hexadecimal digits */
	COL_CUT = 0x02,	   /* may be cut */
	COL_DROP = 0x04,   /* may go, the last such column first */
	COL_WIDE = 0x08,   /* with --wide only */
	COL_RIGHT = 0x10,  /* numbers */
	COL_LONG = 0x20,   /* an id that keeps 16 digits, not 8 */
	COL_SPARSE = 0x40, /* not on a terminal while it is empty in all rows */
};
struct cli_column {
	const char *head;
	unsigned how;
};
enum cli_colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WAIT, COLOUR_BAD };

#define TABLE_COLUMNS 15

struct cli_table;
/*
 * NULL: no memory. The columns, an array, stay the caller's; with more than
 * TABLE_COLUMNS of them it does not build.
 */
#define cli_table_new(c, columns) cli_table_make((c), (columns), \
	sizeof(struct {_Static_assert(NELEM(columns) <= TABLE_COLUMNS, \
	    "more columns than TABLE_COLUMNS"); char n[NELEM(columns)]; }))
struct cli_table *cli_table_make(const struct cli *, const struct cli_column *,
    size_t columns);
/* One cell a column, copied; NULL or "": nothing is known. */
void cli_table_row(struct cli_table *, const char *const *cells);
/* Of a cell of the last row; seen on terminals only. */
void cli_table_colour(struct cli_table *, size_t column, enum cli_colour);
void cli_table_print(struct cli_table *); /* and frees */
void cli_table_free(struct cli_table *);  /* NULL is fine */

/* "12 s", "5 min", "3 h", "4 d": how long ago; buffer of 24. */
const char *cli_age(char out[24], int64_t seconds);
/* The colour of a job's state, or of how it ended ("exited 0", "killed ..."). */
enum cli_colour cli_job_colour(const char *state, const char *outcome);
/* Not ended yet; what it has used is counted at the end. */
bool cli_job_goes_on(const char *state);

#endif
