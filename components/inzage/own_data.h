/* The register's answer about a person as sections of labels and values in plain words. Whatever the register
 * sends is shown, also what this program has no words for. Pure, but for the tables of phrases. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* One of "personen" as [{"title", "items": [{"heading"?, "rows": [{"label", "value": {"text", "lang"?},
 * "investigated"}]}]}], in the order in which people look for things. New reference. */
json_t *own_data_sections(const json_t *person, const char *language);

/* Whether any value is marked as under investigation. */
gboolean own_data_investigated(const json_t *sections);
