/* Reading requests: arrays of tokens, of tuples, of what a commit puts, and the
 * steps of an atomic. */
#include "request.h"

#include <stdio.h>

/* An entry of a list, and what errors call it. */
struct entry {
	const uint8_t *p;
	struct item_head head;
	const uint8_t *first; /* behind the head */
	unsigned at;
	char name[32];
};

/* What is read entry by entry, and remembered between them. */
struct list {
	int (*read)(struct request_reader *m, struct list *l, const struct entry *e);
	const char *name;
	unsigned most;
	uint32_t guards; /* steps: a bit for each `in` and `rd` so far */
	unsigned outs;   /* steps: so far */
};

static int refuse_entry(struct request_reader *m, const struct entry *e, const char *why)
{
	return request_refuse(m, ERROR_REQUEST, "%s: %s: %s", request_op_name(m), e->name, why);
}

static int read_list(struct request_reader *m, struct list *l)
{
	const uint8_t *start = m->p;
	struct item_head h;
	struct entry e;
	int rc = 0;

	e.p = item_head(start, &h);
	if (h.major != ITEM_ARRAY)
		return request_refuse(m, ERROR_REQUEST, "%s: %s: not an array", request_op_name(m),
		                      l->name);
	if (h.arg > l->most)
		return request_refuse(m, ERROR_LIMIT, "%s: %s: more than %u entries",
		                      request_op_name(m), l->name, l->most);
	for (e.at = 0; e.at < h.arg && rc == 0; e.at++, e.p = item_skip(e.p)) {
		snprintf(e.name, sizeof e.name, "%s %u", l->name, e.at);
		e.first = item_head(e.p, &e.head);
		m->p = e.p;
		rc = l->read(m, l, &e);
	}
	if (rc == 0)
		m->p = start;
	return rc;
}

static int read_token(struct request_reader *m, struct list *l, const struct entry *e)
{
	uint64_t token;

	(void)l;
	return message_number(e->p, &token) ? 0 : refuse_entry(m, e, "not a token");
}

int request_tokens(struct request_reader *m, const char *name)
{
	return read_list(m, &(struct list){read_token, name, MESSAGE_LIST_MAX, 0, 0});
}

static int read_back(struct request_reader *m, struct list *l, const struct entry *e)
{
	uint64_t token, delay;

	(void)l;
	if (e->head.major != ITEM_ARRAY || e->head.arg != 2 || !message_number(e->first, &token) ||
	    !message_number(item_skip(e->first), &delay))
		return refuse_entry(m, e, "not [token, delay]");
	return 0;
}

int request_backs(struct request_reader *m, const char *name)
{
	return read_list(m, &(struct list){read_back, name, MESSAGE_LIST_MAX, 0, 0});
}

/* ---- options of an entry ------------------------------------------------------------ */

static int refuse_option(struct request_reader *m, const struct entry *e, struct bytes name,
                         const char *why)
{
	return request_refuse(m, ERROR_REQUEST, "%s: %s: option %s: %s", request_op_name(m),
	                      e->name, request_quote(name).text, why);
}

/* One pair of the options of something that is put. */
static int read_put_option(struct request_reader *m, const struct entry *e, const uint8_t *p)
{
	struct bytes name = item_string(p);
	const uint8_t *value = item_skip(p);
	uint64_t ms;

	if (bytes_equal(name, bytes_of("bound")))
		return item_type(value) == ITEM_TYPE_BOOL
		               ? 0 : refuse_option(m, e, name, "not a bool");
	if (!bytes_equal(name, bytes_of("ttl")) && !bytes_equal(name, bytes_of("delay")))
		return request_refuse(m, ERROR_REQUEST, "%s: %s: no such option: %s",
		                      request_op_name(m), e->name, request_quote(name).text);
	if (!message_number(value, &ms))
		return refuse_option(m, e, name, "not an unsigned integer below 2^53");
	if (ms == 0 && name.n == 3)
		return request_refuse(m, ERROR_LIMIT, "%s: %s: option ttl: not above 0",
		                      request_op_name(m), e->name);
	return 0;
}

static int read_no_option(struct request_reader *m, const struct entry *e, const uint8_t *p)
{
	struct bytes name = item_string(p);

	if (!bytes_equal(name, bytes_of("hidden")))
		return request_refuse(m, ERROR_REQUEST, "%s: %s: no such option: %s",
		                      request_op_name(m), e->name, request_quote(name).text);
	return item_type(item_skip(p)) == ITEM_TYPE_BOOL ? 0
	                                                 : refuse_option(m, e, name, "not a bool");
}

/* The map at `p`, when there is one. */
static int read_entry_options(struct request_reader *m, const struct entry *e, const uint8_t *p,
                              int (*read)(struct request_reader *m, const struct entry *e,
                                          const uint8_t *p))
{
	struct item_head h;
	int rc = 0;

	p = item_head(p, &h);
	if (h.major != ITEM_MAP)
		return refuse_entry(m, e, "the options are not a map");
	for (uint64_t i = 0; i < h.arg && rc == 0; i++) {
		if (request_major(p) != ITEM_TEXT)
			return refuse_entry(m, e, "an option's name is not a text");
		rc = read(m, e, p);
		p = item_skip(item_skip(p));
	}
	return rc;
}

