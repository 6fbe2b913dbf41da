/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_GOARCH_H
#define WARREN_COMMON_GOARCH_H

/*
 * This machine, as images name it (OCI image index, platform): architecture
 * and, where there are several, the variant that is asked for first.
 */
#if defined(__x86_64__)
#define GO_ARCH "amd64"
#define GO_VARIANT ""
#elif defined(__i386__)
#define GO_ARCH "386"
#define GO_VARIANT ""
#elif defined(__aarch64__)
#define GO_ARCH "arm64"
#define GO_VARIANT "v8"
#elif defined(__arm__)
#define GO_ARCH "arm"
#define GO_VARIANT "v7"
#elif defined(__riscv)
#define GO_ARCH "riscv64"
#define GO_VARIANT ""
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define GO_ARCH "ppc64le"
#define GO_VARIANT ""
#elif defined(__s390x__)
#define GO_ARCH "s390x"
#define GO_VARIANT ""
#else
#define GO_ARCH ""
#define GO_VARIANT ""
#endif

#endif
