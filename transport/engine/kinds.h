/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_KINDS_H
#define WARREN_TRANSPORT_ENGINE_KINDS_H

struct engine;
struct rnsconf;
struct nif;
struct rnsconf_if;

/*
 * Make the interfaces that the configuration enables, offline: before stored
 * paths are read, since those name them, and before anything listens, so that
 * what is accepted inherits all. nif_start_all() comes next. One that cannot
 * be made is off from now on, with the reason (logged).
 */
void kinds_create_all(struct engine *);
/*
 * The interfaces are those of this configuration from now on, which is taken.
 * What has not changed is not touched; what is gone or other is closed with
 * all that it accepted; what is new or other is made and started.
 */
void kinds_reload(struct engine *, struct rnsconf *);
/* One of them; its start() comes next. NULL: it is off now. */
struct nif *kinds_create(struct engine *, struct rnsconf_if *);

#endif
