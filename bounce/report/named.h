// How well a free text speaks of the recipients that it names: what makes the words of a program that is no
// mail system, or of one that writes of much else, a report about a message of ours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bounce/report/report.h"

namespace bounce::report {

// All true: as good as a text can be.
struct Named {
  bool any = true;      // it names a recipient
  bool coded = true;    // says a reply code or a status of one
  bool by_host = true;  // says of one of the sender's own domain what its server replies, or that mail failed
  bool our_mail = true;  // "your message to", or repeats the header of the message
};

// `from`: address of who wrote `text`.
Named named_in(std::string_view text, std::string_view from, const std::vector<Recipient>& recipients);

}  // namespace bounce::report
