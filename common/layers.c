/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/layers.h"

#include <string.h>

#include "common/util.h"

static const char *const layer_names[LAYER_COUNT] = {"user", "pid", "mount", "net", "ipc",
    "uts", "cgroup", "caps", "no_new_privs", "seccomp", "landlock", "memory",
    "cpu", "pids", "rlimits", "readonly_root", "lsm", "bpf", "io",
    "anchored", "wasm", "wasm_interpreted", "devices", "time", "core"};

const char *
layer_name(unsigned bit)
{
	return bit < NELEM(layer_names) ? layer_names[bit] : NULL;
}

uint32_t
layer_bit(const char *name)
{
	for (unsigned i = 0; i < NELEM(layer_names); i++)
		if (strcmp(layer_names[i], name) == 0)
			return 1u << i;
	return 0;
}

void
layers_text(char *out, size_t cap, uint32_t layers)
{
	size_t len = 0;

	if (cap == 0)
		return;
	out[0] = '\0';
	for (unsigned i = 0; i < NELEM(layer_names); i++) {
		size_t n = strlen(layer_names[i]);

		if ((layers & 1u << i) == 0 || len + n + 2 > cap)
			continue;
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, layer_names[i], n + 1);
		len += n;
	}
}
