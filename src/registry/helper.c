/* SPDX-License-Identifier: Apache-2.0 */
/* One verb a run: the question on stdin, the answer on stdout, the reason of a failure on stdout, too
 * (and on stderr by some). */
#include "registry/helper.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/js.h"
#include "base/num.h"
#include "base/proc.h"
#include "registry/secret.h"

enum { ANSWER_MAX = 64 << 10, LIST_MAX = 1 << 20, WORDS_MAX = 400 };
enum { PATIENCE_MS = 120000 }; /* somebody may be typing what unlocks its store */

int helper_check_name(const char *name, struct err *e)
{
	for (const char *c = name; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && (!strchr("-_.", *c) || (c == name && *c == '.')))
			return err_set(e, ERR_DATA, "'%s' is no name of a credential helper", name);
	return *name ? 0 : err_set(e, ERR_DATA, "the name of a credential helper is empty");
}

static int patience(void)
{
	const char *test = getenv("THIMBLE_TEST_HELPER_MS");
	uint64_t ms;
	return test && num_parse(slice_of(test), INT32_MAX, &ms) == 0 ? (int)ms : PATIENCE_MS;
}

/* Without backslashes: a shell's echo takes some of JSON's away, and leaves others. */
static void bare(struct slice s, struct buf *out)
{
	secret_room(out, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\\')
			buf_char(out, s.p[i]);
}

/* The password that it was given, as it is or as JSON has it. */
static bool holds(struct slice words, struct slice secret)
{
	_cleanup_(secret_buf_done) struct buf json = { 0 }, all = { 0 }, plain = { 0 }, coded = { 0 };
	if (secret.n == 0 || words.n == 0)
		return false;
	_cleanup_(secret_jsonp) json_t *v = js_text(secret);
	secret_room(&json, 6 * secret.n + 8);
	js_dump(v, &json);
	bare(words, &all);
	bare(secret, &plain);
	bare(slice_head(slice_from(buf_view(&json), 1), json.len - 2), &coded);
	return slice_search(buf_view(&all), buf_view(&plain)) < all.len ||
	       slice_search(buf_view(&all), buf_view(&coded)) < all.len;
}

/* The words of a failure; a helper that fails must not have printed a secret, but who knows. */
static int explain(struct slice said, struct slice secret, struct err *why, struct err *e)
{
	said = slice_trim(said);
	if (why->kind == ERR_ABSENT)
		(void)err_hint(why, "install it, or take it out of the file");
	bool shows = holds(said, secret), errors = holds(slice_of(why->output), secret);
	if (errors) {
		secret_free(why->output);
		why->output = NULL;
	}
	if (shows || errors)
		(void)err_hint(why, "its words are not shown, for they hold the password");
	err_move(e, why);
	if (e && e->kind == ERR_PROG && said.n && *said.p != '{' && !shows && !e->output)
		return err_output(e, slice_head(said, said.n < WORDS_MAX ? said.n : WORDS_MAX));
	return -1;
}

/* As IsErrCredentialsNotFoundMessage of the protocol's library; `pass` and others write more. */
static bool is_not_found(struct slice said)
{
	return slice_search(said, SL("credentials not found in native keychain")) < said.n;
}

/* 1, 0: "not found", -1. Its stdout is in *out, which has room for `max` bytes. secret: what is in `in`
 * and must not be shown. */
static int ask(const char *name, const char *verb, struct slice in, struct slice secret, size_t max,
	       struct buf *out, struct err *e)
{
	if (helper_check_name(name, e) < 0)
		return -1;
	_free_ char *program = str_printf("docker-credential-%s", name);
	char *const argv[] = { program, (char *)verb, NULL };
	/* memory, not a pipe: nobody waits for the other */
	_close_ int fd = memfd_create("credentials", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, in.p, in.n, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "prepare what '%s' shall read", program);
	_cleanup_(err_done) struct err why = { 0 };
	out->max = max;
	secret_room(out, max);
	if (proc_run_in(argv, fd, patience(), out, &why) == 0)
		return 1;
	if (why.kind == ERR_PROG && is_not_found(buf_view(out)))
		return 0;
	return explain(buf_view(out), secret, &why, e);
}

/* Errors of JSON may quote it. */
static json_t *parse(const char *name, const struct buf *b, struct err *e)
{
	json_t *v = js_parse(buf_view(b), "it", NULL);
	if (v && json_is_object(v))
		return v;
	secret_json(v);
	err_set(e, ERR_DATA,
		"'docker-credential-%s' answers with something else than a JSON object", name);
	return NULL;
}

int helper_get(const char *name, const char *server, struct creds *out, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf b = { 0 };
	const char *user = NULL, *secret = NULL;
	int r = ask(name, "get", slice_of(server), SL(""), ANSWER_MAX, &b, e);
	if (r <= 0)
		return r;
	_cleanup_(secret_jsonp) json_t *v = parse(name, &b, e);
	if (!v || js_str(v, "Username", &user, e) < 0 || js_str(v, "Secret", &secret, e) < 0)
		return -1;
	if (!secret || !*secret)
		return 0;
	if (!user || !*user || strcmp(user, "<token>") == 0)
		out->token = str_dup(secret);
	else
		out->password = str_dup(secret);
	out->user = str_dup(user);
	out->from = str_printf("docker-credential-%s", name);
	return 1;
}

int helper_store(const char *name, const char *server, const struct creds *c, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf in = { 0 }, out = { 0 };
	_cleanup_(secret_jsonp) json_t *v = json_object();
	const char *secret = c->token ? c->token : c->password;
	(void)json_object_set_new(v, "ServerURL", js_text(slice_of(server)));
	(void)json_object_set_new(v, "Username",
				  js_text(slice_of(c->token || !c->user ? "<token>" : c->user)));
	if (json_object_set_new(v, "Secret", json_string(secret)) < 0)
		return err_set(e, ERR_USER,
			       "the password is not UTF-8: 'docker-credential-%s' cannot take it",
			       name);
	secret_room(&in, 6 * (strlen(secret) + strlen(server)) +
				 6 * strlen(c->user ? c->user : "") + 256);
	js_dump(v, &in);
	int r = ask(name, "store", buf_view(&in), slice_of(secret), ANSWER_MAX, &out, e);
	if (r == 0)
		return err_set(e, ERR_PROG, "'docker-credential-%s' found nothing to store it in",
			       name);
	return r < 0 ? -1 : 0;
}

int helper_erase(const char *name, const char *server, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf out = { 0 };
	return ask(name, "erase", slice_of(server), SL(""), ANSWER_MAX, &out, e);
}

int helper_list(const char *name, struct strs *servers, struct err *e)
{
	_cleanup_(secret_buf_done) struct buf out = { 0 };
	const char *server;
	json_t *user;
	int r = ask(name, "list", SL(""), SL(""), LIST_MAX, &out, e);
	if (r <= 0)
		return r;
	_cleanup_(secret_jsonp) json_t *v = parse(name, &out, e);
	if (!v)
		return -1;
	json_object_foreach(v, server, user) strs_add(servers, server);
	return 0;
}
