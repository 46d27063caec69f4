// Any octets are a mail: reading them ends in bounded time and gives no more than the limits allow.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bounce/report/meaning.h"
#include "bounce/report/report.h"
#include "conf/vocab/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using bounce::report::Kind;
  const bounce::report::Report report =
      bounce::report::read_report({reinterpret_cast<const char*>(data), size});
  CHECK(report.recipients.size() <= bounce::report::kRecipientLimit);
  CHECK(report.kind != Kind::kNotBounce || report.recipients.empty());
  for (const bounce::report::Recipient& recipient : report.recipients) {
    const bounce::Qualification meaning =
        bounce::report::meaning_of(report, recipient, *bounce::Qualifier::shipped());
    const bool delayed = recipient.action == bounce::report::Action::kDelayed;
    CHECK(!delayed || meaning.type != bounce::ErrorType::kHard);
    const bool answer = report.kind == Kind::kAutoReply || report.kind == Kind::kDelivered;
    CHECK(!answer || meaning.type == bounce::ErrorType::kIgnored);
  }
  return 0;
}
