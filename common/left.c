/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/left.h"

#include <string.h>

#include "common/util.h"

#define ITEM_HEAD 3

static const struct {
	const char *word, *text;
} reasons[LEFT_REASONS + 1] = {
	[LEFT_NAME] = {"name",
	    "its name is not UTF-8 or holds control characters"},
	[LEFT_PATH] = {"path", "its path is too long or too deep"},
	[LEFT_LINK] = {"link", "a link that leads out of the volume"},
	[LEFT_TYPE] = {"type", "no file, folder or link"},
	[LEFT_SETID] = {"set-id", "packed without its set-id bit"},
	[LEFT_READ] = {"read", "it cannot be read"},
	[LEFT_SIZE] = {"size", "it is larger than 8 GiB"},
	[LEFT_REASONS] = {"other", "it cannot be packed"},
};

void
left_add(struct left *l, unsigned volume, unsigned reason, const void *name,
    size_t len)
{
	uint8_t *p = l->buf + l->len;

	if (l->count < UINT32_MAX)
		l->count++;
	len = MIN_OF(len, (size_t)LEFT_NAME_MAX);
	if (len + ITEM_HEAD > sizeof(l->buf) - l->len)
		return;
	p[0] = (uint8_t)volume;
	p[1] = (uint8_t)reason;
	p[2] = (uint8_t)len;
	memcpy(p + ITEM_HEAD, name, len);
	l->len = (uint16_t)(l->len + ITEM_HEAD + len);
}

bool
left_next(const struct left *l, size_t *at, struct left_item *it)
{
	const uint8_t *p = l->buf + *at;
	size_t left = l->len - MIN_OF(*at, (size_t)l->len);

	if (left < ITEM_HEAD || left - ITEM_HEAD < p[2])
		return false;
	*it = (struct left_item){p[0], p[1], p[2], p + ITEM_HEAD};
	*at += ITEM_HEAD + p[2];
	return true;
}

void
left_set(struct left *l, uint32_t count, const uint8_t *buf, size_t len)
{
	l->count = count;
	l->len = (uint16_t)MIN_OF(len, sizeof(l->buf));
	if (l->len > 0)
		memcpy(l->buf, buf, l->len);
}

void
left_join(struct left *to, unsigned volume, const struct left *from)
{
	uint32_t count = to->count;
	struct left_item it;
	size_t at = 0;

	while (left_next(from, &at, &it))
		left_add(to, volume, it.reason, it.name, it.len);
	to->count = from->count > UINT32_MAX - count ? UINT32_MAX :
						       count + from->count;
}

const char *
left_word(unsigned reason)
{
	return reasons[MIN_OF(reason, (unsigned)LEFT_REASONS)].word;
}

unsigned
left_reason(const char *word, size_t len)
{
	unsigned i = 0;

	while (i < LEFT_REASONS && (strlen(reasons[i].word) != len ||
	    memcmp(reasons[i].word, word, len) != 0))
		i++;
	return i;
}

const char *
left_text(unsigned reason)
{
	return reasons[MIN_OF(reason, (unsigned)LEFT_REASONS)].text;
}
