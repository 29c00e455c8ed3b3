#include "address.h"

#include "base/xmalloc.h"
#include "error.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const schemes[] = {"unix", "tcp", "ssh", "cmd"};

static int refuse(int code, char *why, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(int code, char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, ADDRESS_WHY, fmt, ap);
	va_end(ap);
	return code;
}

static int set_name(struct address *a, const void *p, size_t n, char *why)
{
	a->name = xtry_malloc(n + 1);
	if (!a->name)
		return refuse(ERROR_NOMEM, why, "%s", error_text(ERROR_NOMEM));
	memcpy(a->name, p, n);
	a->name[n] = '\0';
	return 0;
}

static int parse_port(const char *s, size_t n, uint16_t *port, char *why)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || (v = v * 10 + (unsigned)(s[i] - '0')) > 65535)
			return refuse(ERROR_USAGE, why, "'%.*s' is not a port (0 to 65535)", (int)n,
			              s);
	}
	if (n == 0)
		return refuse(ERROR_USAGE, why, "the port is missing after the colon");
	*port = (uint16_t)v;
	return 0;
}

/* host, host:port, [v6], [v6]:port. Other forms with several colons are refused:
 * where the port begins would be a guess. */
static int parse_tcp(const char *s, size_t n, struct address *a, char *why)
{
	const char *host = s, *end = s + n, *colon;
	size_t host_n;

	a->port = ADDRESS_PORT;
	if (n && *s == '[') {
		const char *close = memchr(s, ']', n);

		if (!close || (close + 1 < end && close[1] != ':') ||
		    (close > s + 1 && !memchr(s, ':', (size_t)(close - s))) ||
		    memchr(s + 1, '[', n - 1))
			return refuse(ERROR_USAGE, why, "write tcp:[v6 address]:port");
		host++;
		host_n = (size_t)(close - host);
		colon = close + 1 < end ? close + 1 : NULL;
	} else {
		colon = memchr(s, ':', n);
		host_n = colon ? (size_t)(colon - s) : n;
		if (colon && memchr(colon + 1, ':', (size_t)(end - colon - 1)))
			return refuse(ERROR_USAGE, why,
			              "an IPv6 address stands in brackets: tcp:[%.*s]", (int)n, s);
	}
	if (host_n == 0)
		return refuse(ERROR_USAGE, why, "tcp: needs a host: tcp:127.0.0.1:%d",
		              ADDRESS_PORT);
	if (colon) {
		int rc = parse_port(colon + 1, (size_t)(end - colon - 1), &a->port, why);

		if (rc)
			return rc;
	}
	return set_name(a, host, host_n, why);
}

static int parse_unix(const char *s, size_t n, struct address *a, char *why)
{
	if (n == 0 || *s != '/')
		return refuse(ERROR_USAGE, why, "unix: needs an absolute path: unix:/path");
	if (n > ADDRESS_UNIX_MAX)
		return refuse(ERROR_LIMIT, why,
		              "the socket's path has %zu bytes; the system allows %d", n,
		              ADDRESS_UNIX_MAX);
	return set_name(a, s, n, why);
}

static int parse_other(enum address_kind kind, const char *s, size_t n, struct address *a,
                       char *why)
{
	if (n == 0)
		return refuse(ERROR_USAGE, why, "%s: needs a %s", schemes[kind],
		              kind == ADDRESS_SSH ? "host" : "program");
	if (kind == ADDRESS_SSH && *s == '-') /* ssh would take it for an option */
		return refuse(ERROR_USAGE, why, "an ssh host does not begin with '-'");
	return set_name(a, s, n, why);
}

int address_parse(struct bytes text, struct address *a, char *why)
{
	const char *s = (const char *)text.p;
	const char *colon = text.n ? memchr(s, ':', text.n) : NULL;
	size_t scheme_n = colon ? (size_t)(colon - s) : 0, n = colon ? text.n - scheme_n - 1 : 0;

	*a = (struct address){0};
	if (text.n && memchr(s, '\0', text.n))
		return refuse(ERROR_USAGE, why, "an address has no NUL byte");
	for (unsigned kind = 0; colon && kind < sizeof schemes / sizeof *schemes; kind++) {
		if (strlen(schemes[kind]) != scheme_n || memcmp(s, schemes[kind], scheme_n) != 0)
			continue;
		a->kind = (enum address_kind)kind;
		if (kind == ADDRESS_UNIX)
			return parse_unix(colon + 1, n, a, why);
		if (kind == ADDRESS_TCP)
			return parse_tcp(colon + 1, n, a, why);
		return parse_other(a->kind, colon + 1, n, a, why);
	}
	if (scheme_n == 3 && memcmp(s, "tls", 3) == 0)
		return refuse(ERROR_USAGE, why,
		              "tls: is not built into this version; use ssh:host");
	return refuse(
		ERROR_USAGE, why,
		"'%.*s' is not an address: unix:/path, tcp:host:port, ssh:host or cmd:program",
		(int)(text.n < 80 ? text.n : 80), text.n ? s : "");
}

