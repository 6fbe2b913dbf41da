/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_HAND_HAND_IMPORT_H
#define WARREN_SANDBOX_HAND_HAND_IMPORT_H

/*
 * The step import (THREATS.md 3.5). Descriptor 0: an archive (a regular file),
 * or a stream of a plain root folder; /s: an OCI layout folder, when 0 is
 * /dev/null. /v: a fresh folder, in which root/ is made and src/ is scratch.
 * Descriptor 1 gets the record (sandbox/plan/record.h), 2 the report. argv:
 * import, or import-plain for the stream. The process's exit status.
 */
int hand_import(void);
/* The same of a stream of a plain folder. */
int hand_import_plain(void);

#endif
