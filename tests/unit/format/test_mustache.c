/* The cases follow the official specification (https://github.com/mustache/spec, 1.4), module by module. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/format/json.h"
#include "core/format/mustache.h"

/* Partials are given as a JSON object of texts. */
static const char *partial_of(const char *name, gpointer user_data)
{
    return json_string_at(user_data, name);
}

static void renders_with(const char *template_text, const char *data, const char *partials,
                         const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) context = json_parse_strict(data, -1, NULL, &error);
    assert_non_null(context);
    g_autoptr(json_t) texts = json_parse_strict(partials, -1, NULL, &error);
    assert_non_null(texts);
    g_autofree char *text = mustache_render(template_text, context, partial_of, texts, &error);
    if (text == NULL)
        fail_msg("%s", error->message);
    assert_string_equal(text, expected);
}

static void renders(const char *template_text, const char *data, const char *expected)
{
    renders_with(template_text, data, "{}", expected);
}

static void refuses(const char *template_text, const char *message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) context = json_object();
    assert_null(mustache_render(template_text, context, NULL, NULL, &error));
    assert_string_equal(error->message, message);
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
}

static void text_without_tags_stays(void **state)
{
    renders("Hello from {Mustache}!\r\n } }} ", "{}", "Hello from {Mustache}!\r\n } }} ");
    renders("", "{}", "");
}

static void interpolates_names(void **state)
{
    renders("Hello, {{subject}}!", "{\"subject\":\"world\"}", "Hello, world!");
    renders("{{ s }}|{{\ts\n}}|{{{ s }}}|{{& s }}", "{\"s\":\"x\"}", "x|x|x|x");
    renders("({{none}}{{{none}}}{{&none}})", "{}", "()");
    renders("({{s}})", "{\"s\":null}", "()");
    renders("{{s}}, {{s}}", "{\"s\":\"{{t}}\",\"t\":1}", "{{t}}, {{t}}");
}

static void escapes_html_unless_told_otherwise(void **state)
{
    const char *data = "{\"s\":\"& \\\" < > ' /\"}";
    renders("{{s}}", data, "&amp; &quot; &lt; &gt; &#39; /");
    renders("{{{s}}}", data, "& \" < > ' /");
    renders("{{&s}}", data, "& \" < > ' /");
}

static void prints_numbers_and_booleans(void **state)
{
    renders("{{a}} {{b}} {{c}} {{{d}}} {{&e}}", "{\"a\":85,\"b\":1.21,\"c\":-0.5,\"d\":1e21,\"e\":100.0}",
            "85 1.21 -0.5 1e+21 100");
    renders("{{t}} {{f}} {{z}} ({{o}}{{a}})", "{\"t\":true,\"f\":false,\"z\":0,\"o\":{\"x\":1},\"a\":[1]}",
            "true false 0 ()");
}

static void follows_dotted_names(void **state)
{
    const char *data = "{\"a\":{\"b\":{\"c\":\"deep\"}},\"b\":{\"c\":\"wrong\"},\"c\":\"wrong\"}";
    renders("{{a.b.c}} {{{a.b.c}}} {{&a.b.c}}", data, "deep deep deep");
    renders("({{a.x.c}}{{a.c}}{{a.b.c.d}}{{x.b.c}})", data, "()");
    renders("{{#a}}{{b.c}}{{/a}}", data, "deep");
    /* the first part decides: no further out when the rest is missing */
    renders("{{#a}}({{b.d}}){{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"d\":\"wrong\"}}", "()");
    renders("({{a.b}})", "{\"a.b\":\"wrong\"}", "()");
}

