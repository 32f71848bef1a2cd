/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of steps: what a step's result depends on (dockerfile.md §7). Files count by content, never
 * by time; secrets, proxies and the ids of caches do not count. */
#include "build/copy_job.h"

#include "base/err.h"
#include "base/path.h"

static void add_text(struct sha256 *sum, const char *s)
{
	sha256_field(sum, s ? s : "", s ? strlen(s) : 0);
}

static void add_strs(struct sha256 *sum, const struct strs *l)
{
	_free_ char *n = str_printf("%zu", l->n);
	add_text(sum, n);
	for (size_t i = 0; i < l->n; i++)
		add_text(sum, l->p[i]);
}

static int mount_keys(struct plan *p, struct node *n, struct sha256 *sum, struct err *e)
{
	arr_each(m, &n->mounts) {
		const struct mount_opt *o = m->opt;
		_free_ char *def = str_printf("%d %d %o %u %u %llu", o->type, o->readonly, o->mode, o->uid,
					      o->gid, (unsigned long long)o->size);
		add_text(sum, def);
		add_text(sum, o->target);
		if (o->type != MOUNT_BIND)
			continue;
		struct copy_job *j = NULL;
		int r = copy_job_bind(p, n, &m->from, o->source ? o->source : "/", p->now, &j, e);
		arr_push(&n->binds, j);
		if (r < 0)
			return node_err_at(e, n, NULL);
		copy_key(&j->spec, &j->sel, sum);
		const struct entry *top = copy_job_top(j);
		if (!top)
			continue;
		_free_ char *meta = str_printf("%o %u %u", top->mode, top->uid, top->gid);
		add_text(sum, meta);
	}
	return 0;
}

static int run_key(struct plan *p, struct node *n, struct sha256 *sum, struct err *e)
{
	add_strs(sum, &n->argv);
	add_strs(sum, &n->key_env);
	add_text(sum, n->cwd);
	add_text(sum, n->user);
	add_text(sum, n->hostname);
	add_text(sum, n->net_none ? "none" : "");
	add_text(sum, n->insecure ? "insecure" : "");
	if (p->opts->shm_size) { /* as BuildKit, where it is a mount */
		_free_ char *shm = str_printf("shm %llu", (unsigned long long)p->opts->shm_size);
		add_text(sum, shm);
	}
	_free_ char *platform = platform_text(&p->platform);
	add_text(sum, platform);
	for (size_t i = 0; i < p->opts->add_hosts.n; i++)
		add_text(sum, p->opts->add_hosts.p[i].k);
	arr_each(t, &n->scripts) {
		add_text(sum, t->name);
		sha256_field(sum, t->text.p, t->text.n);
	}
	return mount_keys(p, n, sum, e);
}

/* What a COPY --from of layers selects depends on their snapshots, which never change, and on its own
 * words: by these it is remembered, so that an unchanged build reads no index. false: it depends on
 * more (a directory, names in the image's passwd). */
static bool has_words(const struct node *n, struct digest *words)
{
	if (n->add || n->chown || !n->paths.n)
		return false;
	struct sha256 sum;
	sha256_begin(&sum);
	for (size_t i = 0; i < n->paths.n; i++) {
		const struct node *from = n->from.p[i].node;
		if (n->texts.p[i].p || !from)
			return false;
		_cleanup_(strs_done) struct strs snaps = { 0 };
		chain_snaps(from, &snaps);
		add_strs(&sum, &snaps);
	}
	add_strs(&sum, &n->paths);
	add_strs(&sum, &n->excludes);
	add_text(&sum, n->dest);
	add_text(&sum, n->cwd);
	add_text(&sum, n->chmod_text);
	add_text(&sum, n->parents ? "parents" : "");
	sha256_end(&sum, words->b);
	return true;
}

/* Of a stage on rootfs:/ only a file by its own name: it hides what the host may have there, while a
 * directory is merged with the host's, a link may be the host's, and a wildcard may match there what
 * it did not match before. */
static bool is_of_layers(const struct node *n)
{
	for (size_t i = 0; i < n->paths.n; i++)
		if (chain_base(n->from.p[i].node)->rootfs && path_has_magic(slice_of(n->paths.p[i])))
			return false;
	arr_each(it, &n->job->sel.items) {
		if (!chain_base(n->from.p[it->arg].node)->rootfs)
			continue;
		_free_ char *named = path_key(slice_of(n->paths.p[it->arg]));
		if (it->entry.type != ENTRY_FILE || it->want.hit.layer < 0 ||
		    strcmp(it->entry.path, named) != 0)
			return false;
	}
	return true;
}

static int selection_key(struct plan *p, struct node *n, struct digest *out, struct err *e)
{
	struct digest words;
	bool known = has_words(n, &words);
	if (known && cache_get_digest(p->store, "selected", &words, out))
		return 0;
	if (copy_job_ready(p, n, e) < 0)
		return -1;
	struct sha256 sum;
	sha256_begin(&sum);
	copy_key(&n->job->spec, &n->job->sel, &sum);
	sha256_end(&sum, out->b);
	if (!known || !is_of_layers(n))
		return 0;
	return cache_put_digest(p->store, "selected", &words, out, e);
}

static int copy_node_key(struct plan *p, struct node *n, struct sha256 *sum, struct err *e)
{
	struct digest selected;
	if (selection_key(p, n, &selected, e) < 0)
		return -1;
	add_text(sum, n->link ? "link" : "");
	sha256_add(sum, selected.b, sizeof selected.b);
	return 0;
}

int node_key(struct plan *p, struct node *n, struct err *e)
{
	static const char *const kinds[] = { "base", "run 2", "copy 3", "workdir 1" };
	if (n->kind == NODE_BASE) {
		n->key = n->base->key;
		return 0;
	}
	struct sha256 sum;
	sha256_begin(&sum);
	add_text(&sum, kinds[n->kind]);
	/* Without --link the place of every file depends on what is below. */
	if (!(n->kind == NODE_COPY && n->link))
		sha256_add(&sum, n->prev->key.b, sizeof n->prev->key.b);
	if (p->epoch >= 0) {
		_free_ char *epoch = str_printf("epoch %lld%s", (long long)p->epoch,
						p->opts->rewrite_timestamp ? " rewrite" : "");
		add_text(&sum, epoch);
	}
	int r = 0;
	if (n->kind == NODE_RUN) {
		r = run_key(p, n, &sum, e);
	} else if (n->kind == NODE_COPY) {
		r = copy_node_key(p, n, &sum, e);
	} else {
		add_text(&sum, n->cwd);
		add_text(&sum, n->user);
	}
	sha256_end(&sum, n->key.b);
	return r;
}
