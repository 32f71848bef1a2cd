/* SPDX-License-Identifier: Apache-2.0 */
/* Which strings of an instruction the builder expands: dockerfile.md §2. */
#include "base/buf.h"
#include "dockerfile/expand.h"
#include "dockerfile/instr.h"
#include "dockerfile/mount.h"
#include "dockerfile/words.h"

struct job {
	const struct instr *in;
	struct instr *out;
	const struct expand_env *env;
	struct arena *arena;
	struct err *e;
};

/* *s is replaced by its expansion; NULL stays. */
static int word(struct job *j, const char **s)
{
	if (!*s)
		return 0;
	char *v = expand_word(slice_of(*s), j->env, j->arena, j->e);
	if (!v) {
		if (j->in->kind == INSTR_COPY || j->in->kind == INSTR_ADD || j->in->kind == INSTR_VOLUME)
			err_hint(j->e, "paths with blanks or quotes need the JSON form: %s [\"a b\", …]",
				 instr_name(j->in->kind));
		return instr_err_at(j->e, j->in, *s);
	}
	*s = v;
	return 0;
}

static int words(struct job *j, struct words *w)
{
	const char **p = w->n ? arena_alloc(j->arena, w->n * sizeof *p) : NULL;
	for (size_t i = 0; i < w->n; i++) {
		p[i] = w->p[i];
		if (word(j, &p[i]) < 0)
			return -1;
	}
	w->p = p;
	return 0;
}

static int pairs(struct job *j)
{
	struct pairs *l = &j->out->pairs;
	struct pair *p = arena_alloc(j->arena, (l->n + 1) * sizeof *p);
	for (size_t i = 0; i < l->n; i++) {
		p[i] = l->p[i];
		if (word(j, &p[i].key) < 0 || word(j, &p[i].value) < 0)
			return -1;
		if (*p[i].key)
			continue;
		err_set(j->e, ERR_USER, "%s names can not be blank", instr_name(j->in->kind));
		return instr_err_at(j->e, j->in, l->p[i].key);
	}
	l->p = p;
	return 0;
}

static int files(struct job *j)
{
	struct instr *o = j->out;
	if (words(j, &o->args) < 0 || word(j, &o->dest) < 0 || word(j, &o->chown) < 0 ||
	    word(j, &o->chmod) < 0 || word(j, &o->checksum) < 0)
		return -1;
	struct heredocs *h = &o->heredocs;
	struct heredoc *p = h->n ? arena_alloc(j->arena, h->n * sizeof *p) : NULL;
	for (size_t i = 0; i < h->n; i++) {
		p[i] = h->p[i];
		if (!p[i].expand)
			continue;
		char *v = expand_heredoc(p[i].body, j->env, j->arena, j->e);
		if (!v) {
			err_hint(j->e, "to take the text as it is, quote the name: <<'%s'", p[i].name);
			return instr_err_at(j->e, j->in, NULL);
		}
		p[i].body = slice_of(v);
	}
	h->p = p;
	if (!o->chmod)
		return 0;
	struct chmod_spec *c = ARENA_NEW(j->arena, struct chmod_spec);
	if (chmod_parse(slice_of(o->chmod), c, j->e) < 0)
		return instr_err_at(j->e, j->in, "--chmod");
	o->chmod_spec = c;
	return 0;
}

static int run(struct job *j)
{
	struct instr *o = j->out;
	size_t n = o->mount_texts.n;
	struct mount_opt *p = n ? arena_alloc(j->arena, n * sizeof *p) : NULL;
	for (size_t i = 0; i < n; i++) {
		const char *text = o->mount_texts.p[i];
		if (mount_parse(slice_of(text), j->env, j->arena, &p[i], j->e) < 0)
			return instr_err_at(j->e, j->in, text);
	}
	o->mounts = (struct mounts){ p, n };
	return 0;
}

