/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One layer is gone (THREATS.md 8). When the kernel refuses it, jail says so
 * and runs nothing that asks for it. When it is gone and nobody was told, the
 * others hold: of the doors that two layers stop, none is open.
 * test_loss BUILD-FOLDER BUSYBOX [LAYER]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/layers.h"
#include "common/util.h"
#include "tests/escape/baits.h"
#include "tests/escape/setup.h"

static struct drive d;
static char jail[600];
static const char *who;

struct layer_test {
	const char *name;
	bool silent; /* jail can be made to believe that it is there */
};
static const struct layer_test layers[] = {
	/* every other namespace lies in it: without it no slot is made */
	{"user", false},
	/* a fresh /proc cannot be had without a pid namespace of one's own */
	{"pid", false},
	/* the first job would take its slot's root away */
	{"mount", false},
	{"net", true}, {"ipc", true},
	/* its name is set at once, which the host's namespace refuses */
	{"uts", false},
	{"caps", true},
	/* without it no filter can be loaded */
	{"no_new_privs", false}, {"seccomp", true}, {"landlock", true},
	{"rlimits", true},
	/* no group is delegated: the limits of groups go with it */
	{"cgroup", false},
	/* the clocks of the host's are nobody's to set: it is noticed */
	{"time", false},
};

static bool
start(const char *how, const char *layer, char root[512], struct id32 *image)
{
	struct drive_options o = {.slots = 1, .level = 0, .jail = jail,
	    .no_groups = strcmp(layer, "cgroup") == 0};
	char set[64];

	(void)snprintf(set, sizeof(set), "%s=%s", how, layer);
	o.env = set;
	return setup_drive(&d, &o, ".", root, 512, image) == 0;
}

/* The kernel says no. */
static bool
noticed(const char *layer)
{
	uint32_t bit = layer_bit(layer);
	char root[512];
	struct id32 image;
	struct drive_job j;
	bool ok;

	/* jail does not even come up: nothing can run */
	if (!start("FAILS", layer, root, &image)) {
		printf("ok loss of %s is noticed (%s): no jail\n", layer, who);
		return true;
	}
	/* those that few machines have are named where they are required */
	ok = (d.posture.layers & bit) == 0 && ((bit & LAYERS_INHERITED) != 0 ||
	    strstr(d.posture.missing, layer) != NULL);
	baits_job(&j, &image, "ids");
	j.layers = bit;
	ok = ok && drive_run(&d, &j) == 0 && !j.started && j.failed;
	printf("%s loss of %s is noticed (%s): layers %x, missing %s, job %s\n",
	    ok ? "ok" : "not ok", layer, who, d.posture.layers,
	    d.posture.missing, j.failed ? j.code : "not refused");
	baits_job_done(&j);
	drive_stop(&d);
	return ok;
}

struct tally {
	int doors, alone, real;
	char open[400];
};

/* With that layer gone, one attack that it is said to stop. */
static bool
attack(const struct id32 *image, const struct probe_row *r, const char *layer,
    struct tally *t)
{
	bool alone = strcmp(r->layers, layer) == 0;
	struct drive_job j;
	size_t n;
	bool held;

	baits_job(&j, image, r->name);
	held = drive_run(&d, &j) == 0 && j.started &&
	    ((j.how == EXIT_CODE && (j.status == 0 || j.status == 3)) ||
	    (j.how == EXIT_SIGNAL && strcmp(r->kind, "bomb") == 0));
	if (j.started && j.how == EXIT_CODE && j.status == 1)
		t->real++;
	baits_job_done(&j);
	if (strcmp(r->kind, "door") != 0)
		return true;
	t->doors++;
	if (held || alone) {
		t->alone += !held;
		return true;
	}
	n = strlen(t->open);
	(void)snprintf(t->open + n, sizeof(t->open) - n, " %.40s", r->name);
	return false;
}

static bool
holds(const char *layer)
{
	static struct probe_row rows[BAIT_ROWS];
	struct tally t = {.doors = 0};
	bool ok = true, again;
	char root[512];
	struct id32 image;
	unsigned n;

	if (!start("LOST", layer, root, &image) ||
	    !baits_set(&d, root, ".") || (n = baits_list(&d, &image, rows)) ==
	    0) {
		printf("not ok without %s (%s): no jail\n", layer, who);
		return false;
	}
	for (unsigned i = 0; i < n; i++) {
		again = !probe_row_stops(&rows[i], layer) ||
		    attack(&image, &rows[i], layer, &t);
		ok = ok && again;
	}
	/* else it was not gone; what is not a job's is never cleaned up */
	ok = ok && t.real > 0 && baits_sysv();
	printf("%s without %s (%s): %d doors that others stop too are shut; "
	    "%d that it stops alone are open; %d attacks show that it is "
	    "gone%s%s\n", ok ? "ok" : "not ok", layer, who,
	    t.doors - t.alone, t.alone, t.real,
	    t.open[0] == '\0' ? "" : "; OPEN:", t.open);
	baits_remove();
	drive_stop(&d);
	return ok;
}

int
main(int argc, char *argv[])
{
	bool good = true;

	if (argc < 2)
		return 2;
	who = setup_who();
	(void)snprintf(jail, sizeof(jail), "%s/jail_without", argv[1]);
	for (size_t i = 0; i < NELEM(layers); i++) {
		const struct layer_test *l = &layers[i];

		if (argc > 3 && strcmp(argv[3], l->name) != 0)
			continue;
		good &= noticed(l->name);
		(void)fflush(stdout);
		if (l->silent)
			good &= holds(l->name);
		(void)fflush(stdout);
	}
	return !good;
}
