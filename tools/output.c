#include "output.h"

#include "tilia.h"

#include "../libclient/error.h"
#include "../libclient/item.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_KEEP ((size_t)64 << 10) /* memory kept between writes */

void output_init(struct output *o, const char *command)
{
	*o = (struct output){.command = command};
}

void output_close(struct output *o)
{
	buf_close(&o->text);
}

bool output_option(struct output *o, const struct option_scan *s, int id)
{
	switch (id) {
	case OPT_JSON:
		o->form = OUTPUT_JSON;
		o->lossy = s->value != NULL;
		if (s->value && strcmp(s->value, "lossy") != 0) {
			tool_usage(o->command, "--json or --json=lossy, not --json=%s", s->value);
			return false;
		}
		return true;
	case OPT_CBOR:
		o->form = OUTPUT_CBOR;
		return true;
	case OPT_RAW:
		o->form = OUTPUT_RAW;
		o->raw = s->value;
		return true;
	case OPT_NAMED:
		return o->named = true;
	case OPT_ZERO:
		return o->zero = true;
	case OPT_IDS:
		return o->ids = true;
	}
	return false;
}

static int settle_raw(struct output *o)
{
	char *end;
	unsigned long n;

	for (unsigned i = 0; o->names && i < o->names->count; i++)
		if (bytes_equal(o->names->at[i].name, bytes_of(o->raw))) {
			o->field = o->names->at[i].field;
			return 0;
		}
	n = strtoul(o->raw, &end, 10);
	if (o->raw[0] < '0' || o->raw[0] > '9' || *end || n > 254)
		return tool_usage(o->command,
		                  "--raw wants the number of a field (from 0) or the name "
		                  "of a formal, not \"%s\"",
		                  o->raw);
	o->field = (unsigned)n;
	return 0;
}

int output_settle(struct output *o, const struct diag_names *names)
{
	o->names = names;
	if (o->named) {
		if (o->form != OUTPUT_JSON)
			return tool_usage(o->command, "--named goes with --json");
		if (!names || names->count == 0)
			return tool_usage(o->command,
			                  "--named wants formals with names, like n:int");
	}
	if (o->ids && o->form == OUTPUT_CBOR)
		return tool_usage(o->command, "--ids does not go with --cbor");
	return o->form == OUTPUT_RAW ? settle_raw(o) : 0;
}

/* The top-level field of that number, or NULL. */
static const uint8_t *field_at(const uint8_t *tuple, unsigned field)
{
	struct item_head h;
	const uint8_t *p = item_head(tuple, &h);

	if (field >= h.arg)
		return NULL;
	while (field-- > 0)
		p = item_skip(p);
	return p;
}

static int put_json(struct output *o, const uint8_t *item)
{
	struct buf path = BUF_INIT;
	int code = diag_json(&o->text, item, o->lossy, &path);

	if (code != 0)
		tool_complain(o->command, "%.*s: JSON cannot hold it (--json=lossy makes it fit)",
		              (int)path.len, (const char *)path.data);
	buf_close(&path);
	return code ? EXIT_LOCAL : 0;
}

/* An object of the named fields, in the order of the template. */
static int put_named(struct output *o, const uint8_t *tuple)
{
	struct buf name = BUF_INIT;
	int status = 0;

	buf_byte(&o->text, '{');
	for (unsigned i = 0; i < o->names->count && status == 0; i++) {
		buf_clear(&name, OUTPUT_KEEP);
		item_put_text_n(&name, o->names->at[i].name);
		if (i)
			buf_text(&o->text, ", ");
		status = put_json(o, name.data);
		buf_text(&o->text, ": ");
		if (status == 0)
			status = put_json(o, field_at(tuple, o->names->at[i].field));
	}
	buf_byte(&o->text, '}');
	buf_close(&name);
	return status;
}

static int put_raw(struct output *o, const uint8_t *tuple)
{
	const uint8_t *field = field_at(tuple, o->field);
	struct bytes s;

	if (!field) {
		tool_complain(o->command, "the tuple has no field %u", o->field);
		return EXIT_LOCAL;
	}
	s = item_string(field);
	if (s.p)
		buf_append(&o->text, s.p, s.n);
	else
		diag_print(&o->text, field);
	return 0;
}

static void end(struct output *o)
{
	buf_byte(&o->text, o->zero ? '\0' : '\n');
}

int output_item(struct output *o, const uint8_t *item)
{
	struct bytes all = item_bytes(item);
	int status = 0;

	if (o->form == OUTPUT_CBOR) {
		buf_append(&o->text, all.p, all.n);
		return 0;
	}
	if (o->form == OUTPUT_JSON)
		status = put_json(o, item);
	else
		diag_print(&o->text, item);
	end(o);
	return status;
}

int output_tuple(struct output *o, uint64_t id, const uint8_t *tuple)
{
	int status;

	if (o->ids)
		buf_printf(&o->text, "%llu\t", (unsigned long long)id);
	if (o->form != OUTPUT_RAW && !o->named)
		return output_item(o, tuple);
	status = o->named ? put_named(o, tuple) : put_raw(o, tuple);
	end(o);
	return status;
}

int output_write(struct output *o)
{
	const uint8_t *p = o->text.data;
	size_t left = o->text.len;

	if (o->text.failed) {
		tool_complain(o->command, "%s", error_text(ERROR_NOMEM));
		return EXIT_LOCAL;
	}
	while (left > 0) {
		ssize_t n = write(STDOUT_FILENO, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EPIPE)
				tool_complain(o->command, "the output cannot be written: %s",
				              strerror(errno));
			return EXIT_LOCAL;
		}
		p += n;
		left -= (size_t)n;
	}
	buf_clear(&o->text, OUTPUT_KEEP);
	return 0;
}
