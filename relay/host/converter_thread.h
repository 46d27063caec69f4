// A thread that converts mail for servers which take seven bits only, one message after the other: few need
// it.
#pragma once

#include <functional>
#include <utility>

#include "relay/spool/completions.h"
#include "relay/spool/read_queue.h"
#include "relay/walk/mail_converter.h"

namespace relay {

class ConverterThread final : public MailConverter {
 public:
  // `wake` is called from the thread when completions become ready after there were none.
  explicit ConverterThread(std::function<void()> wake) { completions_.on_ready(std::move(wake)); }

  void submit(conf::Bytes mail, SignedParts signed_parts, Done done) override;
  size_t drain_completions() override { return completions_.drain(); }

 private:
  spool::Completions completions_;
  spool::ReadQueue thread_;  // last: it uses the other
};

}  // namespace relay
