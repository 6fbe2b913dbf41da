/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/say.h"

#define CLOCK_NEAR_S 60 /* ours: clocks that differ by less agree */

enum unit { PLAIN, BYTES, CORES, MILLIS, SECONDS, WHEN };

#define MODULE                                                                 \
	"A node runs commands of WebAssembly 2.0 with WASI preview 1, and "    \
	"components of WASI 0.2: warren-wasm(8). Compile it for one of those."

/*
 * What is known of a refusal: of which code, and of which member when its why
 * begins with that; the unit of limit and value; what to do. %s is the member.
 */
static const struct row {
	const char *code, *member;
	enum unit unit;
	const char *remedy;
} ROWS[] = {
    {"not_accepting", "this node gives no images", PLAIN,
	"Another one may have it to give: its operator says so by "
	"`image_serve` of node.yaml."},
    {"not_accepting", NULL, PLAIN,
	"Ask again later, or take another node: `warren nodes`."},
    {"posture", NULL, PLAIN,
	"Nothing in your job changes that. Take another node (`warren nodes`),"
	" or tell its operator."},
    {"not_identified", NULL, PLAIN,
	"The node has not learnt who asks. Run it again."},
    {"revoked", NULL, PLAIN,
	"Those whom the operator of the node believes have revoked it; they "
	"alone can say why."},
    {"binding", "binding: older", PLAIN,
	"Your identity is used with a newer binding elsewhere: copy the file "
	"`binding` beside your keys from there, or remove it here and run it "
	"again."},
    {"binding", "no key", PLAIN,
	"Run `warren describe` with it once: that shows your binding to the "
	"node."},
    {"binding", NULL, PLAIN,
	"Remove the file `binding` beside your keys and run it again: a new "
	"one is made."},
    {"trust", "the submitter's own key", PLAIN,
	"Somebody else must approve it: another reviewer of that node, or its "
	"operator, who says so on its own machine: `warren approve JOB "
	"--here`."},
    {"trust", "no signature of a reviewer", PLAIN,
	"The operator of the node says who its reviewers are: those whom it "
	"trusts at +2 for job.review, and the keys of its boards."},
    {"trust", "its approval", PLAIN,
	"Submit it again: whoever approved it is not believed any more, so "
	"another reviewer of that node, or its operator, must."},
    {"trust", NULL, PLAIN,
	"Its operator decides that. Give them your key (`warren identity "
	"show`) for `trust: pins` of their node.yaml."},
    {"quota", "jobs_queued", PLAIN,
	"Wait until one of your jobs has begun, or cancel one: `warren jobs`."},
    {"quota", "jobs_per_hour", PLAIN,
	"That is your own budget on this node; it comes back by and by."},
    {"quota", "cpu_seconds_per_day", SECONDS,
	"That is your own budget on this node; it comes back by and by."},
    {"quota", "spool", BYTES,
	"What your other jobs have sent and made there counts as well: send "
	"less, or wait until that expires."},
    {"quota", "images", BYTES,
	"That is what you get of its images in a day; it comes back by and by, "
	"and what has come stays."},
    {"manifest", "not_after", WHEN, "Run it again: it is signed anew."},
    {"manifest", "deadline", WHEN, "Give the job a later `deadline`."},
    {"manifest", "nonce", PLAIN, "Run it again: it is signed anew."},
    {"manifest", "node", PLAIN,
	"It was signed for another node: run it again with --to this one."},
    {"manifest", "submitter", PLAIN,
	"It was signed by another identity than the one that asks: run it "
	"again with the right --identity."},
    {"manifest", NULL, PLAIN,
	"The node does not take it as it was written. `warren` there may be of "
	"another version."},
    {"anchor", NULL, PLAIN,
	"The node runs only images that are in a transparency log which its "
	"operator believes. Whoever made the image anchors it (`warren audit "
	"anchor`), or take another node: `warren nodes`."},
    {"signature", NULL, PLAIN,
	"The node runs this image only when somebody whom its operator names "
	"has signed for it. Who made the image signs it (`cosign sign`), and "
	"the operator puts the signature into klp/attestations; or take "
	"another node: `warren nodes`."},
    {"image", "wasm", PLAIN,
	"Name an `image` in place of `wasm`, or take a node that runs "
	"modules."},
    {"image", "it has no command", PLAIN,
	"Say what to run: `command` in JOB.yaml, or behind `--` of `warren "
	"run`."},
    {"image", "module", PLAIN, MODULE},
    {"image", "component", PLAIN, MODULE},
    {"image", "this is no WebAssembly", PLAIN,
	"Name a module in its binary form, as a compiler writes it."},
    {"image", "its compilation took", PLAIN,
	"Its time is of the module's size, at the pace of the job's `cpu`: ask "
	"for more of that, up to 1, or split the module."},
    {"image", "its compilation", PLAIN,
	"It may take the job's own `memory`, up to 2 GB: ask for more of it, or "
	"split what is very large in the module."},
    {"image", NULL, PLAIN,
	"`warren describe` lists the images that you may use there; its "
	"operator adds one by `warren image import`."},
    {"contract", NULL, PLAIN,
	"Leave `behavior_contract` out, or mend it: klp.md 6 says what one "
	"holds, and whose signature it needs."},
    {"limits", "seccomp_profile", PLAIN,
	"Leave `seccomp_profile` out, or name one that its operator has."},
    {"limits", "network", PLAIN,
	"Leave `network` out: this node gives jobs no way out."},
    {"limits", "memory", BYTES, NULL}, {"limits", "output", BYTES, NULL},
    {"limits", "log", BYTES, NULL}, {"limits", "cpu", CORES, NULL},
    {"limits", "time", MILLIS, NULL}, {"limits", "pids", PLAIN, NULL},
    {"too_large", "disk", BYTES,
	"The disk of the node has no room for the inputs: send less, or take "
	"another node."},
    {"too_large", "memory", BYTES, NULL}, {"too_large", "cpu", CORES, NULL},
    {"airtime", "max_airtime", SECONDS,
	"Send less, lower `output` and `log` of `limits`, come by a faster "
	"path, or ask its operator for a longer max_airtime."},
    {"airtime", "deadline", WHEN, "Give the job a later `deadline`."},
    {"not_wanted", NULL, PLAIN,
	"The job does not need it any more: `warren show` says what became of "
	"it."},
    {"digest", NULL, PLAIN,
	"What arrived is not what was signed: an input was changed while it "
	"was sent. Run it again."},
    {"volume", NULL, PLAIN,
	"The node cannot unpack this volume: run it again, with a newer "
	"`warren` if that does not help."},
    {"not found", NULL, PLAIN,
	"The node has no such job of this identity: `warren jobs` lists those "
	"that it has."},
    {"gone", NULL, PLAIN,
	"The node has kept what the job made for as long as it had promised, "
	"and it is not there any more: run the job again."},
    {"ledger", NULL, PLAIN,
	"The node could not write it down, and has forgotten it: run it "
	"again."},
    {"malformed", NULL, PLAIN,
	"`warren` here and there may be of different versions."},
};

