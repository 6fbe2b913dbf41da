/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/said.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"

#define ID_HEX 9      /* 8 digits and a NUL */
#define TEXT_CAP 1200 /* escaped */

static void
short_id(char out[ID_HEX], const struct id32 *id)
{
	if (id == NULL)
		(void)snprintf(out, ID_HEX, "job");
	else
		hex_encode(out, id->b, 4);
}

/* A person by the key, or by the Reticulum identity while there is none. */
static void
short_peer(char out[ID_HEX], const struct peer *p)
{
	if (p == NULL)
		(void)snprintf(out, ID_HEX, "stranger");
	else
		hex_encode(out, p->v.known && p->v.key_len > 0 ? p->v.fp.b :
			p->rns_hash.b, 4);
}

static void
image_of(char out[TEXT_CAP], const struct manifest *m,
    const struct id32 *digest)
{
	char hex[ID_HEX];

	if (m != NULL && m->image[0] != '\0') {
		(void)text_escape(out, TEXT_CAP, m->image, strlen(m->image));
	} else if (digest != NULL) {
		hex_encode(hex, digest->b, 4);
		(void)snprintf(out, TEXT_CAP, "sha256:%s", hex);
	} else {
		(void)snprintf(out, TEXT_CAP, "?");
	}
}

void
said_accepted(struct node *n, const struct job *j)
{
	char id[ID_HEX], who[ID_HEX], image[TEXT_CAP];

	(void)n;
	short_id(id, &j->id);
	hex_encode(who, j->owner.b, 4);
	image_of(image, j->m, &j->image);
	log_notice(id, "accepted from=%s image=%s level=%d state=%s%s%s", who,
	    image, j->level, job_state_name(j->state),
	    j->reason[0] != '\0' ? " reason=" : "", j->reason);
}

void
said_ended(struct node *n, const struct job *j, bool again)
{
	char id[ID_HEX], who[ID_HEX], image[TEXT_CAP], what[TEXT_CAP];
	char reason[4 * JOB_REASON_MAX];

	(void)n;
	short_id(id, &j->id);
	hex_encode(who, j->owner.b, 4);
	image_of(image, j->m, &j->image);
	(void)text_printable(reason, sizeof(reason), j->reason,
	    strlen(j->reason));
	if (j->state == JS_DONE && j->outcome == OUT_KILLED)
		(void)snprintf(what, sizeof(what), "killed reason=%s",
		    kill_name((unsigned)j->code & 0xff));
	else if (j->state == JS_DONE)
		(void)snprintf(what, sizeof(what), "%s code=%d",
		    outcome_name(j->outcome), (int)j->code);
	else
		(void)snprintf(what, sizeof(what), "%s%s%s",
		    job_state_name(j->state), reason[0] != '\0' ?
			" reason=" : "", reason);
	log_notice(id, "ended %s from=%s image=%s attempts=%u wall_ms=%llu"
	    " cpu_ms=%llu%s", what, who, image, (unsigned)j->attempts,
	    (unsigned long long)j->wall_ms, (unsigned long long)j->cpu_ms,
	    again ? ", queued again" : "");
}

/* Is there room for one more in this minute? */
static bool
may_say(struct node *n)
{
	if (mono_reached(n->now, n->said_until)) {
		if (n->said_out > 0)
			log_notice("jobs", "refusals left out of the log "
			    "count=%u", n->said_out);
		n->said_until = mono_add(n->now, 60 * MONO_SECOND);
		n->said = n->said_out = 0;
	}
	if (n->said < SAID_A_MINUTE) {
		n->said++;
		return true;
	}
	n->said_out++;
	return false;
}

const char *
said_moment(char out[24], uint64_t unix_s)
{
	time_t t = (time_t)MIN_OF(unix_s, (uint64_t)UINT32_MAX);
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, 24, "?");
	return out;
}

void
said_clock(struct node *n, struct peer *p, uint64_t unix_s)
{
	long long off = (long long)MIN_OF(unix_s, (uint64_t)UINT32_MAX) -
	    (long long)n->unix_now;
	char who[ID_HEX], a[24], b[24];

	if ((off <= BINDING_EARLY && off >= -BINDING_EARLY) ||
	    (p->said_clock.us != 0 && mono_sub(n->now, p->said_clock) <
		SAID_CLOCK_S * MONO_SECOND) || !may_say(n))
		return;
	p->said_clock = n->now;
	short_peer(who, p);
	log_notice(who, "its clock says %s, this one %s: %lld s %s; what one "
	    "signs may not hold for the other", said_moment(a, unix_s),
	    said_moment(b, n->unix_now), off < 0 ? -off : off,
	    off < 0 ? "behind" : "ahead");
}

/* A time that does not hold is most often that of a clock which is off. */
static void
times(char *out, size_t cap, const struct refusal *r)
{
	long long off = (long long)MIN_OF(r->value, (uint64_t)UINT32_MAX) -
	    (long long)r->time;
	char a[24], b[24];

	(void)snprintf(out, cap, " value=%s now=%s: the clock of who asks "
	    "seems to be %lld s %s this one", said_moment(a, r->value),
	    said_moment(b, r->time), off < 0 ? -off : off,
	    off < 0 ? "behind" : "ahead of");
}

void
said_refused(struct node *n, const struct peer *p, const struct id32 *id,
    const struct manifest *m, const struct refusal *r)
{
	char job[ID_HEX], who[ID_HEX], image[TEXT_CAP], text[TEXT_CAP];
	char raw[MANIFEST_TEXT + sizeof(r->why) + 2], numbers[200] = "";

	if (!may_say(n))
		return;
	short_id(job, id);
	short_peer(who, p);
	image_of(image, m, NULL);
	refusal_text(raw, sizeof(raw), r);
	(void)text_escape(text, sizeof(text), raw, strlen(raw));
	if (r->time != 0)
		times(numbers, sizeof(numbers), r);
	else if (r->has_limit)
		(void)snprintf(numbers, sizeof(numbers),
		    " value=%llu limit=%llu", (unsigned long long)r->value,
		    (unsigned long long)r->limit);
	log_notice(job, "refused code=%s step=%u from=%s%s%s%s%s%s",
	    r->code, (unsigned)r->step, who, m == NULL ? "" : " image=",
	    m == NULL ? "" : image, text[0] != '\0' ? " why=" : "", text, numbers);
}

void
said_slowed(struct node *n, struct peer *p, const struct used_up *u)
{
	struct mono *said = p != NULL ? &p->said : &n->said_strangers;
	char who[ID_HEX];

	if (said->us != 0 && mono_sub(n->now, *said) <
	    SAID_SLOWED_S * MONO_SECOND)
		return;
	*said = n->now;
	short_peer(who, p);
	log_notice(who, "slowed down: its budget of %s is used up limit=%llu "
	    "a minute, full again in %u s", u->code,
	    (unsigned long long)u->limit, (unsigned)u->full_s);
}
