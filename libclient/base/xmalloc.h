/* All memory of Tilia is taken here. The server cannot go on without memory
 * and aborts with a message (its own byte limit refuses growth long before);
 * the library answers NULL and hands an error to its caller. The tests make
 * the n-th allocation fail. */
#ifndef TILIA_BASE_XMALLOC_H
#define TILIA_BASE_XMALLOC_H

#include <stddef.h>

/* Never NULL; abort when memory is out. xcalloc() is zeroed. Size 0 is 1. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);

/* The same, NULL when memory is out (or the tests want it so). */
void *xtry_malloc(size_t size);
void *xtry_calloc(size_t count, size_t size);
void *xtry_realloc(void *ptr, size_t size);

/* NULL is nothing. */
void xfree(void *ptr);

/* A program that has no use for going on without memory: `leave` is called by each of
 * the functions above instead of what they do when memory is out. It does not return. */
void xmalloc_or_else(void (*leave)(void));

/* Tests only: this thread's n-th xtry_ call from now on fails (n = 1: the next
 * one), and all after it when `forever`; 0 switches it off. Answers how many
 * xtry_ calls the thread made since the last call of this function. */
unsigned long xmalloc_fail_at(unsigned long n, int forever);

#endif
