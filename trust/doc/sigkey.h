/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_DOC_SIGKEY_H
#define WARREN_TRUST_DOC_SIGKEY_H

#include <stdbool.h>

#include "trust/doc/pemkey.h"

struct x509_st; /* of libcrypto */

/*
 * The key of a certificate; false: none that counts here (pemkey.h), *why a
 * literal. Only in a build with libcrypto.
 */
bool sigkey_of(struct pemkey *, const struct x509_st *, const char **why);

#endif
