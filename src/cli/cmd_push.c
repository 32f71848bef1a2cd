/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fs.h"
#include "cli/registry_args.h"
#include "cli/send.h"
#include "cli/show.h"
#include "store/image.h"

struct push_args {
	struct registry_args reg;
	const char *compression, *format, *digestfile;
	int64_t level;
	struct strs allow;
	bool quiet, all, json;
};
static const struct push_args defaults = { .level = 0 };

static const struct opt opts[] = {
	OPT_FLAG('a', "all-tags", struct push_args, all, "push every tag of NAME in the store"),
	OPT_LIST(0, "allow", struct push_args, allow, "rootfs.export",
		 "also an image that stands on this machine's files"),
	OPT_CHOICE(0, "compression", struct push_args, compression, "gzip|zstd|none",
		   "of layers that have no compressed form yet (default gzip)"),
	OPT_INT(0, "compression-level", struct push_args, level, "N",
		"gzip 1 to 12, zstd 1 to 22 (default 6 and 3)"),
	OPT_STR(0, "digestfile", struct push_args, digestfile, "FILE",
		"write the manifest's digest here"),
	OPT_CHOICE(0, "format", struct push_args, format, "oci|docker",
		   "media types (default: as the image has them)"),
	OPT_FLAG(0, "json", struct push_args, json, "print a JSON array"),
	OPT_FLAG('q', "quiet", struct push_args, quiet, "print nothing"),
	REGISTRY_OPTS(struct push_args, reg),
	OPT_LATER(0, "platform", "OS/ARCH", "the store keeps one platform of an image"),
	OPT_LATER(0, "sign-by", "KEY", "signatures come in a later version"),
	OPT_LATER(0, "disable-content-trust", NULL, "signatures come in a later version"),
	{ 0 },
};

struct pushing {
	struct cli *c;
	const struct push_args *a;
	struct push_opts o;
	struct store *s;
	json_t *list; /* with --json */
	char last[DIGEST_LEN];
};

static int read_opts(struct pushing *p, struct err *e)
{
	const struct push_args *a = p->a;
	struct outgoing_opts *o = &p->o.outgoing;
	const char *how = a->compression ? a->compression : "gzip";
	o->compression = strcmp(how, "zstd") == 0   ? COMP_ZSTD
			 : strcmp(how, "none") == 0 ? COMP_NONE
						    : COMP_GZIP;
	int64_t max = o->compression == COMP_ZSTD ? 22 : o->compression == COMP_GZIP ? 12 : 0;
	if (a->level < 0 || a->level > max)
		return cli_wrong(p->c, e, "--compression-level of %s is a number from 1 to %d", how,
				 (int)max);
	o->level = (int)a->level;
	o->keep_types = !a->format;
	o->docker = a->format && strcmp(a->format, "docker") == 0;
	arr_each(it, &a->allow) {
		if (strcmp(*it, "rootfs.export") != 0)
			return cli_wrong(p->c, e, "--allow knows rootfs.export, not '%s'", *it);
		o->allow_rootfs = true;
	}
	return 0;
}

static void show(struct pushing *p, const struct reference *to, const struct pushed *got)
{
	(void)digest_text(&got->digest, p->last);
	if (p->a->json) {
		_free_ char *name = reference_text(to);
		json_t *o = json_object();
		(void)json_object_set_new(o, "Name", json_string(name));
		(void)json_object_set_new(o, "Digest", json_string(p->last));
		(void)json_object_set_new(o, "Size", json_integer((json_int_t)got->size));
		(void)json_object_set_new(o, "MediaType", json_string(got->media_type));
		(void)json_array_append_new(p->list, o);
	} else if (!p->a->quiet) {
		(void)printf("%s: digest: %s size: %llu\n", to->tag ? to->tag : "", p->last,
			     (unsigned long long)got->size);
	}
}

static int push_one(struct pushing *p, const char *what, const struct reference *to, struct err *e)
{
	struct pushed got;
	enum progress_mode mode = p->a->quiet ? PROGRESS_QUIET : progress_mode(NULL);
	if (send_image(p->c, p->s, what, to, &p->o, mode, &got, e) < 0)
		return -1;
	show(p, to, &got);
	return 0;
}

/* Every tag that the store has of a repository. */
static int push_tags(struct pushing *p, const struct reference *repo, struct err *e)
{
	_cleanup_(strs_done) struct strs refs = { 0 };
	unsigned n = 0;
	if (names_list(p->s, &refs, e) < 0)
		return -1;
	arr_each(it, &refs) {
		_cleanup_(reference_done) struct reference one = { 0 };
		if (reference_parse(slice_of(*it), &one, NULL) < 0 || !one.tag ||
		    strcmp(one.host, repo->host) != 0 || strcmp(one.path, repo->path) != 0)
			continue;
		n++;
		if (push_one(p, *it, &one, e) < 0)
			return -1;
	}
	_free_ char *name = reference_familiar_name(repo);
	return n ? 0
		 : err_set(e, ERR_ABSENT, "the store has no image of the repository '%s'", name);
}

static int push_words(struct pushing *p, const struct words *words, struct err *e)
{
	_cleanup_(reference_done) struct reference to = { 0 };
	const char *dest = words->p[words->n - 1];
	struct slice d = slice_of(dest);
	if (slice_starts(d, SL("docker://")))
		d = slice_from(d, strlen("docker://"));
	if (cli_no_scratch(words->p[0], "push", e) < 0 || reference_parse(d, &to, e) < 0)
		return -1;
	if (words->n == 1 && to.has_digest)
		return cli_wrong(p->c, e, "give the tag to push to: thimble push %s NAME:TAG",
				 dest);
	if (!p->a->all)
		return push_one(p, words->p[0], &to, e);
	if (words->n > 1)
		return cli_wrong(p->c, e, "--all-tags goes with one name");
	return push_tags(p, &to, e);
}

static int write_digest(const struct pushing *p, struct err *e)
{
	const char *path = p->a->digestfile;
	if (path && fs_write(AT_FDCWD, AT_FDCWD, path, slice_of(p->last), 0644, false, e) < 0)
		return err_add(e, "write the digest");
	return 0;
}

static int run(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct push_args *a = args;
	_cleanup_(creds_done) struct creds creds = { 0 };
	struct registry_opts ro;
	struct pushing p = { .c = c, .a = a, .last = "" };
	if (read_opts(&p, e) < 0 || registry_args_opts(c, &a->reg, &ro, &creds, e) < 0)
		return -1;
	p.o.registry = &ro;
	p.s = cli_store(c, false, e);
	if (!p.s)
		return -1;
	p.list = a->json ? json_array() : NULL;
	int r = push_words(&p, words, e);
	if (r == 0)
		r = write_digest(&p, e);
	if (p.list && r == 0)
		show_json(c, p.list);
	else
		json_decref(p.list);
	return r;
}

const struct cmd cmd_push = {
	"push",
	"[OPTIONS] NAME [DESTINATION]",
	"send an image to a registry",
	opts,
	sizeof(struct push_args),
	run,
	.min = 1,
	.max = 2,
	.defaults = &defaults,
	.unwinds = true,
	.group = GROUP_REGISTRY,
	.details =
		"Without a destination the name tells where. What the registry has is not sent, what another of\n"
		"its repositories has is mounted. gzip is one member, the same bytes on any number of processors.\n",
	.examples = "  thimble push localhost:5000/team/app:1\n"
		    "  thimble push app localhost:5000/team/app:2\n",
};
