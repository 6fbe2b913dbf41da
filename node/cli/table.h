/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_TABLE_H
#define WARREN_NODE_CLI_TABLE_H

#include <stddef.h>

/*
 * Columns on standard output: rows of cells, aligned when printed. Text of
 * strangers is escaped here.
 */
struct cli_table;
/* heads: the first row. NULL: no memory, or more than 12 columns. */
struct cli_table *cli_table_new(const char *const *heads, size_t columns);
/* One cell a column, copied; NULL is an empty one. */
void cli_table_row(struct cli_table *, const char *const *cells);
void cli_table_print(struct cli_table *); /* and frees */
void cli_table_free(struct cli_table *);  /* NULL is fine */

#endif
