/* SPDX-License-Identifier: Apache-2.0 */
/* help, completion, and the two hidden commands that are made from the tables. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "oci/reference.h"
#include "store/store.h"

struct no_args {
	char unused;
};

/* ---- help ---- */
static int run_help(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	_free_ char *said = words->n == 2 ? str_printf("%s %s", words->p[0], words->p[1])
			    : words->n    ? str_dup(words->p[0])
					  : NULL;
	(void)args;
	if (cli_help(said, &out, e) < 0) {
		c->wrong = true;
		return -1;
	}
	cli_print(c, &out, false);
	return 0;
}

const struct cmd cmd_help = {
	"help",
	"[COMMAND]",
	"tell about a command",
	NULL,
	sizeof(struct no_args),
	run_help,
	.max = 2,
	.group = GROUP_STORE,
	.man = "",
	.examples = "  thimble help build\n",
};

/* ---- __commands: for the test that the manual names every flag ---- */
static void dump_opts(const char *cmd, const char *man, const struct opt *o, struct buf *out)
{
	for (; o && o->kind; o++) {
		if (o->hidden)
			continue;
		buf_printf(out, "%s\t%s\t--%s", cmd, man, o->name);
		if (o->letter)
			buf_printf(out, "\t-%c", o->letter);
		buf_char(out, '\n');
	}
}

static int run_commands(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)args;
	(void)words;
	(void)e;
	dump_opts("", "thimble.1", cli_global_opts, &out);
	for (const struct cmd *const *p = cli_commands; *p; p++) {
		if ((*p)->group == GROUP_HIDDEN)
			continue;
		const char *name = (*p)->man ? (*p)->man : (*p)->name;
		_free_ char *man = str_printf("thimble%s%s.1", *name ? "-" : "", name);
		buf_printf(&out, "%s\t%s\n", (*p)->name, man);
		dump_opts((*p)->name, man, (*p)->opts, &out);
	}
	cli_print(c, &out, false);
	return 0;
}

/* One line a command and a flag: COMMAND, page, and for flags --long and -letter; tabs between. */
const struct cmd cmd_commands = {
	"__commands",           "",           "list all commands and flags", NULL,
	sizeof(struct no_args), run_commands, .group = GROUP_HIDDEN,
};

/* ---- __complete: what may stand in place of the last word ---- */

/* Candidates go to stdout, "word\tdescription" a line. The last line is ":files", ":dirs" or ":".
 * A store that cannot be read gives no names; completion must not complain. */
static void offer(struct buf *out, struct slice prefix, const char *word, const char *help)
{
	if (slice_starts(slice_of(word), prefix))
		buf_printf(out, "%s\t%s\n", word, help ? help : "");
}

static void offer_opts(struct buf *out, struct slice prefix, const struct opt *o)
{
	for (; o && o->kind; o++) {
		_free_ char *flag = str_printf("--%s", o->name);
		if (!o->hidden)
			offer(out, prefix, flag, o->help);
	}
	offer(out, prefix, "--help", "print this help");
}

static void offer_images(struct cli *c, struct buf *out, struct slice prefix)
{
	_cleanup_(err_done) struct err why = { 0 };
	_cleanup_(strs_done) struct strs refs = { 0 };
	struct store *s = cli_store(c, false, &why);
	if (!s || names_list(s, &refs, &why) < 0)
		return;
	arr_each(ref, &refs) {
		_cleanup_(reference_done) struct reference r = { 0 };
		if (reference_parse(slice_of(*ref), &r, &why) < 0)
			continue;
		_free_ char *name = reference_familiar(&r);
		offer(out, prefix, name, NULL);
	}
}

static void offer_second(struct buf *out, struct slice prefix, const char *first)
{
	size_t n = strlen(first);
	for (const struct alias *a = cli_aliases; a->words; a++)
		if (strncmp(a->words, first, n) == 0 && a->words[n] == ' ' && cli_find(a->name))
			offer(out, prefix, a->words + n + 1, cli_find(a->name)->help);
	for (const struct cmd *const *p = cli_commands; *p; p++)
		if (strncmp((*p)->name, first, n) == 0 && (*p)->name[n] == ' ')
			offer(out, prefix, (*p)->name + n + 1, (*p)->help);
}

