/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the target needs, in which order. */
#include "build/plan.h"

#include <assert.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/path.h"
#include "build/config_instr.h"
#include "build/copy_job.h"

/* ---- environments ---- */

const char *plan_build_arg(struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->opts->args.n; i++) {
		if (strcmp(p->opts->args.p[i].k, name) != 0)
			continue;
		p->args_used[i] = true;
		return p->opts->args.p[i].v;
	}
	return NULL;
}

static const char *env_lookup(void *ctx, struct slice name)
{
	struct plan_env *pe = ctx;
	return pe->st ? env_get_in(&pe->st->env, &pe->st->env_at, name)
		      : env_get_in(&pe->plan->globals, &pe->plan->globals_at, name);
}

static void env_unset(void *ctx, struct slice name)
{
	struct plan_env *pe = ctx;
	const struct strs *env = pe->st ? &pe->st->env : &pe->plan->globals;
	_free_ char *n = slice_dup(name);
	ARRAY_OF(const char *) known = { 0 };
	_cleanup_(strs_done) struct strs names = { 0 };
	for (size_t i = 0; i < env->n; i++) {
		struct slice kv = slice_of(env->p[i]);
		strs_take(&names, slice_dup(slice_head(kv, slice_find(kv, '='))));
		arr_push(&known, names.p[i]);
	}
	if (pe->st)
		dockerfile_warn_unset(pe->plan->file, pe->in, pe->st->stage ? (int)pe->st->stage->index : -1, n,
				      known.p, known.n);
	arr_done(&known);
}

struct expand_env plan_expand_env(struct plan_env *pe, char escape)
{
	return (struct expand_env){ .get = env_lookup, .unset = env_unset, .ctx = pe, .escape = escape };
}

/* ---- global ARGs ---- */

static void predefine(struct plan *p, const char *target)
{
	struct platform host;
	platform_host(&host);
	const struct {
		const char *prefix;
		const struct platform *p;
	} both[] = { { "TARGET", &p->platform }, { "BUILD", &host } };
	for (size_t i = 0; i < COUNT_OF(both); i++) {
		_free_ char *text = platform_text(both[i].p);
		strs_addf(&p->predefined, "%sPLATFORM=%s", both[i].prefix, text);
		strs_addf(&p->predefined, "%sOS=%s", both[i].prefix, both[i].p->os);
		strs_addf(&p->predefined, "%sARCH=%s", both[i].prefix, both[i].p->arch);
		strs_addf(&p->predefined, "%sVARIANT=%s", both[i].prefix, both[i].p->variant ?: "");
		strs_addf(&p->predefined, "%sOSVERSION=%s", both[i].prefix, both[i].p->os_version ?: "");
	}
	strs_addf(&p->predefined, "TARGETSTAGE=%s", target);
	for (size_t i = 0; i < p->predefined.n; i++) {
		struct slice kv = slice_of(p->predefined.p[i]);
		_free_ char *name = slice_dup(slice_head(kv, slice_find(kv, '=')));
		const char *given = plan_build_arg(p, name);
		if (given)
			str_set(&p->predefined.p[i], str_printf("%s=%s", name, given));
	}
	platform_done(&host);
	strs_copy(&p->globals, &p->predefined);
}

static int global_args(struct plan *p, struct err *e)
{
	struct plan_env pe = { .plan = p };
	struct expand_env env = plan_expand_env(&pe, p->file->directives.escape);
	for (size_t i = 0; i < p->file->globals; i++) {
		const struct instr *in = &p->file->instrs.p[i];
		pe.in = in;
		for (size_t k = 0; k < in->pairs.n; k++) {
			struct pair out;
			if (arg_expand(in, k, plan_build_arg(p, in->pairs.p[k].key), &env, &p->arena, &out, e) < 0)
				return -1;
			if (out.value)
				env_set_in(&p->globals, &p->globals_at, slice_of(out.key),
					   slice_of(out.value));
		}
	}
	return 0;
}

static int find_epoch(struct plan *p, struct err *e)
{
	p->epoch = -1;
	const char *text = plan_build_arg(p, "SOURCE_DATE_EPOCH");
	if (!text)
		text = env_get(&p->globals, "SOURCE_DATE_EPOCH");
	if (!text || !*text)
		return 0;
	uint64_t v;
	if (num_parse(slice_of(text), INT64_MAX, &v) < 0) {
		err_set(e, ERR_USER, "invalid SOURCE_DATE_EPOCH: '%s' is not a number of seconds", text);
		return err_hint(e, "give whole seconds since 1970, as 'date +%%s' prints them; other forms "
				"are not supported yet");
	}
	p->epoch = (int64_t)v;
	return 0;
}

