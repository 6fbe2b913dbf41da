/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

struct family {
	const char *name, *type, *help;
	size_t at; /* in struct metrics, metrics_if or metrics_program */
};

#define GAUGE(name, in, member, help)                                          \
	{name, "gauge", help, offsetof(in, member)}
#define COUNTER(name, in, member, help)                                        \
	{name, "counter", help, offsetof(in, member)}

static const struct family of_node[] = {
    GAUGE("warren_uptime_seconds", struct metrics, uptime_s,
	"Since the relay was started."),
    GAUGE("warren_packet_hashes", struct metrics, hashes,
	"Packets remembered so that none is passed on twice."),
    GAUGE("warren_blackholed_identities", struct metrics, holes,
	"Identities whose announces are dropped."),
    GAUGE("warren_interfaces_left_out", struct metrics, left_out,
	"Interfaces that are too many to be shown here."),
    COUNTER("warren_received_packets_total", struct metrics, counts.rx_packets,
	"Packets that came in, on all interfaces."),
    COUNTER("warren_received_bytes_total", struct metrics, counts.rx_bytes,
	"Their bytes, without framing."),
    COUNTER("warren_sent_packets_total", struct metrics, counts.tx_packets,
	"Packets that went out, on all interfaces."),
    COUNTER("warren_sent_bytes_total", struct metrics, counts.tx_bytes,
	"Their bytes, without framing."),
    COUNTER("warren_relayed_packets_total", struct metrics, counts.relayed,
	"Packets of others that were passed on."),
    COUNTER("warren_announces_total", struct metrics, counts.announces,
	"Announces that were accepted."),
};

/* 32 bits wide, under one name by table. */
static const struct {
	const char *table;
	size_t at;
} tables[] = {
    {"known", offsetof(struct metrics, counts.known)},
    {"paths", offsetof(struct metrics, counts.paths)},
    {"links", offsetof(struct metrics, counts.links)},
    {"relayed_links", offsetof(struct metrics, counts.link_table)},
    {"relayed_links_active",
	offsetof(struct metrics, counts.link_table_active)},
    {"reverse", offsetof(struct metrics, counts.reverse)},
    {"receipts", offsetof(struct metrics, counts.receipts)},
    {"announces_waiting",
	offsetof(struct metrics, counts.announces_waiting)},
    {"announces_held", offsetof(struct metrics, counts.held)},
    {"destinations", offsetof(struct metrics, counts.destinations)},
};

#define IF struct metrics_if
static const struct family of_interface[] = {
    GAUGE("warren_interface_up", IF, online, "Whether it can carry packets."),
    COUNTER("warren_interface_received_bytes_total", IF, rx_bytes,
	"Bytes received there, of a listener by all that it accepted."),
    COUNTER("warren_interface_sent_bytes_total", IF, tx_bytes,
	"Bytes sent there."),
    COUNTER("warren_interface_received_packets_total", IF, rx_packets,
	"Packets received there."),
    COUNTER("warren_interface_sent_packets_total", IF, tx_packets,
	"Packets sent there."),
    COUNTER("warren_interface_received_drops_total", IF, rx_drops,
	"What came in and was no packet."),
    COUNTER("warren_interface_sent_drops_total", IF, tx_drops,
	"Packets that its queue had no room for."),
    COUNTER("warren_interface_sent_drop_bytes_total", IF, tx_drop_bytes,
	"Their bytes."),
    COUNTER("warren_interface_announces_received_total", IF, announces_rx,
	"Announces received there."),
    COUNTER("warren_interface_announces_sent_total", IF, announces_tx,
	"Announces sent there."),
    COUNTER("warren_interface_path_requests_received_total", IF,
	path_requests_rx, "Path requests received there."),
    COUNTER("warren_interface_path_requests_sent_total", IF, path_requests_tx,
	"Path requests sent there."),
    GAUGE("warren_interface_announce_queue", IF, announce_queue,
	"Announces that wait for their share of its bitrate."),
    GAUGE("warren_interface_announces_held", IF, held,
	"Announces from there held back by a burst."),
    GAUGE("warren_interface_bursts", IF, bursts,
	"Whether a burst of announces is on, of a listener on how many."),
    GAUGE("warren_interface_queue_bytes", IF, waiting,
	"Bytes that wait to be sent there."),
    GAUGE("warren_interface_clients", IF, clients,
	"Connections of a listener now."),
    COUNTER("warren_interface_accepted_total", IF, accepted,
	"Connections that a listener took."),
    COUNTER("warren_interface_refused_total", IF, refused,
	"Connections that a listener turned away."),
    COUNTER("warren_interface_put_out_total", IF, put_out,
	"Connections of a listener that made room for another."),
};
#undef IF

