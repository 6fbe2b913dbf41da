/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/modem/ax25.h"

#include <string.h>

#define TO "APZRNS" /* reticulum-transport.md 10.7 */
#define TO_SSID 0x60
#define FROM_SSID 0x61 /* the last address */
#define PAD 0x20       /* not shifted, as the reference has it */
#define CONTROL_UI 0x03
#define PID_NONE 0xf0

/*
 * Letters in upper case; 0: no character of a callsign. The reference takes
 * every one, and so what it took goes on to work.
 */
static uint8_t
upper(char c)
{
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 'A');
	return c > ' ' && c < 0x7f ? (uint8_t)c : 0;
}

bool
ax25_header(uint8_t out[AX25_HEADER], const char *call, unsigned ssid)
{
	size_t len = strlen(call), i;

	if (len < AX25_CALL_LEAST || len > AX25_CALL_MOST ||
	    ssid > AX25_SSID_MOST)
		return false;
	for (i = 0; i < AX25_CALL_MOST; i++) {
		uint8_t c = i < len ? upper(call[i]) : PAD;

		if (c == 0)
			return false;
		out[i] = (uint8_t)(TO[i] << 1);
		out[7 + i] = i < len ? (uint8_t)(c << 1) : PAD;
	}
	out[6] = TO_SSID;
	out[13] = (uint8_t)(FROM_SSID | ssid << 1);
	out[14] = CONTROL_UI;
	out[15] = PID_NONE;
	return true;
}
