/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/rnode_error.h"

#include <stdio.h>

#include "common/util.h"

/* reticulum-transport.md 10.8; of all others the line is closed, too */
static const struct {
	uint8_t code;
	struct rnode_error e;
} known[] = {
	{1, {RNODE_REASON_HARDWARE, true, "the device cannot start its radio "
	    "(error 1): are frequency and power made for it?"}},
	{2, {RNODE_REASON_HARDWARE, true, "the device could not send a packet "
	    "(error 2): is its antenna there?"}},
	/* it sends the others */
	{4, {RNODE_REASON_QUEUE, false, "the device had no room for a packet, "
	    "which is lost (error 4): flow_control = yes waits for it"}},
	{5, {RNODE_REASON_MEMORY, false, "the device has hardly any memory left "
	    "(error 5): restart it, or update its firmware"}},
	{6, {RNODE_REASON_TIMEOUT, false, "the device's own modem did not answer "
	    "it in time (error 6): restart it if that goes on"}},
};

void
rnode_error_of(uint8_t code, struct rnode_error *e, char *buf, size_t cap)
{
	for (size_t i = 0; i < NELEM(known); i++)
		if (known[i].code == code) {
			*e = known[i].e;
			return;
		}
	(void)snprintf(buf, cap, "the device reports error %u", code);
	*e = (struct rnode_error){RNODE_REASON_HARDWARE, true, buf};
}
