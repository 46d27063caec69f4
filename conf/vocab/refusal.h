// The words for a refusal that every room shares: at which step it came, whether it is final, who it is
// about. bounce/ finds them, the limiter and the walk act on them, the events carry them.
#pragma once

#include <cstdint>

namespace conf {

// Where an attempt ended, or where an event comes from.
enum class Stage : uint8_t {
  kNone,  // of an event that has none
  kDns,
  kConnect,
  kGreeting,
  kEhlo,
  kTls,
  kMail,
  kRcpt,
  kData,
  kDot,
  kLocal,     // the relay itself
  kSign,      // DKIM
  kRestored,  // written again after a restart: the stage is not known any more
  kUnknown,   // told by somebody else: a bounce, or a line of a log
  kLogin,     // our AUTH; after kTls in a session
};
const char* to_text(Stage stage);  // "dns", ..., "local", "sign", "before the restart"; "" for kNone

enum class ErrorType : uint8_t {
  kHard,        // the address is not there: never tried again
  kSoft,        // may pass: tried again
  kIgnored,     // delivered, or a cause that counts against nobody: tried again when not delivered
  kNotDefined,  // nothing known; bounce::Qualifier answers with how it is to be treated, so only tables of
                // texts have it
};
// "hard", "soft", "ignored", "not-defined", as the delivery log has them.
const char* to_text(ErrorType type);

// Who the refusal is about, hence who backs off. Only kRecipient may ever count against an address.
enum class Scope : uint8_t { kRecipient, kMessage, kConnection, kSite, kSender };
const char* to_text(Scope scope);

enum class Pace : uint8_t {
  kUnsaid,
  kSlower,  // it asks us to slow down
  kSame,    // it does not, although its code (421) might look so
};
const char* to_text(Pace pace);

}  // namespace conf
