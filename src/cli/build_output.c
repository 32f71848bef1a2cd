/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/build_output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/js.h"
#include "base/path.h"
#include "build/build.h"
#include "cli/cli.h"
#include "image/output.h"
#include "image/save.h"
#include "sandbox/userns.h"

void outputs_done(struct outputs *o)
{
	arr_each(it, &o->list) {
		free(it->dest);
		free(it->name);
		free(it->compression);
	}
	arr_done(&o->list);
}

/* ---- reading -o ---- */

static int set_type(struct output *o, struct slice v, const char *spec, struct err *e)
{
	static const struct {
		const char *name;
		enum output_type type;
	} types[] = { { "image", OUTPUT_IMAGE }, { "local", OUTPUT_LOCAL }, { "tar", OUTPUT_TAR },
		      { "oci", OUTPUT_OCI },     { "docker", OUTPUT_DOCKER } };
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (slice_is(v, types[i].name)) {
			o->type = types[i].type;
			return 0;
		}
	if (slice_is(v, "registry")) {
		err_set(e, ERR_USER, "-o %s: registries come in a later version", spec);
		return err_hint(e, "write an archive, -o type=oci,dest=FILE, and copy it with skopeo");
	}
	err_set(e, ERR_USER, "-o %s: there is no output type '%.*s'", spec, SLF(v));
	return err_hint(e, "types are local, tar, oci, docker and image");
}

static int set_key(struct output *o, struct slice k, struct slice v, const char *spec, struct err *e)
{
	if (slice_is(k, "type"))
		return set_type(o, v, spec, e);
	if (slice_is(k, "dest")) {
		str_set(&o->dest, slice_dup(v));
	} else if (slice_is(k, "name")) {
		str_set(&o->name, slice_dup(v));
	} else if (slice_is(k, "compression")) {
		str_set(&o->compression, slice_dup(v));
	} else if (slice_is(k, "tar")) {
		if (!slice_is(v, "true") && !slice_is(v, "false"))
			return err_set(e, ERR_USER, "-o %s: tar= takes true or false", spec);
		o->layout = slice_is(v, "false");
	} else if (slice_is(k, "rewrite-timestamp")) {
		if (!slice_is(v, "true") && !slice_is(v, "false"))
			return err_set(e, ERR_USER, "-o %s: rewrite-timestamp= takes true or false", spec);
		o->rewrite = slice_is(v, "true");
	} else if (slice_is(k, "oci-mediatypes") && slice_is(v, "true")) {
		return 0; /* they always are, but for type=docker */
	} else {
		err_set(e, ERR_USER, "-o %s: '%.*s' is not supported", spec, SLF(k));
		return err_hint(e, "keys are type, dest, name, compression, rewrite-timestamp and, for oci, tar");
	}
	return 0;
}

static int check_output(struct output *o, const char *spec, struct err *e)
{
	bool files = o->type != OUTPUT_IMAGE;
	if (o->type == OUTPUT_LOCAL && (!o->dest || strcmp(o->dest, "-") == 0)) {
		err_set(e, ERR_USER, "-o %s: type=local needs dest=DIRECTORY", spec);
		return -1;
	}
	if (o->type == OUTPUT_DOCKER && !o->dest)
		return 0; /* docker loads it into its engine; here that is the store, where it is */
	if (files && !o->dest)
		o->dest = str_dup("-");
	if (o->layout && (o->type != OUTPUT_OCI || strcmp(o->dest, "-") == 0))
		return err_set(e, ERR_USER, "-o %s: tar=false goes with type=oci and dest=DIRECTORY", spec);
	if (o->dest && strcmp(o->dest, "-") == 0 && isatty(STDOUT_FILENO)) {
		err_set(e, ERR_USER, "-o %s: an archive is not written to a terminal", spec);
		return err_hint(e, "redirect standard output, or give dest=FILE");
	}
	if (o->compression && (o->type == OUTPUT_LOCAL || o->type == OUTPUT_TAR))
		return err_set(e, ERR_USER, "-o %s: compression= is for images", spec);
	return 0;
}

static int parse_one(struct output *o, const char *spec, struct err *e)
{
	struct slice s = slice_of(spec);
	if (slice_find(s, '=') == s.n) { /* a bare path */
		o->type = strcmp(spec, "-") == 0 ? OUTPUT_TAR : OUTPUT_LOCAL;
		o->dest = str_dup(spec);
		return check_output(o, spec, e);
	}
	struct slice field;
	bool typed = false;
	while (slice_split(&s, ',', &field)) {
		size_t eq = slice_find(field, '=');
		if (eq == 0 || eq == field.n)
			return err_set(e, ERR_USER, "-o %s: '%.*s' is not KEY=VALUE", spec, SLF(field));
		typed |= slice_is(slice_head(field, eq), "type");
		if (set_key(o, slice_head(field, eq), slice_from(field, eq + 1), spec, e) < 0)
			return -1;
	}
	if (!typed) {
		err_set(e, ERR_USER, "-o %s: type= is missing", spec);
		return err_hint(e, "for a directory write -o DIR, or type=local,dest=DIR");
	}
	return check_output(o, spec, e);
}

int outputs_parse(const struct strs *specs, struct outputs *out, struct err *e)
{
	unsigned to_stdout = 0;
	for (size_t i = 0; i < specs->n; i++) {
		struct output *o = arr_add(&out->list);
		if (parse_one(o, specs->p[i], e) < 0)
			return -1;
		to_stdout += o->dest && strcmp(o->dest, "-") == 0;
	}
	if (to_stdout > 1)
		return err_set(e, ERR_USER, "several -o write to standard output: give them dest=FILE");
	return 0;
}

