/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/core/base/htab.h"

#include <stdlib.h>
#include <string.h>

#define BITS_MIN 6  /* ours: half a KiB of slots at start */
#define BITS_MAX 31 /* of a mark of 32 bits */
#define ROWS_MIN 4u
#define ROW_ITEMS HTAB_ROW

static struct hitem *
item_at(const struct htab *t, uint32_t id)
{
	return pool_at(&t->items, id);
}

void
htab_free(struct htab *t, void *item)
{
	pool_give(&t->items, ((struct hitem *)item)->id);
}

/* ---- slots ---- */

static uint32_t
key_mark(const struct htab *t, const struct hash16 *key)
{
	return (uint32_t)hash_place(t->seed, key, 32);
}

static size_t
slot_home(const struct htab *t, uint32_t mark)
{
	return mark >> (32 - t->bits);
}

static size_t
slot_mask(const struct htab *t)
{
	return ((size_t)1 << t->bits) - 1;
}

/* The slot of the key, or the empty one where it would go. */
static size_t
slot_find(const struct htab *t, uint32_t mark, const struct hash16 *key)
{
	size_t i = slot_home(t, mark), mask = slot_mask(t);
	const struct htab_slot *s;

	for (;; i = (i + 1) & mask) {
		s = &t->slots[i];
		if (s->id == 0 || (s->mark == mark &&
		    hash16_eq(&item_at(t, s->id)->key, key)))
			return i;
	}
}

/* Moves back what stood behind the hole, so that searches still arrive. */
static void
slot_empty(struct htab *t, size_t hole)
{
	size_t i, home, mask = slot_mask(t);

	for (i = (hole + 1) & mask; t->slots[i].id != 0; i = (i + 1) & mask) {
		home = slot_home(t, t->slots[i].mark);
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole].id = 0;
}

/* All stand in the other slots by their marks alone. */
static bool
slots_resize(struct htab *t, unsigned bits)
{
	struct htab_slot *old = t->slots;
	size_t n = (size_t)1 << t->bits, to, mask = ((size_t)1 << bits) - 1;

	if (bits > BITS_MAX)
		return false;
	t->slots = calloc((size_t)1 << bits, sizeof(*t->slots));
	if (t->slots == NULL) {
		t->slots = old;
		return false;
	}
	t->bits = bits;
	for (size_t i = 0; old != NULL && i < n; i++) {
		if (old[i].id == 0)
			continue;
		to = slot_home(t, old[i].mark);
		while (t->slots[to].id != 0)
			to = (to + 1) & mask;
		t->slots[to] = old[i];
	}
	free(old);
	return true;
}

/* At most four fifths full; a quarter or more while there are many. */
static bool
slots_room(struct htab *t)
{
	return t->count < ((uint32_t)1 << t->bits) / 5 * 4 ||
	    slots_resize(t, t->bits + 1);
}

/* ---- the order ---- */

static uint32_t
key_head(const struct hash16 *key)
{
	return get_u32(key->b);
}

/* Of the key and what stands in a row; looks at the item when it must. */
static int
order_cmp(const struct htab *t, const struct hash16 *key,
    const struct htab_entry *e)
{
	uint32_t head = key_head(key);

	if (head != e->head)
		return head < e->head ? -1 : 1;
	return hash16_cmp(key, &item_at(t, e->id)->key);
}

/* The last row that begins at the key or before it; 0 when none does. */
static uint32_t
row_find(const struct htab *t, const struct hash16 *key)
{
	uint32_t from = 0, to = t->row_count, mid;

	while (from + 1 < to) {
		mid = from + (to - from) / 2;
		if (order_cmp(t, key, &t->rows[mid].first) >= 0)
			from = mid;
		else
			to = mid;
	}
	return from;
}

