#include "bounce/report/auto_reply.h"

#include "bounce/report/diagnostic_text.h"
#include "bounce/report/notice_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

constexpr size_t kLookedAt = 4096;

// What its words make it, once it is known to be an answer of a program.
AutoReplyKind kind_of(const Signs& signs, const std::array<uint8_t, WordTable::kTopics>& words) {
  if (signs.subject_gone > 0 || words[kSaysGone] > 0) return AutoReplyKind::kGone;
  if (signs.subject_challenge > 0 || (words[kSaysChallenge] > 0 && words[kSaysAway] == 0))
    return AutoReplyKind::kChallenge;
  if (signs.subject_away > 0 || words[kSaysAway] > 0) return AutoReplyKind::kVacation;
  return AutoReplyKind::kOther;
}

}  // namespace

AutoReplyKind auto_reply_of(const Signs& signs, const Notice& notice) {
  if (signs.failed_list && signs.daemon) return AutoReplyKind::kNone;
  const auto words = notice_words().count(notice.text, kLookedAt);
  const int failures = words[kSaysFailure] + words[kSaysNews];
  const bool failure = signs.subject_failure > 0 && signs.subject_away == 0;
  if (signs.responder || signs.replied) {
    // Mail systems call their reports of failure "auto-replied" too (RFC 3834
    // §5).
    const bool says_answer = signs.answer_prefix && !notice.has_original && !notice.has_status;
    if (signs.daemon && (failure || failures > 0) && !signs.responder && !says_answer)
      return AutoReplyKind::kNone;
    // Who is no mail system is heard only with what a server said (free_form.cc).
    const bool reply = find_code(notice.text) != 0 || !find_status(notice.text).empty();
    if (reply && failure && failures > 0 && words[kSaysAway] == 0 && words[kSaysGone] == 0)
      return AutoReplyKind::kNone;
    return kind_of(signs, words);
  }
  if (signs.list || failure) return AutoReplyKind::kNone;
  const bool machine = signs.null_path || signs.automatic || signs.daemon;
  if (signs.answer_prefix && !signs.person) return kind_of(signs, words);
  if (signs.subject_away > 0 && (words[kSaysAway] > 0 || words[kSaysGone] > 0 || machine || signs.answer)) {
    return kind_of(signs, words);
  }
  // A program that says so answers a message of ours, and speaks of no failure.
  if (signs.automatic && signs.answer && !signs.daemon && failures == 0) return kind_of(signs, words);
  if (signs.subject_gone > 0 && (machine || signs.answer)) return AutoReplyKind::kGone;
  const bool answers = signs.answer || signs.answered;
  if (signs.subject_challenge > 0 && (machine || (answers && words[kSaysChallenge] > 0)))
    return AutoReplyKind::kChallenge;
  if (machine && failures == 0 && (words[kSaysAway] > 0 || words[kSaysGone] > 0 || words[kSaysChallenge] > 0))
    return kind_of(signs, words);
  return AutoReplyKind::kNone;
}

}  // namespace bounce::report
