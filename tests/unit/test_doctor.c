/* SPDX-License-Identifier: BSD-2-Clause */
/* What `warren doctor` makes of its attacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "node/cli/clockdoubt.h"
#include "node/cli/doctor_rows.h"

static const struct probe_row door = {"way_out", "door", "mount landlock", "-"},
    bomb = {"too_much", "bomb", "memory rlimits", "-"},
    lone = {"keys", "call", "seccomp", "-"};

static unsigned
at(uint32_t bit)
{
	unsigned i = 0;

	while ((bit >> i & 1) == 0)
		i++;
	return i;
}

static void
test_rows(void **state)
{
	struct probe_row r;

	(void)state;
	assert_true(probe_row_parse(&r, "way_out door mount landlock -"));
	assert_string_equal(r.name, "way_out");
	assert_string_equal(r.kind, "door");
	assert_string_equal(r.layers, "mount landlock");
	assert_string_equal(r.unproved, "-");
	assert_true(probe_row_stops(&r, "mount"));
	assert_true(probe_row_stops(&r, "landlock"));
	assert_false(probe_row_stops(&r, "land"));
	assert_true(probe_row_parse(&r, "x call pids where_it_is"));
	assert_false(probe_row_stops(&r, "pid"));
	assert_string_equal(r.unproved, "where_it_is");
	assert_false(probe_row_parse(&r, ""));
	assert_false(probe_row_parse(&r, "x"));
	assert_false(probe_row_parse(&r, "x call"));
	assert_false(probe_row_parse(&r, "x call -"));
}

static void
test_outcome(void **state)
{
	(void)state;
	assert_int_equal(doctor_outcome(&door, false, 0, 0), DOCTOR_HELD);
	assert_int_equal(doctor_outcome(&door, false, 1, 0), DOCTOR_THROUGH);
	assert_int_equal(doctor_outcome(&door, false, 2, 0), DOCTOR_NOT_RUN);
	assert_int_equal(doctor_outcome(&door, false, 3, 0),
	    DOCTOR_NOTHING_HERE);
	assert_int_equal(doctor_outcome(&door, false, 127, 0), DOCTOR_NOT_RUN);
	/* killed: well done by the group, and by nobody else */
	assert_int_equal(doctor_outcome(&bomb, true, 9, 1), DOCTOR_HELD);
	assert_int_equal(doctor_outcome(&bomb, true, 9, 0), DOCTOR_NOT_RUN);
	assert_int_equal(doctor_outcome(&door, true, 9, 1), DOCTOR_NOT_RUN);
}

static void
test_states(void **state)
{
	struct doctor d = {.posture = LAYERS_FLOOR | LAYER_LANDLOCK,
	    .required = LAYERS_FLOOR | LAYER_MEMORY};

	(void)state;
	doctor_count(&d, &door, DOCTOR_HELD);
	assert_int_equal(doctor_state(&d, at(LAYER_MOUNT)), DOCTOR_HOLDS);
	assert_int_equal(d.layer[at(LAYER_MOUNT)].attacks, 1);
	/* the second of its layers, where the first is missing */
	d.posture &= ~(uint32_t)LAYER_MOUNT;
	doctor_count(&d, &door, DOCTOR_THROUGH);
	assert_int_equal(doctor_state(&d, at(LAYER_MOUNT)), DOCTOR_MISSING);
	assert_int_equal(doctor_state(&d, at(LAYER_LANDLOCK)), DOCTOR_OPEN);
	assert_string_equal(d.layer[at(LAYER_LANDLOCK)].names, "way_out");
	/* nothing is there that it could prove */
	doctor_count(&d, &bomb, DOCTOR_THROUGH);
	assert_int_equal(d.through, 1);
	assert_int_equal(d.skipped, 1);
	assert_int_equal(doctor_state(&d, at(LAYER_MEMORY)), DOCTOR_MISSING);
	/* an attack that does not run is no good news */
	doctor_count(&d, &lone, DOCTOR_NOT_RUN);
	assert_int_equal(doctor_state(&d, at(LAYER_SECCOMP)), DOCTOR_OPEN);
	assert_string_equal(d.layer[at(LAYER_SECCOMP)].names,
	    "keys (did not run)");
	doctor_count(&d, &lone, DOCTOR_NOTHING_HERE);
	assert_int_equal(d.attacks, 3);
	assert_int_equal(d.skipped, 2);
	assert_int_equal(doctor_state(&d, at(LAYER_WASM)), DOCTOR_UNUSED);
}

