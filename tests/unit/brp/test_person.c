#include "tests/unit/brp/sample.h"

#include "components/brp/person.h"
#include "core/base/identifiers.h"

#define DAY "{\"type\":\"Datum\",\"datum\":\"2026-10-01\",\"langFormaat\":\"1 oktober 2026\"}"
#define DOUBT(code) "{\"aanduidingGegevensInOnderzoek\":\"" code "\",\"datumIngangOnderzoek\":\"20261001\"}"

static void a_name_has_its_parts_and_what_follows_from_them(void **state)
{
    assert_part(
        "{\"geslacht\":{\"code\":\"M\"},\"naam\":{\"voornamen\":\"Theodoor-Jan R.\",\"voorvoegsel\":\"van "
        "der\",\"geslachtsnaam\":\"Ven\",\"adellijkeTitelPredicaat\":{\"soort\":\"titel\",\"code\":\"G\","
        "\"omschrijving\":\"graaf\"},\"aanduidingNaamgebruik\":{\"code\":\"E\",\"omschrijving\":\"eigen "
        "geslachtsnaam\"}}}",
        "naam",
        "{\"voornamen\":\"Theodoor-Jan R.\",\"voorvoegsel\":\"van der\",\"geslachtsnaam\":\"Ven\","
        "\"adellijkeTitelPredicaat\":{\"soort\":\"titel\",\"code\":\"G\",\"omschrijving\":\"graaf\"},"
        "\"aanduidingNaamgebruik\":{\"code\":\"E\",\"omschrijving\":\"eigen geslachtsnaam\"},"
        "\"voorletters\":\"T.R.\",\"volledigeNaam\":\"Theodoor-Jan R. graaf van der Ven\"}");
}

static void unknown_values_stay_unknown(void **state)
{
    assert_part("{\"naam\":{\"geslachtsnaam\":\".\",\"voornamen\":\"\"}}", "naam", "{}");
    assert_part("{\"gemeenteVanInschrijving\":{\"code\":\"0000\"}}", "gemeenteVanInschrijving", NULL);
    assert_part(
        "{\"geboorte\":{\"datum\":\"00000000\",\"plaats\":{\"code\":\"0000\"},\"land\":{\"code\":\"0000\"}}}",
        "geboorte",
        "{\"datum\":{\"type\":\"DatumOnbekend\",\"onbekend\":true,\"langFormaat\":\"onbekend\"}}");
    assert_part("{\"geslacht\":{\"code\":\"O\",\"omschrijving\":\"onbekend\"}}", "geslacht",
                "{\"code\":\"O\",\"omschrijving\":\"onbekend\"}");
    assert_part("{\"geboorte\":{\"datum\":\"19990230\",\"plaats\":{\"omschrijving\":\"Bukarest\"}}}",
                "geboorte", "{\"plaats\":{\"omschrijving\":\"Bukarest\"}}");
    assert_part("{\"geboorte\":{\"plaats\":\"Bukarest\",\"land\":[],\"datum\":19990201}}", "geboorte", "{}");
}

static void the_dead_have_no_age(void **state)
{
    assert_part("{\"geboorte\":{\"datum\":\"19520811\"}}", "leeftijd", "74");
    assert_part("{\"geboorte\":{\"datum\":\"19520811\"},\"overlijden\":{\"datum\":\"20240214\"}}", "leeftijd",
                NULL);
    assert_part(
        "{\"geboorte\":{\"datum\":\"19520811\"},\"opschortingBijhouding\":{\"reden\":{\"code\":\"O\"}}}",
        "leeftijd", NULL);
    assert_part(
        "{\"geboorte\":{\"datum\":\"19520811\"},\"opschortingBijhouding\":{\"reden\":{\"code\":\"E\"}}}",
        "leeftijd", "74");
}

