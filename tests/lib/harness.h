/* The C tests' harness. TEST(name) { ... } registers by existing; the name says
 * the behaviour. A program runs all its tests, or those named on its command
 * line, and prints a line for each: "ok NAME", "not ok NAME: why", "skip NAME:
 * why". A failed CHECK ends its test. SEED in the environment seeds test_seed(). */
#ifndef TILIA_TESTS_HARNESS_H
#define TILIA_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_register(struct test *t);
void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The seed of this run ($SEED, else `fallback`), printed on failure. */
uint64_t test_seed(uint64_t fallback);

/* The seed that a failure from here on is to be repeated with. */
void test_note_seed(uint64_t seed);

/* xoshiro256**; seeded by test_seed() at a test's start, or by hand. */
void test_random_seed(uint64_t seed);
uint64_t test_random(void);
uint64_t test_random_below(uint64_t n);

/* Hex text to bytes ("83 01 02", blanks allowed); answers how many. */
size_t test_unhex(const char *hex, uint8_t *out, size_t cap);

/* A folder of this test program's own, removed at its end. */
const char *test_folder(void);

#define TEST(name)                                                                                 \
	static void test_##name(void);                                                             \
	static struct test entry_##name = {#name, test_##name, NULL};                              \
	__attribute__((constructor)) static void register_##name(void)                             \
	{                                                                                          \
		test_register(&entry_##name);                                                      \
	}                                                                                          \
	static void test_##name(void)

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__FILE__, __LINE__, "%s", #cond);                                \
	} while (0)

#define CHECK_INT(got, want)                                                                       \
	do {                                                                                       \
		long long got_ = (long long)(got), want_ = (long long)(want);                      \
		if (got_ != want_)                                                                 \
			test_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_);  \
	} while (0)

#define CHECK_STR(got, want)                                                                       \
	do {                                                                                       \
		const char *got_ = (got), *want_ = (want);                                         \
		if (strcmp(got_, want_) != 0)                                                      \
			test_fail(__FILE__, __LINE__, "%s is\n%s\nnot\n%s", #got, got_, want_);    \
	} while (0)

#endif
