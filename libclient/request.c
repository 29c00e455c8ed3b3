/* Reading requests. A message is made canonical first, all of it; then the
 * request's row says what stands where. What is wrong before the number is known
 * is fatal, and so is what is wrong in a message of number 0, which has no reply. */
#include "formal.h"
#include "item.h"
#include "message.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

#define SESSION_BYTES 16

/* What is left of a message while it is read. */
struct reader {
	struct request *r;
	struct message_error *err;
	const uint8_t *start, *p;
	uint64_t left; /* items from p on */
	bool has_tags; /* 21580 or 21581 somewhere in the message */
	bool is_hello; /* whatever is wrong in it is fatal */
};

/* A stranger's text as part of an error's: cut, and without control characters. */
struct quote {
	char text[48];
};

static struct quote quote(struct bytes s)
{
	struct quote q;
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

__attribute__((format(printf, 3, 4)))
static int refuse(struct reader *m, int code, const char *fmt, ...)
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

static const char *op_name(const struct reader *m)
{
	return message_rows[m->r->op].name;
}

static uint8_t major(const uint8_t *p)
{
	return *p >> 5;
}

static struct bytes take(struct reader *m)
{
	struct bytes item = item_bytes(m->p);

	m->p += item.n;
	m->left--;
	return item;
}

/* Whether the item is a map of texts to arrays of texts. */
static bool may_is(const uint8_t *p)
{
	struct item_head map, ops;

	p = item_head(p, &map);
	if (map.major != ITEM_MAP)
		return false;
	for (uint64_t i = 0; i < map.arg; i++) {
		if (major(p) != ITEM_TEXT)
			return false;
		p = item_head(item_skip(p), &ops);
		if (ops.major != ITEM_ARRAY)
			return false;
		for (uint64_t k = 0; k < ops.arg; k++, p = item_skip(p))
			if (major(p) != ITEM_TEXT)
				return false;
	}
	return true;
}

/* Puts the option's value into the request; answers what is wrong with it. */
static const char *option_value(struct request *r, enum message_option o, struct bytes item)
{
	struct item_head h;
	struct bytes s = item_string(item.p);
	uint64_t v;

	item_head(item.p, &h);
	switch (message_option_rows[o].kind) {
	case KIND_UINT:
		if (h.major != ITEM_UINT)
			return "not an unsigned integer";
		if (!message_number(item.p, &v))
			return "not below 2^53";
		r->option[o].u = v;
		return NULL;
	case KIND_BOOL:
		if (item_type(item.p) != ITEM_TYPE_BOOL)
			return "not a bool";
		r->option[o].u = h.arg == 21;
		return NULL;
	case KIND_TEXT:
		r->option[o].s = s;
		return h.major == ITEM_TEXT ? NULL : "not a text";
	case KIND_BYTES:
		r->option[o].s = s;
		r->session_text = h.major == ITEM_TEXT;
		if (r->session_text)
			return bytes_equal(s, bytes_of("new")) || bytes_equal(s, bytes_of("none"))
			               ? NULL : "neither \"new\" nor \"none\" nor an id";
		return h.major == ITEM_BYTES && s.n == SESSION_BYTES ? NULL
		                                                     : "not an id of 16 bytes";
	case KIND_LIST:
		r->option[o].s = item;
		return h.major == ITEM_ARRAY && message_ranges(message_list_items(item), NULL, NULL)
		               ? NULL : "not an array of n and [from, to]";
	case KIND_MAP:
		r->option[o].s = item;
		return may_is(item.p) ? NULL : "not a map of spaces to arrays of requests";
	case KIND_TOKENS:
	case KIND_BACKS:
	case KIND_OUTS:
		r->option[o].s = item; /* read_list() has looked at it */
		return NULL;
	}
	return "of no kind";
}

/* Whether a value that is right otherwise is beyond a limit: answers which. */
static const char *option_limit(const struct request *r, enum message_option o)
{
	struct item_head h;

	if (o == OPTION_MAX && (r->option[o].u < 1 || r->option[o].u > MESSAGE_LIST_MAX))
		return "not 1 to 1024";
	if (o == OPTION_LEASE && (r->option[o].u < 1 || r->option[o].u > MESSAGE_LEASE_MAX))
		return "not 1 to 86400000";
	if (o == OPTION_TRIES && (r->option[o].u < 1 || r->option[o].u > MESSAGE_TRIES_MAX))
		return "not 1 to 255";
	if (message_option_rows[o].kind != KIND_LIST)
		return NULL;
	item_head(r->option[o].s.p, &h);
	return h.arg > MESSAGE_LIST_MAX ? "more than 1024 entries" : NULL;
}

static int refuse_value(struct reader *m, int code, const char *what, int field, const char *why,
                        struct bytes detail)
{
	char place[48];

