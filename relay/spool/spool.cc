#include "relay/spool/spool.h"

#include <unordered_map>

namespace relay::spool {

std::vector<std::vector<uint32_t>> deliveries_of(const MessageRecord& record) {
  std::vector<std::vector<uint32_t>> deliveries;
  std::unordered_map<std::string_view, size_t> by_domain;
  for (uint32_t i = 0; i < record.recipients.size(); ++i) {
    const auto [place, fresh] =
        by_domain.try_emplace(record.recipients[i].recipient.mailbox.domain.text(), deliveries.size());
    if (fresh) deliveries.emplace_back();
    deliveries[place->second].push_back(i);
  }
  return deliveries;
}

void Spool::update(const MessageRecord& record) {
  for (const std::vector<uint32_t>& recipients : deliveries_of(record)) update(record, recipients);
  hold(record.id, record.on_hold);
}

}  // namespace relay::spool
