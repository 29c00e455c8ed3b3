/* The engine's search beside a list and a scan: indexes, orders, choices and walks,
 * in slices, several questions of one seeker at a time, while tuples come and go. */
#include "../../libclient/compare.h"
#include "../../libclient/diag.h"
#include "../../server/engine/source.h"
#include "../../server/engine/state.h"
#include "../lib/harness.h"

#include <math.h>
#include <stdlib.h>

enum { SEEKERS = 3, SLOTS = 3, TUPLES = 60, FOUND = 8 };

struct question {
	struct buf text, item; /* the template */
	struct search_want want;
	struct tuple *found[FOUND];
	uint64_t count;
	bool walked;
};

struct asker {
	struct seeker seeker;
	struct question slot[SLOTS];
	bool waits, told;
};

static struct {
	struct engine *e;
	struct effects fx;
	struct tuple *tuple[TUPLES]; /* in the space; NULL: a free place */
	bool hidden[TUPLES];
	struct asker asker[SEEKERS];
	unsigned asked, walked, again;
	bool hides; /* tuples are hidden, without a claim: engine_assert() wants one */
} w;

static const char *const keys[] = {"\"a\"", "\"b\"", "\"c\""};
static const char *const values[] = {"0", "1", "2", "3", "3.0", "2.5", "-0.0", "NaN", "-7", "4.25",
				     "18446744073709551616", "Infinity", "\"text\""};
static const char *const key_templates[] = {"\"a\"", "?", "?text", "?(\"a\"|\"b\")",
					    "?text(\"b\"|\"a\"|\"b\"|1)", "?text!=\"b\"",
					    "?(\"z\"|\"c\") !=\"c\""};
static const char *const value_templates[] = {
	"1", "?", "?number", "?number min", "?number max", "?int min", "?float max", "?float min",
	"?int 1..3 max", "?number>1 min", "?number>=1 <3 max", "?number>1 >=1 <=3.0 min",
	"?number!=3 max", "?int(1|2|3) min", "?(1|2.5|3)", "?number>=9 <0 min", "?text max"};
static const char *const last_templates[] = {"0", "?int", "?(0|1)", "?(0|1|2|3|4|5)", "?int<2",
					     "?int>5"};

#define PICK(list) (list)[test_random_below(sizeof(list) / sizeof *(list))]

static void parse(const char *text, struct buf *out)
{
	struct diag_error err;

	buf_clear(out, 0);
	if (diag_parse(bytes_of(text), DIAG_FORMALS, out, NULL, NULL, &err) != 0)
		test_fail(__FILE__, __LINE__, "%s: %s", text, err.why);
}

static void step(struct event ev)
{
	CHECK(engine_step(w.e, &ev, &w.fx) == 0);
}

static void ready(struct engine *e, struct seeker *k)
{
	(void)e;
	list_entry(k, struct asker, seeker)->told = true;
}

static void new_questions(struct asker *a)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct question *q = &a->slot[i];

		buf_clear(&q->text, 0);
		if (test_random_below(20) == 0)
			buf_text(&q->text, "null");
		else
			buf_printf(&q->text, "[%s, %s, %s]", PICK(key_templates),
				   PICK(value_templates), PICK(last_templates));
		buf_byte(&q->text, 0);
		parse((const char *)q->text.data, &q->item);
		q->want = (struct search_want){
			.space = w.e->main, .slot = i, .counting = test_random_below(3) == 0,
			.hidden = test_random_below(2) == 0, .uncut = test_random_below(2) == 0,
			.max = 1 + (uint32_t)test_random_below(3)};
		if (q->want.counting && test_random_below(2))
			q->want.max = 0;
		q->walked = false;
	}
}

static void begin(uint64_t seed, uint32_t indexes)
{
	struct engine_config config = {.hash_seed = seed, .all_volatile = true};

	memset(&w, 0, sizeof w);
	engine_limits_default(&config.limits);
	config.limits.indexes = indexes;
	effects_init(&w.fx);
	w.e = engine_create(&config);
	step((struct event){.kind = EV_READY, .batch = 1, .boot = 1});
	for (unsigned i = 0; i < SEEKERS; i++) {
		seeker_init(&w.asker[i].seeker, ready);
		new_questions(&w.asker[i]);
	}
}

