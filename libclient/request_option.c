/* Reading requests: the map of options. */
#include "request.h"

#define SESSION_BYTES 16

/* Whether the item is a map of texts to arrays of texts. */
static bool may_is(const uint8_t *p)
{
	struct item_head map, ops;

	p = item_head(p, &map);
	if (map.major != ITEM_MAP)
		return false;
	for (uint64_t i = 0; i < map.arg; i++) {
		if (request_major(p) != ITEM_TEXT)
			return false;
		p = item_head(item_skip(p), &ops);
		if (ops.major != ITEM_ARRAY)
			return false;
		for (uint64_t k = 0; k < ops.arg; k++, p = item_skip(p))
			if (request_major(p) != ITEM_TEXT)
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
	case KIND_TEMPLATE:
		r->option[o].s = item; /* looked at before */
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
	if (o == OPTION_TTL && r->option[o].u < 1)
		return "not above 0";
	if (o == OPTION_TRIES && r->option[o].u > MESSAGE_TRIES_MAX)
		return "not 0 to 255";
	if (message_option_rows[o].kind != KIND_LIST)
		return NULL;
	item_head(r->option[o].s.p, &h);
	return h.arg > MESSAGE_LIST_MAX ? "more than 1024 entries" : NULL;
}

/* The value at m->p, which is not stepped over. */
static int read_option_value(struct request_reader *m, enum message_option o)
{
	const char *name = message_option_rows[o].name, *why;
	int rc;

	switch (message_option_rows[o].kind) {
	case KIND_TOKENS:
		rc = request_tokens(m, name);
		break;
	case KIND_BACKS:
		rc = request_backs(m, name);
		break;
	case KIND_OUTS:
		rc = request_outs(m, name);
		break;
	case KIND_TEMPLATE:
		rc = request_check_template(m, item_bytes(m->p), name);
		break;
	default:
		rc = 0;
	}
	if (rc)
		return rc;
	why = option_value(m->r, o, item_bytes(m->p));
	if (why)
		return request_refuse(m, ERROR_REQUEST, "%s: option %s: %s", request_op_name(m),
		                      name, why);
	why = option_limit(m->r, o);
	if (why)
		return request_refuse(m, ERROR_LIMIT, "%s: option %s: %s", request_op_name(m),
		                      name, why);
	return 0;
}

static int read_option(struct request_reader *m)
{
	int o, rc;

	if (request_major(m->p) != ITEM_TEXT)
		return request_refuse(m, ERROR_REQUEST, "%s: an option's name is not a text",
		                      request_op_name(m));
	o = message_option_named(item_string(m->p), m->r->op);
	if (o < 0)
		return request_refuse(m, ERROR_REQUEST, "%s: no such option: %s",
		                      request_op_name(m),
		                      request_quote(item_string(m->p)).text);
	m->p = item_skip(m->p);
	rc = read_option_value(m, (enum message_option)o);
	if (rc)
		return rc;
	m->r->have |= (uint64_t)1 << o;
	m->p = item_skip(m->p);
	return 0;
}

/* The last item of the message, or none. */
int request_options(struct request_reader *m)
{
	struct item_head h;
	const uint8_t *first;
	int rc = 0;

	if (m->left == 0)
		return 0;
	if (m->left > 1 && request_major(m->p) == ITEM_MAP)
		return request_refuse(m, ERROR_REQUEST, "%s: too many arguments",
		                      request_op_name(m));
	first = item_head(m->p, &h);
	if (h.major != ITEM_MAP)
		return request_refuse(m, ERROR_REQUEST, "%s: the options are not a map",
		                      request_op_name(m));
	m->p = first;
	for (uint64_t i = 0; i < h.arg && rc == 0; i++)
		rc = read_option(m);
	if (rc == 0 && (MESSAGE_PUTS >> m->r->op & 1) && request_has(m->r, OPTION_HIDDEN) &&
	    !request_has(m->r, OPTION_UNLESS))
		return request_refuse(m, ERROR_REQUEST, "%s: option hidden is for unless",
		                      request_op_name(m));
	m->left = 0;
	return rc;
}

