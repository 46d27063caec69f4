// Who wrote a mail: a mail system, a list, a person. What a mail is taken for rests on several of these
// signs together, never on one word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bounce/report/mime_reader.h"

namespace bounce::report {

struct Signs {
  std::string from;             // address in From, may be empty
  std::string subject;          // decoded
  bool daemon = false;          // From is a mail system's
  bool role = false;            // the same, by a name that people write under too
  bool unproven = false;        // it is taken for a mail system by such a name and its subject alone
  bool null_path = false;       // Return-Path: <>
  bool automatic = false;       // Auto-Submitted says so
  bool replied = false;         // Auto-Submitted: auto-replied, or a field of an auto-responder
  bool responder = false;       // a field that only auto-responders write
  bool failed_list = false;     // X-Failed-Recipients: only reports of failure have it
  bool list = false;            // a mailing list, or bulk mail of somebody
  bool answer = false;          // In-Reply-To or References
  bool person = false;          // sent with a program for people
  bool forwarded = false;       // the subject says that a person forwards it
  bool answered = false;        // the subject says that a person answers
  bool answer_prefix = false;   // the subject begins as programs begin it that answer by themselves
  uint8_t subject_failure = 0;  // of these, words that tell of a report and not of what: subject_news
  uint8_t subject_news = 0;
  uint8_t subject_delay = 0;
  uint8_t subject_delivered = 0;
  uint8_t subject_away = 0;
  uint8_t subject_challenge = 0;
  uint8_t subject_gone = 0;
  uint8_t subject_complaint = 0;
};

// `ours`: the subject of the message that came back (echo.h); what Subject repeats of it is not counted.
Signs read_signs(const Part& head, std::string_view ours);

// The addresses in the values of the fields of that name (lower case), decoded.
std::vector<std::string> addresses_of(const Part& head, std::string_view lower_name, size_t most = 100);

}  // namespace bounce::report
