#include "tests/unit/brp/sample.h"

#include "components/brp/catalogue.h"
#include "components/brp/fields.h"
#include "components/brp/person.h"

static const char *const PERSON =
    "{\"aNummer\":\"1234567890\",\"burgerservicenummer\":\"999910000\",\"geslacht\":{\"code\":\"V\","
    "\"omschrijving\":\"vrouw\"},\"naam\":{\"voornamen\":\"Anna\",\"geslachtsnaam\":\"Bos\","
    "\"aanduidingNaamgebruik\":"
    "{\"code\":\"E\"}},\"geboorte\":{\"datum\":\"19900000\",\"plaats\":{\"code\":\"9001\"}},"
    "\"verblijfplaats\":"
    "{\"straat\":\"Spui\",\"huisnummer\":\"9\",\"postcode\":\"9901AB\"},\"partners\":[{"
    "\"burgerservicenummer\":"
    "\"999910048\",\"naam\":{\"voornamen\":\"Cor\"}},{\"naam\":{\"voornamen\":\"Dirk\"}}]}";

static const char *const ABROAD = "{\"verblijfplaats\":{\"regel1\":\"Rue 26\",\"land\":{\"code\":\"5010\"}},"
                                  "\"naam\":{\"geslachtsnaam\":\"Bos\"},\"geslacht\":{\"code\":\"M\"}}";

static void only_what_was_asked_is_delivered(void **state)
{
    assert_asked(PERSON, "aNummer", "{\"aNummer\":\"1234567890\"}");
    assert_asked(PERSON, "naam.voornamen", "{\"naam\":{\"voornamen\":\"Anna\"}}");
    assert_asked(PERSON, "naam.geslachtsnaam,geboorte.plaats",
                 "{\"naam\":{\"geslachtsnaam\":\"Bos\"},\"geboorte\":{\"plaats\":{\"code\":\"9001\"}}}");
}

static void a_group_delivers_all_that_is_below_it(void **state)
{
    assert_asked(PERSON, "geboorte",
                 "{\"geboorte\":{\"datum\":{\"type\":\"JaarDatum\",\"jaar\":1990,\"langFormaat\":\"1990\"},"
                 "\"plaats\":{"
                 "\"code\":\"9001\"}}}");
}

static void the_whole_and_a_part_together_give_the_whole(void **state)
{
    const char *expected =
        "{\"naam\":{\"voornamen\":\"Anna\",\"geslachtsnaam\":\"Bos\",\"voorletters\":\"A.\","
        "\"volledigeNaam\":\"Anna Bos\",\"aanduidingNaamgebruik\":{\"code\":\"E\"}}}";
    assert_asked(PERSON, "naam", expected);
    assert_asked(PERSON, "naam,naam.voornamen", expected);
    assert_asked(PERSON, "naam.voornamen,naam,naam", expected);
}

static void a_part_of_a_date_or_a_code_delivers_the_whole(void **state)
{
    const char *expected =
        "{\"geslacht\":{\"code\":\"V\",\"omschrijving\":\"vrouw\"},\"geboorte\":{\"datum\":{"
        "\"type\":\"JaarDatum\",\"jaar\":1990,\"langFormaat\":\"1990\"}}}";
    assert_asked(PERSON, "geboorte.datum.maand,geslacht.code", expected);
    assert_asked(PERSON, "geboorte.datum.langFormaat,geslacht.omschrijving", expected);
}

static void a_field_of_a_list_is_taken_of_every_item(void **state)
{
    assert_asked(PERSON, "partners.burgerservicenummer",
                 "{\"partners\":[{\"burgerservicenummer\":\"999910048\"},{}]}");
    assert_asked(PERSON, "partners.naam.voorvoegsel", "{\"partners\":[{\"naam\":{}},{\"naam\":{}}]}");
}

static void a_group_that_exists_is_there_though_empty(void **state)
{
    assert_asked(PERSON, "naam.voorvoegsel", "{\"naam\":{}}");
    assert_asked(PERSON, "geboorte.land", "{\"geboorte\":{}}");
    assert_asked(PERSON, "overlijden,verblijfstitel.aanduiding,immigratie", "{}");
    assert_asked(PERSON, "kinderen,ouders.naam,gezag", "{\"kinderen\":[],\"ouders\":[],\"gezag\":[]}");
}

static void the_kind_goes_along_with_any_part(void **state)
{
    assert_asked(PERSON, "verblijfplaats.verblijfadres.postcode",
                 "{\"verblijfplaats\":{\"type\":\"Adres\",\"verblijfadres\":{\"postcode\":\"9901AB\"}}}");
    assert_asked(PERSON, "verblijfplaats.verblijfadres.regel1",
                 "{\"verblijfplaats\":{\"type\":\"Adres\",\"verblijfadres\":{}}}");
    assert_asked(PERSON, "verblijfplaats.type", "{\"verblijfplaats\":{\"type\":\"Adres\"}}");
}

