/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <inttypes.h>

#include "base/err.h"
#include "base/num.h"
#include "base/path.h"

#define RECORD_MAX (64u << 10)

void snap_record_done(struct snap_record *r)
{
	free(r->boot);
	free(r->damaged);
	free(r->blob.media_type);
	*r = (struct snap_record){ 0 };
}

static int parse_blob(struct slice v, struct snap_blob *out)
{
	struct slice digest, size;
	if (!slice_split(&v, ' ', &digest) || !v.p || !slice_split(&v, ' ', &size) || !v.p)
		return -1;
	if (digest_parse(digest, &out->digest, NULL) < 0 ||
	    num_parse(size, UINT64_MAX, &out->size) < 0)
		return -1;
	str_set(&out->media_type, slice_dup(v));
	return 0;
}

static int parse_line(struct slice key, struct slice v, struct snap_record *out)
{
	if (slice_is(key, "diff-id"))
		return digest_parse(v, &out->diff_id, NULL);
	if (slice_is(key, "tar-size"))
		return num_parse(v, UINT64_MAX, &out->tar_size);
	if (slice_is(key, "size"))
		return num_parse(v, UINT64_MAX, &out->size);
	if (slice_is(key, "blob"))
		return parse_blob(v, &out->blob);
	if (slice_is(key, "boot"))
		str_set(&out->boot, slice_dup(v));
	else if (slice_is(key, "damaged"))
		str_set(&out->damaged, slice_dup(v));
	else if (slice_is(key, "is") && slice_is(v, "complete"))
		out->complete = true;
	else if (slice_is(key, "is") && slice_is(v, "on-disk"))
		out->on_disk = true;
	else if (slice_is(key, "is") && slice_is(v, "foreign"))
		out->foreign = true;
	else
		return -1;
	return 0;
}

/* 0 if all of it is there. */
static int parse(struct slice text, struct snap_record *out)
{
	struct slice line;
	while (slice_split(&text, '\n', &line)) {
		if (slice_is(line, "end"))
			return out->boot ? 0 : -1;
		struct slice rest = line, key;
		if (!slice_split(&rest, ' ', &key) || !rest.p || parse_line(key, rest, out) < 0)
			return -1;
	}
	return -1;
}

int snap_record_read(struct store *s, const char *id, struct snap_record *out, struct err *e)
{
	_free_ char *path = str_printf("snapshots/%s/record", id);
	_cleanup_(buf_done) struct buf b = { 0 };
	int r = store_read(s, path, RECORD_MAX, &b, e);
	if (r != 1)
		return r;
	_cleanup_(snap_record_done) struct snap_record rec = { 0 };
	if (parse(buf_view(&b), &rec) < 0)
		return err_set(e, ERR_DATA, "the record of snapshot '%s' is damaged", id);
	snap_record_done(out);
	*out = rec;
	rec = (struct snap_record){ 0 };
	return 1;
}

static void write_text(const struct snap_record *r, struct buf *out)
{
	char text[DIGEST_LEN];
	if (!digest_is_zero(&r->diff_id))
		buf_printf(out, "diff-id %s\ntar-size %" PRIu64 "\n",
			   digest_text(&r->diff_id, text), r->tar_size);
	if (!digest_is_zero(&r->blob.digest))
		buf_printf(out, "blob %s %" PRIu64 " %s\n", digest_text(&r->blob.digest, text),
			   r->blob.size, r->blob.media_type ? r->blob.media_type : "");
	buf_printf(out, "size %" PRIu64 "\nboot %s\n", r->size, r->boot);
	if (r->complete)
		buf_str(out, "is complete\n");
	if (r->on_disk)
		buf_str(out, "is on-disk\n");
	if (r->foreign)
		buf_str(out, "is foreign\n");
	if (r->damaged) {
		buf_str(out, "damaged ");
		for (const char *p = r->damaged; *p; p++)
			buf_char(out, *p == '\n' ? ' ' : *p);
		buf_char(out, '\n');
	}
	buf_str(out, "end\n");
}

void snap_record_forget(struct store *s, const char *id)
{
	struct snap_record *r = map_del(&s->records, slice_of(id));
	if (r)
		snap_record_done(r);
	free(r);
}

void snap_records_forget(struct store *s)
{
	map_each(it, &s->records)
	{
		snap_record_done(it->value);
		free(it->value);
	}
	map_done(&s->records);
	s->records = (struct map){ 0 };
}

int snap_record_write(struct store *s, const char *at, const struct snap_record *r, struct err *e)
{
	_free_ char *id = slice_dup(path_base(slice_of(at)));
	snap_record_forget(s, id);
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *path = str_printf("%s/record", at);
	write_text(r, &b);
	return store_write(s, path, buf_view(&b), r->on_disk, e);
}

int snap_record_write_new(struct store *s, const char *at, const struct snap_record *r,
			  struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	_free_ char *path = str_printf("%s/record", at);
	write_text(r, &b);
	return store_write_new(s, path, buf_view(&b), r->on_disk, e);
}
