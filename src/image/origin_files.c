/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts and their archives, and skopeo's directories: sets of files that are named by digest.
 * docker-archive is in origin_docker.c. */
#include "base/err.h"
#include "base/js.h"
#include "image/bundle.h"
#include "image/ocidir.h"
#include "image/origin.h"
#include "image/pick.h"

#define NAME_MAX_ (SHA256_HEX + 32)

struct from_files {
	struct origin base;
	struct bundle *b;
	bool dir; /* dir:, else a layout */
	struct descriptor chosen; /* of a layout */
};

static void close_it(struct origin *base)
{
	struct from_files *o = (struct from_files *)base;
	bundle_close(o->b);
	descriptor_done(&o->chosen);
	free(o);
}

static struct source *open_file(struct bundle *b, const char *name, struct err *e)
{
	int fd = bundle_open(b, name, NULL, e);
	return fd < 0 ? NULL : source_fd_take(fd);
}

static int read_manifest(struct origin *base, const struct descriptor *d, struct buf *text,
			 struct err *e)
{
	struct from_files *o = (struct from_files *)base;
	char hex[SHA256_HEX], name[NAME_MAX_];
	(void)snprintf(name, sizeof name, o->dir ? "%s.manifest.json" : "blobs/sha256/%s",
		       digest_hex(&d->digest, hex));
	return bundle_read(o->b, name, MANIFEST_MAX, text, e);
}

static struct source *open_blob(struct origin *base, const struct descriptor *d, struct err *e)
{
	struct from_files *o = (struct from_files *)base;
	char hex[SHA256_HEX], name[NAME_MAX_];
	(void)snprintf(name, sizeof name, o->dir ? "%s" : "blobs/sha256/%s",
		       digest_hex(&d->digest, hex));
	return open_file(o->b, name, e);
}

/* ---- dir: ---- */

static int dir_top(struct origin *base, struct buf *text, struct descriptor *d, struct err *e)
{
	struct from_files *o = (struct from_files *)base;
	if (bundle_read(o->b, "manifest.json", MANIFEST_MAX, text, e) < 0)
		return -1;
	digest_of(buf_view(text), &d->digest);
	d->size = text->len;
	return 0;
}
static const struct origin_ops dir_ops = { dir_top, read_manifest, open_blob, close_it, NULL };

struct origin *origin_of_dir(struct store *s, const struct locator *l, struct err *e)
{
	struct from_files *o = NEW(struct from_files);
	o->base.ops = &dir_ops;
	o->dir = true;
	_free_ char *what = str_printf("'%s'", l->path);
	o->b = bundle_from_dir(s, l->path, what, e);
	if (!o->b) {
		close_it(&o->base);
		return NULL;
	}
	return &o->base;
}

/* ---- layouts ---- */

static const char *name_of(const struct descriptor *d, const char *key)
{
	return json_string_value(json_object_get(d->annotations, key));
}

/* tag: what ref.name says, or containerd's full name in any spelling. */
static bool is_named(const struct descriptor *d, const char *tag)
{
	const char *ref = name_of(d, OCIDIR_NAME_OCI), *full = name_of(d, OCIDIR_NAME_CONTAINERD);
	_cleanup_(reference_done) struct reference a = { 0 }, b = { 0 };
	if (ref && strcmp(ref, tag) == 0)
		return true;
	return full && reference_parse(slice_of(full), &a, NULL) == 0 &&
	       reference_parse(slice_of(tag), &b, NULL) == 0 && reference_eq(&a, &b);
}

static bool is_image(const struct descriptor *d)
{
	enum media_kind kind = media_kind(d->media_type);
	return (kind == MEDIA_MANIFEST || kind == MEDIA_INDEX) &&
	       !(d->platform && platform_is_unknown(d->platform));
}

/* What there is to choose from: images, or by digest all that the index names. */
static int which(const struct image_index *x, const char *tag, bool by_digest, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	arr_each(it, &x->manifests) {
		const char *name = name_of(it, OCIDIR_NAME_OCI);
		char text[DIGEST_LEN];
		if (by_digest || is_image(it))
			strs_add(&names, name ? name : digest_text(&it->digest, text));
	}
	return names_lack(&names, tag, e);
}

/* "@sha256:…", a name, or NULL for the only one. Several of one name are told apart by platform. */
static int choose(const struct image_index *x, const char *tag, const struct platform *platform,
		  struct descriptor *out, struct err *e)
{
	struct image_index fit = { 0 };
	struct digest d;
	bool by_digest = tag && *tag == '@';
	if (by_digest && digest_parse(slice_of(tag + 1), &d, e) < 0)
		return -1;
	arr_each(it, &x->manifests)
		if (by_digest ? digest_eq(&it->digest, &d) : is_image(it) && (!tag || is_named(it, tag)))
			arr_push(&fit.manifests, *it); /* borrowed: only this array is freed */
	/* by digest all are the same, whatever their names */
	const struct descriptor *best = fit.manifests.n == 1 || (by_digest && fit.manifests.n)
						? fit.manifests.p
						: NULL;
	bool by_platform = !best && tag && fit.manifests.n > 1;
	if (by_platform)
		best = index_pick(&fit, platform, e);
	int r = best || by_platform ? 0 : which(x, tag, by_digest, e);
	if (best)
		descriptor_copy(out, best);
	else
		r = -1;
	arr_done(&fit.manifests);
	return r;
}

static int layout_top(struct origin *base, struct buf *text, struct descriptor *d, struct err *e)
{
	struct from_files *o = (struct from_files *)base;
	if (origin_manifest(base, &o->chosen, text, e) < 0)
		return -1;
	descriptor_copy(d, &o->chosen);
	json_decref(d->annotations); /* its name there */
	d->annotations = NULL;
	return 0;
}
static const struct origin_ops layout_ops = { layout_top, read_manifest, open_blob, close_it, NULL };

static int open_layout(struct from_files *o, struct store *s, const struct locator *l,
		       const struct origin_opts *opts, struct err *e)
{
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf text = { 0 };
	struct platform host = { 0 };
	_free_ char *what = str_printf("'%s'", l->path);
	o->b = bundle_from_path(s, -1, l->path, what, e);
	if (!o->b)
		return -1;
	if (!bundle_has(o->b, "index.json") && bundle_has(o->b, "manifest.json")) {
		err_set(e, ERR_DATA, "'%s' is no OCI layout: it has no index.json", l->path);
		return err_hint(e, "it may be docker-archive:%s", l->path);
	}
	if (bundle_read(o->b, "index.json", MANIFEST_MAX, &text, e) < 0)
		return -1;
	if (image_index_parse(buf_view(&text), NULL, &x, e) < 0)
		return err_add(e, "read index.json");
	platform_host(&host);
	int r = choose(&x, l->tag, opts->platform ? opts->platform : &host, &o->chosen, e);
	platform_done(&host);
	return r;
}

struct origin *origin_of_layout(struct store *s, const struct locator *l,
				const struct origin_opts *opts, struct err *e)
{
	struct from_files *o = NEW(struct from_files);
	o->base.ops = &layout_ops;
	o->base.text = str_dup(l->text);
	int r = open_layout(o, s, l, opts, e);
	free(take_ptr(&o->base.text));
	if (r == 0)
		return &o->base;
	close_it(&o->base);
	return NULL;
}
