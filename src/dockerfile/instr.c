/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/instr.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/num.h"
#include "dockerfile/mount.h"
#include "dockerfile/words.h"

static const char *const kind_names[] = {
	[INSTR_ADD] = "ADD",		     [INSTR_ARG] = "ARG",
	[INSTR_CMD] = "CMD",		     [INSTR_COPY] = "COPY",
	[INSTR_ENTRYPOINT] = "ENTRYPOINT",   [INSTR_ENV] = "ENV",
	[INSTR_EXPOSE] = "EXPOSE",	     [INSTR_FROM] = "FROM",
	[INSTR_HEALTHCHECK] = "HEALTHCHECK", [INSTR_LABEL] = "LABEL",
	[INSTR_MAINTAINER] = "MAINTAINER",   [INSTR_ONBUILD] = "ONBUILD",
	[INSTR_RUN] = "RUN",		     [INSTR_SHELL] = "SHELL",
	[INSTR_STOPSIGNAL] = "STOPSIGNAL",   [INSTR_USER] = "USER",
	[INSTR_VOLUME] = "VOLUME",	     [INSTR_WORKDIR] = "WORKDIR",
};

const char *instr_name(enum instr_kind k)
{
	return kind_names[k];
}

int instr_kind_of(struct slice word)
{
	for (size_t i = 0; i < COUNT_OF(kind_names); i++)
		if (slice_eq_nocase(word, slice_of(kind_names[i])))
			return (int)i;
	return -1;
}

/* ---- places ---- */

/* Where word stands in the lines, behind the keyword: best as a whole word, else where it begins as
 * a word does, else anywhere. */
static const char *find_word(const char *lines, size_t skip, const char *word)
{
	const char *best = NULL;
	size_t n = strlen(word);
	int best_fit = -1, tries = 1000; /* a place for people need not be looked for long */
	for (const char *at = lines + skip; tries-- && (at = strstr(at, word)); at++) {
		bool starts = at == lines || strchr(" \t\n=,\"'[", at[-1]);
		bool ends = strchr(" \t\n=,\"']", at[n]); /* the final zero counts */
		int fit = starts + (starts && ends);
		if (fit > best_fit) {
			best = at;
			best_fit = fit;
		}
		if (fit == 2)
			break;
	}
	return best;
}

struct err_span instr_span_of(const struct instr *in, const char *word, struct arena *arena)
{
	struct err_span s = in->span;
	if (!word || !*word || !s.lines)
		return s;
	/* a trigger's span is the FROM line, which does not begin with the instruction */
	struct slice start = slice_trim_left(slice_of(s.lines));
	size_t skip = (size_t)(start.p - s.lines);
	if (slice_starts(start, slice_of(in->keyword)))
		skip += strlen(in->keyword);
	else if (start.n == 0 || start.p[0] != in->escape)
		return s;
	const char *at = find_word(s.lines, skip, word);
	if (!at)
		return s;
	const char *line = s.lines;
	for (const char *nl; (nl = memchr(line, '\n', (size_t)(at - line))); line = nl + 1)
		s.first++;
	s.last = s.first;
	s.col = (unsigned)(at - line) + 1;
	s.width = (unsigned)strcspn(word, "\n");
	s.lines = arena_str(arena, (struct slice){ line, strcspn(line, "\n") });
	return s;
}

int instr_err_at(struct err *e, const struct instr *in, const char *word)
{
	_cleanup_(arena_done) struct arena a = { 0 };
	struct err_span s = instr_span_of(in->origin ? in->origin : in, word, &a);
	return err_at(e, &s);
}

/* ---- flags ---- */