static void a_dot_is_the_innermost_context(void **state)
{
    renders("Hello, {{.}}!", "\"world\"", "Hello, world!");
    renders("{{.}} {{{.}}}", "\"&\"", "&amp; &");
    renders("{{#list}}({{.}}){{/list}}", "{\"list\":[\"a\",2,1.5,[3]]}", "(a)(2)(1.5)()");
    renders("{{#list}}({{#.}}{{.}}{{/.}}){{/list}}", "{\"list\":[[1,2],[\"b\"]]}", "(12)(b)");
    renders("{{#.}}{{v}}{{/.}}", "[{\"v\":1},{\"v\":2}]", "12");
}

static void values_keep_the_white_space_around_them(void **state)
{
    renders("| {{s}} |", "{\"s\":\"---\"}", "| --- |");
    renders("  {{s}}\n", "{\"s\":\"---\"}", "  ---\n");
    renders("  {{{s}}}\n  {{&s}}\n", "{\"s\":\"-\"}", "  -\n  -\n");
}

static void a_section_shows_what_is_true(void **state)
{
    renders("({{#b}}yes{{/b}})", "{\"b\":true}", "(yes)");
    renders("({{#b}}yes{{/b}})", "{\"b\":false}", "()");
    renders("({{#b}}yes{{/b}})", "{\"b\":null}", "()");
    renders("({{#b}}yes{{/b}})", "{}", "()");
    renders("({{#b}}yes{{/b}})", "{\"b\":[]}", "()");
}

/* Only false, null, a missing name and the empty list are false. */
static void empty_text_and_zero_and_empty_objects_are_not_false(void **state)
{
    renders("({{#b}}yes{{/b}}{{^b}}no{{/b}})", "{\"b\":\"\"}", "(yes)");
    renders("({{#b}}yes{{/b}}{{^b}}no{{/b}})", "{\"b\":0}", "(yes)");
    renders("({{#b}}yes{{/b}}{{^b}}no{{/b}})", "{\"b\":{}}", "(yes)");
}

static void a_section_enters_its_context(void **state)
{
    renders("{{#c}}Hi {{name}}.{{/c}}", "{\"c\":{\"name\":\"Joe\"}}", "Hi Joe.");
    renders("{{#c}}{{a}}{{b}}{{/c}}{{b}}", "{\"a\":1,\"b\":2,\"c\":{\"b\":3}}", "132");
    renders("{{#a}}{{#b}}{{x}}{{y}}{{z}}{{/b}}{{/a}}", "{\"x\":1,\"a\":{\"y\":2,\"b\":{\"z\":3}}}", "123");
    renders("{{#a.b.c}}Here{{/a.b.c}}{{#a.x.c}}Not{{/a.x.c}}", "{\"a\":{\"b\":{\"c\":true}}}", "Here");
}

static void a_section_repeats_for_a_list(void **state)
{
    renders("{{#list}}{{item}}{{/list}}", "{\"list\":[{\"item\":1},{\"item\":2},{\"item\":3}]}", "123");
    renders("{{#a}}{{n}}{{#b}}({{.}}{{n}}){{/b}};{{/a}}",
            "{\"a\":[{\"n\":\"x\",\"b\":[1,2]},{\"n\":\"y\",\"b\":[]}]}", "x(1x)(2x);y;");
}

static void sections_nest_and_repeat(void **state)
{
    renders("{{#b}}1{{#b}}2{{/b}}3{{/b}}{{#b}}4{{/b}}", "{\"b\":true}", "1234");
    renders("|{{#b}}A{{#c}}B{{/c}}D{{/b}}|", "{\"b\":true,\"c\":false}", "|AD|");
    renders("|{{# b }}={{/ b }}|", "{\"b\":true}", "|=|");
}

