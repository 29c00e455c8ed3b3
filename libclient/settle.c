#include "session_state.h"

#include <assert.h>

/* What an unanswered request becomes when its session is over: resent in the
 * next (code 0, and it stays as it is), or finished; with a code all are. */
static void settle_unanswered(struct session *s, struct pending *p, int code)
{
	bool unknown = p->reached && ledger_change_stays(s, p);
	struct pending *c = p->cancel == 0 ? NULL : pending_find(&s->table, p->cancel);

	if (p->op == MESSAGE_BYE)
		ledger_finish(s, p, code);
	else if (unknown)
		ledger_finish(s, p, ERROR_UNKNOWN);
	else if (c != NULL) {
		c->verdict = true;
		ledger_finish(s, p, ERROR_CANCELLED);
	} else if (code != 0 || s->ending)
		ledger_finish(s, p, code != 0 ? code : ERROR_CANCELLED);
	p->reached = false;
}

void settle_one(struct session *s, struct pending *p, int code)
{
	switch (p->state) {
	case PENDING_HELD:
	case PENDING_SENT:
		if (p->op != MESSAGE_CANCEL)
			settle_unanswered(s, p, code);
		else if (s->passthrough)
			ledger_finish(s, p, 0);
		else
			ledger_drop(s, p);
		break;
	case PENDING_ANSWERED: /* being cancelled */
		if (ledger_change_stays(s, p))
			ledger_finish(s, p, 0);
		else
			ledger_finish_here(s, p, ERROR_CANCELLED);
		break;
	case PENDING_READ:
		if (p->cancel == 0)
			ledger_drop(s, p);
		else
			ledger_finish_here(s, p, p->op == MESSAGE_IN ? ERROR_CANCELLED : 0);
		break;
	case PENDING_DONE:
		break;
	}
}

void settle_all(struct session *s, int code)
{
	struct pending *p;

	s->lost = false;
	s->unacked_count = 0;
	s->id.len = 0;
	for (uint64_t n = 0; (p = pending_from(&s->table, n)) != NULL;) {
		n = p->n + 1;
		settle_one(s, p, code);
	}
}

void session_abandon(struct session *s, int code)
{
	assert(!s->connected);
	settle_all(s, code);
}
