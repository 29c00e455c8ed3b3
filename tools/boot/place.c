#include "place.h"

#include "../../libclient/base/buf.h"
#include "../../libclient/base/xmalloc.h"
#include "../../libclient/error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

static void hop_close(struct place_hop *h)
{
	xfree(h->host);
	xfree(h->user);
	xfree(h->port);
	xfree(h->identity);
}

static void place_close(struct place *p)
{
	xfree(p->spec);
	xfree(p->python);
	for (unsigned i = 0; i < p->hops; i++)
		hop_close(&p->hop[i]);
}

/* --- one hop --------------------------------------------------------------- */

/* The end of the word at `s`: the first of `stops` outside "...", or the end. */
static const char *word_end(const char *s, const char *stops)
{
	bool quoted = false;

	for (; *s != '\0'; s++) {
		if (*s == '"')
			quoted = !quoted;
		else if (!quoted && strchr(stops, *s) != NULL)
			break;
	}
	return s;
}

/* A copy of [s, end) without its quotes. */
static char *unquote(const char *s, const char *end)
{
	char *p = xmalloc((size_t)(end - s) + 1), *to = p;

	for (; s < end; s++)
		if (*s != '"')
			*to++ = *s;
	*to = '\0';
	return p;
}

/* Host and user names, ports and files become arguments of ssh: none may look
 * like an option or hold a control character. */