static void flags_are_said_only_when_they_are_set(void **state)
{
    static const struct {
        const char *value;
        gboolean set;
    } CASES[] = {{"\"1\"", TRUE},  {"\"7\"", TRUE}, {"7", TRUE},      {"true", TRUE},
                 {"\"0\"", FALSE}, {"0", FALSE},    {"false", FALSE}, {"\"\"", FALSE}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record =
            g_strdup_printf("{\"geheimhoudingPersoonsgegevens\":%s,\"indicatieCurateleRegister\":%s}",
                            CASES[i].value, CASES[i].value);
        assert_part(record, "geheimhoudingPersoonsgegevens", CASES[i].set ? "true" : NULL);
        assert_part(record, "indicatieCurateleRegister", CASES[i].set ? "true" : NULL);
    }
}

static void a_suspended_record_says_why_also_when_that_is_not_known(void **state)
{
    assert_part(
        "{\"opschortingBijhouding\":{\"reden\":{\"code\":\".\",\"omschrijving\":\"onbekend\"},\"datum\":"
        "\"20261001\"}}",
        "opschortingBijhouding",
        "{\"reden\":{\"code\":\".\",\"omschrijving\":\"onbekend\"},\"datum\":" DAY "}");
}

static void records_that_were_put_aside_are_known_as_such(void **state)
{
    static const char *const REASONS = "FWOEMR.";
    for (const char *reason = REASONS; *reason != '\0'; reason++) {
        g_autoptr(json_t) record =
            json_pack("{s:{s:{s:s#}}}", "opschortingBijhouding", "reden", "code", reason, (size_t)1);
        assert_int_equal(brp_person_is_withdrawn(record), *reason == 'F' || *reason == 'W');
        assert_int_equal(brp_person_is_dead(record), *reason == 'O');
    }
}

