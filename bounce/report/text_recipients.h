// Recipients and diagnostics in the free text of a notice.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bounce/report/report.h"

namespace bounce::report {

// What is known from elsewhere about the addresses in a notice.
struct KnownAddresses {
  std::vector<std::string> failed;    // X-Failed-Recipients: certain
  std::vector<std::string> returned;  // To and Cc of the returned message
  std::vector<std::string> senders;   // From, To and Return-Path of the notice,
                                      // From of the returned message
};

// The recipients that the text names, each with what the text says about it; empty when none is named. An
// address that only gives the reason for another one (aliases, contacts) is not among them.
std::vector<Recipient> recipients_in_text(std::string_view text, const KnownAddresses& known);

// The line or lines of the text that say why, wherever they stand; empty when none looks like it. `address`
// (may be empty) is preferred.
std::string diagnostic_in_text(std::string_view text, std::string_view address);

}  // namespace bounce::report
