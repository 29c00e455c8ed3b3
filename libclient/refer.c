#include "refer.h"

#include "error.h"
#include "item.h"
#include "message.h"
#include "whole.h"

static int refuse(struct refer *r, const struct message_ref *ref, int code, const char *why)
{
	r->guard = ref->guard;
	r->index = ref->field;
	r->why = why;
	return code;
}

static int replace(struct buf *b, struct refer *r, const struct message_ref *ref)
{
	struct bytes field = r->field(r->ctx, ref->guard, ref->field);
	struct bytes add = ref->add ? item_bytes(ref->add) : (struct bytes){NULL, 0};
	struct whole x, y;

	if (!field.p)
		return refuse(r, ref, ERROR_VALUE, "is not there");
	if (add.p && item_type(field.p) != ITEM_TYPE_INT)
		return refuse(r, ref, ERROR_VALUE, "is not an int");
	if (field.n + add.n > r->left)
		return refuse(r, ref, ERROR_LIMIT, "is too much");
	r->left -= field.n + add.n;
	if (!add.p) {
		item_put_item(b, field);
		return 0;
	}
	whole_read(&x, field.p);
	whole_read(&y, add.p);
	whole_put_sum(b, &x, &y);
	return 0;
}

int refer_put(struct buf *b, struct bytes item, struct refer *r)
{
	const uint8_t *p = item.p, *end = item.p + item.n, *copied = p;
	struct message_ref ref;
	struct item_head h;
	int rc = 0;

	while (p < end && rc == 0) {
		const uint8_t *at = p;

		p = item_head(p, &h);
		if (h.major == ITEM_BYTES || h.major == ITEM_TEXT)
			p += h.arg;
		if (h.major != ITEM_TAG || !message_ref_read(at, &ref))
			continue;
		buf_append(b, copied, (size_t)(at - copied));
		rc = replace(b, r, &ref);
		copied = p = item_skip(at);
	}
	if (rc == 0)
		buf_append(b, copied, (size_t)(end - copied));
	return rc;
}