static bool word_is_safe(const char *s)
{
	if (*s == '\0' || *s == '-')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* A host of an ssh hop: no blank, nothing a shell of a ProxyCommand would see. */
static bool host_is_safe(const char *s)
{
	return word_is_safe(s) && strpbrk(s, " \t\"'`$&|;<>()*?!\\") == NULL;
}

static bool port_is_valid(const char *s)
{
	char *end;
	long v = strtol(s, &end, 10);

	return isdigit((unsigned char)*s) && *end == '\0' && v > 0 && v < 65536;
}

/* One key=value; `why` is filled when it is refused. */
static int option_set(struct place *p, struct place_hop *h, const char *key, char *value, char *why)
{
	char **slot = NULL;

	if (strcmp(key, "python") == 0)
		slot = &p->python;
	else if (h->host != NULL && strcmp(key, "port") == 0)
		slot = &h->port;
	else if (h->host != NULL && strcmp(key, "user") == 0)
		slot = &h->user;
	else if (h->host != NULL && strcmp(key, "identity") == 0)
		slot = &h->identity;
	if (slot == NULL)
		snprintf(why, PLACE_WHY, strcmp(key, "from") == 0
		         ? "from=there is not spoken yet: ssh hops after each other go by ProxyJump"
		         : "no such option of this hop: %s (port, user, identity, python of ssh; "
		           "python of local)", key);
	else if (*slot != NULL)
		snprintf(why, PLACE_WHY, "%s= is given twice", key);
	else if (!word_is_safe(value) || (slot == &h->port && !port_is_valid(value)) ||
	         (slot == &h->user && !host_is_safe(value)) ||
	         (slot == &p->python && strpbrk(value, " \t'!\\\"$`;&|<>()*?[") != NULL))
		snprintf(why, PLACE_WHY, "not a value for %s=: \"%s\" "
		         "(\"...\" goes around one with / , or a blank)", key, value);
	else {
		*slot = value;
		return 0;
	}
	xfree(value);
	return ERROR_USAGE;
}

static int hop_options(struct place *p, struct place_hop *h, const char *s, const char *end,
                       char *why)
{
	while (s < end) {
		const char *stop = word_end(++s, ",/"), *equals;
		char key[32];
		int e;

		if (stop > end)
			stop = end;
		equals = memchr(s, '=', (size_t)(stop - s));
		if (equals == NULL || equals - s >= (long)sizeof key) {
			snprintf(why, PLACE_WHY, "an option is KEY=VALUE, not %.*s",
			         (int)(stop - s), s);
			return ERROR_USAGE;
		}
		snprintf(key, sizeof key, "%.*s", (int)(equals - s), s);
		e = option_set(p, h, key, unquote(equals + 1, stop), why);
		if (e != 0)
			return e;
		s = stop;
	}
	return 0;
}

/* user@host:port; [v6]:port */
static int host_read(struct place_hop *h, const char *s, const char *end, char *why)
{
	const char *at = memchr(s, '@', (size_t)(end - s)), *colon, *close;

	if (at != NULL) {
		h->user = copy(s, (size_t)(at - s));
		s = at + 1;
	}
	close = *s == '[' ? memchr(s, ']', (size_t)(end - s)) : NULL;
	colon = memchr(close != NULL ? close : s, ':', (size_t)(end - (close != NULL ? close : s)));
	if (colon != NULL && close == NULL &&
	    memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
		colon = NULL; /* a bare v6 address */
	if (colon != NULL)
		h->port = copy(colon + 1, (size_t)(end - colon - 1));
	else
		colon = end;
	h->host = close != NULL
	        ? copy(s + 1, (size_t)(close - s - 1)) : copy(s, (size_t)(colon - s));
	if (host_is_safe(h->host) && (h->user == NULL || host_is_safe(h->user)) &&
	    (h->port == NULL || port_is_valid(h->port)))
		return 0;
	snprintf(why, PLACE_WHY, "not a host: %.*s", (int)(end - s), s);
	return ERROR_USAGE;
}

/* Whether [s, end) begins with the kind `kind` and `:`, or is it. */
static const char *kind_is(const char *s, const char *end, const char *kind)
{
	size_t n = strlen(kind);

	if ((size_t)(end - s) < n || memcmp(s, kind, n) != 0)
		return NULL;
	if (s + n == end)
		return end;
	return s[n] == ':' ? s + n + 1 : NULL;
}

/* One hop with its options: [s, end). */
static int hop_read(struct place *p, const char *s, const char *end, bool first, char *why)
{
	static const char *const later[] = {"sudo", "su", "doas", "docker", "podman", "lxc",
	                                    "kubectl", "cmd"};
	const char *comma = word_end(s, ","), *rest;
	struct place_hop *h = &p->hop[p->hops];
	int e;

	if (comma > end)
		comma = end;
	for (size_t i = 0; i < sizeof later / sizeof *later; i++)
		if (kind_is(s, comma, later[i]) != NULL) {
			snprintf(why, PLACE_WHY,
			         "hops of kind %s are not spoken yet (local and ssh are)",
			         later[i]);
			return ERROR_USAGE;
		}
	if (kind_is(s, comma, "local") == comma) {
		struct place_hop none = {NULL, NULL, NULL, NULL};

		if (!first) {
			snprintf(why, PLACE_WHY, "local behind another hop is that hop itself");
			return ERROR_USAGE;
		}
		return hop_options(p, &none, comma, end, why);
	}
	if (p->hops == PLACE_HOPS) {
		snprintf(why, PLACE_WHY, "more than %d hops", PLACE_HOPS);
		return ERROR_LIMIT;
	}
	memset(h, 0, sizeof *h);
	p->hops++;
	rest = kind_is(s, comma, "ssh");
	e = host_read(h, rest != NULL ? rest : s, comma, why);
	if (e == 0)
		e = hop_options(p, h, comma, end, why);
	return e;
}

/* --- one place ------------------------------------------------------------- */

/* `8/` in front or `*8` behind; narrows [*s, *end). */
static int slots_read(struct place *p, const char **s, const char **end, char *why)
{
	const char *at = *s;
	unsigned long n = 1;
	char *stop;

	p->slots = 1;
	while (isdigit((unsigned char)*at))
		at++;
	if (at > *s && *at == '/') {
		n = strtoul(*s, NULL, 10);
		*s = at + 1;
	} else {
		for (at = *end; at > *s && isdigit((unsigned char)at[-1]); at--)
			;
		if (at > *s + 1 && at < *end && at[-1] == '*') {
			n = strtoul(at, &stop, 10);
			*end = at - 1;
		}
	}
	if (n < 1 || n > PLACE_SLOTS) {
		snprintf(why, PLACE_WHY, "a place has 1 to %d workers", PLACE_SLOTS);
		return ERROR_LIMIT;
	}
	p->slots = (unsigned)n;
	return 0;
}

/* execnet: popen or ssh=user@host, then //key=value. Its options `id` is a name
 * of its own and without meaning here. */
static int execnet_read(struct place *p, const char *s, const char *end, char *why)
{
	char *text = copy(s, (size_t)(end - s)), *word = text, *next;
	int e = 0;

	for (; word != NULL && e == 0; word = next) {
		next = strstr(word, "//");
		if (next != NULL) {
			*next = '\0';
			next += 2;
		}
		if (strncmp(word, "ssh=", 4) == 0 && p->hops == 0) {
			memset(&p->hop[0], 0, sizeof p->hop[0]);
			p->hops = 1;
			e = host_read(&p->hop[0], word + 4, word + strlen(word), why);
		} else if (strncmp(word, "python=", 7) == 0)
			e = option_set(p, &p->hop[0], "python", copy(word + 7, strlen(word + 7)),
			               why);
		else if (strcmp(word, "popen") != 0 && strncmp(word, "id=", 3) != 0) {
			snprintf(why, PLACE_WHY,
			         "of execnet's form popen, ssh=, python= and id= are known, not %s",
			         word);
			e = ERROR_USAGE;
		}
	}
	xfree(text);
	return e;
}

static int place_read(struct place *p, const char *s, const char *end, char *why)
{
	int e = slots_read(p, &s, &end, why);

	if (e != 0)
		return e;
	if (s == end) {
		snprintf(why, PLACE_WHY, "a place is missing");
		return ERROR_USAGE;
	}
	p->spec = copy(s, (size_t)(end - s));
	if (memmem(s, (size_t)(end - s), "//", 2) != NULL && word_end(s, "/") < end &&
	    word_end(s, "/")[1] == '/')
		return execnet_read(p, s, end, why);
	for (bool first = true;; first = false) {
		const char *stop = word_end(s, "/");

		if (stop > end)
			stop = end;
		e = hop_read(p, s, stop, first, why);
		if (e != 0 || stop == end)
			break;
		if (p->python != NULL) {
			snprintf(why, PLACE_WHY, "python= belongs to the last hop");
			return ERROR_USAGE;
		}
		s = stop + 1;
	}
	for (unsigned i = 0; e == 0 && i + 1 < p->hops; i++)
		if (p->hop[i].identity != NULL) {
			snprintf(why, PLACE_WHY,
			         "identity= of a jump host belongs into ~/.ssh/config");
			e = ERROR_USAGE;
		}
	return e;
}

/* --- ranges and lists ------------------------------------------------------ */

/* Finds [a-b] in a word that is no v6 address: true, and what it says. */
static bool range_find(const char *s, const char *end, const char **open, const char **close,
                       unsigned long *from, unsigned long *to)
{
	char *stop;

	*open = memchr(s, '[', (size_t)(end - s));
	if (*open == NULL || !isdigit((unsigned char)(*open)[1]))
		return false;
	*from = strtoul(*open + 1, &stop, 10);
	if (*stop != '-' || !isdigit((unsigned char)stop[1]))
		return false;
	*to = strtoul(stop + 1, &stop, 10);
	*close = stop;
	return *stop == ']' && stop < end;
}

/* The word with its range replaced by `n`, as wide as its beginning is. */
static void range_put(struct buf *b, const char *s, const char *end, const char *open,
                      const char *close, unsigned long n)
{
	int width = (int)strcspn(open + 1, "-");

	buf_append(b, s, (size_t)(open - s));
	buf_printf(b, "%0*lu", width, n);
	buf_append(b, close + 1, (size_t)(end - close - 1));
	buf_byte(b, 0);
}

static int list_append(struct place_list *l, const char *s, const char *end, char *why)
{
	struct place p;
	int e;

	memset(&p, 0, sizeof p);
	e = place_read(&p, s, end, why);
	if (e != 0) {
		place_close(&p);
		return e;
	}
	l->at = xrealloc(l->at, (l->count + 1) * sizeof *l->at);
	l->at[l->count++] = p;
	return 0;
}

static int word_add(struct place_list *l, const char *s, const char *end, char *why)
{
	const char *open, *close;
	unsigned long from, to;
	struct buf b = BUF_INIT;
	int e = 0;

	if (!range_find(s, end, &open, &close, &from, &to))
		return list_append(l, s, end, why);
	if (to < from || to - from >= PLACE_SLOTS) {
		snprintf(why, PLACE_WHY, "not a range: %.*s", (int)(close + 1 - open), open);
		return ERROR_USAGE;
	}
	for (unsigned long n = from; n <= to && e == 0; n++) {
		buf_clear(&b, SIZE_MAX);
		range_put(&b, s, end, open, close, n);
		e = list_append(l, (char *)b.data, (char *)b.data + b.len - 1, why);
	}
	buf_close(&b);
	return e;
}

static void list_cut(struct place_list *l, unsigned count)
{
	while (l->count > count)
		place_close(&l->at[--l->count]);
}

int place_list_add(struct place_list *l, const char *text, char *why)
{
	static const char blanks[] = " \t\r\n";
	unsigned before = l->count;
	int e = 0;

	for (;;) {
		const char *end;

		text += strspn(text, blanks);
		if (*text == '\0')
			break;
		end = word_end(text, blanks);
		e = word_add(l, text, end, why);
		if (e != 0)
			break;
		text = end;
	}
	if (e == 0 && l->count == before) {
		snprintf(why, PLACE_WHY, "no place is named");
		e = ERROR_USAGE;
	}
	if (e != 0)
		list_cut(l, before);
	return e;
}

static unsigned except_one(struct place_list *l, const char *host)
{
	unsigned kept = 0, before = l->count;

	for (unsigned i = 0; i < before; i++) {
		if (strcmp(place_name(&l->at[i]), host) == 0 || strcmp(l->at[i].spec, host) == 0)
			place_close(&l->at[i]);
		else
			l->at[kept++] = l->at[i];
	}
	l->count = kept;
	return before - kept;
}

int place_list_except(struct place_list *l, const char *host)
{
	const char *open, *close, *end = host + strlen(host);
	unsigned long from, to;
	struct buf b = BUF_INIT;
	unsigned n = 0;

	if (!range_find(host, end, &open, &close, &from, &to))
		return (int)except_one(l, host);
	if (to < from || to - from >= PLACE_SLOTS)
		return -1;
	for (unsigned long i = from; i <= to; i++) {
		buf_clear(&b, SIZE_MAX);
		range_put(&b, host, end, open, close, i);
		n += except_one(l, (char *)b.data);
	}
	buf_close(&b);
	return (int)n;
}

void place_list_close(struct place_list *l)
{
	list_cut(l, 0);
	xfree(l->at);
	l->at = NULL;
}

const char *place_name(const struct place *p)
{
	return p->hops == 0 ? "local" : p->hop[p->hops - 1].host;
}
