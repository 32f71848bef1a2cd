/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/opt.h"

#include <limits.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"

static void *field(void *args, const struct opt *o)
{
	return (char *)args + o->at;
}

static bool takes_value(const struct opt *o)
{
	switch (o->kind) {
	case OPT_KIND_FLAG:
	case OPT_KIND_OPTVAL: return false;
	case OPT_KIND_LATER: return o->value != NULL;
	default: return true;
	}
}

/* As Go's strconv.ParseBool. */
static int parse_bool(const char *s, bool *out)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };
	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		if (strcmp(s, yes[i]) == 0) {
			*out = true;
			return 0;
		}
		if (strcmp(s, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return -1;
}

static bool is_choice(const char *value, const char *choices)
{
	struct slice rest = slice_of(choices), word;
	while (slice_split(&rest, '|', &word))
		if (slice_is(word, value))
			return true;
	return false;
}

static int parse_int(const char *s, int64_t *out)
{
	bool minus = *s == '-';
	uint64_t v = 0;
	if (num_parse(slice_of(s + minus), INT64_MAX, &v) < 0)
		return -1;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

/* `flag` is how the user wrote it ("--file", "-f"), for errors. value NULL: none was given. */
static int set_value(const struct opt *o, const char *flag, const char *value, void *args,
		     struct err *e)
{
	switch (o->kind) {
	case OPT_KIND_FLAG:
		if (!value)
			*(bool *)field(args, o) = true;
		else if (parse_bool(value, field(args, o)) < 0)
			return err_set(e, ERR_USER, "flag %s is true or false, not '%s'", flag,
				       value);
		return 0;
	case OPT_KIND_CHOICE:
		if (!is_choice(value, o->value)) {
			err_set(e, ERR_USER, "flag %s does not know '%s'", flag, value);
			return err_hint(e, "one of %s", o->value);
		}
		*(const char **)field(args, o) = value;
		return 0;
	case OPT_KIND_STR: *(const char **)field(args, o) = value; return 0;
	case OPT_KIND_LIST: strs_add(field(args, o), value); return 0;
	case OPT_KIND_INT:
		if (parse_int(value, field(args, o)) < 0)
			return err_set(e, ERR_USER, "flag %s wants a whole number, not '%s'", flag,
				       value);
		return 0;
	case OPT_KIND_OPTVAL: *(const char **)field(args, o) = value ? value : o->bare; return 0;
	case OPT_KIND_LATER:
		/* -x/--long, and the sentence of the table */
		if (o->letter)
			return err_set(e, ERR_USER, "flag -%c, --%s: %s", o->letter, o->name,
				       o->help);
		return err_set(e, ERR_USER, "flag --%s: %s", o->name, o->help);
	case OPT_END: break;
	}
	return 0;
}

static const struct opt *find_long(const struct opt *opts, struct slice name)
{
	for (; opts && opts->kind; opts++)
		if (opts->name && slice_is(name, opts->name))
			return opts;
	return NULL;
}

static const struct opt *find_letter(const struct opt *opts, char c)
{
	for (; opts && opts->kind; opts++)
		if (opts->letter == c)
			return opts;
	return NULL;
}

const char *opt_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strlen(word), best = len < 3 ? 1 : len < 6 ? 2 : 3;
	const char *found = NULL;
	if (len > 64)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t d = slice_distance(slice_of(word), slice_of(names[i]), best);
		/* a beginning of a name is near, too: "--no-tr" */
		if (len >= 3 && slice_starts(slice_of(names[i]), slice_of(word)))
			d = 1;
		if (d <= best && d < strlen(names[i])) {
			found = names[i];
			if (d == 0)
				break;
			best = d - 1;
		}
	}
	return found;
}

static int unknown_long(const struct opt *opts, struct slice name, struct err *e)
{
	ARRAY_OF(const char *) names = { 0 };
	for (const struct opt *o = opts; o && o->kind; o++)
		if (o->name && !o->hidden)
			arr_push(&names, o->name);
	arr_push(&names, "help");
	_free_ char *word = slice_dup(name);
	const char *near = opt_nearest(word, names.p, names.n);
	arr_done(&names);
	err_set(e, ERR_USER, "unknown flag '--%s'", word);
	if (near)
		err_hint(e, "did you mean '--%s'?", near);
	return -1;
}

struct parser {
	const struct opt *opts;
	int argc, i; /* i: the word after the one at hand */
	char *const *argv;
	void *args;
	bool *help;
};

static int next_value(struct parser *p, const char *flag, const char **value, struct err *e)
{
	if (p->i >= p->argc)
		return err_set(e, ERR_USER, "flag needs an argument: %s", flag);
	*value = p->argv[p->i++];
	return 0;
}

