/* SPDX-License-Identifier: Apache-2.0 */
/* thimble build */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/num.h"
#include "base/path.h"
#include "base/sha256.h"
#include "build/build.h"
#include "cli/build_input.h"
#include "cli/build_output.h"
#include "cli/cli.h"
#include "cli/obtain.h"
#include "cli/progress.h"
#include "cli/send.h"
#include "cli/version.h"
#include "explain/copy_miss.h"
#include "explain/explain.h"

struct build_args {
	struct strs tags, build_args, contexts, labels, outputs, annotations, add_hosts, no_cache_filter;
	const char *file, *target, *progress, *iidfile, *metadata_file, *platform, *network, *shm_size;
	const char *pull;
	struct registry_args reg;
	bool no_cache, quiet, push, rm, force_rm, load, reproducible;
};

static const struct opt build_options[] = {
	OPT_LIST(0, "add-host", struct build_args, add_hosts, "HOST:IP", "add a line to /etc/hosts of the steps"),
	OPT_LIST(0, "annotation", struct build_args, annotations, "K=V", "add an annotation to the manifest"),
	OPT_LIST(0, "build-arg", struct build_args, build_args, "K[=V]", "set an ARG; without =V from the environment"),
	OPT_LIST(0, "build-context", struct build_args, contexts, "NAME=VALUE",
		 "another context: a directory, rootfs:/, oci-layout://DIR or docker-image://NAME"),
	OPT_STR('f', "file", struct build_args, file, "PATH", "read this Dockerfile ('-': standard input)"),
	OPT_STR(0, "iidfile", struct build_args, iidfile, "FILE", "write the image ID to a file"),
	OPT_LIST(0, "label", struct build_args, labels, "K=V", "set a label of the image"),
	OPT_FLAG(0, "load", struct build_args, load, "put the image into the store (it always goes there)"),
	OPT_STR(0, "metadata-file", struct build_args, metadata_file, "FILE", "write digests of the result as JSON"),
	OPT_CHOICE(0, "network", struct build_args, network, "default|host|none", "network of RUN steps"),
	OPT_FLAG(0, "no-cache", struct build_args, no_cache, "run every step again"),
	OPT_LIST(0, "no-cache-filter", struct build_args, no_cache_filter, "STAGE", "run the steps of these stages again"),
	OPT_LIST('o', "output", struct build_args, outputs, "DEST",
		 "where the result goes: DIR, '-' (tar), or type=local|tar|oci|docker|image,dest=…"),
	OPT_STR(0, "platform", struct build_args, platform, "OS/ARCH", "platform of the result: this machine's"),
	OPT_CHOICE(0, "progress", struct build_args, progress, "auto|plain|tty|quiet", "how progress is shown"),
	OPT_OPTVAL(0, "pull", struct build_args, pull, "WHEN", "always",
		   "ask registries for base images: always, missing (without the flag) or never"),
	OPT_FLAG(0, "push", struct build_args, push, "send the image to the registries that its tags name"),
	OPT_FLAG('q', "quiet", struct build_args, quiet, "print only the image ID"),
	OPT_FLAG(0, "reproducible", struct build_args, reproducible,
		 "same input, same bytes: SOURCE_DATE_EPOCH (0 if not given) for all times, file times of layers too"),
	OPT_STR(0, "shm-size", struct build_args, shm_size, "BYTES", "size of /dev/shm in RUN steps"),
	OPT_LIST('t', "tag", struct build_args, tags, "NAME[:TAG]", "name the image; may be given several times"),
	OPT_STR(0, "target", struct build_args, target, "STAGE", "build this stage instead of the last"),
	REGISTRY_OPTS(struct build_args, reg),
	/* What docker takes and what makes no difference here. */
	OPT_FLAG_HIDDEN(0, "rm", struct build_args, rm),
	OPT_FLAG_HIDDEN(0, "force-rm", struct build_args, force_rm),
	OPT_LATER(0, "secret", "SPEC", "secrets come in a later version"),
	OPT_LATER(0, "ssh", "SPEC", "agent forwarding comes in a later version"),
	OPT_LATER(0, "cache-from", "SPEC", "caches outside of the store come in a later version"),
	OPT_LATER(0, "cache-to", "SPEC", "caches outside of the store come in a later version"),
	OPT_LATER(0, "squash", NULL, "it comes in a later version"),
	OPT_LATER(0, "allow", "ENTITLEMENT", "steps with more rights come in a later version"),
	OPT_LATER(0, "sbom", "SPEC", "attestations come in a later version"),
	OPT_LATER(0, "provenance", "SPEC", "attestations come in a later version"),
	OPT_LATER(0, "attest", "SPEC", "attestations come in a later version"),
	OPT_LATER(0, "call", "METHOD", "it comes in a later version"),
	OPT_LATER(0, "check", NULL, "it comes in a later version; warnings are shown after each build"),
	OPT_LATER(0, "ulimit", "SPEC", "it comes in a later version"),
	OPT_LATER(0, "cgroup-parent", "PATH", "it comes in a later version"),
	OPT_LATER('m', "memory", "BYTES", "it comes in a later version"),
	OPT_LATER(0, "isolation", "KIND", "steps are always isolated in namespaces"),
	{ 0 },
};

