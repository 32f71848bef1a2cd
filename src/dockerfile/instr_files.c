/* SPDX-License-Identifier: Apache-2.0 */
/* RUN, COPY and ADD: the instructions whose files and scripts may stand in here-documents. */
#include "dockerfile/instr_in.h"

#include <string.h>

#include "base/buf.h"
#include "dockerfile/mount.h"
#include "dockerfile/words.h"

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
			return parse_fail(p, "--network");
		}
		in->network = (enum run_network)i;
		in->has_network = true;
	}
	if (sec && strcmp(sec, "sandbox") != 0 && strcmp(sec, "insecure") != 0) {
		err_set(p->e, ERR_USER, "security \"%s\" is not supported", sec);
		err_hint(p->e, "--security is sandbox or insecure");
		return parse_fail(p, "--security");
	}
	in->has_security = sec != NULL;
	in->insecure = sec && !strcmp(sec, "insecure");
	in->mount_texts = words_keep(p->arena, &p->lists[F_MOUNT]);
	for (size_t i = 0; i < in->mount_texts.n; i++)
		if (mount_check(slice_of(in->mount_texts.p[i]), p->e) < 0)
			return parse_fail(p, in->mount_texts.p[i]);
	struct strs *d = &p->lists[F_DEVICE];
	if (d->n)
		in->devices.p = arena_alloc(p->arena, d->n * sizeof *in->devices.p);
	in->devices.n = d->n;
	for (size_t i = 0; i < d->n; i++)
		if (device_parse(slice_of(d->p[i]), p->arena, &in->devices.p[i], p->e) < 0)
			return parse_fail(p, d->p[i]);
	return 0;
}

int parse_run(struct parse *p)
{
	if (run_options(p) < 0 || parse_exec_or_shell(p) < 0)
		return -1;
	if (p->in->json && p->in->args.n == 0) {
		err_set(p->e, ERR_USER, "RUN requires at least one argument: the array is empty");
		return parse_fail(p, "[");
	}
	if (p->in->heredocs.n)
		run_heredocs(p);
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
		return parse_fail(p, from);
	}
	if (!*from) {
		err_set(p->e, ERR_USER, "missing a value on flag: --from");
		return parse_fail(p, "--from");
	}
	return 0;
}

int parse_copy(struct parse *p)
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
			return parse_fail(p, NULL);
		p->rest = slice_trim(buf_view(&plain));
	}
	for (size_t i = 0; i < in->heredocs.n; i++) {
		/* BuildKit splits the words of COPY on blanks before it looks at quotes. */
		if (!strpbrk(in->heredocs.p[i].name, " \t"))
			continue;
		err_set(p->e, ERR_USER, "%s cannot make a file with a blank in its name from a heredoc", name);
		err_hint(p->e, "write <<NAME without blanks, and the file's name as the last argument");
		return parse_fail(p, in->heredocs.p[i].name);
	}
	if (dest_is_heredoc) {
		err_set(p->e, ERR_USER, "%s cannot accept a heredoc as a destination", name);
		err_hint(p->e, "the last argument is the path in the image");
		return parse_fail(p, NULL);
	}
	if (parse_list_form(p) < 0)
		return -1;
	struct strs *w = &p->words;
	if (w->n < 2 && !(w->n == 1 && in->heredocs.n)) {
		err_set(p->e, ERR_USER, "%s requires at least two arguments, but only %s provided. Destination could not be determined",
			name, w->n ? "one was" : "none were");
		err_hint(p->e, "write %s SOURCE… DESTINATION", name);
		return parse_fail(p, NULL);
	}
	in->dest = arena_str(p->arena, slice_of(w->p[w->n - 1]));
	in->args = words_keep(p->arena, w);
	in->args.n--;
	return 0;
}
