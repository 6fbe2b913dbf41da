/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/discovery/offer.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mpk.h"
#include "common/util.h"
#include "transport/core/base/crypt.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"

enum key {
	KEY_TYPE = 0x00,
	KEY_TRANSPORT = 0x01,
	KEY_HOST = 0x02,
	KEY_LATITUDE = 0x03, /* longitude and height follow */
	KEY_PORT = 0x06,
	KEY_NETNAME = 0x07,
	KEY_NETKEY = 0x08,
	KEY_FREQUENCY = 0x09, /* bandwidth, spreading factor, coding rate */
	KEY_MODULATION = 0x0d,
	KEY_CHANNEL = 0x0e,
	KEY_OPERATOR = 0xf0,
	KEY_VERSION = 0xfc,
	KEY_IMPL = 0xfd,
	KEY_TRANSPORT_ID = 0xfe,
	KEY_NAME = 0xff,
};

static const char *const type_names[OFFER_TYPES] = {
	[OFFER_BACKBONE] = "BackboneInterface",
	[OFFER_TCP_SERVER] = "TCPServerInterface",
	[OFFER_I2P] = "I2PInterface",
	[OFFER_RNODE] = "RNodeInterface",
	[OFFER_WEAVE] = "WeaveInterface",
	[OFFER_KISS] = "KISSInterface",
};

const char *
offer_type_name(enum offer_type t)
{
	return (unsigned)t < OFFER_TYPES ? type_names[t] : "";
}

bool
offer_type_of(enum offer_type *t, const char *name, size_t n)
{
	for (unsigned i = 0; i < OFFER_TYPES; i++) {
		if (strlen(type_names[i]) != n ||
		    memcmp(type_names[i], name, n) != 0)
			continue;
		*t = (enum offer_type)i;
		return true;
	}
	return false;
}

const char *
offer_drop_text(enum offer_drop d)
{
	static const char *const texts[OFFER_DROPS] = {
#define OFFER_DROP_TEXT(name, text) [OFFER_##name] = text,
	    OFFER_DROP_LIST(OFFER_DROP_TEXT)
#undef OFFER_DROP_TEXT
	};

	return (unsigned)d < OFFER_DROPS ? texts[d] : "";
}

/* ---- app data ---- */

enum offer_drop
offer_open(uint8_t out[OFFER_APP_MAX], size_t *len, const uint8_t *app_data,
    size_t n, const struct identity *key)
{
	if (n <= OFFER_LEAST || n - 1 > OFFER_APP_MAX)
		return OFFER_SHORT;
	if ((app_data[0] & OFFER_FLAG_SEALED) == 0) {
		memcpy(out, app_data + 1, n - 1);
		*len = n - 1;
		return OFFER_TAKEN;
	}
	if (key == NULL || identity_decrypt(out, len, OFFER_APP_MAX, key, NULL,
	    0, false, NULL, app_data + 1, n - 1) != RNS_OK)
		return OFFER_SEALED;
	return *len > STAMP_LEN ? OFFER_TAKEN : OFFER_SHORT;
}

bool
offer_worth(uint32_t *value, const uint8_t *opened, size_t n,
    uint32_t required)
{
	struct id32 info, product;
	struct stamp_work w;

	crypt_sha256(&info, opened, n - STAMP_LEN);
	stamp_work(&w, info.b, sizeof(info.b), OFFER_ROUNDS);
	stamp_product(&product, &w, opened + n - STAMP_LEN, STAMP_LEN);
	*value = stamp_value(&product);
	return stamp_valid(&product, required);
}

bool
offer_text(char *out, size_t cap, const struct mpk *v)
{
	if (v->n >= cap)
		return false;
	for (size_t i = 0; i < v->n; i++)
		if (v->p[i] < 0x20 || v->p[i] == 0x7f)
			return false;
	memcpy(out, v->p, v->n);
	out[v->n] = '\0';
	return true;
}

/* Empty and what is no text count as absent (reticulum-transport.md 7.8). */
static bool
optional_text(char out[OFFER_TEXT + 1], const struct mpk *v)
{
	return v->type != MPK_STR || offer_text(out, OFFER_TEXT + 1, v);
}

