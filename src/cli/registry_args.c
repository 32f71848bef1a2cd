/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/registry_args.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"

static void note(void *ctx, const char *text)
{
	cli_warn(ctx, "%s", text);
}

static int tls_verify(struct cli *c, const struct registry_args *a, bool *insecure, struct err *e)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	*insecure = a->insecure;
	if (!a->tls_verify)
		return 0;
	for (size_t i = 0; i < COUNT_OF(no); i++)
		if (strcmp(a->tls_verify, no[i]) == 0) {
			*insecure = true;
			return 0;
		}
	for (size_t i = 0; i < COUNT_OF(yes); i++)
		if (strcmp(a->tls_verify, yes[i]) == 0)
			return a->insecure
				       ? cli_wrong(c, e,
						   "--insecure and --tls-verify=%s are contrary",
						   a->tls_verify)
				       : 0;
	return cli_wrong(c, e, "flag --tls-verify wants true or false, not '%s'", a->tls_verify);
}

int registry_args_opts(struct cli *c, const struct registry_args *a, struct registry_opts *out,
		       struct creds *store, struct err *e)
{
	const struct {
		const char *flag, *value;
	} wants[] = {
		{ "--authfile", a->authfile },
		{ "--cacert", a->cacert },
		{ "--cert-dir", a->cert_dir },
	};
	bool insecure;
	for (size_t i = 0; i < COUNT_OF(wants); i++)
		if (wants[i].value && !*wants[i].value)
			return cli_wrong(c, e, "%s wants a path, not an empty word", wants[i].flag);
	if (tls_verify(c, a, &insecure, e) < 0)
		return -1;
	if (a->creds && registry_args_creds(c, "--creds", a->creds, store, e) < 0)
		return -1;
	*out = (struct registry_opts){
		.hosts = { .insecure = insecure, .cacert = a->cacert, .cert_dir = a->cert_dir },
		.authfile = a->authfile,
		.creds = a->creds ? store : NULL,
		.note = note,
		.ctx = c,
	};
	return 0;
}

int registry_args_creds(struct cli *c, const char *flag, const char *text, struct creds *store,
			struct err *e)
{
	struct slice s = slice_of(text);
	size_t colon = slice_find(s, ':');
	_free_ char *password = NULL;
	if (colon == 0)
		return cli_wrong(c, e, "%s wants USER[:PASSWORD]: there is no user", flag);
	if (colon < s.n) {
		password = str_dup(text + colon + 1);
	} else {
		_free_ char *hint = str_printf("%s USER:PASSWORD, or 'thimble login' before", flag);
		password = registry_args_ask("Password: ", true, hint, e);
	}
	if (!password)
		return err_add(e, "the password of '%s'", text);
	str_set(&store->user, slice_dup(slice_head(s, colon)));
	str_set(&store->from, str_dup(flag));
	if (store->password)
		explicit_bzero(store->password, strlen(store->password));
	str_set(&store->password, take_ptr(&password));
	return 0;
}

/* One byte at a time: what follows the line is the next reader's. */
static int read_line(char *line, size_t max, struct err *e)
{
	for (size_t n = 0; n < max;) {
		ssize_t r = interrupt_pending() ? -1 : read(STDIN_FILENO, line + n, 1);
		if (interrupt_pending())
			return err_set(e, ERR_USER, "stopped by a signal");
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return err_sys(e, "read from the terminal");
		if (r == 0 && n == 0)
			return err_set(e, ERR_USER, "nothing was typed");
		if (r == 0 || line[n] == '\n') {
			line[n] = '\0';
			return 0;
		}
		n++;
	}
	return err_set(e, ERR_USER, "what was typed is longer than %zu bytes", max);
}

char *registry_args_ask(const char *prompt, bool secret, const char *instead, struct err *e)
{
	struct termios old, quiet;
	char line[4001] = "";
	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &old) < 0) {
		err_set(e, ERR_USER, "there is no terminal to ask on");
		(void)err_hint(e, "%s", instead);
		return NULL;
	}
	interrupt_catch();
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)fflush(stdout);
	/* Before the prompt: what is typed in answer to it must not be flushed, nor be seen. */
	if (secret && tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0) {
		(void)err_sys(e, "turn the terminal's echo off");
		return NULL;
	}
	(void)fputs(prompt, stderr);
	int r = read_line(line, sizeof line - 1, e);
	if (r < 0) /* the rest of what was typed is not for the shell */
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	if (secret)
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	if (secret || r < 0)
		(void)fputc('\n', stderr);
	char *typed = r < 0 ? NULL : str_dup(line);
	explicit_bzero(line, sizeof line);
	return typed;
}