	snprintf(place, sizeof place, field < 0 ? "%s" : "%s, field %d", what, field);
	return refuse(m, code, "%s: %s: %s%s%s", op_name(m), place, why, detail.p ? ": " : "",
	              detail.p ? quote(detail).text : "");
}

static int check_tuple(struct reader *m, struct bytes item, const char *what)
{
	struct bytes detail = {NULL, 0};
	const char *why = "";
	int field, rc;

	rc = formal_check_tuple(item, m->has_tags, &why, &field, &detail);
	return rc == 0 ? 0 : refuse_value(m, rc, what, field, why, detail);
}

/* An entry of a list, and what errors call it. */
struct entry {
	const uint8_t *p;
	struct item_head head;
	const uint8_t *first; /* behind the head */
	char name[32];
};

static int read_token(struct reader *m, const struct entry *e)
{
	uint64_t token;

	return message_number(e->p, &token)
	               ? 0 : refuse(m, ERROR_REQUEST, "%s: %s: not a token", op_name(m), e->name);
}

static int read_back(struct reader *m, const struct entry *e)
{
	uint64_t token, delay;

	if (e->head.major != ITEM_ARRAY || e->head.arg != 2 || !message_number(e->first, &token) ||
	    !message_number(item_skip(e->first), &delay))
		return refuse(m, ERROR_REQUEST, "%s: %s: not [token, delay]", op_name(m), e->name);
	if (delay > 0)
		return refuse(m, ERROR_REQUEST, "%s: %s: a delay is not spoken yet", op_name(m),
		              e->name);
	return 0;
}

static int read_out(struct reader *m, const struct entry *e)
{
	const uint8_t *tuple, *options;
	struct item_head h;

	if (e->head.major != ITEM_ARRAY || e->head.arg < 2 || e->head.arg > 3 ||
	    major(e->first) != ITEM_TEXT)
		return refuse(m, ERROR_REQUEST, "%s: %s: not [space, tuple]", op_name(m), e->name);
	tuple = item_skip(e->first);
	if (e->head.arg == 2)
		return check_tuple(m, item_bytes(tuple), e->name);
	options = item_head(item_skip(tuple), &h);
	if (h.major != ITEM_MAP)
		return refuse(m, ERROR_REQUEST, "%s: %s: the options are not a map", op_name(m),
		              e->name);
	if (h.arg > 0)
		return refuse(m, ERROR_REQUEST, "%s: %s: no such option: %s", op_name(m), e->name,
		              quote(item_string(options)).text);
	return check_tuple(m, item_bytes(tuple), e->name);
}

/* The array at m->p, which `name` names, entry by entry; m->p stays where it is
 * unless an entry is refused. */
static int read_list(struct reader *m, const char *name,
                     int (*read)(struct reader *m, const struct entry *e))
{
	const uint8_t *start = m->p;
	struct item_head h;
	struct entry e;
	int rc = 0;

	e.p = item_head(start, &h);
	if (h.major != ITEM_ARRAY)
		return refuse(m, ERROR_REQUEST, "%s: %s: not an array", op_name(m), name);
	if (h.arg > MESSAGE_LIST_MAX)
		return refuse(m, ERROR_LIMIT, "%s: %s: more than %d entries", op_name(m), name,
		              MESSAGE_LIST_MAX);
	for (unsigned i = 0; i < h.arg && rc == 0; i++, e.p = item_skip(e.p)) {
		snprintf(e.name, sizeof e.name, "%s %u", name, i);
		e.first = item_head(e.p, &e.head);
		m->p = e.p;
		rc = read(m, &e);
	}
	if (rc == 0)
		m->p = start;
	return rc;
}

/* The value at m->p, which is not stepped over. */
static int read_option_value(struct reader *m, enum message_option o)
{
	const char *name = message_option_rows[o].name, *why;
	int rc;

	switch (message_option_rows[o].kind) {
	case KIND_TOKENS:
		rc = read_list(m, name, read_token);
		break;
	case KIND_BACKS:
		rc = read_list(m, name, read_back);
		break;
	case KIND_OUTS:
		rc = read_list(m, name, read_out);
		break;
	default:
		rc = 0;
	}
	if (rc)
		return rc;
	why = option_value(m->r, o, item_bytes(m->p));
	if (why)
		return refuse(m, ERROR_REQUEST, "%s: option %s: %s", op_name(m), name, why);
	why = option_limit(m->r, o);
	if (why)
		return refuse(m, ERROR_LIMIT, "%s: option %s: %s", op_name(m), name, why);
	return 0;
}

static int read_option(struct reader *m)
{
	int o, rc;

	if (major(m->p) != ITEM_TEXT)
		return refuse(m, ERROR_REQUEST, "%s: an option's name is not a text", op_name(m));
	o = message_option_named(item_string(m->p), m->r->op);
	if (o < 0)
		return refuse(m, ERROR_REQUEST, "%s: no such option: %s", op_name(m),
		              quote(item_string(m->p)).text);
	m->p = item_skip(m->p);
	rc = read_option_value(m, (enum message_option)o);
	if (rc)
		return rc;
	m->r->have |= 1u << o;
	m->p = item_skip(m->p);
	return 0;
}

/* The last item of the message, or none. */
static int read_options(struct reader *m)
{
	struct item_head h;
	const uint8_t *first;
	int rc = 0;

	if (m->left == 0)
		return 0;
	if (m->left > 1 && major(m->p) == ITEM_MAP)
		return refuse(m, ERROR_REQUEST, "%s: too many arguments", op_name(m));
	first = item_head(m->p, &h);
	if (h.major != ITEM_MAP)
		return refuse(m, ERROR_REQUEST, "%s: the options are not a map", op_name(m));
	m->p = first;
	for (uint64_t i = 0; i < h.arg && rc == 0; i++)
		rc = read_option(m);
	m->left = 0;
	return rc;
}

static int read_tuples(struct reader *m)
{
	struct item_head h;
	struct bytes list = item_bytes(m->p);
	const uint8_t *p = item_head(m->p, &h);
	char what[32];
	int rc = 0;

	if (h.major != ITEM_ARRAY)
		return refuse(m, ERROR_VALUE, "%s: not an array of tuples", op_name(m));
	if (h.arg > MESSAGE_LIST_MAX)
		return refuse(m, ERROR_LIMIT, "%s: more than %d tuples", op_name(m),
		              MESSAGE_LIST_MAX);
	for (uint64_t i = 0; i < h.arg && rc == 0; i++) {
		struct bytes tuple = item_bytes(p);

		snprintf(what, sizeof what, "tuple %d", (int)i);
		m->p = p;
		rc = check_tuple(m, tuple, what);
		p += tuple.n;
	}
	m->r->value = list;
	if (rc == 0)
		m->p = list.p;
	return rc;
}

static int read_template(struct reader *m)
{
	struct bytes detail = {NULL, 0};
	const char *why = "";
	int field, rc;

	m->r->value = item_bytes(m->p);
	rc = formal_check_template(m->r->value, &why, &field, &detail);
	return rc == 0 ? 0 : refuse_value(m, rc, "template", field, why, detail);
}

/* All that is left: one entry at least. */
static int read_ranges(struct reader *m)
{
	const uint8_t *start = m->p;

	if (m->left > MESSAGE_LIST_MAX)
		return refuse(m, ERROR_LIMIT, "%s: more than %d entries", op_name(m),
		              MESSAGE_LIST_MAX);
	for (; m->left > 0; take(m))
		if (!message_ranges(item_bytes(m->p), NULL, NULL))
			return refuse(m, ERROR_REQUEST, "%s: neither a number nor [from, to]",
			              op_name(m));
	m->r->value = (struct bytes){start, (size_t)(m->p - start)};
	return 0;
}

static int read_text(struct reader *m, struct bytes *to, const char *what)
{
	if (major(m->p) != ITEM_TEXT)
		return refuse(m, ERROR_REQUEST, "%s: the %s is not a text", op_name(m), what);
	*to = item_string(m->p);
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
	};

