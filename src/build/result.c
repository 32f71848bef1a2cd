/* SPDX-License-Identifier: Apache-2.0 */
#include "build/result.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "build/exec.h"
#include "sandbox/userns.h"

void build_result_done(struct build_result *r)
{
	image_config_done(&r->config);
	arr_each(s, &r->snaps)
		free(*s);
	arr_done(&r->snaps);
}

/* Layers carry the time of the step that made them; an entry without a layer takes that of the first
 * new layer after the base, or what came before it (dockerfile.md §8). */
static void history_times(const struct stage_plan *st, struct image_config *cfg)
{
	struct timespec first_new = { 0 }, last = { 0 };
	bool has_first = false, has_last = false;
	arr_each(h, &st->history) {
		if (!h->from_base && h->node && !has_first) {
			first_new = h->node->created;
			has_first = true;
		}
	}
	arr_each(h, &st->history) {
		struct history *out = arr_add(&cfg->history);
		*out = (struct history){ .created = h->entry.created, .has_created = h->entry.has_created,
					 .empty_layer = h->entry.empty_layer,
					 .created_by = str_dup(h->entry.created_by),
					 .author = str_dup(h->entry.author), .comment = str_dup(h->entry.comment) };
		if (!h->from_base && h->node) {
			out->created = h->node->created;
			out->has_created = true;
		} else if (!h->from_base) {
			out->created = has_last ? last : first_new;
			out->has_created = has_last || has_first;
			if (has_first && (!has_last || !out->has_created)) {
				out->created = first_new;
				out->has_created = true;
			}
		}
		if (out->has_created) {
			last = out->created;
			has_last = true;
		}
	}
	if (has_last) {
		cfg->created = last;
		cfg->has_created = true;
	}
}

/* An image made of settings alone has no layer to take its time from: the first build's is kept, so
 * that the same Dockerfile gives the same image. */
static int settle_created(struct plan *p, struct image_config *cfg, struct err *e)
{
	if (p->epoch >= 0) {
		cfg->created = (struct timespec){ .tv_sec = p->epoch };
		cfg->has_created = true;
		return 0;
	}
	if (cfg->has_created)
		return 0;
	_cleanup_(buf_done) struct buf text = { 0 }, known = { .max = CLOCK_LEN };
	image_config_write(cfg, &text);
	struct digest key;
	digest_of(buf_view(&text), &key);
	int r = cache_get(p->store, "created", &key, &known, e);
	if (r < 0)
		return -1;
	cfg->has_created = true;
	if (r > 0 && clock_parse(buf_view(&known), &cfg->created) == 0)
		return 0;
	cfg->created = clock_now();
	char when[CLOCK_LEN];
	return cache_put(p->store, "created", &key, slice_of(clock_rfc3339(cfg->created, when)), e);
}

/* Steps of the target commit with their diff ids; those of a base, and those that an earlier build
 * made for another purpose, may lack them. */
static int complete_layers(struct plan *p, const struct strs *snaps, struct err *e)
{
	for (size_t i = 0; i < snaps->n; i++) {
		_cleanup_(snap_close) struct snap sn = SNAP_INIT;
		if (snap_exists(p->store, snaps->p[i]) ? snap_info(p->store, snaps->p[i], &sn, e) < 0
						       : snap_open(p->store, snaps->p[i], &sn, e) < 0)
			return -1;
		if (!digest_is_zero(&sn.diff_id))
			continue;
		struct digest diff_id;
		uint64_t size;
		if (userns_enter(e) < 0 || snap_complete(p->store, snaps->p[i], &diff_id, &size, e) < 0)
			return -1;
	}
	return 0;
}

int result_make(struct plan *p, struct build_result *out, struct err *e)
{
	struct stage_plan *st = p->target;
	_cleanup_(strs_done) struct strs snaps = { 0 };
	chain_snaps(st->tip, &snaps);
	struct base *base = chain_base(st->tip);
	out->on_rootfs = base->rootfs != NULL;
	if (complete_layers(p, &snaps, e) < 0)
		return -1;
	/* What stands beneath an image on rootfs:/ is no layer of it, the small layer of /etc neither. */
	for (size_t i = base->hidden; i < snaps.n; i++)
		arr_push(&out->snaps, str_dup(snaps.p[i]));

	image_config_copy(&out->config, &st->config);
	for (size_t i = 0; i < p->opts->labels.n; i++)
		kvs_set(&out->config.labels, slice_of(p->opts->labels.p[i].k), slice_of(p->opts->labels.p[i].v));
	arr_each(h, &out->config.history) {
		free(h->created_by);
		free(h->author);
		free(h->comment);
	}
	arr_clear(&out->config.history);
	out->config.has_created = false;
	history_times(st, &out->config);
	if (settle_created(p, &out->config, e) < 0)
		return -1;
	_json_ json_t *annotations = p->opts->annotations.n ? json_object() : NULL;
	for (size_t i = 0; i < p->opts->annotations.n; i++)
		json_object_set_new(annotations, p->opts->annotations.p[i].k, json_string(p->opts->annotations.p[i].v));
	struct image_new n = { .cfg = &out->config, .snaps = out->snaps.p, .snaps_n = out->snaps.n,
			       .on_rootfs = out->on_rootfs, .docker = p->opts->docker_format,
			       .annotations = annotations };
	if (image_put(p->store, &n, &out->manifest, &out->id, e) < 0)
		return err_add(e, "write the image");
	arr_each(it, &p->nodes) {
		if ((*it)->kind == NODE_BASE)
			continue;
		out->steps++;
		out->cached += (*it)->was_cached;
	}
	return 0;
}
