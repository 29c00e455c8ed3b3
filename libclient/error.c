#include "error.h"

#include <stddef.h>

static const struct row {
	int code;
	const char *word, *text;
} rows[] = {
	{ERROR_NONE, "ok", "done"},
#define X(name, code, word, text) {code, word, text},
	ERROR_TABLE(X)
#undef X
};

static const struct row *row_of(int code)
{
	static const struct row stranger = {0, "unknown-error", "unknown error"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == code)
			return &rows[i];
	return &stranger;
}

const char *error_text(int code)
{
	return row_of(code)->text;
}

const char *error_word(int code)
{
	return row_of(code)->word;
}
