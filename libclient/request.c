/* Reading requests. A message is made canonical first, all of it; then the
 * request's row says what stands where. What is wrong before the number is known
 * is fatal, and so is what is wrong in a message of number 0, which has no reply. */
#include "request.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct request_quote request_quote(struct bytes s)
{
	struct request_quote q;
	size_t n = 0, size;
	uint32_t c;

	while ((size = utf8_next(s, &c)) > 0 && n + size < sizeof q.text - 3) {
		memcpy(q.text + n, s.p, size);
		if (c < 32 || c == 127)
			q.text[n] = '?';
		n += size;
		s = (struct bytes){s.p + size, s.n - size};
	}
	strcpy(q.text + n, s.n ? "..." : "");
	return q;
}

int request_refuse(struct request_reader *m, int code, const char *fmt, ...)
{
	struct message_error *err = m->err;
	va_list ap;

	err->code = code;
	err->n = m->r->n;
	err->fatal = m->r->n == 0 || m->is_hello;
	err->offset = (size_t)(m->p - m->start);
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return code;
}

static struct bytes take(struct request_reader *m)
{
	struct bytes item = item_bytes(m->p);

	m->p += item.n;
	m->left--;
	return item;
}

int request_refuse_value(struct request_reader *m, int code, const char *what, int field,
                         const char *why, struct bytes detail)
{
	char place[48];

	snprintf(place, sizeof place, field < 0 ? "%s" : "%s, field %d", what, field);
	return request_refuse(m, code, "%s: %s: %s%s%s", request_op_name(m), place, why,
	                      detail.p ? ": " : "", detail.p ? request_quote(detail).text : "");
}

int request_check_tuple(struct request_reader *m, struct bytes item, const char *what)
{
	struct bytes detail = {NULL, 0};
	const char *why = "";
	int field, rc;

	rc = formal_check_tuple(item, m->has_tags, &why, &field, &detail);
	return rc == 0 ? 0 : request_refuse_value(m, rc, what, field, why, detail);
}

int request_check_template(struct request_reader *m, struct bytes item, const char *what)
{
	struct bytes detail = {NULL, 0};
	const char *why = "";
	int field, rc;

	rc = formal_check_template(item, &why, &field, &detail);
	return rc == 0 ? 0 : request_refuse_value(m, rc, what, field, why, detail);
}

/* All that is left: one entry at least. */
static int read_ranges(struct request_reader *m)
{
	const uint8_t *start = m->p;

	if (m->left > MESSAGE_LIST_MAX)
		return request_refuse(m, ERROR_LIMIT, "%s: more than %d entries",
		                      request_op_name(m),
		                      MESSAGE_LIST_MAX);
	for (; m->left > 0; take(m))
		if (!message_ranges(item_bytes(m->p), NULL, NULL))
			return request_refuse(m, ERROR_REQUEST,
			                      "%s: neither a number nor [from, to]",
			                      request_op_name(m));
	m->r->value = (struct bytes){start, (size_t)(m->p - start)};
	return 0;
}

static int read_text(struct request_reader *m, struct bytes *to, const char *what)
{
	if (request_major(m->p) != ITEM_TEXT)
		return request_refuse(m, ERROR_REQUEST, "%s: the %s is not a text",
		                      request_op_name(m), what);
	*to = item_string(m->p);
	return 0;
}

/* ["ge", k] or ["eq", 0]. */
static int read_condition(struct request_reader *m)
{
	struct request *r = m->r;
	struct item_head h;
	const uint8_t *p = item_head(m->p, &h);
	bool eq;

	if (h.major != ITEM_ARRAY || h.arg != 2 || request_major(p) != ITEM_TEXT ||
	    !message_number(item_skip(p), &r->number))
		return request_refuse(m, ERROR_REQUEST, "%s: the condition is not [text, number]",
		                      request_op_name(m));
	r->verb = item_string(p);
	eq = bytes_equal(r->verb, bytes_of("eq"));
	if (!eq && !bytes_equal(r->verb, bytes_of("ge")))
		return request_refuse(m, ERROR_REQUEST, "%s: no such condition: %s (ge, eq)",
		                      request_op_name(m), request_quote(r->verb).text);
	if (eq && r->number != 0)
		return request_refuse(m, ERROR_REQUEST, "%s: eq is for 0 alone",
		                      request_op_name(m));
	return 0;
}

static const char *arg_name(enum message_arg arg)
{
	static const char *const names[] = {
		[ARG_SPACE] = "space",
		[ARG_TUPLE] = "tuple",
		[ARG_TUPLES] = "array of tuples",
		[ARG_TEMPLATE] = "template",
		[ARG_NUMBER] = "number",
		[ARG_RANGES] = "number",
		[ARG_VERB] = "verb",
		[ARG_NAME] = "name",
		[ARG_WHAT] = "what",
		[ARG_TOKENS] = "array of tokens",
		[ARG_CONDITION] = "condition",
		[ARG_STEPS] = "array of steps",
	};

	return names[arg];
}

static bool may_be_missing(enum message_arg arg)
{
	return arg == ARG_NAME || arg == ARG_WHAT || arg == ARG_OPTIONS;
}

