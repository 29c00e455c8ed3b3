#include "space.h"
#include "tilia.h"

#include "../libclient/item.h"

const uint8_t *space_value(const uint8_t *map, const char *key)
{
	struct item_head h;
	const uint8_t *p = item_head(map, &h);

	if (h.major != ITEM_MAP)
		return NULL;
	for (uint64_t i = 0; i < h.arg; i++) {
		if (bytes_equal(item_string(p), bytes_of(key)))
			return item_skip(p);
		p = item_skip(item_skip(p));
	}
	return NULL;
}

static struct bytes text_of(const uint8_t *map, const char *key)
{
	const uint8_t *v = space_value(map, key);

	return v ? item_string(v) : (struct bytes){0};
}

static uint64_t number_of(const uint8_t *map, const char *key)
{
	const uint8_t *v = space_value(map, key);
	struct item_head h = {0};

	if (v)
		item_head(v, &h);
	return h.arg;
}

/* "3 tuples", or "3 of 1000 tuples". */
static void put_part(struct buf *b, const uint8_t *map, const char *what, const char *limit)
{
	uint64_t most = number_of(map, limit);

	buf_printf(b, "  %llu", (unsigned long long)number_of(map, what));
	if (most > 0)
		buf_printf(b, " of %llu", (unsigned long long)most);
	buf_printf(b, " %s", what);
}

/* One line: name, kind, what is in it, and the options that are set. */
static void put_row(struct buf *b, const uint8_t *map)
{
	struct bytes name = text_of(map, "name"), dead = text_of(map, "dead");
	const uint8_t *shape = space_value(map, "shape");
	uint64_t tries = number_of(map, "tries");

	buf_printf(b, "%-24.*s", (int)name.n, (const char *)name.p);
	buf_text(b, number_of(map, "volatile") == 21 ? "  volatile" : "  durable ");
	put_part(b, map, "tuples", "max_tuples");
	put_part(b, map, "bytes", "max_bytes");
	if (number_of(map, "delayed") > 0)
		buf_printf(b, "  %llu delayed", (unsigned long long)number_of(map, "delayed"));
	if (number_of(map, "claims") > 0)
		buf_printf(b, "  %llu claims", (unsigned long long)number_of(map, "claims"));
	if (tries > 0)
		buf_printf(b, "  tries %llu", (unsigned long long)tries);
	if (dead.n > 0)
		buf_printf(b, "  dead %.*s", (int)dead.n, (const char *)dead.p);
	if (shape && *shape != ITEM_NULL) {
		buf_text(b, "  shape ");
		diag_print(b, shape);
	}
	buf_byte(b, '\n');
}

int space_list(struct space *space)
{
	struct item_head h;
	const uint8_t *p;
	void *answer;
	size_t size;
	int code = tilia_space_list(space->link.t, &answer, &size), status = 0;

	if (code != 0)
		return link_failed(&space->link, code, NULL);
	if (space->output.form == OUTPUT_TEXT) {
		p = item_head(answer, &h);
		for (uint64_t i = 0; i < h.arg; i++, p = item_skip(p))
			put_row(&space->output.text, p);
	} else {
		status = output_item(&space->output, answer);
	}
	tilia_free(answer);
	return status ? status : output_write(&space->output);
}