static void an_inverted_section_shows_what_is_not_true(void **state)
{
    renders("({{^b}}no{{/b}})", "{\"b\":false}", "(no)");
    renders("({{^b}}no{{/b}})", "{\"b\":null}", "(no)");
    renders("({{^b}}no{{/b}})", "{\"b\":[]}", "(no)");
    renders("({{^b}}no{{/b}})", "{}", "(no)");
    renders("({{^b}}no{{/b}})", "{\"b\":true}", "()");
    renders("({{^b}}no{{/b}})", "{\"b\":[1]}", "()");
    renders("({{^a.b.c}}no{{/a.b.c}})", "{\"a\":{}}", "(no)");
    renders("({{^a.b}}no{{/a.b}})", "{\"a\":{\"b\":{}}}", "()");
    renders("{{^a}}{{x}}{{/a}}", "{\"x\":5}", "5");
}

static void a_tag_alone_on_its_line_takes_the_line_along(void **state)
{
    const char *data = "{\"b\":true}";
    renders("| This\n{{#b}}\n|\n{{/b}}\n| Line", data, "| This\n|\n| Line");
    renders("| This\n  {{#b}}  \n|\n\t{{/b}}\t\n| Line\n", data, "| This\n|\n| Line\n");
    renders("| This\n  {{^b}}\n|\n  {{/b}}\n| Line", data, "| This\n| Line");
    renders("|\r\n{{#b}}\r\n{{/b}}\r\n|", data, "|\r\n|");
    renders("  {{#b}}\n#{{/b}}\n/", data, "#\n/");
    renders("#{{#b}}\n/\n  {{/b}}", data, "#\n/\n");
    renders("{{#b}}\n{{/b}}\n", data, "");
}

static void a_tag_that_shares_its_line_keeps_it(void **state)
{
    const char *data = "{\"b\":true}";
    renders(" | {{#b}}\t|\t{{/b}} | \n", data, " | \t|\t | \n");
    renders(" {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", data, " YES\n GOOD\n");
    renders(" {{#b}} {{! comment }}\n {{/b}}\n", data, "  \n");
    renders("  12 {{! comment }}\n", data, "  12 \n");
    renders("{{! comment }} x\n", data, " x\n");
}

static void comments_disappear(void **state)
{
    renders("12345{{! Comment }}67890", "{}", "1234567890");
    renders("12345{{!\n  several\n  lines\n}}67890\n", "{}", "1234567890\n");
    renders("Begin.\n{{! alone }}\nEnd.\n", "{}", "Begin.\nEnd.\n");
    renders("Begin.\n  {{!\n alone\n  }}  \nEnd.\n", "{}", "Begin.\nEnd.\n");
    renders("  {{! first }}\n!", "{}", "!");
    renders("!\n  {{! last }}", "{}", "!\n");
    renders("|\r\n{{! alone }}\r\n|", "{}", "|\r\n|");
    renders("({{!}}{{!a}}{{! {{b }})", "{\"a\":1}", "()");
}

static void partials_see_the_context(void **state)
{
    renders_with("\"{{>text}}\"", "{\"t\":\"x\"}", "{\"text\":\"*{{t}}*\"}", "\"*x*\"");
    renders_with("({{>none}})", "{}", "{}", "()");
    renders_with("|{{> text }}|", "{}", "{\"text\":\"[]\"}", "|[]|");
    renders_with("{{#l}}{{>p}}{{/l}}", "{\"l\":[1,2]}", "{\"p\":\"<{{.}}>\"}", "<1><2>");
}

static void partials_may_call_themselves(void **state)
{
    renders_with("{{>node}}", "{\"c\":\"X\",\"n\":[{\"c\":\"Y\",\"n\":[]}]}",
                 "{\"node\":\"{{c}}<{{#n}}{{>node}}{{/n}}>\"}", "X<Y<>>");
}

static void a_partial_alone_on_its_line_is_indented(void **state)
{
    renders_with("\\\n {{>p}}\n/\n", "{\"c\":\"<\\n->\"}", "{\"p\":\"|\\n{{{c}}}\\n|\\n\"}",
                 "\\\n |\n <\n->\n |\n/\n");
    renders_with("  {{>p}}\n>", "{}", "{\"p\":\">\\n>\"}", "  >\n  >>");
    renders_with(">\n  {{>p}}", "{}", "{\"p\":\">\\n\\n>\"}", ">\n  >\n\n  >");
    renders_with("|\r\n{{>p}}\r\n|", "{}", "{\"p\":\">\"}", "|\r\n>|");
}