static void
test_node(void **state)
{
	struct doctor d = {.posture = LAYERS_FLOOR,
	    .required = LAYERS_FLOOR | LAYER_MEMORY | LAYER_CPU};

	(void)state;
	assert_int_equal(doctor_lacking(&d), LAYER_MEMORY | LAYER_CPU);
	assert_int_equal(doctor_state(&d, at(LAYER_MEMORY)), DOCTOR_MISSING);
	d.node = LAYERS_FLOOR | LAYER_MEMORY;
	/* what it states counts while it runs */
	assert_int_equal(doctor_lacking(&d), LAYER_MEMORY | LAYER_CPU);
	d.has_node = true;
	assert_int_equal(doctor_lacking(&d), LAYER_CPU);
	assert_int_equal(doctor_state(&d, at(LAYER_MEMORY)), DOCTOR_NODE_HAS);
	assert_int_equal(doctor_state(&d, at(LAYER_CPU)), DOCTOR_MISSING);
}

/* Many names fill a row and no more. */
static void
test_bounds(void **state)
{
	struct doctor d = {.posture = LAYERS_KNOWN};
	const struct doctor_layer *l = &d.layer[at(LAYER_MOUNT)];

	(void)state;
	for (int i = 0; i < 1000; i++)
		doctor_count(&d, &door, DOCTOR_THROUGH);
	assert_int_equal(l->through, 1000);
	assert_true(strlen(l->names) < sizeof(l->names));
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		assert_non_null(doctor_remedy(i));
	assert_string_not_equal(doctor_remedy(at(LAYER_MEMORY)), "");
	for (int s = DOCTOR_HOLDS; s <= DOCTOR_UNUSED; s++)
		assert_non_null(doctor_state_name((enum doctor_state)s));
}

static void
test_clock(void **state)
{
	const int64_t now = CLOCK_LEAST + 2 * CLOCK_GAP;
	static const struct {
		int64_t now, newest;
		const char *says; /* NULL: nothing */
	} rows[] = {
	    {0, 0, "1970-01-01 00:00, which is before"},
	    {-1, 0, "1969"},
	    {INT64_MIN, INT64_MAX, "which is before"},
	    {INT64_MAX, 0, "no document can name"},
	    {CLOCK_LEAST - 1, 0, "before this program"},
	    {CLOCK_LEAST, 0, NULL},
	    {UINT32_MAX, UINT32_MAX, NULL},
	    {UINT32_MAX + INT64_C(1), 0, "2106-02-07 06:28, which no document"},
	    {now, 0, NULL},
	    {now, now + CLOCK_AHEAD, NULL},
	    {now, now + CLOCK_AHEAD + 1, "behind now, or was ahead then"},
	    {now, now - CLOCK_GAP, NULL},
	    {now, now - CLOCK_GAP - 1, "off for so long"},
	    /* what was written by a clock of 1970 says nothing */
	    {now, 60, NULL},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char out[160] = "";
		bool doubt = clock_doubt(out, sizeof(out), rows[i].now,
		    rows[i].newest);

		assert_int_equal(doubt, rows[i].says != NULL);
		if (doubt && strstr(out, rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows), cmocka_unit_test(test_outcome),
	    cmocka_unit_test(test_states), cmocka_unit_test(test_node),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
