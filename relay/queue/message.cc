#include "relay/queue/message.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

namespace relay::queue {

Message::Message(spool::MessageRecord of, conf::Bytes content)
    : record(std::move(of)), body(std::move(content)), by_domain_(record.recipients.size()) {
  std::iota(by_domain_.begin(), by_domain_.end(), 0U);
  const auto domain = [this](uint32_t index) -> std::string_view {
    return record.recipients[index].recipient.mailbox.domain.text();
  };
  std::ranges::stable_sort(by_domain_, {}, domain);
}

spool::RecipientSpan Message::of(const conf::Domain& domain) const {
  const auto name = [this](uint32_t index) -> std::string_view {
    return record.recipients[index].recipient.mailbox.domain.text();
  };
  const std::string_view wanted = domain.text();
  // Two searches, and no std::ranges::equal_range: clang 14 cannot read its result.
  const auto first = std::ranges::lower_bound(by_domain_, wanted, {}, name);
  const auto last = std::ranges::upper_bound(by_domain_, wanted, {}, name);
  return {first, last};
}

}  // namespace relay::queue
