/* SPDX-License-Identifier: Apache-2.0 */
/* The program: global options, the table of commands, and what is common to all of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/cli.h"
#include "cli/version.h"
#include "sandbox/userns.h"
#include "store/store.h"

/* ---- the one table ---- */
const struct cmd *const cli_commands[] = {
	&cmd_build, &cmd_run, &cmd_compare, &cmd_images, &cmd_tag, &cmd_rmi, &cmd_inspect,
	&cmd_history, &cmd_cp, &cmd_import, &cmd_load, &cmd_save, &cmd_pull, &cmd_push,
	&cmd_copy, &cmd_tags, &cmd_search, &cmd_referrers, &cmd_attach, &cmd_manifest_create,
	&cmd_manifest_annotate, &cmd_manifest_inspect, &cmd_manifest_push, &cmd_manifest_rm,
	&cmd_login, &cmd_logout,
	&cmd_prune, &cmd_image_prune, &cmd_builder_prune, &cmd_df, &cmd_info, &cmd_version,
	&cmd_help, &cmd_completion, &cmd_complete, &cmd_commands, NULL,
};

const struct alias cli_aliases[] = {
	{ "buildx build", "build" },
	{ "buildx b", "build" },
	{ "image build", "build" },
	{ "builder build", "build" },
	{ "container run", "run" },
	{ "container cp", "cp" },
	{ "image cp", "cp" },
	{ "image ls", "images" },
	{ "image list", "images" },
	{ "image tag", "tag" },
	{ "image rm", "rmi" },
	{ "image remove", "rmi" },
	{ "image inspect", "inspect" },
	{ "image history", "history" },
	{ "image import", "import" },
	{ "image load", "load" },
	{ "image save", "save" },
	{ "image pull", "pull" },
	{ "image push", "push" },
	{ "system prune", "prune" },
	{ "system df", "df" },
	{ "system info", "info" },
	{ "buildx prune", "builder prune" },
	{ "buildx du", "df" },
	{ NULL, NULL },
};

/* What docker's users may type and thimble does not do (yet): refused by name. */
#define STAYS "every run behaves as with --rm until containers that stay come in a later version"
static const struct {
	const char *words, *why, *instead;
} later[] = {
	{ "ps", STAYS, NULL },
	{ "exec", STAYS,
	  "'thimble run IMAGE COMMAND' runs a command in a fresh copy of the image" },
	{ "commit", STAYS, "write what should change as a Dockerfile and use 'thimble build'" },
	{ "create", STAYS, "'thimble run' starts at once" },
	{ "start", STAYS, NULL },
	{ "stop", STAYS, NULL },
	{ "restart", STAYS, NULL },
	{ "kill", STAYS, NULL },
	{ "pause", STAYS, NULL },
	{ "unpause", STAYS, NULL },
	{ "rename", STAYS, NULL },
	{ "rm", STAYS, "'thimble rmi' removes images" },
	{ "logs", STAYS, NULL },
	{ "top", STAYS, NULL },
	{ "stats", STAYS, NULL },
	{ "wait", STAYS, NULL },
	{ "port", STAYS, NULL },
	{ "diff", STAYS, NULL },
	{ "update", STAYS, NULL },
	{ "export", "it comes in a later version",
	  "'thimble cp IMAGE:/ -' writes the file system of an image as a tar" },
	{ "compose", "it comes in a later version", NULL },
	{ "bake", "it comes in a later version", NULL },
	{ "shrink", "it comes in a later version", NULL },
	{ "why", "it comes in a later version", NULL },
	{ "explain", "it comes in a later version",
	  "'thimble run' and 'thimble compare' already say why an image does not start" },
	{ "debug", "it comes in a later version", "'thimble cp IMAGE:PATH -' looks into an image" },
	{ "volume", "volumes come with containers that stay, in a later version",
	  "'thimble run -v NAME:PATH' makes and uses them; 'thimble prune --volumes' removes them" },
	{ "network", "networks come in a later version", "run takes --network host and none" },
	{ "context", "thimble has no daemon to connect to", "--root DIR chooses another store" },
	{ "events", "thimble has no daemon", NULL },
	{ "plugin", "thimble has no daemon", NULL },
	{ "swarm", "thimble has no daemon", NULL },
	{ "node", "thimble has no daemon", NULL },
	{ "service", "thimble has no daemon", NULL },
	{ "stack", "thimble has no daemon", NULL },
	{ "secret", "thimble has no daemon", NULL },
	{ "config", "thimble has no daemon", NULL },
	{ "trust", "it comes in a later version", NULL },
};

