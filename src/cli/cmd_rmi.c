/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "store/image_remove.h"

struct rmi_args {
	bool force, json;
};

static const struct opt opts[] = {
	OPT_FLAG(
		'f', "force", struct rmi_args, force,
		"also all names of an image given by id, the name of one in use; what is not there is fine"),
	OPT_FLAG(0, "json", struct rmi_args, json, "print a JSON array of what was done"),
	{ 0 },
};

/* What one word means. */
struct victim {
	struct strs names; /* to be taken away, as in the store */
	bool last; /* the image keeps no name */
	struct digest manifest; /* zero: only failed builds had this name */
	struct digest id;
};

static void victim_done(struct victim *v)
{
	strs_done(&v->names);
}

static size_t count_names(const struct image_rows *rows, const struct digest *manifest)
{
	size_t n = 0;
	arr_each(row, rows)
		n += row->ref.path && digest_eq(&row->manifest, manifest);
	return n;
}

/* 1: `word` is a name. */
static int by_name(const struct image_rows *rows, const char *word, struct victim *v)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	/* what is no name may be an id */
	if (reference_parse(slice_of(word), &ref, NULL) < 0)
		return 0;
	arr_each(row, rows) {
		if (!row->ref.path || !reference_eq(&row->ref, &ref))
			continue;
		strs_take(&v->names, reference_text(&row->ref));
		v->manifest = row->manifest;
		v->id = row->id;
		v->last = !digest_is_zero(&v->manifest) && count_names(rows, &v->manifest) == 1;
		return 1;
	}
	return 0;
}

static bool has_prefix(const struct digest *d, const char *word)
{
	char text[DIGEST_LEN];
	digest_text(d, text);
	struct slice s = slice_of(text), w = slice_of(word);
	return !digest_is_zero(d) && (slice_starts(s, w) || slice_starts(slice_from(s, 7), w));
}

/* The whole image, with every name it has. */
static void take_image(const struct image_rows *rows, const struct digest *manifest,
		       const struct digest *id, struct victim *v)
{
	v->manifest = *manifest;
	v->id = *id;
	v->last = true;
	arr_each(row, rows)
		if (row->ref.path && digest_eq(&row->manifest, manifest))
			strs_take(&v->names, reference_text(&row->ref));
}

/* 1: `word` begins an id (or a manifest's digest); several different images are refused. */
static int by_id(const struct image_rows *rows, const char *word, struct victim *v, struct err *e)
{
	const struct image_row *found = NULL;
	if (strlen(word) < 4)
		return 0;
	arr_each(row, rows) {
		if (!has_prefix(&row->id, word) && !has_prefix(&row->manifest, word))
			continue;
		if (found && !digest_eq(&found->manifest, &row->manifest)) {
			err_set(e, ERR_USER, "'%s' begins the ids of several images", word);
			return err_hint(
				e, "write more digits: 'thimble images --no-trunc' shows them");
		}
		found = row;
	}
	if (!found)
		return 0;
	take_image(rows, &found->manifest, &found->id, v);
	return 1;
}

static int find(struct cli *c, const char *word, struct victim *v, struct err *e)
{
	_cleanup_(image_rows_done) struct image_rows rows = { 0 };
	struct store *s = cli_store_trees(c, false, e);
	if (!s || images_list(s, true, &rows, e) < 0)
		return -1;
	int r = by_name(&rows, word, v);
	if (r == 0)
		r = by_id(&rows, word, v, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	/* NAME@DIGEST; and it knows best what to say about a word that means nothing. */
	_cleanup_(image_done) struct image im = { 0 };
	if (image_open(s, word, &im, e) < 0)
		return -1;
	take_image(&rows, &im.manifest_digest, &im.id, v);
	return 0;
}

/* What was looked at is held by this process until the store is closed; removing needs a fresh one. */
static struct store *reopen(struct cli *c, struct err *e)
{
	store_close(c->store);
	c->store = NULL;
	return cli_store_trees(c, false, e);
}

static void tell(json_t *done, const char *what, json_t *value)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, what, value);
	(void)json_array_append_new(done, o);
}

static int remove_names(struct store *s, const struct victim *v, json_t *done, struct err *e)
{
	arr_each(name, &v->names) {
		_cleanup_(reference_done) struct reference ref = { 0 };
		if (name_del(s, *name, e) < 0 || reference_parse(slice_of(*name), &ref, e) < 0)
			return -1;
		_free_ char *text = reference_familiar(&ref);
		tell(done, "Untagged", json_string(text));
	}
	return 0;
}

static int remove_one(struct cli *c, const struct rmi_args *a, const char *word, json_t *done,
		      struct err *e)
{
	_cleanup_(victim_done) struct victim v = { 0 };
	struct prune_result result = { 0 };
	if (cli_no_scratch(word, "remove", e) < 0 || find(c, word, &v, e) < 0)
		return -1;
	if (v.names.n > 1 && !a->force) {
		err_set(e, ERR_USER, "the image has %zu names", v.names.n);
		return err_hint(e, "name one of them, or remove all with -f");
	}
	struct store *s = reopen(c, e);
	if (!s)
		return -1;
	int used = v.last ? image_in_use(s, &v.manifest, e) : 0;
	if (used < 0)
		return -1;
	if (used && !a->force) {
		err_set(e, ERR_DENIED, "it is in use by another process of thimble");
		return err_hint(e, "wait for it, or take the name away with -f and prune later");
	}
	if (remove_names(s, &v, done, e) < 0)
		return -1;
	if (!v.last || used)
		return 0;
	int r = image_remove(s, &v.manifest, &result, e);
	strs_done(&result.what);
	if (r == 0 && !digest_is_zero(&v.id))
		tell(done, "Deleted", show_id(&v.id, true));
	return r;
}

static void show(struct cli *c, const struct rmi_args *a, json_t *done)
{
	_cleanup_(buf_done) struct buf out = { 0 };
	size_t i;
	json_t *o, *value;
	const char *what;
	if (a->json) {
		show_json(c, json_incref(done));
		return;
	}
	json_array_foreach(done, i, o) json_object_foreach(o, what, value)
		buf_printf(&out, "%s: %s\n", what, json_string_value(value));
	cli_print(c, &out, true);
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct rmi_args *a = args;
	json_t *done = json_array();
	int status = 0;
	(void)e;
	for (size_t i = 0; i < words->n; i++) {
		struct err why = { 0 };
		if (remove_one(c, a, words->p[i], done, &why) == 0)
			continue;
		if (why.kind != ERR_ABSENT || !a->force)
			status = 1;
		err_add(&why, "cannot remove '%s'", words->p[i]);
		cli_error(c, &why);
	}
	show(c, a, done);
	json_decref(done);
	return status;
}

const struct cmd cmd_rmi = {
	"rmi",
	"[OPTIONS] IMAGE...",
	"remove images",
	opts,
	sizeof(struct rmi_args),
	run,
	.min = 1,
	.max = ARGS_ANY,
	.group = GROUP_IMAGES,
	.details =
		"A name is taken away; with its last name the image goes, and what only it held.\n",
	.examples = "  thimble rmi hello:gcc hello:old\n"
		    "  thimble rmi -f 3f9a1c0b77de\n",
};
