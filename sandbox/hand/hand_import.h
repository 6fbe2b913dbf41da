/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_IMPORT_H
#define WARREN_SANDBOX_HAND_HAND_IMPORT_H

#include <stdbool.h>

/*
 * The step import (THREATS.md 3.5). Descriptor 0: an archive (a regular file);
 * or a socket that hands out the files of an image's folder
 * (sandbox/image/source.h), which lies at /s when 0 is neither. /v: a fresh
 * folder, in which root/ is made and src/ is scratch. Descriptor 1 gets the
 * record (sandbox/plan/record.h), 2 the report. argv: import and, maybe, the
 * name of one of several images; import-plain for a stream of a plain root
 * folder on 0. share in front of them: what other nodes need to pull the image
 * goes into /v/parts (hand_share.h). The process's exit status.
 */
int hand_import(const char *tag, bool share);
/* The same of a stream of a plain folder. */
int hand_import_plain(bool share);

#endif
