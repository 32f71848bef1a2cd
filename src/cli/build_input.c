/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/build_input.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/path.h"
#include "dockerfile/ignore.h"
#include "layer/compress.h"
#include "sandbox/userns.h"

void build_input_done(struct build_input *in)
{
	struct err ignored = { 0 }; /* swept by the next run */
	if (in->temp)
		(void) !fs_remove(store_fd(in->store), in->temp, &ignored);
	err_done(&ignored);
	buf_done(&in->dockerfile);
	buf_done(&in->ignore);
	free(in->dockerfile_name);
	free(in->ignore_name);
	free(in->context);
	free(in->temp);
	arr_each(r, &in->refs)
		reference_done(r);
	arr_done(&in->refs);
}

/* ---- the Dockerfile and the context ---- */

enum { DOCKERFILE_READ_MAX = 16 << 20 };

static int read_stdin(struct buf *out, const char *what, struct err *e)
{
	out->max = DOCKERFILE_READ_MAX;
	return fd_slurp(STDIN_FILENO, out, what, e);
}

/* Names that are looked for in a context, in this order. */
static const char *const default_names[] = { "Dockerfile", "dockerfile", "Containerfile" };

static int default_dockerfile(const char *context, char **path, struct err *e)
{
	for (size_t i = 0; i < COUNT_OF(default_names); i++) {
		_free_ char *p = path_join(slice_of(context), slice_of(default_names[i]));
		if (access(p, F_OK) == 0) {
			*path = take_ptr(&p);
			return 0;
		}
	}
	err_set(e, ERR_USER, "failed to read dockerfile: open Dockerfile: no such file or directory");
	err_add(e, "there is no Dockerfile, dockerfile or Containerfile in '%s'", context);
	return err_hint(e, "name it with -f PATH, or give the directory that holds it");
}

/* The ignore file that goes with a Dockerfile: PATH.dockerignore, else the context's own. */
static int read_ignore(struct build_input *in, const char *dockerfile, struct err *e)
{
	_free_ char *beside = dockerfile ? str_printf("%s.dockerignore", dockerfile) : NULL;
	_free_ char *own = in->context ? path_join(slice_of(in->context), SL(".dockerignore")) : NULL;
	const char *choices[] = { beside, own };
	for (size_t i = 0; i < COUNT_OF(choices); i++) {
		int r = choices[i] ? fs_read_optional(AT_FDCWD, choices[i], IGNORE_MAX, &in->ignore, e) : 0;
		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		in->ignore_name = slice_dup(i == 0 ? path_base(slice_of(beside)) : SL(".dockerignore"));
		/* An empty file has no rules, but it is there and chosen. */
		if (!in->ignore.p)
			buf_str(&in->ignore, "");
		return 0;
	}
	return 0;
}

static int read_dockerfile(struct build_input *in, const char *path, struct err *e)
{
	in->dockerfile_name = str_dup(path);
	if (fs_read(AT_FDCWD, path, DOCKERFILE_READ_MAX, &in->dockerfile, e) == 0)
		return 0;
	if (e->kind == ERR_ABSENT) {
		err_set(e, ERR_USER, "failed to read dockerfile: open %s: no such file or directory", path);
		err_hint(e, in->temp ? "with a tar archive on standard input the path of -f starts at the archive's root" :
				       "the path of -f starts at the current directory, not at the context");
	}
	return -1;
}

/* A tar on standard input becomes a directory below the store's tmp/. */
static int unpack_context(struct build_input *in, const struct buf *head, struct err *e)
{
	if (userns_enter(e) < 0)
		return -1;
	_close_ int dirfd = -1;
	in->temp = store_tmp_dir(in->store, &dirfd, e);
	if (!in->temp)
		return -1;
	_cleanup_(source_closep) struct source *raw = source_mem(head->p, head->len);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(raw, NULL, e);
	struct index x;
	index_init(&x);
	int r = plain ? tree_unpack(dirfd, plain, store_tree_opts(in->store), &x, e) : -1;
	index_done(&x);
	if (r < 0)
		return err_add(e, "unpack the context from standard input");
	in->context = str_printf("%s/%s", store_path(in->store), in->temp);
	return 0;
}

