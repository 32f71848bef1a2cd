/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of images, made and spoiled in memory. */
#pragma once
#include "../store/fixture.h"

#include "base/js.h"
#include "image/archive.h"
#include "image/load.h"
#include "image/save.h"

/* A second store, to load into. */
static inline _unused_ struct store *other_store(struct fixture *f, const char *name)
{
	_free_ char *root = str_printf("%s/%s", f->dir, name);
	struct store *s = store_open(&(struct store_opts){ .root = root, .create = true }, &f->e);
	if (!s)
		ok(f, -1);
	return s;
}

static inline _unused_ void save_to(struct fixture *f, struct store *s, const char *name,
				    const struct save_opts *o, struct buf *out)
{
	_cleanup_(strs_done) struct strs names = { 0 };
	_cleanup_(sink_closep) struct sink *sink = sink_buf(out);
	strs_add(&names, name);
	ok(f, image_save(s, &names, o, sink, &f->e));
}

/* Through a pipe's worth of file: a stream. */
static inline _unused_ int load_bytes(struct fixture *f, struct store *s, struct slice bytes,
				      const struct image_load_opts *o, struct image_loads *out)
{
	_free_ char *path = str_printf("%s/bytes", f->dir);
	static const struct image_load_opts none;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	ok(f, fd_write_all(fd, bytes.p, bytes.n, &f->e));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int r = image_load(s, fd, NULL, o ? o : &none, out, &f->e);
	close(fd);
	return r;
}

/* The files of an archive that a test makes. */
struct files {
	struct {
		char *name;
		struct buf bytes;
	} p[32];
	size_t n;
};

static inline _unused_ void files_done(struct files *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->p[i].name);
		buf_done(&l->p[i].bytes);
	}
}

static inline _unused_ void files_put(struct files *l, char *name, struct slice bytes)
{
	assert_true(l->n < COUNT_OF(l->p));
	l->p[l->n].name = name;
	l->p[l->n].bytes = (struct buf){ 0 };
	buf_slice(&l->p[l->n++].bytes, bytes);
}

static inline _unused_ char *blob_at(const struct digest *d)
{
	char hex[SHA256_HEX];
	return str_printf("blobs/sha256/%s", digest_hex(d, hex));
}

/* Puts a blob; what is said about it is told. */
static inline _unused_ struct descriptor files_blob(struct files *l, const char *type,
						    struct slice bytes)
{
	struct descriptor d = { .media_type = (char *)type, .size = bytes.n };
	digest_of(bytes, &d.digest);
	files_put(l, blob_at(&d.digest), bytes);
	return d;
}

static inline _unused_ void files_tar(struct fixture *f, const struct files *l, struct buf *out)
{
	_cleanup_(sink_closep) struct sink *sink = sink_buf(out);
	_cleanup_(archive_closep) struct archive *a = archive_to_tar(sink);
	for (size_t i = 0; i < l->n; i++)
		ok(f, archive_bytes(a, l->p[i].name, buf_view(&l->p[i].bytes), &f->e));
	ok(f, archive_end(a, &f->e));
}

/* A layer's tar with one file. */
static inline _unused_ void layer_tar(struct fixture *f, const char *text, struct buf *out)
{
	_cleanup_(files_done) struct files l = { 0 };
	files_put(&l, str_dup("hello"), slice_of(text));
	files_tar(f, &l, out);
}

static inline _unused_ void config_text(const struct digest *diffs, size_t n, const char *arch,
					struct buf *out)
{
	buf_printf(out,
		   "{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"/hello\"]},"
		   "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
		   arch);
	for (size_t i = 0; i < n; i++) {
		char text[DIGEST_LEN];
		buf_printf(out, "%s\"%s\"", i ? "," : "", digest_text(&diffs[i], text));
	}
	buf_str(out, "]}}");
}

static inline _unused_ void nothing_is_left(struct fixture *f)
{
	assert_int_equal(count_in(f, "names"), 0);
	assert_int_equal(count_in(f, "tmp"), 0);
}
