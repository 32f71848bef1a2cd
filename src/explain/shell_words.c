/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/shell_words.h"
#include "base/buf.h"

static bool is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

static bool is_in(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

bool shell_is_builtin(const char *word, bool optional)
{
	static const char *const only[] = { ".",      ":",       "alias",    "bg",      "break",
					    "cd",     "command", "continue", "declare", "eval",
					    "exit",   "export",  "fg",       "getopts", "hash",
					    "jobs",   "let",     "local",    "read",    "readonly",
					    "return", "set",     "shift",    "shopt",   "source",
					    "times",  "trap",    "type",     "typeset", "ulimit",
					    "umask",  "unalias", "unset",    "wait" };
	static const char *const both[] = { "[",      "echo", "false", "kill",
					    "printf", "pwd",  "test",  "true" };

	return is_in(word, only, COUNT_OF(only)) || (optional && is_in(word, both, COUNT_OF(both)));
}

/* "$HOME", "${HOME", "$(" …: what to show of it. */
static char *tell_dollar(struct slice s)
{
	size_t n = 1;

	if (s.n > 1 && s.p[1] == '(')
		return str_dup("it uses $(…)");
	if (s.n > 1 && s.p[1] == '{')
		n++;
	while (n < s.n && is_name(s.p[n], false))
		n++;
	return str_printf("it uses %.*s%s", (int)n, s.p, s.n > 1 && s.p[1] == '{' ? "}" : "");
}

/* Reads the word at *at; 1, or 0 with *why. *plain: nothing of it was quoted. */
static int read_word(struct slice s, size_t *at, struct buf *out, bool *plain, char **why)
{
	char quote = 0;
	size_t i = *at;

	*plain = true;
	for (; i < s.n; i++) {
		char c = s.p[i];
		if (quote == '\'') {
			if (c == '\'')
				quote = 0;
			else
				buf_char(out, c);
			continue;
		}
		if (c == '$' || c == '`') {
			*why = c == '`' ? str_dup("it uses `…`") : tell_dollar(slice_from(s, i));
			return 0;
		}
		if (c == '\\') {
			char next = i + 1 < s.n ? s.p[i + 1] : 0;
			if (next == '\n') {
				i++;
				continue;
			}
			/* within double quotes it stands for itself but before these: POSIX 2.2.3 */
			if (next && (!quote || strchr("$`\"\\", next))) {
				c = next;
				i++;
			}
			*plain = false;
			buf_char(out, c);
			continue;
		}
		if (quote) {
			if (c == '"')
				quote = 0;
			else
				buf_char(out, c);
			continue;
		}
		if (c == '\'' || c == '"') {
			quote = c;
			*plain = false;
			continue;
		}
		if (c == ' ' || c == '\t')
			break;
		if (strchr("|&;<>()\n", c)) {
			*why = c == '\n' ? str_dup("it has more than one line")
					 : str_printf("it uses '%c'", c);
			return 0;
		}
		if (strchr("*?[", c)) {
			*why = str_dup("it uses a wildcard");
			return 0;
		}
		if (i == *at && (c == '~' || c == '#')) {
			*why = str_printf("it uses '%c'", c);
			return 0;
		}
		buf_char(out, c);
	}
	*at = i;
	if (quote)
		*why = str_dup("it has a quote that is not closed");
	return quote ? 0 : 1;
}

/* Says why the first word asks for a shell, or NULL. */
static char *first_word_needs(const char *w)
{
	static const char *const reserved[] = { "!",    "{",        "}",     "case",  "do",
						"done", "elif",     "else",  "esac",  "fi",
						"for",  "function", "if",    "in",    "select",
						"then", "time",     "until", "while", "[[" };
	size_t n = 0;

	if (is_in(w, reserved, COUNT_OF(reserved)))
		return str_printf("'%s' is part of the shell's language", w);
	while (is_name(w[n], n == 0))
		n++;
	if (n > 0 && w[n] == '=')
		return str_printf("it sets the variable %.*s", (int)n, w);
	if (shell_is_builtin(w, false))
		return str_printf("'%s' is done by the shell itself", w);
	return NULL;
}

int shell_split(struct slice text, struct strs *out, char **why)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	struct slice s = slice_trim(text);

	for (size_t at = 0; at < s.n;) {
		_cleanup_(buf_done) struct buf w = { 0 };
		bool plain;
		if (s.p[at] == ' ' || s.p[at] == '\t') {
			at++;
			continue;
		}
		if (!read_word(s, &at, &w, &plain, why))
			return 0;
		strs_take(&words, buf_take(&w));
		if (words.n == 1 && plain && strcmp(words.p[0], "exec") == 0) {
			words.n = 0;
			free(words.p[0]);
			continue;
		}
		if (words.n == 1 && plain && (*why = first_word_needs(words.p[0])))
			return 0;
		if (words.n == 1 && words.p[0][0] == '-') {
			*why = str_dup("it gives options to the shell's exec");
			return 0;
		}
	}
	if (words.n == 0) {
		*why = str_dup("it is empty");
		return 0;
	}
	for (size_t i = 0; i < words.n; i++)
		strs_add(out, words.p[i]);
	return 1;
}

void shell_json(const struct strs *words, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < words->n; i++) {
		buf_str(out, i ? ", \"" : "\"");
		for (const char *p = words->p[i]; *p; p++) {
			if ((unsigned char)*p < ' ')
				buf_printf(out, "\\u%04x", (unsigned char)*p);
			else if (*p == '"' || *p == '\\')
				buf_printf(out, "\\%c", *p);
			else
				buf_char(out, *p);
		}
		buf_char(out, '"');
	}
	buf_char(out, ']');
}