static bool looks_like_tar(const struct buf *b)
{
	struct err ignored = { 0 };
	char head[1024];
	ssize_t n = 0;
	_cleanup_(source_closep) struct source *raw = source_mem(b->p ? b->p : "", b->len);
	_cleanup_(source_closep) struct source *plain = comp_source_auto(raw, NULL, &ignored);
	if (plain)
		n = source_full(plain, head, sizeof head, &ignored);
	err_done(&ignored);
	return n >= 512 && tar_sniff(head, (size_t)n);
}

/* "-": a Dockerfile with an empty context, or a tar that holds both. */
static int open_stdin(struct build_input *in, const char *file, struct err *e)
{
	if (file && strcmp(file, "-") == 0)
		return err_set(e, ERR_USER, "both the context and the Dockerfile are '-': standard input can be only one");
	_cleanup_(buf_done) struct buf text = { .max = 1u << 30 };
	if (fd_slurp(STDIN_FILENO, &text, "the context on standard input", e) < 0)
		return -1;
	if (!looks_like_tar(&text)) {
		if (file) {
			err_set(e, ERR_USER, "-f %s: standard input is no tar archive, so there is no context to find it in",
				file);
			return err_hint(e, "pipe a tar archive, or give the Dockerfile alone: thimble build - < %s", file);
		}
		in->dockerfile = text;
		text = (struct buf){ 0 };
		in->dockerfile_name = str_dup("Dockerfile (standard input)");
		return 0;
	}
	if (unpack_context(in, &text, e) < 0)
		return -1;
	_free_ char *path = NULL;
	if (file)
		path = path_join(slice_of(in->context), slice_of(file));
	else if (default_dockerfile(in->context, &path, e) < 0)
		return -1;
	if (read_dockerfile(in, path, e) < 0 || read_ignore(in, path, e) < 0)
		return -1;
	str_set(&in->dockerfile_name, slice_dup(path_base(slice_of(path))));
	return 0;
}

static bool is_remote(const char *s)
{
	return strstr(s, "://") || strncmp(s, "git@", 4) == 0 || strncmp(s, "github.com/", 11) == 0;
}

int build_input_open(struct build_input *in, const char *context, const char *file, struct err *e)
{
	if (strcmp(context, "-") == 0)
		return open_stdin(in, file, e);
	struct stat st;
	if (stat(context, &st) < 0) {
		if (is_remote(context)) {
			err_set(e, ERR_USER, "the context '%s' is not on this machine: contexts from the network come in "
				"a later version", context);
			return err_hint(e, "fetch it first: git clone …, then thimble build DIR");
		}
		err_sys(e, "open the context '%s'", context);
		return err_hint(e, "the last argument is the directory with the files of COPY; '.' is this one");
	}
	if (!S_ISDIR(st.st_mode)) {
		err_set(e, ERR_USER, "the context '%s' is not a directory", context);
		return err_hint(e, "for a Dockerfile write: thimble build -f %s DIR", context);
	}
	in->context = str_dup(context);
	if (file && strcmp(file, "-") == 0) {
		in->dockerfile_name = str_dup("Dockerfile (standard input)");
		return read_stdin(&in->dockerfile, "the Dockerfile on standard input", e) < 0 ? -1 :
			read_ignore(in, NULL, e);
	}
	_free_ char *path = str_dup(file);
	if (!path && default_dockerfile(context, &path, e) < 0)
		return -1;
	if (read_dockerfile(in, path, e) < 0)
		return -1;
	if (!file)
		str_set(&in->dockerfile_name, slice_dup(path_base(slice_of(path))));
	return read_ignore(in, path, e);
}
