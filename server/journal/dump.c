#include "../../libclient/base/xmalloc.h"
#include "../../libclient/diag.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "lookup.h"
#include "read.h"
#include "offline.h"

#include <string.h>

struct dump {
	struct store store;
	FILE *out;
	struct buf line, map, names; /* names: of all spaces, one after the other */
	uint64_t entries;            /* of the map */
	const char *only;            /* the space, or NULL */
	struct dump_space {
		size_t name, size;
		bool skipped;
	} *spaces;
	size_t count, cap;
	struct lookup space_at;
};

/* ---- options: a map in diagnostic notation ------------------------------------------ */

static void map_clear(struct dump *d)
{
	buf_clear(&d->map, SIZE_MAX);
	d->entries = 0;
}

static void map_key(struct dump *d, const char *key)
{
	item_put_text(&d->map, key);
	d->entries++;
}

/* 0 is the default and is not said. */
static void map_number(struct dump *d, const char *key, uint64_t v)
{
	if (v == 0)
		return;
	map_key(d, key);
	item_put_uint(&d->map, v);
}

static void map_true(struct dump *d, const char *key, bool v)
{
	if (!v)
		return;
	map_key(d, key);
	item_put_bool(&d->map, true);
}

static void map_text(struct dump *d, const char *key, struct bytes v)
{
	if (v.n == 0)
		return;
	map_key(d, key);
	item_put_text_n(&d->map, v);
}

static void put_map(struct dump *d)
{
	struct buf whole = BUF_INIT;

	item_put_head(&whole, ITEM_MAP, d->entries);
	buf_append(&whole, d->map.data, d->map.len);
	diag_print(&d->line, whole.data);
	buf_close(&whole);
}

/* ---- lines -------------------------------------------------------------------------- */

static void begin_line(struct dump *d, const struct dump_space *sp)
{
	buf_clear(&d->line, (size_t)1 << 20);
	buf_append(&d->line, d->names.data + sp->name, sp->size);
	buf_byte(&d->line, '\t');
	map_clear(d);
}

static void end_line(struct dump *d)
{
	buf_byte(&d->line, '\n');
	fwrite(d->line.data, 1, d->line.len, d->out);
}

static void dump_options(struct dump *d, const struct store_space *row)
{
	struct buf shape = BUF_INIT;

	if (row->shape.n)
		diag_print(&shape, row->shape.p);
	map_text(d, "dead", row->dead);
	map_number(d, "bytes", row->max_bytes);
	map_text(d, "shape", buf_bytes(&shape));
	map_number(d, "tries", row->tries);
	map_number(d, "tuples", row->max_tuples);
	map_true(d, "volatile", row->flags & CHANGE_SPACE_VOLATILE);
	buf_close(&shape);
}

static int dump_space(struct dump *d)
{
	struct store_space row;
	struct dump_space *sp;

	if (!store_space_read(&d->store, STORE_SPACES, &row))
		return store_damaged(&d->store, "the checksum of space %llu is wrong",
		                     (unsigned long long)row.number);
	if (d->count == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 16;
		d->spaces = xrealloc(d->spaces, d->cap * sizeof *d->spaces);
	}
	sp = &d->spaces[d->count];
	*sp = (struct dump_space){d->names.len, row.name.n, row.flags & CHANGE_SPACE_DROPPED};
	if (d->only && !bytes_equal(row.name, bytes_of(d->only)))
		sp->skipped = true;
	buf_append(&d->names, row.name.p, row.name.n);
	lookup_add(&d->space_at, row.number, (uint32_t)d->count++);
	if (sp->skipped)
		return 0;
	begin_line(d, sp);
	buf_text(&d->line, "space\t");
	dump_options(d, &row);
	put_map(d);
	end_line(d);
	return 0;
}

static int dump_tuple(struct dump *d)
{
	struct change c;
	uint64_t body;
	bool whole = read_tuple(&d->store, &c, &body);
	uint32_t at = lookup_find(&d->space_at, c.space);

	if (!whole || at == LOOKUP_NONE)
		return store_damaged(&d->store, "%s of tuple %llu is %s",
		                     whole ? "the space" : "the checksum", (unsigned long long)c.id,
		                     whole ? "missing" : "wrong");
	if (d->spaces[at].skipped)
		return 0;
	begin_line(d, &d->spaces[at]);
	buf_printf(&d->line, "%llu\t", (unsigned long long)c.id);
	map_number(d, "due", c.due_ms);
	map_text(d, "held", bytes_of(!c.session ? "" : c.token ? "claim" : "take"));
	map_true(d, "bound", c.bound != 0);
	map_number(d, "tries", c.tries);
	map_number(d, "expires", c.expires_ms);
	put_map(d);
	buf_byte(&d->line, '\t');
	diag_print(&d->line, c.bytes.p);
	end_line(d);
	return 0;
}

static int dump_table(struct dump *d, enum store_statement which, const char *table,
                      int (*each)(struct dump *d))
{
	struct store *s = &d->store;
	int rc, code = 0;

	while (code == 0 && !ferror(d->out) && (rc = sqlite3_step(s->stmt[which])) != SQLITE_DONE)
		code = rc == SQLITE_ROW ? each(d) : store_fail(s, "cannot read table %s", table);
	sqlite3_reset(s->stmt[which]);
	return code;
}

static int dump_spaces(struct dump *d)
{
	int code = dump_table(d, STORE_SPACES, "space", dump_space);

	if (code || !d->only)
		return code;
	for (size_t i = 0; i < d->count; i++)
		if (!d->spaces[i].skipped)
			return 0;
	snprintf(d->store.why, sizeof d->store.why, "no such space: %.200s", d->only);
	return ERROR_STORE;
}

static int dump_all(struct dump *d)
{
	struct store *s = &d->store;
	int code;

	if (sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "cannot read");
	code = dump_spaces(d);
	return code ? code : dump_table(d, STORE_TUPLES, "tuple", dump_tuple);
}

int dump_store(const char *path, const char *space, FILE *out, char *why)
{
	struct dump d = {.out = out, .only = space};
	int code = store_open_alone(&d.store, path, false);

	if (code == 0) {
		lookup_init(&d.space_at);
		code = dump_all(&d);
		lookup_close(&d.space_at);
		store_close(&d.store, false);
	}
	if (code)
		snprintf(why, OFFLINE_WHY, "%s", d.store.why);
	buf_close(&d.line);
	buf_close(&d.map);
	buf_close(&d.names);
	xfree(d.spaces);
	return code;
}
