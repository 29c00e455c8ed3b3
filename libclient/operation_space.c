/* tilia.h: spaces and the server. */
#include "operation.h"

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

static int ask_space(struct tilia *t, const char *verb, const char *name, bool is_volatile)
{
	struct message_options w = {0};
	struct operation o;

	operation_begin(&o, MESSAGE_SPACE);
	operation_text(&o, verb);
	operation_text(&o, name);
	if (is_volatile)
		message_option_number(&w, OPTION_VOLATILE, true);
	o.args += message_options_put(&o.body, &w);
	return ask_built(t, &o, NULL, NULL);
}

int tilia_space_create(struct tilia *t, const char *name, bool is_volatile)
{
	return ask_space(t, "create", name, is_volatile);
}

int tilia_space_drop(struct tilia *t, const char *name)
{
	return ask_space(t, "drop", name, false);
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