/* --- what goes along unasked --- */

static void notices_always_go_along(void **state)
{
    const char *record =
        "{\"aNummer\":\"1234567890\",\"geheimhoudingPersoonsgegevens\":\"1\",\"opschortingBijhouding\":"
        "{\"reden\":{\"code\":\"O\"}},\"verificatie\":{\"omschrijving\":\"bewijs\"}}";
    const char *notices =
        "\"geheimhoudingPersoonsgegevens\":true,\"opschortingBijhouding\":{\"reden\":{\"code\":"
        "\"O\"}},\"verificatie\":{\"omschrijving\":\"bewijs\"}";
    g_autofree char *alone = g_strdup_printf("{%s}", notices);
    g_autofree char *with = g_strdup_printf("{\"aNummer\":\"1234567890\",%s}", notices);
    assert_asked(record, "burgerservicenummer", alone);
    assert_asked(record, "aNummer", with);
    assert_found(record, "burgerservicenummer", alone);
}

static void who_delivered_a_category_goes_along_with_it(void **state)
{
    const char *record =
        "{\"rni\":[{\"deelnemer\":{\"code\":\"0201\"},\"categorie\":\"Persoon\"},{\"deelnemer\":{\"code\":"
        "\"0301\"},\"categorie\":\"Verblijfplaats\",\"omschrijvingVerdrag\":\"Artikel 45\"}]}";
    const char *person = "{\"rni\":[{\"deelnemer\":{\"code\":\"0201\"},\"categorie\":\"Persoon\"}]}";
    const char *residence = "{\"rni\":[{\"deelnemer\":{\"code\":\"0301\"},\"categorie\":\"Verblijfplaats\","
                            "\"omschrijvingVerdrag\":\"Artikel 45\"}]}";
    assert_asked(record, "aNummer", person);
    assert_asked(record, "immigratie", residence);
    assert_asked(record, "gemeenteVanInschrijving.code", residence);
    assert_asked(record, "overlijden", "{}");
    assert_asked(record, "kinderen.naam", "{\"kinderen\":[]}");
    g_autofree char *lines = g_strdup_printf("{\"adressering\":{},%s", residence + 1);
    assert_asked(record, "adressering.adresregel1", lines);
}

/* --- the alias for residences in the country --- */

static void the_alias_delivers_residences_in_the_country_only(void **state)
{
    assert_asked(PERSON, "verblijfplaatsBinnenland.verblijfadres.postcode",
                 "{\"verblijfplaats\":{\"type\":\"Adres\",\"verblijfadres\":{\"postcode\":\"9901AB\"}}}");
    assert_asked(PERSON, "adresseringBinnenland.adresregel1",
                 "{\"adressering\":{\"adresregel1\":\"Spui 9\"}}");
    assert_asked(ABROAD, "verblijfplaatsBinnenland", "{}");
    assert_asked(ABROAD, "adresseringBinnenland.adresregel1,adresseringBinnenland.adresregel2",
                 "{\"adressering\":{}}");
    assert_asked(ABROAD, "adresseringBinnenland.aanhef",
                 "{\"adressering\":{\"aanhef\":\"Geachte heer Bos\"}}");
    assert_asked("{\"verblijfplaats\":{\"land\":{\"code\":\"0000\"}}}", "verblijfplaatsBinnenland.datumVan",
                 "{}");
}

static void who_asks_with_and_without_the_alias_gets_both(void **state)
{
    assert_asked(
        ABROAD, "adresseringBinnenland.adresregel1,verblijfplaats.verblijfadres.regel1",
        "{\"verblijfplaats\":{\"type\":\"VerblijfplaatsBuitenland\",\"verblijfadres\":{\"regel1\":\"Rue "
        "26\"}},\"adressering\":{}}");
    assert_asked(ABROAD, "verblijfplaatsBinnenland,adressering.land,adresseringBinnenland.adresregel1",
                 "{\"adressering\":{\"land\":{\"code\":\"5010\"}}}");
    assert_asked(ABROAD, "adressering.adresregel1,adresseringBinnenland.adresregel1",
                 "{\"adressering\":{\"adresregel1\":\"Rue 26\"}}");
}

/* --- the answer to a search: PersoonBeperkt --- */

