/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BUNDLE_NAME_H
#define WARREN_AUDIT_BUNDLE_NAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * A stranger's path as the name of a member: beneath prefix whatever it says,
 * of letters, digits and a few signs, any other byte as %XX; no empty part, no
 * "." and "..". Two paths never have one name: one that would be too long is
 * cut, and ends in a digest of all of it. Pure.
 */
#define BUNDLE_NAME_MAX 1100
#define BUNDLE_PART_MAX 200 /* of one component, as file systems have it */

void bundle_name(char out[BUNDLE_NAME_MAX], const char *prefix,
    const uint8_t *path, size_t len);

#endif
