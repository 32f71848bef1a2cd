/* SPDX-License-Identifier: Apache-2.0 */
/* image_open: from what people write to an image, and what to say when there is none. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/image.h"
#include "store/internal.h"

#define ID_PREFIX_MIN 4
#define NAMES_SHOWN   8

static bool is_hex(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return s.n > 0;
}

static bool has_manifest(struct store *s, const struct digest *d)
{
	char path[BLOB_PATH];
	struct image_facts f;
	return image_facts_read(s, d, &f, NULL) == 1 &&
	       (faccessat(s->fd, blob_path(d, path), F_OK, 0) == 0 || errno != ENOENT);
}

/* The manifest of the image whose id (or manifest digest, if `manifests`) begins so: 1, 0, -1 when
 * different images do. */
static int find_prefix(struct store *s, struct slice hex, bool manifests, struct digest *out,
		       struct err *e)
{
	struct digests known = { 0 };
	struct digest found_id;
	int found = 0;
	int r = images_known(s, &known, e);
	for (size_t i = 0; r == 0 && i < known.n; i++) {
		struct image_facts f;
		char id[SHA256_HEX], m[SHA256_HEX];
		if (!has_manifest(s, &known.p[i]) ||
		    image_facts_read(s, &known.p[i], &f, NULL) != 1)
			continue;
		digest_hex(&f.id, id);
		digest_hex(&known.p[i], m);
		if (!slice_starts(slice_of(id), hex) &&
		    !(manifests && slice_starts(slice_of(m), hex)))
			continue;
		if (found && !digest_eq(&found_id, &f.id)) {
			err_set(e, ERR_USER, "'%.*s' begins the ids of several images", SLF(hex));
			r = err_hint(e,
				     "write more digits: 'thimble images --no-trunc' shows them");
			break;
		}
		found = 1;
		found_id = f.id;
		*out = known.p[i];
	}
	arr_done(&known);
	return r < 0 ? -1 : found;
}

struct near {
	char *name;
	size_t distance;
};

static int cmp_near(const void *pa, const void *pb)
{
	const struct near *a = pa, *b = pb;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* How far what was written is from a name: from all of it, or from its repository alone. */
static size_t distance_to(struct slice want, const struct reference *ref, const char *familiar)
{
	_free_ char *repo = reference_familiar_name(ref);
	size_t max = want.n / 3 + 1;
	if (want.n > 200 || strlen(familiar) > 200)
		return SIZE_MAX;
	size_t a = slice_distance(want, slice_of(familiar), max);
	size_t b = slice_distance(want, slice_of(repo), max);
	if (slice_is(slice_head(want, slice_rfind(want, ':')), repo))
		b = 1; /* another tag of the same name */
	size_t d = a < b ? a : b;
	return d <= max ? d : SIZE_MAX;
}

static void hint_names(struct store *s, struct slice want, struct err *e)
{
	_cleanup_(strs_done) struct strs refs = { 0 }, near = { 0 }, all = { 0 };
	ARRAY_OF(struct near) found = { 0 };
	if (names_list(s, &refs, NULL) < 0)
		return;
	for (size_t i = 0; i < refs.n; i++) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (reference_parse(slice_of(refs.p[i]), &ref, NULL) < 0)
			continue;
		char *name = reference_familiar(&ref);
		size_t d = distance_to(want, &ref, name);
		if (all.n < NAMES_SHOWN)
			strs_add(&all, name);
		if (d != SIZE_MAX)
			arr_push(&found, (struct near){ name, d });
		else
			free(name);
	}
	if (found.n > 1)
		qsort(found.p, found.n, sizeof found.p[0], cmp_near);
	arr_each(it, &found) {
		if (near.n < NAMES_SHOWN)
			strs_add(&near, it->name);
		free(it->name);
	}
	arr_done(&found);
	_free_ char *list = strs_join(near.n ? &near : &all, ", ");
	if (near.n)
		err_hint(e, "did you mean %s?", list);
	else if (refs.n > all.n)
		err_hint(e, "there are %s and %zu more ('thimble images')", list, refs.n - all.n);
	else if (refs.n)
		err_hint(e, "there are %s", list);
	else
		err_hint(e,
			 "the store is empty: 'thimble build -t %.*s .', 'thimble load -i FILE' or "
			 "'thimble import TAR %.*s' put an image there",
			 SLF(want), SLF(want));
}

/* The name is known, but only from a build that failed. */
static int refuse_failed(const char *what, const struct name_record *rec, struct err *e)
{
	_free_ char *line = image_failed_line(rec->failed);
	err_set(e, ERR_ABSENT, "%s", line);
	err_add(e, "the last build of '%s' failed, so there is no such image", what);
	return err_hint(e, "build it again to see the whole error");
}

static int open_named(struct store *s, const char *what, struct image *out, struct err *e)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	if (reference_parse(slice_of(what), &ref, e) < 0)
		return -1;
	_free_ char *name = reference_text(&ref);
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	int r = name_get(s, name, &rec, e);
	if (r < 0)
		return -1;
	if (r == 1 && digest_is_zero(&rec.manifest))
		return rec.failed ? refuse_failed(what, &rec, e) : 0;
	if (r == 0 && ref.has_digest && has_manifest(s, &ref.digest)) {
		rec.manifest = ref.digest;
		r = 1;
	}
	if (r == 0)
		return 0;
	return image_open_digest(s, &rec.manifest, out, e) < 0 ? -1 : 1;
}

static int open_by_id(struct store *s, struct slice hex, bool manifests, struct image *out,
		      struct err *e)
{
	struct digest d;
	int r = find_prefix(s, hex, manifests, &d, e);
	if (r != 1)
		return r;
	return image_open_digest(s, &d, out, e) < 0 ? -1 : 1;
}

/* 1, 0 if there is none, -1. A whole id first, then names, then the beginning of an id, as Docker. */
static int open_any(struct store *s, const char *what, struct image *out, struct err *e)
{
	struct slice w = slice_of(what);
	bool is_digest = slice_starts(w, SL("sha256:"));
	struct slice hex = is_digest ? slice_from(w, 7) : w;
	bool may_be_id = is_hex(hex) && hex.n >= ID_PREFIX_MIN && hex.n <= 64;
	if (may_be_id && (is_digest || hex.n == 64)) {
		int r = open_by_id(s, hex, true, out, e);
		if (r != 0 || hex.n == 64)
			return r;
	}
	if (slice_is(w, "scratch") || slice_is(w, "scratch:latest")) {
		err_set(e, ERR_ABSENT,
			"scratch is the empty image: it holds no files and is not stored; it "
			"exists only in FROM lines");
		return err_hint(e, "write 'FROM scratch' and COPY into it what the program needs");
	}
	_cleanup_(err_done) struct err why = { 0 };
	int r = open_named(s, what, out, &why);
	if (r == 0 && may_be_id)
		return open_by_id(s, hex, false, out, e);
	if (r < 0 && e)
		err_move(e, &why);
	return r;
}

int image_open(struct store *s, const char *what, struct image *out, struct err *e)
{
	int r = open_any(s, what, out, e);
	if (r < 0)
		return err_add(e, "open the image '%s'", what);
	if (r == 1)
		return 0;
	err_set(e, ERR_ABSENT, "there is no image '%s' in the store '%s'", what, s->path);
	hint_names(s, slice_of(what), e);
	return -1;
}
