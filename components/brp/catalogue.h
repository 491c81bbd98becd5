/* The catalogue of fields: every path that the parameter `fields` of BRP bevragen v2 may name. Pure. */
#pragma once

#include <glib.h>

/* The category of the source that a field comes from, as far as its RNI participant is told with it. */
typedef enum {
    BRP_NO_CATEGORY,
    BRP_OF_PERSON,
    BRP_OF_NATIONALITY,
    BRP_OF_DEATH,
    BRP_OF_RESIDENCE
} BrpCategory;

typedef enum {
    BRP_GROUP, /* has fields below it, which are rows of their own */
    BRP_LEAF,  /* one value */
    BRP_WHOLE  /* a date, a value of a table, or `gezag`: a part of it may be named, the whole is delivered */
} BrpShape;

typedef struct {
    const char *path;
    BrpShape shape;
    const char *parts; /* BRP_WHOLE: the parts that may be named, separated by spaces */
    BrpCategory category;
    gboolean limited;  /* in a PersoonBeperkt: the answer to a search */
    gboolean domestic; /* under the alias for residences in the country */
} BrpField;

extern const BrpField BRP_FIELDS[];
extern const gsize BRP_FIELD_COUNT;

typedef enum {
    BRP_FIELD_KNOWN,
    BRP_FIELD_UNKNOWN,  /* there is no such field for this question */
    BRP_FIELD_AUTOMATIC /* it goes along by itself and must not be asked */
} BrpFieldVerdict;

/* `limited`: for a search. When known: `*field` is its row, and `*domestic` whether it was named by the alias
 * (verblijfplaatsBinnenland, adresseringBinnenland). Both may be NULL. */
BrpFieldVerdict brp_field_find(const char *path, gboolean limited, const BrpField **field,
                               gboolean *domestic);

/* TRUE when `path` is `group` or lies below it. */
gboolean brp_field_is_below(const char *path, const char *group);
