/* SPDX-License-Identifier: Apache-2.0 */
/* build/config_instr.h: instructions that change only the config of an image. */
#pragma once
#include "dockerfile/instr.h"
#include "oci/named.h"

/* True for CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL MAINTAINER ONBUILD SHELL STOPSIGNAL USER
 * VOLUME; WORKDIR too (its directory is another matter). */
bool config_instr_is(enum instr_kind k);
/* What is beside a config while instructions are applied to it, one after the other. Zeroed at first. */
struct config_names {
	struct named env, labels;
};
void config_names_done(struct config_names *names);
/* `in` is expanded. *cmd_set: CMD was set in this stage (an ENTRYPOINT then leaves it alone). */
void config_instr_apply(struct image_config *cfg, struct config_names *names, const struct instr *in,
			bool *cmd_set);
/* WORKDIR's new value: absolute ones verbatim, relative ones joined. Caller frees. */
char *config_workdir(const struct image_config *cfg, const char *arg);
/* SHELL's words and then `text`; the argv of a shell form. */
void config_shell(const struct image_config *cfg, const char *text, struct strs *out);
/* What history says of an instruction (dockerfile.md §8). Caller frees; NULL: it has no entry.
 * args: "k=v" of the ARGs in scope, for RUN. */
char *config_created_by(const struct image_config *cfg, const struct instr *in, const struct strs *args);
