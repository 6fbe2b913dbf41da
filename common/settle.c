/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "common/settle.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/util.h"

#include "common/libc.h"

#define STACK_BENEATH (1u << 20)
#define STACK_OURS 2u /* pages: of this call and those that it makes */

/* Of one object, its segments that cannot be written: they are as on disk. */
static int
unmap_pages(struct dl_phdr_info *o, size_t size, void *page)
{
	uintptr_t mask = *(const uintptr_t *)page - 1;

	(void)size;
	for (unsigned i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &o->dlpi_phdr[i];
		uintptr_t from = (o->dlpi_addr + h->p_vaddr + mask) & ~mask;
		uintptr_t to = (o->dlpi_addr + h->p_vaddr + h->p_memsz) & ~mask;

		if (h->p_type == PT_LOAD && (h->p_flags & PF_W) == 0 &&
		    to > from)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

/*
 * What calls that have returned left behind, beneath this one. The kernel
 * keeps 1 MiB there free of anything else.
 */
static void
unmap_stack(uintptr_t page)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);

	(void)madvise((void *)(here - STACK_BENEATH), STACK_BENEATH -
	    STACK_OURS * page, MADV_DONTNEED);
}

void
settle(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)malloc_trim(0);
	(void)dl_iterate_phdr(unmap_pages, &page);
	unmap_stack(page);
}