struct globals {
	const char *root;
	bool debug, no_color, version;
};
const struct opt cli_global_opts[] = {
	OPT_STR(0, "root", struct globals, root, "DIR", "use the store in this directory"),
	OPT_FLAG('D', "debug", struct globals, debug, "tell what thimble does, for its makers"),
	OPT_FLAG(0, "no-color", struct globals, no_color, "no colours, whatever the terminal can"),
	OPT_FLAG('v', "version", struct globals, version, "print the version"),
	{ 0 },
};

const struct cmd *cli_find(const char *name)
{
	for (const struct cmd *const *c = cli_commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static const char *unalias(const char *words)
{
	for (const struct alias *a = cli_aliases; a->words; a++)
		if (strcmp(a->words, words) == 0)
			return a->name;
	return words;
}

/* ---- help ---- */
static void overview(struct buf *out)
{
	static const char *const titles[] = { "Build and run", "Images", "Registries", "Store" };
	int widest = 0;
	for (const struct cmd *const *c = cli_commands; *c; c++)
		if ((*c)->group != GROUP_HIDDEN && (int)strlen((*c)->name) > widest)
			widest = (int)strlen((*c)->name);
	buf_str(out, "Usage:  thimble [OPTIONS] COMMAND\n\n"
		     "Small container images from Dockerfiles; no daemon, no root needed\n");
	for (size_t g = 0; g < COUNT_OF(titles); g++) {
		bool first = true;
		for (const struct cmd *const *c = cli_commands; *c; c++) {
			if ((*c)->group != g)
				continue;
			if (first)
				buf_printf(out, "\n%s:\n", titles[g]);
			first = false;
			buf_printf(out, "  %-*s  %s\n", widest, (*c)->name, (*c)->help);
		}
	}
	buf_str(out, "\nOptions, before the command:\n");
	opt_help_rows(cli_global_opts, out);
	buf_str(out, "\n'thimble COMMAND --help' tells more about a command.\n");
}

static void add_group(struct strs *out, const char *words)
{
	const char *blank = strchr(words, ' ');
	_free_ char *first = blank ? str_ndup(words, (size_t)(blank - words)) : NULL;
	if (first && strs_find(out, first) < 0)
		strs_add(out, first);
}

void cli_groups(struct strs *out)
{
	for (const struct cmd *const *c = cli_commands; *c; c++)
		add_group(out, (*c)->name);
	for (const struct alias *a = cli_aliases; a->words; a++)
		add_group(out, a->words);
}

static int unknown_command(const char *word, struct err *e)
{
	ARRAY_OF(const char *) names = { 0 };
	_cleanup_(strs_done) struct strs groups = { 0 };
	for (const struct cmd *const *c = cli_commands; *c; c++)
		if ((*c)->group != GROUP_HIDDEN)
			arr_push(&names, (*c)->name);
	cli_groups(&groups);
	arr_each(it, &groups)
		arr_push(&names, *it);
	const char *near = opt_nearest(word, names.p, names.n);
	arr_done(&names);
	err_set(e, ERR_USER, "there is no command '%s'", word);
	if (near)
		return err_hint(e, "did you mean '%s'?", near);
	return err_hint(e, "'thimble help' lists the commands");
}

static int refuse_later(const char *word, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(later); i++) {
		if (strcmp(later[i].words, word) != 0)
			continue;
		err_set(e, ERR_USER, "'%s' is not there: %s", word, later[i].why);
		return later[i].instead ? err_hint(e, "%s", later[i].instead) : -1;
	}
	return 0;
}

int cli_help(const char *words, struct buf *out, struct err *e)
{
	const struct cmd *cmd = words ? cli_find(unalias(words)) : NULL;
	if (!words)
		overview(out);
	else if (cmd)
		opt_help(cmd, words, out);
	else
		return refuse_later(words, e) < 0 ? -1 : unknown_command(words, e);
	return 0;
}

/* ---- what commands call ---- */
struct store *cli_store(struct cli *c, bool create, struct err *e)
{
	if (!c->store)
		c->store = store_open(&(struct store_opts){ .root = c->root,
							    .create = create,
							    .enter = userns_enter },
				      e);
	return c->store;
}

struct store *cli_store_trees(struct cli *c, bool create, struct err *e)
{
	if (userns_enter(e) < 0)
		return NULL;
	return cli_store(c, create, e);
}

int cli_wrong(struct cli *c, struct err *e, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	c->wrong = true;
	err_set(e, ERR_USER, "%s", b.p);
	return err_hint(e, "see 'thimble %s --help'", c->said);
}

void cli_warn(struct cli *c, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = { 0 }, safe = { 0 };
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	term_escape(buf_view(&b), true, &safe);
	(void)fflush(stdout);
	(void)fprintf(stderr,
		      c->color ? "thimble: \033[33mwarning:\033[0m %s\n" : "thimble: warning: %s\n",
		      safe.p ? safe.p : "");
}

void cli_error(struct cli *c, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	err_format(e, c->color, &b);
	(void)fflush(stdout);
	(void)fwrite(b.p, 1, b.len, stderr);
	err_done(e);
}

void cli_print(struct cli *c, const struct buf *b, bool escape)
{
	_cleanup_(buf_done) struct buf safe = { 0 };
	if (escape && c->out_tty) {
		term_escape(buf_view(b), true, &safe);
		b = &safe;
	}
	if (b->len && fwrite(b->p, 1, b->len, stdout) < b->len && !c->out_errno)
		c->out_errno = errno;
}

int cli_confirm(const char *question, const char *flag, struct err *e)
{
	if (!isatty(STDIN_FILENO)) {
		err_set(e, ERR_USER, "there is no terminal to ask on");
		return err_hint(e, "%s does it without asking", flag);
	}
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s [y/N] ", question);
	char line[16] = "";
	if (!fgets(line, sizeof line, stdin))
		return 0;
	return line[0] == 'y' || line[0] == 'Y';
}

int cli_no_scratch(const char *name, const char *doing, struct err *e)
{
	struct slice s = slice_of(name);
	if (!slice_is(s, "scratch") && !slice_starts(s, SL("scratch:")))
		return 0;
	if (doing)
		err_set(e, ERR_USER,
			"'scratch' is no image: it is the name for no base at all, so there is nothing to %s",
			doing);
	else
		err_set(e, ERR_USER,
			"no image can be named 'scratch': it is the name for no base at all");
	return err_hint(
		e, "write FROM scratch in a Dockerfile and COPY into it what the image shall hold");
}

/* ---- the way in and out ---- */

/* A missing 0, 1 or 2 would be given to the next file that is opened, and prints would land in it.
 * The wrong mode on purpose, so that reading or writing it fails. */
static void standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
}

