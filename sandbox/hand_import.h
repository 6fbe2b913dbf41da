#ifndef WARREN_HAND_IMPORT_H
#define WARREN_HAND_IMPORT_H

/* The step import; the process's exit status. See image/import.h. */
int hand_import(void);

#endif
