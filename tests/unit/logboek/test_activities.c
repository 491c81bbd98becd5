/* The register of processing activities (LDV 1.0.0, 3.4.1), and that "Gegevens bij besluiten" fits in it. */
#include "tests/unit/logboek/fixture.h"

#include "components/logboek/activities.h"

#define BASE "https://manager.test:8443/logboek/v1/processing-activities/"

static json_t *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *value = json_parse_strict(text, -1, NULL, &error);
    no_error(error);
    return value;
}

static json_t *activity(const char *id, const char *purpose)
{
    return json_pack("{ss ss ss s[{ss ss}] ss s[ss] ss s{s{ss s[ss]}}}", "id", id, "name",
                     "Gegevens verstrekken", "purpose", purpose, "legalBasis", "title",
                     "Wet BRP, artikel 3.1", "url", "https://wetten.overheid.nl/BWBR0033715", "decision",
                     "Toekennen toeslag", "dataCategories", "naam", "geboorte", "retention", "P5Y",
                     "translations", "en", "name", "Providing data", "dataCategories", "name", "birth");
}

static json_t *checked(json_t *one)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) document = json_pack("{s[o]}", "activities", one);
    json_t *activities = activities_check(document, BASE, faults);
    if (activities == NULL)
        print_message("%s\n", (const char *)faults->pdata[0]);
    assert_non_null(activities);
    return activities;
}

static void completes_short_ids(void **state)
{
    g_autofree char *completed = activity_id_complete(BASE, "bevragen");
    assert_string_equal(completed, BASE "bevragen");
    g_autofree char *uri = activity_id_complete(BASE, "https://other.test/x");
    assert_string_equal(uri, "https://other.test/x");
    g_autofree char *number = activity_id_complete(BASE, "14"); /* the example of the standard */
    assert_string_equal(number, BASE "14");
    assert_null(activity_id_complete(BASE, ""));
    assert_null(activity_id_complete(BASE, NULL));
    g_autofree char *bare = activity_id_complete(NULL, "bevragen");
    assert_string_equal(bare, "bevragen");
}

static void reports_all_faults_at_once(void **state)
{
    static const char *const EXPECTED[] = {
        "activities[0].nmae: unknown member",
        "activities[0].retention: must be a duration",
        "activities[0].legalBasis[0].url: must be an http or https URL",
        "activities[0].legalBasis[1].title: is missing",
        "activities[0].name: is missing",
        "activities[0].translations.en.dataCategories: must have as many",
        "activities[1]: must be an object",
        "activities[2].purpose: holds what may be a BSN",
        "activities[4]: another activity has the same id",
    };
    g_autoptr(json_t) document =
        parse("{\"activities\":[{\"id\":\"a\",\"nmae\":\"x\",\"purpose\":\"p\",\"retention\":\"5 "
              "years\",\"legalBasis\":[{\"title\":"
              "\"t\",\"url\":\"wetten\"},{}],\"translations\":{\"en\":{\"dataCategories\":[\"x\"]}}},7,{"
              "\"id\":\"b\",\"name\":\"n\","
              "\"purpose\":\"over " SAMPLE_BSN
              "\",\"legalBasis\":[]},{\"id\":\"c\",\"name\":\"n\",\"purpose\":\"p\","
              "\"legalBasis\":[]},{\"id\":\"c\",\"name\":\"n\",\"purpose\":\"p\",\"legalBasis\":[]}]}");
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_null(activities_check(document, BASE, faults));
    assert_int_equal(faults->len, G_N_ELEMENTS(EXPECTED));
    for (gsize i = 0; i < G_N_ELEMENTS(EXPECTED); i++) {
        gboolean found = FALSE;
        for (guint j = 0; j < faults->len; j++)
            found |= g_str_has_prefix(faults->pdata[j], EXPECTED[i]);
        if (!found)
            print_message("missing: %s\n", EXPECTED[i]);
        assert_true(found);
    }
}

static void knows_durations(void **state)
{
    static const char *const GOOD[] = {"P5Y", "P6M", "P1Y6M", "P2W", "P30D", "P1Y2M3W4D"};
    static const char *const BAD[] = {"",      "P",       "5Y",   "PT1H", "P1M1Y",
                                      "P1Y1Y", "P99999Y", "P-1Y", "P1",   "p1y"};
    for (gsize i = 0; i < G_N_ELEMENTS(GOOD) + G_N_ELEMENTS(BAD); i++) {
        gboolean good = i < G_N_ELEMENTS(GOOD);
        json_t *one = activity("a", "p");
        json_object_set_new(one, "retention", json_string(good ? GOOD[i] : BAD[i - G_N_ELEMENTS(GOOD)]));
        g_autoptr(json_t) document = json_pack("{s[o]}", "activities", one);
        g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(json_t) activities = activities_check(document, BASE, faults);
        assert_true((activities != NULL) == good);
    }
}