static bool
place(struct offer *o, unsigned i, const struct mpk *v)
{
	if (v->type == MPK_NIL)
		return true;
	if (v->type != MPK_FLOAT || !isfinite(v->d))
		return false;
	o->placed[i] = true;
	o->place[i] = v->d;
	return true;
}

static bool
number(struct offer *o, unsigned i, const struct mpk *v)
{
	if (v->type == MPK_NIL)
		return true;
	if (i == OFFER_MODULATION && v->type == MPK_STR)
		return offer_text(o->modulation, sizeof(o->modulation), v);
	if (v->type != MPK_UINT)
		return false;
	o->numbered[i] = true;
	o->number[i] = v->u;
	return true;
}

static enum offer_drop
host(struct offer *o, const struct mpk *v)
{
	if (v->type == MPK_NIL)
		return OFFER_TAKEN;
	if (v->type != MPK_STR || !offer_host_ok((const char *)v->p, v->n))
		return OFFER_HOST;
	memcpy(o->host, v->p, v->n);
	o->host[v->n] = '\0';
	return OFFER_TAKEN;
}

static bool
operator(struct offer *o, const struct mpk *v)
{
	if (v->type == MPK_NIL)
		return true;
	if (v->type != MPK_BIN)
		return false;
	if (v->n == RNS_HASH) { /* another length only has no effect */
		o->has_operator = true;
		memcpy(o->operator_lxmf.b, v->p, RNS_HASH);
	}
	return true;
}

struct raw {
	uint32_t seen; /* keys, as bits of SEEN() */
	const uint8_t *name;
	size_t name_len;
};

/* What each has, and what its type has besides (reticulum-endpoint.md 11.1). */
#define SEEN(key) (UINT32_C(1) << ((key) <= 0x0f ? (key) : (key) - 0xf0 + 16))
#define SEEN_ALL                                                               \
	(SEEN(KEY_TYPE) | SEEN(KEY_TRANSPORT) | SEEN(KEY_TRANSPORT_ID) |       \
	    SEEN(KEY_NAME) | SEEN(KEY_LATITUDE) | SEEN(KEY_LATITUDE + 1) |     \
	    SEEN(KEY_LATITUDE + 2))
#define SEEN_RADIO (SEEN(KEY_FREQUENCY) | SEEN(KEY_FREQUENCY + 1))
static const uint32_t seen_type[OFFER_TYPES] = {
	[OFFER_BACKBONE] = SEEN(KEY_HOST) | SEEN(KEY_PORT),
	[OFFER_TCP_SERVER] = SEEN(KEY_HOST) | SEEN(KEY_PORT),
	[OFFER_I2P] = SEEN(KEY_HOST),
	[OFFER_RNODE] = SEEN_RADIO | SEEN(KEY_FREQUENCY + 2) |
	    SEEN(KEY_FREQUENCY + 3),
	[OFFER_WEAVE] = SEEN_RADIO | SEEN(KEY_CHANNEL) | SEEN(KEY_MODULATION),
	[OFFER_KISS] = SEEN_RADIO | SEEN(KEY_MODULATION),
};

static bool
complete(const struct offer *o, uint32_t seen)
{
	return (SEEN_ALL & ~seen) == 0 && (seen_type[o->type] & ~seen) == 0;
}

static enum offer_drop
basics(struct offer *o, struct raw *raw, uint64_t key, const struct mpk *v)
{
	switch (key) {
	case KEY_TYPE:
		if (v->type != MPK_STR ||
		    !offer_type_of(&o->type, (const char *)v->p, v->n))
			return OFFER_TYPE;
		return OFFER_TAKEN;
	case KEY_TRANSPORT:
		if (v->type != MPK_BOOL)
			return OFFER_FORM;
		o->transport = v->b;
		return OFFER_TAKEN;
	case KEY_TRANSPORT_ID:
		if (v->type != MPK_BIN || v->n != RNS_HASH)
			return OFFER_FORM;
		memcpy(o->transport_id.b, v->p, RNS_HASH);
		return OFFER_TAKEN;
	default: /* KEY_NAME */
		if (v->type != MPK_STR)
			return v->type == MPK_NIL ? OFFER_TAKEN : OFFER_FORM;
		raw->name = v->p;
		raw->name_len = v->n;
		return OFFER_TAKEN;
	}
}