/* ---- what a commit puts --------------------------------------------------------------- */

static int read_out(struct request_reader *m, struct list *l, const struct entry *e)
{
	const uint8_t *tuple;
	int rc = 0;

	(void)l;
	if (e->head.major != ITEM_ARRAY || e->head.arg < 2 || e->head.arg > 3 ||
	    request_major(e->first) != ITEM_TEXT)
		return refuse_entry(m, e, "not [space, tuple] or [space, tuple, {options}]");
	tuple = item_skip(e->first);
	if (e->head.arg == 3)
		rc = read_entry_options(m, e, item_skip(tuple), read_put_option);
	return rc ? rc : request_check_tuple(m, item_bytes(tuple), e->name);
}

int request_outs(struct request_reader *m, const char *name)
{
	return read_list(m, &(struct list){read_out, name, MESSAGE_LIST_MAX, 0, 0});
}

/* ---- the steps of an atomic ------------------------------------------------------------- */

static int step_kind(const struct entry *e)
{
	static const char *const names[] = {
		[STEP_IN] = "in", [STEP_RD] = "rd", [STEP_NO] = "no", [STEP_OUT] = "out"};

	if (e->head.major != ITEM_ARRAY || e->head.arg < 3 || e->head.arg > 4 ||
	    request_major(e->first) != ITEM_TEXT ||
	    request_major(item_skip(e->first)) != ITEM_TEXT)
		return -1;
	for (int kind = STEP_IN; kind <= STEP_OUT; kind++)
		if (bytes_equal(item_string(e->first), bytes_of(names[kind])))
			return kind;
	return -1;
}

static int check_refs(struct request_reader *m, const struct list *l, const struct entry *e,
                      struct bytes tuple)
{
	struct bytes detail = {NULL, 0};
	const char *why = "";
	int field, rc;

	rc = formal_check_refs(tuple, l->guards, &why, &field, &detail);
	return rc == 0 ? 0 : request_refuse_value(m, rc, e->name, field, why, detail);
}

static int read_step(struct request_reader *m, struct list *l, const struct entry *e)
{
	int kind = step_kind(e), rc = 0;
	const uint8_t *item;

	if (kind < 0)
		return refuse_entry(m, e,
		                    "not [\"in\", \"rd\", \"no\" or \"out\", space, value]");
	if (kind != STEP_OUT && l->outs > 0)
		return refuse_entry(m, e, "guards stand in front of what is put");
	if (kind != STEP_OUT && e->at >= MESSAGE_GUARDS_MAX)
		return request_refuse(m, ERROR_LIMIT, "%s: more than %d guards",
		                      request_op_name(m), MESSAGE_GUARDS_MAX);
	if (kind == STEP_OUT && ++l->outs > MESSAGE_STEP_OUTS_MAX)
		return request_refuse(m, ERROR_LIMIT, "%s: more than %d outs", request_op_name(m),
		                      MESSAGE_STEP_OUTS_MAX);
	if (kind == STEP_IN || kind == STEP_RD)
		l->guards |= 1u << e->at;
	item = item_skip(item_skip(e->first));
	if (e->head.arg == 4 && kind != STEP_OUT && kind != STEP_NO)
		return refuse_entry(m, e, "in and rd have no options here");
	if (e->head.arg == 4)
		rc = read_entry_options(m, e, item_skip(item),
		                        kind == STEP_OUT ? read_put_option : read_no_option);
	if (rc != 0)
		return rc;
	return kind == STEP_OUT ? check_refs(m, l, e, item_bytes(item))
	                        : request_check_template(m, item_bytes(item), e->name);
}

int request_steps(struct request_reader *m)
{
	struct list l = {read_step, "step", MESSAGE_GUARDS_MAX + MESSAGE_STEP_OUTS_MAX, 0, 0};
	struct item_head h;
	int rc;

	m->r->value = item_bytes(m->p);
	rc = read_list(m, &l);
	if (rc != 0)
		return rc;
	item_head(m->p, &h);
	m->r->number = h.arg - l.outs;
	return h.arg > 0 ? 0 : request_refuse(m, ERROR_REQUEST, "%s: no step", request_op_name(m));
}

/* ---- tuples -------------------------------------------------------------------------------- */

int request_tuples(struct request_reader *m)
{
	struct item_head h;
	struct bytes list = item_bytes(m->p);
	const uint8_t *p = item_head(m->p, &h);
	char what[32];
	int rc = 0;

	if (h.major != ITEM_ARRAY)
		return request_refuse(m, ERROR_VALUE, "%s: not an array of tuples",
		                      request_op_name(m));
	if (h.arg > MESSAGE_LIST_MAX)
		return request_refuse(m, ERROR_LIMIT, "%s: more than %d tuples", request_op_name(m),
		                      MESSAGE_LIST_MAX);
	for (uint64_t i = 0; i < h.arg && rc == 0; i++) {
		struct bytes tuple = item_bytes(p);

		snprintf(what, sizeof what, "tuple %d", (int)i);
		m->p = p;
		rc = request_check_tuple(m, tuple, what);
		p += tuple.n;
	}
	m->r->value = list;
	if (rc == 0)
		m->p = list.p;
	return rc;
}