static void refuses_another_document(void **state)
{
    static const char *const BAD[] = {"[]", "{}", "{\"activities\":{}}", "{\"activities\":[],\"more\":1}"};
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(json_t) document = parse(BAD[i]);
        assert_null(activities_check(document, BASE, faults));
        assert_int_equal(faults->len, 1);
    }
}

static guint store(Fixture *fixture, json_t *one, gint64 now_ms)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) activities = checked(one);
    guint versions = 99;
    activities_store(fixture->store, activities, now_ms, &versions, &error);
    no_error(error);
    return versions;
}

static gint64 version_at(Fixture *fixture, const char *id, gint64 at_ms)
{
    g_autoptr(json_t) found = activities_at(fixture->store, id, at_ms, NULL);
    return found == NULL ? 0 : json_integer_at(found, "version");
}

/* LDV 1.0.0, 3.4.1: "Het Register MOET iedere relevante wijziging van een Verwerkingsactiviteit opslaan als
 * een nieuwe versie met tijdstip" */
static void a_change_is_a_new_version_with_its_time(void **state)
{
    take_fixture(state);
    assert_int_equal(store(fixture, activity("a", "first"), 1000), 1);
    assert_int_equal(store(fixture, activity("a", "first"), 2000), 0); /* nothing changed */
    assert_int_equal(store(fixture, activity("a", "second"), 3000), 1);
    assert_int_equal(version_at(fixture, BASE "a", 999), 0);
    assert_int_equal(version_at(fixture, BASE "a", 1000), 1);
    assert_int_equal(version_at(fixture, BASE "a", 2999), 1);
    assert_int_equal(version_at(fixture, BASE "a", 3000), 2);
    assert_int_equal(version_at(fixture, BASE "b", 3000), 0);
    g_autoptr(json_t) first = activities_at(fixture->store, BASE "a", 1500, NULL);
    assert_string_equal(json_string_at(first, "purpose"), "first");
    assert_string_equal(json_string_at(first, "validFrom"), "1970-01-01T00:00:01.000Z");
    assert_string_equal(json_string_at(first, "validUntil"), "1970-01-01T00:00:03.000Z");
    g_autoptr(json_t) second = activities_at(fixture->store, BASE "a", 3500, NULL);
    assert_null(json_object_get(second, "validUntil"));
    assert_true(json_boolean_at(second, "active"));
}

static void times_of_versions_rise_whatever_the_clock_does(void **state)
{
    take_fixture(state);
    store(fixture, activity("a", "first"), 5000);
    store(fixture, activity("a", "second"), 1000);
    assert_int_equal(version_at(fixture, BASE "a", 5000), 1);
    assert_int_equal(version_at(fixture, BASE "a", 5001), 2);
}

static void what_leaves_the_file_stays_in_the_register(void **state)
{
    take_fixture(state);
    store(fixture, activity("a", "first"), 1000);
    store(fixture, activity("b", "other"), 2000);
    g_autoptr(json_t) list = logboek_activities(fixture->logboek, NULL);
    const json_t *activities = json_object_get(list, "processingActivities");
    assert_int_equal(json_array_size(activities), 2);
    assert_string_equal(json_string_at(json_array_get(activities, 0), "id"), BASE "a");
    assert_string_equal(json_string_at(json_array_get(activities, 1), "id"), BASE "b");
}

static void an_activity_is_found_by_the_last_part_of_its_uri(void **state)
{
    take_fixture(state);
    json_t *one = activity("https://elsewhere.test/register/verstrekken", "p");
    store(fixture, one, 1000);
    assert_int_equal(version_at(fixture, "verstrekken", 2000), 1);
    assert_int_equal(version_at(fixture, "VERSTREKKEN", 2000), 0);
    assert_int_equal(version_at(fixture, "strekken", 2000), 0);
    assert_int_equal(version_at(fixture, "%", 2000), 0);
}