static void a_partial_within_a_line_is_not_indented(void **state)
{
    renders_with("  {{d}}  {{> p}}\n", "{\"d\":\"|\"}", "{\"p\":\">\\n>\"}", "  |  >\n>\n");
    renders_with("| {{> p}} |", "{}", "{\"p\":\"\\t|\\t\"}", "| \t|\t |");
}

static void delimiters_can_be_changed(void **state)
{
    const char *data = "{\"t\":\"Hey!\",\"s\":true}";
    renders("{{=<% %>=}}(<%t%>)({{t}})", data, "(Hey!)({{t}})");
    renders("({{=[ ]=}}[t])", data, "(Hey!)");
    renders("[{{#s}}{{t}}|t|{{/s}}{{= | | =}}|#s|{{t}}|t||/s|]", data, "[Hey!|t|{{t}}Hey!]");
    renders("{{= <% %> =}}<%={{ }}=%>{{t}}", data, "Hey!");
    renders("{{=@   @=}}(@t@)", data, "(Hey!)");
    renders("| {{=@ @=}} |", data, "|  |");
    renders("Begin.\n  {{=@ @=}}  \nEnd.\n", data, "Begin.\nEnd.\n");
    renders("|\r\n{{= @ @ =}}\r\n|", data, "|\r\n|");
    renders("{{=<% %>=}}<%{t}%><%&t%>", data, "Hey!Hey!");
}

static void delimiters_do_not_reach_into_or_out_of_partials(void **state)
{
    renders_with("[{{>p}}]{{= | | =}}[|>p|]", "{\"v\":\"yes\"}", "{\"p\":\".{{v}}.\"}", "[.yes.][.yes.]");
    renders_with("[{{>p}}][.{{v}}. .|v|.]", "{\"v\":\"yes\"}", "{\"p\":\".{{v}}. {{= | | =}} .|v|.\"}",
                 "[.yes.  .yes.][.yes. .|v|.]");
}

static void refuses_broken_tags_with_their_line(void **state)
{
    refuses("a\n{{name", "line 2: this tag is never closed");
    refuses("{{{name}}", "line 1: this tag is never closed");
    refuses("{{! comment", "line 1: this tag is never closed");
    refuses("{{}}", "line 1: this tag has no name");
    refuses("{{# }}{{/ }}", "line 1: this tag has no name");
    refuses("\n\n{{#a}}\n", "line 3: this section is never closed");
    refuses("{{#a}}\n{{/b}}", "line 2: this tag closes a section that is not the open one");
    refuses("{{#a}}{{#b}}{{/a}}{{/b}}", "line 1: this tag closes a section that is not the open one");
    refuses("{{/a}}", "line 1: this tag closes a section that is not the open one");
    refuses("{{#a}}{{/ab}}", "line 1: this tag closes a section that is not the open one");
    refuses("{{=<%=}}", "line 1: delimiters are two words without \"=\" in them");
    refuses("{{=< % >=}}", "line 1: delimiters are two words without \"=\" in them");
    refuses("{{=<= =>=}}", "line 1: delimiters are two words without \"=\" in them");
}

static void names_the_partial_that_is_broken(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) texts = json_pack("{s:s}", "head", "\n{{oops");
    g_autoptr(json_t) context = json_object();
    assert_null(mustache_render("{{>head}}", context, partial_of, texts, &error));
    assert_string_equal(error->message, "partial \"head\": line 2: this tag is never closed");
}

