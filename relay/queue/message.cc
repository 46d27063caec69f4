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
  const auto found = std::ranges::equal_range(by_domain_, std::string_view(domain.text()), {}, name);
  return {found.begin(), found.end()};
}

}  // namespace relay::queue