static void four_codes_are_no_nationality_but_a_kind(void **state)
{
    static const char *const CASES[][2] = {{"0000", "NationaliteitOnbekend"},
                                           {"0002", "BehandeldAlsNederlander"},
                                           {"0499", "Staatloos"},
                                           {"0500", "VastgesteldNietNederlander"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record =
            g_strdup_printf("{\"nationaliteiten\":[{\"nationaliteit\":{\"code\":\"%s\"},"
                            "\"redenOpname\":{\"code\":\"301\"}}]}",
                            CASES[i][0]);
        g_autofree char *expected =
            g_strdup_printf("[{\"type\":\"%s\",\"redenOpname\":{\"code\":\"301\"}}]", CASES[i][1]);
        assert_part(record, "nationaliteiten", expected);
    }
    assert_part(
        "{\"nationaliteiten\":[{\"nationaliteit\":{\"code\":\"0263\",\"omschrijving\":\"Surinaamse\"},"
        "\"redenOpname\":{\"code\":\"000\"},\"datumIngangGeldigheid\":\"20261001\"},"
        "{\"aanduidingBijzonderNederlanderschap\":\"B\"},{\"aanduidingBijzonderNederlanderschap\":\"V\"}]}",
        "nationaliteiten",
        "[{\"type\":\"Nationaliteit\",\"nationaliteit\":{\"code\":\"0263\",\"omschrijving\":\"Surinaamse\"},"
        "\"datumIngangGeldigheid\":" DAY "},{\"type\":\"BehandeldAlsNederlander\"},"
        "{\"type\":\"VastgesteldNietNederlander\"}]");
}

static void what_is_over_is_not_delivered(void **state)
{
    static const struct {
        const char *until;
        gboolean over;
    } CASES[] = {{"20261121", TRUE},  {"20261120", TRUE},  {"20261122", FALSE}, {"20261100", FALSE},
                 {"20261000", TRUE},  {"20260000", FALSE}, {"20250000", TRUE},  {"00000000", FALSE},
                 {"20270101", FALSE}, {"20251231", TRUE}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *record = g_strdup_printf(
            "{\"verblijfstitel\":{\"aanduiding\":{\"code\":\"37\"},\"datumEinde\":\"%s\"},"
            "\"europeesKiesrecht\":"
            "{\"aanduiding\":{\"code\":\"1\"},\"einddatumUitsluiting\":\"%s\"},\"uitsluitingKiesrecht\":"
            "{\"uitgeslotenVanKiesrecht\":true,\"einddatum\":\"%s\"}}",
            CASES[i].until, CASES[i].until, CASES[i].until);
        g_autoptr(json_t) person = person_of(record);
        static const char *const GROUPS[] = {"verblijfstitel", "europeesKiesrecht", "uitsluitingKiesrecht"};
        for (gsize j = 0; j < G_N_ELEMENTS(GROUPS); j++)
            if ((json_object_get(person, GROUPS[j]) == NULL) != CASES[i].over)
                fail_msg("%s until %s", GROUPS[j], CASES[i].until);
    }
}

static void a_permit_that_is_none_is_not_delivered(void **state)
{
    assert_part("{\"verblijfstitel\":{\"aanduiding\":{\"code\":\"98\"},\"datumIngang\":\"20261001\"}}",
                "verblijfstitel", NULL);
    assert_part("{\"verblijfstitel\":{\"aanduiding\":{\"code\":\"00\",\"omschrijving\":\"Onbekend\"}}}",
                "verblijfstitel", "{\"aanduiding\":{\"code\":\"00\",\"omschrijving\":\"Onbekend\"}}");
    assert_part("{\"europeesKiesrecht\":{\"einddatumUitsluiting\":\"20991231\"}}", "europeesKiesrecht", NULL);
}

/* --- relatives --- */

static void a_relative_of_whom_nothing_is_said_is_none(void **state)
{
    assert_part(
        "{\"ouders\":[{\"ouderAanduiding\":\"2\"},{\"ouderAanduiding\":\"1\",\"naam\":{\"geslachtsnaam\":"
        "\".\"}}],\"kinderen\":[{\"aktenummer\":\"1\"}],\"partners\":[{\"geslacht\":{\"code\":\"M\"}}]}",
        "ouders", "[{\"ouderAanduiding\":\"1\",\"naam\":{}}]");
    assert_part("{\"kinderen\":[{\"aktenummer\":\"1\"},{\"geboorte\":{\"datum\":\"00000000\"}}]}", "kinderen",
                "[{\"geboorte\":{\"datum\":{\"type\":\"DatumOnbekend\",\"onbekend\":true,\"langFormaat\":"
                "\"onbekend\"}}}]");
}

static void a_relative_has_a_name_without_the_full_one(void **state)
{
    assert_part("{\"kinderen\":[{\"burgerservicenummer\":\"999910085\",\"naam\":{\"voornamen\":\"Noor\","
                "\"geslachtsnaam\":\"Veldkamp\",\"aanduidingNaamgebruik\":{\"code\":\"E\"}}}]}",
                "kinderen",
                "[{\"burgerservicenummer\":\"999910085\",\"naam\":{\"voornamen\":\"Noor\",\"geslachtsnaam\":"
                "\"Veldkamp\",\"voorletters\":\"N.\"}}]");
}

#define PARTNER(bsn, since)                                                                                  \
    "{\"burgerservicenummer\":\"" bsn "\",\"aangaanHuwelijkPartnerschap\":{\"datum\":\"" since "\"}}"
#define FORMER(bsn, until)                                                                                   \
    "{\"burgerservicenummer\":\"" bsn "\",\"soortVerbintenis\":{\"code\":\".\"},"                            \
    "\"ontbindingHuwelijkPartnerschap\":{\"datum\":\"" until "\"}}"

static void assert_partners(const char *partners, const char *numbers)
{
    g_autofree char *record = g_strdup_printf("{\"partners\":[%s]}", partners);
    g_autoptr(json_t) person = person_of(record);
    g_autoptr(GString) found = g_string_new(NULL);
    gsize index;
    json_t *partner;
    json_array_foreach(json_object_get(person, "partners"), index, partner) g_string_append_printf(
        found, "%s%s", index > 0 ? " " : "", json_string_at(partner, "burgerservicenummer"));
    assert_string_equal(found->str, numbers);
}

static void partners_are_those_that_there_are_or_else_the_last(void **state)
{
    assert_partners(FORMER("999910048", "20011109") "," FORMER("999910085", "20120401"), "999910085");
    assert_partners(FORMER("999910048", "20011109") "," PARTNER("999910085", "20051224"), "999910085");
    assert_partners(PARTNER("999910048", "20011109") "," PARTNER("999910085", "20051224"),
                    "999910048 999910085");
    assert_partners("", "");
}

static void the_end_of_a_relation_has_a_date_only(void **state)
{
    assert_part(
        "{\"partners\":[{\"ontbindingHuwelijkPartnerschap\":{\"datum\":\"20261001\",\"plaats\":{\"code\":"
        "\"0518\"}}}]}",
        "partners", "[{\"ontbindingHuwelijkPartnerschap\":{\"datum\":" DAY "}}]");
}

static void of_authority_only_the_members_of_the_api_are_given(void **state)
{
    assert_part(
        "{\"gezag\":[{\"type\":\"EenhoofdigOuderlijkGezag\",\"ouder\":{\"burgerservicenummer\":\"999910048\","
        "\"geboorte\":{\"datum\":\"19800101\"}},\"minderjarige\":{\"burgerservicenummer\":\"999910085\"},"
        "\"bron\":\"x\"}]}",
        "gezag",
        "[{\"type\":\"EenhoofdigOuderlijkGezag\",\"ouder\":{\"burgerservicenummer\":\"999910048\"},"
        "\"minderjarige\":{\"burgerservicenummer\":\"999910085\"}}]");
    assert_part("{}", "gezag", "[]");
}

/* --- under investigation --- */

static void assert_doubt(const char *code, const char *fields, const char *expected)
{
    g_autofree char *record = g_strdup_printf("{\"persoonInOnderzoek\":{\"aanduidingGegevensInOnderzoek\":\"%"
                                              "s\",\"datumIngangOnderzoek\":\"20261001\"}}",
                                              code);
    assert_asked(record, fields, expected);
}

static void an_element_under_investigation_marks_the_asked_field_even_without_a_value(void **state)
{
    assert_doubt("010120", "burgerservicenummer",
                 "{\"inOnderzoek\":{\"burgerservicenummer\":true,\"datumIngangOnderzoekPersoon\":" DAY "}}");
    assert_doubt("010120", "geslacht", "{}");
    assert_doubt("010400", "geslacht,leeftijd",
                 "{\"inOnderzoek\":{\"geslacht\":true,\"datumIngangOnderzoekPersoon\":" DAY "}}");
    assert_doubt("010310", "leeftijd",
                 "{\"inOnderzoek\":{\"leeftijd\":true,\"datumIngangOnderzoekPersoon\":" DAY "}}");
    assert_doubt("010320", "leeftijd", "{}");
    assert_doubt("010240", "naam.geslachtsnaam",
                 "{\"naam\":{\"inOnderzoek\":{\"geslachtsnaam\":true,\"datumIngangOnderzoek\":" DAY "}}}");
    assert_doubt("016110", "naam.voornamen", "{\"naam\":{}}");
}

static void what_is_derived_is_in_doubt_with_its_sources(void **state)
{
    static const struct {
        const char *code, *marks;
    } CASES[] = {{"010210", "\"voornamen\":true,\"voorletters\":true,\"volledigeNaam\":true"},
                 {"010410", "\"volledigeNaam\":true"},
                 {"016100", "\"aanduidingNaamgebruik\":true"},
                 {"010200", "\"voornamen\":true,\"adellijkeTitelPredicaat\":true,\"voorvoegsel\":true,"
                            "\"geslachtsnaam\":true,\"voorletters\":true,\"volledigeNaam\":true"}};
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *expected = g_strdup_printf(
            "{\"naam\":{\"inOnderzoek\":{%s,\"datumIngangOnderzoek\":" DAY "}}}", CASES[i].marks);
        assert_doubt(CASES[i].code, "naam", expected);
    }
}