/* ---- options into build_opts ---- */

static int split_pair(const char *arg, const char *flag, struct slice *k, struct slice *v, struct err *e)
{
	struct slice s = slice_of(arg);
	size_t eq = slice_find(s, '=');
	if (eq == 0 || eq == s.n) {
		err_set(e, ERR_USER, "--%s %s: it takes NAME=VALUE", flag, arg);
		return -1;
	}
	*k = slice_head(s, eq);
	*v = slice_from(s, eq + 1);
	return 0;
}

static int fill_pairs(const struct strs *from, const char *flag, struct kvs *to, struct err *e)
{
	struct slice k, v;
	for (size_t i = 0; i < from->n; i++) {
		if (split_pair(from->p[i], flag, &k, &v, e) < 0)
			return -1;
		kvs_set(to, k, v);
	}
	return 0;
}

/* K=V; K alone takes this environment's value, and is dropped if there is none. */
static int fill_build_args(const struct strs *from, struct kvs *to, struct err *e)
{
	for (size_t i = 0; i < from->n; i++) {
		struct slice s = slice_of(from->p[i]);
		size_t eq = slice_find(s, '=');
		if (s.n == 0 || eq == 0)
			return err_set(e, ERR_USER, "--build-arg '%s': it takes NAME or NAME=VALUE", from->p[i]);
		const char *value = eq < s.n ? NULL : getenv(from->p[i]);
		if (eq < s.n)
			kvs_set(to, slice_head(s, eq), slice_from(s, eq + 1));
		else if (value)
			kvs_set(to, s, slice_of(value));
	}
	/* As docker buildx does: the environment's epoch is a build argument. */
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	if (epoch && !kvs_get(to, "SOURCE_DATE_EPOCH"))
		kvs_set(to, SL("SOURCE_DATE_EPOCH"), slice_of(epoch));
	return 0;
}

static int fill_hosts(const struct strs *from, struct kvs *to, struct err *e)
{
	for (size_t i = 0; i < from->n; i++) {
		struct slice s = slice_of(from->p[i]);
		size_t at = slice_find(s, ':');
		size_t eq = slice_find(s, '=');
		if (eq < at)
			at = eq;
		if (at == 0 || at >= s.n || at + 1 == s.n)
			return err_set(e, ERR_USER, "--add-host %s: it takes HOST:IP", from->p[i]);
		kvs_set(to, slice_head(s, at), slice_from(s, at + 1));
	}
	return 0;
}

static int explain_miss(const struct build_miss *m, struct err *e)
{
	struct copy_miss c = { .path = m->path, .stage = m->stage, .workdir = m->workdir,
			       .instruction = m->instruction, .dest = m->dest };
	return explain_copy_miss(m->view, &c, e);
}