static void end(void)
{
	for (unsigned i = 0; i < SEEKERS; i++) {
		search_end(&w.asker[i].seeker);
		for (unsigned s = 0; s < SLOTS; s++) {
			buf_close(&w.asker[i].slot[s].text);
			buf_close(&w.asker[i].slot[s].item);
		}
	}
	for (unsigned i = 0; i < TUPLES; i++)
		if (w.tuple[i] && w.hidden[i]) { /* an engine's end frees the visible ones */
			space_forget(w.e, w.e->main, w.tuple[i]);
			tuple_free(w.tuple[i]);
		}
	engine_destroy(w.e);
	effects_close(&w.fx);
}

static void put(unsigned i)
{
	struct buf text = BUF_INIT, item = BUF_INIT;

	buf_printf(&text, "[%s, %s, %u]", PICK(keys), PICK(values),
		   (unsigned)test_random_below(6));
	buf_byte(&text, 0);
	parse((const char *)text.data, &item);
	w.tuple[i] = tuple_create(engine_id(w.e), buf_bytes(&item));
	w.hidden[i] = false;
	CHECK(space_appear(w.e, w.e->main, w.tuple[i]));
	buf_close(&text);
	buf_close(&item);
}

static void change(void)
{
	unsigned i = (unsigned)test_random_below(TUPLES);

	if (!w.tuple[i]) {
		put(i);
	} else if (w.hides && test_random_below(2)) {
		(w.hidden[i] ? space_reveal : space_hide)(w.e, w.e->main, w.tuple[i]);
		w.hidden[i] = !w.hidden[i];
	} else {
		(w.hidden[i] ? space_forget : space_vanish)(w.e, w.e->main, w.tuple[i]);
		tuple_free(w.tuple[i]);
		w.tuple[i] = NULL;
	}
}

/* ---- the scan -------------------------------------------------------------------- */

static enum order_kind kind; /* of the question that is looked at */

static int compare_found(const void *a, const void *b)
{
	const struct tuple *x = *(struct tuple *const *)a, *y = *(struct tuple *const *)b;

	if (kind != ORDER_ID) {
		const uint8_t *p = tuple_field(x, 1).p, *q = tuple_field(y, 1).p;
		int c = compare_items(p, q);

		if (item_is_nan(p) != item_is_nan(q))
			return item_is_nan(p) ? 1 : -1;
		if (c != 0)
			return kind == ORDER_MIN ? c : -c;
	}
	return x->id < y->id ? -1 : 1;
}

static void check_answer(const struct question *q)
{
	struct tuple *all[TUPLES];
	struct template t;
	uint64_t n = 0, most;

	template_open(&t, buf_bytes(&q->item));
	kind = t.order.kind;
	for (unsigned i = 0; i < TUPLES; i++)
		if (w.tuple[i] && (!w.hidden[i] || (q->want.counting && q->want.hidden)) &&
		    template_match(&t, w.tuple[i]))
			all[n++] = w.tuple[i];
	template_close(&t);
	if (q->want.counting) {
		CHECK(q->count <= n);
		CHECK(q->count == n || (q->want.max > 0 && q->count >= q->want.max));
		return;
	}
	qsort(all, n, sizeof *all, compare_found);
	most = n < q->want.max ? n : q->want.max;
	/* What a walk found and somebody took is not made good for while there is more. */
	if (q->walked && !q->want.uncut)
		CHECK(q->count <= most && (q->count > 0) == (most > 0));
	else
		CHECK(q->count == most);
	for (uint64_t i = 0; i < q->count; i++)
		CHECK(q->found[i] == all[i]);
}

