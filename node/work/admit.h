/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_ADMIT_H
#define WARREN_NODE_WORK_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/work/forecast.h"
#include "node/work/levels.h"
#include "node/work/policy.h"
#include "node/work/quota.h"

/*
 * Who may run what: the eleven steps of compute.md 4, pure. admit_first() are
 * steps 1 to 5, before anything of the payload is known, and admit_quota() is
 * step 6; admit_second() are steps 7 to 11 and what only the payload can tell,
 * under the codes and numbers of the steps it belongs to. The first step that
 * fails decides.
 */
struct refusal {
	const char *code; /* NULL: none */
	uint8_t step;
	bool live; /* answer with a nonce for a live proof */
	bool has_limit;
	uint64_t limit, value;
	uint32_t s;	  /* 0: not known */
	const char *which; /* textual value, or NULL */
	uint32_t time;	   /* ours, when a time was the reason; 0 */
	char why[161];	  /* "": nothing to add */
};

struct admit_node {
	const struct policy *policy;
	const char *shut;  /* why no job is taken now; NULL: they are */
	uint32_t again_s;  /* ... when to ask again; 0: not soon */
	uint32_t layers;   /* that jail says this machine gives; 0: no jail */
	const char *missing; /* ... which it does not, and why; or NULL */
};

struct admit_peer {
	bool identified;
	bool has_binding; /* a valid one, or pinned by its identity */
	bool bad_binding; /* one came and does not hold */
	bool revoked;	  /* trust's word on the key, or the identity */
	uint8_t jobs;	  /* of enum verdict_jobs; why says it then */
	int level;	  /* for job.submit, pins included */
	const char *why;  /* trust's word on the level, or NULL */
	bool live_needed, live_done;
};

/* Step functions: true is a pass. Else the refusal is filled. */
bool admit_accepting(struct refusal *, const struct admit_node *);
bool admit_posture(struct refusal *, const struct admit_node *);
bool admit_identified(struct refusal *, const struct admit_peer *);
bool admit_revoked(struct refusal *, const struct admit_peer *);
bool admit_binding(struct refusal *, const struct admit_node *,
    const struct admit_peer *);
bool admit_trust(struct refusal *, const struct admit_node *,
    const struct admit_peer *);
bool admit_quota(struct refusal *, const struct quota_answer *);

/* Steps 1 to 5. */
bool admit_first(struct refusal *, const struct admit_node *,
    const struct admit_peer *);

/*
 * The level that a job of this peer may use without a live proof: with
 * `above_2` a peer of level 3 that has not proved itself counts as 2.
 */
int admit_level(const struct admit_node *, const struct admit_peer *);

enum image_state {
	IMAGE_HERE,
	IMAGE_UNKNOWN,
	IMAGE_BROKEN, /* named, but its root is not here */
	IMAGE_CHANGED, /* its files are not those that were imported */
};

struct admit_job {
	const struct manifest *m; /* from an envelope that trust found good */
	bool signer_is_peer; /* fingerprint of submitter = the peer's */
	bool nonce_used;     /* by another job of this submitter */
	uint32_t now;	     /* unix seconds */
	uint32_t forgotten, created; /* struct node */
	enum image_state image;
	bool unanchored; /* in no log, where that is required */
	bool unsigned_;	 /* a rule of image_policy does not hold for it */
	const char *volume_code; /* its volumes do not fit into the image; NULL */
	const char *volume_why;
	const char *revoked; /* of what it names, which; NULL */
	const char *seccomp_why; /* the named profile is not here; NULL: fine */
	uint64_t spool_held;	 /* by the owner, without this job */
	uint64_t spool_more;	 /* inputs that are not here, as they travel */
	uint64_t disk_free;	 /* above the reserve */
	struct forecast_path path; /* it came by */
	uint64_t bytes_to_come;  /* inputs that are not here, as they travel */
	uint64_t bytes_to_go;	 /* logs and outputs, as expected */
	uint32_t wait_s;	 /* for its turn */
};

struct admitted {
	int level;
	struct limits limits;
	bool held;	  /* needs a reviewer */
	uint32_t airtime_s, airtime_p90_s; /* of its link, forecast.h */
};

bool admit_manifest(struct refusal *, const struct admit_node *,
    const struct admit_job *);
bool admit_artifacts(struct refusal *, const struct admit_job *);
bool admit_image(struct refusal *, const struct admit_node *,
    const struct admit_job *);
bool admit_contract(struct refusal *, const struct admit_job *);
bool admit_limits(struct refusal *, struct admitted *,
    const struct admit_node *, const struct admit_peer *,
    const struct admit_job *);
bool admit_fits(struct refusal *, const struct admitted *,
    const struct admit_node *, const struct admit_job *);
bool admit_airtime(struct refusal *, struct admitted *,
    const struct admit_node *, const struct admit_job *);
bool admit_review(const struct admit_node *, const struct manifest *);

/* Steps 7 to 11. On a pass *out is what the job is admitted with. */
bool admit_second(struct refusal *, struct admitted *out,
    const struct admit_node *, const struct admit_peer *,
    const struct quota_caps *, const struct admit_job *);

/*
 * Steps 3, 5 and 8 once more, at the start of a job whose verdict, revocation
 * or image may have changed since.
 */
bool admit_again(struct refusal *, const struct admit_node *,
    const struct admit_peer *, const struct admit_job *);

/* What it is about and why, for the trail and the log; not escaped. */
void refusal_text(char *out, size_t cap, const struct refusal *);

#endif
