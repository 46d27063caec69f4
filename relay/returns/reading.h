// What a mail that came back says about our messages: typed events, nothing done yet. What brings one of our
// tokens back is believed of the recipient that the token was made for, or of one of its domain that the
// message was sent to. A report without one could be written by anybody about anybody: it is matched with
// what was sent lately, and counts against an address only where mail left without a token and the report
// brings the Message-ID of mail to that address. An expired or forged token says nothing at all.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "bounce/qualifier.h"
#include "bounce/return_path.h"
#include "bounce/sent_memory.h"
#include "conf/returns_settings.h"
#include "conf/vocab/event.h"

namespace relay::returns {

// What every mail is read with. Immutable; any thread.
struct ReadingTools {
  conf::ReturnsSettings settings;
  std::shared_ptr<const bounce::ReturnKeys> keys;  // null: no token is ever good
  std::shared_ptr<const bounce::Qualifier> qualifier;
  bounce::SentMemory* sent = nullptr;  // borrowed; null: only tokens of recipients are matched
};

// One event for each recipient that the mail says something about and that could be ours; a single kUnmatched
// when there is none. At most kMostOutcomes. Asks `sent`, and is pure
// otherwise; bounded as bounce/report is.
inline constexpr size_t kMostOutcomes = 1000;
std::vector<conf::DeliveryEvent> read_returned(std::string_view mail, const ReadingTools& tools,
                                               conf::WallTime now);

}  // namespace relay::returns
