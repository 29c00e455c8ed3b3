#include "session_state.h"

bool ledger_is_internal(const struct session *s, const struct pending *p)
{
	return p->op == MESSAGE_CANCEL && !s->passthrough;
}

bool ledger_keeps_window(const struct session *s)
{
	return s->resumable && !s->passthrough;
}

size_t ledger_weight(const struct session *s, const struct pending *p, enum pending_state state)
{
	if (!ledger_keeps_window(s) || !p->changes || p->op == MESSAGE_BYE)
		return 0;
	return state == PENDING_READ || state == PENDING_ANSWERED ||
	       (state == PENDING_SENT && !p->waits);
}

void ledger_move(struct session *s, struct pending *p, enum pending_state state)
{
	s->window -= ledger_weight(s, p, p->state);
	p->state = state;
	s->window += ledger_weight(s, p, state);
}

void ledger_drop(struct session *s, struct pending *p)
{
	s->renumbered -= p->origin != 0;
	s->owed -= p->owed;
	s->window -= ledger_weight(s, p, p->state);
	pending_remove(&s->table, p);
}

struct pending *ledger_find(const struct session *s, uint64_t n)
{
	struct pending *p = pending_find(&s->table, n);

	if (p != NULL || s->renumbered == 0)
		return p;
	for (uint64_t at = n; (p = pending_from(&s->table, at)) != NULL && p->origin != n;)
		at = p->n + 1;
	return p;
}

void ledger_finish(struct session *s, struct pending *p, int code)
{
	list_remove(&p->link);
	ledger_move(s, p, PENDING_DONE);
	p->code = code;
	p->cancel = 0;
	list_append(&s->done, &p->link);
}

void ledger_finish_here(struct session *s, struct pending *p, int code)
{
	buf_close(&p->reply);
	ledger_finish(s, p, code);
}

bool ledger_change_stays(const struct session *s, const struct pending *p)
{
	return p->changes && (p->op != MESSAGE_IN || !s->resumable);
}

struct pending *ledger_enter(struct session *s, uint64_t n, enum message_op op, bool changes,
                             struct bytes message)
{
	struct pending *p = pending_add(&s->table, n, message.n);

	if (p == NULL)
		return NULL;
	memcpy(p->message, message.p, message.n);
	p->op = op;
	p->changes = changes;
	s->number = n;
	s->unanswered += !ledger_is_internal(s, p);
	list_append(&s->held, &p->link);
	return p;
}