/* One argument, which is there; it is stepped over afterwards. */
static int read_value(struct request_reader *m, enum message_arg arg)
{
	struct request *r = m->r;

	switch (arg) {
	case ARG_SPACE:
	case ARG_NAME:
		return read_text(m, &r->space, arg_name(arg));
	case ARG_VERB:
	case ARG_WHAT:
		return read_text(m, &r->verb, arg_name(arg));
	case ARG_TUPLE:
		r->value = item_bytes(m->p);
		return request_check_tuple(m, r->value, "tuple");
	case ARG_TUPLES:
		return request_tuples(m);
	case ARG_TEMPLATE:
		r->value = item_bytes(m->p);
		return request_check_template(m, r->value, "template");
	case ARG_CONDITION:
		return read_condition(m);
	case ARG_STEPS:
		return request_steps(m);
	case ARG_NUMBER:
		return message_number(m->p, &r->number)
		               ? 0 : request_refuse(m, ERROR_REQUEST, "%s: not a number",
		                                    request_op_name(m));
	case ARG_TOKENS:
		r->value = item_bytes(m->p);
		return request_tokens(m, "token");
	case ARG_RANGES:
	case ARG_OPTIONS:
	case ARG_NONE:
		break;
	}
	return 0;
}

static int read_arg(struct request_reader *m, enum message_arg arg)
{
	int rc;

	if (arg == ARG_NONE || arg == ARG_OPTIONS) /* the map is read like all options */
		return 0;
	if (may_be_missing(arg) && (m->left == 0 || request_major(m->p) == ITEM_MAP))
		return 0;
	if (m->left == 0)
		return request_refuse(m, ERROR_REQUEST, "%s: the %s is missing",
		                      request_op_name(m), arg_name(arg));
	if (arg == ARG_RANGES)
		return read_ranges(m);
	rc = read_value(m, arg);
	if (rc == 0)
		take(m);
	return rc;
}

static int read_args(struct request_reader *m)
{
	int rc = 0;

	for (int i = 0; i < MESSAGE_ARGS && rc == 0; i++)
		rc = read_arg(m, message_rows[m->r->op].args[i]);
	return rc == 0 ? request_options(m) : rc;
}

/* The number has been read. */
static int read_name(struct request_reader *m)
{
	int op;

	if (m->left == 0 || request_major(m->p) != ITEM_TEXT)
		return request_refuse(m, ERROR_REQUEST, "the request's name is missing");
	op = message_op_named(item_string(m->p));
	if (m->r->n == 0 && op != MESSAGE_ACK)
		return request_refuse(m, ERROR_MALFORMED, "the number 0 is for ack alone");
	if (op < 0)
		return request_refuse(m, ERROR_REQUEST, "no such request: %s",
		                      request_quote(item_string(m->p)).text);
	m->r->op = (enum message_op)op;
	m->is_hello = op == MESSAGE_HELLO;
	if (op == MESSAGE_ACK && m->r->n != 0)
		return request_refuse(m, ERROR_REQUEST, "ack: its number is 0");
	take(m);
	return read_args(m);
}

/* The request's number in a message that is refused as a whole, or 0. */
static uint64_t number_of(struct bytes raw)
{
	const uint8_t *p = raw.p, *end = raw.p + raw.n;
	struct item_head h;
	unsigned info;

	for (int i = 0; i < 2; i++) { /* the array's head, which may be 0x9f, and the number's */
		if (p == end)
			return 0;
		info = *p & 31;
		if (i == 0 && *p == 0x9f) {
			p++;
			continue;
		}
		if (request_major(p) != (i == 0 ? ITEM_ARRAY : ITEM_UINT) || info > 27 ||
		    (info > 23 && end - p <= 1 << (info - 24)))
			return 0;
		p = item_head(p, &h);
	}
	return h.arg < MESSAGE_NUMBER_MAX ? h.arg : 0;
}

static int refuse_raw(struct request_reader *m, struct bytes message, const struct codec_error *why)
{
	m->r->n = number_of(message);
	m->start = message.p;
	m->p = message.p + why->offset;
	return request_refuse(m, why->code, "%s at byte %zu of the message", why->why, why->offset);
}

int message_decode(struct bytes message, struct buf *scratch, struct request *r,
                   struct message_error *err)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH + 4};
	struct request_reader m = {.r = r, .err = err};
	struct codec_error why;
	struct codec_info info;
	struct bytes in;
	struct item_head h;

	memset(r, 0, sizeof *r);
	if (codec_canonical(message, &in, scratch, &limits, &info, &why) != 0)
		return refuse_raw(&m, message, &why);
	m.has_tags = info.formals || info.refs;
	m.start = in.p;
	m.p = item_head(in.p, &h);
	m.left = h.arg;
	if (h.major != ITEM_ARRAY || h.arg == 0)
		return request_refuse(&m, ERROR_MALFORMED,
		                      "not an array that begins with a number");
	if (!message_number(m.p, &r->n)) {
		r->n = 0;
		return request_refuse(&m, ERROR_MALFORMED,
		                      "the message does not begin with a number below 2^53");
	}
	take(&m);
	return read_name(&m);
}

