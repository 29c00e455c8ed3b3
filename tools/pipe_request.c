#include "pipe_request.h"

#include "option.h"
#include "steps.h"

#include "../libclient/diag.h"
#include "../libclient/error.h"
#include "../libclient/item.h"
#include "../libclient/message.h"

#include <stdio.h>
#include <string.h>

/* What stands behind a verb and its options. */
enum fields { FIELDS_NONE, FIELDS_TUPLE, FIELDS_TEMPLATE, FIELDS_ANY, FIELDS_STEPS };

static const struct verb {
	const char *name;
	enum tilia_request what;
	int64_t timeout_ms;
	enum fields fields; /* FIELDS_ANY: a template, or nothing for all tuples */
} verbs[] = {
	{"out", TILIA_OUT, 0, FIELDS_TUPLE},
	{"in", TILIA_IN, 0, FIELDS_TEMPLATE},
	{"inp", TILIA_IN, TILIA_NOWAIT, FIELDS_TEMPLATE},
	{"rd", TILIA_RD, 0, FIELDS_TEMPLATE},
	{"rdp", TILIA_RD, TILIA_NOWAIT, FIELDS_TEMPLATE},
	{"count", TILIA_COUNT, 0, FIELDS_ANY},
	{"wait", TILIA_WAIT, 0, FIELDS_ANY},
	{"atomic", TILIA_ATOMIC, 0, FIELDS_STEPS},
	{"ping", TILIA_PING, 0, FIELDS_NONE},
};
#define VERBS (sizeof verbs / sizeof *verbs)

void pipe_request_init(struct pipe_request *q)
{
	*q = (struct pipe_request){0};
}

void pipe_request_close(struct pipe_request *q)
{
	buf_close(&q->cbor);
	buf_close(&q->unless);
}

static bool refuse(struct pipe_request *q, int code, const char *why)
{
	q->code = code;
	snprintf(q->why, sizeof q->why, "%s", why);
	return false;
}

static bool set_ms(int64_t *to, const char *value)
{
	uint64_t ms;

	if (!option_read_duration(value, &ms) || ms == 0)
		return false;
	*to = (int64_t)ms;
	return true;
}

static bool set_timeout(struct pipe_request *q, const char *value)
{
	uint64_t ms;

	if (!option_read_duration(value, &ms))
		return false;
	q->op.timeout_ms = ms ? (int64_t)ms : TILIA_NOWAIT;
	return true;
}

static bool set_unless(struct pipe_request *q, const char *value)
{
	struct diag_error err;

	q->unless.len = 0;
	if (diag_parse(bytes_of(value), DIAG_FORMALS, &q->unless, NULL, NULL, &err) != 0)
		return false;
	q->op.unless_cbor = q->unless.data;
	q->op.unless_size = q->unless.len;
	return true;
}

/* An option without a value; false: it is none. */
static bool set_flag(struct pipe_request *q, const char *name)
{
	if (strcmp(name, "--drain") == 0)
		return q->op.drain = true;
	if (strcmp(name, "--bound") == 0)
		return q->op.bound = true;
	if (strcmp(name, "--visible") == 0)
		return q->op.visible = true;
	if (strcmp(name, "--wait") == 0)
		return q->op.room = true;
	if (strcmp(name, "--none") == 0 && q->what == TILIA_WAIT)
		return q->none = true;
	return false;
}

static bool set_value(struct pipe_request *q, const char *name, const char *value)
{
	if (strcmp(name, "--space") == 0)
		return q->op.space = value, true;
	if (strcmp(name, "--timeout") == 0)
		return set_timeout(q, value);
	if (strcmp(name, "--after") == 0)
		return option_read_count(value, MESSAGE_NUMBER_MAX - 1, &q->op.after);
	if (strcmp(name, "--ttl") == 0)
		return set_ms(&q->op.ttl_ms, value);
	if (strcmp(name, "--delay") == 0)
		return set_ms(&q->op.delay_ms, value);
	if (strcmp(name, "--unless") == 0)
		return set_unless(q, value);
	if (strcmp(name, "--ge") == 0 && q->what == TILIA_WAIT)
		return option_read_count(value, MESSAGE_NUMBER_MAX - 1, &q->least);
	return false;
}

/* The options from word 1 on. Answers the index behind them, or -1: wrong. */
static int read_options(struct pipe_request *q, const struct pipe_words *w)
{
	int i = 1;

	while (i < w->count && strncmp(w->at[i], "--", 2) == 0 && w->at[i][2]) {
		if (set_flag(q, w->at[i]))
			i++;
		else if (i + 1 < w->count && set_value(q, w->at[i], w->at[i + 1]))
			i += 2;
		else
			return -1;
	}
	return i;
}

static bool read_steps(struct pipe_request *q, char *const *words, int count)
{
	struct steps s;
	bool good;

	steps_init(&s, q->op.space ? q->op.space : "main");
	good = steps_read(&s, words, count);
	if (good)
		steps_put(&s, &q->cbor);
	else
		refuse(q, ERROR_USAGE, s.why);
	steps_close(&s);
	return good;
}

static bool read_fields(struct pipe_request *q, enum fields fields, char **words, unsigned count)
{
	unsigned literal = 0, word;
	struct diag_error err;

	if (count == 0 && fields == FIELDS_ANY) {
		item_put_null(&q->cbor);
		return true;
	}
	if (count == 0)
		return refuse(q, ERROR_USAGE, "fields are missing");
	while (literal < count && strcmp(words[literal], "--") != 0)
		literal++;
	if (literal < count)
		memmove(words + literal, words + literal + 1, (--count - literal) * sizeof *words);
	if (diag_words(words, count, literal, fields == FIELDS_TUPLE ? 0 : DIAG_FORMALS, &q->cbor,
	               NULL, &word, &err) == 0)
		return true;
	q->code = err.code;
	snprintf(q->why, sizeof q->why, "field %u: %s", word, err.why);
	return false;
}

/* The template becomes [template, condition]. */
static void put_condition(struct pipe_request *q)
{
	struct buf b = BUF_INIT;

	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_item(&b, buf_bytes(&q->cbor));
	item_put_head(&b, ITEM_ARRAY, 2);
	item_put_text(&b, q->none ? "eq" : "ge");
	item_put_uint(&b, q->none ? 0 : q->least);
	buf_close(&q->cbor);
	q->cbor = b;
}

bool pipe_request_read(struct pipe_request *q, struct pipe_words *w, const char *space)
{
	const struct verb *v = verbs;
	int first;

	while (v < verbs + VERBS && (w->count == 0 || strcmp(v->name, w->at[0]) != 0))
		v++;
	if (v == verbs + VERBS)
		return refuse(q, ERROR_USAGE, "a line begins with out, in, inp, rd, rdp, count, "
		                              "wait, atomic or ping");
	q->what = v->what;
	q->op = (struct tilia_op){.space = space, .timeout_ms = v->timeout_ms};
	q->none = false;
	q->least = 1;
	buf_clear(&q->cbor, 1 << 16);
	first = read_options(q, w);
	if (first < 0)
		return refuse(q, ERROR_USAGE, "no such option, or its value is wrong");
	if (v->fields == FIELDS_NONE)
		return true;
	if (v->fields == FIELDS_STEPS)
		return read_steps(q, w->at + first, w->count - first);
	if (!read_fields(q, v->fields, w->at + first, (unsigned)(w->count - first)))
		return false;
	if (q->what == TILIA_WAIT)
		put_condition(q);
	return true;
}
