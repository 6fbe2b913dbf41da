/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/ocsf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/jsonhex.h"
#include "common/util.h"

/* OCSF's numbers; 0: the member is left out. */
enum {
	ACTION_ALLOWED = 1,
	ACTION_DENIED = 2,
	DISP_BLOCKED = 2,
	DISP_DROPPED = 6,
	DISP_DELAYED = 14,
	DISP_DETECTED = 15,
	STATUS_SUCCESS = 1,
	STATUS_FAILURE = 2,
};

/* The table of klp.md 7. */
static const struct kind {
	uint16_t kind;
	const char *name;
	uint16_t class_uid;
	uint8_t activity, action, disposition, status;
	uint8_t severity; /* when the event brings none */
} kinds[] = {
    {EVK_START, "start", 6002, 3, 0, 0, STATUS_SUCCESS, 1},
    {EVK_STOP, "stop", 6002, 4, 0, 0, STATUS_SUCCESS, 1},
    {EVK_CONFIG, "config", 6002, 8, 0, 0, 0, 1},
    {EVK_PROGRAM_FELL, "program_fell", 6002, 4, 0, 0, STATUS_FAILURE, 3},
    {EVK_LINK_IDENTIFIED, "link_identified", 3002, 1, 0, 0, STATUS_SUCCESS, 1},
    {EVK_BINDING_OK, "binding_ok", 3002, 1, 0, 0, STATUS_SUCCESS, 1},
    {EVK_BINDING_BAD, "binding_bad", 3002, 1, 0, 0, STATUS_FAILURE, 3},
    {EVK_CHALLENGE_OK, "challenge_ok", 3002, 1, 0, 0, STATUS_SUCCESS, 1},
    {EVK_CHALLENGE_BAD, "challenge_bad", 3002, 1, 0, 0, STATUS_FAILURE, 3},
    {EVK_PEER_THROTTLED, "peer_throttled", 4001, 6, 0, DISP_DELAYED, 0, 2},
    {EVK_PEER_BLOCKED, "peer_blocked", 4001, 5, ACTION_DENIED, DISP_BLOCKED,
	0, 2},
    {EVK_JOB_ADMITTED, "job_admitted", 6003, 1, ACTION_ALLOWED, 0,
	STATUS_SUCCESS, 1},
    {EVK_JOB_REFUSED, "job_refused", 6003, 1, ACTION_DENIED, DISP_BLOCKED,
	STATUS_FAILURE, 2},
    {EVK_JOB_STATE, "job_state", 6003, 3, 0, 0, 0, 1},
    {EVK_JOB_STARTED, "job_started", 1007, 1, ACTION_ALLOWED, 0,
	STATUS_SUCCESS, 1},
    {EVK_JOB_EXITED, "job_exited", 1007, 2, 0, 0, 0, 1},
    {EVK_JOB_CANCELLED, "job_cancelled", 6003, 4, 0, 0, 0, 1},
    {EVK_BLOB_BAD, "blob_bad", 2004, 1, ACTION_DENIED, DISP_BLOCKED, 0, 2},
    {EVK_VOLUME_DROPPED, "volume_dropped", 2004, 1, ACTION_DENIED,
	DISP_DROPPED, 0, 2},
    {EVK_SIGNED, "signed", 6003, 1, ACTION_ALLOWED, 0, STATUS_SUCCESS, 1},
    {EVK_SIGN_REFUSED, "sign_refused", 2004, 1, ACTION_DENIED, DISP_BLOCKED,
	0, 3},
    {EVK_IPC_VIOLATION, "ipc_violation", 2004, 1, ACTION_DENIED, DISP_BLOCKED,
	0, 5},
    {EVK_TRAIL_TORN, "trail_torn", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_LAYER_MISSING, "layer_missing", 2004, 1, 0, DISP_DETECTED, 0, 3},
    {EVK_APPROVAL, "approval", 6003, 3, 0, 0, 0, 1},
    {EVK_BOARD_ABSENT, "board_absent", 2004, 1, 0, DISP_DETECTED, 0, 2},
    {EVK_CONTRACT, "contract", 6003, 3, 0, 0, 0, 1},
    {EVK_VIOLATION, "violation", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_DEVIATION, "deviation", 2004, 1, 0, DISP_DETECTED, 0, 1},
    {EVK_PENALTY, "penalty", 2004, 1, 0, DISP_DETECTED, 0, 3},
    {EVK_JOB_PROCESS, "job_process", 1007, 99, 0, 0, 0, 1},
    {EVK_RULE, "rule", 2004, 1, 0, DISP_DETECTED, 0, 3},
    {EVK_JOB_WATCHED, "job_watched", 1007, 99, 0, 0, 0, 1},
    {EVK_JOB_OBSERVED, "job_observed", 1007, 99, 0, 0, 0, 1},
    {EVK_INTEGRITY, "integrity", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_VERIFIED, "verified", 6003, 3, 0, 0, STATUS_SUCCESS, 2},
    {EVK_WATCHDOG, "watchdog", 2004, 1, 0, DISP_DETECTED, 0, 1},
    {EVK_WATCHDOG_LINES, "watchdog_lines", 2004, 1, 0, DISP_DROPPED, 0, 2},
    {EVK_WATCHDOG_THERE, "watchdog_there", 2004, 1, 0, DISP_DETECTED, 0, 3},
    {EVK_WATCHDOG_DID, "watchdog_did", 1007, 99, 0, 0, 0, 1},
    {EVK_ANCHOR, "anchor", 6003, 3, 0, 0, 0, 1},
    {EVK_UNANSWERED, "unanswered", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_EVENTS_LOST, "events_lost", 2004, 1, 0, DISP_DROPPED, 0, 5},
    {EVK_DISK_LOW, "disk_low", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_LEDGER_ROW, "ledger_row", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_LENDING, "lending", 6002, 99, 0, 0, 0, 1},
    {EVK_RELOADED, "reloaded", 6002, 8, 0, 0, 0, 1},
    {EVK_BUNDLE, "bundle", 1007, 99, 0, 0, 0, 1},
    {EVK_JOB_FROZEN, "job_frozen", 1007, 99, 0, 0, 0, 1},
    {EVK_AUTHORITY, "authority", 6002, 8, 0, 0, 0, 1},
    {EVK_ROLLBACK, "rollback", 2004, 1, ACTION_DENIED, DISP_BLOCKED, 0, 5},
    {EVK_EQUIVOCATION, "equivocation", 2004, 1, ACTION_DENIED, DISP_BLOCKED,
	0, 5},
    {EVK_CLOCK, "clock_untrusted", 2004, 1, 0, DISP_DETECTED, 0, 3},
    {EVK_CLOCK_STEP, "clock_stepped", 2004, 1, 0, DISP_DETECTED, 0, 2},
    {EVK_BRAKE, "revocation_brake", 2004, 1, 0, DISP_DELAYED, 0, 5},
    {EVK_HUB, "hub", 6002, 99, 0, 0, 0, 1},
    {EVK_PEER_ALARM, "peer_alarm", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_PEER_BROKEN, "peer_broken", 2004, 1, 0, DISP_DETECTED, 0, 4},
    {EVK_REVOKED, "revoked", 2004, 1, ACTION_DENIED, DISP_BLOCKED, 0, 4},
    {EVK_SELF_REVOKED, "self_revoked", 2004, 1, 0, DISP_DETECTED, 0, 5},
};

