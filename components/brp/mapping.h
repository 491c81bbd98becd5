/* From members of the source (the shape of the personen-mock, which is that of the register's own records) to
 * members of the API: tables of rows instead of code. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum {
    BRP_TEXT,   /* as it is; "." stands for unknown */
    BRP_DATE,   /* eight digits to one of four shapes */
    BRP_CODE,   /* a value of a table; left out when its code is the one for unknown (".", "000", "0000") */
    BRP_STATED, /* a value of a table of which "unknown" is delivered as well */
    BRP_NUMBER, /* digits to a number; 0 stands for unknown */
    BRP_BAG_ID, /* 16 digits, not all zero */
    BRP_FLAG    /* true when it is there and is not false or "0" */
} BrpKind;

typedef struct {
    const char *from, *to;
    BrpKind kind;
} BrpMapping;

/* What is missing, empty, unknown or unreadable in the source is left out. */
void brp_map(json_t *target, const json_t *source, const BrpMapping *table, gsize n);
#define BRP_MAP(target, source, table) brp_map((target), (source), (table), G_N_ELEMENTS(table))

/* The text of a member; NULL when it is absent, empty or ".", which stands for unknown (LO BRP). */
const char *brp_known(const json_t *object, const char *name);

/* The code of a member that is a value of a table; NULL when there is none. */
const char *brp_code(const json_t *object, const char *name);

void brp_set_text(json_t *target, const char *name, const char *text); /* nothing for NULL and "" */