enum flag_type { FLAG_BOOL, FLAG_TEXT, FLAG_LIST };
enum flag_id {
	F_PLATFORM, F_MOUNT, F_NETWORK, F_SECURITY, F_DEVICE, F_FROM, F_CHOWN, F_CHMOD, F_LINK,
	F_PARENTS, F_EXCLUDE, F_CHECKSUM, F_KEEP_GIT_DIR, F_UNPACK, F_INTERVAL, F_TIMEOUT,
	F_START_PERIOD, F_START_INTERVAL, F_RETRIES, F_COUNT,
};
static const struct {
	const char *name;
	enum flag_type type;
} flags[F_COUNT] = {
	[F_PLATFORM] = { "platform", FLAG_TEXT },
	[F_MOUNT] = { "mount", FLAG_LIST },
	[F_NETWORK] = { "network", FLAG_TEXT },
	[F_SECURITY] = { "security", FLAG_TEXT },
	[F_DEVICE] = { "device", FLAG_LIST },
	[F_FROM] = { "from", FLAG_TEXT },
	[F_CHOWN] = { "chown", FLAG_TEXT },
	[F_CHMOD] = { "chmod", FLAG_TEXT },
	[F_LINK] = { "link", FLAG_BOOL },
	[F_PARENTS] = { "parents", FLAG_BOOL },
	[F_EXCLUDE] = { "exclude", FLAG_LIST },
	[F_CHECKSUM] = { "checksum", FLAG_TEXT },
	[F_KEEP_GIT_DIR] = { "keep-git-dir", FLAG_BOOL },
	[F_UNPACK] = { "unpack", FLAG_BOOL },
	[F_INTERVAL] = { "interval", FLAG_TEXT },
	[F_TIMEOUT] = { "timeout", FLAG_TEXT },
	[F_START_PERIOD] = { "start-period", FLAG_TEXT },
	[F_START_INTERVAL] = { "start-interval", FLAG_TEXT },
	[F_RETRIES] = { "retries", FLAG_TEXT },
};
#define BIT(f) (1u << (f))

static const unsigned kind_flags[COUNT_OF(kind_names)] = {
	[INSTR_FROM] = BIT(F_PLATFORM),
	[INSTR_RUN] = BIT(F_MOUNT) | BIT(F_NETWORK) | BIT(F_SECURITY) | BIT(F_DEVICE),
	[INSTR_COPY] = BIT(F_FROM) | BIT(F_CHOWN) | BIT(F_CHMOD) | BIT(F_LINK) | BIT(F_PARENTS) |
		       BIT(F_EXCLUDE),
	[INSTR_ADD] = BIT(F_CHOWN) | BIT(F_CHMOD) | BIT(F_LINK) | BIT(F_EXCLUDE) | BIT(F_CHECKSUM) |
		      BIT(F_KEEP_GIT_DIR) | BIT(F_UNPACK),
	[INSTR_HEALTHCHECK] = BIT(F_INTERVAL) | BIT(F_TIMEOUT) | BIT(F_START_PERIOD) |
			      BIT(F_START_INTERVAL) | BIT(F_RETRIES),
};

/* What an instruction is parsed with. */
struct parse {
	struct instr *in;
	struct arena *arena;
	struct err *e;
	struct slice rest;         /* behind keyword and flags, trimmed */
	unsigned given;            /* flags, as bits */
	const char *value[F_COUNT];
	bool on[F_COUNT];
	struct strs lists[F_COUNT];
	struct strs words;
};

static int unknown_flag(struct parse *p, struct slice name, const char *word)
{
	const char *names[F_COUNT];
	size_t n = 0;
	for (int f = 0; f < F_COUNT; f++)
		if (kind_flags[p->in->kind] & BIT(f))
			names[n++] = flags[f].name;
	const char *near = nearest_name(name, names, n);
	if (near)
		err_set(p->e, ERR_USER, "unknown flag: --%.*s (did you mean --%s?)", SLF(name), near);
	else
		err_set(p->e, ERR_USER, "unknown flag: --%.*s", SLF(name));
	_free_ char *all = strs_join(&(struct strs){ .p = (char **)names, .n = n }, ", --");
	if (n)
		err_hint(p->e, "%s knows --%s", instr_name(p->in->kind), all);
	else
		err_hint(p->e, "%s has no flags", instr_name(p->in->kind));
	return instr_err_at(p->e, p->in, word);
}