static void a_search_delivers_no_more_than_a_limited_person(void **state)
{
    assert_found(PERSON, "naam",
                 "{\"naam\":{\"voornamen\":\"Anna\",\"geslachtsnaam\":\"Bos\",\"voorletters\":\"A.\","
                 "\"volledigeNaam\":"
                 "\"Anna Bos\"}}");
    assert_found(
        PERSON, "geboorte",
        "{\"geboorte\":{\"datum\":{\"type\":\"JaarDatum\",\"jaar\":1990,\"langFormaat\":\"1990\"}}}");
    assert_found(PERSON, "adressering",
                 "{\"adressering\":{\"adresregel1\":\"Spui 9\",\"adresregel2\":\"9901 AB\"}}");
}

static void every_row_of_a_limited_person_is_one_of_these(void **state)
{
    static const char *const LIMITED[] = {"adressering",
                                          "adressering.adresregel1",
                                          "adressering.adresregel2",
                                          "adressering.adresregel3",
                                          "adressering.land",
                                          "burgerservicenummer",
                                          "geboorte",
                                          "geboorte.datum",
                                          "geslacht",
                                          "leeftijd",
                                          "naam",
                                          "naam.adellijkeTitelPredicaat",
                                          "naam.geslachtsnaam",
                                          "naam.volledigeNaam",
                                          "naam.voorletters",
                                          "naam.voornamen",
                                          "naam.voorvoegsel",
                                          NULL};
    gsize count = 0;
    for (gsize i = 0; i < BRP_FIELD_COUNT; i++) {
        gboolean listed = g_strv_contains(LIMITED, BRP_FIELDS[i].path);
        count += listed;
        if (BRP_FIELDS[i].limited != listed)
            fail_msg("%s", BRP_FIELDS[i].path);
    }
    assert_int_equal(count, G_N_ELEMENTS(LIMITED) - 1);
}

/* --- which paths there are --- */

static void assert_verdicts(const char *const *paths, gboolean limited, BrpFieldVerdict verdict)
{
    for (; *paths != NULL; paths++)
        if (brp_field_find(*paths, limited, NULL, NULL) != verdict)
            fail_msg("%s: not %d", *paths, verdict);
}

static void paths_that_exist_may_be_asked(void **state)
{
    static const char *const PATHS[] = {"naam.voornamen",
                                        "geboorte.datum.langFormaat",
                                        "geslacht.omschrijving",
                                        "naam.adellijkeTitelPredicaat.soort",
                                        "gezag",
                                        "gezag.ouders",
                                        "gezag.minderjarige.burgerservicenummer",
                                        "verblijfplaatsBinnenland",
                                        "verblijfplaatsBinnenland.datumVan.type",
                                        "adresseringBinnenland.adresregel2",
                                        "partners.aangaanHuwelijkPartnerschap.land.code",
                                        "adressering.aanschrijfwijze.aanspreekvorm",
                                        NULL};
    static const char *const OF_A_SEARCH[] = {"burgerservicenummer", "adresseringBinnenland",
                                              "geboorte.datum.jaar", "adressering.land.omschrijving", NULL};
    assert_verdicts(PATHS, FALSE, BRP_FIELD_KNOWN);
    assert_verdicts(OF_A_SEARCH, TRUE, BRP_FIELD_KNOWN);
}

static void paths_that_do_not_exist_are_known_as_such(void **state)
{
    static const char *const PATHS[] = {"naam.voornamen.code",
                                        "naam.",
                                        "",
                                        ".",
                                        "naam..voornamen",
                                        "Naam",
                                        "anummer",
                                        "geslacht.code.code",
                                        "geslacht.soort",
                                        "geboorte.datum.dag",
                                        "gezag.bestaatNiet",
                                        "partners.ontbindingHuwelijkPartnerschap.plaats",
                                        "partners.naam.volledigeNaam",
                                        "verblijfplaatsBinnenland.verblijfadres.regel1",
                                        "verblijfplaatsBinnenland.verblijfadres.land",
                                        "adresseringBinnenland.adresregel3",
                                        "adresseringBinnenland.land",
                                        "verblijfplaatsBinnenlands",
                                        "kinderen.geslacht",
                                        "bestaat.inOnderzoek",
                                        "inOnderzoekje",
                                        NULL};
    static const char *const NOT_OF_A_SEARCH[] = {"aNummer",
                                                  "partners",
                                                  "gezag",
                                                  "gemeenteVanInschrijving",
                                                  "geboorte.plaats",
                                                  "naam.aanduidingNaamgebruik",
                                                  "adressering.aanhef",
                                                  "verblijfplaats",
                                                  "overlijden.inOnderzoek",
                                                  "verblijfplaats.indicatieVastgesteldVerblijftNietOpAdres",
                                                  NULL};
    assert_verdicts(PATHS, FALSE, BRP_FIELD_UNKNOWN);
    assert_verdicts(NOT_OF_A_SEARCH, TRUE, BRP_FIELD_UNKNOWN);
}

