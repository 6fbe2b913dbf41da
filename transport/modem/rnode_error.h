/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_RNODE_ERROR_H
#define WARREN_TRANSPORT_MODEM_RNODE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "transport/modem/rnode.h"

/* What a device reports by ERROR (reticulum-transport.md 10.8). */
struct rnode_error {
	enum rnode_reason reason;
	bool ends; /* it is of no use like this: the line is closed */
	const char *text; /* a person's words; of one that does not end, for ever */
};

/* buf: for words that are made for it. */
void rnode_error_of(uint8_t code, struct rnode_error *, char *buf, size_t cap);

#endif
