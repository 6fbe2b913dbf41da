/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AX25_H
#define WARREN_TRANSPORT_MODEM_AX25_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The header that AX25KISSInterface puts before each packet, so that other
 * stations of amateur radio see who sends (reticulum-transport.md 10.7).
 */
#define AX25_HEADER 16
#define AX25_CALL_LEAST 3
#define AX25_CALL_MOST 6
#define AX25_SSID_MOST 15

/* false: no callsign of three to six characters, or another ssid. */
bool ax25_header(uint8_t out[AX25_HEADER], const char *call, unsigned ssid);

#endif