/* What the operator of the node can do, by code; the submitter's is above. */
static const struct {
	const char *code, *member, *remedy;
} OPERATOR[] = {
    {"not_accepting", "this node gives no images",
	"`image_serve` of node.yaml says to whom images are given."},
    {"not_accepting", NULL,
	"`warren status` says why no jobs are taken; "
	"`accept_computation_requests` of node.yaml."},
    {"posture", NULL,
	"`warren doctor` says what this machine lacks and how to get it; "
	"`require_layers` of node.yaml says what you ask of it."},
    {"not_identified", NULL, "Nothing: who asks must say who it is."},
    {"revoked", NULL,
	"`warren trust why` says who lists it; nothing of yours lifts that."},
    {"binding", NULL,
	"Nothing for a stranger; a pin in `trust: pins` of node.yaml makes a "
	"Reticulum identity known without one."},
    {"trust", "its approval",
	"`warren trust why` with whoever approved it (in the trail) says why; "
	"`warren approve` its next submission yourself."},
    {"trust", NULL,
	"Pin the key in `trust: pins` of node.yaml and `warren reload`, or "
	"lower `trust: floor`."},
    {"quota", "spool", "Raise `spool` of `quotas` in node.yaml."},
    {"quota", "images", "Raise `per_day` of `image_serve` in node.yaml."},
    {"quota", NULL, "Raise the budget in `quotas` of node.yaml."},
    {"manifest", NULL, "Nothing: it must be signed anew."},
    {"image", "module", "Nothing: it is made for something else."},
    {"image", "component", "Nothing: it is made for something else."},
    {"image", "this is no WebAssembly", "Nothing: it is no module."},
    {"image", "its compilation took",
	"Raise the ceiling of cpu (`limits` and `levels` of node.yaml)."},
    {"image", "its compilation",
	"Raise the ceiling of memory (`limits` and `levels` of node.yaml)."},
    {"image", NULL, "`warren image import` it."},
    {"anchor", NULL,
	"Put the proof of its fingerprint into klp/anchors (warren-trust(8)) "
	"and `warren reload`, or say `anchor: record` in the profile."},
    {"signature", NULL,
	"Put the signature (`cosign download signature` or `attestation`) into "
	"klp/attestations (warren-trust(8)) and `warren reload`, or change "
	"`image_policy` of node.yaml."},
    {"volume", NULL, "Nothing: the volume itself is bad."},
    {"contract", NULL,
	"Trust its signer for contract.sign, or nothing: it must be mended."},
    {"limits", "seccomp_profile",
	"Put the profile into profiles/seccomp/ and `warren reload`."},
    {"limits", NULL,
	"Raise that limit at this level (`levels` of node.yaml, and the "
	"profile), or the level of who asks (`trust: pins`)."},
    {"too_large", "disk", "Make room on the disk of the spool."},
    {"too_large", NULL, "Raise `limits` of node.yaml, if the machine has it."},
    {"airtime", NULL, "Raise `max_airtime` of node.yaml."},
    {"not_wanted", NULL, "Nothing."},
    {"digest", NULL,
	"Nothing; `warren peers` counts it against who sent it."},
    {"not found", NULL, "`warren jobs --here` lists what there is."},
    {"gone", NULL, "Keep results for longer: `keep_results` of node.yaml."},
    {"ledger", NULL,
	"The log says what the ledger could not write; look at the disk."},
    {"malformed", NULL, "Nothing; `warren status` counts them."},
};