/* An unknown kind is still an event: base event, other activity. */
static const struct kind unknown = {0, "event", 0, 99, 0, 0, 0, 1};

static const struct kind *
kind_of(unsigned kind)
{
	for (size_t i = 0; i < NELEM(kinds); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return &unknown;
}

unsigned
ocsf_severity(const struct msg_EVENT *e)
{
	unsigned s = e->severity == 0 ? kind_of(e->kind)->severity
				      : e->severity;

	return MIN_OF(s, 5);
}

void
ocsf_class(const struct msg_EVENT *e, uint16_t *class_uid, uint8_t *activity,
    uint8_t *disposition)
{
	const struct kind *k = kind_of(e->kind);

	*class_uid = k->class_uid;
	*activity = k->activity;
	*disposition = k->disposition;
}

static json_t *
text_json(const char *s)
{
	char safe[4 * 768 + 1];

	(void)text_printable(safe, sizeof(safe), s, strlen(s));
	return json_string(safe);
}

/*
 * Whose number it is: what trail_line_sender() reads again. A line that says
 * what is lost has the number of the last that is.
 */
static json_t *
sender_json(const struct msg_EVENT *e, enum program from)
{
	return json_sprintf("%s:%016llx:%llu",
	    e->kind == EVK_EVENTS_LOST ? e->code : program_name(from),
	    (unsigned long long)e->run, (unsigned long long)e->number);
}

static json_t *
klp_json(const struct msg_EVENT *e, enum program from, const struct kind *k,
    const struct ocsf_source *src)
{
	json_t *o = json_pack("{s:s, s:i, s:s}", "kind", k->name, "kind_id",
	    (int)e->kind, "program", program_name(from));

	if (k->class_uid == 0) /* the base event has no place for it */
		(void)json_object_set_new(o, "node", json_string(src->urn));
	if (e->job_len > 0)
		(void)json_object_set_new(o, "job",
		    json_hex(e->job, e->job_len));
	if (e->peer_len > 0)
		(void)json_object_set_new(o, "peer",
		    json_hex(e->peer, e->peer_len));
	if (e->code[0] != '\0')
		(void)json_object_set_new(o, "code", text_json(e->code));
	if (e->a != 0)
		(void)json_object_set_new(o, "a", json_integer(e->a));
	if (e->b != 0)
		(void)json_object_set_new(o, "b", json_integer(e->b));
	if (e->number != 0)
		(void)json_object_set_new(o, "sender", sender_json(e, from));
	if (e->limit != 0 || e->value != 0)
		(void)json_object_update_new(o, json_pack("{s:I,s:I}", "limit",
		    (json_int_t)MIN_OF(e->limit, (uint64_t)INT64_MAX), "value",
		    (json_int_t)MIN_OF(e->value, (uint64_t)INT64_MAX)));
	return o;
}

static void
optional(json_t *o, const char *name, int value)
{
	if (value != 0)
		(void)json_object_set_new(o, name, json_integer(value));
}

/* What a class brings that is not of every event, by its profile's name. */
static const struct class {
	uint16_t uid;
	bool device;  /* "host": the node is the device */
	bool control; /* "security_control": action and disposition */
} classes[] = {
    {1007, true, true},
    {2004, true, true},
    {3002, true, false},
    {4001, true, true},
    {6002, true, false},
};

static const struct class *
class_of(unsigned uid)
{
	static const struct class base; /* and 6003, which has neither */

	for (size_t i = 0; i < NELEM(classes); i++)
		if (classes[i].uid == uid)
			return &classes[i];
	return &base;
}

/* Who is meant: an object that has a uid, or says that it has none. */
static json_t *
who_json(const uint8_t *id, size_t len)
{
	return len == 0 ? json_pack("{s:s}", "name", "unknown") :
	    json_pack("{s:o}", "uid", json_hex(id, len));
}

static json_t *
node_json(const struct ocsf_source *src)
{
	return json_pack("{s:s}", "uid", src->urn);
}

static json_t *
actor_json(const struct msg_EVENT *e)
{
	json_t *o = json_pack("{s:s}", "app_name", "warren");

	if (e->peer_len > 0)
		(void)json_object_set_new(o, "user",
		    who_json(e->peer, e->peer_len));
	return o;
}

/* A job is a container, and the process that it was started as. */
static json_t *
job_json(const struct msg_EVENT *e)
{
	if (e->job_len == 0)
		return json_pack("{s:s}", "uid", "unknown");
	return json_pack("{s:o, s:{s:o}}", "uid", json_hex(e->job, e->job_len),
	    "container", "uid", json_hex(e->job, e->job_len));
}

/* Of a finding: on what, and on whom. */
static json_t *
evidences_json(const struct msg_EVENT *e)
{
	json_t *o = json_object();

	if (e->job_len > 0)
		(void)json_object_set_new(o, "process",
		    who_json(e->job, e->job_len));
	if (e->peer_len > 0)
		(void)json_object_set_new(o, "user",
		    who_json(e->peer, e->peer_len));
	return json_pack("[o]", o);
}

/* OCSF's: in hundredths, and low, medium or high. */
static void
confidence(json_t *o, int permille)
{
	(void)json_object_set_new(o, "confidence_score",
	    json_integer(permille / 10));
	(void)json_object_set_new(o, "confidence_id", json_integer(
	    permille >= 900 ? 3 : permille >= 500 ? 2 : 1));
}

/* What its class asks for beside the base. */
static void
class_members(json_t *o, const struct msg_EVENT *e, const struct kind *k,
    const char *uid, const struct ocsf_source *src)
{
	json_t *more = NULL;

	switch (k->class_uid) {
	case 1007:
		more = json_pack("{s:o, s:o}", "process", job_json(e),
		    "actor", actor_json(e));
		break;
	case 2004:
		more = json_pack("{s:{s:s, s:s}}", "finding_info", "title",
		    k->name, "uid", uid);
		if (e->job_len > 0 || e->peer_len > 0)
			(void)json_object_set_new(more, "evidences",
			    evidences_json(e));
		if (e->kind == EVK_WATCHDOG)
			confidence(more, (int)MIN_OF(MAX_OF(e->a, 0), 1000));
		break;
	case 3002:
		more = json_pack("{s:o, s:{s:s}}", "user",
		    who_json(e->peer, e->peer_len), "service", "name",
		    "klp.node");
		break;
	case 4001:
		more = json_pack("{s:o, s:o}", "src_endpoint",
		    who_json(e->peer, e->peer_len), "dst_endpoint",
		    node_json(src));
		break;
	case 6002:
		more = json_pack("{s:{s:s, s:s}}", "app", "name", "warren",
		    "vendor_name", "Warren");
		break;
	case 6003:
		more = json_pack("{s:{s:s}, s:o, s:o, s:o}", "api",
		    "operation", k->name, "actor", actor_json(e),
		    "src_endpoint", e->peer_len > 0 ?
		    who_json(e->peer, e->peer_len) : node_json(src),
		    "dst_endpoint", node_json(src));
		break;
	default:
		break;
	}
	(void)json_object_update_new(o, more);
}

/* Attributes that count under a profile, and its name in the metadata. */
static void
profile_members(json_t *o, const struct msg_EVENT *e, const struct kind *k,
    const struct ocsf_source *src)
{
	const struct class *c = class_of(k->class_uid);
	json_t *names = json_array();

	if (c->device) {
		(void)json_array_append_new(names, json_string("host"));
		(void)json_object_set_new(o, "device", json_pack(
		    "{s:s, s:i}", "uid", src->urn, "type_id", 0));
	}
	if (k->class_uid == 1007 && e->job_len > 0)
		(void)json_array_append_new(names, json_string("container"));
	if (c->control && (k->action != 0 || k->disposition != 0)) {
		(void)json_array_append_new(names,
		    json_string("security_control"));
		(void)json_object_set_new(o, "action_id", json_integer(
		    k->action == 0 && k->disposition == DISP_DELAYED ?
		    ACTION_ALLOWED : k->action));
		optional(o, "disposition_id", k->disposition);
	}
	if (json_array_size(names) > 0)
		(void)json_object_set(json_object_get(o, "metadata"),
		    "profiles", names);
	json_decref(names);
}

void
ocsf_uid(char out[OCSF_UID_MAX], const struct ocsf_source *src, uint64_t seq)
{
	char fp16[33];

	hex_encode(fp16, src->fp.b, 16);
	(void)snprintf(out, OCSF_UID_MAX, "%s:%s:%llu", fp16, src->boot,
	    (unsigned long long)seq);
}

static json_t *
event_json(const struct msg_EVENT *e, enum program from,
    const struct ocsf_source *src, uint64_t seq)
{
	const struct kind *k = kind_of(e->kind);
	char uid[OCSF_UID_MAX];
	json_t *o;

	ocsf_uid(uid, src, seq);
	o = json_pack("{s:i, s:i, s:i, s:i, s:i, s:I, "
		      "s:{s:s, s:{s:s, s:s}, s:s}}",
	    "class_uid", (int)k->class_uid, "category_uid",
	    (int)k->class_uid / 1000, "activity_id", (int)k->activity,
	    "type_uid", (int)k->class_uid * 100 + (int)k->activity,
	    "severity_id", (int)ocsf_severity(e), "time",
	    (json_int_t)(e->when_us / 1000), "metadata", "version",
	    OCSF_VERSION, "product", "name", "warren", "vendor_name",
	    "Warren", "uid", uid);
	if (o == NULL)
		return NULL;
	if (k->activity == 99)
		(void)json_object_set_new(o, "activity_name",
		    json_string(k->name));
	optional(o, "status_id", k->status);
	class_members(o, e, k, uid, src);
	profile_members(o, e, k, src);
	if (e->text[0] != '\0')
		(void)json_object_set_new(o, "message", text_json(e->text));
	if (json_object_set_new(o, "unmapped",
		json_pack("{s:o}", "klp", klp_json(e, from, k, src))) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

size_t
ocsf_event(char *out, size_t cap, const struct msg_EVENT *e, enum program from,
    const struct ocsf_source *src, uint64_t seq)
{
	json_t *o = event_json(e, from, src, seq);
	char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);
	size_t n = text == NULL ? 0 : strlen(text);

	if (n > 0 && n < MIN_OF(cap, OCSF_MAX))
		memcpy(out, text, n + 1);
	else
		n = 0;
	free(text);
	json_decref(o);
	return n;
}
