// The words by which notices of mail systems are known, in the languages that they are written in.
#pragma once

#include "bounce/report/words.h"

namespace bounce::report {

enum Topic : uint8_t {
  kSaysFailure,    // it was not delivered
  kSaysDelay,      // it was not delivered yet
  kSaysDelivered,  // it was delivered, or read
  kSaysNews,       // this is a report, of failure unless it says otherwise
  kSaysAway,       // somebody is away
  kSaysGone,       // somebody has left for good
  kSaysChallenge,  // prove that you are human
  kSaysComplaint,  // somebody complains
  kMayBeAway,      // the same words as of an answer of a program, and people talk of it too
};

const WordTable& subject_words();  // for the Subject field
const WordTable& notice_words();   // for the text of a notice

// Marks above a returned message: "--- Below this line is a copy of the message."
bool is_original_mark(std::string_view line);

}  // namespace bounce::report
