/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_MODEM_AIRTIME_H
#define WARREN_TRANSPORT_MODEM_AIRTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How long a packet keeps a medium busy. Pure. Of a cable or a TNC it is the
 * bits over the rate and what stands around a frame; of LoRa it is counted in
 * symbols (Semtech's formula: explicit header, CRC, the optimisation of low
 * rates from 16 ms a symbol on). An RNode sends a packet of more than 254 bytes
 * as two frames, each with a byte of its own in front.
 */
enum airtime_how {
	AIRTIME_UNKNOWN, /* nothing is known: 0 us, and no limit can be kept */
	AIRTIME_BITS,
	AIRTIME_LORA,
};

struct airtime {
	enum airtime_how how;
	/*
	 * the next packet waits here until the one before is over; else the
	 * device or its line is given them as it takes them
	 */
	bool paced;
	bool duplex; /* what both ends send goes at once: a line of two ways */
	/* AIRTIME_BITS */
	uint64_t bitrate;      /* bit/s on the medium; a byte may be 10 bits */
	uint32_t frame_us;     /* around each: TXDELAY and TXTAIL of a TNC */
	uint32_t frame_bytes;  /* likewise: flags, checksum, addresses */
	uint8_t byte_bits;     /* 0: 8; of a serial line with start and stop 10 */
	/* AIRTIME_LORA, as the radio says it is set to */
	uint8_t sf;            /* 5 to 12 */
	uint8_t cr;            /* 5 to 8 */
	uint16_t preamble;     /* symbols; 0: AIRTIME_PREAMBLE */
	uint32_t bandwidth;    /* Hz */
	/*
	 * It listens before it sends, for so long and then a number of slots;
	 * none of it is on the air. Zeros: it does not, or says nothing.
	 */
	uint32_t listen_us, slot_us;
	/*
	 * It does not say when a packet has left, and on a free channel that may
	 * be so much later; 0: it says, or does not wait.
	 */
	uint32_t silent_us;
};

#define AIRTIME_PREAMBLE 18      /* symbols, where the radio says nothing */
#define AIRTIME_LORA_FRAME 254   /* bytes of a packet in one LoRa frame */
#define AIRTIME_SILENT_US 500000u /* ours: the least of a device that says nothing */
#define AIRTIME_LONGEST 564      /* bytes of a packet that a device takes */

/* us of one packet of len bytes, access code included; rounded up. */
int64_t airtime_us(const struct airtime *, size_t len);
/*
 * The nearest to it, listening included, that has a rate and a time around each packet: right for
 * small packets and for the parts of a resource. Zeros: nothing is known.
 */
void airtime_fit(const struct airtime *, uint64_t *bitrate,
    uint32_t *frame_us);

#endif