static void build_opts_done(struct build_opts *o)
{
	kvs_done(&o->args);
	kvs_done(&o->labels);
	kvs_done(&o->add_hosts);
	kvs_done(&o->annotations);
	arr_each(n, &o->named) {
		free(n->name);
		free(n->value);
	}
	arr_done(&o->named);
	strs_done(&o->no_cache_filter);
}

static int fill_opts(const struct build_args *a, const struct build_input *in, struct build_opts *o, struct err *e)
{
	*o = (struct build_opts){ .context = in->context, .dockerfile_name = in->dockerfile_name,
				  .dockerfile = buf_view(&in->dockerfile), .target = a->target,
				  .no_cache = a->no_cache, .platform = a->platform, .network = a->network,
				  .explain_miss = explain_miss };
	if (in->ignore_name) {
		o->ignore = buf_view(&in->ignore);
		o->ignore_name = in->ignore_name;
	}
	for (size_t i = 0; i < a->contexts.n; i++) {
		struct slice k, v;
		if (split_pair(a->contexts.p[i], "build-context", &k, &v, e) < 0)
			return -1;
		arr_push(&o->named, (struct build_named){ slice_dup(k), slice_dup(v) });
	}
	for (size_t i = 0; i < a->no_cache_filter.n; i++) {
		struct slice rest = slice_of(a->no_cache_filter.p[i]), name;
		while (slice_split(&rest, ',', &name)) {
			char *lower = slice_dup(name);
			for (char *c = lower; *c; c++)
				*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
			strs_take(&o->no_cache_filter, lower);
		}
	}
	if (a->shm_size && num_parse_size(slice_of(a->shm_size), &o->shm_size) < 0)
		return err_set(e, ERR_USER, "--shm-size %s: it takes a size such as 64m", a->shm_size);
	if (fill_pairs(&a->labels, "label", &o->labels, e) < 0 ||
	    fill_pairs(&a->annotations, "annotation", &o->annotations, e) < 0 ||
	    fill_hosts(&a->add_hosts, &o->add_hosts, e) < 0)
		return -1;
	return fill_build_args(&a->build_args, &o->args, e);
}

static int parse_tags(const struct strs *tags, struct build_input *in, struct err *e)
{
	for (size_t i = 0; i < tags->n; i++) {
		struct reference *r = arr_add(&in->refs);
		if (cli_no_scratch(tags->p[i], "name an image", e) < 0)
			return -1;
		if (reference_parse(slice_of(tags->p[i]), r, e) < 0)
			return err_add(e, "-t %s", tags->p[i]);
		if (r->has_digest)
			return err_set(e, ERR_USER, "-t %s: a name to give cannot hold a digest", tags->p[i]);
	}
	return 0;
}

/* ---- after the build ---- */

static void fine_key(const struct build_result *r, struct digest *key)
{
	static const char version[] = THIMBLE_VERSION " " THIMBLE_COMMIT;
	struct sha256 sum;
	sha256_begin(&sum);
	sha256_field(&sum, version, strlen(version));
	sha256_add(&sum, r->manifest.b, sizeof r->manifest.b);
	sha256_end(&sum, key->b);
}

/* Where there was nothing to say about an image, this version has nothing to say the next time. */
static void warn_about(struct cli *c, struct store *s, const struct build_result *r)
{
	if (r->on_rootfs)
		return; /* what it stands on is not in its layers */
	struct image_fs fs = { 0 };
	struct explanation x = { 0 };
	struct err ignored = { 0 }; /* advice only: the image is built */
	_cleanup_(buf_done) struct buf known = { 0 };
	struct digest key;
	fine_key(r, &key);
	if (cache_get(s, "fine", &key, &known, &ignored) == 1)
		return;
	err_done(&ignored);
	if (image_fs_open(s, r->snaps.p, r->snaps.n, &fs, &ignored) == 0) {
		struct explain_fs look = explain_fs_image(&fs);
		int told = explain_image(&look, &r->config, NULL, &x, &ignored);
		if (told == 0)
			(void) !cache_put(s, "fine", &key, SL(""), &ignored);
		if (told > 0) {
			struct err warning = { 0 };
			(void) explanation_to_err(&x, &warning);
			err_add(&warning, "warning: the image is built, and will not start");
			cli_error(c, &warning);
		}
	}
	explanation_done(&x);
	image_fs_close(&fs);
	err_done(&ignored);
}

