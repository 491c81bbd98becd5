#include "core/crypto/pseudonym.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/identifiers.h"
#include "core/crypto/digest.h"
#include "core/crypto/key.h"

#define KEY_SIZE 32
#define MAX_VERSION_DIGITS 9
#define PREFIX "pseudonym."
#define SUFFIX ".key"

typedef struct {
    gint64 version;
    GBytes *key;
} Version;

struct pseudonymizer {
    char *oin;
    GPtrArray *versions; /* of Version*, newest first; never empty */
};

static void version_free(gpointer data)
{
    Version *version = data;
    g_clear_pointer(&version->key, g_bytes_unref);
    g_free(version);
}

void pseudonymizer_free(Pseudonymizer *pseudonymizer)
{
    if (pseudonymizer == NULL)
        return;
    g_free(pseudonymizer->oin);
    g_ptr_array_unref(pseudonymizer->versions);
    g_free(pseudonymizer);
}

/* Digits without leading zeros up to `end`, at most nine of them: the version, or 0. */
static gint64 version_parse(const char *text, const char *end)
{
    gint64 version = 0;
    if (text >= end || *text == '0' || end - text > MAX_VERSION_DIGITS)
        return 0;
    for (; text < end; text++) {
        if (!g_ascii_isdigit(*text))
            return 0;
        version = version * 10 + (*text - '0');
    }
    return version;
}

static gint compare_newest_first(gconstpointer a, gconstpointer b)
{
    const Version *left = *(const Version *const *)a, *right = *(const Version *const *)b;
    return (left->version < right->version) - (left->version > right->version);
}

static gboolean add_version(Pseudonymizer *pseudonymizer, const char *folder, gint64 number, GError **error)
{
    g_autofree char *file = g_strdup_printf(PREFIX "%" G_GINT64_FORMAT SUFFIX, number);
    g_autofree char *path = g_build_filename(folder, file, NULL);
    GBytes *key = secret_load_or_create(path, KEY_SIZE, error);
    if (key == NULL)
        return FALSE;
    Version *version = g_new0(Version, 1);
    version->version = number;
    version->key = key;
    g_ptr_array_add(pseudonymizer->versions, version);
    return TRUE;
}

/* A file whose name is almost that of a key is a mistake to mend, not one to pass over: pseudonyms would not
 * be found. */
static gboolean add_file(Pseudonymizer *pseudonymizer, const char *folder, const char *file, GError **error)
{
    if (!g_str_has_prefix(file, PREFIX) || !g_str_has_suffix(file, SUFFIX))
        return TRUE;
    const char *digits = file + strlen(PREFIX), *end = file + strlen(file) - strlen(SUFFIX);
    gint64 version = version_parse(digits, end);
    if (version > 0)
        return add_version(pseudonymizer, folder, version, error);
    g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                "%s/%s: a key of pseudonyms is named pseudonym.<version>.key, with a version from 1 without "
                "leading zeros",
                folder, file);
    return FALSE;
}

static gboolean add_folder(Pseudonymizer *pseudonymizer, const char *folder, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) entries = g_dir_open(folder, 0, &cause);
    const char *file;
    if (entries == NULL) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_IO, "%s: cannot read the key folder: %s", folder,
                    cause->message);
        return FALSE;
    }
    while ((file = g_dir_read_name(entries)) != NULL)
        if (!add_file(pseudonymizer, folder, file, error))
            return FALSE;
    return TRUE;
}

Pseudonymizer *pseudonymizer_load(const char *folder, const char *oin, GError **error)
{
    g_autoptr(Pseudonymizer) pseudonymizer = g_new0(Pseudonymizer, 1);
    pseudonymizer->oin = g_strdup(oin);
    pseudonymizer->versions = g_ptr_array_new_with_free_func(version_free);
    if (!oin_valid(oin)) {
        g_set_error(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID,
                    "pseudonyms need the OIN of the organisation: 20 digits");
        return NULL;
    }
    if (!add_folder(pseudonymizer, folder, error))
        return NULL;
    if (pseudonymizer->versions->len == 0 && !add_version(pseudonymizer, folder, 1, error))
        return NULL;
    g_ptr_array_sort(pseudonymizer->versions, compare_newest_first);
    return g_steal_pointer(&pseudonymizer);
}

/* The parts have fixed lengths (20, 7 and 9), so that no two triples give the same text. */
static char *pseudonym_under(const Pseudonymizer *pseudonymizer, const Version *version, const char *bsn)
{
    guint8 hash[SHA256_SIZE];
    g_autofree char *text = g_strconcat(pseudonymizer->oin, "logboek", bsn, NULL);
    hmac_sha256(version->key, text, strlen(text), hash);
    secret_wipe(text, strlen(text));
    g_autofree char *encoded = base64url_encode(hash, sizeof hash);
    return g_strdup_printf("p%" G_GINT64_FORMAT ".%s", version->version, encoded);
}

char *pseudonym_of_bsn(const Pseudonymizer *pseudonymizer, const char *bsn)
{
    g_return_val_if_fail(bsn_valid(bsn), NULL);
    return pseudonym_under(pseudonymizer, g_ptr_array_index(pseudonymizer->versions, 0), bsn);
}

char **pseudonyms_of_bsn(const Pseudonymizer *pseudonymizer, const char *bsn)
{
    g_return_val_if_fail(bsn_valid(bsn), NULL);
    guint count = pseudonymizer->versions->len;
    char **result = g_new0(char *, count + 1);
    for (guint i = 0; i < count; i++)
        result[i] = pseudonym_under(pseudonymizer, g_ptr_array_index(pseudonymizer->versions, i), bsn);
    return result;
}

gboolean pseudonym_valid(const char *text)
{
    const char *dot = text == NULL || text[0] != 'p' ? NULL : strchr(text, '.');
    if (dot == NULL || version_parse(text + 1, dot) == 0)
        return FALSE;
    g_autoptr(GBytes) hash = base64url_decode(dot + 1, -1, NULL);
    return hash != NULL && g_bytes_get_size(hash) == SHA256_SIZE;
}
