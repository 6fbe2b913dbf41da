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
	char text[120]; /* a person's words */
};

void rnode_error_of(uint8_t code, struct rnode_error *);

#endif