static int expose(struct job *j)
{
	_cleanup_(strs_done) struct strs given = { 0 }, ports = { 0 };
	for (size_t i = 0; i < j->in->args.n; i++)
		if (expand_words(slice_of(j->in->args.p[i]), j->env, &given, j->e) < 0)
			return instr_err_at(j->e, j->in, j->in->args.p[i]);
	strs_sort(&given);
	for (size_t i = 0; i < given.n; i++) {
		if (expose_parse(slice_of(given.p[i]), &ports, NULL, j->e) < 0)
			return instr_err_at(j->e, j->in, given.p[i]);
		if (ports.n <= 1u << 20)
			continue;
		err_set(j->e, ERR_USER, "EXPOSE lists more than %u ports", 1u << 20);
		return instr_err_at(j->e, j->in, NULL);
	}
	j->out->args = words_keep(j->arena, &ports);
	return 0;
}

static int from(struct job *j)
{
	struct instr *o = j->out;
	if (word(j, &o->image) < 0 || word(j, &o->platform) < 0)
		return -1;
	if (!*o->image) {
		err_set(j->e, ERR_USER, "base name (%s) should not be blank", j->in->image);
		err_hint(j->e, "give the variable a default before FROM, or a --build-arg");
		return instr_err_at(j->e, j->in, j->in->image);
	}
	if (o->platform && !*o->platform) {
		err_set(j->e, ERR_USER, "empty platform value from expression %s", j->in->platform);
		err_hint(j->e, "variables of FROM are declared by an ARG before the first FROM");
		return instr_err_at(j->e, j->in, "--platform");
	}
	return 0;
}

static int volume(struct job *j)
{
	if (words(j, &j->out->args) < 0)
		return -1;
	for (size_t i = 0; i < j->out->args.n; i++) {
		if (slice_trim(slice_of(j->out->args.p[i])).n)
			continue;
		err_set(j->e, ERR_USER, "VOLUME specified can not be an empty string");
		return instr_err_at(j->e, j->in, j->in->args.p[i]);
	}
	return 0;
}

static int stop_signal(struct job *j)
{
	if (words(j, &j->out->args) < 0)
		return -1;
	if (stopsignal_parse(slice_of(j->out->args.p[0]), j->e) < 0)
		return instr_err_at(j->e, j->in, j->in->args.p[0]);
	return 0;
}

int instr_expand(const struct instr *in, const struct expand_env *env, struct arena *arena,
		 struct instr *out, struct err *e)
{
	struct expand_env own = *env; /* the escape character belongs to the text, not to the caller */
	own.escape = in->escape ? in->escape : env->escape;
	struct instr copy = *in;
	copy.origin = in->origin ? in->origin : in;
	struct job j = { in, &copy, &own, arena, e };
	int r = 0;
	switch (in->kind) {
	case INSTR_ADD:
	case INSTR_COPY: r = files(&j); break;
	case INSTR_ENV:
	case INSTR_LABEL: r = pairs(&j); break;
	case INSTR_EXPOSE: r = expose(&j); break;
	case INSTR_FROM: r = from(&j); break;
	case INSTR_RUN: r = run(&j); break;
	case INSTR_USER:
	case INSTR_WORKDIR: r = words(&j, &copy.args); break;
	case INSTR_VOLUME: r = volume(&j); break;
	case INSTR_STOPSIGNAL: r = stop_signal(&j); break;
	case INSTR_ARG: /* arg_expand */
	case INSTR_CMD:
	case INSTR_ENTRYPOINT:
	case INSTR_HEALTHCHECK:
	case INSTR_MAINTAINER:
	case INSTR_ONBUILD:
	case INSTR_SHELL: break;
	}
	if (r == 0)
		*out = copy;
	return r;
}

int arg_expand(const struct instr *in, size_t i, const char *given, const struct expand_env *env,
	       struct arena *arena, struct pair *out, struct err *e)
{
	struct expand_env own = *env;
	own.escape = in->escape ? in->escape : env->escape;
	struct job j = { in, NULL, &own, arena, e };
	struct pair p = in->pairs.p[i];
	if (given)
		p.value = arena_str(arena, slice_of(given));
	if (word(&j, &p.key) < 0 || (!given && word(&j, &p.value) < 0))
		return -1;
	if (!*p.key) {
		err_set(e, ERR_USER, "ARG names can not be blank");
		return instr_err_at(e, in, in->pairs.p[i].key);
	}
	*out = p;
	return 0;
}
