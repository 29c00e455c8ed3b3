/* Canonical items as JSON (RFC 8259). */
#include "decimal.h"
#include "diag.h"
#include "error.h"
#include "item.h"

#include <math.h>

struct json {
	struct buf *out, *path;
	bool lossy;
	int rc;
};

static const uint8_t *value(struct json *j, const uint8_t *p);

/* What JSON cannot hold: an error, which keeps the path, or what stands for it. */
static bool refused(struct json *j)
{
	if (!j->lossy && j->rc == 0)
		j->rc = ERROR_VALUE;
	return !j->lossy;
}

static void base64url(struct buf *out, struct bytes in)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	buf_byte(out, '"');
	for (size_t i = 0; i < in.n; i++) {
		bits = bits << 8 | in.p[i];
		for (have += 8; have >= 6; have -= 6)
			buf_byte(out, (uint8_t)digits[bits >> (have - 6) & 63]);
	}
	if (have > 0)
		buf_byte(out, (uint8_t)digits[bits << (6 - have) & 63]);
	buf_byte(out, '"');
}

/* The diagnostic notation of an item, as a JSON text. */
static const uint8_t *as_text(struct json *j, const uint8_t *p)
{
	struct buf text = BUF_INIT;

	diag_print(&text, p);
	j->out->failed |= text.failed;
	diag_quote(j->out, buf_bytes(&text));
	buf_close(&text);
	return item_skip(p);
}

static const uint8_t *array(struct json *j, const uint8_t *p, uint64_t count)
{
	size_t mark = j->path->len;

	buf_byte(j->out, '[');
	for (uint64_t i = 0; i < count && j->rc == 0; i++) {
		buf_printf(j->path, "[%llu]", (unsigned long long)i);
		buf_text(j->out, i > 0 ? ", " : "");
		p = value(j, p);
		if (j->rc == 0)
			j->path->len = mark;
	}
	buf_byte(j->out, ']');
	return p;
}

static const uint8_t *map(struct json *j, const uint8_t *p, uint64_t count)
{
	size_t mark = j->path->len;

	buf_byte(j->out, '{');
	for (uint64_t i = 0; i < count && j->rc == 0; i++) {
		buf_byte(j->path, '.');
		diag_print(j->path, p);
		buf_text(j->out, i > 0 ? ", " : "");
		if (item_type(p) == ITEM_TYPE_TEXT)
			p = value(j, p);
		else if (!refused(j))
			p = as_text(j, p);
		if (j->rc != 0)
			break;
		buf_text(j->out, ": ");
		p = value(j, p);
		if (j->rc == 0)
			j->path->len = mark;
	}
	buf_byte(j->out, '}');
	return p;
}

static const uint8_t *tag(struct json *j, const uint8_t *p, uint64_t number)
{
	struct bytes content = item_string(p);

	if (number == 2 || number == 3) {
		if (content.n <= DECIMAL_BYTES)
			decimal_put_bignum(j->out, number == 3, content);
		else if (!refused(j))
			base64url(j->out, content);
		return item_skip(p);
	}
	return refused(j) ? p : value(j, p);
}

static void simple(struct json *j, const struct item_head *h)
{
	static const char *const words[] = {"false", "true", "null"};

	if (h->info <= 24 && h->arg >= 20 && h->arg <= 22)
		buf_text(j->out, words[h->arg - 20]);
	else if (h->info > 24 && isfinite(item_float(h)))
		decimal_put_double(j->out, item_float(h));
	else if (!refused(j))
		buf_text(j->out, "null");
}

/* Answers the first byte behind the item, or any when j->rc is set. */
static const uint8_t *value(struct json *j, const uint8_t *p)
{
	struct item_head h;

	p = item_head(p, &h);
	switch ((enum item_major)h.major) {
	case ITEM_UINT:
		decimal_put_uint(j->out, h.arg);
		return p;
	case ITEM_NINT:
		decimal_put_negative(j->out, h.arg);
		return p;
	case ITEM_BYTES:
		if (!refused(j))
			base64url(j->out, (struct bytes){p, h.arg});
		return p + h.arg;
	case ITEM_TEXT:
		diag_quote(j->out, (struct bytes){p, h.arg});
		return p + h.arg;
	case ITEM_ARRAY:
		return array(j, p, h.arg);
	case ITEM_MAP:
		return map(j, p, h.arg);
	case ITEM_TAG:
		return tag(j, p, h.arg);
	case ITEM_SIMPLE:
		simple(j, &h);
		return p;
	}
	return p;
}

int diag_json(struct buf *out, const uint8_t *item, bool lossy, struct buf *path)
{
	struct buf unused = BUF_INIT;
	struct json j = {out, path != NULL ? path : &unused, lossy, 0};
	size_t before = out->len;

	j.path->len = 0;
	value(&j, item);
	if (j.rc != 0 && !out->failed)
		out->len = before;
	buf_close(&unused);
	return j.rc;
}