/* The candidates of an answer, without their help: "create, push, rm". Caller frees. */
static char *first_words(struct slice lines)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	struct slice line;
	while (slice_split(&lines, '\n', &line))
		if (line.n)
			strs_addf(&words, "%.*s", SLF(slice_head(line, slice_find(line, '\t'))));
	return strs_join(&words, ", ");
}

static void offer_commands(struct buf *out, struct slice prefix)
{
	for (const struct cmd *const *p = cli_commands; *p; p++)
		if ((*p)->group != GROUP_HIDDEN && !strchr((*p)->name, ' '))
			offer(out, prefix, (*p)->name, (*p)->help);
	_cleanup_(strs_done) struct strs groups = { 0 };
	cli_groups(&groups);
	arr_each(it, &groups) {
		_cleanup_(buf_done) struct buf seconds = { 0 };
		offer_second(&seconds, SL(""), *it);
		_free_ char *help = first_words(buf_view(&seconds));
		offer(out, prefix, *it, help);
	}
}

static const char *offer_value(struct cli *c, struct buf *out, struct slice prefix,
			       const char *value)
{
	struct slice rest = slice_of(value), word;
	if (strcmp(value, "DIR") == 0)
		return ":dirs";
	if (strcmp(value, "IMAGE") == 0 || strcmp(value, "NAME[:TAG]") == 0)
		offer_images(c, out, prefix);
	else if (strchr(value, '|'))
		while (slice_split(&rest, '|', &word)) {
			_free_ char *choice = slice_dup(word);
			offer(out, prefix, choice, NULL);
		}
	else
		return ":files";
	return ":";
}

/* The option whose value is wanted: the word before is "--file" or "-f" without one. */
static const struct opt *wants_value(const struct opt *o, const char *before)
{
	for (; o && o->kind; o++) {
		bool takes = o->kind != OPT_KIND_FLAG && o->kind != OPT_KIND_OPTVAL && o->value;
		bool is_long = strncmp(before, "--", 2) == 0 && strcmp(before + 2, o->name) == 0;
		bool is_short = before[0] == '-' && o->letter && before[1] == o->letter &&
				!before[2];
		if (takes && (is_long || is_short))
			return o;
	}
	return NULL;
}

static const char *complete(struct cli *c, const struct words *w, struct buf *out)
{
	struct slice last = slice_of(w->n ? w->p[w->n - 1] : "");
	size_t n = w->n ? w->n - 1 : 0, at = 0;
	while (at < n && w->p[at][0] == '-') {
		const struct opt *o = wants_value(cli_global_opts, w->p[at]);
		if (o && at + 1 == n)
			return offer_value(c, out, last, o->value);
		if (o && strcmp(o->name, "root") == 0)
			c->root = w->p[at + 1];
		at += o ? 2 : 1;
	}
	if (at >= n) {
		if (last.n && *last.p == '-')
			offer_opts(out, last, cli_global_opts);
		else
			offer_commands(out, last);
		return ":";
	}
	const char *first = w->p[at], *name = first;
	_free_ char *two = str_printf("%s %s", first, at + 1 < n ? w->p[at + 1] : "");
	for (const struct alias *a = cli_aliases; a->words; a++)
		if (strcmp(a->words, two) == 0)
			name = a->name;
	const struct cmd *cmd = cli_find(two) ? cli_find(two) : cli_find(name);
	if (!cmd) {
		if (at + 1 == n)
			offer_second(out, last, first);
		return ":";
	}
	const struct opt *o = wants_value(cmd->opts, w->p[n - 1]);
	if (o)
		return offer_value(c, out, last, o->value);
	if (last.n && *last.p == '-') {
		offer_opts(out, last, cmd->opts);
		return ":";
	}
	if (strcmp(cmd->name, "help") == 0)
		offer_commands(out, last);
	else if (strcmp(cmd->name, "completion") == 0)
		return offer_value(c, out, last, "bash|zsh|fish");
	else if (strstr(cmd->usage, "NAME") || strstr(cmd->usage, "IMAGE"))
		offer_images(c, out, last);
	bool files = strstr(cmd->usage, "TAR") || strstr(cmd->usage, "DEST") ||
		     strstr(cmd->usage, "PATH");
	return strstr(cmd->usage, "CONTEXT") ? ":dirs" : files ? ":files" : ":";
}

