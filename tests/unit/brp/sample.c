#include "tests/unit/brp/sample.h"

#include "components/brp/fields.h"
#include "components/brp/person.h"

json_t *parsed(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *value = json_parse_strict(text, -1, NULL, &error);
    if (value == NULL)
        fail_msg("%s\n%s", error->message, text);
    return value;
}

void assert_json(const json_t *value, const char *expected)
{
    g_autofree char *text = value != NULL ? json_write(value) : g_strdup("nothing");
    g_autoptr(json_t) wanted = expected != NULL ? parsed(expected) : NULL;
    gboolean same = expected == NULL ? value == NULL : json_equal(value, wanted);
    if (!same)
        fail_msg("\nexpected %s\n   found %s", expected != NULL ? expected : "nothing", text);
}

json_t *person_of(const char *record)
{
    g_autoptr(json_t) source = parsed(record);
    g_autoptr(json_t) before = json_deep_copy(source);
    json_t *person = brp_person(source, TODAY);
    assert_true(json_equal(source, before));
    return person;
}

void assert_part(const char *record, const char *member, const char *expected)
{
    g_autoptr(json_t) person = person_of(record);
    assert_json(json_object_get(person, member), expected);
}

static void assert_filtered(const char *record, const char *fields, gboolean limited, const char *expected)
{
    g_auto(GStrv) list = g_strsplit(fields, ",", -1);
    g_autoptr(json_t) person = person_of(record);
    g_autoptr(json_t) before = json_deep_copy(person);
    g_autoptr(json_t) answer = brp_fields_apply(person, (const char *const *)list, limited);
    assert_json(answer, expected);
    assert_true(json_equal(person, before));
}

void assert_asked(const char *record, const char *fields, const char *expected)
{
    assert_filtered(record, fields, FALSE, expected);
}

void assert_found(const char *record, const char *fields, const char *expected)
{
    assert_filtered(record, fields, TRUE, expected);
}

char *official_path(void)
{
    const char *data = g_getenv("FUNDAMENT_DATA");
    g_autofree char *path =
        g_build_filename(data != NULL ? data : "", "brp", "personen-mock-test-data.2024-06-11.json", NULL);
    if (data != NULL && g_file_test(path, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&path);
    print_message("skipped: no ../shared/data\n");
    return NULL;
}

json_t *official_persons(void)
{
    static const JsonLimits LIMITS = {64 * 1024 * 1024, 32, 4000000};
    g_autofree char *path = official_path();
    g_autoptr(GError) error = NULL;
    json_t *persons = path != NULL ? json_read_file(path, &LIMITS, &error) : NULL;
    if (error != NULL)
        fail_msg("%s", error->message);
    return persons;
}