static void what_goes_along_by_itself_may_not_be_asked(void **state)
{
    static const char *const PATHS[] = {"geheimhoudingPersoonsgegevens",
                                        "opschortingBijhouding",
                                        "opschortingBijhouding.reden.omschrijving",
                                        "opschortingBijhouding.datum.type",
                                        "rni",
                                        "rni.deelnemer.code",
                                        "verificatie",
                                        "verificatie.datum.datum",
                                        "inOnderzoek",
                                        "inOnderzoek.burgerservicenummer",
                                        "naam.inOnderzoek.voornamen",
                                        "geboorte.inOnderzoek.datumIngangOnderzoek",
                                        "adressering.indicatieVastgesteldVerblijftNietOpAdres",
                                        "adresseringBinnenland.indicatieVastgesteldVerblijftNietOpAdres",
                                        NULL};
    static const char *const WHOLE[] = {"partners.aangaanHuwelijkPartnerschap.inOnderzoek.datum",
                                        "verblijfplaats.indicatieVastgesteldVerblijftNietOpAdres", NULL};
    assert_verdicts(PATHS, FALSE, BRP_FIELD_AUTOMATIC);
    assert_verdicts(PATHS, TRUE, BRP_FIELD_AUTOMATIC);
    assert_verdicts(WHOLE, FALSE, BRP_FIELD_AUTOMATIC);
}

/* --- properties over all official persons --- */

/* Every member of `part` stands in `whole` with the same value; of the participants some. */
static void assert_part_of(const json_t *part, const json_t *whole, const char *field)
{
    if (json_is_object(part)) {
        const char *name;
        json_t *value;
        json_object_foreach((json_t *)part, name, value) if (strcmp(name, "rni") != 0)
            assert_part_of(value, json_object_get(whole, name), field);
    } else if (json_is_array(part)) {
        assert_int_equal(json_array_size(part), json_array_size(whole));
        for (gsize i = 0; i < json_array_size(part); i++)
            assert_part_of(json_array_get(part, i), json_array_get(whole, i), field);
    } else if (!json_equal(part, whole)) {
        fail_msg("%s delivers what the person does not have", field);
    }
}

/* Asking for one field gives nothing at the root but that field's member and what goes along. */
static void assert_only(const json_t *answer, const char *path)
{
    static const char *const ALONG[] = {
        "geheimhoudingPersoonsgegevens", "opschortingBijhouding", "verificatie", "rni", "inOnderzoek", NULL};
    g_autofree char *root = g_strndup(path, strcspn(path, "."));
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)answer, name,
                        value) if (strcmp(name, root) != 0 && !g_strv_contains(ALONG, name))
        fail_msg("%s delivers %s", path, name);
}

static void every_field_of_every_official_person_is_itself_and_nothing_else(void **state)
{
    g_autoptr(json_t) records = official_persons();
    if (records == NULL)
        skip();
    gsize index;
    json_t *record;
    json_array_foreach(records, index, record)
    {
        g_autoptr(json_t) person = brp_person(record, TODAY);
        for (gsize i = index % 7; i < BRP_FIELD_COUNT; i += 7) {
            const char *const fields[] = {BRP_FIELDS[i].path, NULL};
            g_autoptr(json_t) answer = brp_fields_apply(person, fields, FALSE);
            assert_part_of(answer, person, fields[0]);
            assert_only(answer, fields[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_asked_is_delivered),
        cmocka_unit_test(a_group_delivers_all_that_is_below_it),
        cmocka_unit_test(the_whole_and_a_part_together_give_the_whole),
        cmocka_unit_test(a_part_of_a_date_or_a_code_delivers_the_whole),
        cmocka_unit_test(a_field_of_a_list_is_taken_of_every_item),
        cmocka_unit_test(a_group_that_exists_is_there_though_empty),
        cmocka_unit_test(the_kind_goes_along_with_any_part),
        cmocka_unit_test(notices_always_go_along),
        cmocka_unit_test(who_delivered_a_category_goes_along_with_it),
        cmocka_unit_test(the_alias_delivers_residences_in_the_country_only),
        cmocka_unit_test(who_asks_with_and_without_the_alias_gets_both),
        cmocka_unit_test(a_search_delivers_no_more_than_a_limited_person),
        cmocka_unit_test(every_row_of_a_limited_person_is_one_of_these),
        cmocka_unit_test(paths_that_exist_may_be_asked),
        cmocka_unit_test(paths_that_do_not_exist_are_known_as_such),
        cmocka_unit_test(what_goes_along_by_itself_may_not_be_asked),
        cmocka_unit_test(every_field_of_every_official_person_is_itself_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