static int parse_long(struct parser *p, const char *word, struct err *e)
{
	const char *eq = strchr(word, '=');
	struct slice name = { word + 2, eq ? (size_t)(eq - word - 2) : strlen(word + 2) };
	const struct opt *o = find_long(p->opts, name);
	const char *value = eq ? eq + 1 : NULL;
	if (!o && slice_is(name, "help")) {
		*p->help = true;
		return 0;
	}
	if (!o)
		return unknown_long(p->opts, name, e);
	_free_ char *flag = str_printf("--%s", o->name);
	if (!value && o->kind != OPT_KIND_LATER && takes_value(o) &&
	    next_value(p, flag, &value, e) < 0)
		return -1;
	return set_value(o, flag, value, p->args, e);
}

/* "-it", "-fFILE", "-f=FILE", "-f FILE". */
static int parse_letters(struct parser *p, const char *word, struct err *e)
{
	for (const char *c = word + 1; *c; c++) {
		const struct opt *o = find_letter(p->opts, *c);
		char flag[3] = { '-', *c, 0 };
		if (!o && *c == 'h') {
			*p->help = true;
			return 0;
		}
		if (!o && c == word + 1)
			return err_set(e, ERR_USER, "unknown flag '-%c'", *c);
		if (!o)
			return err_set(e, ERR_USER, "unknown flag '-%c' in '%s'", *c, word);
		const char *value = NULL;
		if (c[1] == '=')
			value = c + 2;
		else if (c[1] && (takes_value(o) || o->kind == OPT_KIND_OPTVAL))
			value = c + 1;
		else if (o->kind != OPT_KIND_LATER && takes_value(o) &&
			 next_value(p, flag, &value, e) < 0)
			return -1;
		if (set_value(o, flag, value, p->args, e) < 0)
			return -1;
		if (value)
			return 0;
	}
	return 0;
}

int opt_parse(const struct opt *opts, bool stop, int argc, char *const *argv, void *args,
	      struct words *words, bool *help, struct err *e)
{
	struct parser p = { opts, argc, 0, argv, args, help };
	bool ended = false;
	while (p.i < argc && !*help) {
		char *word = argv[p.i++];
		if (ended || word[0] != '-' || !word[1]) {
			arr_push(words, word);
			ended |= stop;
		} else if (strcmp(word, "--") == 0) {
			ended = true;
		} else if ((word[1] == '-' ? parse_long(&p, word, e) : parse_letters(&p, word, e)) <
			   0) {
			return -1;
		}
	}
	return 0;
}

void opt_done(const struct opt *opts, void *args)
{
	for (; opts && opts->kind; opts++)
		if (opts->kind == OPT_KIND_LIST)
			strs_done(field(args, opts));
}

/* "-f, --file PATH" */
static void help_left(const struct opt *o, struct buf *out)
{
	buf_str(out, "  ");
	if (o->letter)
		buf_printf(out, "-%c%s", o->letter, o->name ? ", " : "");
	else
		buf_str(out, "    ");
	if (o->name)
		buf_printf(out, "--%s", o->name);
	if (o->kind == OPT_KIND_OPTVAL)
		buf_printf(out, "[=%s]", o->value);
	else if (o->value)
		buf_printf(out, " %s", o->value);
}

void opt_help_rows(const struct opt *opts, struct buf *out)
{
	static const struct opt help = { 'h',  "help", OPT_KIND_FLAG, 0, NULL, "print this help",
					 NULL, false };
	size_t width = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (const struct opt *o = opts ? opts : &help;; o++) {
			const struct opt *row = o->kind ? o : &help;
			_cleanup_(buf_done) struct buf left = { 0 };
			if (!row->hidden || row == &help) {
				help_left(row, &left);
				if (pass == 0 && left.len > width && left.len < 40)
					width = left.len;
				else if (pass == 1 && left.len > width)
					buf_printf(out, "%s\n%*s   %s\n", left.p, (int)width, "",
						   row->help);
				else if (pass == 1)
					buf_printf(out, "%-*s   %s\n", (int)width, left.p,
						   row->help);
			}
			if (row == &help)
				break;
		}
	}
}

/* Each line with this in front. */
static void indented(const char *text, const char *lead, struct buf *out)
{
	struct slice rest = slice_trim_right(slice_of(text)), line;
	while (slice_split(&rest, '\n', &line))
		buf_printf(out, "%s%.*s\n", lead, SLF(slice_trim_right(line)));
}

void opt_help(const struct cmd *cmd, const char *said, struct buf *out)
{
	buf_printf(out, "Usage:  thimble %s%s%s\n\n", said, *cmd->usage ? " " : "", cmd->usage);
	buf_char(out, (char)(cmd->help[0] >= 'a' && cmd->help[0] <= 'z' ? cmd->help[0] - 32
									: cmd->help[0]));
	buf_printf(out, "%s\n", cmd->help + 1);
	if (cmd->details) {
		buf_char(out, '\n');
		indented(cmd->details, "", out);
	}
	buf_str(out, "\nOptions:\n");
	opt_help_rows(cmd->opts, out);
	if (cmd->examples) {
		buf_str(out, "\nExamples:\n");
		indented(cmd->examples, *cmd->examples == ' ' ? "" : "  ", out);
	}
	const char *man = cmd->man ? cmd->man : cmd->name;
	buf_printf(out, "\nMore in the manual: man thimble%s%s\n", *man ? "-" : "", man);
}