	return names[arg];
}

static bool may_be_missing(enum message_arg arg)
{
	return arg == ARG_NAME || arg == ARG_WHAT || arg == ARG_OPTIONS;
}

/* One argument, which is there; it is stepped over afterwards. */
static int read_value(struct reader *m, enum message_arg arg)
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
		return check_tuple(m, r->value, "tuple");
	case ARG_TUPLES:
		return read_tuples(m);
	case ARG_TEMPLATE:
		return read_template(m);
	case ARG_NUMBER:
		return message_number(m->p, &r->number)
		               ? 0 : refuse(m, ERROR_REQUEST, "%s: not a number", op_name(m));
	case ARG_TOKENS:
		r->value = item_bytes(m->p);
		return read_list(m, "token", read_token);
	case ARG_RANGES:
	case ARG_OPTIONS:
	case ARG_NONE:
		break;
	}
	return 0;
}

static int read_arg(struct reader *m, enum message_arg arg)
{
	int rc;

	if (arg == ARG_NONE || arg == ARG_OPTIONS) /* the map is read like all options */
		return 0;
	if (may_be_missing(arg) && (m->left == 0 || major(m->p) == ITEM_MAP))
		return 0;
	if (m->left == 0)
		return refuse(m, ERROR_REQUEST, "%s: the %s is missing", op_name(m), arg_name(arg));
	if (arg == ARG_RANGES)
		return read_ranges(m);
	rc = read_value(m, arg);
	if (rc == 0)
		take(m);
	return rc;
}

