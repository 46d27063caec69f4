// PeerFeatures: what the other server offered in its reply to EHLO (RFC 5321 §4.1.1.1).
#pragma once

#include <cstdint>

#include "bounce/reply.h"
#include "relay/smtp/login_words.h"

namespace relay::smtp {

struct PeerFeatures {
  bool esmtp = false, pipelining = false, chunking = false, eight_bit_mime = false, smtputf8 = false,
       dsn = false;
  bool starttls = false, enhanced_status = false, size_known = false;
  bool eight_bit_clean = false;  // offered 8BITMIME, even if its parameter is not used any more
  AuthSet auth;                  // mechanisms of ours that it offers
  uint64_t max_size = 0;         // 0: no fixed limit; holds even if the parameter is not used any more
};

// From a positive reply to EHLO. Unknown keywords are passed over; a SIZE that is no number counts as no
// limit.
PeerFeatures parse_ehlo_reply(const bounce::Reply& reply);

}  // namespace relay::smtp
