/* The stylesheet against what can be computed of WCAG 2.2: contrast, in the light and in the dark. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/asset.h"
#include "core/net/phrases.h"

#define TEXT_CONTRAST 4.5    /* WCAG 2.2, 1.4.3 */
#define CONTROL_CONTRAST 3.0 /* WCAG 2.2, 1.4.11 */
#define SIZE_MAX_BYTES 12288
#define ALERT_SHARE 0.10 /* of the alert's colour in its background, as color-mix() has it */

typedef struct {
    double r, g, b;
} Colour;

static const char *stylesheet(gsize *length)
{
    const char *text = asset_find("static/fundament.css", length);
    assert_non_null(text);
    return text;
}

static Colour parse_colour(const char *hex)
{
    int digits[6];
    gsize n = strspn(hex, "0123456789abcdef");
    assert_true(n == 3 || n == 6);
    for (int i = 0; i < 6; i++)
        digits[i] = g_ascii_xdigit_value(hex[n == 3 ? i / 2 : i]);
    return (Colour){digits[0] * 16 + digits[1], digits[2] * 16 + digits[3], digits[4] * 16 + digits[5]};
}

/* The value of a token: in the dark the one of the dark block, if it is there. */
static Colour token(const char *name, gboolean dark)
{
    const char *text = stylesheet(NULL);
    const char *dark_block = strstr(text, "(prefers-color-scheme: dark)");
    g_autofree char *declaration = g_strdup_printf(" --nl-%s: #", name);
    const char *at = strstr(text, declaration);
    const char *dark_at = strstr(dark_block, declaration);
    if (dark && dark_at != NULL)
        at = dark_at;
    if (at == NULL)
        fail_msg("no token %s", name);
    return parse_colour(at + strlen(declaration));
}

static Colour mix(Colour a, Colour b, double share)
{
    return (Colour){a.r * share + b.r * (1 - share), a.g * share + b.g * (1 - share),
                    a.b * share + b.b * (1 - share)};
}

static double channel(double value)
{
    double c = value / 255;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* WCAG 2.2, relative luminance and contrast ratio */
static double contrast(Colour a, Colour b)
{
    double la = 0.2126 * channel(a.r) + 0.7152 * channel(a.g) + 0.0722 * channel(a.b);
    double lb = 0.2126 * channel(b.r) + 0.7152 * channel(b.g) + 0.0722 * channel(b.b);
    return (fmax(la, lb) + 0.05) / (fmin(la, lb) + 0.05);
}

static void assert_contrast(const char *what, Colour a, Colour b, double least, gboolean dark)
{
    double ratio = contrast(a, b);
    if (ratio < least)
        fail_msg("%s: %.2f in the %s, at least %.1f", what, ratio, dark ? "dark" : "light", least);
}

static void text_has_enough_contrast(void **state)
{
    static const char *const pairs[][2] = {
        {"color", "background"},
        {"subtle-color", "background"},
        {"accent-color", "background"},
        {"link-visited-color", "background"},
        {"alert-error-color", "background"},
        {"alert-ok-color", "background"},
        {"alert-warning-color", "background"},
        {"alert-info-color", "background"},
        {"color", "surface-color"},
        {"subtle-color", "surface-color"},
        {"accent-color", "surface-color"},
        {"on-accent-color", "accent-color"},
        {"on-accent-color", "accent-hover-color"},
    };
    for (int dark = 0; dark <= 1; dark++)
        for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++)
            assert_contrast(pairs[i][0], token(pairs[i][0], dark), token(pairs[i][1], dark), TEXT_CONTRAST,
                            dark);
}

static void text_in_alerts_has_enough_contrast(void **state)
{
    static const char *const alerts[] = {"alert-info-color", "alert-ok-color", "alert-warning-color",
                                         "alert-error-color"};
    static const char *const texts[] = {"color", "accent-color", "link-visited-color"};
    for (int dark = 0; dark <= 1; dark++)
        for (gsize a = 0; a < G_N_ELEMENTS(alerts); a++)
            for (gsize t = 0; t < G_N_ELEMENTS(texts); t++) {
                Colour behind = mix(token(alerts[a], dark), token("background", dark), ALERT_SHARE);
                assert_contrast(alerts[a], token(texts[t], dark), behind, TEXT_CONTRAST, dark);
            }
}

static void controls_and_focus_have_enough_contrast(void **state)
{
    static const char *const tokens[] = {"control-color", "focus-outline-color", "accent-color",
                                         "alert-error-color"};
    for (int dark = 0; dark <= 1; dark++)
        for (gsize i = 0; i < G_N_ELEMENTS(tokens); i++)
            assert_contrast(tokens[i], token(tokens[i], dark), token("background", dark), CONTROL_CONTRAST,
                            dark);
}

static void fixed_colours_have_enough_contrast(void **state)
{
    static const char *const backgrounds[] = {"ffd54a",
                                              "ffe08a"}; /* the test banner, and a link that has the focus */
    for (gsize i = 0; i < G_N_ELEMENTS(backgrounds); i++) {
        g_autofree char *used = g_strdup_printf("background: #%s", backgrounds[i]);
        assert_non_null(strstr(stylesheet(NULL), used));
        assert_contrast(backgrounds[i], parse_colour("17232a"), parse_colour(backgrounds[i]), TEXT_CONTRAST,
                        FALSE);
    }
}

static void is_small_and_fetches_nothing(void **state)
{
    gsize length;
    const char *text = stylesheet(&length);
    assert_true(length < SIZE_MAX_BYTES);
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "@import"));
}

static void every_block_is_closed(void **state)
{
    int depth = 0;
    for (const char *c = stylesheet(NULL); *c != '\0'; c++) {
        depth += *c == '{' ? 1 : *c == '}' ? -1 : 0;
        assert_in_range(depth, 0, 2);
    }
    assert_int_equal(depth, 0);
}

/* A use without a declaration is silently nothing in a browser. */
static void every_token_that_is_used_is_declared(void **state)
{
    static const char *const use = "var(--nl-";
    const char *text = stylesheet(NULL);
    for (const char *at = text; (at = strstr(at, use)) != NULL; at++) {
        const char *name = at + strlen("var(");
        g_autofree char *declaration = g_strdup_printf("%.*s: ", (int)strcspn(name, ",)"), name);
        if (strstr(text, declaration) == NULL)
            fail_msg("%s is used and not declared", declaration);
    }
}

/* Every class in the manual of the blocks (core/net/page.h) and in the layout is one that the stylesheet has.
 */
static void every_class_of_the_layout_is_in_the_stylesheet(void **state)
{
    const char *layout = asset_find("templates/layout.mustache", NULL);
    const char *text = stylesheet(NULL);
    for (const char *at = layout; (at = strstr(at, "fn-")) != NULL; at++) {
        g_autofree char *class = g_strndup(at, strspn(at, "abcdefghijklmnopqrstuvwxyz-_"));
        g_autofree char *selector = g_strconcat(".", class, NULL);
        if (strstr(text, selector) == NULL)
            fail_msg("%s has no style", class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_enough_contrast),
        cmocka_unit_test(text_in_alerts_has_enough_contrast),
        cmocka_unit_test(controls_and_focus_have_enough_contrast),
        cmocka_unit_test(fixed_colours_have_enough_contrast),
        cmocka_unit_test(is_small_and_fetches_nothing),
        cmocka_unit_test(every_block_is_closed),
        cmocka_unit_test(every_token_that_is_used_is_declared),
        cmocka_unit_test(every_class_of_the_layout_is_in_the_stylesheet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