static bool
begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static const struct row *
row_of(const struct cli_refusal *r)
{
	for (size_t i = 0; i < NELEM(ROWS); i++) {
		if (strcmp(ROWS[i].code, r->code) == 0 &&
		    (ROWS[i].member == NULL || begins(r->why, ROWS[i].member)))
			return &ROWS[i];
	}
	return NULL;
}

void
refusal_take(struct cli_refusal *r, const struct proto_meta *m, int64_t now)
{
	*r = (struct cli_refusal){.step = (int)MIN_OF(m->step, 11),
	    .has_limit = m->has_limit, .limit = m->limit,
	    .has_value = m->has_value, .value = m->value, .has_s = m->has_s,
	    .s = m->s, .has_time = m->has_time, .time = m->time, .now = now};
	pstr_copy(r->code, sizeof(r->code), m->code);
	pstr_copy(r->why, sizeof(r->why), m->why);
	pstr_copy(r->which, sizeof(r->which), m->value_text);
}

bool
refusal_by_old(const struct cli_refusal *r)
{
	return (strcmp(r->code, "manifest") == 0 &&
	    (r->has_time || strcmp(r->why, "node") == 0)) ||
	    (strcmp(r->code, "airtime") == 0 &&
	    strcmp(r->why, "deadline") == 0);
}

