/* Sockets that fail. The test programs' own send(), recv(), and what libuv calls
 * (write(), writev(), read()), stand before the C library's: the n-th call of a kind from
 * now on is cut short, or fails, or finds the stream broken. */
#ifndef TILIA_TESTS_CUT_H
#define TILIA_TESTS_CUT_H

#include <stdbool.h>

enum cut_calls {
	CUT_SEND, /* libtilia writes */
	CUT_RECV,
	CUT_WRITE, /* libuv writes to a socket */
	CUT_READ,
	CUT_CALLS
};

enum cut_how {
	CUT_SHORT,       /* one byte is moved */
	CUT_AGAIN,       /* not now */
	CUT_INTERRUPTED, /* by a signal */
	CUT_HALF,        /* half is moved, and then the stream breaks */
	CUT_BROKEN,      /* the stream breaks */
	CUT_HOWS
};

/* n = 1: the next one; 0: none. Answers how many there were since the last call of this. */
unsigned long cut_at(enum cut_calls which, unsigned long n, enum cut_how how);

#endif
