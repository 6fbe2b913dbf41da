/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/trials.h"

#include <stdlib.h>
#include <string.h>

#include "tests/escape/setup.h"

struct drive d;
char note[600];
const char *folder, *busybox;

static bool
one(const struct trial *t, int (*begin)(void))
{
	const char *who = setup_who();
	bool good;

	note[0] = '\0';
	if (begin() == -1) {
		printf("not ok %s (%s): jail did not start\n", t->name, who);
		return false;
	}
	good = t->run();
	if (good && strncmp(note, "skip: ", 6) == 0)
		printf("skip %s (%s): %s\n", t->name, who, note + 6);
	else if (good)
		printf("ok %s (%s)\n", t->name, who);
	else
		printf("not ok %s (%s): %s\n", t->name, who, note);
	(void)fflush(stdout);
	drive_stop(&d);
	return good;
}

int
trials_main(int argc, char *argv[], const struct trial *t, size_t n,
    int (*begin)(void))
{
	const char *name = argc > 3 ? argv[3] : NULL;
	bool good = true;

	if (argc < 3)
		return 2;
	folder = argv[1];
	busybox = argv[2];
	for (size_t i = 0; i < n; i++) {
		if (name != NULL ? strcmp(name, t[i].name) != 0 :
		    t[i].slow && getenv("LONG") == NULL)
			continue;
		good = one(&t[i], begin) && good;
	}
	return !good;
}
