/* SPDX-License-Identifier: Apache-2.0 */
/* What stages stand on, and what --from= can name. */
#include <ctype.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/path.h"
#include "build/layout.h"
#include "build/plan.h"

/* Names of images compare without "docker.io/library/" and ":latest". */
static struct slice plain_name(struct slice s)
{
	static const char *const prefixes[] = { "docker.io/library/", "docker.io/", "library/" };
	for (size_t i = 0; i < COUNT_OF(prefixes); i++)
		if (slice_starts(s, slice_of(prefixes[i])))
			s = slice_from(s, strlen(prefixes[i]));
	if (slice_ends(s, SL(":latest")))
		s.n -= strlen(":latest");
	return s;
}

const struct build_named *plan_named(const struct plan *p, const char *name)
{
	if (strcmp(name, "scratch") == 0 || strcmp(name, "context") == 0)
		return NULL;
	arr_each(n, &p->opts->named)
		if (slice_eq(plain_name(slice_of(n->name)), plain_name(slice_of(name))))
			return n;
	return NULL;
}

int plan_context(struct plan *p, struct source_tree **out, struct err *e)
{
	if (!p->context) {
		p->context = NEW(struct source_tree);
		*p->context = (struct source_tree)SOURCE_TREE_INIT;
		if (!p->opts->context) {
			/* A Dockerfile from standard input alone: the context is empty. */
			p->context->view = &p->context->own_view;
			p->context->path = str_dup("(none: the Dockerfile came alone on standard input)");
		} else if (source_tree_dir(p->store, p->opts->context, p->opts->ignore,
					   p->opts->ignore_name ? p->opts->ignore_name : ".dockerignore",
					   p->context, e) < 0) {
			return -1;
		}
	}
	*out = p->context;
	return 0;
}

/* A named directory, with its own ignore file. */
static int named_dir(struct plan *p, const struct build_named *named, struct source_tree **out, struct err *e)
{
	*out = map_get(&p->dirs, slice_of(named->name));
	if (*out)
		return 0;
	_cleanup_(buf_done) struct buf rules = { 0 };
	_close_ int fd = fs_open_dir(AT_FDCWD, named->value, e);
	if (fd < 0) {
		err_add(e, "build context '%s'", named->name);
		return err_hint(e, "the value of --build-context is a directory, rootfs:/, oci-layout://DIR or "
				"docker-image://NAME");
	}
	if (fs_read_optional(fd, ".dockerignore", IGNORE_MAX, &rules, e) < 0)
		return err_add(e, "build context '%s'", named->name);
	struct source_tree *t = NEW(struct source_tree);
	map_put(&p->dirs, slice_of(named->name), t);
	_free_ char *name = str_printf("%s/.dockerignore", named->value);
	if (source_tree_dir(p->store, named->value, rules.p ? buf_view(&rules) : (struct slice){ 0 }, name, t, e) < 0)
		return -1;
	*out = t;
	return 0;
}

/* ---- bases ---- */

static struct base *new_base(struct plan *p, enum base_kind kind, const char *name)
{
	struct base *b = NEW(struct base);
	b->kind = kind;
	b->name = str_dup(name);
	arr_push(&p->bases, b);
	return b;
}

static void base_key(struct base *b, const struct rootfs *r)
{
	struct sha256 sum;
	sha256_begin(&sum);
	sha256_field(&sum, "base 1", 6);
	if (r)
		sha256_add(&sum, r->key.b, sizeof r->key.b);
	arr_each(d, &b->config.diff_ids)
		sha256_add(&sum, d->b, sizeof d->b);
	sha256_end(&sum, b->key.b);
}

static int need_rootfs(struct plan *p, struct base *b, struct err *e)
{
	if (!p->rootfs) {
		p->rootfs = NEW(struct rootfs);
		if (rootfs_open(p->store, p->rootfs, e) < 0)
			return -1;
	}
	b->rootfs = p->rootfs;
	b->hidden = 1;
	strs_add(&b->snaps, p->rootfs->snap);
	return 0;
}

static void default_path(struct image_config *cfg)
{
	if (!env_get(&cfg->env, "PATH"))
		env_set(&cfg->env, SL("PATH"), SL(DEFAULT_PATH));
}

static void start_on(struct plan *p, struct stage_plan *st, struct base *b)
{
	struct node *n = plan_node(p, st, NODE_BASE);
	n->base = b;
	image_config_copy(&st->config, &b->config);
	default_path(&st->config);
	if (!st->config.working_dir || !*st->config.working_dir)
		str_set(&st->config.working_dir, str_dup("/"));
	strs_copy(&st->env, &st->config.env);
	for (size_t i = 0; i < st->config.history.n; i++) {
		const struct history *h = &st->config.history.p[i];
		struct history_plan *to = arr_add(&st->history);
		to->entry = *h;
		to->entry.created_by = str_dup(h->created_by);
		to->entry.author = str_dup(h->author);
		to->entry.comment = str_dup(h->comment);
		to->from_base = true;
	}
}

