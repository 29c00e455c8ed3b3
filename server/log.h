/* The log: one logfmt line on stderr for each event, level=... msg="..." and
 * then key=value; values are quoted where they must be. */
#ifndef TILIA_LOG_H
#define TILIA_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_FATAL,  /* and then it ends */
	LOG_ERROR,  /* somebody lost something */
	LOG_WARN,   /* somebody should look */
	LOG_NOTICE, /* once in a life: ready, stopped */
	LOG_INFO,   /* now and then */
	LOG_DEBUG,
};

struct log_field {
	const char *key; /* NULL ends the list */
	const char *text; /* NULL: the number */
	uint64_t number;
};

#define log_text(k, v) ((struct log_field){(k), (v), 0})
#define log_number(k, v) ((struct log_field){(k), NULL, (v)})

/* log_line(LOG_INFO, "recovering", log_number("done", n), ...); */
#define log_line(level, ...) LOG_ARGUMENTS(level, __VA_ARGS__, (struct log_field){0})
#define LOG_ARGUMENTS(level, msg, ...)                                                             \
	log_write(level, msg, (const struct log_field[]){__VA_ARGS__})

void log_write(enum log_level level, const char *msg, const struct log_field *fields);

/* Lines above this level are not written. LOG_INFO at first. */
void log_set_level(enum log_level level);

/* The level of that word, or -1. */
int log_level_named(const char *word);

#endif
