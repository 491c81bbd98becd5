/* What may be asked of the register: the two kinds of question, parsed strictly, with the API's own list of
 * what is wrong. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>

typedef enum { BRP_BY_BSN, BRP_BY_NAME_AND_BIRTH } BrpQueryType;

#define BRP_MAX_BSNS 20
#define BRP_MAX_FIELDS 130
#define BRP_MAX_FOUND 10

typedef struct {
    BrpQueryType type;
    const char *type_name; /* as in the question and the answer */
    char **bsns;           /* BRP_BY_BSN: 1 to 20, in the order asked */
    char *surname;         /* BRP_BY_NAME_AND_BIRTH; may end with "*" */
    char *birth;           /* "YYYYMMDD" */
    char *given_names;     /* may end with "*"; NULL when not asked, as the next ones */
    char *prefix;
    char *gender;       /* "M", "V" or "O" */
    char *municipality; /* code of four digits; for both types */
    gboolean with_deceased;
    char **fields; /* 1 to 130 paths that exist (catalogue.h) */
} BrpQuery;

void brp_query_free(BrpQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BrpQuery, brp_query_free)

/* NULL when something is wrong; then `*fault` is the body of the answer (fault.h), which tells everything
 * that is wrong at once. No value that was given stands in it. */
BrpQuery *brp_query_parse(const json_t *body, const char *instance, json_t **fault);