static int read_args(struct reader *m)
{
	int rc = 0;

	for (int i = 0; i < MESSAGE_ARGS && rc == 0; i++)
		rc = read_arg(m, message_rows[m->r->op].args[i]);
	return rc == 0 ? read_options(m) : rc;
}

/* The number has been read. */
static int read_name(struct reader *m)
{
	int op;

	if (m->left == 0 || major(m->p) != ITEM_TEXT)
		return refuse(m, ERROR_REQUEST, "the request's name is missing");
	op = message_op_named(item_string(m->p));
	if (m->r->n == 0 && op != MESSAGE_ACK)
		return refuse(m, ERROR_MALFORMED, "the number 0 is for ack alone");
	if (op < 0)
		return refuse(m, ERROR_REQUEST, "no such request: %s",
		              quote(item_string(m->p)).text);
	m->r->op = (enum message_op)op;
	m->is_hello = op == MESSAGE_HELLO;
	if (op == MESSAGE_ACK && m->r->n != 0)
		return refuse(m, ERROR_REQUEST, "ack: its number is 0");
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
		if (major(p) != (i == 0 ? ITEM_ARRAY : ITEM_UINT) || info > 27 ||
		    (info > 23 && end - p <= 1 << (info - 24)))
			return 0;
		p = item_head(p, &h);
	}
	return h.arg < MESSAGE_NUMBER_MAX ? h.arg : 0;
}

static int refuse_raw(struct reader *m, struct bytes message, const struct codec_error *why)
{
	m->r->n = number_of(message);
	m->start = message.p;
	m->p = message.p + why->offset;
	return refuse(m, why->code, "%s at byte %zu of the message", why->why, why->offset);
}

int message_decode(struct bytes message, struct buf *scratch, struct request *r,
                   struct message_error *err)
{
	static const struct codec_limits limits = {CODEC_HEADS_FRAME, CODEC_DEPTH + 4};
	struct reader m = {.r = r, .err = err};
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
		return refuse(&m, ERROR_MALFORMED, "not an array that begins with a number");
	if (!message_number(m.p, &r->n)) {
		r->n = 0;
		return refuse(&m, ERROR_MALFORMED,
		              "the message does not begin with a number below 2^53");
	}
	take(&m);
	return read_name(&m);
}

