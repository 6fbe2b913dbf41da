/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/host/order.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/util.h"
#include "common/wire.h"

#define STDERR UINT32_C(0x80000000)
#define MOST (STDERR - 1) /* bytes of one run */
#define PAGE 1024	  /* runs that are read at a time */

static void
put(struct order *o, unsigned stream, uint32_t bytes)
{
	uint8_t b[4];

	if (o->fd < 0 && o->make != NULL) {
		o->fd = o->make(o->arg);
		o->make = NULL;
	}
	if (o->fd < 0 || o->runs >= ORDER_MAX)
		return;
	put_u32(b, bytes | (stream != 0 ? STDERR : 0));
	if (pwrite(o->fd, b, 4, (off_t)o->runs * 4) == 4)
		o->runs++;
}

void
order_cut(struct order *o)
{
	if (o->bytes > 0)
		put(o, o->stream, o->bytes);
	o->bytes = 0;
}

void
order_add(struct order *o, unsigned stream, uint64_t bytes)
{
	if (o->bytes > 0 && (o->stream != stream || bytes > MOST - o->bytes))
		order_cut(o);
	o->stream = stream;
	o->bytes += (uint32_t)MIN_OF(bytes, (uint64_t)(MOST - o->bytes));
}

size_t
order_read(int fd, uint64_t from, uint8_t *out, size_t max)
{
	ssize_t n;

	if (fd < 0 || from >= ORDER_MAX)
		return 0;
	n = pread(fd, out, max * 4, (off_t)from * 4);
	return n < 0 ? 0 : (size_t)n / 4;
}

void
order_begin(struct order *o, int fd, int (*make)(void *), void *arg,
    const uint64_t kept[2])
{
	uint64_t sum[2] = {0, 0};
	uint8_t b[PAGE * 4];
	size_t n;

	*o = (struct order){.fd = fd, .make = make, .arg = arg};
	while ((n = order_read(fd, o->runs, b, PAGE)) > 0) {
		for (size_t i = 0; i < n; i++) {
			uint32_t run = get_u32(b + i * 4);

			sum[(run & STDERR) != 0] += run & MOST;
		}
		o->runs += (uint32_t)n;
	}
	/* more than there is: the log has lost its end, and this its sense */
	if (sum[0] > kept[0] || sum[1] > kept[1]) {
		if (fd >= 0 && ftruncate(fd, 0) != 0)
			o->runs = ORDER_MAX;
		else
			o->runs = 0;
		sum[0] = sum[1] = 0;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (kept[i] > sum[i])
			order_add(o, i, kept[i] - sum[i]);
		order_cut(o);
	}
}

void
order_end(struct order *o)
{
	if (o->fd < 0)
		return;
	order_cut(o);
	(void)close(o->fd);
	o->fd = -1;
}
