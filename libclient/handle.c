/* tilia.h: handles, from tilia_open() to tilia_close(). */
#include "client.h"

#include "base/xmalloc.h"
#include "call.h"
#include "error.h"
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS 10000

const char *tilia_version(void)
{
	return TILIA_VERSION;
}

const char *tilia_strerror(int code)
{
	return error_text(code);
}

const char *tilia_strword(int code)
{
	return error_word(code);
}

void tilia_free(void *p)
{
	xfree(p);
}

const char *tilia_error(const struct tilia *t)
{
	if (t == NULL)
		return error_text(ERROR_NOMEM);
	return t->error == NULL ? "" : t->error;
}

const void *tilia_session(const struct tilia *t, size_t *size)
{
	struct bytes id = session_id(t->session);

	*size = id.n;
	return id.n == 0 ? NULL : id.p;
}

static char *copy_text(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = xtry_malloc(n);

	return copy == NULL ? NULL : memcpy(copy, s, n);
}

static int check_options(struct tilia *t, const struct tilia_options *o)
{
	if (o->grace_ms < 0 || o->connect_ms < 0 || o->resume_ms < TILIA_NOWAIT)
		return client_fail(t, ERROR_USAGE, "a duration in the options is negative");
	for (size_t i = 0; i < sizeof(o->reserved) / sizeof(o->reserved[0]); i++) {
		if (o->reserved[i] != NULL)
			return client_fail(t, ERROR_USAGE, "the options are not zeroed");
	}
	return 0;
}

static int set_up(struct tilia *t, const struct tilia_options *o)
{
	struct session_options so = {
		.resumable = !o->no_session,
		.grace_ms = o->grace_ms == 0 ? SESSION_DEFAULT : (uint64_t)o->grace_ms,
		.id = {o->session, o->session_size},
		.number = o->session_number,
		.auth = o->auth,
		.client = o->client == NULL ? program_invocation_short_name : o->client,
	};
	struct timespec ts;
	int code;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	t->random = ((uint64_t)ts.tv_nsec << 20 ^ (uint64_t)getpid()) | 1;
	t->resumable = !o->no_session;
	t->connect_ms = o->connect_ms == 0 ? CONNECT_MS : o->connect_ms;
	t->resume_ms = o->resume_ms;
	code = transport_init(&t->transport, o->address);
	if (code != 0)
		return client_fail(t, code, t->transport.why);
	code = check_options(t, o);
	if (code != 0)
		return code;
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake_fd < 0)
		return client_fail(t, ERROR_SYSTEM, strerror(errno));
	t->space = copy_text(o->space == NULL ? "main" : o->space);
	t->session = session_create(&so);
	if (t->space == NULL || t->session == NULL)
		return client_fail(t, ERROR_NOMEM, NULL);
	return 0;
}

int tilia_start(struct tilia **handle, const struct tilia_options *options)
{
	static const struct tilia_options none;
	struct tilia *t = *handle = xtry_calloc(1, sizeof(*t));
	int code;

	if (t == NULL)
		return ERROR_NOMEM;
	list_init(&t->calls);
	list_init(&t->watches);
	t->wake_fd = -1;
	t->transport.fd = -1;
	code = set_up(t, options == NULL ? &none : options);
	if (code != 0)
		return t->fatal = code;
	t->dirty = true;
	client_want(t);
	return 0;
}

int tilia_open(struct tilia **handle, const struct tilia_options *options)
{
	int code = tilia_start(handle, options);
	struct tilia *t = *handle;

	while (code == 0 && t->phase != CLIENT_OPEN && t->trying)
		code = client_wait(t, INT64_MAX);
	if (code == 0 && t->phase != CLIENT_OPEN)
		code = ERROR_CONNECT;
	if (code == ERROR_INTERRUPTED)
		client_fail(t, code, NULL);
	if (code != 0 && t != NULL)
		t->fatal = code;
	return code;
}

/* Says bye and waits for the answer. */
static int say_bye(struct tilia *t)
{
	int64_t until = client_after_ms(client_now_ms(), t->connect_ms);
	int code;

	if (t->phase == CLIENT_OFF && session_id(t->session).n == 0 &&
	    session_unanswered(t->session) == 0)
		return 0; /* there is nobody to say it to */
	code = session_bye(t->session);
	while (code == 0 && !session_is_ended(t->session)) {
		code = client_step(t);
		if (code == 0 && !session_is_ended(t->session))
			code = client_wait(t, until);
		if (code == 0 && client_now_ms() >= until)
			code = client_fail(t, ERROR_TIMEOUT, "the server did not answer bye");
	}
	return code != 0 ? code : t->bye;
}

/* Only what the process owns, when something went wrong while opening too. */
static void destroy(struct tilia *t, bool alone)
{
	transport_close(&t->transport, alone);
	call_forget_all(t);
	stream_forget_all(t);
	session_destroy(t->session);
	if (t->wake_fd >= 0)
		close(t->wake_fd);
	xfree(t->space);
	xfree(t->error);
	xfree(t);
}

int tilia_close(struct tilia *t)
{
	int code;

	if (t == NULL)
		return 0;
	if (t->in_callback)
		return client_fail(t, ERROR_USAGE, "tilia_close() within a callback");
	code = t->fatal;
	if (code == 0)
		code = say_bye(t);
	if (t->session != NULL)
		client_give_up(t, ERROR_CANCELLED);
	destroy(t, false);
	return code;
}

void tilia_abandon(struct tilia *t)
{
	if (t != NULL)
		destroy(t, true);
}