static enum offer_drop
member(struct offer *o, struct raw *raw, uint64_t key, const struct mpk *v)
{
	bool ok = true;

	switch (key) {
	case KEY_TYPE:
	case KEY_TRANSPORT:
	case KEY_TRANSPORT_ID:
	case KEY_NAME:
		return basics(o, raw, key, v);
	case KEY_HOST:
		return host(o, v);
	case KEY_PORT:
		ok = v->type == MPK_NIL ||
		    (v->type == MPK_UINT && v->u <= UINT16_MAX);
		if (ok && v->type == MPK_UINT)
			o->port = (uint16_t)v->u;
		break;
	case KEY_LATITUDE:
	case KEY_LATITUDE + 1:
	case KEY_LATITUDE + 2:
		ok = place(o, (unsigned)key - KEY_LATITUDE, v);
		break;
	case KEY_FREQUENCY:
	case KEY_FREQUENCY + 1:
	case KEY_FREQUENCY + 2:
	case KEY_FREQUENCY + 3:
		ok = number(o, (unsigned)key - KEY_FREQUENCY, v);
		break;
	case KEY_CHANNEL:
		ok = number(o, OFFER_CHANNEL, v);
		break;
	case KEY_MODULATION:
		ok = number(o, OFFER_MODULATION, v);
		break;
	case KEY_NETNAME:
		ok = optional_text(o->netname, v);
		break;
	case KEY_NETKEY:
		ok = optional_text(o->netkey, v);
		break;
	case KEY_IMPL:
		ok = optional_text(o->impl, v);
		break;
	case KEY_VERSION:
		ok = optional_text(o->version, v);
		break;
	case KEY_OPERATOR:
		ok = operator(o, v);
		break;
	default: /* of a later version */
		break;
	}
	return ok ? OFFER_TAKEN : OFFER_FORM;
}

static bool
container(const struct mpk *v)
{
	return v->type == MPK_ARRAY || v->type == MPK_MAP;
}

/* A key that is no number, or a value that holds others, is passed over. */
static enum offer_drop
pair(struct offer *o, struct raw *raw, struct rd *r)
{
	struct rd at;
	struct mpk v;
	uint64_t key;

	if (!mpk_get_uint(r, &key))
		return mpk_skip(r) && mpk_skip(r) ? OFFER_TAKEN : OFFER_FORM;
	at = *r;
	if (!mpk_skip(r) || !mpk_get(&at, &v))
		return OFFER_FORM;
	if (container(&v))
		v.type = MPK_EXT; /* what no known key may be */
	if (key <= 0x0f || (key >= 0xf0 && key <= 0xff))
		raw->seen |= SEEN(key);
	return member(o, raw, key, &v);
}

enum offer_drop
offer_parse(struct offer *out, const uint8_t *p, size_t n)
{
	struct rd r = rd_make(p, n);
	struct offer o = {0};
	struct raw raw = {0};
	enum offer_drop d;
	size_t pairs;

	if (!mpk_get_map(&r, &pairs))
		return OFFER_FORM;
	for (; pairs > 0; pairs--)
		if ((d = pair(&o, &raw, &r)) != OFFER_TAKEN)
			return d;
	if (!rd_end(&r) || !complete(&o, raw.seen))
		return OFFER_FORM;
	offer_clean_name(o.name, o.type, (const char *)raw.name, raw.name_len);
	*out = o;
	return OFFER_TAKEN;
}

/* ---- writing ---- */

static void
put_text(struct wr *w, unsigned key, const char *text)
{
	if (*text == '\0')
		return;
	mpk_put_uint(w, key);
	mpk_put_str(w, text);
}

/* Of one of which no channel is known; it is written all the same. */
static bool
nil_channel(const struct offer *o)
{
	return o->type == OFFER_WEAVE && !o->numbered[OFFER_CHANNEL];
}