bool outputs_to_stdout(const struct outputs *o)
{
	arr_each(it, &o->list)
		if (it->dest && strcmp(it->dest, "-") == 0)
			return true;
	return false;
}

bool outputs_want_docker(const struct outputs *o)
{
	return o->list.n == 1 && o->list.p[0].type == OUTPUT_DOCKER && !o->list.p[0].dest;
}

bool outputs_want_rewrite(const struct outputs *o)
{
	arr_each(it, &o->list)
		if (it->rewrite)
			return true;
	return false;
}

void outputs_metadata(const struct build_result *r, const struct reference *refs, size_t n, struct buf *json)
{
	char manifest[DIGEST_LEN], id[DIGEST_LEN];
	_json_ json_t *o = json_pack("{s:s, s:s}", "containerimage.config.digest", digest_text(&r->id, id),
				     "containerimage.digest", digest_text(&r->manifest, manifest));
	_cleanup_(buf_done) struct buf names = { 0 };
	for (size_t i = 0; i < n; i++) {
		_free_ char *text = reference_text(&refs[i]);
		buf_printf(&names, "%s%s", i ? "," : "", text);
	}
	if (n)
		json_object_set_new(o, "image.name", json_string(names.p));
	js_dump_pretty(o, 2, json);
	buf_char(json, '\n');
}

/* ---- writing ---- */

static int open_dest(const struct output *o, struct err *e)
{
	if (strcmp(o->dest, "-") == 0)
		return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int fd = open(o->dest, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd >= 0 ? fd : err_sys(e, "write '%s'", o->dest);
}

static int write_files(const struct output *o, struct store *s, const struct build_result *r, struct err *e)
{
	struct image_fs fs = { 0 };
	int ok = image_fs_open(s, r->snaps.p, r->snaps.n, &fs, e);
	if (ok == 0 && o->type == OUTPUT_LOCAL) {
		ok = image_output_dir(&fs, "", o->dest, e);
	} else if (ok == 0) {
		_close_ int fd = open_dest(o, e);
		_cleanup_(sink_closep) struct sink *out = fd >= 0 ? sink_fd(fd) : NULL;
		ok = !out || image_output_tar(&fs, "", -1, out, e) < 0 || sink_finish(out, e) < 0 ? -1 : 0;
	}
	image_fs_close(&fs);
	return ok;
}

static int save_opts(const struct output *o, struct save_opts *out, struct err *e)
{
	out->format = o->type == OUTPUT_DOCKER ? SAVE_DOCKER : o->layout ? SAVE_OCI_DIR : SAVE_OCI;
	out->compression = COMP_GZIP;
	if (!o->compression)
		return 0;
	static const struct {
		const char *name;
		enum compression c;
	} known[] = { { "gzip", COMP_GZIP }, { "zstd", COMP_ZSTD }, { "uncompressed", COMP_NONE } };
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(o->compression, known[i].name) == 0) {
			out->compression = known[i].c;
			return 0;
		}
	err_set(e, ERR_USER, "compression=%s is not supported", o->compression);
	return err_hint(e, "use gzip, zstd or uncompressed");
}

/* name= wins over -t, and may be several, separated by commas inside quotes in docker's syntax;
 * here one. */
static int write_image(const struct output *o, struct store *s, const struct build_result *r,
		       const struct reference *ref, struct err *e)
{
	struct save_opts opts = { 0 };
	if (save_opts(o, &opts, e) < 0)
		return -1;
	struct save_item item = { .manifest = r->manifest };
	struct reference named = { 0 };
	int ok = 0;
	if (o->name) {
		ok = reference_parse(slice_of(o->name), &named, e);
		if (ok == 0)
			strs_take(&item.refs, reference_text(&named));
	} else if (ref) {
		strs_take(&item.refs, reference_text(ref));
	}
	if (ok == 0 && opts.format == SAVE_OCI_DIR) {
		ok = image_save_items(s, &item, 1, &opts, NULL, o->dest, e);
	} else if (ok == 0) {
		_close_ int fd = open_dest(o, e);
		_cleanup_(sink_closep) struct sink *out = fd >= 0 ? sink_fd(fd) : NULL;
		ok = !out || image_save_items(s, &item, 1, &opts, out, NULL, e) < 0 || sink_finish(out, e) < 0 ? -1 : 0;
	}
	reference_done(&named);
	strs_done(&item.refs);
	return ok;
}

static int name_it(const struct output *o, struct store *s, const struct build_result *r, struct err *e)
{
	struct reference named = { 0 };
	if (reference_parse(slice_of(o->name), &named, e) < 0)
		return -1;
	_free_ char *text = reference_text(&named);
	reference_done(&named);
	return name_set(s, text, &r->manifest, e);
}

int outputs_write(struct cli *c, const struct outputs *o, struct store *s, const struct build_result *r,
		  const struct reference *ref, struct err *e)
{
	(void)c;
	arr_each(it, &o->list) {
		int ok = 0;
		if (it->type == OUTPUT_IMAGE || (it->type == OUTPUT_DOCKER && !it->dest)) {
			ok = it->name ? name_it(it, s, r, e) : 0;
		} else {
			/* Trees of layers are read: as a user that needs the namespace. */
			ok = userns_enter(e);
			if (ok == 0)
				ok = it->type == OUTPUT_LOCAL || it->type == OUTPUT_TAR ?
					     write_files(it, s, r, e) :
					     write_image(it, s, r, ref, e);
		}
		if (ok < 0)
			return err_add(e, "write the result to '%s'", it->dest ? it->dest : "the store");
	}
	return 0;
}
