/* A reader that can be unplugged while pcscd lives: vpcd's driver, and a switch before it. As long as the file
 * <this library>.gone is there, the driver says what a driver says of a reader that has left the bus (IFD handler v3,
 * IFD_NO_SUCH_DEVICE); pcscd then drops the reader when it is told to look again (pcscd --hotplug). The driver behind it is
 * <this library>.driver, a copy of its own for each reader: vpcd keeps its state in static tables.
 *
 * As long as <this library>.stuck is there, a command that is sent to the card does not come back, card or no card.
 *
 * As long as <this library>.keys is there, the reader has keys of its own (PC/SC part 10). The file says, in words: what it
 * offers (direct, start, none), the USB identifiers of its maker and product, and what is typed: digits, or time-out, cancel,
 * or wait (until the file says something else, or the card has gone). With a ! behind, that is done once, and then waited. The structure that asks for a PIN is taken at its word.
 *
 * One slot a reader. Compiled by the tests that need it; no part of Chevet. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long Dword;
typedef unsigned char Byte;
typedef long Response;
typedef struct {
    Dword protocol, length;
} Header;

enum { TAG_SLOTS = 0x0FAE, SUCCESS = 0, COMMUNICATION_ERROR = 612, NOT_SUPPORTED = 614, ICC_PRESENT = 615, NO_SUCH_DEVICE = 617 };
enum { GET_FEATURES = 0x42000000 + 3400, START = 0x42330001, FINISH = 0x42330002, DIRECT = 0x42330006, MAKER = 0x42330012 };

static const char *beside(const char *ending) {
    static __thread char path[4096];
    Dl_info own;
    if (!dladdr((void *)beside, &own)) return "";
    snprintf(path, sizeof path, "%s.%s", own.dli_fname, ending);
    return path;
}

static int is_gone(void) { return access(beside("gone"), F_OK) == 0; }

static void *driver(const char *name) {
    static void *opened;
    if (!opened) opened = dlopen(beside("driver"), RTLD_NOW | RTLD_LOCAL);
    return opened ? dlsym(opened, name) : NULL;
}

#define FORWARD(name, parameters, arguments, gone)              \
    Response name parameters {                                   \
        Response(*real) parameters = driver(#name);              \
        if (!real) return COMMUNICATION_ERROR;                   \
        if (is_gone()) return gone;                              \
        return real arguments;                                   \
    }

FORWARD(IFDHCreateChannelByName, (Dword lun, char *device), (lun, device), NO_SUCH_DEVICE)
FORWARD(IFDHCreateChannel, (Dword lun, Dword channel), (lun, channel), NO_SUCH_DEVICE)
FORWARD(IFDHSetCapabilities, (Dword lun, Dword tag, Dword length, Byte *value), (lun, tag, length, value), NO_SUCH_DEVICE)
FORWARD(IFDHSetProtocolParameters, (Dword lun, Dword protocol, Byte flags, Byte a, Byte b, Byte c),
        (lun, protocol, flags, a, b, c), NO_SUCH_DEVICE)
FORWARD(IFDHPowerICC, (Dword lun, Dword action, Byte *atr, Dword *length), (lun, action, atr, length), NO_SUCH_DEVICE)
FORWARD(IFDHICCPresence, (Dword lun), (lun), NO_SUCH_DEVICE)

struct Keys {
    char offers[16], typed[32];
    unsigned vendor, product;
};

static int keys(struct Keys *keys) {
    FILE *file = fopen(beside("keys"), "r");
    if (!file) return 0;
    int count = fscanf(file, "%15s %x %x %31s", keys->offers, &keys->vendor, &keys->product, keys->typed);
    fclose(file);
    return count == 4;
}

/* What was typed once is not typed again. */
static void typed_once(struct Keys *keys) {
    char *mark = strchr(keys->typed, '!'), next[4096];
    if (!mark) return;
    *mark = 0;
    snprintf(next, sizeof next, "%s", beside("keys-next"));
    FILE *file = fopen(next, "w");
    if (!file) return;
    fprintf(file, "%s %04X %04X wait", keys->offers, keys->vendor, keys->product);
    fclose(file);
    rename(next, beside("keys"));
}

static Byte *feature(Byte *at, Byte tag, uint32_t code) {
    Byte entry[6] = {tag, 4, code >> 24, code >> 16, code >> 8, code};
    memcpy(at, entry, sizeof entry);
    return at + sizeof entry;
}

static Response word(unsigned status, Byte *got, Dword *got_length) {
    got[0] = status >> 8;
    got[1] = status;
    *got_length = 2;
    return SUCCESS;
}