static int write_file(const char *path, const char *text, struct err *e)
{
	_free_ char *dir = slice_dup(path_dir(slice_of(path)));
	_free_ char *name = slice_dup(path_base(slice_of(path)));
	_close_ int fd = fs_open_dir(AT_FDCWD, dir, e);
	return fd < 0 ? -1 : fs_write(fd, fd, name, slice_of(text), 0644, false, e);
}

static int name_image(struct build_input *in, const struct build_result *r, bool quiet, struct err *e)
{
	arr_each(ref, &in->refs) {
		_free_ char *text = reference_text(ref);
		_free_ char *familiar = reference_familiar(ref);
		if (name_set(in->store, text, &r->manifest, e) < 0)
			return err_add(e, "name the image '%s'", familiar);
		if (!quiet)
			(void) fprintf(stderr, "named %s\n", familiar);
	}
	return 0;
}

/* A name whose build failed remembers it, for compare. */
static void name_failure(struct build_input *in, const struct err *why)
{
	arr_each(ref, &in->refs) {
		struct err ignored = { 0 }; /* the build's own error is what the user needs */
		_free_ char *text = reference_text(ref);
		(void) !name_set_failed(in->store, text, why, &ignored);
		err_done(&ignored);
	}
}

static int finish(struct cli *c, const struct build_args *a, struct build_input *in, struct build_result *r,
		  struct outputs *outputs, int64_t since, struct err *e)
{
	char id[DIGEST_LEN];
	digest_text(&r->id, id);
	bool quiet = a->quiet;
	if (name_image(in, r, quiet || (a->progress && strcmp(a->progress, "quiet") == 0), e) < 0)
		return -1;
	if (outputs_write(c, outputs, in->store, r, in->refs.n ? &in->refs.p[0] : NULL, e) < 0)
		return -1;
	if (a->iidfile && write_file(a->iidfile, id, e) < 0)
		return err_add(e, "write --iidfile %s", a->iidfile);
	if (a->metadata_file) {
		_cleanup_(buf_done) struct buf json = { 0 };
		outputs_metadata(r, in->refs.p, in->refs.n, &json);
		if (write_file(a->metadata_file, json.p, e) < 0)
			return err_add(e, "write --metadata-file %s", a->metadata_file);
	}
	if (quiet && !outputs_to_stdout(outputs))
		(void) printf("%s\n", id);
	if (!quiet && !(a->progress && strcmp(a->progress, "quiet") == 0))
		(void) fprintf(stderr, "built %.19s  %u step%s, %u cached  %.2fs\n", id, r->steps,
			       r->steps == 1 ? "" : "s", r->cached,
			       (double)(clock_mono_ns() - since) / 1e9);
	return 0;
}

/* ---- registries ---- */

struct obtaining {
	struct obtain o;
	struct store *s;
	enum pull_when when;
};

static int obtain_base(void *ctx, const char *name, struct err *e)
{
	const struct obtaining *ob = ctx;
	return obtain_image(&ob->o, ob->s, name, ob->when, e);
}

/* Docker's --pull is a bool, podman's says when. */
static int build_pull_when(struct cli *c, const char *word, enum pull_when *out, struct err *e)
{
	if (word && strcmp(word, "true") == 0)
		word = "always";
	if (word && strcmp(word, "false") == 0)
		word = "missing";
	return pull_when(c, word, out, e);
}

