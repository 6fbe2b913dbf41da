/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that take little, or nothing (reticulum-transport.md 18.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport/engine/stall.h"

#define KIB 1024u

/* waiting KiB, KiB sent in that second, then what it says. */
struct second {
	unsigned waiting, sent;
	bool stalled, dead;
};

static void
run(const struct second *v, size_t n)
{
	struct stall s = {0};
	uint64_t sent = 0;

	for (size_t i = 0; i < n; i++) {
		bool dead;

		sent += v[i].sent * KIB;
		dead = stall_second(&s, v[i].waiting * KIB, sent);
		if (dead != v[i].dead || s.stalled != v[i].stalled)
			fail_msg("second %zu: dead %d, stalled %d", i, dead,
			    s.stalled);
	}
}
#define RUN(...)                                                               \
	do {                                                                   \
		static const struct second v[] = {__VA_ARGS__};                \
		run(v, sizeof(v) / sizeof(*v));                                \
	} while (0)

static void
slow(void **state)
{
	(void)state;
	/* 10 s to drain is borne, more is not until 5 s are enough */
	RUN({1000, 100, false, false}, {1001, 100, true, false},
	    {900, 100, true, false}, {500, 100, true, false},
	    {499, 100, false, false}, {900, 100, false, false});
	/* little waiting never stalls */
	RUN({128, 1, false, false}, {129, 1, true, false},
	    {128, 1, false, false});
	RUN({4096, 1, true, false}, {0, 1, false, false});
}

static void
nothing(void **state)
{
	(void)state;
	RUN({129, 0, false, false}, {129, 0, false, false},
	    {129, 0, true, false}, {129, 1, true, false},
	    {129, 0, true, false}, {0, 0, false, false},
	    {129, 0, false, false}, {129, 0, false, false});
	/* a single packet that nobody takes ends it all the same */
	RUN({1, 0, false, false}, {1, 0, false, false}, {1, 0, false, false},
	    {1, 0, false, false}, {1, 0, false, false}, {1, 0, false, false},
	    {1, 0, false, false}, {1, 0, false, false}, {1, 0, false, false},
	    {1, 0, false, false}, {1, 0, false, false}, {1, 0, false, true});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
