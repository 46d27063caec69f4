#include "relay/smtp/lessons.h"

namespace relay::smtp {

void leave_out(ExtensionSet extensions, PeerFeatures* peer) {
  if (extensions.has(Extension::kPipelining)) peer->pipelining = false;
  if (extensions.has(Extension::kChunking)) peer->chunking = false;
  if (extensions.has(Extension::kEightBitMime)) peer->eight_bit_mime = false;
  if (extensions.has(Extension::kEightBitContent)) peer->eight_bit_mime = peer->eight_bit_clean = false;
  if (extensions.has(Extension::kSize)) peer->size_known = false;
  if (extensions.has(Extension::kSmtpUtf8)) peer->smtputf8 = false;
  if (extensions.has(Extension::kDsn)) peer->dsn = false;
  if (extensions.has(Extension::kStartTls)) peer->starttls = false;
}

}  // namespace relay::smtp