static void scratch_config(struct plan *p, struct image_config *cfg)
{
	platform_copy(&cfg->platform, &p->platform);
	str_set(&cfg->working_dir, str_dup("/"));
	default_path(cfg);
}

static void start_on_scratch(struct plan *p, struct stage_plan *st)
{
	struct base *b = new_base(p, BASE_SCRATCH, "scratch");
	scratch_config(p, &b->config);
	base_key(b, NULL);
	start_on(p, st, b);
}

/* An image that may have to be pulled. */
static int obtain(struct plan *p, const char *name, struct err *e)
{
	if (!p->opts->obtain || map_has(&p->obtained, slice_of(name)))
		return 0;
	map_put(&p->obtained, slice_of(name), p);
	return p->opts->obtain(p->opts->obtain_ctx, name, e);
}

static int start_on_image(struct plan *p, struct stage_plan *st, const char *ref, struct err *e)
{
	struct image im = { 0 };
	if (image_open(p->store, ref, &im, e) < 0)
		return -1;
	struct base *b = new_base(p, BASE_IMAGE, ref);
	if (im.on_rootfs && need_rootfs(p, b, e) < 0) {
		image_done(&im);
		return -1;
	}
	arr_each(s, &im.snaps)
		strs_add(&b->snaps, *s);
	image_config_copy(&b->config, &im.config);
	image_done(&im);
	base_key(b, b->rootfs);
	start_on(p, st, b);
	return 0;
}

static int start_on_rootfs(struct plan *p, struct stage_plan *st, const struct build_named *named, struct err *e)
{
	if (strcmp(named->value, "rootfs:/") != 0 && strcmp(named->value, "rootfs:") != 0) {
		err_set(e, ERR_USER, "--build-context %s=%s: only rootfs:/ is known", named->name, named->value);
		return err_hint(e, "for another directory give its path alone: --build-context %s=%s", named->name,
				named->value + strlen("rootfs:"));
	}
	struct base *b = new_base(p, BASE_ROOTFS, named->name);
	if (need_rootfs(p, b, e) < 0)
		return -1;
	scratch_config(p, &b->config);
	base_key(b, b->rootfs);
	start_on(p, st, b);
	return 0;
}

/* FROM a directory: its files as one layer on nothing. */
static int start_on_dir(struct plan *p, struct stage_plan *st, const struct build_named *named, struct err *e)
{
	struct source_tree *t;
	if (named_dir(p, named, &t, e) < 0)
		return -1;
	start_on_scratch(p, st);
	struct node *n = plan_node(p, st, NODE_COPY);
	n->title = str_printf("FROM %s", named->value);
	strs_add(&n->paths, "/");
	arr_push(&n->texts, (struct slice){ 0 });
	arr_push(&n->from, (struct plan_source){ .dir = t });
	n->dest = str_dup("/");
	n->cwd = str_dup("/");
	plan_history(st, str_printf("FROM %s", named->name), n);
	str_set(&arr_last(&st->history)->entry.comment, str_dup("buildkit.exporter.image.v0"));
	return 0;
}

int plan_named_base(struct plan *p, struct stage_plan *st, const struct build_named *named, struct err *e)
{
	const char *v = named->value;
	if (strncmp(v, "rootfs:", 7) == 0)
		return start_on_rootfs(p, st, named, e);
	if (strncmp(v, "docker-image://", 15) == 0)
		return obtain(p, v + 15, e) < 0 ? -1 : start_on_image(p, st, v + 15, e);
	if (strncmp(v, "oci-layout://", 13) == 0) {
		_free_ char *ref = NULL;
		if (layout_open(p->store, v + 13, &ref, e) < 0)
			return err_add(e, "build context '%s'", named->name);
		return start_on_image(p, st, ref, e);
	}
	if (strstr(v, "://") || strncmp(v, "git@", 4) == 0) {
		err_set(e, ERR_USER, "--build-context %s=%s: contexts from the network come in a later version",
			named->name, v);
		return err_hint(e, "fetch it first and give its directory");
	}
	return start_on_dir(p, st, named, e);
}

/* The name is in no store, or the registry cannot or will not give it. */
static bool is_not_had(const struct err *e)
{
	return e->kind == ERR_ABSENT || e->kind == ERR_NET || e->kind == ERR_DENIED;
}

