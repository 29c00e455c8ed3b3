/* The table, what is said about its rows, and the messages that are written.
 * request.c reads requests. */
#include "message.h"
#include "frame.h"
#include "item.h"
#include "utf8.h"

#include <string.h>

const struct message_row message_rows[MESSAGE_OPS] = {
#define X(id, name, a, b, c, rights, changes) [MESSAGE_##id] = {name, {a, b, c}, rights, changes},
	MESSAGE_TABLE(X)
#undef X
};

const struct message_option_row message_option_rows[OPTIONS] = {
#define X(id, name, kind, ops) [OPTION_##id] = {name, kind, ops},
	MESSAGE_OPTIONS(X)
#undef X
};

int message_op_named(struct bytes name)
{
	for (int op = 0; op < MESSAGE_OPS; op++)
		if (bytes_equal(name, bytes_of(message_rows[op].name)))
			return op;
	return -1;
}

int message_option_named(struct bytes name, enum message_op op)
{
	for (int o = 0; o < OPTIONS; o++)
		if (bytes_equal(name, bytes_of(message_option_rows[o].name)) &&
		    (message_option_rows[o].ops >> op & 1))
			return o;
	return -1;
}

bool message_number(const uint8_t *p, uint64_t *v)
{
	struct item_head h;

	item_head(p, &h);
	*v = h.arg;
	return h.major == ITEM_UINT && h.arg < MESSAGE_NUMBER_MAX;
}

/* n or [from, to]. */
static bool range_is(const uint8_t *p, uint64_t *from, uint64_t *to)
{
	struct item_head h;
	const uint8_t *first = item_head(p, &h);

	if (h.major != ITEM_ARRAY) {
		bool good = message_number(p, from);

		*to = *from;
		return good;
	}
	return h.arg == 2 && message_number(first, from) && message_number(item_skip(first), to) &&
	       *from <= *to;
}

bool message_ranges(struct bytes items, void (*each)(uint64_t from, uint64_t to, void *ctx),
                    void *ctx)
{
	const uint8_t *p = items.p, *end = items.p + items.n;
	uint64_t from, to;

	for (; p < end; p = item_skip(p)) {
		if (!range_is(p, &from, &to))
			return false;
		if (each)
			each(from, to, ctx);
	}
	return true;
}

struct bytes message_list_items(struct bytes list)
{
	struct item_head h;
	const uint8_t *p = item_head(list.p, &h);

	return (struct bytes){p, list.n - (size_t)(p - list.p)};
}

bool message_may(struct bytes may, struct bytes space, enum message_op op)
{
	struct bytes any = bytes_of("*"), name = bytes_of(message_rows[op].name);
	struct item_head map, ops;
	const uint8_t *p = item_head(may.p, &map);

	for (uint64_t i = 0; i < map.arg; i++) {
		struct bytes key = item_string(p);
		bool here = bytes_equal(key, any) || bytes_equal(key, space);

		p = item_head(item_skip(p), &ops);
		for (uint64_t k = 0; k < ops.arg; k++, p = item_skip(p)) {
			struct bytes word = item_string(p);

			if (here && (bytes_equal(word, any) || bytes_equal(word, name)))
				return true;
		}
	}
	return false;
}

static void put_head(struct buf *b, unsigned items, uint64_t n, int kind)
{
	item_put_head(b, ITEM_ARRAY, items);
	item_put_uint(b, n);
	item_put_int(b, kind);
}

void message_reply(struct buf *b, uint64_t n, struct bytes result)
{
	size_t mark = frame_begin(b);

	put_head(b, 3, n, 0);
	item_put_item(b, result);
	frame_end(b, mark);
}

void message_part(struct buf *b, uint64_t n, struct bytes part)
{
	size_t mark = frame_begin(b);

	put_head(b, 3, n, 1);
	item_put_item(b, part);
	frame_end(b, mark);
}

/* Texts that quote what a client sent may have been cut within a character. */
static struct bytes whole_characters(struct bytes s)
{
	struct bytes rest = s;
	size_t size;