static int set_bool(struct parse *p, int f, struct slice name, struct slice value, const char *word)
{
	if (!value.p) {
		p->on[f] = true;
		return 0;
	}
	if (value.n == 0)
		err_set(p->e, ERR_USER, "missing a value on flag: --%.*s", SLF(name));
	else if (bool_parse(value, &p->on[f]) == 0)
		return 0;
	else
		err_set(p->e, ERR_USER, "expecting boolean value for flag --%.*s, not: %.*s", SLF(name),
			SLF(value));
	err_hint(p->e, "write --%s, --%s=true or --%s=false", flags[f].name, flags[f].name,
		 flags[f].name);
	return instr_err_at(p->e, p->in, word);
}

static int set_flag(struct parse *p, const char *word)
{
	struct slice name, value = slice_of(word + 2);
	(void)slice_split(&value, '=', &name);
	int f = 0;
	while (f < F_COUNT && !(kind_flags[p->in->kind] & BIT(f) && slice_is(name, flags[f].name)))
		f++;
	_free_ char *shown = str_printf("--%.*s", SLF(name));
	if (f == F_COUNT)
		return unknown_flag(p, name, shown);
	if (p->given & BIT(f) && flags[f].type != FLAG_LIST) {
		err_set(p->e, ERR_USER, "duplicate flag specified: %s", shown);
		return instr_err_at(p->e, p->in, shown);
	}
	p->given |= BIT(f);
	if (flags[f].type == FLAG_BOOL)
		return set_bool(p, f, name, value, shown);
	if (!value.p) {
		err_set(p->e, ERR_USER, "missing a value on flag: %s", shown);
		err_hint(p->e, "write %s=VALUE, without a blank", shown);
		return instr_err_at(p->e, p->in, shown);
	}
	if (flags[f].type == FLAG_LIST)
		strs_take(&p->lists[f], slice_dup(value));
	else
		p->value[f] = arena_str(p->arena, value);
	return 0;
}

static int take_flags(struct parse *p)
{
	_cleanup_(strs_done) struct strs words = { 0 };
	words_flags(&p->rest, p->in->escape, &words);
	enum instr_kind k = p->in->kind;
	struct slice rest = p->rest;
	if (k == INSTR_ARG || k == INSTR_STOPSIGNAL ||
	    (k == INSTR_HEALTHCHECK && slice_eq_nocase(words_first(&rest), SL("NONE"))))
		return 0; /* BuildKit never looks at theirs */
	for (size_t i = 0; i < words.n; i++)
		if (set_flag(p, words.p[i]) < 0)
			return -1;
	return 0;
}

/* ---- arguments ---- */

static int fail(struct parse *p, const char *word)
{
	return instr_err_at(p->e, p->in, word);
}

static int need_args(struct parse *p, const char *hint)
{
	if (p->rest.n)
		return 0;
	err_set(p->e, ERR_USER, "%s requires at least one argument", instr_name(p->in->kind));
	err_hint(p->e, "%s", hint);
	return fail(p, NULL);
}

static int strings_only(struct parse *p)
{
	err_set(p->e, ERR_DATA, "when using JSON array syntax, arrays must be comprised of strings only");
	err_hint(p->e, "put numbers in quotes too: [\"sleep\", \"1\"]");
	return fail(p, "[");
}

/* Exec form: args and json are set. Else the text is the shell form. */
static int exec_or_shell(struct parse *p)
{
	int r = words_json(p->rest, &p->words);
	if (r < 0)
		return strings_only(p);
	p->in->json = r > 0;
	p->in->args = words_keep(p->arena, &p->words);
	if (r == 0)
		p->in->text = arena_str(p->arena, p->rest);
	return 0;
}

static void plain_words(struct parse *p)
{
	struct slices list = { 0 };
	words_plain(p->rest, &list);
	arr_each(w, &list.list)
		strs_take(&p->words, slice_dup(*w));
	arr_done(&list.list);
}

