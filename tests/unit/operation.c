/* What the functions of tilia.h ask, as text. */
#include "../../libclient/operation.h"

#include "../../libclient/diag.h"
#include "../../libclient/error.h"
#include "../../libclient/item.h"
#include "../lib/harness.h"

static char name[] = "main";
static struct tilia handle = {.space = name};

static const char *text_of(const struct operation *o)
{
	static char text[1024];
	struct buf b = BUF_INIT;
	size_t at = 0;

	for (const uint8_t *p = o->body.data; p < o->body.data + o->body.len; p = item_skip(p)) {
		buf_text(&b, b.len > 0 ? " " : "");
		diag_print(&b, p);
		at++;
	}
	CHECK_INT(at, o->args + 1);
	snprintf(text, sizeof text, "%.*s", (int)b.len, (const char *)b.data);
	buf_close(&b);
	return text;
}

static void asks(enum message_op kind, const struct tilia_op *op, const char *want)
{
	static const uint8_t item[] = {0x81, 0x01};
	struct operation o;
	int code = operation_build(&handle, &o, kind, op, (struct bytes){item, sizeof item});

	if (code != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", want, tilia_error(&handle));
	CHECK_STR(text_of(&o), want);
	operation_close(&o);
}

static void refuses(enum message_op kind, const struct tilia_op *op, const char *why)
{
	static const uint8_t item[] = {0x81, 0x01};
	struct operation o;
	int code = operation_build(&handle, &o, kind, op, (struct bytes){item, sizeof item});

	CHECK_STR(tilia_error(&handle), why);
	CHECK(code < 0);
	operation_close(&o);
}

#define OP(...) (&(struct tilia_op){__VA_ARGS__})

TEST(every_option_is_asked_as_it_is_set)
{
	static const uint8_t template[] = {0x9f, 0x18, 0x01, 0xff};

	asks(MESSAGE_OUT, NULL, "\"out\" \"main\" [1]");
	asks(MESSAGE_OUT, OP(.space = "s"), "\"out\" \"s\" [1]");
	asks(MESSAGE_OUT, OP(.ttl_ms = 5, .delay_ms = 7, .bound = true),
	     "\"out\" \"main\" [1] {\"ttl\": 5, \"bound\": true, \"delay\": 7}");
	asks(MESSAGE_OUT, OP(.unless = "[?int >= 1]", .visible = true),
	     "\"out\" \"main\" [1] {\"hidden\": false, \"unless\": [?int>=1]}");
	asks(MESSAGE_OUTS, OP(.unless_cbor = template, .unless_size = sizeof template),
	     "\"outs\" \"main\" [1] {\"unless\": [1]}");
	asks(MESSAGE_OUT, OP(.room = true, .timeout_ms = 9),
	     "\"out\" \"main\" [1] {\"wait\": true, \"timeout\": 9}");
	asks(MESSAGE_OUT, OP(.room = true), "\"out\" \"main\" [1] {\"wait\": true}");
	asks(MESSAGE_IN, OP(.timeout_ms = TILIA_NOWAIT, .max = 3, .lease_ms = 4, .drain = true),
	     "\"in\" \"main\" [1] {\"max\": 3, \"drain\": true, \"lease\": 4, \"timeout\": 0}");
	asks(MESSAGE_RD, OP(.after = 17), "\"rd\" \"main\" [1] {\"after\": 17}");
	asks(MESSAGE_COUNT, OP(.visible = true), "\"count\" \"main\" [1] {\"hidden\": false}");
}

TEST(options_that_mean_nothing_are_refused_here)
{
	refuses(MESSAGE_RD, OP(.lease_ms = 1), "rd has no option lease");
	refuses(MESSAGE_RD, OP(.drain = true), "rd has no option drain");
	refuses(MESSAGE_OUT, OP(.max = 1), "out has no option max");
	refuses(MESSAGE_COUNT, OP(.timeout_ms = 1), "count has no option timeout");
	refuses(MESSAGE_IN, OP(.bound = true), "in has no option bound");
	refuses(MESSAGE_IN, OP(.ttl_ms = 1), "in has no option ttl");
	refuses(MESSAGE_IN, OP(.timeout_ms = -2), "timeout_ms is negative");
	refuses(MESSAGE_IN, OP(.lease_ms = -1), "lease_ms is negative");
	refuses(MESSAGE_OUT, OP(.ttl_ms = -1), "ttl_ms is negative");
	refuses(MESSAGE_OUT, OP(.delay_ms = -1), "delay_ms is negative");
	refuses(MESSAGE_OUT, OP(.timeout_ms = 1),
	        "out waits for room alone: timeout_ms without it");
	refuses(MESSAGE_OUT, OP(.visible = true),
	        "visible is said of unless, which is not there");
	refuses(MESSAGE_OUT, OP(.unless = "[1]", .unless_cbor = "\x80", .unless_size = 1),
	        "unless or unless_cbor, not both");
	refuses(MESSAGE_OUT, OP(.unless = "[1"),
	        "byte 2 of the text: expected , or ], found the end");
	refuses(MESSAGE_OUT, OP(.reserved = {name}), "the options are not zeroed");
}

static void submits(enum tilia_request what, const struct tilia_op *op, const char *text,
                    const char *want)
{
	struct buf item = BUF_INIT;
	struct operation o;
	int code;

	CHECK_INT(operation_parse(NULL, text, DIAG_FORMALS | DIAG_REFS, &item), 0);
	code = operation_submitted(&handle, &o, what, op, buf_bytes(&item));
	if (code < 0)
		CHECK_STR(tilia_error(&handle), want);
	else
		CHECK_STR(text_of(&o), want);
	operation_close(&o);
	buf_close(&item);
}

TEST(a_submitted_wait_or_atomic_is_given_as_its_arguments)
{
	submits(TILIA_WAIT, OP(.timeout_ms = 3, .visible = true), "[[?], [\"ge\", 2]]",
	        "\"wait\" \"main\" [?] [\"ge\", 2] {\"hidden\": false, \"timeout\": 3}");
	submits(TILIA_WAIT, NULL, "[[?], [\"eq\", 0]]", "\"wait\" \"main\" [?] [\"eq\", 0]");
	submits(TILIA_WAIT, NULL, "[[?]]", "wait: not [template, condition]");
	submits(TILIA_WAIT, OP(.max = 2), "[[?], [\"eq\", 0]]", "wait has no option max");
	submits(TILIA_ATOMIC, OP(.timeout_ms = TILIA_NOWAIT),
	        "[[\"in\", \"s\", [?int]], [\"out\", \"s\", [@0.0+1]]]",
	        "\"atomic\" [[\"in\", \"s\", [?int]], [\"out\", \"s\", [@0.0+1]]] "
	        "{\"timeout\": 0}");
	submits(TILIA_ATOMIC, OP(.visible = true), "[]", "atomic has no option hidden");
}
