/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_CONFIG_EXAMPLE_H
#define WARREN_TRANSPORT_CONFIG_EXAMPLE_H

/*
 * Texts of Reticulum's `config`, in our words: what a first start writes, with
 * the meaning of the reference's own (reticulum-transport.md 11.3), and what
 * --exampleconfig prints: every key, those with their defaults commented out.
 */
extern const char rnsconf_default_text[], rnsconf_example_text[];

#endif
