/* Turtle 1.1 from the one shape of JSON-LD that catalogue_dcat.c makes: {"@context": prefixes, "@graph":
 * nodes}, where a member is "@id", "@type" (prefixed names), or a prefixed name with a value or an array of
 * values: {"@id"}, {"@value", "@language" or "@type"}, or a node without "@id". So both formats say the same.
 */
#pragma once

#include <jansson.h>

/* Caller frees. Pure. */
char *turtle_write(const json_t *document);