static int run_complete(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	(void)args;
	(void)e;
	const char *end = complete(c, words, &out);
	buf_printf(&out, "%s\n", end);
	cli_print(c, &out, false);
	return 0;
}

const struct cmd cmd_complete = {
	"__complete",           "[--] WORD...", "tell what may come next", NULL,
	sizeof(struct no_args), run_complete,   .max = ARGS_ANY,           .group = GROUP_HIDDEN,
};

/* ---- the scripts that call it ---- */
static const char bash[] =
	"# bash completion for thimble\n"
	"_thimble() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} line end= IFS=$'\\n'\n"
	"	local words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
	"	if declare -F _get_comp_words_by_ref >/dev/null; then\n"
	"		local prev cword\n"
	"		_get_comp_words_by_ref -n =: cur words cword\n"
	"		words=(\"${words[@]:1:cword}\")\n"
	"	fi\n"
	"	COMPREPLY=()\n"
	"	for line in $(\"${COMP_WORDS[0]}\" __complete -- \"${words[@]}\" 2>/dev/null); do\n"
	"		case $line in\n"
	"		:*) end=$line ;;\n"
	"		*) COMPREPLY+=(\"${line%%$'\\t'*}\") ;;\n"
	"		esac\n"
	"	done\n"
	"	case $end in\n"
	"	:files) compopt -o filenames; COMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
	"	:dirs) compopt -o filenames; COMPREPLY+=($(compgen -d -- \"$cur\")) ;;\n"
	"	esac\n"
	"	if declare -F __ltrim_colon_completions >/dev/null; then\n"
	"		__ltrim_colon_completions \"$cur\"\n"
	"	fi\n"
	"}\n"
	"complete -F _thimble thimble\n";

static const char zsh[] =
	"#compdef thimble\n"
	"# zsh completion for thimble\n"
	"_thimble() {\n"
	"	local line end=: item\n"
	"	local -a found\n"
	"	for line in ${(f)\"$(${words[1]} __complete -- ${(@)words[2,CURRENT]} 2>/dev/null)\"}; do\n"
	"		if [[ $line = :* ]]; then\n"
	"			end=$line\n"
	"		else\n"
	"			item=${${line%%$'\\t'*}//:/\\\\:}\n"
	"			found+=(\"$item:${line#*$'\\t'}\")\n"
	"		fi\n"
	"	done\n"
	"	(( $#found )) && _describe 'thimble' found\n"
	"	[[ $end = :files ]] && _files\n"
	"	[[ $end = :dirs ]] && _files -/\n"
	"	return 0\n"
	"}\n"
	"if [ \"$funcstack[1]\" = _thimble ]; then\n"
	"	_thimble \"$@\"\n"
	"else\n"
	"	compdef _thimble thimble\n"
	"fi\n";

static const char fish[] =
	"# fish completion for thimble\n"
	"function __thimble_complete\n"
	"	set -l words (commandline -opc) (commandline -ct)\n"
	"	set -l current (commandline -ct)\n"
	"	for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)\n"
	"		switch $line\n"
	"			case :files\n"
	"				__fish_complete_path \"$current\"\n"
	"			case :dirs\n"
	"				__fish_complete_directories \"$current\"\n"
	"			case ':'\n"
	"			case '*'\n"
	"				printf '%s\\n' $line\n"
	"		end\n"
	"	end\n"
	"end\n"
	"complete -c thimble -f -a '(__thimble_complete)'\n";

static int run_completion(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	static const struct {
		const char *shell, *script;
	} scripts[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	(void)args;
	for (size_t i = 0; i < COUNT_OF(scripts); i++)
		if (strcmp(words->p[0], scripts[i].shell) == 0) {
			(void)fputs(scripts[i].script, stdout);
			return 0;
		}
	cli_wrong(c, e, "there is no completion for '%s'", words->p[0]);
	return err_hint(e, "one of bash, zsh, fish");
}

const struct cmd cmd_completion = {
	"completion",
	"bash|zsh|fish",
	"print a script that completes command lines",
	NULL,
	sizeof(struct no_args),
	run_completion,
	.min = 1,
	.max = 1,
	.group = GROUP_STORE,
	.examples =
		"  thimble completion bash > ~/.local/share/bash-completion/completions/thimble\n",
};
