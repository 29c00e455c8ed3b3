/* The accounts: of every tuple, by the uid that it carries as a field, what its users
 * know of it. A put or a take is done, or surely not, or nobody can know. At the end:
 *  - what was put for sure and not taken was found;
 *  - nothing was taken twice, and nothing was taken or read that was never put;
 *  - no id and no token was given twice.
 * A take counts for sure when its user knows that the server has the acknowledgement;
 * until then, the end of the session may have given the tuple to somebody else. */
#ifndef TILIA_TESTS_ACCOUNT_H
#define TILIA_TESTS_ACCOUNT_H

#include "../../../libclient/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum account_put {
	PUT_ASKED,
	PUT_DONE,
	PUT_REFUSED, /* surely not done */
	PUT_UNKNOWN,
};

enum account_take {
	TAKE_READ,  /* a plain take, and not surely acknowledged */
	TAKE_SURE,
	TAKE_MAYBE, /* its session is over, or its reply is lost: taken, or back */
	TAKE_UNDONE,
};

/* A new tuple. `mortal`: it may vanish by itself. */
uint64_t account_new(bool mortal);

void account_put(uint64_t uid, enum account_put how);

/* It was read by a request asked at `asked` (an event). */
void account_seen(uint64_t uid, uint64_t asked);

/* It was taken; answers the number of the take. `number`: the user's last request. */
size_t account_taken(uint64_t uid, unsigned user, uint64_t asked, uint64_t number,
                     enum account_take how);

enum account_take account_state(size_t take);

/* Its user asks to undo it; it is undone; it stands. */
void account_cancel(size_t take);
void account_undo(size_t take);
void account_stand(size_t take, uint64_t number);

/* The user's request `number` changed something durable: what was read before it was
 * asked is acknowledged. At the end of the session (`bye`): UINT64_MAX. */
void account_acknowledged(unsigned user, uint64_t number);

/* A take without a session broke: so many tuples may be gone, and nobody knows which. */
void account_doubt(unsigned tuples);

/* The user's session is over: what it has not acknowledged may be back. */
void account_session_over(unsigned user);

/* An id was given to the tuple; a token to a claim of it. */
void account_id(uint64_t id, uint64_t uid);
void account_token(uint64_t token, uint64_t uid, const char *space, struct bytes tuple);

/* What is claimed by the token: false when nobody knows. */
bool account_claimed(uint64_t token, const char **space, struct bytes *tuple);

/* The end: everything that was left has been taken. */
void account_close(void);

/* Forgets all. */
void account_clear(void);

#endif