/* PIN_VERIFY_STRUCTURE of part 10: ASCII from the left, between the fewest and the most digits, ended by its key. */
static Response check_pin(Dword lun, const Byte *asked, Dword length, Byte *got, Dword *got_length) {
    Response (*presence)(Dword) = driver("IFDHICCPresence");
    Response (*transmit)(Dword, Header, Byte *, Dword, Byte *, Dword *, Header *) = driver("IFDHTransmitToICC");
    struct Keys now;
    if (length < 19 + 5) return word(0x6B80, got, got_length);
    Dword data = asked[15] | asked[16] << 8 | asked[17] << 16 | (Dword)asked[18] << 24;
    Byte most = asked[5], fewest = asked[6], block = asked[3] & 0x0F;
    const Byte *command = asked + 19;
    if (asked[2] != 0x82 || asked[7] != 0x02 || data != length - 19 || command[1] != 0x20 || command[4] != block ||
        data != 5u + block)
        return word(0x6B80, got, got_length);
    while (keys(&now) && !strcmp(now.typed, "wait")) {
        if (presence(lun) != ICC_PRESENT) return COMMUNICATION_ERROR;
        usleep(20000);
    }
    typed_once(&now);
    if (!strcmp(now.typed, "time-out")) return word(0x6400, got, got_length);
    if (!strcmp(now.typed, "cancel")) return word(0x6401, got, got_length);
    size_t digits = strlen(now.typed);
    if (digits < fewest || digits > most) return word(0x6403, got, got_length);
    Byte sent[5 + 32];
    memcpy(sent, command, data);
    memcpy(sent + 5, now.typed, digits);
    if (!block) sent[4] = digits;
    Header header = {0, 0}, back = {0, 0};
    *got_length = 2;
    return transmit(lun, header, sent, 5 + sent[4], got, got_length, &back);
}

Response IFDHControl(Dword lun, Dword code, Byte *sent, Dword sent_length, Byte *got, Dword got_max, Dword *got_length) {
    Response (*real)(Dword, Dword, Byte *, Dword, Byte *, Dword, Dword *) = driver("IFDHControl");
    static Byte begun[300];
    static Dword begun_length;
    struct Keys now;
    if (is_gone()) return NO_SUCH_DEVICE;
    if (!keys(&now)) return real ? real(lun, code, sent, sent_length, got, got_max, got_length) : COMMUNICATION_ERROR;
    int in_two = !strcmp(now.offers, "start"), in_one = in_two || !strcmp(now.offers, "direct");
    Byte *end = got;
    switch (code) {
    case GET_FEATURES:
        if (in_two) end = feature(feature(end, 0x01, START), 0x02, FINISH);
        if (in_one) end = feature(end, 0x06, DIRECT);
        end = feature(end, 0x12, MAKER);
        break;
    case MAKER: {
        Byte told[] = {0x0B, 2, now.vendor, now.vendor >> 8, 0x0C, 2, now.product, now.product >> 8};
        memcpy(end, told, sizeof told);
        end += sizeof told;
        break;
    }
    case DIRECT:
        return check_pin(lun, sent, sent_length, got, got_length);
    case START:
        if (sent_length > sizeof begun) return COMMUNICATION_ERROR;
        memcpy(begun, sent, sent_length);
        begun_length = sent_length;
        break;
    case FINISH: {
        Dword length = begun_length;
        begun_length = 0;
        return check_pin(lun, begun, length, got, got_length);
    }
    default:
        return NOT_SUPPORTED;
    }
    *got_length = end - got;
    return SUCCESS;
}

Response IFDHTransmitToICC(Dword lun, Header send, Byte *sent, Dword sent_length, Byte *got, Dword *got_length, Header *receive) {
    Response (*real)(Dword, Header, Byte *, Dword, Byte *, Dword *, Header *) = driver("IFDHTransmitToICC");
    while (access(beside("stuck"), F_OK) == 0) usleep(20000);
    if (!real || is_gone()) return COMMUNICATION_ERROR;
    return real(lun, send, sent, sent_length, got, got_length, receive);
}

Response IFDHCloseChannel(Dword lun) {
    Response (*real)(Dword) = driver("IFDHCloseChannel");
    return real ? real(lun) : COMMUNICATION_ERROR;
}

Response IFDHGetCapabilities(Dword lun, Dword tag, Dword *length, Byte *value) {
    Response (*real)(Dword, Dword, Dword *, Byte *) = driver("IFDHGetCapabilities");
    if (tag == TAG_SLOTS && *length >= 1) {
        *length = 1;
        value[0] = 1;
        return SUCCESS;
    }
    return real ? real(lun, tag, length, value) : COMMUNICATION_ERROR;
}
