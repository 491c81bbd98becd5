#include "components/fsc/cli_setup.h"

#include <arpa/inet.h>
#include <string.h>

#include "components/fsc/address.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"

static gboolean is_domain(const char *text)
{
    g_auto(Address) address = {0};
    g_autofree char *url = g_strdup_printf("https://manager.%s:8443", text);
    return address_parse(url, &address, NULL) && strchr(text, '.') != NULL;
}

static gboolean is_ip(const char *text)
{
    struct in6_addr out;
    return inet_pton(AF_INET, text, &out) == 1 || inet_pton(AF_INET6, text, &out) == 1;
}

static gboolean is_address(const char *text)
{
    g_auto(Address) address = {0};
    return address_parse(text, &address, NULL);
}

/* A value of node.conf is one line, and "#" begins a comment. */
static gboolean is_one_line(const char *text)
{
    return *text != '\0' && strpbrk(text, "\r\n#\"") == NULL && g_utf8_validate(text, -1, NULL);
}

static gboolean is_client(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "=", 2);
    g_auto(GStrv) where = g_strv_length(parts) == 2 ? g_strsplit(parts[1], ":", 2) : NULL;
    return where != NULL && fsc_service_name_valid(parts[0]) && g_strv_length(where) == 2 &&
           is_ip(where[0]) && g_ascii_string_to_unsigned(where[1], 10, 1, 65535, NULL, NULL);
}

static gboolean is_service(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "=", 2);
    return fsc_service_name_valid(parts[0]) && (parts[1] == NULL || is_one_line(parts[1]));
}

typedef struct {
    const char *option, *value, *form;
    gboolean (*valid)(const char *text);
    gboolean required;
} Rule;

static gboolean check(const Rule *rule, GError **error)
{
    if (rule->value == NULL && !rule->required)
        return TRUE;
    if (rule->value != NULL && rule->valid(rule->value))
        return TRUE;
    if (rule->value == NULL)
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "%s is missing: %s", rule->option,
                    rule->form);
    else
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_USAGE, "%s %s: %s", rule->option, rule->value,
                    rule->form);
    return FALSE;
}

static gboolean check_list(const char *option, const char *const *values, const char *form,
                           gboolean (*valid)(const char *text), GError **error)
{
    for (; values != NULL && *values != NULL; values++) {
        Rule rule = {option, *values, form, valid, TRUE};
        if (!check(&rule, error))
            return FALSE;
    }
    return TRUE;
}

gboolean setup_check(const Setup *setup, GError **error)
{
    const Rule rules[] = {
        {"--oin", setup->oin, "an OIN has 20 digits", oin_valid, TRUE},
        {"--organization", setup->organization, "the name of the organisation, on one line", is_one_line,
         TRUE},
        {"--group", setup->group, "the id of the FSC group, 1 to 100 of a-z A-Z 0-9 . / _ -",
         fsc_group_id_valid, TRUE},
        {"--domain", setup->domain, "the domain under which others find this node, as fsc.waterstad.example",
         is_domain, TRUE},
        {"--address", setup->address, "the IP address at which the edge listens", is_ip, TRUE},
        {"--directory", setup->directory, "the Peer ID of the Directory has 20 digits", oin_valid, FALSE},
        {"--directory-address", setup->directory_address, "https://host:443 or https://host:8443", is_address,
         setup->directory != NULL && g_strcmp0(setup->directory, setup->oin) != 0},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++)
        if (!check(&rules[i], error))
            return FALSE;
    return check_list("--service", setup->services, "NAME or NAME=IP:PORT of the service", is_service,
                      error) &&
           check_list("--client", setup->clients, "NAME=IP:PORT, the loopback address of this client",
                      is_client, error);
}

static void add_sections(GString *out, const Setup *setup)
{
    for (const char *const *text = setup->services; text != NULL && *text != NULL; text++) {
        g_auto(GStrv) parts = g_strsplit(*text, "=", 2);
        g_string_append_printf(out, "\n[service.%s]\n", parts[0]);
        if (parts[1] != NULL)
            g_string_append_printf(out, "upstream = %s\n", parts[1]);
        g_string_append(
            out, "# accept = 00000000000000000000   # Peers whose connections are accepted by themselves\n");
    }
    for (const char *const *text = setup->clients; text != NULL && *text != NULL; text++) {
        g_auto(GStrv) parts = g_strsplit(*text, "=", 2);
        g_string_append_printf(
            out, "\n[client.%s]\nlisten = %s\n# grants = SERVICE.PEER   # what this client may use\n",
            parts[0], parts[1]);
    }
}

char *setup_configuration(const Setup *setup)
{
    gboolean is_directory = setup->directory == NULL || g_strcmp0(setup->directory, setup->oin) == 0;
    GString *out = g_string_new(NULL);
    g_string_append_printf(
        out,
        "# %s (%s). Every key: fundament config keys\n"
        "[node]\ngroup = %s\ncomponents = logboek fsc\n%s%s\n"
        "[hosts]\nmanager.%s = %s\ninway.%s = %s\n\n"
        "[edge]\naddress = %s\n\n"
        "[fsc]\nmanager_address = https://manager.%s:8443\ninway_address = https://inway.%s:443\n",
        setup->organization, setup->oin, setup->group,
        setup->has_crl ? "crl = keys/crl.pem\n" : "# crl = keys/crl.pem   # revocation lists\n",
        setup->test ? "mode = test\n" : "", setup->domain, setup->address, setup->domain, setup->address,
        setup->address, setup->domain, setup->domain);
    if (is_directory)
        g_string_append_printf(out,
                               "directory = %s\ndirectory_address = https://manager.%s:8443\n"
                               "accept_publications = yes\n",
                               setup->oin, setup->domain);
    else
        g_string_append_printf(out, "directory = %s\ndirectory_address = %s\n", setup->directory,
                               setup->directory_address);
    add_sections(out, setup);
    return g_string_free(out, FALSE);
}
