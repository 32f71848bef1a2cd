/* SPDX-License-Identifier: Apache-2.0 */
#include "image/import.h"

#include "base/err.h"
#include "base/stream.h"
#include "image/layer_in.h"
#include "layer/compress.h"
#include "store/image.h"

/* Nothing looks like a tar in the bytes of a Dockerfile or a disk image; an empty stream does. */
static int unpack(struct store *s, struct source *in, int treefd, struct index *x, struct err *e)
{
	enum compression comp;
	_cleanup_(source_closep) struct source *plain = comp_source_auto(in, &comp, e);
	if (!plain)
		return -1;
	if (tree_unpack(treefd, plain, store_tree_opts(s), x, e) < 0)
		return -1;
	if (x->entries.n == 0)
		return err_set(e, ERR_DATA, "the archive is empty");
	return 0;
}

static int make_layer(struct store *s, struct source *in, struct snap_draft *d, struct index *x,
		      char id[static SNAP_ID], struct err *e)
{
	struct tree_stream sum;
	if (snap_begin(s, d, e) < 0 || unpack(s, in, d->treefd, x, e) < 0)
		return -1;
	if (tree_sum(d->treefd, x, &sum, e) < 0)
		return -1;
	d->tar_size = sum.size;
	return snap_commit(s, d, x, &sum.digest, id, e);
}

int image_import(struct store *s, struct source *in, struct image_config *cfg, bool docker,
		 struct digest *manifest, struct digest *id, struct err *e)
{
	struct snap_draft d = SNAP_DRAFT_INIT;
	struct index x;
	char snap[SNAP_ID];
	index_init(&x);
	int r = make_layer(s, in, &d, &x, snap, e);
	snap_abort(s, &d);
	index_done(&x);
	if (r < 0)
		return err_add(e, "read the root file system");
	char *snaps[] = { snap };
	return image_put(
		s,
		&(struct image_new){ .cfg = cfg, .snaps = snaps, .snaps_n = 1, .docker = docker },
		manifest, id, e);
}
