#include "words.h"

#include "boot/must.h"

#include "../libclient/base/xmalloc.h"

#include <string.h>
#include <unistd.h>

static char *copy(struct bytes text)
{
	char *word = xmalloc(text.n + 1);

	if (text.n > 0)
		memcpy(word, text.p, text.n);
	word[text.n] = '\0';
	return word;
}

void words_add_n(struct words *w, struct bytes text)
{
	w->at = xrealloc(w->at, (w->count + 2) * sizeof *w->at);
	w->at[w->count++] = copy(text);
	w->at[w->count] = NULL;
}

void words_add(struct words *w, const char *text)
{
	words_add_n(w, bytes_of(text));
}

void words_environ(struct words *w)
{
	for (char **e = environ; *e != NULL; e++)
		words_add(w, *e);
}

void words_set(struct words *w, const char *name, struct bytes value)
{
	struct buf b = BUF_INIT;
	size_t n = strlen(name);
	unsigned i = 0;

	buf_text(&b, name);
	buf_byte(&b, '=');
	buf_append(&b, value.p, value.n);
	must(&b);
	while (i < w->count && (strncmp(w->at[i], name, n) != 0 || w->at[i][n] != '='))
		i++;
	if (i < w->count) {
		xfree(w->at[i]);
		w->at[i] = copy(buf_bytes(&b));
	} else
		words_add_n(w, buf_bytes(&b));
	buf_close(&b);
}

void words_close(struct words *w)
{
	for (unsigned i = 0; i < w->count; i++)
		xfree(w->at[i]);
	xfree(w->at);
	*w = (struct words){NULL, 0};
}
