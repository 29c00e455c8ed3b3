/* The order of values: what ranges go by. Numbers by what they are worth, texts
 * and bytes by their bytes. */
#ifndef TILIA_COMPARE_H
#define TILIA_COMPARE_H

#include <stdint.h>

/* Whether `a` is less than (below 0), as great as (0) or greater than `b`. Both
 * are canonical and numbers (int, bignums included, or float), or both texts, or
 * both bytes. int and float are compared exactly: 2^53 + 1 is greater than
 * 9007199254740992.0. -0.0 is as great as 0.0 and 0; NaN is as great as itself
 * and greater than all else. A text comes before those it is the beginning of. */
int compare_items(const uint8_t *a, const uint8_t *b);

/* A number that goes up with that order: values that are equally great have the
 * same rank, a greater one the same or a greater. Most that differ differ in it. */
uint64_t compare_rank(const uint8_t *p);

#endif
