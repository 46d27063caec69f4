#include "relay/walk/envelope.h"

#include <algorithm>

#include "conf/vocab/check.h"

namespace relay {

ReturnPath EnvelopeComposer::return_path(const spool::MessageRecord& record, uint32_t index) const {
  // RFC 5321 §4.5.5: what has the null reverse-path keeps it.
  if (paths_ == nullptr || record.envelope.reverse_path.is_null()) return {record.envelope.reverse_path, {}};
  return paths_->return_path(record, record.recipients[index]);
}

smtp::Transaction EnvelopeComposer::compose(const queue::Message& message, size_t most,
                                            std::vector<uint32_t>* waiting,
                                            std::vector<uint32_t>* taken) const {
  CHECK(!waiting->empty());
  const spool::MessageRecord& record = message.record;
  smtp::Transaction transaction;
  const ReturnPath back = return_path(record, waiting->front());
  transaction.reverse_path = back.mailbox;
  transaction.ret = record.envelope.ret;
  transaction.envid = record.envelope.envid;
  transaction.body_type = record.envelope.body;
  transaction.smtputf8 = record.envelope.smtputf8;
  transaction.header_prefix = back.fields + message.signature;
  transaction.body = message.body;
  const size_t limit = std::min(waiting->size(), std::max<size_t>(1, most));
  size_t count = 1;
  if (paths_ == nullptr) count = limit;
  while (count < limit && return_path(record, (*waiting)[count]) == back) ++count;
  taken->assign(waiting->begin(), waiting->begin() + static_cast<ptrdiff_t>(count));
  waiting->erase(waiting->begin(), waiting->begin() + static_cast<ptrdiff_t>(count));
  transaction.recipients.reserve(count);
  for (const uint32_t index : *taken) transaction.recipients.push_back(record.recipients[index].recipient);
  return transaction;
}

}  // namespace relay
