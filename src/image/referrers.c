/* SPDX-License-Identifier: Apache-2.0 */
#include "image/referrers.h"

#include "base/err.h"

/* What the index tells about it: "set to the value of artifactType, or of the config's media type". */
static void add_entry(struct image_index *x, const struct manifest *m, const struct descriptor *d)
{
	struct descriptor n = {
		.media_type = str_dup(d->media_type),
		.digest = d->digest,
		.size = d->size,
		.annotations = json_deep_copy(m->annotations),
		.artifact_type = str_dup(m->artifact_type ? m->artifact_type
							  : m->config.media_type),
	};
	arr_push(&x->manifests, n);
}

static int read_tag(struct registry *r, const char *tag, struct image_index *x, struct err *e)
{
	struct registry_manifest m = { 0 };
	_cleanup_(err_done) struct err why = { 0 };
	int got = registry_manifest_get(r, tag, &m, &why);
	if (got < 0 && why.kind == ERR_ABSENT) { /* the first one */
		x->media_type = str_dup(MT_OCI_INDEX);
		return 0;
	}
	if (got < 0) {
		if (e)
			err_move(e, &why);
		return -1;
	}
	int parsed = image_index_parse(buf_view(&m.bytes), m.media_type, x, e);
	registry_manifest_done(&m);
	return parsed;
}

int referrers_tag_add(struct registry *r, const struct manifest *m, const struct descriptor *d,
		      struct err *e)
{
	_free_ char *tag = registry_referrers_tag(&m->subject->digest);
	_cleanup_(image_index_done) struct image_index x = { 0 };
	_cleanup_(buf_done) struct buf b = { 0 };
	bool indexed;
	if (read_tag(r, tag, &x, e) < 0)
		return err_add(e, "read the list of referrers, '%s'", tag);
	arr_each(it, &x.manifests)
		if (digest_eq(&it->digest, &d->digest))
			return 0;
	add_entry(&x, m, d);
	image_index_write(&x, &b);
	if (registry_manifest_put(r, tag, buf_view(&b), x.media_type, &indexed, e) < 0)
		return err_add(e, "write the list of referrers, '%s'", tag);
	return 0;
}
