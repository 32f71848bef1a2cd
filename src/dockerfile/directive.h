/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/directive.h: "# syntax=…", "# escape=…", "# check=…" at the top of a Dockerfile. */
#pragma once
#include "dockerfile/lex.h"

/* Reads them all (text without BOM). *frontend: the value of "syntax" where it is written in one of
 * the forms for files that are no Dockerfile ("//syntax=x", {"syntax": "x"}), else untouched. */
int directives_read(struct slice text, const char *file, struct arena *arena,
		    struct lex_directives *out, const char **frontend, struct err *e) _must_check_;
/* "# name = value" at the start of a line (blanks before '#' are not skipped). */
bool directive_line(struct slice line, const char *mark, struct slice *name, struct slice *value);