/* ---- nodes ---- */

struct node *plan_node(struct plan *p, struct stage_plan *st, enum node_kind kind)
{
	struct node *n = NEW(struct node);
	n->kind = kind;
	n->stage = st;
	n->prev = kind == NODE_BASE ? NULL : st->tip;
	st->tip = n;
	arr_push(&p->nodes, n);
	return n;
}

int node_err_at(struct err *e, const struct node *n, const char *word)
{
	return n->instr && !e->span.file ? instr_err_at(e, n->instr, word) : -1;
}

static void node_free(struct node *n)
{
	if (n->files) {
		source_tree_done(n->files);
		free(n->files);
	}
	copy_job_free(n->job);
	arr_each(b, &n->binds)
		copy_job_free(*b);
	arr_done(&n->binds);
	arr_done(&n->inputs);
	strs_done(&n->argv);
	strs_done(&n->env);
	strs_done(&n->key_env);
	strs_done(&n->paths);
	strs_done(&n->excludes);
	arr_done(&n->scripts);
	arr_each(m, &n->mounts) {
		free(m->from.stage);
		free(m->from.workdir);
	}
	arr_done(&n->mounts);
	arr_each(f, &n->from) {
		free(f->stage);
		free(f->workdir);
	}
	arr_done(&n->from);
	arr_done(&n->texts);
	free(n->title);
	free(n->cwd);
	free(n->user);
	free(n->hostname);
	free(n->dest);
	free(n->chown);
	free(n);
}

void plan_history(struct stage_plan *st, char *created_by, struct node *node)
{
	struct history_plan *h = arr_add(&st->history);
	h->entry.created_by = created_by;
	h->entry.comment = str_dup("buildkit.dockerfile.v0");
	h->entry.empty_layer = node == NULL;
	h->node = node;
}

static void copy_history(struct stage_plan *to, const struct stage_plan *from)
{
	arr_each(h, &from->history) {
		struct history_plan *n = arr_add(&to->history);
		*n = *h;
		n->entry.created_by = str_dup(h->entry.created_by);
		n->entry.author = str_dup(h->entry.author);
		n->entry.comment = str_dup(h->entry.comment);
	}
}

static void stage_free(struct stage_plan *st)
{
	arr_each(h, &st->history) {
		free(h->entry.created_by);
		free(h->entry.author);
		free(h->entry.comment);
	}
	arr_done(&st->history);
	image_config_done(&st->config);
	strs_done(&st->env);
	kvs_done(&st->args);
	config_names_done(&st->config_names);
	named_done(&st->env_at);
	named_done(&st->args_at);
	free(st->name);
	free(st);
}

/* ---- stages ---- */

/* The stage that a FROM names, or NULL: exact, and only an earlier one. */
static struct stage_plan *from_stage(struct plan *p, const struct stage_plan *st, const char *image)
{
	const struct dockerfile_stage *s = dockerfile_stage_find(p->file, image, st->stage->index, true);
	return s ? p->stages.p[s->index] : NULL;
}

static int expand_from(struct plan *p, struct stage_plan *st, struct instr *out, struct err *e)
{
	const struct instr *from = &p->file->instrs.p[st->stage->from];
	struct plan_env pe = { .plan = p, .in = from };
	struct expand_env env = plan_expand_env(&pe, from->escape);
	if (instr_expand(from, &env, &p->arena, out, e) < 0)
		return -1;
	if (!out->platform)
		return 0;
	struct platform want = { 0 };
	if (platform_parse(slice_of(out->platform), &want, e) < 0)
		return instr_err_at(e, from, NULL);
	bool same = platform_eq(&want, &p->platform);
	platform_done(&want);
	if (!same) {
		err_set(e, ERR_USER, "--platform=%s: steps for other platforms than this machine's come in a later "
			"version", out->platform);
		return instr_err_at(e, from, NULL);
	}
	return 0;
}

/* A base's or parent's triggers run before the stage's own instructions, once. */
static int run_triggers(struct plan *p, struct stage_plan *st, const struct instr *from, struct err *e)
{
	_cleanup_(strs_done) struct strs triggers = { 0 };
	strs_copy(&triggers, &st->config.onbuild);
	strs_done(&st->config.onbuild);
	for (size_t i = 0; i < triggers.n; i++) {
		struct instr *in = ARENA_NEW(&p->arena, struct instr);
		if (dockerfile_parse_trigger(slice_of(triggers.p[i]), &from->span, &p->arena, in, e) < 0 ||
		    plan_instr(p, st, in, e) < 0)
			return err_add(e, "ONBUILD %s", triggers.p[i]);
	}
	return 0;
}

