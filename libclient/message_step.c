/* What a checked request puts, and the steps of an atomic. */
#include "item.h"
#include "message.h"

#include <string.h>

static bool is_named(const uint8_t *p, const char *name)
{
	return bytes_equal(item_string(p), bytes_of(name));
}

static bool is_true(const uint8_t *p)
{
	struct item_head h;

	item_head(p, &h);
	return h.arg == 21;
}

static const uint8_t *read_put(const uint8_t *p, struct message_put *put)
{
	struct item_head h;

	p = item_head(p, &h);
	for (uint64_t i = 0; i < h.arg; i++) {
		const uint8_t *value = item_skip(p);

		if (is_named(p, "bound"))
			put->bound = is_true(value);
		else
			message_number(value, is_named(p, "ttl") ? &put->ttl_ms : &put->delay_ms);
		p = item_skip(value);
	}
	return p;
}

const uint8_t *message_out_read(const uint8_t *p, struct bytes *space, struct bytes *tuple,
                                struct message_put *put)
{
	struct item_head h;

	p = item_head(p, &h);
	memset(put, 0, sizeof *put);
	*space = item_string(p);
	*tuple = item_bytes(item_skip(p));
	p = tuple->p + tuple->n;
	return h.arg > 2 ? read_put(p, put) : p;
}

const uint8_t *message_step_read(const uint8_t *p, struct message_step *step)
{
	struct item_head h, map;

	memset(step, 0, sizeof *step);
	p = item_head(p, &h);
	step->kind = is_named(p, "in") ? STEP_IN : is_named(p, "rd") ? STEP_RD
	           : is_named(p, "no") ? STEP_NO : STEP_OUT;
	p = item_skip(p);
	step->space = item_string(p);
	step->item = item_bytes(item_skip(p));
	p = step->item.p + step->item.n;
	if (h.arg == 3)
		return p;
	if (step->kind == STEP_OUT)
		return read_put(p, &step->put);
	p = item_head(p, &map);
	if (map.arg == 0)
		return p;
	step->visible = !is_true(item_skip(p));
	return item_skip(item_skip(p));
}

bool message_ref_read(const uint8_t *p, struct message_ref *ref)
{
	struct item_head tag, list, number;

	p = item_head(p, &tag);
	if (tag.major != ITEM_TAG || tag.arg != ITEM_TAG_REF)
		return false;
	p = item_head(p, &list);
	item_head(p, &number);
	ref->guard = (uint32_t)number.arg;
	p = item_skip(p);
	item_head(p, &number);
	ref->field = (uint32_t)number.arg;
	ref->add = list.arg > 2 ? item_skip(p) : NULL;
	return true;
}
