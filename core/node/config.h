/* node.conf: sections and keys (GKeyFile look, own reader, decisions.md 22), checked whole at start.
 *
 *   # a comment                 [section] or [family.name]         key = value         (lists: values
 * separated by spaces)
 *
 * A comment may also follow a value, after white space. [hosts] is a section of its own kind: each key is the
 * name of a host, each value its IP address.
 *
 * Every fault is reported at once, each with its line: unknown section or key, key twice, missing key, value
 * of the wrong kind, file that cannot be read. Immutable after loading; thread safe. Relative paths are taken
 * from the folder of the file.
 */
#pragma once

#include <glib.h>

typedef struct config Config;

typedef enum {
    CONFIG_TEXT,
    CONFIG_INTEGER, /* decimal, with optional unit: s m h d for times (seconds), KiB MiB GiB for sizes (bytes)
                     */
    CONFIG_BOOLEAN, /* yes or no */
    CONFIG_LIST,    /* words separated by spaces */
    CONFIG_PATH,    /* made absolute; need not exist */
    CONFIG_FILE,    /* made absolute; must be readable */
    CONFIG_OIN,     /* 20 digits */
    CONFIG_URL,     /* https:// or http:// with a host */
    CONFIG_ADDRESS  /* ip:port */
} ConfigKind;

typedef struct {
    const char *section; /* "node", or "client.*" for a family */
    const char *key;
    ConfigKind kind;
    gboolean required;          /* in each section of a family that is there */
    const char *fallback;       /* NULL: none */
    const char *help;           /* one line, for `fundament config keys` and docs/configuration.md */
    const char *const *choices; /* CONFIG_TEXT, CONFIG_LIST: the only words allowed, NULL-terminated; NULL (or
                                   left out): any */
} ConfigKey;

/* `tables` of `counts` keys. NULL when there is any fault; the faults, strings "node.conf:12: unknown key
 * \"oni\"; did you mean
 * \"oin\"?", are then in `faults` (array of strings, given empty by the caller with g_free as free function).
 */
Config *config_load(const char *path, const ConfigKey *const *tables, const gsize *counts, gsize n_tables,
                    GPtrArray *faults);
/* As config_load, from text; `path` is for messages and for relative paths. */
Config *config_parse(const char *path, const char *text, gsize length, const ConfigKey *const *tables,
                     const gsize *counts, gsize n_tables, GPtrArray *faults);

/* For other files of this look (a signing policy): rules between keys, whose faults are reported together
 * with the others, in the order of the lines. `check` also sees a file that has faults already: a value that
 * is no good reads as absent, 0 or empty. A line of 0 is the file as a whole. */
typedef struct config_faults ConfigFaults;
typedef void (*ConfigCheck)(const Config *config, ConfigFaults *faults, gpointer user_data);
void config_fault(ConfigFaults *faults, guint line, const char *format, ...) G_GNUC_PRINTF(3, 4);
Config *config_parse_checked(const char *path, const char *text, gsize length, const ConfigKey *const *tables,
                             const gsize *counts, gsize n_tables, ConfigCheck check_more, gpointer user_data,
                             GPtrArray *faults);

void config_free(Config *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, config_free)

const char *config_text(const Config *config, const char *section,
                        const char *key); /* NULL when absent without fallback */
gint64 config_integer(const Config *config, const char *section, const char *key); /* 0 likewise */
gboolean config_boolean(const Config *config, const char *section, const char *key);
const char *const *config_list(const Config *config, const char *section, const char *key); /* never NULL */
/* Names of the sections "family.NAME" there are, in file order: the NAMEs. Never NULL. */
const char *const *config_family(const Config *config, const char *family);
/* "host:port:address" entries for HttpCall.resolve, from [hosts] (NAME = ADDRESS), for ports 443 and 8443. */
const char *const *config_resolve(const Config *config);
/* The address of a host name from [hosts], or NULL. */
const char *config_host(const Config *config, const char *name);
const char *config_path(const Config *config); /* of the file */
/* The line at which a key stands, for messages; 0 when it is not in the file. */
guint config_line(const Config *config, const char *section, const char *key);
/* TRUE when the section is in the file. */
gboolean config_has_section(const Config *config, const char *section);

/* The words of one key of a file, before anything in it is checked: NULL when the key or the file is not
 * there. */
char **config_peek(const char *path, const char *section, const char *key);

/* The file that a command means: `given` when not NULL, else the environment variable FUNDAMENT_CONF, else
 * ./node.conf when it is there, else /etc/fundament/node.conf. Caller frees. */
char *config_choose_path(const char *given);