/* JSON or words; appended to p->words. */
static int list_form(struct parse *p)
{
	int r = words_json(p->rest, &p->words);
	if (r < 0)
		return strings_only(p);
	p->in->json = r > 0;
	if (r == 0)
		plain_words(p);
	return 0;
}

static int parse_one(struct parse *p)
{
	if (p->rest.n == 0) {
		err_set(p->e, ERR_USER, "%s requires exactly one argument", instr_name(p->in->kind));
		return fail(p, NULL);
	}
	strs_take(&p->words, slice_dup(p->rest));
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

/* ---- the instructions ---- */

static bool is_stage_name(struct slice s)
{
	if (s.n == 0 || s.p[0] < 'a' || s.p[0] > 'z')
		return false;
	for (size_t i = 1; i < s.n; i++) {
		char c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-_.", c))
			return false;
	}
	return true;
}

static int parse_from(struct parse *p)
{
	struct instr *in = p->in;
	plain_words(p);
	struct strs *w = &p->words;
	if (w->n != 1 && (w->n != 3 || !slice_eq_nocase(slice_of(w->p[1]), SL("AS")))) {
		err_set(p->e, ERR_USER, "FROM requires either one or three arguments");
		err_hint(p->e, "write FROM IMAGE or FROM IMAGE AS NAME");
		return fail(p, w->n > 1 ? w->p[1] : NULL);
	}
	in->image = arena_str(p->arena, slice_of(w->p[0]));
	in->platform = p->value[F_PLATFORM];
	if (w->n == 1)
		return 0;
	in->as_word = arena_str(p->arena, slice_of(w->p[1]));
	in->stage_name_raw = arena_str(p->arena, slice_of(w->p[2]));
	char *low = arena_str(p->arena, slice_of(w->p[2]));
	for (char *c = low; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	in->stage_name = low;
	if (is_stage_name(slice_of(low)))
		return 0;
	err_set(p->e, ERR_USER, "invalid name for build stage: \"%s\", name can't start with a number or contain symbols",
		in->stage_name_raw);
	err_hint(p->e, "a letter, then letters, digits, '-', '_' and '.'");
	return fail(p, in->stage_name_raw);
}

/* The script of a RUN with here-documents (dockerfile.md §1). */
static void run_heredocs(struct parse *p)
{
	struct instr *in = p->in;
	struct heredocs *h = &in->heredocs;
	if (h->n == 1 && lex_is_heredoc(p->rest)) {
		in->run_script = slice_starts(h->p[0].body, SL("#!"));
		in->text = in->run_script ? arena_printf(p->arena, "/dev/pipes/%s", h->p[0].name)
					  : arena_str(p->arena, h->p[0].body);
		return;
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_slice(&b, p->rest);
	for (size_t i = 0; i < h->n; i++) {
		buf_char(&b, '\n');
		buf_slice(&b, h->p[i].raw);
		buf_str(&b, h->p[i].name);
	}
	in->text = arena_str(p->arena, buf_view(&b));
}

static int run_options(struct parse *p)
{
	struct instr *in = p->in;
	const char *net = p->value[F_NETWORK], *sec = p->value[F_SECURITY];
	static const char *const nets[] = { "default", "none", "host" };
	if (net) {
		size_t i = 0;
		while (i < COUNT_OF(nets) && strcmp(net, nets[i]) != 0)
			i++;
		if (i == COUNT_OF(nets)) {
			err_set(p->e, ERR_USER, "invalid network mode %s", net);
			err_hint(p->e, "--network is default, none or host");
			return fail(p, "--network");
		}
		in->network = (enum run_network)i;
		in->has_network = true;
	}
	if (sec && strcmp(sec, "sandbox") != 0 && strcmp(sec, "insecure") != 0) {
		err_set(p->e, ERR_USER, "security \"%s\" is not supported", sec);
		err_hint(p->e, "--security is sandbox or insecure");
		return fail(p, "--security");
	}
	in->has_security = sec != NULL;
	in->insecure = sec && !strcmp(sec, "insecure");
	in->mount_texts = words_keep(p->arena, &p->lists[F_MOUNT]);
	for (size_t i = 0; i < in->mount_texts.n; i++)
		if (mount_check(slice_of(in->mount_texts.p[i]), p->e) < 0)
			return fail(p, in->mount_texts.p[i]);
	struct strs *d = &p->lists[F_DEVICE];
	if (d->n)
		in->devices.p = arena_alloc(p->arena, d->n * sizeof *in->devices.p);
	in->devices.n = d->n;
	for (size_t i = 0; i < d->n; i++)
		if (device_parse(slice_of(d->p[i]), p->arena, &in->devices.p[i], p->e) < 0)
			return fail(p, d->p[i]);
	return 0;
}

static int parse_run(struct parse *p)
{
	if (run_options(p) < 0 || exec_or_shell(p) < 0)
		return -1;
	if (p->in->json && p->in->args.n == 0) {
		err_set(p->e, ERR_USER, "RUN requires at least one argument: the array is empty");
		return fail(p, "[");
	}
	if (p->in->heredocs.n)
		run_heredocs(p);
	return 0;
}

static int parse_shell(struct parse *p)
{
	if (exec_or_shell(p) < 0)
		return -1;
	if (p->rest.n == 0 || (p->in->json && p->in->args.n == 0))
		return p->rest = SL(""), need_args(p, "write SHELL [\"/bin/bash\", \"-c\"]");
	if (p->in->json)
		return 0;
	err_set(p->e, ERR_USER, "SHELL requires the arguments to be in JSON form");
	err_hint(p->e, "write SHELL [\"/bin/bash\", \"-c\"]");
	return fail(p, NULL);
}

/* ENV and LABEL: "k=v …", or "k rest" of old. */
static int parse_pairs(struct parse *p)
{
	const char *name = instr_name(p->in->kind);
	struct instr *in = p->in;
	if (need_args(p, "write NAME=VALUE") < 0)
		return -1;
	words_quoted(p->rest, in->escape, &p->words);
	in->pairs.p = arena_alloc(p->arena, (p->words.n + 1) * sizeof *in->pairs.p);
	if (!strchr(p->words.p[0], '=')) {
		struct slice rest = p->rest, key = words_first(&rest);
		if (rest.n == 0) {
			err_set(p->e, ERR_USER, "%s must have two arguments", name);
			err_hint(p->e, "write %s %.*s=VALUE", name, SLF(key));
			return fail(p, NULL);
		}
		in->legacy_pair = true;
		in->pairs.p[in->pairs.n++] = (struct pair){ arena_str(p->arena, key),
							    arena_str(p->arena, rest) };
		return 0;
	}
	for (size_t i = 0; i < p->words.n; i++) {
		struct slice value = slice_of(p->words.p[i]), key;
		(void)slice_split(&value, '=', &key);
		if (!value.p) {
			err_set(p->e, ERR_USER, "Syntax error - can't find = in \"%s\". Must be of the form: name=value",
				p->words.p[i]);
			err_hint(p->e, "a value with blanks is quoted: name=\"a b\"");
			return fail(p, p->words.p[i]);
		}
		if (key.n == 0) {
			err_set(p->e, ERR_USER, "%s names can not be blank", name);
			return fail(p, p->words.p[i]);
		}
		in->pairs.p[in->pairs.n++] = (struct pair){ arena_str(p->arena, key),
							    arena_str(p->arena, value) };
	}
	return 0;
}

static int parse_arg(struct parse *p)
{
	struct instr *in = p->in;
	if (need_args(p, "write ARG NAME or ARG NAME=DEFAULT") < 0)
		return -1;
	words_quoted(p->rest, in->escape, &p->words);
	in->pairs.p = arena_alloc(p->arena, (p->words.n + 1) * sizeof *in->pairs.p);
	for (size_t i = 0; i < p->words.n; i++) {
		struct slice value = slice_of(p->words.p[i]), key;
		(void)slice_split(&value, '=', &key);
		if (key.n == 0) {
			err_set(p->e, ERR_USER, "ARG names can not be blank");
			return fail(p, p->words.p[i]);
		}
		in->pairs.p[in->pairs.n++] = (struct pair){
			arena_str(p->arena, key), value.p ? arena_str(p->arena, value) : NULL
		};
	}
	return 0;
}

/* Takes the words that name here-documents out of the rest of a COPY or ADD. *dest: the last word
 * is one of them. */
static int drop_heredoc_words(struct parse *p, struct buf *out, bool *dest)
{
	struct slice rest = p->rest, all = p->rest;
	struct heredoc h;
	size_t copied = 0;
	int r;
	while ((r = lex_heredoc_word(&rest, p->arena, &h, p->e)) > 0) {
		size_t end = (size_t)(rest.p - all.p), start = end;
		*dest = slice_trim_left(rest).n == 0;
		while (start > copied && !slice_starts(slice_from(all, start), SL("<<")))
			start--;
		while (start > copied && !is_blank(all.p[start - 1]))
			start--; /* the descriptor's digits */
		buf_slice(out, (struct slice){ all.p + copied, start - copied });
		buf_char(out, ' ');
		copied = end;
	}
	buf_slice(out, slice_from(all, copied));
	return r;
}

static void copy_options(struct parse *p)
{
	struct instr *in = p->in;
	in->from = p->value[F_FROM];
	in->chown = p->value[F_CHOWN];
	in->chmod = p->value[F_CHMOD];
	in->checksum = p->value[F_CHECKSUM];
	in->link = p->on[F_LINK];
	in->parents = p->on[F_PARENTS];
	in->keep_git_dir = p->given & BIT(F_KEEP_GIT_DIR) ? p->on[F_KEEP_GIT_DIR] : -1;
	in->unpack = p->given & BIT(F_UNPACK) ? p->on[F_UNPACK] : -1;
	in->excludes = words_keep(p->arena, &p->lists[F_EXCLUDE]);
}

static int copy_from_check(struct parse *p)
{
	const char *from = p->in->from;
	if (!from)
		return 0;
	const char *dollar = strchr(from, '$');
	if (dollar && dollar[1]) {
		err_set(p->e, ERR_USER, "'%s' doesn't support variable expansion, define alias stage instead", from);
		err_hint(p->e, "FROM %s AS files, and then COPY --from=files", from);
		return fail(p, from);
	}
	if (!*from) {
		err_set(p->e, ERR_USER, "missing a value on flag: --from");
		return fail(p, "--from");
	}
	return 0;
}

static int parse_copy(struct parse *p)
{
	struct instr *in = p->in;
	const char *name = instr_name(in->kind);
	bool dest_is_heredoc = false;
	_cleanup_(buf_done) struct buf plain = { 0 };
	copy_options(p);
	if (copy_from_check(p) < 0)
		return -1;
	if (in->heredocs.n) {
		if (drop_heredoc_words(p, &plain, &dest_is_heredoc) < 0)
			return fail(p, NULL);
		p->rest = slice_trim(buf_view(&plain));
	}
	for (size_t i = 0; i < in->heredocs.n; i++) {
		/* BuildKit splits the words of COPY on blanks before it looks at quotes. */
		if (!strpbrk(in->heredocs.p[i].name, " \t"))
			continue;
		err_set(p->e, ERR_USER, "%s cannot make a file with a blank in its name from a heredoc", name);
		err_hint(p->e, "write <<NAME without blanks, and the file's name as the last argument");
		return fail(p, in->heredocs.p[i].name);
	}
	if (dest_is_heredoc) {
		err_set(p->e, ERR_USER, "%s cannot accept a heredoc as a destination", name);
		err_hint(p->e, "the last argument is the path in the image");
		return fail(p, NULL);
	}
	if (list_form(p) < 0)
		return -1;
	struct strs *w = &p->words;
	if (w->n < 2 && !(w->n == 1 && in->heredocs.n)) {
		err_set(p->e, ERR_USER, "%s requires at least two arguments, but only %s provided. Destination could not be determined",
			name, w->n ? "one was" : "none were");
		err_hint(p->e, "write %s SOURCE… DESTINATION", name);
		return fail(p, NULL);
	}
	in->dest = arena_str(p->arena, slice_of(w->p[w->n - 1]));
	in->args = words_keep(p->arena, w);
	in->args.n--;
	return 0;
}

static int parse_expose(struct parse *p)
{
	if (need_args(p, "write EXPOSE 80 or EXPOSE 53/udp") < 0)
		return -1;
	plain_words(p);
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

static int parse_volume(struct parse *p)
{
	const char *hint = "write VOLUME /path or VOLUME [\"/path\"]";
	if (need_args(p, hint) < 0 || list_form(p) < 0)
		return -1;
	if (p->words.n == 0)
		return p->rest = SL(""), need_args(p, hint);
	for (size_t i = 0; i < p->words.n; i++) {
		if (slice_trim(slice_of(p->words.p[i])).n)
			continue;
		err_set(p->e, ERR_USER, "VOLUME specified can not be an empty string");
		return fail(p, NULL);
	}
	p->in->args = words_keep(p->arena, &p->words);
	return 0;
}

static int health_options(struct parse *p)
{
	struct instr *in = p->in;
	const struct {
		int flag;
		int64_t *to;
	} times[] = {
		{ F_INTERVAL, &in->health_interval },
		{ F_TIMEOUT, &in->health_timeout },
		{ F_START_PERIOD, &in->health_start_period },
		{ F_START_INTERVAL, &in->health_start_interval },
	};
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		const char *v = p->value[times[i].flag], *name = flags[times[i].flag].name;
		if (v && health_duration(slice_of(v), name, times[i].to, p->e) < 0) {
			_free_ char *word = str_printf("--%s", name);
			return fail(p, word);
		}
	}
	const char *retries = p->value[F_RETRIES];
	uint64_t n = 0;
	if (retries && *retries && num_parse(slice_of(retries), INT32_MAX, &n) < 0) {
		err_set(p->e, ERR_USER, "--retries must be a number, 0 or more, not '%s'", retries);
		return fail(p, "--retries");
	}
	in->health_retries = (int64_t)n;
	return 0;
}

static int parse_health(struct parse *p)
{
	struct instr *in = p->in;
	if (need_args(p, "write HEALTHCHECK CMD COMMAND or HEALTHCHECK NONE") < 0)
		return -1;
	struct slice type = words_first(&p->rest);
	if (slice_eq_nocase(type, SL("NONE"))) {
		in->health_none = true;
		if (p->rest.n == 0)
			return 0;
		err_set(p->e, ERR_USER, "HEALTHCHECK NONE takes no arguments");
		return fail(p, NULL);
	}
	if (!slice_eq_nocase(type, SL("CMD"))) {
		_free_ char *word = slice_dup(type);
		err_set(p->e, ERR_USER, "Unknown type \"%s\" in HEALTHCHECK (try CMD)", word);
		err_hint(p->e, "write HEALTHCHECK CMD %s", word);
		return fail(p, word);
	}
	if (exec_or_shell(p) < 0 || health_options(p) < 0)
		return -1;
	if (in->json ? in->args.n : p->rest.n)
		return 0;
	err_set(p->e, ERR_USER, "Missing command after HEALTHCHECK CMD");
	return fail(p, NULL);
}

static int parse_onbuild(struct parse *p)
{
	struct instr *in = p->in;
	if (need_args(p, "an instruction follows ONBUILD") < 0)
		return -1;
	struct slice rest = p->rest, word = words_first(&rest);
	in->trigger_kind = instr_kind_of(word);
	if (in->trigger_kind == INSTR_ONBUILD) {
		err_set(p->e, ERR_USER, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
		return fail(p, NULL);
	}
	if (in->trigger_kind == INSTR_FROM || in->trigger_kind == INSTR_MAINTAINER) {
		err_set(p->e, ERR_USER, "%s isn't allowed as an ONBUILD trigger",
			instr_name((enum instr_kind)in->trigger_kind));
		return fail(p, NULL);
	}
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_slice(&b, p->rest);
	for (size_t i = 0; i < in->heredocs.n; i++) {
		buf_char(&b, '\n');
		buf_slice(&b, in->heredocs.p[i].raw);
		buf_str(&b, in->heredocs.p[i].name);
	}
	in->trigger = arena_str(p->arena, buf_view(&b));
	return 0;
}

static int (*const parsers[COUNT_OF(kind_names)])(struct parse *) = {
	[INSTR_ADD] = parse_copy,	     [INSTR_ARG] = parse_arg,
	[INSTR_CMD] = exec_or_shell,	     [INSTR_COPY] = parse_copy,
	[INSTR_ENTRYPOINT] = exec_or_shell,  [INSTR_ENV] = parse_pairs,
	[INSTR_EXPOSE] = parse_expose,	     [INSTR_FROM] = parse_from,
	[INSTR_HEALTHCHECK] = parse_health,  [INSTR_LABEL] = parse_pairs,
	[INSTR_MAINTAINER] = parse_one,	     [INSTR_ONBUILD] = parse_onbuild,
	[INSTR_RUN] = parse_run,	     [INSTR_SHELL] = parse_shell,
	[INSTR_STOPSIGNAL] = parse_one,	     [INSTR_USER] = parse_one,
	[INSTR_VOLUME] = parse_volume,	     [INSTR_WORKDIR] = parse_one,
};

static int unknown_instruction(struct parse *p, struct slice word)
{
	const char *near = nearest_name(word, kind_names, COUNT_OF(kind_names));
	if (!near) {
		err_set(p->e, ERR_USER, "unknown instruction: %.*s", SLF(word));
	} else {
		_free_ char *cased = str_dup(near);
		bool lower = word.n && islower((unsigned char)word.p[0]);
		for (char *c = cased; lower && *c; c++)
			*c = (char)tolower((unsigned char)*c);
		err_set(p->e, ERR_USER, "unknown instruction: %.*s (did you mean %s?)", SLF(word), cased);
	}
	struct err_span at = p->in->span;
	const char *col = at.lines ? strstr(at.lines, p->in->keyword) : NULL;
	const char *eol = col ? memchr(at.lines, '\n', (size_t)(col - at.lines)) : NULL;
	if (col && !eol) {
		at.col = (unsigned)(col - at.lines) + 1;
		at.width = (unsigned)word.n;
	}
	return err_at(p->e, &at);
}

static void parse_done(struct parse *p)
{
	for (int f = 0; f < F_COUNT; f++)
		strs_done(&p->lists[f]);
	strs_done(&p->words);
}

int instr_parse(const struct lex_line *line, char escape, struct arena *arena, struct instr *out,
		struct err *e)
{
	struct slice rest = line->text, word = words_first(&rest);
	int kind = instr_kind_of(word);
	*out = (struct instr){
		.kind = kind < 0 ? INSTR_RUN : (enum instr_kind)kind,
		.keyword = arena_str(arena, word),
		.original = arena_str(arena, line->text),
		.span = line->span,
		.doc = line->doc,
		.check_skip = line->skip,
		.escape = escape,
		.heredocs = line->heredocs,
		.keep_git_dir = -1,
		.unpack = -1,
		.trigger_kind = -1,
	};
	_cleanup_(parse_done) struct parse p = { .in = out, .arena = arena, .e = e, .rest = rest };
	if (kind < 0)
		return unknown_instruction(&p, word);
	if (take_flags(&p) < 0)
		return -1;
	return parsers[kind](&p);
}