	while ((size = utf8_next(rest, NULL)) > 0)
		rest = (struct bytes){rest.p + size, rest.n - size};
	return (struct bytes){s.p, s.n - rest.n};
}

void message_error_reply(struct buf *b, uint64_t n, int code, const char *text)
{
	size_t mark = frame_begin(b);

	put_head(b, 3, n, code);
	item_put_text_n(b, whole_characters(bytes_of(text)));
	frame_end(b, mark);
}

void message_request_begin(struct buf *b, enum message_op op)
{
	item_put_text(b, message_rows[op].name);
}

static void put_option(struct buf *b, enum message_option o, const struct message_options *from)
{
	item_put_text(b, message_option_rows[o].name);
	switch (message_option_rows[o].kind) {
	case KIND_UINT:
		item_put_uint(b, from->option[o].u);
		break;
	case KIND_BOOL:
		item_put_bool(b, from->option[o].u != 0);
		break;
	case KIND_TEXT:
		item_put_text_n(b, from->option[o].s);
		break;
	default:
		item_put_item(b, from->option[o].s);
	}
}

/* In the order of keys of a canonical map: the shorter first. */
static bool is_before(enum message_option a, enum message_option b)
{
	const char *x = message_option_rows[a].name, *y = message_option_rows[b].name;
	size_t m = strlen(x), n = strlen(y);

	return m != n ? m < n : strcmp(x, y) < 0;
}

/* There is one at least. */
static enum message_option first_of(uint64_t left)
{
	enum message_option first = (enum message_option)__builtin_ctzll(left);

	for (left &= left - 1; left != 0; left &= left - 1) {
		enum message_option o = (enum message_option)__builtin_ctzll(left);

		if (is_before(o, first))
			first = o;
	}
	return first;
}

unsigned message_options_put(struct buf *b, const struct message_options *o)
{
	if (o->have == 0)
		return 0;
	item_put_head(b, ITEM_MAP, (uint64_t)__builtin_popcountll(o->have));
	for (uint64_t left = o->have; left != 0;) {
		enum message_option next = first_of(left);

		put_option(b, next, o);
		left &= ~((uint64_t)1 << next);
	}
	return 1;
}

static int refuse_reply(struct codec_error *err, const char *why)
{
	if (err)
		*err = (struct codec_error){ERROR_MALFORMED, 0, why};
	return ERROR_MALFORMED;
}

/* 0 or 1, or a negative code; anything else is 2. */
static int kind_of(const uint8_t *p)
{
	struct item_head h;

	item_head(p, &h);
	if (h.major == ITEM_UINT && h.arg <= 1)
		return (int)h.arg;
	return h.major == ITEM_NINT && h.arg < INT32_MAX ? -1 - (int)h.arg : 2;
}

int message_decode_reply(struct bytes message, struct buf *scratch, struct reply *r,
                         struct codec_error *err)
{
	/* Only the frame bounds the number of heads: a reply may hold 1,024 tuples. */
	static const struct codec_limits limits = {UINT32_MAX, CODEC_DEPTH + 3};
	struct item_head h;
	struct bytes in;
	const uint8_t *p;
	int rc = codec_canonical(message, &in, scratch, &limits, NULL, err);

	if (rc == ERROR_VALUE && err)
		err->code = ERROR_MALFORMED;
	if (rc != 0)
		return rc == ERROR_VALUE ? ERROR_MALFORMED : rc;
	memset(r, 0, sizeof *r);
	p = item_head(in.p, &h);
	if (h.major != ITEM_ARRAY || h.arg < 3 || !message_number(p, &r->n))
		return refuse_reply(err, "not an array of a number, a code and a result");
	p = item_skip(p);
	r->kind = kind_of(p);
	p = item_skip(p);
	if (r->kind > 1 || (r->kind < 0 && *p >> 5 != ITEM_TEXT))
		return refuse_reply(err, "neither a result nor an error with its text");
	if (r->kind >= 0) {
		r->body = item_bytes(p);
		return 0;
	}
	r->text = item_string(p);
	if (h.arg > 3)
		r->body = item_bytes(item_skip(p));
	return 0;
}
