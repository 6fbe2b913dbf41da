/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-probe NAME: one attack; `list`: their names, kinds, layers and whether
 * each is proved. It is started in a sandbox, by tests and `warren doctor`.
 */
#include "sandbox/probe/probe.h"

#include <string.h>

static const struct probe_table *const tables[] = {&probes_files,
    &probes_processes, &probes_rights, &probes_network, &probes_resources,
    &probes_information};
#define TABLES (sizeof(tables) / sizeof(*tables))

static int
list(void)
{
	static const char *const kinds[] = {[PROBE_DOOR] = "door",
	    [PROBE_CALL] = "call", [PROBE_RIGHT] = "right",
	    [PROBE_BOMB] = "bomb"};

	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct probe *p = &tables[t]->list[i];

			printf("%s %s %s %s\n", p->name, kinds[p->kind],
			    p->layers, p->unproved == NULL ? "-" :
			    p->unproved);
		}
	return PROBE_HELD;
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	/* some would harm whoever tries them at home */
	if (argc != 2 || getenv("HOST_PID") == NULL) {
		fprintf(stderr, "warren-probe is a part of `warren doctor`, "
		    "which starts it.\n");
		return PROBE_USAGE;
	}
	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct probe *p = &tables[t]->list[i];
			bool held;

			if (strcmp(p->name, argv[1]) != 0)
				continue;
			held = p->run();
			if (!held || probe_skipped)
				printf("%s\n", probe_note);
			return !held ? PROBE_ESCAPED : probe_skipped ?
			    PROBE_SKIP : PROBE_HELD;
		}
	return PROBE_USAGE;
}