static int start_stage(struct plan *p, struct stage_plan *st, const struct instr *from, struct err *e)
{
	struct stage_plan *parent = from_stage(p, st, from->image);
	if (parent) {
		if (plan_stage(p, parent, e) < 0)
			return -1;
		st->tip = parent->tip;
		image_config_copy(&st->config, &parent->config);
		strs_copy(&st->env, &parent->env);
		kvs_copy(&st->args, &parent->args);
		copy_history(st, parent);
		st->workdir_set = parent->workdir_set;
		st->parent_is_stage = true;
		return 0;
	}
	if (plan_base(p, st, from->image, e) < 0)
		return e->span.file ? -1 : instr_err_at(e, from, from->image);
	return 0;
}

int plan_stage(struct plan *p, struct stage_plan *st, struct err *e)
{
	if (st->planned)
		return 0;
	const struct instr *from = &p->file->instrs.p[st->stage->from];
	assert(!st->planning); /* a stage asks only for earlier ones */
	st->planning = true;
	const struct build_named *named = st->stage->name ? plan_named(p, st->stage->name) : NULL;
	if (named) {
		if (plan_named_base(p, st, named, e) < 0)
			return -1;
	} else {
		struct instr expanded;
		if (expand_from(p, st, &expanded, e) < 0 || start_stage(p, st, &expanded, e) < 0 ||
		    run_triggers(p, st, from, e) < 0)
			return -1;
		for (size_t i = st->stage->first; i < st->stage->end; i++)
			if (plan_instr(p, st, &p->file->instrs.p[i], e) < 0)
				return -1;
	}
	st->planning = false;
	st->planned = true;
	return 0;
}

/* Stages that are not needed are never pulled or run, but what is wrong in them still is. */
static int check_unneeded(struct plan *p, struct stage_plan *st, struct err *e)
{
	const struct instr *from = &p->file->instrs.p[st->stage->from];
	struct instr expanded;
	if (expand_from(p, st, &expanded, e) < 0)
		return -1;
	if (strcmp(expanded.image, "scratch") != 0 && !from_stage(p, st, expanded.image) &&
	    !plan_named(p, expanded.image)) {
		struct reference ref = { 0 };
		int r = reference_parse(slice_of(expanded.image), &ref, e);
		reference_done(&ref);
		if (r < 0)
			return instr_err_at(e, from, NULL);
	}
	for (size_t i = st->stage->first; i < st->stage->end; i++) {
		const struct instr *in = &p->file->instrs.p[i];
		if (in->from && plan_from_check(p, st, in->from, e) < 0)
			return instr_err_at(e, in, in->from);
	}
	return 0;
}

static struct stage_plan *find_target(struct plan *p, struct err *e)
{
	const char *want = p->opts->target;
	if (!want || !*want)
		return *arr_last(&p->stages);
	const struct dockerfile_stage *s = dockerfile_stage_find(p->file, want, SIZE_MAX, false);
	if (s)
		return p->stages.p[s->index];
	err_set(e, ERR_USER, "target stage \"%s\" could not be found", want);
	_cleanup_(buf_done) struct buf names = { 0 };
	arr_each(st, &p->file->stages)
		if (st->name)
			buf_printf(&names, "%s%s", names.len ? ", " : "", st->name);
	const char *near = dockerfile_stage_near(p->file, want);
	if (near)
		err_hint(e, "did you mean '--target %s'?", near);
	if (names.len)
		err_hint(e, "the stages of %s are: %s", p->file->file, names.p);
	else
		err_hint(e, "no stage of %s has a name: write FROM … AS %s", p->file->file, want);
	return NULL;
}

/* "[build 2/3] RUN make": places are known when the whole stage is. Images used by COPY --from and
 * the base itself are not steps that are shown. */
static void number_nodes(struct plan *p)
{
	unsigned shown = 0;
	bool many = p->file->stages.n > 1;
	arr_each(it, &p->nodes) {
		struct node *n = *it;
		if (n->kind == NODE_BASE || !n->title)
			continue;
		n->number = ++shown;
		unsigned at = 1, total = 1; /* the base is the first */
		arr_each(o, &p->nodes) {
			if ((*o)->stage != n->stage || (*o)->kind == NODE_BASE)
				continue;
			total++;
			at += (*o)->number && (*o)->number <= n->number;
		}
		_free_ char *place = n->stage->stage && n->stage->stage->name ?
					     str_dup(n->stage->stage->name) :
					     str_printf("stage-%u", n->stage->stage ? n->stage->stage->index : 0);
		char *title = many ? str_printf("[%s %u/%u] %s", place, at, total, n->title) :
				     str_printf("[%u/%u] %s", at, total, n->title);
		str_set(&n->title, title);
	}
	const struct build_events *ev = p->opts->events;
	if (ev && ev->planned)
		ev->planned(ev->ctx, shown);
}

