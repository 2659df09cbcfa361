/* SPDX-License-Identifier: ISC */
/* The words on control.sock, for both ends. Lists as in lib/wire.h; an empty list ends the answer.
 */
#ifndef TRANSPORT_DISPATCH_CONTROL_H
#define TRANSPORT_DISPATCH_CONTROL_H

#define CONTROL_MAX 4096 /* octets of a request */

#define CONTROL_CANCEL  "cancel"  /* id= → text= */
#define CONTROL_RESOLVE "resolve" /* id= how=sent|resend|drop → text= */
#define CONTROL_STATUS                                                                             \
    "status" /* → a list for each gateway: gateway state reason waiting in-flight share          \
              * part-ms pause-ms rate weight */
#define CONTROL_QUEUE "queue" /* → a list for each message held: id place wait-ms */

#endif
