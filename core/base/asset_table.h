/* What tools/embed.py writes and asset.c reads. */
#pragma once

#include <glib.h>

typedef struct {
    const char *name;
    gsize length;
    const char *bytes; /* followed by a NUL */
} Asset;

extern const Asset asset_table[]; /* sorted by name, byte by byte */
extern const gsize asset_count;