static void on_pipe(int sig)
{
	(void)sig;
}

/* Not SIG_IGN: that would be inherited by the programs in containers, a handler is not. */
static void catch_pipe(void)
{
	struct sigaction sa = { .sa_handler = on_pipe, .sa_flags = SA_RESTART };
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGPIPE, &sa, NULL);
}

/* "image ls" if argv starts with two words that are a command or an alias, else its first word. The
 * caller frees; *used: how many words. */
static char *command_words(int argc, char **argv, int *used)
{
	*used = 1;
	if (argc > 1) {
		_free_ char *two = str_printf("%s %s", argv[0], argv[1]);
		if (cli_find(unalias(two))) {
			*used = 2;
			return take_ptr(&two);
		}
	}
	return str_dup(argv[0]);
}

/* "image", "system" … alone, or with a second word that is not known. */
static int unknown_group(int argc, char **argv, struct err *e)
{
	_free_ char *prefix = str_printf("%s ", argv[0]);
	_cleanup_(strs_done) struct strs known = { 0 };
	for (const struct alias *a = cli_aliases; a->words; a++)
		if (slice_starts(slice_of(a->words), slice_of(prefix)) && cli_find(a->name))
			strs_add(&known, a->words + strlen(prefix));
	for (const struct cmd *const *c = cli_commands; *c; c++)
		if (slice_starts(slice_of((*c)->name), slice_of(prefix)))
			strs_add(&known, (*c)->name + strlen(prefix));
	if (!known.n)
		return 0;
	strs_sort(&known);
	_free_ char *list = strs_join(&known, ", ");
	if (argc > 1 && argv[1][0] != '-')
		err_set(e, ERR_USER, "there is no command '%s %s'", argv[0], argv[1]);
	else
		err_set(e, ERR_USER, "'%s' needs another word", argv[0]);
	return err_hint(e, "one of: %s", list);
}

static int count_words(struct cli *c, const struct words *w, struct err *e)
{
	const struct cmd *cmd = c->cmd;
	if (w->n >= cmd->min && w->n <= cmd->max)
		return 0;
	if (cmd->max == 0)
		return cli_wrong(c, e, "'thimble %s' takes no arguments: '%s'", c->said, w->p[0]);
	const char *than = cmd->min == cmd->max ? "" : w->n < cmd->min ? "at least " : "at most ";
	size_t want = w->n < cmd->min ? cmd->min : cmd->max;
	err_set(e, ERR_USER, "'thimble %s' takes %s%zu argument%s, not %zu", c->said, than, want,
		want == 1 ? "" : "s", w->n);
	c->wrong = true;
	return err_hint(e, "thimble %s %s", c->said, cmd->usage);
}

/* A global option after the command is a common slip. */
static void hint_globals(const struct cmd *cmd, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++)
		for (const struct opt *o = cli_global_opts; o->kind; o++) {
			_free_ char *flag = str_printf("--%s", o->name);
			size_t n = strlen(flag);
			if (strncmp(argv[i], flag, n) != 0 || (argv[i][n] && argv[i][n] != '='))
				continue;
			err_set(e, ERR_USER, "'%s' stands before the command", flag);
			err_hint(e, "thimble %s%s%s %s …", flag, o->value ? " " : "",
				 o->value ? o->value : "", cmd->name);
			return;
		}
}

