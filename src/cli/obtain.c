/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/obtain.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/term.h"
#include "store/image.h"

int pull_when(struct cli *c, const char *word, enum pull_when *out, struct err *e)
{
	static const char *const words[] = { "missing", "always", "never", "newer" };
	static const enum pull_when means[] = { PULL_MISSING, PULL_ALWAYS, PULL_NEVER,
						PULL_ALWAYS };
	*out = PULL_MISSING;
	if (!word)
		return 0;
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(word, words[i]) == 0) {
			*out = means[i];
			return 0;
		}
	return cli_wrong(c, e, "--pull wants missing, always or never, not '%s'", word);
}

static void begun(void *ctx, const struct reference *ref, size_t layers)
{
	const struct obtain *o = ctx;
	char digest[DIGEST_LEN];
	(void)layers;
	if (o->mode == PROGRESS_QUIET)
		return;
	_free_ char *repo = strcmp(ref->host, "docker.io") == 0
				    ? str_dup(ref->path)
				    : str_printf("%s/%s", ref->host, ref->path);
	(void)fprintf(stderr, "%s: Pulling from %s\n",
		      ref->has_digest ? digest_text(&ref->digest, digest) : ref->tag, repo);
}

int obtain_pull(const struct obtain *o, struct store *s, const struct reference *ref,
		struct pulled *out, struct err *e)
{
	struct transfers *t = transfers_new(o->cli, o->mode, false);
	const struct pull_opts po = {
		.registry = o->registry,
		.platform = o->platform,
		.events = transfers_events(t),
		.begun = begun,
		.ctx = (void *)o,
	};
	int r = image_pull(s, ref, &po, out, e);
	transfers_free(t);
	if (r == 0 && out->other_platform) {
		_free_ char *is = platform_text(&out->platform);
		_free_ char *want = o->platform ? platform_text(o->platform)
						: str_dup("this machine");
		cli_warn(o->cli, "the image is for %s, not for %s", is, want);
	}
	return r;
}

/* 1: it has to be pulled. */
static int is_missing(struct store *s, const char *name, enum pull_when when,
		      const struct reference *ref, struct err *e)
{
	_cleanup_(name_record_done) struct name_record rec = { 0 };
	_free_ char *text = reference_text(ref);
	if (when == PULL_ALWAYS)
		return 1;
	int r = name_get(s, text, &rec, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	struct image im = { 0 };
	r = image_open(s, name, &im, NULL);
	image_done(&im);
	return r < 0;
}

/* What the store itself has to say about a name: the near ones. */
static void add_hints(struct store *s, const char *name, struct err *e)
{
	_cleanup_(err_done) struct err own = { 0 };
	struct image im = { 0 };
	if (image_open(s, name, &im, &own) < 0)
		for (size_t i = 0; i < own.hints_n; i++)
			err_hint(e, "%s", own.hints[i]);
	image_done(&im);
}

int obtain_image(const struct obtain *o, struct store *s, const char *name, enum pull_when when,
		 struct err *e)
{
	_cleanup_(reference_done) struct reference ref = { 0 };
	_cleanup_(pulled_done) struct pulled p = { 0 };
	if (when == PULL_NEVER || strcmp(name, "scratch") == 0 ||
	    strcmp(name, "scratch:latest") == 0 || reference_parse(slice_of(name), &ref, NULL) < 0)
		return 0;
	int r = is_missing(s, name, when, &ref, e);
	if (r <= 0)
		return r;
	if (when == PULL_MISSING && o->mode != PROGRESS_QUIET)
		(void)fprintf(stderr, "Unable to find image '%s' locally\n", name);
	if (obtain_pull(o, s, &ref, &p, e) == 0)
		return 0;
	if (when == PULL_MISSING) {
		err_add(e, "there is no image '%s' in the store '%s'", name, store_path(s));
		add_hints(s, name, e);
	}
	return -1;
}