void address_close(struct address *a)
{
	xfree(a->name);
	*a = (struct address){0};
}

int address_list_parse(struct bytes text, struct address_list *l, char *why)
{
	l->count = 0;
	for (size_t at = 0; at <= text.n;) {
		const uint8_t *p = text.p + at, *comma = NULL;
		size_t left = text.n - at;
		struct bytes one;
		int rc;

		if (left && (left < 4 || memcmp(p, "cmd:", 4) != 0))
			comma = memchr(p, ',', left);
		one = (struct bytes){p, comma ? (size_t)(comma - p) : left};
		rc = l->count < ADDRESS_LIST_MAX
		             ? address_parse(one, &l->at[l->count], why)
		             : refuse(ERROR_LIMIT, why, "more than %d addresses", ADDRESS_LIST_MAX);
		if (rc) {
			address_list_close(l);
			return rc;
		}
		l->count++;
		at += one.n + 1;
	}
	return 0;
}

void address_list_close(struct address_list *l)
{
	while (l->count)
		address_close(&l->at[--l->count]);
}

void address_print(struct buf *b, const struct address *a)
{
	if (a->kind != ADDRESS_TCP)
		buf_printf(b, "%s:%s", schemes[a->kind], a->name);
	else
		buf_printf(b, strchr(a->name, ':') ? "tcp:[%s]:%u" : "tcp:%s:%u", a->name, a->port);
}

/* The XDG rule: a relative path in one of its variables is ignored. */
static const char *absolute_env(const char *name)
{
	const char *s = getenv(name);

	return s && *s == '/' ? s : NULL;
}

int address_default(struct address *a, bool *shared, char *why)
{
	const char *run = absolute_env("XDG_RUNTIME_DIR");
	struct buf path = BUF_INIT;
	int rc;

	if (run)
		buf_printf(&path, "%s/tilia.sock", run);
	else
		buf_printf(&path, "/tmp/tilia-%u/tilia.sock", (unsigned)getuid());
	*a = (struct address){.kind = ADDRESS_UNIX};
	rc = path.failed ? refuse(ERROR_NOMEM, why, "%s", error_text(ERROR_NOMEM))
	                 : parse_unix((const char *)path.data, path.len, a, why);
	buf_close(&path);
	if (shared)
		*shared = !run;
	return rc;
}

int address_list_default(struct address_list *l, char *why)
{
	const char *env = getenv("TILIA");
	struct stat st;
	bool shared;
	char folder[64];
	int rc;

	if (env && *env)
		return address_list_parse(bytes_of(env), l, why);
	l->count = 0;
	rc = address_default(&l->at[0], &shared, why);
	if (rc)
		return rc;
	l->count = 1;
	snprintf(folder, sizeof folder, "/tmp/tilia-%u", (unsigned)getuid());
	if (!shared || lstat(folder, &st) != 0 || (S_ISDIR(st.st_mode) && st.st_uid == getuid()))
		return 0;
	address_list_close(l);
	return refuse(ERROR_DENIED, why,
	              "%s is not a folder of your own; set XDG_RUNTIME_DIR or TILIA", folder);
}

int address_default_store(struct buf *path, char *why)
{
	const char *state = absolute_env("XDG_STATE_HOME"), *home = absolute_env("HOME");

	if (!state && !home) {
		const struct passwd *pw = getpwuid(getuid());

		home = pw ? pw->pw_dir : NULL;
	}
	if (!state && !home)
		return refuse(ERROR_USAGE, why,
		              "no home directory; name the store with --store FILE");
	buf_printf(path, "%s%s/tilia/main.db", state ? state : home, state ? "" : "/.local/state");
	return path->failed ? refuse(ERROR_NOMEM, why, "%s", error_text(ERROR_NOMEM)) : 0;
}