/* Asks all of it; when all is answered, checks that the answers are of this instant. */
static void ask(struct asker *a)
{
	if (a->waits && !a->told)
		return;
	a->waits = a->told = false;
	for (unsigned i = 0; i < SLOTS; i++) {
		struct question *q = &a->slot[i];
		struct template t;
		int code;

		template_open(&t, buf_bytes(&q->item));
		q->want.template = &t;
		code = search_run(w.e, &a->seeker, &q->want, q->found, &q->count);
		template_close(&t);
		if (code != 0) {
			a->waits = true;
			w.again++;
			list_each(it, &a->seeker.searches) {
				const struct search *s = list_entry(it, struct search, link);

				a->slot[s->slot].walked = s->walk != NULL;
			}
			CHECK(search_pending(w.e, &a->seeker));
			return;
		}
	}
	CHECK(!search_pending(w.e, &a->seeker));
	for (unsigned i = 0; i < SLOTS; i++) {
		check_answer(&a->slot[i]);
		w.asked++;
		w.walked += a->slot[i].walked;
	}
	search_end(&a->seeker);
	new_questions(a);
}

static void run(uint64_t seed, uint32_t indexes)
{
	test_note_seed(seed);
	test_random_seed(seed);
	begin(seed, indexes);
	w.hides = seed % 2;
	for (int i = 0; i < 6000; i++) {
		uint64_t what = test_random_below(10);

		if (what < 3)
			change();
		else if (what < 6)
			step((struct event){.kind = EV_WORK,
					    .units = 1 + (uint32_t)test_random_below(8)});
		else
			ask(&w.asker[test_random_below(SEEKERS)]);
		if (i % 50 == 0 && !w.hides)
			engine_assert(w.e);
	}
	/* With the work done, each has its answers at the next asking but a few. */
	for (unsigned i = 0; i < SEEKERS; i++) {
		struct asker *a = &w.asker[i];
		unsigned asked = w.asked;

		for (int round = 0; w.asked == asked; round++) {
			while (engine_working(w.e))
				step((struct event){.kind = EV_WORK, .units = 100});
			CHECK(!a->waits || a->told);
			CHECK(round < 10);
			ask(a);
		}
	}
	end();
}

TEST(answers_are_those_of_a_scan)
{
	uint64_t seed = test_seed(1);
	unsigned asked = 0, walked = 0, again = 0;

	for (uint32_t round = 0; round < 60; round++) {
		run(seed + round, round % 4 == 3 ? 64 : 1 + round % 4);
		asked += w.asked;
		walked += w.walked;
		again += w.again;
	}
	printf("%u answers, %u of them after work, %u times not yet\n", asked, walked, again);
	CHECK(asked > 1000 && walked > 1000);
}

/* How many fields of the template are looked up beyond those that are bound anyway. */
static unsigned choices(const char *text)
{
	struct buf item = BUF_INIT;
	struct template t;
	struct lookup l;
	unsigned bound;

	parse(text, &item);
	template_open(&t, buf_bytes(&item));
	lookup_open(&l, &t, true);
	bound = l.shape.bound - t.shape.bound;
	CHECK_INT(l.residue + bound, t.residue);
	template_close(&t);
	buf_close(&item);
	return bound;
}

TEST(choices_at_the_limit)
{
	CHECK_INT(choices("[?(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16)]"), 1);
	CHECK_INT(choices("[?(1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17)]"), 0);
	CHECK_INT(choices("[?(1|2|3|4), ?(1|2|3|4)]"), 2);
	CHECK_INT(choices("[?(1|2|3|4), ?(1|2|3|4|5)]"), 1);
	CHECK_INT(choices("[?(1|2|3|4|5), ?(1|2|3|4), ?(1|2|3)]"), 2); /* 5 and 3 */
	CHECK_INT(choices("[?(1|2), ?(1|2), ?(1|2), ?(1|2)]"), 4);
	CHECK_INT(choices("[?(1), ?(1), ?(1), ?(1), ?(1)]"), 4);
	CHECK_INT(choices("[[?(1|2)], ?has{1: ?(1|2)}, 3]"), 0);
}
