/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_PANIC_H
#define WARREN_NODE_PARENT_PANIC_H

struct msg_PANIC;
struct parent;

/*
 * Transport says that an interface has failed for good: with
 * panic_on_interface_error in our own copy of config we end, with status 255;
 * else it is transport that is mistaken.
 */
void panic(struct parent *, const struct msg_PANIC *);

#endif
