/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/watchdog_http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"

size_t
dog_http_head(char *out, size_t cap, const char *url, size_t body)
{
	const char *host = url + strlen("http://"), *path;
	int n;

	if (strncmp(url, "http://", strlen("http://")) != 0 ||
	    (path = strchr(host, '/')) == NULL || path == host)
		return 0;
	n = snprintf(out, cap, "POST %s HTTP/1.0\r\nHost: %.*s\r\n"
	    "Content-Type: application/json\r\nAccept: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n", path, (int)(path - host), host,
	    body);
	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* "HTTP/1.1 200 OK" */
static bool
status_of(const char *s, size_t n, unsigned *code)
{
	if (n < 12 || memcmp(s, "HTTP/1.", 7) != 0 || s[8] != ' ')
		return false;
	*code = 0;
	for (unsigned i = 9; i < 12; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*code = *code * 10 + (unsigned)(s[i] - '0');
	}
	return n == 12 || s[12] == ' ';
}

static bool
is(const char *line, size_t n, const char *name, const char **value,
    size_t *nvalue)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return false;
	for (k++; k < n && (line[k] == ' ' || line[k] == '\t'); k++)
		continue;
	while (n > k && (line[n - 1] == ' ' || line[n - 1] == '\t'))
		n--;
	*value = line + k;
	*nvalue = n - k;
	return true;
}

static bool
length_of(const char *s, size_t n, size_t max, size_t *out)
{
	size_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || i > 8)
			return false;
		v = v * 10 + (size_t)(s[i] - '0');
	}
	*out = v;
	return n > 0 && v <= max;
}

/* All lines of the head; false: it cannot be trusted to say where it ends. */
static bool
head_of(const char *s, size_t n, size_t max, unsigned *code, bool *has,
    size_t *length)
{
	bool first = true;

	*has = false;
	while (n > 0) {
		const char *end = memmem(s, n, "\r\n", 2), *v;
		size_t line = end == NULL ? n : (size_t)(end - s), nv, len;

		if (first && !status_of(s, line, code))
			return false;
		if (!first && is(s, line, "Transfer-Encoding", &v, &nv))
			return false;
		if (!first && is(s, line, "Content-Length", &v, &nv)) {
			if (!length_of(v, nv, max, &len) ||
			    (*has && len != *length))
				return false;
			*has = true;
			*length = len;
		}
		first = false;
		s += MIN_OF(line + 2, n);
		n -= MIN_OF(line + 2, n);
	}
	return !first;
}

enum dog_http
dog_http_read(const char *buf, size_t len, bool ended, size_t max,
    unsigned *code, const char **body, size_t *nbody)
{
	const char *end = memmem(buf, MIN_OF(len, (size_t)DOG_HTTP_HEAD),
	    "\r\n\r\n", 4);
	size_t have, want = 0;
	bool has;

	if (end == NULL)
		return ended || len >= DOG_HTTP_HEAD ? DOG_HTTP_BAD :
		    DOG_HTTP_MORE;
	if (!head_of(buf, (size_t)(end - buf), max, code, &has, &want))
		return DOG_HTTP_BAD;
	*body = end + 4;
	have = len - (size_t)(*body - buf);
	if (has && have >= want) {
		*nbody = want;
		return DOG_HTTP_WHOLE;
	}
	if (have > max || (has && ended))
		return DOG_HTTP_BAD;
	*nbody = have;
	return ended ? DOG_HTTP_WHOLE : DOG_HTTP_MORE;
}
