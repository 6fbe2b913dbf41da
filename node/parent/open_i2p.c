/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/parent/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transport/config/rnsconf.h"

/*
 * A connection to the SAM bridge of the I2P router, for an I2PInterface
 * (reticulum-transport.md 10.5). Where it is is the environment's or its
 * ordinary place; what is said there is transport's.
 */
#define SAM_HOST "127.0.0.1"
#define SAM_PORT 7656

void
open_i2p(struct opening *o, const struct rnsconf_if *c)
{
	const char *where = getenv("I2P_SAM_ADDRESS"), *colon;
	char host[256] = SAM_HOST;

	(void)c;
	o->port = SAM_PORT;
	if (where != NULL && (colon = strrchr(where, ':')) != NULL) {
		unsigned long port = strtoul(colon + 1, NULL, 10);

		if (port == 0 || port > 65535 ||
		    (size_t)(colon - where) >= sizeof(host)) {
			opening_done(o, EINVAL, "I2P_SAM_ADDRESS of the "
			    "environment is not HOST:PORT");
			return;
		}
		(void)snprintf(host, sizeof(host), "%.*s", (int)(colon - where),
		    where);
		o->port = (uint16_t)port;
	}
	open_connect(o, host);
}