bool
refusal_never_there(const struct cli_refusal *r, uint32_t not_after)
{
	return !r->admitted && strcmp(r->code, "manifest") == 0 &&
	    r->has_time && r->has_limit && r->has_value &&
	    r->limit == r->time && r->value == not_after &&
	    r->value <= r->limit;
}

void
refusal_reason(struct cli_refusal *r, const char *reason)
{
	size_t n = strcspn(reason, ":");

	*r = (struct cli_refusal){.admitted = true};
	(void)snprintf(r->code, sizeof(r->code), "%.*s", (int)MIN_OF(n, 63u),
	    reason);
	if (reason[n] != '\0')
		(void)snprintf(r->why, sizeof(r->why), "%s",
		    reason + n + 1 + (reason[n + 1] == ' '));
}

void
refusal_trail(struct cli_refusal *r, const char *code, const char *text,
    uint64_t limit, uint64_t value, int64_t at)
{
	bool numbers = limit != 0 || value != 0;
	const char *why = text;

	*r = (struct cli_refusal){.now = at};
	(void)snprintf(r->code, sizeof(r->code), "%s", code);
	/* "which: why", where which may hold colons and why begins a row */
	for (const char *p = text; (p = strstr(p, ": ")) != NULL;) {
		p += 2;
		(void)snprintf(r->why, sizeof(r->why), "%s", p);
		if (row_of(r) != NULL && row_of(r)->member != NULL) {
			why = p;
			break;
		}
	}
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
	if (why > text)
		(void)snprintf(r->which, sizeof(r->which), "%.*s",
		    (int)(why - text - 2), text);
	r->has_value = numbers;
	r->value = value;
	/* of a time that does not hold the other number is the clock */
	r->has_time = numbers && (strcmp(code, "manifest") == 0 ||
	    strcmp(code, "binding") == 0);
	r->time = (uint64_t)MAX_OF(at, INT64_C(0));
	r->has_limit = numbers && strcmp(code, "binding") != 0;
	r->limit = limit;
}

const char *
refusal_operator(const struct cli_refusal *r)
{
	for (size_t i = 0; i < NELEM(OPERATOR); i++)
		if (strcmp(OPERATOR[i].code, r->code) == 0 &&
		    (OPERATOR[i].member == NULL ||
			begins(r->why, OPERATOR[i].member)))
			return OPERATOR[i].remedy;
	return "";
}

const char *
refusal_code(size_t i)
{
	const char *last = "";

	for (size_t k = 0; k < NELEM(ROWS); k++) {
		if (strcmp(ROWS[k].code, last) == 0)
			continue;
		last = ROWS[k].code;
		if (i-- == 0)
			return last;
	}
	return NULL;
}

/* ---- words ---- */

/* exact: to the last unit, for two numbers that would read the same. */
static const char *
amount(char out[40], enum unit u, uint64_t v, bool exact)
{
	char text[24];
	int64_t n = (int64_t)MIN_OF(v, (uint64_t)PROTO_INT_MAX);

	switch (u) {
	case BYTES:
		if (exact)
			(void)snprintf(out, 40, "%lld bytes", (long long)n);
		else
			(void)snprintf(out, 40, "%s", cli_bytes(text, v));
		break;
	case CORES:
		(void)snprintf(out, 40, "%lld.%03d cores",
		    (long long)(n / 1000), (int)(n % 1000));
		break;
	case MILLIS:
	case SECONDS:
		if (exact)
			(void)snprintf(out, 40, "%lld %s", (long long)n,
			    u == MILLIS ? "ms" : "s");
		else
			(void)snprintf(out, 40, "%s", cli_duration(text,
			    u == MILLIS ? n :
				MIN_OF(n, INT64_MAX / 1000) * 1000));
		break;
	case WHEN:
		(void)snprintf(out, 40, "%s", cli_time(text, n));
		break;
	default:
		(void)snprintf(out, 40, "%lld", (long long)n);
	}
	return out;
}

