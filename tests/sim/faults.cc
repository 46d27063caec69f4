#include "tests/sim/faults.h"

#include <span>

namespace sim {

namespace {

constexpr const char* kTooMany[] = {
    "452 4.5.3 too many recipients",
    "452 4.5.3 Error: too many recipients",
    "451 4.5.3 RCPT limit reached, send the rest in a separate transaction",
    "450 4.5.3 recipients per message exceeded",
    "550 5.5.3 too many recipients",
    "552 5.5.3 maximum number of recipients reached",
    "554 5.5.3 only one recipient at a time",
    "421 4.5.3 too many recipients in this session",
};
constexpr const char* kEnough[] = {
    "421 4.7.0 too many messages on this connection",
    "421 4.3.2 come again",
    "421 4.4.5 messages per connection: that is enough",
    "450 4.7.1 too many mails in this session",
    "452 4.3.2 message limit of this connection reached",
    "550 5.7.0 too many transactions in this connection",
    "554 5.7.0 no more messages in this session, please reconnect",
};
constexpr const char* kRset[] = {
    "451 4.3.0 not now",
    "421 4.3.2 cannot reset",
    "450 4.7.1 wait",
    "500 5.5.1 unknown command",
    "502 5.5.2 command not implemented",
    "503 5.5.1 bad sequence of commands",
    "550 5.7.1 refused",
    "554 5.3.0 transaction failed",
};
constexpr const char* kDisorder[] = {
    "503 5.5.1 bad sequence of commands", "503 bad sequence of commands",
    "503 5.5.1 nested MAIL command",      "503 5.5.1 valid RCPT command must precede DATA",
    "503 5.5.0 need MAIL before RCPT",    "550 5.5.1 commands out of sequence",
    "500 5.5.1 command unrecognized",     "503 5.5.1 unexpected command",
};

std::string one_of(std::span<const char* const> texts, conf::Random* random) {
  return texts[random->below(texts.size())];
}

}  // namespace

Faults draw_faults(conf::Random* random) {
  Faults faults;
  const auto some = [random](double share, double most) {
    return random->chance(share) ? most * random->unit() : 0;
  };
  faults.loses = some(0.15, 0.03);
  faults.repeats = some(0.15, 0.1);
  faults.spells = some(0.2, 0.2);
  faults.rset = some(0.25, 1);
  faults.disorder = some(0.15, 0.1);
  if (random->chance(0.25)) faults.enough = 1 + static_cast<uint32_t>(random->below(4));
  faults.enough_text = one_of(kEnough, random);
  faults.too_many_text = one_of(kTooMany, random);
  if (random->chance(0.1)) faults.disowns.insert("SIZE");
  if (random->chance(0.1)) faults.disowns.insert("BODY");
  faults.names_none = random->chance(0.2);
  faults.eats = random->chance(0.05);
  return faults;
}

std::string refused_rset(conf::Random* random) { return one_of(kRset, random); }

std::string out_of_order(conf::Random* random) { return one_of(kDisorder, random); }

std::string refused_parameter(const std::string& parameter, bool names_none, conf::Random* random) {
  if (names_none) return "555 5.5.4 MAIL parameters not recognized";
  switch (random->below(4)) {
    case 0:
      return "555 5.5.4 unsupported option: " + parameter;
    case 1:
      return "501 5.5.4 syntax error in parameter " + parameter;
    case 2:
      return "504 5.5.4 " + parameter + " not implemented";
    default:
      return "455 4.5.4 " + parameter + " cannot be accommodated";
  }
}

}  // namespace sim
