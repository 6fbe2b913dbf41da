/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/runner/http.h"

#include <string.h>
#include <strings.h>

#include "common/util.h"

void
http_init(struct http *h, char *content, size_t cap)
{
	memset(h, 0, sizeof(*h));
	h->content = content;
	h->cap = cap;
	content[0] = '\0';
}

bool
http_over(const struct http *h)
{
	return h->at == HTTP_DONE || h->at == HTTP_BAD;
}

/* ---- lines ---- */

/* Digits of this base to the end of the text; no more than most. */
static bool
number(const char *s, size_t n, unsigned base, uint64_t most, uint64_t *out)
{
	uint64_t v = 0;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
		    c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 :
		    c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : base;

		if (d >= base || v > (most - d) / base)
			return false;
		v = v * base + d;
	}
	*out = v;
	return true;
}

/* "HTTP/1.1 201 Created" */
static bool
status_line(struct http *h)
{
	uint64_t v;

	if (h->nline < 12 || (memcmp(h->line, "HTTP/1.1 ", 9) != 0 &&
	    memcmp(h->line, "HTTP/1.0 ", 9) != 0) ||
	    (h->line[12] != ' ' && h->line[12] != '\0') ||
	    !number(h->line + 9, 3, 10, 599, &v) || v < 200)
		return false;
	h->status = (unsigned)v;
	return true;
}

static bool
field(struct http *h)
{
	char *value = strchr(h->line, ':');
	size_t n;

	/* no name, a blank before the colon, or a line that goes on */
	if (value == NULL || value == h->line || value[-1] == ' ' ||
	    value[-1] == '\t' || h->line[0] == ' ' || h->line[0] == '\t')
		return false;
	*value++ = '\0';
	value += strspn(value, " \t");
	for (n = strlen(value); n > 0 && (value[n - 1] == ' ' ||
	    value[n - 1] == '\t'); n--)
		value[n - 1] = '\0';
	if (strcasecmp(h->line, "transfer-encoding") == 0) {
		if (h->chunked || strcasecmp(value, "chunked") != 0)
			return false;
		h->chunked = true;
	} else if (strcasecmp(h->line, "content-length") == 0) {
		if (h->counted || !number(value, n, 10, HTTP_CONTENT_MAX,
		    &h->left))
			return false;
		h->counted = true;
	}
	return true;
}

static enum http_at
content_begins(const struct http *h)
{
	if (h->chunked && h->counted)
		return HTTP_BAD; /* two lengths: RFC 9112, 6.3 */
	if (h->status == 204 || h->status == 304)
		return HTTP_DONE;
	if (h->chunked)
		return HTTP_SIZE;
	if (!h->counted)
		return HTTP_TO_END;
	return h->left == 0 ? HTTP_DONE : HTTP_COUNTED;
}

static enum http_at
chunk_begins(struct http *h)
{
	size_t n = strcspn(h->line, "; \t");

	if (!number(h->line, n, 16, HTTP_CONTENT_MAX, &h->left) ||
	    (h->line[n + strspn(h->line + n, " \t")] != ';' &&
	    h->line[n] != '\0'))
		return HTTP_BAD;
	h->lines = 0;
	return h->left == 0 ? HTTP_TRAILER : HTTP_CHUNK;
}

static enum http_at
line(struct http *h)
{
	bool empty = h->nline == 0;

	if (memchr(h->line, '\0', h->nline) != NULL)
		return HTTP_BAD;
	h->line[h->nline] = '\0';
	if (h->at != HTTP_SIZE && h->at != HTTP_CHUNK_END &&
	    ++h->lines > HTTP_LINES)
		return HTTP_BAD;
	switch (h->at) {
	case HTTP_STATUS:
		return status_line(h) ? HTTP_FIELDS : HTTP_BAD;
	case HTTP_FIELDS:
		return empty ? content_begins(h) : field(h) ? HTTP_FIELDS :
		    HTTP_BAD;
	case HTTP_SIZE:
		return chunk_begins(h);
	case HTTP_CHUNK_END:
		return empty ? HTTP_SIZE : HTTP_BAD;
	case HTTP_TRAILER:
		return empty ? HTTP_DONE : HTTP_TRAILER;
	default:
		return HTTP_BAD;
	}
}

/* To the end of a line; CR LF, and a bare LF as RFC 9112, 2.2 lets one. */
static size_t
feed_line(struct http *h, const char *p, size_t n)
{
	const char *end = memchr(p, '\n', n);
	size_t k = end == NULL ? n : (size_t)(end - p);

	if (h->nline + k >= sizeof(h->line)) {
		h->at = HTTP_BAD;
		return 0;
	}
	memcpy(h->line + h->nline, p, k);
	h->nline += k;
	if (end == NULL)
		return n;
	if (h->nline > 0 && h->line[h->nline - 1] == '\r')
		h->nline--;
	h->at = line(h);
	h->nline = 0;
	return k + 1;
}

/* ---- content ---- */

static size_t
feed_content(struct http *h, const char *p, size_t n)
{
	size_t room = h->cap - 1 - h->len, keep;

	if (h->at != HTTP_TO_END)
		n = (size_t)MIN_OF((uint64_t)n, h->left);
	h->all += n;
	if (h->all > HTTP_CONTENT_MAX) {
		h->at = HTTP_BAD;
		return 0;
	}
	keep = MIN_OF(n, room);
	memcpy(h->content + h->len, p, keep);
	h->len += keep;
	h->content[h->len] = '\0';
	if (h->at == HTTP_TO_END)
		return n;
	h->left -= n;
	if (h->left == 0)
		h->at = h->at == HTTP_CHUNK ? HTTP_CHUNK_END : HTTP_DONE;
	return n;
}

size_t
http_feed(struct http *h, const char *p, size_t n)
{
	size_t at = 0;

	while (at < n && !http_over(h))
		at += h->at == HTTP_COUNTED || h->at == HTTP_CHUNK ||
		    h->at == HTTP_TO_END ? feed_content(h, p + at, n - at) :
		    feed_line(h, p + at, n - at);
	return at;
}

void
http_end(struct http *h)
{
	if (!http_over(h))
		h->at = h->at == HTTP_TO_END ? HTTP_DONE : HTTP_BAD;
}
