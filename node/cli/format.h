/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_FORMAT_H
#define WARREN_NODE_CLI_FORMAT_H

#include <stdint.h>

/* Numbers for people; each returns out. */

/* "1.5 MiB", "64 KiB", "812 B"; "3 min 20 s", "40 ms"; buffers of 24. */
const char *cli_bytes(char out[24], uint64_t bytes);
const char *cli_duration(char out[24], int64_t ms);
/* "2026-11-24 15:02:11" local time; buffer of 24; "-" for 0. */
const char *cli_time(char out[24], int64_t unix_s);

#endif