static const struct family of_program[] = {
    GAUGE("warren_program_running", struct metrics_program, running,
	"Whether a program of the house runs."),
    COUNTER("warren_program_restarts_total", struct metrics_program, restarts,
	"How often it was started again."),
};

static uint64_t
number_at(const void *base, size_t at)
{
	uint64_t n;

	memcpy(&n, (const char *)base + at, sizeof(n));
	return n;
}

static void
head(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and newline escaped. */
static void
value(FILE *f, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			fputs("\\n", f);
		else if (*s == '\\' || *s == '"')
			fprintf(f, "\\%c", *s);
		else
			fputc(*s, f);
	}
}

/* Names that are no UTF-8 are escaped as everywhere; a second one is told. */
static void
interface_labels(FILE *f, const struct metrics *m, size_t i)
{
	char safe[1300];
	unsigned same = 1;

	for (size_t k = 0; k < i; k++)
		same += strcmp(m->ifs[k].name, m->ifs[i].name) == 0;
	(void)text_escape(safe, sizeof(safe), m->ifs[i].name,
	    strlen(m->ifs[i].name));
	fputs("interface=\"", f);
	value(f, safe);
	if (same > 1)
		fprintf(f, " #%u", same);
	fputs("\",type=\"", f);
	value(f, m->ifs[i].type);
	fputc('"', f);
}

static void
put_interfaces(FILE *f, const struct metrics *m)
{
	for (size_t k = 0; k < NELEM(of_interface); k++) {
		const struct family *a = &of_interface[k];

		head(f, a->name, a->type, a->help);
		for (size_t i = 0; i < m->nifs; i++) {
			fprintf(f, "%s{", a->name);
			interface_labels(f, m, i);
			fprintf(f, "} %" PRIu64 "\n",
			    number_at(&m->ifs[i], a->at));
		}
	}
}

/* The labels of one sample of a kind of packets. */
static void
kind_labels(FILE *f, const struct metrics *m, size_t i, enum rns_kind kind,
    const char *direction)
{
	interface_labels(f, m, i);
	fprintf(f, ",kind=\"%s\"", airq_kind_name(kind));
	if (direction != NULL)
		fprintf(f, ",direction=\"%s\"", direction);
	fputs("} ", f);
}

static void
put_kinds(FILE *f, const struct metrics *m)
{
	static const char name[] = "warren_interface_kind_bytes_total";

	head(f, name, "counter", "Bytes by what they were.");
	for (size_t i = 0; i < m->nifs; i++)
		for (unsigned k = 0; k < RNS_KINDS; k++) {
			fprintf(f, "%s{", name);
			kind_labels(f, m, i, k, "received");
			fprintf(f, "%" PRIu64 "\n%s{",
			    m->ifs[i].rx_kinds[k].bytes, name);
			kind_labels(f, m, i, k, "sent");
			fprintf(f, "%" PRIu64 "\n", m->ifs[i].tx_kinds[k].bytes);
		}
}

/* Of interfaces of serial and radio alone. */
static void
put_airtime(FILE *f, const struct metrics *m)
{
	static const char name[] = "warren_interface_airtime_milliseconds_total";
	const struct airq_view *v;

	head(f, name, "counter", "Time on the air, or on the line.");
	for (size_t i = 0; i < m->nifs; i++)
		for (unsigned k = 0; (v = m->ifs[i].air) != NULL &&
		    k < RNS_KINDS; k++) {
			fprintf(f, "%s{", name);
			kind_labels(f, m, i, k, "received");
			fprintf(f, "%" PRId64 "\n%s{",
			    v->of[k].rx.air_us / 1000, name);
			kind_labels(f, m, i, k, "sent");
			fprintf(f, "%" PRId64 "\n", v->of[k].tx.air_us / 1000);
		}
}