static void a_form_of_address_is_in_doubt_with_the_persons_name_or_the_partners(void **state)
{
    assert_doubt(
        "016110", "adressering.aanschrijfwijze.aanspreekvorm",
        "{\"adressering\":{\"inOnderzoek\":{\"aanschrijfwijze\":true,\"datumIngangOnderzoekPersoon\":" DAY
        "}}}");
    assert_doubt("010120", "adressering.aanhef", "{\"adressering\":{}}");
    assert_asked(
        "{\"persoonInOnderzoek\":" DOUBT("010240") ",\"partners\":[{\"naam\":{\"geslachtsnaam\":\".\"},"
                                                   "\"inOnderzoek\":{\"aanduidingGegevensInOnderzoek\":"
                                                   "\"050200\",\"datumIngangOnderzoek\":\"20260000\"}}]}",
        "adressering.aanhef,adressering.adresregel1",
        "{\"adressering\":{\"inOnderzoek\":{\"aanhef\":true,\"datumIngangOnderzoekPersoon\":" DAY
        ",\"datumIngangOnderzoekPartner\":{\"type\":\"JaarDatum\",\"jaar\":2026,\"langFormaat\":\"2026\"}}}"
        "}");
    assert_asked("{\"partners\":[{\"naam\":{\"voornamen\":\"Jo\"},\"inOnderzoek\":" DOUBT("050210") "}]}",
                 "adressering.aanhef", "{\"adressering\":{}}");
}

