#include "why.h"

#include "../libclient/diag.h"
#include "../libclient/item.h"

#define ITEM_TRUE 21 /* the simple value */

/* A request's entry, taken apart. */
struct entry {
	const uint8_t *n, *op, *near, *text, *space, *age, *client, *session, *template, *mine;
};

static void read_entry(struct entry *e, const uint8_t *map)
{
	const struct {
		const char *key;
		const uint8_t **to;
	} keys[] = {
		{"n", &e->n},         {"op", &e->op},           {"near", &e->near},
		{"text", &e->text},   {"space", &e->space},     {"age_ms", &e->age},
		{"mine", &e->mine},   {"client", &e->client},   {"session", &e->session},
		{"template", &e->template},
	};
	struct item_head h;
	const uint8_t *p = item_head(map, &h);

	*e = (struct entry){0};
	for (; h.major == ITEM_MAP && h.arg > 0; h.arg--) {
		struct bytes name = item_string(p);

		p = item_skip(p);
		for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
			if (bytes_equal(name, bytes_of(keys[i].key)))
				*keys[i].to = p;
		p = item_skip(p);
	}
}

static uint64_t number(const uint8_t *p)
{
	struct item_head h = {0};

	if (p)
		item_head(p, &h);
	return h.arg;
}

static void put_text(struct buf *b, const uint8_t *p)
{
	struct bytes s = p ? item_string(p) : (struct bytes){0};

	buf_append(b, s.p, s.n);
}

/* [id, tuple, field, text] */
static const uint8_t *put_near(struct buf *b, const uint8_t *p)
{
	struct item_head h;
	const uint8_t *tuple;

	p = item_head(p, &h);
	tuple = item_skip(p);
	buf_printf(b, "    %llu ", (unsigned long long)number(p));
	diag_print(b, tuple);
	buf_text(b, ": ");
	p = item_skip(item_skip(tuple));
	put_text(b, p);
	buf_byte(b, '\n');
	return item_skip(p);
}

static void put_why(struct buf *b, const struct entry *e)
{
	struct item_head h = {0};
	const uint8_t *p = e->near ? item_head(e->near, &h) : NULL;

	if (e->text && item_string(e->text).n > 0) {
		buf_text(b, "    ");
		put_text(b, e->text);
		buf_byte(b, '\n');
	}
	for (; h.major == ITEM_ARRAY && h.arg > 0; h.arg--)
		p = put_near(b, p);
}

static void put_entry(struct buf *b, const struct entry *e)
{
	uint64_t age = number(e->age);

	put_text(b, e->op);
	buf_byte(b, ' ');
	if (e->template)
		diag_print(b, e->template);
	buf_text(b, " in ");
	put_text(b, e->space);
	buf_printf(b, ", for %llu.%llu s", (unsigned long long)(age / 1000),
	           (unsigned long long)(age % 1000 / 100));
	if (e->client && item_string(e->client).n > 0) {
		buf_text(b, ", by ");
		diag_quote(b, item_string(e->client));
	}
	if (number(e->session) > 0)
		buf_printf(b, ", session %llu", (unsigned long long)number(e->session));
	buf_byte(b, '\n');
	put_why(b, e);
}

void why_print(struct buf *b, const uint8_t *answer)
{
	struct item_head h;
	const uint8_t *p = item_head(answer, &h);
	struct entry e;

	for (; h.major == ITEM_ARRAY && h.arg > 0; h.arg--, p = item_skip(p)) {
		read_entry(&e, p);
		put_entry(b, &e);
	}
}

void why_print_mine(struct buf *b, const uint8_t *answer)
{
	struct item_head h;
	const uint8_t *p = item_head(answer, &h);
	struct entry e;

	for (; h.major == ITEM_ARRAY && h.arg > 0; h.arg--, p = item_skip(p)) {
		read_entry(&e, p);
		if (e.mine && number(e.mine) == ITEM_TRUE)
			put_why(b, &e);
	}
}
