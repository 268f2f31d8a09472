/* A reader that can be unplugged while pcscd lives: vpcd's driver, and a switch before it. As long as the file
 * <this library>.gone is there, the driver says what a driver says of a reader that has left the bus (IFD handler v3,
 * IFD_NO_SUCH_DEVICE); pcscd then drops the reader when it is told to look again (pcscd --hotplug). The driver behind it is
 * <this library>.driver, a copy of its own for each reader: vpcd keeps its state in static tables.
 *
 * As long as <this library>.stuck is there, a command that is sent to the card does not come back, card or no card.
 *
 * One slot a reader. Compiled by the tests that need it; no part of Chevet. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

typedef unsigned long Dword;
typedef unsigned char Byte;
typedef long Response;
typedef struct {
    Dword protocol, length;
} Header;

enum { TAG_SLOTS = 0x0FAE, SUCCESS = 0, COMMUNICATION_ERROR = 612, NO_SUCH_DEVICE = 617 };

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
FORWARD(IFDHControl, (Dword lun, Dword code, Byte *sent, Dword sent_length, Byte *got, Dword got_max, Dword *got_length),
        (lun, code, sent, sent_length, got, got_max, got_length), NO_SUCH_DEVICE)
FORWARD(IFDHICCPresence, (Dword lun), (lun), NO_SUCH_DEVICE)

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