int plan_base(struct plan *p, struct stage_plan *st, const char *ref, struct err *e)
{
	if (strcmp(ref, "scratch") == 0) {
		start_on_scratch(p, st);
		return 0;
	}
	const struct build_named *named = plan_named(p, ref);
	if (named)
		return plan_named_base(p, st, named, e);
	if (obtain(p, ref, e) == 0 && start_on_image(p, st, ref, e) == 0)
		return 0;
	if (is_not_had(e)) {
		const char *near = dockerfile_stage_near(p->file, ref);
		if (near)
			err_hint(e, "there is a stage '%s': FROM takes stage names exactly, and only earlier ones", near);
		err_hint(e, "without a registry: 'thimble load' or 'thimble import' make it, or let this machine's "
			    "files stand in for it: --build-context %s=rootfs:/", ref);
	}
	return -1;
}

/* ---- --from ---- */

static bool is_number(const char *s)
{
	for (; *s; s++)
		if (!isdigit((unsigned char)*s))
			return false;
	return true;
}

/* A stage may copy only from an earlier one. */
static int may_ask(struct plan *p, const struct stage_plan *asking, const struct stage_plan *st,
		   const char *name, struct err *e)
{
	if (st == asking)
		return err_set(e, ERR_USER, "circular dependency detected on stage: %s", name);
	if (!asking->stage || st->stage->index < asking->stage->index)
		return 0;
	const struct instr *from = &p->file->instrs.p[st->stage->from];
	err_set(e, ERR_USER, "cannot copy from stage \"%s\", it needs to be defined before current stage \"%s\"",
		name, asking->name);
	return err_hint(e, "it begins on line %u of %s: move it up", from->span.first, p->file->file);
}

/* The stage that --from= names, or NULL for what is none of the file's. */
static int named_stage(struct plan *p, const struct stage_plan *asking, const char *name,
		       struct stage_plan **out, struct err *e)
{
	*out = NULL;
	if (strchr(name, '$')) {
		err_set(e, ERR_USER, "variables are not expanded in --from=%s", name);
		return err_hint(e, "define an alias stage, FROM %s AS source, and write --from=source", name);
	}
	if (*name && is_number(name)) {
		size_t i = strlen(name) < 9 ? strtoul(name, NULL, 10) : SIZE_MAX;
		if (i >= p->stages.n)
			return err_set(e, ERR_USER, "invalid stage index %s: there are %zu stages, counted from 0",
				       name, p->stages.n);
		*out = p->stages.p[i];
	} else {
		const struct dockerfile_stage *st = dockerfile_stage_find(p->file, name, SIZE_MAX, false);
		if (st)
			*out = p->stages.p[st->index];
	}
	return *out ? may_ask(p, asking, *out, name, e) : 0;
}

int plan_from_check(struct plan *p, const struct stage_plan *asking, const char *name, struct err *e)
{
	struct stage_plan *st;
	return named_stage(p, asking, name, &st, e);
}

static int from_stage(struct plan *p, struct stage_plan *st, const char *name, struct plan_source *out, struct err *e)
{
	if (plan_stage(p, st, e) < 0)
		return -1;
	out->node = st->tip;
	out->stage = str_dup(name);
	out->workdir = str_dup(st->config.working_dir);
	return 0;
}

/* An image (or image-like context) used by name: a stage without instructions. */
static int from_image(struct plan *p, const char *name, const struct build_named *named, struct plan_source *out,
		      struct err *e)
{
	struct stage_plan *st = NULL;
	arr_each(it, &p->images)
		if (strcmp((*it)->name, name) == 0)
			st = *it;
	if (!st) {
		st = NEW(struct stage_plan);
		st->name = str_dup(name);
		arr_push(&p->images, st);
		int r;
		if (strcmp(name, "scratch") == 0) {
			start_on_scratch(p, st);
			r = 0;
		} else {
			r = named		       ? plan_named_base(p, st, named, e)
			    : obtain(p, name, e) < 0 ? -1
						     : start_on_image(p, st, name, e);
		}
		if (r < 0)
			return -1;
	}
	out->node = st->tip;
	out->stage = str_dup(name);
	out->workdir = str_dup(st->config.working_dir);
	return 0;
}

int plan_from(struct plan *p, struct stage_plan *asking, const char *name, struct plan_source *out, struct err *e)
{
	struct stage_plan *st;
	if (named_stage(p, asking, name, &st, e) < 0)
		return -1;
	if (st)
		return from_stage(p, st, name, out, e);
	const struct build_named *named = plan_named(p, name);
	if (named && !strstr(named->value, ":/") && strncmp(named->value, "rootfs:", 7) != 0) {
		out->stage = NULL;
		return named_dir(p, named, &out->dir, e);
	}
	if (from_image(p, name, named, out, e) == 0)
		return 0;
	if (is_not_had(e)) {
		const char *near = dockerfile_stage_near(p->file, name);
		err_add(e, "'%s' is neither a stage of %s nor an image of the store", name, p->file->file);
		if (near)
			err_hint(e, "did you mean the stage '%s'?", near);
	}
	return -1;
}
