/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/layers.h"
#include "common/util.h"
#include "sandbox/jail/remedy.h"

static const struct {
	const char *step;
	int error;
	struct remedy_facts facts;
	const char *has;
	uint32_t layers;
} rows[] = {
    {"/proc", EPERM, {false, -1, -1}, "--security-opt unmask=ALL",
	LAYER_PID | LAYER_MOUNT},
    {"/proc", EPERM, {true, 0, 1}, "--security-opt unmask=ALL",
	LAYER_PID | LAYER_MOUNT},
    {"user namespace", ENOSPC, {false, -1, -1}, "user.max_user_namespaces",
	LAYER_USER | LAYER_NET},
    {"user namespace", EPERM, {false, 0, -1},
	"kernel.unprivileged_userns_clone=1", LAYER_USER | LAYER_NET},
    {"mount namespace", EPERM, {false, 1, 1},
	"kernel.apparmor_restrict_unprivileged_userns=0", LAYER_MOUNT},
    {"user namespace", EPERM, {false, 1, 0}, "seccomp=unconfined",
	LAYER_USER | LAYER_NET},
    {"user namespace", EPERM, {true, 0, 1}, "seccomp=unconfined",
	LAYER_USER | LAYER_NET},
    {"private mounts", EACCES, {true, -1, -1}, "apparmor=unconfined",
	LAYER_MOUNT | LAYER_NET | LAYER_IPC},
    {"rights", EINVAL, {true, -1, -1}, "Invalid argument", LAYER_NNP},
    {"namespaces", ENOSPC, {false, -1, -1}, "max_net_", LAYER_NET},
    {"clone", ENOSPC, {false, -1, -1}, "max_pid_", LAYER_PID},
    {"pivot_root", EINVAL, {true, -1, -1}, "initramfs", LAYER_MOUNT},
    {"image", ENOSYS, {true, -1, -1}, "Linux 5.12", LAYER_MOUNT},
    {"base filter", EINVAL, {true, -1, -1}, "Invalid argument",
	LAYER_SECCOMP},
    {"landlock", E2BIG, {true, -1, -1}, "landlock: ", LAYER_LANDLOCK},
    {"what nobody thought of", EIO, {true, -1, -1}, "what nobody",
	LAYER_MOUNT},
};

static void
test_rows(void **state)
{
	char text[240], names[160];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		uint32_t l = remedy_layers(rows[i].step);

		remedy_text(text, sizeof(text), rows[i].step, rows[i].error,
		    &rows[i].facts);
		if (strstr(text, rows[i].has) == NULL)
			fail_msg("%zu: %s", i, text);
		assert_int_equal(l & rows[i].layers, rows[i].layers);
		/* whatever require_layers says, no job is taken */
		assert_true((l & LAYERS_FLOOR) != 0);
		/* a refusal has room for it (node/work/admit.h) */
		layers_text(names, sizeof(names), l);
		if (strlen(names) + 2 + strlen(text) > 160)
			fail_msg("too long: %s: %s", names, text);
	}
}

/* Behind what is there, and within the room. */
static void
test_inherited(void **state)
{
	char text[120] = "cpu: no group", small[20] = "";

	(void)state;
	remedy_inherited(text, sizeof(text), 0);
	assert_string_equal(text, "cpu: no group");
	remedy_inherited(text, sizeof(text), LAYER_TIME | LAYER_MOUNT);
	assert_string_equal(text, "cpu: no group; time: this kernel has no "
	    "time namespaces");
	remedy_inherited(small, sizeof(small), LAYERS_INHERITED);
	assert_int_equal(strlen(small), sizeof(small) - 1);
	assert_memory_equal(small, "io: ", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_inherited),
	    cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
