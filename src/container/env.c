/* SPDX-License-Identifier: Apache-2.0 */
#include "container/env.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void put(struct strs *env, const char *pair)
{
	struct slice s = slice_of(pair);
	size_t eq = slice_find(s, '=');
	env_set(env, slice_head(s, eq), slice_from(s, eq + 1));
}

/* docker/cli opts/file.go: blanks before a line go, those after it stay (they are the value's). */
int env_file_parse(struct slice text, const char *name, struct strs *out, struct err *e)
{
	struct slice line;
	if (slice_starts(text, SL("\xef\xbb\xbf")))
		text = slice_from(text, 3);
	for (unsigned nr = 1; slice_split(&text, '\n', &line); nr++) {
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (memchr(line.p, 0, line.n))
			return err_set(e, ERR_USER, "%s:%u: a NUL byte cannot be in a variable",
				       name, nr);
		line = slice_trim_left(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		size_t eq = slice_find(line, '=');
		struct slice key = slice_head(line, eq);
		if (key.n == 0)
			return err_set(e, ERR_USER, "%s:%u: there is no variable name before '='",
				       name, nr);
		for (size_t i = 0; i < key.n; i++)
			if (key.p[i] == ' ' || key.p[i] == '\t') {
				err_set(e, ERR_USER,
					"%s:%u: the variable '%.*s' contains whitespaces", name, nr,
					SLF(key));
				return err_hint(
					e, "write it as NAME=VALUE, without quotes or 'export'");
			}
		_free_ char *word = slice_dup(line);
		if (env_add(out, word, e) < 0)
			return -1;
	}
	return 0;
}

int env_add(struct strs *env, const char *arg, struct err *e)
{
	if (arg[0] == '=' || !arg[0])
		return err_set(e, ERR_USER, "invalid environment variable: %s",
			       arg[0] ? arg : "(empty)");
	if (strchr(arg, '=')) {
		put(env, arg);
		return 0;
	}
	const char *value = getenv(arg);
	if (value)
		env_set(env, slice_of(arg), slice_of(value));
	return 0;
}

static void append(struct strs *to, const struct strs *from)
{
	for (size_t i = 0; i < from->n; i++)
		strs_add(to, from->p[i]);
}

int command_make(const struct image_config *cfg, const char *entrypoint, const char *const *args,
		 size_t args_n, struct strs *argv, struct err *e)
{
	if (!entrypoint)
		append(argv, &cfg->entrypoint);
	else if (entrypoint[0])
		strs_add(argv, entrypoint);
	if (args_n == 0 && !entrypoint)
		append(argv, &cfg->cmd);
	for (size_t i = 0; i < args_n; i++)
		strs_add(argv, args[i]);
	if (argv->n == 0) {
		err_set(e, ERR_USER,
			"no command specified: the image has neither ENTRYPOINT nor CMD%s",
			entrypoint ? " that is left" : "");
		return err_hint(
			e, "name one after the image, as in: thimble run IMAGE /path/to/program");
	}
	return 0;
}

void environment_make(const struct image_config *cfg, const char *hostname, bool tty,
		      const char *home, const struct strs *more, struct strs *out)
{
	if (!env_get(&cfg->env, "PATH"))
		strs_add(out, "PATH=" DEFAULT_PATH);
	if (hostname && hostname[0])
		strs_addf(out, "HOSTNAME=%s", hostname);
	if (tty)
		strs_add(out, "TERM=xterm");
	for (size_t i = 0; i < cfg->env.n; i++)
		if (strchr(cfg->env.p[i], '='))
			put(out, cfg->env.p[i]);
	for (size_t i = 0; i < more->n; i++)
		put(out, more->p[i]);
	if (!env_get(out, "HOME"))
		strs_addf(out, "HOME=%s", home && home[0] ? home : "/");
}