static void
put_number(struct wr *w, unsigned key, const struct offer *o, unsigned i)
{
	if (o->numbered[i]) {
		mpk_put_uint(w, key);
		mpk_put_uint(w, o->number[i]);
	} else if (i == OFFER_MODULATION) {
		put_text(w, key, o->modulation);
	} else if (nil_channel(o) && i == OFFER_CHANNEL) {
		mpk_put_uint(w, key);
		mpk_put_nil(w);
	}
}

static size_t
pairs_of(const struct offer *o)
{
	const char *texts[] = {o->impl, o->version, o->host, o->netname,
	    o->netkey, o->modulation};
	size_t n = 7; /* type, transport, id, name, place */

	for (size_t i = 0; i < NELEM(texts); i++)
		n += *texts[i] != '\0';
	for (unsigned i = 0; i < OFFER_NUMBERS; i++)
		n += o->numbered[i];
	if (o->numbered[OFFER_MODULATION] && *o->modulation != '\0')
		n--;
	return n + o->has_operator + (o->port != 0) + nil_channel(o);
}

/* In the order of the reference (reticulum-endpoint.md 11.1). */
void
offer_pack(struct wr *w, const struct offer *o)
{
	mpk_put_map(w, pairs_of(o));
	mpk_put_uint(w, KEY_TYPE);
	mpk_put_str(w, offer_type_name(o->type));
	mpk_put_uint(w, KEY_TRANSPORT);
	mpk_put_bool(w, o->transport);
	mpk_put_uint(w, KEY_TRANSPORT_ID);
	mpk_put_bin(w, HASH_BYTES(o->transport_id));
	put_text(w, KEY_IMPL, o->impl);
	put_text(w, KEY_VERSION, o->version);
	mpk_put_uint(w, KEY_NAME);
	mpk_put_str(w, o->name);
	for (unsigned i = 0; i < OFFER_PLACES; i++) {
		mpk_put_uint(w, KEY_LATITUDE + i);
		if (o->placed[i])
			mpk_put_double(w, o->place[i]);
		else
			mpk_put_nil(w);
	}
	if (o->has_operator) {
		mpk_put_uint(w, KEY_OPERATOR);
		mpk_put_bin(w, HASH_BYTES(o->operator_lxmf));
	}
	put_text(w, KEY_HOST, o->host);
	if (o->port != 0) {
		mpk_put_uint(w, KEY_PORT);
		mpk_put_uint(w, o->port);
	}
	for (unsigned i = OFFER_FREQUENCY; i <= OFFER_CR; i++)
		put_number(w, KEY_FREQUENCY + i, o, i);
	put_number(w, KEY_CHANNEL, o, OFFER_CHANNEL);
	put_number(w, KEY_MODULATION, o, OFFER_MODULATION);
	put_text(w, KEY_NETNAME, o->netname);
	put_text(w, KEY_NETKEY, o->netkey);
}

/* ---- parts ---- */

