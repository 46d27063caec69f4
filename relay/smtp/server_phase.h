// The states of the receiving side of a session, and which may follow which.
#pragma once

#include <cstdint>

namespace relay::smtp {

enum class Phase : uint8_t {
  kBeforeGreeting,  // the greeting is held back
  kGreeted,         // no HELO or EHLO yet
  kReady,           // no transaction
  kMail,            // MAIL accepted, no recipient yet
  kRecipients,      // at least one recipient
  kData,            // the octets of DATA
  kChunk,           // the octets of a BDAT
  kChunkGap,        // between two BDATs of a message
  kSwallow,         // the octets of a refused BDAT
  kOffered,         // the message is complete; the owner answers
  kAuthLine,        // the next line is a SASL response
  kAuthWait,        // the owner checks the secret
  kAuthPenalty,     // a failed AUTH waits for its reply
  kTlsHandshake,    // nothing in clear is taken any more
  kClosed,
};
inline constexpr int kPhases = 15;

bool may_follow(Phase from, Phase to);
// True while input is only kept, because an answer of the owner or of the clock is due.
bool waits(Phase phase);

}  // namespace relay::smtp
