/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/wasm.h"

#include <string.h>

#include "common/util.h"

const char *const wasm_files[WASM_FILES] = {[WASM_LOADER] = "ld.so",
    [WASM_RUNNER] = "warren-wasm", [WASM_LIBRARY] = WASM_LIBRARY_NAME,
    "libc.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2",
    "libpthread.so.0"};

uint64_t
wasm_compile_memory(uint64_t memory)
{
	return MIN_OF(WASM_COMPILE_MEMORY, MAX_OF(memory, WASM_COMPILE_LEAST));
}

uint64_t
wasm_compile_ms(uint64_t module)
{
	uint64_t mib = MIN_OF(module, (uint64_t)WASM_MODULE_MAX) >> 20;

	return WASM_COMPILE_MS + (MAX_OF(mib, (uint64_t)WASM_COMPILE_MIB) -
	    WASM_COMPILE_MIB) * WASM_COMPILE_MIB_MS;
}

#define VERSION "@0.2." /* digits of a patch level follow */

/* PREFIX name @0.2.DIGITS */
static bool
is_interface(const char *name, size_t len, const char *prefix, bool whole)
{
	size_t n = strlen(prefix), v = strlen(VERSION);
	const char *at;

	if (len < n || memcmp(name, prefix, n) != 0)
		return false;
	at = memchr(name + n, '@', len - n);
	if (at == NULL || (whole && at != name + n))
		return false;
	n = (size_t)(at - name);
	if (len <= n + v || memcmp(at, VERSION, v) != 0)
		return false;
	for (size_t i = n + v; i < len; i++)
		if (name[i] < '0' || name[i] > '9')
			return false;
	return true;
}

bool
wasm_interface_offered(const char *name, size_t len)
{
	/* of sockets the calls are there, and each is refused */
	static const char *const packages[] = {"wasi:cli/", "wasi:clocks/",
	    "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"};

	for (size_t i = 0; i < NELEM(packages); i++)
		if (is_interface(name, len, packages[i], false))
			return true;
	return false;
}

bool
wasm_interface_run(const char *name, size_t len)
{
	return is_interface(name, len, "wasi:cli/run", true);
}
