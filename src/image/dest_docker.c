/* SPDX-License-Identifier: Apache-2.0 */
/* docker-archive: what `docker load` takes, one image with plain layers. */
#include <stdio.h>

#include "base/err.h"
#include "base/js.h"
#include "base/map.h"
#include "base/stream.h"
#include "image/archive.h"
#include "image/outfile.h"
#include "image/dest.h"

struct to_docker {
	struct dest base;
	struct outfile file;
	struct sink *sink;
	struct archive *a;
	struct map written; /* hex digits of digests */
	struct reference ref; /* path NULL: the image has no name */
	struct manifest m;
};

static void close_it(struct dest *base)
{
	struct to_docker *t = (struct to_docker *)base;
	archive_close(t->a);
	sink_close(t->sink);
	outfile_done(&t->file);
	map_done(&t->written);
	reference_done(&t->ref);
	manifest_done(&t->m);
	free(t);
}

static int has(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_docker *t = (struct to_docker *)base;
	char hex[SHA256_HEX];
	(void)e;
	return map_has(&t->written, slice_of(digest_hex(&p->desc->digest, hex))) ? DEST_HAS
										: DEST_LACKS;
}

static int blob(struct dest *base, const struct parcel *p, struct err *e)
{
	struct to_docker *t = (struct to_docker *)base;
	char hex[SHA256_HEX], name[SHA256_HEX + 16];
	map_put(&t->written, slice_of(digest_hex(&p->desc->digest, hex)), t);
	(void)snprintf(name, sizeof name, p->diff_id ? "%s/layer.tar" : "%s.json", hex);
	if (p->diff_id && archive_dir(t->a, hex, e) < 0)
		return -1;
	return archive_stream(t->a, name, p->desc->size, parcel_pour, (void *)p, e);
}

static int manifest(struct dest *base, const struct descriptor *d, struct slice text, bool top,
		    struct err *e)
{
	struct to_docker *t = (struct to_docker *)base;
	(void)top;
	return manifest_parse(text, d->media_type, &t->m, e);
}

static int put_list(struct to_docker *t, struct err *e)
{
	char hex[SHA256_HEX];
	_json_ json_t *list = json_array();
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *config = str_printf("%s.json", digest_hex(&t->m.config.digest, hex));
	json_t *tags = json_array(), *layers = json_array();
	if (t->ref.path) {
		_free_ char *name = reference_familiar(&t->ref);
		json_array_append_new(tags, json_string(name));
	}
	arr_each(it, &t->m.layers) {
		_free_ char *name = str_printf("%s/layer.tar", digest_hex(&it->digest, hex));
		json_array_append_new(layers, json_string(name));
	}
	json_array_append_new(list, json_pack("{s:s,s:o,s:o}", "Config", config, "RepoTags", tags,
					      "Layers", layers));
	js_dump(list, &b);
	return archive_bytes(t->a, "manifest.json", buf_view(&b), e);
}

/* For Docker before 1.10. */
static int put_repositories(struct to_docker *t, struct err *e)
{
	char hex[SHA256_HEX];
	_json_ json_t *repos = json_object();
	_cleanup_(buf_done) struct buf b = { 0 };
	if (t->ref.path && t->m.layers.n) {
		_free_ char *name = reference_familiar_name(&t->ref);
		digest_hex(&arr_last(&t->m.layers)->digest, hex);
		json_object_set_new(repos, name, json_pack("{s:s}", t->ref.tag, hex));
	}
	js_dump(repos, &b);
	return archive_bytes(t->a, "repositories", buf_view(&b), e);
}

static int finish(struct dest *base, const struct descriptor *top, struct err *e)
{
	struct to_docker *t = (struct to_docker *)base;
	(void)top;
	if (put_list(t, e) < 0 || put_repositories(t, e) < 0 || archive_end(t->a, e) < 0 ||
	    sink_finish(t->sink, e) < 0)
		return -1;
	return outfile_finish(&t->file, e);
}
static const struct dest_ops ops = { has, blob, manifest, finish, close_it, NULL };

static int begin(struct to_docker *t, const struct locator *l, struct err *e)
{
	if (l->tag && reference_parse(slice_of(l->tag), &t->ref, e) < 0)
		return -1;
	if (t->ref.has_digest) {
		err_set(e, ERR_USER, "an archive of docker's names images by tags, not by digests");
		return err_hint(e, "leave out what follows '@'");
	}
	if (outfile_open(&t->file, l->path, e) < 0)
		return -1;
	t->sink = sink_fd(t->file.fd);
	t->a = archive_to_tar(t->sink);
	return 0;
}

struct dest *dest_of_docker(const struct locator *l, struct err *e)
{
	struct to_docker *t = NEW(struct to_docker);
	t->base = (struct dest){
		.ops = &ops, .serial = true, .images_only = true, .plain = true
	};
	t->file = (struct outfile)OUTFILE_INIT;
	if (begin(t, l, e) == 0)
		return &t->base;
	close_it(&t->base);
	return NULL;
}
