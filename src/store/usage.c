/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the disk a store takes, and for what. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/walk.h"
#include "store/marks.h"

uint64_t store_measure(struct store *s, const char *path)
{
	struct stat st;
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode))
		return (uint64_t)st.st_size;
	uint64_t sum = 0;
	struct walk_entry ent;
	_cleanup_(walk_closep) struct walk *w = walk_open(s->fd, path, NULL);
	while (walk_next(w, &ent, NULL) > 0)
		if (S_ISREG(ent.st.st_mode))
			sum += (uint64_t)ent.st.st_size;
	return sum;
}

static int mark_usage(struct marks *m, struct store *s, struct err *e)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	struct digests known = { 0 };
	int r = marks_list(m, s, e) < 0 || images_known(s, &known, e) < 0 ? -1 : 0;
	for (size_t i = 0; r == 0 && i < known.n; i++)
		r = marks_manifest(m, &known.p[i], e);
	arr_done(&known);
	if (r < 0 || names_list(s, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(name_record_done) struct name_record rec = { 0 };
		_cleanup_(err_done) struct err why = { 0 };
		r = store_passable(name_get(s, names.p[i], &rec, &why), &why, e);
		if (r < 0 || (r > 0 && marks_manifest(m, &rec.manifest, e) < 0))
			return -1;
	}
	return 0;
}

static uint64_t usage_below(struct store *s, const char *dir, unsigned *count)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	uint64_t sum = 0;
	if (store_list(s, dir, &names, NULL) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		_free_ char *path = str_printf("%s/%s", dir, names.p[i]);
		sum += store_measure(s, path);
	}
	*count = (unsigned)names.n;
	return sum;
}

int store_usage(struct store *s, struct store_usage *out, struct err *e)
{
	struct marks m = { 0 };
	struct store_usage u = { 0 };
	int r = mark_usage(&m, s, e);
	if (r == 0) {
		struct digests known = { 0 };
		unsigned mounts_n = 0;
		arr_each(it, &m.snaps.list) {
			*(it->image ? &u.images : &u.cache) += it->bytes;
			u.cache_n += !it->image;
		}
		arr_each(it, &m.blobs.list)
			*(it->image ? &u.images : &u.cache) += it->bytes;
		r = images_known(s, &known, e);
		for (size_t i = 0; i < known.n; i++)
			u.images_n += marks_blob(&m, &known.p[i]) != NULL;
		arr_done(&known);
		u.volumes = usage_below(s, "volumes", &u.volumes_n);
		u.mounts = usage_below(s, "mounts", &mounts_n);
	}
	marks_done(&m);
	if (r == 0)
		*out = u;
	return r;
}
