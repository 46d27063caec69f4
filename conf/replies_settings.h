// What an operator may set of the reading of refusals: [replies]. docs/refusals.md explains rules and texts,
// docs/configuration.md the keys.
#pragma once

#include <cstdint>
#include <string>

#include "conf/vocab/time.h"

namespace conf {

// How a refusal is treated whose text no rule reads.
enum class UnknownText : uint8_t {
  kSoft,     // tried again, and it counts
  kIgnored,  // tried again, and it counts against nobody
};

struct RepliesSettings {  // [replies]
  std::string rules;      // rules: a file of [[reply]], which stand before the shipped ones; empty: none
  std::string shipped_rules = kBuiltInRules;  // shipped_rules = "built-in" | path of a file
  UnknownText unknown = UnknownText::kSoft;   // unknown = "soft" | "ignored"
  bool fail_unknown_5yz = false;              // fail_unknown_5yz: a 5yz that no rule reads ends the mail
  std::string table;                          // table: of the texts that came; empty: beside the spool
  uint32_t known_texts = 20'000;              // known_texts: how many are remembered with their meaning
  uint32_t unknown_alarm = 100;               // unknown_alarm: so many of a site in an hour; 0: never
  // max_text: of a reply so many octets are kept, but for EHLO's; the log has them once for each recipient.
  uint64_t max_text_octets = 2048;
  // The text of the configuration when it has [[reply]] of its own, which stand before those of `rules`.
  std::string own_rules;
  static constexpr const char* kBuiltInRules = "built-in";
  static constexpr const char* kNoTable = "off";  // of `table`
  bool operator==(const RepliesSettings&) const = default;
};

}  // namespace conf
