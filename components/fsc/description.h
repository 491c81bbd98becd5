/* What an organisation says of a service that it offers: what the contract of a publication does not hold,
 * and a catalogue asks for (DCAT-AP-NL 3.0.1). docs/catalogue.md tells who writes it and how it travels.
 *
 * A description is a flat object; its members are the keys of [service.NAME] in node.conf, texts but for
 * "theme" and "keywords", which are arrays of texts. What is not in the table below is not in it. Pure
 * functions: no I/O, no clock. */
#pragma once

#include <jansson.h>

#include "core/node/config.h"

typedef enum {
    DESCRIPTION_TEXT, /* one line or more */
    DESCRIPTION_IRI,  /* http or https */
    DESCRIPTION_EMAIL,
    DESCRIPTION_RIGHTS,  /* public, restricted, non-public */
    DESCRIPTION_THEMES,  /* codes of the European list of themes */
    DESCRIPTION_KEYWORDS /* words */
} DescriptionKind;

typedef struct {
    const char *key;
    DescriptionKind kind;
    guint max; /* bytes of a text; number of words in a list */
} DescriptionField;

extern const DescriptionField description_fields[];
extern const gsize description_fields_count;

/* A code of a European list, the last part of its address there, and what people call it. */
typedef struct {
    const char *word; /* in a description */
    const char *code; /* in the address */
    const char *nl, *en;
} DescriptionCode;

/* NULL when the word is not in the list. */
const DescriptionCode *description_theme(const char *word);
const DescriptionCode *description_rights(const char *word);

/* TRUE for an absolute http or https IRI that may stand between < and > in Turtle: ASCII, no white space, no
 * "<>\"{}|\\^`", every % followed by two digits. */
gboolean description_iri_valid(const char *text);
/* TRUE for name@domain with nothing in it that needs quoting. */
gboolean description_email_valid(const char *text);

/* The description in one section of node.conf. NULL with FUNDAMENT_ERROR_INVALID, which names the key. */
json_t *description_from_config(const Config *config, const char *section, GError **error);

/* What of an object from elsewhere is a good description: unknown members and wrong values are left out, so
 * that a newer or careless neighbour does not cost us the rest. Never NULL. */
json_t *description_clean(const json_t *object);

/* As description_clean(), but the first wrong member is FUNDAMENT_ERROR_INVALID: for our own files. */
json_t *description_check(const json_t *object, const char *path, GError **error);