static void
add(char out[REFUSAL_TEXT], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(char out[REFUSAL_TEXT], const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out + n, REFUSAL_TEXT - n, fmt, ap);
	va_end(ap);
}

/*
 * A limit may be the least, and what a job has run into after it was admitted
 * was too little for it.
 */
static bool
too_little(const struct cli_refusal *r)
{
	return r->admitted ? strcmp(r->code, "limits") == 0 :
	    r->has_limit && r->has_value && r->value < r->limit;
}

static void
add_amounts(char out[REFUSAL_TEXT], const struct cli_refusal *r)
{
	const struct row *row = row_of(r);
	enum unit u = row == NULL ? PLAIN : row->unit;
	char a[40], b[40];
	bool same;

	if (strcmp(r->code, "airtime") == 0 && u == WHEN && r->has_limit) {
		add(out, ": it could begin %s, and is to be over %s",
		    amount(a, u, r->value, false),
		    amount(b, u, r->limit, false));
		return;
	}
	if (r->has_time && r->has_value) {
		add(out, ": %s, and the clock of the node says %s",
		    amount(a, WHEN, r->value, false),
		    amount(b, WHEN, r->time, false));
		return;
	}
	if (!r->has_limit || !r->has_value)
		return;
	(void)amount(a, u, r->value, false);
	same = strcmp(a, amount(b, u, r->limit, false)) == 0 &&
	    r->value != r->limit;
	add(out, too_little(r) ? ": %s asked, %s needed at least" :
	    ": %s asked, %s allowed", amount(a, u, r->value, same),
	    amount(b, u, r->limit, same));
}

/* "binding: expired" of the code `binding` is said once. */
static const char *
why_of(const struct cli_refusal *r)
{
	size_t n = strlen(r->code);

	return strncmp(r->why, r->code, n) == 0 && begins(r->why + n, ": ") ?
	    r->why + n + 2 : r->why;
}

void
refusal_words(char out[REFUSAL_TEXT], const struct cli_refusal *r)
{
	const char *first, *then;

	(void)snprintf(out, REFUSAL_TEXT, "%s", r->code);
	if (r->step > 0)
		add(out, " (step %d)", r->step);
	if (r->admitted)
		add(out, " (after it was admitted)");
	if (strcmp(r->code, "posture") == 0 && r->why[0] != '\0') {
		add(out, ": the machine of the node lacks what its operator "
			 "requires for every job: %s", r->why);
		return;
	}
	/* of limits `why` is the member, and the text what was asked of it */
	first = strcmp(r->code, "limits") == 0 ? why_of(r) : r->which;
	then = first == r->which ? why_of(r) : r->which;
	if (first[0] != '\0')
		add(out, ": %s", first);
	if (then[0] != '\0')
		add(out, ": %s", then);
	add_amounts(out, r);
}

/* ---- how to go on ---- */

/* Which of two clocks is off, and by how much; "": they agree. */
static void
clock_words(char out[REFUSAL_TEXT], const struct cli_refusal *r, bool synced)
{
	int64_t off = r->now - (int64_t)MIN_OF(r->time, PROTO_INT_MAX);
	char here[40], there[40], by[24];

	out[0] = '\0';
	if (!r->has_time || (off < CLOCK_NEAR_S && off > -CLOCK_NEAR_S))
		return;
	add(out, "The clocks differ: here it is %s, on the node %s. This "
		 "machine is %s %s. ",
	    amount(here, WHEN, (uint64_t)r->now, false),
	    amount(there, WHEN, r->time, false),
	    cli_duration(by, (off < 0 ? -off : off) * 1000),
	    off < 0 ? "behind" : "ahead");
	add(out, synced ?
	    "Its clock is kept by NTP, so that of the node is off: tell its "
	    "operator." :
	    "Nothing keeps its clock: set it (`timedatectl set-ntp true`) and "
	    "run it again; if it is right, tell the operator of the node.");
}

