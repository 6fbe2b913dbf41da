/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/probe/probe.h"

char probe_note[256];
bool probe_skipped;
