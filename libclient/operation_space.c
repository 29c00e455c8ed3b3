/* tilia.h: spaces and the server. */
#include "operation.h"

#include "diag.h"
#include "error.h"

/* Asks with what is built, and hands out the answer when `p` is there. */
static int ask_built(struct tilia *t, struct operation *o, void **p, size_t *size)
{
	struct call_result r = {0};
	int code = operation_ask_built(t, o, &r);

	operation_close(o);
	if (code == 0 && p != NULL)
		return operation_hand_out(t, &r.body, p, size);
	call_result_close(&r);
	return code;
}

static int ask_space(struct tilia *t, const char *verb, const char *name,
                     const struct message_options *w)
{
	struct operation o;

	operation_begin(&o, MESSAGE_SPACE);
	operation_text(&o, verb);
	operation_text(&o, name);
	o.args += message_options_put(&o.body, w);
	return ask_built(t, &o, NULL, NULL);
}

/* The options that `set` names. The shape's item is in *shape, the caller's. */
static int read_options(struct tilia *t, const struct tilia_space *space, unsigned set,
                        struct message_options *w, struct buf *shape)
{
	const char *dead = space->dead ? space->dead : "";
	const char *text = space->shape ? space->shape : "null";
	struct diag_error err;

	if (set & TILIA_SPACE_TRIES)
		message_option_number(w, OPTION_TRIES, space->tries);
	if (set & TILIA_SPACE_DEAD)
		message_option_bytes(w, OPTION_DEAD, bytes_of(dead));
	if (set & TILIA_SPACE_TUPLES)
		message_option_number(w, OPTION_TUPLES, space->tuples);
	if (set & TILIA_SPACE_BYTES)
		message_option_number(w, OPTION_BYTES, space->bytes);
	if (!(set & TILIA_SPACE_SHAPE))
		return 0;
	if (diag_parse(bytes_of(text), DIAG_FORMALS, shape, NULL, NULL, &err) != 0)
		return client_failf(t, err.code, "byte %zu of the shape: %s", err.offset, err.why);
	message_option_bytes(w, OPTION_SHAPE, buf_bytes(shape));
	return 0;
}

static int ask_with(struct tilia *t, const char *verb, const char *name,
                    const struct tilia_space *space, unsigned set)
{
	struct message_options w = {0};
	struct buf shape = BUF_INIT;
	int code = read_options(t, space, set, &w, &shape);

	if (space->is_volatile)
		message_option_number(&w, OPTION_VOLATILE, true);
	if (code == 0)
		code = ask_space(t, verb, name, &w);
	buf_close(&shape);
	return code;
}

int tilia_space_create(struct tilia *t, const char *name, const struct tilia_space *space)
{
	static const struct tilia_space none;
	unsigned set = 0;

	if (space == NULL)
		space = &none;
	set |= space->tries ? TILIA_SPACE_TRIES : 0;
	set |= space->dead && *space->dead ? TILIA_SPACE_DEAD : 0;
	set |= space->shape ? TILIA_SPACE_SHAPE : 0;
	set |= space->tuples ? TILIA_SPACE_TUPLES : 0;
	set |= space->bytes ? TILIA_SPACE_BYTES : 0;
	return ask_with(t, "create", name, space, set);
}

int tilia_space_alter(struct tilia *t, const char *name, const struct tilia_space *space)
{
	return ask_with(t, "alter", name, space, space->set);
}

int tilia_space_drop(struct tilia *t, const char *name)
{
	return ask_space(t, "drop", name, &(struct message_options){0});
}

int tilia_space_list(struct tilia *t, void **p, size_t *size)
{
	struct operation o;

	operation_begin(&o, MESSAGE_SPACE);
	operation_text(&o, "list");
	return ask_built(t, &o, p, size);
}

int tilia_stats(struct tilia *t, const char *what, void **p, size_t *size)
{
	struct operation o;

	operation_begin(&o, MESSAGE_STATS);
	if (what != NULL)
		operation_text(&o, what);
	return ask_built(t, &o, p, size);
}

int tilia_ping(struct tilia *t)
{
	struct operation o;

	operation_begin(&o, MESSAGE_PING);
	return ask_built(t, &o, NULL, NULL);
}