static void each_category_has_its_own_first_day(void **state)
{
    assert_asked(
        "{\"gezagInOnderzoek\":" DOUBT("113310") ",\"verblijfplaats\":{\"inOnderzoek\":" DOUBT("080910") "}}",
        "indicatieCurateleRegister,indicatieGezagMinderjarige,gemeenteVanInschrijving",
        "{\"inOnderzoek\":{\"indicatieCurateleRegister\":true,\"datumIngangOnderzoekGezag\":" DAY
        ",\"gemeenteVanInschrijving\":true,\"datumIngangOnderzoekGemeente\":" DAY "}}");
    assert_asked("{\"gezagInOnderzoek\":" DOUBT("113310") "}", "indicatieGezagMinderjarige", "{}");
}

static void groups_and_relatives_are_in_doubt_by_their_own_codes(void **state)
{
    assert_asked("{\"overlijden\":{\"datum\":\"20261001\",\"inOnderzoek\":" DOUBT("060820") "}}",
                 "overlijden.plaats,overlijden.datum",
                 "{\"overlijden\":{\"datum\":" DAY
                 ",\"inOnderzoek\":{\"plaats\":true,\"datumIngangOnderzoek\":" DAY "}}}");
    assert_asked(
        "{\"nationaliteiten\":[{\"nationaliteit\":{\"code\":\"0499\"},\"inOnderzoek\":" DOUBT("046500") "}]}",
        "nationaliteiten.redenOpname",
        "{\"nationaliteiten\":[{\"type\":\"Staatloos\",\"inOnderzoek\":{\"type\":true,"
        "\"datumIngangOnderzoek\":" DAY "}}]}");
    assert_asked(
        "{\"nationaliteiten\":[{\"nationaliteit\":{\"code\":\"0001\"},\"inOnderzoek\":" DOUBT("046310") "}]}",
        "nationaliteiten.nationaliteit",
        "{\"nationaliteiten\":[{\"type\":\"Nationaliteit\",\"nationaliteit\":{\"code\":\"0001\"}}]}");
    assert_asked(
        "{\"ouders\":[{\"ouderAanduiding\":\"1\",\"naam\":{\"voornamen\":\"Renée\"},\"inOnderzoek\":" DOUBT(
            "020210") "},{\"ouderAanduiding\":\"2\",\"naam\":{\"voornamen\":\"Willy\"}}]}",
        "ouders.ouderAanduiding,ouders.naam.voorletters",
        "{\"ouders\":[{\"ouderAanduiding\":\"1\",\"naam\":{\"voorletters\":\"R.\",\"inOnderzoek\":{"
        "\"voorletters\":true,\"datumIngangOnderzoek\":" DAY "}}},{\"ouderAanduiding\":\"2\",\"naam\":{"
        "\"voorletters\":\"W.\"}}]}");
    assert_asked(
        "{\"partners\":[{\"burgerservicenummer\":\"999910048\",\"inOnderzoek\":" DOUBT("050000") "}]}",
        "partners.ontbindingHuwelijkPartnerschap.datum,partners.burgerservicenummer",
        "{\"partners\":[{\"burgerservicenummer\":\"999910048\",\"inOnderzoek\":{\"burgerservicenummer\":true,"
        "\"datumIngangOnderzoek\":" DAY
        "},\"ontbindingHuwelijkPartnerschap\":{\"inOnderzoek\":{\"datum\":true,"
        "\"datumIngangOnderzoek\":" DAY "}}}]}");
}

