/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_LAWIO_H
#define WARREN_TRUST_LAWIO_H

#include "trust/law.h"

/* Between law.c, which has the files, and lawio.c, which reads documents. */
void lawio_init(struct law *);
void lawio_free(struct law *);
/* Reads on; 1: more, 0: whole, -1: *why it is refused. */
int lawio_read_on(struct law *, const char **why);
/* Files that are half read or written are let go of. */
void lawio_drop(struct law *);
/* A slice of keeping the signatures of the graph, while l->sigs is there. */
void lawio_keep_on(struct law *);
/* From where a graph counts: indexes for those who ask. 0 or -1: no memory. */
int lawio_index(struct law *);
void lawio_event(struct law *, enum event_kind, unsigned severity,
    const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* law.c: what follows from what is known now. */
void law_follow(struct law *);
/* ... of the lists alone: who is revoked. */
void law_unite(struct law *);
/* Its root was taken away: as after a start without it. */
void law_unpin(struct law *, struct law_authority *);
void law_read_self(struct law *);
/* Keys of roots and bindings that are known now: l->changed, if one has. */
void law_try_self(struct law *);
struct law_authority *law_authority_of(struct law *, const char *name);
/* lawweb.c: web servers of an authority, by node.yaml and its root. */
#define LAWWEB_KIND(end) (0x80u | (unsigned)(end)) /* beside enum fetch_end */
void lawweb_set(struct law *, struct law_authority *);
bool lawweb_used(const struct law_authority *);
const char *lawweb_url(const struct law_authority *); /* who is asked */
int lawweb_ready(const struct law *); /* -1: none */
/*
 * lawmesh.c: the file that the update needs, asked of a node; -1: transport is
 * not there. Whose time has come again after he was busy, and when the next is.
 */
int lawmesh_ask(struct law *, struct law_authority *);
/* What has come, as if egress had; false: there is more of it, ask on. */
bool lawmesh_came(struct law *, struct law_authority *,
    const struct msg_M_ANSWER *, int fd, struct msg_FETCHED *, int *fetched);
void lawmesh_again(struct law *, struct mono now, struct mono *next);
/* The update has asked for a file, and so has ended for now. */
bool lawweb_asks(struct law *, struct law_authority *);
/* ... or how it ended. */
void lawweb_end(struct law *, struct law_authority *,
    const struct auth_report *);
/* Would this list take too many at once (klp.md 4.2)? Then why. */
bool lawio_held(struct law *, const struct law_authority *,
    const struct revlist *, char why[AUTH_WHY]);
/* lawdelta.c: does this authority have the list, and is one here? */
bool lawdelta_of(const struct law *, const struct law_authority *);
/* The file that would bring its next version. */
bool lawdelta_name(const struct law *, char out[URI_MAX + 1]);
void lawdelta_replay(struct law *, struct law_authority *);
/* false: *why it does not count. */
bool lawdelta_take(struct law *, struct law_authority *, const uint8_t *,
    size_t, char why[AUTH_WHY]);
void lawdelta_folder(struct law *, struct law_authority *);
/*
 * What a frame says, or why it does not count; the time of one that comes, which
 * is not asked of one that was kept; would the list be held?
 */
struct delta;
const char *lawdelta_early(const struct law *, const struct delta *);
const char *lawdelta_verify(const struct law *, const struct law_authority *,
    struct delta *, const uint8_t *, size_t);
bool lawdelta_brake(struct law *, const struct law_authority *,
    const struct revlist *, const char *what, char why[AUTH_WHY]);
void lawdelta_base(struct law *, const struct law_authority *,
    struct revlist *next);
/*
 * lawset.c: the file that a set is asked for as, of the mesh alone, and the
 * delta that signs it; from this source; behind what has come; a page of it.
 */
#define LAWSET_END ".set"
#define LAWSET_LONG "it is too long for a way that is slow: klp.allow_slow_fetch"
struct proto_meta;
struct pbin;
void lawset_drop(struct lawset *);
bool lawset_name(const struct law *, char out[URI_MAX + 1]);
bool lawset_proof(const struct law *, const struct lawset *,
    char out[URI_MAX + 1]);
void lawset_begin(struct lawset *, const char *from);
const uint8_t *lawset_after(const struct lawset *);
const char *lawset_page(const struct law *, struct lawset *,
    const struct proto_meta *, struct pbin, size_t most, bool *again);
bool lawset_take(struct law *, struct law_authority *, struct lawset *,
    const uint8_t *frame, size_t len, char why[AUTH_WHY]);
void lawset_replay(struct law *, struct law_authority *);
/* lawhist.c: a delta was good; l->history is there, if any is. */
void lawhist_add(struct law *, const struct law_authority *,
    const uint8_t *, size_t);
void lawhist_read(struct law *, const char *authority);
/* lawspread.c: a delta was good; a head counts from now on. */
void lawspread_delta(struct law *, const struct law_authority *,
    const uint8_t *, size_t);
void lawspread_head(struct law *, const struct law_authority *);
/*
 * lawlog.c: at the end of a walk, what lies in klp/ of logs; what somebody shows
 * of one; its state for him who has seen so many entries (0: not on one host).
 */
#define LAWLOG_FILE "/checkpoint"
#define LAWLOG_BYTES ROOT_BYTES
#define LAWLOG_EVERY_S 3600 /* ours: klp.md 8, "when links are idle" */
void lawlog_look(struct law *);
bool lawlog_wanted(const struct law_authority *);
/*
 * The folder of the i-th log, below the authority's; false: behind the last.
 * From the name of a file there: whose log is it? false: of none; NULL: not said.
 */
bool lawlog_place(const struct law_authority *, unsigned i,
    char out[LAWLOG_PLACE]);
bool lawlog_named(const char *file, uint8_t id16[16], const uint8_t **id);
/*
 * UNPROVEN: it is longer than the *known entries. With known NULL that is said,
 * and that it is older is not.
 */
enum logbook_end lawlog_shown(struct law *, struct law_authority *,
    const char *text, size_t len, const char *from, uint64_t *known);
void lawlog_complain(struct law *, struct law_authority *, const char *from,
    const char *why);
size_t lawlog_give(struct law *, const struct law_authority *, uint64_t size,
    const uint8_t id[16], uint8_t **body);
uint64_t lawlog_size(const struct law_authority *, const uint8_t id[16]);
void lawlog_free(struct law_authority *);
/*
 * lawtile.c: what a web server shows has grown, and its tiles are to prove it.
 * The next one, as x->need; false: it is over, and *why it shows nothing (NULL:
 * it does, in *text, an allocation of *len bytes).
 */
bool lawtile_begin(struct law_authority *, const char *place, uint64_t known,
    const char *text, size_t len);
bool lawtile_need(struct law_authority *, char **text, size_t *len,
    const char **why);
/* It has come, or has not; what is wrong with it is in *why then. */
void lawtile_came(struct law_authority *, const struct msg_FETCHED *,
    const char **why);
bool lawtile_walks(const struct law_authority *);
void lawtile_stop(struct law_authority *);
void lawtile_free(struct law_authority *);
/*
 * lawattest.c: at the end of a walk, what lies in klp/attestations; a turn of
 * it, while it is busy; before node.yaml goes.
 */
void lawattest_look(struct law *);
bool lawattest_busy(const struct law *);
void lawattest_step(struct law *);
void lawattest_stop(struct law *);
void lawattest_free(struct law *);
/* lawserve.c: roots behind that version are new. */
void lawserve_roots(struct law *, const struct law_authority *,
    uint32_t before);
/* Who is revoked has changed: the graph's introducers with it. */
void lawio_revoked(struct law *);

#endif