static void bounds_the_depth_of_partials(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) texts = json_pack("{s:s}", "p", "x{{#deep}}{{>p}}{{/deep}}");
    g_autoptr(json_t) context = json_pack("{s:b}", "deep", 1);
    assert_null(mustache_render("{{>p}}", context, partial_of, texts, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    assert_true(
        g_str_has_suffix(error->message, "partial \"p\": partials call each other more than 16 deep"));

    /* sixteen are fine: each context holds the next one */
    g_autoptr(json_t) chain = json_pack("{s:b}", "next", 0);
    for (int i = 1; i < 16; i++) {
        json_t *outer = json_object();
        json_object_set_new(outer, "next", chain);
        chain = outer;
    }
    json_object_set_new(texts, "q", json_string("x{{#next}}{{>q}}{{/next}}"));
    g_clear_error(&error);
    g_autofree char *text = mustache_render("{{>q}}", chain, partial_of, texts, &error);
    assert_string_equal(text, "xxxxxxxxxxxxxxxx");
}

static void bounds_the_depth_of_sections(void **state)
{
    GString *deep = g_string_new(NULL);
    for (int i = 0; i < 65; i++)
        g_string_append(deep, "{{#a}}");
    for (int i = 0; i < 65; i++)
        g_string_append(deep, "{{/a}}");
    refuses(deep->str, "line 1: sections are nested too deep");
    g_string_erase(deep, 65 * 6, 6);
    g_string_erase(deep, 0, 6);
    renders(deep->str, "{\"a\":true}", "");
    g_string_free(deep, TRUE);
}

static void bounds_what_nested_lists_multiply(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_t) context = json_parse_strict("{\"a\":[1,2,3,4,5,6,7,8,9,0]}", -1, NULL, NULL);
    assert_null(
        mustache_render("{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{/a}}{{/a}}{{/a}}{{/a}}{{/a}}"
                        "{{/a}}{{/a}}{{/a}}",
                        context, NULL, NULL, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_LIMIT));
}

static void html_escape_appends(void **state)
{
    g_autoptr(GString) out = g_string_new("<p>");
    html_escape_append(out, "a<b>&'c'\"\xc3\xa9");
    assert_string_equal(out->str, "<p>a&lt;b&gt;&amp;&#39;c&#39;&quot;\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_without_tags_stays),
        cmocka_unit_test(interpolates_names),
        cmocka_unit_test(escapes_html_unless_told_otherwise),
        cmocka_unit_test(prints_numbers_and_booleans),
        cmocka_unit_test(follows_dotted_names),
        cmocka_unit_test(a_dot_is_the_innermost_context),
        cmocka_unit_test(values_keep_the_white_space_around_them),
        cmocka_unit_test(a_section_shows_what_is_true),
        cmocka_unit_test(empty_text_and_zero_and_empty_objects_are_not_false),
        cmocka_unit_test(a_section_enters_its_context),
        cmocka_unit_test(a_section_repeats_for_a_list),
        cmocka_unit_test(sections_nest_and_repeat),
        cmocka_unit_test(an_inverted_section_shows_what_is_not_true),
        cmocka_unit_test(a_tag_alone_on_its_line_takes_the_line_along),
        cmocka_unit_test(a_tag_that_shares_its_line_keeps_it),
        cmocka_unit_test(comments_disappear),
        cmocka_unit_test(partials_see_the_context),
        cmocka_unit_test(partials_may_call_themselves),
        cmocka_unit_test(a_partial_alone_on_its_line_is_indented),
        cmocka_unit_test(a_partial_within_a_line_is_not_indented),
        cmocka_unit_test(delimiters_can_be_changed),
        cmocka_unit_test(delimiters_do_not_reach_into_or_out_of_partials),
        cmocka_unit_test(refuses_broken_tags_with_their_line),
        cmocka_unit_test(names_the_partial_that_is_broken),
        cmocka_unit_test(bounds_the_depth_of_partials),
        cmocka_unit_test(bounds_the_depth_of_sections),
        cmocka_unit_test(bounds_what_nested_lists_multiply),
        cmocka_unit_test(html_escape_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
