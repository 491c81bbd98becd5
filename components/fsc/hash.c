#include "components/fsc/hash.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/digest.h"
#include "core/format/jcs.h"

#define ALGORITHM_SHA3_512 1 /* FSC Core 2.0.0, 4.2.6.3 */

static char *hash_text(HashType type, const char *text, gsize length)
{
    guint8 digest[SHA3_512_SIZE];
    sha3_512(text, length, digest);
    g_autofree char *encoded = base64url_encode(digest, sizeof digest);
    return g_strdup_printf("$%d$%d$%s", ALGORITHM_SHA3_512, (int)type, encoded);
}

char *fsc_content_hash(const json_t *content, GError **error)
{
    g_autofree char *canonical = jcs_write(content, error);
    if (canonical == NULL)
        return NULL;
    return hash_text(HASH_TYPE_CONTRACT, canonical, strlen(canonical));
}

char *fsc_grant_hash(const char *content_hash, HashType type, const json_t *data, GError **error)
{
    g_autofree char *canonical = jcs_write(data, error);
    if (canonical == NULL)
        return NULL;
    g_autofree char *text = g_strconcat(content_hash, canonical, NULL);
    return hash_text(type, text, strlen(text));
}

gboolean fsc_hash_parse(const char *text, HashType *type)
{
    if (text == NULL || strnlen(text, FSC_HASH_LENGTH + 1) != FSC_HASH_LENGTH)
        return FALSE;
    if (strncmp(text, "$1$", 3) != 0 || text[3] < '1' || text[3] > '5' || text[4] != '$')
        return FALSE;
    g_autoptr(GBytes) digest = base64url_decode(text + 5, -1, NULL);
    if (digest == NULL || g_bytes_get_size(digest) != SHA3_512_SIZE)
        return FALSE;
    if (type != NULL)
        *type = (HashType)(text[3] - '0');
    return TRUE;
}
