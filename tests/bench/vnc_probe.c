/* A VNC viewer without a window: decodes into memory and says, after every update,
 *
 *     update MICROSECONDS RRGGBB BYTES
 *
 * the time on CLOCK_MONOTONIC, the colour of the pixel where the bench draws its mark, and all
 * bytes received so far. Built by the bench with
 * `cc vnc_probe.c -lvncclient`; run as `vnc_probe PORT`.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <rfb/rfbclient.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* As in tests/src/measuring/mark.rs. */
enum { MARK_X = 16, MARK_Y = 16 };

static unsigned colour_at(const rfbClient *client, int x, int y)
{
    uint32_t pixel = ((const uint32_t *)client->frameBuffer)[y * client->width + x];
    unsigned red = pixel >> client->format.redShift & 0xff;
    unsigned green = pixel >> client->format.greenShift & 0xff;
    unsigned blue = pixel >> client->format.blueShift & 0xff;
    return red << 16 | green << 8 | blue;
}

static unsigned long long received(const rfbClient *client)
{
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    if (getsockopt(client->sock, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

static void finished(rfbClient *client)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("update %lld %06x %llu\n", now.tv_sec * 1000000LL + now.tv_nsec / 1000,
           colour_at(client, MARK_X, MARK_Y), received(client));
    fflush(stdout);
}

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    rfbClient *client = rfbGetClient(8, 3, 4);
    client->serverHost = strdup("127.0.0.1");
    client->serverPort = atoi(words[1]);
    client->appData.encodingsString = "tight zrle copyrect hextile raw";
    client->appData.useRemoteCursor = TRUE;
    client->FinishedFrameBufferUpdate = finished;
    if (!rfbInitClient(client, NULL, NULL))
        return 1;
    for (;;) {
        int ready = WaitForMessage(client, 500000);
        if (ready < 0 || (ready > 0 && !HandleRFBServerMessage(client)))
            return 0;
    }
}