/* The place of the first in the row that is not before the key. */
static uint32_t
place_find(const struct htab *t, const struct htab_row *row,
    const struct hash16 *key)
{
	uint32_t from = 0, to = row->n, mid;

	while (from < to) {
		mid = from + (to - from) / 2;
		if (order_cmp(t, key, &row->e[mid]) > 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* A new row before the n-th, whose first the caller sets. */
static bool
row_insert(struct htab *t, uint32_t n)
{
	uint32_t cap = MAX_OF(ROWS_MIN, t->row_cap + t->row_cap / 2);
	struct htab_row *row;
	struct htab_rows *more;

	if (t->row_count == t->row_cap) {
		more = realloc(t->rows, cap * sizeof(*more));
		if (more == NULL)
			return false;
		t->rows = more;
		t->row_cap = cap;
	}
	if ((row = malloc(sizeof(*row))) == NULL)
		return false;
	row->n = 0;
	memmove(t->rows + n + 1, t->rows + n,
	    (t->row_count - n) * sizeof(*t->rows));
	t->rows[n].row = row;
	t->row_count++;
	return true;
}

static void
row_remove(struct htab *t, uint32_t n)
{
	free(t->rows[n].row);
	t->row_count--;
	memmove(t->rows + n, t->rows + n + 1,
	    (t->row_count - n) * sizeof(*t->rows));
}

/*
 * Room in a full row: its second half goes into one of its own; or nothing
 * does when it is put at the end of all, as what comes in order is.
 */
static bool
row_split(struct htab *t, uint32_t n, bool end)
{
	struct htab_row *row = t->rows[n].row, *to;
	uint32_t half = row->n / 2;

	if (!row_insert(t, n + 1))
		return false;
	if (end)
		return true;
	to = t->rows[n + 1].row;
	to->n = row->n - half;
	memcpy(to->e, row->e + half, to->n * sizeof(to->e[0]));
	row->n = half;
	t->rows[n + 1].first = to->e[0];
	return true;
}

static bool
order_put(struct htab *t, const struct hitem *x)
{
	struct htab_entry e = {key_head(&x->key), x->id};
	uint32_t n, at;
	struct htab_row *row;
	bool end;

	if (t->row_count == 0 && !row_insert(t, 0))
		return false;
	n = row_find(t, &x->key);
	row = t->rows[n].row;
	at = place_find(t, row, &x->key);
	if (row->n == ROW_ITEMS) {
		end = n + 1 == t->row_count && at == row->n;
		if (!row_split(t, n, end))
			return false;
		if (at > row->n || end) {
			at -= row->n;
			row = t->rows[++n].row;
		}
	}
	memmove(row->e + at + 1, row->e + at,
	    (row->n - at) * sizeof(row->e[0]));
	row->e[at] = e;
	row->n++;
	t->rows[n].first = row->e[0];
	return true;
}

static void
order_take(struct htab *t, const struct hitem *x)
{
	uint32_t n = row_find(t, &x->key), at;
	struct htab_row *row = t->rows[n].row, *next;

	at = place_find(t, row, &x->key);
	row->n--;
	memmove(row->e + at, row->e + at + 1,
	    (row->n - at) * sizeof(row->e[0]));
	if (row->n == 0) {
		row_remove(t, n);
		return;
	}
	t->rows[n].first = row->e[0];
	if (n + 1 == t->row_count)
		return;
	next = t->rows[n + 1].row;
	if (row->n + next->n > ROW_ITEMS / 2)
		return;
	memcpy(row->e + row->n, next->e, next->n * sizeof(row->e[0]));
	row->n += next->n;
	row_remove(t, n + 1);
}

void *
htab_after(const struct htab *t, const struct hash16 *key, bool at)
{
	const struct htab_row *row;
	uint32_t n, i;

	if (t->row_count == 0)
		return NULL;
	n = row_find(t, key);
	row = t->rows[n].row;
	i = place_find(t, row, key);
	if (!at && i < row->n && order_cmp(t, key, &row->e[i]) == 0)
		i++;
	if (i < row->n)
		return item_at(t, row->e[i].id);
	return n + 1 < t->row_count ? item_at(t, t->rows[n + 1].first.id) :
	    NULL;
}

void *
htab_first(const struct htab *t)
{
	return t->row_count > 0 ? item_at(t, t->rows[0].first.id) : NULL;
}

/* ---- all together ---- */

int
htab_init(struct rns *r, struct htab *t, size_t size)
{
	*t = (struct htab){.seed = core_seed(r)};
	pool_init(&t->items, size, POOL_SHIFT);
	return slots_resize(t, BITS_MIN) ? RNS_OK : RNS_ENOMEM;
}

void
htab_clear(struct htab *t)
{
	for (uint32_t n = 0; n < t->row_count; n++)
		free(t->rows[n].row);
	pool_clear(&t->items);
	free(t->rows);
	free(t->slots);
	*t = (struct htab){0};
}

void *
htab_find(const struct htab *t, const struct hash16 *key)
{
	size_t slot = slot_find(t, key_mark(t, key), key);

	return t->slots[slot].id != 0 ? item_at(t, t->slots[slot].id) : NULL;
}

void
htab_soon(const struct htab *t, const struct hash16 *key)
{
	__builtin_prefetch(&t->slots[slot_home(t, key_mark(t, key))]);
}

void *
htab_add(struct htab *t, const struct hash16 *key)
{
	uint32_t mark = key_mark(t, key), id;
	struct hitem *i;

	if (!slots_room(t) || (id = pool_take(&t->items)) == 0)
		return NULL;
	i = item_at(t, id);
	memset(i, 0, t->items.size);
	i->key = *key;
	i->id = id;
	if (!order_put(t, i)) {
		htab_free(t, i);
		return NULL;
	}
	t->slots[slot_find(t, mark, key)] = (struct htab_slot){mark, id};
	t->count++;
	return i;
}

void
htab_remove(struct htab *t, void *item)
{
	struct hitem *i = item;

	slot_empty(t, slot_find(t, key_mark(t, &i->key), &i->key));
	order_take(t, i);
	t->count--;
	/* many were here; half full, so that it does not go up and down */
	if (t->bits > BITS_MIN && t->count < ((uint32_t)1 << t->bits) / 8)
		(void)slots_resize(t, t->bits - 2 > BITS_MIN ? t->bits - 2 :
		    BITS_MIN);
}