static void
put_air_queue(FILE *f, const struct metrics *m)
{
	static const char name[] = "warren_interface_air_queue_packets";
	const struct airq_view *v;

	head(f, name, "gauge", "Packets that wait for the air, by kind.");
	for (size_t i = 0; i < m->nifs; i++)
		for (unsigned k = 0; (v = m->ifs[i].air) != NULL &&
		    k < RNS_KINDS; k++) {
			fprintf(f, "%s{", name);
			kind_labels(f, m, i, k, NULL);
			fprintf(f, "%" PRIu32 "\n", v->of[k].packets);
		}
}

/* Of those that have a limit. */
static void
put_duty(FILE *f, const struct metrics *m)
{
	static const struct {
		const char *name, *help;
		bool limit;
	} rows[] = {
	    {"warren_interface_duty_cycle_used_milliseconds",
		"What was sent of the window of its duty cycle.", false},
	    {"warren_interface_duty_cycle_limit_milliseconds",
		"What may be.", true},
	};

	for (size_t r = 0; r < NELEM(rows); r++) {
		head(f, rows[r].name, "gauge", rows[r].help);
		for (size_t i = 0; i < m->nifs; i++) {
			const struct airq_view *v = m->ifs[i].air;

			if (v == NULL || v->limit_us == 0)
				continue;
			fprintf(f, "%s{", rows[r].name);
			interface_labels(f, m, i);
			fprintf(f, "} %" PRId64 "\n", (rows[r].limit ?
			    v->limit_us : v->used_us) / 1000);
		}
	}
}

static void
put_programs(FILE *f, const struct metrics *m)
{
	for (size_t k = 0; k < NELEM(of_program); k++) {
		const struct family *a = &of_program[k];

		head(f, a->name, a->type, a->help);
		for (size_t i = 0; i < m->nprograms; i++)
			fprintf(f, "%s{program=\"%s\"} %" PRIu64 "\n", a->name,
			    m->programs[i].name,
			    number_at(&m->programs[i], a->at));
	}
}

/* Of those alone that are known. */
static void
put_memory(FILE *f, const struct metrics *m)
{
	static const struct family sizes[] = {
	    GAUGE("warren_program_resident_bytes", struct metrics_program, rss,
		"Memory of a program, what it shares with others included."),
	    GAUGE("warren_program_proportional_bytes", struct metrics_program,
		pss, "Memory of a program, of what is shared its share."),
	};

	for (size_t k = 0; k < NELEM(sizes); k++) {
		const struct family *a = &sizes[k];

		head(f, a->name, a->type, a->help);
		for (size_t i = 0; i < m->nprograms; i++)
			if (number_at(&m->programs[i], a->at) != 0)
				fprintf(f, "%s{program=\"%s\"} %" PRIu64 "\n",
				    a->name, m->programs[i].name,
				    number_at(&m->programs[i], a->at));
	}
}

/* Of another program: its labels are escaped, and none comes twice. */
static void
put_sample(FILE *f, const struct metrics *m, size_t i, const char *name,
    const char *label)
{
	const struct metrics_sample *s = &m->samples[i];
	char safe[4 * NUMBER_LABEL + 1];

	for (size_t k = 0; k < i; k++)
		if (m->samples[k].family == s->family && (*label == '\0' ||
			strcmp(m->samples[k].label, s->label) == 0))
			return;
	(void)text_escape(safe, sizeof(safe), s->label, strlen(s->label));
	fputs(name, f);
	if (*label != '\0') {
		fprintf(f, "{%s=\"", label);
		value(f, safe);
		fputs("\"}", f);
	}
	fprintf(f, " %" PRIu64 "\n", s->value);
}