static void mark_nodes(struct plan *p)
{
	for (struct node *n = p->target->tip; n; n = n->prev)
		n->exported = true;
	arr_each(it, &p->nodes) {
		const char *stage = (*it)->stage->stage ? (*it)->stage->stage->name : NULL;
		(*it)->fresh = p->opts->no_cache || (stage && strs_find(&p->opts->no_cache_filter, stage) >= 0);
	}
}

static void warn_unused_args(struct plan *p)
{
	static const char *const silent[] = { "BUILDKIT_", "http_proxy", "https_proxy", "ftp_proxy",
					      "no_proxy", "all_proxy", "SOURCE_DATE_EPOCH" };
	const struct build_events *ev = p->opts->events;
	for (size_t i = 0; ev && ev->warned && i < p->opts->args.n; i++) {
		const char *name = p->opts->args.p[i].k;
		bool known = p->args_used[i];
		for (size_t k = 0; k < COUNT_OF(silent); k++)
			known |= strncasecmp(name, silent[k], strlen(silent[k])) == 0;
		if (known)
			continue;
		_free_ char *text = str_printf("--build-arg %s: no ARG of the stages that were built declares it", name);
		ev->warned(ev->ctx, &(struct build_warning){ .text = text });
	}
}

int plan_make(struct store *s, const struct build_opts *o, struct dockerfile *file, struct plan *out, struct err *e)
{
	struct plan *p = out;
	*p = (struct plan){ .store = s, .opts = o, .file = file, .layers.store = s };
	p->args_used = mem_array(o->args.n + 1, sizeof *p->args_used);
	p->id = fs_temp_name("");
	if (o->platform) {
		struct platform host;
		platform_host(&host);
		int r = platform_parse(slice_of(o->platform), &p->platform, e);
		bool same = r == 0 && platform_eq(&host, &p->platform);
		_free_ char *here = platform_text(&host);
		platform_done(&host);
		if (r < 0)
			return -1;
		if (!same) {
			err_set(e, ERR_USER, "--platform %s: this machine is %s", o->platform, here);
			return err_hint(e, "building for other platforms comes in a later version");
		}
	} else {
		platform_host(&p->platform);
	}
	arr_each(st, &file->stages) {
		struct stage_plan *sp = NEW(struct stage_plan);
		sp->stage = st;
		sp->name = st->name ? str_dup(st->name) : str_printf("%u", st->index);
		arr_push(&p->stages, sp);
	}
	p->target = find_target(p, e);
	if (!p->target)
		return -1;
	predefine(p, o->target ? o->target : p->target->stage->name ? p->target->stage->name : "default");
	if (global_args(p, e) < 0 || find_epoch(p, e) < 0)
		return -1;
	p->now = p->epoch >= 0 ? p->epoch : clock_now().tv_sec;
	if (plan_stage(p, p->target, e) < 0)
		return -1;
	arr_each(st, &p->stages)
		if (!(*st)->planned && check_unneeded(p, *st, e) < 0)
			return -1;
	mark_nodes(p);
	number_nodes(p);
	warn_unused_args(p);
	return 0;
}

void plan_done(struct plan *p)
{
	arr_each(n, &p->nodes)
		node_free(*n);
	arr_done(&p->nodes);
	layer_set_done(&p->layers);
	arr_each(st, &p->stages)
		stage_free(*st);
	arr_done(&p->stages);
	arr_each(st, &p->images)
		stage_free(*st);
	arr_done(&p->images);
	arr_each(b, &p->bases) {
		free((*b)->name);
		strs_done(&(*b)->snaps);
		image_config_done(&(*b)->config);
		free(*b);
	}
	arr_done(&p->bases);
	map_each(d, &p->dirs) {
		source_tree_done(d->value);
		free(d->value);
	}
	map_done(&p->dirs);
	map_done(&p->obtained);
	if (p->context) {
		source_tree_done(p->context);
		free(p->context);
	}
	if (p->rootfs) {
		rootfs_done(p->rootfs);
		free(p->rootfs);
	}
	platform_done(&p->platform);
	strs_done(&p->globals);
	named_done(&p->globals_at);
	strs_done(&p->predefined);
	free(p->args_used);
	free(p->id);
	arena_done(&p->arena);
}
