/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_WHERE_H
#define WARREN_COMMON_WHERE_H

#include <stdbool.h>
#include <stddef.h>

/* Where a person's files are, when nobody says it. */

/* The folder of the service, by its unit file; nobody looks there unasked. */
#define WHERE_SERVICE "/var/lib/reticulum"

/* $HOME, else what the system knows; NULL: none. Valid until the next call. */
const char *where_home(void);
/*
 * Reticulum's configuration folder (reticulum-transport.md 11.1): the first of
 * /etc/reticulum, ~/.config/reticulum that has a file `config`, else
 * ~/.reticulum. false: no home, or cap is too small.
 */
bool where_config(char *out, size_t cap);
/*
 * A person's own keys (compute.md 9): $XDG_CONFIG_HOME/warren, else
 * ~/.config/warren. false: no home, or cap is too small.
 */
bool where_person(char *out, size_t cap);

/*
 * Where systems have the certificates of authorities, PEM: i 0, 1, ... NULL
 * behind the last.
 */
const char *where_certificates(unsigned i);
#define WHERE_CERTIFICATES_MAX (2u << 20) /* bytes; Debian's are 220 kB */

#endif