/* Every official test person becomes something sensible. */
static void all_official_test_persons_are_delivered(void **state)
{
    g_autoptr(json_t) records = official_persons();
    if (records == NULL)
        skip();
    assert_int_equal(json_array_size(records), 1176);
    gsize index;
    json_t *record;
    guint valid = 0, ages = 0, addressed = 0;
    json_array_foreach(records, index, record)
    {
        g_autoptr(json_t) person = brp_person(record, TODAY);
        const json_t *addressing = json_object_get(person, "adressering");
        valid += bsn_valid(json_string_at(person, "burgerservicenummer"));
        ages += json_object_get(person, "leeftijd") != NULL;
        addressed += json_string_at(addressing, "aanhef") != NULL;
        assert_false(brp_person_is_dead(record) && json_object_get(person, "leeftijd") != NULL);
        assert_non_null(json_string_at(json_object_get(person, "verblijfplaats"), "type"));
    }
    assert_int_equal(valid, 1175); /* one fails the 11-test on purpose */
    assert_true(ages > 1000 && ages <= 1176 - 40);
    assert_int_equal(addressed, 1174); /* two have no surname */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_parts_and_what_follows_from_them),
        cmocka_unit_test(unknown_values_stay_unknown),
        cmocka_unit_test(the_dead_have_no_age),
        cmocka_unit_test(flags_are_said_only_when_they_are_set),
        cmocka_unit_test(a_suspended_record_says_why_also_when_that_is_not_known),
        cmocka_unit_test(records_that_were_put_aside_are_known_as_such),
        cmocka_unit_test(four_codes_are_no_nationality_but_a_kind),
        cmocka_unit_test(what_is_over_is_not_delivered),
        cmocka_unit_test(a_permit_that_is_none_is_not_delivered),
        cmocka_unit_test(a_relative_of_whom_nothing_is_said_is_none),
        cmocka_unit_test(a_relative_has_a_name_without_the_full_one),
        cmocka_unit_test(partners_are_those_that_there_are_or_else_the_last),
        cmocka_unit_test(the_end_of_a_relation_has_a_date_only),
        cmocka_unit_test(of_authority_only_the_members_of_the_api_are_given),
        cmocka_unit_test(an_element_under_investigation_marks_the_asked_field_even_without_a_value),
        cmocka_unit_test(what_is_derived_is_in_doubt_with_its_sources),
        cmocka_unit_test(a_form_of_address_is_in_doubt_with_the_persons_name_or_the_partners),
        cmocka_unit_test(each_category_has_its_own_first_day),
        cmocka_unit_test(groups_and_relatives_are_in_doubt_by_their_own_codes),
        cmocka_unit_test(all_official_test_persons_are_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
