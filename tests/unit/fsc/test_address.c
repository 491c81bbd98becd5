#include "components/fsc/address.h"
#include "tests/unit/fsc/sample.h"

/* FSC Core 2.0.0, 4.1.1: "The ports used by FSC components MUST be 443 or 8443." */
static void reads_host_and_port(void **state)
{
    g_auto(Address) a = {0};
    g_auto(Address) b = {0};
    assert_true(address_parse("https://Manager.Example:8443", &a, NULL));
    assert_string_equal(a.host, "manager.example");
    assert_int_equal(a.port, 8443);
    assert_true(address_parse("https://127.0.0.1:443", &b, NULL));
    assert_int_equal(b.port, 443);
}

static void refuses_everything_else(void **state)
{
    static const char *const wrong[] = {"",
                                        "manager.example:8443",
                                        "http://manager.example:8443",
                                        "https://manager.example",
                                        "https://manager.example:80",
                                        "https://manager.example:08443",
                                        "https://manager.example:8443/",
                                        "https://manager.example:8443/v1",
                                        "https://:8443",
                                        "https://user@manager.example:8443",
                                        "https://manager.example:8443?x",
                                        "https://manager.example:8443#x",
                                        "https://manager example:8443",
                                        "https://manager.example:8443 ",
                                        "https://[::1]:8443",
                                        "HTTPS://manager.example:8443",
                                        "https://-a.example:443",
                                        "https://.example:443",
                                        "https://manager.example:443:8443",
                                        "https://manager_example:8443"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(Address) address = {0};
        if (address_parse(wrong[i], &address, &error))
            fail_msg("accepted %s", wrong[i]);
        assert_non_null(error);
    }
    g_auto(Address) address = {0};
    assert_false(address_parse(NULL, &address, NULL));
    g_autofree char *host = g_strnfill(254, 'a');
    g_autofree char *text = g_strdup_printf("https://%s:443", host);
    assert_false(address_parse(text, &address, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_host_and_port),
        cmocka_unit_test(refuses_everything_else),
    };
    return cmocka_run_group_tests_name("fsc address", tests, NULL, NULL);
}
