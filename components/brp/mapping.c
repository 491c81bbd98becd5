#include "components/brp/mapping.h"

#include <stdlib.h>
#include <string.h>

#include "components/brp/date.h"
#include "core/format/json.h"

#define DIGITS "0123456789"

static gboolean is_unknown(const char *text)
{
    return text == NULL || text[0] == '\0' || strcmp(text, ".") == 0;
}

static json_t *map_text(const json_t *value)
{
    return is_unknown(json_string_value(value)) ? NULL : json_incref((json_t *)value);
}

static json_t *map_date(const json_t *value)
{
    return brp_date(json_string_value(value));
}

/* Only the members that the API has. A code without description stands in no table: the code alone goes; a
 * description without code is a place abroad. */
static json_t *map_stated(const json_t *value)
{
    static const char *const MEMBERS[] = {"code", "omschrijving", "soort"};
    json_t *out = json_object();
    for (gsize i = 0; i < G_N_ELEMENTS(MEMBERS); i++)
        brp_set_text(out, MEMBERS[i], json_string_at(value, MEMBERS[i]));
    if (json_object_size(out) == 0)
        g_clear_pointer(&out, json_decref);
    return out;
}

static json_t *map_code(const json_t *value)
{
    const char *code = json_string_at(value, "code");
    gboolean unknown =
        code != NULL && (is_unknown(code) || strcmp(code, "0000") == 0 || strcmp(code, "000") == 0);
    return unknown ? NULL : map_stated(value);
}

static json_t *map_number(const json_t *value)
{
    json_int_t number = json_integer_value(value);
    const char *text = json_string_value(value);
    if (text != NULL && strlen(text) <= 9 && strspn(text, DIGITS) == strlen(text))
        number = atoi(text);
    return number > 0 ? json_integer(number) : NULL;
}

static json_t *map_bag_id(const json_t *value)
{
    const char *text = json_string_value(value);
    gboolean good =
        text != NULL && strlen(text) == 16 && strspn(text, DIGITS) == 16 && strspn(text, "0") < 16;
    return good ? json_incref((json_t *)value) : NULL;
}

static json_t *map_flag(const json_t *value)
{
    const char *text = json_string_value(value);
    gboolean set =
        json_is_true(value) || json_integer_value(value) > 0 || (text != NULL && strtol(text, NULL, 10) > 0);
    return set ? json_true() : NULL;
}

void brp_map(json_t *target, const json_t *source, const BrpMapping *table, gsize n)
{
    static json_t *(*const MAPS[])(const json_t *value) = {
        [BRP_TEXT] = map_text,     [BRP_DATE] = map_date,     [BRP_CODE] = map_code,
        [BRP_STATED] = map_stated, [BRP_NUMBER] = map_number, [BRP_BAG_ID] = map_bag_id,
        [BRP_FLAG] = map_flag};
    for (gsize i = 0; i < n; i++) {
        const json_t *value = json_object_get(source, table[i].from);
        json_t *mapped = value != NULL ? MAPS[table[i].kind](value) : NULL;
        if (mapped != NULL)
            json_object_set_new(target, table[i].to, mapped);
    }
}

const char *brp_known(const json_t *object, const char *name)
{
    const char *text = json_string_at(object, name);
    return is_unknown(text) ? NULL : text;
}

const char *brp_code(const json_t *object, const char *name)
{
    return json_string_at(json_object_get(object, name), "code");
}

void brp_set_text(json_t *target, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        json_object_set_new(target, name, json_string(text));
}
