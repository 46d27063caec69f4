// The keys of [defaults] and [[destination]] about the extensions of a server.
#include "conf/sections.h"

namespace conf {

void read_peer_settings(TableReader* reader, PeerSettings* out) {
  reader->flag("size", &out->size);
  reader->flag("eight_bit_mime", &out->eight_bit_mime);
  reader->flag("smtputf8", &out->smtputf8);
  reader->flag("dsn", &out->dsn);
}

}  // namespace conf