static void
put_samples(FILE *f, const struct metrics *m)
{
	static const struct {
		enum number_family family;
		const char *name, *type, *label, *help;
	} of_jobs[] = {
#define FAMILY(id, name, type, label, help)                                    \
	{NUMBER_##id, name, type, label, help},
		NUMBER_LIST(FAMILY)
#undef FAMILY
	};

	for (size_t k = 0; m->nsamples > 0 && k < NELEM(of_jobs); k++) {
		head(f, of_jobs[k].name, of_jobs[k].type, of_jobs[k].help);
		for (size_t i = 0; i < m->nsamples; i++)
			if (m->samples[i].family == of_jobs[k].family)
				put_sample(f, m, i, of_jobs[k].name,
				    of_jobs[k].label);
	}
}

static void
put_drops(FILE *f, const struct metrics *m)
{
	static const char *const names[RNS_DROP_COUNT] = {
#define RNS_DROP_NAME(name, text) [RNS_DROP_##name] = #name,
		RNS_DROP_LIST(RNS_DROP_NAME)
#undef RNS_DROP_NAME
	};

	head(f, "warren_drops_total", "counter", "Dropped, held or refused, "
	    "by reason (man warren, REASONS).");
	for (size_t i = 0; i < RNS_DROP_COUNT; i++)
		fprintf(f, "warren_drops_total{reason=\"%s\"} %" PRIu64 "\n",
		    names[i], m->drops[i]);
}

char *
metrics_text(const struct metrics *m, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);
	uint32_t n;
	bool bad;

	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < NELEM(of_node); i++) {
		head(f, of_node[i].name, of_node[i].type, of_node[i].help);
		fprintf(f, "%s %" PRIu64 "\n", of_node[i].name,
		    number_at(m, of_node[i].at));
	}
	head(f, "warren_table_entries", "gauge", "Entries of a table.");
	for (size_t i = 0; i < NELEM(tables); i++) {
		memcpy(&n, (const char *)m + tables[i].at, sizeof(n));
		fprintf(f, "warren_table_entries{table=\"%s\"} %" PRIu32 "\n",
		    tables[i].table, n);
	}
	put_drops(f, m);
	put_programs(f, m);
	put_memory(f, m);
	put_samples(f, m);
	put_interfaces(f, m);
	put_kinds(f, m);
	put_airtime(f, m);
	put_air_queue(f, m);
	put_duty(f, m);
	bad = ferror(f) != 0;
	if (fclose(f) != 0 || bad) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- HTTP/1.0, as much as is needed ---- */

enum metrics_asked
metrics_asked(const uint8_t *line, size_t len)
{
	const uint8_t *path, *end, *after;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	path = memchr(line, ' ', len);
	if (path == NULL || path == line)
		return METRICS_BAD;
	path++;
	end = memchr(path, ' ', len - (size_t)(path - line));
	if (end == NULL || *path != '/')
		return METRICS_BAD;
	after = end + 1;
	if (len - (size_t)(after - line) != 8 ||
	    memcmp(after, "HTTP/1.", 7) != 0 ||
	    (after[7] != '0' && after[7] != '1'))
		return METRICS_BAD;
	if (path - line != 4 || memcmp(line, "GET", 3) != 0)
		return METRICS_NOT_GET;
	return end - path == 8 && memcmp(path, "/metrics", 8) == 0 ?
	    METRICS_OK : METRICS_NOT_FOUND;
}

const char *
metrics_head(enum metrics_asked what)
{
	switch (what) {
	case METRICS_OK:
		return "HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Type: "
		    "text/plain; version=0.0.4; charset=utf-8\r\n\r\n";
	case METRICS_NOT_FOUND:
		return "HTTP/1.0 404 Not Found\r\nConnection: close\r\n"
		    "Content-Type: text/plain\r\n\r\nonly /metrics is here";
	case METRICS_NOT_GET:
		return "HTTP/1.0 405 Method Not Allowed\r\nAllow: GET\r\n"
		    "Connection: close\r\nContent-Type: text/plain\r\n\r\n"
		    "only GET";
	default:
		return "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n"
		    "Content-Type: text/plain\r\n\r\nnot understood";
	}
}