void
offer_say(char out[OFFER_TEXT + 1], const char *in)
{
	size_t n = 0;

	while (*in == ' ')
		in++;
	for (; *in != '\0' && n < OFFER_TEXT; in++)
		if ((unsigned char)*in >= 0x20 && *in != 0x7f)
			out[n++] = *in;
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static bool
letter_or_digit(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z');
}

/* Each run of k spaces becomes one, from the left, once over. */
static void
shrink(char *text, size_t k)
{
	char *to = text;
	size_t run;

	for (const char *p = text; *p != '\0';) {
		run = strspn(p, " ");
		*to++ = *p;
		p += run >= k ? k : 1;
	}
	*to = '\0';
}

void
offer_clean_name(char out[OFFER_TEXT + 1], enum offer_type type,
    const char *name, size_t n)
{
	size_t len = 0, from = 0;

	for (size_t i = 0; i < n && len < OFFER_TEXT; i++)
		if (name[i] >= 0x20 && name[i] < 0x7f)
			out[len++] = name[i];
	out[len] = '\0';
	while (len > 0 && out[len - 1] == ' ')
		out[--len] = '\0';
	from = strspn(out, " ");
	memmove(out, out + from, len - from + 1);
	shrink(out, 5);
	shrink(out, 3);
	shrink(out, 2);
	len = strlen(out);
	while (len > 0 && !letter_or_digit((unsigned char)out[len - 1]) &&
	    out[len - 1] != ')')
		out[--len] = '\0';
	for (from = 0; out[from] != '\0' &&
	    !letter_or_digit((unsigned char)out[from]);)
		from++;
	memmove(out, out + from, len - from + 1);
	if (*out != '\0')
		return;
	(void)strncpy(out, "Discovered ", OFFER_TEXT);
	(void)strncat(out, offer_type_name(type), OFFER_TEXT - 11);
}

static bool
label_ok(const char *p, size_t n)
{
	if (n == 0 || n > 63 || p[0] == '-' || p[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!letter_or_digit((unsigned char)p[i]) && p[i] != '-')
			return false;
	return true;
}

bool
offer_host_ok(const char *p, size_t n)
{
	char text[OFFER_HOST_MAX + 1];
	unsigned char raw[16];
	const char *label, *dot;

	if (n == 0 || n > OFFER_HOST_MAX || memchr(p, '\0', n) != NULL)
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, raw) == 1 ||
	    inet_pton(AF_INET6, text, raw) == 1)
		return true;
	if (text[n - 1] == '.') /* the root, said */
		text[n - 1] = '\0';
	for (label = text; (dot = strchr(label, '.')) != NULL; label = dot + 1)
		if (!label_ok(label, (size_t)(dot - label)))
			return false;
	return label_ok(label, strlen(label)) &&
	    strspn(label, "0123456789") != strlen(label);
}

/* A number of a place, from -most to most; the byte behind it, or NULL. */
static const char *
place_number(double *out, const char *s, double most)
{
	char *end;

	s += strspn(s, " \t");
	if (*s == '\0' || strchr("+-.0123456789", *s) == NULL ||
	    s[strspn(s, "+-.0123456789")] == 'x')
		return NULL;
	*out = strtod(s, &end);
	if (end == s || !(*out >= -most && *out <= most))
		return NULL;
	return end + strspn(end, " \t");
}

bool
offer_place_read(bool placed[3], double place[3], const char *s)
{
	static const double most[3] = {90, 180, 1e9};
	double got[3];

	for (int i = 0; i < 3; i++) {
		if ((s = place_number(&got[i], s, most[i])) == NULL ||
		    *s != (i == 2 ? '\0' : ','))
			return false;
		s += i < 2;
	}
	memcpy(place, got, sizeof(got));
	placed[0] = placed[1] = placed[2] = true;
	return true;
}

void
offer_id(struct id32 *id, const struct offer *o)
{
	char hex[2 * RNS_HASH + 1];
	struct iovec_c v[2] = {{hex, 2 * RNS_HASH}, {o->name, strlen(o->name)}};

	hex_encode(hex, HASH_BYTES(o->transport_id));
	crypt_sha256v(id, v, 2);
}

/* The leading numbers between dots, as far as there are any. */
static bool
version_at_least(const char *text, const unsigned *want, size_t n)
{
	const char *p = text;
	unsigned v;
	size_t i;

	for (i = 0; i < n; i++) {
		if (*p < '0' || *p > '9')
			return false; /* shorter: below */
		for (v = 0; *p >= '0' && *p <= '9' && v < 100000; p++)
			v = v * 10 + (unsigned)(*p - '0');
		if (v != want[i])
			return v > want[i];
		p += strcspn(p, ".");
		if (*p == '.')
			p++;
	}
	return true;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && strcmp(text + n - k, end) == 0;
}

bool
offer_dialable(const struct offer *o, bool any)
{
	static const unsigned least[] = {1, 5, 2};
	unsigned char raw[16];

	if (o->type != OFFER_BACKBONE || !o->transport || o->host[0] == '\0' ||
	    o->port == 0 || ends_with(o->host, ".onion"))
		return false;
	/* 200::/7 */
	if (inet_pton(AF_INET6, o->host, raw) == 1 && (raw[0] & 0xfe) == 0x02)
		return false;
	if (any)
		return true;
	return (strcmp(o->impl, "RNS") == 0 &&
	    version_at_least(o->version, least, NELEM(least))) ||
	    strcmp(o->impl, OFFER_IMPL) == 0;
}
