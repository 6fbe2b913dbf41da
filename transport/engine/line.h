/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_LINE_H
#define WARREN_TRANSPORT_ENGINE_LINE_H

#include <stdbool.h>

#include "transport/engine/nif.h"
#include "transport/modem/modem.h"

/*
 * The driver of devices behind a line of bytes (transport/modem/modem.h): a
 * tty or a TCP connection that the parent opens. One line belongs to one
 * section of config; it has one interface, or one for each port of the device
 * (RNodeMulti). What waits for its turn waits here, and the device's own buffer
 * stays nearly empty: the next packet is written when the line has taken
 * the last one. A line that ends, errs, or whose device is of no use is closed
 * and opened again after five seconds, for ever; the same words come into
 * the log once in ten minutes, with how often they were meant.
 *
 * A kind of interface (if_serial.c) has a machine and these as its functions.
 */
struct line;

/*
 * For nif_kind.configure of the section's interface: it has a line from now
 * on, which takes the machine. framed: what was sent counts with its framing
 * (reticulum-transport.md 8.7). -1: no memory; the machine is the caller's.
 */
int line_new(struct nif *, struct modem *, void (*free_it)(struct modem *),
    bool framed);
/*
 * The interface of a port of the section's line; one with one port alone has
 * its section's from line_new(). -1: no memory, or there is one. One that is
 * freed leaves its place to the next.
 */
int line_port(struct nif *section, unsigned port, struct nif *);
/* It carries from now on: how long its packets last is known. */
void line_port_up(struct nif *);
/* That of a port; NULL: there is none. */
struct nif *line_port_nif(const struct nif *section, unsigned port);
/* Which port an interface is; 0 of a section with one alone. */
unsigned line_port_no(const struct nif *);
/* The machine of the section's interface, or of a port's. */
struct modem *line_modem(const struct nif *);

/* struct nif_kind of the section's interface and of each port's */
void line_opened(struct nif *, const struct nif_open *);
bool line_take(struct nif *, const struct rns_tx *);
void line_flush(struct nif *);
size_t line_waiting(const struct nif *);
unsigned line_counts(const struct nif *, struct nif_count[NIF_COUNTS]);
void line_stop(struct nif *);

#endif
