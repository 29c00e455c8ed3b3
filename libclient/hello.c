#include "hello.h"

#include "frame.h"
#include "item.h"
#include "message.h"

void hello_put(struct buf *b, const struct hello *h)
{
	size_t mark = frame_begin(b);
	unsigned entries = 2 + (h->may.n != 0) + (h->auth != NULL) + (h->have_count != 0) +
	                   (h->grace_ms != UINT64_MAX) + (h->client != NULL) +
	                   (h->attempt != UINT64_MAX);

	item_put_head(b, ITEM_ARRAY, 3);
	item_put_uint(b, HELLO_NUMBER);
	item_put_text(b, "hello");
	item_put_head(b, ITEM_MAP, entries); /* keys in deterministic order: shorter ones first */
	item_put_text(b, "v");
	item_put_uint(b, MESSAGE_VERSION);
	if (h->may.n != 0) {
		item_put_text(b, "may");
		item_put_item(b, h->may);
	}
	if (h->auth != NULL) {
		item_put_text(b, "auth");
		item_put_text(b, h->auth);
	}
	if (h->have_count != 0) {
		item_put_text(b, "have");
		item_put_head(b, ITEM_ARRAY, h->have_count);
		item_put_item(b, h->have);
	}
	if (h->grace_ms != UINT64_MAX) {
		item_put_text(b, "grace");
		item_put_uint(b, h->grace_ms);
	}
	if (h->client != NULL) {
		item_put_text(b, "client");
		item_put_text(b, h->client);
	}
	if (h->attempt != UINT64_MAX) {
		item_put_text(b, "attempt");
		item_put_uint(b, h->attempt);
	}
	item_put_text(b, "session");
	if (h->id.n != 0)
		item_put_bytes(b, h->id);
	else
		item_put_text(b, h->resumable ? "new" : "none");
	frame_end(b, mark);
}

/* The value of the text key `key` of the canonical map at `map`, or NULL. */
static const uint8_t *entry(struct bytes map, const char *key)
{
	struct item_head h;
	const uint8_t *p;

	if (map.n == 0)
		return NULL;
	p = item_head(map.p, &h);
	if (h.major != ITEM_MAP)
		return NULL;
	for (uint64_t i = 0; i < h.arg; i++) {
		const uint8_t *value = item_skip(p);

		if (item_type(p) == ITEM_TYPE_TEXT && bytes_equal(item_string(p), bytes_of(key)))
			return value;
		p = item_skip(value);
	}
	return NULL;
}

static bool entry_uint(struct bytes map, const char *key, uint64_t *v)
{
	const uint8_t *p = entry(map, key);
	struct item_head h;

	if (p == NULL)
		return true;
	item_head(p, &h);
	*v = h.arg;
	return h.major == ITEM_UINT;
}

bool hello_read(struct bytes body, struct welcome *w)
{
	const uint8_t *p;

	*w = (struct welcome){0};
	if (body.n == 0 || body.p[0] >> 5 != ITEM_MAP)
		return false;
	p = entry(body, "session");
	if (p != NULL) {
		if (item_type(p) != ITEM_TYPE_BYTES)
			return false;
		w->id = item_string(p);
		if (w->id.n == 0 || w->id.n > HELLO_ID_MAX)
			return false;
	}
	return entry_uint(body, "boot", &w->boot) && entry_uint(body, "grace", &w->grace_ms);
}

bool hello_feature(struct bytes body, const char *feature)
{
	const uint8_t *p = entry(body, "features");
	struct item_head h;

	if (p == NULL)
		return false;
	p = item_head(p, &h);
	for (uint64_t i = 0; h.major == ITEM_ARRAY && i < h.arg; i++, p = item_skip(p)) {
		if (item_type(p) == ITEM_TYPE_TEXT &&
		    bytes_equal(item_string(p), bytes_of(feature)))
			return true;
	}
	return false;
}