static int push_all(struct cli *c, const struct build_input *in, const struct build_opts *o,
		    const struct registry_opts *ro, enum progress_mode mode, struct err *e)
{
	const struct push_opts po = {
		.registry = ro,
		.outgoing = { .compression = COMP_GZIP, .docker = o->docker_format },
	};
	arr_each(it, &in->refs) {
		_free_ char *name = reference_text(it);
		struct pushed got;
		char digest[DIGEST_LEN];
		if (send_image(c, in->store, name, it, &po, mode, &got, e) < 0)
			return -1;
		if (mode != PROGRESS_QUIET)
			(void) fprintf(stderr, "pushed %s@%s\n", name, digest_text(&got.digest, digest));
	}
	return 0;
}

static int build_main(struct cli *c, const void *args, const struct words *words, struct err *e)
{
	const struct build_args *a = args;
	int64_t since = clock_mono_ns();
	_cleanup_(build_input_done) struct build_input in = { 0 };
	_cleanup_(build_opts_done) struct build_opts o = { 0 };
	_cleanup_(build_result_done) struct build_result r = { 0 };
	_cleanup_(outputs_done) struct outputs outputs = { 0 };
	_cleanup_(creds_done) struct creds creds = { 0 };
	enum progress_mode mode = a->quiet ? PROGRESS_QUIET : progress_mode(a->progress);
	struct registry_opts ro;
	if (outputs_parse(&a->outputs, &outputs, e) < 0)
		return -1;
	if (parse_tags(&a->tags, &in, e) < 0)
		return -1;
	in.store = cli_store(c, true, e);
	if (!in.store || build_input_open(&in, words->p[0], a->file, e) < 0 || fill_opts(a, &in, &o, e) < 0)
		return -1;
	o.docker_format = outputs_want_docker(&outputs);
	o.rewrite_timestamp = a->reproducible || outputs_want_rewrite(&outputs);
	if (a->reproducible && !kvs_get(&o.args, "SOURCE_DATE_EPOCH"))
		kvs_set(&o.args, SL("SOURCE_DATE_EPOCH"), SL("0"));
	if (o.rewrite_timestamp && !kvs_get(&o.args, "SOURCE_DATE_EPOCH")) {
		err_set(e, ERR_USER, "rewrite-timestamp=true needs an epoch to rewrite times to");
		return err_hint(e, "set SOURCE_DATE_EPOCH, or use --reproducible");
	}
	struct obtaining ob = { .o = { c, &ro, NULL, mode }, .s = in.store };
	if (registry_args_opts(c, &a->reg, &ro, &creds, e) < 0 || build_pull_when(c, a->pull, &ob.when, e) < 0)
		return -1;
	if (a->push && in.refs.n == 0)
		return cli_wrong(c, e, "--push wants a name to push to: -t NAME");
	o.obtain = obtain_base;
	o.obtain_ctx = &ob;
	struct progress *p = progress_new(c, mode);
	o.events = progress_events(p);
	int ok = build_run(in.store, &o, &r, e);
	progress_end(p);
	progress_free(p);
	if (ok < 0) {
		if (!interrupt_pending())
			name_failure(&in, e);
		return -1;
	}
	ok = finish(c, a, &in, &r, &outputs, since, e);
	if (ok == 0 && a->push)
		ok = push_all(c, &in, &o, &ro, mode, e);
	if (ok == 0)
		warn_about(c, in.store, &r);
	return ok;
}

const struct cmd cmd_build = {
	.name = "build",
	.usage = "[OPTIONS] CONTEXT",
	.help = "build an image from a Dockerfile",
	.opts = build_options,
	.args_size = sizeof(struct build_args),
	.run = build_main,
	.unwinds = true,
	.min = 1,
	.max = 1,
	.group = GROUP_BUILD,
	.details = "CONTEXT is a directory, or '-': a Dockerfile or a tar archive on standard input. The Dockerfile\n"
		   "is -f PATH ('-': standard input), else Dockerfile, dockerfile or Containerfile of the context.",
	.examples = "thimble build -t hello .\n"
		    "thimble build -t hello:small --target run --build-arg VERSION=2 .\n"
		    "thimble build --build-context gcc=rootfs:/ -t hello -f Dockerfile.gcc .\n"
		    "thimble build -o out . && ls out",
};
