/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/util.h"

/* This machine, as images name it. */
#if defined(__x86_64__)
#define GO_ARCH "amd64"
#elif defined(__i386__)
#define GO_ARCH "386"
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#elif defined(__arm__)
#define GO_ARCH "arm"
#elif defined(__riscv)
#define GO_ARCH "riscv64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define GO_ARCH "ppc64le"
#elif defined(__s390x__)
#define GO_ARCH "s390x"
#else
#define GO_ARCH ""
#endif

/* x86-64-v1 to -v4, the levels of the psABI, as far as they can be asked for. */
static unsigned
variant_here(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("sse4.2") ||
	    !__builtin_cpu_supports("ssse3") ||
	    !__builtin_cpu_supports("popcnt"))
		return 1;
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
	    !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("fma"))
		return 2;
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512cd") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl") ? 4 : 3;
#elif defined(__aarch64__)
	return 8;
#elif defined(__arm__)
	return __ARM_ARCH > 8 ? 8 : __ARM_ARCH;
#else
	return 0;
#endif
}

struct platform
platform_here(void)
{
	return (struct platform){"linux", GO_ARCH, variant_here()};
}

/* "v8" is 8, "v8.1" as well; -1: none of these. */
static int
number_of(const char *variant)
{
	if (variant[0] != 'v' || variant[1] < '1' || variant[1] > '9' ||
	    (variant[2] != '\0' && variant[2] != '.'))
		return -1;
	return variant[1] - '0';
}

static bool
said(const char *s)
{
	return s != NULL && s[0] != '\0';
}

int
platform_rank(const struct platform *p, const char *os, const char *arch,
    const char *variant)
{
	int v;

	if ((said(os) && strcmp(os, p->os) != 0) ||
	    (said(arch) && strcmp(arch, p->arch) != 0))
		return -1;
	if (!said(variant))
		return 0;
	v = number_of(variant);
	/* arm64/v9 and what is to come is refused where it is not known */
	return v < 0 || (unsigned)v > p->variant ? -1 : v;
}

bool
image_digest(struct id32 *d, const char *text)
{
	if (text == NULL || strncmp(text, "sha256:", 7) != 0)
		return false;
	for (const char *p = text + 7; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			return false;
	return hex_decode(HASH_BYTES(*d), text + 7, strlen(text + 7));
}