static void the_register_is_loaded_at_the_start(void **state)
{
    take_fixture(state);
    g_autofree char *path = g_build_filename(fixture->folder, "activities.json", NULL);
    g_autoptr(json_t) document = json_pack("{s[o]}", "activities", activity("a", "first"));
    assert_int_equal(json_dump_file(document, path, 0), 0);
    g_free(fixture->more);
    fixture->more = g_strdup("register = activities.json\n");
    fixture_restart(fixture);
    fixture_restart(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_activities"), 1);
    json_object_set_new(json_array_get(json_object_get(document, "activities"), 0), "name",
                        json_string("other"));
    assert_int_equal(json_dump_file(document, path, 0), 0);
    fixture_restart(fixture);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM logboek_activities"), 2);
}

/* --- Gegevens bij besluiten --- */

static const json_t *row_by_id(const json_t *table, const char *column, json_int_t id)
{
    for (gsize i = 0; i < json_array_size(table); i++)
        if (json_integer_at(json_array_get(table, i), column) == id)
            return json_array_get(table, i);
    return NULL;
}

static const json_t *row_of(const json_t *tables, const char *table, const char *column_value)
{
    const json_t *row =
        row_by_id(json_object_get(tables, table), "_id", g_ascii_strtoll(column_value, NULL, 10));
    assert_non_null(row);
    return row;
}

static void append_once(json_t *list, json_t *value)
{
    for (gsize i = 0; i < json_array_size(list); i++)
        if (json_equal(json_array_get(list, i), value)) {
            json_decref(value);
            return;
        }
    json_array_append_new(list, value);
}

/* One activity for each use of a stream of data in a decision: what it is for, under which laws, from whom,
 * which groups of data. */
static json_t *activity_of_stream(const json_t *tables, const json_t *use)
{
    const char *stream_id = json_string_at(use, "gst_cd");
    const json_t *decision = row_of(tables, "evtp", json_string_at(use, "evtp_cd"));
    const json_t *stream = row_of(tables, "gst", stream_id), *links = json_object_get(tables, "gst_gg_rge");
    json_t *laws = json_array(), *groups = json_array();
    for (gsize i = 0; i < json_array_size(links); i++) {
        const json_t *link = json_array_get(links, i);
        if (strcmp(json_string_at(link, "gst_cd"), stream_id) != 0)
            continue;
        const json_t *law = row_of(tables, "rge", json_string_at(link, "rge_cd"));
        append_once(laws, json_pack("{ss ss}", "title", json_string_at(law, "titel"), "url",
                                    json_string_at(law, "re_link")));
        const json_t *group = row_of(tables, "gg", json_string_at(link, "gg_cd"));
        append_once(groups, json_string(json_string_at(group, "omschrijving")));
    }
    g_autofree char *id =
        g_strdup_printf("%s-%s", json_string_at(decision, "evtp_upc"), json_string_at(stream, "gst_upc"));
    return json_pack(
        "{ss ss ss ss so so ss s[s]}", "id", id, "name", json_string_at(stream, "omschrijving"), "purpose",
        json_string_at(decision, "gebr_dl"), "decision", json_string_at(decision, "evtp_nm"), "legalBasis",
        laws, "dataCategories", groups, "source",
        json_string_at(row_of(tables, "oe", json_string_at(stream, "oe_bron")), "naam_officieel"),
        "recipients",
        json_string_at(row_of(tables, "oe", json_string_at(stream, "oe_best")), "naam_officieel"));
}

static gsize total(const json_t *activities, const char *member)
{
    gsize all = 0;
    for (gsize i = 0; i < json_array_size(activities); i++)
        all += json_array_size(json_object_get(json_array_get(activities, i), member));
    return all;
}

static void gegevens_bij_besluiten_fits_in_the_register(void **state)
{
    take_fixture(state);
    const char *data = g_getenv("FUNDAMENT_DATA");
    g_autofree char *path =
        g_build_filename(data == NULL ? "" : data, "gegevensbijbesluiten", "gegevensbijbesluiten.json", NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) file = json_read_file(path, NULL, &error);
    no_error(error);
    const json_t *tables = json_object_get(file, "tables"), *uses = json_object_get(tables, "evtp_gst");
    g_autoptr(json_t) document = json_pack("{s[]}", "activities");
    for (gsize i = 0; i < json_array_size(uses); i++)
        json_array_append_new(json_object_get(document, "activities"),
                              activity_of_stream(tables, json_array_get(uses, i)));
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(json_t) activities = activities_check(document, BASE, faults);
    for (guint i = 0; i < faults->len; i++)
        print_message("%s\n", (const char *)faults->pdata[i]);
    assert_non_null(activities);
    guint versions;
    assert_true(activities_store(fixture->store, activities, 1000, &versions, &error));
    assert_int_equal(versions, 44);
    g_autoptr(json_t) list = activities_list(fixture->store, &error);
    const json_t *stored = json_object_get(list, "processingActivities");
    assert_int_equal(json_array_size(stored), 44);
    assert_int_equal(total(stored, "legalBasis"), 44);
    assert_int_equal(total(stored, "dataCategories"), 114);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes_short_ids),
        cmocka_unit_test(reports_all_faults_at_once),
        cmocka_unit_test(knows_durations),
        cmocka_unit_test(refuses_another_document),
        on_both(a_change_is_a_new_version_with_its_time),
        on_both(times_of_versions_rise_whatever_the_clock_does),
        on_both(what_leaves_the_file_stays_in_the_register),
        on_both(an_activity_is_found_by_the_last_part_of_its_uri),
        on_both(the_register_is_loaded_at_the_start),
        on_both(gegevens_bij_besluiten_fits_in_the_register),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
