// What a mail that came back says: which message, which recipients, and what became of each. The qualifier
// says what their diagnostics mean (bounce/report/meaning.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bounce::report {

enum class Kind : uint8_t {
  kNotBounce,    // ordinary mail, or nothing that can be read as a report
  kDsn,          // RFC 3464, at least one recipient failed
  kNonstandard,  // a bounce in the words of some program
  kFeedback,     // RFC 5965, a complaint
  kAutoReply,    // vacation, challenge, "has left": somebody or something answered
  kDelivered,    // only good news: delivered, relayed, expanded, read
  kDelayed,      // only news of delay
};
const char* to_text(Kind kind);  // "notbounce", "dsn", "nonstandard", "arf", ...

// RFC 3464 §2.3.3; kUnsaid: a free text did not say.
enum class Action : uint8_t { kUnsaid, kFailed, kDelayed, kDelivered, kRelayed, kExpanded };
const char* to_text(Action action);  // "failed", ...; "" for kUnsaid

struct Recipient {
  std::string address;           // Final-Recipient, or what the text names; may be empty
  std::string original_address;  // Original-Recipient, or "generated from"; may be empty
  Action action = Action::kUnsaid;
  std::string status;      // "5.1.1", the most telling one; may be empty
  uint16_t code = 0;       // SMTP reply code; 0: none was said
  std::string diagnostic;  // one line, UTF-8, without the type prefix; may be empty
  std::string remote_mta;  // host that refused
};

enum class AutoReplyKind : uint8_t { kNone, kVacation, kChallenge, kGone, kOther };
const char* to_text(AutoReplyKind kind);  // "", "vacation", "challenge", "gone", "other"

struct Report {
  Kind kind = Kind::kNotBounce;
  std::vector<Recipient> recipients;
  std::string reporting_mta;
  std::string envelope_id;    // Original-Envelope-Id (RFC 3461 ENVID)
  std::string feedback_type;  // "abuse", "fraud", ... of a complaint
  AutoReplyKind auto_reply = AutoReplyKind::kNone;
  // Of the message that came back, as far as it was returned.
  std::string message_id;    // without angle brackets
  std::string header_token;  // value of the token field
  std::string returned_to;   // addresses as the field has them
  // Words for people around the diagnostics; up to some thousand octets. Helps where those are poor.
  std::string notice;
  // Who wrote it, where that is no mail system and it is no report by its type; empty otherwise.
  std::string writer;
  // Addresses that the report was sent to, and the reverse-path of what came back, as the message has it and
  // as a complaint names it (RFC 5965 §3.2): where a token may stand.
  std::vector<std::string> return_addresses;
  std::string unread_why;  // why nothing could be read from what looks like a
                           // report; empty otherwise
};

struct ReportSettings {
  std::string token_field = "X-Penstock-Token";  // header field of our own that may come back
};

// Reads one mail. Bounded in time and memory whatever it holds (mime_reader.h);
// at most kRecipientLimit recipients. Thread-safe, no state.
inline constexpr size_t kRecipientLimit = 50'000;
Report read_report(std::string_view octets, const ReportSettings& settings = ReportSettings());

}  // namespace bounce::report