static int run_command(struct cli *c, int argc, char **argv, struct err *e)
{
	const struct cmd *cmd = c->cmd;
	_cleanup_(freep_) void *args = mem_alloc(cmd->args_size);
	struct words words = { 0 };
	bool help = false;
	int r;
	if (cmd->defaults)
		memcpy(args, cmd->defaults, cmd->args_size);
	if (opt_parse(cmd->opts, cmd->stop, argc, argv, args, &words, &help, e) < 0) {
		c->wrong = true;
		hint_globals(cmd, argc, argv, e);
		r = err_hint(e, "see 'thimble %s --help'", c->said);
	} else if (help) {
		_cleanup_(buf_done) struct buf b = { 0 };
		opt_help(cmd, c->said, &b);
		cli_print(c, &b, false);
		r = 0;
	} else if ((r = count_words(c, &words, e)) == 0) {
		if (cmd->unwinds)
			interrupt_catch();
		r = cmd->run(c, args, &words, e);
	}
	opt_done(cmd->opts, args);
	arr_done(&words);
	return r;
}

static int wrong_command(struct cli *c, int argc, char **argv, struct err *e)
{
	c->wrong = true;
	if (strcmp(argv[0], "pull") == 0 && argc > 1 &&
	    cli_no_scratch(argv[argc - 1], "pull", e) < 0)
		return -1;
	if (refuse_later(argv[0], e) < 0 || unknown_group(argc, argv, e) < 0)
		return -1;
	return unknown_command(argv[0], e);
}

/* Global options; *used: how many of the words they were. 1: there is a command to run. */
static int global_options(struct cli *c, int argc, char **argv, int *used, struct err *e)
{
	struct globals g = { 0 };
	struct words words = { 0 };
	bool help = false;
	int r = opt_parse(cli_global_opts, true, argc, argv, &g, &words, &help, e);
	*used = argc - (int)words.n;
	arr_done(&words);
	if (r < 0) {
		c->wrong = true;
		return err_hint(e, "see 'thimble --help'");
	}
	c->root = g.root;
	c->debug = log_on = g.debug;
	c->color = c->color && !g.no_color;
	if (c->root && !*c->root) {
		c->wrong = true;
		return err_set(e, ERR_USER, "--root wants a directory, not an empty word");
	}
	if (g.version && !help)
		(void)printf("thimble %s\n", THIMBLE_VERSION);
	if (g.version && !help)
		return 0;
	if (!help && *used < argc)
		return 1;
	_cleanup_(buf_done) struct buf b = { 0 };
	overview(&b);
	if (!help) {
		(void)fwrite(b.p, 1, b.len, stderr);
		return 2;
	}
	cli_print(c, &b, false);
	return 0;
}

static int dispatch(struct cli *c, int argc, char **argv, struct err *e)
{
	int used;
	int r = global_options(c, argc, argv, &used, e);
	if (r != 1)
		return r;
	argc -= used;
	argv += used;
	_free_ char *said = command_words(argc, argv, &used);
	c->cmd = cli_find(unalias(said));
	c->said = said;
	r = c->cmd ? run_command(c, argc - used, argv + used, e) : wrong_command(c, argc, argv, e);
	c->said = NULL;
	return r;
}

static int finish_stdout(struct cli *c, struct err *e)
{
	if (fflush(stdout) != 0 && !c->out_errno)
		c->out_errno = errno;
	if (!c->out_errno && !ferror(stdout))
		return 0;
	return err_set(e, ERR_SYS, "cannot write the result to standard output: %s",
		       strerror(c->out_errno ? c->out_errno : EIO));
}

int main(int argc, char **argv)
{
	standard_fds();
	mem_start();
	catch_pipe();
	const char *no_color = getenv("NO_COLOR");
	struct cli c = { .out_tty = isatty(STDOUT_FILENO),
			 .color = isatty(STDERR_FILENO) && !(no_color && *no_color) };
	_cleanup_(err_done) struct err e = { 0 };
	int status = dispatch(&c, argc - 1, argv + 1, &e);
	if (status < 0 && interrupt_pending()) {
		status = 128 + interrupt_pending();
		cli_warn(&c, "stopped by a signal (%s)", strsignal(interrupt_pending()));
	} else if (status < 0) {
		status = c.cmd && c.cmd->failed ? c.cmd->failed : c.wrong ? 2 : 1;
		cli_error(&c, &e);
	}
	if (finish_stdout(&c, &e) < 0 && status == 0) {
		status = 1;
		cli_error(&c, &e);
	}
	store_close(c.store);
	return status;
}
