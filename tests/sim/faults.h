// What a receiving mail server of the simulation does wrong: with its replies, with the order of commands,
// with what it offers.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "conf/vocab/random.h"

namespace sim {

struct Faults {
  // A session has one of these two faults at most: with one reply too few and one too many nobody could tell
  // whom the replies between are about.
  double loses = 0;     // a reply never goes out
  double repeats = 0;   // a reply goes out twice
  double spells = 0;    // per session: its replies come octet by octet
  double rset = 0;      // RSET is refused
  double disorder = 0;  // a command is refused as if it had come at another point of the dialog
  uint32_t enough = 0;  // MAIL commands on a connection, then enough_text; 0: any number
  std::string enough_text = "421 4.7.0 too many messages on this connection";
  std::string too_many_text = "452 4.5.3 too many recipients";
  std::set<std::string> disowns;  // parameters of MAIL that it offers and then refuses: "BODY", "SIZE"
  bool names_none = false;        // ... without a word of which
  bool eats = false;              // PIPELINING is offered, and what came together with a command is lost
};

// What was played so often. kSevenBit is no fault: 8-bit mail that was converted for who takes seven only.
enum class Fault : uint8_t { kLost, kTwice, kRset, kDisorder, kParameter, kEnough, kTooMany, kSevenBit };
constexpr size_t kFaults = 8;
using Played = std::array<uint64_t, kFaults>;

// Most servers have none, some have several.
Faults draw_faults(conf::Random* random);

// Texts that servers use, one of them.
std::string refused_rset(conf::Random* random);
std::string out_of_order(conf::Random* random);
std::string refused_parameter(const std::string& parameter, bool names_none, conf::Random* random);

}  // namespace sim
