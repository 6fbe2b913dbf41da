/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_SETTLE_H
#define WARREN_COMMON_SETTLE_H

/*
 * What only the start needed goes back to the machine: free memory of the
 * heap, what calls have left on the stack, and the pages of our code and of
 * the libraries that nothing has written to. Those that are needed again come
 * back from the page cache, each by a fault of half a microsecond. Only in the
 * thread of main(). Cannot fail: what the kernel keeps, stays.
 */
void settle(void);

#endif