void
refusal_remedy(char out[REFUSAL_TEXT], const struct cli_refusal *r,
    bool synced)
{
	const struct row *row = row_of(r);
	char in[24];

	clock_words(out, r, synced);
	if (out[0] != '\0' || row == NULL)
		return;
	if (strcmp(r->code, "volume") == 0 && r->step == 8)
		add(out, "Give the volume another target, or take another "
			 "image.");
	else if (row->remedy != NULL)
		add(out, "%s", row->remedy);
	else if (row->member != NULL && too_little(r))
		add(out, "Give the job a higher `%s` of `limits`.",
		    row->member);
	else if (row->member != NULL)
		add(out, "Lower `%s` of `limits` in the job%s.", row->member,
		    strcmp(row->code, "limits") == 0 ? ", or ask its operator "
		    "for more at your level (`warren describe` shows what you "
		    "may)" : ": no job gets more on this machine");
	if (r->has_s && r->s > 0)
		add(out, " Again in %s at the earliest.", cli_duration(in,
		    (int64_t)MIN_OF(r->s, UINT32_MAX) * 1000));
}

/* ---- saying it ---- */

static bool
clock_kept(void)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	return state >= 0 && state != TIME_ERROR &&
	    (t.status & STA_UNSYNC) == 0;
}

static void
refused_json(const struct cli_refusal *r, const char *words,
    const char *remedy)
{
	char code[4 * sizeof(r->code)], why[4 * sizeof(r->why)];
	char which[4 * sizeof(r->which)];
	json_t *o;

	(void)text_printable(code, sizeof(code), r->code, strlen(r->code));
	(void)text_printable(why, sizeof(why), r->why, strlen(r->why));
	(void)text_printable(which, sizeof(which), r->which, strlen(r->which));
	o = json_pack("{s:s,s:s,s:i,s:s,s:s}", "event", "error", "code", code,
	    "step", r->step, "why", why, "text", words);
	if (r->has_value)
		(void)json_object_set_new(o, "value",
		    json_integer((json_int_t)r->value));
	else if (which[0] != '\0')
		(void)json_object_set_new(o, "value", json_string(which));
	if (r->has_limit)
		(void)json_object_set_new(o, "limit",
		    json_integer((json_int_t)r->limit));
	if (r->has_s)
		(void)json_object_set_new(o, "s",
		    json_integer((json_int_t)r->s));
	if (r->has_time) {
		(void)json_object_set_new(o, "time",
		    json_integer((json_int_t)r->time));
		(void)json_object_set_new(o, "now", json_integer(r->now));
	}
	if (remedy[0] != '\0')
		(void)json_object_set_new(o, "remedy", json_string(remedy));
	cli_json(o);
}

void
cli_refused(struct cli *c, const struct cli_refusal *r)
{
	char words[REFUSAL_TEXT], remedy[REFUSAL_TEXT];
	char safe[2 * REFUSAL_TEXT];

	refusal_words(words, r);
	refusal_remedy(remedy, r, r->has_time && clock_kept());
	(void)text_printable(safe, sizeof(safe), words, strlen(words));
	cli_progress_end(c);
	fprintf(stderr, "warren %s: refused: %s\n", c->verb, safe);
	if (remedy[0] != '\0')
		cli_hint(c, "%s", remedy);
	if (c->json)
		refused_json(r, safe, remedy);
}

void
cli_refused_clock(struct cli *c, const char *why, int64_t node_time)
{
	struct cli_refusal r = {.code = "clock", .has_time = node_time > 0,
	    .time = (uint64_t)MAX_OF(node_time, INT64_C(0)),
	    .now = (int64_t)time(NULL)};

	(void)snprintf(r.why, sizeof(r.why), "%s", why);
	cli_refused(c, &r);
}
