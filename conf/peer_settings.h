// How we speak with a server, as far as it is not about pace and patience: keys of [defaults] and
// [[destination]].
#pragma once

namespace conf {

struct PeerSettings {
  // Extensions that are used when they are offered.
  bool size = true;            // size: RFC 1870
  bool eight_bit_mime = true;  // eight_bit_mime: RFC 6152
  bool smtputf8 = true;        // smtputf8: RFC 6531
  bool dsn = true;             // dsn: RFC 3461
};

}  // namespace conf
