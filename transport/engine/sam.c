/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/sam.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include <rns/rns.h>

#include "common/b64.h"
#include "common/util.h"

enum { ST_HELLO, ST_GENERATE, ST_SESSION, ST_LOOKUP, ST_STREAM, ST_CALLER };

/* of a destination before its certificate's content: 256 + 128 + 3 */
#define DEST_HEAD 387

bool
sam_key_ok(const char *key)
{
	size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
	    "stuvwxyz0123456789-~");

	n += strspn(key + n, "=");
	return n > 0 && n < SAM_KEY_MAX && key[n] == '\0';
}

bool
sam_b32(const char *key, char out[53])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	char text[SAM_KEY_MAX];
	uint8_t raw[SAM_KEY_MAX];
	struct id32 h;
	size_t n, len;

	if (!sam_key_ok(key))
		return false;
	for (n = 0; key[n] != '\0' && key[n] != '='; n++)
		text[n] = key[n] == '~' ? '_' : key[n];
	if (!b64_get(raw, sizeof(raw), text, n, &len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING) || len < DEST_HEAD)
		return false;
	n = DEST_HEAD + ((size_t)raw[DEST_HEAD - 2] << 8) + raw[DEST_HEAD - 1];
	if (n > len)
		return false;
	rns_sha256(&h, raw, n);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(text, sizeof(text));
	for (size_t i = 0; i < 52; i++) {
		size_t at = i * 5;
		unsigned v = (unsigned)h.b[at / 8] << 8 |
		    (at / 8 + 1 < 32 ? h.b[at / 8 + 1] : 0u);

		out[i] = digits[v >> (11 - at % 8) & 31];
	}
	out[52] = '\0';
	return true;
}

void
sam_key_file(const char *name, const struct hash16 *identity, bool old,
    char out[69])
{
	struct id32 h[2];

	rns_sha256(&h[0], name, strlen(name));
	rns_sha256(&h[1], HASH_BYTES(*identity));
	rns_sha256(&h[0], h, old ? sizeof(h[0]) : sizeof(h));
	(void)sodium_bin2hex(out, 69, h[0].b, 32);
	memcpy(out + 64, ".i2p", 5);
}

/* NAME=value of a reply, quoted or not. False: not there, or too long. */
static bool
field(const char *line, const char *name, char *out, size_t cap)
{
	size_t len = strlen(name), n;
	const char *p = line;

	while ((p = strchr(p, ' ')) != NULL) {
		p++;
		if (strncmp(p, name, len) != 0 || p[len] != '=')
			continue;
		p += len + 1;
		n = *p == '"' ? strcspn(++p, "\"") : strcspn(p, " ");
		if (n >= cap)
			return false;
		memcpy(out, p, n);
		out[n] = '\0';
		return true;
	}
	return false;
}

static enum sam_step
failed(struct sam *s, const char *doing, const char *line)
{
	char result[40] = "", message[100] = "", text[150];

	(void)field(line, "RESULT", result, sizeof(result));
	(void)field(line, "MESSAGE", message, sizeof(message));
	(void)snprintf(text, sizeof(text), "%s%s%s", result[0] != '\0' ?
	    result : "no answer to it", message[0] != '\0' ? ": " : "",
	    message);
	(void)snprintf(s->why, sizeof(s->why), "the SAM bridge refused %s: ",
	    doing);
	(void)text_escape(s->why + strlen(s->why),
	    sizeof(s->why) - strlen(s->why), text, strlen(text));
	return SAM_FAILED;
}

/* The reply that begins so, with RESULT=OK. */
static bool
ok(const char *line, const char *reply)
{
	char result[40];

	return strncmp(line, reply, strlen(reply)) == 0 &&
	    field(line, "RESULT", result, sizeof(result)) &&
	    strcmp(result, "OK") == 0;
}

void
sam_begin(struct sam *s, char out[SAM_LINE_MAX])
{
	s->state = ST_HELLO;
	s->made = false;
	s->why[0] = '\0';
	(void)snprintf(out, SAM_LINE_MAX, "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

static enum sam_step
create(struct sam *s, char out[SAM_LINE_MAX])
{
	s->state = ST_SESSION;
	(void)snprintf(out, SAM_LINE_MAX, "SESSION CREATE STYLE=STREAM ID=%s "
	    "DESTINATION=%s \n", s->id, s->transient ? "TRANSIENT" : s->key);
	return SAM_SAY;
}

static enum sam_step
greeted(struct sam *s, char out[SAM_LINE_MAX])
{
	if (s->role == SAM_SESSION && (s->transient || s->key[0] != '\0'))
		return create(s, out);
	if (s->role == SAM_SESSION) {
		s->state = ST_GENERATE;
		(void)snprintf(out, SAM_LINE_MAX,
		    "DEST GENERATE SIGNATURE_TYPE=7\n");
		return SAM_SAY;
	}
	s->state = ST_STREAM;
	if (s->role == SAM_CONNECT)
		(void)snprintf(out, SAM_LINE_MAX, "STREAM CONNECT ID=%s "
		    "DESTINATION=%s SILENT=false\n", s->id, s->peer);
	else
		(void)snprintf(out, SAM_LINE_MAX, "STREAM ACCEPT ID=%s "
		    "SILENT=false\n", s->id);
	return SAM_SAY;
}

static enum sam_step
generated(struct sam *s, const char *line, char out[SAM_LINE_MAX])
{
	if (strncmp(line, "DEST REPLY", 10) != 0 ||
	    !field(line, "PRIV", s->key, sizeof(s->key)) ||
	    !sam_key_ok(s->key)) {
		s->key[0] = '\0';
		return failed(s, "a key", line);
	}
	s->made = true;
	return create(s, out);
}

static enum sam_step
session(struct sam *s, const char *line, char out[SAM_LINE_MAX])
{
	if (!ok(line, "SESSION STATUS"))
		return failed(s, "a session", line);
	if (s->peer[0] == '\0')
		return SAM_DONE;
	s->state = ST_LOOKUP;
	(void)snprintf(out, SAM_LINE_MAX, "NAMING LOOKUP NAME=%s\n", s->peer);
	return SAM_SAY;
}

enum sam_step
sam_line(struct sam *s, const char *line, char out[SAM_LINE_MAX])
{
	switch (s->state) {
	case ST_HELLO:
		return ok(line, "HELLO REPLY") ? greeted(s, out) :
		    failed(s, "version 3.1", line);
	case ST_GENERATE:
		return generated(s, line, out);
	case ST_SESSION:
		return session(s, line, out);
	case ST_LOOKUP:
		return ok(line, "NAMING REPLY") && field(line, "VALUE",
		    s->peer, sizeof(s->peer)) && sam_key_ok(s->peer) ?
		    SAM_DONE : failed(s, "to find the peer", line);
	case ST_STREAM:
		if (!ok(line, "STREAM STATUS"))
			return failed(s, "a stream", line);
		if (s->role == SAM_CONNECT)
			return SAM_DONE;
		s->state = ST_CALLER;
		return SAM_WAIT;
	default: /* the destination of who connected */
		if (strncmp(line, "STREAM STATUS", 13) == 0)
			return failed(s, "to wait for others", line);
		return SAM_DONE;
	}
}
