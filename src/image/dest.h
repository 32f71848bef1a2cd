/* SPDX-License-Identifier: Apache-2.0 */
/* image/dest.h: where an image goes when it is copied: for each image its config and layers as far
 * as the target does not have them, then its manifest; at the end `finish`, which gives all of it
 * its name. What is not finished has no name, and dest_close takes it away. */
#pragma once
#include "image/origin.h"

struct transfer;

struct dest_opts {
	const struct registry_opts *registry; /* NULL: registries are refused */
};

/* A blob on its way. */
struct parcel {
	const struct descriptor *desc;
	const struct digest *diff_id; /* of a layer of an image, else NULL */
	struct origin *from;
	int fd; /* a file with its bytes, verified (one that was converted), or -1 */
	struct transfer *transfer; /* whom parcel_open tells how much was read, or NULL */
};
/* From the beginning, verified as origin_blob does. */
struct source *parcel_open(const struct parcel *p, struct err *e);
/* All of it into a sink; with archive_stream's signature. */
int parcel_pour(void *parcel, struct sink *out, struct err *e) _must_check_;

enum dest_has { DEST_LACKS, DEST_HAS, DEST_MOUNTED };

struct dest;
struct dest_ops {
	int (*has)(struct dest *t, const struct parcel *p, struct err *e); /* enum dest_has, -1 */
	/* Not asked for what it has. */
	int (*blob)(struct dest *t, const struct parcel *p, struct err *e);
	/* Below an index, or on the top. */
	int (*manifest)(struct dest *t, const struct descriptor *d, struct slice text, bool top,
			struct err *e);
	/* Gives it its name. */
	int (*finish)(struct dest *t, const struct descriptor *top, struct err *e);
	void (*close)(struct dest *t);
	/* In a forked child, first thing; may be NULL. */
	void (*forked)(struct dest *t);
};
struct dest {
	const struct dest_ops *ops;
	struct store *store;
	char *text; /* for messages */
	const struct reference *repository; /* a registry's, or NULL */
	const struct reference *source; /* the registry's repository that all comes from, or NULL */
	bool serial; /* one blob after the other, in this process */
	bool images_only; /* no indexes, no artifacts; parcels of layers have diff ids */
	bool plain; /* layers must not be compressed */
	bool prefers_oci; /* where there is no manifest to keep */
	bool packs; /* layers that came plain for their container's sake are compressed */
};

struct dest *dest_open(struct store *s, const struct locator *l, const struct dest_opts *o,
			   struct err *e);
void dest_close(struct dest *t);
DEFINE_CLEANUP(struct dest, dest_close)

/* One for each kind; called by dest_open. */
struct dest *dest_of_store(struct store *s, const struct locator *l, struct err *e);
struct dest *dest_of_layout(const struct locator *l, struct err *e);
struct dest *dest_of_archive(const struct locator *l, struct err *e);
struct dest *dest_of_docker(const struct locator *l, struct err *e);
struct dest *dest_of_dir(const struct locator *l, struct err *e);
struct dest *dest_of_registry(const struct locator *l, const struct dest_opts *o,
				  struct err *e);
