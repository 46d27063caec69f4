#include "mx/limits/outcome.h"

#include <array>

namespace mx {

namespace {

using conf::Pace;
using conf::Scope;
using Kind = Outcome::Kind;

struct Row {
  Scope scope;
  bool about_recipient;
  bool about_us;  // what `scope = "sender"` of a threshold counts
};
// By scope. Their system in trouble counts as about us: what we send is what it cannot take.
constexpr std::array<Row, 5> kScopes = {{{Scope::kRecipient, true, false},
                                         {Scope::kMessage, false, false},
                                         {Scope::kConnection, false, false},
                                         {Scope::kSite, false, true},
                                         {Scope::kSender, false, true}}};

Kind kind_of(conf::ErrorType type, Scope scope, Pace pace, bool local) {
  if (local) return Kind::kIgnored;
  if (type == conf::ErrorType::kHard) return Kind::kHard;
  if (type == conf::ErrorType::kIgnored) return Kind::kIgnored;
  // Greylisting: a second visit is asked of everybody. It says nothing of us, and nothing of the site.
  if (scope == Scope::kMessage && pace == Pace::kSame) return Kind::kIgnored;
  return Kind::kSoft;
}

}  // namespace

Outcome refusal(conf::ErrorType type, Scope scope, Pace pace, bool local, std::string_view reply) {
  const Row& row = kScopes[static_cast<size_t>(scope)];
  Outcome outcome;
  outcome.kind = kind_of(type, scope, pace, local);
  outcome.throttling = pace == Pace::kSlower;
  outcome.recipient_scope = row.about_recipient;
  outcome.sender_scope = row.about_us || outcome.throttling;
  outcome.reply = reply;
  return outcome;
}

}  // namespace mx
